"""A peer that speaks as much OCPI as a charge needs, to be told what it answers; and the charge that is told to it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from aiohttp import web
from pydantic_core import from_json

from adapters.core import ocpi
from adapters.core.charging import CommandOutcome, Question
from adapters.core.connection import Connection, Secrets, State
from adapters.core.faults import Fault
from adapters.core.sandbox import SANDBOX, Sandbox, SandboxServer, make_application
from adapters.gireve.telling import reply_to
from mappings.canonical.cdrs import Cdr, CdrLocation, cdr_location
from mappings.canonical.commands import CommandAnswer, CommandResult
from mappings.canonical.ids import ContractId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import (
    AuthMethod,
    ChargingPeriod,
    Dimension,
    DimensionType,
    Session,
    SessionStatus,
)
from mappings.canonical.tariffs import Money
from mappings.canonical.tokens import Identification, TokenType
from mappings.ocpi import envelope
from tests.adapters import doubles
from tests.adapters.gireve.network import ABC, AT, EMSP, location

TOKEN = "what-the-gateway-presents"
UID = "1A2B3C4D5E6F70"
CONTRACT = ContractId("DE-MP1-C12345678-X")
REFERENCE = "gireve-reference-1"

TOKEN_WIRE: dict[str, Any] = {
    "country_code": "DE",
    "party_id": "MP1",
    "uid": UID,
    "type": "RFID",
    "contract_id": str(CONTRACT),
    "issuer": "Mobility Provider One",
    "group_id": "group-1",
    "valid": True,
    "whitelist": "NEVER",
    "last_updated": "2026-06-01T08:00:00Z",
}
DRIVER = Identification(type=TokenType.RFID, uid=UID, contract_id=CONTRACT, party=EMSP)
LEG = Leg(reference=REFERENCE, emsp=EMSP, identification=DRIVER)


def allowed(**changes: Any) -> dict[str, Any]:
    """An AuthorizationInfo that says yes; a change to None leaves a field out."""
    fields = {
        "allowed": "ALLOWED",
        "token": TOKEN_WIRE,
        "location": {"location_id": "LOC1", "evse_uids": ["1"]},
        "authorization_reference": REFERENCE,
        "info": {"language": "en", "text": "Welcome"},
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def place() -> CdrLocation:
    """Where the charge takes place."""
    there = location()
    return cdr_location(there, there.evses[0], there.evses[0].connectors[0], "1")


def question(**identification: Any) -> Question:
    """The driver at the station."""
    fields: dict[str, Any] = {"type": TokenType.RFID, "uid": UID.lower()} | identification
    return Question("our-authorisation-1", ABC, place(), Identification(**fields))


def session(status: SessionStatus = SessionStatus.ACTIVE, **changes: Any) -> Session:
    """The session, as the backend tells it: with what it knows of the driver."""
    fields: dict[str, Any] = {
        "party": ABC,
        "id": "S1",
        "start": AT,
        "energy": Decimal("1.5"),
        "identification": Identification(type=TokenType.RFID, uid=UID),
        "auth_method": AuthMethod.AUTH_REQUEST,
        "reference": "our-authorisation-1",
        "location_id": "LOC1",
        "evse_uid": "1",
        "connector_id": "1",
        "currency": "EUR",
        "status": status,
        "last_updated": AT + timedelta(minutes=5),
        "unknown": {"driver_name": "A. Driver"},
    }
    return Session(**(fields | changes))


def cdr(**changes: Any) -> Cdr:
    """The CDR of the session."""
    fields: dict[str, Any] = {
        "party": ABC,
        "id": "C1",
        "session_id": "S1",
        "start": AT,
        "end": AT + timedelta(hours=1),
        "identification": Identification(type=TokenType.RFID, uid=UID),
        "auth_method": AuthMethod.AUTH_REQUEST,
        "reference": "our-authorisation-1",
        "location": place(),
        "currency": "EUR",
        "periods": (
            ChargingPeriod(start=AT, dimensions=(Dimension(type=DimensionType.ENERGY, volume=Decimal("7.5")),)),
        ),
        "energy": Decimal("7.5"),
        "time": Decimal(1),
        "total_cost": Money(net=Decimal("2.63")),
        "last_updated": AT + timedelta(hours=1),
        "remark": "for A. Driver",
    }
    return Cdr(**(fields | changes))


def result(url: str, answer: CommandResult = CommandResult.ACCEPTED, correlation: str | None = None) -> CommandOutcome:
    """What came of a command."""
    return CommandOutcome(
        command="command-1", reply_to=reply_to(url, correlation), answer=CommandAnswer(result=answer, text="Done")
    )


class Got(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass
class Peer:
    """A running peer.

    Attributes:
        answers: What is said to a question by uid: HTTP status, OCPI code, data. Of others 404 and 2004.
        got: The requests that were acted upon.
    """

    server: SandboxServer
    sandbox: Sandbox
    answers: dict[str, tuple[int, int, Any]] = field(default_factory=lambda: {UID: (200, 1000, allowed())})
    got: list[Got] = field(default_factory=list)

    def connection(self, token: str = TOKEN, **settings: Any) -> Connection:
        """A connection that is registered with it."""
        modules = {
            "tokens/SENDER": f"{self.server.url}/tokens",
            "sessions/RECEIVER": f"{self.server.url}/sessions/",
            "cdrs/RECEIVER": f"{self.server.url}/cdrs",
        }
        endpoints = {"versions": f"{self.server.url}/versions", "modules": modules}
        return doubles.connection(
            "gireve", {"sandbox": True, **settings}, state=State.READY, secrets=Secrets(token, endpoints)
        )


@asynccontextmanager
async def peer() -> AsyncIterator[Peer]:
    """Runs a peer."""
    sandbox = Sandbox(("sessions", "cdrs", "results"))
    made: Peer

    def reply(request: web.Request, status: int, code: int, data: Any = None) -> web.Response:
        return ocpi.answered(request, AT, data, code=code, status=status)

    async def serve(request: web.Request) -> web.Response:
        if ocpi.presented_token(request.headers.get("Authorization")) != TOKEN:
            return reply(request, 401, 2000)
        body = from_json(await request.read())
        made.got.append(Got(request.method, request.path_qs, request.headers.copy(), body))
        kind = request.path.split("/")[1]
        if kind == "tokens":
            return reply(request, *made.answers.get(request.match_info["uid"], (404, 2004, None)))
        memory = sandbox.memory[kind]
        if kind == "cdrs" and body["id"] in memory:
            return reply(request, 409, 2000)
        memory[body["id"] if kind == "cdrs" else request.path] = body
        return reply(request, 200, 1000)

    def refuse(request: web.Request, fault: Fault) -> web.Response:
        return web.Response(body=envelope.write(None, AT, int(fault.code or 2001)), status=400)

    app = make_application(
        sandbox,
        [
            web.post("/tokens/{uid}/authorize", serve),
            web.put("/sessions/{country}/{party}/{id}", serve),
            web.post("/cdrs", serve),
            web.post("/results/{rest:.*}", serve),
        ],
        refuse=refuse,
    )
    server = SandboxServer(app)
    made = Peer(server, app[SANDBOX])
    await server.start()
    try:
        yield made
    finally:
        await server.stop()
