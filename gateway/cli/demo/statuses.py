"""Replays status changes against a gateway at a pace, and finds in the hubs' receipts how long each took."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import aiohttp
from pydantic import JsonValue

from gateway.cli.demo.stage import Stage
from gateway.store.pool import Store

_EVERY = 0.1
"""Seconds between two requests of a replay."""

_CHANGES = ("AVAILABLE", "CHARGING", "BLOCKED", "OUTOFORDER", "RESERVED")


class Named(NamedTuple):
    """An EVSE by its key, and by its key at each hub.

    Attributes:
        status: What it was before anything was reported; None if that is not known.
    """

    party: str
    location_id: str
    uid: str
    evse_key: str | None
    status: str | None = None

    def at(self, hub: str) -> str | None:
        """Its wire key at a hub."""
        return self.evse_key if hub == "hubject" else f"{self.party}/{self.location_id}/{self.uid}"


@dataclass(slots=True)
class Sent:
    """Statuses that were accepted: the EVSE, the status, and when the request began, seconds since the epoch."""

    changes: list[tuple[Named, str, float]] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)


async def evses(store: Store, most: int) -> list[Named]:
    """Gives some EVSEs of the network, the same for the same network."""
    rows = await store.fetch(
        "SELECT party, location_id, uid, evse_key, status FROM evse WHERE NOT removed ORDER BY md5(uid), no LIMIT $1",
        most,
    )
    return [Named(*row.values()) for row in rows]


async def replay(stage: Stage, named: Sequence[Named], *, rate: float, seconds: float, seed: int = 1) -> Sent:
    """Reports changes at a rate for some seconds; a gateway that does not answer is asked again until it does."""
    sent = Sent()
    dice = random.Random(seed)  # noqa: S311 - it shall be the same every time
    size = max(1, round(rate * _EVERY))
    start = time.monotonic()
    for turn in range(round(seconds / _EVERY)):
        await asyncio.sleep(max(0.0, start + turn * _EVERY - time.monotonic()))
        batch = [(one, dice.choice(_CHANGES)) for one in dice.sample(named, min(size, len(named)))]
        await _report(stage, batch, sent)
    return sent


async def _report(stage: Stage, batch: Sequence[tuple[Named, str]], sent: Sent) -> None:
    at = datetime.now(UTC).isoformat()
    body: list[JsonValue] = [
        {"party": one.party, "location_id": one.location_id, "evse_uid": one.uid, "status": status, "at": at}
        for one, status in batch
    ]
    begun = time.time()
    while True:
        try:
            answer = await stage.call("POST", "/v1/evse-statuses", body)
        except aiohttp.ClientError:
            # Killed in the middle: whether it took them or not, the same reports again do no harm.
            await asyncio.sleep(0.05)
            continue
        break
    sent.changes += [(one, status, begun) for one, status in batch]
    for outcome, count in answer.items():
        if isinstance(count, int):
            sent.outcomes[outcome] = sent.outcomes.get(outcome, 0) + count


async def latencies(stage: Stage, hub: str, sent: Sent) -> list[float]:
    """Gives the seconds from each accepted change to the first news of its EVSE in the hub's memory after it.

    A report of the status that the EVSE has already is no change: no hub is told.
    """
    receipts: dict[str, list[float]] = {}
    async for receipt in _receipts(stage, hub):
        receipts.setdefault(receipt["key"], []).append(receipt["at"])
    return list(_match(hub, sent, receipts))


def _match(hub: str, sent: Sent, receipts: dict[str, list[float]]) -> Iterator[float]:
    present: dict[Named, str | None] = {}
    for one, status, begun in sent.changes:
        if present.get(one, one.status) == status:
            continue
        present[one] = status
        key = one.at(hub)
        later = [at for at in receipts.get(key or "", ()) if at >= begun]
        if later:
            yield min(later) - begun


async def _receipts(stage: Stage, hub: str) -> AsyncIterator[dict[str, Any]]:
    url = f"{getattr(stage.hubs, hub)}/_sandbox/receipts"
    async with stage.http.get(url, ssl=False) as answer:
        async for line in answer.content:
            yield json.loads(line)
