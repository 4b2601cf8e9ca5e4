"""Cursors: the key of the last row of a page, as an opaque text."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import datetime

from gateway.services.ports import BadCursor

LAST = 2**63 - 1
"""No row has a higher number."""


def encode(*key: str) -> str:
    """Gives the cursor after a key."""
    return urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def number_of(cursor: str | None, default: int, most: int = LAST) -> int:
    """Gives the number behind a cursor whose key is one.

    Args:
        default: Where there is no cursor.
        most: More is no number of a row.

    Raises:
        BadCursor: It is none of ours.
    """
    if cursor is None:
        return default
    key = decode(cursor, 1)
    found = as_number(key[0], most) if key is not None else None
    if found is None:
        raise BadCursor
    return found


def moment_of(cursor: str | None) -> tuple[datetime | None, str | None]:
    """Gives the moment and the id behind a cursor whose key they are; None twice where there is no cursor.

    Raises:
        BadCursor: It is none of ours.
    """
    if cursor is None:
        return None, None
    key = decode(cursor, 2)
    if key is None:
        raise BadCursor
    try:
        at = datetime.fromisoformat(key[0])
    except ValueError:
        raise BadCursor from None
    if at.tzinfo is None:
        raise BadCursor
    return at, key[1]


def as_number(text: str, most: int = LAST) -> int | None:
    """Reads a part of a key that is a number; None if it is none, or more than a row's may be."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LAST))):
        return None
    found = int(text)
    return found if found <= most else None


def decode(cursor: str, size: int) -> tuple[str, ...] | None:
    """Gives the key behind a cursor; None if it is none of ours."""
    try:
        key = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (Error, ValueError):
        return None
    if not isinstance(key, list) or len(key) != size or not all(isinstance(part, str) for part in key):
        return None
    return tuple(key)
