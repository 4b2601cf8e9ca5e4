"""OCPI's DateTime (2.2.1, types, DateTime type): UTC, with `Z` or without any designator, never with an offset."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?")
_OFFSET = re.compile(r".*[+-]\d\d:?\d\d")


@lru_cache(maxsize=16384)
def parse(text: str) -> datetime:
    """Reads a stamp; what lies below a microsecond is cut.

    Raises:
        ValueError: Not such a stamp; an explicit offset is refused even where it is `+00:00`, as the text says.
    """
    if _STAMP.fullmatch(text) is None:
        if _OFFSET.fullmatch(text):
            raise ValueError("has an explicit offset, where OCPI wants UTC")
        raise ValueError("is not a stamp like 2015-06-29T20:39:09Z")
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


@lru_cache(maxsize=16384)
def write(moment: datetime) -> str:
    """Writes a stamp with `Z`, to the millisecond; a whole second has no fraction.

    A stamp may have 25 characters, which leaves four places for the fraction; milliseconds are what OCPI's own
    examples show.
    """
    moment = moment.astimezone(UTC)
    text = moment.isoformat(timespec="milliseconds" if moment.microsecond >= 1000 else "seconds")
    return text[:-6] + "Z"
