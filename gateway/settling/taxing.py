"""How value added tax is settled on a CDR, and what of it cannot be decided here.

Charging is a supply of goods (Court of Justice, C-60/23), namely of electricity (Directive 2006/112/EC, Article 15).
To a taxable dealer, as an EMSP is, it is made where that is established (Article 38), and the dealer owes the tax where
the supplier is not established there (Article 195; Article 196 is for services).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.pricing.currencies import minor
from gateway.settling.facts import Fact
from gateway.settling.rounding import EXACT
from mappings.canonical.agreements import TaxRule
from mappings.canonical.billing import BillingParty
from mappings.canonical.tariffs import Money, Tax
from mappings.canonical.vat import EU_MEMBERS

_HUNDRED: Final = Decimal(100)


class Treatment(StrEnum):
    """What becomes of the tax."""

    CHARGED = "charged"
    """The CDR's."""
    REVERSE_CHARGE = "reverse_charge"
    """None is charged: who buys owes it."""
    NONE = "none"
    """The agreement says that there is none."""
    UNDECIDED = "undecided"
    """A person has to decide; the net amount stands."""
    UNPRICED = "unpriced"
    """There is no price that it could be on."""


class Undecided(StrEnum):
    """Why the tax, and with it the gross amount, is not known."""

    UNKNOWN_EMSP = "unknown_emsp"
    """Nobody tells whose driver it was."""
    NO_BILLING_PARTY = "no_billing_party"
    """It is not on record where one of both is established."""
    NO_VAT_ID = "no_vat_id"
    """One of both has none, and reverse charge asks for both."""
    OUTSIDE_UNION = "outside_union"
    """They are established in two countries of which one is no member state."""
    STATION_ABROAD = "station_abroad"
    """Both are established in one country, and the station stands in another, whose tax the CDR may tell."""
    NO_VAT_TOLD = "no_vat_told"
    """Tax is due, and the CDR tells none."""
    SEVERAL_TAXES = "several_taxes"
    """The CDR tells several, and not on which part of the amount each of them is."""


LEGAL: Final[Mapping[TaxRule, str]] = {
    TaxRule.BY_COUNTRIES: "Reverse charge: Articles 38 and 195 of Directive 2006/112/EC",
    TaxRule.REVERSE_CHARGE: "Reverse charge, as agreed",
}
"""What stands beside amounts under reverse charge."""


class Verdict(NamedTuple):
    """What becomes of a CDR's tax, and why that is not known."""

    treatment: Treatment
    why: Undecided | None = None


class Vat(NamedTuple):
    """A tax on a net amount.

    Attributes:
        rate: Per cent; None where only an amount is told.
    """

    amount: Decimal
    rate: Decimal | None


def decide(fact: Fact, cpo: BillingParty | None, emsp: BillingParty | None) -> Verdict:
    """Decides what becomes of the tax on a CDR; nothing is guessed."""
    if fact.cost is None:
        return Verdict(Treatment.UNPRICED)
    rule = fact.terms.tax
    if rule is TaxRule.NONE:
        return Verdict(Treatment.NONE)
    verdict = Verdict(Treatment.CHARGED) if rule is TaxRule.CHARGED else _between(fact, rule, cpo, emsp)
    if verdict.treatment is Treatment.CHARGED:
        told = _told(fact.cost)
        if len(told) > 1:
            return Verdict(Treatment.UNDECIDED, Undecided.SEVERAL_TAXES)
        if fact.cost.net and not told:
            return Verdict(Treatment.UNDECIDED, Undecided.NO_VAT_TOLD)
    return verdict


def _between(fact: Fact, rule: TaxRule, cpo: BillingParty | None, emsp: BillingParty | None) -> Verdict:
    why: Undecided | None = None
    if fact.emsp is None:
        why = Undecided.UNKNOWN_EMSP
    elif cpo is None or emsp is None:
        why = Undecided.NO_BILLING_PARTY
    elif rule is TaxRule.BY_COUNTRIES and cpo.country == emsp.country:
        if fact.country in {None, cpo.country}:
            return Verdict(Treatment.CHARGED)
        why = Undecided.STATION_ABROAD
    elif rule is TaxRule.BY_COUNTRIES and not {cpo.country, emsp.country} <= EU_MEMBERS:
        why = Undecided.OUTSIDE_UNION
    elif cpo.vat_id is None or emsp.vat_id is None:
        why = Undecided.NO_VAT_ID
    return Verdict(Treatment.REVERSE_CHARGE) if why is None else Verdict(Treatment.UNDECIDED, why)


def vat_of(fact: Fact, net: Decimal) -> Vat:
    """Gives the tax that a CDR tells, on its net amount as it is settled, not rounded.

    The amount that it tells counts, since that is what the other side has; where it tells only a rate, it is computed.

    Args:
        fact: Whose tax was decided to be charged.
    """
    if fact.cost is None or not (told := _told(fact.cost)):
        return Vat(Decimal(0), None)
    [tax] = told
    if tax.amount is not None:
        rate = tax.percentage if tax.percentage is not None else _rate(fact, fact.cost.net, tax.amount)
        return Vat(tax.amount * fact.sign, rate)
    if tax.percentage is None:
        return Vat(Decimal(0), None)
    return Vat(EXACT.divide(EXACT.multiply(net, tax.percentage), _HUNDRED), tax.percentage)


def _told(cost: Money) -> Sequence[Tax]:
    """Gives the taxes that a cost tells; of several, those that come to nothing are on a part that costs nothing."""
    told = [tax for tax in cost.taxes if tax.amount is not None or tax.percentage is not None]
    if len(told) < 2:
        return told
    return [tax for tax in told if tax.amount != 0] or told[:1]


def _rate(fact: Fact, net: Decimal, amount: Decimal) -> Decimal | None:
    """Gives the rate of an amount of tax, where the tariffs of the CDR name one alone that comes to it."""
    if net and not amount:
        return Decimal(0)
    unit = Decimal(1).scaleb(-minor(fact.currency))
    fitting = [rate for rate in fact.rates if abs(net * rate / _HUNDRED - amount) <= unit]
    return fitting[0] if len(fitting) == 1 else None
