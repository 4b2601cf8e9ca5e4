"""Commands that were given before: which are the same, and what is said to them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from adapters.core.charging import CommandOutcome
from adapters.core.connection import Connection
from gateway.outbox.messages import append as append_messages
from gateway.services.authorisation.admitting import identity, references
from gateway.services.commands.finding import SQL
from gateway.services.links import Links
from gateway.store.pool import Store
from mappings.canonical.commands import (
    CancelReservation,
    Command,
    CommandAnswer,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.ids import PartyId

SOON: Final = timedelta(seconds=30)
"""For how long the answer to a command that may sensibly be given again is the answer to its repetition, too."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A command that was given before; what came of it, if anything yet."""

    id: str
    deadline: datetime
    answer: CommandAnswer | None


@dataclass(frozen=True, slots=True)
class Given:
    """A command as it came in.

    Attributes:
        reply_to: Where its result is to be told; None where the hub waits for it.
        dedup: What makes another one the same.
    """

    connection: Connection
    command: Command
    reply_to: Mapping[str, str] | None
    deadline: datetime
    dedup: str

    @property
    def reply_json(self) -> str | None:
        """The text that is stored."""
        return None if self.reply_to is None else json.dumps(dict(self.reply_to))


class Repetitions:
    """Finds the command that another one repeats.

    Args:
        told: Called when there is something to tell to a hub.
    """

    def __init__(self, store: Store, links: Links, now: Callable[[], datetime], told: Callable[[], None]) -> None:
        self._store = store
        self._links = links
        self._now = now
        self._told = told

    async def find(self, given: Given) -> Repeated | None:
        """Gives the command that this one repeats; None where it is to be carried out, for the first time or anew."""
        row = await self._store.fetchrow(SQL["earlier"], given.connection.id, given.dedup)
        if row is None:
            return None
        if row["result"] is not None and not _named(given.command) and row["answered_at"] + SOON < self._now():
            await self._store.execute(SQL["done_with"], row["id"])
            return None
        answer = CommandAnswer.model_validate_json(row["answer"]) if row["result"] is not None else None
        before = json.loads(row["reply_to"]) if row["reply_to"] is not None else None
        elsewhere = given.reply_to is not None and _addresses(before) != _addresses(given.reply_to)
        if elsewhere and (answer is not None or not await self._reply_elsewhere(row["id"], given)):
            answer = answer or await self._answer_of(row["id"])
            await self._tell_again(row["id"], given, answer)
        return Repeated(row["id"], row["deadline"], answer)

    async def _reply_elsewhere(self, id_: str, given: Given) -> bool:
        """Has the result told where it was last asked for; False if there is a result already."""
        return bool(await self._store.execute(SQL["reply_elsewhere"], id_, given.reply_json))

    async def _answer_of(self, id_: str) -> CommandAnswer:
        row = await self._store.fetchrow(SQL["answer_of"], id_)
        if row is None or row["answer"] is None:
            raise LookupError(f"there is no answer to command {id_}")
        return CommandAnswer.model_validate_json(row["answer"])

    async def _tell_again(self, id_: str, given: Given, answer: CommandAnswer) -> None:
        """Tells a result that is known already to another address, too."""
        link = self._links.get(given.connection.id)
        if link is None or given.reply_to is None:
            return
        async with self._store.transaction() as tx:
            party = PartyId(await tx.fetchval(SQL["party_of"], id_))
            outcome = CommandOutcome(command=id_, reply_to=given.reply_to, answer=answer)
            await append_messages(tx, link, link.adapter.of_result(outcome, party))
        self._told()


def emsp_of(command: Command) -> PartyId | None:
    """Gives who asks; None where the hub does not tell."""
    if isinstance(command, StartSession | ReserveNow):
        return command.leg.emsp or command.emsp
    return command.emsp


def _named(command: Command) -> bool:
    """Tells whether a command names what it begins, so that the same name can never mean another charge."""
    if isinstance(command, ReserveNow):
        return True
    return isinstance(command, StartSession) and bool(references(command.leg))


def dedup_of(command: Command, reply_to: Mapping[str, str] | None) -> str:
    """Gives what makes a command the same as another at its connection, as a digest: a driver's card may be in it."""
    parts: list[Any] = [command.kind, str(emsp_of(command))]
    match command:
        case StartSession(leg=leg) if references(leg):
            parts += [value for _, value in references(leg)]
        case StartSession(leg=leg, at=at):
            parts += [identity(leg.identification), at.model_dump_json(), _addresses(reply_to)]
        case ReserveNow(leg=leg) if leg.hub_session is not None:
            # A hub that gives each reservation a session of its own changes none. When it ends may have been counted
            # from its arrival, and would tell the repetition from the first.
            parts.append(leg.hub_session)
        case ReserveNow(reservation=reservation, at=at, expires=expires):
            parts += [reservation, at.model_dump_json(), expires.isoformat()]
        case StopSession(session=name, at=at) | CancelReservation(reservation=name, at=at):
            parts += [name, at.model_dump_json() if at is not None else None]
        case UnlockConnector(at=at):
            parts.append(at.model_dump_json())
    return sha256(json.dumps(parts).encode()).hexdigest()


def _addresses(reply_to: Mapping[str, str] | None) -> list[str]:
    """Gives where results are wanted, without what only marks one request."""
    return sorted(value for value in (reply_to or {}).values() if "://" in value)
