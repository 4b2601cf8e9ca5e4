"""Serves one kind of message to one destination: claims, renders, sends, settles."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

import structlog

from adapters.core.outcomes import Delivered, Outcome, OutcomeUnknown
from gateway.outbox.delivery_store import Claimed, DeliveryStore, End, Result
from gateway.outbox.destinations import Destination, Place, Prepared, Sender
from gateway.outbox.retry import Accept, GiveUp, Pause, Refuse, Retry, decide_message
from gateway.outbox.settler import Settler
from gateway.outbox.worker import GATHER, POLL
from mappings.report import Issue, Refused

log = structlog.get_logger("outbox")

_UNSETTLED = 4
"""Ended requests that wait for the store, for each that may be in flight: while those are written, others are made."""


class Measures(Protocol):
    """What the worker reports for the metrics."""

    def message_settled(self, hub: str, connection: str, operation: str, outcome: str) -> None:
        """Counts one message: `delivered`, `refused`, `expired`, `shown`, `failed`."""

    def acknowledged(self, hub: str, connection: str, operation: str, seconds: float) -> None:
        """Takes the time from the acceptance of what is told to the acknowledgement."""

    def issue(self, protocol: str, issue: Issue, count: int = 1) -> None:
        """Counts what a translation lost."""


class MessageWorker:
    """Serves one kind of message to one destination until it is stopped.

    Args:
        followed: Called where a message of another operation comes next in a lane.
        clock: Gives the present, aware.
    """

    def __init__(
        self,
        deliveries: DeliveryStore,
        place: Place,
        destination: Destination,
        measures: Measures,
        followed: Callable[[], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._deliveries = deliveries
        self._place = place
        self._destination = destination
        self._measures = measures
        self._followed = followed
        self._clock = clock
        self._woken = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending = 0
        self._pacing = 0
        self._sender: Sender | None = None
        self._full = False
        self._settler: Settler[Result] = Settler(self._write, self._measure)

    def wake(self) -> None:
        """Lets the worker look for work now."""
        self._woken.set()

    def stop(self) -> None:
        """Lets the worker end: requests that are in flight end and are settled, no more begin."""
        self._destination.rests.stop()
        self._woken.set()

    async def run(self) -> None:
        """Serves until stopped. Cancelled instead, it leaves leases behind, which have to run out."""
        rests = self._destination.rests
        while not rests.stopping:
            try:
                more = await self._turn()
            except Exception:
                log.exception("turn failed", operation=self._place.operation)
                more = False
            if not more and not rests.stopping:
                await self._wait()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _wait(self) -> None:
        idle = not self._tasks
        try:
            async with asyncio.timeout(POLL):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()
        prompt = self._sender is not None and self._sender.profile.prompt
        if idle and not prompt:  # what is written in one breath is claimed together
            await asyncio.sleep(GATHER)

    async def _turn(self) -> bool:
        """Claims what there is room for; tells whether to claim again at once."""
        sender = self._destination.sender()
        rests = self._destination.rests
        if sender is None or rests.resting:
            return False
        self._sender = sender
        room = self._room(sender)
        # After a rest a single message tries whether the hub is back.
        recovering = rests.rests_until is not None
        if recovering:
            room = 1 if not self._tasks else 0
        self._full = room <= 0
        if self._full:
            return False
        claimed = await self._deliveries.claim(*self._place, most=room, live=sender.live)
        self._full = len(claimed) == room
        for one in claimed:
            self._start(sender, one)
        return self._full and not recovering

    def _room(self, sender: Sender) -> int:
        profile = sender.profile
        room = min(profile.in_flight - self._sending, profile.in_flight * (1 + _UNSETTLED) - len(self._tasks))
        if profile.per_minute is not None:
            # Whatever waits for its turn is in doubt should this process die: no more than goes within a second.
            room = min(room, max(profile.per_minute // 60, 1) - self._pacing)
        return room

    def _start(self, sender: Sender, claimed: Claimed) -> None:
        self._sending += 1
        task = asyncio.get_running_loop().create_task(self._deliver(sender, claimed))
        self._tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._deliveries.abandon(claimed)
            if not task.cancelled() and (error := task.exception()) is not None:
                # The lease runs out, and whoever comes next does the work again.
                log.error("message failed", operation=self._place.operation, exc_info=error)
            if self._full:  # there may be more that had no room
                self._woken.set()

        task.add_done_callback(ended)

    async def _deliver(self, sender: Sender, claimed: Claimed) -> None:
        try:
            result = await self._result(sender, claimed)
        finally:
            self._sending -= 1
            if self._full:
                self._woken.set()
        await self._settler.settle(result)

    async def _result(self, sender: Sender, claimed: Claimed) -> Result:
        prepared = self._prepared(sender, claimed)
        if isinstance(prepared, Result):
            return prepared
        self._pacing += 1
        try:
            await asyncio.sleep(await sender.turn())
        finally:
            self._pacing -= 1
        if self._expired(claimed) or not sender.lets():
            return Result(claimed)
        return await self._send(sender, claimed, prepared)

    def _prepared(self, sender: Sender, claimed: Claimed) -> Prepared | Result:
        """Renders a message; gives the result at once where nothing is to be sent."""
        if self._expired(claimed):
            return Result(claimed, End.EXPIRED, reason="nobody waits for it any more")
        try:
            prepared = sender.prepare(claimed)
        except Refused as refused:
            reason = refused.reason
            return Result(claimed, End.REFUSED, reason=reason.detail, field=reason.field, issues=refused.issues)
        except Exception as error:
            log.exception("not rendered", connection=sender.name, operation=self._place.operation)
            return Result(claimed, End.REFUSED, reason=f"the gateway failed to render it: {type(error).__name__}")
        if claimed.shadow:
            return Result(claimed, End.SHOWN, body=prepared.body, issues=prepared.issues)
        if not sender.live:
            return Result(claimed, body=prepared.body, issues=prepared.issues, previewed=True)
        return prepared

    async def _send(self, sender: Sender, claimed: Claimed, prepared: Prepared) -> Result:
        begun, rests = self._clock(), self._destination.rests
        outcome: Outcome
        try:
            outcome = await prepared.send()
        except Exception as error:
            log.exception("not told", connection=sender.name, operation=self._place.operation)
            outcome = OutcomeUnknown(f"the gateway failed: {type(error).__name__}")
        spread = random.uniform(0.5, 1)  # noqa: S311 - jitter
        doubtful = isinstance(outcome, OutcomeUnknown)
        match decide_message(outcome, attempts=claimed.attempts, now=self._clock(), spread=spread):
            case Accept():
                rests.succeeded()
                answer = outcome.answer if isinstance(outcome, Delivered) else None
                return Result(claimed, End.DELIVERED, tried=True, issues=prepared.issues, answer=answer)
            case Refuse(code, reason):
                rests.succeeded()
                return Result(
                    claimed,
                    End.REFUSED,
                    tried=True,
                    code=code,
                    reason=reason,
                    body=prepared.body,
                    issues=prepared.issues,
                )
            case GiveUp(reason):
                rests.succeeded()
                return Result(claimed, End.EXPIRED, tried=True, reason=reason, issues=prepared.issues)
            case Retry(at, reason, everywhere):
                rests.failed(begun, at, everywhere=everywhere)
                return Result(claimed, retry_at=at, vain=True, doubtful=doubtful, reason=reason)
            case Pause(reason):
                await sender.pause(reason)
                return Result(claimed, retry_at=self._clock(), vain=True, reason=reason)

    def _expired(self, claimed: Claimed) -> bool:
        return claimed.until is not None and claimed.until <= self._clock()

    async def _write(self, results: Sequence[Result]) -> Sequence[Result]:
        written = await self._deliveries.settle(results)
        if self._place.operation in written.nexts:
            self._woken.set()
        if written.nexts - {self._place.operation}:
            self._followed()
        return written.results

    def _measure(self, result: Result) -> None:
        """Reports a result once it is durable."""
        sender = self._sender
        if sender is None or (result.end is None and not result.vain):
            return
        place = (sender.hub, sender.name, self._place.operation)
        self._measures.message_settled(*place, result.end.value if result.end is not None else "failed")
        if result.end is End.DELIVERED:
            self._measures.acknowledged(*place, (self._clock() - result.claimed.since).total_seconds())
        for issue in result.issues:
            self._measures.issue(sender.protocol, issue)
