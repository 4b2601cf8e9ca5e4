"""Tariffs to the wire (OCPI 2.2.1, mod_tariffs): no nulls, no empty optional lists."""

from mappings.canonical.tariffs import Tariff, TariffElement, TariffRestrictions
from mappings.ocpi import times, values
from mappings.ocpi.reading import Path
from mappings.ocpi.v2_2_1 import enums, prices, texts
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.tariffs_in import COMPONENT, DURATIONS, NUMBERS, RESTRICTIONS, TARIFF, Dimensions
from mappings.report import Report


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
            made[field] = prices.price_out(money, report, (field,))
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


def _element(element: TariffElement, dimensions: Dimensions, report: Report, path: Path) -> w.Wire:
    components = []
    for index, each in enumerate(element.price_components):
        at = (*path, "price_components", index)
        wire = values.given_back(each.unknown, COMPONENT)
        wire["type"] = values.said_or_refused(dimensions, each.type, report, at, "type")
        wire["price"] = prices.number_out(each.price, report, (*at, "price"))
        if each.vat is not None:
            wire["vat"] = prices.number_out(each.vat, report, (*at, "vat"))
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
            made[field] = prices.number_out(value, report, (*path, field))
    if source.day_of_week:
        made["day_of_week"] = [enums.DAYS_OF_WEEK.from_canonical(day).value for day in source.day_of_week]
    if source.reservation is not None:
        made["reservation"] = enums.RESERVATION_RESTRICTIONS.from_canonical(source.reservation).value
    return made
