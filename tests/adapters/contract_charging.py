"""What every hub's adapter promises of a charge, tried against the hub's sandbox or a peer that plays it.

A hub's test module plugs in by a subclass, whose `operations` are the messages that its profile declares:

    class TestGireveCharging(ChargingContract):
        operations = ("sessions", "cdrs", "command_results")

        @pytest.fixture
        async def hub(self) -> AsyncIterator[ChargingUnderTest]: ...

`hub` gives a fresh hub, served by `SandboxServer`, with an adapter that is connected to it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import aiohttp

from adapters.core.charging import Allowed, Answer, ChargingAdapter, Denied, Message, Question, Unanswered
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
from mappings.canonical.legs import Leg
from tests.adapters.doubles import Measured
from tests.adapters.impatient import once_connected


@dataclass
class ChargingUnderTest:
    """A hub's adapter, connected to its hub.

    Attributes:
        adapter: With right credentials.
        stranger: With credentials that the hub does not know.
        impatient: With a time-out of 0.2 s.
        messages: One that the hub takes, for each operation, under `leg`.
        question: A driver whom the hub admits.
        stranger_asked: One whom it does not know.
        leg: What the hub calls the charge that the messages are of.
        kinds: The kind of the sandbox's memory that holds what an operation told.
        asking: The operation under which an authorisation is measured.
        measured: What `adapter` reported.
        session: For the sandbox's control requests.
    """

    adapter: ChargingAdapter
    stranger: ChargingAdapter
    impatient: ChargingAdapter
    server: SandboxServer
    messages: Mapping[str, Message]
    question: Question
    stranger_asked: Question
    leg: Leg
    kinds: Mapping[str, str]
    asking: str
    measured: Measured
    session: aiohttp.ClientSession

    async def tell(self, operation: str, adapter: ChargingAdapter | None = None, *, doubtful: bool = False) -> Outcome:
        """Tells the hub the message of an operation, once."""
        teller = adapter or self.adapter
        call, _ = teller.render(self.messages[operation])
        return await teller.tell(call, doubtful=doubtful)

    async def fail(self, **fault: Any) -> None:
        """Arms a fault."""
        async with self.session.post(f"{self.server.url}/_sandbox/faults", json=[fault]) as answer:
            assert answer.status == 200, await answer.text()

    async def memory(self, operation: str) -> dict[str, Any]:
        """What the hub holds of an operation, by its key."""
        url = f"{self.server.url}/_sandbox/memory?kind={self.kinds[operation]}"
        async with self.session.get(url) as answer:
            assert answer.status == 200, await answer.text()
            lines = [json.loads(line) for line in (await answer.read()).splitlines()]
        return {line["key"]: line["record"] for line in lines}


class ChargingContract:
    """The suite."""

    operations: ClassVar[Sequence[str]]
    repeated: ClassVar[Sequence[str]] = ()
    """Messages that the hub does not know again, so that it passes on what is told twice."""
    cdrs_wait_for_sessions: ClassVar[bool] = True
    """Whether a CDR makes sense only once the hub was told of its session, so that they share a lane."""

    # The profile

    def test_the_charging_profile_names_the_messages_that_are_tried(self, hub: ChargingUnderTest) -> None:
        assert set(self.operations) == set(hub.adapter.charging.messages) == set(hub.messages)
        for name, profile in hub.adapter.charging.messages.items():
            assert profile.name == name
            assert profile.in_flight > 0

    def test_what_hub_and_backend_may_take_leaves_time_for_us(self, hub: ChargingUnderTest) -> None:
        profile = hub.adapter.charging
        assert timedelta(0) < profile.answer_within
        assert timedelta(0) < profile.command_within

    # Telling

    def test_what_does_not_roam_over_the_hub_is_none_of_its_business(self, hub: ChargingUnderTest) -> None:
        for message in hub.messages.values():
            if message.session is not None:
                assert message.place is not None
                assert hub.adapter.of_session(message.session, message.place, None, {}) == []
            if message.cdr is not None:
                assert hub.adapter.of_cdr(message.cdr, None) == []

    def test_what_is_told_of_one_charge_is_told_in_the_order_that_the_hub_needs(self, hub: ChargingUnderTest) -> None:
        sessions = {each.lane for each in hub.messages.values() if each.session is not None}
        cdrs = {each.lane for each in hub.messages.values() if each.cdr is not None}
        assert len(sessions) == len(cdrs) == 1
        assert (sessions == cdrs) is self.cdrs_wait_for_sessions

    def test_a_message_is_rendered_alike_before_and_after_it_was_stored(
        self, hub: ChargingUnderTest, operation: str
    ) -> None:
        message = hub.messages[operation]
        assert message.operation == operation
        stored = Message.model_validate_json(message.model_dump_json())
        assert stored == message
        assert hub.adapter.render(stored) == hub.adapter.render(message)

    def test_a_rendered_message_is_plain_json(self, hub: ChargingUnderTest, operation: str) -> None:
        call, _ = hub.adapter.render(hub.messages[operation])
        assert call.operation == operation
        assert json.loads(json.dumps(call.body)) == call.body

    async def test_what_was_told_is_what_the_hub_remembers(self, hub: ChargingUnderTest, operation: str) -> None:
        assert await hub.tell(operation) == Delivered()
        assert len(await hub.memory(operation)) == 1

    async def test_telling_a_throttling_hub_obeys_it(self, hub: ChargingUnderTest, operation: str) -> None:
        await hub.fail(kind="throttle", seconds=7)
        assert await hub.tell(operation) == Throttled(timedelta(seconds=7))

    async def test_telling_leaves_the_outcome_unknown_at_a_server_error(
        self, hub: ChargingUnderTest, operation: str
    ) -> None:
        await hub.fail(kind="error", status=500)
        assert isinstance(await hub.tell(operation), OutcomeUnknown)

    async def test_a_hub_that_says_it_is_down_was_told_nothing(self, hub: ChargingUnderTest, operation: str) -> None:
        await hub.fail(kind="error", status=503)
        assert isinstance(await hub.tell(operation), NotSent)

    async def test_a_hub_refuses_what_it_is_told_with_its_code(self, hub: ChargingUnderTest, operation: str) -> None:
        await hub.fail(kind="refuse")
        outcome = await hub.tell(operation)
        assert isinstance(outcome, RefusedByHub)
        assert outcome.code

    async def test_a_refusal_after_doubt_is_still_a_refusal(self, hub: ChargingUnderTest, operation: str) -> None:
        await hub.fail(kind="refuse")
        assert isinstance(await hub.tell(operation, doubtful=True), RefusedByHub)

    async def test_what_was_taken_without_our_knowing_is_told_again_and_counts_once(
        self, hub: ChargingUnderTest, operation: str
    ) -> None:
        await hub.fail(kind="drop", count=1)
        assert isinstance(await hub.tell(operation), OutcomeUnknown)
        before = await hub.memory(operation)
        assert len(before) == 1
        assert await hub.tell(operation, doubtful=True) == Delivered()
        again = await hub.memory(operation)
        assert again.keys() == before.keys() or operation in self.repeated
        assert len(again) <= 2

    async def test_a_connection_cut_before_the_hub_acts_is_unknown(
        self, hub: ChargingUnderTest, operation: str
    ) -> None:
        await hub.fail(kind="close")
        assert isinstance(await hub.tell(operation), OutcomeUnknown)
        assert not await hub.memory(operation)

    async def test_an_answer_to_a_message_that_is_cut_short_is_unknown(
        self, hub: ChargingUnderTest, operation: str
    ) -> None:
        await hub.fail(kind="truncate")
        assert isinstance(await hub.tell(operation), OutcomeUnknown)

    async def test_a_hub_that_refuses_connections_was_told_nothing(
        self, hub: ChargingUnderTest, operation: str
    ) -> None:
        await hub.server.refuse_connections()
        # The first request may still find a kept-alive socket, whose end the client has not read yet.
        assert isinstance(await hub.tell(operation), (NotSent, OutcomeUnknown))
        assert isinstance(await hub.tell(operation), NotSent)

    async def test_a_hub_that_is_slow_to_take_a_message_leaves_it_unknown(
        self, hub: ChargingUnderTest, operation: str
    ) -> None:
        await hub.fail(kind="delay", seconds=5)
        _, outcome = await once_connected(lambda: hub.tell(operation, hub.impatient))
        assert isinstance(outcome, OutcomeUnknown)

    async def test_a_message_with_wrong_credentials_is_a_matter_for_somebody(
        self, hub: ChargingUnderTest, operation: str
    ) -> None:
        assert isinstance(await hub.tell(operation, hub.stranger), Misconfigured)

    async def test_every_message_is_measured_once_with_its_outcome(
        self, hub: ChargingUnderTest, operation: str
    ) -> None:
        hub.measured.requests.clear()
        await hub.tell(operation)
        await hub.fail(kind="throttle", count=1)
        await hub.tell(operation)
        found = [(each.operation, each.outcome) for each in hub.measured.requests]
        assert found == [(operation, "delivered"), (operation, "throttled")]

    # Asking

    async def test_a_yes_has_a_leg_with_the_driver(self, hub: ChargingUnderTest) -> None:
        answer = await hub.adapter.authorise(hub.question)
        assert isinstance(answer, Allowed)
        assert answer.leg.emsp is not None
        assert answer.leg.reference or answer.leg.hub_session

    async def test_a_driver_whom_nobody_knows_is_denied(self, hub: ChargingUnderTest) -> None:
        assert isinstance(await hub.adapter.authorise(hub.stranger_asked), Denied)

    async def test_a_refused_question_is_no_yes(self, hub: ChargingUnderTest) -> None:
        await hub.fail(kind="refuse")
        assert not isinstance(await hub.adapter.authorise(hub.question), Allowed)

    async def test_a_question_to_a_throttling_hub_is_unanswered(self, hub: ChargingUnderTest) -> None:
        await hub.fail(kind="throttle", seconds=7)
        assert await hub.adapter.authorise(hub.question) == Unanswered(Throttled(timedelta(seconds=7)))

    async def test_a_question_is_unanswered_where_the_hub_fails(self, hub: ChargingUnderTest) -> None:
        for fault, kind in (
            ({"kind": "error", "status": 500}, OutcomeUnknown),
            ({"kind": "error", "status": 503}, NotSent),
            ({"kind": "error", "status": 418}, OutcomeUnknown),
            ({"kind": "drop"}, OutcomeUnknown),
            ({"kind": "truncate"}, OutcomeUnknown),
            ({"kind": "close"}, OutcomeUnknown),
        ):
            await hub.fail(**fault, count=1)
            assert isinstance(_outcome(await hub.adapter.authorise(hub.question)), kind), fault

    async def test_a_question_to_a_hub_that_is_not_there_is_unanswered(self, hub: ChargingUnderTest) -> None:
        await hub.server.refuse_connections()
        assert isinstance(_outcome(await hub.adapter.authorise(hub.question)), (NotSent, OutcomeUnknown))

    async def test_a_question_that_takes_too_long_is_unanswered(self, hub: ChargingUnderTest) -> None:
        await hub.fail(kind="delay", seconds=5)

        async def asked() -> Outcome | None:
            return _outcome(await hub.impatient.authorise(hub.question))

        _, outcome = await once_connected(asked)
        assert isinstance(outcome, OutcomeUnknown)

    async def test_a_question_with_wrong_credentials_is_a_matter_for_somebody(self, hub: ChargingUnderTest) -> None:
        assert isinstance(_outcome(await hub.stranger.authorise(hub.question)), Misconfigured)

    async def test_every_question_is_measured_once(self, hub: ChargingUnderTest) -> None:
        hub.measured.requests.clear()
        await hub.adapter.authorise(hub.question)
        await hub.adapter.authorise(hub.stranger_asked)
        # A no is an answer too.
        found = [(each.operation, each.outcome) for each in hub.measured.requests]
        assert found == [(hub.asking, "delivered"), (hub.asking, "delivered")]

    async def test_giving_an_authorisation_back_never_raises(self, hub: ChargingUnderTest) -> None:
        await hub.server.refuse_connections()
        assert await hub.adapter.release(hub.question, hub.leg) is False

    async def test_what_started_a_session_may_stop_it(self, hub: ChargingUnderTest) -> None:
        yes = await hub.adapter.authorise(hub.question)
        assert isinstance(yes, Allowed)
        assert isinstance(await hub.adapter.authorise_stop(hub.question, yes.leg), Allowed)


def _outcome(answer: Answer) -> Outcome | None:
    return answer.outcome if isinstance(answer, Unanswered) else None
