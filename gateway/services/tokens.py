"""Drivers' tokens, as hubs tell them."""

from adapters.core.connection import Connection
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Token, TokenType


class Tokens:
    """Implements `adapters.core.inbound.Tokens`."""

    async def put(self, connection: Connection, token: Token) -> bool:
        """See `inbound.Tokens.put`."""
        raise NotImplementedError

    async def get(self, connection: Connection, party: PartyId, uid: str, type_: TokenType) -> Token | None:
        """See `inbound.Tokens.get`."""
        raise NotImplementedError
