"""A settlement as a page that can be printed: nothing of it comes from elsewhere, and nothing in it runs."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Final

from gateway.pricing.currencies import minor
from gateway.services.ports.repricing import Direction
from gateway.services.ports.settlement import SettlementReport
from gateway.settling.lines import plain
from gateway.settling.report import Balance, Named, SettlementRow
from gateway.settling.rounding import EXACT
from gateway.settling.taxing import Treatment
from mappings.canonical.billing import BillingParty
from mappings.canonical.ids import PartyId

_STYLE: Final = """
body { font: 10pt/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; color: #1a1a1a }
h1 { font-size: 1.5em; margin-bottom: 0 }
h2 { font-size: 1.15em; margin: 1.6em 0 .3em; break-after: avoid }
p { margin: .3em 0 }
.parties { display: flex; flex-wrap: wrap; gap: 1em 3em }
address { font-style: normal }
table { border-collapse: collapse; width: 100%; margin: .4em 0 }
th, td { padding: .25em .5em; text-align: left; vertical-align: top; border-bottom: 1px solid #ccc }
th { border-bottom: 2px solid #555 }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.small { color: #555; font-size: .85em; overflow-wrap: anywhere }
@media print {
  @page { size: A4 landscape; margin: 14mm }
  body { margin: 0; max-width: none; padding: 0 }
  tr { break-inside: avoid }
  thead { display: table-header-group }
}
"""

_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}

_TREATMENTS: Final[Mapping[Treatment, str]] = {
    Treatment.CHARGED: "VAT charged",
    Treatment.REVERSE_CHARGE: "reverse charge",
    Treatment.NONE: "no VAT, as agreed",
    Treatment.UNDECIDED: "VAT undecided",
    Treatment.UNPRICED: "no price",
}


def of_report(report: SettlementReport) -> str:
    """Writes the page."""
    title = f"Settlement of {report.party}, {_day(report.start)} to {_day(report.end)}"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{_head(report)}{_balances(report.balances)}{_rows(report.rows)}"
        f"{_remarks(report)}{_missing(report)}{_foot(report)}</body></html>"
    )


def _head(report: SettlementReport) -> str:
    what = (
        "Charges of partners' drivers at own stations"
        if report.direction is Direction.OUT
        else "Charges of own drivers at partners' stations"
    )
    only = [f"with {report.partner}"] if report.partner is not None else []
    only += [f"over {report.connection}"] if report.connection is not None else []
    parties = "".join(_party(one) for one in report.parties)
    return (
        f"<h1>Settlement of {escape(str(report.party))}</h1><p>{escape(', '.join([what, *only]))} that ended from "
        f"{_moment(report.start)} on, and before {_moment(report.end)}.</p><div class=parties>{parties}</div>"
    )


def _party(one: BillingParty) -> str:
    told = [one.name, *one.address, one.country, f"VAT id {one.vat_id or 'none'}", *([one.email] if one.email else [])]
    return f"<address><strong>{escape(str(one.party))}</strong><br>{'<br>'.join(map(escape, told))}</address>"


def _balances(balances: Sequence[Balance]) -> str:
    heads = (
        "owed by",
        "owed to",
        "#sessions",
        "#kWh",
        "#net",
        "#VAT",
        "#gross",
        "#VAT undecided, net",
        "#no price",
        "",
    )
    rows = [
        (
            _name(one.owed_by),
            _name(one.emsp if one.owed_by == one.cpo else one.cpo),
            one.sessions,
            one.energy,
            *(_money(sign * amount, one.currency) for amount in (one.net, one.vat, one.gross)),
            _money(sign * one.undecided_net or None, one.currency),
            one.unpriced or None,
            one.currency,
        )
        for one in balances
        for sign in (-1 if one.owed_by == one.cpo else 1,)
    ]
    return "<h2>Who owes whom</h2>" + (_table(heads, rows) if rows else "<p>Nothing is settled.</p>")


def _rows(rows: Sequence[SettlementRow]) -> str:
    if not rows:
        return ""
    heads = (
        *(
            "CPO",
            "EMSP",
            "over",
            "country",
            "tax",
            "#VAT %",
            "#sessions",
            "#kWh",
            "#minutes",
            "#net",
            "#VAT",
            "#gross",
            "",
        ),
        *("#disputed", "rounding"),
    )
    told = [
        (
            *(_name(row.cpo), _name(row.emsp), row.connection, row.country or "unknown", _tax(row), row.vat_rate),
            *(row.sessions, row.energy, row.minutes),
            *(_money(amount, row.currency) for amount in (row.net, row.vat, row.gross)),
            row.currency,
            row.disputed or None,
            f"{row.rounding.at.value.lower()}, {row.rounding.mode.value.lower().replace('_', ' ')}",
        )
        for row in rows
    ]
    return "<h2>By partner, connection, country and tax</h2>" + _table(heads, told)


def _tax(row: SettlementRow) -> str:
    if row.legal is not None:
        return row.legal
    said = _TREATMENTS[row.treatment]
    return f"{said}: {row.why.value.replace('_', ' ')}" if row.why is not None else said


def _remarks(report: SettlementReport) -> str:
    parts = []
    for one in report.remarks:
        parts.append(f"<h2>{escape(one.remark.value.replace('_', ' ').capitalize())}: {one.count}</h2>")
        if one.first:
            parts.append(
                _table(
                    ("CDR", "CPO", "EMSP", "over", "#net", "", "#difference", "#agreed", "why"), map(_named, one.first)
                )
            )
        if 0 < len(one.first) < one.count:
            parts.append(f"<p class=small>The first {len(one.first)}; the lines name all.</p>")
    return "".join(parts)


def _named(one: Named) -> tuple[object, ...]:
    why = one.detail.replace("_", " ") if one.detail is not None else None
    return (
        *(one.cdr, _name(one.cpo), _name(one.emsp), one.connection),
        *(_money(one.net, one.currency), one.currency),
        *(_money(amount, one.currency) for amount in (one.difference_net, one.agreed_net)),
        why,
    )


def _missing(report: SettlementReport) -> str:
    missing = report.missing
    heading = (
        f"<h2>Missing</h2><p>{missing.sessions_without_cdr} sessions that ended without a CDR, "
        f"{missing.cdrs_in_review} CDRs that wait for a person.</p>"
    )
    if missing.cdrs_without_emsp:
        heading += f"<p>{missing.cdrs_without_emsp} CDRs of drivers of whom nobody knows whose they are.</p>"
    rows = [
        (one.session, one.cdr, _name(one.cpo), _name(one.emsp), one.connection, _moment(one.ended))
        for one in missing.first
    ]
    return heading + (_table(("session", "CDR", "CPO", "EMSP", "over", "ended"), rows) if rows else "")


def _foot(report: SettlementReport) -> str:
    late = (
        f" Of earlier periods, what came after {_moment(report.late_since)} is among it." if report.late_since else ""
    )
    return (
        f"<p class=small>As of {_moment(report.as_of)}; the same question as of then gives the same amounts.{late} "
        f"{report.cdrs} lines, SHA-256 {report.digest}. This is no invoice, and nothing was paid.</p>"
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Writes a table; columns whose name begins with `#` hold numbers."""
    kinds = [" class=n" if head.startswith("#") else "" for head in heads]
    head = "".join(f"<th{kind}>{escape(name.removeprefix('#'))}</th>" for kind, name in zip(kinds, heads, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{_cell(cell)}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:,f}" if isinstance(cell, Decimal) else escape(str(cell))


def _money(amount: Decimal | None, currency: str) -> Decimal | None:
    """Gives an amount with all places of its minor unit, and with more where it has more."""
    if amount is None:
        return None
    _, _, places = plain(amount).partition(".")
    return EXACT.quantize(EXACT.add(amount, 0), Decimal(1).scaleb(-max(minor(currency), len(places))))  # no -0


def _name(party: PartyId | None) -> str:
    return str(party) if party is not None else "unknown"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
