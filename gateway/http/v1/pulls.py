"""What is pulled from hubs: how it went, and to have it done at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from adapters.core.connection import ConnectionName
from gateway.http.routing import Answer, Call, Parameter, Route, respond
from gateway.services.keys import KeyRole
from gateway.services.ports.pulls import Pulls, PullView

FeedName = Annotated[str, StringConstraints(min_length=1, max_length=60)]


@dataclass(frozen=True, slots=True)
class PullList:
    """Every feed of every connection, by connection and name."""

    items: Sequence[PullView]


_CONNECTION = Parameter("connection", ConnectionName, "The connection's name.", "path")
_FEED = Parameter("feed", FeedName, "What is pulled, as `locations` or `evse_data`.", "path")
_FULL = Parameter("full", bool, "Everything, instead of what changed.", default=False)


class PullOperations:
    """`/v1/pulls`."""

    def __init__(self, pulls: Pulls) -> None:
        self._pulls = pulls

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                "/v1/pulls",
                self.list,
                "List what is pulled",
                "Catalogue",
                {200: Answer("Every feed with its latest pull.", PullList)},
                whole=True,
            ),
            Route(
                "POST",
                "/v1/pulls/{connection}/{feed}",
                self.ask,
                "Pull at once",
                "Catalogue",
                {202: Answer("It is due.", PullView)},
                role=KeyRole.ADMIN,
                whole=True,
                parameters=(_CONNECTION, _FEED, _FULL),
                problems=["not-found"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:  # noqa: ARG002  # a handler's signature
        """Gives every feed."""
        return respond(PullList(await self._pulls.list()), PullList)

    async def ask(self, call: Call) -> web.Response:
        """Has a feed pulled as soon as its connection is live; what a pull already does is done once more after it."""
        view = await self._pulls.ask(call["connection"], call["feed"], full=call["full"], who=call.identity.name)
        return respond(view, PullView, status=202)
