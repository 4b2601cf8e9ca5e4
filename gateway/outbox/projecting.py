"""Which projections an object needs, written in the transaction that writes the object."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from adapters.core.adapter import Subject, WireKey
from adapters.core.connection import Connection
from adapters.core.roaming import HubAdapter
from gateway.store.pool import Record, Transaction
from gateway.store.queries import Queries
from mappings.canonical.locations import Location
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Token

SQL = Queries("gateway.outbox", "projections.sql")


@dataclass(frozen=True, slots=True)
class Link:
    """A connection and the adapter that serves it."""

    connection: Connection
    adapter: HubAdapter

    def keys(self, subject: Subject) -> list[WireKey]:
        """Names what this connection's hub should know of an object, within its scope."""
        scope = self.connection.scope
        if isinstance(subject, Tariff | Token):
            return list(self.adapter.keys(subject)) if scope.has_party(subject.party) else []
        seen = scope.narrow(subject)
        return [] if seen is None else list(self.adapter.keys(seen))


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as stored, with what is needed to project it.

    Attributes:
        no: Number of the location, tariff or driver token.
        subject: The object.
        keys: Per connection number, what its hub should know (`Link.keys`).
        evses: Numbers of the location's EVSEs by uid.
        existed: Whether it may have projections already.
    """

    no: int
    subject: Subject
    keys: dict[int, list[WireKey]]
    evses: dict[str, int]
    existed: bool


class _Row(NamedTuple):
    """A row of `projection`, in the order of the statement's parameters."""

    connection_id: int
    key: str
    operation: str
    lane: str
    location_no: int | None
    evse_no: int | None
    tariff_no: int | None
    driver_token_no: int | None
    evse_uid: str | None
    follows_status: bool
    shared: bool
    held: bool


class _Shape(NamedTuple):
    """What a projection keeps when another EVSE takes it over."""

    lane: str
    follows_status: bool
    shared: bool


_Place = tuple[int, str, str]
"""Connection, key, operation."""


async def project(tx: Transaction, links: Sequence[Link], objects: Sequence[Stored], *, changed: bool = True) -> None:
    """Brings the projections of some objects up to date. The rows of their EVSEs were written in this transaction.

    Args:
        links: The connections concerned, all of them or the one that is synchronised anew.
        changed: Whether the objects' content changed, so that what is there already is to be told again.
    """
    held = {
        (link.connection.id, operation.name)
        for link in links
        for operation in link.adapter.profile.operations.values()
        if operation.after is not None
    }
    ours = {link.connection.id for link in links}
    rows: list[_Row] = []
    shared: dict[_Place, _Shape] = {}
    for stored in objects:
        for connection_id in ours & stored.keys.keys():
            for wire in stored.keys[connection_id]:
                if wire.shared:
                    shared[connection_id, wire.key, wire.operation] = _Shape(wire.lane, wire.follows_status, True)
                else:
                    rows.append(_row(stored, connection_id, wire, held=(connection_id, wire.operation) in held))
    if shared:
        await tx.execute(SQL["contest"], list({key for _, key, _ in shared}))
    before = await _before(tx, [stored for stored in objects if stored.existed], ours, shared)
    contested = {place: shape for place, shape in before.items() if shape.shared} | shared
    elected = await _elect(tx, contested, held)
    ours_now = {no for stored in objects for no in stored.evses.values()}
    raced = await _want(tx, rows + [row for row in elected if row.evse_no in ours_now], before, changed=changed)
    raced |= await _want(tx, [row for row in elected if row.evse_no not in ours_now], before, changed=False)
    if raced:
        # Another transaction wrote the key first. It has ended and could not see our EVSE: we see both, and decide.
        await tx.execute(SQL["contest"], list({key for _, key, _ in raced}))
        await _want(tx, await _elect(tx, {place: contested[place] for place in raced}, held), raced, changed=False)
    wanted = {row[:3] for row in (*rows, *elected)}
    await _unwant(tx, [place for place in contested.keys() | before.keys() if place not in wanted])


async def elect(tx: Transaction, keys: Sequence[str], reported: Sequence[int]) -> None:
    """Decides anew who is sent under some shared keys, after reports changed which EVSE is the newest.

    Args:
        reported: Numbers of the EVSEs whose status changed; where one is sent, its status is told again.
    """
    found = await tx.fetch(SQL["lock_shared"], keys)
    contested = {_place(row): _shape(row) for row in found}
    elected = await _elect(tx, contested, frozenset())
    news = {row for row in elected if row.follows_status and row.evse_no in set(reported)}
    await _want(tx, news, contested, changed=True)
    await _want(tx, [row for row in elected if row not in news], contested, changed=False)


def _row(stored: Stored, connection_id: int, wire: WireKey, *, held: bool) -> _Row:
    evse_no = stored.evses[wire.evse_uid] if wire.evse_uid is not None else None
    return _Row(
        connection_id=connection_id,
        key=wire.key,
        operation=wire.operation,
        lane=wire.lane,
        location_no=stored.no if isinstance(stored.subject, Location) else None,
        evse_no=evse_no,
        tariff_no=stored.no if isinstance(stored.subject, Tariff) else None,
        driver_token_no=stored.no if isinstance(stored.subject, Token) else None,
        evse_uid=wire.evse_uid,
        follows_status=wire.follows_status,
        shared=False,
        held=held,
    )


async def _before(
    tx: Transaction, objects: Sequence[Stored], ours: set[int], wanted: Iterable[_Place]
) -> dict[_Place, _Shape]:
    """Finds the projections that spoke of the objects until now, or have a key that is wanted; locks them all.

    Who wins a shared key is looked up only after this: whoever else decides about it has ended or waits for us.
    """
    locations = [stored.no for stored in objects if isinstance(stored.subject, Location)]
    tariffs = [stored.no for stored in objects if isinstance(stored.subject, Tariff)]
    tokens = [stored.no for stored in objects if isinstance(stored.subject, Token)]
    found = await tx.fetch(SQL["lock_places"], sorted(ours), locations, tariffs, tokens, *_columns(wanted, 3))
    return {_place(row): _shape(row) for row in found}


def _place(row: Record) -> _Place:
    return row["connection_id"], row["key"], row["operation"]


def _shape(row: Record) -> _Shape:
    return _Shape(row["lane"], row["follows_status"], row["shared"])


async def _elect(tx: Transaction, contested: Mapping[_Place, _Shape], held: Collection[tuple[int, str]]) -> list[_Row]:
    """Gives a row for each shared key that some EVSE claims, speaking of the one that wins it now."""
    if not contested:
        return []
    found = await tx.fetch(SQL["winners"], list({key for _, key, _ in contested}))
    won = {(row["connection_id"], row["key"]): row for row in found}
    return [
        _Row(
            connection_id=connection_id,
            key=key,
            operation=operation,
            lane=shape.lane,
            location_no=winner["location_no"],
            evse_no=winner["evse_no"],
            tariff_no=None,
            driver_token_no=None,
            evse_uid=winner["evse_uid"],
            follows_status=shape.follows_status,
            shared=True,
            held=(connection_id, operation) in held,
        )
        for (connection_id, key, operation), shape in contested.items()
        if (winner := won.get((connection_id, key))) is not None
    ]


async def _want(tx: Transaction, rows: Collection[_Row], found: Collection[_Place], *, changed: bool) -> set[_Place]:
    """Writes rows; gives the shared ones that were not `found` and that another transaction wrote meanwhile."""
    if not rows:
        return set()
    known = [row[:3] in found for row in rows]
    raced = await tx.fetch(SQL["want"], *_columns(rows, len(_Row._fields)), known, changed)
    return {_place(row) for row in raced}


async def _unwant(tx: Transaction, places: Sequence[_Place]) -> None:
    if places:
        await tx.execute(SQL["unwant"], *_columns(places, 3))


def _columns(rows: Iterable[Sequence[object]], width: int) -> list[list[object]]:
    """Turns rows into columns; `width` empty ones if there are no rows."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
