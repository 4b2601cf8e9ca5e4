"""The NGP API's prices of an EVSE group as a tariff, or none where the canonical model cannot say them exactly.

A price that cannot be said is not left out of the tariff: what remains would be cheaper than what the CPO asks.

| of Hubject | canonical |
| --- | --- |
| CHARGING_ENERGY, CHARGING_TIME, SESSION | ENERGY, TIME, FLAT |
| PARKING, BLOCKING_FEE from CHARGING_END, without grace; PARKING that does not say from when | PARKING_TIME |
| PARKING, BLOCKING_FEE from SESSION_START | SESSION_TIME, with a grace period as `min_duration` |
| a grace period from CHARGING_END, or from nobody says when; a BLOCKING_FEE from nobody says when | nothing |

A grace period is taken for minutes, and a part of a day for local time: both are written nowhere.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, NamedTuple

from mappings.canonical import weekly_prices
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import (
    DayOfWeek,
    PriceComponent,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffRestrictions,
)
from mappings.canonical.weekly_prices import DAY
from mappings.oicp.ngp.enums import COMPONENTS, DAYS, PER_HOUR
from mappings.oicp.ngp.vocabulary import ComponentType, FeeInitiated, ReferenceUnit
from mappings.oicp.ngp.wire_in import LocalTime, ReadComponent, ReadDay, ReadTariff
from mappings.report import Refused
from mappings.tables import NotRepresentable, UnmappedValue

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?")
_UNITS: Final = {
    TariffDimension.ENERGY: {ReferenceUnit.KILOWATT_HOUR: Decimal(1)},
    TariffDimension.FLAT: {ReferenceUnit.NONE: Decimal(1)},
    TariffDimension.TIME: dict(PER_HOUR),
    TariffDimension.PARKING_TIME: dict(PER_HOUR),
    TariffDimension.SESSION_TIME: dict(PER_HOUR),
}
_FEES: Final = frozenset({ComponentType.PARKING, ComponentType.BLOCKING_FEE})
_LONGEST_ID: Final = 36
_FREE: Final = PriceComponent(type=TariffDimension.ENERGY, price=Decimal(0), step_size=1)


class _Price(NamedTuple):
    """What a component asks for; `after`: seconds from the session's start from which on it does."""

    after: int
    dimension: TariffDimension
    price: Decimal


class _Part(NamedTuple):
    begin: int
    end: int
    prices: tuple[_Price, ...]


def read(days: Sequence[ReadDay], currency: str | None, group: str, party: PartyId, at: datetime) -> Tariff:
    """Reads the prices of a group as a tariff with the group's id.

    Args:
        at: When the prices last changed.

    Raises:
        Refused: They cannot be said exactly, or make no sense, with Hubject's field.
    """
    if currency is None or not re.fullmatch(r"[A-Z]{3}", currency):
        raise Refused("currency", "no price without a currency", currency)
    if not 0 < len(group) <= _LONGEST_ID:
        raise Refused("groupId", f"not the 1 to {_LONGEST_ID} characters of a tariff's id", group)
    parts: dict[_Part, list[DayOfWeek]] = {}
    for d, day in enumerate(days):
        for part in _parts(day, f"days[{d}]"):
            parts.setdefault(part, []).append(_weekday(day.day, f"days[{d}].Day"))
    elements = [*_elements(parts)]
    if not elements:
        if not any(tariff.pricing_components for day in days for tariff in day.tariffs or ()):
            raise Refused("days", "no price at all")
        elements = [TariffElement(price_components=(_FREE,))]
    return Tariff(party=party, id=group, currency=currency, elements=tuple(elements), last_updated=at)


def _weekday(text: str, field: str) -> DayOfWeek:
    try:
        return DAYS.to_canonical(text)
    except UnmappedValue as error:
        raise Refused(field, "no day of the week", text) from error


def _parts(day: ReadDay, field: str) -> list[_Part]:
    parts = []
    for t, tariff in enumerate(day.tariffs or ()):
        path = f"{field}.Tariffs[{t}]"
        begin, end = _span(tariff, path)
        components = enumerate(tariff.pricing_components or ())
        prices = _summed(_price(each, f"{path}.PricingComponents[{c}]") for c, each in components)
        parts.append(_Part(begin, end, prices))
    parts.sort(key=lambda part: part.begin)
    for before, after in pairwise(parts):
        if after.begin < before.end:
            raise Refused(f"{field}.Tariffs", "two tariffs at the same time of day", weekly_prices.clock(after.begin))
    return [part for part in parts if part.prices]


def _span(tariff: ReadTariff, path: str) -> tuple[int, int]:
    """Gives the minutes of a part of a day, whose last second is named as its end."""
    begin = _seconds(tariff.start_time, f"{path}.StartTime")
    last = _seconds(tariff.end_time, f"{path}.EndTime")
    end = last + 1 if last % 60 == 59 else last or DAY * 60
    if begin % 60 or end % 60:
        raise Refused(path, "no whole minutes", f"{tariff.start_time} to {tariff.end_time}")
    if end <= begin:
        raise Refused(path, "ends before it begins", f"{tariff.start_time} to {tariff.end_time}")
    return begin // 60, end // 60


def _seconds(time: str | LocalTime, field: str) -> int:
    if isinstance(time, LocalTime):
        time = f"{time.hour:02d}:{time.minute:02d}:{time.second:02d}"
    found = _CLOCK.fullmatch(time.strip())
    if found is None:
        raise Refused(field, "no time of day", time)
    return (int(found[1]) * 60 + int(found[2])) * 60 + int(found[3] or 0)


def _price(component: ReadComponent, field: str) -> _Price:
    after, dimension = _counts(component, field)
    try:
        factor = _UNITS[dimension][ReferenceUnit(component.reference_unit or "NONE")]
    except (KeyError, ValueError):
        raise Refused(f"{field}.ReferenceUnit", f"no unit of {component.type}", component.reference_unit) from None
    return _Price(after, dimension, component.cost * factor)


def _counts(component: ReadComponent, field: str) -> tuple[int, TariffDimension]:
    """Says what a component charges for, and from when of the session on."""
    grace = component.grace_period or 0
    if grace < 0:
        raise Refused(f"{field}.GracePeriod", "below zero", grace)
    if component.type not in _FEES:
        if grace:
            raise Refused(f"{field}.GracePeriod", f"a grace period of {component.type}, which is no fee", grace)
        try:
            return 0, COMPONENTS.to_canonical(component.type)
        except (UnmappedValue, NotRepresentable):
            raise Refused(f"{field}.Type", "no pricing component", component.type) from None
    since = component.fee_initiated
    if since is not None and since not in {*FeeInitiated}:
        raise Refused(f"{field}.FeeInitiated", "nothing from when a fee counts", since)
    if since == FeeInitiated.SESSION_START:
        return grace * 60, TariffDimension.SESSION_TIME
    if since is None and component.type == ComponentType.BLOCKING_FEE:
        raise Refused(f"{field}.FeeInitiated", "from when the fee counts is not said")
    if grace:
        raise Refused(f"{field}.GracePeriod", "a grace period that does not count from the session's start", grace)
    return 0, TariffDimension.PARKING_TIME


def _summed(prices: Iterable[_Price]) -> tuple[_Price, ...]:
    """Adds what counts at the same time for the same: of several components of one dimension only the first would."""
    found: dict[tuple[int, TariffDimension], Decimal] = {}
    for each in prices:
        found[each.after, each.dimension] = found.get((each.after, each.dimension), Decimal(0)) + each.price
    return tuple(_Price(*key, price) for key, price in sorted(found.items()) if price)


def _elements(parts: dict[_Part, list[DayOfWeek]]) -> Iterable[TariffElement]:
    """Writes an element for what counts at once, and one for what counts later in a session, before it.

    The later ones come first, the latest before the others, since the first element of a dimension that holds counts:
    each carries what the ones behind it would have added.
    """
    for part, named in parts.items():
        days = tuple(day for day in DayOfWeek if day in named)
        moments = sorted({each.after for each in part.prices}, reverse=True)
        for after in moments:
            late = [each for each in part.prices if each.after == after]
            yield TariffElement(
                price_components=tuple(_component(each, part.prices) for each in late),
                restrictions=_restrictions(part, days, after),
            )


def _component(price: _Price, among: Sequence[_Price]) -> PriceComponent:
    earlier = sum((e.price for e in among if e.dimension is price.dimension and e.after < price.after), Decimal(0))
    return PriceComponent(type=price.dimension, price=price.price + earlier, step_size=1)


def _restrictions(part: _Part, days: tuple[DayOfWeek, ...], after: int) -> TariffRestrictions | None:
    said: dict[str, Any] = {}
    if (part.begin, part.end) != (0, DAY):
        said |= {"start_time": weekly_prices.clock(part.begin), "end_time": weekly_prices.clock(part.end)}
    if len(days) < len(DayOfWeek):
        said["day_of_week"] = days
    if after:
        said["min_duration"] = after
    return TariffRestrictions(**said) if said else None
