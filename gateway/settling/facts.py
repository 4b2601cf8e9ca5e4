"""What of a CDR counts when it is settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from mappings.canonical.agreements import AgreementRef, OfferTerms, SettlementRounding, TaxRule
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Money

_USUAL_ROUNDING: Final = SettlementRounding()


@dataclass(frozen=True, slots=True)
class SettlingTerms:
    """How an agreement has its CDRs settled."""

    tax: TaxRule = TaxRule.BY_COUNTRIES
    rounding: SettlementRounding = _USUAL_ROUNDING

    @classmethod
    def of(cls, terms: OfferTerms) -> "SettlingTerms":
        """Takes what an offer's version says of it."""
        return cls(terms.tax, terms.rounding)


USUAL: Final = SettlingTerms()
"""Of a CDR under no agreement that is on record."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a CDR tells beside what it comes to under the agreement that it is pinned to.

    Attributes:
        net: What is told less what is calculated; None where it cannot be calculated.
        disputed: One side does not take it.
        differs: By more than the tolerance.
        why: Why it cannot be calculated.
        agreed: The net amount that both agreed on instead.
    """

    net: Decimal | None = None
    disputed: bool = False
    differs: bool = False
    why: str | None = None
    agreed: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A CDR that came into effect, or ceased to be in effect, at a moment.

    Attributes:
        no: Orders facts that are otherwise alike, and is unique.
        connection: Over which it was told; its name.
        country: Of the station, ISO 3166-1 alpha-3; None where nobody tells.
        sign: 1, or -1 where it ceased to be in effect.
        credit: It takes another one back: its amounts are negative as told, what it measured is not.
        minutes: From plugging in to unplugging.
        cost: As told, or as both sides agreed since; None where there is no price.
        parts: Net amounts of the cost's parts, as far as they are told.
        rates: VAT rates, in per cent, that the CDR's own tariffs name.
        by_hub: The hub worked the cost out.
        agreed: The cost is what both sides agreed on, and not what the CDR tells.
        late: It belongs to an earlier period, whose report it came too late for.
        refused: The hub that was to be told of it refused it, and no other CDR stands for it.
    """

    no: int
    cdr: str
    cpo: PartyId
    emsp: PartyId | None
    connection: str
    country: str | None
    start: datetime
    end: datetime
    at: datetime
    energy: Decimal
    minutes: Decimal
    currency: str
    cost: Money | None
    parts: Sequence[Decimal] = ()
    rates: frozenset[Decimal] = frozenset()
    sign: int = 1
    credit: bool = False
    by_hub: bool = False
    agreed: bool = False
    late: bool = False
    refused: bool = False
    agreement: AgreementRef | None = None
    terms: SettlingTerms = USUAL
    difference: Difference = Difference()

    @property
    def counts(self) -> int:
        """1 where a session is added, -1 where one is taken back."""
        return -self.sign if self.credit else self.sign
