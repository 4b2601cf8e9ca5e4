"""What a translation lost, mended, defaulted or left out, and the errors that end one.

Every translation returns its value together with the issues met on the way. An issue names the field by its path in
the *source* object (`evses[2].connectors[0].standard`), so that whoever wrote the object can find it.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple


class IssueKind(StrEnum):
    """How the translation departed from the source."""

    UNKNOWN = "unknown"
    """An informational value outside the vocabulary: kept as unknown, its text beside the model."""
    LEFT_OUT = "left_out"
    """A member of a list, or a part that makes no sense without the value, was left out."""
    MENDED = "mended"
    """The value was wrong in a way with one right reading (case, separators, a null list) and was put right."""
    DEFAULTED = "defaulted"
    """The target demands a value that the source lacks; it came from the operator's settings."""
    LOST = "lost"
    """The target has no place for the value."""
    NARROWED = "narrowed"
    """The target says it less precisely (a shorter text, a coarser enum)."""
    SUSPECT = "suspect"
    """Passed on as given, but hardly true (coordinates in the sea, 7 MW on an AC socket)."""
    REFUSED = "refused"
    """The record cannot be said at all."""


class Issue(NamedTuple):
    """One departure from the source.

    Attributes:
        kind: What was done about it.
        field: Path in the source object, as `evses[0].connectors[1].standard`; empty for the whole record.
        detail: One sentence for a person. Never holds a secret or a token uid.
        value: The source's text where that helps to find it, shortened to 100 characters.
    """

    kind: IssueKind
    field: str
    detail: str
    value: str | None = None


class Refused(ValueError):
    """The record cannot be translated; nothing of it is used.

    Attributes:
        issues: Why, with the field; the last one is the reason, earlier ones were met before it.
    """

    def __init__(self, field: str, detail: str, value: object = None, before: Iterable[Issue] = ()) -> None:
        reason = Issue(IssueKind.REFUSED, field, detail, shorten(value))
        self.issues: list[Issue] = [*before, reason]
        super().__init__(f"{field}: {detail}" if field else detail)

    @property
    def reason(self) -> Issue:
        """The issue that ended the translation."""
        return self.issues[-1]


class Report:
    """Collects the issues of one translation.

    Args:
        before: Issues met already, which stand before those to come.
        own: Fields beyond the version that a dialect knows: that they are there is no issue.
    """

    __slots__ = ("issues", "own")

    def __init__(self, before: Iterable[Issue] = (), own: frozenset[str] = frozenset()) -> None:
        self.issues: list[Issue] = [*before]
        self.own = own

    def add(self, kind: IssueKind, field: str, detail: str, value: object = None) -> None:
        """Notes one issue."""
        self.issues.append(Issue(kind, field, detail, shorten(value)))

    def refuse(self, field: str, detail: str, value: object = None) -> Refused:
        """Makes the error that ends this translation, carrying what was noted so far."""
        return Refused(field, detail, value, before=self.issues)


def shorten(value: object) -> str | None:
    """Gives the text of a value for an issue, at most 100 characters; None stays None."""
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= 100 else text[:99] + "…"
