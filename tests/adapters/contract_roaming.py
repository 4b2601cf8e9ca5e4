"""What every hub's adapter promises to an EMSP: what is pulled, and the commands that are sent, against its sandbox.

A hub's test module plugs in by a subclass:

    class TestGireveRoaming(RoamingContract):
        feeds = ("locations", "tariffs")
        commands = ("START_SESSION", "STOP_SESSION")

        @pytest.fixture
        async def hub(self) -> AsyncIterator[RoamingUnderTest]: ...

`hub` gives a fresh sandbox, served by `SandboxServer`, with an adapter that is connected to it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import aiohttp
import pytest

from adapters.core.outcomes import Misconfigured, NotSent, Outcome, OutcomeUnknown, RefusedByHub, Throttled
from adapters.core.roaming import FeedKind, HubAdapter, PulledPage, PullFailed, Record
from adapters.core.sandbox import SandboxServer
from mappings.canonical.cdrs import Cdr
from mappings.canonical.commands import Command, CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatusReport, Location
from mappings.canonical.parties import ClientInfo, Role
from mappings.canonical.tariffs import Tariff
from tests.adapters.doubles import Measured
from tests.adapters.impatient import once_connected

Key = tuple[str, ...]


@dataclass(frozen=True)
class Fed:
    """What the hub has of a feed.

    Attributes:
        keys: Of everything; more than one page of it, where the feed has pages.
        before: A moment before which nothing of it changed for the last time, and after all else was written.
        change: Changes one record at the hub, after `before`; gives its key.
    """

    keys: frozenset[Key]
    before: datetime
    change: Callable[[], Awaitable[Key]]


@dataclass(frozen=True)
class Carried:
    """A command, and whose station it is for."""

    command: Command
    cpo: PartyId


@dataclass
class RoamingUnderTest:
    """A hub's adapter, connected to its hub, which has stations for our drivers.

    Attributes:
        adapter: With right credentials.
        stranger: With credentials that the hub does not know.
        impatient: With a time-out of 0.2 s.
        fed: What can be pulled, by feed.
        carried: A command that is carried out, by kind.
        refused: One that the hub, or the CPO, will not carry out.
        told: Gives the result of a command that was answered without one, as it comes.
        prepare: Does what must have happened before a command of a kind makes sense.
        measured: What `adapter` reported.
        session: For the sandbox's control requests.
    """

    adapter: HubAdapter
    stranger: HubAdapter
    impatient: HubAdapter
    server: SandboxServer
    fed: Mapping[str, Fed]
    carried: Mapping[str, Carried]
    refused: Carried
    told: Callable[[str], Awaitable[CommandAnswer]]
    measured: Measured
    session: aiohttp.ClientSession

    async def fail(self, **fault: Any) -> None:
        """Arms a fault."""
        async with self.session.post(f"{self.server.url}/_sandbox/faults", json=[fault]) as answer:
            assert answer.status == 200, await answer.text()

    async def pages(self, feed: str, since: datetime | None = None) -> list[PulledPage]:
        """Pulls to the end."""
        found = [await self.adapter.pull(feed, since, None)]
        while found[-1].cursor is not None:
            assert len(found) < 100, "the pages have no end"
            found.append(await self.adapter.pull(feed, since, found[-1].cursor))
        return found

    async def records(self, feed: str, since: datetime | None = None) -> dict[Key, Record]:
        """Pulls to the end; gives the records by key."""
        return {record.key: record for page in await self.pages(feed, since) for record in page.records}


async def outcome_of(pull: Awaitable[PulledPage]) -> Outcome:
    """Gives why a page did not come."""
    with pytest.raises(PullFailed) as failed:
        await pull
    return failed.value.outcome


_READ_AS: dict[FeedKind, type] = {
    FeedKind.LOCATIONS: Location,
    FeedKind.STATUSES: EvseStatusReport,
    FeedKind.TARIFFS: Tariff,
    FeedKind.PARTIES: ClientInfo,
}


class RoamingContract:
    """The suite."""

    feeds: ClassVar[Sequence[str]]
    commands: ClassVar[Sequence[str]]
    unpaged: ClassVar[Sequence[str]] = ()
    """Feeds that the hub gives in one piece."""
    whole: ClassVar[Sequence[str]] = ()
    """Feeds of which the hub cannot say what changed: every pull is of everything."""

    # The profile

    def test_the_roaming_profile_names_what_is_tried(self, hub: RoamingUnderTest) -> None:
        profile = hub.adapter.roaming
        assert tuple(profile.feeds) == tuple(self.feeds)
        assert set(hub.fed) == set(self.feeds)
        assert profile.commands == set(self.commands) == set(hub.carried)
        assert Role.EMSP in hub.adapter.roles
        assert profile.command_within > timedelta(0)

    def test_feeds_are_named_once_and_pulled_in_full_no_more_often_than_at_all(self, hub: RoamingUnderTest) -> None:
        for name, feed in hub.adapter.roaming.feeds.items():
            assert feed.name == name
            assert feed.every > timedelta(0)
            assert feed.full_every is None or feed.full_every >= feed.every
            assert feed.longest is None or feed.longest > feed.every + feed.overlap
            assert feed.after is None or feed.after in hub.adapter.roaming.feeds
            assert not (feed.prunes and feed.kind is FeedKind.CDRS)

    # Pulling

    async def test_a_full_pull_gives_everything_once(self, hub: RoamingUnderTest, feed: str) -> None:
        pages = await hub.pages(feed)
        keys = [record.key for page in pages for record in page.records]
        assert sorted(keys) == sorted(hub.fed[feed].keys)
        assert not [each for page in pages for each in page.unreadable]
        assert len(pages) == 1 if feed in self.unpaged else len(pages) > 1
        assert {page.total for page in pages} <= {len(keys), None}

    async def test_what_is_pulled_can_be_read(self, hub: RoamingUnderTest, feed: str) -> None:
        kind = hub.adapter.roaming.feeds[feed].kind
        for record in (await hub.records(feed)).values():
            assert len(record.digest) == 16
            assert not record.gone
            value, _ = record.read()
            if kind is FeedKind.CDRS:
                cdr, _ = value
                assert isinstance(cdr, Cdr)
            elif kind in _READ_AS:
                assert isinstance(value, _READ_AS[kind])

    async def test_what_did_not_change_has_the_same_digest_again(self, hub: RoamingUnderTest, feed: str) -> None:
        first = {key: record.digest for key, record in (await hub.records(feed)).items()}
        changed = await hub.fed[feed].change()
        again = {key: record.digest for key, record in (await hub.records(feed)).items()}
        assert {key for key in first | again if first.get(key) != again.get(key)} == {changed}

    async def test_a_pull_of_what_changed_gives_nothing_else(self, hub: RoamingUnderTest, feed: str) -> None:
        if feed in self.whole:
            assert hub.adapter.roaming.feeds[feed].full_every is None
            return
        assert await hub.records(feed, hub.fed[feed].before) == {}
        changed = await hub.fed[feed].change()
        assert set(await hub.records(feed, hub.fed[feed].before)) == {changed}

    async def test_the_future_is_never_asked_for(self, hub: RoamingUnderTest, feed: str) -> None:
        if feed in self.whole:
            return
        far = hub.fed[feed].before + timedelta(days=36_500)
        assert await hub.records(feed, far) == {}

    async def test_a_page_can_be_asked_for_again(self, hub: RoamingUnderTest, feed: str) -> None:
        first = await hub.adapter.pull(feed, None, None)
        if feed in self.unpaged:
            assert first.cursor is None
            return
        once, again = [await hub.adapter.pull(feed, None, first.cursor) for _ in range(2)]
        assert [record.key for record in once.records] == [record.key for record in again.records]
        assert once.cursor == again.cursor

    async def test_a_feed_that_is_not_offered_is_not_asked_for(self, hub: RoamingUnderTest) -> None:
        hub.measured.requests.clear()
        assert isinstance(await outcome_of(hub.adapter.pull("never_heard_of", None, None)), Misconfigured)
        assert not hub.measured.requests

    async def test_a_hub_that_throttles_a_pull_is_obeyed(self, hub: RoamingUnderTest, feed: str) -> None:
        await hub.fail(kind="throttle", seconds=7)
        assert await outcome_of(hub.adapter.pull(feed, None, None)) == Throttled(timedelta(seconds=7))

    @pytest.mark.parametrize("fault", ["close", "drop", "truncate", "garble"])
    async def test_a_page_that_does_not_come_whole_is_none(self, hub: RoamingUnderTest, feed: str, fault: str) -> None:
        await hub.fail(kind=fault, count=1)
        assert isinstance(await outcome_of(hub.adapter.pull(feed, None, None)), OutcomeUnknown)
        assert (await hub.adapter.pull(feed, None, None)).records

    async def test_errors_of_the_hub_are_told_apart(self, hub: RoamingUnderTest, feed: str) -> None:
        await hub.fail(kind="error", status=500, count=1)
        assert isinstance(await outcome_of(hub.adapter.pull(feed, None, None)), OutcomeUnknown)
        await hub.fail(kind="error", status=503, count=1)
        assert isinstance(await outcome_of(hub.adapter.pull(feed, None, None)), NotSent)
        await hub.fail(kind="refuse", count=1)
        assert isinstance(await outcome_of(hub.adapter.pull(feed, None, None)), RefusedByHub)

    async def test_a_page_that_does_not_come_in_time_is_none(self, hub: RoamingUnderTest, feed: str) -> None:
        await hub.fail(kind="delay", seconds=5)
        _, outcome = await once_connected(lambda: outcome_of(hub.impatient.pull(feed, None, None)))
        assert isinstance(outcome, OutcomeUnknown)

    async def test_wrong_credentials_are_a_matter_for_somebody(self, hub: RoamingUnderTest, feed: str) -> None:
        assert isinstance(await outcome_of(hub.stranger.pull(feed, None, None)), Misconfigured)

    async def test_every_page_is_measured_once_with_its_outcome(self, hub: RoamingUnderTest, feed: str) -> None:
        hub.measured.requests.clear()
        await hub.adapter.pull(feed, None, None)
        await hub.fail(kind="throttle", count=1)
        await outcome_of(hub.adapter.pull(feed, None, None))
        assert [each.outcome for each in hub.measured.requests] == ["delivered", "throttled"]
        assert len({each.operation for each in hub.measured.requests}) == 1

    # Commanding

    async def test_a_command_is_carried_out_and_its_result_comes(self, hub: RoamingUnderTest, kind: str) -> None:
        sent = hub.carried[kind]
        answered = await hub.adapter.command("command-1", sent.command, sent.cpo)
        answer = answered.answer or await hub.told("command-1")
        assert answer.result is CommandResult.ACCEPTED
        assert answered.timeout is None or answered.timeout > timedelta(0)

    async def test_a_command_of_another_kind_is_not_sent(self, hub: RoamingUnderTest) -> None:
        hub.measured.requests.clear()
        sent = next(iter(hub.carried.values()))
        strange = sent.command.model_copy(update={"kind": "NEVER_HEARD_OF"})
        answered = await hub.adapter.command("command-1", strange, sent.cpo)
        assert answered.answer is not None
        assert answered.answer.result is CommandResult.NOT_SUPPORTED
        assert not hub.measured.requests

    async def test_a_refusal_of_a_command_is_told_at_once(self, hub: RoamingUnderTest) -> None:
        answered = await hub.adapter.command("command-1", hub.refused.command, hub.refused.cpo)
        answer = answered.answer or await hub.told("command-1")
        assert answer.result is not CommandResult.ACCEPTED

    @pytest.mark.parametrize("fault", [{"kind": "throttle"}, {"kind": "error", "status": 503}, {"kind": "refuse"}])
    async def test_a_command_that_surely_was_not_acted_upon_has_failed(
        self, hub: RoamingUnderTest, kind: str, fault: dict[str, Any]
    ) -> None:
        await hub.fail(**fault)
        sent = hub.carried[kind]
        answered = await hub.adapter.command("command-1", sent.command, sent.cpo)
        assert answered.answer is not None
        assert answered.answer.result is not CommandResult.ACCEPTED

    async def test_a_command_over_wrong_credentials_has_failed(self, hub: RoamingUnderTest, kind: str) -> None:
        sent = hub.carried[kind]
        answered = await hub.stranger.command("command-1", sent.command, sent.cpo)
        assert answered.answer is not None
        assert answered.answer.result is CommandResult.FAILED

    @pytest.mark.parametrize("fault", [{"kind": "drop"}, {"kind": "error", "status": 500}, {"kind": "truncate"}])
    async def test_a_command_of_which_nothing_is_known_is_not_said_to_be_carried_out(
        self, hub: RoamingUnderTest, kind: str, fault: dict[str, Any]
    ) -> None:
        await hub.fail(**fault)
        sent = hub.carried[kind]
        answered = await hub.adapter.command("command-1", sent.command, sent.cpo)
        assert answered.answer is None or answered.answer.result is not CommandResult.ACCEPTED

    async def test_every_command_is_measured_once(self, hub: RoamingUnderTest, kind: str) -> None:
        hub.measured.requests.clear()
        sent = hub.carried[kind]
        await hub.adapter.command("command-1", sent.command, sent.cpo)
        assert [each.outcome for each in hub.measured.requests] == ["delivered"]
