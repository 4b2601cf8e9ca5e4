"""Requests of the command line to a gateway, and how answers and refusals are read."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import ValidationError

from gateway.cli.answers import read
from gateway.http.problems import ProblemDocument

T = TypeVar("T")

_QUICK: Final = aiohttp.ClientTimeout(total=60)

LONG: Final = aiohttp.ClientTimeout(total=None, sock_connect=10)
"""A resynchronisation or a scope goes through the whole network before it answers; a file takes what it takes."""


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


class Wire:
    """One session of HTTP with a gateway.

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

    async def ask(self, kind: type[T], method: str, path: str, **options: Any) -> T:
        """Asks for a view.

        Args:
            options: Of aiohttp's request.

        Raises:
            ApiRefused: The gateway says no, or what answers is none.
            Unreachable: Nothing answers.
        """
        body = await self.answer(method, path, **options)
        try:
            return read(kind, body)
        except ValueError:
            raise self._no_gateway(path) from None

    async def answer(self, method: str, path: str, **options: Any) -> bytes:
        """Gives the body of an answer; raises as `ask`."""
        async with self._open(method, path, **options) as answer:
            body = await answer.read()
        if answer.status >= 400:
            raise _refusal(answer.status, body)
        return body

    async def stream(self, path: str, media: str, **options: Any) -> AsyncIterator[bytes]:
        """Gives an answer piece by piece as it comes; raises as `ask`, and `Unreachable` also where it breaks off."""
        async with self._open("GET", path, headers={"Accept": media}, **options) as answer:
            if answer.status >= 400:
                raise _refusal(answer.status, await answer.read())
            if answer.content_type != media:
                raise self._no_gateway(path)
            async for piece in answer.content.iter_any():
                yield piece

    @asynccontextmanager
    async def _open(self, method: str, path: str, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with self._session.request(method, self._url + path, **options) as answer:
                yield answer
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{self._url}: {error or type(error).__name__}") from error

    def _no_gateway(self, path: str) -> ApiRefused:
        return ApiRefused(200, None, f"{self._url}{path} is not answered by a gateway")


def path_of(*parts: object) -> str:
    """Gives a path below `/v1`."""
    return "/v1/" + "/".join(quote(str(part), safe="") for part in parts)


def given(**values: object) -> dict[str, Any]:
    """Gives what is not None: of a body, or as texts by `params`."""
    return {name: value for name, value in values.items() if value is not None}


def params(**values: object) -> Mapping[str, str]:
    """Gives parameters of a query, without those that are None."""
    return {name: _text(value) for name, value in given(**values).items()}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _refusal(status: int, body: bytes) -> ApiRefused:
    try:
        problem = ProblemDocument.model_validate_json(body)
    except ValidationError:
        return ApiRefused(status, None, f"HTTP {status}: {body[:200].decode(errors='replace')}")
    lines = [f"{problem.title}: {problem.detail}"]
    # One fault alone is the detail itself.
    lines += [f"  {one.field}: {one.detail}" for one in problem.errors if one.detail not in problem.detail]
    return ApiRefused(status, problem, "\n".join(lines))
