"""Whether a place is open at a moment, by its own clock."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAY: Final = 24 * 60


def is_open(location: Mapping[str, Any], now: datetime) -> bool:
    """Tells whether a location, as the store's JSON of `Location`, is known to be open at an aware moment.

    Exceptional closings go before exceptional openings, and these before regular hours. A time zone that nobody knows
    leaves open only what is open around the clock.
    """
    hours = location.get("opening_times")
    if hours is None:
        return False
    if _within(hours.get("exceptional_closings", ()), now):
        return False
    if hours["twentyfourseven"] or _within(hours.get("exceptional_openings", ()), now):
        return True
    zone = _zone(location["time_zone"])
    if zone is None:
        return False
    local = now.astimezone(zone)
    minute, weekday = local.hour * 60 + local.minute, local.isoweekday()
    return any(_covers(each, weekday, minute) for each in hours.get("regular", ()))


def _within(periods: Any, now: datetime) -> bool:
    return any(datetime.fromisoformat(each["begin"]) <= now < datetime.fromisoformat(each["end"]) for each in periods)


def _covers(hours: Mapping[str, Any], weekday: int, minute: int) -> bool:
    begin, end = _minutes(hours["begin"]), _minutes(hours["end"])
    if end == _DAY - 1:
        end = _DAY  # no clock of OCPI's goes further
    if begin < end:
        return bool(hours["weekday"] == weekday) and begin <= minute < end
    # It closes on the day after: at midnight, or later where it says an hour.
    yesterday = (weekday - 2) % 7 + 1
    return (hours["weekday"] == weekday and minute >= begin) or (hours["weekday"] == yesterday and minute < end)


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
