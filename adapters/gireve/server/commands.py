"""The Receiver interface of commands (OCPI 2.2.1, mod_commands): answered at once, the result told later.

A request that cannot be taken is answered with a CommandResponse beside the error, so that an EMSP that looks at
nothing else sees that nothing will come of it.
"""

import re
from collections.abc import Sequence
from typing import Any

import structlog
from aiohttp import web

from adapters.core import ocpi
from adapters.core.http import UrlRefused
from adapters.gireve.server.asked import Asked, Failure, Given
from adapters.gireve.server.requests import RECEIVER, Desk
from adapters.gireve.settings import Settings
from adapters.gireve.telling import reply_to
from mappings.canonical.commands import Command, CommandResult
from mappings.ocpi.dialects import gireve_charging as gireve
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1 import commands
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.versions import Endpoint
from mappings.report import Refused

_log = structlog.get_logger(__name__)

_COMMANDS = f"{RECEIVER}/commands"
_SENDABLE = re.compile(r"[!-~]+")
_LONGEST_CORRELATION = 100

_CODES: dict[CommandResult, StatusCode] = {
    # status_codes, 2003: "Command: START_SESSION with unknown location"
    CommandResult.UNKNOWN_EVSE: StatusCode.UNKNOWN_LOCATION,
}
"""OCPI code of a command that is not taken; any other is a sound answer of its own."""


class Commands:
    """Implements `Module` for commands."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""
        return [self._desk.route("POST", f"{_COMMANDS}/{{command}}", "commands", self._take)]

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:  # noqa: ARG002  # always served
        """Gives what the version details name of it."""
        return [Endpoint(ModuleId.COMMANDS, InterfaceRole.RECEIVER, self._desk.url(_COMMANDS))]

    async def _take(self, asked: Asked) -> Given:
        kind = asked.request.match_info["command"]
        if kind not in commands.KINDS:
            raise _not_taken(404, CommandResult.NOT_SUPPORTED, "there is no such command")

        def read(body: bytes) -> tuple[Command, str]:
            request, _ = gireve.command_to_canonical(kind, body, asked.sender(), self._desk.now(), asked.recipient())
            return request.command, _answerable(request.response_url, asked.settings)

        try:
            connection = await self._desk.addressed(asked)
            command, url = await asked.read(read)
        except Failure as failure:
            code, text = StatusCode.INVALID_PARAMETERS, failure.message or ""
            _refused(asked, kind, CommandResult.REJECTED, code, text)
            raise _not_taken(failure.status, CommandResult.REJECTED, text) from None
        where = reply_to(url, _correlation(asked.request))
        taken = await self._desk.gateway.commands.take(connection, command, where)
        response, _ = commands.response_from_canonical(taken.result, taken.timeout, taken.text)
        code = _CODES.get(taken.result, StatusCode.SUCCESS)
        if taken.result is not CommandResult.ACCEPTED:
            _refused(asked, kind, taken.result, code, taken.text)
        if code is not StatusCode.SUCCESS:
            raise Failure(200, code, taken.text, data=response)
        return Given(response)


def _answerable(url: str, settings: Settings) -> str:
    """Gives back the address that the result is wanted at.

    Raises:
        Refused: It may not be called.
    """
    if _SENDABLE.fullmatch(url) is None:
        raise Refused("response_url", "has a character that no URL has")
    try:
        return settings.checked(url)
    except UrlRefused as refused:
        raise Refused("response_url", f"may not be called: {refused}") from None


def _correlation(request: web.Request) -> str | None:
    """Gives the id that the result shall carry as well, since it is a consequence (guide, Traceability)."""
    given = request.headers.get(ocpi.CORRELATION_ID, "")
    return given if len(given) <= _LONGEST_CORRELATION and _SENDABLE.fullmatch(given) else None


def _refused(asked: Asked, kind: str, result: CommandResult, code: StatusCode, why: str | None) -> None:
    """Logs that a command is not taken; why is said by us, and quotes nothing of the driver."""
    _log.warning(
        "command refused",
        operation=kind,
        connection=asked.connection.name,
        code=int(code),
        result=result.value,
        reason=why,
    )


def _not_taken(status: int, result: CommandResult, text: str) -> Failure:
    response: Any = commands.response_from_canonical(result, 0, text)[0]
    return Failure(status, StatusCode.INVALID_PARAMETERS, text, data=response)
