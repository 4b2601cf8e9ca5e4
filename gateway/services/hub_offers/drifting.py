"""Where a hub disagrees with the record here about who may charge, and at what price: noted, counted and shown."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import asyncpg
import structlog
from pydantic import JsonValue

from adapters.core.connection import Connection
from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.cursors import LAST, encode, number_of
from gateway.services.links import SQL as CONNECTIONS
from gateway.services.links import Links
from gateway.services.ports import NotFound, Page
from gateway.services.ports.offers import Drift, DriftKind
from gateway.store.pool import Record, Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.ids import PartyId

SQL = Queries("gateway.services.hub_offers", "drifting.sql")

READ: Final = (DriftKind.FIELD, DriftKind.ONLY_HERE, DriftKind.ONLY_THERE)
"""What is found by reading back, so that the next reading settles it."""

_GATHER: Final = 1.0
"""Seconds for which what is noted is gathered: a hub without contracts says no a hundred times a second."""

_MOST: Final = 10_000
"""Different disagreements that are gathered at once; whoever invents more of them is not believed."""

_log = structlog.get_logger(__name__)


class Measures(Protocol):
    """Where disagreements are counted."""

    def drift(self, hub: str, connection: str, kind: str) -> None:
        """Counts one."""


class _Key(NamedTuple):
    connection_id: int
    kind: DriftKind
    subject: str
    field: str


@dataclass(frozen=True, slots=True)
class Found:
    """A disagreement.

    Attributes:
        subject, field: As in `ports.offers.Drift`.
        parties: Whom it is about; those that are ours are told of it.
    """

    kind: DriftKind
    subject: str
    field: str = ""
    ours: JsonValue = None
    theirs: JsonValue = None
    parties: tuple[PartyId, ...] = ()


class Drifting:
    """Implements `ports.offers.Drifts` and `gateway.agreements.disagreeing.Witness`.

    What is noted while somebody waits at a station is gathered, and written a moment later by a transaction of its own:
    whatever becomes of that fails nobody, and a process that is killed forgets a second of it.

    Args:
        noted: Called when events were written.
    """

    def __init__(self, store: Store, links: Links, measures: Measures, noted: Callable[[], None]) -> None:
        self._store = store
        self._links = links
        self._measures = measures
        self._noted = noted
        self._gathered: dict[_Key, tuple[Found, int]] = {}
        self._woken = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Starts writing what is noted."""
        self._stopping = False
        self._writer = asyncio.get_running_loop().create_task(self._write_on())

    async def stop(self) -> None:
        """Writes what was noted, and stops."""
        self._stopping = True
        self._woken.set()
        if self._writer is not None:
            await self._writer
        self._writer = None

    # Noting

    def said_yes(self, connection: Connection, cpo: PartyId, emsp: PartyId | None, ours: str) -> None:
        """See `Witness.said_yes`."""
        self._measures.drift(connection.hub, connection.name, DriftKind.HUB_SAID_YES)
        parties = (cpo,) if emsp is None else (cpo, emsp)
        self.note(connection.id, DriftKind.HUB_SAID_YES, _pair(cpo, emsp), "", str(ours), "yes", parties=parties)

    def said_no(self, connection: Connection, cpo: PartyId, emsp: PartyId | None, theirs: str) -> None:
        """See `Witness.said_no`."""
        self._measures.drift(connection.hub, connection.name, DriftKind.HUB_SAID_NO)
        parties = (cpo,) if emsp is None else (cpo, emsp)
        self.note(connection.id, DriftKind.HUB_SAID_NO, _pair(cpo, emsp), "", "yes", theirs, parties=parties)

    def note(
        self,
        connection_id: int,
        kind: DriftKind,
        subject: str,
        field: str = "",
        ours: JsonValue = None,
        theirs: JsonValue = None,
        *,
        parties: tuple[PartyId, ...] = (),
    ) -> None:
        """Notes a disagreement, to be written soon. Returns at once and raises nothing; the same once more is counted.

        Args:
            subject, field: As in `ports.offers.Drift`.
            parties: Whom it is about; those that are ours are told of it.
        """
        key = _Key(connection_id, kind, subject, field)
        _, times = self._gathered.get(key, (None, 0))
        if times or len(self._gathered) < _MOST:
            self._gathered[key] = Found(kind, subject, field, ours, theirs, parties), times + 1
            self._woken.set()

    async def flush(self) -> None:
        """Writes what was noted up to now."""
        gathered, self._gathered = self._gathered, {}
        if not gathered:
            return
        try:
            async for attempt in self._store.attempts():
                with attempt:
                    async with self._store.transaction() as tx:
                        await self._insert(tx, [(key.connection_id, *one) for key, one in gathered.items()])
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            for key, (found, times) in gathered.items():
                again, more = self._gathered.get(key, (found, 0))
                self._gathered[key] = again, times + more
            _log.warning("disagreements are not noted yet", error=str(error))
            return
        self._noted()

    async def _write_on(self) -> None:
        while not self._stopping:
            await self._woken.wait()
            self._woken.clear()
            if not self._stopping:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_GATHER):
                        while not self._stopping:
                            await self._woken.wait()
                            self._woken.clear()
            try:
                await self.flush()
            except Exception:  # noqa: BLE001 - whatever it was, the next may be written
                _log.exception("disagreements are lost")
            if self._gathered and not self._stopping:  # the store is away
                await asyncio.sleep(_GATHER)
                self._woken.set()

    # What is read back

    async def compared(self, tx: Transaction, connection: Connection, subject: str, found: Sequence[Found]) -> None:
        """Writes in what a subject disagrees, and takes away in what it does not any more.

        Args:
            found: All that was found by reading it back.
        """
        for kind in READ:
            fields = [one.field for one in found if one.kind is kind]
            await tx.execute(SQL["agree"], connection.id, subject, [kind.value], fields)
        new = await self._insert(tx, [(connection.id, one, 1) for one in found])
        for kind in new:
            self._measures.drift(connection.hub, connection.name, kind)

    async def _insert(self, tx: Transaction, noted: Iterable[tuple[int, Found, int]]) -> list[DriftKind]:
        """Writes disagreements, with an event for each that is new; gives the kinds of these."""
        rows = list(noted)
        if not rows:
            return []
        parties = {(number, one.kind, one.subject, one.field): one.parties for number, one, _ in rows}
        written = await tx.fetch(
            SQL["note"],
            [number for number, *_ in rows],
            [one.kind.value for _, one, _ in rows],
            [one.subject for _, one, _ in rows],
            [one.field for _, one, _ in rows],
            [json.dumps(one.ours) for _, one, _ in rows],
            [json.dumps(one.theirs) for _, one, _ in rows],
            [times for *_, times in rows],
        )
        new = [row for row in written if row["new"]]
        named = {party.normal for each in parties.values() for party in each}
        ours = {row["id"] for row in await tx.fetch(SQL["parties"], sorted(named))} if new and named else set()
        events: list[Event] = []
        for row in new:
            of = parties[row["connection_id"], DriftKind(row["kind"]), row["subject"], row["field"]]
            told = dict.fromkeys(party.normal for party in of if party.normal in ours)
            events += [self._event(row, party) for party in told]
        await append_events(tx, *events)
        return [DriftKind(row["kind"]) for row in new]

    def _event(self, row: Record, party: str) -> Event:
        link = self._links.get(row["connection_id"])
        data: dict[str, JsonValue] = {
            "connection": link.connection.name if link is not None else None,
            "kind": row["kind"],
            "subject": row["subject"],
            "field": row["field"],
            "ours": json.loads(row["ours"]),
            "theirs": json.loads(row["theirs"]),
        }
        return Event(EventType.OFFER_DRIFT, PartyId(party), f"offer-drifts/{row['subject']}", data)

    # Showing

    async def list(self, connection: str | None, after: str | None, limit: int) -> Page[Drift]:
        """See `ports.offers.Drifts.list`."""
        if connection is not None and not await self._store.fetchval(SQL["connection_exists"], connection):
            raise NotFound(f"there is no connection {connection}", "connection")
        rows = await self._store.fetch(SQL["list"], connection, number_of(after, LAST), limit)
        return Page([_drift(row) for row in rows], encode(str(rows[-1]["no"])) if len(rows) == limit else None)

    async def settle(self, connection: str, kind: DriftKind, subject: str, field: str, who: str) -> None:
        """See `ports.offers.Drifts.settle`."""
        async with self._store.transaction() as tx:
            if not await tx.fetchval(SQL["settle"], connection, kind.value, subject, field):
                raise NotFound(f"{connection} does not disagree so about {subject}")
            detail = {"connection": connection, "kind": kind.value, "field": field}
            await tx.execute(CONNECTIONS["audit"], who, "settled", f"offer-drift/{subject}", json.dumps(detail))


def _pair(cpo: PartyId, emsp: PartyId | None) -> str:
    return f"{cpo.normal}/{emsp.normal if emsp is not None else '?'}"


def _drift(row: Record) -> Drift:
    return Drift(
        connection=row["connection"],
        kind=DriftKind(row["kind"]),
        subject=row["subject"],
        field=row["field"],
        ours=json.loads(row["ours"]),
        theirs=json.loads(row["theirs"]),
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
        times=row["times"],
    )
