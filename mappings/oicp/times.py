"""OICP's times: stamps in the charge point's offset, whole seconds; an address's zone as its standard offset."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Offsets are read off one fixed year, so that the same location gives the same record on every day it is rendered.
_WINTER_AND_SUMMER = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))


def write(instant: datetime, zone: str) -> str:
    """Writes an instant in a zone's local time, `2026-06-07T20:40:07+02:00` (OICP 2.3, date and time format).

    Args:
        instant: Aware.
        zone: IANA name of the charge point's zone.

    Raises:
        ValueError: The zone is not known.
    """
    known = _zone(zone)
    if known is None:
        raise ValueError(f"{zone!r} is not a known time zone")
    return instant.astimezone(known).replace(microsecond=0).isoformat()


def read(text: str, undesignated: tzinfo | None = None) -> datetime:
    """Reads a stamp with an offset or `Z`, fractions and a space for the `T` allowed; gives UTC.

    Args:
        text: The stamp.
        undesignated: The zone that a stamp without a designator is in; None refuses such a stamp.

    Raises:
        ValueError: The text is no stamp, or has no designator where one is needed.
    """
    stamp = datetime.fromisoformat(text.strip())
    if stamp.tzinfo is None:
        if undesignated is None:
            raise ValueError(f"{text!r} has no time zone designator")
        stamp = stamp.replace(tzinfo=undesignated)
    try:
        return stamp.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is out of range") from None


@lru_cache(maxsize=1024)
def standard_offset(zone: str) -> str | None:
    """Gives a zone's standard offset as OICP's TimeZoneType, `UTC+01:00`; None where the zone is not known.

    The smaller of the winter and summer offsets, since summer time always lies ahead; the tz database calls Ireland's
    winter the exception, and this does not.
    """
    known = _zone(zone)
    if known is None:
        return None
    offsets = [offset for day in _WINTER_AND_SUMMER if (offset := day.astimezone(known).utcoffset()) is not None]
    minutes = min(offsets) // timedelta(minutes=1)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A name with a slash too many or a directory's name raises one of the latter two.
        return None
