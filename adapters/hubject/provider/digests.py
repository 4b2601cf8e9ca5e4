"""By what it is seen whether Hubject says the same of something once more."""

from collections.abc import Mapping
from typing import Any, Final

from adapters.core.digest import digest

_DELTA: Final = "deltaType"


def of_record(said: Any) -> bytes:
    """Digests a record of a pull: what a full pull and one of changes say alike is alike."""
    if isinstance(said, Mapping) and _DELTA in said:
        said = {name: value for name, value in said.items() if name != _DELTA}
    return digest(said)


def of_cdr(said: Any) -> bytes:
    """Digests a CDR: forwarded, it may lack the nulls with which it is pulled, and is the same."""
    return digest(_without_nulls(said))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [_without_nulls(inner) for inner in value] if isinstance(value, list) else value
