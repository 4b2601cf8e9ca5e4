"""A CDR as it is settled: its amounts, rounded as its agreement says, and what is to be said of it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from gateway.settling.facts import Fact
from gateway.settling.rounding import EXACT, rounded
from gateway.settling.taxing import LEGAL, Treatment, Undecided, decide, vat_of
from mappings.canonical.agreements import RoundedAt
from mappings.canonical.billing import BillingParty
from mappings.canonical.ids import PartyId

_ZERO: Final = Decimal(0)


class Remark(StrEnum):
    """What a person should know of a settled CDR."""

    UNPRICED = "unpriced"
    """It tells no price, or its hub calls the price meaningless."""
    UNDECIDED = "undecided"
    """Its tax is not decided."""
    DISPUTED = "disputed"
    DIFFERS = "differs"
    """It does not cost what follows from the agreement that it is pinned to, by more than the tolerance."""
    HUB_PRICED = "hub_priced"
    """Its CPO tells no price, and the hub worked one out."""
    AGREED = "agreed"
    """Both sides agreed on other amounts than the CDR tells."""
    REFUSED_BY_HUB = "refused_by_hub"
    """The hub that was to be told of it refused it, so that whoever pays does not have it; it counts all the same."""
    NO_AGREEMENT = "no_agreement"
    """No agreement is on record for it; it is settled as if one said nothing."""
    TAKEN_BACK = "taken_back"
    """It, or what it stands for, is taken out again."""
    LATE = "late"
    """It belongs to an earlier period, whose report it came too late for."""


_TELLS: Final[Mapping[Remark, Callable[["Line"], bool]]] = {
    Remark.UNPRICED: lambda line: line.treatment is Treatment.UNPRICED,
    Remark.UNDECIDED: lambda line: line.treatment is Treatment.UNDECIDED,
    Remark.DISPUTED: lambda line: line.fact.difference.disputed,
    Remark.DIFFERS: lambda line: line.fact.difference.differs,
    Remark.HUB_PRICED: lambda line: line.fact.by_hub and line.fact.cost is not None,
    Remark.AGREED: lambda line: line.fact.agreed,
    Remark.REFUSED_BY_HUB: lambda line: line.fact.refused,
    Remark.NO_AGREEMENT: lambda line: line.fact.agreement is None,
    Remark.TAKEN_BACK: lambda line: line.fact.counts < 0,
    Remark.LATE: lambda line: line.fact.late,
}


@dataclass(frozen=True, slots=True)
class Line:
    """A CDR as it is settled.

    Attributes:
        net: Rounded where the agreement rounds lines or CDRs, else exact; None where there is no price.
        vat, gross: The same; None where the tax is undecided.
        rate: Of the tax, in per cent; None where none is charged, or only an amount is told.
        legal: What stands beside it where no tax is charged.
    """

    fact: Fact
    treatment: Treatment
    why: Undecided | None = None
    net: Decimal | None = None
    vat: Decimal | None = None
    gross: Decimal | None = None
    rate: Decimal | None = None
    legal: str | None = None

    @property
    def energy(self) -> Decimal:
        """KWh, negative where they are taken back."""
        return self.fact.energy * self.fact.counts

    @property
    def minutes(self) -> Decimal:
        """Minutes, negative where they are taken back."""
        return self.fact.minutes * self.fact.counts

    def remarks(self) -> list[Remark]:
        """Says what a person should know."""
        return [remark for remark, tells in _TELLS.items() if tells(self)]

    def canonical(self) -> bytes:
        """Writes what is settled in the one way whose digest is compared: a JSON array, and an end of line."""
        fact, rounding = self.fact, self.fact.terms.rounding
        told: list[object] = [
            fact.no,
            fact.cpo.normal,
            _party(fact.emsp),
            fact.connection,
            fact.country,
            fact.cdr,
            fact.counts,
            fact.start.isoformat(),
            fact.end.isoformat(),
            plain(self.energy),
            plain(self.minutes),
            fact.currency,
            self.treatment.value,
            *(plain(one) if one is not None else None for one in (self.rate, self.net, self.vat, self.gross)),
            rounding.at.value,
            rounding.mode.value,
        ]
        return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def plain(amount: Decimal) -> str:
    """Writes an amount so that equal ones are written alike: without an exponent, and without zeros at its end."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def settle(fact: Fact, parties: Mapping[PartyId, BillingParty]) -> Line:
    """Settles a CDR.

    Args:
        parties: Those of whom it is on record how they are billed.
    """
    verdict = decide(fact, parties.get(fact.cpo), parties.get(fact.emsp) if fact.emsp is not None else None)
    if fact.cost is None:
        return Line(fact, verdict.treatment)
    rounding = fact.terms.rounding
    exact = EXACT.multiply(fact.cost.net, fact.sign)
    net = exact
    if rounding.at is RoundedAt.LINE:
        net = _sum([rounded(part, fact.currency, rounding.mode) for part in _parts(fact, exact)])
    elif rounding.at is RoundedAt.CDR:
        net = rounded(exact, fact.currency, rounding.mode)
    if verdict.treatment is Treatment.UNDECIDED:
        return Line(fact, verdict.treatment, verdict.why, net)
    if verdict.treatment is not Treatment.CHARGED:
        legal = LEGAL.get(fact.terms.tax) if verdict.treatment is Treatment.REVERSE_CHARGE else None
        return Line(fact, verdict.treatment, None, net, _ZERO, net, None, legal)
    vat = vat_of(fact, net)
    amount = vat.amount if rounding.at is RoundedAt.TOTAL else rounded(vat.amount, fact.currency, rounding.mode)
    return Line(fact, verdict.treatment, None, net, amount, EXACT.add(net, amount), vat.rate)


def _parts(fact: Fact, net: Decimal) -> Sequence[Decimal]:
    """Gives the lines of a CDR: its parts, and what is missing from them to the total that it tells."""
    if not fact.parts:
        return [net]
    parts = [part * fact.sign for part in fact.parts]
    rest = EXACT.subtract(net, _sum(parts))
    return [*parts, rest] if rest else parts


def _sum(amounts: Sequence[Decimal]) -> Decimal:
    total = _ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def _party(party: PartyId | None) -> str | None:
    return party.normal if party is not None else None
