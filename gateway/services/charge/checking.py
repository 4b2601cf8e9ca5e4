"""What makes no sense of a session or CDR, by field. Pure.

What cannot be true of time and energy is refused, since somebody pays by it. What is hardly true, and could be (a meter
that counts losses, which are not billed), is passed on as given, with an issue.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from gateway.services.charge.drivers import same_driver
from gateway.services.stamps import AHEAD, not_ahead
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.sessions import (
    ChargingPeriod,
    DimensionType,
    Metering,
    Session,
    SessionStatus,
)
from mappings.report import Issue, IssueKind

Faults = list[tuple[str, str]]
"""Pairs of the field's path and one sentence."""

FINISHED: Final = frozenset({SessionStatus.COMPLETED, SessionStatus.INVALID})
MOST_ENERGY: Final = Decimal(1000)
"""kWh of one CDR (OICP 2.3, eRoamingChargeDetailRecord: the hub refuses more)."""

_PLACES: Final = Decimal("0.0001")
_MOMENTS: Final = ("start", "end", "charging_start", "charging_end", "last_updated")


def without_future(session: Session, arrived: datetime) -> tuple[Session, list[Issue]]:
    """Gives a session without stamps ahead of the clock: with one of them, no later report would count as newer.

    When a penalty begins, and what a driver agreed to, may well lie ahead.
    """
    issues: list[Issue] = []
    changes: dict[str, Any] = {}

    def mended(at: datetime, field: str) -> datetime:
        at, issue = not_ahead(at, arrived, field)
        if issue is not None:
            issues.append(issue)
        return at

    for name in _MOMENTS:
        if (at := getattr(session, name)) is not None and (now := mended(at, name)) is not at:
            changes[name] = now
    if session.error is not None and (now := mended(session.error.at, "error.at")) is not session.error.at:
        changes["error"] = session.error.model_copy(update={"at": now})
    periods = tuple(
        period.model_copy(update={"start": mended(period.start, f"periods[{index}].start")})
        for index, period in enumerate(session.periods)
    )
    if periods != session.periods:
        changes["periods"] = periods
    # Everything put in is a validated value of the same type.
    return (session.model_copy(update=changes) if changes else session), issues


def of_session(session: Session, before: Session | None) -> Faults:
    """Gives what contradicts itself, or what was told of the session before."""
    faults = _of_times(session.start, session.end, session.charging_start, session.charging_end)
    faults += _of_meter(session.metering)
    if session.status is SessionStatus.COMPLETED and session.end is None:
        faults.append(("end", "is required of a session that is COMPLETED"))
    if before is None:
        return faults
    if before.status in FINISHED and session.status not in FINISHED:
        faults.append(("status", f"is {session.status}, but the session is {before.status}: it does not run again"))
    if session.energy < before.energy:
        faults.append(("energy", f"is less than the {before.energy} kWh that were told before"))
    for name in ("location_id", "evse_uid"):
        if getattr(session, name) != (told := getattr(before, name)):
            faults.append((name, f"was {told}: a session stays at its EVSE"))
    if same_driver(session.identification, before.identification) is False:
        faults.append(("identification", "is another driver's than was told before"))
    if session.currency != before.currency:
        faults.append(("currency", f"was {before.currency}"))
    return faults


def of_cdr(cdr: Cdr, now: datetime) -> Faults:
    """Gives what contradicts itself in a CDR."""
    faults = _of_times(cdr.start, cdr.end, cdr.charging_start, cdr.charging_end) + _of_meter(cdr.metering)
    if cdr.end > now + AHEAD:
        faults.append(("end", "is in the future"))
    if cdr.energy < 0:
        faults.append(("energy", "is negative"))
    elif cdr.energy > MOST_ENERGY:
        faults.append(("energy", f"is over {MOST_ENERGY} kWh"))
    return faults


def of_cdr_and_session(cdr: Cdr, session: Session, place: CdrLocation, references: Iterable[str]) -> Faults:
    """Gives what a CDR says otherwise than its session.

    Args:
        references: Every id by which the session's authorisation may be named.
    """
    faults: Faults = []
    where = (("id", "location"), ("evse_uid", "EVSE"), ("connector_id", "connector"))
    for name, what in where:
        if (given := getattr(cdr.location, name)) != (told := getattr(place, name)):
            faults.append((f"location.{name}", f"is {given}, but the session's {what} is {told}"))
    if cdr.location.evse_id is not None and place.evse_id is not None and cdr.location.evse_id != place.evse_id:
        faults.append(("location.evse_id", f"is {cdr.location.evse_id}, but the session's EVSE is {place.evse_id}"))
    if cdr.currency != session.currency:
        faults.append(("currency", f"is {cdr.currency}, but the session's is {session.currency}"))
    if same_driver(cdr.identification, session.identification) is False:
        faults.append(("identification", "is another driver's than the session's"))
    if cdr.reference is not None and cdr.reference not in {session.reference, *references}:
        faults.append(("reference", "is another than the session's"))
    return faults


def doubts_of_cdr(cdr: Cdr, session: Session | None) -> list[Issue]:
    """Gives what is hardly true of a CDR."""
    doubts: list[tuple[str, str]] = []
    start, end = cdr.metering.start, cdr.metering.end
    if start is not None and end is not None and _differ(end.quantize(_PLACES) - start.quantize(_PLACES), cdr.energy):
        doubts.append(("energy", "is not the difference of the meter's readings"))
    told = [one.volume for period in cdr.periods for one in period.dimensions if one.type is DimensionType.ENERGY]
    if told and _differ(sum(told, Decimal()), cdr.energy):
        doubts.append(("energy", "is not the sum of the periods' energy"))
    if any(first.start > second.start for first, second in pairwise(cdr.periods)):
        doubts.append(("periods", "are not in the order of time"))
    if any(not cdr.start <= period.start <= cdr.end for period in cdr.periods):
        doubts.append(("periods", "begin outside of the session"))
    if cdr.charging_start is not None and cdr.charging_start < cdr.start:
        doubts.append(("charging_start", "is before the start"))
    if cdr.charging_end is not None and cdr.charging_end > cdr.end:
        doubts.append(("charging_end", "is after the end"))
    if session is not None and session.status is SessionStatus.INVALID:
        doubts.append(("session_id", "the session is INVALID, and would not be billed"))
    if session is not None and session.status is SessionStatus.COMPLETED and _differ(session.energy, cdr.energy):
        doubts.append(("energy", f"is not the {session.energy} kWh of the session"))
    return [Issue(IssueKind.SUSPECT, field, detail) for field, detail in doubts]


def in_order(periods: Iterable[ChargingPeriod]) -> tuple[ChargingPeriod, ...]:
    """Gives periods in the order of time, as each ends where the next begins."""
    return tuple(sorted(periods, key=lambda period: period.start))


def _differ(one: Decimal, other: Decimal) -> bool:
    return abs(one.quantize(_PLACES) - other.quantize(_PLACES)) > _PLACES


def _of_times(
    start: datetime, end: datetime | None, charging_start: datetime | None, charging_end: datetime | None
) -> Faults:
    faults: Faults = []
    if end is not None and end < start:
        faults.append(("end", "is before the start"))
    if charging_start is not None and charging_end is not None and charging_end < charging_start:
        faults.append(("charging_end", "is before the charging_start"))
    return faults


def _of_meter(metering: Metering) -> Faults:
    readings = [one for one in (metering.start, *metering.between, metering.end) if one is not None]
    if any(first > second for first, second in pairwise(readings)):
        return [("metering", "goes back: each reading is at least the one before")]
    return []
