"""An agreement begins for an operator with a big network: until its partner's app has all of it, while statuses go on.

The gateway is a process of its own; the app follows the feed as a partner's would, and the statuses are those of
another operator, pushed over Gireve, in the same feed.
"""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from adapters.core import ocpi
from gateway.app import App, assembled
from gateway.cli.bench.figures import Figure
from gateway.cli.demo.stage import Stage, stage
from gateway.cli.percentiles import percentile
from gateway.services.catalogue.rows import Copy
from gateway.services.catalogue.writing import write_locations
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location
from tests.agreed import agree
from tests.benchmarks import catalogue
from tests.harness import evse, location

EVSES = 30_000
"""Of the operator whose agreement begins."""

_OTHERS = 2_000
"""EVSEs whose statuses change meanwhile."""

_STATUSES = 200.0
"""Changes a second."""

_PER_LOCATION = 10
_BATCH = 200
_BEFORE, _AFTER = 5.0, 5.0
"""Seconds of statuses before the agreement, and after all of it is there."""

_LONGEST = 300.0
_OWN, _OTHER = PartyId("FR*OWN"), PartyId("FR*OTH")
_NEW, _OLD = PartyId("DE*NEW"), PartyId("DE*OLD")


async def measure(url: str, folder: Path, *, evses: int = EVSES) -> list[Figure]:
    """Restricts a network to one EMSP, then lets another have it."""
    async with stage(url, folder, limits=False, tls=False) as on_stage:
        await catalogue._connect(on_stage)
        await on_stage.call("POST", "/v1/connections", {"name": "home", "hub": "home", "mode": "live", "settings": {}})
        async with assembled(on_stage.settings) as app:
            await app.links.refresh()
            await _fill(app, "home", _OWN, evses)
            await _fill(app, catalogue._NAME, _OTHER, _OTHERS)
            await _agree(app, _OLD)
            return await _begin(on_stage, app, evses)


async def _begin(on_stage: Stage, app: App, evses: int) -> list[Figure]:
    async with (
        catalogue._caller(on_stage, ocpi.authorization(catalogue._TOKEN)) as hub,
        catalogue._caller(on_stage, f"Bearer {on_stage.settings.admin_key}") as backend,
    ):
        follower = _Follower(backend)
        await follower.start()
        sent: dict[str, float] = {}
        ended = asyncio.Event()
        changing = asyncio.create_task(_change(hub, sent, ended))
        await asyncio.sleep(_BEFORE)
        begun = time.perf_counter()
        await _agree(app, _NEW)
        all_there = await follower.until(evses, begun)
        await asyncio.sleep(_AFTER)
        ended.set()
        await changing
        await asyncio.sleep(1)
        await follower.stop()
    took = sorted(follower.heard[stamp] - at for stamp, at in sent.items() if stamp in follower.heard)
    p99 = 1000 * (percentile(took, 0.99) or 0.0)
    missed = len(sent) - len(took)
    return [
        Figure.of(
            f"agreements: until an app has {evses:,} EVSEs of one that begins", all_there, "s", 60, better="less"
        ),
        Figure.of("agreements: statuses of others meanwhile, p99", p99, "ms", 2_000, better="less"),
        Figure.of("agreements: statuses of others meanwhile, not heard", missed, "", 0, better="less"),
    ]


async def _fill(app: App, connection: str, party: PartyId, evses: int) -> None:
    link = app.links.by_name(connection)
    assert link is not None
    for first in range(0, evses // _PER_LOCATION, _BATCH):
        numbers = range(first, min(first + _BATCH, evses // _PER_LOCATION))
        copies = [Copy(_location(party, number), (), number.to_bytes(16), statuses=True) for number in numbers]
        await write_locations(app.store, link.connection.id, copies)
    for table in ("catalogue_evse", "catalogue_location"):
        await app.store.pool.execute(f"VACUUM ANALYZE {table}", timeout=900)


def _location(party: PartyId, number: int) -> Location:
    given = [evse(f"U{n}", f"{party}*E{number}*{n}") for n in range(_PER_LOCATION)]
    return location(f"L{number}", *given, party=party)


async def _agree(app: App, emsp: PartyId) -> None:
    await agree(app.links, "home", cpo=_OWN, emsp=emsp, starts=datetime.now(UTC))


async def _change(hub: catalogue._Caller, sent: dict[str, float], ended: asyncio.Event) -> None:
    """Pushes statuses of the other operator, each with a stamp of its own, by which it is known again."""
    tasks: set[asyncio.Task[bytes]] = set()
    stamp, begun, dice = datetime.now(UTC).replace(microsecond=0), time.perf_counter(), random.Random(1)
    order = list(range(_OTHERS))
    dice.shuffle(order)
    for number in count():
        if ended.is_set():
            break
        await asyncio.sleep(max(begun + number / _STATUSES - time.perf_counter(), 0))
        which, turn = order[number % _OTHERS], number // _OTHERS
        stamp += timedelta(milliseconds=1)
        text = stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        path = f"{catalogue._RECEIVER}/FR/OTH/L{which // _PER_LOCATION}/U{which % _PER_LOCATION}"
        body = json.dumps({"status": ("CHARGING", "AVAILABLE")[turn % 2], "last_updated": text})
        sent[text] = time.perf_counter()
        task = asyncio.create_task(hub.ask("PATCH", path, body.encode()))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)


class _Follower:
    """An app that keeps a copy of the catalogue.

    Attributes:
        heard: When it heard of each status, by its stamp.
    """

    def __init__(self, backend: catalogue._Caller) -> None:
        self._backend = backend
        self._there: set[str] = set()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.heard: dict[str, float] = {}

    async def start(self) -> None:
        """Takes a cursor, once what was restricted before is told."""
        while True:
            cursor = (await self._read(""))["next"]
            if not (await self._read(f"&after={cursor}&wait=3"))["items"]:
                break
        self._task = asyncio.create_task(self._follow(cursor))

    async def until(self, evses: int, begun: float) -> float:
        """Waits until it has so many EVSEs; gives the seconds since it begun."""
        async with asyncio.timeout(_LONGEST):
            while len(self._there) < evses:
                self._news.clear()
                await self._news.wait()
        return time.perf_counter() - begun

    async def stop(self) -> None:
        """Stops following.

        Raises:
            Exception: It failed at it.
        """
        assert self._task is not None
        if self._task.done():
            self._task.result()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _follow(self, cursor: str) -> None:
        while True:
            page = await self._read(f"&after={cursor}&wait=5")
            now, cursor = time.perf_counter(), page["next"]
            for change in page["items"]:
                self._take(change, now)
            self._news.set()

    def _take(self, change: Mapping[str, Any], now: float) -> None:
        entry = change.get("entry")
        if entry is None:
            return
        if change["evse_key"].startswith("FROWN"):
            self._there.add(change["evse_key"])
        elif "status_at" in entry:
            stamp = datetime.fromisoformat(entry["status_at"]).isoformat(timespec="milliseconds")
            self.heard.setdefault(stamp.replace("+00:00", "Z"), now)

    async def _read(self, more: str) -> Any:
        return json.loads(await self._backend.ask("GET", f"/v1/catalogue/changes?emsp=DE*NEW&limit=500{more}"))
