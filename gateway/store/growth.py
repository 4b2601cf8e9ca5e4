"""Keeps the planner's picture of tables that grow fast from falling behind.

PostgreSQL looks at its tables anew once a minute at most. A first import fills empty tables within seconds, and until
then every statement would be planned for tables of a handful of rows: joins that read all of them, again and again.
"""

from collections import Counter

from gateway.store.pool import Store

_FIRST = 1_000
"""Rows after which a table is looked at for the first time."""


class Growth:
    """Counts what this process writes, and has a table analysed when it may have doubled."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._written: Counter[str] = Counter()
        self._next: dict[str, int] = {}

    async def note(self, **rows: int) -> None:
        """Notes rows written, by table; call it after the commit."""
        self._written.update(rows)
        due = [table for table in rows if self._written[table] >= self._next.get(table, _FIRST)]
        for table in due:
            self._next[table] = 2 * self._written[table]
            await self._store.execute(f"ANALYZE {table}")
