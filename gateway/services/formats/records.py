"""What a file is cut into, and the bounds of one piece."""

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

MAX_RECORD: Final = 8 * 1024 * 1024
"""Bytes of one record; a larger one is refused without being held."""

MAX_DEPTH: Final = 64
"""Levels of objects and lists in one record."""


class Damaged(ValueError):
    """The content ends early or breaks off, so that nothing after this point can be told; the message says how."""


class Operator(NamedTuple):
    """Whose records these are, where the file says it above them (OICP)."""

    id: str | None = None
    name: str | None = None


NOBODY: Final = Operator()


class Raw(NamedTuple):
    """One record as it stands in the file.

    Attributes:
        number: Its line, or its number in a list, from 1.
        body: Its bytes; empty where there is a fault.
        fault: Why it could not be cut out.
        under: The operator that the file names above it.
    """

    number: int
    body: bytes
    fault: str | None = None
    under: Operator = NOBODY


class Cutter(Protocol):
    """Cuts a stream of bytes into records."""

    def feed(self, piece: bytes) -> Iterable[Raw]:
        """Gives the records that are whole with this piece."""

    def end(self) -> Iterable[Raw]:
        """Gives what is left when the file ends.

        Raises:
            Damaged: It ends inside a list or an object that holds records.
        """


def too_large(number: int) -> Raw:
    """Gives what stands for a record over the bound."""
    return Raw(number, b"", f"is over {MAX_RECORD} bytes")
