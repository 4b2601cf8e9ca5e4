"""Connections to hubs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from pydantic import JsonValue

from adapters.core.connection import Mode, Scope, State


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection without its secrets.

    Attributes:
        registered: Whether credentials are in place.
        ours_hint: The last four characters of the token that we present; None without one.
        endpoints: What the hub told us, by `module/role`.
        pending, held, refused: Projections that wait, that wait for another operation, and dead letters.
        why: Why it is paused or unregistered.
    """

    name: str
    hub: str
    mode: Mode
    state: State
    why: str | None
    scope: Scope
    settings: Mapping[str, JsonValue]
    registered: bool
    endpoints: Mapping[str, JsonValue]
    pending: int
    held: int
    refused: int
    ours_hint: str | None = None


class DifferenceState(StrEnum):
    """How a projection stands."""

    PENDING = "pending"
    REFUSED = "refused"
    HELD = "held"
    SHADOWED = "shadowed"


@dataclass(frozen=True, slots=True)
class DifferenceCount:
    """How far one operation has come, in projections.

    Attributes:
        wanted: That the hub should know.
        acked: That it knows in their present state.
        pending: That are to be sent.
        refused: With a dead letter.
        held: That wait for another operation.
        shadowed: That were rendered and not sent, since the connection is in shadow mode.
    """

    operation: str
    wanted: int
    acked: int
    pending: int
    refused: int
    held: int
    shadowed: int


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One projection that the hub has not in its present state.

    Attributes:
        gone: The hub should no longer have it.
        sent_as: The identifier under which the hub knows it; None if it never accepted it.
    """

    operation: str
    key: str
    state: DifferenceState
    gone: bool
    wanted: int
    acked: int
    sent_as: str | None
    since: datetime | None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """What a hub does not have as it should."""

    counts: Sequence[DifferenceCount]
    rows: Sequence[DifferenceRow]
    next: str | None = None


class Connections(Protocol):
    """Connections, by name. What names one that does not exist raises `NotFound`."""

    async def list(self) -> list[ConnectionView]:
        """Gives all, by name."""

    async def get(self, name: str) -> ConnectionView:
        """Gives one."""

    async def create(
        self, name: str, hub: str, mode: Mode, scope: Scope, settings: Mapping[str, Any], who: str
    ) -> ConnectionView:
        """Adds a connection, unregistered where its hub has a registration.

        Raises:
            Conflict: The name is taken.
            Invalid: No such hub, or its settings model refuses the settings (fields under `settings.`).
        """

    async def register(self, name: str, token: str, who: str) -> ConnectionView:
        """Starts the registration with the token that the hub gave us.

        Raises:
            Conflict: The hub has no registration that we start.
            HubFailed: The hub refused, or could not be reached.
        """

    async def expect(self, name: str, who: str) -> str:
        """Makes a token with which the hub may start the registration (OCPI: token A); it replaces an earlier one.

        Raises:
            Conflict: The hub has no registration, or the connection is registered.
        """

    async def adopt(
        self, name: str, token_ours: str, token_theirs: str, endpoints: Mapping[str, Any], who: str
    ) -> ConnectionView:
        """Takes over a connection that is live elsewhere: the token that we present, the one that the hub presents."""

    async def set_mode(self, name: str, mode: Mode, who: str) -> ConnectionView:
        """Changes how far it goes."""

    async def set_settings(self, name: str, settings: Mapping[str, Any], who: str) -> ConnectionView:
        """Changes the hub's own settings; what would now be sent otherwise is sent.

        Raises:
            Invalid: The hub's settings model refuses them (fields under `settings.`).
        """

    async def remove(self, name: str, who: str) -> None:
        """Forgets a connection and what its hub acknowledged. What the hub has stays there.

        Raises:
            Conflict: It is not off, or registered, or sessions and CDRs are not settled with its hub.
        """

    async def set_scope(self, name: str, scope: Scope, who: str) -> ConnectionView:
        """Changes what it carries; what leaves the scope is withdrawn from the hub."""

    async def pause(self, name: str, why: str, who: str) -> ConnectionView:
        """Stops it; nothing is tried or lost."""

    async def resume(self, name: str, who: str) -> ConnectionView:
        """Lets a paused connection go on."""

    async def resync(self, name: str, who: str) -> int:
        """Asks for everything again; gives the number of projections."""

    async def unregister(self, name: str, who: str) -> ConnectionView:
        """Gives the credentials up; what is queued waits for the next registration."""

    async def difference(self, name: str, operation: str | None, after: str | None, limit: int) -> Difference:
        """Tells what the hub does not have as it should."""
