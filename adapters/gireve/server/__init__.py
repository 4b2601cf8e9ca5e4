"""What IOP calls: versions, credentials, and the modules that a CPO and an EMSP serve.

A module's endpoints are in the version details as soon as its routes are here, so that neither is without the other.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from aiohttp import web

from adapters.core.hub import Gateway
from adapters.gireve.adapter import utc_now
from adapters.gireve.server.asked import Asked, Failure, Given
from adapters.gireve.server.charges import Charges
from adapters.gireve.server.clients import Clients
from adapters.gireve.server.command_results import CommandResults
from adapters.gireve.server.commands import Commands
from adapters.gireve.server.configuration import Configuration
from adapters.gireve.server.driver_tokens import DriverTokens
from adapters.gireve.server.network import Network
from adapters.gireve.server.partner_locations import PartnerLocations
from adapters.gireve.server.partner_tariffs import PartnerTariffs
from adapters.gireve.server.received_charges import ReceivedCharges
from adapters.gireve.server.requests import ROOT, Desk, Module
from adapters.gireve.server.tokens import Tokens
from mappings.canonical.parties import Role
from mappings.ocpi.envelope import StatusCode


class Inbound:
    """Serves IOP for all connections to Gireve.

    Args:
        now: The clock, for the stamps of answers.
    """

    def __init__(self, gateway: Gateway, now: Callable[[], datetime] = utc_now) -> None:
        self._desk = Desk(gateway, now)
        cpo, emsp = Desk(gateway, now, Role.CPO), Desk(gateway, now, Role.EMSP)
        by_role: dict[Role, list[Module]] = {
            Role.CPO: [Network(cpo), Commands(cpo), Tokens(cpo), Charges(cpo)],
            Role.EMSP: [
                PartnerLocations(emsp),
                PartnerTariffs(emsp),
                ReceivedCharges(emsp),
                DriverTokens(emsp),
                CommandResults(emsp),
                Clients(emsp),
            ],
        }
        self._modules = [Configuration(self._desk, by_role), *by_role[Role.CPO], *by_role[Role.EMSP]]

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes; each takes a slash at its end too."""
        found = [route for module in self._modules for route in module.routes()]
        nothing = self._desk.wrapped("other", _nothing, configuration=True)
        return [*found, web.route("*", f"{ROOT}/{{rest:.*}}", nothing)]


async def _nothing(_asked: Asked) -> Given:
    raise Failure(404, StatusCode.CLIENT_ERROR, "there is no such resource, or not with this method")
