"""Rounding money as agreements say. Both ways from zero alike, so that what is taken back comes to nothing."""

import decimal
from collections.abc import Mapping
from decimal import Context, Decimal
from typing import Final

from gateway.pricing.currencies import minor
from mappings.canonical.agreements import RoundingMode
from mappings.tables import TableError

_WAYS: Final[Mapping[RoundingMode, str]] = {
    RoundingMode.HALF_UP: decimal.ROUND_HALF_UP,
    RoundingMode.HALF_EVEN: decimal.ROUND_HALF_EVEN,
    RoundingMode.DOWN: decimal.ROUND_DOWN,
    RoundingMode.UP: decimal.ROUND_UP,
}
if _WAYS.keys() != set(RoundingMode):
    raise TableError("a mode of rounding has no way")

EXACT: Final = Context(prec=60, traps=[decimal.InvalidOperation, decimal.DivisionByZero])
"""In which amounts are summed: no sum of CDRs has so many digits that one would be lost."""


def rounded(amount: Decimal, currency: str, mode: RoundingMode) -> Decimal:
    """Rounds an amount to its currency's minor unit."""
    return amount.quantize(Decimal(1).scaleb(-minor(currency)), rounding=_WAYS[mode], context=EXACT)
