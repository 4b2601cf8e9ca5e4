"""Commands from hubs, carried to the backend."""

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from pydantic import BaseModel, ConfigDict, TypeAdapter

from adapters.core.charging import CommandTaken
from adapters.core.connection import Connection
from gateway.events.callouts import Answered, CallOuts, Later, Silence, SilenceReason
from gateway.services.commands.answering import Answering, Measures
from gateway.services.commands.repeating import Repeated
from gateway.services.commands.taking_up import Taken, TakingUp
from gateway.services.links import Links
from mappings.canonical.commands import Command, CommandAnswer, CommandResult, Id

log = structlog.get_logger(__name__)

TELLING: Final = 5
"""Seconds beyond the backend's time in which a result reaches the hub; part of what the hub is told to wait."""

STOP: Final = 15.0
"""Seconds that commands under way may take to end when the process shall."""


class Word(BaseModel):
    """What the backend answers to a call-out, in as far as it matters here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    result: CommandResult
    text: str | None = None
    session_id: Id | None = None


_WORD: Final = TypeAdapter(Word)


class Commands:
    """Implements `adapters.core.inbound.Commands`."""

    def __init__(
        self,
        links: Links,
        taking_up: TakingUp,
        call_outs: CallOuts,
        answering: Answering,
        measures: Measures,
        now: Callable[[], datetime],
    ) -> None:
        self._links = links
        self._taking_up = taking_up
        self._call_outs = call_outs
        self._answering = answering
        self._measures = measures
        self._now = now
        self._carrying: set[asyncio.Task[CommandAnswer]] = set()

    async def stop(self) -> None:
        """Lets commands end that are being carried to the backend; of others a replica says that they timed out."""
        if self._carrying:
            await asyncio.wait(self._carrying, timeout=STOP)
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def perform(self, connection: Connection, command: Command) -> CommandAnswer:
        """See `inbound.Commands.perform`."""
        deadline = self._now() + self._within(connection)
        begun = await self._taking_up.begin(connection, command, None, deadline)
        match begun:
            case CommandAnswer():
                self._refused(connection, command, begun)
                return begun
            case Repeated(id=id_, answer=answer):
                return answer or await self._answering.wait(id_, deadline) or _silent("Nobody answered in time")
            case Taken():
                # The hub may give up meanwhile; what the backend says is written all the same.
                return await asyncio.shield(self._spawn(self._carry(begun)))

    async def take(self, connection: Connection, command: Command, reply_to: Mapping[str, str]) -> CommandTaken:
        """See `inbound.Commands.take`."""
        deadline = self._now() + self._within(connection)
        begun = await self._taking_up.begin(connection, command, reply_to, deadline)
        match begun:
            case CommandAnswer(result=result, text=text):
                self._refused(connection, command, begun)
                return CommandTaken(result=result, timeout=0, text=text)
            case Repeated():
                deadline = begun.deadline
            case Taken():
                self._spawn(self._carry(begun))
        left = math.ceil((deadline - self._now()).total_seconds())
        return CommandTaken(result=CommandResult.ACCEPTED, timeout=max(left, 0) + TELLING)

    def _within(self, connection: Connection) -> timedelta:
        link = self._links.get(connection.id)
        if link is None:
            raise LookupError(f"there is no connection {connection.name}")
        return link.adapter.charging.command_within

    def _refused(self, connection: Connection, command: Command, answer: CommandAnswer) -> None:
        self._measures.command(connection.hub, connection.name, command.kind, answer.result.value)

    def _spawn(self, work: Coroutine[Any, Any, CommandAnswer]) -> "asyncio.Task[CommandAnswer]":
        task = asyncio.get_running_loop().create_task(work)
        self._carrying.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[CommandAnswer]") -> None:
        self._carrying.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("command not carried", exc_info=error)

    async def _carry(self, taken: Taken) -> CommandAnswer:
        """Asks the backend, and writes what comes of it."""
        word = await self._call_outs.ask(taken.party, taken.kind, taken.question, taken.deadline, _WORD, id_=taken.id)
        match word:
            case Answered(value):
                answer = CommandAnswer(result=value.result, text=value.text, session_id=value.session_id)
            case Later():
                told = await self._answering.wait(taken.id, taken.deadline)
                if told is not None:
                    return told
                answer = _silent("The backend took the command over, and told no result in time")
            case Silence(reason=reason, text=text, stated=stated):
                default = CommandResult.REJECTED if reason is SilenceReason.NOBODY else CommandResult.TIMEOUT
                result = CommandResult(stated) if stated is not None else default
                answer = CommandAnswer(result=result, text=f"The backend did not answer: {text}")
        return (await self._answering.settle(taken.id, answer, told=taken.told)).answer


def _silent(text: str) -> CommandAnswer:
    return CommandAnswer(result=CommandResult.TIMEOUT, text=text)
