"""Reading the network."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from gateway.services.ports.common import Parties
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location
from mappings.canonical.parties import Party
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue, IssueKind


@dataclass(frozen=True, slots=True)
class StoredLocation:
    """A location as stored.

    Attributes:
        location: With the EVSEs' present statuses.
        withdrawn: It was withdrawn; every EVSE is REMOVED.
        revision: Rises with every change of the object itself, not with statuses.
        updated: When the object last changed here.
    """

    location: Location
    withdrawn: bool
    revision: int
    updated: datetime


@dataclass(frozen=True, slots=True)
class StoredTariff:
    """A tariff as stored; fields as in `StoredLocation`."""

    tariff: Tariff
    withdrawn: bool
    revision: int
    updated: datetime


class HubIssue(NamedTuple):
    """What one translation of an object lost.

    Attributes:
        connection: Whose translation; `""` for the one on the way in.
        operation: The operation at that connection; `""` on the way in.
        key: The wire key; the object's own key on the way in.
    """

    connection: str
    operation: str
    key: str
    issue: Issue


@dataclass(frozen=True, slots=True)
class IssueCount:
    """How many objects have an issue of one kind at one field; `connection` is empty for the way in.

    Attributes:
        field: Path without indices, `evses[].connectors[].standard`.
    """

    connection: str
    field: str
    kind: IssueKind
    count: int


class Network(Protocol):
    """Reading the network as the backend wrote it, with present statuses."""

    async def location(self, party: PartyId, location_id: str) -> StoredLocation | None:
        """Gives one location, withdrawn or not."""

    async def locations(
        self, parties: Parties, after: str | None, limit: int
    ) -> tuple[list[StoredLocation], str | None]:
        """Gives locations in the order of their keys, withdrawn ones too, and the cursor of the next page."""

    async def tariff(self, party: PartyId, tariff_id: str, target: PartyId | None) -> StoredTariff | None:
        """Gives one variant of a tariff; `target` None is the one for all."""

    async def tariffs(self, parties: Parties, after: str | None, limit: int) -> tuple[list[StoredTariff], str | None]:
        """Gives tariffs, every variant, in the order of their keys."""

    async def issues(self, party: PartyId, location_id: str) -> list[HubIssue]:
        """Gives what was lost of one location, on the way in and at each connection."""

    async def tariff_issues(self, party: PartyId, tariff_id: str, target: PartyId | None) -> list[HubIssue]:
        """Gives what was lost of one variant of a tariff, on the way in and at each connection."""

    async def issue_counts(self, parties: Parties, connection: str | None) -> list[IssueCount]:
        """Counts issues by connection, field and kind; the most frequent first."""

    async def parties(self) -> list[Party]:
        """Gives all parties in the order of their ids."""

    async def party(self, party: PartyId) -> Party | None:
        """Gives one party."""

    async def put_party(self, party: Party, who: str) -> bool:
        """Writes a party; True if it is new."""
