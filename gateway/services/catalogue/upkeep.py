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

KEEP: Final = timedelta(hours=24)
"""How long changes can be read. An app that was away for longer reads everything anew, which takes minutes."""

_BATCH: Final = 500


class Upkeep:
    """Looks after the catalogue, in any number of replicas at once.

    Args:
        changed: Called after a commit by which entries may have changed.
        keep: How long changes can be read.
    """

    def __init__(self, store: Store, ranking: Ranking, changed: Callable[[], None], keep: timedelta = KEEP) -> None:
        self._store = store
        self._ranking = ranking
        self._keep = keep
        self._changed = changed
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


async def _sweep(tx: Transaction, connection_id: int) -> int:
    """Removes some of what a removed connection left; tells how many locations."""
    numbers = [row["no"] for row in await tx.fetch(SQL["leftover_nos"], connection_id, _BATCH)]
    await tx.execute(WRITING["lock_location_nos"], numbers)
    [row] = await tx.fetch(SQL["leftovers"], connection_id, _BATCH)
    await elect(tx, row["elect"])
    return int(row["gone"])
