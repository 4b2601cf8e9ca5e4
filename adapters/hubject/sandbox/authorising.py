"""eRoamingAuthorizeStart and eRoamingAuthorizeStop: the driver of an EMP at a CPO's station."""

from typing import Any, Final
from uuid import uuid4

from aiohttp import web

from adapters.hubject.sandbox import routing, rules_charging
from adapters.hubject.sandbox.authdata import without_pin
from adapters.hubject.sandbox.drivers import WRONG_TOKEN, Driver
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.partners import Partner
from adapters.hubject.sandbox.services import OPERATOR, Service, refusal_body
from adapters.hubject.sandbox.sessions import OPEN, STOPPED, ids, new_session, same_medium, session_of
from adapters.hubject.sandbox.state import SESSIONS, HubjectSandbox, status_code
from mappings.canonical.ids import PartyId


async def _start(sandbox: HubjectSandbox, partner: Partner, body: dict[str, Any]) -> web.Response:
    return web.json_response(await started(sandbox, partner.operator, body))


async def started(sandbox: HubjectSandbox, operator: PartyId, body: dict[str, Any]) -> dict[str, Any]:
    """Answers a well-shaped eRoamingAuthorizeStart of a CPO, whether it is a partner or played."""
    session = str(uuid4())
    said = await routing.authorised(sandbox, operator, body | {"SessionID": session})
    if isinstance(said, Refusal):
        return refusal_body(sandbox, START, said, body)
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
        return refusal_body(sandbox, STOP, session, body)
    if session["State"] != OPEN:
        return refusal_body(sandbox, STOP, Refusal("400", f"the session is {session['State']}"), body)
    emp = routing.online(sandbox, session["ProviderID"])
    if emp is not None and not session.get("Offline"):
        refusal = await routing.stop_authorised(sandbox, operator, emp, body)
    else:
        refusal = _may_stop(sandbox, session, body["Identification"])
    if refusal:
        return refusal_body(sandbox, STOP, refusal, body)
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


START: Final = Service(
    "authorise_start",
    f"charging/v21/{OPERATOR}/authorize/start",
    200,
    rules_charging.shape_of_start,
    authorises=True,
    take=_start,
)
STOP: Final = Service(
    "authorise_stop",
    f"charging/v21/{OPERATOR}/authorize/stop",
    50,
    rules_charging.shape_of_stop,
    authorises=True,
    take=_stop,
)
