"""One pull: page after page, each tried for a while, then what follows from all of them."""

import asyncio
from array import array
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

TRIES: Final = 6
"""How often a page is asked for before the pull is given up: about a minute."""

_WAIT: Final = wait_exponential_jitter(initial=1, max=20, jitter=1)
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
        complete: The mark may move.
        whole: It was of everything, and nothing can have been overlooked.
    """

    report: PullReport
    complete: bool
    whole: bool


class OnePull:
    """Pulls one feed once.

    Args:
        pace: Waits until the next request may be made.
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

    async def run(self, began: datetime, since: datetime | None) -> Pulled:
        """Pulls what changed since a moment; everything if it is None."""
        full = since is None
        report = PullReport(PullOutcome.RUNNING, full, began)
        kept, keys, totals = Kept(began), array("q"), set[int | None]()
        prunes, unreadable = full and self._feed.prunes, 0
        ahead: asyncio.Task[PulledPage] | None = None
        try:
            page = await self._page(since, None)
            while True:
                totals.add(page.total)
                keys.extend(hash(record.key) for record in page.records)
                # The next page travels while this one is written.
                if page.cursor is not None:
                    ahead = asyncio.create_task(self._page(since, page.cursor, at_hand=page.at_hand))
                done = await self._sink.ingest(self._connection, self._feed, page.records)
                if prunes:
                    kept.add(done.nos)
                unreadable += len(page.unreadable)
                report = _added(report, page, done)
                await self._progress(report)
                if ahead is None:
                    break
                page, ahead = await ahead, None
        except PullFailed as failed:
            ended = replace(report, outcome=PullOutcome.FAILED, ended_at=self._now(), error=words(failed.outcome))
            return Pulled(ended, complete=False, whole=False)
        finally:
            if ahead is not None:
                ahead.cancel()
                await asyncio.gather(ahead, return_exceptions=True)
        settled = not full or _settled(totals, len(set(keys)) + unreadable)
        pruned = await self._sink.prune(self._connection, self._feed, kept) if prunes and settled else 0
        outcome = PullOutcome.DONE if settled else PullOutcome.UNSETTLED
        report = replace(report, outcome=outcome, ended_at=self._now(), pruned=pruned)
        return Pulled(report, complete=settled, whole=full and settled)

    async def _page(self, since: datetime | None, cursor: str | None, *, at_hand: bool = False) -> PulledPage:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception(_again), stop=stop_after_attempt(TRIES), wait=_wait, reraise=True
        ):
            with attempt:
                if not at_hand:
                    await self._pace()
                return await self._adapter.pull(self._feed.name, since, cursor)
        raise AssertionError  # the last attempt raises


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
        problems=(*report.problems, *problems)[:_SHOWN],
    )


def _settled(totals: set[int | None], different: int) -> bool:
    """Tells whether what there is stood still while it was pulled: then nothing slipped from one page to another.

    Args:
        totals: How many there are, as the pages said.
        different: How many were read, one that came twice counted once.
    """
    if len(totals) > 1:
        return False
    [total] = totals
    return total is None or different >= total


def _again(error: BaseException) -> bool:
    if not isinstance(error, PullFailed):
        return False
    # What a hub refuses it will refuse again, and no credential mends itself within a minute.
    return isinstance(error.outcome, NotSent | Throttled | OutcomeUnknown)


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    asked = getattr(getattr(error, "outcome", None), "retry_after", None)
    return max(_WAIT(state), asked.total_seconds() if isinstance(asked, timedelta) else 0.0)
