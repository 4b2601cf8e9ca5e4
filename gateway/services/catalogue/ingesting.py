"""What came of a pulled page, and which rows a full pull has named."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from mappings.report import Refused

_BLOCK: Final = 16
"""Bits of a number that are its place within a block."""
_WITHIN: Final = (1 << _BLOCK) - 1


@dataclass(slots=True)
class Ingested:
    """What came of a page's records; each counts once.

    Attributes:
        changed: Written over what was stored, or come back after it was withdrawn.
        same: Known, or older than what is stored.
        gone: Withdrawn since the hub says so.
        unknown: What the hub says of something that was never told: that it is gone, its status, its prices.
        refused: Keys of records that could not be read, and why.
        nos: Numbers of the rows that the page names, for `Kept`.
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    unknown: int = 0
    refused: list[tuple[tuple[str, ...], Refused]] = field(default_factory=list)
    nos: list[int] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Gives how many records came to what."""
        return {
            "new": self.new,
            "changed": self.changed,
            "same": self.same,
            "gone": self.gone,
            "unknown": self.unknown,
            "refused": len(self.refused),
        }

    def add(self, other: "Ingested") -> None:
        """Adds what came of further records."""
        self.new += other.new
        self.changed += other.changed
        self.same += other.same
        self.gone += other.gone
        self.unknown += other.unknown
        self.refused += other.refused
        self.nos += other.nos


class Kept:
    """What a full pull has named so far: numbers of rows, as bits, 125 kB for a million that follow each other.

    Args:
        since: When the pull began; what is pushed from then on stays, named or not.
    """

    def __init__(self, since: datetime) -> None:
        self.since = since
        self._blocks: dict[int, bytearray] = {}

    def add(self, numbers: Iterable[int]) -> None:
        """Notes rows that a page named."""
        for number in numbers:
            block = self._blocks.get(number >> _BLOCK)
            if block is None:
                block = self._blocks[number >> _BLOCK] = bytearray(1 << _BLOCK - 3)
            block[(number & _WITHIN) >> 3] |= 1 << (number & 7)

    def missing(self, numbers: Iterable[int]) -> list[int]:
        """Gives those rows that no page named."""
        return [number for number in numbers if number not in self]

    def __contains__(self, number: int) -> bool:
        block = self._blocks.get(number >> _BLOCK)
        return block is not None and bool(block[(number & _WITHIN) >> 3] & 1 << (number & 7))
