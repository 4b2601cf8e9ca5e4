"""What the sandbox Hubject does when it is told to: it plays an EMP that starts, stops, reserves and cancels.

| request | what it does |
| --- | --- |
| `GET`, `POST`, `DELETE /_sandbox/drivers` | the drivers that EMPs know; sets some (`Driver`); forgets all |
| `POST /_sandbox/remote-start` | `{"evse", "contract", "provider"}`; an eRoamingAuthorizeRemoteStart |
| `POST /_sandbox/remote-stop` | `{"session"}`; an eRoamingAuthorizeRemoteStop |
| `POST /_sandbox/reserve` | as `remote-start`, with `minutes`; an eRoamingAuthorizeRemoteReservationStart |
| `POST /_sandbox/cancel-reservation` | as `remote-stop`; an eRoamingAuthorizeRemoteReservationStop |

Each answers with the eRoamingAcknowledgment that the EMP gets: Hubject's own where it refuses, else the gateway's. It
refuses as Hubject does: the EVSE's operator unknown (300), no contract (210), an EVSE that was not pushed (603) or is
not for Hubject (604), another provider's EvcoID (019), a session that is unknown or has its CDR (400).
"""

import asyncio
from typing import Annotated, Any, Final
from urllib.parse import quote

import aiohttp
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from adapters.core.faults import FaultKind
from adapters.core.http import compact_json, read_json
from adapters.core.sandbox import PREFIX, SANDBOX
from adapters.hubject.sandbox import rules_charging
from adapters.hubject.sandbox.charges import BILLED, CANCELLED, OPEN, STOPPED, new_session
from adapters.hubject.sandbox.drivers import NO_ANSWER, NO_CONTRACT, NO_PARTNER, Driver
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.state import EVSE_DATA, SESSIONS, HubjectSandbox, Partner, status_code
from mappings.canonical.ids import ContractId, EvseId, PartyId

_CHARGING, _RESERVATION = "charging/v21/providers/{}/authorize-remote", "reservation/v11/providers/{}"
_START, _STOP = f"{_CHARGING}/start", f"{_CHARGING}/stop"
_RESERVE, _CANCEL = f"{_RESERVATION}/reservation-start-request", f"{_RESERVATION}/reservation-stop-request"
_DRIVERS: Final = TypeAdapter(list[Driver])


class _Drive(BaseModel):
    """What all commands take.

    Attributes:
        url: The gateway's URL for the connection; the sandbox's setting where it is left out.
        late: Seconds after which the command is sent.
        repeat: Sends it twice with the same SessionID, as the fault `repeat` does; the answers must be the same.
        force: Passes on what Hubject would refuse.
        extra: Fields to set, or with null to take away, in the message.
    """

    model_config = ConfigDict(extra="forbid")

    url: str | None = None
    late: Annotated[float, Field(ge=0, le=3600)] = 0.0
    repeat: bool = False
    force: bool = False
    extra: dict[str, Any] = {}


class _ToEvse(_Drive):
    """Attributes: session: Our SessionID; a new one where it is left out."""

    evse: EvseId
    contract: ContractId
    provider: PartyId
    session: str | None = None
    emp_session: str | None = None
    product: str | None = None
    minutes: Annotated[int, Field(ge=1, le=99)] | None = None


class _ToSession(_Drive):
    """Attributes: evse, provider: The session's where they are left out."""

    session: str
    evse: EvseId | None = None
    provider: PartyId | None = None


class Drives:
    """The EMPs' commands, and the client that sends them."""

    def __init__(self, sandbox: HubjectSandbox) -> None:
        self._sandbox = sandbox
        self._client: aiohttp.ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        """Gives the control routes."""
        return [
            web.get(f"{PREFIX}/drivers", _show),
            web.post(f"{PREFIX}/drivers", _set),
            web.delete(f"{PREFIX}/drivers", _forget),
            web.post(f"{PREFIX}/remote-start", self._remote_start),
            web.post(f"{PREFIX}/remote-stop", self._remote_stop),
            web.post(f"{PREFIX}/reserve", self._reserve),
            web.post(f"{PREFIX}/cancel-reservation", self._cancel),
        ]

    async def close(self, _app: web.Application) -> None:
        """Closes the sockets."""
        if self._client is not None:
            await self._client.close()
            await asyncio.sleep(0)  # transports close on the next turn of the loop

    async def _remote_start(self, request: web.Request) -> web.Response:
        return await self._begin(request, "remote_start", _START, "RemoteStart")

    async def _reserve(self, request: web.Request) -> web.Response:
        return await self._begin(request, "reserve", _RESERVE, "Reservation")

    async def _remote_stop(self, request: web.Request) -> web.Response:
        return await self._end(request, "remote_stop", _STOP, STOPPED)

    async def _cancel(self, request: web.Request) -> web.Response:
        return await self._end(request, "cancel_reservation", _CANCEL, CANCELLED)

    async def _begin(self, request: web.Request, name: str, path: str, origin: str) -> web.Response:
        try:
            asked = _ToEvse.model_validate_json(await request.read())
        except ValidationError as error:
            return _problem(400, str(error))
        partner = self._operator_of(asked.evse)
        refusal = self._refusal(asked, partner)
        if refusal is not None and not asked.force:
            return self._by_hub(name, refusal)
        identification = {"RemoteIdentification": {"EvcoID": asked.contract.text}}
        about = {
            "OperatorID": partner.operator.normal if partner else None,
            "ProviderID": asked.provider.normal,
            "EvseID": asked.evse.text,
            "Identification": identification,
            "CPOPartnerSessionID": None,
            "EMPPartnerSessionID": asked.emp_session,
            "PartnerProductID": asked.product,
            "Origin": origin,
        }
        known = asked.session in self._sandbox.memory[SESSIONS]
        if asked.session is not None and known:
            session = asked.session
        else:
            # Before it is sent: the CPO may tell of the session before its answer has arrived.
            session = new_session(self._sandbox, about, asked.session)
        body: dict[str, Any] = {
            "SessionID": session,
            "ProviderID": _said(asked.provider),
            "EvseID": asked.evse.text,
            "Identification": identification,
        }
        if asked.emp_session is not None:
            # OICP's OpenAPI spells it this way in a reservation.
            body["EMPPartnerSessionID" if origin == "RemoteStart" else "EMPPartnerSessionId"] = asked.emp_session
        if asked.product is not None:
            body["PartnerProductID"] = asked.product
        if asked.minutes is not None:
            body["Duration"] = asked.minutes
        said, answer = await self._send(asked, path, asked.provider, body, name)
        if said is False and not known:
            self._sandbox.memory[SESSIONS].pop(session, None)
        return answer

    async def _end(self, request: web.Request, name: str, path: str, state: str) -> web.Response:
        try:
            asked = _ToSession.model_validate_json(await request.read())
        except ValidationError as error:
            return _problem(400, str(error))
        session = self._sandbox.memory[SESSIONS].get(asked.session)
        # CPO Services and Operations: a RemoteStop after the CDR is answered by 400.
        if not asked.force and (session is None or session["State"] == BILLED):
            return self._by_hub(name, Refusal("400", "no such session, or it has its CDR"))
        about = session or {}
        evse, provider = asked.evse, asked.provider
        if evse is None and about.get("EvseID"):
            evse = EvseId(about["EvseID"])
        if provider is None and about.get("ProviderID"):
            provider = PartyId(about["ProviderID"])
        if evse is None or provider is None:
            return _problem(400, "evse and provider are needed, since the session does not tell them")
        body = {"SessionID": asked.session, "ProviderID": _said(provider), "EvseID": evse.text}
        if about.get("CPOPartnerSessionID"):
            body["CPOPartnerSessionID"] = about["CPOPartnerSessionID"]
        said, answer = await self._send(asked, path, provider, body, name)
        if said and session is not None and session["State"] == OPEN:
            session["State"] = state
        return answer

    def _operator_of(self, evse_id: EvseId) -> Partner | None:
        """Derives the operator from an EvseID: who pushed it, else whose id it bears."""
        books = self._sandbox.books[EVSE_DATA]
        partners = self._sandbox.partners.values()
        pushed = next((each for each in partners if books.has(each.operator.normal, evse_id.normal)), None)
        own = next((each for each in partners if each.operator == evse_id.party), None)
        return pushed or own or next((each for each in partners if each.may_push(evse_id)), None)

    def _refusal(self, asked: _ToEvse, partner: Partner | None) -> Refusal | None:
        """Says why Hubject itself refuses, in the order of its checks."""
        if partner is None:
            return Refusal(NO_PARTNER, "no CPO has this EvseID")
        if not self._sandbox.emps.agreed(asked.provider):
            return Refusal(NO_CONTRACT, f"{asked.provider} is not the subscriber")
        if not self._sandbox.knows(partner.operator.normal, asked.evse):
            return Refusal("603", f"no EVSE data: {asked.evse}")
        record = self._sandbox.memory[EVSE_DATA].get(asked.evse.normal, {})
        if record.get("IsHubjectCompatible", True) is not True:
            return Refusal("604", f"{asked.evse} is not for Hubject")
        if asked.contract.party != asked.provider:
            return Refusal("019", f"the EvcoID is not of {asked.provider}")
        return None

    def _by_hub(self, name: str, refusal: Refusal) -> web.Response:
        self._sandbox.counted(name, refusal.code)
        return web.json_response({"Result": False, "StatusCode": status_code(*refusal)})

    async def _send(
        self, asked: _Drive, path: str, provider: PartyId, body: dict[str, Any], name: str
    ) -> tuple[bool | None, web.Response]:
        """Sends a command, and gives whether it was accepted, None where nobody knows, with what the EMP gets."""
        base = asked.url or self._sandbox.gateway
        if base is None:
            return None, _problem(409, "no url is given, and the sandbox knows no gateway")
        body = {field: value for field, value in (body | asked.extra).items() if value is not None}
        url = f"{base.rstrip('/')}/{path.format(quote(_said(provider)))}"
        if asked.late:
            await asyncio.sleep(asked.late)
        times = 1 + (asked.repeat or self._sandbox.faults.driving(FaultKind.REPEAT, "POST", url))
        answers = await asyncio.gather(*(self._post(url, body) for _ in range(times)))
        first = answers[0]
        if isinstance(first, str):
            self._sandbox.counted(name, "no answer")
            # OICP 2.3, eRoamingAuthorizeRemoteStart: a false result and a message of the connection's error.
            return None, web.json_response({"Result": False, "StatusCode": status_code(NO_ANSWER, first)})
        if any(each != first for each in answers[1:]):
            self._sandbox.counted(name, "contradicted")
            return None, _problem(502, f"the answers to one SessionID differ: {answers}")
        if wrong := rules_charging.shape_of_acknowledgment(first):
            self._sandbox.counted(name, "malformed answer")
            return None, _problem(502, f"no eRoamingAcknowledgment: {wrong}")
        self._sandbox.counted(name, "ok" if first["Result"] else first["StatusCode"]["Code"])
        self._learn(body.get("SessionID"), first)
        return first["Result"], web.json_response({"SessionID": body.get("SessionID")} | _told(first))

    def _learn(self, session_id: Any, answer: dict[str, Any]) -> None:
        session = self._sandbox.memory[SESSIONS].get(session_id)
        if session is not None and answer.get("CPOPartnerSessionID"):
            session["CPOPartnerSessionID"] = answer["CPOPartnerSessionID"]

    async def _post(self, url: str, body: dict[str, Any]) -> Any:
        """Gives the answer's JSON, or says in a text why there is none."""
        if self._client is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self._sandbox.tls if self._sandbox.tls is not None else True)
            timeout = aiohttp.ClientTimeout(total=self._sandbox.command_patience)
            self._client = aiohttp.ClientSession(connector=connector, timeout=timeout)
        try:
            async with self._client.post(
                url, data=compact_json(body), headers={"Content-Type": "application/json"}
            ) as response:
                raw = await response.read()
                if response.status != 200:
                    return f"HTTP {response.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        try:
            return read_json(raw)
        except ValueError:
            return "the answer is not JSON"


def _said(provider: PartyId) -> str:
    return f"{provider.country}-{provider.code}"


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in answer.items() if value is not None}


def _problem(status: int, text: str) -> web.Response:
    return web.json_response({"detail": text}, status=status)


def _sandbox(request: web.Request) -> HubjectSandbox:
    sandbox = request.app[SANDBOX]
    assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
    return sandbox


async def _show(request: web.Request) -> web.Response:
    drivers = [driver.model_dump(mode="json", exclude={"pin"}) for driver in _sandbox(request).emps.drivers]
    return web.json_response(drivers)


async def _set(request: web.Request) -> web.Response:
    try:
        _sandbox(request).emps.set(_DRIVERS.validate_json(await request.read()))
    except ValidationError as error:
        return _problem(400, str(error))
    return await _show(request)


async def _forget(request: web.Request) -> web.Response:
    _sandbox(request).emps.drivers.clear()
    return web.json_response([])
