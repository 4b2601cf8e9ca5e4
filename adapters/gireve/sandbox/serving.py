"""What holds for every request that partners make to the sandbox IOP: who they are, what they may, how it answers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, Protocol

from aiohttp import web

from adapters.core import ocpi
from adapters.core.faults import Handler
from adapters.core.http import read_json
from adapters.core.sandbox import Sandbox
from adapters.gireve.sandbox.checks import Refusal, Wrong
from adapters.gireve.sandbox.platforms import CPO, Platform, Platforms, Role
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode

ROOT = "/ocpi"
RECEIVER = f"{ROOT}/receiver/{ocpi.VERSION}"
SENDER = f"{ROOT}/sender/{ocpi.VERSION}"
_PLATFORM = web.RequestKey("platform", Platform)
_CONFIGURATION = frozenset({"versions", "credentials"})


class Given(NamedTuple):
    """An answer's data, with headers of its own, and perhaps another HTTP status than 200."""

    data: Any
    headers: Mapping[str, str] = {}
    status: int = 200


class Serve(Protocol):
    """Wraps a handler in what holds for every request; see `Serving.served`."""

    def __call__(
        self,
        operation: str,
        handle: Callable[[web.Request], Awaitable[Any]],
        *,
        role: Role = CPO,
        to_others: bool = False,
    ) -> Handler:
        """Gives the handler to route to."""
        ...


class Serving:
    """The checks and the envelope.

    Args:
        party: IOP's own.
        operators: CPOs under contract; empty for any.
    """

    def __init__(self, sandbox: Sandbox, platforms: Platforms, party: PartyId, operators: frozenset[PartyId]) -> None:
        self._sandbox = sandbox
        self._platforms = platforms
        self._party = party
        self._operators = operators

    def served(
        self,
        operation: str,
        handle: Callable[[web.Request], Awaitable[Any]],
        *,
        role: Role = CPO,
        to_others: bool = False,
    ) -> Handler:
        """Wraps a handler.

        Args:
            operation: For the counts.
            role: In which a party makes the request.
            to_others: The request may be addressed to a party behind IOP as well.
        """

        async def serve(request: web.Request) -> web.StreamResponse:
            extra: Mapping[str, str] = {}
            succeeded = 200
            try:
                self._check(request, operation, role, to_others=to_others)
                data = await handle(request)
                if isinstance(data, Given):
                    data, extra, succeeded = data
            except Refusal as refusal:
                status, code, text = refusal.status, refusal.code, str(refusal)
            except (Wrong, ValueError) as wrong:
                status, code, text = 400, int(StatusCode.INVALID_PARAMETERS), str(wrong)
            else:
                self._sandbox.counted(operation, "ok")
                return ocpi.answered(request, self._sandbox.wall(), data, status=succeeded, extra=extra)
            self._sandbox.counted(operation, f"{status} {code} {text}"[:200])
            return ocpi.answered(request, self._sandbox.wall(), code=code, status=status, message=text)

        return serve

    def _check(self, request: web.Request, operation: str, role: Role, *, to_others: bool) -> None:
        token = ocpi.presented_token(request.headers.get("Authorization"))
        configuration = operation in _CONFIGURATION
        platform = self._platforms.of_token(token, configuration=configuration) if token is not None else None
        if platform is None:
            raise Refusal(401, StatusCode.CLIENT_ERROR, "Unknown token")
        request[_PLATFORM] = platform
        for name in (ocpi.REQUEST_ID, ocpi.CORRELATION_ID):
            if not request.headers.get(name):
                raise Wrong(f"Missing header {name}")
        if configuration:
            return
        self._check_route(request, platform, role, to_others=to_others)

    def _check_route(self, request: web.Request, platform: Platform, role: Role, *, to_others: bool) -> None:
        sender, receiver = sender_of(request), receiver_of(request)
        if receiver != self._party and not to_others:
            raise Refusal(400, StatusCode.UNKNOWN_RECEIVER, f"Unknown receiver {receiver}")
        if role not in platform.provision.roles:
            # Guide, Multi-tenant and multi-role capability: forbidden requests are rejected.
            raise Refusal(403, StatusCode.CLIENT_ERROR, f"{sender} is not configured as {role}")
        if role == CPO and self._operators and sender not in self._operators:
            raise Wrong(f"Unknown operator {sender}")
        if "code" in request.match_info and sender != owner_of(request):
            raise Wrong(f"The object is not one of {sender}")
        platform.speaks_for(sender, role)


def platform_of(request: web.Request) -> Platform:
    """Whose token came with a request."""
    return request[_PLATFORM]


def sender_of(request: web.Request) -> PartyId:
    """Who makes a request.

    Raises:
        Wrong: No header says it.
    """
    return _routed(request, ocpi.FROM_COUNTRY, ocpi.FROM_PARTY)


def receiver_of(request: web.Request) -> PartyId:
    """To whom a request is addressed.

    Raises:
        Wrong: No header says it.
    """
    return _routed(request, ocpi.TO_COUNTRY, ocpi.TO_PARTY)


def _routed(request: web.Request, country: str, code: str) -> PartyId:
    party = ocpi.party_in(request.headers, country, code)
    if party is None:
        raise Wrong("Missing routing headers")
    return party


def owner_of(request: web.Request) -> PartyId:
    """Whose object the URL names.

    Raises:
        Wrong: It names no party.
    """
    try:
        return PartyId.of(request.match_info["country"], request.match_info["code"])
    except ValueError as error:
        raise Wrong(str(error)) from None


async def body_of(request: web.Request) -> Any:
    """Reads a body.

    Raises:
        Refusal: It is not said to be JSON.
        ValueError: It is none.
    """
    if request.content_type != "application/json":
        raise Refusal(415, StatusCode.CLIENT_ERROR, "Content-Type is not application/json")
    return read_json(await request.read())


def correlation_of(request: web.Request) -> str | None:
    """What ties the requests together that follow from one."""
    return request.headers.get(ocpi.CORRELATION_ID)


def problem(status: int, text: str) -> web.Response:
    """Refuses a control request."""
    return web.json_response({"detail": text}, status=status)
