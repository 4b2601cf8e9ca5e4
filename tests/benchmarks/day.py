"""The French day of status changes, through a gateway to both hubs, each 50 ms away."""

import asyncio
import csv
import gzip
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway.app import assembled
from gateway.cli.bench.figures import Figure
from gateway.cli.bench.ways import delivered
from gateway.cli.demo.stage import HUBS, Stage, stage
from gateway.cli.demo.statuses import Named, Sent
from gateway.cli.demo.story import bring_in, quiet
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import EvseStatus
from mappings.irve import dynamic
from mappings.irve.wire import DynamicRow
from mappings.report import Refused

_AWAY = 0.05
_EVERY = 0.05
_PATIENCE = 1800.0
_OPERATOR = PartyId("FR*RGT")


async def measure(
    url: str, folder: Path, events: Path, *, seconds: float | None = 60.0, rate: float = 400.0
) -> list[Figure]:
    """Replays the day's changes at a rate; the first `seconds` of it, or the whole day if None."""
    changes = list(_changes(events))
    async with stage(url, folder, limits=True, tls=True) as on_stage, assembled(on_stage.settings) as app:
        await on_stage.connect()
        begun = time.monotonic()
        await bring_in(on_stage, _locations(changes), "day.ndjson")
        imported = time.monotonic() - begun
        await quiet(app, _PATIENCE)
        first = time.monotonic() - begun
        for hub in HUBS:
            away = {"kind": "delay", "seconds": _AWAY, "path": "/ocpi/|/api/"}
            await on_stage.arm(hub, [away])
        many = len(changes) if seconds is None else round(rate * seconds)
        sent = await _replay(on_stage, changes[:many], rate)
        await quiet(app, _PATIENCE)
        figures = [
            Figure.of("day: charge points", len({one.evse_key for one, _ in changes}), "", better="more"),
            Figure.of("day: import of their locations", imported, "s", better="less"),
            Figure.of("day: until both hubs had all of them", first, "s", better="less"),
            Figure.of("day: changes replayed", len(sent.changes), "", better="more"),
            Figure.of("day: changes a second", len(sent.changes) / _span(sent), "1/s", rate * 0.98, better="more"),
        ]
        return figures + await delivered(on_stage, app, sent, "day")


def _changes(events: Path) -> Iterator[tuple[Named, EvseStatus]]:
    with gzip.open(events, "rt", newline="") as rows:
        for row in csv.DictReader(rows):
            try:
                report = dynamic.to_canonical(DynamicRow.read(row)).report
            except Refused:
                continue
            if report.evse_id is not None:
                yield _named(report.evse_id), report.status


def _named(evse_id: EvseId) -> Named:
    # An id that names no operator cannot belong to a party of its own, nor be told to Hubject.
    party = evse_id.party or _OPERATOR
    return Named(party.normal, f"L-{evse_id.normal}"[:36], evse_id.normal[:36], evse_id.normal)


def _locations(changes: Sequence[tuple[Named, EvseStatus]]) -> Iterator[bytes]:
    """Makes a location for every id, as canonical NDJSON."""
    stamp = "2026-08-19T00:00:00Z"
    for one in {named.evse_key: named for named, _ in changes}.values():
        yield (
            json.dumps(
                {
                    "party": one.party,
                    "id": one.location_id,
                    "publish": True,
                    "name": one.location_id,
                    "address": "1 place du Marché",
                    "city": "Lille",
                    "postal_code": "59000",
                    "country": "FRA",
                    "coordinates": {"latitude": 50.63, "longitude": 3.06},
                    "time_zone": "Europe/Paris",
                    "last_updated": stamp,
                    "evses": [
                        {
                            "uid": one.uid,
                            "evse_id": one.evse_key,
                            "status": "UNKNOWN",
                            "capabilities": ["RFID_READER", "REMOTE_START_STOP_CAPABLE"],
                            "last_updated": stamp,
                            "connectors": [
                                {
                                    "id": "1",
                                    "standard": "IEC_62196_T2",
                                    "format": "SOCKET",
                                    "power_type": "AC_3_PHASE",
                                    "max_voltage": 230,
                                    "max_amperage": 32,
                                    "max_power": 22000,
                                    "last_updated": stamp,
                                }
                            ],
                        }
                    ],
                }
            ).encode()
            + b"\n"
        )


async def _replay(on_stage: Stage, changes: Sequence[tuple[Named, EvseStatus]], rate: float) -> Sent:
    sent = Sent()
    size = round(rate * _EVERY)
    begun = time.monotonic()
    under_way: set[asyncio.Task[None]] = set()
    for turn, start in enumerate(range(0, len(changes), size)):
        await asyncio.sleep(max(0.0, begun + turn * _EVERY - time.monotonic()))
        task = asyncio.create_task(_report(on_stage, changes[start : start + size], sent))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    return sent


async def _report(on_stage: Stage, changes: Sequence[tuple[Named, EvseStatus]], sent: Sent) -> None:
    # Stamped now: the day's own stamps lie months back, and are out of order besides.
    at, moment = time.time(), datetime.now(UTC).isoformat()
    latest = dict(changes)
    body = [
        {"party": one.party, "location_id": one.location_id, "evse_uid": one.uid, "status": status, "at": moment}
        for one, status in latest.items()
    ]
    await on_stage.call("POST", "/v1/evse-statuses", body)  # type: ignore[arg-type]
    sent.changes += [(one, status, at) for one, status in latest.items()]


def _span(sent: Sent) -> float:
    moments = [at for _, _, at in sent.changes]
    return max(moments) - min(moments) + _EVERY
