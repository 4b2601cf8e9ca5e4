"""What a charge costs by a tariff (OCPI 2.2.1, mod_tariffs and mod_cdrs)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from typing import Final

from gateway.pricing.charge import RESERVING, Charge
from gateway.pricing.holding import Place, Run, Timeline
from gateway.pricing.limits import limit
from gateway.pricing.notes import Note, NoteKind, Unpriceable, Why
from gateway.pricing.painting import Painted, component_of, paint
from gateway.pricing.result import Calculation, Extra, Line, extra
from gateway.pricing.rounding import PLAIN, Rounding, Rules
from gateway.pricing.steps import Quantity, take_steps
from mappings.canonical.tariffs import Tariff, TariffDimension

_SHOWN: Final = Rounding(6)
_HOUR: Final = 3600


def price(tariff: Tariff, charge: Charge, rules: Rules = PLAIN) -> Calculation:
    """Prices a charge by one tariff, whatever tariffs its periods name.

    Raises:
        Unpriceable: The tariff asks for what is not known of the charge, or the charge contradicts itself.
    """
    timeline = Timeline(charge)
    return _price(timeline, charge, [(tariff, range(len(charge.stretches)))], rules)


def price_by(tariffs: Mapping[str, Tariff], charge: Charge, rules: Rules = PLAIN) -> Calculation:
    """Prices a charge whose periods name tariffs, as where the driver's wishes changed.

    A period that names none, where another does, costs nothing: OCPI has no tariff for it (mod_cdrs, ChargingPeriod).
    Steps are taken of all the session's energy or time by the last tariff's, since OCPI takes none where one tariff
    follows another. The flat fee is the first that holds, and the price limits are those of the tariff at the start.

    Args:
        tariffs: By the ids that periods name; at least one does.

    Raises:
        Unpriceable: As `price`, or a period names a tariff that is not among them, or one of another currency.
    """
    timeline = Timeline(charge)
    parts: list[tuple[Tariff, Sequence[int]]] = []
    free: list[Note] = []
    for name, numbers in groupby(range(len(charge.stretches)), lambda number: charge.stretches[number].tariff_id):
        among = list(numbers)
        path = f"periods[{charge.stretches[among[0]].period}].tariff_id"
        if name is None:
            free.append(Note(NoteKind.NAMES_NONE, path, "names no tariff, where others do: it costs nothing"))
            continue
        chosen = tariffs.get(name)
        if chosen is None:
            raise Unpriceable(Why.NO_TARIFF, path, f"names {name}, which is not known")
        if parts and chosen.currency != parts[0][0].currency:
            first = parts[0][0]
            raise Unpriceable(Why.OTHER_CURRENCY, path, f"is in {chosen.currency}, and {first.id} in {first.currency}")
        if parts and parts[-1][0] is chosen:
            parts[-1] = chosen, [*parts[-1][1], *among]
        else:
            parts.append((chosen, among))
    if not parts:
        raise Unpriceable(Why.NO_TARIFF, "periods", "none names a tariff")
    calculation = _price(timeline, charge, parts, rules)
    return replace(calculation, notes=[*calculation.notes, *free])


def _price(
    timeline: Timeline, charge: Charge, parts: Sequence[tuple[Tariff, Sequence[int]]], rules: Rules
) -> Calculation:
    notes = list(charge.notes)
    quantities: list[Quantity] = []
    fees: list[Quantity] = []
    for tariff, among in parts:
        stepped = tariff is parts[-1][0] and among is parts[-1][1]
        for painted in paint(tariff, timeline, among):
            quantity = _quantity(timeline, tariff, painted, stepped=stepped)
            (fees if painted.dimension is TariffDimension.FLAT else quantities).append(quantity)
    quantities.sort(key=_place)
    fees.sort(key=_place)
    notes += take_steps(quantities)
    for reservation in (True, False):
        due = [fee for fee in fees if fee.reservation is reservation]
        if due:
            quantities.append(due[0])
            notes += _later(due)
    quantities.sort(key=lambda quantity: (not quantity.reservation, *_place(quantity)))
    costs = _costs(quantities, rules)
    lines = [_line(timeline, charge, *pair) for pair in zip(quantities, costs, strict=True)]
    notes += _inexact(quantities)
    start = _at_start(charge, parts)
    more, said = limit(start, lines, session=any(each.phase not in RESERVING for each in charge.stretches))
    lines += more
    if rules.total is not None:
        lines += _rounded(start.id, lines, rules.total)
    notes += [*said, *timeline.notes]
    return Calculation(
        tariff_id=start.id,
        currency=start.currency,
        lines=lines,
        net=sum((line.net for line in lines), Decimal(0)),
        tax=sum((line.tax for line in lines), Decimal(0)),
        notes=list(dict.fromkeys(notes)),
    )


def _at_start(charge: Charge, parts: Sequence[tuple[Tariff, Sequence[int]]]) -> Tariff:
    for tariff, among in parts:
        if any(charge.stretches[number].phase not in RESERVING for number in among):
            return tariff
    return parts[0][0]


def _place(quantity: Quantity) -> tuple[Place, bool, TariffDimension]:
    return quantity.run[0], quantity.dimension is not TariffDimension.FLAT, quantity.dimension


def _quantity(timeline: Timeline, tariff: Tariff, painted: Painted, *, stepped: bool) -> Quantity:
    match painted.dimension:
        case TariffDimension.FLAT:
            used = Fraction(1)
        case TariffDimension.ENERGY:
            used = timeline.amount(timeline.energy, painted.run)
        case TariffDimension.TIME | TariffDimension.PARKING_TIME | TariffDimension.SESSION_TIME:
            used = timeline.amount(timeline.seconds, painted.run) / _HOUR
    return Quantity(
        dimension=painted.dimension,
        element=painted.element,
        index=painted.component,
        component=component_of(tariff, painted),
        tariff_id=tariff.id,
        run=painted.run,
        reservation=timeline.stretches[int(painted.run[0])].phase in RESERVING,
        used=used,
        billed=used,
        stepped=stepped,
    )


def _later(due: Sequence[Quantity]) -> list[Note]:
    first = due[0]
    return [
        Note(NoteKind.FLAT_LATER, fee.path, f"would be {fee.component.price:f} later on; the fee of the start is due")
        for fee in due[1:]
        if fee.component.price != first.component.price
    ][:1]


def _costs(quantities: Sequence[Quantity], rules: Rules) -> list[tuple[Decimal, Decimal]]:
    """Gives the net cost and the tax of each quantity.

    What a component costs is rounded in its sum, as Gireve does and so that a charge does not cost more for having been
    cut more often; a run costs what it adds to that sum. A component's own rounding is of its price alone: a tax in
    whole euros would be none, or as much as the price.
    """
    sums: dict[tuple[str, str], tuple[Fraction, Decimal, Decimal]] = {}
    costs = []
    for quantity in quantities:
        component = quantity.component
        own = component.price_rounding
        rounding = Rounding(own.places, own.rule) if own is not None else rules.line
        billed, net, tax = sums.get((quantity.tariff_id, quantity.path), (Fraction(0), Decimal(0), Decimal(0)))
        billed += quantity.billed
        net_now = rounding(Fraction(component.price) * billed)
        tax_now = rules.line(Fraction(net_now) * Fraction(component.vat) / 100) if component.vat is not None else tax
        sums[quantity.tariff_id, quantity.path] = billed, net_now, tax_now
        costs.append((net_now - net, tax_now - tax))
    return costs


def _inexact(quantities: Sequence[Quantity]) -> list[Note]:
    return [
        Note(NoteKind.INEXACT, quantity.path, "the hub says that this is not exactly its CPO's price")
        for quantity in quantities
        if quantity.component.exact is False
    ]


def _line(timeline: Timeline, charge: Charge, quantity: Quantity, cost: tuple[Decimal, Decimal]) -> Line:
    begin, end = quantity.run
    return Line(
        tariff_id=quantity.tariff_id,
        of=quantity.dimension,
        element=quantity.element,
        component=quantity.index,
        periods=_periods(charge, quantity.run),
        start=timeline.beginning(begin),
        end=timeline.moment(end),
        reservation=quantity.reservation,
        used=_shown(quantity.used),
        billed=_shown(quantity.billed),
        price=quantity.component.price,
        net=cost[0],
        vat=quantity.component.vat,
        tax=cost[1],
    )


def _periods(charge: Charge, run: Run) -> tuple[int, int]:
    first, last = int(run[0]), -int(-run[1] // 1) - 1
    return charge.stretches[first].period, charge.stretches[last].period


def _shown(amount: Fraction) -> Decimal:
    # Without trailing zeros, and a whole number without an exponent.
    return Decimal(f"{_SHOWN(amount).normalize():f}")


def _rounded(tariff_id: str, lines: Sequence[Line], rounding: Rounding) -> list[Line]:
    """Rounds the net and the gross amount, each by itself, since both are shown."""
    net = sum((line.net for line in lines), Decimal(0))
    gross = net + sum((line.tax for line in lines), Decimal(0))
    more, all_ = rounding(net) - net, rounding(gross) - gross
    return [extra(Extra.ROUNDING, tariff_id, more, all_ - more)] if more or all_ else []
