"""CSV: rows by the names of a header, cut line by line."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from gateway.services.formats.lines import Lines
from gateway.services.formats.records import Raw

DELIMITERS: Final = ",;\t|"
_MOST_LINES: Final = 100
"""Lines of one row. A quote that nothing closes would take the rest of the file for one row."""


class Row(NamedTuple):
    """One row.

    Attributes:
        line: The line on which it begins, from 1.
        cells: In the order of the header; empty where there is a fault.
        fault: Why it cannot be read.
    """

    line: int
    cells: Sequence[str]
    fault: str | None = None


class Table:
    """Cuts CSV (RFC 4180, any of the usual separators) into rows; the first is the header.

    A row that cannot be read costs itself only: where a quote stays open, reading goes on in the line after it.
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._lines = Lines(blank=True)
        self._open: deque[Raw] = deque()

    def feed(self, piece: bytes) -> Iterator[Row]:
        """Gives the rows that are whole with this piece."""
        for raw in self._lines.feed(piece):
            yield from self._add(raw)

    def end(self) -> Iterator[Row]:
        """Gives what is left when the file ends."""
        for raw in self._lines.end():
            yield from self._add(raw)
        while self._open:
            yield from self._give_up()

    def _add(self, raw: Raw) -> Iterator[Row]:
        if not self._open and not raw.fault and (not raw.body or raw.body.isspace()):
            return
        if (fault := raw.fault or _unreadable(raw.body)) is not None:
            while self._open:
                yield from self._give_up()
            yield Row(raw.number, (), fault)
            return
        self._open.append(raw)
        # Only an odd number of quotes can leave a field open (or be a quote inside a field without quotes).
        if (len(self._open) == 1 or b'"' in raw.body) and (row := self._row()) is not None:
            self._open.clear()
            yield row
        elif len(self._open) > _MOST_LINES:
            yield from self._give_up()

    def _give_up(self) -> Iterator[Row]:
        """Refuses the line that left a quote open, and reads those after it anew."""
        first, *rest = self._open
        self._open.clear()
        yield Row(first.number, (), "has a quote that is not closed")
        for raw in rest:
            yield from self._add(raw)

    def _row(self) -> Row | None:
        """Reads the lines that are open; None if a quote in them is."""
        number = self._open[0].number
        text = b"\n".join(raw.body for raw in self._open).decode()
        lines = iter((text.rstrip("\r"), ""))
        try:
            cells = next(csv.reader(lines, delimiter=self._delimiter))
        except csv.Error as error:
            return Row(number, (), f"is no CSV: {error}")
        # The reader asks for another line only where a quote is open.
        if text.count('"') % 2 and next(lines, None) is None:
            return None
        return Row(number, cells)


def _unreadable(line: bytes) -> str | None:
    if b"\0" in line:
        return "holds a NUL byte"
    try:
        line.decode()
    except UnicodeDecodeError:
        return "is not UTF-8"
    return None
