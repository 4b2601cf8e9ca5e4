"""Repricings in a mass, piece by piece, as JSON lines and as a table."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import fields
from typing import Any, Final, TypeAlias

from gateway.http.routing import adapter_of
from gateway.services.ports.repricing import RepricingView

NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"

Pages: TypeAlias = AsyncIterator[Sequence[RepricingView]]

_NESTED: Final = frozenset({"decided", "agreement"})
_COLUMNS: Final = tuple(each.name for each in fields(RepricingView) if each.name not in _NESTED)
_AGREEMENT: Final = ("offer", "offer_version", "subscription")
_DECIDED: Final = ("decided_why", "decided_who", "decided_at", "agreed_net")
_FORMULAS: Final = tuple("=+-@\t\r\n＝＋－＠")
"""How what a spreadsheet computes begins; the last four are the first four in full width."""


async def lines(pages: Pages) -> AsyncIterator[bytes]:
    """Writes a JSON line for each."""
    adapter = adapter_of(RepricingView)
    async for page in pages:
        yield b"".join(adapter.dump_json(one, exclude_none=True) + b"\n" for one in page)


async def table(pages: Pages) -> AsyncIterator[bytes]:
    """Writes CSV, with a line of names."""
    yield _rows([(*_COLUMNS, *_AGREEMENT, *_DECIDED)])
    async for page in pages:
        yield _rows([_row(one) for one in page])


def _row(one: RepricingView) -> Sequence[object]:
    shown: dict[str, Any] = adapter_of(RepricingView).dump_python(one, mode="json")
    agreement = shown.pop("agreement") or {}
    under = (agreement.get("offer"), agreement.get("version"), agreement.get("subscription"))
    decided = shown.pop("decided") or {}
    agreed = decided.get("agreed") or {}
    told = (decided.get("why"), decided.get("who"), decided.get("at"), agreed.get("net"))
    return [*(shown[name] for name in _COLUMNS), *under, *told]


def _rows(rows: Sequence[Sequence[object]]) -> bytes:
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerows([_harmless(cell) for cell in row] for row in rows)
    return made.getvalue().encode()


def _harmless(cell: object) -> object:
    """Keeps a spreadsheet from taking a partner's text for a formula; amounts are none."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell
