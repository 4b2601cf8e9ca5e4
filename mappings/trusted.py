"""Builds canonical models from values that were checked before, without checking them a second time.

A network of 70,000 locations is half a million models; validating what the wire's validator, the tables and the
readers have just made costs as much as all the rest of the translation. Whoever calls this answers for
every constraint of the model; the tests validate what it built.
"""

from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel

from mappings.canonical.base import Model

M = TypeVar("M", bound=Model)

_new = object.__new__
# A frozen model refuses assignment. Its slots' own descriptors take a quarter of the time of `object.__setattr__`.
_set_values = BaseModel.__dict__["__dict__"].__set__
_set_named = BaseModel.__dict__["__pydantic_fields_set__"].__set__
_set_extra = BaseModel.__dict__["__pydantic_extra__"].__set__
_set_private = BaseModel.__dict__["__pydantic_private__"].__set__


def build(model: type[M], values: dict[str, Any]) -> M:
    """Gives the model with these values, and its defaults for the rest.

    Args:
        model: A canonical model.
        values: Every required field, and any other, each as the model would hold it.
    """
    return _made(model, {**_template(model), **values}, set(values))


def variant(model: M, values: dict[str, Any]) -> M:
    """Gives a model that was built, with some values in place of its own; each as the model would hold it."""
    return _made(type(model), {**model.__dict__, **values}, model.__pydantic_fields_set__.union(values))


def _made(model: type[M], values: dict[str, Any], named: set[str]) -> M:
    built = _new(model)
    _set_values(built, values)
    _set_named(built, named)
    _set_extra(built, None)
    _set_private(built, None)
    return built


@cache
def _template(model: type[Model]) -> dict[str, Any]:
    """All fields in the model's own order, which is the order in which they are written."""
    return {name: None if field.is_required() else field.get_default() for name, field in model.model_fields.items()}
