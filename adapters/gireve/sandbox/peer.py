"""The sandbox IOP as an OCPI platform: its versions and credentials, and what it does by itself towards a gateway."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.core import ocpi
from adapters.core.faults import FaultKind, Handler
from adapters.core.http import Answer, HubClient, Reply, compact_json
from adapters.core.outcomes import Delivered, Outcome
from adapters.core.sandbox import Sandbox
from adapters.gireve.errors import judge
from adapters.gireve.sandbox.checks import Refusal, Wrong
from adapters.gireve.sandbox.memory import (
    PULLED_CDRS,
    PULLED_LOCATIONS,
    PULLED_SESSIONS,
    PULLED_TARIFFS,
    exploded,
    tariff_key,
)
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode

ROOT = "/ocpi"
RECEIVER = f"{ROOT}/receiver/{ocpi.VERSION}"
_BASE = f"{ROOT}/{ocpi.VERSION}"
_MOST_PAGES = 100_000
_PULLED: Mapping[str, str] = {
    "locations": PULLED_LOCATIONS,
    "tariffs": PULLED_TARIFFS,
    "sessions": PULLED_SESSIONS,
    "cdrs": PULLED_CDRS,
}
_CDR_PAGE = 20
"""Guide, Pagination: CDRs come in pages of 20, whatever the others do."""


class _Register(BaseModel):
    model_config = ConfigDict(extra="forbid")

    versions_url: str
    token: str


class _Pull(BaseModel):
    model_config = ConfigDict(extra="forbid")

    modules: tuple[Literal["locations", "tariffs", "sessions", "cdrs"], ...] = ("locations", "tariffs")
    limit: Annotated[int, Field(ge=1)] | None = None
    date_from: str | None = None
    date_to: str | None = None


class _Unobserved:
    """The sandbox counts by itself."""

    def request(self, hub: str, connection: str, operation: str, outcome: str, seconds: float) -> None:
        """Counts nothing."""

    def served(self, hub: str, connection: str, operation: str, status: int, seconds: float) -> None:
        """Counts nothing."""


class DriveFailed(Exception):
    """What the sandbox did by itself did not come about."""


class Peer:
    """The registration, and pulls over it.

    Args:
        token: CREDENTIALS_TOKEN_A; good for registering whenever no registration stands.
    """

    def __init__(self, sandbox: Sandbox, party: PartyId, token: str, page_cap: int) -> None:
        self._sandbox = sandbox
        self._party = party
        self._token_a = token
        self._page_cap = page_cap
        self._theirs: str | None = None
        """What the gateway presents to us."""
        self._ours: str | None = None
        """What we present to the gateway."""
        self._endpoints: dict[str, str] = {}
        self._opened: HubClient | None = None
        self.more_endpoints: Callable[[str], Sequence[Mapping[str, str]]] = lambda _origin: ()
        """Gives what else the version details name."""

    @property
    def _client(self) -> HubClient:
        if self._opened is None:
            self._opened = HubClient("gireve", "sandbox", _Unobserved(), timeout=timedelta(seconds=60))
        return self._opened

    async def close(self, _app: web.Application) -> None:
        """Closes the sockets."""
        if self._opened is not None:
            await self._opened.close()

    def lets_in(self, token: str, *, configuration: bool) -> bool:
        """Tells whether a token opens a functional module, or versions and credentials."""
        if self._theirs is not None and secrets.compare_digest(token.encode(), self._theirs.encode()):
            return configuration or self._ours is not None
        return configuration and self._ours is None and secrets.compare_digest(token.encode(), self._token_a.encode())

    # What a gateway calls

    def routes(self, served: Callable[[str, Callable[[web.Request], Awaitable[Any]]], Handler]) -> list[web.RouteDef]:
        """Gives the routes of the configuration modules."""
        return [
            web.get(f"{ROOT}/versions", served("versions", self._versions)),
            web.get(_BASE, served("versions", self._details)),
            web.get(f"{_BASE}/credentials", served("credentials", self._show)),
            web.post(f"{_BASE}/credentials", served("credentials", self._register)),
            web.put(f"{_BASE}/credentials", served("credentials", self._update)),
            web.delete(f"{_BASE}/credentials", served("credentials", self._unregister)),
        ]

    async def _versions(self, request: web.Request) -> list[dict[str, str]]:
        origin = request.url.origin()
        return [
            {"version": "2.1.1", "url": f"{origin}/ocpi/emsp/2.1.1"},
            {"version": ocpi.VERSION, "url": f"{origin}{_BASE}"},
        ]

    async def _details(self, request: web.Request) -> dict[str, Any]:
        origin = request.url.origin()
        # With and without a slash at the end, as platforms do.
        return {
            "version": ocpi.VERSION,
            "endpoints": [
                {"identifier": "credentials", "role": "SENDER", "url": f"{origin}{_BASE}/credentials"},
                {"identifier": "locations", "role": "RECEIVER", "url": f"{origin}{RECEIVER}/locations/"},
                {"identifier": "tariffs", "role": "RECEIVER", "url": f"{origin}{RECEIVER}/tariffs"},
                *self.more_endpoints(str(origin)),
            ],
        }

    def _credentials(self, request: web.Request, token: str) -> dict[str, Any]:
        role = {
            "role": "HUB",
            "business_details": {"name": "Sandbox IOP"},
            "party_id": self._party.code,
            "country_code": self._party.country,
        }
        return {"token": token, "url": f"{request.url.origin()}{ROOT}/versions", "roles": [role]}

    async def _show(self, request: web.Request) -> dict[str, Any]:
        return self._credentials(request, ocpi.presented_token(request.headers["Authorization"]) or "")

    async def _register(self, request: web.Request) -> dict[str, Any]:
        if self._ours is not None:
            raise Refusal(405, StatusCode.CLIENT_ERROR, "Already registered")
        wire = await request.json()
        if not isinstance(wire, dict) or not all(wire.get(name) for name in ("token", "url", "roles")):
            raise Wrong("token, url or roles is missing")
        try:
            endpoints = await self._read_gateway(wire["url"], wire["token"])
        except DriveFailed as failed:
            raise Wrong(str(failed)) from None
        self._theirs, self._ours, self._endpoints = secrets.token_urlsafe(24), wire["token"], endpoints
        return self._credentials(request, self._theirs)

    async def _update(self, _request: web.Request) -> dict[str, Any]:
        # Guide: "Gireve has not implemented the update of credentials".
        raise Refusal(405, StatusCode.CLIENT_ERROR, "Update is not implemented")

    async def _unregister(self, _request: web.Request) -> dict[str, Any]:
        if self._ours is None:
            raise Refusal(405, StatusCode.CLIENT_ERROR, "Not registered")
        self._forget()
        return {}

    def _forget(self) -> None:
        self._theirs = self._ours = None
        self._endpoints = {}

    # What it does by itself

    async def drive_register(self, request: web.Request) -> web.Response:
        """Registers with a gateway."""
        try:
            asked = _Register.model_validate_json(await request.read())
        except ValidationError as error:
            return web.json_response({"detail": str(error)}, status=400)
        before = self._theirs, self._ours, self._endpoints
        try:
            endpoints = await self._read_gateway(asked.versions_url, asked.token)
            presented = secrets.token_urlsafe(24)
            # The gateway calls back with it while it answers.
            self._theirs, self._ours = presented, None
            body = compact_json(self._credentials(request, presented))
            theirs = _token_in(_data(await self._ask("POST", endpoints["credentials"], asked.token, body)))
        except DriveFailed as failed:
            self._theirs, self._ours, self._endpoints = before
            return web.json_response({"detail": str(failed)}, status=502)
        self._ours, self._endpoints = theirs, endpoints
        return web.json_response({"registered": True})

    async def drive_unregister(self, _request: web.Request) -> web.Response:
        """Sends DELETE credentials, and forgets the registration whatever the gateway says."""
        if self._ours is None:
            return web.json_response({"detail": "not registered"}, status=409)
        reply = await self._ask("DELETE", self._endpoints["credentials"], self._ours)
        self._forget()
        status = reply.answer.status if reply.answer is not None else None
        return web.json_response({"status": status, "outcome": type(reply.outcome).__name__})

    async def drive_pull(self, request: web.Request) -> web.Response:
        """Pulls the gateway's Sender interfaces page by page, as `Link` leads."""
        try:
            asked = _Pull.model_validate_json(await request.read() or b"{}")
        except ValidationError as error:
            return web.json_response({"detail": str(error)}, status=400)
        if self._ours is None:
            return web.json_response({"detail": "not registered"}, status=409)
        told = {}
        try:
            for module in asked.modules:
                told[module] = await self._pull(module, asked)
        except DriveFailed as failed:
            return web.json_response({"detail": str(failed)}, status=502)
        return web.json_response(told)

    async def _pull(self, module: str, asked: _Pull) -> dict[str, Any]:
        endpoint = self._endpoints.get(f"{module}/SENDER")
        if endpoint is None:
            raise DriveFailed(f"the gateway has no endpoint {module}/SENDER")
        cap = min(self._page_cap, _CDR_PAGE) if module == "cdrs" else self._page_cap
        query = {"offset": "0", "limit": str(min(asked.limit or cap, cap))}
        query |= {name: value for name in ("date_from", "date_to") if (value := getattr(asked, name)) is not None}
        dated = len(query) > 2
        memory = self._sandbox.memory[_PULLED[module]]
        if not dated:
            memory.clear()  # all pages together are the new truth
        pages = objects = total = 0
        reordered = self._sandbox.faults.driving(FaultKind.REORDER, "GET", endpoint)
        waiting = [f"{endpoint}?{urlencode(query)}"]
        while waiting and pages < _MOST_PAGES:
            data, headers = await self._page(waiting.pop())
            total = int(headers["X-Total-Count"])
            pages += 1
            objects += len(data)
            for each in data:
                self._take(memory, module, each)
            if not reordered:
                waiting += [following] if (following := ocpi.next_page(headers)) is not None else []
            elif pages == 1:
                # The last page first: each offset is asked for once, whatever the links say.
                step = int(query["limit"])
                waiting = [f"{endpoint}?{urlencode(query | {'offset': str(at)})}" for at in range(step, total, step)]
        return {"pages": pages, "objects": objects, "total": total}

    async def _page(self, url: str) -> tuple[list[Any], Any]:
        repeats = self._sandbox.faults.driving(FaultKind.REPEAT, "GET", url)
        replies = [await self._ask("GET", url, self._ours or "", routed=True) for _ in range(1 + repeats)]
        found = [_data(reply) for reply in replies]
        if any(each != found[0] for each in found):
            raise DriveFailed(f"{url} answered another page when it was asked again")
        answer = replies[-1].answer
        if not isinstance(found[0], list) or answer is None:
            raise DriveFailed(f"{url} answered no list")
        if "X-Total-Count" not in answer.headers or "X-Limit" not in answer.headers:
            raise DriveFailed(f"{url} is not paginated")  # IOP ignores an answer that is not
        return found[0], answer.headers

    @staticmethod
    def _take(memory: dict[str, Any], module: str, wire: dict[str, Any]) -> None:
        if module == "locations":
            memory.update(exploded(wire))
            return
        owner = f"{wire['country_code']}*{wire['party_id']}"
        memory[tariff_key(wire, owner, wire["id"]) if module == "tariffs" else f"{owner}/{wire['id']}"] = wire

    async def _read_gateway(self, versions_url: str, token: str) -> dict[str, str]:
        listed = _data(await self._ask("GET", versions_url, token))
        url = next((each["url"] for each in listed if each.get("version") == ocpi.VERSION), None)
        if url is None:
            raise DriveFailed(f"the gateway does not offer {ocpi.VERSION}")
        details = _data(await self._ask("GET", url, token))
        found = {}
        for each in details["endpoints"]:
            name = each["identifier"]
            found[name if name == "credentials" else f"{name}/{each['role']}"] = each["url"]
        if "credentials" not in found:
            raise DriveFailed("the gateway has no endpoint credentials")
        return found

    async def call(
        self, method: str, endpoint: str, tail: str, body: Any, *, sender: PartyId, receiver: PartyId | None
    ) -> list[Reply]:
        """Sends a request to the gateway, twice with the same ids where the fault `repeat` says so.

        Args:
            endpoint: `module/ROLE`.
            tail: What follows the endpoint's URL.
            sender, receiver: Who speaks to whom.

        Raises:
            DriveFailed: No gateway is registered, or it has no such endpoint.
        """
        found = self._endpoints.get(endpoint)
        if self._ours is None or found is None:
            raise DriveFailed("not registered" if self._ours is None else f"the gateway has no endpoint {endpoint}")
        url, headers = ocpi.below(found, tail), ocpi.headers(self._ours, sender, receiver)
        repeats = self._sandbox.faults.driving(FaultKind.REPEAT, method, url)
        return [await self._send(method, url, headers, compact_json(body)) for _ in range(1 + repeats)]

    async def _ask(
        self, method: str, url: str, token: str, body: bytes | None = None, *, routed: bool = False
    ) -> Reply:
        return await self._send(method, url, ocpi.headers(token, sender=self._party if routed else None), body)

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        def understood(answer: Answer) -> Outcome:
            for name in (ocpi.REQUEST_ID, ocpi.CORRELATION_ID):
                if answer.headers.get(name) != headers[name]:
                    self._sandbox.counted("echo", f"{name} not echoed")
            return judge(answer, method, datetime.now(UTC))

        return await self._client.request("drive", method, url, judge=understood, body=body, headers=headers)


def _token_in(credentials: Any) -> str:
    token = credentials.get("token") if isinstance(credentials, dict) else None
    if not isinstance(token, str):
        raise DriveFailed("the gateway's credentials hold no token")
    return token


def _data(reply: Reply) -> Any:
    if not isinstance(reply.outcome, Delivered):
        raise DriveFailed(str(reply.outcome))
    try:
        return ocpi.data_of(reply)
    except ValueError as error:
        raise DriveFailed(str(error)) from None
