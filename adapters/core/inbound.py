"""What a hub's server asks of the gateway. Implemented by the gateway, handed to the adapter when it is built."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from adapters.core.connection import Connection
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location
from mappings.canonical.parties import Party
from mappings.canonical.tariffs import Tariff


class Page(NamedTuple):
    """A page of objects in a stable order, and how many there are in all."""

    objects: Sequence[Any]
    total: int


class Window(NamedTuple):
    """A page asked for: `date_from` inclusive, `date_to` exclusive, both on `last_updated`; UTC."""

    offset: int
    limit: int
    date_from: datetime | None = None
    date_to: datetime | None = None


class Published(Protocol):
    """The network as a connection may see it."""

    async def locations(self, connection: Connection, window: Window) -> Page:
        """Gives locations with their present statuses; with dates, withdrawn ones too, every EVSE of theirs REMOVED."""

    async def location(self, connection: Connection, party: PartyId, location_id: str) -> Location | None:
        """Gives one location, REMOVED or not; None if it never was or is out of scope."""

    async def tariffs(self, connection: Connection, window: Window) -> Page:
        """Gives tariffs, every variant of a targeted one."""

    async def tariff(self, connection: Connection, party: PartyId, tariff_id: str) -> Tariff | None:
        """Gives the tariff that is for all; else any variant; None if there is none."""

    async def parties(self, connection: Connection) -> Sequence[Party]:
        """Gives the parties that the connection speaks for."""


class Registry(Protocol):
    """Connections and their credentials. Every change is audited."""

    async def by_token(self, token: str) -> Connection | None:
        """Finds the connection to which a token was given, comparing hashes in constant time."""

    async def expect(self, connection: Connection, token: str, who: str) -> None:
        """Lets the hub in with a token before it is registered, in place of an earlier one.

        OCPI's CREDENTIALS_TOKEN_A, or the token in our own POST, with which the hub calls back before it answers. As
        long as the connection has no token of ours (`Secrets.ours`), it opens nothing but versions and credentials.
        """

    async def registered(
        self, connection: Connection, *, ours: str, endpoints: Mapping[str, Any], token: str, who: str
    ) -> Connection:
        """Writes new credentials and makes the connection ready; what is queued stays queued.

        Args:
            ours: The token that we present from now on.
            endpoints: The hub's endpoints, JSON-able.
            token: The token that the hub presents from now on; only its hash is kept.
            who: Who did it, for the audit log.
        """

    async def unregistered(self, connection: Connection, *, why: str, who: str) -> Connection:
        """Forgets the credentials; what is queued waits for the next registration."""


class Observer(Protocol):
    """Where adapters report what they measure."""

    def request(self, hub: str, connection: str, operation: str, outcome: str, seconds: float) -> None:
        """Counts one request to a hub. `outcome` is the snake-case name of an `Outcome`."""

    def served(self, hub: str, connection: str, operation: str, status: int, seconds: float) -> None:
        """Counts one request from a hub."""
