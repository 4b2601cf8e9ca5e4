"""Prices CDRs anew as they come, beside everything else: few in the event loop, many in processes of their own."""

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import timedelta
from typing import Final, TypeAlias

import asyncpg
import structlog
from pydantic import JsonValue

from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.ports.repricing import RepricingState
from gateway.services.repricing.judging import Answer, Question, judge, judge_all
from gateway.services.repricing.reading import SQL, Asked, Terms, ask
from gateway.services.storing import columns
from gateway.services.waiting import Sweeper
from gateway.store.growth import Growth
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.ids import PartyId

log = structlog.get_logger(__name__)

Count: TypeAlias = Callable[[str, str, str, str], None]
"""Counts a CDR priced: hub and connection, empty where it does not roam; direction; outcome."""

EVERY: Final = 1.0
"""Seconds between two looks for CDRs to price."""

LACKING_EVERY: Final = 60.0
"""Seconds between two looks for CDRs that lacked a tariff or a time zone."""
AGAIN: Final = timedelta(hours=1)
"""How long one that was priced is left alone; as often are tariffs pulled."""
LASTS: Final = timedelta(days=1)
"""For how long after it came."""
BEHIND: Final = timedelta(seconds=10)
"""What has waited for so long says that the queue is behind."""

_FEW: Final = 200
"""CDRs that are priced in the event loop, a millisecond each, between which others have their turn."""
_BATCH: Final = 500
"""CDRs that a process is given at once."""
_LONG: Final = 20_000
"""Characters of a CDR that takes longer than a millisecond."""

_LACKING: Final = 5000
"""CDRs that are asked about at once."""

_GARBAGE: Final = 100_000
"""Objects after which a process that prices looks for cycles among them."""

_COLUMNS: Final = 23


class Repricer:
    """Takes CDRs off the queue; each replica takes others, and what a broken one had is taken again.

    Args:
        wake: Called after a commit that left events.
        count: Told of each CDR priced.
        processes: For many CDRs at once; they last as long as there are many. 0 for none.
    """

    def __init__(self, store: Store, terms: Terms, wake: Callable[[], None], count: Count, processes: int = 2) -> None:
        self._store = store
        self._terms = terms
        self._wake = wake
        self._count = count
        self._processes = processes
        self._growth = Growth(store)
        self._sweeper = Sweeper("pricing CDRs anew", EVERY, self.work)
        self._asker = Sweeper("asking anew for prices", LACKING_EVERY, self.ask_lacking)

    def start(self) -> None:
        """Starts."""
        self._sweeper.start()
        self._asker.start()

    async def stop(self) -> None:
        """Stops; what is being priced is priced again later."""
        await self._sweeper.stop()
        await self._asker.stop()

    async def ask_lacking(self) -> int:
        """Queues CDRs of the last day that lacked what may be known by now; gives how many."""
        return await self._store.execute(SQL["ask_lacking"], LASTS, AGAIN, _LACKING, BEHIND)

    async def work(self) -> int:
        """Prices all that waits, and gives how many CDRs that were."""
        done = few = await self._batch(None, _FEW)
        while 0 < few < _FEW:
            few = await self._batch(None, _FEW)
            done += few
        if not few:
            return done
        if not self._processes:
            return done + await self._drain(None)
        try:
            return done + await self._together()
        except BrokenProcessPool:
            log.warning("a process that prices CDRs ended; the event loop goes on")
            return done + await self._drain(None)

    async def _together(self) -> int:
        pool = _pool(self._processes)
        try:
            # One more than processes: while these compute, the next is read and written. Each holds a connection.
            several = min(self._processes + 1, max(self._store.size // 3, 1))
            drains = [self._drain(pool) for _ in range(several)]
            ended = await asyncio.gather(*drains, return_exceptions=True)
        finally:
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)
        for one in ended:
            if isinstance(one, BaseException):
                raise one
        return sum(one for one in ended if isinstance(one, int))

    async def again(self, subject: int) -> None:
        """Prices one CDR now, as if it came just now."""
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    claimed = await tx.fetch(SQL["claim_new"], subject)
                    asked, answers = await self._price(tx, claimed, None)
        self._done(asked, answers)

    async def _drain(self, pool: ProcessPoolExecutor | None) -> int:
        count = 0
        while done := await self._batch(pool, _BATCH):
            count += done
        return count

    async def _batch(self, pool: ProcessPoolExecutor | None, most: int) -> int:
        """Prices some, of which one that is broken beyond pricing stops no other; gives how many were taken."""
        try:
            return await self._some(pool, most)
        except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, BrokenProcessPool):
            raise
        except Exception as error:
            if most == 1:
                raise
            log.warning("CDRs could not be priced together", error=type(error).__name__)
            return await self._some(None, 1)

    async def _some(self, pool: ProcessPoolExecutor | None, most: int) -> int:
        priced: tuple[Asked, Sequence[Answer]] = Asked([], {}, {}), []
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    claimed = await tx.fetch(SQL["claim"], most)
                    if not claimed:
                        return 0
                    try:
                        async with tx.transaction():
                            priced = await self._price(tx, claimed, pool)
                    except (KeyError, ValueError, TypeError, asyncpg.DataError) as error:
                        if most > 1:
                            raise
                        # No traceback: it would show the CDR, and with it the driver's number.
                        log.error(  # noqa: TRY400
                            "a CDR cannot be priced", subject=claimed[0]["subject"], error=type(error).__name__
                        )
        self._done(*priced)
        await self._growth.note(repricing=len(priced[1]))
        return len(claimed)

    def _done(self, asked: Asked, answers: Sequence[Answer]) -> None:
        self._wake()
        for question, answer in zip(asked.questions, answers, strict=True):
            hub, connection = asked.connections[question.subject]
            self._count(hub, connection, "out" if question.subject > 0 else "in", answer.outcome.value)
            if answer.error is not None:
                log.error("a CDR could not be priced", cdr=question.cdr_id, cpo=question.cpo, error=answer.error)

    async def _price(
        self, tx: Transaction, claimed: Sequence[Record], pool: ProcessPoolExecutor | None
    ) -> tuple[Asked, Sequence[Answer]]:
        asked = await ask(tx, claimed, self._terms)
        answers = await self._judged(asked, pool)
        await _write(tx, asked, answers)
        return asked, answers

    async def _judged(self, asked: Asked, pool: ProcessPoolExecutor | None) -> Sequence[Answer]:
        if pool is not None:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(pool, judge_all, asked.questions, asked.versions)
        answers = []
        for question in asked.questions:
            if len(question.body) > _LONG:
                answers.append(await asyncio.to_thread(judge, question, asked.versions))
            else:
                answers.append(judge(question, asked.versions))
                await asyncio.sleep(0)
        return answers


def _pool(processes: int) -> ProcessPoolExecutor:
    # Not forked: a process with an event loop and threads cannot be copied as it runs.
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_prepared)


def _prepared() -> None:
    """Prepares a process that prices."""
    # The gateway ends its processes; a terminal interrupts all of them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_gateway, daemon=True).start()
    # What is made for a CDR ends with it: looking for cycles among it takes a sixth of the time.
    gc.freeze()
    gc.set_threshold(_GARBAGE)


def _end_with_the_gateway() -> None:
    """Ends this process once the gateway was killed: it holds both ends of its queue, and would wait for ever."""
    gateway = multiprocessing.parent_process()
    if gateway is not None:
        gateway.join()
        os._exit(1)


async def _write(tx: Transaction, asked: Asked, answers: Sequence[Answer]) -> None:
    if not answers:
        return
    subjects = [question.subject for question in asked.questions]
    before = {row["subject"]: row["state"] for row in await tx.fetch(SQL["lock_before"], subjects)}
    rows = await tx.fetch(SQL["write"], *columns([answer.row for answer in answers], _COLUMNS))
    written = {row["subject"]: row for row in rows}
    events = [
        _event(type_, question, written[question.subject])
        for question in asked.questions
        if question.subject in written
        and question.party is not None
        and (type_ := _told(question.subject, written[question.subject], before.get(question.subject))) is not None
    ]
    await append_events(tx, *events)


def _told(subject: int, row: Record, before: str | None) -> EventType | None:
    """Says what of a repricing is told: that a person has to decide, now or anew, or that nobody has to any more."""
    if row["state"] == RepricingState.OPEN and (row["changed"] or before != RepricingState.OPEN):
        return EventType.CDR_PRICE_DIFFERS if subject > 0 else EventType.RECEIVED_CDR_PRICE_DIFFERS
    if row["state"] == RepricingState.CLEAR and before not in {None, RepricingState.CLEAR}:
        return EventType.REPRICING_CLEARED
    return None


def _event(type_: EventType, question: Question, row: Record) -> Event:
    told = {
        "id": row["no"],
        "cpo": question.cpo,
        "cdr": question.cdr_id,
        "outcome": row["outcome"],
        "why": row["why"],
        "currency": question.currency,
        "told_net": row["told_net"],
        "net": row["net"],
        "difference_net": row["difference_net"],
    }
    data: dict[str, JsonValue] = {
        name: value if isinstance(value, str | int) else str(value) for name, value in told.items() if value is not None
    }
    return Event(type_, PartyId(question.party or ""), f"repricings/{row['no']}", data)
