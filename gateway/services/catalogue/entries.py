"""Entries of the catalogue from rows of the store, without reading what nobody asked for."""

from collections.abc import Sequence
from datetime import MINYEAR, datetime
from typing import Any, Final

from pydantic_core import from_json

from gateway.services.ports.catalogue import Entry, Way
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


async def entries(store: Store, rows: Sequence[Record], bodies: Bodies | None = None) -> list[Entry]:
    """Gives the entries of rows that `statement` or the query `entries` found, in their order."""
    read = bodies or Bodies()
    ways: dict[str, list[Way]] = {}
    if shared := [row["evse_key"] for row in rows if row["shared"]]:
        for row in await store.fetch(SQL["ways"], shared):
            ways.setdefault(row["evse_key"], []).append(_way(row, preferred=row["preferred"]))
    return [_entry(row, read.of(row), ways.get(row["evse_key"]) or [_way(row, preferred=True)]) for row in rows]


async def by_key(store: Store, keys: Sequence[str]) -> dict[str, Entry]:
    """Gives those entries that there are, by key."""
    rows = await store.fetch(SQL["entries"], keys)
    return {entry.evse_key: entry for entry in await entries(store, rows)}


def _entry(row: Record, body: dict[str, Any], ways: list[Way]) -> Entry:
    newest = ways[0]  # as the query sorts them
    evse: dict[str, Any] = next((one for one in body.get("evses", ()) if one["uid"] == row["uid"]), {})
    location = {name: value for name, value in body.items() if name != "evses"}
    return Entry(
        row["evse_key"],
        newest.status,
        newest.status_at,
        row["power"],
        row["distance"],
        {**evse, "status": newest.status.value},
        location,
        ways,
    )


def _way(row: Record, *, preferred: bool) -> Way:
    return Way(
        row["connection"],
        PartyId(row["party"]),
        row["location_id"],
        row["uid"],
        preferred,
        EvseStatus(row["status"]),
        finite(row["status_at"]),
        row["prices"],
    )


def finite(at: datetime) -> datetime | None:
    """Gives a moment of the store, which has an infinite one for what nobody told."""
    return at if at.year > MINYEAR else None
