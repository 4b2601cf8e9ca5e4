"""The Receiver interface of tokens (OCPI 2.2.1, mod_tokens).

IOP itself pushes none to a CPO, who asks instead (guide, Download of Tokens not recommended).
"""

from collections.abc import Sequence
from typing import NamedTuple

from aiohttp import web

from adapters.gireve.server.asked import Asked, Failure, Given
from adapters.gireve.server.requests import RECEIVER, Desk
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Token, TokenType
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1 import patches, paths, tokens
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.enums_charging import TOKEN_TYPES
from mappings.ocpi.v2_2_1.versions import Endpoint
from mappings.report import Refused

_TOKENS = f"{RECEIVER}/tokens"


class _Key(NamedTuple):
    """Which token the URL names."""

    party: PartyId
    uid: str
    type: TokenType


class Tokens:
    """Implements `Module` for drivers' tokens."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._tokens = desk.gateway.tokens

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""
        one = f"{_TOKENS}/{{country}}/{{party}}/{{uid}}"
        return [
            self._desk.route(method, one, "tokens", handler)
            for method, handler in (("GET", self._get), ("PUT", self._put), ("PATCH", self._patch))
        ]

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:  # noqa: ARG002  # always served
        """Gives what the version details name of it."""
        return [Endpoint(ModuleId.TOKENS, InterfaceRole.RECEIVER, self._desk.url(_TOKENS))]

    async def _get(self, asked: Asked) -> Given:
        token = await self._held(asked, _key(asked))
        try:
            return Given(tokens.from_canonical(token)[0])
        except Refused as refused:
            raise Failure(404, StatusCode.UNKNOWN_TOKEN, f"it cannot be told: {refused}") from None

    async def _put(self, asked: Asked) -> Given:
        key = _key(asked)

        def read(body: bytes) -> Token:
            token, _ = tokens.to_canonical(body, self._desk.now())
            paths.of_token(token, key.party, key.uid, key.type)
            return token

        new = await self._tokens.put(asked.connection, await asked.read(read))
        return Given(status=201 if new else 200)

    async def _patch(self, asked: Asked) -> Given:
        before = await self._held(asked, _key(asked))
        patched = await asked.read(lambda body: patches.patch_token(before, body))
        await self._tokens.put(asked.connection, patched.after)
        return Given()

    async def _held(self, asked: Asked, key: _Key) -> Token:
        token = await self._tokens.get(asked.connection, key.party, key.uid, key.type)
        if token is None:
            raise _unknown()
        return token


def _key(asked: Asked) -> _Key:
    """Reads which token is meant.

    Raises:
        Failure: HTTP 400, OCPI 2001: there is no such type. HTTP 404: it is not a token of whoever asks.
    """
    names = asked.request.match_info
    text = asked.request.query.get("type", TokenType.RFID.value)
    type_ = TOKEN_TYPES.find(text)
    if type_ is None:
        raise Failure(400, StatusCode.INVALID_PARAMETERS, "type: there is no such type of token")
    try:
        party = PartyId.of(names["country"], names["party"])
    except ValueError:
        raise _unknown() from None
    if asked.sender() not in {None, party}:
        raise _unknown()
    return _Key(party, names["uid"], type_)


def _unknown() -> Failure:
    return Failure(404, StatusCode.UNKNOWN_TOKEN)
