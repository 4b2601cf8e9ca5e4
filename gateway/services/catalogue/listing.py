"""The statements of listings of locations, where not everything is seen."""

from typing import Any, Final, NamedTuple

from gateway.agreements.sight import Sight
from gateway.services.catalogue.screening import Arguments, Screen

_ONE: Final = """
SELECT l.no, l.body, e.uids, e.statuses, e.status_ats
FROM (
    SELECT x.no, x.body FROM catalogue_location x JOIN connection c ON c.id = x.connection_id
    WHERE c.name = {connection} AND ({party} IS NULL OR x.party = {party}) AND x.no > {after} AND x.withdrawn_at IS NULL
        AND ({whole} OR EXISTS (
            SELECT FROM catalogue_evse e WHERE e.location_no = x.no AND NOT e.removed AND {seen}))
    ORDER BY x.no LIMIT {limit}
) l CROSS JOIN LATERAL (
    SELECT array_agg(e.uid) AS uids, array_agg({status}) AS statuses, array_agg({status_at}) AS status_ats
    FROM catalogue_evse e WHERE e.location_no = l.no AND NOT e.removed AND {seen}
) e
ORDER BY l.no"""

_ALL: Final = """
SELECT l.no, l.body, e.uids, e.statuses, e.status_ats
FROM (
    SELECT x.no, x.body FROM catalogue_location x
    WHERE ({party} IS NULL OR x.party = {party}) AND x.no > {after} AND x.withdrawn_at IS NULL
        AND EXISTS (SELECT FROM catalogue_evse e WHERE e.location_no = x.no AND NOT e.removed AND {speaks})
    ORDER BY x.no LIMIT {limit}
) l CROSS JOIN LATERAL (
    SELECT array_agg(e.uid) AS uids,
        array_agg({entry_status}) AS statuses,
        array_agg(CASE WHEN e.shared THEN nullif({newest_at}, '-infinity') ELSE {status_at} END) AS status_ats
    FROM catalogue_evse e WHERE e.location_no = l.no AND NOT e.removed AND {speaks}
) e
ORDER BY l.no"""


class Listed(NamedTuple):
    """A statement and its arguments."""

    sql: str
    arguments: list[Any]


def locations(sight: Sight, connection: str | None, party: str | None, after: int, limit: int) -> Listed:
    """Gives the statement for a page of locations, as the queries `locations` and `locations_of_connection` do.

    Args:
        party: Normal form.
        after: The number of the last location before.
    """
    arguments = Arguments()
    screen = Screen(sight, arguments)
    parts = {
        "party": arguments.take(party, "text"),
        "after": arguments.take(after, "bigint"),
        "limit": arguments.take(limit, "int"),
        "status_at": screen.status_at("e"),
    }
    if connection is not None:
        name = arguments.take(connection, "text")
        return Listed(
            _ONE.format(
                connection=name, whole=screen.outside("x"), seen=screen.sees("e"), status=screen.status("e"), **parts
            ),
            arguments,
        )
    entry = {"entry_status": screen.entry_status(), "newest_at": screen.newest("status_at")}
    return Listed(_ALL.format(speaks=screen.speaks(), **entry, **parts), arguments)
