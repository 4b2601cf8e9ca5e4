"""The gateway's side of the contract, in memory: what adapters and their servers are handed in tests."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from adapters.core.charging import CommandTaken, Message
from adapters.core.connection import Connection, Mode, Scope, Secrets, State
from adapters.core.hub import Gateway
from adapters.core.inbound import Page, Window
from adapters.core.peers import Peers
from adapters.core.pricing import Compare
from mappings.canonical.commands import Command, CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus, Location
from mappings.canonical.parties import Party
from mappings.canonical.sessions import ChargingPreferences, PreferencesResult
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Token, TokenType
from tests.adapters.doubles_roaming import Homecoming, OwnDrivers, Sent, Stations


def connection(hub: str, settings: Mapping[str, Any], **changes: Any) -> Connection:
    """A live connection, not yet registered."""
    made = Connection(
        id=1,
        name=f"{hub}-test",
        hub=hub,
        mode=Mode.LIVE,
        state=State.UNREGISTERED,
        scope=Scope(),
        settings=settings,
        secrets=Secrets(),
    )
    return replace(made, **changes)


class Request(NamedTuple):
    hub: str
    connection: str
    operation: str
    outcome: str


class Served(NamedTuple):
    hub: str
    connection: str
    operation: str
    status: int


class Measured:
    """Implements `Observer`."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: list[Served] = []

    def request(self, hub: str, connection: str, operation: str, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.requests.append(Request(hub, connection, operation, outcome))

    def served(self, hub: str, connection: str, operation: str, status: int, seconds: float) -> None:
        assert seconds >= 0
        self.answers.append(Served(hub, connection, operation, status))


class Tokens:
    """Implements `Registry` for one connection."""

    def __init__(self, connection: Connection, token: str | None = None) -> None:
        self.connection = connection
        self.token = token
        self.log: list[str] = []

    async def by_name(self, name: str) -> Connection | None:
        return self.connection if name == self.connection.name else None

    async def by_token(self, token: str) -> Connection | None:
        return self.connection if self.token is not None and token == self.token else None

    async def expect(self, connection: Connection, token: str, who: str) -> None:
        self.token = token
        self.log.append(f"expected by {who}")

    async def registered(
        self, connection: Connection, *, ours: str, endpoints: Mapping[str, Any], token: str, who: str
    ) -> Connection:
        self.token = token
        self.connection = replace(self.connection, state=State.READY, secrets=Secrets(ours, endpoints))
        self.log.append(f"registered by {who}")
        return self.connection

    async def unregistered(self, connection: Connection, *, why: str, who: str) -> Connection:
        self.token = None
        self.connection = replace(self.connection, state=State.UNREGISTERED, secrets=Secrets(), why=why)
        self.log.append(f"unregistered by {who}")
        return self.connection


class Network:
    """Implements `Published`; REMOVED locations are tombstones."""

    def __init__(
        self, parties: Sequence[Party], locations: Sequence[Location] = (), tariffs: Sequence[Tariff] = ()
    ) -> None:
        self.known = list(parties)
        self.places = list(locations)
        self.prices = list(tariffs)

    async def locations(self, connection: Connection, window: Window) -> Page:
        dated = window.date_from is not None or window.date_to is not None
        seen = [each for each in map(connection.scope.narrow, self.places) if each is not None]
        return _page([each for each in seen if dated or not _gone(each)], window)

    async def location(self, connection: Connection, party: PartyId, location_id: str) -> Location | None:
        return next((each for each in self.places if (each.party, each.id) == (party, location_id)), None)

    async def tariffs(self, connection: Connection, window: Window) -> Page:
        return _page([each for each in self.prices if connection.scope.has_party(each.party)], window)

    async def tariff(self, connection: Connection, party: PartyId, tariff_id: str) -> Tariff | None:
        found = [each for each in self.prices if (each.party, each.id) == (party, tariff_id)]
        return next((each for each in found if each.target is None), found[0] if found else None)

    async def parties(self, connection: Connection) -> Sequence[Party]:
        return [each for each in self.known if connection.scope.has_party(each.id)]

    async def owners(self, connection: Connection) -> Sequence[PartyId]:
        owning = dict.fromkeys([*(each.id for each in self.known), *(each.party for each in self.places)])
        return [each for each in owning if connection.scope.has_party(each)]


def _gone(location: Location) -> bool:
    return bool(location.evses) and all(evse.status is EvseStatus.REMOVED for evse in location.evses)


def _page(objects: Sequence[Any], window: Window) -> Page:
    since, until = window.date_from, window.date_to
    found = [
        each
        for each in objects
        if (since is None or each.last_updated >= since) and (until is None or each.last_updated < until)
    ]
    return Page(found[window.offset : window.offset + window.limit], len(found))


class Orders:
    """Implements `Commands`: remembers what it was told to do, and says what it was told to say.

    Attributes:
        performed: What a hub waited for.
        taken: What was taken over, with where its result is to be told.
        answer, taking: What is said; an exception is raised.
        came: Set as soon as anything came.
    """

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.performed: list[tuple[Connection, Command]] = []
        self.taken: list[tuple[Connection, Command, Mapping[str, str]]] = []
        self.answer: CommandAnswer | Exception = CommandAnswer(result=CommandResult.ACCEPTED)
        self.taking: CommandTaken | Exception = CommandTaken(result=CommandResult.ACCEPTED, timeout=30)

    async def perform(self, connection: Connection, command: Command) -> CommandAnswer:
        self.performed.append((connection, command))
        self.came.set()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    async def take(self, connection: Connection, command: Command, reply_to: Mapping[str, str]) -> CommandTaken:
        self.taken.append((connection, command, reply_to))
        self.came.set()
        if isinstance(self.taking, Exception):
            raise self.taking
        return self.taking


class Cards:
    """Implements `Tokens`, drivers' tokens, for one connection."""

    def __init__(self) -> None:
        self.held: dict[tuple[PartyId, TokenType, str], Token] = {}

    async def put(self, connection: Connection, token: Token) -> bool:
        key = (token.party, token.type, token.uid.casefold())
        before = self.held.get(key)
        if before is None or token.last_updated >= before.last_updated:
            self.held[key] = token
        return before is None

    async def get(self, connection: Connection, party: PartyId, uid: str, type_: TokenType) -> Token | None:
        return self.held.get((party, type_, uid.casefold()))


class Book:
    """Implements `Charges`.

    Attributes:
        told_sessions, told_cdrs: What can be pulled.
        wishes: The preferences that came: of which session, and whose.
        result: What is said to them; None for a session that is not known.
    """

    def __init__(self) -> None:
        self.told_sessions: list[Message] = []
        self.told_cdrs: list[Message] = []
        self.wishes: list[tuple[str, ChargingPreferences, PartyId | None]] = []
        self.result: PreferencesResult | None = PreferencesResult.ACCEPTED

    async def sessions(self, connection: Connection, window: Window) -> Page:
        return _told([each for each in self.told_sessions if connection.scope.has_party(each.party)], window)

    async def cdrs(self, connection: Connection, window: Window) -> Page:
        return _told([each for each in self.told_cdrs if connection.scope.has_party(each.party)], window)

    async def prefer(
        self, connection: Connection, session_id: str, preferences: ChargingPreferences, emsp: PartyId | None = None
    ) -> PreferencesResult | None:
        self.wishes.append((session_id, preferences, emsp))
        return self.result


def _told(messages: Sequence[Message], window: Window) -> Page:
    by_content = {id(each.session or each.cdr): each for each in messages}
    page = _page([each.session or each.cdr for each in messages], window)
    return Page([by_content[id(each)] for each in page.objects], page.total)


def compared(wanted: Tariff, said: Tariff) -> str:
    """Implements `Compare`: what is compared is the gateway's matter, that it is asked the adapter's."""
    return f"{wanted.id} against {said.id}"


def gateway(
    network: Network,
    registry: Tokens,
    observer: Measured,
    public_url: str,
    *,
    commands: Orders | None = None,
    tokens: Cards | None = None,
    charges: Book | None = None,
    catalogue: Stations | None = None,
    drivers: OwnDrivers | None = None,
    received: Homecoming | None = None,
    sent_commands: Sent | None = None,
    peers: Peers | None = None,
    compare: Compare = compared,
) -> Gateway:
    return Gateway(
        published=network,
        commands=commands or Orders(),
        tokens=tokens or Cards(),
        charges=charges or Book(),
        catalogue=catalogue or Stations(),
        drivers=drivers or OwnDrivers(),
        received=received or Homecoming(),
        sent_commands=sent_commands or Sent(),
        registry=registry,
        observer=observer,
        compare=compare,
        public_url=public_url,
        peers=peers or Peers(),
    )
