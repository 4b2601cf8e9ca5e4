"""A hub whose pages are scripted, where they go, and a gateway's pulling between the two."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from adapters.core.connection import Connection
from adapters.core.profile import Profile
from adapters.core.roaming import FeedKind, FeedProfile, PulledPage, PullFailed, Record, RoamingProfile
from gateway.app import now
from gateway.outbox.repository import Outbox
from gateway.services.catalogue.ingesting import Ingested, Kept
from gateway.services.links import Links
from gateway.services.ports.pulls import PullView
from gateway.services.pulling.service import Pulling
from gateway.store.pool import Store
from gateway.store.secrets import Cipher
from mappings.report import Refused
from tests.harness import KEY, eventually

CONNECTION = "scripted"
HOUR = timedelta(hours=1)
Page = PulledPage | PullFailed | Callable[[], PulledPage]


def data(**changes: Any) -> FeedProfile:
    """The feed that most tests pull."""
    given: dict[str, Any] = {
        "every": HOUR,
        "full_every": 24 * HOUR,
        "prunes": True,
        "overlap": timedelta(minutes=5),
    } | changes
    return FeedProfile("data", FeedKind.LOCATIONS, **given)


def record(name: str, content: str = "", *, bad: bool = False) -> Record:
    """A record of one key."""

    def read() -> tuple[str, list[Any]]:
        if bad:
            raise Refused("Plugs", "missing")
        return content, []

    return Record(("NL*ABC", name), content.encode().ljust(16), read)


def page(*names: str, cursor: str | None = None, total: int | None = None, **more: Any) -> PulledPage:
    """A page of records."""
    return PulledPage([record(name) for name in names], cursor=cursor, total=total, **more)


class ScriptedAdapter:
    """As much of an adapter as a pull needs: gives the pages that are scripted, and remembers what was asked."""

    feeds: Sequence[FeedProfile] = ()
    script: dict[tuple[str, str | None], list[Page]] = {}
    asked: list[tuple[str, datetime | None, str | None]] = []
    waiting: asyncio.Event | None = None
    network: Callable[[datetime | None, int], PulledPage] | None = None
    """Gives pages by their offset, instead of the script."""

    def __init__(self, _connection: Connection) -> None:
        self.profile = Profile("scripted", "scripted 1", {}, timedelta(seconds=1))
        self.charging = SimpleNamespace(messages={})
        self.roaming = RoamingProfile({feed.name: feed for feed in self.feeds}, frozenset(), timedelta(seconds=1))

    async def pull(self, feed: str, since: datetime | None, cursor: str | None) -> PulledPage:
        self.asked.append((feed, since, cursor))
        if self.waiting is not None:
            await self.waiting.wait()
        if ScriptedAdapter.network is not None:
            return ScriptedAdapter.network(since, int(cursor or 0))
        pages = self.script[feed, cursor]
        given = pages.pop(0) if len(pages) > 1 else pages[0]
        if isinstance(given, PullFailed):
            raise given
        return given if isinstance(given, PulledPage) else given()

    async def close(self) -> None:
        pass


@dataclass
class Shelf:
    """Implements `Sink`: keeps what it is given by key."""

    held: dict[str, str] = field(default_factory=dict)
    pruned: list[str] = field(default_factory=list)
    prunings: int = 0
    numbers: defaultdict[str, int] = field(default_factory=lambda: defaultdict(count().__next__))
    """Of every name; not by its hash, which two of them may have in common."""

    async def ingest(self, _connection: Connection, _feed: FeedProfile, records: Sequence[Record]) -> Ingested:
        done = Ingested()
        names = list(dict.fromkeys([*self.held, *(each.key[1] for each in records)]))
        for each in records:
            name = each.key[1]
            done.nos.append(self.numbers[name])
            try:
                content, _ = each.read()
            except Refused as refused:
                done.refused.append((each.key, refused))
                continue
            known = name in self.held
            self.held[name] = content
            done.same += known
            done.new += not known
        assert names
        return done

    async def prune(self, _connection: Connection, _feed: FeedProfile, kept: Kept) -> int:
        self.prunings += 1
        gone = [name for name in self.held if self.numbers[name] not in kept]
        for name in gone:
            del self.held[name]
        self.pruned += gone
        return len(gone)


@dataclass
class Counted:
    """Implements `Measures`."""

    outcomes: list[tuple[str, str]] = field(default_factory=list)

    def pulled(self, _hub: str, _connection: str, operation: str, outcome: str, _seconds: float) -> None:
        self.outcomes.append((operation, outcome))


@dataclass
class Puller:
    """Pulling over a store with one connection to the scripted hub."""

    store: Store
    links: Links
    pulling: Pulling
    shelf: Shelf
    counted: Counted

    async def view(self, feed: str = "data") -> PullView:
        return next(view for view in await self.pulling.list() if view.feed == feed)

    async def ended(self, count: int = 1) -> None:
        """Waits until some pulls have ended."""

        async def enough() -> bool:
            return len(self.counted.outcomes) >= count

        await eventually(enough, f"{count} pulls")

    async def again(self, *, full: bool = False, feed: str = "data") -> None:
        """Has a feed pulled once more and waits for its end."""
        count = len(self.counted.outcomes)
        await self.pulling.ask(CONNECTION, feed, full=full, who="a test")
        await self.ended(count + 1)


@asynccontextmanager
async def puller(url: str, *feeds: FeedProfile, fresh: bool = True, start: bool = True) -> AsyncIterator[Puller]:
    """Runs the pulling of one gateway."""
    if fresh:
        ScriptedAdapter.feeds, ScriptedAdapter.script = feeds or (data(),), {}
        ScriptedAdapter.asked, ScriptedAdapter.waiting = [], None
    store = Store(url, size=4)
    await store.open()
    if fresh:
        await store.execute(
            "INSERT INTO connection (name, hub, mode, state, scope, settings) "
            "VALUES ($1, 'scripted', 'live', 'ready', '{}', '{}')",
            CONNECTION,
        )
        await store.execute("UPDATE registry SET revision = revision + 1")
    links = Links(store, Cipher(KEY), {"scripted": ScriptedAdapter})  # type: ignore[dict-item]
    await links.refresh()
    shelf, counted = Shelf(), Counted()
    outbox = Outbox(store, "test")
    made = Puller(store, links, Pulling(store, links, outbox, lambda _: shelf, counted, "test", now), shelf, counted)
    if start:
        made.pulling.start()
    try:
        yield made
    finally:
        await made.pulling.stop()
        await links.close()
        await store.close()
