"""Drivers' tokens, as hubs told them."""

from collections.abc import Sequence

from aiohttp import web

from adapters.core.connection import ConnectionName
from gateway.http.routing import AFTER, LIMIT, Answer, Call, Parameter, Route, respond
from gateway.services.ports import Page
from gateway.services.ports.tokens import TokenList, TokenView
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import TokenUid

_CONNECTION = Parameter("connection", ConnectionName, "Only what came over this connection.")
_EMSP = Parameter("emsp", PartyId, "Only this EMSP's.")
_UID = Parameter("uid", TokenUid, "Only those with this uid, in any case.")


class TokenOperations:
    """`/v1/tokens`."""

    def __init__(self, tokens: TokenList) -> None:
        self._tokens = tokens

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                "/v1/tokens",
                self.list,
                "List tokens",
                "Tokens",
                {200: Answer("A page.", Page[TokenView])},
                whole=True,
                parameters=(_CONNECTION, _EMSP, _UID, AFTER, LIMIT),
                problems=["not-found"],
            )
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives tokens: those that EMSPs pushed, which stations may keep as their local list, and those only seen."""
        page = await self._tokens.list(call["connection"], call["emsp"], call["uid"], call["after"], call["limit"])
        return respond(page, Page[TokenView])
