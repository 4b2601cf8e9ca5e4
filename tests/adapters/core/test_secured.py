"""A client whose certificates may be missing, renewed, or given up, against a server on loopback."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from adapters.core.http import Answer
from adapters.core.outcomes import Delivered, Misconfigured, NotSent, Outcome
from adapters.core.secured import SecuredClient
from adapters.core.tls import TlsSettings
from tests.adapters.doubles import Measured


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/slow":
            under_way.set()
            await released.wait()
        return web.Response()

    app = web.Application()
    app.router.add_get("/{rest:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


under_way, released = asyncio.Event(), asyncio.Event()


def client(tls: TlsSettings) -> SecuredClient:
    second = timedelta(seconds=5)
    return SecuredClient("hub", "hub-test", Measured(), tls, timeout=second, connect_timeout=second, limit=2)


async def ask(http: SecuredClient, url: str) -> Outcome:
    def delivered(_answer: Answer) -> Outcome:
        return Delivered()

    return (await http.request("op", "GET", url, judge=delivered)).outcome


async def test_files_that_are_not_there_are_named_and_looked_for_again(url: str, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    async with client(TlsSettings(ca_file=authority)) as http:
        missing = await ask(http, url)
        assert isinstance(missing, Misconfigured)
        assert "ca.pem" in missing.reason
        trustme.CA().cert_pem.write_to_path(authority)
        assert await ask(http, url) == Delivered()


async def test_a_renewal_lets_requests_under_way_end(url: str, tmp_path: Path) -> None:
    under_way.clear()
    released.clear()
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(authority)
    async with client(TlsSettings(ca_file=authority)) as http:
        slow = asyncio.create_task(ask(http, f"{url}/slow"))
        await under_way.wait()
        os.utime(authority, (1, 1))
        assert await ask(http, url) == Delivered()
        released.set()
        assert await slow == Delivered()


async def test_what_was_closed_sends_nothing_more(url: str) -> None:
    http = client(TlsSettings())
    assert await ask(http, url) == Delivered()
    await http.close()
    assert isinstance(await ask(http, url), NotSent)
