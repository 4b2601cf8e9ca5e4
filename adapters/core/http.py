"""The one HTTP client towards hubs.

It sends a request once, reads a bounded answer, and says what is known when there is none: `NotSent` while no byte of
the request can have left, `OutcomeUnknown` afterwards. Repeating is the outbox's business, which is why aiohttp's own
repeat is switched off here. Each request is measured once, with the outcome that the adapter read out of the answer.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any, Self

import aiohttp
import pydantic_core
from yarl import URL

from adapters.core.inbound import Observer
from adapters.core.outcomes import Misconfigured, NotSent, Outcome, OutcomeUnknown, label

MAX_ANSWER = 8 * 1024 * 1024
"""Default bound on an answer's body, bytes after decompression."""

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def compact_json(value: Any) -> bytes:
    """Writes JSON without white space, UTF-8; a firewall of Gireve's is known to reject line breaks."""
    return pydantic_core.to_json(value, inf_nan_mode="constants")


def holds_nul(body: bytes) -> bool:
    """Tells whether a text in JSON holds NUL, which is lawful there and nowhere in PostgreSQL."""
    return b"\\u0000" in body and _NUL.search(body) is not None


def read_json(body: bytes) -> Any:
    """Parses what a hub says.

    Raises:
        ValueError: It is no JSON, is nested too deep, or a text in it holds NUL.
    """
    if holds_nul(body):
        raise ValueError("a text holds NUL")
    return pydantic_core.from_json(body, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a hub answered, whatever it says.

    Attributes:
        headers: Names compare without regard to case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Parses the body.

        Raises:
            ValueError: It is no JSON.
        """
        return read_json(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """A request's outcome, and the answer where there was one."""

    outcome: Outcome
    answer: Answer | None


class HubClient:
    """Requests to one hub over one connection. Made in the event loop, closed by `close`.

    Args:
        hub: Name for the metrics.
        connection: The connection's name, for the metrics.
        timeout: Bound on a request, from its start until the answer is read.
        connect_timeout: Bound on getting a socket with TLS agreed; no longer than `timeout`.
        ssl_context: Certificates to show and to trust; None for the system's trust and none of ours.
        limit: Most sockets open at once. Give at least the requests that run at once: waiting for a socket counts
            against `connect_timeout`.
        max_answer: Bound on an answer's body, bytes after decompression.
        user_agent: What the hub's logs shall show.
    """

    def __init__(
        self,
        hub: str,
        connection: str,
        observer: Observer,
        *,
        timeout: timedelta,
        connect_timeout: timedelta = timedelta(seconds=5),
        ssl_context: ssl.SSLContext | None = None,
        limit: int = 100,
        max_answer: int = MAX_ANSWER,
        user_agent: str = "roamgate",
    ) -> None:
        self._hub = hub
        self._connection = connection
        self._observer = observer
        self._max_answer = max_answer
        self._seconds = timeout.total_seconds()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limit, ssl=ssl_context if ssl_context is not None else True),
            timeout=aiohttp.ClientTimeout(
                total=self._seconds, connect=min(connect_timeout.total_seconds(), self._seconds)
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": user_agent, "Accept": "application/json"},
            trust_env=False,
        )
        # aiohttp repeats GET, PUT and DELETE once when a kept-alive connection was cut, without telling: a hub would
        # see a request twice that is counted once. There is no public switch; a test with a cutting server guards it.
        self._session._retry_connection = False  # noqa: SLF001

    async def request(
        self,
        operation: str,
        method: str,
        url: str,
        *,
        judge: Callable[[Answer], Outcome],
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Sends one request, once; redirects are not followed, so that a token goes nowhere else.

        Args:
            operation: For the metrics.
            url: Absolute, already encoded.
            judge: Reads the outcome out of an answer. Where it raises, the request counts as of unknown outcome.
            body: JSON text; `Content-Type` is set if there is one.
        """
        sent = dict(headers or {})
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        outcome: Outcome = OutcomeUnknown("given up")  # stands when the task is cancelled
        began = time.perf_counter()
        try:
            answer = await self._exchange(method, url, body, sent)
            if not isinstance(answer, Answer):
                outcome = answer
                return Reply(outcome, None)
            outcome = judge(answer)
            return Reply(outcome, answer)
        finally:
            seconds = time.perf_counter() - began
            self._observer.request(self._hub, self._connection, operation, label(outcome), seconds)

    async def _exchange(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer | NotSent | OutcomeUnknown | Misconfigured:
        try:
            parsed = URL(url, encoded=True)
            _ = parsed.port  # read only now, and maybe no number
        except ValueError as error:
            return NotSent(f"the URL is malformed: {error}")
        try:
            async with self._session.request(
                method, parsed, data=body, headers=headers, allow_redirects=False
            ) as response:
                chunks: list[bytes] = []
                size = 0
                async for chunk in response.content.iter_any():
                    size += len(chunk)
                    if size > self._max_answer:
                        return OutcomeUnknown(f"HTTP {response.status} with more than {self._max_answer} bytes")
                    chunks.append(chunk)
                return Answer(response.status, response.headers, b"".join(chunks))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return classify(error, self._seconds)

    async def close(self) -> None:
        """Closes the sockets."""
        await self._session.close()
        # Transports close on the next turns of the loop; without them Python warns of sockets left open.
        await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def classify(error: Exception, timeout: float) -> NotSent | OutcomeUnknown | Misconfigured:
    """Says what is known of a request that ended in an error of aiohttp, by when the error can occur.

    Args:
        timeout: The request's bound in seconds, for the words.
    """
    match error:
        case aiohttp.InvalidURL():
            return NotSent("the URL is malformed")
        case aiohttp.ConnectionTimeoutError():
            return NotSent("no connection in time")
        case aiohttp.ClientConnectorError():  # refused, unreachable, no such name, TLS not agreed
            return NotSent(f"no connection: {error}")
        case TimeoutError():
            return OutcomeUnknown(f"no answer in {timeout:g} s")
        case _:
            # TLS 1.3 tells of a client certificate that is missing or not trusted only after the handshake, as an
            # alert on the first read.
            tls = error if isinstance(error, ssl.SSLError) else error.__cause__
            if isinstance(tls, ssl.SSLError) and "ALERT" in (tls.reason or ""):
                return Misconfigured(f"TLS: {(tls.reason or '').lower().replace('_', ' ')}")
            # Of an answer that is no HTTP, aiohttp's text holds the URL, which may name a driver.
            text = error.message.partition("\n")[0] if isinstance(error, aiohttp.ClientResponseError) else error
            return OutcomeUnknown(f"broken off: {type(error).__name__}: {text}")


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Reads `Retry-After`, seconds or a date (RFC 9110, 10.2.3); None if absent or senseless, zero if past."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text), 86_400))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(at - now, timedelta(0)), timedelta(days=1))


class UrlRefused(ValueError):
    """A partner handed us a URL that we do not call."""


def checked_url(url: str, allowed_hosts: Collection[str], *, sandbox: bool = False) -> str:
    """Gives back a URL that a partner handed us, if it may be called.

    Args:
        allowed_hosts: Host names, lower case; the connection's allow list.
        sandbox: Loopback and other addresses that are not of the public network may be called, by http too, and need
            not be on the list. Elsewhere they are never called, not even if they are on it.

    Raises:
        UrlRefused: It is not https, names no allowed host, carries a user name, or is no URL.
    """
    try:
        parsed = URL(url)
        host, _ = (parsed.host or "").lower(), parsed.port
    except ValueError:
        raise UrlRefused("not a URL") from None
    if parsed.user is not None or parsed.password is not None:
        raise UrlRefused("a user name in a URL is not allowed")
    internal = _is_internal(host)
    if internal and not sandbox:
        raise UrlRefused("a loopback or private address is called in a sandbox only")
    if parsed.scheme != "https" and not (internal and parsed.scheme == "http"):
        raise UrlRefused("only https is called")
    if not internal and host not in allowed_hosts:
        raise UrlRefused(f"host {host!r} is not on the connection's allow list")
    return url


def _is_internal(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return not (getattr(address, "ipv4_mapped", None) or address).is_global
