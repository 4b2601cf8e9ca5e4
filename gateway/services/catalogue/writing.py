"""Writing partners' locations: many in a transaction, under locks, and who speaks for their EVSEs decided anew."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import asyncpg

from gateway.services.catalogue.rows import Copy, evse_rows, location_columns, several
from gateway.services.storing import columns
from gateway.store.pool import Store, Transaction
from gateway.store.queries import Queries

SQL = Queries("gateway.services.catalogue", "catalogue.sql")

T = TypeVar("T")


class Write(StrEnum):
    """What came of a copy."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    """Its content is stored."""
    OLDER = "older"
    """What is stored is newer."""


@dataclass(slots=True)
class Written:
    """What came of a batch.

    Attributes:
        outcomes: In the order of the copies.
        nos: The locations' numbers, in the same order; None for one that was never stored.
    """

    outcomes: list[Write] = field(default_factory=list)
    nos: list[int | None] = field(default_factory=list)


async def in_transaction(store: Store, work: Callable[[Transaction], Awaitable[T]]) -> T:
    """Does something in a transaction of its own, again where somebody else wrote the same at the same time."""
    async for attempt in store.attempts():
        with attempt:
            try:
                async with store.transaction() as tx:
                    result = await work(tx)
            except asyncpg.UniqueViolationError as error:
                # Two brought the same entry, and neither saw the other: the second finds what the first has written.
                raise asyncpg.SerializationError(str(error)) from error
    return result


async def write_locations(
    store: Store, connection_id: int, copies: Sequence[Copy], pushed_at: datetime | None = None
) -> Written:
    """Writes locations of one connection in one transaction, applied in their order.

    Older than what is stored changes nothing, and neither does equal content. EVSEs that a copy leaves out are removed.

    Args:
        pushed_at: When the hub told them by itself; None if they were pulled.
    """
    latest: dict[tuple[str, str], int] = {}
    outcomes = [Write.SAME] * len(copies)
    for index, copy in enumerate(copies):
        before = latest.get(copy.key)
        if before is not None and copy.location.last_updated < copies[before].location.last_updated:
            outcomes[index] = Write.OLDER
            continue
        if before is not None:
            outcomes[before] = Write.CHANGED
        latest[copy.key] = index
    chosen = list(latest.values())
    repeated = len(chosen) < len(copies)

    async def work(tx: Transaction) -> tuple[list[Write], list[int | None]]:
        return await _write(tx, connection_id, [copies[index] for index in chosen], pushed_at)

    made, nos = await in_transaction(store, work)
    by_place = {copies[index].key: (write, no) for index, write, no in zip(chosen, made, nos, strict=True)}
    for index, write in zip(chosen, made, strict=True):
        outcomes[index] = write
    if repeated:
        _first_is_new(copies, outcomes, chosen)
    return Written(outcomes, [by_place[copy.key][1] for copy in copies])


def _first_is_new(copies: Sequence[Copy], outcomes: list[Write], chosen: Sequence[int]) -> None:
    """Of several copies of a location that is new, the first one made it."""
    for index in chosen:
        if outcomes[index] is Write.NEW:
            first = next(n for n, copy in enumerate(copies) if copy.key == copies[index].key)
            outcomes[index], outcomes[first] = Write.CHANGED, Write.NEW


async def _write(
    tx: Transaction, connection_id: int, copies: Sequence[Copy], pushed_at: datetime | None
) -> tuple[list[Write], list[int | None]]:
    rows = evse_rows(connection_id, copies)
    places = columns([copy.key for copy in copies], 2)
    found = await tx.fetch(SQL["lock_locations"], connection_id, *places, rows.keys)
    stored = {(row["party"], row["location_id"].lower()): row for row in found if row["no"] is not None}
    outcomes, nos = [], []
    for copy in copies:
        old = stored.get(copy.key)
        outcomes.append(_outcome(copy, old))
        nos.append(None if old is None else old["no"])
    chosen = [index for index, outcome in enumerate(outcomes) if outcome in {Write.NEW, Write.CHANGED}]
    if len(chosen) < len(copies):
        copies = [copies[index] for index in chosen]
        rows = evse_rows(connection_id, copies)
    if not chosen:
        return outcomes, nos
    [row] = await tx.fetch(
        SQL["write_locations"],
        connection_id,
        [nos[index] for index in chosen],
        *location_columns(copies),
        rows.texts,
        several(rows.keys),
        pushed_at,
    )
    if row["moved"]:
        raise asyncpg.SerializationError("somebody else wrote the same location first")
    for index, no in zip(chosen, row["nos"], strict=True):
        nos[index] = no
    await elect(tx, row["elect"])
    return outcomes, nos


def _outcome(copy: Copy, old: Any) -> Write:
    if old is None:
        return Write.NEW
    if copy.location.last_updated < old["last_updated"]:
        return Write.OLDER
    if copy.digest == old["digest"] and (copy.withdrawn_at is None) == (old["withdrawn_at"] is None):
        return Write.SAME
    return Write.CHANGED


async def withdraw_locations(
    store: Store, numbers: Sequence[int], stamps: Sequence[datetime | None], since: datetime | None = None
) -> int:
    """Marks locations as gone, with their EVSEs, in one transaction; tells how many were not before.

    Args:
        stamps: When each went, as its hub says; what is stored with a later stamp stays. None where it says nothing.
        since: What was pushed from then on stays.
    """

    async def work(tx: Transaction) -> int:
        await tx.execute(SQL["lock_location_nos"], numbers)
        [row] = await tx.fetch(SQL["withdraw_locations"], numbers, stamps, since)
        await elect(tx, row["elect"])
        return int(row["gone"])

    return await in_transaction(store, work)


async def elect(tx: Transaction, keys: Sequence[str]) -> int:
    """Decides who speaks for entries to which there are several ways; tells for how many that changed.

    Among the ways that are not removed, that over the connection with the smallest rank; of equal ones the EVSE that
    was updated last, then the smaller number of the connection. The locks on all ways are held.
    """
    if not keys:
        return 0
    rows = await tx.fetch(SQL["demote"], keys)
    if rows:
        # A statement of its own: no two rows of a key may be preferred at any moment, not within one either.
        await tx.execute(SQL["promote"], *columns([(row["no"], row["several"]) for row in rows], 2))
    return len(rows)
