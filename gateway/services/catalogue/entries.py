"""Entries of the catalogue from rows of the store, without reading what nobody asked for."""

from collections.abc import Sequence
from datetime import MINYEAR, datetime
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from gateway.agreements.sight import Sight
from gateway.services.ports.catalogue import Entry, Way, WayAgreement
from gateway.store.pool import Record, Store
from gateway.store.queries import Queries
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus

SQL: Final = Queries("gateway.services.catalogue", "search.sql")


class Bodies:
    """The locations of some rows, each read once."""

    def __init__(self) -> None:
        self._read: dict[tuple[str, str, str], dict[str, Any]] = {}

    def of(self, row: Record) -> dict[str, Any]:
        """Gives the location as JSON."""
        place = (row["connection"], row["party"], row["location_id"])
        found = self._read.get(place)
        if found is None:
            found = self._read[place] = from_json(row["body"])
        return found


async def entries(
    store: Store, rows: Sequence[Record], bodies: Bodies | None = None, sight: Sight | None = None
) -> list[Entry]:
    """Gives the entries of rows that `statement` or the query `entries` found, in their order.

    Args:
        sight: What is seen; None for everything. An entry to which no way is seen is not given; where the way that
            speaks for it is not seen, the first one that is speaks.
    """
    read = bodies or Bodies()
    several: dict[str, list[Record]] = {}
    if shared := [row["evse_key"] for row in rows if row["shared"]]:
        for row in await store.fetch(SQL["ways"], shared):
            several.setdefault(row["evse_key"], []).append(row)
    if sight is None:
        return [
            _entry(row, row["uid"], row["power"], read.of(row), _ways(several.get(row["evse_key"]) or [row], None))
            for row in rows
        ]
    seen = [_Seen.of(row, several.get(row["evse_key"]) or [row], sight) for row in rows]
    stand_ins = [one.speaker["no"] for one in seen if one is not None and one.speaker is not one.row]
    others = (
        {row["no"]: from_json(row["body"]) for row in await store.fetch(SQL["bodies"], stand_ins)} if stand_ins else {}
    )
    return [
        _entry(
            one.row,
            one.speaker["uid"],
            one.speaker["power"],
            read.of(one.row) if one.speaker is one.row else others.get(one.speaker["no"], {}),
            _ways(one.ways, sight, one.speaker["no"]),
        )
        for one in seen
        if one is not None
    ]


async def by_key(store: Store, keys: Sequence[str], sight: Sight | None = None) -> dict[str, Entry]:
    """Gives those entries that there are, and are seen, by key."""
    rows = await store.fetch(SQL["entries"], keys)
    return {entry.evse_key: entry for entry in await entries(store, rows, sight=sight)}


async def unseen(store: Store, keys: Sequence[str], sight: Sight) -> frozenset[str]:
    """Gives those of some entries of which something is kept, present or past, and nothing of it is seen."""
    kept: set[str] = set()
    seen: set[str] = set()
    for row in await store.fetch(SQL["traces"], keys):
        key = row["evse_key"]
        kept.add(key)
        if sight.sees(row["connection_id"], row["party"], key):
            seen.add(key)
    return frozenset(kept - seen)


class _Seen(NamedTuple):
    """What is seen of an entry.

    Attributes:
        row: Of the way that speaks for it where everything is seen.
        ways: Those that are seen, the newest status that is told first.
        speaker: The one that speaks for it among these; `row` itself where that is the one.
    """

    row: Record
    ways: Sequence[Record]
    speaker: Record

    @classmethod
    def of(cls, row: Record, ways: Sequence[Record], sight: Sight) -> "_Seen | None":
        key = row["evse_key"]
        seen = [way for way in ways if sight.sees(way["connection_id"], way["party"], key)]
        if not seen:
            return None
        seen.sort(key=lambda way: not sight.hears(way["connection_id"], way["party"], key))
        if any(way["no"] == row["no"] for way in seen):
            return cls(row, seen, row)
        by_age = sorted(seen, key=lambda way: way["last_updated"], reverse=True)
        return cls(row, seen, min(by_age, key=lambda way: way["rank"]))


def _entry(row: Record, uid: str, power: int, body: dict[str, Any], ways: list[Way]) -> Entry:
    newest = ways[0]  # as the query sorts them
    evse: dict[str, Any] = next((one for one in body.get("evses", ()) if one["uid"] == uid), {})
    location = {name: value for name, value in body.items() if name != "evses"}
    return Entry(
        row["evse_key"],
        newest.status,
        newest.status_at,
        power,
        row["distance"],
        {**evse, "status": newest.status.value},
        location,
        ways,
    )


def _ways(rows: Sequence[Record], sight: Sight | None, speaker: int | None = None) -> list[Way]:
    """Gives ways; one that is alone is the preferred one."""
    if sight is None:
        return [_way(row, preferred=len(rows) == 1 or row["preferred"]) for row in rows]
    return [_way(row, preferred=row["no"] == speaker, sight=sight) for row in rows]


def _way(row: Record, *, preferred: bool, sight: Sight | None = None) -> Way:
    place = row["connection_id"], row["party"], row["evse_key"]
    told = sight is None or sight.hears(*place)
    charging = sight.charging(*place) if sight is not None else None
    return Way(
        row["connection"],
        PartyId(row["party"]),
        row["location_id"],
        row["uid"],
        preferred,
        EvseStatus(row["status"]) if told else EvseStatus.UNKNOWN,
        finite(row["status_at"]) if told else None,
        row["prices"],
        WayAgreement(*charging) if charging is not None else None,
    )


def finite(at: datetime) -> datetime | None:
    """Gives a moment of the store, which has an infinite one for what nobody told."""
    return at if at.year > MINYEAR else None
