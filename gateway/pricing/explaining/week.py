"""What a tariff asks for over a week, told by the engine itself: so that no drawing contradicts a bill."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final, NamedTuple, Self

from gateway.pricing.charge import Charge, Phase, Reading, Stretch
from gateway.pricing.clock import DAY
from gateway.pricing.explaining.groups import UNITS, Group
from gateway.pricing.holding import Timeline
from gateway.pricing.painting import component_of, paint
from mappings.canonical.tariffs import ReservationRestriction, Tariff, TariffElement, TariffRestrictions

_DAYS: Final = 7
_PHASES: Final = {
    None: (Phase.CHARGING, Phase.PARKING),
    ReservationRestriction.RESERVATION: (Phase.RESERVED,),
    ReservationRestriction.RESERVATION_EXPIRES: (Phase.EXPIRED,),
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """At what the prices are looked up, beside the hour.

    Attributes:
        monday: The week's first day, of which dates in a tariff count.
        power: kW while charging.
        current: A while charging, as the sum over the phases.
        energy: kWh that the charge has taken.
        seconds: That the charge has lasted.
    """

    monday: date
    power: Decimal = Decimal(11)
    current: Decimal = Decimal(48)
    energy: Decimal = Decimal(0)
    seconds: int = 0

    @classmethod
    def in_week_of(cls, day: date) -> Self:
        """Gives the usual conditions in the week that a day lies in."""
        return cls(day - timedelta(days=day.weekday()))


class Span(NamedTuple):
    """A part of a day with one price.

    Attributes:
        weekday: From 0 for Monday.
        begin, end: Minutes of the day; `end` is not part of it.
        price: Per unit, net; None where nothing is asked for.
        vat: Per cent; None where none is told.
        element: The number of the first element that it comes from; None without a price.
    """

    weekday: int
    begin: int
    end: int
    price: Decimal | None
    vat: Decimal | None = None
    element: int | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """One group's prices.

    Attributes:
        spans: Of the whole week, in order and without gaps.
    """

    group: Group
    spans: Sequence[Span]

    def days(self) -> Sequence[Sequence[Span]]:
        """Gives the spans of each day, Monday first."""
        return [[span for span in self.spans if span.weekday == day] for day in range(_DAYS)]

    @property
    def prices(self) -> Sequence[Decimal]:
        """All prices, rising."""
        return sorted({span.price for span in self.spans if span.price is not None})

    @property
    def steady(self) -> bool:
        """Whether it is the same at all times."""
        return len({(span.price, span.vat) for span in self.spans}) == 1


@dataclass(frozen=True, slots=True)
class Week:
    """A tariff's prices over a week.

    Attributes:
        tracks: Of what the tariff prices.
        asked: Which conditions matter to it, by the names of `Conditions`.
    """

    tariff_id: str
    currency: str
    conditions: Conditions
    tracks: Sequence[Track]
    asked: Sequence[str]


def week_of(tariff: Tariff, conditions: Conditions) -> Week:
    """Looks up a tariff's prices over a week by the clock of the place; no change of clocks falls into it."""
    kept = [number for number, each in enumerate(tariff.elements) if _met(each.restrictions, conditions)]
    bare = tariff.model_copy(update={"elements": tuple(_bare(tariff.elements[number]) for number in kept)})
    there = {
        (component.type, each.restrictions.reservation if each.restrictions is not None else None)
        for each in tariff.elements
        for component in each.price_components
    }
    tracks = [Track(group, list(_spans(bare, group, conditions, kept))) for group in UNITS if group in there]
    return Week(tariff.id, tariff.currency, conditions, tracks, _asked(tariff))


def _met(asked: TariffRestrictions | None, at: Conditions) -> bool:
    if asked is None:
        return True
    return _within(asked.min_kwh, asked.max_kwh, at.energy) and _within(
        asked.min_duration, asked.max_duration, at.seconds
    )


def _within(least: Decimal | int | None, most: Decimal | int | None, value: Decimal | int) -> bool:
    return (least is None or least <= value) and (most is None or value < most)


def _bare(element: TariffElement) -> TariffElement:
    """Takes off what the conditions meet, which a whole week on end would not."""
    if element.restrictions is None:
        return element
    met = dict.fromkeys(("min_kwh", "max_kwh", "min_duration", "max_duration"))
    return element.model_copy(update={"restrictions": element.restrictions.model_copy(update=met)})


def _spans(tariff: Tariff, group: Group, at: Conditions, numbers: Sequence[int]) -> Iterator[Span]:
    dimension, reserved = group
    found: list[tuple[int, int, Decimal, Decimal | None, int]] = []
    for phase in _PHASES[reserved]:
        timeline = Timeline(_whole_week(phase, at))
        for painted in paint(tariff, timeline, [0]):
            if painted.dimension is dimension:
                begin, end = (int(place * _DAYS * DAY) for place in painted.run)
                component = component_of(tariff, painted)
                found.append((begin, end, component.price, component.vat, numbers[painted.element]))
        if found:
            break
    yield from _daily(sorted(found))


def _whole_week(phase: Phase, at: Conditions) -> Charge:
    start = datetime(at.monday.year, at.monday.month, at.monday.day, tzinfo=UTC)
    end = start + timedelta(days=_DAYS)
    charging = phase is Phase.CHARGING
    stretch = Stretch(
        start=start,
        end=end,
        phase=phase,
        seconds=Decimal((end - start) // timedelta(seconds=1)),
        energy=Decimal(charging),
        power=Reading(at.power, at.power) if charging else None,
        current=Reading(at.current, at.current) if charging else None,
    )
    return Charge([stretch], "UTC")


def _daily(found: Sequence[tuple[int, int, Decimal, Decimal | None, int]]) -> Iterator[Span]:
    """Cuts runs at midnight, fills what lies between them, and joins what has one price."""
    cut: list[Span] = []
    at = 0
    for begin, end, price, vat, element in found:
        cut += _cut(at, begin, None, None, None)
        cut += _cut(begin, end, price, vat, element)
        at = end
    cut += _cut(at, _DAYS * DAY, None, None, None)
    for _, same in groupby(cut, key=lambda span: (span.weekday, span.price, span.vat)):
        spans = list(same)
        yield spans[0]._replace(end=spans[-1].end)


def _cut(begin: int, end: int, price: Decimal | None, vat: Decimal | None, element: int | None) -> Iterator[Span]:
    while begin < end:
        day, minute = divmod(begin, DAY)
        until = min(end, (day + 1) * DAY)
        yield Span(day, minute, until - day * DAY, price, vat, element)
        begin = until


def _asked(tariff: Tariff) -> Sequence[str]:
    asked = [each.restrictions for each in tariff.elements if each.restrictions is not None]
    names = {
        "monday": ("start_date", "end_date"),
        "power": ("min_power", "max_power"),
        "current": ("min_current", "max_current"),
        "energy": ("min_kwh", "max_kwh"),
        "seconds": ("min_duration", "max_duration"),
    }
    return [
        name
        for name, fields in names.items()
        if any(getattr(each, field) is not None for each in asked for field in fields)
    ]
