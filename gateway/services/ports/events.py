"""Reading events, and saying where they are told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from gateway.events.writing import EventType
from gateway.services.ports.common import Parties
from mappings.canonical.ids import PartyId


class Question(StrEnum):
    """What a call-out may be asked: commands, what a driver wishes of a running session, and permits."""

    START_SESSION = "START_SESSION"
    STOP_SESSION = "STOP_SESSION"
    RESERVE_NOW = "RESERVE_NOW"
    CANCEL_RESERVATION = "CANCEL_RESERVATION"
    UNLOCK_CONNECTOR = "UNLOCK_CONNECTOR"
    CHARGING_PREFERENCES = "CHARGING_PREFERENCES"
    PERMIT = "PERMIT"
    """Whether a driver of ours may charge at a partner's station."""


class FeedEvent(NamedTuple):
    """An event: the cursor after it, and the event itself as JSON of CloudEvents 1.0."""

    cursor: str
    json: str


class EventPage(NamedTuple):
    """Some events in order; reading on after `next` overlooks none."""

    events: Sequence[FeedEvent]
    next: str


class Events(Protocol):
    """The feed of events."""

    @property
    def changes(self) -> asyncio.Event:
        """Set once there may be more to read than now, or the feed ends. Take it before reading."""

    @property
    def ended(self) -> bool:
        """Whether the process is about to end: whoever waits shall stop."""

    def end(self) -> None:
        """Has everybody stop who waits."""

    async def read(self, parties: Parties, after: str | None, type_: EventType | None, limit: int) -> EventPage:
        """Gives events in order.

        Args:
            after: A cursor; None for the oldest that is kept, `latest` for none but the cursor of the latest.

        Raises:
            Conflict: What came after the cursor is no longer kept.
        """


@dataclass(frozen=True, slots=True)
class HookView:
    """A webhook or call-out, without its secret.

    Attributes:
        types: What it is told or asked; empty for everything.
        parties: Whose; empty for all.
        silence: Of a call-out, what a question counts as answered by when nobody answers.
        active: Whether it is told or asked.
        why: Why the gateway switched it off.
        both_until: Until when the secret before the present one signs, too.
        waiting: Events that it was not told yet.
        refused: Events that it refused.
    """

    name: str
    url: str
    types: Sequence[str]
    parties: Sequence[PartyId]
    active: bool
    created_at: datetime
    why: str | None = None
    silence: str | None = None
    both_until: datetime | None = None
    waiting: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class HookChange:
    """What is to change of a webhook or call-out; None stays as it is."""

    url: str | None = None
    types: Sequence[str] | None = None
    parties: Sequence[PartyId] | None = None
    active: bool | None = None
    silence: str | None = None


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a made-up event.

    Attributes:
        outcome: `delivered`, or what is known of the request.
        detail: For a person.
    """

    outcome: str
    detail: str


class Listeners(Protocol):
    """Webhooks, or call-outs. Every change is audited."""

    async def list(self) -> Sequence[HookView]:
        """Gives all, by name."""

    async def get(self, name: str) -> HookView:
        """Gives one.

        Raises:
            NotFound: There is none of that name.
        """

    async def create(
        self, name: str, url: str, types: Sequence[str], parties: Sequence[PartyId], silence: str | None, who: str
    ) -> tuple[HookView, str]:
        """Adds one, active; gives its secret, which is not shown again.

        Raises:
            Conflict: The name is taken.
            Invalid: The URL is none that may be called.
        """

    async def change(self, name: str, change: HookChange, who: str) -> HookView:
        """Changes one."""

    async def rotate(self, name: str, who: str) -> tuple[HookView, str]:
        """Makes a new secret; the one before signs along for a day."""

    async def remove(self, name: str, who: str) -> None:
        """Forgets one, with all that it was not told yet."""

    async def test(self, name: str) -> Tested:
        """Tells a webhook a made-up event, now and once."""
