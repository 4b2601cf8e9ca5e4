"""Hubs bring home what our drivers charged while the gateway is killed: no CDR is lost, and each is in effect once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.cli.demo import abroad
from gateway.cli.demo.stage import OWN_EMSP, PARTNER, Stage, stage
from tests.e2e.killing import kill_during
from tests.e2e.scene import HUBS
from tests.harness import eventually

_EACH = 8
_SECONDS = 3.0


@dataclass(frozen=True)
class _Charge:
    """A charge that a hub let begin, and how it names it."""

    hub: str
    named: str
    energy: float


@pytest.fixture
async def on_stage(database_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database_url, tmp_path, limits=False, tls=False) as made:
        yield made


async def test_a_gateway_killed_while_hubs_bring_home_loses_no_cdr(on_stage: Stage, tmp_path: Path) -> None:
    await on_stage.connect()
    charges = await _begun(on_stage)
    bringing = asyncio.create_task(_bring(on_stage, charges))
    await kill_during(bringing, on_stage.gateway, within=0.6)
    await bringing
    waiting = (await on_stage.drive("gireve", "settle", {"seconds": 60}))["waiting"]
    assert waiting == 0, (tmp_path / "gateway.log").read_text()[-3000:]
    await on_stage.call("POST", "/v1/pulls/hubject-emp/charge_detail_records?full=true")

    async def home() -> bool:
        return len(await _items(on_stage, "received-cdrs?")) >= len(charges)

    await eventually(home, "every CDR", 120)  # a pull that a kill cut off keeps its lease for a while
    cdrs = await _items(on_stage, "received-cdrs?")
    assert sorted(cdr["cdr"]["energy"] for cdr in cdrs) == sorted(one.energy for one in charges)
    assert not [cdr["doubts"] for cdr in cdrs if cdr["standing"] != "accepted"]
    assert len({cdr["permit"] for cdr in cdrs}) == len(charges)
    await eventually(lambda: _told(on_stage, [cdr["id"] for cdr in cdrs]), "an event of each", 60)


async def _begun(on_stage: Stage) -> list[_Charge]:
    """Has drivers of ours tap at the partner's stations, by turns over each hub."""
    stations, found = await abroad.bring_in(on_stage, 1)
    assert found.equal
    places = [(station, evse) for station in stations for evse in station.evses][: 2 * _EACH]
    charges = []
    for number, (station, evse) in enumerate(places):
        uid, hub = f"04{number:012X}", HUBS[number % 2]
        token: dict[str, Any] = {
            "party": OWN_EMSP.normal,
            "uid": uid,
            "type": "RFID",
            "contract_id": f"FR-RGT-C{number:08}",
        }
        token |= {"issuer": "Roamgate", "valid": True, "last_updated": "2026-01-01T00:00:00Z"}
        # Nobody answers call-outs here: then the token's word counts, once a hub has asked.
        token["whitelist"] = "ALLOWED_OFFLINE"
        await on_stage.call("PUT", f"/v1/driver-tokens/{OWN_EMSP}/RFID/{uid}", token)
        assert evse.evse_id is not None
        if hub == "gireve":
            place = {"party": PARTNER.normal, "location_id": station.id, "evse_uid": evse.uid, "platform": "gateway"}
            said = await on_stage.drive(hub, "authorize", {"uid": uid, "emsp": OWN_EMSP.normal, **place})
            named = said["authorization_reference"]
        else:
            said = await on_stage.drive(hub, "taps", {"evse": evse.evse_id.text, "uid": uid})
            named = said["SessionID"]
        charges.append(_Charge(hub, named, 1 + number / 10))
    return charges


async def _bring(on_stage: Stage, charges: Sequence[_Charge]) -> None:
    """Has the hubs tell of the charges, spread over some seconds, each beside the others."""

    async def bring(number: int, charge: _Charge) -> None:
        await asyncio.sleep(number * _SECONDS / len(charges))
        if charge.hub == "gireve":
            now = datetime.now(UTC)
            times = {"start": (now - timedelta(minutes=30)).isoformat(), "end": now.isoformat()}
            told: dict[str, Any] = {"kwh": charge.energy, **times}
            session: dict[str, Any] = {"reference": charge.named, "id": f"S-{number}", "status": "COMPLETED"}
            await on_stage.drive("gireve", "sessions", {**told, **session})
            await on_stage.drive("gireve", "cdrs", {**told, "session": f"S-{number}"})
            return
        for kind in ("Start", "End"):
            await on_stage.drive(
                "hubject", "notifications", {"session": charge.named, "type": kind, "energy": charge.energy}
            )
        await on_stage.drive("hubject", "cdrs", {"session": charge.named, "energy": charge.energy})

    await asyncio.gather(*(bring(number, charge) for number, charge in enumerate(charges)))


async def _items(on_stage: Stage, what: str) -> list[Any]:
    try:
        items: list[Any] = (await on_stage.call("GET", f"/v1/{what}limit=1000"))["items"]
    except aiohttp.ClientError:
        return []
    return items


async def _told(on_stage: Stage, ids: Sequence[int]) -> bool:
    """Tells whether the backend may hear of each once; fails where it may hear of one twice."""
    heard = Counter(one["data"]["id"] for one in await _items(on_stage, "events?type=received_cdr.accepted&"))
    assert not [id_ for id_, count in heard.items() if count > 1]
    return set(heard) == set(ids)
