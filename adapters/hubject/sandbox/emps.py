"""What EMPs ask of the sandbox Hubject, each admitted and judged in the same way.

In this order: `admission`, is the shape right (022), has the EMP a contract with Hubject (210), then what each
asks for. A page of an answer is counted as one request, as its limit counts it.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from aiohttp import web

from adapters.core.faults import Fault
from adapters.core.http import compact_json
from adapters.core.sandbox import SANDBOX
from adapters.hubject.sandbox import admission, commands, emp_services, pulls, rules, rules_pulls, status_pulls
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.pages import Asked, page_of
from adapters.hubject.sandbox.partners import Service
from adapters.hubject.sandbox.state import AUTHENTICATION_DATA, HubjectSandbox, without_nulls

Taken = Callable[[Asked], Awaitable[web.Response]]
Refused = Callable[[dict[str, Any]], dict[str, Any]]


class Request(NamedTuple):
    """One kind of request.

    Attributes:
        per_minute: Hubject's Acceptable Use Policy, Rate limits.
        shape: The message.
        part: Where the ProviderID stands in the body; None for its top.
        contract: What the EMP, or Hubject, has to have subscribed; None where the CPO is asked instead.
        refused: Makes the answer of a refusal from its StatusCode.
        take: Acts on what is admitted.
    """

    name: str
    path: str
    per_minute: int
    shape: type
    part: str | None
    contract: Service | None
    refused: Refused
    take: Taken


def _no_page(status: dict[str, Any]) -> dict[str, Any]:
    empty = {"number": 0, "size": 0, "totalElements": 0, "last": True, "totalPages": 0, "first": True}
    return {"content": [], **empty, "numberOfElements": 0, "StatusCode": status}


def _no_statuses(status: dict[str, Any]) -> dict[str, Any]:
    return {"EvseStatuses": {"OperatorEvseStatus": []}, "StatusCode": status}


def _no_records(status: dict[str, Any]) -> dict[str, Any]:
    return {"EVSEStatusRecords": {"EvseStatusRecord": []}, "StatusCode": status}


def not_acknowledged(status: dict[str, Any]) -> dict[str, Any]:
    """Makes an eRoamingAcknowledgment of a refusal."""
    return {"Result": False, "StatusCode": status}


_PROVIDER: Final = "providers/{provider}"
_STATUS_PATH: Final = f"evsepull/v21/{_PROVIDER}/status-records"

EVSE_DATA: Final = Request(
    "pull_evse_data",
    f"evsepull/v23/{_PROVIDER}/data-records",
    100,
    rules_pulls.PullEvseData,
    None,
    Service.EVSE_DATA,
    _no_page,
    pulls.evse_data,
)
STATUS: Final = Request(
    status_pulls.STATUS,
    _STATUS_PATH,
    6,
    rules_pulls.PullEvseStatus,
    None,
    Service.EVSE_STATUS,
    _no_statuses,
    status_pulls.statuses,
)
BY_ID: Final = Request(
    status_pulls.BY_ID,
    f"{_STATUS_PATH}-by-id",
    300,
    rules_pulls.PullEvseStatusById,
    None,
    Service.EVSE_STATUS,
    _no_records,
    status_pulls.by_id,
)
BY_OPERATOR: Final = Request(
    status_pulls.BY_OPERATOR,
    f"{_STATUS_PATH}-by-operator-id",
    75,
    rules_pulls.PullEvseStatusByOperatorId,
    None,
    Service.EVSE_STATUS,
    _no_statuses,
    status_pulls.by_operator,
)
PRODUCTS: Final = Request(
    status_pulls.PRODUCTS,
    f"dynamicpricing/v10/{_PROVIDER}/pricing-products",
    300,
    rules_pulls.PullPricingProductData,
    None,
    Service.PRICING,
    lambda status: {"PricingProductData": [], "StatusCode": status},
    status_pulls.products,
)
EVSE_PRICING: Final = Request(
    status_pulls.EVSE_PRICING,
    f"dynamicpricing/v10/{_PROVIDER}/evse-pricing",
    280,
    rules_pulls.PullEvsePricing,
    None,
    Service.PRICING,
    lambda status: {"EVSEPricing": [], "StatusCode": status},
    status_pulls.evse_pricing,
)
PUSH: Final = Request(
    AUTHENTICATION_DATA,
    f"authdata/v21/{_PROVIDER}/push-request",
    50,
    rules_pulls.PushAuthenticationData,
    "ProviderAuthenticationData",
    Service.AUTHENTICATION_DATA,
    not_acknowledged,
    emp_services.push,
)
CDRS: Final = Request(
    emp_services.GET_CDRS,
    f"cdrmgmt/v22/{_PROVIDER}/get-charge-detail-records-request",
    200,
    rules_pulls.GetChargeDetailRecords,
    None,
    None,
    _no_page,
    emp_services.cdrs,
)
REMOTE_START: Final = Request(
    "emp_remote_start",
    f"charging/v21/{_PROVIDER}/authorize-remote/start",
    100,
    rules_pulls.RemoteStart,
    None,
    None,
    not_acknowledged,
    emp_services.begin(commands.START),
)
REMOTE_STOP: Final = Request(
    "emp_remote_stop",
    f"charging/v21/{_PROVIDER}/authorize-remote/stop",
    200,
    rules_pulls.RemoteStop,
    None,
    None,
    not_acknowledged,
    emp_services.end(commands.STOP),
)
# The Acceptable Use Policy has no limit for reservations: they are held to that of starts and stops.
RESERVE: Final = Request(
    "emp_reserve",
    f"reservation/v11/{_PROVIDER}/reservation-start-request",
    100,
    rules_pulls.ReservationStart,
    None,
    None,
    not_acknowledged,
    emp_services.begin(commands.RESERVE),
)
CANCEL: Final = Request(
    "emp_cancel_reservation",
    f"reservation/v11/{_PROVIDER}/reservation-stop-request",
    200,
    rules_pulls.RemoteStop,
    None,
    None,
    not_acknowledged,
    emp_services.end(commands.CANCEL),
)
REQUESTS: Final = (
    EVSE_DATA,
    STATUS,
    BY_ID,
    BY_OPERATOR,
    PRODUCTS,
    EVSE_PRICING,
    PUSH,
    CDRS,
    REMOTE_START,
    REMOTE_STOP,
    RESERVE,
    CANCEL,
)


def routes() -> list[web.RouteDef]:
    """Gives the routes."""
    return [web.post(f"/api/oicp/{each.path}", _handler(each)) for each in REQUESTS]


def refuse(request: web.Request, fault: Fault) -> web.Response | None:
    """Makes the hub's refusal for the fault of that name; None for what is no EMP's request."""
    route = request.match_info.route.resource
    path = "" if route is None else route.canonical
    asked = next((each for each in REQUESTS if path == f"/api/oicp/{each.path}"), None)
    if asked is None:
        return None
    sandbox = request.app[SANDBOX]
    assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
    return refused(sandbox, asked, Refusal(fault.code or "022", "the sandbox was told to refuse"))


def _handler(asked: Request) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        sandbox = request.app[SANDBOX]
        assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
        raw = await request.read()
        body = admission.parsed(raw)
        meant = asked if isinstance(body, rules.Wrong) else _meant(asked, body)
        party = admission.normal(request.match_info["provider"])
        if (answer := admission.let_in(sandbox, request, meant.name, meant.per_minute, party)) is not None:
            return answer
        if isinstance(body, rules.Wrong):
            return malformed(sandbox, meant, [body])
        part = body if meant.part is None else body.get(meant.part)
        named = part.get("ProviderID") if isinstance(part, dict) else None
        provider = admission.provider(sandbox, request, party, named)
        if isinstance(provider, Refusal):
            return refused(sandbox, meant, provider)
        if wrong := rules_pulls.shape(meant.shape, body):
            return malformed(sandbox, meant, wrong)
        if meant.contract is not None and not sandbox.agreed(provider.provider, meant.contract):
            return refused(sandbox, meant, Refusal("210", f"no contract with Hubject for {meant.contract}"))
        return await meant.take(Asked(sandbox, provider, body, page_of(request)))

    return serve


def _meant(asked: Request, body: dict[str, Any]) -> Request:
    """Tells the three pulls of statuses apart, which share an address in Hubject's OpenAPI, though not in its text."""
    if asked is STATUS and "EvseID" in body:
        return BY_ID
    return BY_OPERATOR if asked is STATUS and "OperatorID" in body else asked


def refused(sandbox: HubjectSandbox, asked: Request, refusal: Refusal) -> web.Response:
    """Makes the answer of a refusal, and counts it."""
    sandbox.counted(asked.name, refusal.code)
    return web.Response(body=compact_json(asked.refused(without_nulls(*refusal))), content_type="application/json")


def malformed(sandbox: HubjectSandbox, asked: Request, wrong: list[rules.Wrong]) -> web.Response:
    """Makes the answer to a body that is not right."""
    if not sandbox.recorded_forms:
        text = "; ".join(f"{item.field}: {item.text}" for item in wrong[:10])
        return refused(sandbox, asked, Refusal("022", text))
    return sandbox.validation_errors(asked.name, wrong)
