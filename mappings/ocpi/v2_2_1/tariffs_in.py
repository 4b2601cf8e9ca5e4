"""Tariffs from the wire (OCPI 2.2.1, mod_tariffs); money, energy and time are never guessed."""

import re
from datetime import date, datetime
from typing import Any

from mappings.canonical.tariffs import (
    PriceComponent,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffRestrictions,
)
from mappings.ocpi import values
from mappings.ocpi.reading import Path, Reader, Rule, Rules, show
from mappings.ocpi.v2_2_1 import enums, prices, texts
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.locations_in import last_updated, party
from mappings.report import IssueKind, Report
from mappings.tables import EnumTable

Dimensions = EnumTable[TariffDimension, Any]

RULES: Rules = {
    **dict.fromkeys(("tariff_alt_text", "tariff_alt_url", "energy_mix"), Rule.SET_ASIDE),
    "tariff_alt_text[]": Rule.LEAVE_OUT,
}
TARIFFS: Reader[w.Tariff] = Reader(w.Tariff, RULES)
TARIFF, _ELEMENT = w.names(w.Tariff), w.names(w.TariffElement)
COMPONENT, RESTRICTIONS = w.names(w.PriceComponent), w.names(w.TariffRestrictions)

_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
NUMBERS = ("min_kwh", "max_kwh", "min_current", "max_current", "min_power", "max_power")
DURATIONS = ("min_duration", "max_duration")


def tariff(wire: w.Tariff, dimensions: Dimensions, report: Report, received: datetime | None) -> Tariff:
    """Builds a tariff; `dimensions` is what may be priced, `received` stands in where it has no `last_updated`.

    Raises:
        Refused: Money, energy, a time or a restriction cannot be read.
    """
    unknown = {} if wire.keys() <= TARIFF else values.kept(wire, TARIFF, report, ())
    kind = wire.get("type")
    mix = wire.get("energy_mix")
    tariff_id = wire["id"]
    if not 0 < len(tariff_id) <= values.LONGEST_ID:
        raise report.refuse("id", "not of 1 to 36 characters", tariff_id)
    elements = wire["elements"]
    if not elements:
        raise report.refuse("elements", "empty, where OCPI demands one element")
    return Tariff(
        party=party(wire["country_code"], wire["party_id"], report, ()),
        id=tariff_id,
        currency=prices.currency(wire["currency"], report),
        type=None if kind is None else values.decisive(enums.TARIFF_TYPES, kind, report, (), "type"),
        texts=texts.texts_in(wire.get("tariff_alt_text"), report, ("tariff_alt_text",)),
        url=wire.get("tariff_alt_url"),
        min_price=prices.price_in(wire.get("min_price"), report, ("min_price",)),
        max_price=prices.price_in(wire.get("max_price"), report, ("max_price",)),
        elements=tuple(_element(each, dimensions, report, ("elements", index)) for index, each in enumerate(elements)),
        start=_optional_moment(wire.get("start_date_time"), report, "start_date_time"),
        end=_optional_moment(wire.get("end_date_time"), report, "end_date_time"),
        energy_mix=None if mix is None else texts.energy_in(mix, report, ("energy_mix",)),
        last_updated=last_updated(wire.get("last_updated"), report, (), received),
        unknown=unknown,
    )


def _optional_moment(text: str | None, report: Report, field: str) -> datetime | None:
    return None if text is None else values.moment(text, report, (), field)


def _element(wire: w.TariffElement, dimensions: Dimensions, report: Report, path: Path) -> TariffElement:
    values.dropped(wire, _ELEMENT, report, path)
    components = wire["price_components"]
    if not components:
        raise report.refuse(show((*path, "price_components")), "empty, where OCPI demands one")
    restrictions = wire.get("restrictions")
    return TariffElement(
        price_components=tuple(
            _component(each, dimensions, report, (*path, "price_components", index))
            for index, each in enumerate(components)
        ),
        restrictions=None if restrictions is None else _restrictions(restrictions, report, (*path, "restrictions")),
    )


def _component(wire: w.PriceComponent, dimensions: Dimensions, report: Report, path: Path) -> PriceComponent:
    unknown = values.kept(wire, COMPONENT, report, path)
    kind = values.decisive(dimensions, wire["type"], report, path, "type")
    vat, step = wire.get("vat"), wire.get("step_size")
    if step is None:
        if kind is not TariffDimension.FLAT:
            raise report.refuse(show((*path, "step_size")), "is missing")
        step = 1
        report.add(IssueKind.MENDED, show((*path, "step_size")), "is missing; a flat fee has no steps, so it is 1")
    if vat is not None and 0 < vat < 1:
        report.add(IssueKind.SUSPECT, show((*path, "vat")), "a percentage below one; kept as given", vat)
    return PriceComponent(
        type=kind,
        price=values.number(wire["price"], report, path, "price"),
        vat=None if vat is None else values.number(vat, report, path, "vat"),
        step_size=step,
        unknown=unknown,
    )


def _restrictions(wire: w.TariffRestrictions, report: Report, path: Path) -> TariffRestrictions | None:
    given: dict[str, Any] = {field: value for field, value in wire.items() if value is not None}
    fields: dict[str, Any] = {}
    for field in ("start_time", "end_time"):
        if field in given:
            fields[field] = time_of_day(given[field], report, path, field)
    for field in ("start_date", "end_date"):
        if field in given:
            if not _is_date(given[field]):
                raise report.refuse(show((*path, field)), "not a date like 2015-12-24", given[field])
            fields[field] = given[field]
    fields |= {field: values.number(given[field], report, path, field) for field in NUMBERS if field in given}
    fields |= {field: given[field] for field in DURATIONS if field in given}
    if days := given.get("day_of_week"):
        at = (*path, "day_of_week")
        found = [values.decisive(enums.DAYS_OF_WEEK, day, report, at, str(index)) for index, day in enumerate(days)]
        fields["day_of_week"] = tuple(dict.fromkeys(found))
    if "reservation" in given:
        fields["reservation"] = values.decisive(
            enums.RESERVATION_RESTRICTIONS, given["reservation"], report, path, "reservation"
        )
    unknown = values.kept(wire, RESTRICTIONS, report, path)
    if unknown:
        fields["unknown"] = unknown
    return TariffRestrictions(**fields) if fields else None


def _is_date(text: str) -> bool:
    if _DATE.fullmatch(text) is None:
        return False
    try:
        date.fromisoformat(text)
    except ValueError:  # 30 February, or the year 0
        return False
    return True


def time_of_day(text: str, report: Report, path: Path, field: str) -> str:
    """Reads a time of day; one that ends something may be 24:00.

    Raises:
        Refused: It is none.
    """
    if _CLOCK.fullmatch(text):
        return text
    # OCPI: to stop at the end of the day, 00:00. Seconds that are zero say nothing.
    read = "00:00" if text.startswith("24:00") and field == "end_time" else text.removesuffix(":00")
    if _CLOCK.fullmatch(read) is None:
        raise report.refuse(show((*path, field)), "not a time of day like 13:30", text)
    report.add(IssueKind.MENDED, show((*path, field)), f"read as {read}", text)
    return read
