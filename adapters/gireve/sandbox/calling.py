"""How the sandbox IOP calls its partners' platforms."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from adapters.core import ocpi
from adapters.core.faults import FaultKind
from adapters.core.http import Answer, HubClient, Reply, compact_json
from adapters.core.outcomes import Delivered, Outcome
from adapters.core.sandbox import Sandbox
from adapters.gireve.errors import judge
from adapters.gireve.sandbox.platforms import Platform
from mappings.canonical.ids import PartyId


class DriveFailed(Exception):
    """What the sandbox did by itself did not come about."""


class _Unobserved:
    """The sandbox counts by itself."""

    def request(self, hub: str, connection: str, operation: str, outcome: str, seconds: float) -> None:
        """Counts nothing."""

    def served(self, hub: str, connection: str, operation: str, status: int, seconds: float) -> None:
        """Counts nothing."""


class Caller:
    """Requests to platforms, each sent once, or twice with the same ids where the fault `repeat` says so.

    Args:
        party: IOP's own.
    """

    def __init__(self, sandbox: Sandbox, party: PartyId) -> None:
        self._sandbox = sandbox
        self._party = party
        self._opened: HubClient | None = None

    @property
    def _client(self) -> HubClient:
        if self._opened is None:
            self._opened = HubClient("gireve", "sandbox", _Unobserved(), timeout=timedelta(seconds=60))
        return self._opened

    async def close(self, _app: web.Application) -> None:
        """Closes the sockets."""
        if self._opened is not None:
            await self._opened.close()

    async def ask(self, method: str, url: str, token: str, body: bytes | None = None, *, routed: bool = False) -> Reply:
        """Makes a request in IOP's own name, where it is routed at all."""
        return await self._send(method, url, ocpi.headers(token, sender=self._party if routed else None), body)

    async def call(
        self,
        platform: Platform,
        method: str,
        endpoint: str,
        tail: str,
        body: Any,
        *,
        sender: PartyId,
        receiver: PartyId | None,
        correlation: str | None = None,
    ) -> list[Reply]:
        """Calls a module of a platform.

        Args:
            endpoint: `module/ROLE`, or a whole URL that the platform gave.
            tail: What follows the endpoint's URL; empty for the endpoint itself.
            body: JSON-able; None for no body.
            sender, receiver: Who speaks to whom.
            correlation: Of the request that this one follows from (guide, Traceability).

        Raises:
            DriveFailed: The platform is not registered, or it has no such endpoint.
        """
        found = endpoint if "://" in endpoint else platform.endpoints.get(endpoint)
        if platform.ours is None or found is None:
            missing = "not registered" if platform.ours is None else f"the platform has no endpoint {endpoint}"
            raise DriveFailed(missing)
        url, headers = ocpi.below(found, tail) if tail else found, ocpi.headers(platform.ours, sender, receiver)
        if correlation is not None:
            headers[ocpi.CORRELATION_ID] = correlation
        repeats = self._sandbox.faults.driving(FaultKind.REPEAT, method, url)
        written = None if body is None else compact_json(body)
        return [await self._send(method, url, headers, written) for _ in range(1 + repeats)]

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        def understood(answer: Answer) -> Outcome:
            for name in (ocpi.REQUEST_ID, ocpi.CORRELATION_ID):
                if answer.headers.get(name) != headers[name]:
                    self._sandbox.counted("echo", f"{name} not echoed")
            return judge(answer, method, datetime.now(UTC))

        return await self._client.request("drive", method, url, judge=understood, body=body, headers=headers)


def data(reply: Reply) -> Any:
    """Gives what a platform answered.

    Raises:
        DriveFailed: It did not take the request.
    """
    if not isinstance(reply.outcome, Delivered):
        raise DriveFailed(str(reply.outcome))
    try:
        return ocpi.data_of(reply)
    except ValueError as error:
        raise DriveFailed(str(error)) from None


def said(reply: Reply) -> dict[str, Any]:
    """What a platform answered, for whoever drives: HTTP status, OCPI code and data."""
    if reply.answer is None:
        return {"status": None, "outcome": str(reply.outcome)}
    found = ocpi.said(reply.answer)
    told: dict[str, Any] = {"status": reply.answer.status}
    return told if found is None else {**told, "code": found.code, "data": found.data}
