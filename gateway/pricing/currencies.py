"""Currencies' minor units, in which drivers see amounts."""

from decimal import Decimal
from typing import Final

from gateway.pricing.rounding import Rounding

_USUAL: Final = 2
_PLACES: Final = {
    **dict.fromkeys(
        (
            *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
            *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}
"""Places of the minor unit where it is not a hundredth (ISO 4217, list one)."""


def minor(currency: str) -> int:
    """Gives the places of a currency's minor unit."""
    return _PLACES.get(currency, _USUAL)


def in_minor_units(amount: Decimal, currency: str) -> Decimal:
    """Rounds an amount as a driver sees it; a half goes up."""
    return Rounding(minor(currency))(amount)
