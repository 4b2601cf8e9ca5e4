"""What Hubject does for EMPs beside letting them pull: it keeps drivers, gives CDRs again, passes commands on."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from pydantic_core import to_json

from adapters.core.http import compact_json
from adapters.hubject.sandbox import commands
from adapters.hubject.sandbox.authdata import memory_key
from adapters.hubject.sandbox.commands import Begin, End, Said, ToEvse
from adapters.hubject.sandbox.pages import Asked, page_answer
from adapters.hubject.sandbox.state import AUTHENTICATION_DATA, without_nulls
from mappings.canonical.ids import ContractId, EvseId

GET_CDRS = "get_charge_detail_records"


async def push(asked: Asked) -> web.Response:
    """Takes eRoamingPushAuthenticationData."""
    sandbox, provider, body, _ = asked
    records = body["ProviderAuthenticationData"]["AuthenticationDataRecord"]
    identifications = [record["Identification"] for record in records]
    refusal = sandbox.authentication_data.act(body["ActionType"], provider, identifications)
    sandbox.counted(AUTHENTICATION_DATA, "ok" if refusal is None else refusal.code)
    if refusal is not None:
        return _json({"Result": False, "StatusCode": without_nulls(*refusal)})
    for identification in identifications:
        sandbox.received(AUTHENTICATION_DATA, memory_key(provider, identification), body["ActionType"])
    return _json({"Result": True, "StatusCode": without_nulls("000")})


async def cdrs(asked: Asked) -> web.Response:
    """Answers eRoamingGetChargeDetailRecords."""
    found = list(asked.sandbox.ledger.of(asked.provider.provider, asked.body))
    start = asked.page.number * asked.page.size
    content = [to_json(filed.body) for filed in found[start : start + asked.page.size]]
    asked.sandbox.counted(GET_CDRS, "ok")
    return page_answer(content, asked.page, len(found))


def begin(command: Begin) -> Callable[[Asked], Awaitable[web.Response]]:
    """Makes what takes a command that makes a session.

    A SessionID that the EMP names is passed over: Hubject makes its own (OICP 2.3 EMP, eRoamingAuthorizeRemoteStart,
    Best Practices), though its OpenAPI wants one.
    """

    async def take(asked: Asked) -> web.Response:
        body = asked.body
        meant = ToEvse(
            EvseId(body["EvseID"]),
            ContractId(body["Identification"]["RemoteIdentification"]["EvcoID"]),
            emp_session=body.get("EMPPartnerSessionID") or body.get("EMPPartnerSessionId"),
            product=body.get("PartnerProductID"),
            minutes=body.get("Duration"),
        )
        return _told(await commands.begin(asked.sandbox, asked.provider, command, meant))

    return take


def end(command: End) -> Callable[[Asked], Awaitable[web.Response]]:
    """Makes what takes a command that ends a session."""

    async def take(asked: Asked) -> web.Response:
        evse, session = EvseId(asked.body["EvseID"]), asked.body["SessionID"]
        return _told(await commands.end(asked.sandbox, asked.provider.provider, command, session, evse))

    return take


def _told(said: Said) -> web.Response:
    if said.body is not None:
        return _json(said.body)
    # The CPO's answer makes no sense, or nobody knows where it is: to the EMP that is the same as none.
    text = said.problem[1] if said.problem else "no answer"
    return _json({"Result": False, "StatusCode": without_nulls("310", text)})


def _json(body: Any) -> web.Response:
    return web.Response(body=compact_json(body), content_type="application/json")
