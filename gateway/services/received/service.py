"""Sessions and CDRs of our drivers, as hubs bring them home."""

from adapters.core.connection import Connection
from adapters.core.inbound import CdrTaken
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session, SessionNews


class Received:
    """Implements `adapters.core.inbound.Received`."""

    async def session(self, connection: Connection, session: Session) -> bool:
        """See `inbound.Received.session`."""
        raise NotImplementedError

    async def get_session(self, connection: Connection, party: PartyId, session_id: str) -> Session | None:
        """See `inbound.Received.get_session`."""
        raise NotImplementedError

    async def news(self, connection: Connection, news: SessionNews) -> None:
        """See `inbound.Received.news`."""
        raise NotImplementedError

    async def cdr(self, connection: Connection, cdr: Cdr, leg: Leg | None, digest: bytes) -> CdrTaken:
        """See `inbound.Received.cdr`."""
        raise NotImplementedError

    async def get_cdr(self, connection: Connection, party: PartyId, cdr_id: str) -> Cdr | None:
        """See `inbound.Received.get_cdr`."""
        raise NotImplementedError
