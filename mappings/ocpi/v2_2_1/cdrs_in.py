"""CDRs from the wire (OCPI 2.2.1, mod_cdrs); money, energy and time are never guessed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from mappings.canonical.cdrs import Cdr, CdrLocation, SignedData, SignedValue
from mappings.canonical.ids import EvseId
from mappings.canonical.tariffs import Tariff
from mappings.ocpi import countries, values
from mappings.ocpi.reading import Path, Reader, Rule, Rules, show
from mappings.ocpi.v2_2_1 import enums, periods, prices, sessions_in, tariffs_in, tokens_in
from mappings.ocpi.v2_2_1 import enums_charging as charging
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1 import wire_charging as wc
from mappings.ocpi.v2_2_1.locations_in import last_updated, party
from mappings.report import IssueKind, Refused, Report

RULES: Rules = {
    **dict.fromkeys(("meter_id", "remark", "signed_data"), Rule.SET_ASIDE),
    **dict.fromkeys((f"cdr_location.{field}" for field in ("name", "postal_code", "state")), Rule.SET_ASIDE),
    **{f"tariffs[].{field}": rule for field, rule in tariffs_in.RULES.items()},
}
CDRS: Reader[wc.Cdr] = Reader(wc.Cdr, RULES, tokens_in.SECRET)

ReadTariff = Callable[[w.Tariff, Report, datetime], Tariff]

CDR = w.names(wc.Cdr)
_LOCATION, _SIGNED, _VALUE = w.names(wc.CdrLocation), w.names(wc.SignedData), w.names(wc.SignedValue)

NOT_AVAILABLE = "#NA"
"""What a text stands for that is demanded and cannot be given (transport_and_format, No data available)."""

COSTS = {
    "total_fixed_cost": "fixed_cost",
    "total_energy_cost": "energy_cost",
    "total_time_cost": "time_cost",
    "total_parking_cost": "parking_cost",
    "total_reservation_cost": "reservation_cost",
}
_LONGEST_CREDIT = 39  # of a credit CDR and an invoice
LONGEST_SIGNED = 5000
"""Of a signed value, and of what was signed."""


def cdr(wire: wc.Cdr, read_tariff: ReadTariff, report: Report, received: datetime | None) -> Cdr:
    """Builds a CDR.

    Args:
        wire: As read.
        read_tariff: Builds one of its tariffs; the moment stands in where that has no `last_updated`.
        report: Takes the issues.
        received: Stands in where it has no `last_updated`.

    Raises:
        Refused: Its party, an id, the driver, the place, money, energy or a time cannot be read; or it is a credit of
            no CDR.
    """
    unknown = values.kept(wire, CDR, report, ())
    parking, meter = wire.get("total_parking_time"), wire.get("meter_id")
    updated = last_updated(wire.get("last_updated"), report, (), received)
    fields: dict[str, Any] = {
        "party": party(wire["country_code"], wire["party_id"], report, ()),
        "id": values.own_id(wire["id"], _LONGEST_CREDIT, report, (), "id"),
        "start": values.moment(wire["start_date_time"], report, (), "start_date_time"),
        "end": values.moment(wire["end_date_time"], report, (), "end_date_time"),
        "identification": tokens_in.cdr_token(wire["cdr_token"], report, ("cdr_token",)),
        "auth_method": values.decisive(charging.AUTH_METHODS, wire["auth_method"], report, (), "auth_method"),
        "location": _location(wire["cdr_location"], report, ("cdr_location",), unknown),
        "meter_id": None if meter is None else sessions_in.meter(meter, report),
        "currency": prices.currency(wire["currency"], report),
        "tariffs": _tariffs(wire.get("tariffs"), read_tariff, report, updated),
        "periods": periods.periods_in(wire["charging_periods"], report, ("charging_periods",)),
        "signed_data": _signed(wire.get("signed_data"), report, ("signed_data",)),
        "energy": sessions_in.no_less_than_zero(wire["total_energy"], report, (), "total_energy"),
        "time": sessions_in.no_less_than_zero(wire["total_time"], report, (), "total_time"),
        "parking_time": (
            None if parking is None else sessions_in.no_less_than_zero(parking, report, (), "total_parking_time")
        ),
        "total_cost": prices.price_in(wire["total_cost"], report, ("total_cost",)),
        "remark": wire.get("remark"),
        "credit": wire.get("credit") or False,
        "home_compensation": wire.get("home_charging_compensation") or False,
        "last_updated": updated,
        "unknown": unknown,
    }
    costs: dict[str, w.Price | None] = {name: wire.get(name) for name in COSTS}  # type: ignore[misc]  # names of Cdr
    fields |= {COSTS[name]: prices.price_in(price, report, (name,)) for name, price in costs.items()}
    fields |= _ids(wire, report)
    if fields["credit"] and fields["credited_cdr"] is None:
        raise report.refuse("credit_reference_id", "is missing, and this is a credit")
    return Cdr(**fields)


def _ids(wire: wc.Cdr, report: Report) -> dict[str, str | None]:
    given = {
        ("session_id", "session_id", values.LONGEST_ID): wire.get("session_id"),
        ("authorization_reference", "reference", values.LONGEST_ID): wire.get("authorization_reference"),
        ("invoice_reference_id", "invoice_id", _LONGEST_CREDIT): wire.get("invoice_reference_id"),
        ("credit_reference_id", "credited_cdr", _LONGEST_CREDIT): wire.get("credit_reference_id"),
    }
    return {
        field: None if text is None else values.own_id(text, limit, report, (), name)
        for (name, field, limit), text in given.items()
    }


def _location(wire: wc.CdrLocation, report: Report, path: Path, unknown: dict[str, Any]) -> CdrLocation:
    values.dropped(wire, _LOCATION, report, path)
    unread = values.unread(wire)
    country = countries.mend(wire["country"])
    if country is None:
        raise report.refuse(show((*path, "country")), "not an ISO 3166-1 alpha-3 code", wire["country"])
    if country != wire["country"]:
        report.add(IssueKind.MENDED, show((*path, "country")), f"read as {country}", wire["country"])
    at, evse_id = wire["coordinates"], wire["evse_id"]
    made = CdrLocation(
        id=values.own_id(wire["id"], values.LONGEST_ID, report, path, "id"),
        evse_uid=values.own_id(wire["evse_uid"], values.LONGEST_ID, report, path, "evse_uid"),
        connector_id=values.own_id(wire["connector_id"], values.LONGEST_ID, report, path, "connector_id"),
        evse_id=None if evse_id == NOT_AVAILABLE else EvseId(evse_id),
        name=wire.get("name"),
        address=wire["address"],
        city=wire["city"],
        postal_code=wire.get("postal_code"),
        state=wire.get("state"),
        country=country,
        coordinates=values.point(at["latitude"], at["longitude"], report, (*path, "coordinates")),
        connector_standard=values.informational(
            enums.CONNECTOR_STANDARDS, wire["connector_standard"], report, path, "connector_standard", unread
        ),
        connector_format=values.informational(
            enums.CONNECTOR_FORMATS, wire["connector_format"], report, path, "connector_format", unread
        ),
        connector_power_type=values.informational(
            enums.POWER_TYPES, wire["connector_power_type"], report, path, "connector_power_type", unread
        ),
    )
    if unread:
        unknown["cdr_location"] = unread
    return made


def _tariffs(wires: list[w.Tariff] | None, read: ReadTariff, report: Report, received: datetime) -> tuple[Tariff, ...]:
    made = []
    for index, wire in enumerate(wires or ()):
        place, inner = f"tariffs[{index}].", Report()
        try:
            made.append(read(wire, inner, received))
        except Refused as refused:
            reason = refused.reason
            raise report.refuse(place + reason.field, reason.detail, reason.value) from None
        report.issues += [issue._replace(field=place + issue.field) for issue in inner.issues]
    return tuple(made)


def _signed(wire: wc.SignedData | None, report: Report, path: Path) -> SignedData | None:
    if wire is None:
        return None
    values.dropped(wire, _SIGNED, report, path)
    made = []
    for index, each in enumerate(wire["signed_values"]):
        at = (*path, "signed_values", index)
        values.dropped(each, _VALUE, report, at)
        nature = charging.SIGNED_NATURES.mend(each["nature"])
        if nature is None:
            report.add(IssueKind.LEFT_OUT, show(at), "left out: its nature is none of OCPI's", each["nature"])
        elif not 0 < len(each["signed_data"]) <= LONGEST_SIGNED:
            report.add(IssueKind.LEFT_OUT, show(at), f"left out: not of 1 to {LONGEST_SIGNED} characters")
        else:
            made.append(SignedValue(nature=nature, plain=_given(each["plain_data"]), signed=each["signed_data"]))
    return SignedData(
        method=_given(wire["encoding_method"]),
        method_version=wire.get("encoding_method_version"),
        public_key=wire.get("public_key"),
        url=wire.get("url"),
        values=tuple(made),
    )


def _given(text: str) -> str | None:
    return None if text == NOT_AVAILABLE else text
