"""Gireve's tariffs: for whom they are, when a charge has to begin, and how they are rounded.

The source is Gireve's technical guides: for OCPI 2.2.1 (tariffs: target and SESSION_TIME), and for OCPI 2.1.1 (tariffs
of EMSPs, "Specific properties added by Gireve"), which alone describes `restriction` of a tariff, `price_round`,
`step_round` and `exact_price_component`. That guide names these four on the way to an EMSP, for tariffs that a CPO
wrote into the roaming agreement; of tariffs that come by OCPI it says that they have no rounding but Gireve's own. So
all of it is read and written here, and `heeded` says what is known to count of a CPO's.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import (
    PriceRounding,
    RoundingRule,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffType,
)
from mappings.ocpi.dialects import gireve_terms as terms
from mappings.ocpi.reading import Path, show
from mappings.ocpi.v2_2_1 import pages, tariffs_in, tariffs_out, wire
from mappings.report import Issue, IssueKind, Refused, Report
from mappings.tables import EnumTable

Source = bytes | str | Mapping[str, Any]
Wire = wire.Wire

_COUNTRY, _PARTY = "target_operator_country_code", "target_operator_party_id"
_OTHER_RESTRICTION = "restrictions"
"""As the guide's prose spells the field once; its table has `restriction`."""

_OWN = frozenset({"gireve_id", _COUNTRY, _PARTY, _OTHER_RESTRICTION, terms.RESTRICTION, *terms.OF_COMPONENT})


class WireDimension(StrEnum):
    """OCPI's dimensions and Gireve's SESSION_TIME."""

    ENERGY = "ENERGY"
    FLAT = "FLAT"
    PARKING_TIME = "PARKING_TIME"
    TIME = "TIME"
    SESSION_TIME = "SESSION_TIME"


DIMENSIONS = EnumTable(
    TariffDimension, WireDimension, {member: WireDimension(member.value) for member in TariffDimension}
)
DEFAULT_ROUNDING: Final = PriceRounding(places=3, rule=RoundingRule.ROUND_NEAR)
"""How Gireve rounds a tariff that came by OCPI (guide for 2.1.1, PriceComponent.price_round); its steps go up."""


def to_canonical(source: Source, received: datetime | None = None) -> tuple[Tariff, list[Issue]]:
    """Reads a tariff with all that Gireve adds.

    Raises:
        Refused: As in plain OCPI; half a target, for whom the price is being unknown; or hours or a rounding that
            cannot be read, since money hangs on them.
    """
    report = Report(own=_OWN)
    tariff = tariffs_in.tariff(tariffs_in.TARIFFS.read(source, report), DIMENSIONS, report, received)
    update: dict[str, Any] = {}
    unknown = dict(tariff.unknown)
    if _COUNTRY in unknown or _PARTY in unknown:
        update["target"] = _target(unknown.pop(_COUNTRY, None), unknown.pop(_PARTY, None), report)
    if _OTHER_RESTRICTION in unknown and terms.RESTRICTION not in unknown:
        unknown[terms.RESTRICTION] = unknown.pop(_OTHER_RESTRICTION)
        report.add(IssueKind.MENDED, _OTHER_RESTRICTION, f"read as {terms.RESTRICTION!r}")
    if terms.RESTRICTION in unknown:
        update["hours"] = terms.hours_in(unknown, report)
    elements = tuple(_element_in(each, report, ("elements", index)) for index, each in enumerate(tariff.elements))
    if any(a is not b for a, b in zip(elements, tariff.elements, strict=True)):
        update["elements"] = elements
    if update:
        tariff = tariff.model_copy(update={**update, "unknown": unknown})
    return tariff, report.issues


def key(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys a pulled tariff by its party, its id and the EMSP that it is for, "" for all.

    Raises:
        Refused: One of them cannot be read.
    """
    country, party = record.get(_COUNTRY), record.get(_PARTY)
    if country is None and party is None:
        return pages.by_target(record)
    try:
        target = PartyId.of(str(country), str(party))
    except ValueError:
        raise Refused(_PARTY, "the target is no party") from None
    return *pages.by_id(record), target.normal


def from_canonical(tariff: Tariff) -> tuple[Wire, list[Issue]]:
    """Writes a tariff for Gireve, with all that Gireve adds.

    Raises:
        Refused: As in plain OCPI but for what Gireve adds; the target has no country of two letters; or there are more
            than two spans of hours.
    """
    report = Report()
    made = tariffs_out.tariff(tariff, DIMENSIONS, report)
    if tariff.target is not None:
        if tariff.target.country.startswith("+"):
            raise report.refuse("target", "OCPI has only country codes of two letters", tariff.target)
        made[_COUNTRY], made[_PARTY] = tariff.target.country, tariff.target.code
    if tariff.hours is not None:
        terms.hours_out(tariff.hours, made, report)
    for element, said in zip(tariff.elements, made["elements"], strict=True):
        for component, wire_component in zip(element.price_components, said["price_components"], strict=True):
            terms.component_out(component, wire_component)
    if tariff.type not in {None, TariffType.REGULAR}:
        report.add(IssueKind.LOST, "type", "Gireve stores it, and forwards only REGULAR to EMSPs", tariff.type)
    if tariff.start is None:
        report.add(IssueKind.SUSPECT, "start", "is missing: Gireve takes the day it receives the tariff")
    return made, report.issues


def heeded(tariff: Tariff) -> tuple[Tariff, list[Issue]]:
    """Gives what Gireve is known to heed of a CPO's tariff, with an issue for each price that this may change.

    Returns:
        The tariff with Gireve's own roundings where it has others, and without hours; and the issues, none where all
        of it counts. What is not known to be heeded may be sent all the same.
    """
    report = Report()
    update: dict[str, Any] = {}
    if tariff.hours is not None:
        detail = "Gireve's guide has them only for tariffs in the roaming agreement: it may take this one for all hours"
        report.add(IssueKind.NARROWED, "hours", detail)
        update["hours"] = None
    elements = tuple(_heeded(each, report, ("elements", index)) for index, each in enumerate(tariff.elements))
    if report.issues:
        tariff = tariff.model_copy(update={**update, "elements": elements})
    return tariff, report.issues


def _heeded(element: TariffElement, report: Report, path: Path) -> TariffElement:
    components = []
    for index, component in enumerate(element.price_components):
        at, update = (*path, "price_components", index), dict[str, Any]()
        if component.price_rounding not in {None, DEFAULT_ROUNDING}:
            update["price_rounding"] = DEFAULT_ROUNDING
            detail = "Gireve's guide has tariffs that come by OCPI rounded to thousandths, to the nearest"
            report.add(IssueKind.NARROWED, show((*at, "price_rounding")), detail)
        if component.step_rounding not in {None, RoundingRule.ROUND_UP}:
            update["step_rounding"] = RoundingRule.ROUND_UP
            detail = "Gireve's guide has begun steps of tariffs that come by OCPI counted as whole ones"
            report.add(IssueKind.NARROWED, show((*at, "step_rounding")), detail, component.step_rounding)
        components.append(component.model_copy(update=update))
    return element.model_copy(update={"price_components": tuple(components)})


def _target(country: object, party: object, report: Report) -> PartyId | None:
    if country is None and party is None:
        return None
    try:
        return PartyId.of(str(country), str(party))
    except ValueError:
        raise report.refuse(_PARTY, "the target is no party", f"{country} {party}") from None


def _element_in(element: TariffElement, report: Report, path: Path) -> TariffElement:
    components = tuple(
        terms.component_in(each, report, (*path, "price_components", index))
        for index, each in enumerate(element.price_components)
    )
    if all(a is b for a, b in zip(components, element.price_components, strict=True)):
        return element
    return element.model_copy(update={"price_components": components})
