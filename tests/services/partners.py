"""Partners' stations in a fresh store: the catalogue, with two connections, and words to write and look with."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from adapters.core.connection import Connection, Mode, Scope, Secrets, State
from adapters.core.inbound import LocationCopy
from adapters.core.roaming import FeedKind, FeedProfile, Record
from gateway.agreements.repository import Agreements
from gateway.metrics import Metrics
from gateway.services.catalogue.changes import Changes
from gateway.services.catalogue.ingesting import Ingested, Kept
from gateway.services.catalogue.ranking import Ranking
from gateway.services.catalogue.searching import Search
from gateway.services.catalogue.service import Catalogue
from gateway.services.catalogue.upkeep import Upkeep
from gateway.services.links import Links
from gateway.services.ports.catalogue import Entry, EntryFilter
from gateway.services.visibility.sights import Sights
from gateway.store.pool import Store
from gateway.store.secrets import Cipher
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatusReport, Location
from mappings.canonical.tariffs import EvsePrices, Tariff
from mappings.report import Issue, Refused
from tests.harness import KEY, PARTY, later

FEEDS = {kind: FeedProfile(kind.value, kind, timedelta(minutes=5), prunes=True, statuses=False) for kind in FeedKind}
WITH_STATUSES = FeedProfile("locations", FeedKind.LOCATIONS, timedelta(minutes=5), prunes=True, statuses=True)


@dataclass
class Clock:
    """A clock that stands, until it is set."""

    now: datetime = field(default_factory=lambda: later(7200))

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Partners:
    """The catalogue and its connections: `gireve`, then `hubject`."""

    store: Store
    clock: Clock
    metrics: Metrics
    catalogue: Catalogue
    changes: Changes
    ranking: Ranking
    search: Search
    gireve: Connection
    hubject: Connection

    def upkeep(self, keep: timedelta = timedelta(hours=1)) -> Upkeep:
        """The upkeep, which is not started."""
        return Upkeep(self.store, self.ranking, self.changes.wake, self.metrics.catalogue, keep)

    async def put(self, location: Location, over: Connection | None = None, *, statuses: bool = True) -> bool:
        """A hub pushes a location."""
        copy = LocationCopy(location, (), digest_of(location), statuses)
        return await self.catalogue.put_location(over or self.gireve, copy)

    async def tell(self, report: EvseStatusReport, over: Connection | None = None) -> bool:
        """A hub pushes a status."""
        return await self.catalogue.put_status(over or self.gireve, report)

    async def pull(
        self, records: Iterable[Record], over: Connection | None = None, feed: FeedProfile = FEEDS[FeedKind.LOCATIONS]
    ) -> Ingested:
        """A page was pulled."""
        return await self.catalogue.ingest(over or self.gireve, feed, list(records))

    async def pull_all(
        self,
        pages: Sequence[Iterable[Record]],
        over: Connection | None = None,
        feed: FeedProfile = FEEDS[FeedKind.LOCATIONS],
    ) -> int:
        """Everything was pulled, page by page; gives how much was withdrawn."""
        kept = Kept(self.clock())
        for page in pages:
            kept.add((await self.pull(page, over, feed)).nos)
        return await self.catalogue.prune(over or self.gireve, feed, kept)

    async def find(self, **wanted: Any) -> list[Entry]:
        """All entries that a search finds, page by page."""
        found: list[Entry] = []
        after = None
        while True:
            page = await self.search.search(EntryFilter(**wanted), after, wanted.pop("limit", 7))
            found += page.items
            after = page.next
            if after is None:
                return found

    async def entries(self) -> dict[str, tuple[str, str, list[str]]]:
        """Each entry's status, the connection that speaks for it, and all connections that offer it."""
        return {
            entry.evse_key: (
                entry.status.value,
                next(way.connection for way in entry.ways if way.preferred),
                sorted(way.connection for way in entry.ways),
            )
            for entry in await self.find()
        }


def digest_of(thing: Location | Tariff) -> bytes:
    """What a hub's text of an object would be hashed to."""
    return blake2b(repr(thing).encode(errors="surrogatepass"), digest_size=16).digest()


def of_location(location: Location, *, gone: bool = False, issues: Sequence[Issue] = ()) -> Record:
    """A pulled record of a location."""
    digest = digest_of(location)[:-1] + bytes([gone])
    return Record((location.party.normal, location.id), digest, lambda: (location, issues), gone)


def of_status(report: EvseStatusReport) -> Record:
    """A pulled record of a status."""
    assert report.evse_id is not None
    return Record((PARTY.normal, report.evse_id.normal), b"0" * 16, lambda: (report, ()))


def of_tariff(tariff: Tariff, *, gone: bool = False) -> Record:
    """A pulled record of a tariff."""
    target = tariff.target.normal if tariff.target is not None else ""
    return Record((tariff.party.normal, tariff.id, target), digest_of(tariff), lambda: (tariff, ()), gone)


def of_prices(prices: EvsePrices) -> Record:
    """A pulled record of an EVSE's prices."""
    return Record((prices.party.normal, prices.evse_id.normal), b"0" * 16, lambda: (prices, ()))


def refused(id_: str, party: PartyId = PARTY) -> Record:
    """A pulled record of a location that cannot be read."""

    def read() -> tuple[Any, Sequence[Issue]]:
        raise Refused("GeoCoordinates", "no point")

    return Record((party.normal, id_), b"9" * 16, read)


async def connect(store: Store, name: str, hub: str) -> Connection:
    """Adds a connection to the store, without a hub behind it."""
    number = await store.fetchval(
        "INSERT INTO connection (name, hub, mode, state, scope, settings) VALUES ($1, $2, 'live', 'ready', '{}', '{}')"
        " RETURNING id",
        name,
        hub,
    )
    return Connection(number, name, hub, Mode.LIVE, State.READY, Scope(), {}, Secrets())


@asynccontextmanager
async def partners(store: Store) -> AsyncIterator[Partners]:
    """The catalogue over an open store."""
    clock, metrics, changes = Clock(), Metrics(), Changes(store)
    links = Links(store, Cipher(KEY), {})
    catalogue = Catalogue(store, links, metrics, clock, changes.wake)
    ranking = Ranking(store, changes.wake)
    gireve, hubject = await connect(store, "gireve", "gireve"), await connect(store, "hubject", "hubject")
    search = Search(store, changes, ranking, Sights(Agreements(store, links, clock), links, clock), clock)
    yield Partners(store, clock, metrics, catalogue, changes, ranking, search, gireve, hubject)
    await catalogue.close()
