"""What it does to prices that a hub is told another tariff than the operator wrote: differences on sample charges."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.pricing.charge import RESERVING, Charge, Phase
from gateway.pricing.engine import price
from gateway.pricing.notes import Unpriceable
from gateway.pricing.rounding import PLAIN, Rules
from gateway.pricing.samples import FIRST, samples
from gateway.pricing.selecting import begins_within
from mappings.canonical.tariffs import Tariff

EXACT = Decimal("0.0001")
"""A difference from which two prices are two; below it is what lines round."""

_LAST = date(9990, 1, 1)
"""After which there may be no year left to sample."""


class Difference(NamedTuple):
    """One sample charge that comes to two prices; net, in the wanted tariff's currency."""

    charge: Charge
    wanted: Decimal
    said: Decimal

    @property
    def amount(self) -> Decimal:
        """What it costs more as it is said; negative where it costs less."""
        return self.said - self.wanted


class Differences(NamedTuple):
    """What two tariffs make of some charges.

    Attributes:
        of: How many charges were compared.
        differing: Those that come to two prices.
        one_sided: How many have a price by one of the two only: the other does not hold when they begin, or asks for
            what is not known of them.
    """

    of: int
    differing: Sequence[Difference]
    one_sided: int


def differences(wanted: Tariff, said: Tariff, charges: Sequence[Charge], rules: Rules = PLAIN) -> Differences:
    """Prices charges by two tariffs of one currency; a charge that neither can price is not compared.

    What is compared is net, as prices between operators are. Whether the day is one of a tariff's is not asked.
    """
    differing, one_sided, compared = [], 0, 0
    for charge in charges:
        first, second = _net(wanted, charge, rules), _net(said, charge, rules)
        if first is None and second is None:
            continue
        compared += 1
        if first is None or second is None:
            one_sided += 1
        elif abs(second - first) >= EXACT:
            differing.append(Difference(charge, first, second))
    return Differences(compared, differing, one_sided)


def told(wanted: Tariff, said: Tariff) -> str:
    """Says in one sentence what a tariff costs more or less as it is said, on the samples of its first year."""
    first = FIRST if wanted.start is None else min(max(FIRST, wanted.start.date()), _LAST)
    return sentence(differences(wanted, said, samples(first)), wanted.currency)


def sentence(found: Differences, currency: str) -> str:
    """Says differences to a person."""
    if not found.of:
        return "no sample charge can be priced by it"
    those = f"of {found.of} sample charges"
    parts = []
    if found.differing:
        most = max(found.differing, key=lambda each: abs(each.amount))
        way = "more" if most.amount > 0 else "less"
        parts.append(
            f"{those} {len(found.differing)} differ, by at most {_money(abs(most.amount))} {currency} {way}"
            f" ({described(most.charge)}: {_money(most.said)} instead of {_money(most.wanted)})"
        )
    elif not found.one_sided:
        return f"{those} none differs"
    if found.one_sided:
        verb = "has" if found.one_sided == 1 else "have"
        parts.append(f"{those if not parts else 'and'} {found.one_sided} {verb} a price by one of the two only")
    return " ".join(parts)


def described(charge: Charge) -> str:
    """Says a charge in a few words, as `20 kWh in 3 h from 18:00`; UTC, where its place has no zone.

    A reservation is told, too: without it, what costs for having been reserved alone would seem to cost for nothing.
    """
    energy = sum((stretch.energy for stretch in charge.stretches), Decimal(0))
    said = f"{_number(energy)} kWh in {_hours(charge, Phase.CHARGING, Phase.PARKING)} h from {_local(charge)}"
    if any(stretch.phase in RESERVING for stretch in charge.stretches):
        unused = " in vain" if any(stretch.phase is Phase.EXPIRED for stretch in charge.stretches) else ""
        said += f", reserved{unused} for {_hours(charge, *RESERVING)} h"
    return said


def _hours(charge: Charge, *phases: Phase) -> str:
    seconds = sum((stretch.seconds for stretch in charge.stretches if stretch.phase in phases), Decimal(0))
    return _number(seconds / 3600)


def _local(charge: Charge) -> str:
    start = charge.start
    if charge.zone is not None:
        start = start.astimezone(ZoneInfo(charge.zone))
    return f"{start:%H:%M}"


def _net(tariff: Tariff, charge: Charge, rules: Rules) -> Decimal | None:
    try:
        return price(tariff, charge, rules).net if begins_within(tariff, charge.start, charge.zone) else None
    except Unpriceable:
        return None


def _money(amount: Decimal) -> str:
    """To two places, or to the four that OCPI's numbers have, where two would hide the amount."""
    two = amount.quantize(Decimal("0.01"))
    return f"{two}" if two == amount else f"{amount.quantize(EXACT).normalize():f}"


def _number(value: Decimal) -> str:
    return f"{round(value, 2).normalize():f}"
