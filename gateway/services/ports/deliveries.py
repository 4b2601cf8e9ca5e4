"""What is under way to hubs and webhooks, and what they refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import JsonValue

from gateway.services.ports.common import IssueShown, Page


class DeliveryState(StrEnum):
    """How a projection stands."""

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


class MessageState(StrEnum):
    """How a message stands."""

    PENDING = "pending"
    IN_FLIGHT = "in_flight"
    DELIVERED = "delivered"
    REFUSED = "refused"
    """A dead letter."""
    EXPIRED = "expired"
    """Nobody waits for it any more."""
    SHOWN = "shown"
    """It happened while the connection was in shadow mode, and is never sent."""
    DISCARDED = "discarded"
    """A dead letter that a person gave up."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message to a hub, or one event to a webhook.

    Attributes:
        id: Rises with every message.
        connection, webhook: Where it goes; the other one is None.
        kind: What it is in the hub's words; of an event, its type.
        lane: Messages of one lane go in the order of their ids.
        key: Of what it speaks; of an event, its id.
        attempts: Tries made, the one included that settled it; 0 where nothing was sent.
        doubtful: A try ended without anybody knowing whether it was acted upon.
        since: When it began to wait.
        due_at: When it is tried next; None once it is settled.
        until: When it is of no use any more.
        error: What the last attempt in vain came to, or why it was refused.
        issues: What its translation lost.
        body: What would be sent, where the connection is in shadow mode, or what was refused.
    """

    id: int
    connection: str | None
    webhook: str | None
    operation: str
    kind: str
    lane: str
    key: str
    party: str
    state: MessageState
    attempts: int
    doubtful: bool
    since: datetime
    due_at: datetime | None
    until: datetime | None
    settled_at: datetime | None
    code: str | None
    error: str | None
    issues: Sequence[IssueShown] = ()
    body: JsonValue = None


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """Which messages are meant: those of a connection or webhook, in a state, of a session or CDR by its key."""

    connection: str | None = None
    webhook: str | None = None
    state: MessageState | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What a hub, a webhook, or a translation refused.

    Attributes:
        connection, webhook: Where it should have gone; the other one is None.
        message: The message's id; None where it is a projection.
        code: The hub's own code; None where the translation refused.
        text: The hub's own words, or why it cannot be said.
        field: Field of the canonical object where the translation refused; else empty.
        attempts: Tries made; of a message 0 where the translation refused.
        body: What was sent; None where nothing was.
    """

    id: int
    connection: str | None
    operation: str
    key: str
    code: str | None
    text: str
    field: str
    attempts: int
    at: datetime
    body: JsonValue = None
    webhook: str | None = None
    message: int | None = None


@dataclass(frozen=True, slots=True)
class Letters:
    """Which dead letters are meant: those of the ids, or, without ids, all of a connection or a webhook."""

    ids: Sequence[int] = ()
    connection: str | None = None
    webhook: str | None = None


class Deliveries(Protocol):
    """What is under way to hubs and webhooks, and what they refused."""

    async def list(
        self, connection: str | None, state: DeliveryState | None, after: str | None, limit: int
    ) -> Page[DeliveryView]:
        """Gives projections in the order of connection, operation and key."""

    async def messages(self, which: MessageFilter, after: str | None, limit: int) -> Page[MessageView]:
        """Gives messages and events, the newest first."""

    async def dead_letters(self, connection: str | None, after: str | None, limit: int) -> Page[DeadLetter]:
        """Gives dead letters, the oldest first."""

    async def replay(self, letters: Letters, who: str) -> int:
        """Puts what was refused back on its lane, to be rendered anew; gives how many there were."""

    async def discard(self, ids: Sequence[int], why: str, who: str) -> int:
        """Gives up what was refused; gives how many there were."""
