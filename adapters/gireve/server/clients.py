"""The Receiver interface of HubClientInfo (OCPI 2.2.1, mod_hub_client_info).

IOP does not implement the module; it is served since nothing is lost by it. What is told of a party is not given back:
the gateway's own API shows it.
"""

from collections.abc import Sequence

from aiohttp import web

from adapters.gireve.server.asked import Asked, Given
from adapters.gireve.server.requests import RECEIVER, Desk
from adapters.gireve.settings import Settings
from mappings.canonical.parties import ClientInfo
from mappings.ocpi.v2_2_1 import hub_client_info, paths
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.versions import Endpoint

_CLIENTS = f"{RECEIVER}/hubclientinfo"


class Clients:
    """Implements `Module` for what a hub says of the parties behind it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the route."""
        return [self._desk.route("PUT", f"{_CLIENTS}/{{country}}/{{party}}", "hubclientinfo", self._put)]

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:  # noqa: ARG002  # always served
        """Gives what the version details name of it."""
        return [Endpoint(ModuleId.HUB_CLIENT_INFO, InterfaceRole.RECEIVER, self._desk.url(_CLIENTS))]

    async def _put(self, asked: Asked) -> Given:
        party = asked.owner()

        def read(body: bytes) -> ClientInfo:
            info, _ = hub_client_info.to_canonical(body, self._desk.now())
            paths.of_client_info(info, party)
            return info

        await self._desk.gateway.catalogue.put_party(asked.connection, await asked.read(read))
        return Given()
