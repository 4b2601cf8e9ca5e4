"""Sessions and CDRs of our drivers, as hubs bring them home."""

from collections.abc import Callable
from datetime import datetime

from adapters.core.connection import Connection
from adapters.core.inbound import CdrTaken
from gateway.services.received.agreeing import Agreeing
from gateway.services.received.cdrs import Arrival, CdrIntake, Count
from gateway.services.received.charges import key_of
from gateway.services.received.knowing import SQL
from gateway.services.received.sessions import SessionIntake
from gateway.store.pool import Store
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session, SessionNews


class Received:
    """Implements `adapters.core.inbound.Received`.

    Args:
        wake: Called after a commit that left events.
        clock: Gives the present, aware.
        count: Told of CDRs that came.
    """

    def __init__(
        self,
        store: Store,
        agreeing: Agreeing,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
        count: Count,
    ) -> None:
        self._store = store
        self._sessions = SessionIntake(store, wake, clock)
        self._cdrs = CdrIntake(store, agreeing, wake, clock, count)

    async def close(self) -> None:
        """Waits for what is being written."""
        await self._cdrs.close()

    async def session(self, connection: Connection, session: Session) -> bool:
        """See `inbound.Received.session`."""
        return await self._sessions.whole(connection, session)

    async def get_session(self, connection: Connection, party: PartyId, session_id: str) -> Session | None:
        """See `inbound.Received.get_session`."""
        body = await self._store.fetchval(SQL["body"], connection.id, party.normal, key_of(session_id))
        return Session.model_validate_json(body) if body is not None else None

    async def news(self, connection: Connection, news: SessionNews) -> None:
        """See `inbound.Received.news`."""
        await self._sessions.piece(connection, news)

    async def cdr(self, connection: Connection, cdr: Cdr, leg: Leg | None, digest: bytes) -> CdrTaken:
        """See `inbound.Received.cdr`."""
        return await self._cdrs.take(Arrival(connection, cdr, leg, digest))

    async def get_cdr(self, connection: Connection, party: PartyId, cdr_id: str) -> Cdr | None:
        """See `inbound.Received.get_cdr`."""
        body = await self._store.fetchval(SQL["cdr_bodies"], connection.id, party.normal, key_of(cdr_id))
        return Cdr.model_validate_json(body) if body is not None else None
