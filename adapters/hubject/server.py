"""What Hubject calls: an EMP's commands, each answered in the same request.

OICP 2.3, eRoamingAuthorizeRemoteStart and …Stop, eRoamingAuthorizeRemoteReservationStart and …Stop. Whatever the answer
is, it is an eRoamingAcknowledgment with HTTP 200, the only status that OICP's OpenAPI has.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

import structlog
from aiohttp import web

from adapters.core.connection import Connection, Mode
from adapters.core.http import compact_json, read_json
from adapters.core.hub import Gateway
from adapters.hubject.admission import HUB, Order, Refusal, admitted, check_names
from adapters.hubject.settings import DEADLINE, Settings
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

_ROOT: Final = "/oicp/{connection}"
_MOST_BYTES: Final = 64 * 1024
_WAY: Final = timedelta(seconds=0.5)
"""What of Hubject's ten seconds is left for the way of the answer, whatever the backend may take."""

_log = structlog.get_logger(__name__)

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


@dataclass(slots=True)
class _Served:
    """One request, as far as it is known yet.

    Attributes:
        ends: When the answer has to be under way, by the clock of `time.perf_counter`.
        connection: The connection's name, once Hubject has proven that it calls.
        body: The parsed JSON.
        session: Hubject's SessionID.
    """

    request: web.Request
    operation: Operation
    ends: float
    connection: str = "unknown"
    body: Any = None
    session: str | None = None


class Inbound:
    """Serves Hubject for all connections to it.

    Args:
        now: The clock, from which a reservation's duration counts.
    """

    def __init__(self, gateway: Gateway, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._gateway = gateway
        self._now = now

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes.

        What is entered in Hubject's portal is a base URL, and it is written nowhere whether `/api/oicp` is added to it
        as its own URLs have it: both are served.
        """
        return [
            web.post(f"{_ROOT}{root}/{operation.path}{{slash:/?}}", self._handler(operation))
            for operation in OPERATIONS
            for root in ("", "/api/oicp")
        ]

    def _handler(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            began = time.perf_counter()
            served = _Served(request, operation, began + (DEADLINE - _WAY).total_seconds())
            try:
                return web.Response(body=compact_json(await self._answer(served)), content_type="application/json")
            finally:
                seconds = time.perf_counter() - began
                self._gateway.observer.served(HUB, served.connection, operation.name, 200, seconds)

        return serve

    async def _answer(self, served: _Served) -> Record:
        try:
            return await self._perform(served)
        except Refusal as refusal:
            _log.warning(
                "command refused", operation=served.operation.name, connection=served.connection, code=refusal.code
            )
            return _refused(refusal, served.session)
        except Refused as refused:
            return commands.answer_to_refused(refused, served.body)
        except Exception as error:  # noqa: BLE001  # whatever it is, Hubject reads nothing but an acknowledgment
            _log.error("command failed", operation=served.operation.name, connection=served.connection, exc_info=error)
            return _refused(Refusal(commands.SYSTEM_ERROR, "the command could not be carried out"), served.session)

    async def _perform(self, served: _Served) -> Record:
        connection, settings, certificate = await admitted(served.request, self._gateway)
        served.connection = connection.name
        if connection.mode is not Mode.LIVE:
            raise Refusal(CommandCode.SERVICE_NOT_AVAILABLE, "the connection is not live")
        served.body = await _body(served)
        command, _ = served.operation.read(served.body, self._now(), settings)
        served.session = _session(command)
        check_names(served.request.match_info["provider"], command, certificate, settings)
        answer = await self._carried_out(connection, command, served.ends)
        if isinstance(command, CancelReservation) and answer.result is CommandResult.CANCELED_RESERVATION:
            # OICP's word for it is that a session is invalid, which is no answer to whoever wanted just that.
            answer = answer.model_copy(update={"result": CommandResult.ACCEPTED})
        return commands.answer_from_canonical(answer, command)[0]

    async def _carried_out(self, connection: Connection, command: Order, ends: float) -> CommandAnswer:
        try:
            async with _until(ends) as limit:
                return await self._gateway.commands.perform(connection, command)
        except TimeoutError:
            if not limit.expired():
                raise
            return CommandAnswer(result=CommandResult.TIMEOUT, text="not carried out in time")


def _until(ends: float) -> asyncio.Timeout:
    return asyncio.timeout(max(ends - time.perf_counter(), 0))


async def _body(served: _Served) -> Any:
    raw = bytearray()
    try:
        async with _until(served.ends):
            async for chunk in served.request.content.iter_any():
                raw += chunk
                if len(raw) > _MOST_BYTES:
                    raise Refusal(commands.DATA_ERROR, f"the body has more than {_MOST_BYTES} bytes")
    except TimeoutError:
        raise Refusal(commands.DATA_ERROR, "the body did not arrive in time") from None
    try:
        return read_json(bytes(raw))
    except ValueError:
        raise Refusal(commands.DATA_ERROR, "the body is not JSON, or a text in it holds NUL") from None


def _session(command: Order) -> str | None:
    match command:
        case StopSession(session=session) | CancelReservation(reservation=session):
            return session
        case StartSession(leg=leg) | ReserveNow(leg=leg):
            return leg.hub_session


def _refused(refusal: Refusal, session: str | None) -> Record:
    record = commands.acknowledgment(refusal.code, session_id=session)
    record["StatusCode"]["AdditionalInfo"] = refusal.text
    return record
