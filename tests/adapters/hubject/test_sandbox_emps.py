"""What else EMPs ask of the sandbox: their drivers kept, CDRs given again, commands passed on; and who may."""

import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.core.tls import client_context
from adapters.hubject.sandbox import HubjectSandbox, Partner, Provider, run
from adapters.hubject.sandbox.played import PlayedCpos
from mappings.canonical.ids import PartyId
from tests.adapters.hubject.charging import CARD, CDR, NOTE, UNKNOWN, Hub, card, cdr, note, push, under_way
from tests.adapters.hubject.emps import (
    ASKING,
    CANCEL,
    DATA,
    EMS,
    EVCO,
    GET_CDRS,
    PUSH,
    REMOTE_START,
    REMOTE_STOP,
    RESERVE,
    RIVALS_EVCO,
    STATUS,
    World,
    acknowledged,
    record,
    yes,
)
from tests.adapters.hubject.network import HUB_CPO
from tests.adapters.hubject.test_sandbox_routing import plug, uploading
from tests.oicp_schema import faults_of_charge, validate

# Authentication data


@pytest.mark.parametrize(
    ("steps", "held"),
    [
        ([("insert", ["a", "b"], "000"), ("insert", ["b"], "022")], "ab"),
        ([("insert", ["a"], "000"), ("update", ["a", "b"], "022"), ("update", ["a"], "000")], "a"),
        ([("insert", ["a", "b"], "000"), ("delete", ["b", "c"], "000")], "a"),
        ([("insert", ["a", "b"], "000"), ("fullLoad", ["c"], "000")], "c"),
        ([("insert", ["a", "b"], "000"), ("fullLoad", [], "000")], ""),
        ([("insert", ["a", "a"], "022")], ""),
    ],
)
async def test_drivers_are_kept_as_the_actions_say(emp_world: World, steps: Any, held: str) -> None:
    cards = {name: card(f"04AABBC{number}") for number, name in enumerate("abc")}
    for action, names, code in steps:
        assert await emp_world.code(PUSH, uploading(*(cards[name] for name in names), action=action)) == code
    told = {
        record["Identification"]["RFIDMifareFamilyIdentification"]["UID"]
        for record in (await emp_world.memory("authentication_data")).values()
    }
    assert told == {f"04AABBC{'abc'.index(name)}" for name in held}


@pytest.mark.parametrize(
    ("uploaded", "code"),
    [
        (plug(RIVALS_EVCO), "019"),
        ({"RFIDIdentification": {"UID": CARD, "RFID": "mifareCls", "EvcoID": RIVALS_EVCO}}, "019"),
        ({"RFIDIdentification": {"UID": CARD, "RFID": "mifareCls"}}, "000"),
        ({"QRCodeIdentification": {"EvcoID": EVCO}}, "022"),
        (card() | plug(EVCO), "022"),
        ({}, "022"),
    ],
)
async def test_a_driver_is_of_the_emp_and_shows_one_thing(emp_world: World, uploaded: Any, code: str) -> None:
    assert await emp_world.code(PUSH, uploading(uploaded)) == code


async def test_a_bundled_emp_is_uploaded_by_whoever_bundles_it(emp_world: World) -> None:
    await emp_world.do("partners", [{"provider": "NL-EMS", "sub_providers": ["DE-EMP"]}])
    assert await emp_world.code(PUSH, uploading(plug(RIVALS_EVCO))) == "000"


async def test_a_push_beside_another_one_is_refused(emp_world: World) -> None:
    async with under_way(emp_world, PUSH, uploading(card())):
        assert await emp_world.code(PUSH, uploading()) == "009"
    assert len(await emp_world.memory("authentication_data")) == 1


# CDRs


async def charged(world: World, *, energy: float = 10.0, **changes: Any) -> str:
    world.emp.says["start"] = yes()
    session = (await world.do("taps", {"evse": "NL*ABC*E1", "contract": EVCO}))["SessionID"]
    await world.do("cdrs", {"session": session, "energy": energy} | changes)
    return str(session)


async def given(world: World, query: str = "?size=100", **changes: Any) -> dict[str, Any]:
    span = {"From": "2026-06-07T00:00:00Z", "To": "2026-06-08T00:00:00Z"}
    status, answer = await world.post(GET_CDRS + query, {"ProviderID": "NL-EMS"} | span | changes)
    assert status == 200
    validate("eRoamingChargeDetailRecords", answer, role="emp")
    assert isinstance(answer, dict)
    return answer


async def test_cdrs_are_given_again_in_pages_whether_they_arrived_or_not(emp_world: World) -> None:
    arrived = await charged(emp_world)
    missed = await charged(emp_world, forward=False)
    assert [body["SessionID"] for body in emp_world.emp.heard_at("charge-detail-record")] == [arrived]
    pages = [await given(emp_world, f"?page={page}&size=1") for page in range(2)]
    assert [page["content"][0]["SessionID"] for page in pages] == [arrived, missed]
    assert [(page["totalPages"], page["last"]) for page in pages] == [(2, False), (2, True)]
    assert faults_of_charge("eRoamingChargeDetailRecord", pages[1]["content"][0], role="emp") == []
    assert (await given(emp_world, ""))["size"] == 20


async def test_cdrs_are_asked_for_by_time_session_operator_and_fate(emp_world: World) -> None:
    first = await charged(emp_world)
    emp_world.wall.pass_by(3600)
    second = await charged(emp_world, forward=False)

    async def found(**changes: Any) -> list[str]:
        return [each["SessionID"] for each in (await given(emp_world, **changes))["content"]]

    assert await found(From="2026-06-07T12:30:00Z") == [second]
    assert await found(To="2026-06-07T12:30:00Z") == [first]
    assert await found(SessionID=[second, UNKNOWN]) == [second]
    assert await found(OperatorID="NL*XYZ") == []
    assert await found(CDRForwarded=False) == [second]
    assert await found(CDRForwarder=True) == [first]
    await emp_world.do("partners", [{"provider": "NL-EMS", "url": emp_world.rival.url}])
    body = {"ProviderID": "DE-EMP", "From": "2026-06-07T00:00:00Z", "To": "2026-06-08T00:00:00Z"}
    _, rivals = await emp_world.post(GET_CDRS.replace("NL-EMS", "DE-EMP"), body)
    assert rivals["content"] == []


# Commands


def starting(evse: str = "FR*HUB*E1", contract: str = EVCO, **changes: Any) -> dict[str, Any]:
    who = {"RemoteIdentification": {"EvcoID": contract}}
    return {"ProviderID": "NL-EMS", "EvseID": evse, "Identification": who} | changes


def ending(session: str, evse: str = "FR*HUB*E1") -> dict[str, Any]:
    return {"ProviderID": "NL-EMS", "SessionID": session, "EvseID": evse}


async def commanded(world: World, path: str, body: dict[str, Any]) -> dict[str, Any]:
    status, answer = await world.post(path, body)
    assert status == 200
    assert faults_of_charge("eRoamingAcknowledgment", answer, role="emp") == []
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize(
    ("begin", "end", "names"),
    [
        (REMOTE_START, REMOTE_STOP, ("eRoamingAuthorizeRemoteStart", "eRoamingAuthorizeRemoteStop")),
        (RESERVE, CANCEL, ("eRoamingAuthorizeRemoteReservationStart", "eRoamingAuthorizeRemoteReservationStop")),
    ],
)
async def test_a_command_reaches_the_cpo_whose_evse_it_is(
    emp_world: World, begin: str, end: str, names: tuple[str, str]
) -> None:
    await push(emp_world)
    emp_world.cpo.says = {
        last: acknowledged() | {"CPOPartnerSessionID": "c1"} for last in ("start", "reservation-start-request")
    }
    answer = await commanded(emp_world, begin, starting(EMPPartnerSessionID="e1", SessionID=UNKNOWN))
    session = answer["SessionID"]
    assert session != UNKNOWN
    assert (answer["Result"], answer["CPOPartnerSessionID"]) == (True, "c1")
    assert (await commanded(emp_world, end, ending(session)))["Result"] is True
    (start, begun), (stop, ended) = emp_world.cpo.heard
    assert "/api/oicp" + start == begin
    assert "/api/oicp" + stop == end
    assert begun["SessionID"] == ended["SessionID"] == session
    assert faults_of_charge(names[0], begun) == []
    ended.pop("CPOPartnerSessionID")
    assert faults_of_charge(names[1], ended) == []


async def test_a_remote_start_is_told_of_and_billed_to_the_emp(emp_world: World) -> None:
    session = (await commanded(emp_world, REMOTE_START, starting()))["SessionID"]
    assert await emp_world.code(NOTE, note(session)) == "000"
    who = {"RemoteIdentification": {"EvcoID": EVCO}}
    bill = cdr(session, Identification=who, SessionEnd="2026-06-07T13:10:00+02:00")
    assert await emp_world.code(CDR, bill) == "000"
    assert [body["SessionID"] for _, body in emp_world.emp.heard] == [session, session]
    assert (await commanded(emp_world, REMOTE_STOP, ending(session)))["StatusCode"]["Code"] == "400"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"evse": "XX*NIX*E1"}, "300"),
        ({"evse": "FR*OTH*E1"}, "210"),
        ({"evse": "FR*HUB*E2"}, "603"),
        ({"evse": "FR*HUB*E3"}, "604"),
        ({"evse": "NL*ABC*E3"}, "604"),
        ({"contract": RIVALS_EVCO}, "019"),
        ({"Identification": {"RFIDMifareFamilyIdentification": {"UID": CARD}}}, "022"),
        ({"Identification": {"RemoteIdentification": {"EvcoID": EVCO}} | card()}, "022"),
    ],
)
async def test_the_hub_refuses_before_the_cpo_hears(emp_world: World, change: Any, code: str) -> None:
    await push(emp_world)
    await push(emp_world, "FR*HUB*E3", IsHubjectCompatible=False)
    await emp_world.load(record("NL*ABC*E3", IsHubjectCompatible=False))
    await emp_world.do("contracts", [{"provider": "NL-EMS", "operator": "FR*OTH", "agreed": False}])
    for path in (REMOTE_START, RESERVE):
        assert (await commanded(emp_world, path, starting(**change)))["StatusCode"]["Code"] == code
    assert emp_world.cpo.heard == []
    assert await emp_world.memory("sessions") == {}


async def test_a_session_is_stopped_by_nobody_but_its_emp(emp_world: World) -> None:
    session = (await commanded(emp_world, REMOTE_START, starting()))["SessionID"]
    rivals = ending(session) | {"ProviderID": "DE-EMP"}
    answer = await commanded(emp_world, REMOTE_STOP.replace("NL-EMS", "DE-EMP"), rivals)
    assert answer["StatusCode"]["Code"] == "400"
    assert (await commanded(emp_world, REMOTE_STOP, ending(UNKNOWN)))["StatusCode"]["Code"] == "400"
    assert len(emp_world.cpo.heard) == 1


@pytest.mark.parametrize(("says", "code"), [(acknowledged("602"), "602"), (b"<html>", "310"), ({}, "310")])
async def test_the_cpos_answer_is_the_emps(emp_world: World, says: Any, code: str) -> None:
    emp_world.cpo.says["start"] = says
    answer = await commanded(emp_world, REMOTE_START, starting())
    assert (answer["Result"], answer["StatusCode"]["Code"]) == (False, code)


async def test_each_cpo_is_commanded_at_its_own_gateway(emp_world: World) -> None:
    await emp_world.do("partners", [{"operator": "FR*OTH", "url": emp_world.rival.url}])
    assert (await commanded(emp_world, REMOTE_START, starting("FR*OTH*E1")))["Result"] is True
    assert emp_world.cpo.heard == []
    assert len(emp_world.rival.heard) == 1


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "000"),
        ({"operator": "NL*ABC", "answer": "refuse", "code": "700"}, "700"),
        ({"answer": "refuse"}, "602"),
        ({"answer": "silent"}, "310"),
        ({"late": 3}, "310"),
        ({"late": 0.01, "partner_session": "c1"}, "000"),
    ],
)
async def test_a_played_cpo_answers_as_it_is_told(emp_world: World, said: dict[str, Any], code: str) -> None:
    emp_world.sandbox.played = PlayedCpos(patience=0.3)
    await emp_world.load(record("NL*ABC*E1"))
    await emp_world.do("cpos", [said])
    answer = await commanded(emp_world, REMOTE_START, starting("NL*ABC*E1"))
    assert answer["StatusCode"]["Code"] == code
    assert answer.get("CPOPartnerSessionID") == said.get("partner_session")
    if code == "000":
        assert (await commanded(emp_world, REMOTE_STOP, ending(answer["SessionID"], "NL*ABC*E1")))["Result"] is True
    assert emp_world.cpo.heard == []
    async with emp_world.session.delete("/_sandbox/cpos") as told:
        assert await told.json() == []


async def test_a_played_cpo_has_no_evse_but_its_own(emp_world: World) -> None:
    await emp_world.do("cpos", [{"operator": "NL*ABC"}])
    assert (await commanded(emp_world, REMOTE_START, starting("NL*ABC*E1")))["StatusCode"]["Code"] == "603"


# Who may


async def test_an_emp_is_known_by_its_certificate(tmp_path: Path) -> None:
    rival = Provider(PartyId("DE-EMP"))
    async with run(HubjectSandbox([Partner(HUB_CPO)], providers=[Provider(EMS), rival]), tmp_path) as running:
        made = running.certificates
        assert made is not None
        shown = {"NL*EMS": "000", "DE*EMP": "017", "": None, "FR*HUB": "017"}
        for party, code in shown.items():
            pair = made.providers.get(party) or made.clients.get(party)
            context: ssl.SSLContext = client_context(
                made.authority, pair.certificate if pair else None, pair.key if pair else None
            )
            connector = aiohttp.TCPConnector(ssl=context)
            async with (
                aiohttp.ClientSession(running.url, connector=connector) as session,
                session.post(DATA, json=ASKING) as answer,
            ):
                if code is None:
                    assert answer.status == 400
                else:
                    assert (await answer.json())["StatusCode"]["Code"] == code


async def test_an_operators_certificate_is_no_emps_though_the_ids_are_the_same(tmp_path: Path) -> None:
    async with run(HubjectSandbox([Partner(HUB_CPO)], providers=[Provider(HUB_CPO)]), tmp_path) as running:
        made = running.certificates
        assert made is not None
        pair = made.clients["FR*HUB"]
        connector = aiohttp.TCPConnector(ssl=client_context(made.authority, pair.certificate, pair.key))
        async with aiohttp.ClientSession(running.url, connector=connector) as session:
            body = ASKING | {"ProviderID": "FR-HUB"}
            async with session.post(DATA.replace("NL-EMS", "FR-HUB"), json=body) as answer:
                assert (await answer.json())["StatusCode"]["Code"] == "017"


async def test_a_partner_is_registered_while_the_sandbox_runs(emp_world: World) -> None:
    told = await emp_world.do("partners", [{"provider": "XX-NEW", "url": "http://127.0.0.1:1"}])
    assert {("XX*NEW", "http://127.0.0.1:1")} <= {(each.get("provider"), each["url"]) for each in told}
    body = {"ProviderID": "XX-NEW"}
    assert await emp_world.refused(STATUS.replace("NL-EMS", "XX-NEW"), body) == "000"


async def test_a_malformed_request_is_answered_as_it_was_recorded() -> None:
    sandbox = HubjectSandbox([], providers=[Provider(EMS)], recorded_forms=True)
    async with run(sandbox, None) as running, aiohttp.ClientSession(running.url) as session:
        status, answer = await Hub(running, session).post(DATA, {"ProviderID": "NL-EMS"})
    assert (status, answer["validationErrors"][0]["fieldReference"]) == (400, "geoCoordinatesResponseFormat")
