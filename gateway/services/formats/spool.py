"""Rows that belong together and stand apart in a file, brought together on disk.

The rows of one station may stand anywhere in a national file, so that none is known to be whole before the end. They
wait in an anonymous temporary database on disk, whose sorter keeps the memory flat whatever the file's size.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Final, Self

MOST_ROWS: Final = 5_000
"""Rows of one group; the largest real charging sites have some hundred points."""
MOST_BYTES: Final = 16 * 1024 * 1024
"""Bytes of one group."""
MOST_IN_ROW: Final = 256 * 1024
"""Bytes of one row; larger ones are not to be added."""

_BATCH: Final = 1_000


@dataclass(slots=True)
class Group:
    """Rows of one key in the order of the file.

    Attributes:
        rows: Number and body of each.
        beyond: How many rows are over the bounds of a group.
        first_beyond: Number of the first of these.
    """

    key: str
    rows: list[tuple[int, bytes]] = field(default_factory=list)
    beyond: int = 0
    first_beyond: int = 0


class Spool:
    """Rows by key, on disk."""

    def __init__(self) -> None:
        # An empty name makes a file that nobody else sees and that vanishes with the connection.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -8192", "temp_store = FILE"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("CREATE TABLE row (key TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL)")
        self._waiting: list[tuple[str, int, bytes]] = []
        self._weight = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._database.close()

    def add(self, key: str, number: int, body: bytes) -> None:
        """Takes a row; `full` tells when it is time to `store`."""
        self._waiting.append((key, number, body))
        self._weight += len(body)

    @property
    def full(self) -> bool:
        """Whether as many rows wait in memory as should."""
        return len(self._waiting) >= _BATCH or self._weight > MOST_BYTES

    async def store(self) -> None:
        """Writes the rows that wait.

        Raises:
            OSError: The disk is full.
        """
        rows, self._waiting, self._weight = self._waiting, [], 0
        await asyncio.to_thread(self._insert, rows)

    def _insert(self, rows: list[tuple[str, int, bytes]]) -> None:
        try:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT INTO row VALUES (?, ?, ?)", rows)
            self._database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise OSError(f"the temporary files of an import cannot be written: {error}") from error

    async def groups(self) -> AsyncIterator[Group]:
        """Gives the rows by key."""
        await self.store()
        cursor = await asyncio.to_thread(
            self._database.execute, "SELECT key, number, body FROM row ORDER BY key, number"
        )
        group: Group | None = None
        weight = 0
        while rows := await asyncio.to_thread(cursor.fetchmany, _BATCH // 4):
            for key, number, body in rows:
                if group is None or group.key != key:
                    if group is not None:
                        yield group
                    group, weight = Group(key), 0
                weight += len(body)
                if len(group.rows) < MOST_ROWS and weight <= MOST_BYTES:
                    group.rows.append((number, body))
                else:
                    group.first_beyond = group.first_beyond or number
                    group.beyond += 1
        if group is not None:
            yield group
