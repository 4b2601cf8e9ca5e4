"""The fingerprint of a JSON object's content, however its fields are ordered."""

import json
from hashlib import blake2b
from typing import Any

import pydantic_core

SIZE = 16
"""Bytes of a digest."""

# Made once: `json.dumps` makes an encoder for every call with settings of its own. What is digested holds no cycles.
_compact = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False).encode


def digest(value: Any) -> bytes:
    """Hashes a JSON value: 16 bytes, the same for the same content in any order of the fields.

    A hub that merges a PATCH may show fields in another order than they were sent.
    """
    return blake2b(_compact(value).encode(), digest_size=SIZE).digest()


def ordered_digest(value: Any) -> bytes:
    """Hashes a JSON value as its fields are ordered, in a third of the time: 16 bytes.

    For what comes by the thousand, and is merely read again where a hub orders the fields of the same content anew.
    """
    return blake2b(pydantic_core.to_json(value, inf_nan_mode="constants"), digest_size=SIZE).digest()
