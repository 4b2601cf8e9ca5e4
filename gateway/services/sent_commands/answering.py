"""What came of commands that we sent: written once, in whichever replica it is heard, in time or as a timeout."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from adapters.core.connection import Connection
from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.commands.answering import DENIALS
from gateway.services.drivers.contracts import Contracts
from gateway.services.drivers.permits import deny_permit, name_permit
from gateway.services.links import Links
from gateway.services.ports.sent_commands import SentKind
from gateway.services.waiting import Sweeper, Waiting
from gateway.store.listening import Listening
from gateway.store.pool import Record, Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.commands import CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg

SQL: Final = Queries("gateway.services.sent_commands", "sent_commands.sql")

CHANNEL: Final = "roamgate_sent_commands"

SWEEP: Final = 1.0

GRACE: Final = timedelta(seconds=2)
"""After the deadline whoever carries a command says that it timed out; after this that process is taken to be gone."""

_BEGIN: Final = frozenset({SentKind.START_SESSION, SentKind.RESERVE_NOW})
_OPEN: Final = frozenset({CommandResult.ACCEPTED, CommandResult.TIMEOUT})
"""Results after which something may have begun: nobody knows what a silent station does."""

_GIVEN_UP: Final = frozenset({CommandResult.ACCEPTED, CommandResult.CANCELED_RESERVATION})


class Measures(Protocol):
    """What sent commands report for the metrics."""

    def sent_command(self, hub: str, connection: str, kind: str, result: str) -> None:
        """Counts a command by what came of it."""


class SentAnswering:
    """Writes what came of commands, and lets those know who wait for it.

    Args:
        noted: Called when events were written.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        contracts: Contracts,
        measures: Measures,
        now: Callable[[], datetime],
        noted: Callable[[], None],
    ) -> None:
        self._store = store
        self._links = links
        self._contracts = contracts
        self._measures = measures
        self._now = now
        self._noted = noted
        self._waiting = Waiting(now)
        self._listening: Listening | None = None
        self._sweeper = Sweeper("sweeping sent commands", SWEEP, self.sweep)

    def start(self, listening: Listening) -> None:
        """Starts looking for commands whose time is over."""
        self._listening = listening
        self._sweeper.start()

    async def stop(self) -> None:
        """Stops looking."""
        await self._sweeper.stop()

    def heard(self, id_: str) -> None:
        """Has whoever waits for a command here look at once."""
        self._waiting.heard(id_)

    async def wait(self, id_: str, deadline: datetime) -> CommandAnswer | None:
        """Gives what came of a command, as soon as somebody says so; None if nobody does by the deadline."""

        async def read() -> CommandAnswer | None:
            answer = await self._store.fetchval(SQL["answer_of"], id_)
            return CommandAnswer.model_validate_json(answer) if answer is not None else None

        return await self._waiting.wait(id_, deadline, read)

    async def told(self, connection: Connection, id_: str, answer: CommandAnswer) -> bool:
        """Takes a result that a hub tells; False if nothing was sent under that id over the connection."""
        return await self._write(id_, answer, None, connection.id)

    async def settle(self, id_: str, answer: CommandAnswer | None, leg: Leg | None = None) -> None:
        """Writes what came of a command, if nothing was said of it before, and how the hub calls what it begins.

        Args:
            answer: None where that is told later.
        """
        await self._write(id_, answer, leg, None)

    async def hasten(self, id_: str, deadline: datetime) -> None:
        """Notes that the result comes until then, or not at all."""
        await self._store.execute(SQL["hasten"], id_, deadline)

    async def sweep(self) -> int:
        """Says of commands whose time is over, and which nobody carries any more, that they timed out; how many."""
        rows = await self._store.fetch(SQL["overdue"], self._now() - GRACE)
        for row in rows:
            await self.settle(row["id"], silent())
        return len(rows)

    async def _write(self, id_: str, answer: CommandAnswer | None, leg: Leg | None, over: int | None) -> bool:
        """Writes a result, or one that comes late; False if there is no such command.

        Args:
            over: The number of the connection over which a hub tells it; None where we say it ourselves.
        """
        outcome: str | None = None
        row: Record | None = None
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    row = await tx.fetchrow(SQL["lock"], id_)
                    if row is None or over not in {None, row["connection_id"]}:
                        return False
                    if leg is not None and row["permit_no"] is not None and row["connection_id"] is not None:
                        await _name(tx, row, leg)
                    outcome = await self._note(tx, row, answer, told=over is not None) if answer is not None else None
        if row is not None and outcome is not None:
            self._measure(row, outcome)
            if answer is not None and answer.result is CommandResult.NO_CONTRACT:
                self._note_missing_contract(row, answer)
            self._noted()
            self.heard(id_)
            if self._listening is not None:  # somebody may wait for it at another replica
                await self._listening.notify(CHANNEL, id_)
        return True

    async def _note(self, tx: Transaction, row: Record, answer: CommandAnswer, *, told: bool) -> str | None:
        """Writes an answer; gives what it counts as, None where it says nothing new."""
        body = answer.model_dump_json(exclude_none=True)
        first = row["result"] is None
        if first:
            await tx.execute(SQL["settle"], row["id"], answer.result.value, body, self._now())
        elif told and _differs(row, answer):
            await tx.execute(SQL["late"], row["id"], body)
        else:
            return None
        await self._consequences(tx, row, answer.result)
        [about] = await tx.fetch(SQL["told"], row["id"])
        event = Event(
            EventType.SENT_COMMAND_ANSWERED,
            PartyId(about["party"]),
            f"sent-commands/{row['id']}",
            json.loads(about["data"]),
        )
        await append_events(tx, event)
        return answer.result.value if first else f"LATE_{answer.result.value}"

    async def _consequences(self, tx: Transaction, row: Record, result: CommandResult) -> None:
        """Has nothing begin under what was refused, or given up."""
        if row["permit_no"] is None:
            return
        kind = SentKind(row["kind"])
        if kind in _BEGIN and result not in _OPEN:
            await deny_permit(tx, row["permit_no"], DENIALS[result])
        if kind is SentKind.CANCEL_RESERVATION and result in _GIVEN_UP:
            await tx.execute(SQL["expire_permit"], row["permit_no"], self._now())

    def _note_missing_contract(self, row: Record, answer: CommandAnswer) -> None:
        """Notes that a hub knows no contract where something was to begin by an agreement of ours."""
        link = self._links.get(row["connection_id"]) if row["connection_id"] is not None else None
        if link is not None and row["agreement"] is not None:
            cpo, emsp = PartyId(row["cpo"]), PartyId(row["party"])
            self._contracts.denied(link.connection, cpo, emsp, answer.text or "")

    def _measure(self, row: Record, outcome: str) -> None:
        link = self._links.get(row["connection_id"])
        if link is not None:
            self._measures.sent_command(link.connection.hub, link.connection.name, row["kind"], outcome)


def silent(text: str = "Nobody answered in time") -> CommandAnswer:
    """Gives the answer of those who said nothing."""
    return CommandAnswer(result=CommandResult.TIMEOUT, text=text)


def _differs(row: Record, answer: CommandAnswer) -> bool:
    """Tells whether a result says something else than what was said of the command last."""
    last = CommandAnswer.model_validate_json(row["late"] or row["answer"])
    return last.result is not answer.result


async def _name(tx: Transaction, row: Record, leg: Leg) -> None:
    """Has a permit found by what the hub calls the charge, too."""
    place = row["permit_no"], row["connection_id"]
    await name_permit(tx, *place, leg)
    await name_permit(tx, *place, _joined(row["leg"], leg))


def _joined(stored: str, told: Leg) -> Leg:
    """Adds to a leg what the hub tells; who the driver is, and what we call the charge, stays."""
    leg = Leg.model_validate_json(stored)
    names = ("hub_session", "own_session", "emsp_session", "reference", "product")
    new = {name: value for name in names if (value := getattr(told, name)) is not None}
    kept = {"emsp_session", "reference"} & {name for name in new if getattr(leg, name) is not None}
    return leg.model_copy(update={name: value for name, value in new.items() if name not in kept})
