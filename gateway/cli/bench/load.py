"""Puts a bounded load of status reports on a gateway over HTTP, and times the answers."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import cycle

from gateway.cli.bench.wire import Wire, wire
from gateway.cli.demo.stage import Stage
from gateway.cli.demo.statuses import Named
from gateway.cli.percentiles import percentile

_STATUSES = ("CHARGING", "AVAILABLE")

_TICK = 0.002

_CONNECTIONS = 64


class NotTaken(RuntimeError):
    """A report of the load was refused, which no figure may hide."""


@dataclass(slots=True)
class Answers:
    """Answers to a load.

    Attributes:
        reports: Reports that were accepted and durable when answered.
        seconds: From the first request to the last answer.
        latencies: Seconds of each request.
    """

    reports: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Reports a second."""
        return self.reports / self.seconds

    def milliseconds(self, share: float) -> float:
        """A latency that this share of the requests stays under."""
        return 1000 * (percentile(sorted(self.latencies), share) or 0.0)


async def batches(stage: Stage, named: Sequence[Named], *, size: int, in_flight: int, seconds: float) -> Answers:
    """Sends batches as fast as they are answered, some at a time. Every report changes its EVSE's status."""
    bodies = _bodies(named, size)
    answers = Answers()
    begun = time.perf_counter()
    until = begun + seconds

    async def send(through: Wire) -> None:
        while time.perf_counter() < until:
            applied = await _post(through, next(bodies), answers)
            answers.reports += applied

    async with _wire(stage, in_flight) as through:
        await asyncio.gather(*(send(through) for _ in range(in_flight)))
    answers.seconds = time.perf_counter() - begun
    return answers


async def singles(stage: Stage, named: Sequence[Named], *, rate: float, seconds: float) -> Answers:
    """Sends single reports at a rate, whether or not earlier ones are answered, as many charge points do."""
    bodies = _bodies(named, 1)
    answers = Answers()
    tasks: set[asyncio.Task[int]] = set()
    async with _wire(stage, _CONNECTIONS) as through:
        begun = time.perf_counter()
        sent, many = 0, round(rate * seconds)
        while sent < many:
            # What is due by now goes out together: a sleep for each would not keep the pace.
            due = min(many, round((time.perf_counter() - begun) * rate))
            for _ in range(due - sent):
                task = asyncio.create_task(_post(through, next(bodies), answers))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            sent = max(sent, due)
            await asyncio.sleep(_TICK)
        await asyncio.gather(*tasks)
    answers.reports = len(answers.latencies)
    answers.seconds = time.perf_counter() - begun
    return answers


def _wire(stage: Stage, connections: int) -> AbstractAsyncContextManager[Wire]:
    headers = {"Authorization": f"Bearer {stage.settings.admin_key}", "Content-Type": "application/json"}
    return wire(f"{stage.url}/v1/evse-statuses", headers, connections)


async def _post(through: Wire, body: bytes, answers: Answers) -> int:
    begun = time.perf_counter()
    status, answer = await through.post(body)
    answers.latencies.append(time.perf_counter() - begun)
    said = json.loads(answer)
    if status != 200 or said.get("refused"):
        raise NotTaken(f"{status}: {answer[:500].decode()}")
    return int(said.get("applied", 1))


def _bodies(named: Sequence[Named], size: int) -> Iterator[bytes]:
    """Makes request bodies; each EVSE's turn comes again only when all others had theirs, with the other status."""
    for status in cycle(_STATUSES):
        for start in range(0, len(named) - size + 1, size):
            reports = [
                {"party": one.party, "location_id": one.location_id, "evse_uid": one.uid, "status": status}
                for one in named[start : start + size]
            ]
            yield json.dumps(reports if size > 1 else reports[0], separators=(",", ":")).encode()
