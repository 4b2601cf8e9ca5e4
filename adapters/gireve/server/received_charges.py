"""The Receiver interfaces of sessions and CDRs (OCPI 2.2.1, mod_sessions and mod_cdrs): what our drivers did abroad.

Whether a session or CDR fits what is known is the gateway's to judge; what can be read is taken.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from aiohttp import web

from adapters.core import ocpi
from adapters.core.digest import digest
from adapters.core.inbound import CdrTaken
from adapters.gireve.server.asked import LARGE, Asked, Failure, Given
from adapters.gireve.server.bodies import parsed
from adapters.gireve.server.requests import RECEIVER, Desk
from adapters.gireve.server.turns import Turns
from adapters.gireve.settings import Settings
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session
from mappings.ocpi.dialects import gireve_charging as gireve
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1 import patches, paths, sessions
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.versions import Endpoint
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Refused

_SESSIONS, _CDRS = f"{RECEIVER}/sessions", f"{RECEIVER}/cdrs"


class _Billed(NamedTuple):
    """A CDR as it came."""

    cdr: Cdr
    digest: bytes


class ReceivedCharges:
    """Implements `Module` for sessions and CDRs of our drivers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._received = desk.gateway.received
        self._turns = Turns()

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""
        session = f"{_SESSIONS}/{{country}}/{{party}}/{{session}}"
        return [
            self._desk.route("GET", session, "received_sessions", self._get_session),
            self._desk.route("PUT", session, "received_sessions", self._put_session),
            self._desk.route("PATCH", session, "received_sessions", self._patch_session),
            self._desk.route("POST", _CDRS, "received_cdrs", self._post_cdr),
            self._desk.route("GET", f"{_CDRS}/{{country}}/{{party}}/{{cdr}}", "received_cdrs", self._get_cdr),
        ]

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:  # noqa: ARG002  # always served
        """Gives what the version details name of it."""
        return [
            Endpoint(ModuleId.SESSIONS, InterfaceRole.RECEIVER, self._desk.url(_SESSIONS)),
            Endpoint(ModuleId.CDRS, InterfaceRole.RECEIVER, self._desk.url(_CDRS)),
        ]

    # Sessions

    async def _put_session(self, asked: Asked) -> Given:
        party = asked.owner()

        def read(body: bytes) -> Session:
            session, _ = sessions.to_canonical(body, self._desk.now())
            paths.of_session(session, party, asked.request.match_info["session"])
            return session

        session = await asked.read(read, LARGE)
        async with self._turns.of(asked.connection, party, session.id):
            new = await self._received.session(asked.connection, session)
        return Given(status=201 if new else 200)

    async def _patch_session(self, asked: Asked) -> Given:
        party, id_ = asked.owner(), asked.request.match_info["session"]
        body = await asked.read(bytes, LARGE)
        async with self._turns.of(asked.connection, party, id_):  # periods are added to those that are there
            before = await self._session(asked, party)
            patched = await asked.used(body, lambda given: patches.patch_session(before, given))
            if patched.after.last_updated >= before.last_updated:
                await self._received.session(asked.connection, patched.after)
        return Given()

    async def _get_session(self, asked: Asked) -> Given:
        session = await self._session(asked, asked.owner())
        leg = Leg(reference=session.reference, emsp=session.identification.party, identification=session.identification)
        return _told(lambda: sessions.from_canonical(session, leg)[0])

    async def _session(self, asked: Asked, party: PartyId) -> Session:
        found = await self._received.get_session(asked.connection, party, asked.request.match_info["session"])
        if found is None:
            raise Failure(404, StatusCode.CLIENT_ERROR, "unknown session")
        return found

    # CDRs

    async def _post_cdr(self, asked: Asked) -> Given:
        def read(body: bytes) -> _Billed:
            raw = parsed(body)
            return _Billed(gireve.cdr_to_canonical(raw, self._desk.now())[0], digest(raw))

        cdr, digested = await asked.read(read, LARGE)
        if asked.sender() not in {None, cdr.party}:
            # No URL names the party, which could be called one that is not there (404): what is wrong is in the body.
            raise Failure(200, StatusCode.INVALID_PARAMETERS, "party_id: another than who speaks")
        taken = await self._received.cdr(asked.connection, cdr, None, digested)
        if taken is CdrTaken.CONFLICT:
            # mod_cdrs: a CDR is never replaced. What got no 2xx would be sent again (guide, store and forward).
            text = "another CDR is here under this id, and stays; this one is kept for review"
            raise Failure(200, StatusCode.INVALID_PARAMETERS, text)
        # mod_cdrs, POST, response headers: where it can be read from now on.
        where = f"{_CDRS}/{ocpi.path(cdr.party.country, cdr.party.code, cdr.id)}"
        return Given(headers={"Location": self._desk.url(where)}, status=201 if taken is CdrTaken.NEW else 200)

    async def _get_cdr(self, asked: Asked) -> Given:
        cdr = await self._received.get_cdr(asked.connection, asked.owner(), asked.request.match_info["cdr"])
        if cdr is None:
            raise Failure(404, StatusCode.CLIENT_ERROR, "unknown CDR")
        leg = Leg(reference=cdr.reference, emsp=cdr.identification.party, identification=cdr.identification)
        # A price that Gireve called meaningless is none here, and OCPI demands one; the remark says so again.
        return _told(lambda: gireve.cdr_from_canonical(cdr, leg, zero_cost=True)[0])


def _told(write: Callable[[], Wire]) -> Given:
    try:
        return Given(write())
    except Refused as refused:
        raise Failure(404, StatusCode.CLIENT_ERROR, f"it cannot be told: {refused}") from None
