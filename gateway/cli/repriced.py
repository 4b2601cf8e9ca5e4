"""One repricing as a person sees it: both calculations side by side, every line, what was assumed, and what was."""

from collections.abc import Sequence
from typing import Final

from gateway.cli.asking import OUTPUT, when, write_fields, write_json, write_table
from gateway.services.ports.repricing import (
    PastRepricing,
    RepricedAmount,
    RepricedLine,
    RepricedPart,
    RepricingShown,
)
from mappings.canonical.agreements import AgreementRef

_FIGURES: Final = ("net", "gross")


def write_shown(shown: RepricingShown, *, as_json: bool) -> None:
    """Writes a repricing.

    Args:
        as_json: For machines.
    """
    if as_json:
        write_json(shown, RepricingShown)
        return
    _write_outline(shown)
    result = shown.result
    if result.parts:
        OUTPUT.print()
        _write_parts(result.parts, shown.repricing.currency)
    if result.lines:
        OUTPUT.print()
        _write_lines(result.lines)
    if result.notes:
        OUTPUT.print()
        write_table(("note", "field", "detail"), [(note.kind, note.field, note.detail) for note in result.notes])
    if shown.history:
        OUTPUT.print()
        _write_history(shown.history)


def _write_outline(shown: RepricingShown) -> None:
    one, result, decided = shown.repricing, shown.result, shown.repricing.decided
    write_fields(
        {
            "id": one.id,
            "cdr": f"{one.cpo}/{one.cdr}",
            "received cdr": one.received,
            "party": one.party,
            "emsp": one.emsp,
            "over": one.connection,
            "start": when(one.started),
            "outcome": f"{one.outcome}: {one.why}" if one.why else one.outcome,
            "why": f"{result.field}: {result.detail}" if result.field else result.detail,
            "tariff": f"{one.tariff}, {one.source}" if one.tariff else None,
            "version": one.version,
            "agreement": agreement_name(one.agreement) if one.agreement else None,
            "state": one.state,
            "decided": f"{decided.state} by {decided.who}: {decided.why}" if decided else None,
            "agreed": f"{decided.agreed.net} {one.currency}" if decided and decided.agreed else None,
            "computed": when(one.computed),
        }
    )


def agreement_name(ref: AgreementRef) -> str:
    """Names an agreement in one cell: the offer, its version, and the subscription where there is one."""
    name = f"{ref.offer} v{ref.version}"
    return f"{name}, {ref.subscription}" if ref.subscription else name


def _write_parts(parts: Sequence[RepricedPart], currency: str) -> None:
    heads = (f"{head} {figure}" for figure in _FIGURES for head in ("told", "calculated", "more"))
    rows = [
        (
            part.part,
            *(
                _amount(amount, figure)
                for figure in _FIGURES
                for amount in (part.told, part.calculated, part.difference)
            ),
            "differs" if part.differs else None,
        )
        for part in parts
    ]
    write_table((currency, *heads, ""), rows)


def _amount(amount: RepricedAmount | None, figure: str) -> object:
    return None if amount is None else getattr(amount, figure)


def _write_lines(lines: Sequence[RepricedLine]) -> None:
    heads = ("tariff", "element", "what", "periods", "from", "to", "used", "billed", "price", "net", "VAT %", "tax")
    rows = [
        (
            line.tariff_id,
            line.element,
            f"{line.of} (reservation)" if line.reservation else line.of,
            "–".join(map(str, dict.fromkeys(line.periods))) if line.periods else None,
            when(line.start),
            when(line.end),
            line.used,
            line.billed,
            line.price,
            line.net,
            line.vat,
            line.tax,
        )
        for line in lines
    ]
    write_table(heads, rows)


def _write_history(history: Sequence[PastRepricing]) -> None:
    heads = ("until", "outcome", "told", "calculated", "tariff", "state", "decided")
    rows = [
        (
            when(past.until),
            past.outcome,
            past.told_net,
            past.net,
            past.tariff,
            past.state,
            f"by {past.decided.who}: {past.decided.why}" if past.decided else None,
        )
        for past in history
    ]
    write_table(heads, rows, title="Before")
