"""JSON of any size: cut into the records that it holds, without being parsed as a whole.

Only brackets and strings are looked at, so that what is no proper JSON between a record's brackets is one faulty record
and not the end of the file, and each record keeps its own bytes, which the translations read fastest.

Records are the objects in a list at the top, or in the lists that envelopes and dumps keep them in (`CONTAINERS`). An
object that holds no such list is a record itself. Several values may follow each other.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final, NamedTuple

from pydantic_core import from_json

from gateway.services.formats.lines import BOM
from gateway.services.formats.records import MAX_DEPTH, MAX_RECORD, NOBODY, Damaged, Operator, Raw, too_large

CONTAINERS: Final = frozenset(
    {
        *("data", "content", "locations", "tariffs"),
        # OICP 2.3 pushes, pulls and the public dumps made of them, each in several spellings.
        *("evsedata", "operatorevsedata", "evsedatarecord"),
        *("evsestatus", "evsestatuses", "operatorevsestatus", "evsestatusrecord"),
    }
)
"""Names under which lists of records, or objects with such lists, stand; without regard to case."""

_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["{}\[\]]', re.DOTALL)
_IN_STRING: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_BLANK: Final = b" \t\r\n,"
_QUOTE, _BRACE = 0x22, 0x7B


class _Kind(Enum):
    TOP = auto()
    LIST = auto()
    GROUP = auto()
    """An object that holds lists of records."""


class _Frame(NamedTuple):
    kind: _Kind
    under: Operator


class Elements:
    """Cuts JSON into records, numbered from 1 in the order of the file."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._at = 0  # up to where the buffer was looked at
        self._in_string = False
        self._string = 0  # where the string that is open begins
        self._gap = 0  # where the text between two members begins
        self._frames = [_Frame(_Kind.TOP, NOBODY)]
        self._number = 0
        # The member that is open in the innermost frame; at depth 0 there is none.
        self._depth = 0
        self._start = 0
        self._is_record = False
        self._fault: str | None = None
        self._key: tuple[int, int] | None = None  # the last string on the level on which names of containers stand

    def feed(self, piece: bytes) -> Iterator[Raw]:
        """See `Cutter.feed`."""
        self._buffer += piece
        while self._at < len(self._buffer) and (not self._in_string or self._leave_string()):
            yield from self._tokens()
        if self._drop():
            yield self._faulty("is over the size of a record, and no JSON object")

    def end(self) -> Iterator[Raw]:
        """See `Cutter.end`."""
        if self._in_string or self._depth or len(self._frames) > 1:
            raise Damaged("the JSON ends early")
        yield from self._between(len(self._buffer))

    def _leave_string(self) -> bool:
        """Goes on in a string that an earlier piece began; tells whether it ends in this one."""
        match = _IN_STRING.match(self._buffer, self._at)
        self._at = match.end() if match else self._at
        if self._at >= len(self._buffer) or self._buffer[self._at] != _QUOTE:
            return False
        self._at += 1
        self._in_string = False
        self._note(self._string, self._at)
        return True

    def _tokens(self) -> Iterator[Raw]:
        buffer = self._buffer
        begun, self._at = self._at, len(buffer)
        for match in _TOKEN.finditer(buffer, begun):
            start, after = match.span()
            if after - start > 1:
                if self._depth < 2:
                    self._note(start, after)
            elif buffer[start] == _QUOTE:  # its string goes on in the next piece
                self._string, self._at, self._in_string = start, after, True
                return
            elif buffer[start] in b"{[":
                yield from self._open(start, is_object=buffer[start] == _BRACE)
            else:
                yield from self._close(start, after)

    def _note(self, start: int, after: int) -> None:
        if (self._depth == 1 and self._is_record) or (self._depth == 0 and self._frames[-1].kind is _Kind.GROUP):
            self._key = (start, after)

    def _open(self, start: int, *, is_object: bool) -> Iterator[Raw]:
        kind, under = self._frames[-1]
        if self._depth == 0:
            if kind is not _Kind.GROUP:
                yield from self._between(start)
            if not is_object and (kind is _Kind.TOP or (kind is _Kind.GROUP and self._names_container(start))):
                self._push(_Kind.LIST, under, start + 1)
            else:
                self._begin(start, is_record=is_object and (kind is not _Kind.GROUP or self._names_container(start)))
        elif self._depth == 1 and self._is_record and self._fault is None and self._names_container(start):
            self._push(_Kind.GROUP, self._operator(under), start)
            yield from self._open(start, is_object=is_object)
        else:
            self._depth += 1
            if self._depth > MAX_DEPTH and self._fault is None:
                self._fault = f"is nested deeper than {MAX_DEPTH} levels"

    def _begin(self, start: int, *, is_record: bool) -> None:
        self._start, self._depth, self._is_record, self._fault, self._key = start, 1, is_record, None, None

    def _push(self, kind: _Kind, under: Operator, gap: int) -> None:
        self._frames.append(_Frame(kind, under))
        self._depth, self._gap = 0, gap

    def _close(self, start: int, after: int) -> Iterator[Raw]:
        if self._depth > 1:
            self._depth -= 1
            return
        kind, under = self._frames[-1]
        if self._depth == 1:
            self._depth = 0
            if self._is_record and self._fault is None and after - self._start <= MAX_RECORD:
                self._number += 1
                yield Raw(self._number, bytes(self._buffer[self._start : after]), None, under)
            elif self._is_record:
                yield self._faulty(self._fault)
            elif kind is not _Kind.GROUP:
                yield self._faulty("is not a JSON object")
        else:
            if kind is not _Kind.GROUP:
                yield from self._between(start)
            if kind is _Kind.TOP:
                yield self._faulty("is a bracket that nothing opened")
            else:
                self._frames.pop()
        self._gap, self._key = after, None

    def _between(self, end: int) -> Iterator[Raw]:
        """Finds what stands between the members of a list and is none."""
        text = bytes(self._buffer[self._gap : end])
        if (text if self._number else text.removeprefix(BOM)).strip(_BLANK):
            yield self._faulty("is not a JSON object")

    def _faulty(self, fault: str | None) -> Raw:
        self._number += 1
        return too_large(self._number) if fault is None else Raw(self._number, b"", fault)

    def _names_container(self, start: int) -> bool:
        if self._key is None or bytes(self._buffer[self._key[1] : start]).strip() != b":":
            return False
        begin, after = self._key
        return bytes(self._buffer[begin + 1 : after - 1]).decode("ascii", "replace").casefold() in CONTAINERS

    def _operator(self, above: Operator) -> Operator:
        """Reads who is named in the object before its list."""
        head = bytes(self._buffer[self._start : self._key[0] if self._key else self._start]).rstrip(_BLANK)
        try:
            fields = {key.casefold(): value for key, value in from_json(head + b"}").items()}
        except ValueError:
            return above
        named = [fields.get(name) for name in ("operatorid", "operatorname")]
        own = Operator(*[one if isinstance(one, str) and one.strip() else None for one in named])
        return own if own != NOBODY else above

    def _drop(self) -> bool:
        """Forgets the bytes that are of no more use; tells whether something without brackets was too much."""
        ended = len(self._buffer)
        overflown = False
        if self._depth and self._is_record and self._fault is None:
            keep = self._start
            if ended - keep > MAX_RECORD:
                self._fault = f"is over {MAX_RECORD} bytes"
                keep = self._at
        elif self._depth:
            keep = self._at
        elif self._frames[-1].kind is _Kind.GROUP:
            keep = min(self._key[0] if self._key else ended, self._string if self._in_string else ended)
        else:
            keep = self._gap
        if ended - keep > MAX_RECORD:
            overflown = self._depth == 0
            keep = self._gap = self._at
        keep = min(keep, self._at)
        if keep:
            del self._buffer[:keep]
            self._at -= keep
            self._string -= keep
            self._gap -= keep
            self._start -= keep
            self._key = (self._key[0] - keep, self._key[1] - keep) if self._key else None
        return overflown
