"""What the services of a charge share: how a message of a CPO is described, and how it is answered."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from aiohttp import web

from adapters.hubject.sandbox import rules
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.partners import Partner
from adapters.hubject.sandbox.sessions import ids
from adapters.hubject.sandbox.state import HubjectSandbox, status_code

OPERATOR: Final = "operators/{operator}"
"""The part of a path that names the CPO."""

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


def refused(sandbox: HubjectSandbox, service: Service, refusal: Refusal, body: dict[str, Any]) -> web.Response:
    """Makes the answer of a refusal, and counts it."""
    return web.json_response(refusal_body(sandbox, service, refusal, body))


def refusal_body(sandbox: HubjectSandbox, service: Service, refusal: Refusal, body: dict[str, Any]) -> dict[str, Any]:
    """Makes the body of that."""
    sandbox.counted(service.name, refusal.code)
    head = {"AuthorizationStatus": "NotAuthorized", "ProviderID": None} if service.authorises else {"Result": False}
    # OICP 2.3, eRoamingAuthorizeStart: of a request that was not successful, Hubject deletes the SessionID.
    session = None if service.authorises else body.get("SessionID")
    return head | {"StatusCode": status_code(*refusal)} | ids(session, body)


def malformed(
    sandbox: HubjectSandbox, service: Service, wrong: list[rules.Wrong], body: dict[str, Any]
) -> web.Response:
    """Makes the answer to a body that is not right."""
    if not sandbox.recorded_forms:
        text = "; ".join(f"{item.field}: {item.text}" for item in wrong[:10])
        return refused(sandbox, service, Refusal("022", text), body)
    return sandbox.validation_errors(service.name, wrong)


def acknowledged(sandbox: HubjectSandbox, service: Service, session: str, told: dict[str, Any]) -> web.Response:
    """Makes an eRoamingAcknowledgment of a yes, and counts it."""
    sandbox.counted(service.name, "ok")
    return web.json_response({"Result": True, "StatusCode": status_code("000")} | ids(session, told))
