"""What came of commands: said once, told to whom it was promised, in time or as a timeout."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import asyncpg
import structlog

from adapters.core.charging import CommandOutcome, Denial
from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.outbox.messages import append as append_messages
from gateway.services.finding import SQL
from gateway.services.links import Links
from gateway.store.listening import Listening
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.commands import CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId

log = structlog.get_logger(__name__)

CHANNEL: Final = "roamgate_commands"

POLL: Final = 0.5
"""Seconds between two looks for an answer that nobody notified."""

SWEEP: Final = 1.0

GRACE: Final = timedelta(seconds=2)
"""After the deadline whoever waits for the answer says that there is none; after this it is taken to be gone."""

STARTS: Final = frozenset({"START_SESSION", "RESERVE_NOW"})
"""Commands that make an authorisation."""

DENIALS: Final[Mapping[CommandResult, Denial]] = {
    CommandResult.CANCELED_RESERVATION: Denial.NOT_ALLOWED,
    CommandResult.EVSE_OCCUPIED: Denial.EVSE_UNAVAILABLE,
    CommandResult.EVSE_INOPERATIVE: Denial.EVSE_UNAVAILABLE,
    CommandResult.EVSE_RESERVED: Denial.EVSE_UNAVAILABLE,
    CommandResult.FAILED: Denial.NOT_ALLOWED,
    CommandResult.NOT_SUPPORTED: Denial.NOT_ALLOWED,
    CommandResult.REJECTED: Denial.NOT_ALLOWED,
    CommandResult.TIMEOUT: Denial.NO_ANSWER,
    CommandResult.UNKNOWN_RESERVATION: Denial.UNKNOWN_SESSION,
    CommandResult.UNKNOWN_SESSION: Denial.UNKNOWN_SESSION,
    CommandResult.UNKNOWN_EVSE: Denial.UNKNOWN_EVSE,
    CommandResult.NO_VEHICLE: Denial.NOT_ALLOWED,
    CommandResult.NO_CONTRACT: Denial.NO_CONTRACT,
}
if missing := set(CommandResult) - DENIALS.keys() - {CommandResult.ACCEPTED}:
    raise LookupError(f"no denial for {sorted(missing)}")


_GIVEN_UP: Final = frozenset({CommandResult.ACCEPTED, CommandResult.CANCELED_RESERVATION})
"""What a backend may say when it gave a reservation up."""


class Measures(Protocol):
    """What commands report for the metrics."""

    def command(self, hub: str, connection: str, kind: str, result: str) -> None:
        """Counts a command by what came of it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a command.

    Attributes:
        first: Whether it was said just now; False where something was said before, which stands.
    """

    answer: CommandAnswer
    first: bool


class Answering:
    """Writes what came of commands, and lets those know who wait for it, in whichever replica.

    Args:
        told: Called when there is something to tell to a hub.
        noted: Called when events were written.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        measures: Measures,
        now: Callable[[], datetime],
        told: Callable[[], None],
        noted: Callable[[], None],
    ) -> None:
        self._store = store
        self._links = links
        self._measures = measures
        self._now = now
        self._told = told
        self._noted = noted
        self._waiting: dict[str, asyncio.Event] = {}
        self._listening: Listening | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, listening: Listening) -> None:
        """Starts looking for commands whose time is over."""
        self._listening = listening
        self._task = asyncio.get_running_loop().create_task(self._sweep())

    async def stop(self) -> None:
        """Stops looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def heard(self, id_: str) -> None:
        """Has whoever waits for a command here look at once."""
        if (waiting := self._waiting.get(id_)) is not None:
            waiting.set()

    async def settle(self, id_: str, answer: CommandAnswer) -> Settled:
        """Writes what came of a command, unless something was said before.

        Raises:
            LookupError: There is no such command.
        """
        row: Record | None = None
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    row = await self._write(tx, id_, answer)
                    if row is None:
                        return Settled(await self._answer_of(tx, id_), first=False)
        if row is None:
            raise AssertionError("unreachable")
        self._measure(row, answer)
        self._noted()
        if row["reply_to"] is not None:
            self._told()
        if id_ in self._waiting:
            self.heard(id_)
        elif self._listening is not None and row["reply_to"] is None:  # a replica may hold the hub's request open
            await self._listening.notify(CHANNEL, id_)
        return Settled(answer, first=True)

    async def wait(self, id_: str, deadline: datetime) -> CommandAnswer | None:
        """Gives what came of a command, as soon as somebody says so; None if nobody does by the deadline."""
        waiting = self._waiting.setdefault(id_, asyncio.Event())
        try:
            while True:
                waiting.clear()
                row = await self._store.fetchrow(SQL["answer_of"], id_)
                if row is not None and row["result"] is not None:
                    return CommandAnswer.model_validate_json(row["answer"])
                left = (deadline - self._now()).total_seconds()
                if left <= 0:
                    return None
                with suppress(TimeoutError):
                    await asyncio.wait_for(waiting.wait(), min(left, POLL))
        finally:
            self._waiting.pop(id_, None)

    async def sweep(self) -> int:
        """Says of commands whose time is over, and for which nobody waits any more, that they timed out; how many."""
        rows = await self._store.fetch(SQL["overdue"], self._now() - GRACE)
        silent = CommandAnswer(result=CommandResult.TIMEOUT, text="Nobody answered in time")
        settled = [await self.settle(row["id"], silent) for row in rows]
        return sum(each.first for each in settled)

    async def _sweep(self) -> None:
        while True:
            try:
                await self.sweep()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("commands not swept", error=str(error))
            except Exception:
                log.exception("commands not swept")
            await asyncio.sleep(SWEEP)

    async def _write(self, tx: Transaction, id_: str, answer: CommandAnswer) -> Record | None:
        now = self._now()
        row = await tx.fetchrow(SQL["settle"], id_, answer.result.value, answer.model_dump_json(exclude_none=True), now)
        if row is not None:
            await self._follow_up(tx, row, answer, now)
        return row

    @staticmethod
    async def _answer_of(tx: Transaction, id_: str) -> CommandAnswer:
        row = await tx.fetchrow(SQL["answer_of"], id_)
        if row is None or row["answer"] is None:
            raise LookupError(f"there is no command {id_}")
        return CommandAnswer.model_validate_json(row["answer"])

    async def _follow_up(self, tx: Transaction, row: Record, answer: CommandAnswer, now: datetime) -> None:
        """Writes what follows from an answer, in its transaction."""
        accepted = answer.result is CommandResult.ACCEPTED
        if row["kind"] in STARTS and not accepted:
            await tx.execute(SQL["denied"], row["authorisation_no"], DENIALS[answer.result].value)
        if row["kind"] == "CANCEL_RESERVATION" and answer.result in _GIVEN_UP:
            await tx.execute(SQL["used_up"], row["authorisation_no"], now)
            await tx.execute(SQL["reservable"], row["authorisation_no"])
        if row["follows"] is not None and accepted:
            await tx.execute(SQL["used_up"], row["follows"], now)
        link = self._links.get(row["connection_id"])
        party = PartyId(row["party"])
        if row["reply_to"] is not None and link is not None:
            outcome = CommandOutcome(command=row["id"], reply_to=json.loads(row["reply_to"]), answer=answer)
            await append_messages(tx, link, link.adapter.of_result(outcome, party))
        data: dict[str, Any] = {"id": row["id"], "kind": row["kind"], **answer.model_dump(mode="json")}
        if link is not None:
            data["connection"] = link.connection.name
        if row["reference"] is not None:
            data["reference"] = row["reference"]
        told = {name: value for name, value in data.items() if value is not None}
        await append_events(tx, Event(EventType.COMMAND_ANSWERED, party, f"commands/{row['id']}", told))

    def _measure(self, row: Record, answer: CommandAnswer) -> None:
        link = self._links.get(row["connection_id"])
        if link is not None:
            self._measures.command(link.connection.hub, link.connection.name, row["kind"], answer.result.value)
