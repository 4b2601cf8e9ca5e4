"""Commands from hubs, as the backend sees and answers them."""

from collections.abc import Sequence
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints

from adapters.core.connection import ConnectionName
from gateway.http.routing import AFTER, LIMIT, PARTY, Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1 import examples
from gateway.services.keys import KeyRole
from gateway.services.ports import Page
from gateway.services.ports.commands import CommandDesk, CommandView
from mappings.canonical.commands import CommandAnswer, CommandResult, Id


class ResultGiven(BaseModel):
    """What came of a command.

    Attributes:
        text: For a person.
        session_id: The session that began, or that was meant.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    result: CommandResult
    text: Annotated[str, StringConstraints(max_length=500)] | None = None
    session_id: Id | None = None


_CommandId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

_ID = Parameter("id", _CommandId, "The command's id.", "path")
_CONNECTION = Parameter("connection", ConnectionName, "Only commands that came over this connection.")
_OPEN = Parameter("open", bool, "Only those that wait for an answer, or only those that do not.")


class CommandOperations:
    """`/v1/commands`."""

    def __init__(self, desk: CommandDesk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        path = "/v1/commands/{id}"
        return [
            Route(
                "GET",
                "/v1/commands",
                self.list,
                "List commands",
                "Commands",
                {200: Answer("A page of commands, the newest first.", Page[CommandView])},
                parameters=(PARTY, _CONNECTION, _OPEN, AFTER, LIMIT),
            ),
            Route(
                "GET",
                path,
                self.get,
                "Read a command",
                "Commands",
                {200: Answer("The command.", CommandView)},
                parameters=(_ID,),
                problems=["not-found"],
            ),
            Route(
                "POST",
                path + "/result",
                self.answer,
                "Say what came of a command",
                "Commands",
                {200: Answer("The command with its result.", CommandView)},
                role=KeyRole.PUBLISH,
                parameters=(_ID,),
                body=Body("The result.", ResultGiven, example=examples.RESULT),
                problems=["not-found", "conflict"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives the commands that hubs gave for stations of the key's parties."""
        parties = call.parties(call["party"])
        page = await self._desk.list(parties, call["connection"], call["open"], call["after"], call["limit"])
        return respond(page, Page[CommandView])

    async def get(self, call: Call) -> web.Response:
        """Gives one command."""
        return respond(await self._desk.get(call.identity.parties, call["id"]), CommandView)

    async def answer(self, call: Call) -> web.Response:
        """Answers a command that a call-out was told to be pending.

        The first answer counts, if it comes before the deadline; what comes later changes nothing and is a conflict. A
        reservation that was accepted may later be given up by `CANCELED_RESERVATION`.
        """
        given = await call.json(ResultGiven)
        answer = CommandAnswer(result=given.result, text=given.text, session_id=given.session_id)
        return respond(await self._desk.answer(call.identity.parties, call["id"], answer), CommandView)
