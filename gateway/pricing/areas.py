"""Where restrictions can hold, as areas that are compared: minutes of the week, and ranges of what is counted.

OCPI 2.2.1, TariffRestrictions: all of them have to hold at an instant, so an element's area is a box: a set of minutes
of the local week by ranges of the date, energy, duration, current and power.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple

from gateway.pricing.clock import DAY, WEEKDAY_NUMBERS, parts_of_day
from mappings.canonical.tariffs import DayOfWeek, TariffRestrictions

WEEK: Final = 7 * DAY
ALL_WEEK: Final = (1 << WEEK) - 1

_FIRST_DATE, _LAST_DATE = "", "~"  # below and above all dates, which are compared as they are written
_MOST: Final = Decimal("Infinity")
_LEAST: Final = -_MOST

Ranges = tuple[str, str, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal]
"""From and below, of the date, kWh, seconds, A and kW."""


class Area(NamedTuple):
    """Where restrictions can hold.

    Attributes:
        week: A bit for each minute of the local week, Monday 00:00 the lowest.
    """

    week: int
    ranges: Ranges


EVERYWHERE: Final = Area(
    ALL_WEEK, (_FIRST_DATE, _LAST_DATE, _LEAST, _MOST, _LEAST, _MOST, _LEAST, _MOST, _LEAST, _MOST)
)


def area_of(asked: TariffRestrictions | None) -> Area:
    """Gives the area of restrictions that can be met at all."""
    if asked is None:
        return EVERYWHERE
    return Area(
        minutes(asked),
        (
            asked.start_date or _FIRST_DATE,
            asked.end_date or _LAST_DATE,
            _from(asked.min_kwh),
            _below(asked.max_kwh),
            _from(asked.min_duration),
            _below(asked.max_duration),
            # Power and current may be negative where a vehicle feeds the grid, so that 0 is a bound like others.
            _LEAST if asked.min_current is None else asked.min_current,
            _below(asked.max_current),
            _LEAST if asked.min_power is None else asked.min_power,
            _below(asked.max_power),
        ),
    )


def _from(least: Decimal | int | None) -> Decimal:
    # Energy and duration begin at 0, from which is always.
    return _LEAST if least is None or least <= 0 else Decimal(least)


def _below(most: Decimal | int | None) -> Decimal:
    return _MOST if most is None else Decimal(most)


def minutes(asked: TariffRestrictions) -> int:
    """Gives the minutes of the week in which the clock and the weekday are as restrictions ask."""
    return _minutes(asked.start_time, asked.end_time, tuple(sorted(_of(asked.day_of_week))))


@lru_cache(maxsize=4096)
def _minutes(start: str | None, end: str | None, days: tuple[int, ...]) -> int:
    day = sum((1 << closes) - (1 << opens) for opens, closes in parts_of_day(start, end))
    return day * sum(1 << DAY * number for number in days or range(7))


def overlap(one: Ranges, other: Ranges) -> bool:
    """Tells whether two areas' ranges meet in every one."""
    # Written out, here and below: many elements ask this of many.
    return (
        one[0] < other[1]
        and other[0] < one[1]
        and one[2] < other[3]
        and other[2] < one[3]
        and one[4] < other[5]
        and other[4] < one[5]
        and one[6] < other[7]
        and other[6] < one[7]
        and one[8] < other[9]
        and other[8] < one[9]
    )


def contains(outer: Ranges, inner: Ranges) -> bool:
    """Tells whether every range lies within its counterpart."""
    return (
        outer[0] <= inner[0]
        and inner[1] <= outer[1]
        and outer[2] <= inner[2]
        and inner[3] <= outer[3]
        and outer[4] <= inner[4]
        and inner[5] <= outer[5]
        and outer[6] <= inner[6]
        and inner[7] <= outer[7]
        and outer[8] <= inner[8]
        and inner[9] <= outer[9]
    )


def contradictions(asked: TariffRestrictions) -> Iterator[str]:
    """Says why restrictions can hold at no moment; nothing where they can."""
    for name in ("kwh", "duration", "current", "power"):
        least, most = getattr(asked, f"min_{name}"), getattr(asked, f"max_{name}")
        if least is not None and most is not None and least >= most:
            yield f"min_{name} is {least}, and max_{name}, which is excluded, is {most}"
    for name, most in (("kwh", asked.max_kwh), ("duration", asked.max_duration)):
        if most is not None and most <= 0:
            yield f"max_{name} is {most}, and it begins at 0"
    yield from _of_dates(asked)
    if asked.reservation is not None:
        for name, least in (("kwh", asked.min_kwh), ("current", asked.min_current), ("power", asked.min_power)):
            if least is not None and least > 0:
                yield f"min_{name} is {least}, and no energy flows in a reservation"


def _of_dates(asked: TariffRestrictions) -> Iterator[str]:
    if asked.start_date is None or asked.end_date is None:
        return
    if asked.start_date >= asked.end_date:
        yield f"begins on {asked.start_date} and ends before {asked.end_date}"
        return
    first, past = date.fromisoformat(asked.start_date), date.fromisoformat(asked.end_date)
    if asked.day_of_week and (past - first).days < 7:
        days = {(first + timedelta(days=number)).weekday() for number in range((past - first).days)}
        if days.isdisjoint(_of(asked.day_of_week)):
            yield f"no such weekday lies from {asked.start_date} to before {asked.end_date}"


def _of(days: Iterable[DayOfWeek]) -> set[int]:
    return {WEEKDAY_NUMBERS[day] for day in days}
