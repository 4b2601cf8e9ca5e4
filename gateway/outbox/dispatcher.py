"""Runs a worker for each operation of each connection, and wakes them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg
import structlog

from gateway.outbox.projecting import Link
from gateway.outbox.repository import Outbox
from gateway.outbox.worker import Measures, Worker
from gateway.services.links import Links
from gateway.store.pool import Store

log = structlog.get_logger("outbox")

CHANNEL = "roamgate"
NOTIFY_EVERY = 0.1
"""Seconds between two notifications of one process, however much it writes."""

STOP = 25.0
"""Seconds that calls in flight may take to end when the process shall; orchestrators kill after 30."""

REFRESH = 1.0
"""Seconds between two looks at the connections."""


class Dispatcher:
    """Serves every connection of `links` until it is stopped."""

    def __init__(self, store: Store, outbox: Outbox, links: Links, measures: Measures) -> None:
        self._store = store
        self._outbox = outbox
        self._links = links
        self._measures = measures
        self._workers: dict[tuple[int, str], tuple[Worker, asyncio.Task[None]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._written = asyncio.Event()

    def wake(self) -> None:
        """Tells the workers here at once, and soon those of the other replicas, that there is something to tell."""
        for worker, _ in self._workers.values():
            worker.wake()
        self._written.set()

    @property
    def running(self) -> bool:
        """Whether every task that should run does."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    async def start(self) -> None:
        """Starts serving."""
        await self._links.refresh()
        self._employ()
        self._links.when_changed(self._changed)
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._supervise()),
            loop.create_task(self._extend()),
            loop.create_task(self._notify()),
            loop.create_task(self._listen()),
        ]

    async def stop(self) -> None:
        """Lets the calls end that are in flight, then stops."""
        self._links.when_changed(None)
        working = [task for _, task in self._workers.values()]
        for worker, _ in self._workers.values():
            worker.stop()
        if working:
            await asyncio.wait(working, timeout=STOP)
        # Leases were extended until here. What is still under way is given up, and done again once its lease runs out.
        for task in (*self._tasks, *working):
            task.cancel()
        await asyncio.gather(*self._tasks, *working, return_exceptions=True)
        self._tasks, self._workers = [], {}

    def _changed(self) -> None:
        self._employ()
        self._told()

    def _employ(self) -> None:
        """Starts a worker for each operation that has none, and lets those go whose connection is gone."""
        wanted = {
            (link.connection.id, operation.name): operation
            for link in self._links.all()
            for operation in link.adapter.profile.operations.values()
        }
        for place in self._workers.keys() - wanted.keys():
            self._workers.pop(place)[0].stop()
        for place, operation in wanted.items():
            if place in self._workers:
                continue
            find = _finder(self._links, place[0])
            worker = Worker(self._outbox, find, operation, self._measures, self._links.refresh)
            self._workers[place] = (worker, asyncio.get_running_loop().create_task(worker.run()))

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(REFRESH)
            try:
                await self._links.refresh()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("connections not read", error=str(error))
            except Exception:
                log.exception(
                    "connections not read"
                )  # one that cannot be built shall not end the service of the others

    async def _extend(self) -> None:
        while True:
            await asyncio.sleep(self._outbox.lease.total_seconds() / 3)
            try:
                await self._outbox.extend()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("leases not extended", error=str(error))

    async def _notify(self) -> None:
        while True:
            await self._written.wait()
            self._written.clear()
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):  # polling stands behind it
                await self._store.execute(f"NOTIFY {CHANNEL}")
            await asyncio.sleep(NOTIFY_EVERY)

    async def _listen(self) -> None:
        """Listens on a connection of its own, which PgBouncer in transaction mode cannot give."""
        while True:
            try:
                connection = await asyncpg.connect(self._store.url)
                try:
                    await connection.add_listener(CHANNEL, lambda *_: self._told())
                    closed = asyncio.Event()
                    connection.add_termination_listener(lambda *_, closed=closed: closed.set())
                    await closed.wait()
                finally:
                    await connection.close(timeout=1)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("not listening", error=str(error))
                await asyncio.sleep(REFRESH)

    def _told(self) -> None:
        for worker, _ in self._workers.values():
            worker.wake()


def _finder(links: Links, connection_id: int) -> Callable[[], Link | None]:
    return lambda: links.get(connection_id)
