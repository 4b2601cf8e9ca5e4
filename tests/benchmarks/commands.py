"""What the gateway adds to the backend's own answer while a driver waits who started from an app.

The hub is played here, by the same cheap means as the backend: what a sandbox takes by itself would count as the
gateway's. OCPI's answer at once says nothing yet, so that the time ends when the result has come back to the hub.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from adapters.core import ocpi
from adapters.gireve.server.requests import RECEIVER
from adapters.gireve.settings import HUB_PARTY, Environment
from gateway.app import App, assembled
from gateway.cli.bench.figures import Figure
from gateway.cli.bench.wire import Wire, wire
from gateway.cli.demo import network
from gateway.cli.demo.stage import HUBS, Stage, stage
from gateway.cli.demo.statuses import Named, evses
from gateway.cli.demo.story import bring_in, quiet
from mappings.canonical.ids import EvseId, PartyId
from tests.benchmarks.authorise import RATE, SECONDS
from tests.benchmarks.paced import Post, compare
from tests.benchmarks.served import served

_LOCATIONS = 300
_PATIENCE = 120.0
_WAIT = 30.0
_CONNECTIONS = 32

_EMSP = PartyId("FR*XYZ")
_CALL_OUTS, _RESULTS = "/call-outs", "/results/"
_ACCEPTED = b'{"result":"ACCEPTED"}'
_RECEIVED = b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
_JSON = {"Content-Type": "application/json"}


class _World:
    """Everybody around the gateway: the backend that accepts, and the hub that hears results.

    Attributes:
        results: By the id that the hub gave a command.
    """

    def __init__(self) -> None:
        self.url = ""
        self.results: dict[str, asyncio.Future[Any]] = {}

    def answer(self, path: str, body: bytes) -> bytes:
        """Answers whatever the gateway asks or tells."""
        if path == _CALL_OUTS:
            return _ACCEPTED
        self.results.pop(path.removeprefix(_RESULTS)).set_result(json.loads(body)["result"])
        return _RECEIVED

    def expect(self, id_: str) -> "asyncio.Future[Any]":
        """Gives what will hold the result of a command."""
        return self.results.setdefault(id_, asyncio.get_running_loop().create_future())


async def measure(url: str, folder: Path, *, rate: float = RATE, seconds: float = SECONDS) -> list[Figure]:
    """Starts at stations of a small network, at a rate, over one hub after the other; plain HTTP on every way."""
    figures: list[Figure] = []
    world = _World()
    async with stage(url, folder, limits=False, tls=False) as on_stage, served(world.answer) as world.url:
        await on_stage.connect()
        await bring_in(on_stage, network.network(_LOCATIONS))
        await on_stage.call("POST", "/v1/call-outs", {"name": "backend", "url": world.url + _CALL_OUTS})
        async with assembled(on_stage.settings) as app, wire(world.url + _CALL_OUTS, _JSON, _CONNECTIONS) as straight:
            await app.links.refresh()
            await quiet(app, _PATIENCE)
            # The network has some EVSEs whose ids Hubject does not take.
            named = [one for one in await evses(app.store, 1000) if EvseId(one.evse_key or "").well_formed]
            for hub in HUBS:
                async with _by(hub, on_stage, app, named, world) as start:
                    name = f"remote start: {hub}"
                    figures += await compare(name, _asks_backend(straight), start, rate, seconds)
    return figures


def _asks_backend(straight: Wire) -> Post:
    async def post(number: int) -> float:
        began = time.perf_counter()
        await _sent(straight, {"kind": "START_SESSION", "id": str(number)})
        return time.perf_counter() - began

    return post


@asynccontextmanager
async def _by(hub: str, on_stage: Stage, app: App, named: Sequence[Named], world: _World) -> AsyncIterator[Post]:
    """Opens a hub's way to the gateway."""
    if hub == "hubject":
        path = f"/oicp/{hub}/charging/v21/providers/{_EMSP.normal}/authorize-remote/start"
        async with wire(on_stage.url + path, _JSON, _CONNECTIONS) as across:
            yield _by_hubject(across, named)
        return
    own = [one for one in named if one.party == named[0].party]  # the wire's headers name one party
    url = f"{on_stage.url}{RECEIVER}/commands/START_SESSION"
    async with wire(url, _JSON | await _let_in(app, PartyId(own[0].party)), _CONNECTIONS) as across:
        yield _by_gireve(across, own, world)


async def _let_in(app: App, party: PartyId) -> dict[str, str]:
    """Gives the headers by which the gateway takes us for Gireve, in the sandbox's place."""
    link = app.links.by_name("gireve")
    assert link is not None
    token = str(uuid4())
    await app.gateway.registry.expect(link.connection, token, "a measurement")
    return ocpi.headers(token, sender=HUB_PARTY[Environment.PREPRODUCTION], receiver=party)


def _by_hubject(across: Wire, named: Sequence[Named]) -> Post:
    numbers = count()

    async def post(_: int) -> float:
        number = next(numbers)
        body = {
            "SessionID": str(uuid4()),
            "ProviderID": _EMSP.normal,
            "EvseID": named[number % len(named)].evse_key,
            "Identification": {"RemoteIdentification": {"EvcoID": _contract(number)}},
        }
        began = time.perf_counter()
        told = await _sent(across, body)
        took = time.perf_counter() - began
        if told["Result"] is not True:
            raise RuntimeError(f"not started: {told}")
        return took

    return post


def _by_gireve(across: Wire, own: Sequence[Named], world: _World) -> Post:
    numbers = count()

    async def post(_: int) -> float:
        number, id_ = next(numbers), str(uuid4())
        at = own[number % len(own)]
        body = {
            "response_url": f"{world.url}{_RESULTS}{id_}",
            "token": _token(number),
            "location_id": at.location_id,
            "evse_uid": at.uid,
            "authorization_reference": id_,
        }
        result = world.expect(id_)
        began = time.perf_counter()
        told = await _sent(across, body)
        if told["data"]["result"] != "ACCEPTED" or await asyncio.wait_for(result, _WAIT) != "ACCEPTED":
            raise RuntimeError(f"not started: {told}")
        return time.perf_counter() - began

    return post


def _contract(number: int) -> str:
    return f"{_EMSP.country}-{_EMSP.code}-C{number % 500:08}"


def _token(number: int) -> dict[str, Any]:
    return {
        "country_code": _EMSP.country,
        "party_id": _EMSP.code,
        "uid": f"04{number % 500:012X}",
        "type": "RFID",
        "contract_id": _contract(number),
        "issuer": "XYZ",
        "valid": True,
        "whitelist": "NEVER",
        "last_updated": "2026-01-01T00:00:00Z",
    }


async def _sent(through: Wire, body: dict[str, Any]) -> dict[str, Any]:
    status, answer = await through.post(json.dumps(body, separators=(",", ":")).encode())
    if status != 200:
        raise RuntimeError(f"{status}: {answer[:500].decode()}")
    return dict(json.loads(answer))
