"""The sandbox Hubject passes EMPs' commands on over mutual TLS, as the real one does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.core.tls import ListenerTls, client_context
from adapters.hubject import HUB
from adapters.hubject.sandbox import Running
from mappings.canonical.commands import CancelReservation, CommandAnswer, CommandResult, StartSession, StopSession
from tests.adapters.doubles import Measured, Network, Orders, Tokens, connection, gateway
from tests.adapters.hubject.network import settings

DRIVER = {"evse": "FR*HUB*E1", "contract": "DE-EMP-C12345678-X", "provider": "DE-EMP"}


@asynccontextmanager
async def cpo(hub: Running, orders: Orders, **changes: Any) -> AsyncIterator[str]:
    """A gateway that knows the sandbox by its certificate; gives its URL for the connection."""
    assert hub.certificates is not None
    own = {"sandbox": True, "hub_certificates": [{"fingerprint": hub.certificates.hub.fingerprint()}]}
    made = connection("hubject", settings(**(own | changes)).model_dump(mode="json"))
    app = web.Application()
    assert HUB.routes is not None
    app.add_routes(HUB.routes(gateway(Network([]), Tokens(made), Measured(), "https://gateway.test", commands=orders)))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    shown = hub.certificates.server
    tls = ListenerTls(hub.certificates.authority, shown.certificate, shown.key).context
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}/oicp/{made.name}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def control(secured: Running) -> AsyncIterator[aiohttp.ClientSession]:
    context = client_context(secured.certificates.authority, None, None)
    async with aiohttp.ClientSession(secured.url, connector=aiohttp.TCPConnector(ssl=context)) as session:
        yield session


async def drive(control: aiohttp.ClientSession, what: str, body: dict[str, Any]) -> dict[str, Any]:
    async with control.post(f"/_sandbox/{what}", json=body) as answer:
        assert answer.status == 200, await answer.text()
        said: dict[str, Any] = await answer.json()
        return said


async def test_a_charge_is_started_and_stopped_and_a_reservation_made_and_given_up(
    secured: Running, control: aiohttp.ClientSession
) -> None:
    orders = Orders()
    async with cpo(secured, orders) as url:
        started = await drive(control, "remote-start", DRIVER | {"url": url})
        assert started["Result"] is True
        stopped = await drive(control, "remote-stop", {"session": started["SessionID"], "url": url})
        assert stopped["Result"] is True
        reserved = await drive(control, "reserve", DRIVER | {"url": url, "minutes": 20})
        assert (await drive(control, "cancel-reservation", {"session": reserved["SessionID"], "url": url}))["Result"]
        orders.answer = CommandAnswer(result=CommandResult.EVSE_OCCUPIED)
        refused = await drive(control, "remote-start", DRIVER | {"url": url})
        assert (refused["Result"], refused["StatusCode"]["Code"]) == (False, "602")
    first, second, _, fourth, _ = (command for _, command in orders.performed)
    assert isinstance(first, StartSession)
    assert first.leg.hub_session == started["SessionID"]
    assert isinstance(second, StopSession)
    assert second.session == started["SessionID"]
    assert isinstance(fourth, CancelReservation)
    assert fourth.reservation == reserved["SessionID"]


async def test_a_gateway_that_knows_another_certificate_lets_nothing_be_done(
    secured: Running, control: aiohttp.ClientSession
) -> None:
    orders = Orders()
    async with cpo(secured, orders, hub_certificates=[{"fingerprint": "00" * 32}]) as url:
        said = await drive(control, "remote-start", DRIVER | {"url": url})
        assert (said["Result"], said["StatusCode"]["Code"]) == (False, "017")
    assert orders.performed == []
