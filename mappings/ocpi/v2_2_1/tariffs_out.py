"""Tariffs to the wire (OCPI 2.2.1, mod_tariffs): no nulls, no empty optional lists."""

from decimal import Decimal

from mappings.canonical.base import json_number
from mappings.canonical.tariffs import Money, Tariff, TariffElement, TariffRestrictions
from mappings.ocpi import numbers, times, values
from mappings.ocpi.reading import Path, show
from mappings.ocpi.v2_2_1 import enums, texts
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.tariffs_in import COMPONENT, DURATIONS, NUMBERS, RESTRICTIONS, TARIFF, VAT, Dimensions
from mappings.report import IssueKind, Report


def tariff(source: Tariff, dimensions: Dimensions, report: Report) -> w.Wire:
    """Writes a tariff as if it had no target; `dimensions` is what may be priced.

    Raises:
        Refused: A dimension or a tax cannot be said, or the party has no country of two letters.
    """
    if source.party.country.startswith("+"):
        raise report.refuse("party", "OCPI has only country codes of two letters", source.party)
    made = values.given_back(source.unknown, TARIFF)
    made |= {"country_code": source.party.country, "party_id": source.party.code, "id": source.id}
    made["currency"] = source.currency
    if source.type is not None:
        made["type"] = values.said(enums.TARIFF_TYPES, source.type, report, (), "type")
    _told(source, made, report)
    for field, money in (("min_price", source.min_price), ("max_price", source.max_price)):
        if money is not None:
            made[field] = _price(money, report, (field,))
    made["elements"] = [
        _element(each, dimensions, report, ("elements", index)) for index, each in enumerate(source.elements)
    ]
    for field, moment in (("start_date_time", source.start), ("end_date_time", source.end)):
        if moment is not None:
            made[field] = times.write(moment)
    made["last_updated"] = times.write(source.last_updated)
    return made


def _told(source: Tariff, made: w.Wire, report: Report) -> None:
    """Adds what is only told to the driver."""
    if texts_said := texts.texts_out(source.texts, report, ("texts",)):
        made["tariff_alt_text"] = texts_said
    if url := values.link(source.url, report, (), "url"):
        made["tariff_alt_url"] = url
    if source.energy_mix is not None:
        made["energy_mix"] = texts.energy_out(source.energy_mix, report, ("energy_mix",))


def _price(money: Money, report: Report, path: Path) -> w.Wire:
    made: w.Wire = {"excl_vat": _number(money.net, report, (*path, "net"))}
    if not money.taxes:
        return made
    total = Decimal(0)
    for index, tax in enumerate(money.taxes):
        at = (*path, "taxes", index)
        amount = tax.amount
        if amount is None:
            if tax.percentage is None:
                raise report.refuse(show(at), "neither a rate nor an amount")
            amount = money.net * tax.percentage / 100
        if tax.name != VAT or tax.percentage is not None:
            report.add(IssueKind.NARROWED, show(at), "only its amount is said, as part of incl_vat", tax.name)
        total += amount
    if len(money.taxes) > 1:
        report.add(IssueKind.NARROWED, show((*path, "taxes")), "several taxes are said as one sum")
    made["incl_vat"] = _number(money.net + total, report, (*path, "taxes"))
    return made


def _number(value: Decimal, report: Report, path: Path) -> int | float:
    if not numbers.exact(value):
        report.add(IssueKind.NARROWED, show(path), "more digits than a JSON number carries safely", value)
    return json_number(value)


def _element(element: TariffElement, dimensions: Dimensions, report: Report, path: Path) -> w.Wire:
    components = []
    for index, each in enumerate(element.price_components):
        at = (*path, "price_components", index)
        wire = values.given_back(each.unknown, COMPONENT)
        wire["type"] = values.said_or_refused(dimensions, each.type, report, at, "type")
        wire["price"] = _number(each.price, report, (*at, "price"))
        if each.vat is not None:
            wire["vat"] = _number(each.vat, report, (*at, "vat"))
        wire["step_size"] = each.step_size
        components.append(wire)
    made: w.Wire = {"price_components": components}
    if element.restrictions is not None:
        made["restrictions"] = _restrictions(element.restrictions, report, (*path, "restrictions"))
    return made


def _restrictions(source: TariffRestrictions, report: Report, path: Path) -> w.Wire:
    made = values.given_back(source.unknown, RESTRICTIONS)
    for field in ("start_time", "end_time", "start_date", "end_date", *DURATIONS):
        value = getattr(source, field)
        if value is not None:
            made[field] = value
    for field in NUMBERS:
        value = getattr(source, field)
        if value is not None:
            made[field] = _number(value, report, (*path, field))
    if source.day_of_week:
        made["day_of_week"] = [enums.DAYS_OF_WEEK.from_canonical(day).value for day in source.day_of_week]
    if source.reservation is not None:
        made["reservation"] = enums.RESERVATION_RESTRICTIONS.from_canonical(source.reservation).value
    return made
