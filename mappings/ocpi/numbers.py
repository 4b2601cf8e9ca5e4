"""JSON numbers and decimals."""

from decimal import Decimal


def read(value: float) -> Decimal:
    """Gives the decimal that was written: 0.7025 is 0.7025, not its nearest binary fraction."""
    return Decimal(value) if isinstance(value, int) else Decimal(repr(value))


def write(value: Decimal) -> int | float:
    """Gives the number that JSON shall show; a whole one without a point."""
    return int(value) if value == value.to_integral_value() else float(value)


def exact(value: Decimal) -> bool:
    """Whether `write` loses no digit."""
    return read(write(value)) == value
