"""Waiting for what any replica may write, and looking again and again for what nobody wrote."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Final, TypeVar

import asyncpg
import structlog

log = structlog.get_logger(__name__)

POLL: Final = 0.5
"""Seconds between two looks for an answer that nobody notified."""

T = TypeVar("T")


class Waiting:
    """Lets those who wait for an answer look at once when it is written, here or by a replica that notifies.

    Args:
        now: Gives the present, aware.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        # An event for each who waits: one who looks, or gives up, takes nothing from the others.
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def heard(self, id_: str) -> None:
        """Has whoever waits for something look at once."""
        for waiting in self._waiting.get(id_, ()):
            waiting.set()

    async def wait(self, id_: str, deadline: datetime, read: Callable[[], Awaitable[T | None]]) -> T | None:
        """Gives what is read as soon as there is something; None if there is nothing by the deadline.

        Args:
            id_: Of what is waited for.
            read: Looks for it.
        """
        waiting = asyncio.Event()
        self._waiting.setdefault(id_, set()).add(waiting)
        try:
            while True:
                waiting.clear()
                if (found := await read()) is not None:
                    return found
                left = (deadline - self._now()).total_seconds()
                if left <= 0:
                    return None
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(left, POLL)):
                        await waiting.wait()
        finally:
            others = self._waiting[id_]
            others.discard(waiting)
            if not others:
                del self._waiting[id_]


class Sweeper:
    """Does something again and again, whatever became of it the last time.

    Args:
        what: That is not done when it fails, for the log.
        every: Seconds between the end of one time and the beginning of the next.
        work: Does it.
    """

    def __init__(self, what: str, every: float, work: Callable[[], Awaitable[object]]) -> None:
        self._what = what
        self._every = every
        self._work = work
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Stops, in the middle of it too."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self._work()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning(f"{self._what} failed", error=str(error))
            except Exception:
                log.exception(f"{self._what} failed")
            await asyncio.sleep(self._every)
