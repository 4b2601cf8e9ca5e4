"""What all sandbox hubs share: faults on command, a memory that can be asked, receipts, and the server that runs one.

Control requests, all under `/_sandbox`:

| request | what it does |
| --- | --- |
| `GET /memory?kind=K` | NDJSON `{"key", "record"}` of everything remembered under a kind |
| `GET /counts` | how many records by kind, how many requests by operation and result |
| `GET /receipts?since=N` | NDJSON of what was taken in (`Receipt`) |
| `GET`, `POST`, `DELETE /faults` | the armed faults; a list of `Fault` to arm; disarm all |
| `DELETE /memory` | forgets memory, receipts and counts |
| `GET`, `POST`, `DELETE /clock` | the hub's time of day; see `sandbox_clock` |
"""

import asyncio
import socket
import ssl
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from aiohttp import web
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from adapters.core.faults import Fault, FaultKind, Faults, Handler, commit
from adapters.core.sandbox_clock import ClockOrder, WallClock

PREFIX = "/_sandbox"
_FAULTS = TypeAdapter(list[Fault])
_LINES_AT_ONCE = 500


class Receipt(NamedTuple):
    """One thing that the hub took in.

    Attributes:
        number: Rises by one with each.
        key: Wire key.
        value: What it was, shortly: the status.
        stamp: The stamp that it carried, as sent; None where it carries none.
        at: When it was in the hub's memory, seconds since the epoch.
    """

    number: int
    operation: str
    key: str
    value: str
    stamp: str | None
    at: float


class Sandbox:
    """A sandbox hub's state.

    Args:
        kinds: The kinds of memory; each a mapping of wire key to the hub's own record, JSON-able.
        seed: For the dice of faults.
        most_receipts: How many receipts are kept, the oldest fall off.
        wall: The time of day that its clock follows as long as nobody sets it.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        *,
        seed: int = 0,
        most_receipts: int = 1_000_000,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.faults = Faults(seed)
        self.memory: dict[str, dict[str, Any]] = {kind: {} for kind in kinds}
        self.receipts: deque[Receipt] = deque(maxlen=most_receipts)
        self.requests: Counter[tuple[str, str]] = Counter()
        self.server: SandboxServer | None = None
        self.wall = WallClock(wall)
        self.before_memory: Callable[[], None] | None = None
        """Called before memory is shown or counted, for hubs that take things in later."""
        self._number = 0

    def received(self, operation: str, key: str, value: str, stamp: str | None = None) -> None:
        """Notes that something is in the hub's memory now."""
        self._number += 1
        self.receipts.append(Receipt(self._number, operation, key, value, stamp, time.time()))

    def counted(self, operation: str, result: str) -> None:
        """Counts a request; `result` is `ok`, or the hub's word for what was wrong."""
        self.requests[operation, result] += 1

    def forget(self) -> None:
        """Forgets memory, receipts and counts."""
        for kind in self.memory.values():
            kind.clear()
        self.receipts.clear()
        self.requests.clear()


SANDBOX = web.AppKey("sandbox", Sandbox)


def make_application(
    sandbox: Sandbox,
    routes: Sequence[web.RouteDef],
    *,
    refuse: Callable[[web.Request, Fault], web.Response],
    middlewares: Sequence[Any] = (),
    delay: float = 0.0,
    client_max_size: int = 64 * 1024 * 1024,
) -> web.Application:
    """Makes the application of a sandbox hub: its own routes under faults, and the control routes.

    Args:
        refuse: Makes the hub's own refusal for the fault `refuse`.
        middlewares: The hub's own, run inside of the faults.
        delay: Seconds that every request to the hub takes before it is acted upon: how far away the hub is.
    """

    @web.middleware
    async def under_faults(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(PREFIX):
            return await handler(request)
        if delay:
            await asyncio.sleep(delay)
        return await commit(sandbox.faults, refuse, request, handler)

    app = web.Application(middlewares=[under_faults, *middlewares], client_max_size=client_max_size)
    app[SANDBOX] = sandbox
    app.add_routes(routes)
    app.add_routes(
        [
            web.get(f"{PREFIX}/memory", _memory),
            web.delete(f"{PREFIX}/memory", _forget),
            web.get(f"{PREFIX}/counts", _counts),
            web.get(f"{PREFIX}/receipts", _receipts),
            web.get(f"{PREFIX}/faults", _list_faults),
            web.post(f"{PREFIX}/faults", _add_faults),
            web.delete(f"{PREFIX}/faults", _clear_faults),
            web.get(f"{PREFIX}/clock", _clock),
            web.post(f"{PREFIX}/clock", _set_clock),
            web.delete(f"{PREFIX}/clock", _reset_clock),
        ]
    )
    return app


async def _memory(request: web.Request) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    kind = request.query.get("kind", "")
    if kind not in sandbox.memory:
        return _problem(404, f"kind is one of {', '.join(sandbox.memory)}")
    if sandbox.before_memory:
        sandbox.before_memory()
    # A copy of the mapping, since pushes go on while it is written.
    return await _ndjson(request, [{"key": key, "record": record} for key, record in sandbox.memory[kind].items()])


async def _forget(request: web.Request) -> web.StreamResponse:
    request.app[SANDBOX].forget()
    return web.json_response({})


async def _counts(request: web.Request) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    if sandbox.before_memory:
        sandbox.before_memory()
    requests: dict[str, dict[str, int]] = {}
    for (operation, result), number in sorted(sandbox.requests.items()):
        requests.setdefault(operation, {})[result] = number
    memory = {kind: len(records) for kind, records in sandbox.memory.items()}
    return web.json_response({"memory": memory, "requests": requests, "receipts": len(sandbox.receipts)})


async def _receipts(request: web.Request) -> web.StreamResponse:
    since = request.query.get("since", "0")
    if not since.isascii() or not since.isdigit():
        return _problem(400, "since is the number of a receipt")
    receipts = request.app[SANDBOX].receipts
    return await _ndjson(request, [receipt._asdict() for receipt in receipts if receipt.number > int(since)])


async def _list_faults(request: web.Request) -> web.StreamResponse:
    return web.json_response(request.app[SANDBOX].faults.shown())


async def _add_faults(request: web.Request) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    try:
        faults = _FAULTS.validate_json(await request.read())
    except ValidationError as error:
        return _problem(400, str(error))
    for fault in faults:
        if fault.kind is FaultKind.DOWN:
            if sandbox.server is None:
                return _problem(409, "only a sandbox run by SandboxServer can go down")
            sandbox.server.go_down(fault.seconds or 0.0)
    sandbox.faults.add(fault for fault in faults if fault.kind is not FaultKind.DOWN)
    return web.json_response(sandbox.faults.shown())


async def _clear_faults(request: web.Request) -> web.StreamResponse:
    request.app[SANDBOX].faults.clear()
    return web.json_response([])


async def _clock(request: web.Request) -> web.StreamResponse:
    return web.json_response(request.app[SANDBOX].wall.told())


async def _set_clock(request: web.Request) -> web.StreamResponse:
    try:
        request.app[SANDBOX].wall.set(ClockOrder.model_validate_json(await request.read()))
    except ValidationError as error:
        return _problem(400, str(error))
    return await _clock(request)


async def _reset_clock(request: web.Request) -> web.StreamResponse:
    request.app[SANDBOX].wall.reset()
    return await _clock(request)


def _problem(status: int, text: str) -> web.Response:
    return web.json_response({"detail": text}, status=status)


async def _ndjson(request: web.Request, lines: Sequence[Mapping[str, Any]]) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    for start in range(0, len(lines), _LINES_AT_ONCE):
        await response.write(b"".join(to_json(line) + b"\n" for line in lines[start : start + _LINES_AT_ONCE]))
    await response.write_eof()
    return response


class SandboxServer:
    """Runs a sandbox hub on loopback, and takes it down for a while when told to.

    Its port stays its own until `stop`, also while nobody listens there: whoever asks the system for any port then
    would get it by chance, answer in the hub's place, and keep the hub from coming back.

    Args:
        port: 0 for any free one; known after `start`.
    """

    def __init__(
        self, app: web.Application, host: str = "127.0.0.1", port: int = 0, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        self._sandbox = app[SANDBOX]
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        self._site: web.TCPSite | None = None
        self._kept: socket.socket | None = None
        self._host, self.port, self._ssl = host, port, ssl_context
        self._coming_back: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a trailing slash."""
        return f"{'https' if self._ssl else 'http'}://{self._host}:{self.port}"

    async def start(self) -> None:
        """Begins to listen."""
        self._sandbox.server = self
        await self._runner.setup()
        if sys.platform == "linux":  # elsewhere nobody can listen where a socket is bound already
            self._kept = self._bound()
            self.port = self._kept.getsockname()[1]
        await self.listen()

    def _bound(self) -> socket.socket:
        """Gives a socket that holds the port without listening."""
        kept = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
        try:
            kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the listener does, or neither could
            kept.bind((self._host, self.port))
        except OSError:
            kept.close()
            raise
        return kept

    async def listen(self) -> None:
        """Listens, at first or again after `refuse_connections`."""
        site = web.TCPSite(self._runner, self._host, self.port, ssl_context=self._ssl)
        await site.start()
        self._site = site
        self.port = self._runner.addresses[0][1]

    async def refuse_connections(self) -> None:
        """Stops listening and cuts open connections; memory stays."""
        if self._site is not None:
            site, self._site = self._site, None
            await site.stop()
        if self._runner.server is not None:
            for connection in list(self._runner.server.connections):
                if (transport := connection.transport) is not None:
                    transport.abort()

    def go_down(self, seconds: float) -> None:
        """Refuses connections for some seconds, once the present request is answered."""
        if self._coming_back is None or self._coming_back.done():
            self._coming_back = asyncio.create_task(self._down(seconds))

    async def _down(self, seconds: float) -> None:
        await asyncio.sleep(0.05)  # so that the request that asked for it gets its answer
        await self.refuse_connections()
        await asyncio.sleep(seconds)
        await self.listen()

    async def stop(self) -> None:
        """Ends it."""
        if self._coming_back is not None:
            self._coming_back.cancel()
            await asyncio.gather(self._coming_back, return_exceptions=True)
        await self._runner.cleanup()
        if self._kept is not None:
            self._kept.close()
        self._sandbox.server = None
