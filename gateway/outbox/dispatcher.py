"""Runs a worker for each operation of each connection, and for whatever else messages go to, and wakes them."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import NamedTuple, Protocol
from uuid import uuid4

import asyncpg
import structlog

from gateway.outbox import message_worker, worker
from gateway.outbox.delivery_store import DeliveryStore
from gateway.outbox.destinations import Place, Source
from gateway.outbox.message_worker import MessageWorker
from gateway.outbox.projecting import Link
from gateway.outbox.repository import Outbox
from gateway.outbox.worker import Worker
from gateway.services.links import Links
from gateway.store.listening import Listening
from gateway.store.pool import Store

log = structlog.get_logger("outbox")

CHANNEL = "roamgate"
NOTIFY_EVERY = 0.1
"""Seconds between two notifications of one process, however much it writes."""

STOP = 25.0
"""Seconds that calls in flight may take to end when the process shall; orchestrators kill after 30."""

REFRESH = 1.0
"""Seconds between two looks at the connections."""

CLEANING = 600.0
"""Seconds between two looks for deliveries that are kept no longer."""

BEGINNING = 30.0
"""Seconds between two looks for tariffs that began or ended meanwhile."""

_CLEANED = 1_000
"""Most deliveries that are deleted in one transaction."""


class Measures(worker.Measures, message_worker.Measures, Protocol):
    """What the workers report for the metrics."""


class Works(Protocol):
    """A worker of either kind."""

    def wake(self) -> None:
        """Lets it look for work now."""

    def stop(self) -> None:
        """Lets it end."""

    async def run(self) -> None:
        """Serves until stopped."""


class Post(NamedTuple):
    """Where a worker works.

    Attributes:
        messages: Whether it tells messages; else projections.
    """

    messages: bool
    place: Place


class Dispatcher:
    """Serves every connection of `links`, and every place of `sources`, until it is stopped.

    Args:
        sources: Where messages go.
        keep: How long deliveries are kept that are settled.
    """

    def __init__(
        self,
        store: Store,
        outbox: Outbox,
        deliveries: DeliveryStore,
        links: Links,
        sources: Sequence[Source],
        measures: Measures,
        keep: timedelta,
    ) -> None:
        self._store = store
        self._outbox = outbox
        self._deliveries = deliveries
        self._links = links
        self._sources = sources
        self._measures = measures
        self._keep = keep
        self._workers: dict[Post, tuple[Works, asyncio.Task[None]]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._written = asyncio.Event()
        self._name = uuid4().hex
        self._listening = Listening(store, {CHANNEL: self._heard})

    def wake(self) -> None:
        """Lets every worker here look at once, and soon those of the other replicas, since the network changed."""
        self._told()
        self._written.set()

    def tell(self, *places: Place) -> None:
        """As `wake`, here only those who tell messages, at these places alone if any are named."""
        for post, (one, _) in self._workers.items():
            if post.messages and (not places or post.place in places):
                one.wake()
        self._written.set()

    @property
    def running(self) -> bool:
        """Whether every task that should run does."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    async def start(self) -> None:
        """Starts serving."""
        await self._links.refresh()
        await self._refresh_sources()
        self._employ()
        self._links.when_changed(self._changed)
        self._listening.start()
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._supervise()),
            loop.create_task(self._extend()),
            loop.create_task(self._notify()),
            loop.create_task(self._clean()),
            loop.create_task(self._begin()),
        ]

    async def stop(self) -> None:
        """Lets the calls end that are in flight, then stops."""
        self._links.when_changed(None)
        working = [task for _, task in self._workers.values()]
        for one, _ in self._workers.values():
            one.stop()
        if working:
            await asyncio.wait(working, timeout=STOP)
        # Leases were extended until here. What is still under way is given up, and done again once its lease runs out.
        for task in (*self._tasks, *working):
            task.cancel()
        await asyncio.gather(*self._tasks, *working, return_exceptions=True)
        await self._listening.stop()
        self._tasks, self._workers = [], {}

    def _changed(self) -> None:
        self._employ()
        self._told()

    def _employ(self) -> None:
        """Starts a worker wherever there is none, and lets those go whose place is gone."""
        wanted = self._posts()
        for post in self._workers.keys() - wanted.keys():
            self._workers.pop(post)[0].stop()
        for post, employ in wanted.items():
            if post not in self._workers:
                made = employ()
                self._workers[post] = (made, asyncio.get_running_loop().create_task(made.run()))

    def _posts(self) -> dict[Post, Callable[[], Works]]:
        """Gives where somebody shall work, with what makes the worker."""
        posts: dict[Post, Callable[[], Works]] = {}
        for link in self._links.all():
            for operation in link.adapter.profile.operations.values():
                find = _finder(self._links, link.connection.id)
                posts[Post(False, Place(link.connection.id, operation.name))] = partial(
                    Worker, self._outbox, find, operation, self._measures, self._links.refresh
                )
        for source in self._sources:
            for place in source.places():
                posts[Post(True, place)] = partial(self._teller, source, place)
        return posts

    def _teller(self, source: Source, place: Place) -> MessageWorker:
        followed = partial(self._wake_others, place)
        return MessageWorker(self._deliveries, place, source.destination(place), self._measures, followed)

    def _wake_others(self, of: Place) -> None:
        """Wakes who tells messages of other operations to the same destination."""
        for post, (one, _) in self._workers.items():
            if post.messages and post.place.destination == of.destination and post.place != of:
                one.wake()

    async def _refresh_sources(self) -> None:
        for source in self._sources:
            await source.refresh()

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(REFRESH)
            try:
                await self._links.refresh()
                await self._refresh_sources()
                self._employ()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("connections not read", error=str(error))
            except Exception:
                log.exception(
                    "connections not read"
                )  # one that cannot be built shall not end the service of the others

    async def _extend(self) -> None:
        while True:
            await asyncio.sleep(min(self._outbox.lease, self._deliveries.lease).total_seconds() / 3)
            try:
                await self._outbox.extend()
                await self._deliveries.extend()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("leases not extended", error=str(error))

    async def _clean(self) -> None:
        """Deletes what was settled long ago, some at a time, so that nobody waits for it."""
        while True:
            more = False
            try:
                more = await self._deliveries.clean(self._keep, _CLEANED) == _CLEANED
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("old deliveries not deleted", error=str(error))
            await asyncio.sleep(NOTIFY_EVERY if more else CLEANING)

    async def _begin(self) -> None:
        """Has tariffs told that begin or end, of which some hubs are told only what holds now."""
        while True:
            await asyncio.sleep(BEGINNING)
            try:
                if await self._outbox.in_and_out_of_force():
                    self._told()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("tariffs that begin not looked for", error=str(error))

    async def _notify(self) -> None:
        while True:
            await self._written.wait()
            self._written.clear()
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):  # polling stands behind it
                await self._store.execute("SELECT pg_notify($1, $2)", CHANNEL, self._name)
            await asyncio.sleep(NOTIFY_EVERY)

    def _heard(self, who: str) -> None:
        if who != self._name:  # here they know already
            self._told()

    def _told(self) -> None:
        for one, _ in self._workers.values():
            one.wake()


def _finder(links: Links, connection_id: int) -> Callable[[], Link | None]:
    return lambda: links.get(connection_id)
