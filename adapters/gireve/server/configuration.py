"""Versions and credentials, as IOP calls them (OCPI 2.2.1, version information endpoint and credentials)."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

from aiohttp import web

from adapters.core.hub import RegistrationFailed
from adapters.gireve import registration
from adapters.gireve.registration import VersionRefused
from adapters.gireve.server.asked import Asked, Failure, Given, unusable
from adapters.gireve.server.requests import BASE, Desk, Module, registered
from adapters.gireve.settings import Settings
from mappings.canonical.parties import Role
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1 import versions
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.versions import Endpoint, Version, VersionDetails
from mappings.report import Refused


class Configuration:
    """Implements `Module` for what is not routed: it is served before a registration stands.

    Args:
        modules: The other modules by the role that they serve, for the version details.
    """

    def __init__(self, desk: Desk, modules: Mapping[Role, Sequence[Module]]) -> None:
        self._desk, self._modules = desk, modules
        self._registry = desk.gateway.registry
        self._registering: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""
        credentials = f"{BASE}/credentials"
        return [
            self._desk.route(method, path, operation, handler, configuration=True)
            for method, path, operation, handler in (
                ("GET", registration.VERSIONS_PATH, "versions", self._versions),
                ("GET", BASE, "versions", self._details),
                ("GET", credentials, "credentials", self._show),
                ("POST", credentials, "credentials", self._register),
                ("PUT", credentials, "credentials", self._update),
                ("DELETE", credentials, "credentials", self._unregister),
            )
        ]

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:  # noqa: ARG002  # it is always there
        """Gives what the version details name of it."""
        return [Endpoint(ModuleId.CREDENTIALS, InterfaceRole.SENDER, self._desk.url(f"{BASE}/credentials"))]

    async def _versions(self, _asked: Asked) -> Given:
        return Given(versions.versions_from_canonical([Version(versions.VERSION, self._desk.url(BASE))]))

    async def _details(self, asked: Asked) -> Given:
        served = [
            module for role, modules in self._modules.items() if role in asked.settings.roles for module in modules
        ]
        endpoints = [one for module in (self, *served) for one in module.endpoints(asked.settings)]
        return Given(versions.from_canonical(VersionDetails(versions.VERSION, tuple(endpoints))))

    async def _show(self, asked: Asked) -> Given:
        try:
            ours = await registration.our_credentials(asked.connection, self._desk.gateway, asked.settings, asked.token)
        except RegistrationFailed as failed:
            raise Failure(500, StatusCode.SERVER_ERROR, str(failed)) from None
        return Given(ours)

    async def _register(self, asked: Asked) -> Given:
        return await self._exchange(asked, standing=False)

    async def _update(self, asked: Asked) -> Given:
        return await self._exchange(asked, standing=True)

    async def _exchange(self, asked: Asked, *, standing: bool) -> Given:
        body = await asked.read(bytes)
        # A POST that arrives twice finds the first one's registration, not its middle.
        async with self._registering[asked.connection.name]:
            connection = await self._registry.by_token(asked.token)
            if connection is None:
                raise Failure(401, StatusCode.CLIENT_ERROR, "the token was replaced")
            if registered(connection) is not standing:
                raise _not_allowed(standing=not standing)
            try:
                return Given(await registration.accept(connection, self._desk.gateway, body))
            except Refused as refused:
                raise unusable(refused, body) from None
            except VersionRefused as failed:
                raise Failure(200, StatusCode.NO_MATCHING_ENDPOINTS, str(failed)) from None
            except RegistrationFailed as failed:
                raise Failure(200, StatusCode.UNABLE_TO_USE_CLIENT_API, str(failed)) from None

    async def _unregister(self, asked: Asked) -> Given:
        if not registered(asked.connection):
            raise _not_allowed(standing=False)
        await self._registry.unregistered(
            asked.connection, why="Gireve unregistered us (DELETE credentials)", who=registration.WHO
        )
        return Given()


def _not_allowed(*, standing: bool) -> Failure:
    text = "already registered" if standing else "not registered"
    return Failure(405, StatusCode.CLIENT_ERROR, text)
