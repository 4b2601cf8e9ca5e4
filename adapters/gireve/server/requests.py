"""How IOP's requests are answered, whatever they are about: who asks, errors, the envelope, pages.

OCPI 2.2.1: transport_and_format and status_codes.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import structlog
from aiohttp import web

from adapters.core import ocpi
from adapters.core.connection import Connection, Mode
from adapters.core.hub import Gateway
from adapters.core.inbound import Page, Window
from adapters.core.validated import Validated
from adapters.gireve import registration
from adapters.gireve.server.asked import Asked, Failure, Given
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Role
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1.versions import Endpoint
from mappings.report import Refused

ROOT = "/ocpi"
BASE = f"{ROOT}/{ocpi.VERSION}"
SENDER, RECEIVER = f"{BASE}/sender", f"{BASE}/receiver"

_log = structlog.get_logger(__name__)


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
        self._settings = Validated(Settings)

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
        settings = self._settings.of(connection)
        if self._role is not None and self._role not in settings.roles:
            raise Failure(404, StatusCode.CLIENT_ERROR, f"no {self._role} is reached over this connection")
        return Asked(request, connection, settings, token)

    def url(self, path: str) -> str:
        """Gives the address at which IOP reaches a path."""
        return self.gateway.public_url + path

    async def ours(self, asked: Asked, connection: Connection) -> list[PartyId]:
        """Names the parties that a connection carries: who registered over it, and whoever has something here.

        Args:
            connection: That of the request, or as it carries one party.
        """
        found = [party.id for party in asked.settings.parties if connection.scope.has_party(party.id)]
        if self._role is Role.EMSP:
            found += sorted(connection.scope.parties, key=str)  # an EMSP needs no profile, and has no stations
        return list(dict.fromkeys([*found, *await self.gateway.published.owners(connection)]))

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


def registered(connection: Connection) -> bool:
    """Tells whether a registration stands."""
    return connection.secrets.ours is not None
