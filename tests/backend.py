"""A backend on loopback that hears webhooks and call-outs, and a judge of their signatures with code of its own."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Heard:
    """One request as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Says = Callable[[Heard], Awaitable[web.StreamResponse]]


def says(body: Any = None, status: int = 200, headers: dict[str, str] | None = None) -> Says:
    """An answer that is the same to every request."""

    async def answer(_heard: Heard) -> web.Response:
        text = body if isinstance(body, str) else json.dumps(body)
        return web.Response(text=text, status=status, headers=headers, content_type="application/json")

    return answer


@dataclass
class Backend:
    """What it heard, and what it says: the next of `script`, else `always`."""

    url: str
    heard: list[Heard] = field(default_factory=list)
    script: list[Says] = field(default_factory=list)
    always: Says = field(default_factory=lambda: says({"result": "ACCEPTED"}))
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        heard = Heard(headers, await request.read())
        self.heard.append(heard)
        self.came.set()
        return await (self.script.pop(0) if self.script else self.always)(heard)


@asynccontextmanager
async def backend() -> AsyncIterator[Backend]:
    """Runs a backend."""
    made = Backend("")
    app = web.Application()
    app.router.add_post("/hear", made.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hear"
        yield made
    finally:
        await runner.cleanup()


def signed_by(heard: Heard, secret: str) -> bool:
    """Whether one of the signatures is by a secret, as Standard Webhooks 1.0.0 says (Verifying signatures)."""
    assert secret.startswith("whsec_")
    key = base64.b64decode(secret[len("whsec_") :])
    assert 24 <= len(key) <= 64
    content = heard.headers["webhook-id"] + "." + heard.headers["webhook-timestamp"] + "." + heard.body.decode()
    expected = "v1," + base64.b64encode(hmac.digest(key, content.encode(), hashlib.sha256)).decode()
    return expected in heard.headers["webhook-signature"].split(" ")
