"""Figures and health."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from adapters.core.connection import Mode, State
from mappings.canonical.agreements import OfferState, SubscriptionState
from mappings.canonical.locations import EvseStatus


@dataclass(frozen=True, slots=True)
class LaneSample:
    """The present state of one operation at one connection.

    Attributes:
        oldest: Age of the oldest pending projection in seconds; 0 with none.
        leased, resting: Lanes being worked on, and lanes that rest after a failure.
    """

    hub: str
    connection: str
    operation: str
    pending: int
    oldest: float
    held: int
    dead_letters: int
    leased: int
    resting: int


@dataclass(frozen=True, slots=True)
class MessageSample:
    """The present state of one kind of message at one connection, or of the events of one webhook.

    Attributes:
        hub, connection: Of a webhook `webhook` and its name.
        oldest: Age of the oldest pending one in seconds; 0 with none.
    """

    hub: str
    connection: str
    operation: str
    pending: int
    oldest: float
    dead_letters: int


@dataclass(frozen=True, slots=True)
class CdrSample:
    """The CDRs that one connection's hub has not confirmed.

    Attributes:
        late: Those that wait for longer than they should.
        oldest: Seconds since the oldest was accepted.
    """

    hub: str
    connection: str
    pending: int
    late: int
    oldest: float


@dataclass(frozen=True, slots=True)
class ChargeSample:
    """The present state of charges.

    Attributes:
        running: Sessions that are ACTIVE.
        sessions_in_review, cdrs_in_review: That wait for a person.
        without_cdr: Sessions that have been over for too long without a CDR.
        repricings_open: CDRs, of whichever side, about whose cost a person has to decide.
        repricings_oldest: For how many seconds one has been waiting to be priced.
    """

    running: int = 0
    sessions_in_review: int = 0
    cdrs_in_review: int = 0
    without_cdr: int = 0
    cdrs: Sequence[CdrSample] = ()
    repricings_open: int = 0
    repricings_oldest: float = 0.0


@dataclass(frozen=True, slots=True)
class AbroadSample:
    """The present state of our drivers' charges at partners' stations.

    Attributes:
        running: Sessions that are not over.
        sessions_in_review, cdrs_in_review: That wait for a person.
        without_cdr: Sessions that have been over for too long without a CDR.
        commands_open: Sent commands without a result.
    """

    running: int = 0
    sessions_in_review: int = 0
    cdrs_in_review: int = 0
    without_cdr: int = 0
    commands_open: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """The present state of the store, for gauges.

    Attributes:
        connections: Hub, connection, mode and state of each.
        pool_size, pool_idle: Connections to the database of this process.
        offers, subscriptions: How many, by hub, connection and state; where there are none, nothing stands there.
    """

    lanes: Sequence[LaneSample]
    messages: Sequence[MessageSample]
    connections: Sequence[tuple[str, str, Mode, State]]
    evses: Mapping[EvseStatus, int]
    charges: ChargeSample
    pool_size: int
    pool_idle: int
    abroad: AbroadSample = AbroadSample()
    offers: Mapping[tuple[str, str, OfferState], int] = field(default_factory=dict)
    subscriptions: Mapping[tuple[str, str, SubscriptionState], int] = field(default_factory=dict)


class Sampler(Protocol):
    """Where gauges come from."""

    async def sample(self) -> Sample:
        """Reads the present state; some queries, so callers cache it."""


class Readiness(Protocol):
    """Whether this process can serve."""

    async def faults(self) -> Mapping[str, str | None]:
        """Gives each check by name (`database`, `migrations`, `dispatcher`) with what is wrong, if anything."""
