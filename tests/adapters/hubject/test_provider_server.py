"""What Hubject calls at an EMP, over real TLS: drivers asked for, notifications and CDRs brought home; and who may."""

import asyncio
import io
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

from adapters.core.charging import Allowed, Answer, Denial, Denied, Unanswered
from adapters.core.connection import Connection, Mode
from adapters.core.inbound import Asked
from adapters.core.outcomes import NotSent
from adapters.core.peers import Peers
from adapters.core.tls import ListenerTls
from adapters.hubject import HUB, serving
from adapters.hubject.provider.server import DENIALS
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import SessionStatus
from mappings.canonical.tokens import Identification, TokenType
from mappings.oicp.status_codes import CODES
from tests.adapters.doubles import Measured, Network, Tokens, connection, gateway
from tests.adapters.doubles_roaming import Homecoming, OwnDrivers
from tests.adapters.hubject.charging import CARD, asking, cdr, note, stopping
from tests.adapters.hubject.emps import EVCO, World, world
from tests.adapters.hubject.network import settings as operator_settings
from tests.adapters.hubject.provider import driver, provider_settings
from tests.mappings.oicp.charges import SESSION_ID

OPERATOR = "operators/FR*HUB"
START = f"charging/v21/{OPERATOR}/authorize/start"
STOP = f"charging/v21/{OPERATOR}/authorize/stop"
CDR = f"cdrmgmt/v22/{OPERATOR}/charge-detail-record"
NOTE = "notificationmgmt/v11/charging-notifications"

MESSAGES: dict[str, dict[str, Any]] = {
    START: asking(SessionID=SESSION_ID),
    STOP: stopping(SESSION_ID),
    CDR: cdr(SESSION_ID),
    NOTE: note(SESSION_ID),
}


@dataclass
class Called:
    """An EMP's gateway that Hubject calls.

    Attributes:
        hub: Hubject's certificate.
        answers: What was said, in order.
    """

    url: str
    authority: trustme.CA
    hub: trustme.LeafCert
    registry: Tokens
    drivers: OwnDrivers
    received: Homecoming
    measured: Measured
    answers: list[dict[str, Any]] = field(default_factory=list)

    def change(self, **changes: Any) -> None:
        real = {"base_url": "https://service-qa.hubject.com", "sandbox": False, "client_certificate": "ours.pem"}
        changed = provider_settings(**(real | {"hub_certificates": [{"subject": self.subject}]} | changes))
        self.registry.connection = replace(self.registry.connection, settings=changed.model_dump(mode="json"))

    async def post(
        self,
        path: str,
        body: Any,
        *,
        shown: trustme.LeafCert | None = None,
        headers: dict[str, str] | None = None,
        root: str = "/oicp/hubject-test",
    ) -> dict[str, Any]:
        """Calls as the holder of a certificate. What is answered is judged by the EMP's OpenAPI."""
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
            session.post(f"{self.url}{root}/{path}", data=io.BytesIO(raw), headers=headers) as answer,
        ):
            assert answer.status == 200
            said: dict[str, Any] = json.loads(await answer.text())
            self.answers.append(said)
            return said

    async def code(self, path: str, body: Any, **options: Any) -> str:
        """Calls as Hubject; gives the code of the answer."""
        said = await self.post(path, body, **({"shown": self.hub} | options))
        code: str = said["StatusCode"]["Code"]
        good = said["AuthorizationStatus"] == "Authorized" if "AuthorizationStatus" in said else said["Result"]
        assert good is (code == "000")
        return code

    @property
    def untouched(self) -> bool:
        """Whether the gateway was asked and told nothing."""
        drivers, received = self.drivers, self.received
        return not (drivers.asked or drivers.asked_to_stop or received.cdrs or received.pieces)

    @property
    def subject(self) -> str:
        own = x509.load_pem_x509_certificate(self.hub.cert_chain_pems[0].bytes())
        return own.subject.rfc4514_string()


async def _running(folder: Path, peers: Peers, *, tls: bool) -> AsyncIterator[Called]:
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    hub = authority.issue_cert(common_name="hub.example", organization_name="Hub, Inc.")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    server.private_key_and_cert_chain_pem.write_to_path(str(folder / "tls.pem"))
    drivers, received, measured = OwnDrivers(driver(CARD)), Homecoming(), Measured()
    registry = Tokens(connection("hubject", {}))
    app = web.Application()
    made = gateway(
        Network([]), registry, measured, "https://gateway.test", drivers=drivers, received=received, peers=peers
    )
    assert HUB.routes is not None
    app.add_routes(HUB.routes(made))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    context = ListenerTls(folder / "ca.pem", folder / "tls.pem", None).context if tls else None
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    called = Called(url, authority, hub, registry, drivers, received, measured)
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


# Drivers asked for


async def test_a_driver_whom_we_know_is_admitted_in_our_name(called: Called) -> None:
    assert await called.code(START, MESSAGES[START]) == "000"
    said = called.answers[-1]
    assert (said["ProviderID"], said["SessionID"], said["EMPPartnerSessionID"]) == ("NL-EMS", SESSION_ID, "permit-1")
    assert said["CPOPartnerSessionID"] == "a1"
    (asked,) = called.drivers.asked
    assert asked.cpo == PartyId("FR*HUB")
    assert asked.at is not None
    assert asked.at.evse_id == EvseId("FR*HUB*E1")
    assert (asked.leg.hub_session, asked.leg.own_session) == (SESSION_ID, "a1")
    assert asked.leg.identification == Identification(type=TokenType.RFID, uid=CARD)


async def test_what_else_may_stop_the_session_and_what_the_driver_is_to_be_told_goes_with_the_yes(
    called: Called,
) -> None:
    other = Identification(type=TokenType.RFID, uid="04AABBCC")
    unsaid = Identification(type=TokenType.OTHER, uid="what")
    leg = Leg(hub_session=SESSION_ID, emsp_session="permit-1", identification=other)
    called.drivers.answer = Allowed(leg, stop_with=(other, unsaid), info="Welcome")
    assert await called.code(START, MESSAGES[START]) == "000"
    said = called.answers[-1]
    assert said["AuthorizationStopIdentifications"] == [{"RFIDMifareFamilyIdentification": {"UID": "04AABBCC"}}]
    assert said["StatusCode"]["AdditionalInfo"] == "Welcome"


async def test_a_start_may_lack_the_evse_and_the_session(called: Called) -> None:
    assert await called.code(START, asking(EvseID=None, CPOPartnerSessionID=None)) == "000"
    (asked,) = called.drivers.asked
    assert (asked.at, asked.cpo, asked.leg.hub_session) == (None, PartyId("FR*HUB"), None)


async def test_whose_station_it_is_is_told_by_the_evse_where_a_hub_operator_asks(called: Called) -> None:
    assert await called.code(START, asking(EvseID="FR*ONE*E1")) == "000"
    (asked,) = called.drivers.asked
    assert asked.cpo == PartyId("FR*ONE")
    assert asked.at is not None
    assert asked.at.party == PartyId("FR*ONE")


async def test_a_qr_codes_pin_is_handed_on_and_given_back_to_nobody(called: Called) -> None:
    who = {"QRCodeIdentification": {"EvcoID": EVCO, "PIN": "1234"}}
    await called.code(START, asking(who))
    (asked,) = called.drivers.asked
    assert asked.pin is not None
    assert asked.pin.value.get_secret_value() == "1234"
    assert "1234" not in json.dumps(called.answers[-1]).replace(EVCO, "")


async def test_a_stop_names_its_session(called: Called) -> None:
    assert await called.code(STOP, MESSAGES[STOP]) == "000"
    said = called.answers[-1]
    assert (said["ProviderID"], said["SessionID"]) == ("NL-EMS", SESSION_ID)
    (asked,) = called.drivers.asked_to_stop
    assert asked.leg.hub_session == SESSION_ID
    assert not called.drivers.asked


@pytest.mark.parametrize("denial", Denial)
async def test_every_no_has_its_code_and_names_no_provider(called: Called, denial: Denial) -> None:
    called.drivers.answer = Denied(denial)
    code = DENIALS[denial] or "102"
    for path in (START, STOP):
        assert await called.code(path, MESSAGES[path]) == code
        said = called.answers[-1]
        assert said["AuthorizationStatus"] == "NotAuthorized"
        assert said["SessionID"] == SESSION_ID
        assert not {"ProviderID", "EMPPartnerSessionID", "AuthorizationStopIdentifications"} & said.keys()
        assert code in CODES


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ({"RFIDMifareFamilyIdentification": {"UID": "04FFFFFF"}}, "102"),
        ({"QRCodeIdentification": {"EvcoID": "NL-EMS-C00000009", "PIN": "1"}}, "101"),
        ({"PlugAndChargeIdentification": {"EvcoID": "NL-EMS-C00000009"}}, "105"),
        ({"RemoteIdentification": {"EvcoID": "NL-EMS-C00000009"}}, "106"),
    ],
)
async def test_a_driver_whom_nobody_knows_is_unknown_by_what_they_hold_up(
    called: Called, who: dict[str, Any], code: str
) -> None:
    assert await called.code(START, asking(who)) == code


async def test_a_blocked_driver_is_locked(called: Called) -> None:
    called.drivers.held = [driver(CARD, valid=False)]
    assert await called.code(START, MESSAGES[START]) == "200"


async def test_an_answer_that_the_contract_does_not_have_is_a_no(called: Called) -> None:
    called.drivers.answer = Unanswered(NotSent("never said"))
    assert await called.code(START, MESSAGES[START]) == "106"


# In time


async def test_the_backend_gets_what_is_left_of_the_time(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    await called.code(START, MESSAGES[START])
    assert called.drivers.asked[-1].within == timedelta(seconds=8)
    called.change(answer_seconds=3)
    await called.code(START, MESSAGES[START])
    assert called.drivers.asked[-1].within == timedelta(seconds=3)
    monkeypatch.setattr(serving, "DEADLINE", timedelta(seconds=2))
    await called.code(START, MESSAGES[START])
    assert timedelta(seconds=0) < called.drivers.asked[-1].within <= timedelta(seconds=1.5)


async def test_a_gateway_that_outlasts_hubject_is_not_waited_for(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "DEADLINE", timedelta(seconds=0.7))

    async def forever(connection: Connection, asked: Asked) -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(called.drivers, "authorise", forever)
    monkeypatch.setattr(called.drivers, "authorise_stop", forever)
    for path in (START, STOP):
        assert await called.code(path, MESSAGES[path]) == "106"


# What comes home


async def test_a_cdr_is_taken_once_and_again_as_the_same(called: Called) -> None:
    assert await called.code(CDR, MESSAGES[CDR]) == "000"
    assert called.answers[-1]["SessionID"] == SESSION_ID
    assert await called.code(CDR, MESSAGES[CDR] | {"PartnerProductID": None}) == "000"
    assert await called.code(CDR, dict(reversed(MESSAGES[CDR].items()))) == "000"
    ((taken, _),) = called.received.cdrs.values()
    assert (taken.id, taken.party, str(taken.currency)) == (SESSION_ID, PartyId("FR*HUB"), "EUR")
    assert not called.received.conflicts
    assert called.received.legs[0] is not None
    assert called.received.legs[0].hub_session == SESSION_ID


async def test_a_cdr_with_other_content_is_taken_too_and_is_somebodys_to_look_at(called: Called) -> None:
    await called.code(CDR, MESSAGES[CDR])
    more = cdr(SESSION_ID, ConsumedEnergy=21.5, MeterValueEnd=121.6)
    assert await called.code(CDR, more) == "000"
    assert len(called.received.conflicts) == 1


async def test_a_cdr_of_a_sub_operators_evse_comes_from_its_hub_operator(called: Called) -> None:
    assert await called.code(CDR, cdr(SESSION_ID, EvseID="FR*ONE*E1")) == "000"
    ((taken, _),) = called.received.cdrs.values()
    assert taken.party == PartyId("FR*ONE")


async def test_cdrs_are_in_the_currency_of_the_settings(called: Called) -> None:
    called.change(currency="SEK")
    await called.code(CDR, MESSAGES[CDR])
    ((taken, _),) = called.received.cdrs.values()
    assert str(taken.currency) == "SEK"


@pytest.mark.parametrize("kind", ["Start", "Progress", "End", "Error"])
async def test_every_kind_of_notification_is_news_of_its_session(called: Called, kind: str) -> None:
    assert await called.code(NOTE, note(SESSION_ID, kind)) == "000"
    assert called.answers[-1]["SessionID"] == SESSION_ID
    (news,) = called.received.pieces
    assert (news.leg.hub_session, news.cpo) == (SESSION_ID, PartyId("FR*HUB"))
    assert (news.error is not None) is (kind == "Error")
    assert (news.status is SessionStatus.ACTIVE) is (kind != "Error")  # an End says that no energy flows any more


async def test_what_could_not_be_kept_is_not_acknowledged(called: Called) -> None:
    called.received.failing = RuntimeError("the password of the database is s3cret")
    for path in (CDR, NOTE):
        assert await called.code(path, MESSAGES[path]) == "021"
    called.drivers.answer = RuntimeError("s3cret")
    for path in (START, STOP):
        assert await called.code(path, MESSAGES[path]) == "021"
    assert "s3cret" not in json.dumps(called.answers)


# What is malformed


@pytest.mark.parametrize(
    ("path", "change", "field"),
    [
        (START, {"Identification": None}, "Identification"),
        (START, {"Identification": {}}, "Identification"),
        (START, {"Identification": {"RFIDMifareFamilyIdentification": {}}}, "UID"),
        (START, {"SessionID": "7"}, "SessionID"),
        (STOP, {"SessionID": None}, "SessionID"),
        (CDR, {"SessionID": None}, "SessionID"),
        (CDR, {"EvseID": "nowhere"}, "EvseID"),
        (CDR, {"ConsumedEnergy": None, "MeterValueStart": None}, "ConsumedEnergy"),
        (CDR, {"SessionEnd": "2026-06-07T11:00:00+02:00"}, "SessionEnd"),
        (CDR, {"SessionStart": "yesterday"}, "SessionStart"),
        (NOTE, {"Type": "Other"}, "Type"),
        (NOTE, {"SessionID": None}, "SessionID"),
        (NOTE, {"ChargingStart": None}, "ChargingStart"),
    ],
)
async def test_what_is_malformed_is_a_data_error_with_the_name_of_the_field(
    called: Called, path: str, change: dict[str, Any], field: str
) -> None:
    assert await called.code(path, MESSAGES[path] | change) == "022"
    assert field in called.answers[-1]["StatusCode"]["AdditionalInfo"]
    assert called.untouched


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff", b"[" * 60_000, b" " * 1_100_000, rb'{"a": "\u0000"}'],
    ids=["empty", "cut", "list", "null", "number", "text", "not UTF-8", "deep", "long", "NUL"],
)
async def test_a_body_that_is_none_is_a_data_error(called: Called, raw: bytes) -> None:
    for path in MESSAGES:
        assert await called.code(path, raw) == "022"


async def test_nulls_are_nothing(called: Called) -> None:
    assert await called.code(START, MESSAGES[START] | {"EMPPartnerSessionID": None, "PartnerProductID": None}) == "000"


@pytest.mark.parametrize("path", [START, STOP])
async def test_path_and_body_must_name_the_same_operator(called: Called, path: str) -> None:
    assert await called.code(path, MESSAGES[path] | {"OperatorID": "FR*OTH"}) == "017"
    assert await called.code(path, MESSAGES[path] | {"OperatorID": "FRHUB"}) == "000"


@pytest.mark.parametrize("path", [START, STOP, CDR])
async def test_a_path_that_names_no_operator_is_a_data_error(called: Called, path: str) -> None:
    assert await called.code(path.replace("FR*HUB", "nobody"), MESSAGES[path]) == "022"


@pytest.mark.parametrize("root", ["/oicp/hubject-test", "/oicp/hubject-test/api/oicp"])
async def test_both_forms_of_the_address_are_served(called: Called, root: str) -> None:
    for path, body in MESSAGES.items():
        assert await called.code(path, body, root=root) == "000"
        assert await called.code(f"{path}/", body, root=root) == "000"
        assert await called.code(path.replace("*", "%2A"), body, root=root) == "000"


# Who may


async def test_whoever_shows_no_certificate_or_another_is_refused(called: Called) -> None:
    other = called.authority.issue_cert(common_name="other.example", organization_name="Hub, Inc.")
    for shown in (None, other):
        for path, body in MESSAGES.items():
            assert (await called.post(path, body, shown=shown))["StatusCode"]["Code"] == "017"
    assert called.untouched
    assert {answer.connection for answer in called.measured.answers} == {"unknown"}


async def test_nothing_tells_a_stranger_which_connections_there_are(called: Called) -> None:
    known = await called.post(START, MESSAGES[START])
    unknown = await called.post(START, MESSAGES[START], root="/oicp/none")
    assert known == unknown


async def test_a_certificate_that_is_bound_to_other_operators_is_refused(called: Called) -> None:
    called.change(hub_certificates=[{"subject": called.subject, "bound_to": ["FR*OTH"]}])
    for path in (START, STOP, CDR):
        assert await called.code(path, MESSAGES[path]) == "017"
    called.change(hub_certificates=[{"subject": called.subject, "bound_to": ["FR*HUB"]}])
    for path, body in MESSAGES.items():
        assert await called.code(path, body) == "000"


async def test_an_operators_connection_is_not_asked_for_drivers_nor_an_emps_for_stations(called: Called) -> None:
    commanding = "charging/v21/providers/NL-EMS/authorize-remote/start"
    order = {
        "SessionID": SESSION_ID,
        "ProviderID": "NL-EMS",
        "EvseID": "FR*HUB*E1",
        "Identification": {"RemoteIdentification": {"EvcoID": EVCO}},
    }
    assert await called.code(commanding, order) == "017"
    cpo = operator_settings(hub_certificates=[{"subject": called.subject}])
    called.registry.connection = replace(called.registry.connection, settings=cpo.model_dump(mode="json"))
    assert await called.code(commanding, order) == "000"
    for path, body in MESSAGES.items():
        assert await called.code(path, body) == "017"
    assert called.untouched


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW])
async def test_a_connection_that_is_not_live_answers_for_nobody_and_takes_nothing(called: Called, mode: Mode) -> None:
    called.registry.connection = replace(called.registry.connection, mode=mode)
    for path, body in MESSAGES.items():
        assert await called.code(path, body) == "320"
    assert called.untouched


async def test_an_ingress_hands_hubjects_certificate_on(behind_ingress: Called) -> None:
    other = behind_ingress.authority.issue_cert(common_name="other.example", organization_name="Hub, Inc.")
    for shown, code in ((behind_ingress.hub, "000"), (other, "017")):
        headers = {"ssl-client-cert": quote(shown.cert_chain_pems[0].bytes()), "ssl-client-verify": "SUCCESS"}
        assert await behind_ingress.code(START, MESSAGES[START], headers=headers) == code
    assert await behind_ingress.code(START, MESSAGES[START]) == "017"


async def test_every_request_is_measured_by_operation_and_connection(called: Called) -> None:
    for path, body in MESSAGES.items():
        await called.code(path, body)
    found = [(each.connection, each.operation, each.status) for each in called.measured.answers]
    names = ("authorise_start", "authorise_stop", "cdrs", "charging_notifications")
    assert found == [("hubject-test", name, 200) for name in names]


# With the sandbox in between


async def test_a_driver_of_ours_charges_at_a_played_cpos_station_by_way_of_the_sandbox(
    behind_ingress: Called,
) -> None:
    behind_ingress.change(sandbox=True, trust_loopback=True, hub_certificates=[])
    async with world(limits=False) as hub:
        await hub.do("partners", [{"provider": "NL-EMS", "url": f"{behind_ingress.url}/oicp/hubject-test"}])
        tap = await hub.do("taps", {"evse": "NL*PLA*E1", "uid": CARD})
        assert tap["AuthorizationStatus"] == "Authorized"
        session = tap["SessionID"]
        assert tap["EMPPartnerSessionID"] == "permit-1"
        for kind in ("Start", "Progress", "End"):
            assert (await hub.do("notifications", {"session": session, "type": kind}))["Result"] is True
        stopped = await hub.do("tap-stops", {"session": session, "uid": CARD})
        assert stopped["AuthorizationStatus"] == "Authorized"
        (sent,) = await hub.do("cdrs", {"session": session})
        assert sent["forwarded"] is True
        await _unknown_card(hub)
    assert [news.leg.hub_session for news in behind_ingress.received.pieces] == [session] * 3
    ((taken, _),) = behind_ingress.received.cdrs.values()
    assert taken.id == session


async def _unknown_card(hub: World) -> None:
    no = await hub.do("taps", {"evse": "NL*PLA*E1", "uid": "04FFFFFF"})
    assert (no["AuthorizationStatus"], no["StatusCode"]["Code"]) == ("NotAuthorized", "102")


def test_every_reason_for_a_no_has_a_code_of_oicps() -> None:
    assert DENIALS.keys() == set(Denial)
    assert {code for code in DENIALS.values() if code is not None} <= CODES.keys()
