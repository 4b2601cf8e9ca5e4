"""What IOP calls: versions, credentials, and the Sender interfaces of locations and tariffs.

OCPI 2.2.1: transport_and_format (paging, headers, errors), credentials, mod_locations and mod_tariffs (Sender). Lists
are always paged, since IOP ignores one that is not. An object that Gireve cannot be told of is left out of its page but
stays in `X-Total-Count`, so that offsets and pages do not move.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeAlias

from aiohttp import web

from adapters.core import ocpi
from adapters.core.connection import Connection, Mode
from adapters.core.hub import Gateway, RegistrationFailed
from adapters.core.inbound import Page, Window
from adapters.core.ocpi import BadParameter
from adapters.gireve import registration
from adapters.gireve.adapter import utc_now
from adapters.gireve.registration import VersionRefused
from adapters.gireve.rendering import Rendering
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1 import versions
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.versions import Endpoint, Version, VersionDetails
from mappings.report import Refused

ROOT = "/ocpi"
BASE = f"{ROOT}/{ocpi.VERSION}"
SENDER = f"{BASE}/sender"
_MAX_CREDENTIALS = 64 * 1024


class Failure(Exception):
    """A request that is answered with an error: HTTP status, OCPI code, and what to say."""

    def __init__(self, status: int, code: StatusCode, message: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose sender is known."""

    request: web.Request
    connection: Connection
    settings: Settings
    token: str


@dataclass(frozen=True, slots=True)
class Given:
    """What is answered with success."""

    data: Any = None
    headers: dict[str, str] | None = None


Handler: TypeAlias = Callable[[Asked], Awaitable[Given]]


class Inbound:
    """Serves IOP for all connections to Gireve.

    Args:
        now: The clock, for the stamps of answers.
    """

    def __init__(self, gateway: Gateway, now: Callable[[], datetime] = utc_now) -> None:
        self._gateway = gateway
        self._now = now
        self._registering: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes; each takes a slash at its end too."""
        found = [
            self._route("GET", registration.VERSIONS_PATH, "versions", self._versions, configuration=True),
            self._route("GET", BASE, "versions", self._details, configuration=True),
        ]
        for method, handler in (
            ("GET", self._show_credentials),
            ("POST", self._register),
            ("PUT", self._update),
            ("DELETE", self._unregister),
        ):
            found.append(self._route(method, f"{BASE}/credentials", "credentials", handler, configuration=True))
        locations, tariffs = f"{SENDER}/locations", f"{SENDER}/tariffs"
        one = f"{locations}/{{location}}"
        found += [
            self._route("GET", locations, "locations", self._locations),
            self._route("GET", one, "locations", self._location),
            self._route("GET", f"{one}/{{evse}}", "locations", self._location),
            self._route("GET", f"{one}/{{evse}}/{{connector}}", "locations", self._location),
            self._route("GET", tariffs, "tariffs", self._tariffs),
            self._route("GET", f"{tariffs}/{{tariff}}", "tariffs", self._tariff),
            web.route("*", f"{ROOT}/{{rest:.*}}", self._wrapped("other", self._nothing, configuration=True)),
        ]
        return found

    def _route(
        self, method: str, path: str, operation: str, handler: Handler, *, configuration: bool = False
    ) -> web.RouteDef:
        wrapped = self._wrapped(operation, handler, configuration=configuration)
        return web.route(method, path + "{slash:/?}", wrapped)

    def _wrapped(
        self, operation: str, handler: Handler, *, configuration: bool
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            began = time.perf_counter()
            name = "unknown"
            status = 500
            try:
                asked = await self._authenticated(request, configuration=configuration)
                name = asked.connection.name
                given = await handler(asked)
                status = 200
                return ocpi.answered(request, self._now(), given.data, extra=given.headers)
            except Failure as failure:
                status = failure.status
                return ocpi.answered(
                    request, self._now(), code=failure.code, status=failure.status, message=failure.message
                )
            finally:
                seconds = time.perf_counter() - began
                self._gateway.observer.served(registration.WHO, name, operation, status, seconds)

        return serve

    async def _authenticated(self, request: web.Request, *, configuration: bool) -> Asked:
        """Finds out who asks.

        Raises:
            Failure: HTTP 401 for no token, a wrong one, or one that is good for registering only.
        """
        token = ocpi.presented_token(request.headers.get("Authorization"))
        connection = await self._gateway.registry.by_token(token) if token is not None else None
        if token is None or connection is None or connection.hub != registration.WHO:
            raise Failure(401, StatusCode.CLIENT_ERROR, "the token is missing or not known")
        if not configuration and not _registered(connection):
            raise Failure(401, StatusCode.CLIENT_ERROR, "the token is good for registering only")
        if not configuration and connection.mode is not Mode.LIVE:
            # An empty list would tell the hub that everything is gone.
            raise Failure(503, StatusCode.SERVER_ERROR, "the connection is not live")
        return Asked(request, connection, Settings.model_validate(connection.settings), token)

    async def _nothing(self, _asked: Asked) -> Given:
        raise Failure(404, StatusCode.CLIENT_ERROR, "there is no such resource, or not with this method")

    # Configuration modules

    async def _versions(self, _asked: Asked) -> Given:
        return Given(versions.versions_from_canonical([Version(versions.VERSION, self._url(BASE))]))

    async def _details(self, asked: Asked) -> Given:
        endpoints = [
            Endpoint(ModuleId.CREDENTIALS, InterfaceRole.SENDER, self._url(f"{BASE}/credentials")),
            Endpoint(ModuleId.LOCATIONS, InterfaceRole.SENDER, self._url(f"{SENDER}/locations")),
        ]
        if asked.settings.push_tariffs:
            endpoints.append(Endpoint(ModuleId.TARIFFS, InterfaceRole.SENDER, self._url(f"{SENDER}/tariffs")))
        return Given(versions.from_canonical(VersionDetails(versions.VERSION, tuple(endpoints))))

    async def _show_credentials(self, asked: Asked) -> Given:
        try:
            ours = await registration.our_credentials(asked.connection, self._gateway, asked.settings, asked.token)
        except RegistrationFailed as failed:
            raise Failure(500, StatusCode.SERVER_ERROR, str(failed)) from None
        return Given(ours)

    async def _register(self, asked: Asked) -> Given:
        return await self._exchange(asked, registered=False)

    async def _update(self, asked: Asked) -> Given:
        return await self._exchange(asked, registered=True)

    async def _exchange(self, asked: Asked, *, registered: bool) -> Given:
        body = await _bounded(asked.request)
        # A POST that arrives twice finds the first one's registration, not its middle.
        async with self._registering[asked.connection.name]:
            connection = await self._gateway.registry.by_token(asked.token)
            if connection is None:
                raise Failure(401, StatusCode.CLIENT_ERROR, "the token was replaced")
            if _registered(connection) is not registered:
                raise _not_allowed(registered=not registered)
            try:
                return Given(await registration.accept(connection, self._gateway, body))
            except Refused as refused:
                raise Failure(400, StatusCode.INVALID_PARAMETERS, str(refused)) from None
            except VersionRefused as failed:
                raise Failure(400, StatusCode.NO_MATCHING_ENDPOINTS, str(failed)) from None
            except RegistrationFailed as failed:
                raise Failure(500, StatusCode.UNABLE_TO_USE_CLIENT_API, str(failed)) from None

    async def _unregister(self, asked: Asked) -> Given:
        if not _registered(asked.connection):
            raise _not_allowed(registered=False)
        await self._gateway.registry.unregistered(
            asked.connection, why="Gireve unregistered us (DELETE credentials)", who=registration.WHO
        )
        return Given()

    def _url(self, path: str) -> str:
        return self._gateway.public_url + path

    # Sender interfaces

    async def _locations(self, asked: Asked) -> Given:
        window = _window(asked)
        page = await self._gateway.published.locations(await self._addressed(asked), window)
        rendering = Rendering(asked.settings)
        # With dates what was removed is told; without, a list is the whole truth and names only what is there.
        dated = window.date_from is not None or window.date_to is not None
        return self._page(asked, window, page, lambda each: rendering.whole(each, removed_too=dated))

    async def _tariffs(self, asked: Asked) -> Given:
        window = _window(asked)
        page = await self._gateway.published.tariffs(await self._addressed(asked), window)
        rendering = Rendering(asked.settings)
        return self._page(asked, window, page, lambda each: rendering.tariff(each)[0])

    def _page(self, asked: Asked, window: Window, page: Page, write: Callable[[Any], dict[str, Any]]) -> Given:
        data = []
        for each in page.objects:
            try:
                data.append(write(each))
            except Refused:
                continue  # the object's own projection has told why
        endpoint = self._url(asked.request.path.rstrip("/"))
        headers = ocpi.page_headers(endpoint, asked.request.query, window, page.total, asked.settings.page_cap)
        return Given(data, headers)

    async def _location(self, asked: Asked) -> Given:
        names = asked.request.match_info
        location = await self._find(asked, names["location"], self._gateway.published.location)
        if not isinstance(location, Location):
            raise Failure(404, StatusCode.UNKNOWN_LOCATION)
        try:
            wire = Rendering(asked.settings).whole(location, removed_too=True)
        except Refused as refused:
            raise Failure(404, StatusCode.UNKNOWN_LOCATION, f"it cannot be told: {refused}") from None
        for name, parts, key in (("evse", "evses", "uid"), ("connector", "connectors", "id")):
            if name in names:
                found = next((part for part in wire.get(parts, ()) if part[key] == names[name]), None)
                if found is None:
                    raise Failure(404, StatusCode.UNKNOWN_LOCATION, f"no such {name}")
                wire = found
        return Given(wire)

    async def _tariff(self, asked: Asked) -> Given:
        tariff = await self._find(asked, asked.request.match_info["tariff"], self._gateway.published.tariff)
        if tariff is None:
            raise Failure(404, StatusCode.CLIENT_ERROR, "unknown tariff")
        try:
            return Given(Rendering(asked.settings).tariff(tariff)[0])
        except Refused as refused:
            raise Failure(404, StatusCode.CLIENT_ERROR, f"it cannot be told: {refused}") from None

    async def _addressed(self, asked: Asked) -> Connection:
        """Gives the connection as it carries the party that the request is addressed to, if that is one of ours."""
        named = ocpi.party_in(asked.request.headers, ocpi.TO_COUNTRY, ocpi.TO_PARTY)
        if named is None or named not in await self._ours(asked.connection):
            return asked.connection
        scope = asked.connection.scope.model_copy(update={"parties": frozenset({named})})
        return replace(asked.connection, scope=scope)

    async def _ours(self, connection: Connection) -> list[PartyId]:
        return [party.id for party in await self._gateway.published.parties(connection)]

    async def _find(
        self, asked: Asked, key: str, look: Callable[[Connection, PartyId, str], Awaitable[Any]]
    ) -> Any | None:
        """Looks for an object by its id: of the party that the request is addressed to, else of any of ours."""
        connection = await self._addressed(asked)
        for party in await self._ours(connection):
            if (found := await look(connection, party, key)) is not None:
                return found
        return None


def _registered(connection: Connection) -> bool:
    return connection.secrets.ours is not None


def _not_allowed(*, registered: bool) -> Failure:
    text = "already registered" if registered else "not registered"
    return Failure(405, StatusCode.CLIENT_ERROR, text)


async def _bounded(request: web.Request) -> bytes:
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _MAX_CREDENTIALS:
            raise Failure(413, StatusCode.INVALID_PARAMETERS, f"more than {_MAX_CREDENTIALS} bytes")
    return bytes(body)


def _window(asked: Asked) -> Window:
    try:
        return ocpi.read_window(asked.request.query, asked.settings.page_cap)
    except BadParameter as bad:
        raise Failure(400, StatusCode.INVALID_PARAMETERS, str(bad)) from None
