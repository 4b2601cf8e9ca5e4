"""What all control requests of the sandbox Hubject share."""

from aiohttp import web

from adapters.core.sandbox import SANDBOX
from adapters.hubject.sandbox.state import HubjectSandbox


def sandbox_of(request: web.Request) -> HubjectSandbox:
    """Gives the sandbox that a request is for."""
    sandbox = request.app[SANDBOX]
    assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
    return sandbox


def problem(status: int, text: str) -> web.Response:
    """Makes the answer to an order that makes no sense."""
    return web.json_response({"detail": text}, status=status)
