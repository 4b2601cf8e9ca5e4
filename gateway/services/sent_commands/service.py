"""Commands for our drivers at partners' stations."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import structlog

from adapters.core.connection import Connection
from adapters.core.roaming import CommandSent
from gateway.services.cursors import encode, moment_of
from gateway.services.drivers.contracts import Contracts
from gateway.services.drivers.permits import Permit, write_permit
from gateway.services.links import Links
from gateway.services.ports import Conflict, Invalid, NotFound, Page, Parties
from gateway.services.ports.sent_commands import SentCommandView, SentFilter, SentKind, Wish
from gateway.services.sent_commands.answering import SQL, SentAnswering, silent
from gateway.services.sent_commands.preparing import Prepared, Preparing
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.commands import CommandAnswer, CommandResult, ReserveNow
from mappings.canonical.ids import PartyId

log = structlog.get_logger(__name__)

STOP: Final = 15.0
"""Seconds that commands under way may take to end when the process shall."""

SETTLING: Final = timedelta(seconds=1)
"""After the deadline in which a timeout is written, for which a caller waits too."""


class SentCommands:
    """Implements `adapters.core.inbound.SentCommands` and `ports.SentCommandDesk`."""

    def __init__(
        self,
        store: Store,
        links: Links,
        contracts: Contracts,
        answering: SentAnswering,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._answering = answering
        self._preparing = Preparing(store, links, contracts, now)
        self._now = now
        self._asking: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def stop(self) -> None:
        """Lets hubs answer that are being asked. What they tell later, or do not, any replica writes."""
        self._stopping = True
        if self._asking:
            await asyncio.wait(self._asking, timeout=STOP)
        left = [*self._asking, *self._waiting]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def told(self, connection: Connection, id_: str, answer: CommandAnswer) -> bool:
        """See `inbound.SentCommands.told`."""
        return await self._answering.told(connection, id_, answer)

    async def send(self, wish: Wish) -> SentCommandView:
        """See `ports.SentCommandDesk.send`."""
        id_ = await self._requested(wish) or await self._begin(wish)
        view = await self.get(None, id_)
        if view.result is not None:
            return view
        longest = view.deadline + SETTLING
        until = longest if wish.wait is None else min(longest, self._now() + timedelta(seconds=wish.wait))
        await self._answering.wait(id_, until)
        return await self.get(None, id_)

    async def get(self, parties: Parties, id_: str) -> SentCommandView:
        """See `ports.SentCommandDesk.get`."""
        row = await self._store.fetchrow(SQL["one"], _normal(parties), id_)
        if row is None:
            raise NotFound(f"There is no sent command {id_}")
        return _view(row)

    async def list(self, wanted: SentFilter, after: str | None, limit: int) -> Page[SentCommandView]:
        """See `ports.SentCommandDesk.list`."""
        rows = await self._store.search(
            SQL["list"],
            _normal(wanted.parties),
            wanted.cpo.normal if wanted.cpo is not None else None,
            wanted.connection,
            wanted.kind.value if wanted.kind is not None else None,
            wanted.open,
            wanted.since,
            wanted.until,
            *moment_of(after),
            limit,
        )
        last = rows[-1] if len(rows) == limit else None
        return Page([_view(row) for row in rows], encode(last["at"].isoformat(), last["id"]) if last else None)

    async def _requested(self, wish: Wish) -> str | None:
        """Gives the command that the same request began.

        Raises:
            Conflict: It was another command's.
        """
        if wish.request_id is None:
            return None
        row = await self._store.fetchrow(SQL["requested"], wish.party.normal, wish.request_id)
        if row is None:
            return None
        if json.loads(row["wish"]) != json.loads(_stored(wish)):
            raise Conflict("The request_id was used for another command", "request_id")
        found: str = row["id"]
        return found

    async def _begin(self, wish: Wish) -> str:
        """Writes a command with the permit that it makes, and has it carried to the hub; gives its id."""
        id_ = uuid4().hex
        prepared = await self._preparing.prepare(wish, id_)
        now = self._now()
        deadline = now + prepared.link.adapter.roaming.command_within
        try:
            async for attempt in self._store.attempts():
                with attempt:
                    async with self._store.transaction() as tx:
                        await _write(tx, id_, wish, prepared, now, deadline)
        except _Taken:
            found = await self._requested(wish)
            if found is None:
                raise RuntimeError("a command was neither written nor there") from None
            return found
        self._spawn(self._carry(id_, prepared, deadline), self._asking)
        return id_

    def _spawn(self, work: Coroutine[Any, Any, None], among: "set[asyncio.Task[None]]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        among.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._asking.discard(task)
        self._waiting.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("command not carried", exc_info=error)

    async def _carry(self, id_: str, prepared: Prepared, deadline: datetime) -> None:
        """Asks the hub, and writes what comes of it; the caller may have hung up long ago."""
        sent = await self._ask(id_, prepared, deadline)
        if sent.answer is not None or sent.leg is not None:
            await self._answering.settle(id_, sent.answer, sent.leg)
        if sent.answer is not None:
            return
        if sent.timeout is not None and (sooner := self._now() + sent.timeout) < deadline:
            deadline = sooner
            await self._answering.hasten(id_, deadline)
        if not self._stopping:
            self._spawn(self._await_result(id_, deadline), self._waiting)

    async def _await_result(self, id_: str, deadline: datetime) -> None:
        """Says that a command timed out, if the hub tells no result."""
        if await self._answering.wait(id_, deadline) is None:
            await self._answering.settle(id_, silent("The hub took the command, and told no result in time"))

    async def _ask(self, id_: str, prepared: Prepared, deadline: datetime) -> CommandSent:
        left = max((deadline - self._now()).total_seconds(), 0.0)
        try:
            async with asyncio.timeout(left):
                return await prepared.link.adapter.command(id_, prepared.command, prepared.cpo)
        except TimeoutError:
            return CommandSent(silent("The hub did not answer in time"))
        except Exception as error:
            log.exception("command failed", connection=prepared.link.connection.name, kind=prepared.command.kind)
            # Whether it reached the station, nobody knows.
            return CommandSent(silent(f"The gateway failed: {type(error).__name__}"))


class _Taken(Exception):
    """The same request wrote a command first; nothing of this one stays."""


async def _write(tx: Transaction, id_: str, wish: Wish, prepared: Prepared, now: datetime, deadline: datetime) -> None:
    """Writes a command and its permit.

    Raises:
        Invalid: The driver's token was blocked meanwhile.
        _Taken: The same request wrote one first.
    """
    connection, command, begun = prepared.link.connection, prepared.command, prepared.begun
    permit_no = prepared.permit_no
    if begun is not None:
        permit = Permit(
            id=id_,
            origin=begun.origin,
            party=wish.party,
            leg=begun.leg,
            connection_id=connection.id,
            at=now,
            cpo=prepared.cpo,
            evse_key=prepared.evse_key,
            contract_key=begun.token.contract_id.normal,
            token_no=begun.token_no,
            expires=command.expires if isinstance(command, ReserveNow) else None,
            agreement=prepared.agreement,
        )
        try:
            permit_no = await write_permit(tx, permit)
        except ValueError:
            raise Invalid(("token" if wish.token is not None else "identification", "is blocked")) from None
    row = await tx.fetchrow(
        SQL["insert"],
        id_,
        connection.id,
        command.kind,
        wish.party.normal,
        prepared.cpo.normal,
        wish.request_id,
        prepared.evse_key,
        command.model_dump_json(exclude_none=True),
        _stored(wish),
        permit_no,
        now,
        deadline,
    )
    if row is None:
        raise _Taken


def _stored(wish: Wish) -> str:
    """Gives what makes two wishes one, as JSON: how long somebody waits does not."""
    return wish.model_dump_json(exclude={"wait"}, exclude_none=True)


def _normal(parties: Parties) -> list[str] | None:
    return None if parties is None else [party.normal for party in parties]


def _view(row: Record) -> SentCommandView:
    answer = CommandAnswer.model_validate_json(row["answer"]) if row["answer"] is not None else None
    late = CommandAnswer.model_validate_json(row["late"]) if row["late"] is not None else None
    return SentCommandView(
        id=row["id"],
        request_id=row["request_id"],
        connection=row["connection"],
        kind=SentKind(row["kind"]),
        party=PartyId(row["party"]),
        cpo=PartyId(row["cpo"]),
        evse=row["evse_key"],
        command=json.loads(row["body"]),
        permit=row["permit"],
        at=row["at"],
        deadline=row["deadline"],
        result=CommandResult(row["result"]) if row["result"] is not None else None,
        text=answer.text if answer is not None else None,
        session_id=answer.session_id if answer is not None else None,
        answered_at=row["answered_at"],
        late=late,
    )
