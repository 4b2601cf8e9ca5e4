"""Searching partners' stations, and reading them page by page."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic_core import from_json

from gateway.agreements.sight import Sight
from gateway.services.catalogue import cells, listing
from gateway.services.catalogue.changes import Changes, Reader
from gateway.services.catalogue.entries import SQL, Bodies, by_key, entries
from gateway.services.catalogue.opening import is_open
from gateway.services.catalogue.ranking import Ranking
from gateway.services.catalogue.statement import Statement, by_distance, in_order
from gateway.services.cursors import LAST, as_number, decode, encode, number_of
from gateway.services.ports import BadCursor, NotFound, Page, Parties
from gateway.services.ports.catalogue import Around, Box, ChangePage, Entry, EntryFilter, Ways
from gateway.services.storing import columns
from gateway.services.visibility.sights import Sights
from gateway.store.pool import Record, Store
from gateway.store.trusting import read
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import Location
from mappings.canonical.tariffs import Tariff

_EVERYWHERE: Final = [(0, (1 << 2 * cells.BITS) - 1)]

_FIRST_RING: Final = 250.0
"""Metres around a point that are looked at first; in a city that is a page already."""
_WIDER: Final = 4.0

_ROUNDS: Final = 10
"""How often candidates are fetched whose opening times have to be read, before a page is given that is not full."""

_METRES: Final = 111_195.0
"""Of a degree of latitude."""

_Position = tuple[float, int]


class Search:
    """Implements `ports.catalogue.CatalogueSearch`.

    Args:
        sights: What callers see who look after some EMSPs alone.
        now: Gives the present, aware.
    """

    def __init__(
        self, store: Store, changes: Changes, ranking: Ranking, sights: Sights, now: Callable[[], datetime]
    ) -> None:
        self._store = store
        self._sights = sights
        self._changes = changes
        self._ranking = ranking
        self._now = now

    async def search(self, wanted: EntryFilter, after: str | None, limit: int, emsps: Parties = None) -> Page[Entry]:
        """See `ports.catalogue.CatalogueSearch.search`."""
        sight = await self._sights.of(emsps)
        position = _position(after, near=wanted.near is not None)
        found: list[Record] = []
        bodies = Bodies()
        now = self._now()
        for _ in range(_ROUNDS):
            asked = limit - len(found)
            if wanted.near is not None:
                rows = await self._near(wanted, wanted.near, position or (-1.0, 0), asked, sight)
            else:
                rows = await self._in_order(wanted, position or (-1, 0), asked, sight)
            found += [row for row in rows if not wanted.opening_now or is_open(bodies.of(row), now)]
            if rows:
                position = (rows[-1]["cell" if wanted.near is None else "distance"], rows[-1]["no"])
            if len(rows) < asked:
                return Page(await entries(self._store, found, bodies, sight))
            if len(found) == limit:
                break
        next_ = encode(repr(position[0]), str(position[1])) if position is not None else None
        return Page(await entries(self._store, found, bodies, sight), next_)

    async def _in_order(self, wanted: EntryFilter, after: _Position, limit: int, sight: Sight | None) -> list[Record]:
        ranges = _EVERYWHERE if wanted.box is None else cells.ranges(wanted.box)
        return await self._fetch(in_order(wanted, ranges, (int(after[0]), after[1]), limit, sight))

    async def _near(
        self, wanted: EntryFilter, near: Around, after: _Position, limit: int, sight: Sight | None
    ) -> list[Record]:
        """Looks at rings that grow until one holds a page: whatever lies beyond it is farther than all of that."""
        radius = min(max(_FIRST_RING, 2 * after[0]), near.radius)
        while True:
            ring = near._replace(radius=radius)
            rows = await self._fetch(by_distance(wanted, ring, cells.ranges(_around(ring)), after, limit, sight))
            if len(rows) >= limit or radius >= near.radius:
                return rows
            radius = min(radius * _WIDER, near.radius)

    async def _fetch(self, statement: Statement | None) -> list[Record]:
        if statement is None:
            return []
        if not statement.own_plan:
            return await self._store.fetch(statement.sql, *statement.arguments)
        async with self._store.transaction() as tx:
            # How many places a word names is all that decides where to begin.
            await tx.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            return await tx.fetch(statement.sql, *statement.arguments)

    async def entry(self, evse_key: str, emsps: Parties = None) -> Entry:
        """See `ports.catalogue.CatalogueSearch.entry`."""
        sight = await self._sights.of(emsps)
        found = await by_key(self._store, list({evse_key, EvseId(evse_key).normal}), sight)
        if not found:
            raise NotFound(f"There is no EVSE {evse_key} in the catalogue")
        return next(iter(found.values()))

    async def locations(
        self, connection: str | None, party: PartyId | None, after: str | None, limit: int, emsps: Parties = None
    ) -> Page[Location]:
        """See `ports.catalogue.CatalogueSearch.locations`."""
        start, who = number_of(after, 0), party.normal if party is not None else None
        sight = await self._sights.of(emsps)
        if sight is not None and sight.is_limited:
            seen = listing.locations(sight, connection, who, start, limit)
            rows = await self._store.fetch(seen.sql, *seen.arguments)
        elif connection is None:
            rows = await self._store.fetch(SQL["locations"], who, start, limit)
        else:
            rows = await self._store.fetch(SQL["locations_of_connection"], connection, who, start, limit)
        return Page([_location(row) for row in rows], _next(rows, limit))

    async def tariffs(
        self, connection: str | None, party: PartyId | None, after: str | None, limit: int, emsps: Parties = None
    ) -> Page[Tariff]:
        """See `ports.catalogue.CatalogueSearch.tariffs`."""
        who = party.normal if party is not None else None
        sight = await self._sights.of(emsps)
        wanted = connection, who, number_of(after, 0), limit
        if sight is None:
            rows = await self._store.fetch(SQL["tariffs"], *wanted)
        else:
            targets = sorted(emsp.normal for emsp in sight.emsps)
            rows = await self._store.fetch(SQL["seen_tariffs"], *wanted, targets, *columns(sight.hidden, 2))
        return Page([Tariff.model_validate_json(row["body"]) for row in rows], _next(rows, limit))

    async def changes(self, after: str | None, limit: int, wait: float, emsps: Parties = None) -> ChangePage:
        """See `ports.catalogue.CatalogueSearch.changes`."""
        if emsps is None:
            return await self._changes.read(after, limit, wait)
        reader = Reader(emsps, lambda: self._sights.of(emsps, newest=True))
        return await self._changes.read(after, limit, wait, reader)

    async def ways(self) -> Ways:
        """See `ports.catalogue.CatalogueSearch.ways`."""
        return await self._ranking.ways()

    async def order(self, connections: Sequence[str], who: str) -> Ways:
        """See `ports.catalogue.CatalogueSearch.order`."""
        return await self._ranking.order(connections, who)

    def end(self) -> None:
        """See `ports.catalogue.CatalogueSearch.end`."""
        self._changes.end()


def _location(row: Record) -> Location:
    """Gives a location with those of its EVSEs that the row names, and their statuses."""
    values = from_json(row["body"])
    told = {}
    if row["uids"] is not None:
        told = dict(zip(row["uids"], zip(row["statuses"], row["status_ats"], strict=True), strict=True))
    shown = [evse for evse in values.get("evses", ()) if evse["uid"] in told]
    for evse in shown:
        evse["status"], at = told[evse["uid"]]
        if at is not None:
            _raise(evse, at)
            _raise(values, at)
    return read(Location, values | {"evses": shown})


def _raise(values: dict[str, Any], at: datetime) -> None:
    """Lets something have changed at a moment, unless it did later."""
    if at > datetime.fromisoformat(values["last_updated"]):
        values["last_updated"] = at.isoformat()


def _next(rows: list[Record], limit: int) -> str | None:
    return encode(str(rows[-1]["no"])) if len(rows) == limit else None


def _position(cursor: str | None, *, near: bool) -> _Position | None:
    """Reads where the page before ended: (cell, number), or (metres, number)."""
    if cursor is None:
        return None
    key = decode(cursor, 2)
    no = as_number(key[1], LAST) if key is not None else None
    if key is None or no is None:
        raise BadCursor
    if not near:
        cell = as_number(key[0], LAST)
        if cell is None:
            raise BadCursor
        return cell, no
    try:
        metres = float(key[0])
    except ValueError:
        raise BadCursor from None
    if not math.isfinite(metres) or metres < 0:
        raise BadCursor
    return metres, no


def _around(near: Around) -> Box:
    """Gives a box that holds a circle."""
    high = near.radius / _METRES * 1.001
    south, north = near.latitude - high, near.latitude + high
    widest = max(abs(south), abs(north))
    wide = 180.0 if widest >= 90 else min(180.0, high / math.cos(math.radians(widest)))
    if wide >= 180:
        return Box(-180.0, max(south, -90.0), 180.0, min(north, 90.0))
    west, east = near.longitude - wide, near.longitude + wide
    return Box(
        west + 360 if west < -180 else west, max(south, -90.0), east - 360 if east > 180 else east, min(north, 90)
    )
