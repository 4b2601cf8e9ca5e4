"""The feed of changes for apps: which entries changed, each once, as they are now.

A change is read once no transaction is under way that began before it, so that whoever has read up to a cursor has
overlooked nothing before it, however long a transaction took.
"""

import asyncio
import time
from contextlib import suppress
from typing import Final

from gateway.services.catalogue.entries import SQL, by_key
from gateway.services.cursors import LAST, as_number, decode, encode
from gateway.services.ports import BadCursor
from gateway.services.ports.catalogue import Change, ChangePage, Forgotten
from gateway.store.pool import Store

POLL: Final = 0.5
"""Seconds between two looks for what other replicas wrote."""

GATHER: Final = 0.05
"""Seconds between two looks at least, so that on a busy gateway many changes are read together."""

_ROWS: Final = 200
"""Transactions that are read at once; each may have changed a thousand entries."""

_Position = tuple[int, int, int]
"""Transaction, number of its row, and how many of the keys in it were read."""


class Changes:
    """Reads the feed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._written = asyncio.Event()
        self._ended = False

    def wake(self) -> None:
        """Has those look who wait: something was committed."""
        self._written.set()
        self._written = asyncio.Event()

    def end(self) -> None:
        """Has everybody stop who waits."""
        self._ended = True
        self._written.set()

    async def read(self, after: str | None, limit: int, wait: float) -> ChangePage:
        """See `ports.catalogue.CatalogueSearch.changes`."""
        [present] = await self._store.fetch(SQL["present"])
        if after is None:
            return ChangePage([], encode(present["present"], "0", "0"))
        position = _position(after)
        # A transaction that is yet to come: the cursor is of another store, or this one was restored.
        if position[0] <= int(present["forgotten"]) or position[0] > int(present["end"]):
            raise Forgotten("Changes after this cursor are no longer kept")
        until = time.monotonic() + wait
        while True:
            written = self._written
            keys, position = await self._keys(position, limit)
            left = until - time.monotonic()
            if keys or left <= 0 or self._ended:
                break
            # All before this is read, and may be forgotten without any loss to this reader.
            position = max(position, (int(present["present"]), 0, 0))
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, POLL)):
                    await written.wait()
            await asyncio.sleep(min(left, GATHER))
            [present] = await self._store.fetch(SQL["present"])
        if not keys:
            position = max(position, (int(present["present"]), 0, 0))
        found = await by_key(self._store, keys) if keys else {}
        changes = [Change(key, key not in found, found.get(key)) for key in keys]
        return ChangePage(changes, encode(*map(str, position)))

    async def _keys(self, position: _Position, limit: int) -> tuple[list[str], _Position]:
        """Gives the keys that changed after a position, each once, and the position behind them."""
        keys: dict[str, None] = {}
        while True:
            rows = await self._store.fetch(SQL["changes"], str(position[0]), position[1], _ROWS)
            for row in rows:
                place = (int(row["tx"]), row["no"])
                read = position[2] if place == position[:2] else 0
                for key in row["keys"][read:]:
                    if len(keys) == limit and key not in keys:
                        return list(keys), (*place, read)
                    keys[key] = None
                    read += 1
                position = (*place, len(row["keys"]))
            if len(rows) < _ROWS:
                return list(keys), position


def _position(cursor: str) -> _Position:
    key = decode(cursor, 3)
    numbers = [as_number(part, LAST) for part in key] if key is not None else [None]
    tx, no, read = (*numbers, None, None)[:3]
    if tx is None or no is None or read is None:
        raise BadCursor
    return tx, no, read
