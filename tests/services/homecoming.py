"""An EMSP in this process: partners' stations in its catalogue, its drivers' tokens, and hubs that tell of charges."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from adapters.core.adapter import Item, Plan, Subject, WireKey
from adapters.core.charging import ChargingProfile
from adapters.core.connection import Connection, Mode, Scope
from adapters.core.inbound import CdrTaken, LocationCopy
from adapters.core.profile import Profile
from adapters.core.roaming import CommandSent, RoamingProfile
from gateway.agreements.repository import Agreements
from gateway.metrics import Metrics
from gateway.services.catalogue.service import Catalogue
from gateway.services.cdrs.alarms import Alarms
from gateway.services.drivers.contracts import Contracts
from gateway.services.drivers.permits import Permit, write_permit
from gateway.services.drivers.tokens import DriverTokens
from gateway.services.links import Links
from gateway.services.ports.driver_tokens import DriverToken
from gateway.services.ports.permits import PermitOrigin
from gateway.services.ports.received import ReceivedCdrView, ReceivedFilter, ReceivedSessionView, Review
from gateway.services.ports.sent_commands import SentCommandView, Wish
from gateway.services.received.agreeing import Agreeing
from gateway.services.received.desk import ReceivedDesk
from gateway.services.received.missing import received_sessions
from gateway.services.received.rechecking import Rechecks
from gateway.services.received.service import Received
from gateway.services.sent_commands.answering import SentAnswering
from gateway.services.sent_commands.service import SentCommands
from gateway.store.pool import Store
from gateway.store.secrets import Cipher
from mappings.canonical.cdrs import Cdr
from mappings.canonical.commands import Command, CommandAnswer
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.parties import Role
from mappings.canonical.sessions import Session, SessionNews
from mappings.canonical.tokens import Identification, TokenType
from tests.harness import KEY, WHO, evse, later, location
from tests.services.charging import Noted

EMSP, CPO, OTHER_CPO = PartyId("FR*EMS"), PartyId("NL*CPO"), PartyId("NL*ZZZ")
UID = "04A2B3C4D5E680"
CONTRACT = "FR-EMS-C12345678"
CARD = Identification(type=TokenType.RFID, uid=UID, contract_id=CONTRACT, party=EMSP)
EVSE, EVSE_KEY = "NL*CPO*E1", "NLCPOE1"
NOW = later(10 * 3600)
START, END = later(3600), later(2 * 3600)
KINDS = frozenset({"START_SESSION", "STOP_SESSION", "RESERVE_NOW", "CANCEL_RESERVATION", "UNLOCK_CONNECTOR"})


def token(uid: str = UID, **changes: Any) -> DriverToken:
    """A card for which we are always to be asked."""
    fields: dict[str, Any] = {
        "party": EMSP,
        "uid": uid,
        "type": TokenType.RFID,
        "contract_id": CONTRACT,
        "issuer": "EMS",
        "valid": True,
        "whitelist": "NEVER",
        "last_updated": START,
    }
    return DriverToken.model_validate(fields | changes)


def session(id_: str = "s-1", status: str = "ACTIVE", **changes: Any) -> Session:
    """A session at `L1`/`U1` of `CPO`."""
    fields: dict[str, Any] = {
        "party": CPO,
        "id": id_,
        "start": START,
        "energy": 1,
        "identification": CARD,
        "auth_method": "AUTH_REQUEST",
        "location_id": "L1",
        "evse_uid": "U1",
        "connector_id": "1",
        "currency": "EUR",
        "status": status,
        "last_updated": later(3700),
    }
    if status == "COMPLETED":
        fields |= {"end": END, "energy": 10, "last_updated": END}
    return Session.model_validate(fields | changes)


def news(at: datetime = START, **changes: Any) -> SessionNews:
    """A piece of what happens at `CPO`'s EVSE."""
    leg = Leg(hub_session=changes.pop("hub_session", "H-1"), identification=CARD)
    fields = {"cpo": CPO, "leg": leg, "evse_id": EVSE, "at": at}
    return SessionNews.model_validate(fields | changes)


def cdr(id_: str = "c-1", session_id: str | None = "s-1", **changes: Any) -> Cdr:
    """A CDR of an hour and 10 kWh."""
    fields: dict[str, Any] = {
        "party": CPO,
        "id": id_,
        "session_id": session_id,
        "start": START,
        "end": END,
        "identification": CARD,
        "auth_method": "AUTH_REQUEST",
        "location": {"id": "L1", "evse_uid": "U1", "connector_id": "1", "evse_id": EVSE},
        "currency": "EUR",
        "periods": [],
        "energy": 10,
        "time": 1,
        "total_cost": {"net": 4},
        "last_updated": END,
    }
    return Cdr.model_validate(fields | changes)


def digest(one: Cdr) -> bytes:
    """Of what a hub sent."""
    return blake2b(one.model_dump_json().encode(), digest_size=16).digest()


class CommandHub:
    """Implements as much of an adapter as commands need.

    Attributes:
        answers: What it says to commands, in order; an exception is raised. The last one again and again.
        gate: It says so once this is set; None for at once.
        asked: The commands, with our id and the CPO.
    """

    def __init__(self, kinds: Iterable[str] = KINDS, *, has_contracts: bool = True) -> None:
        within = timedelta(seconds=5)
        self.charging = ChargingProfile({}, within, within, has_contracts=has_contracts)
        self.kinds = frozenset(kinds)
        self.within = timedelta(seconds=20)
        self.answers: list[CommandSent | Exception] = [CommandSent(CommandAnswer(result="ACCEPTED"))]
        self.gate: asyncio.Event | None = None
        self.reached = asyncio.Event()
        self.asked: list[tuple[str, Command, PartyId]] = []
        self.profile = Profile("scripted", "none", {}, timedelta(seconds=5))
        self.roles = frozenset({Role.EMSP})

    @property
    def roaming(self) -> RoamingProfile:
        return RoamingProfile({}, self.kinds, self.within)

    async def command(self, id_: str, command: Command, cpo: PartyId) -> CommandSent:
        self.asked.append((id_, command, cpo))
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def keys(self, subject: Subject) -> Iterable[WireKey]:
        return ()

    def plan(
        self, operation: str, items: Sequence[Item], blocked: frozenset[str] = frozenset(), *, full_load: bool = False
    ) -> Plan:
        return Plan()

    async def close(self) -> None:
        pass


@dataclass
class Counted:
    """What was counted."""

    cdrs: list[tuple[str, str, Decimal]] = field(default_factory=list)
    commands: list[tuple[str, str, str]] = field(default_factory=list)

    def received_cdr(self, hub: str, connection: str, outcome: str, energy: Decimal) -> None:
        self.cdrs.append((connection, outcome, energy))

    def sent_command(self, hub: str, connection: str, kind: str, result: str) -> None:
        self.commands.append((connection, kind, result))


@dataclass
class Home:
    """The services over some hubs."""

    store: Store
    links: Links
    hubs: dict[str, CommandHub]
    now: datetime = NOW
    counted: Counted = field(default_factory=Counted)
    wakes: int = 0
    witness: Noted = field(default_factory=Noted)

    def __post_init__(self) -> None:
        self.agreements = Agreements(self.store, self.links, self.clock)
        self.agreeing = Agreeing(self.agreements, self.links, self.witness)
        self.contracts = Contracts(self.agreements, self.witness)
        self.received = self.other_received()
        self.rechecks = Rechecks(
            self.store, self.links, self.agreeing, self.wake, self.clock, self.counted.received_cdr
        )
        self.desk = ReceivedDesk(self.store, self.rechecks, self.wake, self.clock, self.counted.received_cdr)
        self.tokens = DriverTokens(self.store, self.links, self.wake, self.clock)
        self.catalogue = Catalogue(self.store, self.links, Metrics(), self.clock)
        self.answering, self.sent = self.replica()
        self.alarms = Alarms(self.store, [received_sessions(timedelta(hours=24))], self.wake)

    def other_received(self) -> Received:
        """Another process's."""
        return Received(self.store, self.agreeing, self.wake, self.clock, self.counted.received_cdr)

    def replica(self) -> tuple[SentAnswering, SentCommands]:
        """Another process's commands."""
        answering = SentAnswering(self.store, self.links, self.contracts, self.counted, self.clock, self.wake)
        return answering, SentCommands(self.store, self.links, self.contracts, answering, self.clock)

    def clock(self) -> datetime:
        return self.now

    def wake(self) -> None:
        self.wakes += 1

    async def connect(
        self,
        name: str,
        *parties: PartyId,
        kinds: Iterable[str] = KINDS,
        mode: Mode = Mode.LIVE,
        has_contracts: bool = True,
    ) -> None:
        """Makes a connection, for these EMSPs alone if any is named."""
        self.hubs[name] = CommandHub(kinds, has_contracts=has_contracts)
        async with self.links.changing() as tx:
            await tx.execute(
                "INSERT INTO connection (name, hub, mode, state, scope, settings)"
                " VALUES ($1, 'scripted', $2, 'ready', $3, '{}')",
                name,
                mode.value,
                Scope(parties=frozenset(parties)).model_dump_json(),
            )

    def connection(self, name: str = "hub") -> Connection:
        link = self.links.by_name(name)
        assert link is not None
        return link.connection

    async def change(self, name: str, column: str, value: str) -> None:
        """Changes a connection as an operator would."""
        async with self.links.changing() as tx:
            await tx.execute(f"UPDATE connection SET {column} = $2 WHERE name = $1", name, value)

    async def station(
        self, id_: str = "L1", uid: str = "U1", evse_id: str | None = EVSE, cpo: PartyId = CPO, over: str = "hub"
    ) -> None:
        """Puts a station of 22 kW into the catalogue."""
        place = location(id_, evse(uid, evse_id), party=cpo)
        await self.catalogue.put_location(self.connection(over), LocationCopy(place, (), bytes(16)))

    async def put(self, *tokens: DriverToken) -> None:
        """Stores driver tokens."""
        await self.tokens.put([(one, ()) for one in tokens], WHO)

    async def permit(self, id_: str = "p-1", *, over: str = "hub", **changes: Any) -> int:
        """Lets the card charge, as a hub asked for it."""
        leg = changes.pop("leg", Leg(hub_session=changes.pop("hub_session", None), reference=id_, identification=CARD))
        values = {"at": START - timedelta(minutes=2), "cpo": CPO, "evse_key": EVSE_KEY}
        values |= {"origin": PermitOrigin.ASKED, "party": EMSP, "connection_id": self.connection(over).id}
        return await write_permit(self.store, Permit(id=id_, leg=leg, **(values | changes)))

    async def tell(self, told: Session, over: str = "hub") -> ReceivedSessionView:
        """Has a hub tell of a session, and gives what is stored."""
        await self.received.session(self.connection(over), told)
        return await self.told(told.id)

    async def hear(self, *pieces: SessionNews, over: str = "hub") -> ReceivedSessionView:
        """Has a hub tell of a session piece by piece."""
        for piece in pieces:
            await self.received.news(self.connection(over), piece)
        return await self.told(pieces[0].leg.hub_session or "")

    async def told(self, session_id: str) -> ReceivedSessionView:
        """Gives the one session of an id."""
        page = await self.desk.sessions(ReceivedFilter(), None, 1000)
        [found] = [one for one in page.items if one.session_id.upper() == session_id.upper()]
        return found

    async def bill(self, *bills: Cdr, leg: Leg | None = None, over: str = "hub") -> list[CdrTaken]:
        """Has a hub bring CDRs, one after the other."""
        return [await self.received.cdr(self.connection(over), one, leg, digest(one)) for one in bills]

    async def cdrs(self, **wanted: Any) -> list[ReceivedCdrView]:
        """Gives all CDRs, the oldest first."""
        page = await self.desk.cdrs(ReceivedFilter(**wanted), None, 1000)
        return list(reversed(page.items))

    async def reviews(self, *bills: Cdr, leg: Leg | None = None, over: str = "hub") -> list[Review]:
        """Has a hub bring CDRs, and gives why a person has to look at the last."""
        await self.bill(*bills, leg=leg, over=over)
        return list((await self.cdrs())[-1].review)

    async def events(self, *names: str) -> list[tuple[str, dict[str, Any]]]:
        """Gives what the backend is told, without the prefix of the type."""
        rows = await self.store.fetch("SELECT type, data FROM event ORDER BY no")
        return [(row["type"], json.loads(row["data"])) for row in rows if not names or row["type"] in names]

    async def wish(self, **changes: Any) -> SentCommandView:
        """Sends a start at `EVSE` for the card."""
        return await self.sent.send(wish(**changes))

    async def received_result(self, id_: str, answer: CommandAnswer, over: str = "hub") -> bool:
        """Has a hub tell what came of a command."""
        return await self.sent.told(self.connection(over), id_, answer)

    async def permits(self) -> Mapping[str, Any]:
        """Gives what is stored of permits, by id."""
        return {row["id"]: row for row in await self.store.fetch("SELECT * FROM permit ORDER BY no")}


def wish(**changes: Any) -> Wish:
    """A start at `EVSE` for the card."""
    fields: dict[str, Any] = {
        "party": EMSP,
        "kind": "START_SESSION",
        "evse": {"evse_id": EVSE},
        "token": {"type": "RFID", "uid": UID},
    }
    return Wish.model_validate({name: value for name, value in (fields | changes).items() if value is not None})


@asynccontextmanager
async def home(store: Store) -> AsyncIterator[Home]:
    """Services over one live connection named `hub`, with a station, a token, and no permit."""
    hubs: dict[str, CommandHub] = {}
    links = Links(store, Cipher(KEY), {"scripted": lambda connection: hubs[connection.name]})
    made = Home(store, links, hubs)
    try:
        await links.refresh()
        await made.connect("hub")
        await made.station()
        await made.put(token())
        yield made
    finally:
        for hub in hubs.values():
            if hub.gate is not None:
                hub.gate.set()
        await made.sent.stop()
        await made.received.close()
        await made.catalogue.close()
        await links.close()
