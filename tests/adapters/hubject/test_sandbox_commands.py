"""The sandbox has commands of EMPs carried out, and judges what is answered."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.core.tls import client_context, server_context
from adapters.hubject import HUB
from adapters.hubject.sandbox import HubjectSandbox, Partner, run
from adapters.hubject.sandbox.certificates import HUB_NAME
from tests.adapters.doubles import Measured, Network, Orders, Tokens, connection, gateway
from tests.adapters.hubject.charging import (
    CDR,
    DRIVER,
    EVCO,
    NOTE,
    UNKNOWN,
    Hub,
    cdr,
    note,
    push,
)
from tests.adapters.hubject.network import HUB_CPO, settings
from tests.oicp_schema import faults_of_charge

# Commands


@dataclass
class Cpo:
    """A gateway that says what a test has it say, and remembers what it was commanded."""

    url: str = ""
    says: Any = None
    status: int = 200
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    shown: list[Any] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        self.shown.append(request.transport.get_extra_info("peercert"))
        self.heard.append((request.path, await request.json()))
        said = self.says[len(self.heard) - 1] if isinstance(self.says, list) else self.says
        raw = said if isinstance(said, bytes) else json.dumps(said or acknowledged("000")).encode()
        # Not a `Response`: what a gateway may never say is said here on purpose, and those are judged.
        answer = web.StreamResponse(status=self.status, headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        await answer.write(raw)
        await answer.write_eof()
        return answer


def acknowledged(code: str) -> dict[str, Any]:
    return {"Result": code == "000", "StatusCode": {"Code": code}, "CPOPartnerSessionID": "cpo-1"}


@asynccontextmanager
async def commanded(context: ssl.SSLContext | None = None) -> AsyncIterator[Cpo]:
    cpo = Cpo()
    app = web.Application()
    app.router.add_post("/oicp/hubject/{tail:.*}", cpo.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    scheme = "http" if context is None else "https"
    cpo.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}/oicp/hubject"
    try:
        yield cpo
    finally:
        await runner.cleanup()


@pytest.fixture
async def cpo(hbs: Hub) -> AsyncIterator[Cpo]:
    async with commanded() as made:
        hbs.running.sandbox.gateway = made.url
        yield made


REMOTE = {"evse": "FR*HUB*E1", "contract": EVCO, "provider": "NL-EMS"}


async def drive(hbs: Hub, what: str, **body: Any) -> dict[str, Any]:
    _, answer = await hbs.post(f"/_sandbox/{what}", body)
    assert isinstance(answer, dict)
    return answer


async def test_a_remote_start_reaches_the_gateway_and_its_session_goes_on(hbs: Hub, cpo: Cpo) -> None:
    answer = await drive(hbs, "remote-start", **REMOTE, emp_session="emp-1", product="AC3")
    ((path, body),) = cpo.heard
    assert path == "/oicp/hubject/charging/v21/providers/NL-EMS/authorize-remote/start"
    assert faults_of_charge("eRoamingAuthorizeRemoteStart", body) == []
    assert (answer["Result"], answer["SessionID"]) == (True, body["SessionID"])
    session = answer["SessionID"]
    assert (await hbs.memory("sessions"))[session]["CPOPartnerSessionID"] == "cpo-1"
    assert await hbs.code(NOTE, note(session)) == "000"
    who = {"RemoteIdentification": {"EvcoID": EVCO}}
    assert (await drive(hbs, "remote-stop", session=session))["Result"] is True
    assert faults_of_charge("eRoamingAuthorizeRemoteStop", cpo.heard[1][1]) == []
    assert await hbs.code(CDR, cdr(session, Identification=who)) == "000"
    assert (await drive(hbs, "remote-stop", session=session))["StatusCode"]["Code"] == "400"
    assert len(cpo.heard) == 2


async def test_a_reservation_is_made_and_given_up(hbs: Hub, cpo: Cpo) -> None:
    made = await drive(hbs, "reserve", **REMOTE, emp_session="emp-1", minutes=20)
    given_up = await drive(hbs, "cancel-reservation", session=made["SessionID"])
    assert made["Result"] is given_up["Result"] is True
    (start, begun), (stop, ended) = cpo.heard
    assert start.endswith("/reservation/v11/providers/NL-EMS/reservation-start-request")
    assert stop.endswith("/reservation/v11/providers/NL-EMS/reservation-stop-request")
    assert faults_of_charge("eRoamingAuthorizeRemoteReservationStart", begun) == []
    ended.pop("CPOPartnerSessionID")
    assert faults_of_charge("eRoamingAuthorizeRemoteReservationStop", ended) == []
    assert begun["Duration"] == 20
    assert (await hbs.memory("sessions"))[made["SessionID"]]["State"] == "cancelled"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"evse": "XX*NIX*E1"}, "300"),
        ({"provider": "DE-NIX"}, "210"),
        ({"evse": "FR*HUB*E2"}, "603"),
        ({"evse": "FR*HUB*E3"}, "604"),
        ({"contract": "DE-EMP-C12345678-X"}, "019"),
    ],
)
async def test_the_hub_refuses_before_the_gateway_hears(hbs: Hub, cpo: Cpo, change: Any, code: str) -> None:
    await push(hbs)
    await push(hbs, "FR*HUB*E3", IsHubjectCompatible=False)
    await hbs.drivers(DRIVER | {"provider": "DE-NIX", "agreed": False})
    for what in ("remote-start", "reserve"):
        answer = await drive(hbs, what, **REMOTE | change)
        assert (answer["Result"], answer["StatusCode"]["Code"]) == (False, code)
    assert cpo.heard == []
    assert await hbs.memory("sessions") == {}
    if code != "300":
        assert (await drive(hbs, "remote-start", **REMOTE | change, force=True))["Result"] is True


async def test_a_no_of_the_gateway_leaves_no_session(hbs: Hub, cpo: Cpo) -> None:
    cpo.says = acknowledged("510")
    assert (await drive(hbs, "remote-start", **REMOTE))["StatusCode"]["Code"] == "510"
    assert await hbs.memory("sessions") == {}


@pytest.mark.parametrize("what", ["not json", "http", "nobody"])
async def test_a_gateway_that_does_not_answer_is_told_of_and_the_session_stays(hbs: Hub, cpo: Cpo, what: str) -> None:
    if what == "not json":
        cpo.says = b"<html>"
    if what == "http":
        cpo.status = 503
    url = "http://127.0.0.1:1/oicp/hubject" if what == "nobody" else None
    answer = await drive(hbs, "remote-start", **REMOTE, url=url)
    assert (answer["Result"], answer["StatusCode"]["Code"]) == (False, "310")
    assert len(await hbs.memory("sessions")) == 1  # the CPO may have begun


@pytest.mark.parametrize(
    "says",
    [
        {"Result": True},
        {"Result": True, "StatusCode": {"Code": "210"}},
        {"Result": "true", "StatusCode": {"Code": "000"}},
        {"Result": True, "StatusCode": {"Code": "0"}},
        [],
    ],
)
async def test_an_answer_that_is_no_acknowledgment_is_found(hbs: Hub, cpo: Cpo, says: Any) -> None:
    cpo.says = json.dumps(says).encode()
    assert (await hbs.post("/_sandbox/remote-start", REMOTE))[0] == 502


async def test_a_command_is_repeated_with_its_session_and_wants_the_same_answer(hbs: Hub, cpo: Cpo) -> None:
    assert (await drive(hbs, "remote-start", **REMOTE, repeat=True))["Result"] is True
    await hbs.post("/_sandbox/faults", [{"kind": "repeat", "path": "authorize-remote/start", "count": 1}])
    assert (await drive(hbs, "remote-start", **REMOTE, late=0.01))["Result"] is True
    assert [body["SessionID"] for _, body in cpo.heard[::2]] == [body["SessionID"] for _, body in cpo.heard[1::2]]
    assert len(cpo.heard) == 4
    cpo.says = [*[acknowledged("000")] * 5, acknowledged("602")]
    assert (await hbs.post("/_sandbox/remote-start", REMOTE | {"repeat": True}))[0] == 502


async def test_a_message_is_spoilt_on_command(hbs: Hub, cpo: Cpo) -> None:
    await drive(hbs, "remote-start", **REMOTE, extra={"EvseID": "nonsense", "ProviderID": None})
    assert cpo.heard[0][1]["EvseID"] == "nonsense"
    assert "ProviderID" not in cpo.heard[0][1]


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("remote-start", {}),
        ("remote-start", REMOTE | {"provider": "?"}),
        ("reserve", REMOTE | {"minutes": 100}),
        ("remote-stop", {}),
        ("remote-stop", {"session": UNKNOWN, "force": True}),
    ],
)
async def test_an_order_that_makes_no_sense_is_a_problem(hbs: Hub, cpo: Cpo, what: str, body: Any) -> None:
    assert (await hbs.post(f"/_sandbox/{what}", body))[0] == 400
    assert cpo.heard == []


async def test_an_order_needs_to_know_the_gateway(hbs: Hub) -> None:
    assert (await hbs.post("/_sandbox/remote-start", REMOTE))[0] == 409


async def test_the_hub_shows_its_certificate_to_the_gateway(tmp_path: Path) -> None:
    sandbox = HubjectSandbox([Partner(HUB_CPO)])
    async with run(sandbox, tmp_path) as running:
        certificates = running.certificates
        assert certificates is not None
        context = server_context(certificates.authority, certificates.server.certificate, certificates.server.key)
        own = certificates.clients["FR*HUB"]
        connector = aiohttp.TCPConnector(ssl=client_context(certificates.authority, own.certificate, own.key))
        async with commanded(context) as cpo, aiohttp.ClientSession(running.url, connector=connector) as session:
            body = REMOTE | {"url": cpo.url}
            async with session.post("/_sandbox/remote-start", json=body) as answer:
                assert (await answer.json())["Result"] is True
        assert cpo.shown[0]["subject"] == ((("commonName", HUB_NAME),),)
        assert len(certificates.hub.fingerprint()) == 64


async def test_the_gateways_own_server_knows_the_sandbox_by_its_certificate(tmp_path: Path) -> None:
    async with run(HubjectSandbox([Partner(HUB_CPO)]), tmp_path) as running:
        certificates = running.certificates
        assert certificates is not None
        served = connection("hubject", {})
        known = settings(hub_certificates=[{"fingerprint": certificates.hub.fingerprint()}])
        registry = Tokens(replace(served, settings=known.model_dump(mode="json")))
        orders = Orders()
        app = web.Application()
        assert HUB.routes is not None
        app.add_routes(HUB.routes(gateway(Network([]), registry, Measured(), "https://gateway.test", commands=orders)))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        pair = certificates.server
        tls = server_context(certificates.authority, pair.certificate, pair.key)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        running.sandbox.gateway = f"https://127.0.0.1:{runner.addresses[0][1]}/oicp/hubject-test"
        own = certificates.clients["FR*HUB"]
        connector = aiohttp.TCPConnector(ssl=client_context(certificates.authority, own.certificate, own.key))
        try:
            async with aiohttp.ClientSession(running.url, connector=connector) as session:
                hbs = Hub(running, session)
                made = await drive(hbs, "remote-start", **REMOTE)
                assert made["Result"] is True
                assert (await drive(hbs, "remote-stop", session=made["SessionID"]))["Result"] is True
            assert [order.kind for _, order in orders.performed] == ["START_SESSION", "STOP_SESSION"]
        finally:
            await runner.cleanup()
