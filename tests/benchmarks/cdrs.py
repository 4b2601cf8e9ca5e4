"""CDRs in a mass, to hubs that fail in every way the sandboxes know: none lost, each once in effect, kWh equal.

Every charge is a real one: a driver taps, the gateway asks the hubs, the backend tells the session, and its hub hears
of it. Then the backend hands all CDRs over at once while both hubs begin to fail.
"""

import asyncio
import json
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle
from pathlib import Path

from pydantic import JsonValue

from gateway.app import assembled
from gateway.cli.bench.figures import Figure
from gateway.cli.bench.wire import Wire, wire
from gateway.cli.demo import network
from gateway.cli.demo.charges import Charge
from gateway.cli.demo.drivers import Spot, spots
from gateway.cli.demo.stage import EMSPS, HUBS, Stage, stage
from gateway.cli.demo.story import bring_in, quiet
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, TokenType
from tests.bills import bill

MANY = 10_000
ALL = 100_000

_LOCATIONS = 300
_SPOTS = 500
_CARDS = 500
_PATIENCE = 3 * 3600.0
_AT_ONCE = 16
_SEED = 1
_PAGE = 1000

_UNLIMITED = 10_000_000
"""Requests a minute: the limits that Hubject publishes would alone take hours."""
_LIMITS = ("data_per_minute", "status_per_minute", "notifications_per_minute", "cdrs_per_minute")

_PATHS = {"gireve": "/cdrs", "hubject": "/charge-detail-record"}
_EACH = 0.004
_KINDS: Sequence[dict[str, JsonValue]] = (
    {"kind": "delay", "seconds": 0.2},
    {"kind": "throttle", "seconds": 1},
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 503},
    {"kind": "close"},
    {"kind": "drop"},
    {"kind": "truncate"},
    {"kind": "garble"},
)
_REFUSALS = 20
"""CDRs that each hub refuses, until a person has them tried again."""
_AWAY = 5.0


@dataclass(frozen=True, slots=True)
class _Charged:
    """A charge and the hub that its driver came over."""

    hub: str
    charge: Charge


async def measure(url: str, folder: Path, *, many: int = MANY) -> list[Figure]:
    """Has drivers of both hubs charge, by turns, and hands all CDRs over."""
    async with stage(url, folder, limits=False, tls=False) as on_stage, assembled(on_stage.settings) as app:
        on_stage.hubs.hubject_settings.update(dict.fromkeys(_LIMITS, _UNLIMITED))
        await on_stage.connect()
        await bring_in(on_stage, network.network(_LOCATIONS))
        await quiet(app, _PATIENCE)
        at = await spots(app.store, app.services.network, _SPOTS)
        await _enrol(on_stage)
        begun = time.perf_counter()
        charged = await _charge(on_stage, at, many)
        await _tell(on_stage, charged)
        await quiet(app, _PATIENCE)
        told = time.perf_counter() - begun
        for hub in HUBS:
            await on_stage.arm(hub, list(_faults(hub)))
        begun = time.perf_counter()
        await _bill(on_stage, charged)
        accepted = time.perf_counter() - begun
        for hub in HUBS:
            await on_stage.arm(hub, [{"kind": "down", "seconds": _AWAY}])
        await quiet(app, _PATIENCE)
        # What a hub refused is a dead letter; somebody looks at it, and has it tried again.
        for hub in HUBS:
            await on_stage.call("POST", "/v1/dead-letters/replay", {"connection": hub})
        await quiet(app, _PATIENCE)
        delivered = time.perf_counter() - begun
        return [
            Figure.of("CDRs: charges, authorised and told", many, "", better="more"),
            Figure.of("CDRs: charges a second, until their hubs had heard of all", many / told, "1/s", better="more"),
            Figure.of("CDRs: accepted", many / accepted, "1/s", better="more"),
            Figure.of("CDRs: confirmed by failing hubs", many / delivered, "1/s", better="more"),
            *await _verdict(on_stage, charged),
        ]


def _faults(hub: str) -> Iterator[JsonValue]:
    yield {"kind": "refuse", "path": _PATHS[hub], "count": _REFUSALS, "probability": _EACH}
    for kind in _KINDS:
        yield {"path": _PATHS[hub], "probability": _EACH, **kind}


def _card(hub: str, number: int) -> Identification:
    return Identification(type=TokenType.RFID, uid=f"0{HUBS.index(hub) + 1}{number % _CARDS:012X}")


async def _enrol(on_stage: Stage) -> None:
    """Has an EMSP behind each hub know its drivers."""
    for hub, whose, contract in (("gireve", "party", "contract_id"), ("hubject", "provider", "contract")):
        emsp = EMSPS[hub]
        drivers: list[JsonValue] = [
            {
                "uid": _card(hub, number).uid,
                whose: emsp.normal,
                contract: f"{emsp.country}-{emsp.code}-C{number:08}",
            }
            for number in range(_CARDS)
        ]
        await on_stage.drive(hub, "drivers", drivers)


async def _charge(on_stage: Stage, at: Sequence[Spot], many: int) -> list[_Charged]:
    """Has drivers hold their cards up."""
    dice = random.Random(_SEED)
    headers = {"Authorization": f"Bearer {on_stage.settings.admin_key}", "Content-Type": "application/json"}
    wanted = iter(zip(range(many), cycle(HUBS), cycle(at), strict=False))
    charged: list[_Charged] = []

    async def tap(through: Wire) -> None:
        for number, hub, spot in wanted:
            card = _card(hub, number)
            body = {
                "party": spot.party.normal,
                "location_id": spot.place.id,
                "evse_uid": spot.place.evse_uid,
                "connector_id": spot.place.connector_id,
                "identification": {"type": card.type.value, "uid": card.uid},
            }
            status, answer = await through.post(json.dumps(body).encode())
            said = json.loads(answer)
            if status != 200 or not said["allowed"]:
                raise RuntimeError(f"not admitted: {status} {said}")
            charged.append(_Charged(hub, _charge_of(number, spot, card, said["reference"], dice)))

    async with wire(f"{on_stage.url}/v1/authorisations", headers, _AT_ONCE) as through:
        await asyncio.gather(*(tap(through) for _ in range(_AT_ONCE)))
    return charged


def _charge_of(number: int, spot: Spot, card: Identification, reference: str, dice: random.Random) -> Charge:
    # Of the hour that is past: hubs take no session that ends in the future.
    return Charge(
        party=spot.party,
        session_id=f"S-{number:06}",
        place=spot.place,
        identification=card,
        auth_method=AuthMethod.AUTH_REQUEST,
        reference=reference,
        start=datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=60),
        lasts=timedelta(minutes=dice.randrange(12, 55)),
        energy=Decimal(dice.randrange(2_000, 60_000)) / 1000,
        meter=Decimal(dice.randrange(1_000, 99_000)),
    )


async def _tell(on_stage: Stage, charged: Sequence[_Charged]) -> None:
    """Tells every session as it ended."""
    left = iter(charged)

    async def tell() -> None:
        for one in left:
            charge = one.charge
            await on_stage.call("PUT", f"/v1/sessions/{charge.party}/{charge.session_id}", charge.session(Decimal(1)))

    await asyncio.gather(*(tell() for _ in range(_AT_ONCE)))


async def _bill(on_stage: Stage, charged: Sequence[_Charged]) -> None:
    """Hands all CDRs over in one body."""

    async def lines() -> AsyncIterator[bytes]:
        for one in charged:
            yield json.dumps(bill(one.charge)).encode() + b"\n"
            await asyncio.sleep(0)

    headers = {"Content-Type": "application/x-ndjson"}
    async with on_stage.http.post(f"{on_stage.url}/v1/cdrs/bulk", data=lines(), headers=headers) as answer:
        said = await answer.json()
        if answer.status != 200 or said["created"] != len(charged):
            raise RuntimeError(f"not accepted: {answer.status} {str(said)[:500]}")


async def _verdict(on_stage: Stage, charged: Sequence[_Charged]) -> list[Figure]:
    """Holds every charge against what the gateway says of its CDR, and what its hub has of it."""
    confirmed = await _confirmed(on_stage)
    lost = twice = repeated = 0
    differs = Decimal(0)
    for hub in HUBS:
        own = [one.charge for one in charged if one.hub == hub]
        held = await _held(on_stage, hub)
        found = [held.get(_name(hub, charge), []) for charge in own]
        lost += sum(not several for several in found)
        twice += sum(len(several) > 1 for several in found)
        differs += abs(sum(map(sum, held.values()), Decimal(0)) - sum((charge.energy for charge in own), Decimal(0)))
        repeated += await _repeated(on_stage, hub)
    unconfirmed = sum(f"CDR-{one.charge.session_id}" not in confirmed for one in charged)
    return [
        Figure.of("CDRs: got by a hub once more", repeated, "", better="less"),
        Figure.of("CDRs: not confirmed at the end", unconfirmed, "", 0, better="less"),
        Figure.of("CDRs: lost", lost, "", 0, better="less"),
        Figure.of("CDRs: twice in effect", twice, "", 0, better="less"),
        Figure.of("CDRs: energy that differs", float(differs), "kWh", 0, better="less"),
    ]


async def _confirmed(on_stage: Stage) -> set[str]:
    found: set[str] = set()
    after = ""
    while True:
        page = await on_stage.call("GET", f"/v1/cdrs?state=delivered&limit={_PAGE}{after}")
        found |= {one["cdr"]["id"] for one in page["items"]}
        if not page.get("next"):
            return found
        after = f"&after={page['next']}"


def _name(hub: str, charge: Charge) -> str:
    """Gives what a hub's CDR names a charge by."""
    return charge.reference if hub == "hubject" else charge.session_id


async def _held(on_stage: Stage, hub: str) -> dict[str, list[Decimal]]:
    """Gives what a hub bills, kWh, by what it names each charge by."""
    name, energy = {"gireve": ("session_id", "total_energy"), "hubject": ("CPOPartnerSessionID", "ConsumedEnergy")}[hub]
    held: defaultdict[str, list[Decimal]] = defaultdict(list)
    async for one in on_stage.memory(hub, "cdrs"):
        held[one["record"][name]].append(Decimal(str(one["record"][energy])))
    return held


async def _repeated(on_stage: Stage, hub: str) -> int:
    """Tells how often a hub got a CDR that it had."""
    counts = (await on_stage.drive(hub, "counts", method="GET"))["requests"]
    if hub == "hubject":
        return int(sum(counts.get("repeated_cdrs", {}).values()))
    return int(counts.get("cdrs", {}).get("repeated", 0))
