"""Commands that we send to partners' stations for our drivers."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import StringConstraints

from adapters.core.connection import ConnectionName
from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Parameter, Route, respond
from gateway.services.keys import KeyRole
from gateway.services.ports import Page
from gateway.services.ports.sent_commands import SentCommandDesk, SentCommandView, SentFilter, SentKind, Wish
from mappings.canonical.base import Instant
from mappings.canonical.ids import PartyId

_CommandId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]

_ID = Parameter("id", _CommandId, "The command's id.", "path")
_FILTERS = (
    Parameter("party", PartyId, "Only this EMSP's."),
    Parameter("cpo", PartyId, "Only those for this CPO's stations."),
    Parameter("connection", ConnectionName, "Only those over this connection."),
    Parameter("kind", SentKind, "Only those of this kind."),
    Parameter("open", bool, "Only those without a result, or only those with one."),
    Parameter("since", Instant, "Only those of then or later."),
    Parameter("until", Instant, "Only those before then."),
)
_NAMES = ("cpo", "connection", "kind", "open", "since", "until")

_WISH: Final[dict[str, Any]] = {
    "request_id": "app-7f3c",
    "party": "FR*XYZ",
    "kind": "START_SESSION",
    "evse": {"evse_id": "NL*ABC*E1"},
    "connector_id": "1",
    "token": {"type": "APP_USER", "uid": "driver-4711"},
    "wait": 10,
}

_SENT: Final[dict[str, Any]] = {
    "id": "0f8e4a6fb7a94ec49b8dd7e39e0c7d11",
    "request_id": "app-7f3c",
    "connection": "hubject",
    "kind": "START_SESSION",
    "party": "FR*XYZ",
    "cpo": "NL*ABC",
    "evse": "NLABCE1",
    "command": {"kind": "START_SESSION", "at": {"party": "NL*ABC", "evse_id": "NL*ABC*E1"}},
    "permit": "0f8e4a6fb7a94ec49b8dd7e39e0c7d11",
    "at": "2026-05-01T10:00:00Z",
    "deadline": "2026-05-01T10:00:30Z",
    "result": "ACCEPTED",
    "answered_at": "2026-05-01T10:00:02Z",
}


class SentCommandOperations:
    """`/v1/sent-commands`."""

    def __init__(self, desk: SentCommandDesk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                "/v1/sent-commands",
                self.list,
                "List sent commands",
                "Sent commands",
                {200: Answer("A page, the newest first.", Page[SentCommandView])},
                parameters=(*_FILTERS, AFTER, LIMIT),
            ),
            Route(
                "POST",
                "/v1/sent-commands",
                self.send,
                "Send a command to a partner's station",
                "Sent commands",
                {
                    200: Answer("What came of it.", SentCommandView, example=_SENT),
                    202: Answer("It is sent; its result comes as an event.", SentCommandView),
                },
                role=KeyRole.PUBLISH,
                body=Body("What the driver wants.", Wish, example=_WISH),
                problems=["not-found", "conflict"],
            ),
            Route(
                "GET",
                "/v1/sent-commands/{id}",
                self.get,
                "Read a sent command",
                "Sent commands",
                {200: Answer("The command, with its result if there is one.", SentCommandView)},
                parameters=(_ID,),
                problems=["not-found"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives the commands that were sent for drivers of the key's EMSPs."""
        wanted = SentFilter(call.parties(call["party"]), *(call[name] for name in _NAMES))
        return respond(await self._desk.list(wanted, call["after"], call["limit"]), Page[SentCommandView])

    async def send(self, call: Call) -> web.Response:
        """Has a driver's wish carried out, by the way that the catalogue prefers or by the one that is named.

        The answer waits for the result, for as long as `wait` says; the command goes on when the caller hangs up. An
        EVSE that is not in the catalogue, a command that no hub carries there and a driver who may not charge are
        refused by field. What comes after the deadline is `TIMEOUT`, under which something may have begun all the same;
        what the hub tells even later stands in `late`. The same `request_id` again is the same command.
        """
        wish = await call.json(Wish)
        call.demand(wish.party)
        view = await self._desk.send(wish)
        return respond(view, SentCommandView, 202 if view.result is None else 200)

    async def get(self, call: Call) -> web.Response:
        """Gives one command."""
        return respond(await self._desk.get(call.identity.parties, call["id"]), SentCommandView)
