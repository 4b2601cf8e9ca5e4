"""What is under way to hubs and webhooks, and the dead letters."""

import json
from collections.abc import Callable, Sequence

from gateway.services.cursors import LAST, decode, encode, number_of
from gateway.services.links import SQL as CONNECTIONS
from gateway.services.ports import (
    BadCursor,
    DeadLetter,
    DeliveryState,
    DeliveryView,
    IssueShown,
    Letters,
    MessageFilter,
    MessageState,
    MessageView,
    NotFound,
    Page,
)
from gateway.store.pool import Record, Store
from gateway.store.queries import Queries
from mappings.report import IssueKind

SQL = Queries("gateway.services", "deliveries.sql")


class Deliveries:
    """Reads the outbox for people, and puts what was refused back or gives it up."""

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

    async def messages(self, which: MessageFilter, after: str | None, limit: int) -> Page[MessageView]:
        """See `ports.Deliveries.messages`."""
        await self._require(which.connection, which.webhook)
        start = number_of(after, LAST)
        state = which.state.value if which.state is not None else None
        rows = await self._store.fetch(SQL["messages"], which.connection, which.webhook, state, which.key, start, limit)
        items = [_message(row) for row in rows]
        return Page(items, encode(str(items[-1].id)) if len(items) == limit else None)

    async def dead_letters(self, connection: str | None, after: str | None, limit: int) -> Page[DeadLetter]:
        """See `ports.Deliveries.dead_letters`."""
        await self._require(connection)
        rows = await self._store.fetch(SQL["dead_letters"], connection, number_of(after, 0), limit)
        letters = [
            DeadLetter(
                id=row["id"],
                connection=row["connection"],
                webhook=row["webhook"],
                message=row["message"],
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
        await self._require(letters.connection, letters.webhook)
        count = 0
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    count = await tx.fetchval(SQL["replay"], list(letters.ids), letters.connection, letters.webhook)
                    detail = json.dumps(
                        {"ids": list(letters.ids), "connection": letters.connection, "webhook": letters.webhook}
                    )
                    await tx.execute(CONNECTIONS["audit"], who, "replayed", "dead-letters", detail)
        self._wake()
        return count

    async def discard(self, ids: Sequence[int], why: str, who: str) -> int:
        """See `ports.Deliveries.discard`."""
        gone: Sequence[Record] = ()
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    gone = await tx.fetch(SQL["discard"], list(ids))
                    for row in gone:
                        detail = json.dumps({"operation": row["operation"], "key": row["key"], "why": why})
                        await tx.execute(CONNECTIONS["audit"], who, "discarded", f"dead-letter/{row['id']}", detail)
        return len(gone)

    async def _require(self, connection: str | None, webhook: str | None = None) -> None:
        if connection is not None and not await self._store.fetchval(SQL["connection_exists"], connection):
            raise NotFound(f"there is no connection {connection}", "connection")
        if webhook is not None and not await self._store.fetchval(SQL["webhook_exists"], webhook):
            raise NotFound(f"there is no webhook {webhook}", "webhook")


def _message(row: Record) -> MessageView:
    issues = json.loads(row["issues"]) if row["issues"] is not None else []
    return MessageView(
        id=row["no"],
        connection=row["connection"],
        webhook=row["webhook"],
        operation=row["operation"],
        kind=row["kind"],
        lane=row["lane"],
        key=row["key"],
        party=row["party"],
        state=MessageState(row["state"]),
        attempts=row["attempts"],
        doubtful=row["doubtful"],
        since=row["since"],
        due_at=row["due_at"],
        until=row["until"],
        settled_at=row["settled_at"],
        code=row["code"],
        error=row["error"],
        issues=[IssueShown(IssueKind(kind), *rest) for kind, *rest in issues],
        body=json.loads(row["body"]) if row["body"] is not None else None,
    )
