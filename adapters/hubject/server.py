"""What Hubject calls at a CPO: an EMP's commands, each answered in the same request by an eRoamingAcknowledgment.

OICP 2.3, eRoamingAuthorizeRemoteStart and …Stop, eRoamingAuthorizeRemoteReservationStart and …Stop.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

from aiohttp import web

from adapters.core.connection import Connection, Mode
from adapters.core.hub import Gateway
from adapters.core.validated import Validated
from adapters.hubject import serving
from adapters.hubject.admission import Order, Refusal, admitted, check_names
from adapters.hubject.serving import Served
from adapters.hubject.settings import Settings
from mappings.canonical.commands import (
    CancelReservation,
    CommandAnswer,
    CommandResult,
    ReserveNow,
    StartSession,
    StopSession,
)
from mappings.oicp.v2_3 import commands
from mappings.oicp.v2_3.vocabulary import CommandCode
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, Refused

Read: TypeAlias = Callable[[Any, datetime, Settings], tuple[Order, list[Issue]]]


def _reservation(body: Any, now: datetime, settings: Settings) -> tuple[Order, list[Issue]]:
    return commands.reservation_to_canonical(body, now, timedelta(minutes=settings.reservation_minutes))


class Operation(NamedTuple):
    """One command.

    Attributes:
        name: In metrics.
        path: Below the connection's root; as in OICP's OpenAPI.
    """

    name: str
    path: str
    read: Read


_CHARGING, _RESERVATION = "charging/v21/providers/{provider}/authorize-remote", "reservation/v11/providers/{provider}"

OPERATIONS: Final = (
    Operation("remote_start", f"{_CHARGING}/start", lambda body, _now, _s: commands.start_to_canonical(body)),
    Operation("remote_stop", f"{_CHARGING}/stop", lambda body, _now, _s: commands.stop_to_canonical(body)),
    Operation("reservation_start", f"{_RESERVATION}/reservation-start-request", _reservation),
    Operation(
        "reservation_stop",
        f"{_RESERVATION}/reservation-stop-request",
        lambda body, _now, _s: commands.cancellation_to_canonical(body),
    ),
)


class Inbound:
    """Serves Hubject for all connections to it.

    Args:
        now: The clock, from which a reservation's duration counts.
    """

    def __init__(self, gateway: Gateway, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._gateway = gateway
        self._now = now
        self._settings = Validated(Settings)

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""
        return [
            route
            for operation in OPERATIONS
            for route in serving.routes(
                self._gateway, operation.path, operation.name, partial(self._perform, operation), _refused
            )
        ]

    async def _perform(self, operation: Operation, served: Served) -> Record:
        connection, settings, certificate = await admitted(served.request, self._gateway, self._settings)
        served.connection = connection.name
        if connection.mode is not Mode.LIVE:
            raise Refusal(CommandCode.SERVICE_NOT_AVAILABLE, "the connection is not live")
        served.body = await serving.read_body(served)
        command, _ = operation.read(served.body, self._now(), settings)
        served.session = _session(command)
        check_names(served.request.match_info["provider"], command, certificate, settings)
        answer = await self._carried_out(connection, command, served.ends)
        if isinstance(command, CancelReservation) and answer.result is CommandResult.CANCELED_RESERVATION:
            # OICP's word for it is that a session is invalid, which is no answer to whoever wanted just that.
            answer = answer.model_copy(update={"result": CommandResult.ACCEPTED})
        return commands.answer_from_canonical(answer, command)[0]

    async def _carried_out(self, connection: Connection, command: Order, ends: float) -> CommandAnswer:
        try:
            async with serving.until(ends) as limit:
                return await self._gateway.commands.perform(connection, command)
        except TimeoutError:
            if not limit.expired():
                raise
            return CommandAnswer(result=CommandResult.TIMEOUT, text="not carried out in time")


def _session(command: Order) -> str | None:
    match command:
        case StopSession(session=session) | CancelReservation(reservation=session):
            return session
        case StartSession(leg=leg) | ReserveNow(leg=leg):
            return leg.hub_session


def _refused(error: Refusal | Refused, served: Served) -> Record:
    if isinstance(error, Refused):
        return commands.answer_to_refused(error, served.body)
    record = commands.acknowledgment(error.code, session_id=served.session)
    record["StatusCode"]["AdditionalInfo"] = error.text
    return record
