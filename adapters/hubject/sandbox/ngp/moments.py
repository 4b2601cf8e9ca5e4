"""Moments as the NGP API writes them."""

from datetime import UTC, datetime, timedelta
from typing import Final

FOREVER: Final = "+13544-01-20T21:59:59.999Z"
"""`validTo` of what has no end, as Hubject's own examples have it."""
_TICK: Final = timedelta(milliseconds=1)


def stamp(moment: datetime) -> str:
    """Writes a moment in UTC, with as many digits of the second as it has, in threes."""
    moment = moment.astimezone(UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    if not moment.microsecond:
        return f"{text}Z"
    digits = f"{moment.microsecond:06}"
    return f"{text}.{digits.removesuffix('000')}Z"


def stamp_or_none(moment: datetime | None) -> str | None:
    """Writes a moment that may be missing."""
    return None if moment is None else stamp(moment)


def fine_stamp(moment: datetime) -> str:
    """Writes a moment with nine digits of the second, as a network's creation is told."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


def last_before(moment: datetime) -> str:
    """Writes the last millisecond before a moment: how Hubject tells of ends that a beginning follows."""
    return stamp(moment - _TICK)
