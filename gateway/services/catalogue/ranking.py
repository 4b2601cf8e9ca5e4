"""Who speaks for what several hubs offer: the order of connections, and the election that follows when it changes."""

from collections.abc import Callable, Sequence
from typing import Final

from gateway.services.catalogue.entries import SQL
from gateway.services.catalogue.writing import elect, in_transaction
from gateway.services.links import SQL as CONNECTIONS
from gateway.services.ports import Invalid
from gateway.services.ports.catalogue import RankedConnection, Ways
from gateway.store.pool import Store, Transaction

_LAST: Final = 1_000_000
"""The rank of connections that nobody put in order, above that of any that somebody did."""

_BATCH: Final = 500
"""Entries in a transaction."""


class Ranking:
    """Orders connections. How far the election has come is in the store, so that any replica may finish it.

    Args:
        changed: Called after a commit by which entries may have changed.
    """

    def __init__(self, store: Store, changed: Callable[[], None]) -> None:
        self._store = store
        self._changed = changed

    async def ways(self) -> Ways:
        """See `ports.catalogue.CatalogueSearch.ways`."""
        rows = await self._store.fetch(SQL["ranks"])
        electing = await self._store.fetchval(SQL["electing"])
        return Ways([RankedConnection(row["name"], row["rank"]) for row in rows], electing is not None)

    async def order(self, connections: Sequence[str], who: str) -> Ways:
        """See `ports.catalogue.CatalogueSearch.order`; entries have followed when this returns."""
        known = {row["name"] for row in await self._store.fetch(SQL["ranks"])}
        problems = [
            (f"connections[{index}]", "is named before" if name in connections[:index] else "does not exist")
            for index, name in enumerate(connections)
            if name not in known or name in connections[:index]
        ]
        if problems:
            raise Invalid(*problems)

        async def work(tx: Transaction) -> None:
            await tx.execute(SQL["set_ranks"], connections, _LAST)
            await tx.execute(SQL["begin_electing"])
            await tx.execute(CONNECTIONS["audit"], who, "ordered", "catalogue/ways", list(connections))

        await in_transaction(self._store, work)
        await self.elect()
        return await self.ways()

    async def elect(self) -> int:
        """Goes on with an election that was begun, batch by batch; tells how many entries have another speaker."""
        count = 0
        while (start := await self._store.fetchval(SQL["electing"])) is not None:
            rows = await self._store.fetch(SQL["shared_after"], start, _BATCH)
            keys = sorted({row["evse_key"] for row in rows})
            if keys:
                count += await in_transaction(self._store, lambda tx, keys=keys: _elect(tx, keys))  # type: ignore[misc]
                self._changed()
            last = rows[-1]["no"] if len(rows) == _BATCH else None
            await self._store.execute(SQL["note_electing"], start, last)
        return count


async def _elect(tx: Transaction, keys: list[str]) -> int:
    await tx.execute(SQL["lock_ways"], keys)
    elected = await elect(tx, keys)
    if elected:
        await tx.execute(SQL["changed"], keys)
    return elected
