"""What the gateway adds to a hub's own answer while a driver waits: one hub, asked directly and across the gateway."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from itertools import count
from pathlib import Path
from typing import Any

from adapters.core import ocpi
from adapters.gireve.settings import HUB_PARTY, Environment
from gateway.app import App, assembled
from gateway.cli.bench.figures import Figure
from gateway.cli.bench.wire import Wire, wire
from gateway.cli.demo import network
from gateway.cli.demo.stage import HUBS, Stage, stage
from gateway.cli.demo.statuses import Named, evses
from gateway.cli.demo.story import bring_in, quiet
from mappings.canonical.ids import EvseId, PartyId
from tests.benchmarks.paced import Post, compare

_LOCATIONS = 300
RATE = 200
SECONDS = 20.0
_SETTLES = 4.0
"""Seconds after which every process has looked for changed connections."""
_PATIENCE = 120.0
_CONNECTIONS = 32

_OPERATOR = "FR*RGT"
_UIDS = [f"04{number:012X}" for number in range(500)]
_EMSP = "FR*XYZ"


async def measure(url: str, folder: Path, *, rate: float = RATE, seconds: float = SECONDS) -> list[Figure]:
    """Taps at stations of a small network, at a rate, with one hub live at a time; plain HTTP on every way."""
    figures: list[Figure] = []
    async with stage(url, folder, limits=False, tls=False) as on_stage:
        await on_stage.connect()
        await bring_in(on_stage, network.network(_LOCATIONS))
        async with assembled(on_stage.settings) as app:
            await app.links.refresh()
            await quiet(app, _PATIENCE)
            # The network has some EVSEs whose ids Hubject does not take.
            named = [one for one in await evses(app.store, 1000) if EvseId(one.evse_key or "").well_formed]
            await _invite(on_stage)
            for hub in HUBS:
                for other in HUBS:
                    mode = "live" if other == hub else "off"
                    await on_stage.call("PUT", f"/v1/connections/{other}/mode", {"mode": mode})
                await asyncio.sleep(_SETTLES)
                figures += await _compare(hub, on_stage, app, named, rate, seconds)
    return figures


async def _invite(on_stage: Stage) -> None:
    """Makes every card one that some EMSP admits."""
    drivers: dict[str, list[Any]] = {
        "gireve": [{"uid": uid, "party": _EMSP, "contract_id": f"FR-XYZ-C{uid[-8:]}"} for uid in _UIDS],
        "hubject": [{"provider": _EMSP, "uid": "*"}],
    }
    for hub, those in drivers.items():
        async with on_stage.http.post(f"{getattr(on_stage.hubs, hub)}/_sandbox/drivers", json=those) as answer:
            if answer.status != 200:
                raise RuntimeError(f"{hub}: {await answer.text()}")


async def _compare(
    hub: str, on_stage: Stage, app: App, named: Sequence[Named], rate: float, seconds: float
) -> list[Figure]:
    async with _direct(hub, on_stage, app, named) as straight, _gateway(on_stage) as across:
        direct, through = _asks_hub(hub, straight, named), _taps(across, named)
        return await compare(f"authorise: {hub}", direct, through, rate, seconds)


def _gateway(on_stage: Stage) -> AbstractAsyncContextManager[Wire]:
    headers = {"Authorization": f"Bearer {on_stage.settings.admin_key}", "Content-Type": "application/json"}
    return wire(f"{on_stage.url}/v1/authorisations", headers, _CONNECTIONS)


def _taps(through: Wire, named: Sequence[Named]) -> Post:
    numbers = count()

    async def post(_: int) -> float:
        number = next(numbers)
        at = named[number % len(named)]
        body = {
            "party": at.party,
            "location_id": at.location_id,
            "evse_uid": at.uid,
            "identification": {"type": "RFID", "uid": _UIDS[number % len(_UIDS)]},
        }
        took, told = await _timed(through, body)
        if told.get("allowed") is not True:
            raise RuntimeError(f"not admitted: {told}")
        return took

    return post


def _direct(hub: str, on_stage: Stage, app: App, named: Sequence[Named]) -> AbstractAsyncContextManager[Wire]:
    base = getattr(on_stage.hubs, hub)
    headers = {"Content-Type": "application/json"}
    if hub == "hubject":
        return wire(f"{base}/api/oicp/charging/v21/operators/{_OPERATOR}/authorize/start", headers, _CONNECTIONS)
    link = app.links.by_name(hub)
    assert link is not None
    assert link.connection.secrets.ours is not None
    sender, receiver = PartyId(named[0].party), HUB_PARTY[Environment.PREPRODUCTION]
    headers |= ocpi.headers(link.connection.secrets.ours, sender=sender, receiver=receiver)
    url = link.connection.secrets.endpoints["modules"]["tokens/SENDER"]
    return wire(f"{url.rstrip('/')}/{_UIDS[0]}/authorize", headers, _CONNECTIONS)


def _asks_hub(hub: str, straight: Wire, named: Sequence[Named]) -> Post:
    own = [one for one in named if one.party == named[0].party]  # Gireve's wire speaks for one party
    said = {"hubject": lambda told: told["AuthorizationStatus"], "gireve": lambda told: told["data"]["allowed"]}[hub]

    async def post(number: int) -> float:
        body: dict[str, Any]
        if hub == "hubject":
            card = {"RFIDMifareFamilyIdentification": {"UID": _UIDS[number % len(_UIDS)]}}
            evse_id = named[number % len(named)].evse_key
            body = {"OperatorID": _OPERATOR, "EvseID": evse_id, "Identification": card}
        else:
            at = own[number % len(own)]
            body = {"location_id": at.location_id, "evse_uids": [at.uid]}
        took, told = await _timed(straight, body)
        if said(told) not in {"Authorized", "ALLOWED"}:
            raise RuntimeError(f"not admitted: {told}")
        return took

    return post


async def _timed(through: Wire, body: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    sent = json.dumps(body, separators=(",", ":")).encode()
    begun = time.perf_counter()
    status, answer = await through.post(sent)
    took = time.perf_counter() - begun
    if status != 200:
        raise RuntimeError(f"{status}: {answer[:500].decode()}")
    return took, json.loads(answer)
