"""What the catalogue needs now and then: forgetting old changes, finishing elections, sweeping what was left behind."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from gateway.services.catalogue.entries import SQL
from gateway.services.catalogue.ranking import Ranking
from gateway.services.catalogue.writing import SQL as WRITING
from gateway.services.catalogue.writing import elect, in_transaction
from gateway.services.waiting import Sweeper
from gateway.store.pool import Store, Transaction

EVERY: Final = 60.0
"""Seconds between two rounds."""

COUNT_EVERY: Final = 10
"""Rounds after which EVSEs are counted anew, which reads all of them."""

Counted = Callable[[str, str, int, int], None]

KEEP: Final = timedelta(hours=24)
"""How long changes can be read. An app that was away for longer reads everything anew, which takes minutes."""

_BATCH: Final = 500


class Upkeep:
    """Looks after the catalogue, in any number of replicas at once.

    Args:
        changed: Called after a commit by which entries may have changed.
        counted: Told of each connection how many EVSEs it offers, and for how many of them it speaks.
        keep: How long changes can be read.
    """

    def __init__(
        self,
        store: Store,
        ranking: Ranking,
        changed: Callable[[], None],
        counted: Counted,
        keep: timedelta = KEEP,
    ) -> None:
        self._store = store
        self._ranking = ranking
        self._keep = keep
        self._changed = changed
        self._counted = counted
        self._rounds = 0
        self._sweeper = Sweeper("looking after the catalogue", EVERY, self.look)

    def start(self) -> None:
        """Starts."""
        self._sweeper.start()

    async def stop(self) -> None:
        """Stops."""
        await self._sweeper.stop()

    async def look(self) -> None:
        """Does what there is to do now."""
        while await self._store.fetchval(SQL["forget"], self._keep, 10 * _BATCH):
            pass
        await self._ranking.elect()
        for row in await self._store.fetch(SQL["removed_connections"]):
            while await in_transaction(self._store, lambda tx, id_=row["id"]: _sweep(tx, id_)):  # type: ignore[misc]
                self._changed()
        if self._rounds % COUNT_EVERY == 0:
            for row in await self._store.fetch(SQL["counts"]):
                self._counted(row["hub"], row["name"], row["ways"], row["entries"])
        self._rounds += 1


async def _sweep(tx: Transaction, connection_id: int) -> int:
    """Removes some of what a removed connection left; tells how many locations."""
    numbers = [row["no"] for row in await tx.fetch(SQL["leftover_nos"], connection_id, _BATCH)]
    await tx.execute(WRITING["lock_location_nos"], numbers)
    [row] = await tx.fetch(SQL["leftovers"], connection_id, _BATCH)
    await elect(tx, row["elect"])
    return int(row["gone"])
