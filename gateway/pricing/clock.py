"""Local time as tariffs speak of it: the place's zone, times of day, and weekdays."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mappings.canonical.tariffs import DayOfWeek

DAY: Final = 1440
"""Minutes of a day; the clock of tariffs has no seconds."""
WEEKDAYS: Final = tuple(DayOfWeek)
"""Monday first."""
WEEKDAY_NUMBERS: Final = {day: number for number, day in enumerate(WEEKDAYS)}


@lru_cache(maxsize=1024)
def zone_of(name: str | None) -> ZoneInfo | None:
    """Finds a time zone; None where none is named, or the IANA database has none of the name."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A name with a slash too many, or a directory's, raises one of the latter two.
        return None


def minute(clock: str) -> int:
    """Gives the minute of the day of a time like `13:30`."""
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


@lru_cache(maxsize=4096)
def parts_of_day(start: str | None, end: str | None) -> Sequence[tuple[int, int]]:
    """Gives the minutes of a day from one time up to another (OCPI 2.2.1, TariffRestrictions, `end_time`).

    Args:
        start: None for the day's begin.
        end: None, and 00:00, for the day's end. Before `start`, it is that of the next day; the same is all day.

    Returns:
        One part, or two where midnight lies between them; in order, each up to its second minute, which is not in it.
    """
    opens, closes = minute(start or "00:00"), minute(end or "00:00") or DAY
    if opens < closes:
        return ((opens, closes),)
    return ((0, closes), (opens, DAY)) if opens > closes else ((0, DAY),)
