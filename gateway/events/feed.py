"""The feed: events in one order, from which the backend reads on, and from which webhooks are told.

Positions are given to committed events, by one process at a time. So whoever has read up to a position has overlooked
nothing before it, however long the transactions took in which events were written.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import asyncpg
import structlog

from gateway.events.writing import EventType
from gateway.services.cursors import encode, number_of
from gateway.services.ports import Conflict, Parties
from gateway.services.ports.events import EventPage, FeedEvent
from gateway.store.pool import Store
from gateway.store.queries import Queries

log = structlog.get_logger(__name__)

SQL = Queries("gateway.events", "feed.sql")

CHANNEL: Final = "roamgate_events"
LATEST: Final = "latest"

POLL: Final = 0.5
"""Seconds between two looks for events when nobody wakes the feed."""

GATHER: Final = 0.1
"""Seconds between two looks at least, so that on a busy gateway many events get their positions together: what is done
for them is taken from drivers who wait."""

CONTESTED: Final = 0.02
"""Seconds after which to look again when another process was giving positions: it may have begun before our commit."""

BATCH: Final = 1000
FORGET_EVERY: Final = 600.0

# Any number, the same in every replica.
_LOCK: Final = 0x66656564


class Feed:
    """Gives events their positions, and reads them. Implements `ports.Events`.

    Args:
        told: Called when webhooks have something to be told.
        keep: How long events can be read.
    """

    def __init__(self, store: Store, told: Callable[[], None], keep: timedelta) -> None:
        self._store = store
        self._told = told
        self._keep = keep
        self._written = asyncio.Event()
        self._changed = asyncio.Event()
        self._last: int | None = None
        self._ended = False
        self._tasks: list[asyncio.Task[None]] = []

    def wake(self) -> None:
        """Has events placed that were just committed."""
        self._written.set()

    def heard(self) -> None:
        """Has readers look: a replica placed events."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def start(self) -> None:
        """Starts giving positions; replicas are told on `CHANNEL`, and call `heard`."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._run()), loop.create_task(self._forget())]

    async def stop(self) -> None:
        """Stops giving positions; what has none gets it from another process, or the next."""
        self.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    @property
    def changes(self) -> asyncio.Event:
        """See `ports.Events.changes`."""
        return self._changed

    @property
    def ended(self) -> bool:
        """See `ports.Events.ended`."""
        return self._ended

    def end(self) -> None:
        """See `ports.Events.end`."""
        self._ended = True
        self._changed.set()

    async def read(self, parties: Parties, after: str | None, type_: EventType | None, limit: int) -> EventPage:
        """See `ports.Events.read`."""
        if after == LATEST:
            return EventPage((), encode(str(await self._store.fetchval(SQL["last"]))))
        start = number_of(after, 0)
        names = None if parties is None else [party.normal for party in parties]
        rows = await self._store.fetch(SQL["read"], start, names, type_.value if type_ else None, limit)
        if after is not None and start < rows[0]["forgotten"]:
            raise Conflict("Events after this cursor are no longer kept; read what is there, and begin anew without it")
        events = [FeedEvent(encode(str(row["position"])), row["event"]) for row in rows if row["position"] is not None]
        # A page that is not full has everything up to the last position, of other parties and types too.
        reached = events[-1].cursor if len(events) == limit else encode(str(max(start, rows[0]["last"] or 0)))
        return EventPage(events, reached)

    async def place(self) -> int | None:
        """Gives positions to committed events; tells to how many, None while another process does."""
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", _LOCK):
                        return None
                    # A statement of its own, so that it sees what was committed before the lock was taken.
                    row = await tx.fetchrow(SQL["place"], BATCH, CHANNEL)
        if row is None or not row["placed"]:
            return 0
        self.heard()
        if row["told"]:
            self._told()
        return int(row["placed"])

    async def forget(self) -> int:
        """Removes some of the events that are older than they are kept for; tells how many."""
        return int(await self._store.fetchval(SQL["forget"], self._keep, 10 * BATCH))

    async def _run(self) -> None:
        while True:
            looked = time.monotonic()
            try:
                await self._look()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("events not placed", error=str(error))
            except Exception:
                log.exception("events not placed")
            with suppress(TimeoutError):
                # Not `wait_for`, which in Python 3.11 loses a cancellation that comes together with what is waited for:
                # this would go on for ever, and so would whoever stops it.
                async with asyncio.timeout(POLL):
                    await self._written.wait()
                await asyncio.sleep(max(looked + GATHER - time.monotonic(), 0.0))
                self._written.clear()

    async def _look(self) -> None:
        """Places what is unplaced, and notices what others placed."""
        while True:
            row = await self._store.fetchrow(SQL["unplaced"])
            if row is None:
                return
            if row["last"] != self._last:
                self._last = row["last"]
                self.heard()
            if not row["unplaced"]:
                return
            placed = await self.place()
            if placed is None:
                await asyncio.sleep(CONTESTED)
            elif placed < BATCH:
                return  # what came meanwhile woke us, and may gather

    async def _forget(self) -> None:
        while True:
            try:
                while await self.forget():
                    pass
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("events not forgotten", error=str(error))
            await asyncio.sleep(FORGET_EVERY)
