"""A Hubject that says what a test has it say, and remembers what it was asked."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.mappings.oicp.charges import SESSION_ID

AUTHORISED: dict[str, Any] = {
    "SessionID": SESSION_ID,
    "CPOPartnerSessionID": None,
    "EMPPartnerSessionID": "emp-1",
    "ProviderID": "NL-EMS",
    "AuthorizationStatus": "Authorized",
    "StatusCode": {"Code": "000", "Description": None, "AdditionalInfo": None},
    "AuthorizationStopIdentifications": None,
}


def denied(code: str) -> dict[str, Any]:
    return {
        "SessionID": None,
        "AuthorizationStatus": "NotAuthorized",
        "StatusCode": {"Code": code, "Description": "said", "AdditionalInfo": None},
    }


def acknowledged(code: str) -> dict[str, Any]:
    return {"Result": code == "000", "StatusCode": {"Code": code, "Description": "said", "AdditionalInfo": None}}


@dataclass
class Peer:
    """The peer.

    Attributes:
        says: The body of every answer; JSON unless it is bytes.
        status: Its HTTP status.
        heard: Path and body of every request.
    """

    url: str = ""
    says: Any = field(default_factory=lambda: dict(AUTHORISED))
    status: int = 200
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        self.heard.append((request.path, await request.json()))
        raw = self.says if isinstance(self.says, bytes) else json.dumps(self.says).encode()
        return web.Response(body=raw, status=self.status, content_type="application/json")


@asynccontextmanager
async def playing() -> AsyncIterator[Peer]:
    """Runs a peer on loopback."""
    peer = Peer()
    app = web.Application()
    app.router.add_post("/{path:.*}", peer.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield peer
    finally:
        await runner.cleanup()
