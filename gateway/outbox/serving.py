"""Serves one leased lane: plans, calls, and notes what came of it."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from adapters.core.adapter import Call, Item, Plan, Rendered
from adapters.core.connection import Mode
from adapters.core.outcomes import OutcomeUnknown
from adapters.core.profile import OperationProfile
from gateway.outbox.gate import Gate
from gateway.outbox.projecting import Link
from gateway.outbox.repository import Claimed, Lane, LaneResult, Outbox, Refusal
from gateway.outbox.retry import Accept, Forget, Halve, Pause, Refuse, Retry, Verdict, backoff, decide
from mappings.report import Refused

log = structlog.get_logger("outbox")

_FORGETTINGS = 5
"""How often in a row a lane is told anew, whole, to a hub that says it does not know the object; then it is refused."""

_GLANCE = 0.5
"""Seconds between two looks whether somebody wants a lane to end that waits for its turn."""

_WAITING = timedelta(seconds=0.5)
_LONGEST_WAITING = timedelta(seconds=10)


class Serving:
    """One lane at work.

    Args:
        blocked: Pending keys of the operation that this one waits for.
        clock: Gives the present, aware.
    """

    def __init__(
        self,
        outbox: Outbox,
        link: Link,
        operation: OperationProfile,
        lane: Lane,
        gate: Gate,
        clock: Callable[[], datetime],
        blocked: frozenset[str] = frozenset(),
    ) -> None:
        self._outbox = outbox
        self._link = link
        self._operation = operation
        self._gate = gate
        self._clock = clock
        self._blocked = blocked
        self._by_key = {claimed.item.key: claimed for claimed in lane.claimed}
        self._result = LaneResult(lane)

    async def serve(self) -> LaneResult:
        """Tells the hub what was claimed; gives what is to be written."""
        claimed = self._result.lane.claimed
        if self._link.connection.mode is Mode.SHADOW:
            await self._show([one.item for one in claimed])
        elif not await self._repeat() or not await self._tell([one.item for one in claimed if one.attempt is None]):
            self._give_up()
        return self._result

    async def replace(self) -> LaneResult:
        """Gives the hub everything in one request, which replaces whatever it has.

        It is not halved, since each half would delete the other; refused, the caller tells record by record.
        """
        items = [claimed.item for claimed in self._result.lane.claimed]
        # Rendering a whole network takes seconds, in which the loop has others to serve.
        plan = await asyncio.to_thread(self._link.adapter.plan, self._operation.name, items, full_load=True)
        self._take(plan)
        for call in plan.calls:
            match await self._make(call, size=1, atomic=False):
                case Accept():
                    self._accept(call)
                    self._result.replaced = True
                case None | Retry() | Pause():
                    self._give_up()
                    break
                case Refuse(code, reason) | Forget(code, reason):
                    log.warning("full load refused", connection=self._link.connection.name, code=code, reason=reason)
                    break
        return self._result

    async def _repeat(self) -> bool:
        """Makes the calls again that failed and must go out before anything newer; False where the lane has to stop."""
        for claimed in self._result.lane.claimed:
            if claimed.attempt is not None:
                self._by_key[claimed.item.key] = replace(claimed, wanted=claimed.attempt_wanted)
                if not await self._follow(claimed.attempt, iter(())):
                    return False
        return True

    async def _tell(self, items: Sequence[Item]) -> bool:
        """Plans and makes the calls for some items; False where the lane has to stop."""
        plan = await self._planned(items)
        self._take(plan)
        calls = iter(plan.calls)
        for call in calls:
            if not await self._follow(call, calls):
                return False
        return True

    async def _follow(self, call: Call, rest: Iterator[Call]) -> bool:
        """Makes a call and does what follows from its outcome; False where the lane has to stop."""
        match await self._make(call, size=len(call.settles), atomic=self._operation.atomic):
            case Accept():
                self._accept(call)
            case Halve():
                return await self._halve(call)
            case Refuse() | Forget() as verdict if not call.settles:
                # It made way for another call, which makes no sense now: what that one was to settle is refused, found
                # one by one if they are several.
                target = next((one for one in rest if one.settles), None)
                if target is not None and len(target.settles) > 1:
                    return await self._halve(target)
                if target is not None:
                    self._refuse(target, verdict)
            case Refuse() | Forget() as verdict:
                self._refuse(call, verdict)
            case None | Retry() | Pause():
                return False
        return True

    async def _halve(self, call: Call) -> bool:
        items = [one.item for one in call.settles]
        middle = len(items) // 2
        return await self._tell(items[:middle]) and await self._tell(items[middle:])

    async def _make(self, call: Call, *, size: int, atomic: bool) -> Verdict | None:
        """Makes one call; gives None, and makes none, where none may be made any more."""
        await self._pace()
        if not self._gate.lets(self._link):
            return None
        begun = self._clock()
        outcome = await self._link.adapter.send(call)
        verdict = decide(
            outcome,
            size=size,
            atomic=atomic,
            attempts=self._result.lane.attempts,
            now=self._clock(),
            spread=random.uniform(0.5, 1),  # noqa: S311 - jitter
        )
        match verdict:
            case Retry(at, reason, everywhere):
                self._result.retry_at, self._result.error = at, reason
                self._gate.failed(begun, at, everywhere=everywhere)
                if isinstance(outcome, OutcomeUnknown):
                    self._result.doubtful |= {one.item.key for one in call.settles}
                if not self._operation.coalesce_attempted and len(call.settles) == 1:
                    self._result.attempts[call.settles[0].item.key] = call
            case Pause(reason):
                self._result.retry_at, self._result.error = self._clock(), reason
                await self._gate.pause(self._link, reason)
            case _:
                self._gate.succeeded()
        return verdict

    async def _pace(self) -> None:
        """Waits for the operation's turn, where the hub names a limit; no longer than a call may be made at all."""
        interval, place = self._operation.interval, (self._link.connection.id, self._operation.name)
        if interval is None:
            return
        if not self._operation.slow:
            await asyncio.sleep(await self._outbox.pace(*place, interval))
            return
        while self._gate.lets(self._link):
            if not (seconds := await self._outbox.turn(*place, interval)):
                return
            await asyncio.sleep(min(seconds, _GLANCE))

    async def _planned(self, items: Sequence[Item]) -> Plan:
        # A slow operation says much at once, and has time for it; the loop has others to serve.
        return await asyncio.to_thread(self._plan, items) if self._operation.slow else self._plan(items)

    def _plan(self, items: Sequence[Item]) -> Plan:
        """Plans; what makes the adapter stumble is refused, so that it does not keep everything else from the hub."""
        if not items:
            return Plan()
        try:
            return self._link.adapter.plan(self._operation.name, items, self._blocked)
        except Exception as error:
            if len(items) == 1:
                log.exception("not rendered", connection=self._link.connection.name, operation=self._operation.name)
                return Plan(refused=[(items[0], Refused("", f"the gateway failed to render it: {error!r}"))])
            middle = len(items) // 2
            first, second = self._plan(items[:middle]), self._plan(items[middle:])
            return Plan(
                first.calls + second.calls,
                first.unchanged + second.unchanged,
                first.refused + second.refused,
                first.waiting + second.waiting,
            )

    def _take(self, plan: Plan) -> None:
        """Notes what needs no call."""
        self._result.accepted += self._pairs(plan.unchanged)
        self._result.unchanged += len(plan.unchanged)
        self._result.refused += [self._refusal(item, refused) for item, refused in plan.refused]
        if plan.waiting:
            waiting = [self._by_key[item.key] for item in plan.waiting]
            now = self._clock()
            # The longer something waits, the less often it is looked at.
            waited = now - max(claimed.since for claimed in waiting)
            self._result.waiting += waiting
            self._result.waiting_until = now + min(max(waited / 4, _WAITING), _LONGEST_WAITING)

    async def _show(self, items: Sequence[Item]) -> None:
        plan = await self._planned(items)
        self._result.refused += [self._refusal(item, refused) for item, refused in plan.refused]
        self._result.shadowed += self._pairs(plan.unchanged)
        # What waits for another operation is shown all the same: that operation is only shown, too.
        for call in plan.calls:
            self._result.shadowed += self._pairs([one for one in call.settles if one.refused is None])
            self._result.refused += self._withdrawn(call)
        self._result.shadowed += self._pairs([Rendered(item, b"", None) for item in plan.waiting])

    def _accept(self, call: Call) -> None:
        self._result.accepted += self._pairs(call.settles)
        self._result.refused += self._withdrawn(call)

    def _withdrawn(self, call: Call) -> list[Refusal]:
        """Gives what the hub has no longer because it cannot be said as it is now."""
        return [self._refusal(one.item, one.refused) for one in call.settles if one.refused is not None]

    def _refuse(self, call: Call, verdict: Refuse | Forget) -> None:
        body = json.dumps(call.body, separators=(",", ":"))
        refusals = [
            Refusal(self._by_key[one.item.key], verdict.code, verdict.reason, "", body, one.issues)
            for one in call.settles
        ]
        attempts = self._result.lane.attempts
        if isinstance(verdict, Forget) and attempts < _FORGETTINGS:
            self._result.forgotten += refusals
            # The lane rests, so that a hub that never knows what it accepted is not asked without end.
            self._result.retry_at, self._result.error = self._clock() + backoff(attempts, 0.5), verdict.reason
        else:
            self._result.refused += refusals

    def _refusal(self, item: Item, refused: Refused) -> Refusal:
        reason = refused.reason
        return Refusal(self._by_key[item.key], None, reason.detail, reason.field, None, refused.issues)

    def _pairs(self, rendered: Sequence[Rendered]) -> list[tuple[Claimed, Rendered]]:
        return [(self._by_key[one.item.key], one) for one in rendered]

    def _give_up(self) -> None:
        """Where the lane failed, what it did not come to is tried again with what failed; else it just stays due."""
        result = self._result
        if result.retry_at is None:
            return
        settled = {claimed.item.key for claimed, _ in result.accepted}
        settled |= {one.claimed.item.key for one in (*result.refused, *result.forgotten)}
        settled |= {one.item.key for one in result.waiting}
        result.failed += [claimed for claimed in result.lane.claimed if claimed.item.key not in settled]
