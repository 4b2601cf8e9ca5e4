"""What adapters may ask of the gateway's pricing: they know what a hub can say of a tariff, not what a charge costs."""

from enum import StrEnum
from typing import Protocol

from mappings.canonical.tariffs import Tariff


class Unsayable(StrEnum):
    """What becomes of a tariff that a hub cannot be told as it is, as the operator's setting says."""

    REFUSE = "refuse"
    APPROXIMATE = "approximate"
    """The hub is told what comes nearest, with an issue that says what that does to prices."""


class Compare(Protocol):
    """Says what an approximation of a tariff does to its prices."""

    def __call__(self, wanted: Tariff, said: Tariff) -> str:
        """Prices sample charges by both tariffs.

        Args:
            wanted: The tariff as the operator wrote it.
            said: What the hub is told, read back as a tariff.

        Returns:
            One sentence for a person, without a stop at its end: how many sample charges come to another price, and
            the largest difference in money. For the detail of an issue.
        """
