"""What all canonical models share: frozen models, numbers, instants, and the place for what a peer said beside them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, PlainSerializer


def _utc(value: datetime) -> datetime:
    try:
        return value if value.tzinfo is UTC else value.astimezone(UTC)
    except OverflowError as error:  # the first and last hours of the calendar have no UTC
        raise ValueError("is out of the calendar's range") from error


def json_number(value: Decimal) -> int | float:
    """Gives the number that JSON shall show; a whole one without a point."""
    return int(value) if value == value.to_integral_value() else float(value)


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
"""A moment: aware, in UTC."""

MOST = 1_000_000_000_000
"""The furthest from zero that a `Number` goes. Writing `"1e999999"` out as an integer would take seconds."""

Number = Annotated[
    Decimal,
    Field(allow_inf_nan=False, ge=-MOST, le=MOST),
    PlainSerializer(json_number, return_type=int | float, when_used="json"),
]
"""A decimal that is a JSON number on the wire."""

Unknown = Mapping[str, JsonValue]
"""Fields and enum texts that a peer sent and the model has no place for, by the peer's field name."""


class Model(BaseModel):
    """Base of the canonical models: immutable, and closed to unknown fields, which belong in `unknown`."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())
