"""What came of commands: said once, told to whom it was promised, in time or as a timeout."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from adapters.core.charging import CommandOutcome, Denial, Message
from gateway.outbox.destinations import Place
from gateway.outbox.messages import append as append_messages
from gateway.services.commands.finding import SQL
from gateway.services.links import Links
from gateway.services.waiting import Sweeper, Waiting
from gateway.store.listening import Listening
from gateway.store.pool import Record, Store
from mappings.canonical.commands import CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId

CHANNEL: Final = "roamgate_commands"

SWEEP: Final = 1.0

GRACE: Final = timedelta(seconds=2)
"""After the deadline whoever waits for the answer says that there is none; after this it is taken to be gone."""

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
        told: Called with the place at which there is something to tell to a hub.
        noted: Called when events were written.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        measures: Measures,
        now: Callable[[], datetime],
        told: Callable[[Place], None],
        noted: Callable[[], None],
    ) -> None:
        self._store = store
        self._links = links
        self._measures = measures
        self._now = now
        self._told = told
        self._noted = noted
        self._waiting = Waiting(now)
        self._listening: Listening | None = None
        self._sweeper = Sweeper("sweeping commands", SWEEP, self.sweep)

    async def start(self, listening: Listening) -> None:
        """Starts looking for commands whose time is over."""
        self._listening = listening
        self._sweeper.start()

    async def stop(self) -> None:
        """Stops looking."""
        await self._sweeper.stop()

    def heard(self, id_: str) -> None:
        """Has whoever waits for a command here look at once."""
        self._waiting.heard(id_)

    async def settle(self, id_: str, answer: CommandAnswer, *, told: bool = True) -> Settled:
        """Writes what came of a command, unless something was said before.

        Args:
            told: Whether it may have to be told to a hub; a statement alone is enough where surely nobody is told.

        Raises:
            LookupError: There is no such command.
        """
        places: set[Place] = set()
        if told:
            row, places = await self._write_told(id_, answer)
        else:
            row = await self._store.fetchrow(*self._statement(id_, answer))
        if row is None:
            return Settled(await self._answer_of(id_), first=False)
        self._measure(row, answer)
        self._noted()
        self.heard(id_)
        for place in places:
            self._told(place)
        if row["reply_to"] is None and told and self._listening is not None:  # a hub may wait for it at another replica
            await self._listening.notify(CHANNEL, id_)
        return Settled(answer, first=True)

    async def wait(self, id_: str, deadline: datetime) -> CommandAnswer | None:
        """Gives what came of a command, as soon as somebody says so; None if nobody does by the deadline."""

        async def read() -> CommandAnswer | None:
            row = await self._store.fetchrow(SQL["answer_of"], id_)
            told = row is not None and row["result"] is not None
            return CommandAnswer.model_validate_json(row["answer"]) if row is not None and told else None

        return await self._waiting.wait(id_, deadline, read)

    async def sweep(self) -> int:
        """Says of commands whose time is over, and for which nobody waits any more, that they timed out; how many."""
        rows = await self._store.fetch(SQL["overdue"], self._now() - GRACE)
        silent = CommandAnswer(result=CommandResult.TIMEOUT, text="Nobody answered in time")
        settled = [await self.settle(row["id"], silent) for row in rows]
        return sum(each.first for each in settled)

    def _statement(self, id_: str, answer: CommandAnswer, *, told: bool = False) -> tuple[str, *tuple[object, ...]]:
        result = answer.result
        return (
            SQL["settle"],
            id_,
            result.value,
            answer.model_dump_json(exclude_none=True),
            self._now(),
            told,
            DENIALS[result].value if result is not CommandResult.ACCEPTED else None,
            result in _GIVEN_UP,
            answer.text,
            answer.session_id,
        )

    async def _write_told(self, id_: str, answer: CommandAnswer) -> tuple[Record | None, set[Place]]:
        """Writes what came of a command, and what is to be told of it; gives the places at which it is."""
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    messages: Sequence[Message] = ()
                    row = await tx.fetchrow(*self._statement(id_, answer, told=True))
                    link = self._links.get(row["connection_id"]) if row is not None else None
                    if row is not None and link is not None and row["reply_to"] is not None:
                        outcome = CommandOutcome(command=id_, reply_to=json.loads(row["reply_to"]), answer=answer)
                        messages = link.adapter.of_result(outcome, PartyId(row["party"]))
                        await append_messages(tx, link, messages)
                    return row, {Place(row["connection_id"], message.operation) for message in messages if row}
        raise AssertionError("unreachable")

    async def _answer_of(self, id_: str) -> CommandAnswer:
        row = await self._store.fetchrow(SQL["answer_of"], id_)
        if row is None or row["answer"] is None:
            raise LookupError(f"there is no command {id_}")
        return CommandAnswer.model_validate_json(row["answer"])

    def _measure(self, row: Record, answer: CommandAnswer) -> None:
        link = self._links.get(row["connection_id"])
        if link is not None:
            self._measures.command(link.connection.hub, link.connection.name, row["kind"], answer.result.value)
