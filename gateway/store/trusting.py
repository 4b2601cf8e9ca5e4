"""Reads canonical objects from JSON that this gateway wrote itself, without checking it a second time.

Validating a page of a hundred locations takes as long as everything else that is done for the page. Whoever reads so
answers for the text: it is what a model wrote with `exclude_defaults`, and nothing else.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from mappings.canonical.base import Model
from mappings.canonical.ids import ContractId, EvseId, PartyId
from mappings.trusted import build

M = TypeVar("M", bound=Model)
Read = Callable[[Any], Any]


def read(model: type[M], values: dict[str, Any]) -> M:
    """Gives the object that JSON was written of; `values` are that JSON, read, and are used up."""
    made: M = _reader(model)(values)
    return made


def _decimal(value: float) -> Decimal:
    return Decimal(str(value))


_PLAIN: Final[Mapping[Any, Read | None]] = {
    str: None,
    bool: None,
    int: None,
    Any: None,
    Decimal: _decimal,
    AwareDatetime: datetime.fromisoformat,
    PartyId: lru_cache(4096)(PartyId),  # a network names few, each a great many times
    EvseId: EvseId,
    ContractId: ContractId,
}
"""How values are made of what JSON has; None for those that are what they are."""


@cache
def _reader(model: type[Model]) -> Read:
    fields = {name: _of(field.annotation) for name, field in model.model_fields.items()}

    def made(values: dict[str, Any]) -> Any:
        for name, value in values.items():
            reader = fields[name]
            if reader is not None and value is not None:
                values[name] = reader(value)
        return build(model, values)

    return made


def _of(annotation: Any) -> Read | None:
    """Gives how a field is read.

    Raises:
        TypeError: Nobody said so of its type.
    """
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if (origin := get_origin(annotation)) is not None:
        return _of_generic(annotation, origin, get_args(annotation))
    if issubclass(annotation, Enum):
        return {each.value: each for each in annotation}.__getitem__
    if issubclass(annotation, BaseModel):
        return _reader(annotation)
    raise TypeError(f"{annotation} is not read from JSON here")


def _of_generic(annotation: Any, origin: Any, arguments: tuple[Any, ...]) -> Read | None:
    if origin is Annotated:
        return _of(arguments[0])
    if origin in {Union, UnionType}:
        [inner] = [each for each in arguments if each is not NoneType]
        return _of(inner)
    if origin is tuple:
        return _tuple(_of(arguments[0]))
    if issubclass(origin, Mapping):
        return None
    raise TypeError(f"{annotation} is not read from JSON here")


def _tuple(inner: Read | None) -> Read:
    return tuple if inner is None else lambda values: tuple([inner(each) for each in values])
