"""Partners' stations: written as hubs push them and as they are pulled from hubs."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from adapters.core.connection import Connection
from adapters.core.inbound import LocationCopy
from adapters.core.roaming import FeedProfile, Record
from gateway.metrics import Metrics
from gateway.services.catalogue.feeds import Feeds
from gateway.services.catalogue.ingesting import Ingested, Kept
from gateway.services.catalogue.reporting import Report, write_reports
from gateway.services.catalogue.rows import Copy, mended
from gateway.services.catalogue.tariffs import TariffCopy, write_tariffs
from gateway.services.catalogue.writing import SQL, Write, withdraw_locations, write_locations
from gateway.services.links import Links
from gateway.services.stamps import not_ahead
from gateway.store.batching import Batches
from gateway.store.growth import Growth
from gateway.store.objects import overlay
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus, EvseStatusReport, Location
from mappings.canonical.parties import ClientInfo
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue

_MOST_EVSES: Final = 1_000
"""EVSEs in a transaction, since each is a row to lock; a location that has more stands alone."""
_MOST_REPORTS: Final = 1_000


class _Put(NamedTuple):
    connection: Connection
    copy: Copy


class _Told(NamedTuple):
    connection: Connection
    report: Report


class _Priced(NamedTuple):
    connection: Connection
    copy: TariffCopy


class Catalogue:
    """Implements `adapters.core.inbound.Catalogue`, and writes what is pulled.

    Args:
        clock: Gives the present, aware.
        changed: Called after a commit by which entries may have changed.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        metrics: Metrics,
        clock: Callable[[], datetime],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._links = links
        self._metrics = metrics
        self._clock = clock
        self._changed = changed
        self._growth = Growth(store)
        self._feeds = Feeds(store, self._growth, clock, self._noticed)
        self._locations: Batches[_Put, Write] = Batches(
            self._write_locations,
            _MOST_EVSES,
            size=lambda put: 1 + len(put.copy.location.evses),
            kind=lambda put: put.connection.id,
        )
        self._reports: Batches[_Told, bool] = Batches(
            self._write_reports, _MOST_REPORTS, kind=lambda told: told.connection.id
        )
        self._tariffs: Batches[_Priced, bool] = Batches(self._write_tariffs, kind=lambda priced: priced.connection.id)

    async def put_location(self, connection: Connection, copy: LocationCopy) -> bool:
        """See `inbound.Catalogue.put_location`."""
        made = Copy(copy.location, copy.issues, copy.digest, copy.statuses)
        made, issues = mended(made, self._clock())
        self._notice(connection, issues)
        return await self._locations.put(_Put(connection, made)) is Write.NEW

    async def location(self, connection: Connection, party: PartyId, location_id: str) -> Location | None:
        """See `inbound.Catalogue.location`. A withdrawn one has every EVSE REMOVED."""
        row = await self._store.fetchrow(SQL["location"], connection.id, party.normal, location_id)
        if row is None:
            return None
        location = Location.model_validate_json(row["body"])
        told = {evse.uid: evse.last_updated for evse in location.evses}
        return overlay(
            location,
            {
                uid: (EvseStatus(status), at or told.get(uid, location.last_updated))
                for uid, status, at in zip(row["uids"], row["statuses"], row["status_ats"], strict=True)
                if uid is not None
            },
        )

    async def put_status(self, connection: Connection, report: EvseStatusReport) -> bool:
        """See `inbound.Catalogue.put_status`."""
        arrived = self._clock()
        at, issue = not_ahead(report.at or arrived, arrived, "at")
        if issue is not None:
            self._notice(connection, [issue])
        return await self._reports.put(_Told(connection, Report.of(report, at)))

    async def withdraw_location(self, connection: Connection, party: PartyId, location_id: str) -> bool:
        """See `inbound.Catalogue.withdraw_location`; False also where it is gone already."""
        no = await self._store.fetchval(SQL["location_no"], connection.id, party.normal, location_id)
        if no is None:
            return False
        gone = await withdraw_locations(self._store, [no], [None])
        self._changed()
        return gone > 0

    async def put_tariff(self, connection: Connection, tariff: Tariff, digest: bytes) -> bool:
        """See `inbound.Catalogue.put_tariff`."""
        return await self._tariffs.put(_Priced(connection, TariffCopy(tariff, (), digest)))

    async def tariff(
        self, connection: Connection, party: PartyId, tariff_id: str, target: PartyId | None = None
    ) -> Tariff | None:
        """See `inbound.Catalogue.tariff`; None also where it was withdrawn."""
        wanted = target.normal if target is not None else ""
        body = await self._store.fetchval(SQL["tariff"], connection.id, party.normal, tariff_id, wanted)
        return Tariff.model_validate_json(body) if body is not None else None

    async def withdraw_tariff(
        self, connection: Connection, party: PartyId, tariff_id: str, variant: str | None = None
    ) -> bool:
        """See `inbound.Catalogue.withdraw_tariff`."""
        if variant is not None:
            rows = await self._store.fetch(SQL["stored_tariffs"], connection.id, [party.normal], [tariff_id], [variant])
            numbers = [row["no"] for row in rows]
            return await self._store.execute(SQL["withdraw_tariffs"], numbers, [None] * len(numbers), None) > 0
        return await self._store.execute(SQL["withdraw_tariff"], connection.id, party.normal, tariff_id) > 0

    async def put_party(self, connection: Connection, info: ClientInfo) -> None:
        """See `inbound.Catalogue.put_party`. What is older than what is stored changes nothing."""
        await self._feeds.write_clients(connection, [info])

    async def ingest(self, connection: Connection, feed: FeedProfile, records: Sequence[Record]) -> Ingested:
        """Writes a page that was pulled; see `Feeds.ingest`."""
        ingested = await self._feeds.ingest(connection, feed, records)
        self._changed()
        for outcome, count in ingested.counts().items():
            if count:
                self._metrics.catalogued(connection.hub, connection.name, feed.name, outcome, count)
        return ingested

    async def prune(self, connection: Connection, feed: FeedProfile, kept: Kept) -> int:
        """Withdraws what a full pull did not name; see `Feeds.prune`."""
        gone = await self._feeds.prune(connection, feed, kept)
        self._changed()
        return gone

    async def close(self) -> None:
        """Waits for what was accepted."""
        for batches in (self._locations, self._reports, self._tariffs):
            await batches.close()

    async def _write_locations(self, batch: Sequence[_Put]) -> list[Write]:
        written = await write_locations(self._store, batch[0].connection.id, [put.copy for put in batch], self._clock())
        self._changed()
        await self._growth.note(
            catalogue_location=len(batch), catalogue_evse=sum(len(put.copy.location.evses) for put in batch)
        )
        return written.outcomes

    async def _write_reports(self, batch: Sequence[_Told]) -> list[bool]:
        outcomes = await write_reports(self._store, batch[0].connection.id, [told.report for told in batch])
        self._changed()
        return [outcome is not None for outcome in outcomes]

    async def _write_tariffs(self, batch: Sequence[_Priced]) -> list[bool]:
        written = await write_tariffs(
            self._store, batch[0].connection.id, [priced.copy for priced in batch], self._clock()
        )
        return [write is Write.NEW for write in written.outcomes]

    def _notice(self, connection: Connection, issues: Sequence[Issue]) -> None:
        for issue in issues:
            self._noticed(connection, issue, 1)

    def _noticed(self, connection: Connection, issue: Issue, count: int) -> None:
        """Counts an issue of a hub's object under the protocol that the hub speaks."""
        link = self._links.get(connection.id)
        self._metrics.issue(link.adapter.profile.protocol if link is not None else "canonical", issue, count)
