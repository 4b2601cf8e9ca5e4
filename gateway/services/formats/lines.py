"""Text of one record a line."""

from collections.abc import Iterator
from typing import Final

from gateway.services.formats.records import MAX_RECORD, Raw, too_large

BOM: Final = b"\xef\xbb\xbf"


class Lines:
    """Cuts at line feeds.

    Args:
        blank: Whether blank lines are given too; else they are no records.
    """

    def __init__(self, *, blank: bool = False) -> None:
        self._blank = blank
        self._number = 0
        self._rest = bytearray()
        self._skipping = False

    def feed(self, piece: bytes) -> Iterator[Raw]:
        """See `Cutter.feed`."""
        *whole, tail = piece.split(b"\n")
        for end in whole:
            yield from self._close(end)
        if self._skipping or len(self._rest) + len(tail) > MAX_RECORD:
            self._rest.clear()
            self._skipping = True
        else:
            self._rest += tail

    def end(self) -> Iterator[Raw]:
        """See `Cutter.end`."""
        if self._rest or self._skipping:
            yield from self._close(b"")

    def _close(self, end: bytes) -> Iterator[Raw]:
        self._number += 1
        if self._skipping or len(self._rest) + len(end) > MAX_RECORD:
            yield too_large(self._number)
        else:
            line = bytes(self._rest) + end if self._rest else end
            if self._number == 1:
                line = line.removeprefix(BOM)
            if self._blank or (line and not line.isspace()):
                yield Raw(self._number, line)
        self._rest.clear()
        self._skipping = False
