"""Drivers' tokens, as hubs told them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.services.ports.common import Page
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Token


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token and where it came from.

    Attributes:
        connection: Over which it was told.
        listed: Its EMSP pushed it, so that its word on local acceptance holds; else it was seen in an answer only.
        seen_at: When it was told of as it is.
    """

    connection: str
    listed: bool
    seen_at: datetime
    token: Token


class TokenList(Protocol):
    """Tokens, for people."""

    async def list(
        self, connection: str | None, party: PartyId | None, uid: str | None, after: str | None, limit: int
    ) -> Page[TokenView]:
        """Gives tokens in the order of connection, EMSP, type and uid.

        Args:
            party: Only this EMSP's.
            uid: Only with this uid, in any case.

        Raises:
            NotFound: There is no such connection.
        """
