"""Charging notifications as an EMP receives them (OICP 2.3, eRoamingChargingNotifications Start, Progress, End, Error).

`sessions` writes them. Each is a piece of news of a session; they may come late, twice and out of order.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from pydantic import ValidationError

from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Metering, SessionError, SessionNews, SessionStatus
from mappings.canonical.texts import shortened
from mappings.canonical.tokens import Identification, TokenType
from mappings.oicp.v2_3 import forms, process, tokens
from mappings.oicp.v2_3.enums_charging import ERRORS
from mappings.oicp.v2_3.values import number, text
from mappings.oicp.v2_3.vocabulary import NotificationType
from mappings.oicp.v2_3.wire import Record
from mappings.oicp.v2_3.wire_charging import Notification
from mappings.report import Issue, IssueKind, Refused, Report

_ERROR_TEXT_LENGTH: Final = 250
_TYPES: Final = {kind.value.casefold(): kind for kind in NotificationType}
_ENERGY: Final = {NotificationType.PROGRESS: "ConsumedEnergyProgress", NotificationType.END: "ConsumedEnergy"}
_STAMPS: Final = {
    "start": "SessionStart",
    "end": "SessionEnd",
    "charging_start": "ChargingStart",
    "charging_end": "ChargingEnd",
    "penalty_start": "PenaltyTimeStart",
}
NOBODY: Final = Identification(type=TokenType.OTHER)
"""Stands for the driver of a notification that names none: its SessionID says who it is."""


def to_canonical(body: Any, at: datetime) -> tuple[SessionNews, list[Issue]]:
    """Reads a charging notification.

    A session is ACTIVE until its SessionEnd is told: an End says that no energy flows any more.

    Args:
        body: The parsed JSON.
        at: When it arrived; the moment of an Error, which tells none.

    Raises:
        Refused: Its type, SessionID or EvseID is missing or wrong; a time or an energy is wrong; or it lacks what it is
            about: when charging began (Start), how far it is (Progress), when it ended (End), the error (Error).
    """
    report = Report()
    if not isinstance(body, Mapping):
        raise report.refuse("", "not an object")
    fields, unknown = forms.fields(Notification, body)
    for name in unknown:
        if name.casefold() != "errorclass":
            report.add(IssueKind.UNKNOWN, name, "a field that OICP 2.3 does not have")
    kind = _TYPES.get(str(fields.get("Type")).strip().casefold())
    if kind is None:
        raise report.refuse("Type", "no notification of OICP 2.3", fields.get("Type"))
    leg = _leg(fields, report)
    evse_id = process.read_evse(fields.get("EvseID"), "EvseID", report)
    stamps = {name: process.read_time(fields.get(wire), wire, report) for name, wire in _STAMPS.items()}
    metering = Metering(
        start=process.read_kwh(fields.get("MeterValueStart"), "MeterValueStart", report),
        end=process.read_kwh(fields.get("MeterValueEnd"), "MeterValueEnd", report),
        between=process.read_between(fields.get("MeterValueInBetween"), "MeterValueInBetween", report),
    )
    given: dict[str, Any] = {
        **stamps,
        # As in its CDR: an OperatorID may be a hub operator's.
        "cpo": evse_id.party,
        "leg": leg,
        "evse_id": evse_id,
        "status": _status(kind, stamps["end"]),
        "at": _moment(kind, fields, stamps, at, report),
        "energy": _energy(kind, fields, metering, report),
        "metering": metering,
        "error": _error(fields, unknown, at, report) if kind is NotificationType.ERROR else None,
    }
    try:
        return SessionNews.model_validate(given), report.issues
    except ValidationError as error:
        first = error.errors()[0]
        raise report.refuse(".".join(map(str, first["loc"])), first["msg"]) from None


def _leg(fields: Record, report: Report) -> Leg:
    session = process.read_session_id(fields.get("SessionID"), "SessionID", report)
    own, emsp = (
        process.read_partner_session(fields.get(name), name, report)
        for name in ("CPOPartnerSessionID", "EMPPartnerSessionID")
    )
    driver = NOBODY
    if fields.get("Identification") is not None:
        try:
            presented, issues = tokens.to_canonical(fields["Identification"])
            driver = presented.identification
            report.issues += issues
        except Refused as refusal:
            # Optional here; the SessionID says who it is.
            report.issues += refusal.issues[:-1]
            report.add(IssueKind.LEFT_OUT, refusal.reason.field, refusal.reason.detail)
    return Leg(
        hub_session=session,
        own_session=own,
        emsp_session=emsp,
        emsp=driver.party,
        identification=driver,
        product=process.read_product(fields.get("PartnerProductID"), "PartnerProductID", report),
    )


def _status(kind: NotificationType, ended: datetime | None) -> SessionStatus | None:
    if kind is NotificationType.ERROR:
        return None
    return SessionStatus.ACTIVE if ended is None else SessionStatus.COMPLETED


def _moment(
    kind: NotificationType, fields: Record, stamps: Mapping[str, datetime | None], at: datetime, report: Report
) -> datetime:
    """Gives the moment of the session that a notification is about."""
    if kind is NotificationType.ERROR:
        return at
    if kind is NotificationType.START:
        return _needed(stamps["charging_start"], "ChargingStart", report)
    if kind is NotificationType.PROGRESS:
        occurred = process.read_time(fields.get("EventOccurred"), "EventOccurred", report)
        return _needed(occurred or _reached(fields, stamps["charging_start"], report), "EventOccurred", report)
    ends = [stamp for stamp in (stamps["charging_end"], stamps["end"]) if stamp is not None]
    return _needed(max(ends, default=None), "ChargingEnd", report)


def _reached(fields: Record, begun: datetime | None, report: Report) -> datetime | None:
    """Works out when an event occurred from the charging duration, which ends there, in milliseconds."""
    lasted = number(fields.get("ChargingDuration"), "ChargingDuration", report)
    if begun is None or lasted is None or lasted < 0:
        return None
    report.add(IssueKind.MENDED, "EventOccurred", "missing; worked out from the charging duration")
    return begun + timedelta(milliseconds=int(lasted))


def _needed(instant: datetime | None, field: str, report: Report) -> datetime:
    if instant is None:
        raise report.refuse(field, "missing, and this notification is about it")
    return instant


def _energy(kind: NotificationType, fields: Record, metering: Metering, report: Report) -> Decimal | None:
    """Reads the energy so far; of an End without it, what the readings say."""
    name = _ENERGY.get(kind)
    if name is None:
        return None
    energy = process.read_kwh(fields.get(name), name, report)
    if energy is None and kind is NotificationType.END and metering.start is not None and metering.end is not None:
        energy = metering.end - metering.start
    if energy is not None and energy < 0:
        raise report.refuse(name, "negative", energy)
    return energy


def _error(fields: Record, unknown: Record, at: datetime, report: Report) -> SessionError:
    # The text of OICP parts the two words, and calls the field's type ErrorClass.
    given = fields.get("ErrorType", next((v for k, v in unknown.items() if k.casefold() == "errorclass"), None))
    kind = ERRORS.mend("".join(str(given).split()))
    if kind is None:
        raise report.refuse("ErrorType", "missing" if given is None else "no error of OICP 2.3", given)
    told = text(fields.get("ErrorAdditionalInfo"), "ErrorAdditionalInfo", report)
    return SessionError(kind=kind, text=None if told is None else shortened(told, _ERROR_TEXT_LENGTH), at=at)
