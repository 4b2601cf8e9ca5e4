"""Turns for those who change one object: each reads what the one before wrote."""

import asyncio
from weakref import WeakValueDictionary

from adapters.core.connection import Connection
from mappings.canonical.ids import PartyId


class Turns:
    """Locks by connection and object, which are there for as long as somebody holds or waits for one.

    They hold within a process: of two that change one object at the same moment the later may undo the earlier.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[tuple[int, PartyId, str], asyncio.Lock] = WeakValueDictionary()

    def of(self, connection: Connection, party: PartyId, id_: str) -> asyncio.Lock:
        """Gives the lock of a party's object; ids that differ in case alone share one."""
        name = connection.id, party, id_.casefold()
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock
