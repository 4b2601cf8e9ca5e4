"""The Sender interface of commands (OCPI 2.2.1, mod_commands): what came of the commands that we sent."""

from collections.abc import Sequence

from aiohttp import web

from adapters.gireve.commanding import RESULTS_PATH
from adapters.gireve.server.asked import Asked, Failure, Given
from adapters.gireve.server.requests import Desk
from adapters.gireve.settings import Settings
from mappings.ocpi.dialects.gireve_drivers import COMMANDS
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1 import commands
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.versions import Endpoint


class CommandResults:
    """Implements `Module` for results of commands."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the route."""
        return [self._desk.route("POST", f"{RESULTS_PATH}/{{command}}/{{id}}", "command_results", self._take)]

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:  # noqa: ARG002  # always served
        """Gives what the version details name of it."""
        return [Endpoint(ModuleId.COMMANDS, InterfaceRole.SENDER, self._desk.url(RESULTS_PATH))]

    async def _take(self, asked: Asked) -> Given:
        names = asked.request.match_info
        answer, _ = await asked.read(commands.result_to_canonical)
        known = names["command"] in COMMANDS
        if not known or not await self._desk.gateway.sent_commands.told(asked.connection, names["id"], answer):
            # HTTP 404 tells who repeats results that nobody waits for it any more.
            raise Failure(404, StatusCode.CLIENT_ERROR, "no such command was sent")
        return Given()
