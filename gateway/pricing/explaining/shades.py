"""Colours for prices: the dearer the darker, in few enough shades to be told apart."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

SHADES: Final = ("#e3f1fb", "#b7daf2", "#83bde5", "#559fd3", "#1f6fae", "#0a4478")
"""One hue from light to dark, so that they are told apart without seeing colours too."""
INKS: Final = ("#10202c", "#10202c", "#10202c", "#10202c", "#ffffff", "#ffffff")
"""What is written on each."""

_TAKEN: Final = ((), (1,), (1, 4), (1, 3, 4), (1, 2, 3, 4), (1, 2, 3, 4, 5), (0, 1, 2, 3, 4, 5))
"""Which shades so many prices take; those at the ends last, which stand out least from a page."""


class Level(NamedTuple):
    """Prices of one shade.

    Attributes:
        shade: Its number in `SHADES`.
        least, most: The prices, equal where it is one.
    """

    shade: int
    least: Decimal
    most: Decimal


def levels(prices: Sequence[Decimal]) -> Sequence[Level]:
    """Shares prices out to the shades, as evenly by their number as may be.

    Args:
        prices: Rising, each once.
    """
    shades = _TAKEN[min(len(prices), len(SHADES))]
    found = []
    for number, shade in enumerate(shades):
        part = prices[number * len(prices) // len(shades) : (number + 1) * len(prices) // len(shades)]
        found.append(Level(shade, part[0], part[-1]))
    return found


def shade_of(price: Decimal, among: Sequence[Level]) -> int:
    """Gives the number of a price's shade."""
    return next(level.shade for level in among if price <= level.most)
