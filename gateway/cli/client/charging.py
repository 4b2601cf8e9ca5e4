"""What comes of a charge: authorisations, commands, sessions, CDRs."""

from collections.abc import AsyncIterator

from gateway.cli.client.wire import LONG, Wire, params, path_of
from gateway.http import bodies
from gateway.http.v1.cdrs import CdrWritten
from gateway.http.v1.sessions import SessionWritten
from gateway.http.v1.shapes import BulkSummary
from gateway.services.ports import CdrState, CdrView, Page, SessionView
from gateway.services.ports.authorising import AuthorisationView
from gateway.services.ports.commands import CommandView
from mappings.canonical.sessions import SessionStatus


class Authorisations:
    """`/v1/authorisations`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(
        self, party: str | None, allowed: bool | None, after: str | None, limit: int
    ) -> Page[AuthorisationView]:
        """Gives a page of authorisations, the newest first."""
        query = params(party=party, allowed=allowed, after=after, limit=limit)
        return await self._wire.ask(Page[AuthorisationView], "GET", path_of("authorisations"), params=query)

    async def get(self, id_: str) -> AuthorisationView:
        """Gives one authorisation."""
        return await self._wire.ask(AuthorisationView, "GET", path_of("authorisations", id_))


class Commands:
    """`/v1/commands`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(
        self, party: str | None, connection: str | None, open_: bool | None, after: str | None, limit: int
    ) -> Page[CommandView]:
        """Gives a page of commands, the newest first."""
        query = params(party=party, connection=connection, open=open_, after=after, limit=limit)
        return await self._wire.ask(Page[CommandView], "GET", path_of("commands"), params=query)


class Sessions:
    """`/v1/sessions`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(
        self,
        party: str | None,
        status: SessionStatus | None,
        review: bool | None,
        connection: str | None,
        without_cdr_hours: int | None,
        after: str | None,
        limit: int,
    ) -> Page[SessionView]:
        """Gives a page of sessions, the newest first."""
        query = params(
            party=party,
            status=status,
            review=review,
            connection=connection,
            without_cdr_hours=without_cdr_hours,
            after=after,
            limit=limit,
        )
        return await self._wire.ask(Page[SessionView], "GET", path_of("sessions"), params=query)

    async def get(self, party: str, id_: str) -> SessionView:
        """Gives one session with its ids and what was told of it."""
        return await self._wire.ask(SessionView, "GET", path_of("sessions", party, id_))

    async def assign(self, party: str, id_: str, authorisation: str | None) -> SessionWritten:
        """Says to which authorisation a session belongs; None where it does not roam."""
        body = {"none": True} if authorisation is None else {"authorisation": authorisation}
        return await self._wire.ask(SessionWritten, "POST", path_of("sessions", party, id_, "assign"), json=body)

    async def waive_cdr(self, party: str, id_: str, why: str) -> None:
        """Says that a session will have no CDR."""
        await self._wire.answer("POST", path_of("sessions", party, id_, "waive-cdr"), json={"why": why})


class Cdrs:
    """`/v1/cdrs`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(
        self,
        party: str | None,
        state: CdrState | None,
        connection: str | None,
        since: str | None,
        unconfirmed_hours: int | None,
        disputed: bool | None,
        after: str | None,
        limit: int,
    ) -> Page[CdrView]:
        """Gives a page of CDRs, the newest first."""
        query = params(
            party=party,
            state=state,
            connection=connection,
            since=since,
            unconfirmed_hours=unconfirmed_hours,
            disputed=disputed,
            after=after,
            limit=limit,
        )
        return await self._wire.ask(Page[CdrView], "GET", path_of("cdrs"), params=query)

    async def get(self, party: str, id_: str) -> CdrView:
        """Gives one CDR with what was agreed on since."""
        return await self._wire.ask(CdrView, "GET", path_of("cdrs", party, id_))

    async def assign(self, party: str, id_: str, session: str | None) -> CdrWritten:
        """Says which session a CDR bills; None for none that roams."""
        body = {"none": True} if session is None else {"session": session}
        return await self._wire.ask(CdrWritten, "POST", path_of("cdrs", party, id_, "assign"), json=body)

    async def send(self, content: AsyncIterator[bytes], *, gzip: bool) -> BulkSummary:
        """Streams CDRs, one a line."""
        headers = {"Content-Type": bodies.NDJSON[0]} | ({"Content-Encoding": "gzip"} if gzip else {})
        return await self._wire.ask(
            BulkSummary, "POST", path_of("cdrs", "bulk"), data=content, headers=headers, timeout=LONG
        )
