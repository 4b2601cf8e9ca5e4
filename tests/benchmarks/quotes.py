"""How long a driver waits for a quote, over HTTP, in a catalogue with tariffs that nobody has asked for lately.

The gateway is a process of its own.
"""

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from gateway.app import App, assembled
from gateway.cli.bench.figures import Figure
from gateway.cli.bench.wire import Wire, wire
from gateway.cli.demo import network
from gateway.cli.demo.stage import stage
from gateway.cli.percentiles import percentile
from gateway.services.catalogue.rows import Copy
from gateway.services.catalogue.tariffs import TariffCopy, write_tariffs
from gateway.services.catalogue.writing import write_locations
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location
from mappings.canonical.tariffs import Tariff
from mappings.ocpi.v2_2_1 import locations as ocpi_locations
from tests.benchmarks.paced import WARM_UP, Post, paced

T = TypeVar("T")

RATE, SECONDS = 100.0, 10.0

_LOCATIONS = 5_000
_TARIFFS = 2_000
_BATCH = 250
_CONNECTIONS = 16
_NAMES = ("one", "two")
_CPO = PartyId.of(*network.PARTNER[:2])
_STAMP = datetime(2026, 1, 1, tzinfo=UTC)
_CURVE = {"over": "state_of_charge", "points": [[10, 120], [30, 150], [60, 90], [80, 50], [100, 5]]}
_NEEDS: Mapping[str, Mapping[str, Any]] = {
    "20 kWh": {"energy": 20},
    "10 to 80 % along a curve": {"target": 80, "battery": {"capacity": 60, "charged": 10}, "curve": _CURVE},
}


async def measure(url: str, folder: Path, *, rate: float = RATE, seconds: float = SECONDS) -> list[Figure]:
    """Quotes EVSEs picked at random, in turn and at a rate: by one way, by two, and along a curve."""
    async with stage(url, folder, limits=False, tls=False) as on_stage:
        for name in _NAMES:
            settings = {"sandbox": True, "roles": ["EMSP"], "versions_url": "http://127.0.0.1:9/versions"}
            made: dict[str, Any] = {"name": name, "hub": "gireve", "mode": "shadow", "settings": settings}
            await on_stage.call("POST", "/v1/connections", made)
        async with assembled(on_stage.settings) as app:
            await app.links.refresh()
            evses = await _fill(app)
        headers = {"Authorization": f"Bearer {on_stage.settings.admin_key}", "Content-Type": "application/json"}
        async with wire(f"{on_stage.url}/v1/quotes", headers, _CONNECTIONS) as backend:
            return [
                figure
                for what in _NEEDS
                for ways in (1, 2)
                for figure in await _measured(backend, evses, what, ways, rate, seconds)
            ]


async def _measured(
    backend: Wire, evses: Sequence[str], what: str, ways: int, rate: float, seconds: float
) -> list[Figure]:
    post = _asks(backend, evses, _NEEDS[what], ways)
    await _in_turn(post, WARM_UP)
    loads = {"one after the other": await _in_turn(post, seconds), f"at {rate:g}/s": await paced(post, rate, seconds)}
    name = f"quote: {what}, {ways} way{'s' if ways > 1 else ''}"
    return [
        Figure.of(
            f"{name}, {load}, p{100 * share:g}",
            1000 * (percentile(sorted(took), share) or 0.0),
            "ms",
            goal,
            better="less",
        )
        for load, took in loads.items()
        for share, goal in ((0.5, 2.0), (0.99, None))
    ]


async def _in_turn(post: Post, seconds: float) -> list[float]:
    """Sends requests, each when the one before it is answered."""
    took: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        took.append(await post(len(took)))
    return took


def _asks(backend: Wire, evses: Sequence[str], need: Mapping[str, Any], ways: int) -> Post:
    dice = random.Random(1)

    async def post(_number: int) -> float:
        wish: dict[str, Any] = {"evse": {"evse_id": dice.choice(evses)}, "need": need, "language": "de"}
        if ways == 1:
            wish["connection"] = _NAMES[0]
        sent = json.dumps(wish, separators=(",", ":")).encode()
        began = time.perf_counter()
        status, answer = await backend.post(sent)
        took = time.perf_counter() - began
        offers = json.loads(answer).get("offers", ()) if status == 200 else ()
        if len(offers) != ways or any("cost" not in each for each in offers):
            raise RuntimeError(f"{status}: {answer[:500].decode()}")
        return took

    return post


async def _fill(app: App) -> list[str]:
    """Stores the same EVSEs over both connections, each with tariffs of its own; gives the EVSEs' ids."""
    locations = list(_locations())
    for price, name in enumerate(_NAMES, 3):
        link = app.links.by_name(name)
        assert link is not None
        number = link.connection.id
        for tariffs in _batches([_tariff(n, price) for n in range(_TARIFFS)]):
            await write_tariffs(app.store, number, [TariffCopy(each, (), each.id.encode()) for each in tariffs])
        for batch in _batches(locations):
            await write_locations(
                app.store, number, [Copy(each, (), each.id.encode(), statuses=True) for each in batch]
            )
    for table in ("catalogue_evse", "catalogue_location", "tariff_version"):
        await app.store.pool.execute(f"VACUUM ANALYZE {table}", timeout=600)
    return [evse.evse_id.normal for each in locations for evse in each.evses if evse.evse_id is not None]


def _locations() -> Iterator[Location]:
    number = 0
    for made in network.partner(_LOCATIONS):
        for evse in made["evses"]:
            number += 1
            for connector in evse["connectors"]:
                connector["tariff_ids"] = [f"T{number % _TARIFFS}"]
        location, _ = ocpi_locations.to_canonical(json.dumps(made).encode())
        yield location


def _tariff(number: int, price: int) -> Tariff:
    """A tariff whose prices go by the hour, with a fee and a price for staying on."""

    def component(kind: str, amount: str) -> dict[str, Any]:
        return {"type": kind, "price": amount, "vat": 21, "step_size": 1}

    day = {"start_time": "07:00", "end_time": "21:00"}
    elements = [
        {"price_components": [component("ENERGY", f"0.{price}{number % 10}")], "restrictions": day},
        {"price_components": [component("ENERGY", f"0.{price - 1}{number % 10}"), component("FLAT", "0.5")]},
        {"price_components": [component("PARKING_TIME", "6")], "restrictions": {"min_duration": 3600}},
    ]
    fields = {"party": _CPO, "id": f"T{number}", "currency": "EUR", "elements": elements, "last_updated": _STAMP}
    return Tariff.model_validate(fields)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _BATCH):
        yield items[start : start + _BATCH]
