"""A price line by line, and beside it what a CDR tells: as a table for people and as JSON for machines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from gateway.cli.asking import OUTPUT, harmless, write_json, write_table
from gateway.pricing.comparing import Amount, Comparison, Likeness, Part, PartCompared
from gateway.pricing.currencies import minor
from gateway.pricing.explaining.languages import speech_of
from gateway.pricing.explaining.languages.figures import number, percent, quantity, span
from gateway.pricing.notes import Note, NoteKind
from gateway.pricing.result import Calculation, Line
from mappings.canonical.base import Number
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import TariffDimension

_SPEECH: Final = speech_of("en")
_HOUR: Final = 3600


@dataclass(frozen=True)
class PricedLine:
    """One line; see `gateway.pricing.result.Line`. Times used and billed are hours."""

    of: str
    tariff_id: str
    element: int | None
    component: int | None
    periods: tuple[int, int] | None
    start: datetime | None
    end: datetime | None
    reservation: bool
    used: Number
    billed: Number
    price: Number
    net: Number
    vat: Number | None
    tax: Number
    gross: Number


@dataclass(frozen=True)
class NoteShown:
    """Something to be said beside a price."""

    kind: NoteKind
    field: str
    detail: str


@dataclass(frozen=True)
class AmountShown:
    """A cost without tax, and with it where that is known."""

    net: Number
    gross: Number | None


@dataclass(frozen=True)
class PartShown:
    """One part of a CDR's cost, beside what was calculated; the difference is what is told less that."""

    part: Part
    calculated: AmountShown
    told: AmountShown | None
    difference: AmountShown | None
    differs: bool


@dataclass(frozen=True)
class Priced:
    """What came of a pricing.

    Attributes:
        outcome: None where there is no CDR to compare with.
    """

    party: PartyId
    tariff_id: str
    currency: str
    start: datetime
    end: datetime
    zone: str | None
    lines: Sequence[PricedLine]
    net: Number
    tax: Number
    gross: Number
    notes: Sequence[NoteShown]
    cdr: str | None = None
    outcome: Likeness | None = None
    parts: Sequence[PartShown] = ()


def write_priced(
    calculation: Calculation,
    party: PartyId,
    between: tuple[datetime, datetime],
    zone: ZoneInfo | None,
    *,
    cdr: str | None,
    comparison: Comparison | None,
    as_json: bool,
) -> None:
    """Writes a price.

    Args:
        calculation: What it is.
        party: Whose tariff.
        between: When the charge began and ended.
        zone: In which times are shown; None for the clock of a place whose zone is not known.
        cdr: The id of the CDR, where there is one.
        comparison: With that.
        as_json: For machines.
    """
    notes = dict.fromkeys([*calculation.notes, *(comparison.notes if comparison else ())])
    if as_json:
        write_json(_view(calculation, party, between, zone, notes, cdr, comparison), Priced)
        return
    clock = zone or UTC
    names = ["" if zone is None else f" {moment.astimezone(zone).tzname()}" for moment in between]
    begun = _day(between[0], clock) + (names[0] if names[0] != names[1] else "")
    ended = _day(between[1], clock) + names[1]
    OUTPUT.print(f"{party}/{harmless(calculation.tariff_id)}: {begun} to {ended}\n", markup=False)
    _write_lines(calculation, clock)
    if comparison is not None:
        OUTPUT.print()
        _write_parts(comparison, calculation.currency, f"CDR {cdr}")
    if notes:
        OUTPUT.print()
        write_table(("note", "field", "detail"), [(one.kind, one.field, one.detail) for one in notes])


def _write_lines(calculation: Calculation, zone: tzinfo) -> None:
    places = _places(calculation.currency, [each for one in calculation.lines for each in (one.net, one.tax)])
    rows: list[Sequence[object]] = [
        (
            "" if line.element is None else line.element,
            f"{line.of} (reservation)" if line.reservation else line.of,
            _periods(line),
            _day(line.start, zone) if line.start else "",
            _day(line.end, zone) if line.end else "",
            _used(line, line.used),
            _used(line, line.billed),
            number(line.price, _SPEECH, minor(calculation.currency)) if line.element is not None else "",
            f"{line.net:.{places}f}",
            percent(line.vat, _SPEECH) if line.vat is not None else "",
            f"{line.tax:.{places}f}",
            f"{line.net + line.tax:.{places}f}",
        )
        for line in calculation.lines
    ]
    total = [f"{one:.{places}f}" for one in (calculation.net, calculation.tax, calculation.gross)]
    rows.append(("", f"total {calculation.currency}", *[""] * 6, total[0], "", *total[1:]))
    heads = ("element", "what", "period", "from", "to", "used", "billed", "price", "net", "VAT", "tax", "gross")
    write_table(heads, rows)


def _write_parts(comparison: Comparison, currency: str, name: str) -> None:
    amounts = [one for part in comparison.parts for one in (part.calculated, part.told) if one is not None]
    places = _places(currency, [figure for one in amounts for figure in (one.net, one.gross) if figure is not None])
    rows = [
        (
            f"{part.part} {currency}" if part.part is Part.TOTAL else part.part,
            *_figures([part.calculated, part.told, part.difference], places),
            "differs" if part.differs else "",
        )
        for part in comparison.parts
    ]
    heads = ("calculated", "told", "difference")
    write_table((name, *(f"{head} {kind}" for kind in ("net", "gross") for head in heads), ""), rows)
    OUTPUT.print(f"\n{_OUTCOMES[comparison.outcome]}", markup=False)


_OUTCOMES: Final = {
    Likeness.MATCHES: "The CDR costs what follows from the tariff.",
    Likeness.DIFFERS: "The CDR does not cost what follows from the tariff.",
    Likeness.UNTOLD: "The CDR tells no cost.",
}
if set(_OUTCOMES) != set(Likeness):
    raise TypeError("not said of each Likeness")


def _figures(amounts: Sequence[Amount | None], places: int) -> list[str]:
    nets = [one.net if one is not None else None for one in amounts]
    grosses = [one.gross if one is not None else None for one in amounts]
    return ["" if figure is None else f"{figure:.{places}f}" for figure in (*nets, *grosses)]


def _places(currency: str, amounts: Iterable[Decimal]) -> int:
    """Gives the places that show amounts as they are."""
    found = minor(currency)
    for amount in amounts:
        exponent = amount.normalize().as_tuple().exponent
        found = max(found, -exponent if isinstance(exponent, int) else 0)
    return found


def _periods(line: Line) -> str:
    if line.periods is None:
        return ""
    first, last = line.periods
    return str(first) if first == last else f"{first}–{last}"


def _used(line: Line, value: Decimal) -> str:
    if line.element is None or line.of is TariffDimension.FLAT:
        return ""
    if line.of is TariffDimension.ENERGY:
        return quantity(value, "kWh", _SPEECH)
    seconds = value * _HOUR
    whole = round(seconds)
    # Hours have six places, so that seconds come out within two thousandths.
    return span(whole, _SPEECH) if abs(seconds - whole) < Decimal("0.01") else quantity(value, "h", _SPEECH)


def _day(moment: datetime, zone: tzinfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"


def _view(
    calculation: Calculation,
    party: PartyId,
    between: tuple[datetime, datetime],
    zone: ZoneInfo | None,
    notes: Iterable[Note],
    cdr: str | None,
    comparison: Comparison | None,
) -> Priced:
    return Priced(
        party=party,
        tariff_id=calculation.tariff_id,
        currency=calculation.currency,
        start=between[0].astimezone(UTC),
        end=between[1].astimezone(UTC),
        zone=zone.key if zone is not None else None,
        lines=[_line(line) for line in calculation.lines],
        net=calculation.net,
        tax=calculation.tax,
        gross=calculation.gross,
        notes=[NoteShown(*note) for note in notes],
        cdr=cdr,
        outcome=comparison.outcome if comparison else None,
        parts=[_part(one) for one in comparison.parts] if comparison else [],
    )


def _line(line: Line) -> PricedLine:
    return PricedLine(
        of=line.of.value,
        tariff_id=line.tariff_id,
        element=line.element,
        component=line.component,
        periods=line.periods,
        start=line.start.astimezone(UTC) if line.start else None,
        end=line.end.astimezone(UTC) if line.end else None,
        reservation=line.reservation,
        used=line.used,
        billed=line.billed,
        price=line.price,
        net=line.net,
        vat=line.vat,
        tax=line.tax,
        gross=line.net + line.tax,
    )


def _part(part: PartCompared) -> PartShown:
    return PartShown(
        part=part.part,
        calculated=AmountShown(part.calculated.net, part.calculated.gross),
        told=_amount(part.told),
        difference=_amount(part.difference),
        differs=part.differs,
    )


def _amount(amount: Amount | None) -> AmountShown | None:
    return None if amount is None else AmountShown(amount.net, amount.gross)
