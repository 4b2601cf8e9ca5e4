"""How a hub wants to be served, as data: the outbox reads it, no code of the outbox knows a hub by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_SLOW: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class OperationProfile:
    """How one kind of push is delivered.

    Attributes:
        name: The operation, as in metrics and in `WireKey.operation`.
        max_items: Projections taken into one claim; also the most records of one batched request.
        lanes_in_flight: Lanes served at once by the whole cluster's replica; 1 where the hub wants pushes in sequence.
        per_minute: Requests a minute that all replicas share; None where the hub names no limit.
        atomic: The hub takes or refuses a batch whole, so that a refused one is halved.
        coalesce_attempted: Whether a newer state may replace one whose attempt failed; else the attempted body is sent
            again first (first in, first out).
        after: An operation of the same connection that must have accepted the same key before this one is tried.
        waits_for: An operation whose pending keys are shown to `Adapter.plan`, which puts back what must wait for them.
        refers_to: An operation whose things this one names, so that what is said depends on which of them the hub has
            (`Item.known`): everything of this one is looked at anew when that changes.
        full_load: The operation can replace everything at the hub in one request. Where it comes `after` another, its
            full synchronisation does so too.
        told_again: The operation cannot replace everything in one request: a full synchronisation tells it anew, record
            by record.
    """

    name: str
    max_items: int
    lanes_in_flight: int
    per_minute: int | None = None
    atomic: bool = False
    coalesce_attempted: bool = True
    after: str | None = None
    waits_for: str | None = None
    refers_to: str | None = None
    full_load: bool = False
    told_again: bool = False

    @property
    def interval(self) -> timedelta | None:
        """Time between two requests; None where the hub names no limit."""
        return None if self.per_minute is None else timedelta(minutes=1) / self.per_minute

    @property
    def slow(self) -> bool:
        """Whether so few requests are allowed that each of them has to carry all that there is by then."""
        return self.interval is not None and self.interval >= _SLOW

    @property
    def full_sync(self) -> bool:
        """Whether it takes part in full synchronisations."""
        return self.full_load or self.told_again


@dataclass(frozen=True, slots=True)
class Profile:
    """A hub's profile.

    Attributes:
        hub: Name of the hub, as in metrics and settings.
        protocol: Protocol and version, `OCPI 2.2.1`.
        operations: By name, in the order in which a first synchronisation should run.
        request_timeout: Bound on one request, answer read.
        full_sync_every: How often everything is synchronised anew; None for only on demand.
        full_load_max: Most records in a request that replaces everything; above it a full synchronisation updates
            record by record.
    """

    hub: str
    protocol: str
    operations: Mapping[str, OperationProfile]
    request_timeout: timedelta
    full_sync_every: timedelta | None = None
    full_load_max: int = 0
