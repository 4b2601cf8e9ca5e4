"""Tells the backend what came of what hubs were told."""

from collections.abc import Callable, Sequence

from pydantic import JsonValue

from gateway.events.writing import Event, EventType, append
from gateway.outbox.delivery_store import End, Result
from gateway.services.cdrs.service import Count
from gateway.store.pool import Record, Transaction
from gateway.store.queries import Queries
from mappings.canonical.ids import PartyId

SQL = Queries("gateway.services.cdrs", "settlements.sql")

_TYPES = {End.DELIVERED: EventType.CDR_DELIVERED, End.REFUSED: EventType.CDR_REFUSED}
"""A CDR has no end to its use, and of what was only shown nobody was told."""


class CdrSettlements:
    """Implements `outbox.delivery_store.Settlements`: whether a hub took a CDR, as an event.

    Args:
        count: Told of each once it is written.
    """

    def __init__(self, count: Count) -> None:
        self._count = count

    async def settled(self, tx: Transaction, ended: Sequence[Result]) -> Callable[[], None] | None:
        """Writes an event for each CDR that a hub has now, or refused."""
        told = {one.claimed.no: one for one in ended if one.claimed.cdr_no is not None and one.end in _TYPES}
        if not told:
            return None
        rows = await tx.fetch(SQL["cdrs"], list(told))
        await append(tx, *(_event(row, told[row["no"]]) for row in rows))
        return lambda: self._counted([(row, told[row["no"]]) for row in rows])

    def _counted(self, cdrs: Sequence[tuple[Record, Result]]) -> None:
        for row, result in cdrs:
            if row["roams"]:  # else it was told beside the hub that pays for it
                outcome = "delivered" if result.end is End.DELIVERED else "refused"
                self._count(row["connection"], outcome, 1, row["energy"])


def _event(row: Record, result: Result) -> Event:
    data: dict[str, JsonValue] = {
        "party": row["party"],
        "id": row["cdr_id"],
        "connection": row["connection"],
        "kind": result.claimed.kind,
    }
    if result.end is End.REFUSED:
        data |= {"code": result.code, "reason": result.reason, "field": result.field or None}
    type_ = _TYPES[result.end or End.REFUSED]
    return Event(type_, PartyId(row["party"]), f"cdrs/{row['party']}/{row['cdr_id']}", data)
