"""What a tariff asks for in each minute of a week, so that one price for all of them can be told from several.

A pricing product has one set of prices and the times at which it is available (OICP 2.3, PricingProductDataRecordType).
Many tariffs say just that in other words: in an element for each dimension, or in elements for parts of the day that
cost the same. So what counts is not how a tariff is written but what it asks for.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

from mappings.canonical.locations import RegularHours
from mappings.canonical.tariffs import DayOfWeek, PriceComponent, Tariff, TariffDimension, TariffRestrictions
from mappings.oicp.v2_3.enums_pricing import CONDITIONS

_DAYS: Final = tuple(DayOfWeek)
_DAY: Final = 24 * 60
_FREE: Final = Decimal(0)
_FROM_ZERO: Final = frozenset({"min_kwh", "min_current", "min_power", "min_duration"})


class Asked(NamedTuple):
    """A price component that counts at some time: nothing before it takes all of its dimension.

    Attributes:
        element, number: Of the tariff's element, and of the component in it, from 0.
        component: The component.
        conditions: Names of the element's restrictions other than those by the clock.
        timed: Whether it holds at some times of the week only.
    """

    element: int
    number: int
    component: PriceComponent
    conditions: tuple[str, ...]
    timed: bool

    @property
    def path(self) -> str:
        """Where it stands."""
        return f"elements[{self.element}].price_components[{self.number}]"


class Terms(NamedTuple):
    """What a tariff asks for, whatever the order of its elements.

    Attributes:
        levels: By dimension, each price that may count at some time while anything is asked for; 0 where none may.
        asked: By dimension, the components that may count, in their order.
        hours: When anything is asked for at all; None for always.
        power: kW; the upper limit that all elements name alike, None where they do not.
        reserving: Numbers of the elements that price reservations.
    """

    levels: Mapping[TariffDimension, frozenset[Decimal]]
    asked: Mapping[TariffDimension, Sequence[Asked]]
    hours: tuple[RegularHours, ...] | None
    power: Decimal | None
    reserving: Sequence[int]

    def dearest(self, dimension: TariffDimension) -> Decimal:
        """Gives the highest price that may count; 0 for a dimension that is not asked for."""
        return max(self.levels.get(dimension, {_FREE}))

    def together(self, *dimensions: TariffDimension) -> Decimal:
        """Sums the highest prices of dimensions that are asked for at once."""
        return sum(map(self.dearest, dimensions), _FREE)


class _Element(NamedTuple):
    """An element that prices charges."""

    number: int
    days: frozenset[int]
    begin: int
    end: int
    conditions: tuple[str, ...]
    components: Mapping[TariffDimension, tuple[int, PriceComponent]]

    @property
    def timed(self) -> bool:
        return len(self.days) < len(_DAYS) or (self.begin, self.end) != (0, _DAY)

    def holds(self, day: int, minute: int) -> bool:
        if day not in self.days:
            return False
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def of(tariff: Tariff) -> Terms:
    """Works out what a tariff asks for.

    An instant decides: in every dimension the first element counts whose restrictions hold (OCPI 2.2.1, mod_tariffs).
    Restrictions other than by the clock may hold or not, so that an element behind them may count as well.
    """
    power = _power(tariff)
    elements, reserving = [], []
    for n, element in enumerate(tariff.elements):
        restrictions = element.restrictions or TariffRestrictions()
        if restrictions.reservation is not None:
            reserving.append(n)
            continue
        components: dict[TariffDimension, tuple[int, PriceComponent]] = {}
        for c, component in enumerate(element.price_components):
            components.setdefault(component.type, (c, component))
        elements.append(_element(n, restrictions, power, components))
    bounds = sorted({0, _DAY, *(each.begin for each in elements), *(each.end for each in elements)})
    asked: dict[TariffDimension, dict[tuple[int, int], Asked]] = {}
    slots: list[dict[TariffDimension, set[Decimal]]] = []
    hours: list[RegularHours] = []
    for day in range(len(_DAYS)):
        for begin, end in pairwise(bounds):
            found = _slot([each for each in elements if each.holds(day, begin)], asked)
            if found:
                slots.append(found)
                _lengthen(hours, day + 1, begin, end)
    everywhere = {
        dimension: frozenset[Decimal]().union(*(slot.get(dimension, {_FREE}) for slot in slots)) for dimension in asked
    }
    always = len(hours) == len(_DAYS) and all((each.begin, each.end) == ("00:00", "24:00") for each in hours)
    return Terms(
        levels=everywhere,
        asked={dimension: [found[key] for key in sorted(found)] for dimension, found in asked.items()},
        hours=None if always else tuple(hours),
        power=power,
        reserving=reserving,
    )


def _slot(
    holding: Sequence[_Element], asked: dict[TariffDimension, dict[tuple[int, int], Asked]]
) -> dict[TariffDimension, set[Decimal]]:
    """Gives the prices that may count in a part of a day, and notes whose they are."""
    levels: dict[TariffDimension, set[Decimal]] = {}
    settled: set[TariffDimension] = set()
    for each in holding:
        for dimension, (c, component) in each.components.items():
            if dimension in settled:
                continue
            levels.setdefault(dimension, set()).add(component.price)
            asked.setdefault(dimension, {}).setdefault(
                (each.number, c), Asked(each.number, c, component, each.conditions, each.timed)
            )
            if not each.conditions:
                settled.add(dimension)
    for dimension in levels.keys() - settled:
        levels[dimension].add(_FREE)
    return levels


def _element(
    number: int,
    restrictions: TariffRestrictions,
    power: Decimal | None,
    components: Mapping[TariffDimension, tuple[int, PriceComponent]],
) -> _Element:
    begin, end = _minute(restrictions.start_time), _minute(restrictions.end_time) or _DAY
    if begin == end:
        # What begins when it ends is all day.
        begin, end = 0, _DAY
    days = frozenset(map(_DAYS.index, restrictions.day_of_week)) or frozenset(range(len(_DAYS)))
    conditions = tuple(name for name in conditions_of(restrictions) if name != "max_power" or power is None)
    return _Element(number, days, begin, end, conditions, components)


def conditions_of(restrictions: TariffRestrictions) -> Iterator[str]:
    """Names the restrictions that may hold or not in any minute; a minimum that everything reaches is none."""
    for name in CONDITIONS:
        value = getattr(restrictions, name)
        if value is None or value == {} or (name in _FROM_ZERO and value <= 0):
            continue
        yield name


def _power(tariff: Tariff) -> Decimal | None:
    """Gives the upper limit of power that every element has: what the tariff is for, no price among several."""
    found = {
        element.restrictions.max_power if element.restrictions is not None else None
        for element in tariff.elements
        if element.restrictions is None or element.restrictions.reservation is None
    }
    only = found.pop() if len(found) == 1 else None
    return only if only is not None and only > 0 else None


def _lengthen(hours: list[RegularHours], weekday: int, begin: int, end: int) -> None:
    """Adds a part of a day, or makes the one before it longer where it goes on."""
    starts = _clock(begin)
    if hours and (hours[-1].weekday, hours[-1].end) == (weekday, starts):
        starts = hours.pop().begin
    hours.append(RegularHours(weekday=weekday, begin=starts, end=_clock(end)))


def _minute(text: str | None) -> int:
    if text is None:
        return 0
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
