"""JSON numbers and decimals."""

from decimal import Decimal

from mappings.canonical.base import json_number


def read(value: float) -> Decimal:
    """Gives the decimal that was written: 0.7025 is 0.7025, not its nearest binary fraction."""
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))


def exact(value: Decimal) -> bool:
    """Whether `json_number` loses no digit."""
    return read(json_number(value)) == value
