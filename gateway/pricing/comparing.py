"""What a CDR says that a charge costs, beside what follows from the tariff (OCPI 2.2.1, mod_cdrs, the total costs)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from gateway.pricing.notes import Note, NoteKind, Unpriceable, Why
from gateway.pricing.result import Calculation, Line, gross_of
from mappings.canonical.cdrs import Cdr
from mappings.canonical.tariffs import Money, TariffDimension
from mappings.tables import TableError

TOLERANCE: Final = Decimal("0.01")
"""By how much amounts may differ that are the same, in units of their currency."""

_HUNDRED: Final = 100


class Part(StrEnum):
    """What an amount is of."""

    FIXED = "fixed"
    ENERGY = "energy"
    TIME = "time"
    PARKING = "parking"
    RESERVATION = "reservation"
    TOTAL = "total"


class Likeness(StrEnum):
    """Whether a CDR costs what follows from its tariff."""

    MATCHES = "matches"
    DIFFERS = "differs"
    UNTOLD = "untold"
    """The CDR tells no cost."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A cost without tax, and with it; None where the tax is not told."""

    net: Decimal
    gross: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PartCompared:
    """One part of the cost, side by side.

    Attributes:
        told: By the CDR; None where it tells none.
        difference: What is told less what is calculated; None where nothing is told.
        differs: By more than the tolerance.
    """

    part: Part
    told: Amount | None
    calculated: Amount
    difference: Amount | None
    differs: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """A CDR beside its calculation.

    Attributes:
        outcome: By the totals. Parts may be told apart in another way than tariffs do.
        parts: In the order of `Part`; those that are neither told nor calculated are left out.
        notes: On the comparison.
    """

    outcome: Likeness
    parts: Sequence[PartCompared]
    notes: Sequence[Note] = ()

    @property
    def total(self) -> PartCompared:
        """The totals."""
        return self.parts[-1]


_DIMENSIONS: Final[Mapping[TariffDimension, Part]] = {
    TariffDimension.FLAT: Part.FIXED,
    TariffDimension.ENERGY: Part.ENERGY,
    TariffDimension.TIME: Part.TIME,
    TariffDimension.SESSION_TIME: Part.TIME,
    TariffDimension.PARKING_TIME: Part.PARKING,
}
if missing := set(TariffDimension) - _DIMENSIONS.keys():
    raise TableError(f"of no part of a CDR's costs: {', '.join(missing)}")


def compare(cdr: Cdr, calculation: Calculation, tolerance: Decimal = TOLERANCE) -> Comparison:
    """Holds what a CDR says that it costs against what was calculated.

    A hub's price is compared without tax, of which it knows nothing, and so is one by a tariff that names no tax: by
    the text none is due then (mod_tariffs, PriceComponent, `vat`), but nine of ten tariffs leave it out. A credit is
    the negative of its charge, and of its costs only the total is (mod_cdrs, Credit CDRs).

    Raises:
        Unpriceable: The tariff is in another currency than the CDR.
    """
    if calculation.currency != cdr.currency:
        raise Unpriceable(
            Why.OTHER_CURRENCY, "currency", f"the CDR is in {cdr.currency}, its tariff in {calculation.currency}"
        )
    with_tax = not cdr.priced_by_hub
    calculated, told = _calculated(calculation, sign=-1 if cdr.credit else 1), _told(cdr)
    parts = []
    for part in Part:
        said, made = told.get(part), calculated.get(part)
        if part is not Part.TOTAL and (cdr.credit or (said is None and made is None)):
            continue
        parts.append(_compared(part, said, made or Amount(Decimal(0)), tolerance, with_tax=with_tax))
    total = parts[-1]
    if total.told is None:
        return Comparison(Likeness.UNTOLD, parts)
    notes = _on_tax(total, calculation, tolerance) if with_tax else []
    if not total.differs and (others := [one.part.value for one in parts if one.differs]):
        detail = f"the total is as calculated, and of its parts {', '.join(others)} not"
        notes.append(Note(NoteKind.PARTS_DIFFER, "", detail))
    return Comparison(Likeness.DIFFERS if total.differs else Likeness.MATCHES, parts, notes)


def _compared(
    part: Part, told: Amount | None, calculated: Amount, tolerance: Decimal, *, with_tax: bool
) -> PartCompared:
    if told is None:
        return PartCompared(part, None, calculated, None, differs=False)
    gross = told.gross - calculated.gross if told.gross is not None and calculated.gross is not None else None
    difference = Amount(told.net - calculated.net, gross)
    differs = abs(difference.net) > tolerance or (with_tax and gross is not None and abs(gross) > tolerance)
    return PartCompared(part, told, calculated, difference, differs=differs)


def _told(cdr: Cdr) -> dict[Part, Amount]:
    costs = {
        Part.FIXED: cdr.fixed_cost,
        Part.ENERGY: cdr.energy_cost,
        Part.TIME: cdr.time_cost,
        Part.PARKING: cdr.parking_cost,
        Part.RESERVATION: cdr.reservation_cost,
        Part.TOTAL: cdr.total_cost,
    }
    return {part: amount(cost) for part, cost in costs.items() if cost is not None}


def amount(money: Money) -> Amount:
    """Gives an amount without tax and with it, which is known where every tax has an amount or a rate."""
    return Amount(money.net, gross_of(money))


def _calculated(calculation: Calculation, sign: int) -> dict[Part, Amount]:
    taxed = any(line.vat is not None or line.tax for line in calculation.lines)
    nets, grosses = dict[Part, Decimal](), dict[Part, Decimal]()
    for line in calculation.lines:
        part = _part(line)
        if part is not None:
            nets[part] = nets.get(part, Decimal(0)) + line.net
            grosses[part] = grosses.get(part, Decimal(0)) + line.net + line.tax
    nets[Part.TOTAL], grosses[Part.TOTAL] = sign * calculation.net, sign * calculation.gross
    return {part: Amount(net, grosses[part] if taxed else None) for part, net in nets.items()}


def _part(line: Line) -> Part | None:
    if not isinstance(line.of, TariffDimension):
        return None  # a minimum, a maximum and a rounding are of the total alone
    return Part.RESERVATION if line.reservation else _DIMENSIONS[line.of]


def _on_tax(total: PartCompared, calculation: Calculation, tolerance: Decimal) -> list[Note]:
    """Says of a tax that cannot be compared, and of a difference in the tax alone what it looks like."""
    told, difference = total.told, total.difference
    if told is None or told.gross is None or difference is None:
        return []
    tax = abs(told.gross - told.net)
    if total.calculated.gross is None:
        detail = f"the tariff names no VAT, and the CDR has {tax:f}: they are compared without"
        return [Note(NoteKind.TAX_UNTOLD, "vat", detail)] if tax else []
    if not total.differs or abs(difference.net) > tolerance:
        return []
    for factor, detail in _OTHER_READINGS.items():
        if abs(tax - abs(calculation.tax) * factor) <= tolerance:
            return [Note(NoteKind.TAX_AS_FRACTION, "vat", detail)]
    return []


_OTHER_READINGS: Final[Mapping[Decimal, str]] = {
    Decimal(_HUNDRED): "the CDR's tax is a hundred times the tariff's, as if 0.2 there meant 20 per cent",
    Decimal(1) / _HUNDRED: "the CDR's tax is a hundredth of the tariff's, as if 20 there meant 0.2",
}
