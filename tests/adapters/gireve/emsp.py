"""An EMSP's platform that is registered to the sandbox IOP, and speaks to it without any of the gateway's own code."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web

from adapters.core import ocpi
from adapters.core.sandbox import SANDBOX, Sandbox, SandboxServer
from adapters.gireve.sandbox import SandboxSettings, create
from mappings.canonical.ids import PartyId

MP1, CPO, HUB = PartyId("DE*MP1"), PartyId("NL*TNM"), PartyId("FR*107")
TOKEN_A = "token-a-of-the-tests"
UID = "04E8A1B2C3D480"
MODULES = ("locations/RECEIVER", "sessions/RECEIVER", "cdrs/RECEIVER", "tokens/SENDER", "commands/SENDER")
STAMP = "2026-06-07T18:40:07Z"


class Heard(NamedTuple):
    """What IOP said: the path below the version, who to whom, and the body."""

    method: str
    path: str
    sender: str | None
    receiver: str | None
    correlation: str
    body: Any


@dataclass
class Emsp:
    """A platform with both roles, registered or not.

    Attributes:
        answers: What it answers, by the beginning of `METHOD path`: HTTP status, OCPI code, data.
        open: While it is not set, nothing is answered.
    """

    iop: SandboxServer
    sandbox: Sandbox
    session: aiohttp.ClientSession
    url: str = ""
    roles: Sequence[Mapping[str, Any]] = ()
    modules: Sequence[str] = MODULES
    heard: list[Heard] = field(default_factory=list)
    answers: dict[str, tuple[int, int, Any]] = field(default_factory=dict)
    token: str = ""
    endpoints: dict[str, str] = field(default_factory=dict)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def register(self, token: str = TOKEN_A) -> None:
        """Registers, begun by the platform."""
        headers = ocpi.headers(token)
        async with self.session.get(f"{self.iop.url}/ocpi/2.2.1", headers=headers) as got:
            details = (await got.json())["data"]["endpoints"]
        self.endpoints = {f"{each['identifier']}/{each['role']}": each["url"].rstrip("/") for each in details}
        credentials = {"token": "of-the-emsp", "url": f"{self.url}/versions", "roles": list(self.roles)}
        url = self.endpoints["credentials/SENDER"]
        async with self.session.post(url, json=credentials, headers=headers) as got:
            assert got.status == 200, await got.text()
            self.token = (await got.json())["data"]["token"]

    async def ask(
        self,
        method: str,
        module: str,
        tail: str = "",
        body: Any = None,
        *,
        sender: PartyId = MP1,
        receiver: PartyId = HUB,
    ) -> tuple[int, int | None, Any, Mapping[str, str]]:
        """Makes a request to IOP; gives HTTP status, OCPI code, data and headers."""
        url = module if "://" in module else self.endpoints[module] + tail
        headers = ocpi.headers(self.token, sender, receiver)
        async with self.session.request(method, url, json=body, headers=headers) as got:
            told = await got.json()
            return got.status, told.get("status_code"), told.get("data"), got.headers

    async def pages(self, module: str, query: str = "", **more: Any) -> list[list[Any]]:
        """Pulls a list to its end."""
        found, url = [], self.endpoints[module] + query
        while url:
            status, code, data, headers = await self.ask("GET", url, **more)
            assert (status, code) == (200, 1000)
            found.append(data)
            url = ocpi.next_page(headers) or ""
        return found

    async def drive(self, path: str, body: Any = None, method: str = "POST") -> tuple[int, Any]:
        """Makes a control request."""
        url = f"{self.iop.url}/_sandbox/{path}"
        sent = {"data": body} if isinstance(body, bytes) else {"json": body if body is not None else {}}
        async with self.session.request(method, url, **sent) as got:
            return got.status, await got.json()

    async def load(self, *locations: Mapping[str, Any]) -> None:
        """Loads the network of a played CPO."""
        body = b"\n".join(json.dumps(each).encode() for each in locations)
        assert await self.drive("network", body) == (200, {"taken": len(locations)})

    async def settled(self) -> None:
        """Waits until IOP has nothing more to push."""
        assert await self.drive("settle", {"seconds": 60}) == (200, {"waiting": 0})

    async def wait_for(self, number: int) -> list[Heard]:
        """Waits until IOP has said so many things."""
        async with asyncio.timeout(60), self.came:
            await self.came.wait_for(lambda: len(self.heard) >= number)
        return self.heard

    def said(self, method: str, path: str) -> list[Heard]:
        """What IOP said of one kind."""
        return [each for each in self.heard if each.method == method and each.path.startswith(path)]

    # What IOP calls

    def app(self) -> web.Application:
        """Gives the platform."""
        app = web.Application()
        app.add_routes([web.route("*", "/{tail:.*}", self._serve)])
        return app

    async def _serve(self, request: web.Request) -> web.Response:
        if request.path == "/versions":
            return _answer(request, 1000, [{"version": "2.2.1", "url": f"{self.url}/2.2.1"}])
        if request.path == "/2.2.1":
            named = [{"identifier": "credentials", "role": "RECEIVER", "url": f"{self.url}/2.2.1/credentials"}]
            for each in self.modules:
                name, _, role = each.partition("/")
                named.append({"identifier": name, "role": role, "url": f"{self.url}/2.2.1/{name}"})
            return _answer(request, 1000, {"version": "2.2.1", "endpoints": named})
        body = await request.json() if request.can_read_body else None
        path = str(request.rel_url).removeprefix("/2.2.1/")
        get = request.headers.get
        sender = ocpi.party_in(request.headers, ocpi.FROM_COUNTRY, ocpi.FROM_PARTY)
        receiver = ocpi.party_in(request.headers, ocpi.TO_COUNTRY, ocpi.TO_PARTY)
        told = Heard(
            request.method,
            path,
            sender.normal if sender else None,
            receiver.normal if receiver else None,
            get(ocpi.CORRELATION_ID, ""),
            body,
        )
        self.heard.append(told)
        async with self.came:
            self.came.notify_all()
        await self.open.wait()
        said = f"{request.method} {path}"
        status, code, data = next((v for k, v in self.answers.items() if said.startswith(k)), (200, 1000, {}))
        return _answer(request, code, data, status)


def _answer(request: web.Request, code: int, data: Any, status: int = 200) -> web.Response:
    echoed = {name: request.headers[name] for name in (ocpi.REQUEST_ID, ocpi.CORRELATION_ID)}
    body = {"status_code": code, "timestamp": STAMP} | ({} if data is None else {"data": data})
    return web.json_response(body, status=status, headers=echoed)


@asynccontextmanager
async def platform(
    settings: SandboxSettings | None = None,
    parties: Mapping[str, str] = {"DE*MP1": "EMSP"},  # never changed
    *,
    modules: Sequence[str] = MODULES,
    registered: bool = True,
) -> AsyncIterator[Emsp]:
    """Runs a sandbox and a platform at it."""
    app = create(settings or SandboxSettings(token=TOKEN_A, retry_seconds=0.01))
    iop = SandboxServer(app)
    await iop.start()
    try:
        async with aiohttp.ClientSession() as session, beside(iop, app[SANDBOX], session, parties, modules) as made:
            if registered:
                await made.register()
            yield made
    finally:
        await iop.stop()


@asynccontextmanager
async def beside(
    iop: SandboxServer,
    sandbox: Sandbox,
    session: aiohttp.ClientSession,
    parties: Mapping[str, str],
    modules: Sequence[str] = MODULES,
) -> AsyncIterator[Emsp]:
    """Runs a further platform at a sandbox, not yet registered."""
    roles = [
        {"role": role, "country_code": each[:2], "party_id": each[3:], "business_details": {"name": each}}
        for each, role in parties.items()
    ]
    made = Emsp(iop, sandbox, session, roles=roles, modules=modules)
    made.open.set()
    runner = web.AppRunner(made.app())
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        await runner.cleanup()


def evse(uid: str = "1", status: str = "AVAILABLE", **changes: Any) -> dict[str, Any]:
    """An EVSE of the played CPO."""
    connector = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "tariff_ids": ["T1"],
        "last_updated": STAMP,
    }
    return {
        "uid": uid,
        "evse_id": f"NL*TNM*E{uid}",
        "status": status,
        "capabilities": ["RFID_READER"],
        "connectors": [connector],
        "last_updated": STAMP,
    } | changes


def location(key: str = "LOC1", *evses: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A location of the played CPO."""
    return {
        "country_code": "NL",
        "party_id": "TNM",
        "id": key,
        "publish": True,
        "address": "Stationsplein 1",
        "city": "Utrecht",
        "country": "NLD",
        "coordinates": {"latitude": "52.0894", "longitude": "5.1101"},
        "owner": {"name": "Utrecht"},
        "operator": {"name": "TNM"},
        "evses": list(evses) or [evse()],
        "time_zone": "Europe/Amsterdam",
        "last_updated": STAMP,
    } | changes


def token(uid: str = UID, **changes: Any) -> dict[str, Any]:
    """A whole token of the EMSP."""
    return {
        "country_code": "DE",
        "party_id": "MP1",
        "uid": uid,
        "type": "RFID",
        "contract_id": "DE-MP1-C00000001",
        "issuer": "Mobility Provider One",
        "valid": True,
        "whitelist": "NEVER",
        "last_updated": STAMP,
    } | changes
