"""Records on their way into the store: written in batches, one batch while the next is translated."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import asyncpg

from gateway.services.formats.tally import Tally
from gateway.services.ports import Parties, Publishing, PutResult, Statuses, StatusOutcome
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatusReport, Location
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue

OBJECTS: Final = 500
"""Locations or tariffs in one transaction."""
STATUSES: Final = 1_000
"""Status reports in one call."""
_MOST_BYTES: Final = 4 * 1024 * 1024
"""Size of a batch in the file; the largest records go alone."""

_COUNTED_AS: Final = {
    StatusOutcome.APPLIED: "updated",
    StatusOutcome.UNCHANGED: "unchanged",
    StatusOutcome.STALE: "unchanged",
}
_UNSTORABLE: Final = ("22", "23", "54")
"""Classes of SQLSTATE by which the server says that a value, and not the server, is at fault."""

T = TypeVar("T")


class _Batch(NamedTuple):
    locations: list[tuple[int, Location, Sequence[Issue]]]
    tariffs: list[tuple[int, Tariff, Sequence[Issue]]]
    reports: list[tuple[int, EvseStatusReport]]


class Intake:
    """Takes canonical records and writes them.

    Args:
        party: The only party whose records are taken; None for all.
    """

    def __init__(
        self, publishing: Publishing, statuses: Statuses, tally: Tally, party: PartyId | None, who: str
    ) -> None:
        self._publishing = publishing
        self._statuses = statuses
        self._tally = tally
        self._party = party
        self._parties: Parties = None if party is None else frozenset({party})
        self._who = who
        self._next = _Batch([], [], [])
        self._weight = 0
        self._writing: asyncio.Task[None] | None = None

    def location(self, number: int, location: Location, issues: Sequence[Issue], weight: int, records: int = 1) -> None:
        """Takes a location, made of so many records with so many bytes (`weight`)."""
        if self._is_meant(location.party, records):
            self._next.locations.append((number, location, issues))
            self._weight += weight

    def tariff(self, number: int, tariff: Tariff, issues: Sequence[Issue], weight: int) -> None:
        """Takes a tariff."""
        if self._is_meant(tariff.party):
            self._next.tariffs.append((number, tariff, issues))
            self._weight += weight

    def status(self, number: int, report: EvseStatusReport) -> None:
        """Takes a status."""
        named = report.evse_id.party if report.evse_id is not None else report.party
        if named is None or self._is_meant(named):
            self._next.reports.append((number, report))

    def _is_meant(self, party: PartyId, records: int = 1) -> bool:
        if self._party is None or party == self._party:
            return True
        self._tally.skipped += records
        return False

    @property
    def full(self) -> bool:
        """Whether it is time to `flush`."""
        batch = self._next
        return (
            len(batch.locations) >= OBJECTS
            or len(batch.tariffs) >= OBJECTS
            or len(batch.reports) >= STATUSES
            or self._weight >= _MOST_BYTES
        )

    async def flush(self) -> None:
        """Begins to write what was taken, once the batch before is written."""
        await self._written()
        batch, self._next, self._weight = self._next, _Batch([], [], []), 0
        self._writing = asyncio.get_running_loop().create_task(self._write(batch))

    async def finish(self) -> None:
        """Writes what was taken, and waits for it."""
        await self.flush()
        await self._written()

    async def abandon(self) -> None:
        """Gives up what is not written."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _written(self) -> None:
        if self._writing is not None:
            writing, self._writing = self._writing, None
            try:
                await writing
            except asyncio.CancelledError:
                writing.cancel()
                raise

    async def _write(self, batch: _Batch) -> None:
        await self._put(batch.locations, self._publishing.put_locations)
        await self._put(batch.tariffs, self._publishing.put_tariffs)
        if batch.reports:
            await self._report(batch.reports)
        self._tally.say()

    async def _put(
        self, batch: Sequence[tuple[int, T, Sequence[Issue]]], put: Callable[..., Awaitable[list[PutResult]]]
    ) -> None:
        if not batch:
            return
        try:
            results = await put([(value, issues) for _, value, issues in batch], self._who)
        except (asyncpg.PostgresError, UnicodeEncodeError) as error:
            if not _is_unstorable(error):
                raise
            if len(batch) == 1:
                self._tally.refuse(batch[0][0], "", f"the store cannot hold it: {error}"[:200])
                return
            # One of them is at fault; the others are not to suffer for it.
            half = len(batch) // 2
            await self._put(batch[:half], put)
            await self._put(batch[half:], put)
            return
        for (_, value, _), result in zip(batch, results, strict=True):
            self._tally.outcomes[result.outcome] += 1
            if isinstance(value, Location):
                self._tally.locations += 1
                self._tally.evses += len(value.evses)
            else:
                self._tally.tariffs += 1

    async def _report(self, batch: Sequence[tuple[int, EvseStatusReport]]) -> None:
        outcomes = await self._statuses.report([report for _, report in batch], self._parties)
        for (number, _), outcome in zip(batch, outcomes, strict=True):
            if outcome in _COUNTED_AS:
                self._tally.statuses += 1
                self._tally.outcomes[_COUNTED_AS[outcome]] += 1
            else:
                self._tally.refuse(number, "evse_id", "names no EVSE that is stored")


def _is_unstorable(error: Any) -> bool:
    return isinstance(error, UnicodeEncodeError) or (error.sqlstate or "")[:2] in _UNSTORABLE
