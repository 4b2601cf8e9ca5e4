"""A hundred sample charges: ten kinds of charge at ten moments of a year, on which tariffs can be told apart.

The kinds differ in energy, power, current, parking and reservation; the moments in the weekday, the hour and the date:
over five o'clock, midnight and the end of a month, and through both changes of the clock. Nothing in them is random, so
that two tariffs, or one tariff on two days, are always held against the same charges.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gateway.pricing.charge import Charge, Phase, Reading, Stretch

FIRST: Final = date(2026, 6, 1)
ZONE: Final = "Europe/Amsterdam"

_DAY: Final = timedelta(days=1)
_YEAR: Final = 366


class _Part(NamedTuple):
    """A stretch of a kind of charge.

    Attributes:
        minutes: None where energy and power say it.
        power: kW.
        current: A, summed over the phases; for direct current that of the battery, at some 400 V.
    """

    phase: Phase
    minutes: int | None = None
    kwh: str = "0"
    power: str | None = None
    current: str | None = None


def _charging(kwh: str, power: str, current: str) -> _Part:
    return _Part(Phase.CHARGING, None, kwh, power, current)


def _parking(minutes: int) -> _Part:
    return _Part(Phase.PARKING, minutes)


_KINDS: Final[dict[str, tuple[_Part, ...]]] = {
    "a few Wh, and off again": (_charging("0.1152", "2.3", "10"),),
    "a home's socket all night": (_charging("18.4", "2.3", "10"),),
    "one phase, a little": (_charging("3.7", "3.7", "16"), _parking(12)),
    "three phases, then parked": (_charging("22", "11", "48"), _parking(42)),
    "three phases, then parked for hours": (_charging("5.5", "11", "48"), _parking(370)),
    "fast alternating current": (_charging("20.45", "22", "96"), _parking(7)),
    "direct current, falling": (
        _charging("20", "48", "120"),
        _charging("8.2", "24", "60"),
        _charging("0.5", "4", "10"),
        _parking(5),
    ),
    "high power": (_charging("40", "240", "600"), _charging("22.5", "90", "225")),
    "reserved, then charged": (_Part(Phase.RESERVED, 13), _charging("14.8", "7.4", "32"), _parking(25)),
    "reserved, and never came": (_Part(Phase.EXPIRED, 60),),
}
"""Powers lie on both sides of the bounds that tariffs set (11, 16, 22, 32, 50, 150 kW), and none upon one."""


def samples(first: date = FIRST, zone: str = ZONE) -> Sequence[Charge]:
    """Gives the charges of the year that follows a day, moment by moment.

    Args:
        first: From when on; those of its week come first. A tariff that has yet to come into force is sampled from
            its first day.
        zone: IANA name of the place's time zone. In one that never changes its clock, the two moments of the
            change are nights like others.

    Raises:
        ZoneInfoNotFoundError: No such zone.
    """
    return _samples(first, zone)


@lru_cache(maxsize=64)
def _samples(first: date, zone: str) -> tuple[Charge, ...]:
    return tuple(_charge(start, parts, zone) for start in _moments(first, ZoneInfo(zone)) for parts in _KINDS.values())


def _moments(first: date, zone: ZoneInfo) -> Iterator[datetime]:
    monday = first + _DAY * (-first.weekday() % 7)
    for days, hour, minute in (
        (0, 7, 55),
        (1, 12, 7),
        (2, 16, 35),
        (3, 19, 40),
        (4, 22, 30),
        (5, 13, 30),
        (6, 2, 15),
    ):
        yield _at(monday + _DAY * days, time(hour, minute), zone)
    last_of_month = (first.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY
    yield _at(last_of_month, time(23, 50), zone)
    for night in _changes(first, zone):
        yield _at(night, time(1, 30), zone)


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)


def _changes(first: date, zone: ZoneInfo) -> list[date]:
    """Gives the next two days on which the clock is changed; others where there are none within a year."""
    days = [first + _DAY * number for number in range(_YEAR)]
    found = [day for day in days if _offset(day, zone) != _offset(day + _DAY, zone)]
    return [*found, *days[90::180]][:2]


def _offset(day: date, zone: ZoneInfo) -> timedelta | None:
    return datetime.combine(day, time(), zone).utcoffset()


def _charge(start: datetime, parts: Sequence[_Part], zone: str) -> Charge:
    stretches: list[Stretch] = []
    at = start
    for number, part in enumerate(parts):
        lasts = timedelta(seconds=_seconds(part))
        stretches.append(
            Stretch(
                start=at,
                end=at + lasts,
                phase=part.phase,
                seconds=Decimal(_seconds(part)),
                energy=Decimal(part.kwh),
                power=_known(part.power),
                current=_known(part.current),
                period=number,
            )
        )
        at += lasts
    return Charge(stretches=tuple(stretches), zone=zone)


def _seconds(part: _Part) -> int:
    if part.power is None:
        return 60 * (part.minutes or 0)
    return round(Decimal(part.kwh) / Decimal(part.power) * 3600)


def _known(value: str | None) -> Reading | None:
    return None if value is None else Reading(Decimal(value), Decimal(value))
