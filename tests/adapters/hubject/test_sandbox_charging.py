"""The sandbox plays hub and EMP for a charge: it admits, refuses, remembers and commands as Hubject does."""

import copy
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from adapters.core.charging import Allowed, Denial, Denied, Question
from adapters.core.outcomes import Delivered, RefusedByHub
from adapters.core.tls import client_context, server_context
from adapters.hubject.adapter import HubjectAdapter
from adapters.hubject.sandbox import HubjectSandbox, Partner, Running, run
from adapters.hubject.sandbox.certificates import HUB_NAME
from mappings.canonical.cdrs import CdrLocation
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Metering
from tests.adapters.hubject.conftest import OTHER, Clock
from tests.adapters.hubject.network import HUB_CPO, SUB_ONE, adapter, evse, items, location
from tests.mappings.oicp import charges as told
from tests.oicp_schema import faults_of_charge

NOW = datetime(2026, 6, 7, 12, 0, tzinfo=UTC)
OPERATOR = "/api/oicp/{}/operators/FR*HUB/{}"
START, STOP = (OPERATOR.format("charging/v21", f"authorize/{verb}") for verb in ("start", "stop"))
CDR = OPERATOR.format("cdrmgmt/v22", "charge-detail-record")
NOTE = "/api/oicp/notificationmgmt/v11/charging-notifications"
CARD, OTHER_CARD = "04E8A1B2C3D480", "04AABBCC"
EVCO = "NL-EMS-C12345678-X"
UNKNOWN = "f98efba4-02d8-4fa0-b810-9a9d50d2c527"
DRIVER: dict[str, Any] = {"provider": "NL-EMS", "uid": CARD}


def card(uid: str = CARD) -> dict[str, Any]:
    return {"RFIDMifareFamilyIdentification": {"UID": uid}}


def asking(who: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    body = {"OperatorID": "FR*HUB", "EvseID": "FR*HUB*E1", "Identification": who or card(), "CPOPartnerSessionID": "a1"}
    return {name: value for name, value in (body | changes).items() if value is not None}


def stopping(session: str, who: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    return asking(who, SessionID=session, **changes)


def note(session: str, kind: str = "Start", **changes: Any) -> dict[str, Any]:
    body = {"Type": kind, "SessionID": session, "EvseID": "FR*HUB*E1", "OperatorID": "FR*HUB"}
    own = {
        "Start": {"ChargingStart": "2026-06-07T12:00:00+02:00"},
        "Progress": {
            "ChargingStart": "2026-06-07T12:00:00+02:00",
            "EventOccurred": "2026-06-07T12:10:00+02:00",
            "ConsumedEnergyProgress": 1.5,
        },
        "End": {"ChargingEnd": "2026-06-07T13:00:00+02:00"},
        "Error": {"ErrorType": "CriticalError"},
    }
    return {name: value for name, value in (body | own.get(kind, {}) | changes).items() if value is not None}


def cdr(session: str, **changes: Any) -> dict[str, Any]:
    body = {
        "SessionID": session,
        "EvseID": "FR*HUB*E1",
        "Identification": card(),
        "SessionStart": "2026-06-07T12:00:00+02:00",
        "ChargingStart": "2026-06-07T12:01:00+02:00",
        "ChargingEnd": "2026-06-07T13:00:00+02:00",
        "SessionEnd": "2026-06-07T13:30:00+02:00",
        "MeterValueStart": 100.1,
        "MeterValueEnd": 121.5,
        "ConsumedEnergy": 21.4,
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


@dataclass
class Hub:
    """A sandbox, and requests to it."""

    running: Running
    session: aiohttp.ClientSession

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.session.post(path, data=raw) as answer:
            return answer.status, json.loads(await answer.text())

    async def code(self, path: str, body: Any) -> str:
        status, answer = await self.post(path, body)
        assert status == 200
        code = answer["StatusCode"]["Code"]
        good = answer["AuthorizationStatus"] == "Authorized" if "AuthorizationStatus" in answer else answer["Result"]
        assert good is (code == "000")
        assert isinstance(code, str)
        return code

    async def drivers(self, *drivers: dict[str, Any]) -> None:
        status, _ = await self.post("/_sandbox/drivers", list(drivers))
        assert status == 200

    async def begun(self, **changes: Any) -> str:
        _, answer = await self.post(START, asking(**changes))
        assert answer["AuthorizationStatus"] == "Authorized", answer
        return str(answer["SessionID"])

    async def memory(self, kind: str) -> dict[str, Any]:
        async with self.session.get("/_sandbox/memory", params={"kind": kind}) as answer:
            lines = [json.loads(line) for line in (await answer.text()).splitlines()]
        return {line["key"]: line["record"] for line in lines}


@asynccontextmanager
async def playing(**options: Any) -> AsyncIterator[Hub]:
    partners = [Partner(HUB_CPO, frozenset({SUB_ONE})), Partner(OTHER)]
    sandbox = HubjectSandbox(partners, wall=lambda: NOW, patience=options.pop("patience", 0.05), **options)
    async with run(sandbox, None) as running, aiohttp.ClientSession(running.url) as session:
        yield Hub(running, session)


@pytest.fixture
async def hub(clock: Clock) -> AsyncIterator[Hub]:
    async with playing(clock=clock) as made:
        await made.drivers(DRIVER)
        yield made


# Authorisations


async def test_a_yes_names_the_session_the_provider_and_who_may_stop(hub: Hub) -> None:
    await hub.drivers(DRIVER | {"partner_session": "emp-1", "stop_with": [OTHER_CARD, EVCO]})
    _, answer = await hub.post(START, asking())
    said = {name: value for name, value in answer.items() if value is not None}
    said["StatusCode"] = {name: value for name, value in said["StatusCode"].items() if value is not None}
    assert faults_of_charge("eRoamingAuthorizationStart", said) == []
    assert (answer["ProviderID"], answer["CPOPartnerSessionID"], answer["EMPPartnerSessionID"]) == (
        "NL*EMS",
        "a1",
        "emp-1",
    )
    assert answer["AuthorizationStopIdentifications"] == [
        {"RFIDMifareFamilyIdentification": {"UID": OTHER_CARD}},
        {"RemoteIdentification": {"EvcoID": EVCO}},
    ]
    (session,) = (await hub.memory("sessions")).values()
    assert (session["SessionID"], session["State"], session["ProviderID"]) == (answer["SessionID"], "open", "NL*EMS")


@pytest.mark.parametrize(
    ("drivers", "code"),
    [
        pytest.param([], "102", id="nobody's card"),
        pytest.param([DRIVER | {"uid": OTHER_CARD}], "102", id="another card"),
        pytest.param([DRIVER | {"answer": "not_authorised"}], "102", id="a no"),
        pytest.param([DRIVER | {"answer": "not_authorised", "code": "200"}], "200", id="a no with a code"),
        pytest.param([DRIVER | {"agreed": False}], "210", id="no contract"),
        pytest.param([DRIVER | {"answer": "silent"}], "106", id="silence"),
        pytest.param([DRIVER | {"late": 5}], "106", id="too late"),
    ],
)
async def test_a_card_that_nobody_says_yes_to_is_refused_and_leaves_no_session(drivers: Any, code: str) -> None:
    async with playing() as hub:
        await hub.drivers(*drivers)
        assert await hub.code(START, asking()) == code
        assert await hub.memory("sessions") == {}


async def test_one_yes_is_enough_whatever_others_say(hub: Hub) -> None:
    await hub.drivers(
        DRIVER | {"answer": "not_authorised"},
        DRIVER | {"provider": "DE-EMP", "late": 0.01},
        DRIVER | {"provider": "BE-EMS", "answer": "silent"},
    )
    _, answer = await hub.post(START, asking())
    assert answer["ProviderID"] == "DE*EMP"


async def test_a_star_stands_for_every_card_but_those_that_are_named(hub: Hub) -> None:
    await hub.drivers(DRIVER | {"uid": "*", "provider": "DE-EMP"})
    assert (await hub.post(START, asking(card(OTHER_CARD))))[1]["ProviderID"] == "DE*EMP"
    assert (await hub.post(START, asking()))[1]["ProviderID"] == "NL*EMS"


@pytest.mark.parametrize(
    ("who", "changes", "code"),
    [
        ({"QRCodeIdentification": {"EvcoID": EVCO, "PIN": "4711"}}, {"pin": "4711"}, "000"),
        ({"QRCodeIdentification": {"EvcoID": EVCO, "PIN": "0000"}}, {"pin": "4711"}, "101"),
        (
            {"QRCodeIdentification": {"EvcoID": EVCO, "HashedPIN": {"Value": "a5ghdhf73h", "Function": "Bcrypt"}}},
            {"pin": "4711"},
            "101",
        ),
        ({"PlugAndChargeIdentification": {"EvcoID": "NLEMSC12345678X"}}, {}, "000"),
        ({"PlugAndChargeIdentification": {"EvcoID": "NL-EMS-C99999999-X"}}, {}, "105"),
        ({"PlugAndChargeIdentification": {"EvcoID": "DE-NIX-C12345678-X"}}, {}, "300"),
        ({"PlugAndChargeIdentification": {"EvcoID": EVCO}}, {"agreed": False}, "210"),
        ({"PlugAndChargeIdentification": {"EvcoID": EVCO}}, {"answer": "silent"}, "310"),
        ({"RemoteIdentification": {"EvcoID": EVCO}}, {"answer": "not_authorised"}, "105"),
    ],
)
async def test_a_contract_leads_to_its_own_provider(who: Any, changes: Any, code: str) -> None:
    async with playing() as hub:
        await hub.drivers({"provider": "NL-EMS", "contract": EVCO} | changes)
        assert await hub.code(START, asking(who)) == code
        assert "4711" not in json.dumps(await hub.memory("sessions"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"OperatorID": "FR*OTH"}, "017"),
        ({"OperatorID": None}, "022"),
        ({"EvseID": "FR*XYZ*E1"}, "018"),
        ({"EvseID": "nonsense"}, "022"),
        ({"EvseID": None}, "000"),
        ({"EvseID": "FR*ONE*E7"}, "000"),
        ({"Identification": {}}, "022"),
        ({"Identification": card() | {"RemoteIdentification": {"EvcoID": EVCO}}}, "022"),
        ({"Identification": {"RFIDIdentification": {"UID": CARD, "RFID": "nfc"}}}, "022"),
        ({"Identification": card("04e8a1b2c3d480")}, "022"),
        ({"Identification": card("04E8A1")}, "022"),
        ({"Identification": {"QRCodeIdentification": {"EvcoID": EVCO}}}, "022"),
        ({"Identification": {"RemoteIdentification": {"EvcoID": "someone"}}}, "022"),
        ({"CPOPartnerSessionID": "x" * 251}, "022"),
        ({"SessionID": "one"}, "022"),
    ],
)
async def test_a_question_is_judged_before_anybody_is_asked(hub: Hub, change: Any, code: str) -> None:
    assert await hub.code(START, asking(**change)) == code


@pytest.mark.parametrize("path", [START, STOP, CDR, NOTE])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b"[" * 5000])
async def test_a_body_that_is_no_message_is_refused(hub: Hub, path: str, body: bytes) -> None:
    assert await hub.code(path, body) == "022"


async def test_somebody_who_is_not_registered_is_not_found(hub: Hub) -> None:
    for path in (START, STOP, CDR):
        assert await hub.code(path.replace("FR*HUB", "FR*XXX"), asking(OperatorID="FR*XXX")) == "300"
    assert await hub.code(NOTE, note(UNKNOWN, OperatorID="FR*XXX")) == "300"


async def push(hub: Hub, evse_id: str = "FR*HUB*E1", **changes: Any) -> None:
    made = adapter()
    (call,) = made.plan("evse_data", items(made, "evse_data", location(evse("a", evse_id)))).calls
    body = copy.deepcopy(call.body)
    body["ActionType"] = "insert"
    body["OperatorEvseData"]["EvseDataRecord"][0] |= changes
    _, answer = await hub.post("/api/oicp/evsepush/v23/operators/FR*HUB/data-records", body)
    assert answer["Result"] is True, answer


async def test_an_evse_has_to_be_known_once_any_was_pushed(hub: Hub) -> None:
    session = await hub.begun()
    await push(hub, "FR*HUB*E2")
    assert await hub.code(START, asking()) == "603"
    assert await hub.code(NOTE, note(session)) == "603"
    assert await hub.code(CDR, cdr(session)) == "603"
    assert await hub.code(START, asking(EvseID="FRHUBE2")) == "000"


async def test_a_session_is_stopped_once_by_what_started_it(hub: Hub) -> None:
    session = await hub.begun()
    assert await hub.code(STOP, stopping(session, card(OTHER_CARD))) == "602"
    assert await hub.code(STOP, stopping(session)) == "000"
    assert await hub.code(STOP, stopping(session)) == "400"
    assert await hub.code(STOP, stopping(UNKNOWN)) == "400"


async def test_another_medium_stops_a_session_where_the_provider_says_so(hub: Hub) -> None:
    await hub.drivers(DRIVER | {"stop_with": [OTHER_CARD, EVCO]})
    assert await hub.code(STOP, stopping(await hub.begun(), card(OTHER_CARD))) == "000"
    assert await hub.code(STOP, stopping(await hub.begun(), {"RemoteIdentification": {"EvcoID": EVCO}})) == "000"


async def test_a_session_that_was_authorised_offline_is_stopped_by_its_own_medium_only(hub: Hub) -> None:
    await hub.drivers(DRIVER | {"offline": True, "stop_with": [OTHER_CARD]})
    session = await hub.begun()
    assert await hub.code(STOP, stopping(session, card(OTHER_CARD))) == "602"
    assert await hub.code(STOP, stopping(session)) == "000"


async def test_a_session_is_nobody_elses(hub: Hub) -> None:
    session = await hub.begun()
    foreign = {"OperatorID": "FR*OTH", "EvseID": "FR*OTH*E1"}
    assert await hub.code(STOP.replace("FR*HUB", "FR*OTH"), stopping(session, **foreign)) == "400"
    assert await hub.code(CDR.replace("FR*HUB", "FR*OTH"), cdr(session, EvseID="FR*OTH*E1")) == "400"
    assert await hub.code(NOTE, note(session, **foreign)) == "400"


# Notifications


async def test_notifications_are_kept_in_their_order(hub: Hub) -> None:
    session = await hub.begun()
    for kind in ("Start", "Progress", "End", "Error"):
        assert faults_of_charge(f"eRoamingChargingNotification{kind}", note(session, kind)) == []
        assert await hub.code(NOTE, note(session, kind)) == "000"
    assert [each["Type"] for each in (await hub.memory("notifications")).values()] == [
        *("Start", "Progress", "End", "Error")
    ]


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("Middle", {}),
        ("Start", {"ChargingStart": None}),
        ("Start", {"ChargingStart": "2026-06-07T12:00:00"}),
        ("Start", {"ChargingStart": "2026-06-31T12:00:00Z"}),
        ("Start", {"MeterValueStart": "7"}),
        ("Progress", {"ConsumedEnergyProgress": None}),
        ("Progress", {"ConsumedEnergyProgress": 1.2345}),
        ("Progress", {"EventOccurred": None}),
        ("End", {"ChargingEnd": None}),
        ("Error", {"ErrorType": "Sad"}),
        ("Error", {"ErrorAdditionalInfo": "x" * 251}),
        ("Error", {"Identification": {}}),
    ],
)
async def test_a_wrong_notification_is_a_data_error(hub: Hub, kind: str, changes: Any) -> None:
    assert await hub.code(NOTE, note(await hub.begun(), kind, **changes)) == "022"


async def test_progress_is_told_every_five_minutes_at_most(hub: Hub) -> None:
    session, other = await hub.begun(), await hub.begun()
    at = "2026-06-07T12:{}+02:00".format
    assert await hub.code(NOTE, note(session, "Progress", EventOccurred=at("10:00"))) == "000"
    assert await hub.code(NOTE, note(session, "Progress", EventOccurred=at("14:59"))) == "022"
    assert await hub.code(NOTE, note(other, "Progress", EventOccurred=at("14:59"))) == "000"
    assert await hub.code(NOTE, note(session, "Progress", EventOccurred=at("15:00"))) == "000"


async def test_a_notification_of_no_session_is_refused(hub: Hub) -> None:
    assert await hub.code(NOTE, note(UNKNOWN)) == "400"
    session = await hub.begun()
    assert await hub.code(CDR, cdr(session)) == "000"
    assert await hub.code(NOTE, note(session)) == "400"


# CDRs


async def test_a_session_has_one_cdr_and_repeated_ones_are_counted(hub: Hub) -> None:
    session = await hub.begun()
    assert faults_of_charge("eRoamingChargeDetailRecord", cdr(session)) == []
    assert await hub.code(CDR, cdr(session)) == "000"
    assert await hub.code(CDR, cdr(session)) == "400"
    assert await hub.code(CDR, cdr(session, MeterValueEnd=None, ConsumedEnergy=1)) == "400"
    assert await hub.memory("cdrs") == {session: cdr(session)}
    requests = hub.running.sandbox.requests
    assert requests["repeated_cdrs", "same content"] == requests["repeated_cdrs", "other content"] == 1
    assert (requests["charge_detail_record", "ok"], requests["charge_detail_record", "400"]) == (1, 2)
    assert await hub.code(STOP, stopping(session)) == "400"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"SessionID": UNKNOWN}, "400"),
        ({"EvseID": "FR*XYZ*E1"}, "018"),
        ({"Identification": {"RemoteIdentification": {"EvcoID": "DE-NIX-C12345678-X"}}}, "019"),
        ({"Identification": {"RemoteIdentification": {"EvcoID": EVCO}}}, "000"),
        ({"Identification": {}}, "022"),
        ({"ConsumedEnergy": -0.1, "MeterValueEnd": 100.0}, "022"),
        ({"ConsumedEnergy": 1000.001, "MeterValueEnd": None}, "022"),
        ({"ConsumedEnergy": 1000, "MeterValueEnd": None}, "000"),
        ({"ConsumedEnergy": 21.401}, "022"),
        ({"ConsumedEnergy": 21.4001, "MeterValueEnd": None}, "022"),
        ({"ConsumedEnergy": None}, "022"),
        ({"ChargingEnd": "2026-06-07T12:00:59+02:00"}, "022"),
        ({"SessionEnd": "2026-06-07T11:59:59+02:00"}, "022"),
        ({"SessionEnd": "2026-06-07T14:00:06+02:00"}, "022"),
        ({"SessionEnd": "2026-06-07T14:00:00+02:00"}, "000"),
        ({"SessionEnd": "2026-06-07T13:30:00"}, "022"),
        ({"SignedMeteringValues": [{"SignedMeteringValue": "x" * 3001, "MeteringStatus": "Start"}]}, "022"),
        ({"SignedMeteringValues": [{"MeteringStatus": "End"}, {"MeteringStatus": "Start"}]}, "022"),
        ({"SignedMeteringValues": [{"MeteringStatus": "Progress"}] * 11}, "022"),
        ({"SignedMeteringValues": [{"SignedMeteringValue": "x", "MeteringStatus": "Start"}]}, "000"),
    ],
)
async def test_a_cdr_that_cannot_be_is_refused(hub: Hub, changes: Any, code: str) -> None:
    session = await hub.begun()
    assert await hub.code(CDR, cdr(session, **changes)) == code
    assert (await hub.memory("cdrs") == {}) is (code != "000")


async def test_an_evse_that_promises_signed_readings_has_to_give_them(hub: Hub) -> None:
    await push(hub, CalibrationLawDataAvailability="External")
    session = await hub.begun()
    assert await hub.code(CDR, cdr(session)) == "022"
    signed = [{"SignedMeteringValue": "x", "MeteringStatus": "Start"}]
    assert await hub.code(CDR, cdr(session, SignedMeteringValues=signed)) == "000"


async def test_a_malformed_cdr_is_answered_as_it_was_recorded_where_that_is_wanted() -> None:
    async with playing(recorded_forms=True) as hub:
        status, answer = await hub.post(CDR, cdr(UNKNOWN, EvseID=None))
        assert status == 400
        assert answer["validationErrors"][0]["fieldReference"] == "evseID"


# Limits, certificates, faults


@pytest.mark.parametrize(("path", "most"), [(START, 200), (STOP, 50), (CDR, 350), (NOTE, 100)])
async def test_the_published_limits_are_kept(hub: Hub, clock: Clock, path: str, most: int) -> None:
    for _ in range(most):
        assert (await hub.post(path, {}))[0] == 200
    assert (await hub.post(path, {}))[0] == 429
    clock.now = 60.1
    assert (await hub.post(path, {}))[0] == 200
    hub.running.sandbox.limits = False
    for _ in range(most + 1):
        assert (await hub.post(path, {}))[0] == 200


async def test_whoever_shows_no_certificate_or_anothers_is_refused(tmp_path: Path) -> None:
    async with run(HubjectSandbox([Partner(HUB_CPO), Partner(OTHER)]), tmp_path) as running:
        assert running.certificates is not None
        authority = running.certificates.authority
        for shown, status, code in (
            (None, 400, None),
            (running.certificates.clients["FR*OTH"], 200, "017"),
            (running.certificates.clients["FR*HUB"], 200, "022"),
        ):
            pair = (None, None) if shown is None else (shown.certificate, shown.key)
            connector = aiohttp.TCPConnector(ssl=client_context(authority, *pair))
            async with aiohttp.ClientSession(running.url, connector=connector) as session:
                for path in (START, STOP, CDR, NOTE):
                    async with session.post(path, json={"OperatorID": "FR*HUB"}) as answer:
                        assert answer.status == status
                        if code is not None:
                            assert (await answer.json())["StatusCode"]["Code"] == code


async def test_the_hub_refuses_on_command_in_the_form_of_the_service(hub: Hub) -> None:
    await hub.post(
        "/_sandbox/faults", [{"kind": "refuse", "code": "001", "path": "authorize|charge-detail", "count": 2}]
    )
    _, answer = await hub.post(START, asking())
    assert (answer["AuthorizationStatus"], answer["StatusCode"]["Code"]) == ("NotAuthorized", "001")
    _, answer = await hub.post(CDR, cdr(UNKNOWN))
    assert (answer["Result"], answer["StatusCode"]["Code"]) == (False, "001")


async def test_drivers_are_shown_without_their_pins_and_forgotten(hub: Hub) -> None:
    await hub.drivers({"provider": "NL-EMS", "contract": EVCO, "pin": "4711"}, DRIVER | {"answer": "silent"})
    async with hub.session.get("/_sandbox/drivers") as answer:
        shown = await answer.json()
    assert [(each["uid"], each["contract"], each["answer"]) for each in shown] == [
        (None, EVCO, "authorised"),
        (CARD, None, "silent"),
    ]
    assert "4711" not in json.dumps(shown)
    assert (await hub.post("/_sandbox/drivers", [{"provider": "NL-EMS"}]))[0] == 400
    async with hub.session.delete("/_sandbox/drivers") as answer:
        assert await answer.json() == []
    assert await hub.code(START, asking()) == "102"


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
async def cpo(hub: Hub) -> AsyncIterator[Cpo]:
    async with commanded() as made:
        hub.running.sandbox.gateway = made.url
        yield made


REMOTE = {"evse": "FR*HUB*E1", "contract": EVCO, "provider": "NL-EMS"}


async def drive(hub: Hub, what: str, **body: Any) -> dict[str, Any]:
    _, answer = await hub.post(f"/_sandbox/{what}", body)
    assert isinstance(answer, dict)
    return answer


async def test_a_remote_start_reaches_the_gateway_and_its_session_goes_on(hub: Hub, cpo: Cpo) -> None:
    answer = await drive(hub, "remote-start", **REMOTE, emp_session="emp-1", product="AC3")
    ((path, body),) = cpo.heard
    assert path == "/oicp/hubject/charging/v21/providers/NL-EMS/authorize-remote/start"
    assert faults_of_charge("eRoamingAuthorizeRemoteStart", body) == []
    assert (answer["Result"], answer["SessionID"]) == (True, body["SessionID"])
    session = answer["SessionID"]
    assert (await hub.memory("sessions"))[session]["CPOPartnerSessionID"] == "cpo-1"
    assert await hub.code(NOTE, note(session)) == "000"
    who = {"RemoteIdentification": {"EvcoID": EVCO}}
    assert (await drive(hub, "remote-stop", session=session))["Result"] is True
    assert faults_of_charge("eRoamingAuthorizeRemoteStop", cpo.heard[1][1]) == []
    assert await hub.code(CDR, cdr(session, Identification=who)) == "000"
    assert (await drive(hub, "remote-stop", session=session))["StatusCode"]["Code"] == "400"
    assert len(cpo.heard) == 2


async def test_a_reservation_is_made_and_given_up(hub: Hub, cpo: Cpo) -> None:
    made = await drive(hub, "reserve", **REMOTE, emp_session="emp-1", minutes=20)
    given_up = await drive(hub, "cancel-reservation", session=made["SessionID"])
    assert made["Result"] is given_up["Result"] is True
    (start, begun), (stop, ended) = cpo.heard
    assert start.endswith("/reservation/v11/providers/NL-EMS/reservation-start-request")
    assert stop.endswith("/reservation/v11/providers/NL-EMS/reservation-stop-request")
    assert faults_of_charge("eRoamingAuthorizeRemoteReservationStart", begun) == []
    ended.pop("CPOPartnerSessionID")
    assert faults_of_charge("eRoamingAuthorizeRemoteReservationStop", ended) == []
    assert begun["Duration"] == 20
    assert (await hub.memory("sessions"))[made["SessionID"]]["State"] == "cancelled"


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
async def test_the_hub_refuses_before_the_gateway_hears(hub: Hub, cpo: Cpo, change: Any, code: str) -> None:
    await push(hub)
    await push(hub, "FR*HUB*E3", IsHubjectCompatible=False)
    await hub.drivers(DRIVER | {"provider": "DE-NIX", "agreed": False})
    for what in ("remote-start", "reserve"):
        answer = await drive(hub, what, **REMOTE | change)
        assert (answer["Result"], answer["StatusCode"]["Code"]) == (False, code)
    assert cpo.heard == []
    assert await hub.memory("sessions") == {}
    if code != "300":
        assert (await drive(hub, "remote-start", **REMOTE | change, force=True))["Result"] is True


async def test_a_no_of_the_gateway_leaves_no_session(hub: Hub, cpo: Cpo) -> None:
    cpo.says = acknowledged("510")
    assert (await drive(hub, "remote-start", **REMOTE))["StatusCode"]["Code"] == "510"
    assert await hub.memory("sessions") == {}


@pytest.mark.parametrize("what", ["not json", "http", "nobody"])
async def test_a_gateway_that_does_not_answer_is_told_of_and_the_session_stays(hub: Hub, cpo: Cpo, what: str) -> None:
    if what == "not json":
        cpo.says = b"<html>"
    if what == "http":
        cpo.status = 503
    url = "http://127.0.0.1:1/oicp/hubject" if what == "nobody" else None
    answer = await drive(hub, "remote-start", **REMOTE, url=url)
    assert (answer["Result"], answer["StatusCode"]["Code"]) == (False, "310")
    assert len(await hub.memory("sessions")) == 1  # the CPO may have begun


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
async def test_an_answer_that_is_no_acknowledgment_is_found(hub: Hub, cpo: Cpo, says: Any) -> None:
    cpo.says = json.dumps(says).encode()
    assert (await hub.post("/_sandbox/remote-start", REMOTE))[0] == 502


async def test_a_command_is_repeated_with_its_session_and_wants_the_same_answer(hub: Hub, cpo: Cpo) -> None:
    assert (await drive(hub, "remote-start", **REMOTE, repeat=True))["Result"] is True
    await hub.post("/_sandbox/faults", [{"kind": "repeat", "path": "authorize-remote/start", "count": 1}])
    assert (await drive(hub, "remote-start", **REMOTE, late=0.01))["Result"] is True
    assert [body["SessionID"] for _, body in cpo.heard[::2]] == [body["SessionID"] for _, body in cpo.heard[1::2]]
    assert len(cpo.heard) == 4
    cpo.says = [*[acknowledged("000")] * 5, acknowledged("602")]
    assert (await hub.post("/_sandbox/remote-start", REMOTE | {"repeat": True}))[0] == 502


async def test_a_message_is_spoilt_on_command(hub: Hub, cpo: Cpo) -> None:
    await drive(hub, "remote-start", **REMOTE, extra={"EvseID": "nonsense", "ProviderID": None})
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
async def test_an_order_that_makes_no_sense_is_a_problem(hub: Hub, cpo: Cpo, what: str, body: Any) -> None:
    assert (await hub.post(f"/_sandbox/{what}", body))[0] == 400
    assert cpo.heard == []


async def test_an_order_needs_to_know_the_gateway(hub: Hub) -> None:
    assert (await hub.post("/_sandbox/remote-start", REMOTE))[0] == 409


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


# Against the adapter, whose mappings are other rules than the sandbox's


def asked() -> Question:
    place = CdrLocation(
        id="LOC1",
        evse_uid="1",
        connector_id="1",
        evse_id=EvseId("FR*HUB*E1"),
        time_zone="Europe/Paris",
    )
    return Question(id="auth-1", party=HUB_CPO, place=place, identification=told.CARD)


async def delivered(made: HubjectAdapter, message: Any) -> Any:
    call, _ = made.render(message)
    return await made.tell(call, doubtful=False)


async def test_the_adapter_and_the_sandbox_understand_each_other() -> None:
    partners = [Partner(HUB_CPO)]
    sandbox = HubjectSandbox(partners, wall=lambda: NOW)
    async with run(sandbox, None) as running, aiohttp.ClientSession(running.url) as session:
        hub = Hub(running, session)
        await hub.drivers(DRIVER | {"stop_with": [OTHER_CARD]})
        made = adapter(base_url=running.url)
        try:
            answer = await made.authorise(asked())
            assert isinstance(answer, Allowed)
            assert answer.leg.emsp == PartyId("NL*EMS")
            await hub.drivers(DRIVER | {"answer": "not_authorised", "code": "200"})
            denied = await made.authorise(asked())
            assert isinstance(denied, Denied)
            assert denied.code == "200"
            await tell_all(made, hub, answer.leg)
            stopped = await made.authorise_stop(asked(), answer.leg)
            assert isinstance(stopped, Denied)  # it has its CDR
            assert stopped.reason is Denial.UNKNOWN_SESSION
        finally:
            await made.close()


async def tell_all(made: HubjectAdapter, hub: Hub, leg: Leg) -> None:
    place = asked().place
    begun = told.session(party=HUB_CPO)
    over = told.session(party=HUB_CPO, charging_end=told.ENDED, end=told.ENDED, last_updated=told.ENDED)
    for session in (begun, over):
        for message in made.of_session(session, place, leg, {}):
            assert isinstance(await delivered(made, message), Delivered)
    metering = Metering(start=Decimal("10.1234"), end=Decimal("17.1234"))
    (message,) = made.of_cdr(told.cdr(party=HUB_CPO, location=place, metering=metering), leg)
    assert isinstance(await delivered(made, message), Delivered)
    assert isinstance(await delivered(made, message), RefusedByHub)
    assert [each["Type"] for each in (await hub.memory("notifications")).values()][:1] == ["Start"]
    assert list(await hub.memory("cdrs")) == [leg.hub_session]
