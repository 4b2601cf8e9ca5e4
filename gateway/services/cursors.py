"""Cursors: the key of the last row of a page, as an opaque text."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error


def encode(*key: str) -> str:
    """Gives the cursor after a key."""
    return urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def decode(cursor: str, size: int) -> tuple[str, ...] | None:
    """Gives the key behind a cursor; None if it is none of ours."""
    try:
        key = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (Error, ValueError):
        return None
    if not isinstance(key, list) or len(key) != size or not all(isinstance(part, str) for part in key):
        return None
    return tuple(key)
