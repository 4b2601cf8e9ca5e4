"""Many locations of one EVSE each, as records are read, put together into places."""

from collections.abc import Iterable
from typing import Any

from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Evse, Location
from mappings.report import Issue, IssueKind


def group(locations: Iterable[Location]) -> tuple[list[Location], list[Issue]]:
    """Puts EVSEs of one place into one location, in the order in which places were met.

    One place are the EVSEs of a party with the same ChargingPoolID; without one, those with the same station id,
    address and point; without that, an EVSE stands alone. The first record speaks for the place; an EVSE that has
    another point keeps it. Two stations of one id at two addresses are two places, the second named by its EVSE.

    Returns:
        The locations, and an issue for each EVSE that came twice in a place, the later of which is left out.
    """
    places: dict[tuple[Any, ...], list[Location]] = {}
    for location in locations:
        places.setdefault(_key(location), []).append(location)
    issues: list[Issue] = []
    taken: set[tuple[PartyId, str]] = set()
    grouped: list[Location] = []
    for members in places.values():
        merged = _merge(members, issues)
        if (merged.party, merged.id) in taken:
            merged = merged.model_copy(update={"id": merged.evses[0].uid})
        taken.add((merged.party, merged.id))
        grouped.append(merged)
    return grouped, issues


def _key(location: Location) -> tuple[Any, ...]:
    if location.pool_id is not None:
        return (location.party, "pool", location.pool_id.upper().replace("*", ""))
    evse = location.evses[0]
    if evse.station_id is not None:
        point = location.coordinates
        where = (location.address, location.postal_code, location.city, point.latitude, point.longitude)
        return (location.party, "station", evse.station_id, *where)
    return (location.party, "evse", evse.evse_id)


def _merge(members: list[Location], issues: list[Issue]) -> Location:
    first = members[0]
    evses: dict[object, Evse] = {}
    for location in members:
        for evse in location.evses:
            if evse.evse_id in evses:
                issues.append(Issue(IssueKind.LEFT_OUT, "EvseID", "twice in one place; the first was read", evse.uid))
                continue
            elsewhere = evse.coordinates is None and location.coordinates != first.coordinates
            evses[evse.evse_id] = evse.model_copy(update={"coordinates": location.coordinates}) if elsewhere else evse
    if len(evses) == 1:
        return first
    updated = max(evse.last_updated for evse in evses.values())
    return first.model_copy(update={"evses": tuple(evses.values()), "last_updated": updated})
