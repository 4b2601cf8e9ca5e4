"""Hears what other replicas notify, on a connection of its own, which PgBouncer in transaction mode cannot give."""

import asyncio
from collections.abc import Callable, Mapping

import asyncpg
import structlog

from gateway.store.pool import Store

log = structlog.get_logger(__name__)

AGAIN = 1.0
"""Seconds after which a broken connection is made anew; whoever listens polls behind it."""


class Listening:
    """Calls whoever wants to hear of a channel, in the event loop, with what was notified.

    Args:
        heard: By channel.
    """

    def __init__(self, store: Store, heard: Mapping[str, Callable[[str], None]]) -> None:
        self._store = store
        self._heard = heard
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts listening."""
        self._task = asyncio.get_running_loop().create_task(self._listen())

    async def stop(self) -> None:
        """Stops listening."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def notify(self, channel: str, payload: str = "") -> None:
        """Tells every replica, this one included; quietly lost if the store cannot be reached."""
        try:
            await self._store.execute("SELECT pg_notify($1, $2)", channel, payload)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("not notified", channel=channel, error=str(error))

    async def _listen(self) -> None:
        while True:
            try:
                connection = await asyncpg.connect(self._store.url)
                try:
                    for channel in self._heard:
                        await connection.add_listener(channel, self._told)
                    closed = asyncio.Event()
                    connection.add_termination_listener(lambda *_, closed=closed: closed.set())
                    await closed.wait()
                finally:
                    await connection.close(timeout=1)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("not listening", error=str(error))
            await asyncio.sleep(AGAIN)

    def _told(self, _connection: object, _process: int, channel: str, payload: object) -> None:
        self._heard[channel](str(payload))
