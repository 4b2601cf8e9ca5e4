"""Puts the statuses that are stored apart back into the location that was stored whole."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from mappings.canonical.locations import Evse, EvseStatus, Location


def overlay(location: Location, statuses: Mapping[str, tuple[EvseStatus, datetime]]) -> Location:
    """Gives the location with its EVSEs' present statuses; `last_updated` rises from EVSE to location.

    Args:
        statuses: Status and its moment by EVSE uid.
    """
    evses = tuple(_with_status(evse, statuses.get(evse.uid)) for evse in location.evses)
    latest = max((evse.last_updated for evse in evses), default=location.last_updated)
    # Everything put in is a validated value of the same type, so the copy needs no validation of its own.
    return location.model_copy(update={"evses": evses, "last_updated": max(location.last_updated, latest)})


def _with_status(evse: Evse, status: tuple[EvseStatus, datetime] | None) -> Evse:
    if status is None or status == (evse.status, evse.last_updated):
        return evse
    return evse.model_copy(update={"status": status[0], "last_updated": max(evse.last_updated, status[1])})


def statuses(
    uids: Sequence[str | None], values: Sequence[str], moments: Sequence[datetime]
) -> dict[str, tuple[EvseStatus, datetime]]:
    """Reads the aggregated columns of a query; a location without EVSEs gives one row of nulls."""
    return {
        uid: (EvseStatus(value), at) for uid, value, at in zip(uids, values, moments, strict=True) if uid is not None
    }


def tombstone(location: Location, at: datetime) -> Location:
    """Gives the location with every EVSE REMOVED, as those who pull by date shall see it."""
    evses = tuple(
        evse
        if evse.status is EvseStatus.REMOVED
        else evse.model_copy(update={"status": EvseStatus.REMOVED, "last_updated": at})
        for evse in location.evses
    )
    return location.model_copy(update={"evses": evses, "last_updated": max(location.last_updated, at)})
