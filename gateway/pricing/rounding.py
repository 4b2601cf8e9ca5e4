"""Rounding, as data: OCPI leaves it to law and contract, so it is stated and never built in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from mappings.canonical.tariffs import RoundingRule


@dataclass(frozen=True, slots=True)
class Rounding:
    """To so many places of the decimal, this way."""

    places: int
    rule: RoundingRule = RoundingRule.ROUND_NEAR

    def __call__(self, amount: Fraction | Decimal) -> Decimal:
        """Rounds an amount; of a negative one, up is towards zero."""
        # By whole numbers: a fraction would be reduced for nothing, and this is done a dozen times for each charge.
        numerator, denominator = amount.as_integer_ratio()
        return Decimal(TO_WHOLE[self.rule](numerator * 10**self.places, denominator)).scaleb(-self.places)


TO_WHOLE: Final[Mapping[RoundingRule, Callable[[int, int], int]]] = {
    RoundingRule.ROUND_UP: lambda numerator, denominator: -(-numerator // denominator),
    RoundingRule.ROUND_DOWN: lambda numerator, denominator: numerator // denominator,
    RoundingRule.ROUND_NEAR: lambda numerator, denominator: (2 * numerator + denominator) // (2 * denominator),
}
"""From a numerator and a denominator to a whole number."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How the amounts of a calculation are rounded.

    Attributes:
        line: The net amount and the tax of each line whose component says nothing of its own.
        total: Of the net amount and of the gross amount, by a line of its own; None for not at all.
    """

    line: Rounding = Rounding(4)
    total: Rounding | None = None


PLAIN: Final = Rules()
"""Lines to the four places that OCPI's numbers have, the total as it comes."""

GIREVE: Final = Rules(line=Rounding(3))
"""Gireve's default for tariffs that came by OCPI."""
