"""Pages of feeds on their way in: what is known is not read again, and what cannot be read spoils nothing else."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import asyncpg

from adapters.core.connection import Connection
from adapters.core.roaming import FeedKind, FeedProfile, Record
from gateway.services.catalogue.ingesting import Ingested, Kept
from gateway.services.catalogue.reporting import Report, write_reports
from gateway.services.catalogue.rows import Copy, mended
from gateway.services.catalogue.tariffs import TariffCopy, write_tariffs
from gateway.services.catalogue.writing import SQL, Write, Written, withdraw_locations, write_locations
from gateway.services.stamps import not_ahead
from gateway.services.storing import columns
from gateway.store.growth import Growth
from gateway.store.pool import Record as Row
from gateway.store.pool import Store
from mappings.canonical.locations import EvseStatusReport, Location
from mappings.canonical.parties import ClientInfo
from mappings.canonical.tariffs import EvsePrices, Tariff
from mappings.report import Issue, IssueKind, Refused

T = TypeVar("T")

_TOGETHER: Final = 500
"""Records that are written in one transaction."""

_BREATH: Final = 20
"""Records that are read before others get their turn in the event loop: some milliseconds."""

Noticed = Callable[[Connection, Issue, int], None]
"""Told of an issue, and how often it was met."""


class Feeds:
    """Writes what is pulled.

    Args:
        noticed: Told of every issue of a record that was read.
    """

    def __init__(self, store: Store, growth: Growth, clock: Callable[[], datetime], noticed: Noticed) -> None:
        self._store = store
        self._growth = growth
        self._clock = clock
        self._noticed = noticed
        self._kinds: Mapping[FeedKind, Callable[[Connection, FeedProfile, list[Record]], Awaitable[Ingested]]] = {
            FeedKind.LOCATIONS: self._locations,
            FeedKind.STATUSES: self._statuses,
            FeedKind.TARIFFS: self._tariffs,
            FeedKind.PRICES: self._prices,
            FeedKind.PARTIES: self._parties,
        }

    async def ingest(self, connection: Connection, feed: FeedProfile, records: Sequence[Record]) -> Ingested:
        """Writes a page.

        Only records whose digest differs from what is stored are read. What is older than what is stored, be it pulled
        or pushed, changes nothing; so of several with one key the newest counts, of equal stamps the last.

        Raises:
            ValueError: The feed is of CDRs, which are no part of the catalogue.
        """
        work = self._kinds.get(feed.kind)
        if work is None:
            raise ValueError(f"{feed.name}: {feed.kind} are not kept in the catalogue")
        # What a page says of one key a second time comes after all that it says for the first time.
        layers: list[list[Record]] = []
        met: dict[tuple[str, ...], int] = {}
        for record in records:
            key = _caseless(record.key)
            layer = met[key] = met.get(key, -1) + 1
            if layer == len(layers):
                layers.append([])
            layers[layer].append(record)
        made = Ingested()
        for each in layers:
            made.add(await work(connection, feed, each))
        return made

    async def prune(self, connection: Connection, feed: FeedProfile, kept: Kept) -> int:
        """Withdraws what a full pull did not name and nobody pushed since it began; tells how much it was.

        In batches, each a transaction of its own. Statuses are not withdrawn, and neither are the parties behind a hub.
        """
        work = {
            FeedKind.LOCATIONS: ("location_nos_after", self._withdraw_locations),
            FeedKind.TARIFFS: ("tariff_nos_after", self._withdraw_tariffs),
            FeedKind.PRICES: ("priced_nos_after", self._clear_prices),
        }.get(feed.kind)
        if work is None:
            return 0
        statement, withdraw = work
        last, gone = 0, 0
        while True:
            since = () if feed.kind is FeedKind.PRICES else (kept.since,)
            rows = await self._store.fetch(SQL[statement], connection.id, *since, last, 10 * _TOGETHER)
            if not rows:
                return gone
            last = rows[-1]["no"]
            missing = kept.missing(row["no"] for row in rows)
            for start in range(0, len(missing), _TOGETHER):
                gone += await withdraw(missing[start : start + _TOGETHER], kept)

    async def write_clients(self, connection: Connection, infos: Iterable[ClientInfo]) -> list[Row]:
        """Writes what a hub says of other parties; gives the rows that changed."""
        latest = {(info.party.normal, info.role.value): info for info in infos}
        return await self._store.fetch(
            SQL["write_clients"],
            connection.id,
            *columns(latest, 2),
            [info.status.value for info in latest.values()],
            [info.last_updated for info in latest.values()],
        )

    async def _locations(self, connection: Connection, feed: FeedProfile, records: list[Record]) -> Ingested:
        page = _Page(connection, self._noticed)
        stored = await self._stored("stored_locations", connection, records)
        arrived = self._clock()
        withdrawn: dict[int, datetime | None] = {}

        def copy(record: Record) -> Copy | None:
            row = stored.get(_caseless(record.key))
            location: Location | None = page.read(record)
            if record.gone and row is not None:
                at = None if location is None else not_ahead(location.last_updated, arrived, "last_updated")[0]
                withdrawn[row["no"]] = at
                return None
            if location is None:
                return None
            # What goes before it was ever told is kept, too: an older record of it may still come.
            gone_at = location.last_updated if record.gone else None
            made, issues = mended(
                Copy(location, page.issues_of(record), record.digest, feed.statuses, gone_at), arrived
            )
            page.notice(issues)
            return made

        async def write(copies: Sequence[Copy]) -> None:
            written = await write_locations(self._store, connection.id, copies)
            page.count(written, [copy.withdrawn_at is not None for copy in copies])
            await self._growth.note(
                catalogue_location=len(copies), catalogue_evse=sum(len(copy.location.evses) for copy in copies)
            )

        await _piped(page, page.differing(records, stored), copy, write, lambda one: 1 + len(one.location.evses))
        if withdrawn:
            gone = await withdraw_locations(self._store, list(withdrawn), list(withdrawn.values()))
            page.made.gone += gone
            page.made.same += len(withdrawn) - gone
        return page.close()

    async def _withdraw_locations(self, numbers: Sequence[int], kept: Kept) -> int:
        return await withdraw_locations(self._store, numbers, [None] * len(numbers), kept.since)

    async def _tariffs(self, connection: Connection, feed: FeedProfile, records: list[Record]) -> Ingested:
        del feed
        page = _Page(connection, self._noticed)
        stored = await self._stored("stored_tariffs", connection, records)
        withdrawn: dict[int, datetime | None] = {}

        def copy(record: Record) -> TariffCopy | None:
            row = stored.get(_caseless(record.key))
            tariff: Tariff | None = page.read(record)
            if record.gone and row is not None:
                withdrawn[row["no"]] = None if tariff is None else tariff.last_updated
                return None
            if tariff is None:
                return None
            gone_at = tariff.last_updated if record.gone else None
            return TariffCopy(tariff, page.issues_of(record), record.digest, gone_at)

        async def write(copies: Sequence[TariffCopy]) -> None:
            written = await write_tariffs(self._store, connection.id, copies)
            page.count(written, [copy.withdrawn_at is not None for copy in copies])

        await _piped(page, page.differing(records, stored), copy, write)
        if withdrawn:
            gone = await self._store.execute(SQL["withdraw_tariffs"], list(withdrawn), list(withdrawn.values()), None)
            page.made.gone += gone
            page.made.same += len(withdrawn) - gone
        return page.close()

    async def _withdraw_tariffs(self, numbers: Sequence[int], kept: Kept) -> int:
        return await self._store.execute(SQL["withdraw_tariffs"], numbers, [None] * len(numbers), kept.since)

    async def _statuses(self, connection: Connection, feed: FeedProfile, records: list[Record]) -> Ingested:
        del feed
        page = _Page(connection, self._noticed)
        arrived = self._clock()

        def report(record: Record) -> Report | None:
            given: EvseStatusReport | None = page.read(record)
            if given is None:
                return None
            at, issue = not_ahead(given.at or arrived, arrived, "at")
            page.notice([issue] if issue is not None else [])
            return Report.of(given, at)

        async def write(reports: Sequence[Report]) -> None:
            for differs in await write_reports(self._store, connection.id, reports):
                page.told(differs)

        await _piped(page, records, report, write)
        return page.close()

    async def _prices(self, connection: Connection, feed: FeedProfile, records: list[Record]) -> Ingested:
        del feed
        page = _Page(connection, self._noticed)

        async def write(prices: Sequence[EvsePrices]) -> None:
            keys = [one.evse_id.normal for one in prices]
            rows = await self._store.fetch(
                SQL["write_prices"],
                connection.id,
                keys,
                [json.dumps(one.tariff_ids) for one in prices],
                [one.party.normal for one in prices],
            )
            for row in rows:
                page.told(row["differs"])
                page.made.nos += row["nos"]
            page.made.unknown += len(prices) - len(rows)

        await _piped(page, records, page.read, write)
        return page.close()

    async def _clear_prices(self, numbers: Sequence[int], kept: Kept) -> int:
        del kept
        return int(await self._store.fetchval(SQL["clear_prices"], numbers))

    async def _parties(self, connection: Connection, feed: FeedProfile, records: list[Record]) -> Ingested:
        del feed
        page = _Page(connection, self._noticed)

        async def write(infos: Sequence[ClientInfo]) -> None:
            rows = await self.write_clients(connection, infos)
            new = sum(row["inserted"] for row in rows)
            page.made.new += new
            page.made.changed += len(rows) - new
            page.made.same += len(infos) - len(rows)

        await _piped(page, records, page.read, write)
        return page.close()

    async def _stored(
        self, statement: str, connection: Connection, records: Sequence[Record]
    ) -> dict[tuple[str, ...], Row]:
        """Gives what is stored of records, by key."""
        keys = [record.key for record in records]
        width = 2 if statement == "stored_locations" else 3
        rows = await self._store.fetch(SQL[statement], connection.id, *columns(keys, width))
        return {_caseless(tuple(row.values())[1 : 1 + width]): row for row in rows}


class _Page:
    """What becomes of one page's records."""

    def __init__(self, connection: Connection, noticed: Noticed) -> None:
        self.made = Ingested()
        self._connection = connection
        self._noticed = noticed
        self._issues: dict[tuple[IssueKind, str], tuple[Issue, int]] = {}
        self._of: Sequence[Issue] = ()

    def differing(self, records: Iterable[Record], stored: Mapping[tuple[str, ...], Row]) -> Iterator[Record]:
        """Gives the records of which something else is stored, or nothing; counts the others."""
        for record in records:
            row = stored.get(_caseless(record.key))
            if row is not None and not record.gone:
                self.made.nos.append(row["no"])  # named, whatever becomes of it
            if row is None:
                self.made.unknown += record.gone
                yield record
            elif not record.gone and row["digest"] == record.digest and not row["withdrawn"]:
                # What is gone once more is read all the same: it may have gone later than is stored.
                self.made.same += 1
            else:
                yield record

    def read(self, record: Record) -> Any:
        """Translates a record; None where it is refused, which spoils nothing else."""
        try:
            value, self._of = record.read()
        except Refused as refused:
            if not record.gone:  # of what is gone nothing more is needed
                self.refuse(record, refused)
            return None
        self.notice(self._of)
        return value

    def refuse(self, record: Record, refused: Refused) -> None:
        """Leaves a record out."""
        self.made.refused.append((record.key, refused))
        self.notice(refused.issues)

    def issues_of(self, record: Record) -> Sequence[Issue]:
        """Gives the issues of the record that was just read."""
        del record
        return self._of

    def notice(self, issues: Iterable[Issue]) -> None:
        """Counts issues; thousands of records share theirs."""
        for issue in issues:
            first, count = self._issues.get((issue.kind, issue.field), (issue, 0))
            self._issues[issue.kind, issue.field] = first, count + 1

    def count(self, written: Written, gone: Sequence[bool]) -> None:
        """Counts what was written; what went before it was known is counted already."""
        for write, no, was_gone in zip(written.outcomes, written.nos, gone, strict=True):
            if was_gone:
                continue
            if no is not None:
                self.made.nos.append(no)
            self.made.new += write is Write.NEW
            self.made.changed += write is Write.CHANGED
            self.made.same += write in {Write.SAME, Write.OLDER}

    def told(self, differs: bool | None) -> None:
        """Counts what was told of an EVSE; None where there is none."""
        self.made.unknown += differs is None
        self.made.changed += differs is True
        self.made.same += differs is False

    def close(self) -> Ingested:
        """Tells of the issues, and gives what became of the page."""
        for issue, count in self._issues.values():
            self._noticed(self._connection, issue, count)
        return self.made


def _caseless(key: tuple[str, ...]) -> tuple[str, ...]:
    """Gives a key as it is compared: ids of hubs' objects have no case (OCPI's CiString)."""
    return tuple(part.lower() for part in key)


async def _piped(
    page: _Page,
    records: Iterable[Record],
    read: Callable[[Record], T | None],
    write: Callable[[Sequence[T]], Awaitable[None]],
    size: Callable[[T], int] = lambda _: 1,
) -> None:
    """Reads records and writes what they hold in batches; while the store writes one, the next is read."""
    writing: asyncio.Task[None] | None = None

    async def begin(batch: Sequence[tuple[Record, T]]) -> asyncio.Task[None]:
        if writing is not None:
            await writing
        return asyncio.create_task(_written(page, batch, write))

    try:
        batch: list[tuple[Record, T]] = []
        full = 0
        for n, record in enumerate(records, 1):
            if (value := read(record)) is not None:
                batch.append((record, value))
                full += size(value)
            if n % _BREATH == 0:
                await asyncio.sleep(0)
            if full >= _TOGETHER:
                writing = await begin(batch)
                batch, full = [], 0
        if batch:
            writing = await begin(batch)
    finally:
        if writing is not None:
            await writing


async def _written(
    page: _Page, batch: Sequence[tuple[Record, T]], write: Callable[[Sequence[T]], Awaitable[None]]
) -> None:
    """Writes a batch; where something in it cannot be stored, the others without it."""
    try:
        await write([value for _, value in batch])
    except (asyncpg.DataError, ValueError) as error:
        if len(batch) == 1:
            page.refuse(batch[0][0], Refused("", f"cannot be stored: {type(error).__name__}"))
            return
        for one in batch:
            await _written(page, [one], write)
