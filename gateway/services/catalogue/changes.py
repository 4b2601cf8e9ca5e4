"""The feed of changes for apps: which entries changed, each once, as they are now.

A change is read once no transaction is under way that began before it, so that whoever has read up to a cursor has
overlooked nothing before it, however long a transaction took.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from gateway.agreements.sight import Sight
from gateway.services.catalogue.entries import SQL, by_key, unseen
from gateway.services.cursors import LAST, as_number, decode, encode
from gateway.services.ports import BadCursor
from gateway.services.ports.catalogue import Change, ChangePage, Forgotten
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId

EVERYBODY: Final = "*"
"""Stands in a change for all EMSPs."""

POLL: Final = 0.5
"""Seconds between two looks for what other replicas wrote."""

GATHER: Final = 0.05
"""Seconds between two looks at least, so that on a busy gateway many changes are read together."""

_ROWS: Final = 200
"""Transactions that are read at once; each may have changed a thousand entries."""

_LONGEST: Final = 5.0
"""Seconds for which it is read on past what a caller does not see, beyond what they wait."""

_Position = tuple[int, int, int]
"""Transaction, number of its row, and how many of the keys in it were read."""


class Reader(NamedTuple):
    """Who reads and does not see everything.

    Attributes:
        sight: Gives what they see by now.
    """

    emsps: frozenset[PartyId]
    sight: Callable[[], Awaitable[Sight | None]]

    def is_meant(self, emsps: Sequence[str]) -> bool:
        """Tells whether what some EMSPs see changed for them."""
        return EVERYBODY in emsps or any(emsp.normal in emsps for emsp in self.emsps)


class Changes:
    """Reads the feed.

    Some of its rows name entries that did not change themselves: an agreement began or ended, and somebody sees them
    now, or sees them no more. Only to these people are they told. Nobody is told that an entry is gone which they did
    not see, or they would learn of it in that way.
    """

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

    async def read(self, after: str | None, limit: int, wait: float, reader: Reader | None = None) -> ChangePage:
        """See `ports.catalogue.CatalogueSearch.changes`.

        Args:
            reader: Who reads; None for who sees everything.
        """
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
            keys, position = await self._keys(position, limit, reader)
            changes = await self._told(keys, reader) if keys else []
            left = until - time.monotonic()
            if changes or self._ended or left <= (-_LONGEST if keys else 0):
                break
            if keys:
                continue
            # All before this is read, and may be forgotten without any loss to this reader.
            position = max(position, (int(present["present"]), 0, 0))
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, POLL)):
                    await written.wait()
            await asyncio.sleep(min(left, GATHER))
            [present] = await self._store.fetch(SQL["present"])
        if not keys:
            position = max(position, (int(present["present"]), 0, 0))
        return ChangePage(changes, encode(*map(str, position)))

    async def _told(self, keys: Mapping[str, bool], reader: Reader | None) -> list[Change]:
        """Gives entries as they are now.

        Args:
            keys: Of each whether it is known that the reader saw it.
        """
        sight = await reader.sight() if reader is not None else None
        found = await by_key(self._store, list(keys), sight)
        silent: frozenset[str] = frozenset()
        if sight is not None and (gone := [key for key, seen in keys.items() if key not in found and not seen]):
            silent = await unseen(self._store, gone, sight)
        return [Change(key, key not in found, found.get(key)) for key in keys if key not in silent]

    async def _keys(self, position: _Position, limit: int, reader: Reader | None) -> tuple[dict[str, bool], _Position]:
        """Gives the keys that changed after a position, each once, and the position behind them.

        Returns:
            Of each key whether an agreement about it began or ended.
        """
        keys: dict[str, bool] = {}
        while True:
            rows = await self._store.fetch(SQL["changes"], str(position[0]), position[1], _ROWS)
            for row in rows:
                place = (int(row["tx"]), row["no"])
                of_agreement = bool(row["emsps"])
                if not of_agreement or (reader is not None and reader.is_meant(row["emsps"])):
                    read = position[2] if place == position[:2] else 0
                    for key in row["keys"][read:]:
                        if len(keys) == limit and key not in keys:
                            return keys, (*place, read)
                        keys[key] = keys.get(key, False) or of_agreement
                        read += 1
                position = (*place, len(row["keys"]))
            if len(rows) < _ROWS:
                return keys, position


def _position(cursor: str) -> _Position:
    key = decode(cursor, 3)
    numbers = [as_number(part, LAST) for part in key] if key is not None else [None]
    tx, no, read = (*numbers, None, None)[:3]
    if tx is None or no is None or read is None:
        raise BadCursor
    return tx, no, read
