"""Bodies of what is pushed to us, parsed."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from mappings.report import Refused


def parsed(body: bytes) -> Mapping[str, Any]:
    """Parses a body, once for its digest and its translation.

    Raises:
        Refused: It is no JSON object.
    """
    try:
        raw = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise Refused("", f"no JSON: {error}") from None
    if not isinstance(raw, dict):
        raise Refused("", "not a JSON object")
    return raw
