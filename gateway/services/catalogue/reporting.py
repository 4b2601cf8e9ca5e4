"""Statuses of partners' EVSEs, as hubs report them: concurrent reports share a statement and a commit."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.services.catalogue.writing import SQL, elect, in_transaction
from gateway.services.storing import columns
from gateway.store.pool import Store, Transaction
from mappings.canonical.locations import EvseStatus, EvseStatusReport


class Report(NamedTuple):
    """A report by party, location id and uid, or by EvseID, in the order of the statement's parameters.

    Attributes:
        unstamped: Nobody told when the status began, and `at` is when it arrived.
    """

    party: str | None
    location_id: str | None
    uid: str | None
    evse_key: str | None
    status: str
    at: datetime
    unstamped: bool

    @classmethod
    def of(cls, report: EvseStatusReport, at: datetime) -> "Report":
        """Gives a report whose status began at a moment, or arrived then where it has no stamp."""
        unstamped = report.at is None
        if report.evse_id is not None:
            return cls(None, None, None, report.evse_id.normal, report.status.value, at, unstamped)
        party = report.party.normal if report.party is not None else None
        return cls(party, report.location_id, report.evse_uid, None, report.status.value, at, unstamped)


async def write_reports(store: Store, connection_id: int, reports: Sequence[Report]) -> list[bool | None]:
    """Applies reports; tells of each whether a status changed by it, None where there is no such EVSE.

    REMOVED changes the entry, and comes after the others, so that a removal older than another report finds it newer.
    """
    outcomes: list[bool | None] = [None] * len(reports)
    kept = [n for n, report in enumerate(reports) if report.status != EvseStatus.REMOVED]
    if kept:
        rows = columns([reports[n] for n in kept], len(Report._fields))
        for row in await store.fetch(SQL["report"], connection_id, *rows):
            outcomes[kept[row["n"] - 1]] = row["differs"]
    for n, report in enumerate(reports):
        if report.status == EvseStatus.REMOVED:
            outcomes[n] = await _remove(store, connection_id, report)
    return outcomes


async def _remove(store: Store, connection_id: int, report: Report) -> bool | None:
    named = (connection_id, report.party, report.location_id, report.uid, report.evse_key)

    async def work(tx: Transaction) -> bool | None:
        numbers = [row["no"] for row in await tx.fetch(SQL["locations_of"], *named)]
        await tx.execute(SQL["lock_location_nos"], numbers)
        [row] = await tx.fetch(SQL["remove_evses"], *named, report.at)
        await elect(tx, row["elect"])
        return True if row["named"] else None

    return await in_transaction(store, work)
