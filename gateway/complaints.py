"""What is wrong with a record, by field: the words that every face and every service use for it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from pydantic_core import ErrorDetails, ValidationError, from_json

SHOWN = 100
"""Faults named in one problem document; a body with more says how many it left out."""


class FieldError(BaseModel):
    """One fault: the path of the field (empty for the record as a whole), and one sentence.

    Attributes:
        index: Position in a list of records, from 0.
        line: Line of a streamed body, from 1.
    """

    model_config = ConfigDict(frozen=True)

    field: str
    detail: str
    index: int | None = None
    line: int | None = None


def path_of(location: Iterable[int | str]) -> str:
    """Writes a path as `evses[2].connectors[0].standard`."""
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


# pydantic's own sentences speak of inputs and extras; a backend's developer thinks in fields.
_SENTENCES: Mapping[str, str] = {
    "extra_forbidden": "is not a field of this object",
    "missing": "is required",
}


_NAMED: Final = re.compile(r"Value error, ([a-z_]+): ")
"""How a model that looks at several of its fields together names the one that is at fault."""


def _sentence(error: ErrorDetails) -> str:
    if sentence := _SENTENCES.get(error["type"]):
        return sentence
    message = _NAMED.sub("", error["msg"], count=1).removeprefix("Value error, ")
    return message.replace("Input should", "should", 1)


def _field(error: ErrorDetails) -> str:
    named = _NAMED.match(error["msg"])
    return path_of((*error["loc"], named[1]) if named else error["loc"])


def field_errors(error: ValidationError, line: int | None = None, most: int = SHOWN) -> list[FieldError]:
    """Turns a model's complaint into faults, the first of them, without the values: they may be secrets."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)[:most]
    return [FieldError(field=_field(fault), detail=_sentence(fault), line=line) for fault in faults]


def sentences(faults: Iterable[FieldError]) -> str:
    """Says what is wrong in one line: `energy: is required; name either this or that`."""
    return "; ".join(f"{fault.field}: {fault.detail}" if fault.field else fault.detail for fault in faults)


def guard(body: bytes) -> list[FieldError]:
    """Finds what JSON parsers let pass and a database will not hold: NUL characters, and numbers that are none.

    The two searches are all that a decent body costs.
    """
    if b"\\u0000" not in body and b"NaN" not in body and b"Infinity" not in body:
        return []
    try:
        value = from_json(body)
    except ValueError:
        return []  # whoever parses it says what is wrong with it
    try:
        from_json(body, allow_inf_nan=False)
    except ValueError as error:
        return [FieldError(field="", detail=f"holds a number that JSON has not: {error}")]
    return [FieldError(field=path_of(path), detail="holds a NUL character") for path in _nul_in(value, ())]


def _nul_in(value: Any, path: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    if isinstance(value, str):
        if "\0" in value:
            yield path
    elif isinstance(value, dict):
        for key, inner in value.items():
            if "\0" in key:
                yield path
            yield from _nul_in(inner, (*path, key.replace("\0", "")))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _nul_in(inner, (*path, index))
