"""What Hubject calls, over real TLS: who may, what is carried out, and what is answered."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import trustme
from aiohttp import web
from cryptography import x509

from adapters.core.connection import Connection, Mode
from adapters.core.peers import Peers
from adapters.core.tls import ListenerTls
from adapters.hubject import HUB, serving
from adapters.hubject.server import OPERATIONS
from mappings.canonical.commands import (
    CancelReservation,
    Command,
    CommandAnswer,
    CommandResult,
    ReserveNow,
    StartSession,
    StopSession,
)
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.tokens import TokenType
from tests.adapters.doubles import Measured, Network, Orders, Tokens, connection, gateway
from tests.adapters.hubject.network import settings
from tests.adapters.impatient import tried_until
from tests.mappings.oicp.charges import SESSION_ID
from tests.oicp_schema import validate

PROVIDER = "DE*EMP"
START = f"charging/v21/providers/{PROVIDER}/authorize-remote/start"
STOP = f"charging/v21/providers/{PROVIDER}/authorize-remote/stop"
RESERVE = f"reservation/v11/providers/{PROVIDER}/reservation-start-request"
CANCEL = f"reservation/v11/providers/{PROVIDER}/reservation-stop-request"

# With the nulls that the real hub writes.
STOPPING: dict[str, Any] = {
    "SessionID": SESSION_ID,
    "CPOPartnerSessionID": None,
    "EMPPartnerSessionID": "emp-1",
    "ProviderID": PROVIDER,
    "EvseID": "FR*HUB*E1",
}
STARTING: dict[str, Any] = STOPPING | {
    "Identification": {
        "RFIDMifareFamilyIdentification": None,
        "RemoteIdentification": {"EvcoID": "DE-EMP-C12345678-X"},
    },
    "PartnerProductID": None,
}
MESSAGES = {START: STARTING, STOP: STOPPING, RESERVE: STARTING | {"Duration": 20}, CANCEL: STOPPING}


@dataclass
class Called:
    """A gateway that Hubject calls.

    Attributes:
        settings: Of the connection; changed by a test before it calls.
        hub: Hubject's certificate.
    """

    url: str
    authority: trustme.CA
    hub: trustme.LeafCert
    registry: Tokens
    orders: Orders
    measured: Measured
    answers: list[dict[str, Any]] = field(default_factory=list)

    def change(self, **changes: Any) -> None:
        before = self.registry.connection
        real = {"base_url": "https://service-qa.hubject.com", "sandbox": False, "client_certificate": "ours.pem"}
        changed = settings(**(real | {"hub_certificates": [{"subject": self.subject}]} | changes))
        self.registry.connection = replace(before, settings=changed.model_dump(mode="json"))

    async def post(
        self,
        path: str,
        body: Any,
        *,
        shown: trustme.LeafCert | None = None,
        headers: dict[str, str] | None = None,
        root: str = "/oicp/hubject-test",
    ) -> tuple[int, dict[str, Any]]:
        """Calls as the holder of a certificate; gives the HTTP status and the acknowledgment."""
        context: ssl.SSLContext | bool = True
        if self.url.startswith("https"):
            context = ssl.create_default_context()
            self.authority.configure_trust(context)
            if shown is not None:
                shown.configure_cert(context)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        connector = aiohttp.TCPConnector(ssl=context)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"{self.url}{root}/{path}", data=raw, headers=headers) as answer,
        ):
            said = json.loads(await answer.text())
            validate("eRoamingAcknowledgment", said)
            self.answers.append(said)
            return answer.status, said

    async def code(self, path: str, body: Any, **options: Any) -> str:
        """Calls as Hubject; gives the code of the answer."""
        status, said = await self.post(path, body, **({"shown": self.hub} | options))
        assert status == 200
        assert said["Result"] is (said["StatusCode"]["Code"] == "000")
        code: str = said["StatusCode"]["Code"]
        return code

    @property
    def subject(self) -> str:
        own = x509.load_pem_x509_certificate(self.hub.cert_chain_pems[0].bytes())
        return own.subject.rfc4514_string()

    @property
    def performed(self) -> list[Command]:
        return [command for _, command in self.orders.performed]


async def _running(folder: Path, peers: Peers, *, tls: bool) -> AsyncIterator[Called]:
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    hub = authority.issue_cert(common_name="hub.example", organization_name="Hub, Inc.")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    server.private_key_and_cert_chain_pem.write_to_path(str(folder / "tls.pem"))
    orders, measured = Orders(), Measured()
    registry = Tokens(connection("hubject", {}))
    app = web.Application()
    made = gateway(Network([]), registry, measured, "https://gateway.test", commands=orders, peers=peers)
    assert HUB.routes is not None
    app.add_routes(HUB.routes(made))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    context = ListenerTls(folder / "ca.pem", folder / "tls.pem", None).context if tls else None
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    called = Called(url, authority, hub, registry, orders, measured)
    called.change()
    try:
        yield called
    finally:
        await runner.cleanup()


@pytest.fixture
async def called(tmp_path: Path) -> AsyncIterator[Called]:
    """TLS ends at the gateway."""
    async for each in _running(tmp_path, Peers(), tls=True):
        yield each


@pytest.fixture
async def behind_ingress(tmp_path: Path) -> AsyncIterator[Called]:
    """TLS ends at an ingress, which hands the certificate on."""
    async for each in _running(tmp_path, Peers("ssl-client-cert", [ip_network("127.0.0.0/8")]), tls=False):
        yield each


# What is carried out


async def test_a_remote_start_is_carried_out_with_every_name_of_the_charge(called: Called) -> None:
    called.orders.answer = CommandAnswer(result=CommandResult.ACCEPTED, session_id="cpo-1")
    assert await called.code(START, STARTING) == "000"
    (command,) = called.performed
    assert isinstance(command, StartSession)
    assert command.at.evse_id == EvseId("FR*HUB*E1")
    assert command.emsp == PartyId(PROVIDER)
    assert (command.leg.hub_session, command.leg.emsp_session) == (SESSION_ID, "emp-1")
    assert command.leg.identification.type is TokenType.APP_USER
    said = called.answers[-1]
    names = (said["SessionID"], said["CPOPartnerSessionID"], said["EMPPartnerSessionID"])
    assert names == (SESSION_ID, "cpo-1", "emp-1")


async def test_a_stop_a_reservation_and_its_end_are_carried_out(called: Called) -> None:
    for path in (STOP, RESERVE, CANCEL):
        assert await called.code(path, MESSAGES[path]) == "000"
    stop, reserve, cancel = called.performed
    assert isinstance(stop, StopSession)
    assert stop.session == SESSION_ID
    assert isinstance(reserve, ReserveNow)
    assert reserve.reservation == SESSION_ID
    assert isinstance(cancel, CancelReservation)
    assert cancel.reservation == SESSION_ID


async def test_a_reservation_without_a_duration_lasts_as_the_settings_say(called: Called) -> None:
    called.change(reservation_minutes=45)
    for body in (STARTING, STARTING | {"Duration": 20}):
        assert await called.code(RESERVE, body) == "000"
    first, second = called.performed
    assert isinstance(first, ReserveNow)
    assert isinstance(second, ReserveNow)
    assert timedelta(minutes=24.9) < first.expires - second.expires < timedelta(minutes=25.1)


@pytest.mark.parametrize("root", ["/oicp/hubject-test", "/oicp/hubject-test/api/oicp"])
async def test_both_forms_of_the_address_are_served(called: Called, root: str) -> None:
    for path, body in MESSAGES.items():
        assert await called.code(path, body, root=root) == "000"
        assert await called.code(f"{path}/", body, root=root) == "000"
        assert await called.code(path.replace("*", "%2A"), body, root=root) == "000"


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (CommandResult.EVSE_OCCUPIED, "602"),
        (CommandResult.EVSE_RESERVED, "601"),
        (CommandResult.EVSE_INOPERATIVE, "700"),
        (CommandResult.FAILED, "501"),
        (CommandResult.TIMEOUT, "501"),
        (CommandResult.NO_VEHICLE, "510"),
        (CommandResult.NO_CONTRACT, "210"),
        (CommandResult.NOT_SUPPORTED, "320"),
        (CommandResult.REJECTED, "320"),
        (CommandResult.UNKNOWN_EVSE, "603"),
        (CommandResult.UNKNOWN_SESSION, "400"),
        (CommandResult.UNKNOWN_RESERVATION, "400"),
    ],
)
async def test_what_came_of_a_command_has_its_code(called: Called, result: CommandResult, code: str) -> None:
    called.orders.answer = CommandAnswer(result=result, text="because")
    for path, body in MESSAGES.items():
        assert await called.code(path, body) == code
        assert called.answers[-1]["StatusCode"]["AdditionalInfo"] == "because"
        assert called.answers[-1]["SessionID"] == SESSION_ID


async def test_a_reservation_that_was_cancelled_is_what_a_cancellation_wanted(called: Called) -> None:
    called.orders.answer = CommandAnswer(result=CommandResult.CANCELED_RESERVATION)
    assert await called.code(CANCEL, STOPPING) == "000"
    assert await called.code(START, STARTING) == "400"


# What is not


@pytest.mark.parametrize(
    ("path", "change", "code", "field"),
    [
        (START, {"EvseID": "nowhere"}, "603", "EvseID"),
        (START, {"EvseID": None}, "603", "EvseID"),
        (STOP, {"SessionID": "7"}, "400", "SessionID"),
        (START, {"Identification": None}, "022", "Identification"),
        (START, {"Identification": {}}, "022", "Identification"),
        (START, {"Identification": {"RemoteIdentification": {}}}, "022", "EvcoID"),
        (RESERVE, {"Duration": 100}, "022", "Duration"),
        (RESERVE, {"Duration": "soon"}, "022", "Duration"),
        (STOP, {"ProviderID": None}, "022", "ProviderID"),
        (STOP, {"ProviderID": "nobody"}, "022", "ProviderID"),
    ],
)
async def test_what_is_malformed_is_refused_with_the_name_of_the_field(
    called: Called, path: str, change: dict[str, Any], code: str, field: str
) -> None:
    assert await called.code(path, MESSAGES[path] | change) == code
    assert field in called.answers[-1]["StatusCode"]["AdditionalInfo"]
    assert called.performed == []


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff", b"[" * 60_000, b" " * 70_000, rb'{"a": "\u0000"}'],
    ids=["empty", "cut", "list", "null", "number", "text", "not UTF-8", "deep", "long", "NUL"],
)
async def test_a_body_that_is_none_is_a_data_error(called: Called, raw: bytes) -> None:
    for path in MESSAGES:
        assert await called.code(path, raw) == "022"
    assert called.performed == []


async def test_a_failure_of_ours_is_a_system_error_that_tells_nothing(called: Called) -> None:
    called.orders.answer = RuntimeError("the password of the database is s3cret")
    assert await called.code(START, STARTING) == "021"
    assert "s3cret" not in json.dumps(called.answers)
    assert called.answers[-1]["SessionID"] == SESSION_ID
    called.orders.answer = TimeoutError("of the database")
    assert await called.code(START, STARTING) == "021"


async def test_a_backend_that_outlasts_hubject_is_not_waited_for(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "DEADLINE", timedelta(seconds=0.7))

    commanded = False

    async def forever(connection: Connection, command: Command) -> CommandAnswer:
        nonlocal commanded
        commanded = True
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(called.orders, "perform", forever)
    # On a busy machine the time may be over before it was commanded anything.
    _, code = await tried_until(lambda: called.code(START, STARTING), lambda _: commanded)
    assert code == "501"


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW])
async def test_a_connection_that_is_not_live_carries_nothing_out(called: Called, mode: Mode) -> None:
    called.registry.connection = replace(called.registry.connection, mode=mode)
    assert await called.code(START, STARTING) == "320"
    assert called.performed == []


# Who may


async def test_whoever_shows_no_certificate_or_another_is_refused(called: Called) -> None:
    other = called.authority.issue_cert(common_name="other.example", organization_name="Hub, Inc.")
    for shown in (None, other):
        for path, body in MESSAGES.items():
            status, said = await called.post(path, body, shown=shown)
            assert (status, said["Result"], said["StatusCode"]["Code"]) == (200, False, "017")
    assert called.performed == []
    assert {answer.connection for answer in called.measured.answers} == {"unknown"}


async def test_a_connection_that_names_no_certificate_is_open_to_nobody(called: Called) -> None:
    called.change(hub_certificates=[])
    assert await called.code(START, STARTING) == "017"


async def test_nothing_tells_a_stranger_which_connections_there_are(called: Called) -> None:
    _, known = await called.post(START, STARTING)
    _, unknown = await called.post(START, STARTING, root="/oicp/none")
    called.registry.connection = replace(called.registry.connection, hub="gireve")
    _, others = await called.post(START, STARTING, shown=called.hub)
    assert known == unknown == others


async def test_a_certificate_of_another_provider_is_refused(called: Called) -> None:
    called.change(hub_certificates=[{"subject": called.subject, "bound_to": ["DE-ONE", "DE-TWO"]}])
    for path, body in MESSAGES.items():
        assert await called.code(path, body) == "017"
    called.change(hub_certificates=[{"subject": called.subject, "bound_to": ["DE-ONE", PROVIDER]}])
    assert await called.code(START, STARTING) == "000"


async def test_path_and_body_must_name_the_same_provider(called: Called) -> None:
    for path, body in MESSAGES.items():
        assert await called.code(path, body | {"ProviderID": "DE*ONE"}) == "017"
        assert await called.code(path, body | {"ProviderID": "DE-EMP"}) == "000"
        assert await called.code(path.replace(PROVIDER, "nobody"), body) == "022"
    assert len(called.performed) == len(MESSAGES)


async def test_whose_driver_it_is_is_left_to_hubject_unless_the_settings_say_who_bundles_whom(called: Called) -> None:
    foreign = STARTING | {"Identification": {"RemoteIdentification": {"EvcoID": "DE-SUB-C12345678-X"}}}
    assert await called.code(START, foreign) == "000"
    called.change(sub_providers={})
    assert await called.code(START, STARTING) == "000"
    assert await called.code(START, foreign) == "019"
    assert await called.code(RESERVE, foreign) == "019"
    assert await called.code(STOP, STOPPING) == "000"
    called.change(sub_providers={PROVIDER: ["DE-SUB"]})
    assert await called.code(START, foreign) == "000"


async def test_an_ingress_hands_hubjects_certificate_on(behind_ingress: Called) -> None:
    behind_ingress.change()
    other = behind_ingress.authority.issue_cert(common_name="other.example", organization_name="Hub, Inc.")
    for shown, code in ((behind_ingress.hub, "000"), (other, "017")):
        headers = {"ssl-client-cert": quote(shown.cert_chain_pems[0].bytes()), "ssl-client-verify": "SUCCESS"}
        assert await behind_ingress.code(START, STARTING, headers=headers) == code
    assert await behind_ingress.code(START, STARTING) == "017"


async def test_a_sandbox_may_call_from_this_machine_without_a_certificate(behind_ingress: Called) -> None:
    behind_ingress.change(sandbox=True, hub_certificates=[])
    assert await behind_ingress.code(START, STARTING) == "017"
    behind_ingress.change(sandbox=True, hub_certificates=[], trust_loopback=True)
    assert await behind_ingress.code(START, STARTING) == "000"
    with pytest.raises(ValueError, match="trust_loopback"):
        behind_ingress.change(trust_loopback=True)


async def test_every_request_is_measured_by_operation_and_connection(called: Called) -> None:
    for path, body in MESSAGES.items():
        await called.code(path, body)
    found = [(each.hub, each.connection, each.operation, each.status) for each in called.measured.answers]
    assert found == [("hubject", "hubject-test", operation.name, 200) for operation in OPERATIONS]
