"""Partners' stations: pushed by OCPI, read, and searched while their statuses change, in a catalogue that is big.

The gateway is a process of its own; Gireve is played here, by cheap means, at the real route.
"""

import asyncio
import gzip
import json
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from adapters.core import ocpi
from gateway.app import App, assembled
from gateway.cli.bench.figures import Figure
from gateway.cli.demo import network as made_up
from gateway.cli.demo.stage import Stage, stage
from gateway.cli.percentiles import percentile
from gateway.services.catalogue.rows import Copy
from gateway.services.catalogue.writing import write_locations
from mappings.canonical.locations import EvseStatus, Location
from mappings.ocpi.v2_2_1 import locations as ocpi_locations
from mappings.report import Refused

EVSES = 1_000_000
STATUSES = 1_000.0
"""Changes a second while the catalogue is searched."""

_NAME = "gireve-bench"
_TOKEN = "the token with which the bench plays Gireve"
_RECEIVER = "/ocpi/2.2.1/receiver/locations"
_PUTS = 4_000
_IN_FLIGHT = 64
_BATCH = 400
_SEARCHES, _PER_SECOND = 200, 10.0
_PAGES = 60
_STATUS = ("CHARGING", "AVAILABLE")
_COUNTRIES = (b"NL", b"BE", b"DE", b"FR", b"LU", b"DK", b"AT", b"CH", b"CZ", b"PL")
_CITIES = {
    "Amsterdam": (4.75, 52.28, 5.02, 52.43),
    "Rotterdam": (4.38, 51.86, 4.60, 51.99),
    "Den Haag": (4.22, 52.03, 4.38, 52.12),
    "Utrecht": (5.02, 52.04, 5.18, 52.13),
    "Eindhoven": (5.40, 51.40, 5.55, 51.49),
}
_FILTERS = "status=AVAILABLE&min_power=50000&standard=IEC_62196_T2_COMBO"
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


async def measure(url: str, folder: Path, network: Path, *, evses: int = EVSES) -> list[Figure]:
    """Fills the catalogue; pushes further locations; then searches and reads it while statuses change."""
    async with stage(url, folder, limits=False, tls=False) as on_stage:
        await _connect(on_stage)
        async with _caller(on_stage, ocpi.authorization(_TOKEN)) as hub:
            async with assembled(on_stage.settings) as app:
                await app.links.refresh()
                named, filled = await _fill(app, network, evses)
            figures = [filled, *await _push(hub)]
            async with _caller(on_stage, f"Bearer {on_stage.settings.admin_key}") as backend:
                figures += await _read(backend, evses)
                ended = asyncio.Event()
                changing = asyncio.create_task(_change(hub, named, ended))
                figures += await _search(backend, evses)
                ended.set()
                figures.append(await changing)
    return figures


async def _connect(on_stage: Stage) -> None:
    settings = {"sandbox": True, "roles": ["EMSP"], "pull_seconds": 86_400.0}
    made: dict[str, Any] = {"name": _NAME, "hub": "gireve", "mode": "live", "settings": settings}
    await on_stage.call("POST", "/v1/connections", made)
    nowhere = "http://127.0.0.1:9"
    endpoints = {"versions": nowhere, "modules": {"credentials": nowhere, "tokens/RECEIVER": nowhere}}
    tokens: dict[str, Any] = {"token_ours": "ours", "token_theirs": _TOKEN, "endpoints": endpoints}
    await on_stage.call("POST", f"/v1/connections/{_NAME}/adopt", tokens)


# Pushing


async def _push(hub: "_Caller") -> list[Figure]:
    """PUTs locations with ten EVSEs: all new, then all changed."""
    figures = []
    for version, what in enumerate(("new", "changed")):
        bodies = [(f"{_RECEIVER}/NL/PSH/L{n}", _pushed(n, version)) for n in range(_PUTS)]
        took = await _all(hub, "PUT", bodies)
        name = f"catalogue: PUT of a location with 10 EVSEs, {what}"
        figures.append(Figure.of(name, _PUTS / took, "/s", 1_500, better="more"))
    return figures


async def _all(hub: "_Caller", method: str, requests: Iterable[tuple[str, bytes]]) -> float:
    """Sends requests as fast as they are answered; gives the seconds that it took."""
    left = iter(requests)
    begun = time.perf_counter()

    async def send() -> None:
        for path, body in left:
            await hub.ask(method, path, body)

    await asyncio.gather(*(send() for _ in range(_IN_FLIGHT)))
    return time.perf_counter() - begun


def _pushed(number: int, version: int) -> bytes:
    stamp = f"2026-01-0{1 + version}T00:00:00Z"
    connector = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "max_electric_power": 22000,
        "tariff_ids": ["T1"],
        "last_updated": stamp,
    }
    evses = [
        {
            "uid": f"U{number}-{n}",
            "evse_id": f"NL*PSH*E{number:06}*{n}",
            "status": _STATUS[version],
            "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
            "connectors": [connector],
            "physical_reference": str(n),
            "last_updated": stamp,
        }
        for n in range(10)
    ]
    made = {
        "country_code": "NL",
        "party_id": "PSH",
        "id": f"L{number}",
        "publish": True,
        "name": f"Plein {number}",
        "address": f"Straat {number}",
        "city": "Assen",
        "postal_code": "9401AB",
        "country": "NLD",
        "coordinates": {"latitude": f"53.{number % 9000:04}", "longitude": f"6.{number * 7 % 9000:04}"},
        "evses": evses,
        "operator": {"name": "Push BV"},
        "time_zone": "Europe/Amsterdam",
        "opening_times": {"twentyfourseven": True},
        "last_updated": stamp,
    }
    return json.dumps(made, separators=(",", ":")).encode()


# Filling


async def _fill(app: App, network: Path, evses: int) -> tuple[list[tuple[str, str, str, str]], Figure]:
    """Stores a network, multiplied under the parties of other countries; gives what names some of the EVSEs."""
    link = app.links.by_name(_NAME)
    assert link is not None
    named: list[tuple[str, str, str, str]] = []
    batch: list[Copy] = []
    count = 0
    begun = time.perf_counter()
    for number, location in enumerate(_locations(network, evses)):
        batch.append(Copy(location, (), number.to_bytes(16), statuses=True))
        if len(batch) == _BATCH:
            await write_locations(app.store, link.connection.id, batch)
            batch = []
        if count % 5 == 0:
            named += [
                (location.party.country, location.party.code, location.id, one.uid)
                for one in location.evses
                if one.status is not EvseStatus.REMOVED
            ]
        count += len(location.evses)
    await write_locations(app.store, link.connection.id, batch)
    took = time.perf_counter() - begun
    for table in ("catalogue_evse", "catalogue_location"):
        await app.store.pool.execute(f"VACUUM ANALYZE {table}", timeout=900)
    return named, Figure.of(f"catalogue: {count:,} EVSEs read as OCPI and stored", count / took, "/s", better="more")


def _locations(network: Path, evses: int) -> Iterator[Location]:
    count = 0
    for country in _COUNTRIES:
        for line in _lines(network, evses):
            # Other parties with other EVSEs at the same places.
            text = line.replace(b'"country_code":"NL"', b'"country_code":"%b"' % country)
            try:
                location, _ = ocpi_locations.to_canonical(text.replace(b'"evse_id":"NL*', b'"evse_id":"%b*' % country))
            except Refused:
                continue
            yield location
            count += len(location.evses)
            if count >= evses:
                return


def _lines(network: Path, evses: int) -> Iterable[bytes]:
    if network.exists():
        return gzip.open(network, "rb")
    return (json.dumps(one, separators=(",", ":")).encode() for one in made_up.partner(evses // 10))


# Searching and reading


async def _change(hub: "_Caller", named: list[tuple[str, str, str, str]], ended: asyncio.Event) -> Figure:
    """Pushes statuses at a rate, each a PATCH of an EVSE as Gireve sends them, until it is told to end."""
    dice, tasks, sent = random.Random(1), set[asyncio.Task[bytes]](), 0
    begun = time.perf_counter()
    stamp = datetime.now(UTC)
    while not ended.is_set():
        due = round((time.perf_counter() - begun) * STATUSES)
        for _ in range(due - sent):
            stamp += timedelta(milliseconds=1)
            path = "/".join(quote(part, safe="") for part in dice.choice(named))
            body = {"status": dice.choice(_STATUS), "last_updated": stamp.isoformat().replace("+00:00", "Z")}
            task = asyncio.create_task(hub.ask("PATCH", f"{_RECEIVER}/{path}", json.dumps(body).encode()))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        sent = max(sent, due)
        await asyncio.sleep(0.005)
    await asyncio.gather(*tasks)
    rate = sent / (time.perf_counter() - begun)
    return Figure.of("catalogue: statuses changed meanwhile", rate, "/s", 0.95 * STATUSES, better="more")


async def _search(backend: "_Caller", evses: int) -> list[Figure]:
    """Searches cities at a slow pace: what a search takes is measured, not how many are."""
    dice, took = random.Random(2), []
    boxes = list(_CITIES.values())
    for _ in range(_SEARCHES):
        west, south, east, north = boxes[dice.randrange(len(boxes))]
        path = f"/v1/catalogue/evses?box={west},{south},{east},{north}&{_FILTERS}"
        took.append(await _timed(backend, path))
        await asyncio.sleep(1 / _PER_SECOND)
    return _latencies(f"catalogue: a city's box with filters, {evses:,} EVSEs", took, 20.0)


async def _read(backend: "_Caller", evses: int) -> list[Figure]:
    """Reads pages of 100 locations in OCPI's form, from one to the next."""
    took, after = [], ""
    for _ in range(_PAGES):
        begun = time.perf_counter()
        answer = await backend.ask("GET", f"/v1/catalogue/locations?limit=100{after}")
        took.append(time.perf_counter() - begun)
        page = json.loads(answer)
        after = f"&after={page['next']}" if "next" in page else ""
        await asyncio.sleep(1 / _PER_SECOND)
    return _latencies(f"catalogue: a page of 100 locations, {evses:,} EVSEs", took, 10.0)


async def _timed(backend: "_Caller", path: str) -> float:
    begun = time.perf_counter()
    await backend.ask("GET", path)
    return time.perf_counter() - begun


def _latencies(name: str, took: list[float], goal: float) -> list[Figure]:
    took = sorted(took)
    return [
        Figure.of(f"{name}, p{100 * share:g}", 1000 * (percentile(took, share) or 0.0), "ms", bound, better="less")
        for share, bound in ((0.5, goal), (0.99, None))
    ]


class _Caller:
    """Kept-alive HTTP/1.1 connections that cost little: on few cores, whatever they take is taken from the gateway."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._free: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.LifoQueue()

    async def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Sends a request once a connection is free; gives the answer's body.

        Raises:
            RuntimeError: It was refused.
        """
        reader, writer = await self._free.get()
        try:
            start = f"{method} {path} HTTP/1.1\r\n".encode()
            writer.write(b"%b%bContent-Length: %d\r\n\r\n%b" % (start, self._head, len(body), body))
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            answer = await reader.readexactly(int(length[1]) if length else 0)
        finally:
            self._free.put_nowait((reader, writer))
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 201")):
            raise RuntimeError(f"{method} {path}: {head[:200].decode()} {answer[:300].decode()}")
        return answer


@asynccontextmanager
async def _caller(on_stage: Stage, authorization: str) -> AsyncIterator[_Caller]:
    host, port = on_stage.url.removeprefix("http://").rsplit(":", 1)
    given = {"Host": f"{host}:{port}", "Authorization": authorization, "Content-Type": "application/json"}
    caller = _Caller("".join(f"{name}: {value}\r\n" for name, value in given.items()).encode())
    close: list[Callable[[], None]] = []
    try:
        for _ in range(_IN_FLIGHT):
            reader, writer = await asyncio.open_connection(host, int(port), limit=2**22)
            close.append(writer.close)
            caller._free.put_nowait((reader, writer))
        yield caller
    finally:
        for each in close:
            each()
