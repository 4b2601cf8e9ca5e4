"""What is under way to hubs, and the dead letters."""

import json
from collections.abc import Callable, Sequence

from gateway.services.cursors import decode, encode
from gateway.services.links import SQL as CONNECTIONS
from gateway.services.ports import BadCursor, DeadLetter, DeliveryState, DeliveryView, Letters, NotFound, Page
from gateway.store.pool import Store
from gateway.store.queries import Queries

SQL = Queries("gateway.services", "deliveries.sql")


class Deliveries:
    """Reads the outbox for people, and puts refused records back or gives them up."""

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self._store = store
        self._wake = wake

    async def list(
        self, connection: str | None, state: DeliveryState | None, after: str | None, limit: int
    ) -> Page[DeliveryView]:
        """See `ports.Deliveries.list`."""
        await self._require(connection)
        start = decode(after, 3) if after is not None else ("", "", "")
        if start is None:
            raise BadCursor
        rows = await self._store.fetch(SQL["list"], connection, state.value if state else None, *start, limit)
        items = [DeliveryView(**{**row, "state": DeliveryState(row["state"])}) for row in map(dict, rows)]
        last = items[-1] if len(items) == limit else None
        return Page(items, encode(last.connection, last.key, last.operation) if last else None)

    async def dead_letters(self, connection: str | None, after: str | None, limit: int) -> Page[DeadLetter]:
        """See `ports.Deliveries.dead_letters`."""
        await self._require(connection)
        start = decode(after, 1) if after is not None else ("0",)
        if start is None or not start[0].isdigit():
            raise BadCursor
        rows = await self._store.fetch(SQL["dead_letters"], connection, int(start[0]), limit)
        letters = [
            DeadLetter(
                id=row["id"],
                connection=row["connection"],
                operation=row["operation"],
                key=row["key"],
                code=row["code"],
                text=row["reason"],
                field=row["field"],
                attempts=row["attempts"],
                at=row["at"],
                body=json.loads(row["body"]) if row["body"] is not None else None,
            )
            for row in rows
        ]
        return Page(letters, encode(str(letters[-1].id)) if len(letters) == limit else None)

    async def replay(self, letters: Letters, who: str) -> int:
        """See `ports.Deliveries.replay`."""
        await self._require(letters.connection)
        tag = ""
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    tag = await tx.execute(SQL["replay"], list(letters.ids), letters.connection)
                    detail = json.dumps({"ids": list(letters.ids), "connection": letters.connection})
                    await tx.execute(CONNECTIONS["audit"], who, "replayed", "dead-letters", detail)
        self._wake()
        return int(tag.rsplit(" ", 1)[-1])

    async def discard(self, ids: Sequence[int], why: str, who: str) -> int:
        """See `ports.Deliveries.discard`."""
        async with self._store.transaction() as tx:
            gone = await tx.fetch(SQL["discard"], list(ids))
            for row in gone:
                detail = json.dumps({"operation": row["operation"], "key": row["key"], "why": why})
                await tx.execute(CONNECTIONS["audit"], who, "discarded", f"dead-letter/{row['id']}", detail)
        return len(gone)

    async def _require(self, connection: str | None) -> None:
        if connection is not None and not await self._store.fetchval(SQL["connection_exists"], connection):
            raise NotFound(f"there is no connection {connection}")
