"""Pulls what hubs have for our drivers, when it is due; one replica at a time pulls a feed."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol

import asyncpg
import structlog
from pydantic import TypeAdapter

from adapters.core.connection import Mode, State
from adapters.core.roaming import FeedKind, FeedProfile
from gateway.outbox.projecting import Link
from gateway.services.links import SQL as CONNECTIONS
from gateway.services.links import Links
from gateway.services.ports import NotFound
from gateway.services.ports.pulls import PullOutcome, PullReport, PullView
from gateway.services.pulling.ending import end
from gateway.services.pulling.one_pull import OnePull, Pulled, Sink
from gateway.services.pulling.seen import Print
from gateway.store.pool import Record, Store
from gateway.store.queries import Queries

SQL = Queries("gateway.services.pulling", "pulling.sql")

EVERY: Final = 1.0
"""Seconds between two looks at what is due."""

LEASE: Final = timedelta(seconds=30)
_SOON: Final = timedelta(minutes=5)
"""After which a pull that failed often, or was not settled once, is tried again."""

_LONGEST_REST: Final = timedelta(hours=6)
"""For how long a feed rests at most because its hub asked for that."""

_REPORT: Final = TypeAdapter(PullReport)
_log = structlog.get_logger(__name__)


class Pace(Protocol):
    """The budget of requests that all replicas share; `outbox.repository.Outbox` has it."""

    async def pace(self, connection_id: int, operation: str, interval: timedelta) -> float:
        """Reserves the next request and gives the seconds to wait for it."""


class Measures(Protocol):
    """Where pulls are counted."""

    def pulled(self, hub: str, connection: str, operation: str, outcome: str, seconds: float) -> None:
        """Counts a pull that ended."""


class LeaseLost(Exception):
    """Somebody else pulls this feed by now, or its connection was removed."""


class Superseded(Exception):
    """The connection is no longer to be pulled, or not by this adapter: its cursors mean nothing to another one."""


class Pulling:
    """Pulls every feed of every live connection when it is due, and implements `ports.pulls.Pulls`.

    In shadow mode nothing is pulled: to ask is to send, it takes of what the hub permits, and what came (a CDR) would
    be told to the backend as the truth.

    Args:
        sink: By kind of feed, where records go.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        pace: Pace,
        sinks: Callable[[FeedKind], Sink],
        measures: Measures,
        holder: str,
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._links, self._pace, self._sinks = store, links, pace, sinks
        self._measures, self._holder, self._now = measures, holder, now
        self._due = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._pulls: set[asyncio.Task[None]] = set()
        self._unsettled: dict[tuple[int, str, bool], Print] = {}

    def start(self) -> None:
        """Starts looking for what is due."""
        self._looking = asyncio.get_running_loop().create_task(self._look())

    async def stop(self) -> None:
        """Stops; what is under way is given up, and pulled again by whoever is there."""
        if self._looking is not None:
            await end([self._looking])
        await end(self._pulls)
        self._looking = None

    async def list(self) -> Sequence[PullView]:
        """See `ports.pulls.Pulls.list`."""
        await self._ensure()
        return [_view(row) for row in await self._store.fetch(SQL["list"])]

    async def ask(self, connection: str, feed: str, *, full: bool, who: str) -> PullView:
        """See `ports.pulls.Pulls.ask`."""
        link = self._links.by_name(connection)
        if link is None:
            raise NotFound(f"There is no connection {connection}")
        if feed not in link.adapter.roaming.feeds:
            raise NotFound(f"{connection} has no feed {feed}")
        await self._ensure()
        async with self._store.transaction() as tx:
            await tx.execute(SQL["ask"], link.connection.id, feed, full)
            detail = json.dumps({"feed": feed, "full": full})
            await tx.execute(CONNECTIONS["audit"], who, "asked to pull", f"connection/{connection}", detail)
            # As it was asked for: once others see it, the pull may be over, and `next_at` that of the one after it.
            views = [_view(row) for row in await tx.fetch(SQL["list"])]
        self._due.set()
        return next(view for view in views if (view.connection, view.feed) == (connection, feed))

    def _feeds(self) -> Sequence[tuple[Link, FeedProfile]]:
        return [
            (link, feed)
            for link in self._links.all()
            if _may_be_pulled(link)
            for feed in link.adapter.roaming.feeds.values()
        ]

    async def _ensure(self) -> None:
        feeds = [(link.connection.id, name) for link in self._links.all() for name in link.adapter.roaming.feeds]
        await self._store.execute(SQL["ensure"], [number for number, _ in feeds], [name for _, name in feeds])

    async def _look(self) -> None:
        while True:
            try:
                await self._begin()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("no look at what is to be pulled", error=str(error))
            except Exception:  # noqa: BLE001 - whatever it was, the next look may succeed
                _log.exception("no look at what is to be pulled")
            with contextlib.suppress(TimeoutError):
                # Not wait_for, which in Python 3.11 can swallow the cancellation that stops this.
                async with asyncio.timeout(EVERY):
                    await self._due.wait()
            self._due.clear()

    async def _begin(self) -> None:
        """Takes up all that is due."""
        feeds = self._feeds()
        if not feeds:
            return
        await self._ensure()
        columns = (
            [link.connection.id for link, _ in feeds],
            [feed.name for _, feed in feeds],
            [feed.after for _, feed in feeds],
        )
        while (row := await self._store.fetchrow(SQL["claim"], *columns, self._holder, LEASE)) is not None:
            link, feed = next(
                (link, feed)
                for link, feed in feeds
                if (link.connection.id, feed.name) == (row["connection_id"], row["feed"])
            )
            task = asyncio.get_running_loop().create_task(self._pull(link, feed, row))
            self._pulls.add(task)
            task.add_done_callback(self._pulls.discard)

    async def _pull(self, link: Link, feed: FeedProfile, row: Record) -> None:
        connection, fence = link.connection, row["fence"]
        try:
            async with self._held(fence):
                pulled = await self._pulled(link, feed, row)
            await self._write(fence, feed, row, pulled)
        except LeaseLost:
            return
        except (Superseded, asyncio.CancelledError) as given_up:
            # Not until the lease runs out, so that whoever is there takes it up.
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._store.execute(SQL["released"], fence)
            if isinstance(given_up, asyncio.CancelledError):
                raise
            return
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("a pull is not noted", connection=connection.name, feed=feed.name, error=str(error))
            return
        outcome, seconds = pulled.report.outcome, (self._now() - row["began"]).total_seconds()
        self._measures.pulled(connection.hub, connection.name, feed.name, outcome.value, seconds)

    async def _pulled(self, link: Link, feed: FeedProfile, row: Record) -> Pulled:
        connection, fence, began = link.connection, row["fence"], row["began"]
        since = _since(row, feed, began)

        def current() -> None:
            now = self._links.get(connection.id)
            if now is None or now.adapter is not link.adapter or not _may_be_pulled(now):
                raise Superseded

        async def progress(report: PullReport) -> None:
            if not await self._store.fetchval(SQL["progress"], fence, _dump(report), LEASE):
                raise LeaseLost
            current()

        async def paced() -> None:
            if feed.per_minute is not None:
                interval = timedelta(minutes=1) / feed.per_minute
                await asyncio.sleep(await self._pace.pace(connection.id, feed.name, interval))
            current()

        one = OnePull(connection, link.adapter, feed, self._sinks(feed.kind), paced, progress, self._now)
        what = (connection.id, feed.name, since is None)
        before = self._unsettled.pop(what, None)
        try:
            pulled = await one.run(began, since, before, known=row["full_at"] is not None)
        except (LeaseLost, Superseded):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the feed is tried again
            current()  # whose adapter was closed under it
            _log.exception("pull failed", connection=connection.name, feed=feed.name)
            report = PullReport(PullOutcome.FAILED, since is None, began, self._now(), error=type(error).__name__)
            return Pulled(report)
        if pulled.unsettled is not None:
            self._unsettled[what] = pulled.unsettled
        return pulled

    @contextlib.asynccontextmanager
    async def _held(self, fence: int) -> AsyncIterator[None]:
        """Extends the lease while the block runs, however long the hub lets us wait; ends it once the lease is lost.

        Raises:
            LeaseLost: It was lost on the way.
        """
        holder, lost = asyncio.current_task(), False

        async def extend() -> None:
            nonlocal lost
            while not lost:
                await asyncio.sleep(LEASE.total_seconds() / 3)
                with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    lost = not await self._store.fetchval(SQL["extend"], fence, LEASE)
            if holder is not None:
                holder.cancel()

        task = asyncio.get_running_loop().create_task(extend())
        try:
            yield
        except asyncio.CancelledError:
            if lost and holder is not None and holder.uncancel() == 0:
                raise LeaseLost from None
            raise
        finally:
            await end([task])

    async def _write(self, fence: int, feed: FeedProfile, row: Record, pulled: Pulled) -> None:
        began, report = row["began"], _dump(pulled.report)
        if pulled.report.outcome is PullOutcome.DONE:
            full_at = began if pulled.report.full else None
            await self._store.fetchval(SQL["succeeded"], fence, began, full_at, feed.every, report)
        else:
            # What was asked for by a person is asked for again as it was: `full_asked` stays.
            rest = _rest(feed, pulled, row["failures"])
            await self._store.fetchval(SQL["failed"], fence, began, rest, report)


def _may_be_pulled(link: Link) -> bool:
    return link.connection.mode is Mode.LIVE and link.connection.state is State.READY


def _since(row: Record, feed: FeedProfile, now: datetime) -> datetime | None:
    """Gives from when on changes are to be asked for; None for everything."""
    mark, full_at = row["mark"], row["full_at"]
    if feed.full_every is None or row["full_asked"] or mark is None or full_at is None:
        return None
    since: datetime = mark - feed.overlap
    overdue = not timedelta(0) <= now - full_at < feed.full_every
    too_long = feed.longest is not None and now - since >= feed.longest
    # What lies in the future is of a clock that was set back.
    return None if overdue or too_long or since >= now else since


def _rest(feed: FeedProfile, pulled: Pulled, failures: int) -> timedelta:
    """Gives the time until the next try, longer each time; what is never settled is pulled as often as is usual."""
    doublings: int = 2 ** min(failures, 10)
    if pulled.report.outcome is PullOutcome.UNSETTLED:
        return min(_SOON * doublings, feed.every)
    rest = min(timedelta(seconds=10) * doublings, _SOON, feed.every)
    return max(rest, min(pulled.rest or timedelta(0), _LONGEST_REST))


def _dump(report: PullReport) -> str:
    return _REPORT.dump_json(report).decode()


def _view(row: Record) -> PullView:
    last = _REPORT.validate_json(row["last"]) if row["last"] is not None else None
    return PullView(
        connection=row["connection"],
        feed=row["feed"],
        mark=row["mark"],
        full_at=row["full_at"],
        next_at=row["next_at"],
        failures=row["failures"],
        running=row["running"],
        last=last,
    )
