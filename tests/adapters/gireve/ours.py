"""An EMSP's side of a gateway, called as IOP calls it, with the gateway's own services as doubles."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from adapters.core import ocpi
from adapters.core.connection import Secrets, State
from adapters.gireve.server import Inbound
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.parties import Party, Role
from mappings.canonical.texts import Business
from mappings.canonical.tokens import Token, TokenType, Whitelist
from tests.adapters import doubles
from tests.adapters.doubles_roaming import Homecoming, OwnDrivers, Sent, Stations

NOW = datetime(2026, 6, 7, 19, 0, 0, tzinfo=UTC)
TOKEN = "what-iop-presents"
MP1, CPO = PartyId("DE*MP1"), PartyId("FR*ABC")
UID = "04E8A1B2C3D480"
BASE = "/ocpi/2.2.1"
FROM_IOP = {ocpi.FROM_COUNTRY: "FR", ocpi.FROM_PARTY: "107"}
FROM_CPO = {ocpi.FROM_COUNTRY: "FR", ocpi.FROM_PARTY: "ABC"}
FROM_OTHER = {ocpi.FROM_COUNTRY: "FR", ocpi.FROM_PARTY: "OTH"}
TO_EMSP = {ocpi.TO_COUNTRY: "DE", ocpi.TO_PARTY: "MP1"}
EMSP_PARTY = Party(id=MP1, roles=frozenset({Role.EMSP}), business=Business(name="Mobility Provider One"))


def card(uid: str = UID, **changes: Any) -> Token:
    """A card of one of our drivers."""
    fields: dict[str, Any] = {
        "party": MP1,
        "uid": uid,
        "type": TokenType.RFID,
        "contract_id": ContractId("DE-MP1-C00000001"),
        "issuer": "Mobility Provider One",
        "valid": True,
        "whitelist": Whitelist.NEVER,
        "last_updated": NOW,
    }
    return Token(**(fields | changes))


@dataclass
class Served:
    """What a request was answered with."""

    status: int
    code: int | None
    data: Any
    message: str | None
    headers: Mapping[str, str]


@dataclass
class Emsp:
    """A gateway with one connection over which it plays the EMSP.

    Attributes:
        url: Where it is reached.
    """

    url: str
    session: aiohttp.ClientSession
    registry: doubles.Tokens
    stations: Stations = field(default_factory=Stations)
    drivers: OwnDrivers = field(default_factory=OwnDrivers)
    received: Homecoming = field(default_factory=Homecoming)
    sent: Sent = field(default_factory=Sent)
    measured: doubles.Measured = field(default_factory=doubles.Measured)

    async def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = FROM_IOP, **more: Any
    ) -> Served:
        """Calls as IOP does; `path` begins below the version, or is a URL."""
        url = path if path.startswith("http") else f"{self.url}{BASE}{path}"
        if body is not None:
            more["data" if isinstance(body, bytes) else "json"] = body
        async with self.session.request(method, url, headers=ocpi.headers(TOKEN) | dict(headers), **more) as got:
            told = await got.json()
            code, message = told.get("status_code"), told.get("status_message")
            return Served(got.status, code, told.get("data"), message, got.headers)


@asynccontextmanager
async def emsp(**settings: Any) -> AsyncIterator[Emsp]:
    """Serves an EMSP, registered."""
    fields = {"sandbox": True, "roles": ["EMSP"], "page_cap": 2, **settings}
    connection = doubles.connection("gireve", fields, state=State.READY, secrets=Secrets("what-we-present"))
    bound = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    runner = web.AppRunner(web.Application())
    async with aiohttp.ClientSession() as session:
        made = Emsp(url, session, doubles.Tokens(connection, TOKEN))
        gateway = doubles.gateway(
            doubles.Network([EMSP_PARTY]),
            made.registry,
            made.measured,
            url,
            catalogue=made.stations,
            drivers=made.drivers,
            received=made.received,
            sent_commands=made.sent,
        )
        runner.app.add_routes(Inbound(gateway, lambda: NOW).routes())
        await runner.setup()
        await web.SockSite(runner, bound).start()
        try:
            yield made
        finally:
            await runner.cleanup()
