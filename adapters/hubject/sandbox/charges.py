"""The sandbox Hubject's services for a charge: authorisations, charging notifications and CDRs of CPOs.

In this order: `admission`, is the shape right (022), is the EVSE the operator's (018) and known (603, where it pushed
any), is the session known, the operator's and without a CDR (400), then what each asks for.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import uuid4

from aiohttp import web

from adapters.core.faults import Fault
from adapters.core.sandbox import SANDBOX
from adapters.hubject.sandbox import admission, routing, rules, rules_charging
from adapters.hubject.sandbox.authdata import without_pin
from adapters.hubject.sandbox.drivers import WRONG_TOKEN, Driver
from adapters.hubject.sandbox.ledger import Filed
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.partners import Partner
from adapters.hubject.sandbox.sessions import (
    BILLED,
    OPEN,
    STOPPED,
    ids,
    new_session,
    same_medium,
    session_of,
)
from adapters.hubject.sandbox.state import CDRS, EVSE_DATA, NOTIFICATIONS, SESSIONS, HubjectSandbox, status_code
from mappings.canonical.ids import ContractId, EvseId, PartyId

Taken = Callable[[HubjectSandbox, Partner, dict[str, Any]], Awaitable[web.Response]]


class Service(NamedTuple):
    """One kind of message.

    Attributes:
        per_minute: Hubject's Acceptable Use Policy, Rate limits.
        shape: Says what is wrong with a body.
        authorises: Whether it is answered by an eRoamingAuthorization…, and not by an acknowledgement.
        take: Acts on a message that is admitted.
    """

    name: str
    path: str
    per_minute: int
    shape: Callable[[Any], list[rules.Wrong]]
    authorises: bool
    take: Taken


def routes() -> list[web.RouteDef]:
    """Gives the routes."""
    return [web.post(f"/api/oicp/{service.path}", _handler(service)) for service in SERVICES]


def refuse(request: web.Request, fault: Fault) -> web.Response | None:
    """Makes the hub's refusal for the fault of that name; None for what is no service of a charge."""
    route = request.match_info.route.resource
    path = "" if route is None else route.canonical
    service = next((each for each in SERVICES if path == f"/api/oicp/{each.path}"), None)
    if service is None:
        return None
    sandbox = request.app[SANDBOX]
    assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
    return _refused(sandbox, service, Refusal(fault.code or "022", "the sandbox was told to refuse"), {})


def _handler(service: Service) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        sandbox = request.app[SANDBOX]
        assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
        raw = await request.read()
        party = request.match_info.get("operator", "")
        if (answer := admission.let_in(sandbox, request, service.name, service.per_minute, party)) is not None:
            return answer
        body = admission.parsed(raw)
        if isinstance(body, rules.Wrong):
            return _malformed(sandbox, service, [body], {})
        # A notification names its operator in the body alone.
        named = body.get("OperatorID")
        partner = admission.operator(sandbox, request, party or str(named), named)
        if isinstance(partner, Refusal):
            return _refused(sandbox, service, partner, body)
        return await _judged(sandbox, service, partner, body)

    return serve


async def _judged(sandbox: HubjectSandbox, service: Service, partner: Partner, body: dict[str, Any]) -> web.Response:
    if wrong := service.shape(body):
        return _malformed(sandbox, service, wrong, body)
    if refusal := _evse(sandbox, partner, body):
        return _refused(sandbox, service, refusal, body)
    return await service.take(sandbox, partner, body)


def _evse(sandbox: HubjectSandbox, partner: Partner, body: dict[str, Any]) -> Refusal | None:
    if (text := body.get("EvseID")) is None:
        return None
    evse_id = EvseId(text)
    if not partner.may_push(evse_id):
        return Refusal("018", f"{text} is not of {partner.operator} or a sub-operator")
    # A charge goes on, and is billed, where its EVSE is withdrawn meanwhile.
    began = sandbox.memory[SESSIONS].get(body.get("SessionID", ""), {}).get("EvseID")
    if began is not None and EvseId(began) == evse_id:
        return None
    return None if sandbox.knows(partner.operator.normal, evse_id) else Refusal("603", f"no EVSE data: {text}")


def _refused(sandbox: HubjectSandbox, service: Service, refusal: Refusal, body: dict[str, Any]) -> web.Response:
    return web.json_response(_refusal(sandbox, service, refusal, body))


def _refusal(sandbox: HubjectSandbox, service: Service, refusal: Refusal, body: dict[str, Any]) -> dict[str, Any]:
    sandbox.counted(service.name, refusal.code)
    head = {"AuthorizationStatus": "NotAuthorized", "ProviderID": None} if service.authorises else {"Result": False}
    # OICP 2.3, eRoamingAuthorizeStart: of a request that was not successful, Hubject deletes the SessionID.
    session = None if service.authorises else body.get("SessionID")
    return head | {"StatusCode": status_code(*refusal)} | ids(session, body)


def _malformed(
    sandbox: HubjectSandbox, service: Service, wrong: list[rules.Wrong], body: dict[str, Any]
) -> web.Response:
    if not sandbox.recorded_forms:
        text = "; ".join(f"{item.field}: {item.text}" for item in wrong[:10])
        return _refused(sandbox, service, Refusal("022", text), body)
    return sandbox.validation_errors(service.name, wrong)


def _acknowledged(sandbox: HubjectSandbox, service: Service, session: str, told: dict[str, Any]) -> web.Response:
    sandbox.counted(service.name, "ok")
    return web.json_response({"Result": True, "StatusCode": status_code("000")} | ids(session, told))


async def _start(sandbox: HubjectSandbox, partner: Partner, body: dict[str, Any]) -> web.Response:
    return web.json_response(await started(sandbox, partner.operator, body))


async def started(sandbox: HubjectSandbox, operator: PartyId, body: dict[str, Any]) -> dict[str, Any]:
    """Answers a well-shaped eRoamingAuthorizeStart of a CPO, whether it is a partner or played."""
    session = str(uuid4())
    said = await routing.authorised(sandbox, operator, body | {"SessionID": session})
    if isinstance(said, Refusal):
        return _refusal(sandbox, START, said, body)
    new_session(
        sandbox,
        {
            "OperatorID": operator.normal,
            "ProviderID": said.provider.normal,
            "EvseID": body.get("EvseID"),
            "Identification": without_pin(body["Identification"]),
            "CPOPartnerSessionID": body.get("CPOPartnerSessionID"),
            "EMPPartnerSessionID": said.partner_session or body.get("EMPPartnerSessionID"),
            "PartnerProductID": body.get("PartnerProductID"),
            "Origin": "AuthorizeStart",
            "Offline": said.offline,
        },
        session,
    )
    sandbox.counted(START.name, "ok")
    return {
        "AuthorizationStatus": "Authorized",
        "ProviderID": said.provider.normal,
        "StatusCode": status_code("000"),
        **ids(session, sandbox.memory[SESSIONS][session]),
        "AuthorizationStopIdentifications": list(said.stop_with),
    }


async def _stop(sandbox: HubjectSandbox, partner: Partner, body: dict[str, Any]) -> web.Response:
    return web.json_response(await stopped(sandbox, partner.operator, body))


async def stopped(sandbox: HubjectSandbox, operator: PartyId, body: dict[str, Any]) -> dict[str, Any]:
    """Answers a well-shaped eRoamingAuthorizeStop of a CPO, whether it is a partner or played."""
    session = session_of(sandbox, operator.normal, body["SessionID"])
    if isinstance(session, Refusal):
        return _refusal(sandbox, STOP, session, body)
    if session["State"] != OPEN:
        return _refusal(sandbox, STOP, Refusal("400", f"the session is {session['State']}"), body)
    emp = routing.online(sandbox, session["ProviderID"])
    if emp is not None and not session.get("Offline"):
        refusal = await routing.stop_authorised(sandbox, operator, emp, body)
    else:
        refusal = _may_stop(sandbox, session, body["Identification"])
    if refusal:
        return _refusal(sandbox, STOP, refusal, body)
    session["State"] = STOPPED
    sandbox.received(STOP.name, body["SessionID"], STOPPED)
    sandbox.counted(STOP.name, "ok")
    return {
        "AuthorizationStatus": "Authorized",
        "ProviderID": session["ProviderID"],
        "StatusCode": status_code("000"),
        **ids(body["SessionID"], session),
    }


def _may_stop(sandbox: HubjectSandbox, session: dict[str, Any], identification: dict[str, Any]) -> Refusal | None:
    kind, shown = rules_charging.medium(identification)
    began_kind, began = rules_charging.medium(session["Identification"])
    if same_medium(shown, began):
        return None
    # OICP 2.3, eRoamingAuthorizeStop: what was authorised offline is stopped by the medium that started it.
    if session.get("Offline"):
        return Refusal(WRONG_TOKEN, "the session was authorised offline, with another medium")
    provider = PartyId(session["ProviderID"])
    theirs = [driver for driver in sandbox.emps.drivers if driver.provider == provider]
    if any(_stops(driver, began_kind, began, kind, shown) for driver in theirs):
        return None
    return Refusal(WRONG_TOKEN, "not the medium that started the session, nor one that may stop it")


def _stops(driver: Driver, began_kind: str, began: dict[str, Any], kind: str, shown: dict[str, Any]) -> bool:
    """Tells whether a driver who started a session may stop it with another medium."""
    if not driver.has(began_kind, began):
        return False
    return driver.stops(shown) or (driver.uid != "*" and driver.has(kind, shown))


async def _notification(sandbox: HubjectSandbox, partner: Partner, body: dict[str, Any]) -> web.Response:
    session = session_of(sandbox, partner.operator.normal, body["SessionID"])
    if isinstance(session, Refusal):
        return _refused(sandbox, NOTIFICATION, session, body)
    if body["Type"] == "Progress":
        # OICP 2.3, eRoamingChargingNotifications: at least five minutes between two of one session.
        now, last = datetime.fromisoformat(body["EventOccurred"]), session.get("Progress")
        if sandbox.limits and last is not None:
            since = now - datetime.fromisoformat(last)
            if since < rules_charging.BETWEEN_PROGRESS:
                return _refused(sandbox, NOTIFICATION, Refusal("022", f"{since} after the one before"), body)
        session["Progress"] = body["EventOccurred"]
    session["Notifications"] = number = session.get("Notifications", 0) + 1
    sandbox.memory[NOTIFICATIONS][f"{body['SessionID']} {number:03}"] = body
    stamp = body.get("EventOccurred") or body.get("ChargingEnd") or body.get("ChargingStart")
    sandbox.received(NOTIFICATIONS, body["SessionID"], body["Type"], stamp)
    if (emp := routing.online(sandbox, session["ProviderID"])) is None:
        return _acknowledged(sandbox, NOTIFICATION, body["SessionID"], session)
    # OICP 2.3 EMP, eRoamingChargingNotifications: what the EMP acknowledges is forwarded to the CPO.
    told = await routing.told_of_notification(sandbox, partner.operator, emp, body)
    sandbox.counted(NOTIFICATION.name, "ok" if told["Result"] else told["StatusCode"]["Code"])
    return web.json_response({**ids(body["SessionID"], session), **told})


async def _cdr(sandbox: HubjectSandbox, partner: Partner, body: dict[str, Any]) -> web.Response:
    number, records = body["SessionID"], sandbox.memory[CDRS]
    if (before := records.get(number)) is not None:
        # Only one CDR per SessionID; whether the second says the same, Hubject does not tell.
        sandbox.counted("repeated_cdrs", "same content" if before == body else "other content")
    session = session_of(sandbox, partner.operator.normal, number)
    if isinstance(session, Refusal):
        return _refused(sandbox, CDR, session, body)
    if refusal := _foreign_driver(session, body["Identification"]):
        return _refused(sandbox, CDR, refusal, body)
    data = sandbox.memory[EVSE_DATA].get(EvseId(body["EvseID"]).normal, {})
    signed = data.get("CalibrationLawDataAvailability") == "External"
    if wrong := rules_charging.contradictions(body, sandbox.wall(), signed=signed):
        return _malformed(sandbox, CDR, wrong, body)
    records[number] = body
    session["State"] = BILLED
    sandbox.received(CDRS, number, str(body["ConsumedEnergy"]), body["SessionEnd"])
    await file_cdr(sandbox, partner.operator, session["ProviderID"], body)
    return _acknowledged(sandbox, CDR, number, session)


async def file_cdr(
    sandbox: HubjectSandbox, operator: PartyId, provider: str, body: dict[str, Any], *, forward: bool = True
) -> Filed:
    """Keeps a CDR for its EMP, and forwards it where the EMP can be called.

    Whatever the EMP says, the CPO is told that the CDR was taken, since Hubject has stored it (OICP 2.3 EMP,
    eRoamingChargeDetailRecord).
    """
    filed = sandbox.ledger.file(Filed(sandbox.wall(), provider, operator.normal, body))
    if forward and (emp := routing.online(sandbox, provider)) is not None:
        filed.forwarded = await routing.told_of_cdr(sandbox, operator, emp, body)
    return filed


def _foreign_driver(session: dict[str, Any], identification: dict[str, Any]) -> Refusal | None:
    """Says that the EvcoID of a CDR is neither the EMP's nor that of whoever was admitted (019)."""
    text = rules_charging.medium(identification)[1].get("EvcoID")
    if text is None:
        return None
    owner = ContractId(text).party
    admitted = rules_charging.medium(session["Identification"])[1].get("EvcoID")
    if owner == PartyId(session["ProviderID"]) or (admitted is not None and ContractId(admitted).party == owner):
        return None
    return Refusal("019", "the EvcoID is not of the provider of this session")


_OPERATOR: Final = "operators/{operator}"
START: Final = Service(
    "authorise_start",
    f"charging/v21/{_OPERATOR}/authorize/start",
    200,
    rules_charging.shape_of_start,
    authorises=True,
    take=_start,
)
STOP: Final = Service(
    "authorise_stop",
    f"charging/v21/{_OPERATOR}/authorize/stop",
    50,
    rules_charging.shape_of_stop,
    authorises=True,
    take=_stop,
)
CDR: Final = Service(
    "charge_detail_record",
    f"cdrmgmt/v22/{_OPERATOR}/charge-detail-record",
    350,
    rules_charging.shape_of_cdr,
    authorises=False,
    take=_cdr,
)
NOTIFICATION: Final = Service(
    "charging_notification",
    "notificationmgmt/v11/charging-notifications",
    100,
    rules_charging.shape_of_notification,
    authorises=False,
    take=_notification,
)
SERVICES: Final = (START, STOP, CDR, NOTIFICATION)
