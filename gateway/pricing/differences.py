"""What it does to prices that a hub is told another tariff than the operator wrote: differences on sample charges."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.pricing.charge import Charge, Phase
from gateway.pricing.engine import price
from gateway.pricing.notes import Unpriceable
from gateway.pricing.rounding import PLAIN, Rules
from mappings.canonical.tariffs import Tariff

EXACT = Decimal("0.0001")
"""A difference from which two prices are two; below it is what lines round."""


class Difference(NamedTuple):
    """One sample charge that comes to two prices; net, in the wanted tariff's currency."""

    charge: Charge
    wanted: Decimal
    said: Decimal

    @property
    def amount(self) -> Decimal:
        """What it costs more as it is said; negative where it costs less."""
        return self.said - self.wanted


class Comparison(NamedTuple):
    """What two tariffs make of some charges.

    Attributes:
        of: How many charges were compared.
        differing: Those that come to two prices.
        unpriced: How many only one of the tariffs can price.
    """

    of: int
    differing: Sequence[Difference]
    unpriced: int


def comparison(wanted: Tariff, said: Tariff, charges: Sequence[Charge], rules: Rules = PLAIN) -> Comparison:
    """Prices charges by two tariffs of one currency; a charge that neither can price is not compared.

    What is compared is net: no hub's price has a tax of its own, and the tax follows the net price.
    """
    differing, unpriced, compared = [], 0, 0
    for charge in charges:
        first, second = _net(wanted, charge, rules), _net(said, charge, rules)
        if first is None and second is None:
            continue
        compared += 1
        if first is None or second is None:
            unpriced += 1
        elif abs(second - first) >= EXACT:
            differing.append(Difference(charge, first, second))
    return Comparison(compared, differing, unpriced)


@dataclass(frozen=True, slots=True)
class Differences:
    """Says in one sentence what a tariff costs more or less as it is said.

    Attributes:
        charges: What is priced by both.
        rules: How amounts are rounded.
    """

    charges: Sequence[Charge]
    rules: Rules = PLAIN

    def __call__(self, wanted: Tariff, said: Tariff) -> str:
        """Compares two tariffs of one currency, as `comparison`."""
        return sentence(comparison(wanted, said, self.charges, self.rules), wanted.currency)


def sentence(found: Comparison, currency: str) -> str:
    """Says a comparison to a person."""
    if not found.of:
        return "no sample charge can be priced by it"
    samples = f"of {found.of} sample charges"
    parts = []
    if found.differing:
        most = max(found.differing, key=lambda each: abs(each.amount))
        way = "more" if most.amount > 0 else "less"
        parts.append(
            f"{samples} {len(found.differing)} differ, by at most {_money(abs(most.amount))} {currency} {way}"
            f" ({described(most.charge)}: {_money(most.said)} instead of {_money(most.wanted)})"
        )
    elif not found.unpriced:
        return f"{samples} none differs"
    if found.unpriced:
        verb = "has" if found.unpriced == 1 else "have"
        parts.append(f"{samples if not parts else 'and'} {found.unpriced} {verb} a price by one of the two only")
    return " ".join(parts)


def described(charge: Charge) -> str:
    """Says a charge in a few words, as `20 kWh in 3 h from 18:00`; UTC, where its place has no zone."""
    energy = sum((stretch.energy for stretch in charge.stretches), Decimal(0))
    held = (stretch for stretch in charge.stretches if stretch.phase in {Phase.CHARGING, Phase.PARKING})
    hours = sum((stretch.hours for stretch in held), Decimal(0))
    return f"{_number(energy)} kWh in {_number(hours)} h from {_local(charge)}"


def _local(charge: Charge) -> str:
    start = charge.start
    if charge.zone is not None:
        start = start.astimezone(ZoneInfo(charge.zone))
    return f"{start:%H:%M}"


def _net(tariff: Tariff, charge: Charge, rules: Rules) -> Decimal | None:
    try:
        return price(tariff, charge, rules).net
    except Unpriceable:
        return None


def _money(amount: Decimal) -> str:
    """To two places, or to the four that OCPI's numbers have, where two would hide the amount."""
    two = amount.quantize(Decimal("0.01"))
    return f"{two}" if two == amount else f"{amount.quantize(EXACT).normalize():f}"


def _number(value: Decimal) -> str:
    return f"{round(value, 2).normalize():f}"
