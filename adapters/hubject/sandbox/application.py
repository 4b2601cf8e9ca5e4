"""The web application of the sandbox Hubject; here eRoamingPushEvseData and …Status, each push judged as a whole.

In this order: is another push of the operation under way, is there a client certificate (HTTP 400), is the limit kept
(429), is the body JSON (022), is the operator known (300), does the certificate speak for it (017), is there a contract
(210), is the shape right (022), does every EvseID belong to the operator (018) and stand there once (018), has each
status an EVSE (603), does the action fit what is remembered (022, 603). A refused push changes nothing.
"""

from collections.abc import Sequence
from typing import Any, Final

import pydantic_core
from aiohttp import web

from adapters.core.faults import Fault, Handler
from adapters.core.sandbox import SANDBOX, make_application
from adapters.hubject.sandbox import charges, rules
from adapters.hubject.sandbox.certificates import certificate_of, operators_of
from adapters.hubject.sandbox.drives import Drives
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.state import EVSE_DATA, EVSE_STATUS, OPERATIONS, HubjectSandbox, Operation, Partner
from mappings.canonical.ids import EvseId, PartyId

DATA_PATH: Final = "/api/oicp/evsepush/v23/operators/{operator}/data-records"
STATUS_PATH: Final = "/api/oicp/evsepush/v21/operators/{operator}/status-records"

MOST_BYTES: Final = 256 * 1024 * 1024
"""A fullLoad of a whole country; what the real hub takes is written nowhere."""

_NO_CERTIFICATE: Final = "<html><head><title>400 No required SSL certificate was sent</title></head></html>"
"""What web servers say in the application's place."""


def application(sandbox: HubjectSandbox) -> web.Application:
    """Makes the application."""
    drives = Drives(sandbox)
    app = make_application(
        sandbox,
        [web.post(DATA_PATH, _push), web.post(STATUS_PATH, _push), *charges.routes(), *drives.routes()],
        refuse=_refuse,
        client_max_size=MOST_BYTES,
    )
    # Outermost: a push is under way while a fault holds it back, too.
    app.middlewares.insert(0, _in_sequence)
    app.on_cleanup.append(drives.close)
    return app


def _operation(request: web.Request) -> Operation:
    return OPERATIONS[request.path.rsplit("/", 1)[1]]


def _refuse(request: web.Request, fault: Fault) -> web.Response:
    sandbox = request.app[SANDBOX]
    assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
    if (answer := charges.refuse(request, fault)) is not None:
        return answer
    return sandbox.answer(_operation(request), fault.code or "022", "the sandbox was told to refuse")


@web.middleware
async def _in_sequence(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a push while another of the same operation and operator is under way, and counts it as `parallel`.

    OICP 2.3, Data push operations: never in parallel. The real hub would process both and let one overtake the other.
    A push whose sender has given up on it does not count as under way.
    """
    operator = request.match_info.get("operator")
    if operator is None or request.path.rsplit("/", 1)[1] not in OPERATIONS:
        return await handler(request)
    sandbox, operation = request.app[SANDBOX], _operation(request)
    assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
    at = (operation.name, operator)
    other = sandbox.under_way.get(at)
    if other is not None and other.transport is not None and not other.transport.is_closing():
        sandbox.counted(operation.name, "parallel")
        return sandbox.answer(operation, "009", "another push of this operation is under way")
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
    operator = _normal(request.match_info["operator"])
    if sandbox.checks_certificates and certificate_of(request) is None:
        sandbox.counted(operation.name, "no certificate")
        return web.Response(status=400, content_type="text/html", text=_NO_CERTIFICATE)
    if not sandbox.within_limit(operation.name, operation.per_minute, operator):
        sandbox.counted(operation.name, "429")
        return web.json_response({"message": "API rate limit exceeded"}, status=429)
    try:
        body = pydantic_core.from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        return sandbox.malformed(operation, [rules.Wrong("body", str(error))])
    if refusal := _admission(sandbox, operation, request, operator, body):
        return sandbox.answer(operation, *refusal)
    return _judged(sandbox, operation, sandbox.partners[operator], body)


def _judged(sandbox: HubjectSandbox, operation: Operation, partner: Partner, body: Any) -> web.Response:
    """Answers a push of somebody who may push."""
    if wrong := operation.shape(body):
        return sandbox.malformed(operation, wrong)
    records = body[operation.part][operation.records]
    if operation.name == EVSE_DATA and (wrong := rules.consistency(records)):
        return sandbox.malformed(operation, wrong)
    refusal = _take(sandbox, operation, partner, body["ActionType"], records)
    return sandbox.answer(operation, *(refusal or ("000", None)))


def _normal(text: str) -> str:
    try:
        return PartyId(text).normal
    except ValueError:
        return text


def _admission(
    sandbox: HubjectSandbox, operation: Operation, request: web.Request, operator: str, body: Any
) -> Refusal | None:
    """Says why the sender may not push at all."""
    if (partner := sandbox.partners.get(operator)) is None:
        return Refusal("300", f"{operator} is not registered")
    # OICP 2.3, Security: Hubject compares the given OperatorID to the client certificate with every request. A body
    # that names none is malformed, which is said later.
    part = body.get(operation.part) if isinstance(body, dict) else None
    named = part.get("OperatorID") if isinstance(part, dict) else None
    if isinstance(named, str) and _normal(named) != operator:
        return Refusal("017", "the OperatorIDs of path and body differ")
    if sandbox.checks_certificates and operator not in operators_of(certificate_of(request)):
        return Refusal("017", "the certificate is not bound to this OperatorID")
    return None if partner.contract else Refusal("210", "Hubject is not the subscriber")


def _take(
    sandbox: HubjectSandbox, operation: Operation, partner: Partner, action: str, records: Sequence[dict[str, Any]]
) -> Refusal | None:
    """Performs a well-shaped push."""
    operator = partner.operator.normal
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
    if refusal := sandbox.books[operation.name].act(action, operator, by_key):
        return refusal
    for key, record in by_key.items():
        sandbox.received(operation.name, key, action if action == "delete" else record.get("EvseStatus", action))
    return None
