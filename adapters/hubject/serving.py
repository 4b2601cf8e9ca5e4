"""How Hubject's requests are answered, whatever they are about: in time, and always with a word of OICP.

Whatever the answer is, it has HTTP 200, the only status that OICP's OpenAPI has.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias

import structlog
from aiohttp import web

from adapters.core.http import compact_json, read_json
from adapters.core.hub import Gateway
from adapters.hubject.admission import HUB, Refusal
from adapters.hubject.settings import DEADLINE
from mappings.oicp.v2_3.commands import DATA_ERROR, SYSTEM_ERROR
from mappings.oicp.v2_3.wire import Record
from mappings.report import Refused

_ROOT: Final = "/oicp/{connection}"
_MOST_BYTES: Final = 64 * 1024
_WAY: Final = timedelta(seconds=0.5)
"""What of Hubject's ten seconds is left for the way of the answer, whatever the backend may take."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Served:
    """One request, as far as it is known yet.

    Attributes:
        ends: When the answer has to be under way, by the clock of `time.perf_counter`.
        connection: The connection's name, once Hubject has proven that it calls.
        body: The parsed JSON.
        session: Hubject's SessionID.
    """

    request: web.Request
    operation: str
    ends: float
    connection: str = "unknown"
    body: Any = None
    session: str | None = None


Perform: TypeAlias = Callable[[Served], Awaitable[Record]]
Refuse: TypeAlias = Callable[[Refusal | Refused, Served], Record]


def routes(gateway: Gateway, path: str, operation: str, perform: Perform, refuse: Refuse) -> Iterable[web.RouteDef]:
    """Makes the routes of one operation.

    What is entered in Hubject's portal is a base URL, and it is written nowhere whether `/api/oicp` is added to it as
    its own URLs have it: both are served.

    Args:
        path: Below the connection's root; as in OICP's OpenAPI.
        operation: Its name in metrics.
        perform: Makes the answer; raises `Refusal` or `Refused`.
        refuse: Says in the operation's own form why there is none.
    """
    serve = _handler(gateway, operation, perform, refuse)
    return [web.post(f"{_ROOT}{root}/{path}{{slash:/?}}", serve) for root in ("", "/api/oicp")]


def _handler(
    gateway: Gateway, operation: str, perform: Perform, refuse: Refuse
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        began = time.perf_counter()
        served = Served(request, operation, began + (DEADLINE - _WAY).total_seconds())
        try:
            answer = await _answered(served, perform, refuse)
            return web.Response(body=compact_json(answer), content_type="application/json")
        finally:
            seconds = time.perf_counter() - began
            gateway.observer.served(HUB, served.connection, operation, 200, seconds)

    return serve


async def _answered(served: Served, perform: Perform, refuse: Refuse) -> Record:
    try:
        return await perform(served)
    except Refusal as refusal:
        _log.warning("refused", operation=served.operation, connection=served.connection, code=refusal.code)
        return refuse(refusal, served)
    except Refused as refused:
        return refuse(refused, served)
    except Exception as error:  # noqa: BLE001  # whatever it is, Hubject reads nothing but its own forms
        _log.error("failed", operation=served.operation, connection=served.connection, exc_info=error)
        return refuse(Refusal(SYSTEM_ERROR, "it could not be carried out"), served)


def until(ends: float) -> asyncio.Timeout:
    """Bounds what is done by when the answer has to be under way."""
    return asyncio.timeout(max(ends - time.perf_counter(), 0))


async def read_body(served: Served, most: int = _MOST_BYTES) -> Any:
    """Reads the parsed body, within the time.

    Raises:
        Refusal: It is too large, did not arrive in time, or is no JSON.
    """
    raw = bytearray()
    try:
        async with until(served.ends):
            async for chunk in served.request.content.iter_any():
                raw += chunk
                if len(raw) > most:
                    raise Refusal(DATA_ERROR, f"the body has more than {most} bytes")
    except TimeoutError:
        raise Refusal(DATA_ERROR, "the body did not arrive in time") from None
    try:
        return read_json(bytes(raw))
    except ValueError:
        raise Refusal(DATA_ERROR, "the body is not JSON, or a text in it holds NUL") from None
