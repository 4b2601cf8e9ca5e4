"""Reads the gateway's answers, which leave out what is None, into the views that they were made of."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter
from pydantic_core import from_json

T = TypeVar("T")


def read(kind: type[T], body: bytes) -> T:
    """Reads an answer.

    Raises:
        ValueError: It is no such view.
    """
    return TypeAdapter(kind).validate_python(_whole(kind, from_json(body)))


def _whole(kind: Any, value: Any) -> Any:
    """Adds the fields that were left out."""
    origin = get_origin(kind) or kind
    if isinstance(value, list) and isinstance(origin, type) and issubclass(origin, Sequence):
        (inner,) = get_args(kind)[:1] or (Any,)
        return [_whole(inner, one) for one in value]
    if not (is_dataclass(origin) and isinstance(origin, type) and isinstance(value, Mapping)):
        return value
    hints = get_type_hints(origin)
    # A generic view, Page[X], says X once for all its fields.
    given = dict(zip(getattr(origin, "__parameters__", ()), get_args(kind), strict=False))
    whole = dict(value)
    for field in fields(origin):
        hint = hints[field.name]
        if field.name in whole:
            whole[field.name] = _whole(_bound(hint, given), whole[field.name])
        elif get_origin(hint) in {Union, UnionType} and NoneType in get_args(hint):
            whole[field.name] = None
    return whole


def _bound(hint: Any, given: Mapping[Any, Any]) -> Any:
    parameters = getattr(hint, "__parameters__", ())
    return hint[tuple(given.get(one, Any) for one in parameters)] if parameters and given else hint
