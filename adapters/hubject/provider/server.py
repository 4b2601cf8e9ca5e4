"""What Hubject calls at an EMP: questions about drivers, notifications of their charges, and CDRs (OICP 2.3 EMP)."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from aiohttp import web

from adapters.core.charging import Allowed, Answer, Denial, Denied
from adapters.core.connection import Connection, Mode
from adapters.core.hub import Gateway
from adapters.core.inbound import Asked
from adapters.core.validated import Validated
from adapters.hubject import serving
from adapters.hubject.admission import Refusal, admitted
from adapters.hubject.provider.digests import of_cdr
from adapters.hubject.provider.settings import ProviderSettings
from adapters.hubject.serving import Served
from mappings.canonical.commands import EvseRef
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.oicp.status_codes import CODES
from mappings.oicp.v2_3 import cdrs, commands, driver_requests, notifications, process
from mappings.oicp.v2_3.commands import DATA_ERROR, UNAUTHORISED
from mappings.oicp.v2_3.driver_requests import UNKNOWN_DRIVER, DriverRequest
from mappings.oicp.v2_3.vocabulary import CommandCode
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, Refused, Report

_OPERATOR: Final = "operators/{operator}"
_MOST_BYTES: Final = 1024 * 1024
"""Of a CDR: signed readings are long."""

_SUCCESS: Final = "000"
_NO: Final = "106"
"""No positive authentication response: what OICP has for a no of which it has no own word."""

DENIALS: Final[Mapping[Denial, str | None]] = MappingProxyType(
    {
        Denial.BLOCKED: "200",
        Denial.EXPIRED: _NO,
        Denial.NO_CREDIT: _NO,
        Denial.NOT_ALLOWED: _NO,
        Denial.UNKNOWN_TOKEN: None,  # by what the driver holds up: `UNKNOWN_DRIVER`
        Denial.NO_CONTRACT: "210",
        Denial.UNKNOWN_EVSE: "603",
        Denial.EVSE_UNAVAILABLE: _NO,
        Denial.UNKNOWN_SESSION: "400",
        Denial.OTHER_MEDIUM: "602",
        Denial.NO_ANSWER: _NO,
        Denial.NO_CANDIDATE: _NO,
    }
)
"""The code for every reason why a driver is not admitted."""

if DENIALS.keys() != set(Denial):
    raise ValueError("every reason for a no has a code")


class Inbound:
    """Serves Hubject for all connections of EMPs to it.

    Args:
        now: The clock, for records without a stamp.
    """

    def __init__(self, gateway: Gateway, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._gateway = gateway
        self._now = now
        self._settings = Validated(ProviderSettings)

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""
        asking = f"charging/v21/{_OPERATOR}/authorize"
        operations = (
            (f"{asking}/start", "authorise_start", self._start, _not_started),
            (f"{asking}/stop", "authorise_stop", self._stop, _not_stopped),
            (f"cdrmgmt/v22/{_OPERATOR}/charge-detail-record", "cdrs", self._cdr, _not_taken),
            ("notificationmgmt/v11/charging-notifications", "charging_notifications", self._notified, _not_taken),
        )
        return [
            route
            for path, operation, perform, refuse in operations
            for route in serving.routes(self._gateway, path, operation, perform, refuse)
        ]

    async def _start(self, served: Served) -> Record:
        connection, settings = await self._opened(served)
        request, _ = driver_requests.start_to_canonical(served.body)
        _check_operator(served, request)
        answer = await _in_time(self._gateway.drivers.authorise(connection, _asked(request, settings, served)), served)
        if isinstance(answer, Allowed):
            record, _ = driver_requests.start_from_canonical(
                _SUCCESS, settings.provider_id, answer.leg, text=answer.info, stop_with=answer.stop_with
            )
            return record
        return driver_requests.start_from_canonical(_code(answer, request.leg), None, request.leg)[0]

    async def _stop(self, served: Served) -> Record:
        connection, settings = await self._opened(served)
        request, _ = driver_requests.stop_to_canonical(served.body)
        _check_operator(served, request)
        asked = _asked(request, settings, served)
        answer = await _in_time(self._gateway.drivers.authorise_stop(connection, asked), served)
        if isinstance(answer, Allowed):
            return driver_requests.stop_from_canonical(_SUCCESS, settings.provider_id, answer.leg)[0]
        return driver_requests.stop_from_canonical(_code(answer, request.leg), None, request.leg)[0]

    async def _cdr(self, served: Served) -> Record:
        connection, settings = await self._opened(served)
        _operator(served)
        body = served.body
        (cdr, leg), _ = cdrs.to_canonical(body, currency=settings.currency, at=self._now())
        # What does not fit is kept for a person to look at; Hubject has done its part either way. Whose EVSE it is, is
        # not compared with the path, where a hub operator stands for its sub-operators.
        await self._gateway.received.cdr(connection, cdr, settings.whose(leg), of_cdr(body))
        return commands.acknowledgment(_SUCCESS, session_id=leg.hub_session)

    async def _notified(self, served: Served) -> Record:
        connection, settings = await self._opened(served)
        news, _ = notifications.to_canonical(served.body, self._now())
        news = news.model_copy(update={"leg": settings.whose(news.leg)})
        await self._gateway.received.news(connection, news)
        return commands.acknowledgment(_SUCCESS, session_id=news.leg.hub_session)

    async def _opened(self, served: Served) -> tuple[Connection, ProviderSettings]:
        """Makes sure that Hubject calls, and reads the body.

        Raises:
            Refusal: It does not, the connection is not live, or there is no body to read.
        """
        connection, settings, certificate = await admitted(served.request, self._gateway, self._settings)
        served.connection = connection.name
        named = "operator" in served.request.match_info  # of a notification it is not
        if named and certificate is not None and not certificate.speaks_for(_operator(served)):
            raise Refusal(UNAUTHORISED, "the certificate does not speak for this operator")
        if connection.mode is not Mode.LIVE:
            raise Refusal(CommandCode.SERVICE_NOT_AVAILABLE, "the connection is not live")
        served.body = await serving.read_body(served, _MOST_BYTES)
        served.session = _session(served.body)
        return connection, settings


def _session(body: Any) -> str | None:
    """Gives the SessionID that every answer repeats; one that is none of Hubject's is not given back."""
    if not isinstance(body, Mapping):
        return None
    try:
        return process.read_session_id(body.get("SessionID"), "SessionID", Report())
    except Refused:
        return None


async def _in_time(asking: Awaitable[Answer], served: Served) -> Answer:
    """Waits for an answer for as long as Hubject does."""
    try:
        async with serving.until(served.ends) as limit:
            return await asking
    except TimeoutError:
        if not limit.expired():
            raise
        return Denied(Denial.NO_ANSWER)


def _check_operator(served: Served, request: DriverRequest) -> None:
    """Checks that path and body name one operator.

    Raises:
        Refusal: They do not.
    """
    if _operator(served) != request.cpo:
        raise Refusal(UNAUTHORISED, "the OperatorIDs of path and body differ")


def _operator(served: Served) -> PartyId:
    try:
        return PartyId(served.request.match_info["operator"])
    except ValueError:
        raise Refusal(DATA_ERROR, "the path names no operator") from None


def _asked(request: DriverRequest, settings: ProviderSettings, served: Served) -> Asked:
    # An OperatorID may be a hub operator's. Whose station it is, the EvseID tells, there as in the CDR that will come.
    cpo = (request.evse_id.party if request.evse_id is not None else None) or request.cpo
    at = EvseRef(party=cpo, evse_id=request.evse_id) if request.evse_id is not None else None
    left = timedelta(seconds=max(served.ends - time.perf_counter(), 0))
    within = min(left, timedelta(seconds=settings.answer_seconds))
    return Asked(settings.whose(request.leg), cpo, at, request.pin, within)


def _code(answer: Answer, leg: Leg) -> str:
    if not isinstance(answer, Denied):
        return _NO
    return DENIALS[answer.reason] or UNKNOWN_DRIVER[leg.identification.type]


def _why(error: Refusal | Refused) -> tuple[str, str]:
    if isinstance(error, Refusal):
        return error.code if error.code in CODES else DATA_ERROR, error.text
    return DATA_ERROR, str(error)


def _not_started(error: Refusal | Refused, served: Served) -> Record:
    return _no(error, served, driver_requests.start_from_canonical)


def _not_stopped(error: Refusal | Refused, served: Served) -> Record:
    return _no(error, served, driver_requests.stop_from_canonical)


def _no(error: Refusal | Refused, served: Served, write: Callable[..., tuple[Record, list[Issue]]]) -> Record:
    code, text = _why(error)
    record, _ = write(code, None, None, text=text)
    return record | ({"SessionID": served.session} if served.session else {})


def _not_taken(error: Refusal | Refused, served: Served) -> Record:
    code, text = _why(error)
    record: dict[str, Any] = commands.acknowledgment(code, session_id=served.session)
    record["StatusCode"]["AdditionalInfo"] = text
    return record
