"""An agreement: one EMSP's right to one CPO's network under one version of an offer, by one way, within a window."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from mappings.canonical.agreements import AgreementRef, OfferTerms, Service
from mappings.canonical.ids import PartyId

DEFAULT_RANK: Final = 100
"""Where a connection without a rank stands in the order of asking."""


BEGINNING: Final[Mapping[str, Service]] = MappingProxyType(
    {
        "START_SESSION": Service.REMOTE,
        "RESERVE_NOW": Service.RESERVATION,
        "UNLOCK_CONNECTOR": Service.REMOTE,
    }
)
"""What a command needs that begins something, by its kind. One that ends something needs nothing.

Nor does an unlocking where the EMSP's own driver charges, or has just charged: it lets go what began.
"""


class Standing(StrEnum):
    """What is made of an agreement, its window left aside."""

    HOLDS = "holds"
    """Within its window."""
    WAITS = "waits"
    """Somebody has to say yes to the subscription."""
    REFUSED = "refused"
    """Somebody said no."""
    OVER = "over"
    """It ended, which no clock unmakes."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One line of who is served.

    Attributes:
        offer_no: Numbers offers in the order in which they were made.
        subscription: None where nobody has to subscribe.
        connection_id: The way.
        emsp: None for all.
        targeted: The offer names its EMSPs.
        by_group: The CPO has it as a member of a network group.
        starts: The first moment of this version, subscription and membership.
        ends: The first moment after it; None without end.
    """

    offer: str
    offer_no: int
    version: int
    subscription: str | None
    connection_id: int
    cpo: PartyId
    emsp: PartyId | None
    terms: OfferTerms
    starts: datetime
    ends: datetime | None = None
    standing: Standing = Standing.HOLDS
    targeted: bool = False
    by_group: bool = False

    @property
    def ref(self) -> AgreementRef:
        """By what a session is served that begins under it."""
        return AgreementRef(offer=self.offer, version=self.version, subscription=self.subscription)

    @property
    def precedence(self) -> tuple[bool, bool, bool, int, int, int]:
        """The smaller, the sooner it counts where several hold: the most specific first."""
        return (
            not self.targeted,
            not self.terms.evse_groups,
            self.by_group,
            self.terms.rank,
            self.offer_no,
            -self.version,
        )
