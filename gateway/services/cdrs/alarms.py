"""What a person has to see to because nothing happened: sessions that never got a CDR."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.sessions.belonging import SQL
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId

log = structlog.get_logger(__name__)

EVERY: Final = 60.0
"""Seconds between two looks."""

_BATCH: Final = 500


class Alarms:
    """Looks for sessions without CDR, and tells of each once, whichever replica finds it.

    Args:
        after: How long a session may be over before its CDR is missed.
        told: Called after a commit that left events.
    """

    def __init__(self, store: Store, after: timedelta, told: Callable[[], None]) -> None:
        self._store = store
        self._after = after
        self._told = told
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts looking."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stops looking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def look(self) -> int:
        """Tells of the sessions that are missed now, and gives how many there were."""
        count = 0
        while True:
            async with self._store.transaction() as tx:
                rows = await tx.fetch(SQL["awaiting_cdr"], self._after, _BATCH)
                events = [
                    Event(
                        EventType.SESSION_WITHOUT_CDR,
                        PartyId(row["party"]),
                        f"sessions/{row['party']}/{row['session_id']}",
                        {"party": row["party"], "id": row["session_id"], "ended": row["ended_at"].isoformat()},
                    )
                    for row in rows
                ]
                await append_events(tx, *events)
            count += len(rows)
            if rows:
                self._told()
            if len(rows) < _BATCH:
                return count

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:
                log.warning("no look for missing CDRs", exc_info=True)
            await asyncio.sleep(EVERY)
