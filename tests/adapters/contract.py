"""What every hub's adapter promises to the gateway, tried for each operation that it declares, against its sandbox.

A hub's test module plugs in by a subclass:

    class TestGireve(Contract):
        operations = ("tariffs", "locations")

        @pytest.fixture
        async def hub(self) -> AsyncIterator[HubUnderTest]: ...

`hub` gives a fresh sandbox, served by `SandboxServer`, with an adapter that is connected to it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

import aiohttp

from adapters.core.adapter import Adapter, Item, Plan, Rendered, Subject
from adapters.core.outcomes import (
    Delivered,
    Misconfigured,
    NotSent,
    Outcome,
    OutcomeUnknown,
    RefusedByHub,
    Throttled,
)
from adapters.core.sandbox import SandboxServer
from mappings.canonical.locations import Location
from tests.adapters.doubles import Measured
from tests.adapters.impatient import once_connected


@dataclass
class HubUnderTest:
    """A hub's adapter, connected to its sandbox.

    Attributes:
        adapter: With right credentials.
        stranger: With credentials that the hub does not know.
        impatient: With a time-out of 0.2 s.
        subjects: An object for each operation.
        changed: The same objects with other content, for each operation.
        kinds: The kind of the sandbox's memory that holds what an operation delivered.
        measured: What `adapter` reported.
        session: For the sandbox's control requests.
        known: For an operation that refers to another one's things, the keys of those that the hub has.
    """

    adapter: Adapter
    stranger: Adapter
    impatient: Adapter
    server: SandboxServer
    subjects: Mapping[str, Subject]
    changed: Mapping[str, Subject]
    kinds: Mapping[str, str]
    measured: Measured
    session: aiohttp.ClientSession
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def items(
        self,
        operation: str,
        subject: Subject,
        known: Mapping[str, Rendered] | None = None,
        *,
        gone: bool = False,
    ) -> list[Item]:
        """Claims all projections of an object, as the outbox would."""
        made = []
        for key in self.adapter.keys(subject):
            if key.operation != operation:
                continue
            before = (known or {}).get(key.key)
            made.append(
                Item(
                    operation=operation,
                    key=key.key,
                    lane=key.lane,
                    evse_uid=key.evse_uid,
                    subject=subject,
                    status=_status(subject, key.evse_uid) if key.follows_status else None,
                    gone=gone,
                    sent_as=before.sent_as if before else None,
                    accepted=before.fingerprint if before else None,
                    known=self.known.get(operation, frozenset()),
                )
            )
        return made

    async def deliver(self, plan: Plan, adapter: Adapter | None = None) -> tuple[Outcome, dict[str, Rendered]]:
        """Makes a plan's calls until one fails; gives the last outcome, and what was settled by key."""
        settled = {each.item.key: each for each in plan.unchanged}
        outcome: Outcome = Delivered()
        for call in plan.calls:
            outcome = await (adapter or self.adapter).send(call)
            if not isinstance(outcome, Delivered):
                break
            settled |= {each.item.key: each for each in call.settles}
        return outcome, settled

    async def prepare(self, operation: str) -> None:
        """Delivers what the hub must have before this operation means anything."""
        for before in self.adapter.profile.operations:
            if before == operation:
                return
            outcome, _ = await self.deliver(self.adapter.plan(before, self.items(before, self.subjects[before])))
            assert isinstance(outcome, Delivered), outcome

    async def fail(self, **fault: Any) -> None:
        """Arms a fault."""
        async with self.session.post(f"{self.server.url}/_sandbox/faults", json=[fault]) as answer:
            assert answer.status == 200, await answer.text()

    async def memory(self, operation: str) -> dict[str, Any]:
        """What the hub holds, by wire key."""
        url = f"{self.server.url}/_sandbox/memory?kind={self.kinds[operation]}"
        async with self.session.get(url) as answer:
            assert answer.status == 200, await answer.text()
            lines = [json.loads(line) for line in (await answer.read()).splitlines()]
        return {line["key"]: line["record"] for line in lines}


def _status(subject: Subject, uid: str | None) -> Any:
    if not isinstance(subject, Location):
        return None
    return next((evse.status for evse in subject.evses if evse.uid == uid), None)


class Contract:
    """The suite."""

    operations: ClassVar[Sequence[str]]

    def test_the_profile_names_the_operations_that_are_tried(self, hub: HubUnderTest) -> None:
        assert set(self.operations) == set(hub.adapter.profile.operations)

    def test_keys_are_unique_and_of_declared_operations(self, hub: HubUnderTest, operation: str) -> None:
        keys = [(key.operation, key.key) for key in hub.adapter.keys(hub.subjects[operation])]
        assert len(set(keys)) == len(keys)
        assert operation in {name for name, _ in keys}
        assert {name for name, _ in keys} <= set(self.operations)

    def test_the_same_items_give_the_same_plan(self, hub: HubUnderTest, operation: str) -> None:
        items = hub.items(operation, hub.subjects[operation])
        assert hub.adapter.plan(operation, items) == hub.adapter.plan(operation, items)

    def test_each_item_is_in_exactly_one_place_of_a_plan(self, hub: HubUnderTest, operation: str) -> None:
        items = hub.items(operation, hub.subjects[operation])
        plan = hub.adapter.plan(operation, items)
        placed = [each.item.key for call in plan.calls for each in call.settles]
        placed += [each.item.key for each in plan.unchanged]
        placed += [item.key for item, _ in plan.refused] + [item.key for item in plan.waiting]
        assert sorted(placed) == sorted(item.key for item in items)

    def test_fingerprints_have_at_most_48_bytes(self, hub: HubUnderTest, operation: str) -> None:
        plan = hub.adapter.plan(operation, hub.items(operation, hub.subjects[operation]))
        assert all(0 < len(each.fingerprint) <= 48 for call in plan.calls for each in call.settles)

    def test_bodies_are_plain_json(self, hub: HubUnderTest, operation: str) -> None:
        plan = hub.adapter.plan(operation, hub.items(operation, hub.subjects[operation]))
        assert plan.calls
        for call in plan.calls:
            assert json.loads(json.dumps(call.body)) == call.body

    async def test_what_was_delivered_is_what_the_hub_remembers(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        plan = hub.adapter.plan(operation, hub.items(operation, hub.subjects[operation]))
        outcome, settled = await hub.deliver(plan)
        assert isinstance(outcome, Delivered), outcome
        remembered = await hub.memory(operation)
        for key, rendered in settled.items():
            assert hub.adapter.fingerprint(operation, key, remembered[key]) == rendered.fingerprint

    async def test_what_the_hub_has_is_not_sent_again(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        plan = hub.adapter.plan(operation, hub.items(operation, hub.subjects[operation]))
        _, settled = await hub.deliver(plan)
        again = hub.adapter.plan(operation, hub.items(operation, hub.subjects[operation], settled))
        assert not again.calls
        assert {each.item.key for each in again.unchanged} == set(settled)

    async def test_a_change_is_delivered_over_what_was_there(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        plan = hub.adapter.plan(operation, hub.items(operation, hub.subjects[operation]))
        _, settled = await hub.deliver(plan)
        changed = hub.adapter.plan(operation, hub.items(operation, hub.changed[operation], settled))
        assert changed.calls
        outcome, after = await hub.deliver(changed)
        assert isinstance(outcome, Delivered), outcome
        remembered = await hub.memory(operation)
        for key, rendered in after.items():
            assert hub.adapter.fingerprint(operation, key, remembered[key]) == rendered.fingerprint

    async def test_what_is_gone_is_removed_from_the_hub(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        subject = hub.subjects[operation]
        _, settled = await hub.deliver(hub.adapter.plan(operation, hub.items(operation, subject)))
        plan = hub.adapter.plan(operation, hub.items(operation, subject, settled, gone=True))
        outcome, gone = await hub.deliver(plan)
        assert isinstance(outcome, Delivered), outcome
        assert {(each.fingerprint, each.sent_as) for each in gone.values()} == {(b"", None)}
        if self.removes(operation):
            assert not set(settled) & set(await hub.memory(operation))

    def removes(self, operation: str) -> bool:
        """Tells whether the operation itself takes things out of the hub."""
        return True

    async def test_nothing_is_sent_for_what_is_gone_and_was_never_there(
        self, hub: HubUnderTest, operation: str
    ) -> None:
        plan = hub.adapter.plan(operation, hub.items(operation, hub.subjects[operation], gone=True))
        assert not plan.calls

    async def test_a_hub_that_is_throttling_is_obeyed(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        await hub.fail(kind="throttle", seconds=7)
        assert await self._first(hub, operation) == Throttled(timedelta(seconds=7))

    async def test_a_server_error_leaves_the_outcome_unknown(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        await hub.fail(kind="error", status=500)
        assert isinstance(await self._first(hub, operation), OutcomeUnknown)

    async def test_a_hub_that_says_it_is_down_has_acted_upon_nothing(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        await hub.fail(kind="error", status=503)
        assert isinstance(await self._first(hub, operation), NotSent)

    async def test_a_refusal_is_a_value_with_the_hubs_code(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        await hub.fail(kind="refuse")
        outcome = await self._first(hub, operation)
        assert isinstance(outcome, RefusedByHub)
        assert outcome.code

    async def test_an_answer_dropped_after_acting_is_unknown_and_sending_again_is_safe(
        self, hub: HubUnderTest, operation: str
    ) -> None:
        await hub.prepare(operation)
        await hub.fail(kind="drop", count=1)
        items = hub.items(operation, hub.subjects[operation])
        plan = hub.adapter.plan(operation, items)
        assert isinstance(await hub.adapter.send(plan.calls[0]), OutcomeUnknown)
        assert await hub.memory(operation)
        tried = [_tried(item) for item in items]
        outcome, settled = await hub.deliver(hub.adapter.plan(operation, tried))
        assert isinstance(outcome, Delivered), outcome
        remembered = await hub.memory(operation)
        for key, rendered in settled.items():
            assert hub.adapter.fingerprint(operation, key, remembered[key]) == rendered.fingerprint

    async def test_a_connection_cut_before_acting_is_unknown(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        await hub.fail(kind="close")
        assert isinstance(await self._first(hub, operation), OutcomeUnknown)
        assert not set(await hub.memory(operation)) & {item.key for item in self._items(hub, operation)}

    async def test_an_answer_cut_short_is_unknown(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        await hub.fail(kind="truncate")
        assert isinstance(await self._first(hub, operation), OutcomeUnknown)

    async def test_a_refused_connection_is_not_sent(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        await hub.server.refuse_connections()
        # The first request may still find a kept-alive socket, whose end the client has not read yet.
        assert isinstance(await self._first(hub, operation), (NotSent, OutcomeUnknown))
        assert isinstance(await self._first(hub, operation), NotSent)

    async def test_an_answer_that_does_not_come_in_time_is_unknown(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        await hub.fail(kind="delay", seconds=5)
        plan = hub.adapter.plan(operation, self._items(hub, operation))
        _, outcome = await once_connected(lambda: hub.impatient.send(plan.calls[0]))
        assert isinstance(outcome, OutcomeUnknown)

    async def test_wrong_credentials_are_a_matter_for_somebody(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        plan = hub.adapter.plan(operation, self._items(hub, operation))
        assert isinstance(await hub.stranger.send(plan.calls[0]), Misconfigured)

    async def test_every_request_is_measured_once_with_its_outcome(self, hub: HubUnderTest, operation: str) -> None:
        await hub.prepare(operation)
        hub.measured.requests.clear()
        await self._first(hub, operation)
        await hub.fail(kind="throttle", count=1)
        await self._first(hub, operation)
        found = [(each.operation, each.outcome) for each in hub.measured.requests]
        assert found == [(operation, "delivered"), (operation, "throttled")]

    @staticmethod
    def _items(hub: HubUnderTest, operation: str) -> list[Item]:
        return hub.items(operation, hub.subjects[operation])

    async def _first(self, hub: HubUnderTest, operation: str) -> Outcome:
        plan = hub.adapter.plan(operation, self._items(hub, operation))
        return await hub.adapter.send(plan.calls[0])


def _tried(item: Item) -> Item:

    return replace(item, attempts=item.attempts + 1)
