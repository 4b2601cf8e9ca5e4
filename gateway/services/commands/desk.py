"""Commands from hubs, as the backend sees and answers them."""

import json
from collections.abc import Callable
from datetime import datetime

from gateway.services.commands.answering import Answering
from gateway.services.commands.finding import SQL
from gateway.services.cursors import encode, moment_of
from gateway.services.ports import Conflict, NotFound, Page, Parties
from gateway.services.ports.commands import CommandView
from gateway.store.pool import Record, Store
from mappings.canonical.commands import CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId


class Desk:
    """Implements `ports.CommandDesk`."""

    def __init__(self, store: Store, answering: Answering, now: Callable[[], datetime]) -> None:
        self._store = store
        self._answering = answering
        self._now = now

    async def list(
        self, parties: Parties, connection: str | None, open_: bool | None, after: str | None, limit: int
    ) -> Page[CommandView]:
        """See `ports.CommandDesk.list`."""
        at, id_ = moment_of(after)
        rows = await self._store.fetch(SQL["list"], _normal(parties), connection, open_, at, id_, limit)
        last = rows[-1] if len(rows) == limit else None
        return Page(
            [_view(row) for row in rows], encode(last["at"].isoformat(), last["id"]) if last is not None else None
        )

    async def get(self, parties: Parties, id_: str) -> CommandView:
        """See `ports.CommandDesk.get`."""
        row = await self._store.fetchrow(SQL["one"], _normal(parties), id_)
        if row is None:
            raise NotFound(f"There is no command {id_}")
        return _view(row)

    async def answer(self, parties: Parties, id_: str, answer: CommandAnswer) -> CommandView:
        """See `ports.CommandDesk.answer`."""
        view = await self.get(parties, id_)
        if view.result is None and view.deadline < self._now():
            raise Conflict(f"Nobody waits for the answer any more: it was wanted by {view.deadline.isoformat()}")
        settled = await self._answering.settle(id_, answer)
        if not settled.first:
            raise Conflict(f"The command was answered before: {settled.answer.result}")
        return await self.get(parties, id_)


def _normal(parties: Parties) -> list[str] | None:
    return None if parties is None else [party.normal for party in parties]


def _view(row: Record) -> CommandView:
    answer = CommandAnswer.model_validate_json(row["answer"]) if row["answer"] is not None else None
    return CommandView(
        id=row["id"],
        connection=row["connection"],
        kind=row["kind"],
        party=PartyId(row["party"]),
        command=json.loads(row["body"]),
        at=row["at"],
        deadline=row["deadline"],
        reference=row["reference"],
        session_id=row["session_id"] or (answer.session_id if answer is not None else None),
        result=CommandResult(row["result"]) if row["result"] is not None else None,
        text=answer.text if answer is not None else None,
        answered_at=row["answered_at"],
    )
