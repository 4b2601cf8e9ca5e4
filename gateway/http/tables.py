"""Tables as CSV, for people's spreadsheets."""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

CSV: Final = "text/csv"
NDJSON: Final = "application/x-ndjson"

_FORMULAS: Final = tuple("=+-@\t\r\n＝＋－＠")
"""How what a spreadsheet computes begins; the last four are the first four in full width."""


def csv_rows(rows: Sequence[Sequence[object]]) -> bytes:
    """Writes rows."""
    made = io.StringIO()
    csv.writer(made, lineterminator="\r\n").writerows([_cell(cell) for cell in row] for row in rows)
    return made.getvalue().encode()


def _cell(cell: object) -> object:
    """Keeps a spreadsheet from taking a partner's text for a formula; amounts are none."""
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULAS) else cell
