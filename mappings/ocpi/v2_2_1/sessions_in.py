"""Sessions and charging preferences from the wire (OCPI 2.2.1, mod_sessions); nothing that costs is guessed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from mappings.canonical.sessions import ChargingPreferences, Session
from mappings.ocpi import values
from mappings.ocpi.reading import Path, Reader, Rule, Rules, show
from mappings.ocpi.v2_2_1 import enums_charging as enums
from mappings.ocpi.v2_2_1 import periods, prices, tokens_in
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1 import wire_charging as wc
from mappings.ocpi.v2_2_1.locations_in import last_updated, party
from mappings.report import Report
from mappings.tables import EnumTable

RULES: Rules = {"meter_id": Rule.SET_ASIDE}
SESSIONS: Reader[wc.Session] = Reader(wc.Session, RULES, tokens_in.SECRET)
PREFERENCES: Reader[wc.ChargingPreferences] = Reader(wc.ChargingPreferences, {})

SESSION = w.names(wc.Session)
_PREFERENCES = w.names(wc.ChargingPreferences)
_LONGEST_METER = 255


def session(wire: wc.Session, report: Report, received: datetime | None) -> Session:
    """Builds a session; `received` stands in where it has no `last_updated`.

    Raises:
        Refused: Its party, an id, the driver, money, energy, a time or a status cannot be read.
    """
    owner = party(wire["country_code"], wire["party_id"], report, ())
    fields = session_fields(wire, report)
    fields["last_updated"] = last_updated(wire.get("last_updated"), report, (), received)
    return Session(**{**fields, "party": owner})


def session_fields(wire: Mapping[str, Any], report: Report) -> dict[str, Any]:
    """Reads the fields that are there, but for the CPO: of a whole session, or of a PATCH of one."""
    unknown = values.kept(wire, SESSION, report, ())
    fields: dict[str, Any] = {}
    for name, (field, read) in _FIELDS.items():
        if wire.get(name) is not None:
            fields[field] = read(wire[name], report, name)
    if unknown:
        fields["unknown"] = unknown
    return fields


def _own_id(text: str, report: Report, name: str) -> str:
    return values.own_id(text, values.LONGEST_ID, report, (), name)


def _moment(text: str, report: Report, name: str) -> datetime:
    return values.moment(text, report, (), name)


def _word(table: EnumTable[Any, Any]) -> Callable[[Any, Report, str], Any]:
    return lambda text, report, name: values.decisive(table, text, report, (), name)


_FIELDS: dict[str, tuple[str, Callable[[Any, Report, str], Any]]] = {
    "id": ("id", _own_id),
    "start_date_time": ("start", _moment),
    "end_date_time": ("end", _moment),
    "kwh": ("energy", lambda value, report, name: no_less_than_zero(value, report, (), name)),
    "cdr_token": ("identification", lambda wire, report, name: tokens_in.cdr_token(wire, report, (name,))),
    "auth_method": ("auth_method", _word(enums.AUTH_METHODS)),
    "authorization_reference": ("reference", _own_id),
    "location_id": ("location_id", _own_id),
    "evse_uid": ("evse_uid", _own_id),
    "connector_id": ("connector_id", _own_id),
    "meter_id": ("meter_id", lambda text, report, _name: meter(text, report)),
    "currency": ("currency", lambda text, report, _name: prices.currency(text, report)),
    "charging_periods": ("periods", lambda wires, report, name: periods.periods_in(wires, report, (name,))),
    "total_cost": ("total_cost", lambda wire, report, name: prices.price_in(wire, report, (name,))),
    "status": ("status", _word(enums.SESSION_STATUSES)),
    "last_updated": ("last_updated", _moment),
}
RENAMED = {name: field for name, (field, _read) in _FIELDS.items() if name != field}
"""The canonical names of the wire's fields, where they differ."""


def no_less_than_zero(value: float, report: Report, path: Path, field: str) -> Decimal:
    """Reads an amount of energy or time.

    Raises:
        Refused: It is negative, or more than any model holds.
    """
    number = values.number(value, report, path, field)
    if number < 0:
        raise report.refuse(show((*path, field)), "is negative", value)
    return number


def meter(text: str, report: Report) -> str:
    """Reads the meter's id, cut to the length that OCPI allows."""
    return values.fit(text, _LONGEST_METER, report, (), "meter_id")


def preferences(wire: wc.ChargingPreferences, report: Report) -> ChargingPreferences:
    """Builds charging preferences.

    Raises:
        Refused: The profile, the time or the energy cannot be read.
    """
    values.dropped(wire, _PREFERENCES, report, ())
    departure, need = wire.get("departure_time"), wire.get("energy_need")
    return ChargingPreferences(
        profile=values.decisive(enums.PROFILES, wire["profile_type"], report, (), "profile_type"),
        departure=None if departure is None else values.moment(departure, report, (), "departure_time"),
        energy_need=None if need is None else no_less_than_zero(need, report, (), "energy_need"),
        discharge_allowed=wire.get("discharge_allowed"),
    )
