"""Charging notifications from a session: Start, Progress, End and Error (OICP 2.3, eRoamingChargingNotifications).

When each is due is the hub adapter's to decide. A stamp is in the charge point's zone, readings and energy have OICP's
three places.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from mappings.canonical.base import json_number
from mappings.canonical.cdrs import CdrLocation
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session
from mappings.oicp.v2_3 import process, tokens
from mappings.oicp.v2_3.enums_charging import ERRORS
from mappings.oicp.v2_3.process import Clock
from mappings.oicp.v2_3.texts import cut
from mappings.oicp.v2_3.vocabulary import NotificationType
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Refused, Report

_ERROR_TEXT_LENGTH = 250


def from_canonical(
    kind: NotificationType, session: Session, place: CdrLocation, leg: Leg, operator: PartyId
) -> tuple[Record, list[Issue]]:
    """Writes a charging notification of a session as it is now.

    Args:
        kind: Which one.
        session: The session.
        place: Where it runs.
        leg: How Hubject names it.
        operator: The party of the connection's certificate.

    Raises:
        Refused: The leg has no SessionID, the place no EvseID, or the session lacks what this kind of notification is
            about: when charging began (Start, Progress) or ended (End), or the error.
    """
    report = Report()
    record: Record = {"Type": kind.value}
    record |= process.names(leg, session.id, report)
    record["EvseID"] = process.evse(place, report)
    record["OperatorID"] = operator.normal
    try:
        record["Identification"], issues = tokens.from_canonical(leg.identification, "leg.identification")
        report.issues += issues
    except Refused as refusal:
        # Optional here; the SessionID says who it is.
        report.add(IssueKind.LEFT_OUT, refusal.reason.field, refusal.reason.detail)
    record |= _WRITERS[kind](session, Clock(place, report), report)
    if kind is not NotificationType.ERROR:
        record |= process.product(leg.product, "leg.product", report)
    return record, report.issues


def _start(session: Session, clock: Clock, report: Report) -> Record:
    record: Record = {
        "ChargingStart": clock.write(_needed(session.charging_start, "charging_start", report)),
        "SessionStart": clock.write(session.start),
    }
    if session.metering.start is not None:
        record["MeterValueStart"] = process.kwh(session.metering.start, "metering.start", report)
    return record


def _progress(session: Session, clock: Clock, report: Report) -> Record:
    begun = _needed(session.charging_start, "charging_start", report)
    # Between the stamps as they are written, so that the duration is their difference.
    lasted = session.last_updated.replace(microsecond=0) - begun.replace(microsecond=0)
    if lasted < timedelta(0):
        raise report.refuse("last_updated", "before charging began", session.last_updated)
    return {
        "ChargingStart": clock.write(begun),
        "EventOccurred": clock.write(session.last_updated),
        "ChargingDuration": lasted // timedelta(milliseconds=1),
        "SessionStart": clock.write(session.start),
        "ConsumedEnergyProgress": process.kwh(session.energy, "energy", report),
        **process.readings(session.metering, report, end=False),
    }


def _end(session: Session, clock: Clock, report: Report) -> Record:
    ended = session.charging_end
    if ended is None and session.end is not None:
        report.add(IssueKind.DEFAULTED, "charging_end", "missing; the session's end was taken")
        ended = session.end
    record: Record = {
        "ChargingEnd": clock.write(_needed(ended, "charging_end", report)),
        "SessionStart": clock.write(session.start),
        **process.readings(session.metering, report, end=True),
    }
    if session.charging_start is not None:
        record["ChargingStart"] = clock.write(session.charging_start)
    if session.end is not None:
        record["SessionEnd"] = clock.write(session.end)
    if session.penalty_start is not None:
        record["PenaltyTimeStart"] = clock.write(session.penalty_start)
    metering = session.metering
    if metering.start is None or metering.end is None:
        record["ConsumedEnergy"] = process.kwh(session.energy, "energy", report)
    else:
        # OICP 2.3: the difference of the two readings.
        difference = process.rounded(metering.end) - process.rounded(metering.start)
        if difference != session.energy:
            report.add(IssueKind.NARROWED, "energy", "the difference of the meter's readings was taken", session.energy)
        record["ConsumedEnergy"] = json_number(difference)
    return record


def _error(session: Session, _clock: Clock, report: Report) -> Record:
    if session.error is None:
        raise report.refuse("error", "missing")
    record: Record = {"ErrorType": ERRORS.from_canonical(session.error.kind).value}
    if session.error.text:
        record["ErrorAdditionalInfo"] = cut(session.error.text, _ERROR_TEXT_LENGTH, "error.text", report)
    return record


def _needed(instant: datetime | None, field: str, report: Report) -> datetime:
    if instant is None:
        raise report.refuse(field, "missing, and this notification is about it")
    return instant


_WRITERS: Mapping[NotificationType, Callable[[Session, Clock, Report], Record]] = MappingProxyType(
    {
        NotificationType.START: _start,
        NotificationType.PROGRESS: _progress,
        NotificationType.END: _end,
        NotificationType.ERROR: _error,
    }
)
