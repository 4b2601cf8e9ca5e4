"""A client of the north API, as far as the command line needs it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import ValidationError

from adapters.core.connection import Mode, Scope
from gateway.cli.answers import read
from gateway.http.problems import ProblemDocument
from gateway.http.v1.connections import ConnectionList, ExpectedToken
from gateway.http.v1.shapes import Count
from gateway.services.ports import (
    ConnectionView,
    DeadLetter,
    DeliveryState,
    DeliveryView,
    Difference,
    ImportReport,
    Letters,
    MessageFilter,
    MessageView,
    Page,
)
from gateway.services.ports.agreements import AgreementView
from mappings.canonical.ids import PartyId

T = TypeVar("T")

_QUICK: Final = aiohttp.ClientTimeout(total=60)
# A resynchronisation or a scope goes through the whole network before it answers; an import takes what it takes.
_LONG: Final = aiohttp.ClientTimeout(total=None, sock_connect=10)


class ApiRefused(Exception):
    """The gateway answered with a problem.

    Attributes:
        status: Of HTTP.
        problem: What it said; None where it was no gateway that answered.
    """

    def __init__(self, status: int, problem: ProblemDocument | None, text: str) -> None:
        self.status = status
        self.problem = problem
        super().__init__(text)


class Unreachable(Exception):
    """No answer came; the message says why."""


class Client:
    """One session with a gateway.

    Args:
        url: Of the gateway, `http://host:port`.
        key: An API key.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._key = key

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {self._key}"}, timeout=_QUICK)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def connections(self) -> Sequence[ConnectionView]:
        """Gives all connections."""
        return (await self._ask(ConnectionList, "GET", "/v1/connections")).items

    async def connection(self, name: str) -> ConnectionView:
        """Gives one connection."""
        return await self._ask(ConnectionView, "GET", _path(name))

    async def create(self, connection: Mapping[str, Any]) -> ConnectionView:
        """Adds a connection: name, hub, settings, and where they are not the default, mode and scope."""
        return await self._ask(ConnectionView, "POST", "/v1/connections", json=connection)

    async def agreements(self, connection: str | None, after: str | None, limit: int) -> Page[AgreementView]:
        """Gives a page of agreements."""
        params = _params(connection=connection, after=after, limit=limit)
        return await self._ask(Page[AgreementView], "GET", "/v1/agreements", params=params)

    async def agree(self, agreement: Mapping[str, Any]) -> AgreementView:
        """Adds an agreement; what is left out is not restricted."""
        return await self._ask(AgreementView, "POST", "/v1/agreements", json=agreement)

    async def end_agreement(self, agreement: int, at: str | None) -> AgreementView:
        """Ends an agreement, now unless a moment is given."""
        body = {} if at is None else {"at": at}
        return await self._ask(AgreementView, "POST", f"/v1/agreements/{agreement}/end", json=body)

    async def register(self, name: str, token: str) -> ConnectionView:
        """Registers with the hub's token."""
        return await self._ask(ConnectionView, "POST", _path(name, "register"), json={"token": token}, timeout=_LONG)

    async def expect(self, name: str) -> str:
        """Gives a token to hand to the hub."""
        return (await self._ask(ExpectedToken, "POST", _path(name, "expect"))).token

    async def unregister(self, name: str) -> ConnectionView:
        """Gives the credentials up."""
        return await self._ask(ConnectionView, "POST", _path(name, "unregister"), timeout=_LONG)

    async def adopt(self, name: str, credentials: Mapping[str, Any]) -> ConnectionView:
        """Takes a live connection over: token_ours, token_theirs, endpoints."""
        return await self._ask(ConnectionView, "POST", _path(name, "adopt"), json=credentials)

    async def set_mode(self, name: str, mode: Mode) -> ConnectionView:
        """Sets how far a connection goes."""
        return await self._ask(ConnectionView, "PUT", _path(name, "mode"), json={"mode": mode.value}, timeout=_LONG)

    async def set_scope(self, name: str, scope: Scope) -> ConnectionView:
        """Sets what a connection carries."""
        body = scope.model_dump(mode="json")
        return await self._ask(ConnectionView, "PUT", _path(name, "scope"), json=body, timeout=_LONG)

    async def set_settings(self, name: str, settings: Mapping[str, Any]) -> ConnectionView:
        """Sets the hub's own settings."""
        return await self._ask(ConnectionView, "PUT", _path(name, "settings"), json=settings, timeout=_LONG)

    async def remove(self, name: str) -> None:
        """Removes a connection."""
        await self._answer("DELETE", _path(name))

    async def pause(self, name: str, why: str) -> ConnectionView:
        """Stops a connection."""
        return await self._ask(ConnectionView, "POST", _path(name, "pause"), json={"why": why})

    async def resume(self, name: str) -> ConnectionView:
        """Lets a paused connection go on."""
        return await self._ask(ConnectionView, "POST", _path(name, "resume"))

    async def resync(self, name: str) -> int:
        """Asks for everything again; gives the number of projections."""
        return (await self._ask(Count, "POST", _path(name, "resync"), timeout=_LONG)).count

    async def difference(self, name: str, operation: str | None, after: str | None, limit: int) -> Difference:
        """Gives what a hub does not have."""
        params = _params(operation=operation, after=after, limit=limit)
        return await self._ask(Difference, "GET", _path(name, "difference"), params=params)

    async def deliveries(
        self, connection: str | None, state: DeliveryState | None, after: str | None, limit: int
    ) -> Page[DeliveryView]:
        """Gives a page of deliveries."""
        params = _params(connection=connection, state=state, after=after, limit=limit)
        return await self._ask(Page[DeliveryView], "GET", "/v1/deliveries", params=params)

    async def messages(self, which: MessageFilter, after: str | None, limit: int) -> Page[MessageView]:
        """Gives a page of messages."""
        params = _params(
            connection=which.connection,
            webhook=which.webhook,
            state=which.state,
            key=which.key,
            after=after,
            limit=limit,
        )
        return await self._ask(Page[MessageView], "GET", "/v1/deliveries/messages", params=params)

    async def dead_letters(self, connection: str | None, after: str | None, limit: int) -> Page[DeadLetter]:
        """Gives a page of dead letters."""
        params = _params(connection=connection, after=after, limit=limit)
        return await self._ask(Page[DeadLetter], "GET", "/v1/dead-letters", params=params)

    async def replay(self, letters: Letters) -> int:
        """Tries dead letters again; gives how many."""
        given = {"ids": list(letters.ids) or None, "connection": letters.connection, "webhook": letters.webhook}
        body = {name: value for name, value in given.items() if value is not None}
        return (await self._ask(Count, "POST", "/v1/dead-letters/replay", json=body, timeout=_LONG)).count

    async def discard(self, ids: Sequence[int], why: str) -> int:
        """Gives dead letters up; gives how many."""
        body = {"ids": list(ids), "why": why}
        return (await self._ask(Count, "POST", "/v1/dead-letters/discard", json=body)).count

    async def import_file(self, content: AsyncIterator[bytes], filename: str, party: PartyId | None) -> ImportReport:
        """Streams a file."""
        params = _params(filename=filename, party=party.normal if party else None)
        headers = {"Content-Type": "application/octet-stream"}
        return await self._ask(
            ImportReport, "POST", "/v1/imports", params=params, data=content, headers=headers, timeout=_LONG
        )

    async def _ask(self, kind: type[T], method: str, path: str, **options: Any) -> T:
        status, body = await self._answer(method, path, **options)
        try:
            return read(kind, body)
        except ValueError:
            raise ApiRefused(status, None, f"{self._url}{path} is not answered by a gateway") from None

    async def _answer(self, method: str, path: str, **options: Any) -> tuple[int, bytes]:
        try:
            async with self._session.request(method, self._url + path, **options) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{self._url}: {error or type(error).__name__}") from error
        if answer.status >= 400:
            raise _refusal(answer.status, body)
        return answer.status, body


def _path(name: str, what: str = "") -> str:
    return f"/v1/connections/{quote(name, safe='')}" + (f"/{what}" if what else "")


def _params(**given: object) -> dict[str, str]:
    return {name: str(value) for name, value in given.items() if value is not None}


def _refusal(status: int, body: bytes) -> ApiRefused:
    try:
        problem = ProblemDocument.model_validate_json(body)
    except ValidationError:
        return ApiRefused(status, None, f"HTTP {status}: {body[:200].decode(errors='replace')}")
    lines = [f"{problem.title}: {problem.detail}"]
    # One fault alone is the detail itself.
    lines += [f"  {one.field}: {one.detail}" for one in problem.errors if one.detail not in problem.detail]
    return ApiRefused(status, problem, "\n".join(lines))
