"""What a person has to see to because nothing happened: sessions that never got a CDR."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.sessions.belonging import SQL
from gateway.services.waiting import Sweeper
from gateway.store.pool import Record, Store
from mappings.canonical.ids import PartyId

EVERY: Final = 60.0
"""Seconds between two looks."""

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Missing:
    """What may be missed.

    Attributes:
        statement: Notes, and gives, some of what is missed ($1: for longer than that; $2: how many at most), and nobody
            was told of; each replica takes others.
        after: For how long it may be away.
        event: What is told of a row; None where there is nobody to tell.
    """

    statement: str
    after: timedelta
    event: Callable[[Record], Event | None]


def own_sessions(after: timedelta) -> Missing:
    """Gives the sessions at own stations that ended longer ago, and have no CDR."""
    return Missing(SQL["awaiting_cdr"], after, _of_session)


def _of_session(row: Record) -> Event:
    return Event(
        EventType.SESSION_WITHOUT_CDR,
        PartyId(row["party"]),
        f"sessions/{row['party']}/{row['session_id']}",
        {"party": row["party"], "id": row["session_id"], "ended": row["ended_at"].isoformat()},
    )


class Alarms:
    """Looks for what is missed, and tells of each once, whichever replica finds it.

    Args:
        missing: What to look for.
        told: Called after a commit that left events.
    """

    def __init__(self, store: Store, missing: Sequence[Missing], told: Callable[[], None]) -> None:
        self._store = store
        self._missing = missing
        self._told = told
        self._sweeper = Sweeper("looking for missing CDRs", EVERY, self.look)

    def start(self) -> None:
        """Starts looking."""
        self._sweeper.start()

    async def stop(self) -> None:
        """Stops looking."""
        await self._sweeper.stop()

    async def look(self) -> int:
        """Tells of what is missed now, and gives how much there was."""
        return sum([await self._look(one) for one in self._missing])

    async def _look(self, missing: Missing) -> int:
        count = 0
        while True:
            async with self._store.transaction() as tx:
                rows = await tx.fetch(missing.statement, missing.after, _BATCH)
                events = [event for row in rows if (event := missing.event(row)) is not None]
                await append_events(tx, *events)
            count += len(rows)
            if rows:
                self._told()
            if len(rows) < _BATCH:
                return count
