"""A month and a half of real charges on the French network, at real prices, settled with five EMSPs."""

import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import uvloop

from gateway.app import assembled
from gateway.cli.bench.figures import Figure
from gateway.services.ports.repricing import Direction
from gateway.services.ports.settlement import SettlementWanted
from gateway.services.settlement.service import Settlements
from gateway.settings import Settings
from gateway.settling.taxing import Treatment
from gateway.store.migrate import migrate
from gateway.store.pool import Store
from gateway.store.secrets import Cipher
from mappings.canonical.ids import PartyId
from tests.french import FIRST, LAST, NETWORK, Billed, charges, store_charges

_GOAL: Final = 60.0
_GROWTH: Final = 16.0
_CHUNK: Final = 1 << 18


@dataclass
class Settled:
    """What came of settling everything.

    Attributes:
        seconds: Of all reports, one after the other.
        lines_seconds: Of all lines.
        growth: MB of memory that came in the second half of the charges.
    """

    sessions: int
    parties: int
    rows: int
    treatments: dict[str, int]
    seconds: float
    lines_seconds: float
    peak: float
    growth: float


def measure(url: str, root: Path) -> list[Figure]:
    """Imports the network, prices and stores the charges, and settles them in a process of its own."""
    begun = time.perf_counter()
    places = uvloop.run(_import(url, root / NETWORK))
    imported = time.perf_counter()
    made = list(charges(root, places=places))
    priced = time.perf_counter()
    many = uvloop.run(_store(url, made))
    stored = time.perf_counter()
    command = [sys.executable, "-m", "tests.benchmarks.settlement", url]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    said = Settled(**json.loads(done.stdout.splitlines()[-1]))
    if said.sessions != many:
        raise RuntimeError(f"{said.sessions} sessions of {many} are settled")
    undecided = said.treatments.get(Treatment.UNDECIDED, 0)
    return [
        Figure.of("settlement: EVSEs imported", len(places), "", better="more"),
        Figure.of("settlement: import of the network", imported - begun, "s", better="less"),
        Figure.of("settlement: sessions", many, "", better="more"),
        Figure.of("settlement: pricing of all sessions", priced - imported, "s", better="less"),
        Figure.of("settlement: storing of their CDRs", stored - priced, "s", better="less"),
        Figure.of("settlement: CPOs, with five EMSPs each", said.parties, "", better="more"),
        Figure.of("settlement: rows", said.rows, "", better="more"),
        Figure.of("settlement: tax undecided", undecided, "sessions", better="less"),
        Figure.of("settlement: without a price", said.treatments.get(Treatment.UNPRICED, 0), "sessions", better="less"),
        Figure.of("settlement: all sessions settled", said.seconds, "s", _GOAL, better="less"),
        Figure.of("settlement: all lines streamed", said.lines_seconds, "s", _GOAL, better="less"),
        Figure.of("settlement: resident at most", said.peak, "MB", better="less"),
        Figure.of("settlement: resident growth in the second half", said.growth, "MB", _GROWTH, better="less"),
    ]


async def _import(url: str, network: Path) -> dict[str, tuple[str, str]]:
    store = Store(url)
    await store.open()
    await migrate(store, "before")
    await store.close()
    async with assembled(Settings(database_url=url, secret_key=Cipher.new_key())) as app:
        await app.services.importing.run(_read(network), filename=network.name, party=None, who="bench")
        rows = await app.store.fetch("SELECT evse_key, location_id, uid FROM evse WHERE evse_key IS NOT NULL")
    return {row["evse_key"]: (row["location_id"], row["uid"]) for row in rows}


async def _read(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            yield chunk


async def _store(url: str, made: list[Billed]) -> int:
    store = Store(url)
    await store.open()
    try:
        return await store_charges(store, iter(made))
    finally:
        await store.close()


async def _settle(url: str) -> Settled:
    store = Store(url, size=2)
    await store.open()
    settlements = Settlements(store)
    rows = await store.fetch("SELECT cpo, count(*) AS count FROM settlement_entry GROUP BY cpo ORDER BY cpo")
    half, done, at_half = sum(row["count"] for row in rows) / 2, 0, 0.0
    told: Counter[str] = Counter()
    lines = 0
    begun = time.perf_counter()
    for row in rows:
        report = await settlements.report(_wanted(row["cpo"]))
        for one in report.rows:
            told[one.treatment] += one.sessions
        lines += len(report.rows)
        done += row["count"]
        if done >= half and not at_half:
            at_half = _peak()
    settled = time.perf_counter()
    peak = _peak()
    for row in rows:
        async for _ in await settlements.lines(_wanted(row["cpo"])):
            await asyncio.sleep(0)
    streamed = time.perf_counter()
    await store.close()
    sessions = told.total()
    return Settled(
        sessions, len(rows), lines, dict(told), settled - begun, streamed - settled, peak, max(0.0, peak - at_half)
    )


def _wanted(cpo: str) -> SettlementWanted:
    return SettlementWanted(PartyId(cpo), Direction.OUT, FIRST, LAST)


def _peak() -> float:
    """Gives the most MB that were resident so far; not as `getrusage` has it, which counts whoever started us, too."""
    told = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(told[1]) / 1024 if told is not None else 0.0


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(uvloop.run(_settle(sys.argv[1])))) + "\n")
