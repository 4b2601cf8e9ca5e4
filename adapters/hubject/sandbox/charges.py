"""The sandbox Hubject's services for a charge: authorisations, charging notifications and CDRs of CPOs.

In this order: `admission`, is the shape right (022), is the EVSE the operator's (018) and known (603, where it pushed
any), is the session known, the operator's and without a CDR (400), then what each asks for.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from aiohttp import web

from adapters.core.faults import Fault
from adapters.core.sandbox import SANDBOX
from adapters.hubject.sandbox import admission, rules
from adapters.hubject.sandbox.authorising import START, STOP
from adapters.hubject.sandbox.billing import CDR, NOTIFICATION
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.partners import Partner
from adapters.hubject.sandbox.services import Service, malformed, refused
from adapters.hubject.sandbox.state import SESSIONS, HubjectSandbox
from mappings.canonical.ids import EvseId

SERVICES: Final = (START, STOP, CDR, NOTIFICATION)


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
    return refused(sandbox, service, Refusal(fault.code or "022", "the sandbox was told to refuse"), {})


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
            return malformed(sandbox, service, [body], {})
        # A notification names its operator in the body alone.
        named = body.get("OperatorID")
        partner = admission.operator(sandbox, request, party or str(named), named)
        if isinstance(partner, Refusal):
            return refused(sandbox, service, partner, body)
        return await _judged(sandbox, service, partner, body)

    return serve


async def _judged(sandbox: HubjectSandbox, service: Service, partner: Partner, body: dict[str, Any]) -> web.Response:
    if wrong := service.shape(body):
        return malformed(sandbox, service, wrong, body)
    if refusal := _evse(sandbox, partner, body):
        return refused(sandbox, service, refusal, body)
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
