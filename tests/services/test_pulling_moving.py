"""Networks that move while they are pulled: once the hub is quiet, the catalogue is what the hub has."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from adapters.core.outcomes import RefusedByHub
from adapters.core.roaming import FeedKind, FeedProfile, PulledPage, PullFailed, Record
from gateway.app import now
from gateway.metrics import Metrics
from gateway.outbox.repository import Outbox
from gateway.services.catalogue.service import Catalogue
from gateway.services.ports.pulls import PullOutcome
from gateway.services.pulling.service import Pulling
from mappings.canonical.locations import EvseStatus
from tests import database
from tests.harness import PARTY, evse, location
from tests.services.partners import digest_of
from tests.services.pulled import HOUR, Counted, Puller, ScriptedAdapter, puller

IDS = "abcdefg"
PAGE = 2


class Change(NamedTuple):
    """A station is put or, without content, taken out."""

    id: str
    content: int | None


class Pull(NamedTuple):
    """What happens at the hub while it is pulled: before each request, some changes; and which request fails."""

    full: bool
    changes: Sequence[Sequence[Change]]
    fails_at: int | None


class Hub(NamedTuple):
    """How a hub tells.

    Attributes:
        lies: By how much its total is wrong; None where it tells none.
        by_stamp: What changed moves to the end of the list; else the order is that of the ids.
    """

    tells_gone: bool
    lies: int | None
    by_stamp: bool


@dataclass
class Network:
    """A hub's stations, and what of them were taken out."""

    hub: Hub
    there: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    gone: dict[str, datetime] = field(default_factory=dict)
    script: list[Sequence[Change]] = field(default_factory=list)
    fails_at: int | None = None
    requests: int = 0
    taken_out: set[str] = field(default_factory=set)

    def apply(self, change: Change) -> None:
        """Changes the network. What was taken out during a pull does not come back before its end."""
        at = datetime.now(UTC)
        if change.content is None:
            if self.there.pop(change.id, None) is not None:
                self.gone[change.id] = at
                self.taken_out.add(change.id)
        elif change.id not in self.taken_out:
            self.gone.pop(change.id, None)
            self.there[change.id] = change.content, at

    def page(self, since: datetime | None, offset: int) -> PulledPage:
        """Gives a page, once the next changes have happened."""
        self.requests += 1
        for change in self.script.pop(0) if self.script else ():
            self.apply(change)
        if self.requests == self.fails_at:
            raise PullFailed(RefusedByHub("000", "not now"))
        rows: list[tuple[str, datetime, int | None]] = [
            (id_, at, content) for id_, (content, at) in self.there.items() if since is None or at >= since
        ]
        if since is not None and self.hub.tells_gone:
            rows += [(id_, at, None) for id_, at in self.gone.items() if at >= since]
        rows.sort(key=lambda row: (row[1].isoformat() if self.hub.by_stamp else "", row[0]))
        cut = rows[offset : offset + PAGE]
        total = None if self.hub.lies is None else len(rows) + self.hub.lies
        return PulledPage([_record(*row) for row in cut], (), str(offset + PAGE) if len(cut) == PAGE else None, total)


def _record(id_: str, at: datetime, content: int | None) -> Record:
    made = location(id_, evse("U1", f"NL*ABC*E{id_}"), city=f"Town {content}", last_updated=at)
    return Record((PARTY.normal, id_), digest_of(made), lambda: (made, ()), content is None)


@dataclass
class Pulled(Puller):
    network: Network = field(default_factory=lambda: Network(Hub(tells_gone=True, lies=0, by_stamp=False)))
    catalogue: Catalogue | None = None

    async def once(self, pull: Pull) -> PullOutcome:
        """Pulls once."""
        self.network.script, self.network.fails_at, self.network.requests = list(pull.changes), pull.fails_at, 0
        self.network.taken_out.clear()
        await self.again(full=pull.full)
        view = await self.view()
        assert view.last is not None
        return view.last.outcome

    async def stored(self) -> dict[str, int]:
        """What the catalogue says is there."""
        assert self.catalogue is not None
        [link] = self.links.all()
        found = {}
        for id_ in IDS:
            one = await self.catalogue.location(link.connection, PARTY, id_)
            if one is not None and any(each.status is not EvseStatus.REMOVED for each in one.evses):
                assert one.city is not None
                found[id_] = int(one.city.removeprefix("Town "))
        return found


@asynccontextmanager
async def pulled(url: str, hub: Hub) -> AsyncIterator[Pulled]:
    feed = FeedProfile(
        "data",
        FeedKind.LOCATIONS,
        every=HOUR,
        full_every=24 * HOUR,
        overlap=timedelta(0),
        prunes=True,
        tells_gone=hub.tells_gone,
    )
    async with puller(url, feed, start=False) as made:
        network = Network(hub)
        ScriptedAdapter.network = network.page
        catalogue = Catalogue(made.store, made.links, Metrics(), now)
        counted = Counted()
        pulling = Pulling(made.store, made.links, Outbox(made.store, "test"), lambda _: catalogue, counted, "test", now)
        moving = Pulled(made.store, made.links, pulling, made.shelf, counted, network, catalogue)
        pulling.start()
        try:
            await moving.ended()
            yield moving
        finally:
            await pulling.stop()
            await catalogue.close()
            ScriptedAdapter.network = None


CHANGE = st.builds(Change, st.sampled_from(IDS), st.none() | st.integers(0, 3))
CHANGES = st.lists(CHANGE, max_size=2)
PULLS = st.lists(
    st.builds(
        Pull, st.booleans(), st.lists(CHANGES, min_size=1, max_size=4), st.none() | st.none() | st.integers(1, 4)
    ),
    min_size=1,
    max_size=4,
)
HUBS = st.builds(Hub, st.booleans(), st.sampled_from([0, 0, 0, 2, -1, None]), st.booleans())
FIRST = st.lists(st.builds(Change, st.sampled_from(IDS), st.integers(0, 3)), min_size=4, max_size=8)
ALL = [Change(id_, 0) for id_ in "abcdef"]
OUT = Pull(True, [[], [Change("a", None), Change("g", 0)]], None)
MOVED = Pull(False, [[], [Change("a", 2)]], None)


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(hub=HUBS, first=FIRST, pulls=PULLS, between=st.lists(st.lists(CHANGE, max_size=5), max_size=4))
@example(Hub(tells_gone=True, lies=0, by_stamp=False), ALL, [OUT], [])  # one slips, and the count stands still
@example(Hub(tells_gone=True, lies=2, by_stamp=False), ALL, [OUT, OUT], [[Change("a", 0), Change("g", None)]])
@example(Hub(tells_gone=True, lies=0, by_stamp=True), ALL, [Pull(True, [], None), MOVED], [[*ALL]])
@example(Hub(tells_gone=False, lies=-1, by_stamp=False), ALL, [OUT, Pull(True, [], 3)], [])
async def test_once_the_hub_is_quiet_the_catalogue_is_what_the_hub_has(
    server_url: str,
    migrated: str,
    hub: Hub,
    first: list[Change],
    pulls: list[Pull],
    between: list[list[Change]],
) -> None:
    async with database.copy(server_url, migrated) as url, pulled(url, hub) as moving:
        for change in first:
            moving.network.apply(change)
        for number, pull in enumerate(pulls):
            await moving.once(pull)
            moving.network.taken_out.clear()
            for change in between[number] if number < len(between) else ():
                moving.network.apply(change)
        # Quiet: at most twice, where what was read has to be believed against the hub's own count.
        for _ in range(3):
            if await moving.once(Pull(not hub.tells_gone, (), None)) is PullOutcome.DONE:
                break
        else:
            raise AssertionError("a quiet hub is never settled")
        assert await moving.stored() == {id_: content for id_, (content, _) in moving.network.there.items()}
