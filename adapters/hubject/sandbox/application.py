"""The web application of the sandbox Hubject; here what CPOs push of EVSEs and prices, each push judged as a whole.

In this order: is another push of the operation under way, `admission`, is there a contract (210), is the shape right
(022), does every EvseID belong to the operator (018) and stand there once (018), has each status an EVSE (603), does
the action fit what is remembered (022, 603). Prices are judged in `pushed_prices`. A refused push changes nothing.
"""

from typing import Any, Final

from aiohttp import web

from adapters.core.faults import Fault, Handler
from adapters.core.sandbox import SANDBOX, make_application
from adapters.hubject.sandbox import admission, charges, controls, drives, emps, network_controls, plays, rules
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.ngp import controls as ngp_controls
from adapters.hubject.sandbox.ngp import portal
from adapters.hubject.sandbox.ngp import serving as ngp_serving
from adapters.hubject.sandbox.partners import Partner
from adapters.hubject.sandbox.state import (
    AUTHENTICATION_DATA,
    EVSE_DATA,
    EVSE_PRICING,
    EVSE_STATUS,
    OPERATIONS,
    PRICING_PRODUCTS,
    HubjectSandbox,
    Operation,
)
from mappings.canonical.ids import EvseId

DATA_PATH: Final = "/api/oicp/evsepush/v23/operators/{operator}/data-records"
STATUS_PATH: Final = "/api/oicp/evsepush/v21/operators/{operator}/status-records"
PRODUCTS_PATH: Final = "/api/oicp/dynamicpricing/v10/operators/{operator}/pricing-products"
PRICES_PATH: Final = "/api/oicp/dynamicpricing/v10/operators/{operator}/evse-pricing"

MOST_BYTES: Final = 256 * 1024 * 1024
"""A fullLoad of a whole country; what the real hub takes is written nowhere."""


def application(sandbox: HubjectSandbox) -> web.Application:
    """Makes the application."""
    app = make_application(
        sandbox,
        [
            web.post(DATA_PATH, _push),
            web.post(STATUS_PATH, _push),
            web.post(PRODUCTS_PATH, _push),
            web.post(PRICES_PATH, _push),
            *charges.routes(),
            *emps.routes(),
            *drives.routes(),
            *controls.routes(),
            *network_controls.routes(),
            *plays.routes(),
            *ngp_serving.routes(),
            *ngp_controls.routes(),
            *portal.routes(),
        ],
        refuse=_refuse,
        client_max_size=MOST_BYTES,
    )
    # Outermost: a push is under way while a fault holds it back, too.
    app.middlewares.insert(0, _in_sequence)
    app.on_cleanup.append(sandbox.outbound.close)
    return app


def _operation(request: web.Request) -> Operation:
    return OPERATIONS[request.path.rsplit("/", 1)[1]]


def _refuse(request: web.Request, fault: Fault) -> web.Response:
    sandbox = request.app[SANDBOX]
    assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
    refusers = (charges.refuse, emps.refuse, ngp_serving.refuse, portal.refuse)
    if (answer := next(filter(None, (refuse(request, fault) for refuse in refusers)), None)) is not None:
        return answer
    return sandbox.answer(_operation(request), fault.code or "022", "the sandbox was told to refuse")


@web.middleware
async def _in_sequence(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a push while another of the same operation and operator is under way, and counts it as `parallel`.

    OICP 2.3, Data push operations: never in parallel. The real hub would process both and let one overtake the other.
    A push whose sender has given up on it does not count as under way.
    """
    last = request.path.rsplit("/", 1)[1]
    party = request.match_info.get("operator" if last in OPERATIONS else "provider")
    if party is None or (last not in OPERATIONS and last != "push-request"):
        return await handler(request)
    sandbox = request.app[SANDBOX]
    assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
    name = OPERATIONS[last].name if last in OPERATIONS else AUTHENTICATION_DATA
    at = (name, party)
    other = sandbox.under_way.get(at)
    if other is not None and other.transport is not None and not other.transport.is_closing():
        sandbox.counted(name, "parallel")
        refusal = Refusal("009", "another push of this operation is under way")
        if last in OPERATIONS:
            return sandbox.answer(OPERATIONS[last], *refusal)
        return emps.refused(sandbox, emps.PUSH, refusal)
    sandbox.under_way[at] = request
    try:
        return await handler(request)
    finally:
        if sandbox.under_way.get(at) is request:
            del sandbox.under_way[at]


async def _push(request: web.Request) -> web.StreamResponse:
    sandbox, operation = request.app[SANDBOX], _operation(request)
    assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
    raw = await request.read()
    party = admission.normal(request.match_info["operator"])
    if (answer := admission.let_in(sandbox, request, operation.name, operation.per_minute, party)) is not None:
        return answer
    body = admission.parsed(raw)
    if isinstance(body, rules.Wrong):
        return sandbox.malformed(operation, [body])
    part = body.get(operation.part) if operation.part else body
    named = part.get("OperatorID") if isinstance(part, dict) else None
    partner = admission.operator(sandbox, request, party, named)
    if not isinstance(partner, Refusal):
        if operation.name in {PRICING_PRODUCTS, EVSE_PRICING} and not partner.offers_prices:
            partner = Refusal("210", "no offer of flexible or dynamic prices")
        elif not partner.contract:
            partner = Refusal("210", "Hubject is not the subscriber")
    if isinstance(partner, Refusal):
        return sandbox.answer(operation, *partner)
    return _judged(sandbox, operation, partner, body)


def _judged(sandbox: HubjectSandbox, operation: Operation, partner: Partner, body: Any) -> web.Response:
    """Answers a push of somebody who may push."""
    if wrong := operation.shape(body):
        return sandbox.malformed(operation, wrong)
    if operation.name in {PRICING_PRODUCTS, EVSE_PRICING}:
        return _priced(sandbox, operation, partner, body)
    records = body[operation.part][operation.records]
    if operation.name == EVSE_DATA and (wrong := rules.consistency(records)):
        return sandbox.malformed(operation, wrong)
    refusal = _take(sandbox, operation, partner, body)
    return sandbox.answer(operation, *(refusal or ("000", None)))


def _priced(sandbox: HubjectSandbox, operation: Operation, partner: Partner, body: dict[str, Any]) -> web.Response:
    """Performs a well-shaped push of prices."""
    pushed = sandbox.pushed_prices
    act = pushed.push_products if operation.name == PRICING_PRODUCTS else pushed.push_prices
    done = act(sandbox.wall(), partner, body)
    if isinstance(done, Refusal):
        return sandbox.answer(operation, *done)
    for key in done:
        sandbox.received(operation.name, key, body["ActionType"])
    return sandbox.answer(operation, "000")


def _take(sandbox: HubjectSandbox, operation: Operation, partner: Partner, body: dict[str, Any]) -> Refusal | None:
    """Performs a well-shaped push."""
    action, part = body["ActionType"], body[operation.part]
    records, operator = part[operation.records], partner.operator.normal
    by_key: dict[str, dict[str, Any]] = {}
    foreign: list[str] = []
    for record in records:
        evse_id = EvseId(record["EvseID"])
        by_key[evse_id.normal] = record
        if not partner.may_push(evse_id):
            foreign.append(evse_id.text)
    if foreign:
        return Refusal("018", f"not of {operator} or a sub-operator: {', '.join(foreign[:5])}")
    if len(by_key) != len(records):
        return Refusal("018", "an EvseID stands there twice")
    if operation.name == EVSE_STATUS and action != "delete":
        # Written nowhere; an adapter that lives with the stricter reading lives with the other one as well.
        data = sandbox.books[EVSE_DATA]
        if unknown := [key for key in by_key if not data.has(operator, key)]:
            return Refusal("603", f"no EVSE data: {', '.join(unknown[:5])}")
    book = sandbox.books[operation.name]
    before = book.keys_of(operator) if action == "fullLoad" else frozenset()
    if refusal := book.act(action, operator, by_key):
        return refusal
    gone = by_key.keys() if action == "delete" else before - by_key.keys()
    if operation.name == EVSE_DATA:
        number = sandbox.network.operator(operator, part["OperatorName"], played=False)
        sandbox.network.pushed(number, gone, {} if action == "delete" else by_key)
    else:
        sandbox.network.told(gone, {} if action == "delete" else by_key)
    for key, record in by_key.items():
        sandbox.received(operation.name, key, action if action == "delete" else record.get("EvseStatus", action))
    return None
