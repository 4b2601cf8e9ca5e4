"""The Sender interfaces of sessions and CDRs (OCPI 2.2.1, mod_sessions and mod_cdrs), and charging preferences.

What is pulled is what was pushed: lists hold the charges that roam over the connection.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from adapters.core.charging import Message
from adapters.gireve.server.asked import Asked, Failure, Given
from adapters.gireve.server.requests import SENDER, Desk
from adapters.gireve.settings import Settings
from adapters.gireve.telling import Telling
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1 import sessions
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.versions import Endpoint

_SESSIONS, _CDRS = f"{SENDER}/sessions", f"{SENDER}/cdrs"


class Charges:
    """Implements `Module` for sessions and CDRs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._charges = desk.gateway.charges

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""
        wishes = f"{_SESSIONS}/{{session}}/charging_preferences"
        return [
            self._desk.route("GET", _SESSIONS, "sessions", self._list_sessions),
            self._desk.route("PUT", wishes, "charging_preferences", self._prefer),
            self._desk.route("GET", _CDRS, "cdrs", self._list_cdrs),
        ]

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:  # noqa: ARG002  # always served
        """Gives what the version details name of it."""
        return [
            Endpoint(ModuleId.SESSIONS, InterfaceRole.SENDER, self._desk.url(_SESSIONS)),
            Endpoint(ModuleId.CDRS, InterfaceRole.SENDER, self._desk.url(_CDRS)),
        ]

    async def _list_sessions(self, asked: Asked) -> Given:
        # `date_from` is mandatory in OCPI; without it all there is is meant, which says more than an error would.
        window = asked.window()
        page = await self._charges.sessions(await self._desk.addressed(asked), window)
        return self._desk.page(asked, window, page, _writer(asked.settings))

    async def _list_cdrs(self, asked: Asked) -> Given:
        window = asked.window()
        page = await self._charges.cdrs(await self._desk.addressed(asked), window)
        return self._desk.page(asked, window, page, _writer(asked.settings))

    async def _prefer(self, asked: Asked) -> Given:
        connection = await self._desk.addressed(asked)
        wishes, _ = await asked.read(sessions.preferences_to_canonical)
        session = asked.request.match_info["session"]
        result = await self._charges.prefer(connection, session, wishes, asked.sender())
        if result is None:
            # mod_sessions, ChargingPreferencesResponse: the same for an EVSE that cannot heed any.
            raise Failure(404, StatusCode.INVALID_PARAMETERS, "there is no such session that could heed them")
        return Given(sessions.preferences_result_from_canonical(result))


def _writer(settings: Settings) -> Any:
    telling = Telling(settings)

    def write(message: Message) -> Any:
        return telling.render(message)[0].body

    return write
