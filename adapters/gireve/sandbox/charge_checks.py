"""What the sandbox IOP checks of a charge (OCPI 2.2.1, mod_tokens, mod_sessions, mod_cdrs, mod_commands).

Gireve's guide adds little: a driver is asked for at one location, and a card's number has 4 or 7 bytes.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.gireve.sandbox.checks import Refusal, Wrong
from adapters.gireve.sandbox.shapes import (
    Shape,
    boolean,
    checked,
    ci_string,
    exactly,
    inner,
    many,
    may,
    needs,
    number,
    one_of,
    stamp,
    text,
    whole,
)
from mappings.ocpi.envelope import StatusCode

TOKEN_TYPES = ("AD_HOC_USER", "APP_USER", "OTHER", "RFID")
KINDS = ("START_SESSION", "STOP_SESSION", "RESERVE_NOW", "CANCEL_RESERVATION", "UNLOCK_CONNECTOR")
NOT_AVAILABLE = "#NA"
AHEAD = timedelta(minutes=5)
"""How far a clock may be ahead of ours."""

RFID_UID = re.compile(r"[0-9A-Fa-f]{8}|[0-9A-Fa-f]{14}")
_TOLERANCE = 0.01
"""kWh: what rounding may add up to between the periods and the total."""

_PRICE: Shape = {"excl_vat": needs(number()), "incl_vat": may(number())}
_TOKEN: Shape = {
    "country_code": needs(exactly(2)),
    "party_id": needs(exactly(3)),
    "uid": needs(ci_string(36)),
    "type": needs(one_of(*TOKEN_TYPES)),
    "contract_id": needs(ci_string(36)),
}
_PERIOD: Shape = {
    "start_date_time": needs(stamp),
    "dimensions": needs(
        many(
            inner(
                {
                    "type": needs(
                        one_of(
                            *("CURRENT", "ENERGY", "ENERGY_EXPORT", "ENERGY_IMPORT", "MAX_CURRENT", "MIN_CURRENT"),
                            *("MAX_POWER", "MIN_POWER", "PARKING_TIME", "POWER", "RESERVATION_TIME"),
                            *("STATE_OF_CHARGE", "TIME"),
                        )
                    ),
                    "volume": needs(number()),
                }
            ),
            least=1,
        )
    ),
    "tariff_id": may(ci_string(36)),
}
_SESSION_ONLY = frozenset({"CURRENT", "ENERGY_EXPORT", "ENERGY_IMPORT", "POWER", "STATE_OF_CHARGE"})
_SHARED: Shape = {
    "country_code": needs(exactly(2)),
    "party_id": needs(exactly(3)),
    "cdr_token": needs(inner(_TOKEN)),
    "auth_method": needs(one_of("AUTH_REQUEST", "COMMAND", "WHITELIST")),
    "authorization_reference": may(ci_string(36)),
    "meter_id": may(text(255)),
    "currency": needs(exactly(3)),
    "last_updated": needs(stamp),
}
_SESSION: Shape = {
    **_SHARED,
    "id": needs(ci_string(36)),
    "start_date_time": needs(stamp),
    "end_date_time": may(stamp),
    "kwh": needs(number(0)),
    "location_id": needs(ci_string(36)),
    "evse_uid": needs(ci_string(36)),
    "connector_id": needs(ci_string(36)),
    "charging_periods": may(many(inner(_PERIOD))),
    "total_cost": may(inner(_PRICE)),
    "status": needs(one_of("ACTIVE", "COMPLETED", "INVALID", "PENDING", "RESERVATION")),
}
_CDR_LOCATION: Shape = {
    "id": needs(ci_string(36)),
    "name": may(text(255)),
    "address": needs(text(45)),
    "city": needs(text(45)),
    "postal_code": may(text(10)),
    "state": may(text(20)),
    "country": needs(exactly(3)),
    "coordinates": needs(inner({"latitude": needs(text(10)), "longitude": needs(text(11))})),
    "evse_uid": needs(ci_string(36)),
    "evse_id": needs(ci_string(48)),
    "connector_id": needs(ci_string(36)),
    "connector_standard": needs(text(36)),
    "connector_format": needs(one_of("SOCKET", "CABLE")),
    "connector_power_type": needs(one_of("AC_1_PHASE", "AC_2_PHASE", "AC_2_PHASE_SPLIT", "AC_3_PHASE", "DC")),
}
_SIGNED: Shape = {
    "encoding_method": needs(ci_string(36)),
    "encoding_method_version": may(whole()),
    "public_key": may(text(512)),
    "signed_values": needs(
        many(
            inner({"nature": needs(ci_string(32)), "plain_data": needs(text(5000)), "signed_data": needs(text(5000))}),
            least=1,
        )
    ),
    "url": may(text(512)),
}
_CDR: Shape = {
    **_SHARED,
    "id": needs(ci_string(39)),
    "start_date_time": needs(stamp),
    "end_date_time": needs(stamp),
    "session_id": may(ci_string(36)),
    "cdr_location": needs(inner(_CDR_LOCATION)),
    "tariffs": may(many(inner({"id": needs(ci_string(36)), "currency": needs(exactly(3))}))),
    "charging_periods": needs(many(inner(_PERIOD), least=1)),
    "signed_data": may(inner(_SIGNED)),
    "total_cost": needs(inner(_PRICE)),
    "total_energy": needs(number()),
    "total_time": needs(number(0)),
    "total_parking_time": may(number(0)),
    **{f"total_{part}_cost": may(inner(_PRICE)) for part in ("fixed", "energy", "time", "parking", "reservation")},
    "remark": may(text(255)),
    "invoice_reference_id": may(ci_string(39)),
    "credit": may(boolean),
    "credit_reference_id": may(ci_string(39)),
    "home_charging_compensation": may(boolean),
}
_RESULT: Shape = {
    "result": needs(
        one_of(
            *("ACCEPTED", "CANCELED_RESERVATION", "EVSE_OCCUPIED", "EVSE_INOPERATIVE", "FAILED", "NOT_SUPPORTED"),
            *("REJECTED", "TIMEOUT", "UNKNOWN_RESERVATION"),
        )
    ),
    "message": may(many(inner({"language": needs(exactly(2)), "text": needs(text(512))}))),
}
_REFERENCES: Shape = {"location_id": needs(ci_string(36)), "evse_uids": may(many(ci_string(36)))}


def check_asked(uid: str, type_: str, wire: Any) -> tuple[str, str]:
    """Checks a real-time authorisation; gives location id and EVSE uid.

    Raises:
        Refusal: 2002 where no location or no EVSE is named.
        Wrong: Anything else, several EVSEs among it.
    """
    if type_ not in TOKEN_TYPES:
        raise Wrong(f"type is none of {', '.join(TOKEN_TYPES)}")
    if type_ == "RFID" and not RFID_UID.fullmatch(uid):
        # Guide, RFID Tokens: bad formats are rejected.
        raise Wrong("the RFID UID has neither 8 nor 14 hexadecimal digits")
    if not isinstance(wire, Mapping) or not wire.get("location_id"):
        raise Refusal(400, StatusCode.NOT_ENOUGH_INFORMATION, "LocationReferences are missing")
    evses = checked(wire, _REFERENCES).get("evse_uids") or []
    if not evses:
        raise Refusal(400, StatusCode.NOT_ENOUGH_INFORMATION, "LocationReferences name no EVSE")
    if len(evses) > 1:
        raise Wrong("LocationReferences name more than one EVSE")
    return wire["location_id"], evses[0]


def check_session(wire: Any) -> Mapping[str, Any]:
    """Checks a session."""
    checked(wire, _SESSION)
    if wire.get("end_date_time") is not None and _moment(wire["end_date_time"]) < _moment(wire["start_date_time"]):
        raise Wrong("end_date_time is before start_date_time")
    return wire  # type: ignore[no-any-return]


def check_cdr(wire: Any, now: datetime) -> Mapping[str, Any]:
    """Checks a CDR; a credit one may have negative figures."""
    checked(wire, _CDR)
    start, end = _moment(wire["start_date_time"]), _moment(wire["end_date_time"])
    if end < start:
        raise Wrong("end_date_time is before start_date_time")
    if end > now + AHEAD:
        raise Wrong("end_date_time is in the future")
    credit = bool(wire.get("credit"))
    if credit != (wire.get("credit_reference_id") is not None):
        raise Wrong("credit and credit_reference_id go together")
    if not credit and wire["total_energy"] < 0:
        raise Wrong("total_energy is negative")
    consumed = [
        dimension
        for period in wire["charging_periods"]
        for dimension in period["dimensions"]
        if dimension["type"] in _SESSION_ONLY or dimension["type"] == "ENERGY"
    ]
    if wrong := [dimension["type"] for dimension in consumed if dimension["type"] in _SESSION_ONLY]:
        raise Wrong(f"{wrong[0]} is for sessions only")
    if consumed and abs(sum(dimension["volume"] for dimension in consumed) - wire["total_energy"]) > _TOLERANCE:
        raise Wrong("total_energy is not what the charging periods add up to")
    if wire.get("total_parking_time") is not None and wire["total_parking_time"] > wire["total_time"]:
        raise Wrong("total_parking_time is longer than total_time")
    return wire  # type: ignore[no-any-return]


def check_result(wire: Any) -> Mapping[str, Any]:
    """Checks a CommandResult."""
    return checked(wire, _RESULT)


def _moment(text_: str) -> datetime:
    moment = datetime.fromisoformat(text_)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
