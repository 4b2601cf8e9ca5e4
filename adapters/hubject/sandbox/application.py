"""The web application of the sandbox Hubject: eRoamingPushEvseData and eRoamingPushEvseStatus, judged as a whole.

In this order: is the body JSON, is another push of the operation under way, is the limit kept (429), is the operator
known (300), does the certificate speak for it (017), is there a contract (210), is the shape right (022), does every
EvseID belong to the operator (018) and stand there once (018), has each status an EVSE (603), does the action fit what
is remembered (022, 603). A refused push changes nothing.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import pydantic_core
from aiohttp import web

from adapters.core.faults import Fault, Handler
from adapters.core.sandbox import SANDBOX, Sandbox, make_application
from adapters.hubject.sandbox import rules
from adapters.hubject.sandbox.certificates import operators_of
from adapters.hubject.sandbox.memory import Book, Refusal
from mappings.canonical.ids import EvseId, PartyId

EVSE_DATA: Final = "evse_data"
EVSE_STATUS: Final = "evse_status"
DATA_PATH: Final = "/api/oicp/evsepush/v23/operators/{operator}/data-records"
STATUS_PATH: Final = "/api/oicp/evsepush/v21/operators/{operator}/status-records"

MOST_BYTES: Final = 256 * 1024 * 1024
"""A fullLoad of a whole country; what the real hub takes is written nowhere."""

_TEXTS: Final = {
    "000": "Success",
    "009": "Data transaction error",
    "017": "Unauthorized Access",
    "018": "Inconsistent EvseID",
    "022": "Data error",
    "210": "No valid contract",
    "300": "Partner not found",
    "603": "Unknown EVSE ID",
}
_RECORDED_STATUS: Final = {"017": 401, "300": 404}
"""HTTP statuses under which the real hub was seen to give these codes, with a body of the status code alone."""


class Operation(NamedTuple):
    """One kind of push.

    Attributes:
        per_minute: Hubject's Acceptable Use Policy, Rate limits.
        part, records: Where the records stand in the body.
        shape: Says what is wrong with a body's shape.
    """

    name: str
    per_minute: int
    part: str
    records: str
    shape: Callable[[Any], list[rules.Wrong]]


_OPERATIONS: Final = {
    "data-records": Operation(EVSE_DATA, 375, "OperatorEvseData", "EvseDataRecord", rules.shape_of_data),
    "status-records": Operation(EVSE_STATUS, 2000, "OperatorEvseStatus", "EvseStatusRecord", rules.shape_of_status),
}


@dataclass(frozen=True, slots=True)
class Partner:
    """A CPO registered with the sandbox.

    Attributes:
        operator: Its OperatorID.
        sub_operators: Whose EVSEs it may push beside its own; None means anybody's.
        contract: Whether Hubject is the subscriber of its EVSE data and statuses.
    """

    operator: PartyId
    sub_operators: frozenset[PartyId] | None = frozenset()
    contract: bool = True

    def may_push(self, evse_id: EvseId) -> bool:
        """Tells whether an EvseID is its own or a sub-operator's."""
        party = evse_id.party
        return party is not None and (
            self.sub_operators is None or party == self.operator or party in self.sub_operators
        )


class HubjectSandbox(Sandbox):
    """The sandbox's state.

    Args:
        partners: Who is registered.
        limits: Whether the published limits are kept.
        recorded_forms: Answer a malformed body, a foreign OperatorID and an unknown one as the real hub was recorded to
            (HTTP 400 with `validationErrors`, 401, 404) and not as its documents say.
        checks_certificates: Whether a client certificate is asked for its OperatorIDs; never without TLS.
        clock: Seconds, for the limits.
    """

    def __init__(
        self,
        partners: Iterable[Partner],
        *,
        limits: bool = True,
        recorded_forms: bool = False,
        checks_certificates: bool = True,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__((EVSE_DATA, EVSE_STATUS), seed=seed)
        self.partners = {partner.operator.normal: partner for partner in partners}
        self.limits = limits
        self.recorded_forms = recorded_forms
        self.checks_certificates = checks_certificates
        self.books = {kind: Book(records) for kind, records in self.memory.items()}
        self.under_way: dict[tuple[str, str], web.Request] = {}
        self._clock = clock
        self._made: dict[tuple[str, str], deque[float]] = {}

    def forget(self) -> None:
        """Forgets memory, receipts and counts."""
        super().forget()
        for book in self.books.values():
            book.forget()

    def within_limit(self, operation: Operation, operator: str) -> bool:
        """Counts a push; False if it is one too many within a minute."""
        now = self._clock()
        made = self._made.setdefault((operation.name, operator), deque())
        while made and made[0] <= now - 60:
            made.popleft()
        if self.limits and len(made) >= operation.per_minute:
            return False
        made.append(now)
        return True

    def answer(self, operation: Operation, code: str, text: str | None = None) -> web.Response:
        """Makes an acknowledgement, and counts it."""
        self.counted(operation.name, "ok" if code == "000" else code)
        status = {"Code": code, "Description": _TEXTS.get(code), "AdditionalInfo": text[:1000] if text else None}
        if self.recorded_forms and code in _RECORDED_STATUS:
            return web.json_response({"StatusCode": status}, status=_RECORDED_STATUS[code])
        return web.json_response(
            {
                "Result": code == "000",
                "StatusCode": status,
                "SessionID": None,
                "CPOPartnerSessionID": None,
                "EMPPartnerSessionID": None,
            }
        )

    def malformed(self, operation: Operation, wrong: Sequence[rules.Wrong]) -> web.Response:
        """Makes the refusal of a body for its shape."""
        if not self.recorded_forms:
            text = "; ".join(f"{item.field}: {item.text}" for item in wrong[:10])
            return self.answer(operation, "022", text)
        self.counted(operation.name, "022")
        listed = [{"fieldReference": item.field, "errorMessage": item.text} for item in wrong]
        body = {"extendedInfo": None, "message": "Error parsing/validating JSON.", "validationErrors": listed}
        return web.json_response(body, status=400)


def application(sandbox: HubjectSandbox) -> web.Application:
    """Makes the application."""
    app = make_application(
        sandbox,
        [web.post(DATA_PATH, _push), web.post(STATUS_PATH, _push)],
        refuse=_refuse,
        client_max_size=MOST_BYTES,
    )
    # Outermost: a push is under way while a fault holds it back, too.
    app.middlewares.insert(0, _in_sequence)
    return app


def _operation(request: web.Request) -> Operation:
    return _OPERATIONS[request.path.rsplit("/", 1)[1]]


def _refuse(request: web.Request, fault: Fault) -> web.Response:
    sandbox = request.app[SANDBOX]
    assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
    return sandbox.answer(_operation(request), fault.code or "022", "the sandbox was told to refuse")


@web.middleware
async def _in_sequence(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses a push while another of the same operation and operator is under way, and counts it as `parallel`.

    OICP 2.3, Data push operations: never in parallel. The real hub would process both and let one overtake the other.
    A push whose sender has given up on it does not count as under way.
    """
    if (operator := request.match_info.get("operator")) is None:
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
    try:
        body = pydantic_core.from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        return sandbox.malformed(operation, [rules.Wrong("body", str(error))])
    operator = _normal(request.match_info["operator"])
    if not sandbox.within_limit(operation, operator):
        sandbox.counted(operation.name, "429")
        return web.json_response({"message": "API rate limit exceeded"}, status=429)
    if refusal := _admission(sandbox, operation, request, operator, body):
        return sandbox.answer(operation, *refusal)
    if wrong := operation.shape(body):
        return sandbox.malformed(operation, wrong)
    records = body[operation.part][operation.records]
    if operation.name == EVSE_DATA and (wrong := rules.consistency(records)):
        return sandbox.malformed(operation, wrong)
    refusal = _take(sandbox, operation, sandbox.partners[operator], body["ActionType"], records)
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
    if sandbox.checks_certificates:
        peer = request.transport.get_extra_info("peercert") if request.transport is not None else None
        if operator not in operators_of(peer):
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
