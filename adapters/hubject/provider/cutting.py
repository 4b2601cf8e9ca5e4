"""A long answer of statuses, cut into short ones without ever having all its records in memory.

eRoamingPullEVSEStatus has no pages: a million EVSEs come in one body of some sixty megabytes. To parse it in one go
would hold everybody else up for a second or two, and take half a gigabyte. So it is gone through once, to find where
its records stand; then they are parsed some thousands at a time, as they are asked for.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from adapters.core.http import holds_nul

_RECORDS: Final = "evsestatusrecord"
"""The only list that is long, in any case of its name."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_WHITE: Final = frozenset(" \t\r\n")


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_scan: Final = json.JSONDecoder(parse_constant=_constant).raw_decode


class Piece(NamedTuple):
    """Records that follow each other.

    Attributes:
        block: The object that they stand in, without them.
        name: Their list's name there.
        start: Where the first one begins.
    """

    block: dict[str, Any]
    name: str
    start: int
    records: int


class LongAnswer:
    """An answer, gone through. All that takes time is work for a thread: it lets others in between two records.

    Attributes:
        skeleton: The answer without what stands in its long lists.
        pages: Where that is: pieces that make a page together.

    Args:
        body: As it came.
        most: Records of a page.

    Raises:
        ValueError: It is no JSON, is nested too deep, or a text in it holds NUL.
    """

    def __init__(self, body: bytes, most: int) -> None:
        if holds_nul(body):
            raise ValueError("a text holds NUL")
        self._text = body.decode()
        self._most = most
        self._pieces: list[Piece] = []
        try:
            self.skeleton, end = self._value(self._blank(0))
        except (RecursionError, IndexError):
            raise ValueError("no JSON") from None
        if self._blank(end) != len(self._text):
            raise ValueError("something stands behind the JSON")
        self.pages = list(_together(self._pieces, most))

    def body(self, page: Iterable[Piece]) -> dict[str, Any]:
        """Parses the records of a page, and gives an answer of them alone."""
        blocks = [{**piece.block, piece.name: list(self._records(piece))} for piece in page]
        return {"EvseStatuses": {"OperatorEvseStatus": blocks}}

    def _records(self, piece: Piece) -> Iterator[Any]:
        at = piece.start
        for n in range(piece.records):
            if n:
                at = self._blank(self._blank(at) + 1)  # over the comma
            record, at = _scan(self._text, at)
            yield record

    def _value(self, at: int) -> tuple[Any, int]:
        if self._text[at] == "{":
            return self._object(at)
        if self._text[at] != "[":
            return _scan(self._text, at)
        found: list[Any] = []

        def take(at: int) -> int:
            value, end = self._value(at)
            found.append(value)
            return end

        end = self._each(at, "]", take)
        return found, end

    def _object(self, at: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}

        def take(at: int) -> int:
            name, at = _scan(self._text, at)
            at = self._blank(at)
            if not isinstance(name, str) or self._text[at] != ":":
                raise ValueError("no JSON")
            at = self._blank(at + 1)
            if name.casefold() == _RECORDS and self._text[at] == "[":
                found[name] = []
                return self._cut(found, name, at)
            found[name], end = self._value(at)
            return end

        end = self._each(at, "}", take)
        return found, end

    def _cut(self, block: dict[str, Any], name: str, at: int) -> int:
        starts: list[int] = []
        records = 0

        def take(at: int) -> int:
            nonlocal records
            if records % self._most == 0:
                starts.append(at)
            records += 1
            return _scan(self._text, at)[1]

        end = self._each(at, "]", take)
        for n, start in enumerate(starts):
            self._pieces.append(Piece(block, name, start, min(self._most, records - n * self._most)))
        return end

    def _each(self, at: int, close: str, take: Callable[[int], int]) -> int:
        """Goes through a list or an object; `take` is told where a member begins, and tells where it ends."""
        text = self._text
        at = self._blank(at + 1)
        if text[at] == close:
            return at + 1
        while True:
            at = self._blank(take(at))
            if text[at] == close:
                return at + 1
            if text[at] != ",":
                raise ValueError("no JSON")
            at = self._blank(at + 1)

    def _blank(self, at: int) -> int:
        """Gives where the white space that begins at a place ends."""
        if self._text[at : at + 1] not in _WHITE:
            return at
        found = _SPACE.match(self._text, at)
        return at if found is None else found.end()


def _together(pieces: Iterable[Piece], most: int) -> Iterator[list[Piece]]:
    """Puts small pieces, which are those of small operators, together."""
    page: list[Piece] = []
    records = 0
    for piece in pieces:
        if page and records + piece.records > most:
            yield page
            page, records = [], 0
        page.append(piece)
        records += piece.records
    if page:
        yield page
