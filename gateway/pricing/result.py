"""What came of a pricing: lines that add up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from gateway.pricing.notes import Note
from mappings.canonical.tariffs import Money, TariffDimension, Tax

VAT: Final = "VAT"


class Extra(StrEnum):
    """A line that no element makes."""

    MINIMUM = "MINIMUM"
    """What lacks up to the minimum price."""
    MAXIMUM = "MAXIMUM"
    """What goes beyond the maximum price, taken off."""
    ROUNDING = "ROUNDING"
    """What the rounding of the total takes or gives."""


@dataclass(frozen=True, slots=True)
class Line:
    """One element's price for one run of time in which it held.

    Attributes:
        tariff_id: Whose element.
        of: The dimension priced, or what else the line stands for.
        element, component: Their numbers in the tariff, from 0; None for an `Extra`.
        periods: First and last number of the charging periods it covers; None for an `Extra`.
        start, end: When it held; None for an `Extra`.
        reservation: It prices a reservation.
        used: kWh, hours, or 1 for a flat fee, to six places; as metered.
        billed: The same, after steps.
        price: Per unit, net.
        net: Its cost without tax.
        vat: Per cent; None where the tariff names none.
        tax: Its tax; zero where there is none.
    """

    tariff_id: str
    of: TariffDimension | Extra
    element: int | None
    component: int | None
    periods: tuple[int, int] | None
    start: datetime | None
    end: datetime | None
    reservation: bool
    used: Decimal
    billed: Decimal
    price: Decimal
    net: Decimal
    vat: Decimal | None
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Calculation:
    """What a charge costs.

    Attributes:
        tariff_id: Of the tariff at its start.
        currency: ISO 4217.
        lines: In the order of time, extras last.
        net, tax: The sums of the lines'.
        notes: What is to be said beside it: of the charge, of the tariff where it mattered, and of the pricing.
    """

    tariff_id: str
    currency: str
    lines: Sequence[Line]
    net: Decimal
    tax: Decimal
    notes: Sequence[Note] = ()

    @property
    def gross(self) -> Decimal:
        """The cost with tax."""
        return self.net + self.tax

    def part(self, *dimensions: TariffDimension | Extra, reservation: bool = False) -> Money:
        """Sums the lines of some dimensions, those of a reservation or those of the charge itself."""
        chosen = [line for line in self.lines if line.of in dimensions and line.reservation is reservation]
        return money(chosen)

    @property
    def total(self) -> Money:
        """The cost, with its taxes by rate."""
        return money(self.lines)


def money(lines: Iterable[Line]) -> Money:
    """Sums lines, with a tax for every rate among them."""
    net, taxes = Decimal(0), dict[Decimal | None, Decimal]()
    for line in lines:
        net += line.net
        if line.vat is not None or line.tax:
            taxes[line.vat] = taxes.get(line.vat, Decimal(0)) + line.tax
    return Money(net=net, taxes=tuple(Tax(name=VAT, percentage=rate, amount=amount) for rate, amount in taxes.items()))


def gross_of(amount: Money) -> Decimal | None:
    """Gives an amount with its taxes; None where it names none, or one without amount and rate."""
    total = amount.net
    for tax in amount.taxes:
        if tax.amount is not None:
            total += tax.amount
        elif tax.percentage is not None:
            total += amount.net * tax.percentage / 100
        else:
            return None
    return total if amount.taxes else None


def extra(kind: Extra, tariff_id: str, net: Decimal, tax: Decimal) -> Line:
    """Makes a line that no element makes."""
    return Line(
        tariff_id=tariff_id,
        of=kind,
        element=None,
        component=None,
        periods=None,
        start=None,
        end=None,
        reservation=False,
        used=Decimal(1),
        billed=Decimal(1),
        price=net,
        net=net,
        vat=None,
        tax=tax,
    )
