"""Objects as they are stored: a location whole, its EVSEs' statuses apart, put together again when it is read."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from gateway.store.pool import Record
from gateway.store.queries import Queries
from mappings.canonical.locations import Evse, EvseStatus, Location

SQL = Queries("gateway.store", "objects.sql")


def read_location(row: Record) -> Location:
    """Reads a row with `body`, `uids`, `statuses` and `status_ats`: the location with its present statuses."""
    location = Location.model_validate_json(row["body"])
    return overlay(location, _statuses(row["uids"], row["statuses"], row["status_ats"]))


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


def _statuses(
    uids: Sequence[str | None], values: Sequence[str], moments: Sequence[datetime]
) -> dict[str, tuple[EvseStatus, datetime]]:
    """Reads the aggregated columns of a query; a location without EVSEs gives one row of nulls."""
    return {
        uid: (EvseStatus(value), at) for uid, value, at in zip(uids, values, moments, strict=True) if uid is not None
    }


def without_evses(location: Location, uids: Collection[str], at: datetime) -> Location:
    """Gives the location with some EVSEs REMOVED from a moment on."""
    evses = tuple(
        evse.model_copy(update={"status": EvseStatus.REMOVED, "last_updated": max(evse.last_updated, at)})
        if evse.uid in uids and evse.status is not EvseStatus.REMOVED
        else evse
        for evse in location.evses
    )
    return location.model_copy(update={"evses": evses, "last_updated": max(location.last_updated, at)})


def tombstone(location: Location, at: datetime) -> Location:
    """Gives the location with every EVSE REMOVED, as those who pull by date shall see it."""
    return without_evses(location, {evse.uid for evse in location.evses}, at)
