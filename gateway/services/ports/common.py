"""What all ports share: errors, pages, the parties that somebody speaks for."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from mappings.canonical.ids import PartyId
from mappings.report import IssueKind

Parties = frozenset[PartyId] | None
"""The parties that somebody may see or speak for; None for all."""


class NotFound(LookupError):
    """What was named does not exist; the message says what.

    Attributes:
        field: Path of the field that named it, in what was given; empty where the address did.
    """

    def __init__(self, message: str = "There is no such thing", field: str = "") -> None:
        self.field = field
        super().__init__(message)


class Conflict(ValueError):
    """It cannot be done in the present state: a name taken, a stale revision, no registration; the message says.

    Attributes:
        field: Path of the field by which it cannot, in what was given; empty where there is none.
    """

    def __init__(self, message: str = "It cannot be done in the present state", field: str = "") -> None:
        self.field = field
        super().__init__(message)


class Invalid(ValueError):
    """What was given makes no sense to the service.

    Attributes:
        problems: Pairs of the field's path in what was given and one sentence.
    """

    def __init__(self, *problems: tuple[str, str]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{field}: {detail}" if field else detail for field, detail in problems))


class BadCursor(Invalid):
    """The cursor was not given by this gateway."""

    def __init__(self) -> None:
        super().__init__(("after", "is not a cursor given by this gateway"))


class HubFailed(RuntimeError):
    """The hub did not do its part (registration); the message says what it said, without secrets."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of many, in a stable order; `next` is None on the last page."""

    # A list, since pydantic writes what is any sequence by way of Python, in ten times the time.
    items: list[T]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class IssueShown:
    """One departure of a translation from the object.

    Attributes:
        kind: What was done about it.
        field: Path in the object, `evses[0].connectors[1].standard`; empty for the whole of it.
        detail: One sentence.
        value: The object's text, shortened, where that helps to find it.
    """

    kind: IssueKind
    field: str
    detail: str
    value: str | None = None
