"""Statuses on their way in: concurrent requests share one statement and one commit.

The commit is what a status costs; `store.batching` says how it is shared.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from gateway.outbox.projecting import elect
from gateway.services.ports import Parties, StatusOutcome
from gateway.services.stamps import not_ahead
from gateway.store.batching import Batches
from gateway.store.pool import Store
from gateway.store.queries import Queries
from mappings.canonical.locations import EvseStatus, EvseStatusReport
from mappings.report import Issue

SQL = Queries("gateway.services", "statuses.sql")

Remove = Callable[[EvseStatusReport, datetime, Parties], Awaitable[StatusOutcome]]

_Row = tuple[str | None, str | None, str | None, str | None, str, datetime]
"""Party, location id, uid, EvseID's normal form, status, moment."""

_ROUNDS = 20
"""How often a report is applied whose EVSE somebody else changes in the same instant; each time one of them gets on."""

_MOST = 2_000
"""Reports in one statement; more wait for the next, so that one caller's flood does not delay the others' answers."""


@dataclass(frozen=True, slots=True)
class _Request:
    reports: Sequence[EvseStatusReport]
    parties: Parties
    arrived: datetime


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
        self._batches: Batches[_Request, list[StatusOutcome]] = Batches(
            self._write, _MOST, size=lambda request: len(request.reports), kind=lambda request: request.parties
        )

    async def report(self, reports: Sequence[EvseStatusReport], parties: Parties) -> list[StatusOutcome]:
        """See `ports.Statuses.report`."""
        arrived = self._clock()
        outcomes: dict[int, StatusOutcome] = {}
        removals = [index for index, report in enumerate(reports) if report.status is EvseStatus.REMOVED]
        kept = [index for index, report in enumerate(reports) if report.status is not EvseStatus.REMOVED]
        if kept:
            written = await self._batches.put(_Request([reports[index] for index in kept], parties, arrived))
            outcomes.update(zip(kept, written, strict=True))
        # After the others, so that a removal older than another report of the same batch finds that it is stale.
        for index in removals:
            outcomes[index] = await self._remove(reports[index], self._moment(reports[index], arrived), parties)
        return [outcomes[index] for index in range(len(reports))]

    async def close(self) -> None:
        """Waits for what was accepted."""
        await self._batches.close()

    async def _write(self, batch: Sequence[_Request]) -> list[list[StatusOutcome]]:
        """Writes requests of the same parties."""
        allowed = batch[0].parties
        rows = [self._row(report, request.arrived) for request in batch for report in request.reports]
        outcomes = await self._settle(rows, None if allowed is None else [party.normal for party in allowed])
        if StatusOutcome.APPLIED in outcomes or StatusOutcome.UNCHANGED in outcomes:
            self._wake()
        left = iter(outcomes)
        return [list(islice(left, len(request.reports))) for request in batch]

    async def _settle(self, rows: Sequence[_Row], allowed: Sequence[str] | None) -> list[StatusOutcome]:
        """Writes reports: one statement, and another one where an EvseID stands under several EVSEs."""
        outcomes = [StatusOutcome.UNKNOWN_EVSE] * len(rows)
        left = list(range(len(rows)))
        contested: dict[str, set[int]] = {}
        for _ in range(_ROUNDS):
            columns = (list(column) for column in zip(*(rows[index] for index in left), strict=True))
            raced: list[int] = []
            for row in await self._store.fetch(SQL["report"], *columns, allowed):
                index = left[row["n"] - 1]
                outcomes[index] = _better(outcomes[index], _outcome(row["applied"], row["differs"]))
                if row["raced"]:
                    raced.append(index)
                for key, no in zip(row["keys"] or (), row["contested"] or (), strict=True):
                    contested.setdefault(key, set()).add(no)
            left = sorted(raced)
            if not left:
                break
        else:
            raise RuntimeError(f"{len(left)} reports always found their EVSE changed by somebody else")
        if contested:
            await self._elect(contested)
        return outcomes

    async def _elect(self, contested: Mapping[str, set[int]]) -> None:
        """Decides who is sent, where the reported EVSEs are not alone with their EvseID.

        Not in the transaction of the reports, which all others would pay for. Nobody was answered yet: should this
        process end here, the reports come again, and with them this.
        """
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    await elect(tx, sorted(contested), sorted(set().union(*contested.values())))

    def _row(self, report: EvseStatusReport, arrived: datetime) -> _Row:
        at = self._moment(report, arrived)
        status = report.status.value
        if report.evse_id is not None:
            return None, None, None, report.evse_id.normal, status, at
        party = report.party.normal if report.party else None
        return party, report.location_id, report.evse_uid, None, status, at

    def _moment(self, report: EvseStatusReport, arrived: datetime) -> datetime:
        """Gives the moment of a report; a stamp too far ahead of our clock is replaced, with an issue."""
        at, issue = not_ahead(report.at or arrived, arrived, "at")
        if issue is not None:
            self._noticed(issue)
        return at


def _outcome(applied: bool, differs: bool) -> StatusOutcome:
    if not applied:
        return StatusOutcome.STALE
    return StatusOutcome.APPLIED if differs else StatusOutcome.UNCHANGED


def _better(before: StatusOutcome, now: StatusOutcome) -> StatusOutcome:
    """Of two outcomes of one report, which was applied to some EVSEs in one round and to others in the next."""
    return (
        before
        if before in {StatusOutcome.APPLIED, StatusOutcome.UNCHANGED} and now is not StatusOutcome.APPLIED
        else now
    )
