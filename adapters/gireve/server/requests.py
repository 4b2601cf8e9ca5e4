"""How IOP's requests are answered, whatever they are about: who asks, what is read of the body, errors, the envelope.

OCPI 2.2.1: transport_and_format and status_codes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeAlias, TypeVar

import structlog
from aiohttp import web
from pydantic_core import from_json

from adapters.core import ocpi
from adapters.core.connection import Connection, Mode
from adapters.core.http import holds_nul
from adapters.core.hub import Gateway
from adapters.core.inbound import Page, Window
from adapters.core.ocpi import BadParameter
from adapters.gireve import registration
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Role
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1.versions import Endpoint
from mappings.report import Refused

ROOT = "/ocpi"
BASE = f"{ROOT}/{ocpi.VERSION}"
SENDER, RECEIVER = f"{BASE}/sender", f"{BASE}/receiver"

MAX_BODY = 64 * 1024
LARGE = 4 * 1024 * 1024
"""Bounds on a body, bytes: of nearly anything, and of a location with very many EVSEs or a CDR with signed readings."""

_ASIDE = 256 * 1024
_log = structlog.get_logger(__name__)
_T = TypeVar("_T")


class Failure(Exception):
    """A request that is answered with an error: HTTP status, OCPI code, and what to say.

    Attributes:
        data: What is answered beside the error, where the protocol has a place for it; wire form.
    """

    def __init__(self, status: int, code: StatusCode, message: str | None = None, *, data: Any = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.data = status, code, message, data


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose sender is known."""

    request: web.Request
    connection: Connection
    settings: Settings
    token: str

    async def read(self, reading: Callable[[bytes], _T], most: int = MAX_BODY) -> _T:
        """Reads what the body says; a very large one aside, so that others need not wait for it.

        Args:
            reading: Makes of the body what is wanted; raises `Refused` where it cannot.
            most: Bytes that it may have.

        Raises:
            Failure: HTTP 413: it has more, which no object has that IOP sends. OCPI 2001: as `unusable`; also where it
                holds a character that cannot be stored.
        """
        body = await self._body(most)
        if holds_nul(body):
            raise unusable(Refused("", "a text holds NUL"), body)
        try:
            return reading(body) if len(body) <= _ASIDE else await asyncio.to_thread(reading, body)
        except Refused as refused:
            raise unusable(refused, body) from None

    @staticmethod
    def used(body: bytes, reading: Callable[[bytes], _T]) -> _T:
        """Makes of a body what is wanted; for one whose reading needs what had to be looked for first.

        Raises:
            Failure: As `unusable`.
        """
        try:
            return reading(body)
        except Refused as refused:
            raise unusable(refused, body) from None

    async def _body(self, most: int) -> bytes:
        body = bytearray()
        async for chunk in self.request.content.iter_any():
            body += chunk
            if len(body) > most:
                raise Failure(413, StatusCode.INVALID_PARAMETERS, f"more than {most} bytes")
        return bytes(body)

    def sender(self) -> PartyId | None:
        """Gives the party in whose name the request is made, where that is another than IOP itself."""
        named = ocpi.party_in(self.request.headers, ocpi.FROM_COUNTRY, ocpi.FROM_PARTY)
        return None if named == self.settings.hub_party else named

    def recipient(self) -> PartyId | None:
        """Gives the party that the request is addressed to, where it names one, of which IOP is none."""
        named = ocpi.party_in(self.request.headers, ocpi.TO_COUNTRY, ocpi.TO_PARTY)
        return None if named == self.settings.hub_party else named

    def owner(self) -> PartyId:
        """Gives the party of the object that the URL names (transport_and_format, Client Owned Object Push).

        Raises:
            Failure: HTTP 404, OCPI 2001: it is none, or another than the request is made for.
        """
        names = self.request.match_info
        try:
            party = PartyId.of(names["country"], names["party"])
        except ValueError:
            raise Failure(404, StatusCode.INVALID_PARAMETERS, "the URL names no party") from None
        self.check_owner(party)
        return party

    def check_owner(self, party: PartyId) -> None:
        """Makes sure that an object may be of a party: IOP speaks for all CPOs, and where it names one, for that alone.

        Raises:
            Failure: As `owner`.
        """
        if self.sender() not in {None, party}:
            raise Failure(404, StatusCode.INVALID_PARAMETERS, f"{ocpi.FROM_PARTY}: not the object's party")

    def window(self) -> Window:
        """Reads the parameters of a list request.

        Raises:
            Failure: HTTP 400, OCPI 2001: one is malformed.
        """
        try:
            return ocpi.read_window(self.request.query, self.settings.page_cap)
        except BadParameter as bad:
            raise Failure(400, StatusCode.INVALID_PARAMETERS, str(bad)) from None


@dataclass(frozen=True, slots=True)
class Given:
    """What is answered with success.

    Attributes:
        data: JSON-able, wire form; None for none.
        status: HTTP status.
    """

    data: Any = None
    headers: dict[str, str] | None = None
    status: int = 200


Handler: TypeAlias = Callable[[Asked], Awaitable[Given]]


class Module(Protocol):
    """Some of the modules that are served."""

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:
        """Gives what the version details name of it."""


class Desk:
    """Answers requests for all connections to Gireve.

    Args:
        now: The clock, for the stamps of answers.
        role: Which role of ours its requests are for; a connection that does not play it is answered with HTTP 404.
    """

    def __init__(self, gateway: Gateway, now: Callable[[], datetime], role: Role | None = None) -> None:
        self.gateway = gateway
        self.now = now
        self._role = role
        self._settings: dict[str, tuple[Mapping[str, Any], Settings]] = {}

    def route(
        self, method: str, path: str, operation: str, handler: Handler, *, configuration: bool = False
    ) -> web.RouteDef:
        """Makes a route, which takes a slash at its end too.

        Args:
            operation: For the metrics.
            configuration: It is served before the connection is registered, and while it is not live.
        """
        wrapped = self.wrapped(operation, handler, configuration=configuration)
        return web.route(method, path + "{slash:/?}", wrapped)

    def wrapped(
        self, operation: str, handler: Handler, *, configuration: bool
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Makes a handler of aiohttp's: authenticates, measures, answers in the envelope whatever happens."""

        async def serve(request: web.Request) -> web.StreamResponse:
            began = time.perf_counter()
            name = "unknown"
            status = 500
            try:
                asked = await self._authenticated(request, configuration=configuration)
                name = asked.connection.name
                given = await handler(asked)
                status = given.status
                return ocpi.answered(request, self.now(), given.data, status=status, extra=given.headers)
            except Failure as failure:
                status = failure.status
                return ocpi.answered(
                    request, self.now(), failure.data, code=failure.code, status=status, message=failure.message
                )
            except Exception as error:  # noqa: BLE001  # whatever it is, a hub reads nothing but the envelope
                _log.error("request failed", operation=operation, connection=name, exc_info=error)
                return ocpi.answered(request, self.now(), code=StatusCode.SERVER_ERROR, status=500)
            finally:
                seconds = time.perf_counter() - began
                self.gateway.observer.served(registration.WHO, name, operation, status, seconds)

        return serve

    async def _authenticated(self, request: web.Request, *, configuration: bool) -> Asked:
        """Finds out who asks.

        Raises:
            Failure: HTTP 401 for no token, a wrong one, or one that is good for registering only; HTTP 503 while the
                connection is not live; HTTP 404 for an address that nothing can have, or of a role that is not played.
        """
        token = ocpi.presented_token(request.headers.get("Authorization"))
        connection = await self.gateway.registry.by_token(token) if token is not None else None
        if token is None or connection is None or connection.hub != registration.WHO:
            raise Failure(401, StatusCode.CLIENT_ERROR, "the token is missing or not known")
        if not configuration and not registered(connection):
            raise Failure(401, StatusCode.CLIENT_ERROR, "the token is good for registering only")
        if not configuration and connection.mode is not Mode.LIVE:
            # An empty list would tell the hub that everything is gone.
            raise Failure(503, StatusCode.SERVER_ERROR, "the connection is not live")
        if any("\0" in segment for segment in request.match_info.values()):
            raise Failure(404, StatusCode.CLIENT_ERROR, "no id holds NUL")
        settings = self._settings_of(connection)
        if self._role is not None and self._role not in settings.roles:
            raise Failure(404, StatusCode.CLIENT_ERROR, f"no {self._role} is reached over this connection")
        return Asked(request, connection, settings, token)

    def _settings_of(self, connection: Connection) -> Settings:
        """Gives the settings, validated once for as long as they stay the same: that takes longer than all the rest."""
        known = self._settings.get(connection.name)
        if known is None or (known[0] is not connection.settings and known[0] != connection.settings):
            known = connection.settings, Settings.model_validate(connection.settings)
            self._settings[connection.name] = known
        return known[1]

    def url(self, path: str) -> str:
        """Gives the address at which IOP reaches a path."""
        return self.gateway.public_url + path

    async def ours(self, asked: Asked, connection: Connection) -> list[PartyId]:
        """Names the parties that a connection carries: who registered over it, and whoever has something here.

        Args:
            connection: That of the request, or as it carries one party.
        """
        registered = (party.id for party in asked.settings.parties if connection.scope.has_party(party.id))
        return list(dict.fromkeys([*registered, *await self.gateway.published.owners(connection)]))

    async def addressed(self, asked: Asked) -> Connection:
        """Gives the connection as it carries the party that the request is addressed to, where it names one.

        Raises:
            Failure: HTTP 404, OCPI 2001: that is none of ours. Nothing is done for it, and nobody else's objects are
                given for its own; nor none, since an empty list would mean that it has nothing.
        """
        named = asked.recipient()
        if named is None:
            return asked.connection
        if named not in await self.ours(asked, asked.connection):
            raise Failure(404, StatusCode.INVALID_PARAMETERS, f"{ocpi.TO_PARTY}: not a party of this platform")
        scope = asked.connection.scope.model_copy(update={"parties": frozenset({named})})
        return replace(asked.connection, scope=scope)

    def page(self, asked: Asked, window: Window, page: Page, write: Callable[[Any], dict[str, Any]]) -> Given:
        """Writes a page; what cannot be said is left out of it and stays in its count, so that offsets do not move.

        Args:
            write: Writes one object; raises `Refused` where it cannot be said.
        """
        data = []
        for each in page.objects:
            try:
                data.append(write(each))
            except Refused:
                continue  # what pushes the object has told why
        endpoint = self.url(asked.request.path.rstrip("/"))
        headers = ocpi.page_headers(endpoint, asked.request.query, window, page.total, asked.settings.page_cap)
        return Given(data, headers)


def unusable(refused: Refused, body: bytes) -> Failure:
    """Says what is wrong with a body: OCPI 2001, with HTTP 400 only where it is no JSON.

    What is JSON, of a sender who may, and sent to an address that is there has reached OCPI's own layer, and is not
    answered with an error of HTTP (status_codes). To IOP such an error would mean that it has to send it again (guide,
    store and forward).
    """
    try:
        from_json(body, allow_inf_nan=False)
    except ValueError:
        return Failure(400, StatusCode.INVALID_PARAMETERS, str(refused))
    return Failure(200, StatusCode.INVALID_PARAMETERS, str(refused))


def registered(connection: Connection) -> bool:
    """Tells whether a registration stands."""
    return connection.secrets.ours is not None
