"""Settlements as tables, for spreadsheets."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Final

from gateway.http.tables import csv_rows
from gateway.services.ports.settlement import SettlementLine
from gateway.settling.report import SettlementRow
from mappings.canonical.ids import PartyId

_ROW: Final = tuple(each.name for each in fields(SettlementRow) if each.name != "rounding")
_LINE: Final = tuple(each.name for each in fields(SettlementLine) if each.name != "remarks")


def of_rows(rows: Iterable[SettlementRow]) -> bytes:
    """Writes the rows of a report, with a line of names."""
    told = [[*_cells(row, _ROW), row.rounding.at.value, row.rounding.mode.value] for row in rows]
    return csv_rows([(*_ROW, "rounded_at", "rounding"), *told])


async def of_lines(pages: AsyncIterator[Sequence[SettlementLine]]) -> AsyncIterator[bytes]:
    """Writes lines piece by piece, with a line of names."""
    yield csv_rows([(*_LINE, "remarks")])
    async for page in pages:
        if page:
            yield csv_rows([[*_cells(line, _LINE), " ".join(line.remarks)] for line in page])


def _cells(one: SettlementRow | SettlementLine, names: Sequence[str]) -> list[object]:
    return [_shown(getattr(one, name)) for name in names]


def _shown(value: object) -> object:
    if isinstance(value, PartyId):
        return value.normal
    return value.isoformat() if isinstance(value, datetime) else value
