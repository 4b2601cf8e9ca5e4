"""Serves one operation of one connection: claims lanes, has them served, settles."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from adapters.core.connection import Mode, State
from adapters.core.profile import OperationProfile
from gateway.outbox.gate import Gate
from gateway.outbox.projecting import Link
from gateway.outbox.repository import Lane, LaneResult, Outbox
from gateway.outbox.serving import Serving
from gateway.outbox.settler import Settler
from mappings.report import Issue

log = structlog.get_logger("outbox")

POLL = 0.5
"""Seconds between two looks for due work when nobody wakes the worker."""

GATHER = 0.015
"""Seconds that a woken worker waits, so that what is written in one breath is claimed together."""


_NEVER = timedelta(days=36_500)


class Measures(Protocol):
    """What the outbox reports for the metrics."""

    def settled(self, hub: str, connection: str, operation: str, outcome: str, count: int = 1) -> None:
        """Counts projections: `delivered`, `unchanged`, `refused`, `shadowed`, `coalesced`, `failed`."""

    def acknowledged(self, hub: str, connection: str, operation: str, seconds: float) -> None:
        """Takes the time from the acceptance of a change to the hub's acknowledgement."""

    def issue(self, protocol: str, issue: Issue, count: int = 1) -> None:
        """Counts what a translation lost."""


class Worker:
    """Serves one operation of one connection until it is stopped.

    Args:
        link: Gives the connection as it is now; None once it is gone.
        refresh: Lets this process know connections as they are in the store.
        clock: Gives the present, aware.
    """

    def __init__(
        self,
        outbox: Outbox,
        link: Callable[[], Link | None],
        operation: OperationProfile,
        measures: Measures,
        refresh: Callable[[], Awaitable[object]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._outbox = outbox
        self._link = link
        self._operation = operation
        self._measures = measures
        self._clock = clock
        self._gate = Gate(outbox, link, refresh, clock)
        self._woken = asyncio.Event()
        self._lanes: set[asyncio.Task[None]] = set()
        present = link()
        if present is None:
            raise LookupError("the connection is gone")
        operations = present.adapter.profile.operations.values()
        followers = [one.name for one in operations if one.after == operation.name]
        referring = [one.name for one in operations if one.refers_to == operation.name]
        place = (present.connection.id, operation.name)
        self._settler: Settler[LaneResult] = Settler(
            lambda results: outbox.settle(*place, results, followers, referring), self._measure
        )

    def wake(self) -> None:
        """Lets the worker look for work now."""
        self._woken.set()

    def stop(self) -> None:
        """Lets the worker end: calls that are in flight end and are settled, no more begin."""
        self._gate.stop()
        self._woken.set()

    async def run(self) -> None:
        """Serves until stopped. Cancelled instead, it leaves leases behind, which have to run out."""
        while not self._gate.stopping:
            try:
                more = await self._turn()
            except Exception:
                log.exception("turn failed", operation=self._operation.name)
                more = False
            if not more and not self._gate.stopping:
                await self._wait()
        if self._lanes:
            await asyncio.gather(*self._lanes, return_exceptions=True)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()
        await asyncio.sleep(GATHER)

    async def _turn(self) -> bool:
        """Claims what there is room for; tells whether to claim again at once."""
        link = self._link()
        if link is None or link.connection.mode is Mode.OFF or link.connection.state is not State.READY:
            return False
        if self._gate.resting:
            return False
        # After a rest a single lane tries whether the hub is back.
        recovering = self._gate.rests_until is not None
        room = (1 if recovering else self._operation.lanes_in_flight) - len(self._lanes)
        if room <= 0:
            return False
        if self._operation.slow and await self._outbox.turn_in(link.connection.id, self._operation.name):
            return False  # what comes until then goes with the same request
        if self._operation.full_sync and await self._full_sync(link):
            return True
        lanes = await self._outbox.claim(
            link.connection.id,
            self._operation.name,
            link.connection.scope,
            max_items=self._operation.max_items,
            max_lanes=room,
            refers_to=self._operation.refers_to,
        )
        blocked: frozenset[str] = frozenset()
        if lanes and self._operation.waits_for is not None:
            blocked = await self._outbox.blocked(link.connection.id, self._operation.waits_for)
        for lane in lanes:
            self._start(lane, self._serve(link, lane, blocked))
        # Another claim at once only where this one left something for lanes that are free.
        return bool(lanes) and len(self._lanes) < self._operation.lanes_in_flight and not recovering

    def _start(self, lane: Lane, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._lanes.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._lanes.discard(task)
            self._outbox.abandon(lane)
            if not task.cancelled() and (error := task.exception()) is not None:
                # The lease runs out, and whoever comes next does the work again.
                log.error("lane failed", operation=self._operation.name, exc_info=error)
            self._woken.set()

        task.add_done_callback(ended)

    def _serving(self, link: Link, lane: Lane, blocked: frozenset[str] = frozenset()) -> Serving:
        return Serving(self._outbox, link, self._operation, lane, self._gate, self._clock, blocked)

    async def _serve(self, link: Link, lane: Lane, blocked: frozenset[str]) -> None:
        await self._settler.settle(await self._serving(link, lane, blocked).serve())

    async def _full_sync(self, link: Link) -> bool:
        """Replaces everything at the hub if that is due, or lets it be told anew; tells whether it did something."""
        profile = link.adapter.profile
        place = (link.connection.id, self._operation.name)
        if link.connection.mode is not Mode.LIVE:
            return False
        if not await self._outbox.full_sync_due(*place, self._operation.after):
            return False
        if not self._operation.full_load:
            await self._outbox.ask_again(*place)
            await self._outbox.full_sync_done(*place, profile.full_sync_every or _NEVER)
            return True
        lane = await self._outbox.claim_everything(*place, link.connection.scope, most=profile.full_load_max)
        if lane is None:
            return False
        self._start(lane, self._replace(link, lane))
        return True

    async def _replace(self, link: Link, lane: Lane) -> None:
        place = (link.connection.id, self._operation.name)
        result = LaneResult(lane)
        if any(not claimed.item.gone for claimed in lane.claimed):
            result = await self._serving(link, lane).replace()
        await self._settler.settle(result)
        if not result.replaced:
            if result.retry_at is not None or not self._gate.lets(link):
                return  # it stays due
            # Too many for one request, nothing to say, or a faulty record in it: told one by one, the batches find that
            # one, and what is gone is deleted by itself.
            await self._outbox.ask_again(*place)
        await self._outbox.full_sync_done(*place, link.adapter.profile.full_sync_every or _NEVER)

    def _count(self, link: Link, outcome: str, count: int) -> None:
        if count:
            self._measures.settled(link.connection.hub, link.connection.name, self._operation.name, outcome, count)

    def _measure(self, result: LaneResult) -> None:
        """Reports a lane's results once they are durable."""
        link = self._link()
        if link is None:
            return
        self._count(link, "delivered", len(result.accepted) - result.unchanged)
        self._count(link, "unchanged", result.unchanged)
        self._count(link, "refused", len(result.refused))
        self._count(link, "shadowed", len(result.shadowed))
        self._count(link, "failed", len(result.failed))
        self._count(link, "coalesced", sum(max(one.wanted - one.acked - 1, 0) for one, _ in result.accepted))
        now, protocol = self._clock(), link.adapter.profile.protocol
        for claimed, rendered in result.accepted:
            seconds = (now - claimed.since).total_seconds()
            self._measures.acknowledged(link.connection.hub, link.connection.name, self._operation.name, seconds)
            for issue in rendered.issues:
                self._measures.issue(protocol, issue)
        for refusal in result.refused:
            for issue in refusal.issues:
                self._measures.issue(protocol, issue)
