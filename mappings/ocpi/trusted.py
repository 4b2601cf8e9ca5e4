"""Builds canonical models from values that were checked before, without checking them a second time.

A network of 70,000 locations is half a million models; validating what the wire's validator, the tables and the
readers of this package have just made costs as much as all the rest of the translation. Whoever calls this answers for
every constraint of the model; the tests validate what it built.
"""

from functools import cache
from typing import Any, TypeVar

from mappings.canonical.base import Model

M = TypeVar("M", bound=Model)

_new, _set = object.__new__, object.__setattr__


def build(model: type[M], values: dict[str, Any]) -> M:
    """Gives the model with these values, and its defaults for the rest.

    Args:
        model: A canonical model.
        values: Every required field, and any other, each as the model would hold it.
    """
    built = _new(model)
    _set(built, "__dict__", {**_template(model), **values})
    _set(built, "__pydantic_fields_set__", set(values))
    _set(built, "__pydantic_extra__", None)
    _set(built, "__pydantic_private__", None)
    return built


def variant(model: M, values: dict[str, Any]) -> M:
    """Gives a model that was built, with some values in place of its own; each as the model would hold it."""
    built = _new(type(model))
    _set(built, "__dict__", {**model.__dict__, **values})
    _set(built, "__pydantic_fields_set__", model.__pydantic_fields_set__.union(values))
    _set(built, "__pydantic_extra__", None)
    _set(built, "__pydantic_private__", None)
    return built


@cache
def _template(model: type[Model]) -> dict[str, Any]:
    """All fields in the model's own order, which is the order in which they are written."""
    return {name: None if field.is_required() else field.get_default() for name, field in model.model_fields.items()}
