"""The Sender interfaces of locations and tariffs (OCPI 2.2.1, mod_locations and mod_tariffs).

Lists are always paged, since IOP ignores one that is not. An object that Gireve cannot be told of is left out of its
page but stays in `X-Total-Count`, so that offsets and pages do not move.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from adapters.core.connection import Connection
from adapters.gireve.rendering import Rendering
from adapters.gireve.server.asked import Asked, Failure, Given
from adapters.gireve.server.requests import SENDER, Desk
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.versions import Endpoint
from mappings.report import Refused

_LOCATIONS, _TARIFFS = f"{SENDER}/locations", f"{SENDER}/tariffs"


class Network:
    """Implements `Module`: the network, as IOP pulls it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._published = desk.gateway.published

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""
        one = f"{_LOCATIONS}/{{location}}"
        return [
            self._desk.route("GET", path, operation, handler)
            for path, operation, handler in (
                (_LOCATIONS, "locations", self._locations),
                (one, "locations", self._location),
                (f"{one}/{{evse}}", "locations", self._location),
                (f"{one}/{{evse}}/{{connector}}", "locations", self._location),
                (_TARIFFS, "tariffs", self._tariffs),
                (f"{_TARIFFS}/{{tariff}}", "tariffs", self._tariff),
            )
        ]

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:
        """Gives what the version details name of it."""
        offered = [Endpoint(ModuleId.LOCATIONS, InterfaceRole.SENDER, self._desk.url(_LOCATIONS))]
        if settings.push_tariffs:
            offered.append(Endpoint(ModuleId.TARIFFS, InterfaceRole.SENDER, self._desk.url(_TARIFFS)))
        return offered

    async def _locations(self, asked: Asked) -> Given:
        window = asked.window()
        page = await self._published.locations(await self._desk.addressed(asked), window)
        rendering = Rendering(asked.settings)
        # With dates what was removed is told; without, a list is the whole truth and names only what is there.
        dated = window.date_from is not None or window.date_to is not None
        return self._desk.page(asked, window, page, lambda each: rendering.whole(each, removed_too=dated))

    async def _tariffs(self, asked: Asked) -> Given:
        window = asked.window()
        page = await self._published.tariffs(await self._desk.addressed(asked), window)
        rendering = Rendering(asked.settings)
        return self._desk.page(asked, window, page, lambda each: rendering.tariff(each)[0])

    async def _location(self, asked: Asked) -> Given:
        names = asked.request.match_info
        location = await self._find(asked, names["location"], self._published.location)
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
        tariff = await self._find(asked, asked.request.match_info["tariff"], self._published.tariff)
        if tariff is None:
            raise Failure(404, StatusCode.CLIENT_ERROR, "unknown tariff")
        try:
            return Given(Rendering(asked.settings).tariff(tariff)[0])
        except Refused as refused:
            raise Failure(404, StatusCode.CLIENT_ERROR, f"it cannot be told: {refused}") from None

    async def _find(
        self, asked: Asked, key: str, look: Callable[[Connection, PartyId, str], Awaitable[Any]]
    ) -> Any | None:
        """Looks for an object by its id: of the party that the request is addressed to, else of any of ours."""
        connection = await self._desk.addressed(asked)
        for party in await self._desk.ours(asked, connection):
            if (found := await look(connection, party, key)) is not None:
                return found
        return None
