"""Writing the network, and statuses on their way in."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal, NamedTuple, Protocol

from gateway.services.ports.common import Parties
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatusReport, Location
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue


class PutResult(NamedTuple):
    """What came of one object: `issues` are those given in, and what the store noticed."""

    party: PartyId
    id: str
    outcome: Literal["created", "updated", "unchanged"]
    issues: Sequence[Issue]


class Publishing(Protocol):
    """Writing the network. Each batch is one transaction; it is durable when the call returns."""

    async def put_locations(
        self, batch: Sequence[tuple[Location, Sequence[Issue]]], who: str, *, if_revision: int | None = None
    ) -> list[PutResult]:
        """Writes locations whole, in the order given; of one named twice the last stands.

        Args:
            if_revision: For a batch of one: write only over this revision.

        Raises:
            Conflict: The stored revision is another; nothing was written.
        """

    async def withdraw_location(self, party: PartyId, location_id: str, who: str) -> bool:
        """Makes its EVSEs REMOVED and keeps a tombstone. False if there is none, or it is withdrawn already."""

    async def put_tariffs(
        self, batch: Sequence[tuple[Tariff, Sequence[Issue]]], who: str, *, if_revision: int | None = None
    ) -> list[PutResult]:
        """Writes tariffs whole; as `put_locations`."""

    async def withdraw_tariff(self, party: PartyId, tariff_id: str, target: PartyId | None, who: str) -> bool:
        """Withdraws one variant of a tariff; False if there is none."""


class StatusOutcome(StrEnum):
    """What came of one status report."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    """The EVSE has that status already."""
    STALE = "stale"
    """The stored status is newer."""
    UNKNOWN_EVSE = "unknown_evse"
    """No EVSE of the reporting parties has that id or key."""
    REFUSED = "refused"
    """The report makes no sense; it never reaches the service."""


class Statuses(Protocol):
    """Statuses on their way in."""

    async def report(self, reports: Sequence[EvseStatusReport], parties: Parties) -> list[StatusOutcome]:
        """Applies reports, one outcome each in the same order; durable when it returns.

        Concurrent calls share a commit. Of several reports for one EVSE in one call the newest counts.
        """
