"""The sandbox plays hub and EMP for a charge: it admits, refuses and remembers as Hubject does."""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.core.tls import client_context
from adapters.hubject.sandbox import HubjectSandbox, Partner, run
from tests.adapters.hubject.charging import (
    CARD,
    CDR,
    DRIVER,
    EVCO,
    NOTE,
    OTHER_CARD,
    START,
    STOP,
    UNKNOWN,
    Hub,
    asking,
    card,
    cdr,
    note,
    playing,
    push,
    stopping,
)
from tests.adapters.hubject.conftest import OTHER, Clock
from tests.adapters.hubject.network import HUB_CPO
from tests.oicp_schema import faults_of_charge

# Authorisations


async def test_a_yes_names_the_session_the_provider_and_who_may_stop(hbs: Hub) -> None:
    await hbs.drivers(DRIVER | {"partner_session": "emp-1", "stop_with": [OTHER_CARD, EVCO]})
    _, answer = await hbs.post(START, asking())
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
    (session,) = (await hbs.memory("sessions")).values()
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
    async with playing() as hbs:
        await hbs.drivers(*drivers)
        assert await hbs.code(START, asking()) == code
        assert await hbs.memory("sessions") == {}


async def test_one_yes_is_enough_whatever_others_say(hbs: Hub) -> None:
    await hbs.drivers(
        DRIVER | {"answer": "not_authorised"},
        DRIVER | {"provider": "DE-EMP", "late": 0.01},
        DRIVER | {"provider": "BE-EMS", "answer": "silent"},
    )
    _, answer = await hbs.post(START, asking())
    assert answer["ProviderID"] == "DE*EMP"


async def test_a_star_stands_for_every_card_but_those_that_are_named(hbs: Hub) -> None:
    await hbs.drivers(DRIVER | {"uid": "*", "provider": "DE-EMP"})
    assert (await hbs.post(START, asking(card(OTHER_CARD))))[1]["ProviderID"] == "DE*EMP"
    assert (await hbs.post(START, asking()))[1]["ProviderID"] == "NL*EMS"


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
    async with playing() as hbs:
        await hbs.drivers({"provider": "NL-EMS", "contract": EVCO} | changes)
        assert await hbs.code(START, asking(who)) == code
        assert "4711" not in json.dumps(await hbs.memory("sessions"))


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
async def test_a_question_is_judged_before_anybody_is_asked(hbs: Hub, change: Any, code: str) -> None:
    assert await hbs.code(START, asking(**change)) == code


@pytest.mark.parametrize("path", [START, STOP, CDR, NOTE])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"7", b"[" * 5000])
async def test_a_body_that_is_no_message_is_refused(hbs: Hub, path: str, body: bytes) -> None:
    assert await hbs.code(path, body) == "022"


async def test_somebody_who_is_not_registered_is_not_found(hbs: Hub) -> None:
    for path in (START, STOP, CDR):
        assert await hbs.code(path.replace("FR*HUB", "FR*XXX"), asking(OperatorID="FR*XXX")) == "300"
    assert await hbs.code(NOTE, note(UNKNOWN, OperatorID="FR*XXX")) == "300"


async def test_an_evse_has_to_be_known_once_any_was_pushed(hbs: Hub) -> None:
    session = await hbs.begun()
    await push(hbs, "FR*HUB*E2")
    assert await hbs.code(START, asking()) == "603"
    assert await hbs.code(START, asking(EvseID="FRHUBE2")) == "000"
    assert await hbs.code(NOTE, note(session, EvseID="FR*HUB*E3")) == "603"
    assert await hbs.code(CDR, cdr(session, EvseID="FR*HUB*E3")) == "603"


async def test_a_charge_is_billed_where_its_evse_was_withdrawn_meanwhile(hbs: Hub) -> None:
    session = await hbs.begun()
    await push(hbs, "FR*HUB*E2")
    assert await hbs.code(NOTE, note(session)) == "000"
    assert await hbs.code(CDR, cdr(session)) == "000"


async def test_a_session_is_stopped_once_by_what_started_it(hbs: Hub) -> None:
    session = await hbs.begun()
    assert await hbs.code(STOP, stopping(session, card(OTHER_CARD))) == "602"
    assert await hbs.code(STOP, stopping(session)) == "000"
    assert await hbs.code(STOP, stopping(session)) == "400"
    assert await hbs.code(STOP, stopping(UNKNOWN)) == "400"


async def test_another_medium_stops_a_session_where_the_provider_says_so(hbs: Hub) -> None:
    await hbs.drivers(DRIVER | {"stop_with": [OTHER_CARD, EVCO]})
    assert await hbs.code(STOP, stopping(await hbs.begun(), card(OTHER_CARD))) == "000"
    assert await hbs.code(STOP, stopping(await hbs.begun(), {"RemoteIdentification": {"EvcoID": EVCO}})) == "000"


async def test_a_session_that_was_authorised_offline_is_stopped_by_its_own_medium_only(hbs: Hub) -> None:
    await hbs.drivers(DRIVER | {"offline": True, "stop_with": [OTHER_CARD]})
    session = await hbs.begun()
    assert await hbs.code(STOP, stopping(session, card(OTHER_CARD))) == "602"
    assert await hbs.code(STOP, stopping(session)) == "000"


async def test_a_session_is_nobody_elses(hbs: Hub) -> None:
    session = await hbs.begun()
    foreign = {"OperatorID": "FR*OTH", "EvseID": "FR*OTH*E1"}
    assert await hbs.code(STOP.replace("FR*HUB", "FR*OTH"), stopping(session, **foreign)) == "400"
    assert await hbs.code(CDR.replace("FR*HUB", "FR*OTH"), cdr(session, EvseID="FR*OTH*E1")) == "400"
    assert await hbs.code(NOTE, note(session, **foreign)) == "400"


# Limits, certificates, faults


@pytest.mark.parametrize(("path", "most"), [(START, 200), (STOP, 50), (CDR, 350), (NOTE, 100)])
async def test_the_published_limits_are_kept(hbs: Hub, clock: Clock, path: str, most: int) -> None:
    for _ in range(most):
        assert (await hbs.post(path, {}))[0] == 200
    assert (await hbs.post(path, {}))[0] == 429
    clock.now = 60.1
    assert (await hbs.post(path, {}))[0] == 200
    hbs.running.sandbox.limits = False
    for _ in range(most + 1):
        assert (await hbs.post(path, {}))[0] == 200


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


async def test_the_hub_refuses_on_command_in_the_form_of_the_service(hbs: Hub) -> None:
    await hbs.post(
        "/_sandbox/faults", [{"kind": "refuse", "code": "001", "path": "authorize|charge-detail", "count": 2}]
    )
    _, answer = await hbs.post(START, asking())
    assert (answer["AuthorizationStatus"], answer["StatusCode"]["Code"]) == ("NotAuthorized", "001")
    _, answer = await hbs.post(CDR, cdr(UNKNOWN))
    assert (answer["Result"], answer["StatusCode"]["Code"]) == (False, "001")


async def test_drivers_are_shown_without_their_pins_and_forgotten(hbs: Hub) -> None:
    await hbs.drivers({"provider": "NL-EMS", "contract": EVCO, "pin": "4711"}, DRIVER | {"answer": "silent"})
    async with hbs.session.get("/_sandbox/drivers") as answer:
        shown = await answer.json()
    assert [(each["uid"], each["contract"], each["answer"]) for each in shown] == [
        (None, EVCO, "authorised"),
        (CARD, None, "silent"),
    ]
    assert "4711" not in json.dumps(shown)
    assert (await hbs.post("/_sandbox/drivers", [{"provider": "NL-EMS"}]))[0] == 400
    async with hbs.session.delete("/_sandbox/drivers") as answer:
        assert await answer.json() == []
    assert await hbs.code(START, asking()) == "102"
