"""One pull: page after page, each tried for a while, then what follows from all of them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from adapters.core.connection import Connection
from adapters.core.outcomes import NotSent, OutcomeUnknown, Throttled, words
from adapters.core.roaming import FeedProfile, HubAdapter, PulledPage, PullFailed, Record
from gateway.services.catalogue.ingesting import Ingested, Kept
from gateway.services.ports.pulls import PullOutcome, PullReport
from gateway.services.pulling.ending import end
from gateway.services.pulling.seen import Print, Seen
from mappings.report import Refused

TRIES: Final = 6
"""How often a page is asked for before the pull is given up: about a minute."""

_WAIT: Final = wait_exponential_jitter(initial=1, max=20, jitter=1)
_LONGEST_WAIT: Final = timedelta(minutes=1)
_SHOWN: Final = 20


class Sink(Protocol):
    """Where pulled records go."""

    async def ingest(self, connection: Connection, feed: FeedProfile, records: Sequence[Record]) -> Ingested:
        """Takes a page's records; one that cannot be read spoils itself alone."""

    async def prune(self, connection: Connection, feed: FeedProfile, kept: Kept) -> int:
        """Withdraws what no record of a full pull named and nobody told of since it began; gives how many."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """How a pull ended.

    Attributes:
        unsettled: What it read, where that did not add up and may yet be all there is.
        rest: How long the hub asked to be left alone.
    """

    report: PullReport
    unsettled: Print | None = None
    rest: timedelta | None = None


class OnePull:
    """Pulls one feed once.

    Args:
        pace: Waits until the next request may be made; raises what ends the pull (a connection that was stopped).
        progress: Called after each page with what was done so far; raises what ends the pull (a lost lease).
    """

    def __init__(
        self,
        connection: Connection,
        adapter: HubAdapter,
        feed: FeedProfile,
        sink: Sink,
        pace: Callable[[], Awaitable[None]],
        progress: Callable[[PullReport], Awaitable[None]],
        now: Callable[[], datetime],
    ) -> None:
        self._connection, self._adapter, self._feed, self._sink = connection, adapter, feed, sink
        self._pace, self._progress, self._now = pace, progress, now
        self._report: PullReport

    async def run(self, began: datetime, since: datetime | None, before: Print | None, *, known: bool) -> Pulled:
        """Pulls what changed since a moment; everything if it is None.

        Args:
            before: What the pull before this one read, if that did not add up either: where it was the same, the hub
                merely counts otherwise than it tells.
            known: Everything was pulled before; that there is nothing at all any more is then believed the second time.
        """
        full = since is None
        self._report = PullReport(PullOutcome.RUNNING, full, began)
        kept = Kept(began) if full and self._feed.prunes else None
        try:
            seen = await self._pages(since, kept)
            adds_up = await self._adds_up(seen, began, kept)
        except PullFailed as failed:
            asked = failed.outcome.retry_after if isinstance(failed.outcome, Throttled) else None
            return Pulled(self._ended(PullOutcome.FAILED, error=_text(words(failed.outcome))), rest=asked)
        if not adds_up or (kept is not None and known and seen.nothing):
            named = await asyncio.to_thread(seen.print)
            if named is None or named != before:
                return Pulled(self._ended(PullOutcome.UNSETTLED), unsettled=named)
        pruned = await self._sink.prune(self._connection, self._feed, kept) if kept is not None else 0
        return Pulled(self._ended(PullOutcome.DONE, pruned=pruned))

    async def _adds_up(self, seen: Seen, began: datetime, kept: Kept | None) -> bool:
        """Tells whether nothing can have been overlooked."""
        if self._feed.full_every is None:
            return True  # what was overlooked is read by the next pull, and nothing follows from it
        gone, tells_gone = set[int](), self._feed.tells_gone
        if kept is not None and tells_gone and seen.pages > 1:
            # What was taken out of the list while it was read is told by what changed since.
            later = await self._pages(began - self._feed.overlap, kept, gone)
            if not await asyncio.to_thread(later.adds_up, full=False, tells_gone=True, gone=frozenset[int]()):
                return False
        return await asyncio.to_thread(seen.adds_up, full=self._report.full, tells_gone=tells_gone, gone=gone)

    async def _pages(self, since: datetime | None, kept: Kept | None, gone: set[int] | None = None) -> Seen:
        """Reads and writes page after page; gives what they named, and notes which records are gone."""
        seen = Seen()
        ahead: asyncio.Task[PulledPage] | None = None
        try:
            page = _storable(await self._page(since, None))
            while True:
                seen.add(page)
                if gone is not None:
                    gone.update(hash(record.key) for record in page.records if record.gone)
                # The next page travels while this one is written.
                if page.cursor is not None:
                    ahead = asyncio.create_task(self._page(since, page.cursor, at_hand=page.at_hand))
                done = await self._sink.ingest(self._connection, self._feed, page.records)
                if kept is not None:
                    kept.add(done.nos)
                self._report = _added(self._report, page, done)
                await self._progress(self._report)
                if ahead is None:
                    return seen
                page, ahead = _storable(await ahead), None
        finally:
            if ahead is not None:
                await end([ahead])

    def _ended(self, outcome: PullOutcome, *, pruned: int = 0, error: str | None = None) -> PullReport:
        return replace(self._report, outcome=outcome, ended_at=self._now(), pruned=pruned, error=error)

    async def _page(self, since: datetime | None, cursor: str | None, *, at_hand: bool = False) -> PulledPage:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(_again), stop=stop_after_attempt(TRIES), wait=_wait, reraise=True
        ):
            with attempt:
                if not at_hand:
                    await self._pace()
                return await self._adapter.pull(self._feed.name, since, cursor)
        raise AssertionError  # the last attempt raises


def _storable(page: PulledPage) -> PulledPage:
    """Gives a page without records that could not even be looked up: JSON may hold NUL and halves of characters."""
    if all(part.isascii() and "\0" not in part for record in page.records for part in record.key):
        return page
    records, unreadable = [], [*page.unreadable]
    for record in page.records:
        if any("\0" in part or _text(part) != part for part in record.key):
            unreadable.append(Refused("", "its name is no text"))
        else:
            records.append(record)
    return replace(page, records=records, unreadable=unreadable)


def _text(said: str) -> str:
    """Gives a text that can be stored, whatever a hub put in it."""
    return said.encode(errors="replace").decode().replace("\0", "?")


def _added(report: PullReport, page: PulledPage, done: Ingested) -> PullReport:
    problems = [str(refused) for refused in page.unreadable]
    problems += [f"{'/'.join(key)}: {refused}" for key, refused in done.refused]
    return replace(
        report,
        pages=report.pages + 1,
        records=report.records + len(page.records) + len(page.unreadable),
        new=report.new + done.new,
        changed=report.changed + done.changed,
        same=report.same + done.same,
        gone=report.gone + done.gone,
        unknown=report.unknown + done.unknown,
        refused=report.refused + len(problems),
        problems=(*report.problems, *map(_text, problems[:_SHOWN]))[:_SHOWN],
    )


def _again(error: BaseException) -> bool:
    if not isinstance(error, PullFailed):
        return False
    if isinstance(error.outcome, Throttled):
        # For longer than that no page is waited for: the pull ends, and the feed rests.
        return error.outcome.retry_after is None or error.outcome.retry_after <= _LONGEST_WAIT
    # What a hub refuses it will refuse again, and no credential mends itself within a minute.
    return isinstance(error.outcome, NotSent | OutcomeUnknown)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = getattr(getattr(error, "outcome", None), "retry_after", None)
    return max(_WAIT(state), asked.total_seconds() if isinstance(asked, timedelta) else 0.0)
