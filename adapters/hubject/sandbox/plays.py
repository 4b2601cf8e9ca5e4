"""What the sandbox Hubject does when it is told to: it plays a CPO at whose stations drivers of EMP partners charge.

| request | what it does |
| --- | --- |
| `GET`, `POST`, `DELETE /_sandbox/cpos` | how played CPOs answer commands; sets some (`PlayedCpo`); all say yes again |
| `POST /_sandbox/taps` | `{"evse", "uid"}`, or with `contract`, `pin`; an eRoamingAuthorizeStart; gives its answer |
| `POST /_sandbox/tap-stops` | `{"session", "uid"}` or with `contract`; an eRoamingAuthorizeStop |
| `POST /_sandbox/notifications` | `{"session", "type": "Start"}`; gives the EMP's eRoamingAcknowledgment |
| `POST /_sandbox/cdrs` | `{"session", "kind": "normal"}` (`CdrKind`); gives what was sent and if it was acknowledged |
"""

import asyncio
from typing import Any, Final, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from adapters.core.sandbox import PREFIX
from adapters.hubject.sandbox import authorising, billing, commands, messages, routing
from adapters.hubject.sandbox.control import problem, sandbox_of
from adapters.hubject.sandbox.messages import Cdr, CdrKind, Charge, Notification
from adapters.hubject.sandbox.played import PlayedCpo
from adapters.hubject.sandbox.sessions import BILLED
from adapters.hubject.sandbox.state import CDRS, SESSIONS
from mappings.canonical.ids import ContractId, EvseId, PartyId

_CPOS: Final = TypeAdapter(list[PlayedCpo])


class _Medium(BaseModel):
    """What a driver shows."""

    model_config = ConfigDict(extra="forbid")

    uid: str | None = None
    contract: ContractId | None = None
    pin: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.uid is None) is (self.contract is None):
            raise ValueError("uid or contract is needed")
        return self

    def identification(self) -> dict[str, Any]:
        """Writes it as OICP does: a contract with a PIN is a QR code, one without it is the car's own."""
        if self.contract is None:
            return {"RFIDMifareFamilyIdentification": {"UID": self.uid}}
        if self.pin is not None:
            return {"QRCodeIdentification": {"EvcoID": self.contract.text, "PIN": self.pin}}
        return {"PlugAndChargeIdentification": {"EvcoID": self.contract.text}}


class _Tap(_Medium):
    """Attributes: operator: The EVSE's where it is left out."""

    evse: EvseId | None = None
    operator: PartyId | None = None
    cpo_session: str | None = None
    product: str | None = None


class _TapStop(_Medium):
    """Attributes: session: Which one."""

    session: str


def routes() -> list[web.RouteDef]:
    """Gives the control routes."""
    return [
        web.get(f"{PREFIX}/cpos", _show),
        web.post(f"{PREFIX}/cpos", _set),
        web.delete(f"{PREFIX}/cpos", _forget),
        web.post(f"{PREFIX}/taps", _tap),
        web.post(f"{PREFIX}/tap-stops", _tap_stop),
        web.post(f"{PREFIX}/notifications", _notify),
        web.post(f"{PREFIX}/cdrs", _bill),
    ]


async def _show(request: web.Request) -> web.Response:
    return web.json_response([cpo.model_dump(mode="json") for cpo in sandbox_of(request).played.said.values()])


async def _set(request: web.Request) -> web.Response:
    try:
        sandbox_of(request).played.set(_CPOS.validate_json(await request.read()))
    except ValidationError as error:
        return problem(400, str(error))
    return await _show(request)


async def _forget(request: web.Request) -> web.Response:
    sandbox_of(request).played.said.clear()
    return web.json_response([])


async def _tap(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    try:
        tap = _Tap.model_validate_json(await request.read())
    except ValidationError as error:
        return problem(400, str(error))
    cpo = commands.cpo_of(sandbox, tap.evse) if tap.evse else None
    operator = tap.operator or (PartyId(cpo.operator) if cpo else None) or (tap.evse.party if tap.evse else None)
    if operator is None:
        return problem(400, "operator is needed, since the EVSE does not tell it")
    body = {
        "OperatorID": operator.normal,
        "EvseID": tap.evse.text if tap.evse else None,
        "Identification": tap.identification(),
        "CPOPartnerSessionID": tap.cpo_session,
        "PartnerProductID": tap.product,
    }
    told = {field: value for field, value in body.items() if value is not None}
    if wrong := authorising.START.shape(told):
        return problem(400, str(wrong))
    return web.json_response(await authorising.started(sandbox, operator, told))


async def _tap_stop(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    try:
        tap = _TapStop.model_validate_json(await request.read())
    except ValidationError as error:
        return problem(400, str(error))
    session = sandbox.memory[SESSIONS].get(tap.session)
    if session is None:
        return problem(404, "no such session")
    body = {
        "SessionID": tap.session,
        "OperatorID": session["OperatorID"],
        "EvseID": session["EvseID"],
        "Identification": tap.identification(),
    } | {name: session[name] for name in ("CPOPartnerSessionID", "EMPPartnerSessionID")}
    told = {field: value for field, value in body.items() if value is not None}
    if wrong := authorising.STOP.shape(told):
        return problem(400, str(wrong))
    return web.json_response(await authorising.stopped(sandbox, PartyId(session["OperatorID"]), told))


async def _notify(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    try:
        told = Notification.model_validate_json(await request.read())
        charge = Charge(sandbox, told)
    except ValueError as error:
        return problem(400, str(error))
    if (emp := routing.online(sandbox, charge.provider)) is None:
        return problem(409, f"{charge.provider} is no EMP partner with a URL")
    body = messages.notification(told, charge)
    await asyncio.sleep(told.late)
    return web.json_response(await routing.told_of_notification(sandbox, charge.operator, emp, body))


async def _bill(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    try:
        told = Cdr.model_validate_json(await request.read())
        charge = Charge(sandbox, told)
    except ValueError as error:
        return problem(400, str(error))
    await asyncio.sleep(told.late)
    sent = [
        await billing.file_cdr(sandbox, charge.operator, charge.provider, body, forward=told.forward)
        for body in messages.cdrs(told, charge)
    ]
    if (session := sandbox.memory[SESSIONS].get(charge.id)) is not None and told.kind is not CdrKind.UNKNOWN_SESSION:
        session["State"] = BILLED
        sandbox.memory[CDRS][charge.id] = sent[-1].body
    return web.json_response([{"sent": filed.body, "forwarded": filed.forwarded} for filed in sent])
