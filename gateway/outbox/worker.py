"""Serves one operation of one connection: claims lanes, plans, calls, settles."""

import asyncio
import json
import random
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from adapters.core.adapter import Call, Item, Plan, Rendered
from adapters.core.connection import Mode, State
from adapters.core.profile import OperationProfile
from gateway.outbox.projecting import Link
from gateway.outbox.repository import Claimed, Lane, LaneResult, Outbox, Refusal
from gateway.outbox.retry import Accept, Halve, Pause, Refuse, Retry, backoff, decide
from gateway.outbox.settler import Settler
from mappings.report import Issue, Refused

log = structlog.get_logger("outbox")

POLL = 0.5
"""Seconds between two looks for due work when nobody wakes the worker."""

GATHER = 0.015
"""Seconds that a woken worker waits, so that what is written in one breath is claimed together."""

WAITING = timedelta(seconds=0.5)
"""After which an item is looked at again that waits for another operation."""

FAILURES_BEFORE_REST = 5
"""Failed lanes in a row after which the whole operation rests: the hub is away, and each lane need not find out."""


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
        clock: Gives the present, aware.
    """

    def __init__(
        self,
        outbox: Outbox,
        link: Callable[[], Link | None],
        operation: OperationProfile,
        measures: Measures,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._outbox = outbox
        self._link = link
        self._operation = operation
        self._measures = measures
        self._clock = clock
        self._woken = asyncio.Event()
        self._lanes: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._rests_until: datetime | None = None
        present = self._present()
        followers = [one.name for one in present.adapter.profile.operations.values() if one.after == operation.name]
        self._settler = Settler(outbox, present.connection.id, operation.name, followers, self._measure)

    def wake(self) -> None:
        """Lets the worker look for work now."""
        self._woken.set()

    async def run(self) -> None:
        """Serves until cancelled; then finishes what is in flight."""
        try:
            while True:
                try:
                    more = await self._turn()
                except Exception:
                    log.exception("turn failed", operation=self._operation.name)
                    more = False
                if not more:
                    await self._wait()
        finally:
            if self._lanes:
                await asyncio.gather(*self._lanes, return_exceptions=True)

    def _present(self) -> Link:
        link = self._link()
        if link is None:
            raise LookupError("the connection is gone")
        return link

    async def _wait(self) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), POLL)
        except TimeoutError:
            return
        self._woken.clear()
        await asyncio.sleep(GATHER)

    async def _turn(self) -> bool:
        """Claims what there is room for; tells whether to claim again at once."""
        link = self._link()
        if link is None or link.connection.mode is Mode.OFF or link.connection.state is not State.READY:
            return False
        if self._rests_until is not None and self._clock() < self._rests_until:
            return False
        # After a rest a single lane tries whether the hub is back.
        room = (1 if self._rests_until is not None else self._operation.lanes_in_flight) - len(self._lanes)
        if room <= 0:
            return False
        if self._operation.full_load and await self._full_sync(link):
            return True
        lanes = await self._outbox.claim(
            link.connection.id,
            self._operation.name,
            link.connection.scope,
            max_items=self._operation.max_items,
            max_lanes=room,
        )
        blocked: frozenset[str] = frozenset()
        if lanes and self._operation.waits_for is not None:
            blocked = await self._outbox.blocked(link.connection.id, self._operation.waits_for)
        for lane in lanes:
            self._start(self._serve(link, lane, blocked))
        # Another claim at once only where this one left something for lanes that are free.
        return bool(lanes) and len(self._lanes) < self._operation.lanes_in_flight and self._rests_until is None

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._lanes.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._lanes.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                # The lease runs out, and whoever comes next does the work again.
                log.error("lane failed", operation=self._operation.name, exc_info=error)
            self._woken.set()

        task.add_done_callback(ended)

    async def _serve(self, link: Link, lane: Lane, blocked: frozenset[str]) -> None:
        result = LaneResult(lane)
        by_key = {claimed.item.key: claimed for claimed in lane.claimed}
        again = [claimed for claimed in lane.claimed if claimed.attempt is not None]
        fresh = [claimed.item for claimed in lane.claimed if claimed.attempt is None]
        if link.connection.mode is Mode.LIVE:
            for claimed in again:
                assert claimed.attempt is not None  # noqa: S101 - chosen by it
                told = replace(claimed, wanted=claimed.attempt_wanted)
                if not await self._make(link, result, claimed.attempt, {claimed.item.key: told}):
                    await self._give_up(link, result, by_key)
                    return
        if fresh:
            plan = self._plan(link, fresh, blocked)
            self._take(link, result, plan, by_key)
            for call in plan.calls:
                if link.connection.mode is Mode.SHADOW:
                    result.shadowed += [(by_key[one.item.key], one) for one in call.settles]
                elif not await self._make(link, result, call, by_key):
                    await self._give_up(link, result, by_key)
                    return
        await self._settler.settle(result)

    def _plan(self, link: Link, items: Sequence[Item], blocked: frozenset[str] = frozenset()) -> Plan:
        return link.adapter.plan(self._operation.name, items, blocked)

    def _take(self, link: Link, result: LaneResult, plan: Plan, by_key: dict[str, Claimed]) -> None:
        """Notes what needs no call."""
        if link.connection.mode is Mode.SHADOW:
            result.shadowed += [(by_key[one.item.key], one) for one in plan.unchanged]
        else:
            result.accepted += [(by_key[one.item.key], one) for one in plan.unchanged]
        self._count(link, "unchanged", len(plan.unchanged))
        for item, refused in plan.refused:
            result.refused.append(_refusal(by_key[item.key], refused))
        if plan.waiting:
            result.waiting += [by_key[item.key] for item in plan.waiting]
            result.waiting_until = self._clock() + WAITING

    async def _make(self, link: Link, result: LaneResult, call: Call, by_key: dict[str, Claimed]) -> bool:
        """Makes one call and notes what came of it; tells whether the lane may go on."""
        if self._operation.per_minute is not None:
            interval = timedelta(minutes=1) / self._operation.per_minute
            await asyncio.sleep(await self._outbox.pace(link.connection.id, self._operation.name, interval))
        outcome = await link.adapter.send(call)
        verdict = decide(
            outcome,
            size=len(call.settles),
            atomic=self._operation.atomic,
            attempts=result.lane.attempts,
            now=self._clock(),
            spread=random.uniform(0.5, 1),  # noqa: S311 - jitter
        )
        match verdict:
            case Accept():
                self._failures, self._rests_until = 0, None
                result.accepted += [(by_key[one.item.key], one) for one in call.settles]
                return True
            case Halve():
                return await self._halve(link, result, call.settles, by_key)
            case Refuse(code, reason):
                self._failures, self._rests_until = 0, None
                body = json.dumps(call.body, separators=(",", ":"))
                result.refused += [
                    Refusal(by_key[one.item.key], code, reason, "", body, one.issues) for one in call.settles
                ]
                # A call that settles nothing only made way; what it made way for says for itself whether it failed.
                return True
            case Retry(at, reason):
                self._failed(at, reason, result)
                if not self._operation.coalesce_attempted and len(call.settles) == 1:
                    result.attempts[call.settles[0].item.key] = call
                return False
            case Pause(reason):
                log.error("connection paused", connection=link.connection.name, why=reason)
                await self._outbox.pause(link.connection.id, reason)
                self._failed(self._clock(), reason, result)
                return False

    async def _halve(
        self, link: Link, result: LaneResult, rendered: Sequence[Rendered], by_key: dict[str, Claimed]
    ) -> bool:
        middle = len(rendered) // 2
        for half in (rendered[:middle], rendered[middle:]):
            for call in self._plan(link, [one.item for one in half]).calls:
                if not await self._make(link, result, call, by_key):
                    return False
        return True

    def _failed(self, at: datetime, reason: str, result: LaneResult) -> None:
        result.retry_at, result.error = at, reason
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_REST:
            self._rests_until = self._clock() + backoff(self._failures - FAILURES_BEFORE_REST, 1)

    async def _give_up(self, link: Link, result: LaneResult, by_key: dict[str, Claimed]) -> None:
        """Settles a lane that failed: what it did not come to is tried again with what failed."""
        settled = {claimed.item.key for claimed, _ in result.accepted}
        settled |= {one.claimed.item.key for one in result.refused} | {one.item.key for one in result.waiting}
        result.failed += [claimed for key, claimed in by_key.items() if key not in settled]
        self._count(link, "failed", len(result.failed))
        await self._settler.settle(result)

    async def _full_sync(self, link: Link) -> bool:
        """Replaces everything at the hub if that is due; tells whether it did something."""
        profile = link.adapter.profile
        place = (link.connection.id, self._operation.name)
        if link.connection.mode is not Mode.LIVE or not await self._outbox.full_sync_due(*place):
            return False
        lane = await self._outbox.claim_everything(*place, link.connection.scope, most=profile.full_load_max)
        if lane is None:
            return False
        self._start(self._replace(link, lane))
        return True

    async def _replace(self, link: Link, lane: Lane) -> None:
        result = LaneResult(lane)
        by_key = {claimed.item.key: claimed for claimed in lane.claimed}
        present = [claimed.item for claimed in lane.claimed if not claimed.item.gone]
        place = (link.connection.id, self._operation.name)
        if not present:
            # Too many for one request, or none: each is told again by itself, and what is gone is deleted by itself.
            await self._outbox.ask_again(*place)
        else:
            plan = link.adapter.plan(self._operation.name, present, full_load=True)
            result.refused += [_refusal(by_key[item.key], refused) for item, refused in plan.refused]
            for call in plan.calls:
                if not await self._make_whole(link, result, call, by_key):
                    return
            gone = [claimed for claimed in lane.claimed if claimed.item.gone]
            result.accepted += [(claimed, Rendered(claimed.item, b"", None)) for claimed in gone]
        await self._settler.settle(result)
        every = link.adapter.profile.full_sync_every or timedelta(days=36_500)
        await self._outbox.full_sync_done(*place, every)

    async def _make_whole(self, link: Link, result: LaneResult, call: Call, by_key: dict[str, Claimed]) -> bool:
        """Makes a call that must not be halved, since each half would delete the other."""
        outcome = await link.adapter.send(call)
        verdict = decide(outcome, size=1, atomic=False, attempts=result.lane.attempts, now=self._clock(), spread=1.0)
        match verdict:
            case Accept():
                result.accepted += [(by_key[one.item.key], one) for one in call.settles]
                return True
            case Refuse(code, reason):
                # Some record in it is faulty; told one by one, the batches find it.
                log.warning("full load refused", connection=link.connection.name, code=code, reason=reason)
                await self._outbox.ask_again(link.connection.id, self._operation.name)
                await self._outbox.full_sync_done(
                    link.connection.id, self._operation.name, link.adapter.profile.full_sync_every or timedelta(days=1)
                )
            case Pause(reason):
                await self._outbox.pause(link.connection.id, reason)
                self._failed(self._clock(), reason, result)
            case Retry(at, reason):
                self._failed(at, reason, result)
            case Halve():
                raise AssertionError("a batch that is not atomic is not halved")
        result.accepted, result.failed = [], []
        await self._settler.settle(result)
        return False

    def _count(self, link: Link, outcome: str, count: int) -> None:
        self._measures.settled(link.connection.hub, link.connection.name, self._operation.name, outcome, count)

    def _measure(self, result: LaneResult) -> None:
        """Reports a lane's results once they are durable."""
        link = self._link()
        if link is None:
            return
        self._count(link, "delivered", len(result.accepted))
        self._count(link, "refused", len(result.refused))
        self._count(link, "shadowed", len(result.shadowed))
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


def _refusal(claimed: Claimed, refused: Refused) -> Refusal:
    reason = refused.reason
    return Refusal(claimed, None, reason.detail, reason.field, None, refused.issues)
