"""eRoamingChargeDetailRecord from and to a CDR and its leg (OICP 2.3, CPO Services and Operations).

OICP has no id of a CDR: Hubject takes one of each SessionID. It tells no money. Readings are rounded to OICP's three
places first, and the energy is their difference.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import ValidationError

from mappings.canonical.base import json_number
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod, ChargingPeriod, Dimension, DimensionType, Metering
from mappings.canonical.tokens import TokenType
from mappings.oicp.v2_3 import calibration, forms, process, tokens
from mappings.oicp.v2_3.process import Clock
from mappings.oicp.v2_3.wire import Record
from mappings.oicp.v2_3.wire_charging import ChargeDetailRecord
from mappings.report import Issue, IssueKind, Refused, Report

_TOLERANCE = Decimal("0.001")
"""What the rounding of two readings may move their difference, kWh."""

_HOUR = timedelta(hours=1)
_OWN_SESSION_LENGTH = 36


class RoamingCdr(NamedTuple):
    """A CDR and how Hubject names its charge."""

    cdr: Cdr
    leg: Leg


# Out


def from_canonical(cdr: Cdr, leg: Leg) -> tuple[Record, list[Issue]]:
    """Writes an eRoamingChargeDetailRecord.

    Raises:
        Refused: It takes another CDR back; the leg has no SessionID or an identification that OICP has no word for; the
            place has no EvseID; the energy is negative or is not what the readings say.
    """
    report = Report()
    if cdr.credit:
        raise report.refuse("credit", "OICP has no credit, and Hubject takes one CDR of a session")
    if cdr.energy < 0:
        raise report.refuse("energy", "negative", cdr.energy)
    record = process.names(leg, cdr.session_id, report)
    record["EvseID"] = process.evse(cdr.location, report)
    try:
        record["Identification"], issues = tokens.from_canonical(leg.identification, "leg.identification")
    except Refused as refusal:
        refusal.issues[:0] = report.issues
        raise
    report.issues += issues
    clock = Clock(cdr.location, report)
    record["SessionStart"] = clock.write(cdr.start)
    record["SessionEnd"] = clock.write(cdr.end)
    record["ChargingStart"] = clock.write(_or(cdr.charging_start, cdr.start, "charging_start", report))
    record["ChargingEnd"] = clock.write(_or(cdr.charging_end, cdr.end, "charging_end", report))
    record |= process.readings(cdr.metering, report, end=True)
    record["ConsumedEnergy"] = _energy(cdr, report)
    record |= process.product(*((cdr.product, "product") if cdr.product else (leg.product, "leg.product")), report)
    if cdr.signed_data is not None:
        record |= calibration.write(cdr.signed_data, "signed_data", report)
    if cdr.location.hub_operator is not None:
        record["HubOperatorID"] = cdr.location.hub_operator.normal
    return record, report.issues


def _or(instant: datetime | None, other: datetime, field: str, report: Report) -> datetime:
    if instant is None:
        report.add(IssueKind.DEFAULTED, field, "missing; the session's was taken")
        return other
    return instant


def _energy(cdr: Cdr, report: Report) -> int | float:
    """Gives the difference of the readings, where there are two; else the energy itself."""
    if cdr.metering.start is None or cdr.metering.end is None:
        return process.kwh(cdr.energy, "energy", report)
    difference = process.rounded(cdr.metering.end) - process.rounded(cdr.metering.start)
    if difference < 0 or abs(difference - process.rounded(cdr.energy)) > _TOLERANCE:
        # Either may be what the driver pays for.
        raise report.refuse("energy", f"the meter's readings say {difference} kWh", cdr.energy)
    if difference != cdr.energy:
        report.add(IssueKind.NARROWED, "energy", "the difference of the rounded readings was taken", cdr.energy)
    return json_number(difference)


# In


def to_canonical(body: Any, *, currency: str, at: datetime) -> tuple[RoamingCdr, list[Issue]]:
    """Reads an eRoamingChargeDetailRecord in any spelling.

    Args:
        body: The parsed JSON.
        currency: In which the CPO is paid; OICP does not say.
        at: When it arrived.

    Raises:
        Refused: It is not known which charge it is of, at which EVSE, by whom, from when to when, or how much energy
            it took; or one of these is contradictory.
    """
    report = Report()
    if not isinstance(body, Mapping):
        raise report.refuse("", "not an object")
    fields, unknown = forms.fields(ChargeDetailRecord, body)
    for name in unknown:
        report.add(IssueKind.UNKNOWN, name, "a field that OICP 2.3 does not have")
    evse_id = process.read_evse(fields.get("EvseID"), "EvseID", report)
    leg = _leg(fields, report)
    metering = Metering(
        start=process.read_kwh(fields.get("MeterValueStart"), "MeterValueStart", report),
        end=process.read_kwh(fields.get("MeterValueEnd"), "MeterValueEnd", report),
        between=process.read_between(fields.get("MeterValueInBetween"), "MeterValueInBetween", report),
    )
    start, end = (_time(fields, name, report) for name in ("SessionStart", "SessionEnd"))
    if end < start:
        raise report.refuse("SessionEnd", "before SessionStart", fields["SessionEnd"])
    charging_start, charging_end = (_time(fields, name, report) for name in ("ChargingStart", "ChargingEnd"))
    energy = _read_energy(fields, metering, report)
    if "HubProviderID" in fields:
        unknown["HubProviderID"] = fields["HubProviderID"]
    consumed = Dimension(type=DimensionType.ENERGY, volume=energy)
    given: dict[str, Any] = {
        "party": evse_id.party,
        "id": leg.hub_session,
        "session_id": leg.own_session if leg.own_session and len(leg.own_session) <= _OWN_SESSION_LENGTH else None,
        "start": start,
        "end": end,
        "charging_start": charging_start,
        "charging_end": charging_end,
        "identification": leg.identification,
        "auth_method": _method(leg.identification.type),
        "location": _place(evse_id, process.read_party(fields.get("HubOperatorID"), "HubOperatorID", report)),
        "metering": metering,
        "currency": currency,
        "periods": (ChargingPeriod(start=charging_start, dimensions=(consumed,)),),
        "signed_data": calibration.read(fields, report),
        "energy": energy,
        "time": _hours(end - start),
        "product": leg.product,
        "last_updated": at,
        "unknown": unknown,
    }
    try:
        cdr = Cdr.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise report.refuse(".".join(map(str, first["loc"])), first["msg"]) from None
    return RoamingCdr(cdr, leg), report.issues


def _leg(fields: Record, report: Report) -> Leg:
    session = process.read_session_id(fields.get("SessionID"), "SessionID", report)
    try:
        presented, issues = tokens.to_canonical(fields.get("Identification"))
    except Refused as refusal:
        refusal.issues[:0] = report.issues
        raise
    report.issues += issues
    own, emsp = (
        process.read_partner_session(fields.get(name), name, report)
        for name in ("CPOPartnerSessionID", "EMPPartnerSessionID")
    )
    return Leg(
        hub_session=session,
        own_session=own,
        emsp_session=emsp,
        emsp=presented.identification.party,
        identification=presented.identification,
        product=process.read_product(fields.get("PartnerProductID"), "PartnerProductID", report),
    )


def _time(fields: Record, name: str, report: Report) -> datetime:
    instant = process.read_time(fields.get(name), name, report)
    if instant is None:
        raise report.refuse(name, "missing")
    return instant


def _hours(lasted: timedelta) -> Decimal:
    seconds = Decimal(lasted // timedelta(seconds=1))
    return (seconds / Decimal(_HOUR // timedelta(seconds=1))).quantize(Decimal("0.0001"))


def _read_energy(fields: Record, metering: Metering, report: Report) -> Decimal:
    energy = process.read_kwh(fields.get("ConsumedEnergy"), "ConsumedEnergy", report)
    if energy is None:
        raise report.refuse("ConsumedEnergy", "missing")
    if energy < 0:
        raise report.refuse("ConsumedEnergy", "negative", energy)
    if metering.start is not None and metering.end is not None:
        difference = metering.end - metering.start
        if abs(difference - energy) > _TOLERANCE:
            report.add(IssueKind.SUSPECT, "ConsumedEnergy", f"the readings say {difference} kWh", energy)
    return energy


def _method(type_: TokenType) -> AuthMethod:
    """Tells a remote start by its identification; that a local list let the driver in cannot be told."""
    return AuthMethod.COMMAND if type_ is TokenType.APP_USER else AuthMethod.AUTH_REQUEST


def _place(evse_id: EvseId, hub_operator: PartyId | None) -> CdrLocation:
    # The normal form has no separators, and fits an OCPI id whatever the length of the EvseID.
    return CdrLocation(
        id=evse_id.normal, evse_uid=evse_id.normal, connector_id="", evse_id=evse_id, hub_operator=hub_operator
    )
