"""What a hub's server asks of the gateway. Implemented by the gateway, handed to the adapter when it is built."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from adapters.core.charging import Answer, CommandTaken
from adapters.core.connection import Connection
from mappings.canonical.cdrs import Cdr
from mappings.canonical.commands import Command, CommandAnswer, EvseRef
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.locations import EvseStatusReport, Location
from mappings.canonical.parties import ClientInfo, Party
from mappings.canonical.sessions import ChargingPreferences, PreferencesResult, Session, SessionNews
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Pin, Token, TokenType
from mappings.report import Issue


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


class Asked(NamedTuple):
    """A driver of ours at somebody else's station, as a hub asks for them.

    Attributes:
        leg: The driver, and what the hub calls the session to be; `leg.emsp` is ours, where the hub names it.
        cpo: Whose station; None where the hub does not tell.
        at: Which; None where the hub does not tell.
        pin: For a QR code.
        within: What the answer may take, our margin taken off.
    """

    leg: Leg
    cpo: PartyId | None
    at: EvseRef | None
    pin: Pin | None
    within: timedelta


class Drivers(Protocol):
    """Our own drivers, of whom hubs ask."""

    async def authorise(self, connection: Connection, asked: Asked) -> Answer:
        """Says whether a driver may charge. `Allowed.leg` has our id of the permit as `emsp_session` and `reference`.

        Never `Unanswered`: what nobody knows in time is `Denied` with `NO_ANSWER`.
        """

    async def authorise_stop(self, connection: Connection, asked: Asked) -> Answer:
        """Says whether a medium may stop the session that the leg names."""

    async def tokens(self, connection: Connection, window: Window) -> Page:
        """Gives driver tokens, blocked ones too."""

    async def token(self, connection: Connection, party: PartyId, uid: str, type_: TokenType) -> Token | None:
        """Gives one driver token; None if there is none, or it was withdrawn."""


class LocationCopy(NamedTuple):
    """A partner's location as a hub told it.

    Attributes:
        digest: Of what the hub sent, 16 bytes.
        statuses: It carries its EVSEs' statuses; else those that are stored stay.
    """

    location: Location
    issues: Sequence[Issue]
    digest: bytes
    statuses: bool = True


class Catalogue(Protocol):
    """Partners' stations, as a hub pushes them. What is here is a copy per connection."""

    async def put_location(self, connection: Connection, copy: LocationCopy) -> bool:
        """Writes a location whole; True if it is new. One older than what is stored changes nothing."""

    async def location(self, connection: Connection, party: PartyId, location_id: str) -> Location | None:
        """Gives a location with its present statuses; None if it was never told."""

    async def put_status(self, connection: Connection, report: EvseStatusReport) -> bool:
        """Writes an EVSE's status; False where there is no such EVSE. One older than what is stored changes nothing."""

    async def withdraw_location(self, connection: Connection, party: PartyId, location_id: str) -> bool:
        """Marks a location as gone; False where it never was."""

    async def put_tariff(self, connection: Connection, tariff: Tariff, digest: bytes) -> bool:
        """Writes a tariff; True if it is new."""

    async def tariff(
        self, connection: Connection, party: PartyId, tariff_id: str, target: PartyId | None = None
    ) -> Tariff | None:
        """Gives the tariff for a target; else the one that is for all; else None."""

    async def withdraw_tariff(
        self, connection: Connection, party: PartyId, tariff_id: str, variant: str | None = None
    ) -> bool:
        """Marks a tariff as gone; False where there is none.

        Args:
            variant: Only the one for this party, in its normal form, or `""` for the one for all; None where the
                hub cannot say which it means, so that every one goes.
        """

    async def put_party(self, connection: Connection, info: ClientInfo) -> None:
        """Writes what a hub says of another platform's party (OCPI's ClientInfo)."""


class CdrTaken(StrEnum):
    """What became of a CDR that came home."""

    NEW = "NEW"
    """Taken, in review or not: who sent it has done their part."""
    SAME = "SAME"
    """It is here already."""
    CONFLICT = "CONFLICT"
    """Another content is here under the same id; the later one is kept beside it, in review."""


class Received(Protocol):
    """Sessions and CDRs of our own drivers at partners' stations, as hubs tell them."""

    async def session(self, connection: Connection, session: Session) -> bool:
        """Writes a session as its CPO tells it, whole; True if it is new. An older one changes nothing."""

    async def get_session(self, connection: Connection, party: PartyId, session_id: str) -> Session | None:
        """Gives a session that was told whole."""

    async def news(self, connection: Connection, news: SessionNews) -> None:
        """Takes what is told of a session piece by piece (OICP's charging notifications), in whatever order."""

    async def cdr(self, connection: Connection, cdr: Cdr, leg: Leg | None, digest: bytes) -> CdrTaken:
        """Takes a CDR, durably. What does not fit is taken too, and held for review.

        Args:
            leg: How the hub names the charge, where it tells beyond the CDR's own fields.
            digest: Of what the hub sent, 16 bytes.
        """

    async def get_cdr(self, connection: Connection, party: PartyId, cdr_id: str) -> Cdr | None:
        """Gives a CDR that came over this connection."""


class SentCommands(Protocol):
    """Commands that we sent for our drivers."""

    async def told(self, connection: Connection, id_: str, answer: CommandAnswer) -> bool:
        """Takes the result of a command; False if we sent none of that id over this connection."""


class Observer(Protocol):
    """Where adapters report what they measure."""

    def request(self, hub: str, connection: str, operation: str, outcome: str, seconds: float) -> None:
        """Counts one request to a hub. `outcome` is the snake-case name of an `Outcome`."""

    def served(self, hub: str, connection: str, operation: str, status: int, seconds: float) -> None:
        """Counts one request from a hub."""
