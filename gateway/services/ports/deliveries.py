"""What is under way to hubs, and what they refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import JsonValue

from gateway.services.ports.common import Page


class DeliveryState(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    DELIVERED = "delivered"
    REFUSED = "refused"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One projection at one connection.

    Attributes:
        wanted, acked: Revisions.
        attempts: How often the present content was tried in vain.
        since: When it began to wait, or was last acknowledged.
        due_at: When it is tried next; None if it does not wait for a time.
        error: What the last attempt in vain came to.
    """

    connection: str
    operation: str
    key: str
    state: DeliveryState
    wanted: int
    acked: int
    attempts: int
    since: datetime | None
    due_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that a hub, or its translation, refused.

    Attributes:
        code: The hub's own code; None where the translation refused.
        text: The hub's own words, or why it cannot be said.
        field: Field of the canonical object where the translation refused; else empty.
        body: What was sent; None where nothing was.
    """

    id: int
    connection: str
    operation: str
    key: str
    code: str | None
    text: str
    field: str
    attempts: int
    at: datetime
    body: JsonValue = None


@dataclass(frozen=True, slots=True)
class Letters:
    """Which dead letters are meant: those of the ids, or, without ids, all of a connection."""

    ids: Sequence[int] = ()
    connection: str | None = None


class Deliveries(Protocol):
    """What is under way to hubs, and what they refused."""

    async def list(
        self, connection: str | None, state: DeliveryState | None, after: str | None, limit: int
    ) -> Page[DeliveryView]:
        """Gives deliveries in the order of connection, operation and key."""

    async def dead_letters(self, connection: str | None, after: str | None, limit: int) -> Page[DeadLetter]:
        """Gives dead letters, the oldest first."""

    async def replay(self, letters: Letters, who: str) -> int:
        """Puts refused records back on their lanes; gives how many there were."""

    async def discard(self, ids: Sequence[int], why: str, who: str) -> int:
        """Gives refused records up; gives how many there were."""
