"""A gateway with stations of the own network and of a hub, and every way of looking at them for an EMSP."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from adapters.core.connection import Connection
from adapters.core.inbound import LocationCopy
from gateway.agreements.repository import Agreements
from gateway.app import App, assembled
from gateway.services.ports import NotFound
from gateway.services.ports.catalogue import Around, Change, Entry, EntryFilter
from gateway.services.visibility.syncing import CLAIM, Syncing
from gateway.settings import Settings
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import EvseStatusReport, Location
from mappings.canonical.tariffs import Tariff
from tests.agreed import agree, audiences
from tests.harness import KEY, NOWHERE, PARTY, Services, later
from tests.services.partners import digest_of

NOW = later(7200)
MINE, OTHERS = PartyId("FR*EMS"), PartyId("DE*EMS")


@dataclass
class Seeing(Services):
    """The gateway, whose clock stands until it is set."""

    app: App
    now: datetime = NOW
    wakes: list[None] = field(default_factory=list)

    def connection(self, name: str = "home") -> Connection:
        link = self.app.links.by_name(name)
        assert link is not None
        return link.connection

    async def shows(self, one: Location, over: str = "home") -> None:
        """A connection brings a location."""
        copy = LocationCopy(one, (), digest_of(one))
        await self.app.gateway.catalogue.put_location(self.connection(over), copy)

    async def prices(self, one: Tariff, over: str = "home") -> None:
        """A connection brings a tariff."""
        await self.app.gateway.catalogue.put_tariff(self.connection(over), one, digest_of(one))

    async def tells(self, report: EvseStatusReport, over: str = "home") -> None:
        """A connection brings a status."""
        await self.app.gateway.catalogue.put_status(self.connection(over), report)

    async def agrees(self, emsp: PartyId | None = MINE, over: str = "home", **terms: object) -> str:
        """Lets an EMSP have the network, or all of them."""
        return await agree(self.app.links, over, emsp=emsp, **terms)  # type: ignore[arg-type]

    async def group(self, id_: str, *evse_ids: str, cpo: PartyId = PARTY) -> None:
        """Writes an EVSE group, or its members anew."""
        keys = [EvseId(one).normal for one in evse_ids]
        async with self.app.links.changing() as tx:
            await tx.execute(
                "INSERT INTO evse_group (id, party, name, evses) VALUES ($1, $2, $1, $3) ON CONFLICT (id) DO UPDATE SET"
                " revision = evse_group.revision + 1, evses = excluded.evses",
                id_,
                cpo.normal,
                len(keys),
            )
            await tx.execute("DELETE FROM evse_group_member WHERE group_id = $1", id_)
            await tx.execute(
                "INSERT INTO evse_group_member SELECT $1, * FROM unnest($2::text[], $3::text[])",
                id_,
                keys,
                list(evse_ids),
            )

    async def search(self, *emsps: PartyId, limit: int = 3, **wanted: object) -> list[Entry]:
        """All entries that a search finds for EMSPs, page by page; every page but the last is full."""
        found: list[Entry] = []
        after = None
        while True:
            page = await self.app.services.catalogue.search(
                EntryFilter(**wanted),  # type: ignore[arg-type]
                after,
                limit,
                frozenset(emsps) or None,
            )
            found += page.items
            after = page.next
            if after is None:
                return found
            assert len(page.items) == limit, "a page is cut from what is seen"

    async def keys(self, *emsps: PartyId, **wanted: object) -> list[str]:
        """The keys of these entries, in order of themselves."""
        return sorted(entry.evse_key for entry in await self.search(*emsps, **wanted))

    async def listed(self, emsp: PartyId | None, connection: str | None = None, limit: int = 2) -> list[Location]:
        """All locations, page by page."""
        found: list[Location] = []
        after = None
        while True:
            emsps = frozenset({emsp}) if emsp is not None else None
            page = await self.app.services.catalogue.locations(connection, None, after, limit, emsps)
            found += page.items
            after = page.next
            if after is None:
                return found

    async def tariffs(self, emsp: PartyId | None) -> list[Tariff]:
        """All tariffs."""
        emsps = frozenset({emsp}) if emsp is not None else None
        return (await self.app.services.catalogue.tariffs(None, None, None, 100, emsps)).items

    async def cursor(self) -> str:
        """Where the feed stands."""
        return (await self.app.services.catalogue.changes(None, 10, 0)).next

    async def followed(self, after: str, *emsps: PartyId, limit: int = 100) -> list[Change]:
        """All changes after a cursor."""
        found: list[Change] = []
        while True:
            page = await self.app.services.catalogue.changes(after, limit, 0, frozenset(emsps) or None)
            found += page.changes
            after = page.next
            if not page.changes:
                return found

    async def everything(self, emsp: PartyId, keys: Iterable[str], since: str) -> set[str]:
        """The keys of all EVSEs that an EMSP is shown in any way."""
        around = Around(52.1, 5.1, 400_000)
        shown = {entry.evse_key for entry in await self.search(emsp)}
        shown |= {entry.evse_key for entry in await self.search(emsp, near=around)}
        for key in keys:
            try:
                shown.add((await self.app.services.catalogue.entry(key, frozenset({emsp}))).evse_key)
            except NotFound:
                continue
        for connection in (None, "home", "gireve"):
            for one in await self.listed(emsp, connection):
                shown |= {evse.evse_id.normal for evse in one.evses if evse.evse_id is not None}
        return shown | {change.evse_key for change in await self.followed(since, emsp)}

    def syncing(self, claim: timedelta = CLAIM) -> Syncing:
        """A replica that tells what begins or ends; it is not started."""
        agreements = Agreements(self.app.store, self.app.links, lambda: self.now)
        told = audiences(self.app.store, self.app.links, lambda: self.now)
        wake = lambda: self.wakes.append(None)  # noqa: E731 - what it says
        return Syncing(self.app.store, self.app.links, agreements, told, lambda: self.now, lambda: None, wake, claim)


@asynccontextmanager
async def seeing(database_url: str) -> AsyncIterator[Seeing]:
    """A gateway that dispatches nothing, with live connections to the own network and to Gireve."""
    made: Seeing | None = None
    settings = Settings(database_url=database_url, secret_key=KEY)
    async with assembled(settings, lambda: made.now if made is not None else NOW) as app:
        made = Seeing(app)
        await app.links.refresh()
        await made.connect("home", {})
        await made.connect("gireve", NOWHERE["gireve"])
        yield made
