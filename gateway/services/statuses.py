"""Statuses on their way in: concurrent requests share one statement and one commit.

The commit is what a status costs. While one statement runs, the reports that arrive wait together for the next, so that
the batch grows with the load, and a single report on a quiet gateway waits for nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.services.ports import Parties, StatusOutcome
from gateway.store.pool import Store
from gateway.store.queries import Queries
from mappings.canonical.locations import EvseStatus, EvseStatusReport
from mappings.report import Issue, IssueKind

SQL = Queries("gateway.services", "statuses.sql")

AHEAD = timedelta(minutes=5)
"""A stamp further ahead of our clock than this is a wrong clock, and is replaced by the time of arrival."""

Remove = Callable[[EvseStatusReport, datetime, Parties], Awaitable[StatusOutcome]]

_MOST = 2_000
"""Reports in one statement; more wait for the next, so that one caller's flood does not delay the others' answers."""


@dataclass(slots=True)
class _Request:
    reports: Sequence[EvseStatusReport]
    parties: Parties
    arrived: datetime
    done: asyncio.Future[list[StatusOutcome]]


class Statuses:
    """Applies status reports.

    Args:
        remove: Withdraws an EVSE that is reported REMOVED, which is a change of its location.
        wake: Called after a commit that left something to tell.
        clock: Gives the present, aware.
        noticed: Told of stamps that were replaced.
    """

    def __init__(
        self,
        store: Store,
        remove: Remove,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
        noticed: Callable[[Issue], None],
    ) -> None:
        self._store = store
        self._remove = remove
        self._wake = wake
        self._clock = clock
        self._noticed = noticed
        self._waiting: list[_Request] = []
        self._writer: asyncio.Task[None] | None = None

    async def report(self, reports: Sequence[EvseStatusReport], parties: Parties) -> list[StatusOutcome]:
        """See `ports.Statuses.report`."""
        arrived = self._clock()
        outcomes: dict[int, StatusOutcome] = {}
        kept: list[EvseStatusReport] = []
        for index, report in enumerate(reports):
            if report.status is EvseStatus.REMOVED:
                outcomes[index] = await self._remove(report, self._moment(report, arrived), parties)
            else:
                kept.append(report)
        written = iter(await self._enqueue(kept, parties, arrived) if kept else ())
        return [outcomes[index] if index in outcomes else next(written) for index in range(len(reports))]

    async def _enqueue(
        self, reports: Sequence[EvseStatusReport], parties: Parties, arrived: datetime
    ) -> list[StatusOutcome]:
        request = _Request(reports, parties, arrived, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write())
        return await request.done

    async def close(self) -> None:
        """Waits for what was accepted."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        while self._waiting:
            batch = self._next_batch()
            try:
                await self._apply(batch)
            except Exception as error:  # noqa: BLE001 - whoever waits gets it, and the next batch is tried on its own
                for request in batch:
                    if not request.done.done():
                        request.done.set_exception(error)

    def _next_batch(self) -> list[_Request]:
        """Takes requests that may share a statement: those of the same parties, up to a size."""
        first, *rest = self._waiting
        batch, left, size = [first], [], len(first.reports)
        for request in rest:
            if request.parties == first.parties and size + len(request.reports) <= _MOST:
                batch.append(request)
                size += len(request.reports)
            else:
                left.append(request)
        self._waiting = left
        return batch

    async def _apply(self, batch: Sequence[_Request]) -> None:
        allowed = batch[0].parties
        rows = [self._row(report, request.arrived) for request in batch for report in request.reports]
        found = await self._store.fetch(
            SQL["report"],
            *(list(column) for column in zip(*rows, strict=True)),
            None if allowed is None else [party.normal for party in allowed],
        )
        outcomes = [StatusOutcome.UNKNOWN_EVSE] * len(rows)
        for row in found:
            outcomes[row["n"] - 1] = _outcome(row["applied"], row["differs"])
        start = 0
        for request in batch:
            end = start + len(request.reports)
            if not request.done.done():
                request.done.set_result(outcomes[start:end])
            start = end
        if StatusOutcome.APPLIED in outcomes or StatusOutcome.UNCHANGED in outcomes:
            self._wake()

    def _row(
        self, report: EvseStatusReport, arrived: datetime
    ) -> tuple[str | None, str | None, str | None, str | None, str, datetime]:
        at = self._moment(report, arrived)
        status = report.status.value
        if report.evse_id is not None:
            return None, None, None, report.evse_id.normal, status, at
        party = report.party.normal if report.party else None
        return party, report.location_id, report.evse_uid, None, status, at

    def _moment(self, report: EvseStatusReport, arrived: datetime) -> datetime:
        """Gives the moment of a report; a stamp too far ahead of our clock is replaced, with an issue."""
        at = report.at or arrived
        if at > arrived + AHEAD:
            self._noticed(
                Issue(IssueKind.MENDED, "at", "ahead of the clock; replaced by the time of arrival", at.isoformat())
            )
            return arrived
        return at


def _outcome(applied: bool, differs: bool) -> StatusOutcome:
    if not applied:
        return StatusOutcome.STALE
    return StatusOutcome.APPLIED if differs else StatusOutcome.UNCHANGED
