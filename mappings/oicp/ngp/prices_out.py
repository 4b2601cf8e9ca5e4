"""Tariffs as the NGP API's named tariffs and weekly time plans, one plan for each EVSE group.

A plan says what a kWh, an hour or minute of charging and of parking, and a session cost in each part of each day, net.
What a tariff asks for beyond that is refused by its field:

- limits by kWh, power, current, duration or date, of the whole price, and hours in which a charge has to begin;
- prices of reservations;
- a BLOCKING_FEE cannot be said either: from when its grace period counts is read (FeeInitiated), and not sent;
- steps, roundings and a highest price, unless whoever publishes wants them left out: then each is an issue, NARROWED.
  Without it a charge costs no less than what the tariff asks, so that nobody is promised too little;
- a price whose hour or minute has no number that JSON holds.

A session's time is said as the time charging and that parking, at the same price. What is free in a part of a day costs
0 a kWh, since a day without a gap is what Hubject's examples show. VAT, texts, links and the mix of energy are lost.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from mappings.canonical import weekly_prices
from mappings.canonical.base import json_number
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import PriceComponent, Tariff, TariffDimension, TariffElement, TariffType
from mappings.canonical.weekly_prices import Prices, Week
from mappings.oicp.ngp import wire
from mappings.oicp.ngp.enums import COMPONENTS, PER_HOUR
from mappings.oicp.ngp.vocabulary import ReferenceUnit, Weekday
from mappings.report import Issue, IssueKind, Refused, Report

COLORS: Final = ("Powder blue", "Iceberg", "Indigo", "Water blue", "Carolina")
"""What the portal paints slots in; demanded, and without meaning."""

_BY_TIME: Final = frozenset({TariffDimension.TIME, TariffDimension.PARKING_TIME})
_FINEST: Final = 1
_A_DAY: Final = timedelta(days=1)
_PLACES: Final = Decimal("0.001")
"""What Hubject's examples show costs with."""

_FREE: Final = {TariffDimension.ENERGY: Decimal(0)}
_ROAMING: Final = frozenset({None, TariffType.REGULAR})


class Asked(NamedTuple):
    """The tariffs of one EVSE group.

    Attributes:
        group: The hub's id of the group.
        tariffs: Those that the group has; NGP has one price at a time.
    """

    group: str
    tariffs: Sequence[Tariff]


@dataclass(frozen=True, slots=True)
class Frame:
    """What the tariffs stand in.

    Attributes:
        names: What the names of tariffs begin with, which have to be unique at Hubject.
        audience: The EMSPs that the offer is for; None for all.
        starts, ends: When its version holds; `ends` None for without end.
        approximate: Steps, roundings and highest prices are left out, each with an issue; else a tariff that has any is
            refused.
    """

    names: str
    audience: Sequence[PartyId] | None
    starts: datetime
    ends: datetime | None
    approximate: bool = False


class Plans(NamedTuple):
    """Prices as both requests carry them."""

    tariffs: tuple[wire.NamedTariff, ...]
    products: tuple[wire.GroupProduct, ...]
    issues: list[Issue]


@dataclass(slots=True)
class _Names:
    """Names each set of prices once."""

    prefix: str
    found: dict[tuple[str, tuple[tuple[TariffDimension, Decimal], ...]], int] = field(default_factory=dict)

    def number(self, currency: str, prices: Prices) -> int:
        return self.found.setdefault((currency, tuple((prices or _FREE).items())), len(self.found))

    def name(self, number: int) -> str:
        return f"{self.prefix} {number + 1}"


def write(groups: Sequence[Asked], frame: Frame) -> Plans:
    """Writes the prices of all groups of an offer.

    Raises:
        Refused: NGP cannot say one, with the field, below `tariffs[n]`, n counting the groups.
    """
    report, names = Report(), _Names(frame.names)
    products = []
    for number, asked in enumerate(groups):
        tariff = _only(asked, number, report)
        path = f"tariffs[{number}]"
        try:
            week = _week(tariff, frame, report, path)
        except Refused as refused:
            reason = refused.reason
            raise report.refuse(f"{path}.{reason.field}", reason.detail, reason.value) from None
        product = wire.Product(currency=tariff.currency, time_plans=tuple(_plans(week, tariff.currency, names)))
        products.append(wire.GroupProduct(group_id=asked.group, product=product))
    tariffs = tuple(
        wire.NamedTariff(name=names.name(number), currency=currency, pricing_components=tuple(_components(prices)))
        for (currency, prices), number in names.found.items()
    )
    return Plans(tariffs, tuple(products), report.issues)


def _only(asked: Asked, number: int, report: Report) -> Tariff:
    if not asked.tariffs:
        raise report.refuse(f"tariffs[{number}]", "the EVSEs of the group have no tariff, and an NGP offer needs one")
    if len(asked.tariffs) > 1:
        named = ", ".join(tariff.id for tariff in asked.tariffs)
        raise report.refuse(f"tariffs[{number}]", "several tariffs; NGP has one price for a group at a time", named)
    return asked.tariffs[0]


def _week(tariff: Tariff, frame: Frame, report: Report, path: str) -> Week:
    """Checks what stands beside the prices, and gives these.

    Raises:
        Refused: With the field of the tariff.
    """
    _fits(tariff, frame)
    if tariff.max_price is not None and frame.approximate:
        report.add(IssueKind.NARROWED, f"{path}.max_price", "left out", tariff.max_price.net)
        tariff = tariff.model_copy(update={"max_price": None})
    week = weekly_prices.week(_while_it_holds(tariff, frame))
    if (odd := _unsayable(week)) is not None:
        raise Refused("elements", "a price with more digits than a JSON number holds", odd)
    for name in ("texts", "url", "energy_mix"):
        if getattr(tariff, name):
            report.add(IssueKind.LOST, f"{path}.{name}", "NGP has no place for it")
    for e, element in enumerate(tariff.elements):
        for c, component in enumerate(element.price_components):
            _beside(component, frame, report, path, f"elements[{e}].price_components[{c}]")
    return week


def _while_it_holds(tariff: Tariff, frame: Frame) -> Tariff:
    """Leaves out dates that limit nothing as long as the version holds, wherever on earth its stations are."""
    begun = (frame.starts - _A_DAY).date().isoformat()
    over = None if frame.ends is None else (frame.ends + _A_DAY).date().isoformat()
    return tariff.model_copy(update={"elements": tuple(_undated(each, begun, over) for each in tariff.elements)})


def _undated(element: TariffElement, begun: str, over: str | None) -> TariffElement:
    limits = element.restrictions
    if limits is None:
        return element
    idle: dict[str, None] = {}
    if limits.start_date is not None and limits.start_date <= begun:
        idle["start_date"] = None
    if limits.end_date is not None and over is not None and limits.end_date > over:
        idle["end_date"] = None
    return element.model_copy(update={"restrictions": limits.model_copy(update=idle)}) if idle else element


def _fits(tariff: Tariff, frame: Frame) -> None:
    """Checks that a tariff is for those whom the offer is for, for as long as it is.

    Raises:
        Refused: It is not, with the field.
    """
    if tariff.type not in _ROAMING:
        raise Refused("type", "no price for drivers who roam", tariff.type)
    if tariff.target is not None and (frame.audience is None or {*frame.audience} != {tariff.target}):
        raise Refused("target", "for one EMSP alone, and the offer is for others too", tariff.target)
    if tariff.start is not None and tariff.start > frame.starts:
        raise Refused("start", "begins later than the version of the offer", tariff.start.isoformat())
    if tariff.end is not None and (frame.ends is None or tariff.end < frame.ends):
        raise Refused("end", "ends before the offer does", tariff.end.isoformat())
    if tariff.unknown:
        raise Refused("unknown", "NGP has no such fields", ", ".join(tariff.unknown))


def _beside(component: PriceComponent, frame: Frame, report: Report, path: str, where: str) -> None:
    """Sees to what a component says beside its price.

    Raises:
        Refused: It changes what a charge costs.
    """
    if component.unknown:
        raise Refused(f"{where}.unknown", "NGP has no such fields", ", ".join(component.unknown))
    if component.vat is not None:
        report.add(IssueKind.LOST, f"{path}.{where}.vat", "NGP's prices are net", component.vat)
    for name in ("step_rounding", "exact"):
        if getattr(component, name) is not None:
            report.add(IssueKind.LOST, f"{path}.{where}.{name}", "NGP has no place for it")
    coarse = component.step_size > _FINEST and component.type is not TariffDimension.FLAT
    for name, said in (("step_size", coarse), ("price_rounding", component.price_rounding is not None)):
        if not said:
            continue
        if not frame.approximate:
            raise Refused(f"{where}.{name}", "NGP has no steps and no roundings", getattr(component, name))
        report.add(IssueKind.NARROWED, f"{path}.{where}.{name}", "left out", getattr(component, name))


def _plans(week: Week, currency: str, names: _Names) -> Iterator[wire.TimePlan]:
    """Writes a plan for each set of days that are alike."""
    alike: dict[tuple[tuple[int, int, int], ...], list[Weekday]] = {}
    for weekday, day in zip(Weekday, week, strict=True):
        said = tuple((slot.begin, slot.end, names.number(currency, slot.prices)) for slot in day)
        alike.setdefault(said, []).append(weekday)
    for said, days in alike.items():
        slots = tuple(
            wire.TimeSlot(
                color=COLORS[number % len(COLORS)],
                start_time=f"{weekly_prices.clock(begin)}:00",
                end_time=f"{weekly_prices.clock(end - 1)}:59",
                tariff_name=names.name(number),
            )
            for begin, end, number in said
        )
        yield wire.TimePlan(days_of_the_week=tuple(days), time_slots=slots)


def _components(prices: Sequence[tuple[TariffDimension, Decimal]]) -> Iterator[wire.PricingComponent]:
    for dimension, price in prices:
        unit, cost = _unit(dimension, price)
        yield wire.PricingComponent(type=COMPONENTS.from_canonical(dimension), reference_unit=unit, cost=cost)


def _unit(dimension: TariffDimension, price: Decimal) -> tuple[ReferenceUnit, Decimal]:
    """Chooses the unit: the asciidoc's MINUTE where that is exact in the places that its examples show, else HOUR."""
    if dimension not in _BY_TIME:
        return (ReferenceUnit.NONE if dimension is TariffDimension.FLAT else ReferenceUnit.KILOWATT_HOUR), price
    per_minute = (price / PER_HOUR[ReferenceUnit.MINUTE]).quantize(_PLACES)
    if per_minute * PER_HOUR[ReferenceUnit.MINUTE] == price:
        return ReferenceUnit.MINUTE, per_minute
    return ReferenceUnit.HOUR, price


def _unsayable(week: Week) -> Decimal | None:
    """Gives a price that no JSON number holds exactly; None where all can be said."""
    prices = (price for day in week for slot in day for price in slot.prices.values())
    return next((price for price in prices if Decimal(str(json_number(price))) != price), None)
