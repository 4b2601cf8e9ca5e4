"""A big catalogue pulled from Hubject page by page: everything, a delta of it, and at the pace that Hubject permits."""

import asyncio
import gzip
import json
import re
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from gateway.cli.bench.figures import Figure
from gateway.cli.demo import network as made_up
from gateway.cli.demo.stage import Stage, stage
from mappings.ocpi.v2_2_1 import locations as ocpi
from mappings.oicp.v2_3 import evse_data
from mappings.oicp.v2_3.defaults import OperatorDefaults
from mappings.report import Refused

EVSES = 1_000_000
DELTA = 0.01
PACED_PAGES = 100
_PAGE = 2000
_PERMITTED = 100
"""Pages a minute (Acceptable Use Policy, PullEVSEData)."""

_LINES = 5000
_OLDER = 2.0
"""Seconds after which the network is older than what a pull of changes reaches back."""

_LOOK_EVERY = 0.1
_PATIENCE = 1800.0
_DEFAULTS = OperatorDefaults.model_validate(made_up.PARTNER_DEFAULTS)
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")
_NAME = "hubject-emp"


async def measure(url: str, folder: Path, network: Path, *, evses: int = EVSES) -> list[Figure]:
    """Pulls everything, then a delta, with Hubject's limits lifted."""
    async with stage(url, folder, limits=False, tls=False) as on_stage:
        await _load(on_stage, network, evses)
        await _connect(on_stage, 100_000)
        await asyncio.sleep(_OLDER)
        whole = await _pull(on_stage, full=True)
        peak = _peak_mb(on_stage.gateway.pid)
        await on_stage.drive("hubject", "changes", {"update": int(evses * DELTA), "seed": 1})
        delta = await _pull(on_stage, full=False)
        again = await _pull(on_stage, full=True)
    return [
        Figure.of("pulls: EVSEs, all new", whole.records, "", better="more"),
        Figure.of("pulls: everything, pages of 2,000", whole.records / whole.seconds, "EVSEs/s", 10_000, better="more"),
        Figure.of("pulls: resident at most", peak, "MB", 600, better="less"),
        Figure.of("pulls: a delta of 1 %, share of that time", delta.seconds / whole.seconds, "", 0.03, better="less"),
        Figure.of("pulls: records of that delta", delta.records, "", better="more"),
        Figure.of("pulls: the same once more", again.records / again.seconds, "EVSEs/s", better="more"),
    ]


async def measure_paced(url: str, folder: Path, network: Path, *, pages: int = PACED_PAGES) -> list[Figure]:
    """Pulls with Hubject's limits kept, at the pace that it permits."""
    async with stage(url, folder, limits=True, tls=False) as on_stage:
        await _load(on_stage, network, pages * _PAGE)
        await _connect(on_stage, _PERMITTED)
        pulled = await _pull(on_stage, full=True)
    # The first request waits for nobody.
    permitted = (pulled.pages - 1) * 60 / _PERMITTED
    return [
        Figure.of("pulls: pages with the limits kept", pulled.pages, "", better="more"),
        Figure.of("pulls: time, of that at the permitted pace", pulled.seconds / permitted, "", 1.05, better="less"),
    ]


class _Pulled:
    """Figures of one pull."""

    def __init__(self, report: Any, seconds: float) -> None:
        self.records, self.pages, self.seconds = report["records"], report["pages"], seconds


async def _load(on_stage: Stage, network: Path, evses: int) -> None:
    records = _records(network)
    while lines := b"".join(json.dumps(record).encode() + b"\n" for record in islice(records, _LINES)):
        await on_stage.load("hubject", "network?name=Partner", lines)
    await on_stage.drive("hubject", "multiply", {"evses": evses})


def _records(network: Path) -> Iterator[dict[str, Any]]:
    """Gives a network as its CPOs would push it to Hubject, each EvseID once."""
    seen: set[str] = set()
    for wire in _wires(network):
        try:
            location, _ = ocpi.to_canonical(wire)
        except Refused:
            continue
        for rendered in evse_data.records(location, _DEFAULTS, location.party):
            if isinstance(rendered.record, Refused) or rendered.record["EvseID"] in seen:
                continue
            seen.add(rendered.record["EvseID"])
            yield rendered.record


def _wires(network: Path) -> Iterator[Any]:
    if not network.exists():
        yield from made_up.partner(20_000)
        return
    with gzip.open(network, "rb") as source:
        yield from source


async def _connect(on_stage: Stage, per_minute: int) -> None:
    # What else can be pulled waits for its hour, so that one thing is measured.
    rare = {"status_minutes": 10_000, "cdr_minutes": 10_000, "data_minutes": 10_000}
    # All clocks are one here, and all of the network is younger than five minutes.
    rare["overlap_seconds"] = 1
    settings = {**on_stage.hubs.hubject_emp_settings, "data_per_minute": per_minute, **rare}
    made = {"name": _NAME, "hub": "hubject", "mode": "off", "settings": settings}
    await on_stage.call("POST", "/v1/connections", made)


async def _pull(on_stage: Stage, *, full: bool) -> _Pulled:
    """Has EVSE data pulled; gives how many records, and how long it took by the gateway's own clock."""
    before = await _view(on_stage)
    await on_stage.call("PUT", f"/v1/connections/{_NAME}/mode", {"mode": "live"})
    await on_stage.call("POST", f"/v1/pulls/{_NAME}/evse_data?full={str(full).lower()}")
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        view = await _view(on_stage)
        last = view.get("last")
        if last and last["outcome"] != "running" and last != before.get("last"):
            if last["outcome"] != "done":
                raise RuntimeError(f"a pull ended otherwise: {last}")
            seconds = _moment(last["ended_at"]) - _moment(last["began_at"])
            return _Pulled(last, seconds)
        await asyncio.sleep(_LOOK_EVERY)
    raise RuntimeError("a pull did not end in time")


async def _view(on_stage: Stage) -> Any:
    views = (await on_stage.call("GET", "/v1/pulls"))["items"]
    return next((one for one in views if one["feed"] == "evse_data"), {})


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _peak_mb(pid: int) -> float:
    found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0
