"""What a tariff asks for by the hour of the week, where the clock alone decides: the form that weekly price plans have.

How a tariff is written in elements does not matter here, so that two tariffs that ask for the same compare as equal.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from mappings.canonical.tariffs import DayOfWeek, Tariff, TariffDimension, TariffRestrictions
from mappings.report import Refused

DAY: Final = 24 * 60
"""Minutes."""

_DAYS: Final = tuple(DayOfWeek)
_BY_CLOCK: Final = frozenset({"start_time", "end_time", "day_of_week"})
_FROM_ZERO: Final = frozenset({"min_kwh", "min_current", "min_power", "min_duration"})
_BOTH: Final = (TariffDimension.TIME, TariffDimension.PARKING_TIME)

Prices: TypeAlias = Mapping[TariffDimension, Decimal]
"""Per kWh, per hour, per session; none for what is free. A session's time is the time charging and that parking."""


class Slot(NamedTuple):
    """A part of a day at one set of prices; minutes from midnight, `end` the first one after it, 1440 at most."""

    begin: int
    end: int
    prices: Prices


Week: TypeAlias = tuple[tuple[Slot, ...], ...]
"""Monday to Sunday, each from midnight to midnight without a gap; neighbouring slots differ in their prices."""


class _Element(NamedTuple):
    days: frozenset[int]
    begin: int
    end: int
    prices: Prices

    def holds(self, day: int, minute: int) -> bool:
        if day not in self.days:
            return False
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def week(tariff: Tariff) -> Week:
    """Works out the prices of each part of the week.

    In every dimension the first element counts whose restrictions hold (OCPI 2.2.1, mod_tariffs).

    Raises:
        Refused: More than the clock decides, with the field: other restrictions, limits of the whole, hours in which a
            charge has to begin.
    """
    for name in ("min_price", "max_price", "hours"):
        if getattr(tariff, name) is not None:
            raise Refused(name, "no price by the hour of the week alone")
    elements = [_element(tariff, number) for number in range(len(tariff.elements))]
    bounds = sorted({0, DAY, *(each.begin for each in elements), *(each.end for each in elements)})
    return tuple(tuple(_day(day, bounds, elements)) for day in range(len(_DAYS)))


def _day(day: int, bounds: Sequence[int], elements: Sequence[_Element]) -> Iterator[Slot]:
    last: Slot | None = None
    for begin, end in pairwise(bounds):
        prices = _prices([each for each in elements if each.holds(day, begin)])
        if last is not None and last.prices == prices:
            last = last._replace(end=end)
            continue
        if last is not None:
            yield last
        last = Slot(begin, end, prices)
    if last is not None:
        yield last


def _prices(holding: Sequence[_Element]) -> Prices:
    first: dict[TariffDimension, Decimal] = {}
    for each in holding:
        for dimension, price in each.prices.items():
            first.setdefault(dimension, price)
    whole = first.pop(TariffDimension.SESSION_TIME, Decimal(0))
    for dimension in _BOTH:
        first[dimension] = first.get(dimension, Decimal(0)) + whole
    return {dimension: first[dimension] for dimension in TariffDimension if first.get(dimension)}


def _element(tariff: Tariff, number: int) -> _Element:
    element = tariff.elements[number]
    restrictions = element.restrictions or TariffRestrictions()
    for name in TariffRestrictions.model_fields.keys() - _BY_CLOCK:
        value = getattr(restrictions, name)
        if value is not None and value != {} and not (name in _FROM_ZERO and value <= 0):
            raise Refused(f"elements[{number}].restrictions.{name}", "no price by the hour of the week alone", value)
    prices: dict[TariffDimension, Decimal] = {}
    for component in element.price_components:
        prices.setdefault(component.type, component.price)
    begin, end = minute(restrictions.start_time), minute(restrictions.end_time) or DAY
    if begin == end:  # what begins when it ends is all day
        begin, end = 0, DAY
    days = frozenset(map(_DAYS.index, restrictions.day_of_week)) or frozenset(range(len(_DAYS)))
    return _Element(days, begin, end, prices)


def minute(text: str | None) -> int:
    """Gives the minutes from midnight to a time of day; 0 for None."""
    if text is None:
        return 0
    hour, minutes = text.split(":")
    return int(hour) * 60 + int(minutes)


def clock(minutes: int) -> str:
    """Writes minutes from midnight as a time of day; midnight at the day's end as `00:00`."""
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"
