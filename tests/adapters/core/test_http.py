"""The HTTP client against real servers on loopback, some of which misbehave at the level of sockets."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from adapters.core.http import (
    Answer,
    HubClient,
    UrlRefused,
    checked_url,
    compact_json,
    read_json,
    retry_after,
)
from adapters.core.outcomes import Delivered, Misconfigured, NotSent, Outcome, OutcomeUnknown
from tests.adapters.doubles import Measured
from tests.adapters.impatient import once_connected

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def delivered(_answer: Answer) -> Outcome:
    return Delivered()


@asynccontextmanager
async def listening(serve: Serve, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Runs a server that speaks bytes."""

    async def tidy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(tidy, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{port}"
    finally:
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def client(**options: object) -> AsyncIterator[tuple[HubClient, Measured]]:
    measured = Measured()
    fields = {"timeout": timedelta(seconds=5)} | options
    async with HubClient("hub", "hub-test", measured, **fields) as made:  # type: ignore[arg-type]
        yield made, measured


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), b":0")
    return head + await reader.readexactly(int(length.split(b":")[1]))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "POST"])
async def test_a_request_is_not_repeated_when_a_kept_alive_connection_is_cut(method: str) -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await _read(reader))
        writer.write(OK)
        await writer.drain()
        seen.append(await _read(reader))  # and cut without an answer

    async with listening(serve) as url, client() as (http, measured):
        first = await http.request("op", method, url, judge=delivered)
        second = await http.request("op", method, url, judge=delivered)
    assert first.outcome == Delivered()
    assert isinstance(second.outcome, OutcomeUnknown)
    assert len(seen) == 2
    assert [each.outcome for each in measured.requests] == ["delivered", "outcome_unknown"]


async def test_a_request_carries_compact_json_and_its_type() -> None:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await _read(reader))
        writer.write(OK)
        await writer.drain()

    async with listening(serve) as url, client() as (http, _):
        body = compact_json({"a": [1, 2.5, None], "b": "é"})
        await http.request("op", "PUT", f"{url}/x%2Fy?a=b", judge=delivered, body=body, headers={"X-Own": "1"})
    head, _, sent = seen[0].partition(b"\r\n\r\n")
    assert sent == '{"a":[1,2.5,null],"b":"é"}'.encode()
    assert b"PUT /x%2Fy?a=b HTTP/1.1" in head
    assert b"Content-Type: application/json" in head
    assert b"X-Own: 1" in head
    assert b"Cookie" not in head


async def test_nobody_listening_is_not_sent() -> None:
    with socket.socket() as bound:  # so that nobody else listens there by chance
        bound.bind(("127.0.0.1", 0))
        async with client() as (http, measured):
            url = f"http://127.0.0.1:{bound.getsockname()[1]}"
            reply = await http.request("op", "PUT", url, judge=delivered)
    assert isinstance(reply.outcome, NotSent)
    assert reply.answer is None
    assert [each.outcome for each in measured.requests] == ["not_sent"]


async def test_a_name_that_does_not_resolve_is_not_sent() -> None:
    async with client() as (http, _):
        reply = await http.request("op", "PUT", "http://name.invalid/", judge=delivered)
    assert isinstance(reply.outcome, NotSent)


@pytest.mark.parametrize("url", ["http://", "http:///x", "nothing", "http://host:port/"])
async def test_a_malformed_url_is_not_sent(url: str) -> None:
    async with client() as (http, _):
        assert isinstance((await http.request("op", "PUT", url, judge=delivered)).outcome, NotSent)


async def _never(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    raise AssertionError("nobody should come")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ],
)
async def test_a_broken_answer_leaves_the_outcome_unknown(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        writer.write(answer)
        await writer.drain()

    async with listening(serve) as url, client() as (http, _):
        assert isinstance((await http.request("op", "PUT", url, judge=delivered, body=b"{}")).outcome, OutcomeUnknown)


async def test_no_answer_in_time_is_unknown() -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        await ended.wait()

    async with listening(serve) as url, client(timeout=timedelta(seconds=0.1)) as (http, measured):

        async def put() -> Outcome:
            return (await http.request("op", "PUT", url, judge=delivered)).outcome

        tried = await once_connected(put)
        ended.set()
    assert tried.outcome == OutcomeUnknown("no answer in 0.1 s")
    assert [each.outcome for each in measured.requests] == ["not_sent"] * (tried.number - 1) + ["outcome_unknown"]


async def test_a_socket_that_does_not_come_free_in_time_is_not_sent() -> None:
    came, ended = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        came.set()
        await ended.wait()
        writer.write(OK)
        await writer.drain()

    options = {"limit": 1, "connect_timeout": timedelta(seconds=0.2), "timeout": timedelta(seconds=60)}
    async with listening(serve) as url, client(**options) as (http, _):

        async def put() -> Outcome:
            return (await http.request("op", "PUT", url, judge=delivered)).outcome

        held = asyncio.create_task(once_connected(put))
        async with asyncio.timeout(60):
            await came.wait()
        assert isinstance(await put(), NotSent)
        ended.set()
        assert (await held).outcome == Delivered()


async def test_an_answer_beyond_the_bound_is_unknown_and_not_read() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 100_000)
        await writer.drain()

    async with listening(serve) as url, client(max_answer=1000) as (http, _):
        reply = await http.request("op", "GET", url, judge=delivered)
    assert reply.outcome == OutcomeUnknown("HTTP 200 with more than 1000 bytes")


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        writer.write(b"HTTP/1.1 307 Go\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()

    async with listening(serve) as url, client() as (http, _):
        reply = await http.request("op", "GET", url, judge=delivered)
    assert reply.answer is not None
    assert reply.answer.status == 307


async def test_a_request_that_is_given_up_is_measured_as_unknown() -> None:
    arrived = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await _read(reader)
        arrived.set()
        await reader.read()

    async with listening(serve) as url, client() as (http, measured):
        task = asyncio.create_task(http.request("op", "PUT", url, judge=delivered))
        await arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [each.outcome for each in measured.requests] == ["outcome_unknown"]


async def test_a_server_whose_certificate_is_not_trusted_is_not_sent_to() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with listening(_never, context) as url, client() as (http, _):
        assert isinstance((await http.request("op", "PUT", url, judge=delivered)).outcome, NotSent)


def _turn_away(listener: socket.socket, context: ssl.SSLContext) -> None:
    """Serves one connection without asyncio, whose TLS forgets to send the alert that ends a handshake."""
    plain, _ = listener.accept()
    with context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as tls:
        with suppress(ssl.SSLError):
            tls.do_handshake()
        tls.shutdown(socket.SHUT_WR)
        while tls.recv(4096):  # or the system would answer what is unread with a reset, which overtakes the alert
            pass


async def test_a_missing_client_certificate_is_a_matter_for_somebody() -> None:
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    context.verify_mode = ssl.CERT_REQUIRED
    ca.configure_trust(context)
    ours = ssl.create_default_context()
    ca.configure_trust(ours)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        async with client(ssl_context=ours) as (http, _):
            turning_away = asyncio.create_task(asyncio.to_thread(_turn_away, listener, context))
            outcome = (await http.request("op", "PUT", url, judge=delivered)).outcome
            await turning_away
    assert isinstance(outcome, Misconfigured)
    assert "certificate" in outcome.reason


NOW = datetime(2026, 6, 7, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("Sun, 07 Jun 2026 12:01:00 GMT", 60),
        ("Sun, 07 Jun 2026 11:00:00 GMT", 0),
        ("99999999999999999999", 86_400),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_forms_and_bounded(text: str, seconds: int | None) -> None:
    expected = None if seconds is None else timedelta(seconds=seconds)
    assert retry_after({"Retry-After": text}, NOW) == expected


def test_an_answer_nested_too_deep_is_no_json() -> None:
    with pytest.raises(ValueError, match="recursion"):
        read_json(b"[" * 10_000 + b"]" * 10_000)


def test_a_text_with_nul_is_nothing_that_we_could_keep() -> None:
    for body in (rb'"\u0000"', rb'{"a": ["b\\\u0000"]}', rb'{"\u0000": 1}'):
        with pytest.raises(ValueError, match="NUL"):
            read_json(body)
    assert read_json(rb'"\\u0000"') == r"\u0000"


@pytest.mark.parametrize(
    "url",
    [
        "http://iop.example/x",
        "ftp://iop.example/x",
        "https://other.example/x",
        "https://user@iop.example/x",
        "https://iop.example@evil.example/x",
        "https://iop.example.evil.example/",
        "https://127.0.0.1/x",
        "http://localhost:8080/",
        "https://[::1]/",
        "https://10.0.0.7/",
        "https://192.168.1.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.7]/",
        "https://[fd00::1]/",
        "https://0.0.0.0/",
        "//iop.example/x",
        "iop.example",
        "",
        "https://iop.example:port/",
    ],
)
def test_a_partners_url_is_refused_unless_https_and_on_the_list(url: str) -> None:
    with pytest.raises(UrlRefused):
        checked_url(url, {"iop.example", "10.0.0.7", "::ffff:10.0.0.7"})


def test_a_url_on_the_list_is_given_back_as_it_is() -> None:
    assert checked_url("https://IOP.example:8443/a/", {"iop.example"}) == "https://IOP.example:8443/a/"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/", "https://localhost/", "http://[::1]:1/", "http://10.0.0.7/"])
def test_loopback_and_private_addresses_are_called_in_a_sandbox(url: str) -> None:
    assert checked_url(url, set(), sandbox=True) == url


def test_a_sandbox_still_calls_nothing_else_by_http() -> None:
    with pytest.raises(UrlRefused):
        checked_url("http://iop.example/", {"iop.example"}, sandbox=True)
