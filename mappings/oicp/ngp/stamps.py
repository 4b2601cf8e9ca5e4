"""The NGP API's stamps: of what has no end the year 13544, or the last that there is; of ends the last millisecond."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from mappings.oicp import times
from mappings.report import Refused

_FAR: Final = re.compile(r"(?:\+\d{5,}|9999)-")


def write(instant: datetime) -> str:
    """Writes an instant in UTC, whole seconds: `2026-06-07T18:40:07Z`."""
    return instant.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def read(text: str | None, field: str) -> datetime | None:
    """Reads a stamp; None where there is none, or it is as far away as says "without end".

    Raises:
        Refused: It is no stamp.
    """
    if text is None or not text.strip() or _FAR.match(text.strip()):
        return None
    try:
        return times.read(text, undesignated=UTC)
    except ValueError:
        raise Refused(field, "not a time", text) from None


def read_end(text: str | None, field: str) -> datetime | None:
    """Reads an end, given as the last millisecond, as the first moment after it.

    Raises:
        Refused: It is no stamp.
    """
    end = read(text, field)
    if end is None:
        return None
    if end.microsecond >= 999_000:
        end += timedelta(microseconds=1_000_000 - end.microsecond)
    return end
