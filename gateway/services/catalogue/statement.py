"""The statement of a search: only what was asked for stands in it, so that the store plans for just that."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from gateway.agreements.sight import Sight
from gateway.services.catalogue import words
from gateway.services.catalogue.screening import Arguments, Screen
from gateway.services.ports.catalogue import Around, Box, EntryFilter

_EARTH: Final = 6_371_008.8
"""Metres of the mean radius."""

# The entry's status is the newest of its ways; nearly always there is one only.
_STATUS: Final = """CASE WHEN e.shared THEN (
            SELECT w.status FROM (
                SELECT w.status, w.status_at FROM catalogue_evse w WHERE w.preferred AND w.evse_key = e.evse_key
                UNION ALL
                SELECT w.status, w.status_at FROM catalogue_evse w
                WHERE NOT w.preferred AND NOT w.removed AND w.evse_key = e.evse_key
            ) w ORDER BY w.status_at DESC LIMIT 1
        ) ELSE e.status END"""
_OVER: Final = """(c.name = {0} OR e.shared AND EXISTS (
            SELECT FROM catalogue_evse w JOIN connection o ON o.id = w.connection_id
            WHERE NOT w.preferred AND NOT w.removed AND w.evse_key = e.evse_key AND o.name = {0}))"""
_SEEN_OVER: Final = """(c.name = {0} AND {1} OR e.shared AND EXISTS (
            SELECT FROM catalogue_evse w JOIN connection o ON o.id = w.connection_id
            WHERE NOT w.preferred AND NOT w.removed AND w.evse_key = e.evse_key AND o.name = {0} AND {2}))"""
_DISTANCE: Final = """2 * {earth} * asin(sqrt(least(1.0, sind((e.latitude - {lat}) / 2) ^ 2
            + cosd({lat}) * cosd(e.latitude) * sind((e.longitude - {lon}) / 2) ^ 2)))"""

_COLUMNS: Final = """e.no, e.cell, e.evse_key, e.uid, e.power, e.status, e.status_at, e.shared, e.prices, e.party,
            e.location_no, e.connection_id, c.name AS connection"""

_IN_ORDER: Final = """
SELECT e.*, l.location_id, l.body FROM (
    SELECT e.* FROM (
        SELECT * FROM unnest({low}, {high}, {after}) WITH ORDINALITY AS r(low, high, after, n) ORDER BY n
    ) r
    CROSS JOIN LATERAL (
        SELECT {columns}, NULL::float8 AS distance
        FROM catalogue_evse e JOIN connection c ON c.id = e.connection_id {words}
        WHERE e.preferred AND e.cell BETWEEN r.low AND r.high AND (e.cell, e.no) > (r.low, r.after) {filters}
        ORDER BY e.cell, e.no LIMIT {limit}
    ) e
    ORDER BY r.n, e.cell, e.no LIMIT {limit}
) e JOIN catalogue_location l ON l.no = e.location_no
ORDER BY e.cell, e.no"""

_BY_DISTANCE: Final = """
SELECT e.*, l.location_id, l.body FROM (
    SELECT * FROM (
        SELECT {columns}, {distance} AS distance
        FROM unnest({low}, {high}) AS r(low, high)
        CROSS JOIN LATERAL (
            SELECT * FROM catalogue_evse e WHERE e.preferred AND e.cell BETWEEN r.low AND r.high OFFSET 0
        ) e
        JOIN connection c ON c.id = e.connection_id {words}
        WHERE true {filters}
    ) e
    WHERE distance <= {radius} AND (distance, no) > ({cell}, {no})
    ORDER BY distance, no LIMIT {limit}
) e JOIN catalogue_location l ON l.no = e.location_no
ORDER BY e.distance, e.no"""


class Statement(NamedTuple):
    """A statement, its arguments, and whether its plan must be made for these very arguments."""

    sql: str
    arguments: Sequence[Any]
    own_plan: bool


def in_order(
    wanted: EntryFilter,
    ranges: Sequence[tuple[int, int]],
    after: tuple[int, int],
    limit: int,
    sight: Sight | None = None,
) -> Statement | None:
    """Gives the statement for entries within ranges of cells, in the order of (cell, number) after a pair of these.

    Args:
        sight: What is seen; None for everything.
    """
    arguments = Arguments()
    cell, no = after
    # Each range begins where it is read on from: a scan that began elsewhere would walk up to it.
    left = [(low, high, -1) if low > cell else (cell, high, no) for low, high in ranges if high >= cell]
    low, high, read = (arguments.take([one[part] for one in left], "bigint[]") for part in range(3))
    return _finished(_IN_ORDER, wanted, arguments, limit, sight, low=low, high=high, after=read)


def by_distance(
    wanted: EntryFilter,
    near: Around,
    ranges: Sequence[tuple[int, int]],
    after: tuple[float, int],
    limit: int,
    sight: Sight | None = None,
) -> Statement | None:
    """Gives the statement for entries by (distance, number) after a pair of these; `ranges` cover the circle.

    Args:
        sight: What is seen; None for everything.
    """
    arguments = Arguments()
    low = arguments.take([low for low, _ in ranges], "bigint[]")
    high = arguments.take([high for _, high in ranges], "bigint[]")
    cell, no = arguments.take(after[0], "float8"), arguments.take(after[1], "bigint")
    latitude, longitude = arguments.take(near.latitude, "float8"), arguments.take(near.longitude, "float8")
    distance = _DISTANCE.format(earth=_EARTH, lat=latitude, lon=longitude)
    radius = arguments.take(near.radius, "float8")
    parts = {"low": low, "high": high, "cell": cell, "no": no, "distance": distance, "radius": radius}
    return _finished(_BY_DISTANCE, wanted, arguments, limit, sight, **parts)


def _finished(
    template: str, wanted: EntryFilter, arguments: Arguments, limit: int, sight: Sight | None, **parts: str
) -> Statement | None:
    """Fills the template; None where nothing can be found."""
    said = ""
    if wanted.text is not None:
        query = words.query(wanted.text)
        if query is None:
            return None
        place = arguments.take(query, "text")
        said = f"JOIN catalogue_location t ON t.no = e.location_no AND t.words @@ {place}::tsquery"
    screen = Screen(sight, arguments) if sight is not None and sight.is_limited else None
    filters = _filters(wanted, arguments, screen)
    sql = template.format(columns=_COLUMNS, words=said, filters=filters, limit=arguments.take(limit, "int"), **parts)
    return Statement(sql, arguments, own_plan=wanted.text is not None)


def _filters(wanted: EntryFilter, arguments: Arguments, screen: Screen | None) -> str:
    filters = []
    if screen is not None:
        filters.append(screen.entry())
    if wanted.box is not None:
        filters.append(f"({' OR '.join(_inside(part, arguments) for part in wanted.box.parts())})")
    if wanted.min_power is not None:
        filters.append(f"e.power >= {arguments.take(wanted.min_power, 'int')}")
    if wanted.parties:
        filters.append(f"e.party = ANY({arguments.take(sorted(one.normal for one in wanted.parties), 'text[]')})")
    if wanted.standards:
        filters.append(f"e.standards && {arguments.take(sorted(one.value for one in wanted.standards), 'text[]')}")
    if wanted.opening_now:
        filters.append("e.always_open IS NOT NULL")
    if wanted.connection is not None:
        name = arguments.take(wanted.connection, "text")
        over = _OVER.format(name) if screen is None else _SEEN_OVER.format(name, screen.sees("e"), screen.sees("w"))
        filters.append(over)
    if wanted.statuses:
        status = _STATUS if screen is None else screen.entry_status()
        filters.append(f"{status} = ANY({arguments.take(sorted(one.value for one in wanted.statuses), 'text[]')})")
    return "".join(f"\n            AND {each}" for each in filters)


def _inside(box: Box, arguments: Arguments) -> str:
    west, south, east, north = (arguments.take(each, "float8") for each in box)
    return f"e.longitude BETWEEN {west} AND {east} AND e.latitude BETWEEN {south} AND {north}"
