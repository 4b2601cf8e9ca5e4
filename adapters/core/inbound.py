"""What a hub's server asks of the gateway. Implemented by the gateway, handed to the adapter when it is built."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from adapters.core.charging import CommandTaken
from adapters.core.connection import Connection
from mappings.canonical.commands import Command, CommandAnswer
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location
from mappings.canonical.parties import Party
from mappings.canonical.sessions import ChargingPreferences, PreferencesResult
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Token, TokenType


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
        """Gives the parties that the connection speaks for, of which a profile was written."""

    async def owners(self, connection: Connection) -> Sequence[PartyId]:
        """Gives those, and whoever else has locations or tariffs that the connection may carry, in order."""


class Registry(Protocol):
    """Connections and their credentials. Every change is audited."""

    async def by_name(self, name: str) -> Connection | None:
        """Finds a connection by its name, which is no secret and proves nothing."""

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


class Commands(Protocol):
    """What hubs, and the EMSPs behind them, have done at our stations."""

    async def perform(self, connection: Connection, command: Command) -> CommandAnswer:
        """Has a command carried out and gives what came of it, within the connection's `command_within`.

        The same command once more (the same kind and leg) gives the first one's answer and starts nothing twice.
        """

    async def take(self, connection: Connection, command: Command, reply_to: Mapping[str, str]) -> CommandTaken:
        """Takes a command over, durably; what comes of it is told to `reply_to` by the messages of `of_result`."""


class Tokens(Protocol):
    """Drivers' tokens, as hubs tell them."""

    async def put(self, connection: Connection, token: Token) -> bool:
        """Writes a token that its EMSP pushed; True if it is new. One older than what is stored changes nothing."""

    async def get(self, connection: Connection, party: PartyId, uid: str, type_: TokenType) -> Token | None:
        """Gives a token that was pushed over this connection."""


class Charges(Protocol):
    """Sessions and CDRs that roam over a connection."""

    async def sessions(self, connection: Connection, window: Window) -> Page:
        """Gives sessions as `Message`, as `of_session` makes them."""

    async def cdrs(self, connection: Connection, window: Window) -> Page:
        """Gives CDRs as `Message`, as `of_cdr` makes them."""

    async def prefer(
        self, connection: Connection, session_id: str, preferences: ChargingPreferences, emsp: PartyId | None = None
    ) -> PreferencesResult | None:
        """Asks the backend to heed a driver's preferences; None if there is no such session over this connection.

        Args:
            emsp: Who asks, whose sessions alone there are; None where the hub does not tell.
        """


class Observer(Protocol):
    """Where adapters report what they measure."""

    def request(self, hub: str, connection: str, operation: str, outcome: str, seconds: float) -> None:
        """Counts one request to a hub. `outcome` is the snake-case name of an `Outcome`."""

    def served(self, hub: str, connection: str, operation: str, status: int, seconds: float) -> None:
        """Counts one request from a hub."""
