"""Who may speak to the sandbox Hubject at all: the same for every request of a CPO or an EMP.

In this order: is there a client certificate (HTTP 400), is the limit kept (429), is the body JSON and an object (022),
is the partner known (300), do path and body name the same one, and does the certificate speak for it (017).
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import pydantic_core
from aiohttp import web

from adapters.hubject.sandbox import rules
from adapters.hubject.sandbox.certificates import certificate_of, operators_of, providers_of
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.partners import Partner, Provider
from adapters.hubject.sandbox.state import HubjectSandbox
from mappings.canonical.ids import PartyId

_NO_CERTIFICATE: Final = "<html><head><title>400 No required SSL certificate was sent</title></head></html>"
"""What web servers say in the application's place."""
Known = TypeVar("Known", Partner, Provider)


def let_in(
    sandbox: HubjectSandbox, request: web.Request, name: str, per_minute: int, party: str
) -> web.Response | None:
    """Turns away who shows no certificate, and who asks too often.

    Args:
        name: Of the operation.
        per_minute: Hubject's Acceptable Use Policy, Rate limits.
        party: Whose limit it is.
    """
    if sandbox.checks_certificates and certificate_of(request) is None:
        sandbox.counted(name, "no certificate")
        return web.Response(status=400, content_type="text/html", text=_NO_CERTIFICATE)
    if not sandbox.within_limit(name, per_minute, party):
        sandbox.counted(name, "429")
        return web.json_response({"message": "API rate limit exceeded"}, status=429)
    return None


def parsed(raw: bytes) -> dict[str, Any] | rules.Wrong:
    """Reads a body."""
    try:
        body = pydantic_core.from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        return rules.Wrong("body", str(error))
    return body if isinstance(body, dict) else rules.Wrong("body", "is no object")


def operator(sandbox: HubjectSandbox, request: web.Request, party: str, named: Any) -> Partner | Refusal:
    """Finds the CPO that sends, or says why it may not.

    Args:
        party: The OperatorID of the path.
        named: The body's; a body without one is malformed, which is said later.
    """
    return _known(sandbox, sandbox.partners, "OperatorID", party, named, operators_of(certificate_of(request)))


def provider(sandbox: HubjectSandbox, request: web.Request, party: str, named: Any) -> Provider | Refusal:
    """Finds the EMP that sends, or says why it may not; as `operator`."""
    return _known(sandbox, sandbox.providers, "ProviderID", party, named, providers_of(certificate_of(request)))


def _known(
    sandbox: HubjectSandbox, partners: Mapping[str, Known], name: str, party: str, named: Any, bound: frozenset[str]
) -> Known | Refusal:
    party = normal(party)
    if (partner := partners.get(party)) is None:
        return Refusal("300", f"{party} is not registered")
    # OICP 2.3, Security: the given id is compared to the client certificate with every request.
    if isinstance(named, str) and normal(named) != party:
        return Refusal("017", f"the {name}s of path and body differ")
    if sandbox.checks_certificates and party not in bound:
        return Refusal("017", f"the certificate is not bound to this {name}")
    return partner


def normal(text: str) -> str:
    """Gives the normal form of a partner's id; what is none stays as it is, and is unknown to everybody."""
    try:
        return PartyId(text).normal
    except ValueError:
        return text
