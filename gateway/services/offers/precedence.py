"""Which of two offers goes before the other for an EMSP that has both, and why. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from mappings.canonical.agreements import Offer, OfferTerms


class Ranked(NamedTuple):
    """What decides: `gateway.agreements.model.Agreement.precedence`, made of an offer that nobody may have yet.

    Attributes:
        no: Numbers offers in the order in which they were made; higher than any of one that is not stored.
    """

    offer: Offer
    terms: OfferTerms
    no: int

    @property
    def key(self) -> tuple[bool, bool, bool, int, int]:
        """The smaller, the sooner it counts."""
        return (
            self.offer.audience is None,
            not self.terms.evse_groups,
            self.offer.network_group is not None,
            self.terms.rank,
            self.no,
        )


_WHY: Final[Sequence[str]] = (
    "names its EMSPs",
    "is for EVSE groups rather than the whole network",
    "is of the CPO itself rather than of a network group",
    "has the lower rank",
    "is older",
)
"""Of what goes before, by the places of the key."""


def meet(one: Ranked, other: Ranked) -> bool:
    """Tells whether two offers of a network may be about the same EMSP, EVSE and service."""
    return (
        bool(one.terms.services & other.terms.services)
        and _share(one.terms.evse_groups, other.terms.evse_groups)
        and _share(one.offer.audience or (), other.offer.audience or ())
    )


def compared(one: Ranked, other: Ranked) -> str:
    """Says which one goes before, of the other as seen from the one."""
    place = next((n for n, (a, b) in enumerate(zip(one.key, other.key, strict=True)) if a != b), None)
    if place is None:
        return "it is the same"
    if other.key < one.key:
        return f"it goes before this one, since it {_WHY[place]}"
    return f"this one goes before it, since this one {_WHY[place]}"


def _share(one: Sequence[object], other: Sequence[object]) -> bool:
    return not one or not other or bool(set(one) & set(other))
