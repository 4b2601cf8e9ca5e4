"""Time zones by name, as a charge names its place's."""

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


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
