"""Whether our own drivers may charge, when a hub asks."""

from adapters.core.charging import Answer
from adapters.core.connection import Connection
from adapters.core.inbound import Asked, Page, Window
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Token, TokenType


class Drivers:
    """Implements `adapters.core.inbound.Drivers`."""

    async def authorise(self, connection: Connection, asked: Asked) -> Answer:
        """See `inbound.Drivers.authorise`."""
        raise NotImplementedError

    async def authorise_stop(self, connection: Connection, asked: Asked) -> Answer:
        """See `inbound.Drivers.authorise_stop`."""
        raise NotImplementedError

    async def tokens(self, connection: Connection, window: Window) -> Page:
        """See `inbound.Drivers.tokens`."""
        raise NotImplementedError

    async def token(self, connection: Connection, party: PartyId, uid: str, type_: TokenType) -> Token | None:
        """See `inbound.Drivers.token`."""
        raise NotImplementedError
