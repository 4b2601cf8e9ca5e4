"""What the API answers where it is neither a canonical object nor a service's view."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.complaints import FieldError
from gateway.services.ports import HubIssue, IssueShown, PutResult
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Party
from mappings.report import Issue


def shown(issues: Iterable[Issue]) -> list[IssueShown]:
    """Gives issues as objects; they are tuples inside."""
    return [IssueShown(*issue) for issue in issues]


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing one object; `issues` say what was noticed about it."""

    party: PartyId
    id: str
    outcome: Literal["created", "updated", "unchanged"]
    issues: Sequence[IssueShown]

    @classmethod
    def of(cls, result: PutResult) -> "Written":
        """Shows a service's result."""
        return cls(result.party, result.id, result.outcome, shown(result.issues))


@dataclass(frozen=True, slots=True)
class BulkSummary:
    """What came of a streamed body.

    Attributes:
        read: Lines that were not blank.
        refused: Lines of which nothing was used.
        issues: Issues of the lines that were written; read them object by object.
        errors: The first faults, by line.
    """

    read: int
    created: int
    updated: int
    unchanged: int
    refused: int
    issues: int
    errors: Sequence[FieldError]


@dataclass(frozen=True, slots=True)
class StatusSummary:
    """What came of status reports.

    Attributes:
        applied: That changed an EVSE's status.
        unchanged: That named the status that the EVSE has.
        stale: Older than the status that is stored.
        unknown: That named no EVSE; they are among the refused too.
        refused: By position in the list.
    """

    applied: int
    unchanged: int
    stale: int
    unknown: int
    refused: Sequence[FieldError]


@dataclass(frozen=True, slots=True)
class HubIssueShown:
    """An issue and whose translation met it.

    Attributes:
        connection: Empty for the way in.
        operation, key: What was translated, in the hub's terms.
    """

    connection: str
    operation: str
    key: str
    issue: IssueShown

    @classmethod
    def of(cls, issue: HubIssue) -> "HubIssueShown":
        """Shows a service's issue."""
        return cls(issue.connection, issue.operation, issue.key, IssueShown(*issue.issue))


@dataclass(frozen=True, slots=True)
class HubIssues:
    """Everything that was lost of one object."""

    items: Sequence[HubIssueShown]


@dataclass(frozen=True, slots=True)
class Parties:
    """Parties, by id."""

    items: Sequence[Party]


@dataclass(frozen=True, slots=True)
class Count:
    """How many were touched."""

    count: int
