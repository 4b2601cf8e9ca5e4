"""What of a CPO the sandbox passes on to EMPs: authorisations, notifications, CDRs."""

from typing import Any

import pytest

from tests.adapters.hubject.charging import CARD, CDR, NOTE, START, STOP, asking, card, cdr, note, stopping
from tests.adapters.hubject.emps import (
    EVCO,
    NOBODYS_EVCO,
    PUSH,
    RIVALS_EVCO,
    Gateway,
    World,
    acknowledged,
    no,
    record,
    yes,
)
from tests.oicp_schema import faults_of_charge

ASKED_START = "/api/oicp/charging/v21/operators/FR*HUB/authorize/start"
ASKED_STOP = "/api/oicp/charging/v21/operators/FR*HUB/authorize/stop"
TOLD_CDR = "/api/oicp/cdrmgmt/v22/operators/FR*HUB/charge-detail-record"
TOLD_NOTE = "/api/oicp/notificationmgmt/v11/charging-notifications"


def plug(contract: str) -> dict[str, Any]:
    return {"PlugAndChargeIdentification": {"EvcoID": contract}}


def uploading(*identifications: dict[str, Any], action: str = "fullLoad") -> dict[str, Any]:
    records = [{"Identification": each} for each in identifications]
    data = {"ProviderID": "NL-EMS", "AuthenticationDataRecord": records}
    return {"ActionType": action, "ProviderAuthenticationData": data}


async def started(world: World, who: dict[str, Any], **changes: Any) -> dict[str, Any]:
    status, answer = await world.post(START, asking(who, **changes))
    assert status == 200
    assert isinstance(answer, dict)
    return answer


async def begun(world: World, who: dict[str, Any] | None = None) -> str:
    world.emp.says["start"] = yes()
    answer = await started(world, who or plug(EVCO))
    assert answer["AuthorizationStatus"] == "Authorized", answer
    return str(answer["SessionID"])


# Starts


async def test_the_emp_of_a_contract_is_asked_and_its_yes_opens_a_session(emp_world: World) -> None:
    stoppers = [{"RFIDMifareFamilyIdentification": {"UID": CARD}}]
    emp_world.emp.says["start"] = yes(AuthorizationStopIdentifications=stoppers)
    answer = await started(emp_world, plug(EVCO))
    ((path, body),) = emp_world.emp.heard
    assert path == ASKED_START
    assert faults_of_charge("eRoamingAuthorizeStart", body, role="emp") == []
    assert body["SessionID"] == answer["SessionID"]
    assert (answer["ProviderID"], answer["EMPPartnerSessionID"]) == ("NL*EMS", "emp-1")
    assert answer["AuthorizationStopIdentifications"] == stoppers
    assert (await emp_world.memory("sessions"))[answer["SessionID"]]["ProviderID"] == "NL*EMS"
    assert emp_world.rival.heard == []


async def test_a_pin_is_passed_on_and_kept_nowhere(emp_world: World) -> None:
    emp_world.emp.says["start"] = yes()
    await started(emp_world, {"QRCodeIdentification": {"EvcoID": EVCO, "PIN": "73198246"}})
    assert emp_world.emp.heard[0][1]["Identification"]["QRCodeIdentification"]["PIN"] == "73198246"
    assert "73198246" not in str(await emp_world.memory("sessions"))


async def test_the_no_of_an_emp_reaches_the_cpo_with_its_code(emp_world: World) -> None:
    emp_world.emp.says["start"] = no("200")
    answer = await started(emp_world, plug(EVCO))
    assert (answer["AuthorizationStatus"], answer["StatusCode"]["Code"]) == ("NotAuthorized", "200")
    assert answer["SessionID"] is None
    assert await emp_world.memory("sessions") == {}


@pytest.mark.parametrize(
    "says",
    [
        b"<html>",
        acknowledged(),
        yes(ProviderID=None),
        yes(ProviderID="DE-EMP"),
        yes(StatusCode={"Code": "200"}),
        {"AuthorizationStatus": "Authorized"},
    ],
)
async def test_an_answer_that_makes_no_sense_is_no_yes(emp_world: World, says: Any) -> None:
    emp_world.emp.says["start"] = says
    assert (await started(emp_world, plug(EVCO)))["StatusCode"]["Code"] == "310"


async def test_an_emp_that_is_down_has_said_no(emp_world: World) -> None:
    emp_world.emp.status = 503
    assert (await started(emp_world, plug(EVCO)))["StatusCode"]["Code"] == "310"
    await emp_world.do("partners", [{"provider": "NL-EMS", "url": "http://127.0.0.1:1/oicp/here"}])
    assert (await started(emp_world, plug(EVCO)))["StatusCode"]["Code"] == "310"


async def test_an_emp_without_a_contract_is_not_asked(emp_world: World) -> None:
    contract = {"provider": "NL-EMS", "operator": "FR*HUB", "service": "authorisation", "agreed": False}
    await emp_world.do("contracts", [contract])
    assert (await started(emp_world, plug(EVCO)))["StatusCode"]["Code"] == "210"
    emp_world.rival.says["start"] = no("102")
    assert (await started(emp_world, card()))["StatusCode"]["Code"] == "102"
    assert emp_world.emp.heard == []
    assert len(emp_world.rival.heard) == 1


@pytest.mark.parametrize("who", [card(), plug(NOBODYS_EVCO)])
async def test_whoever_nobody_is_known_to_have_is_asked_for_everywhere_and_one_yes_is_enough(
    emp_world: World, who: dict[str, Any]
) -> None:
    emp_world.emp.says["start"] = no("102")
    emp_world.rival.says["start"] = yes(ProviderID="DE-EMP")
    answer = await started(emp_world, who)
    assert (answer["AuthorizationStatus"], answer["ProviderID"]) == ("Authorized", "DE*EMP")
    assert len(emp_world.emp.heard) == len(emp_world.rival.heard) == 1
    assert emp_world.emp.heard[0][1]["SessionID"] == emp_world.rival.heard[0][1]["SessionID"]


async def test_no_yes_at_all_is_a_no(emp_world: World) -> None:
    emp_world.emp.says["start"], emp_world.rival.says["start"] = no("102"), b"<html>"
    assert (await started(emp_world, card()))["StatusCode"]["Code"] == "102"
    emp_world.emp.says["start"] = b"<html>"
    assert (await started(emp_world, card()))["StatusCode"]["Code"] == "106"


async def test_played_emps_are_asked_beside_partners(emp_world: World) -> None:
    emp_world.emp.says["start"] = emp_world.rival.says["start"] = no("102")
    await emp_world.drivers({"provider": "FR-ZZZ", "uid": CARD})
    assert (await started(emp_world, card()))["ProviderID"] == "FR*ZZZ"
    contract = {"provider": "FR-ZZZ", "contract": "FR-ZZZ-C12345678-X"}
    await emp_world.drivers(contract)
    assert (await started(emp_world, plug("FR-ZZZ-C12345678-X")))["ProviderID"] == "FR*ZZZ"


async def test_a_request_that_is_repeated_on_the_way_has_the_same_session(emp_world: World) -> None:
    emp_world.emp.says["start"] = yes()
    await emp_world.do("faults", [{"kind": "repeat", "path": "authorize/start"}])
    assert (await started(emp_world, plug(EVCO)))["AuthorizationStatus"] == "Authorized"
    first, second = emp_world.emp.heard
    assert first == second


# What was uploaded


async def test_a_driver_who_was_uploaded_is_authorised_without_the_emp(emp_world: World) -> None:
    qr_code = {"QRCodeIdentification": {"EvcoID": EVCO, "PIN": "73198246"}}
    assert await emp_world.code(PUSH, uploading(card(), plug(EVCO), qr_code)) == "000"
    assert "73198246" not in str(await emp_world.memory("authentication_data"))
    for who in (card(), plug(EVCO), qr_code):
        answer = await started(emp_world, who)
        assert (answer["AuthorizationStatus"], answer["ProviderID"]) == ("Authorized", "NL*EMS")
        session = (await emp_world.memory("sessions"))[answer["SessionID"]]
        assert session["Offline"] is True
    assert emp_world.emp.heard == []
    # OICP 2.3, eRoamingAuthorizeStop: by the medium that started it, and no other.
    assert await emp_world.code(STOP, stopping(answer["SessionID"], card())) == "602"
    assert await emp_world.code(STOP, stopping(answer["SessionID"], qr_code)) == "000"
    assert emp_world.emp.heard == []


async def test_a_wrong_pin_and_one_that_the_emp_hashed_are_left_to_the_emp(emp_world: World) -> None:
    hashed = {"Value": "$2a$10$abcdefghijklmnopqrstuv", "Function": "Bcrypt"}
    own = {"QRCodeIdentification": {"EvcoID": EVCO, "PIN": "1"}}
    emp_world.emp.says["start"] = no("101")
    for uploaded in (own, {"QRCodeIdentification": {"EvcoID": EVCO, "HashedPIN": hashed}}):
        assert await emp_world.code(PUSH, uploading(uploaded)) == "000"
        wrong = {"QRCodeIdentification": {"EvcoID": EVCO, "PIN": "2"}}
        assert (await started(emp_world, wrong))["StatusCode"]["Code"] == "101"
    assert len(emp_world.emp.heard) == 2


async def test_an_emp_that_is_offline_is_asked_for_nothing(emp_world: World) -> None:
    await emp_world.do("partners", [{"provider": "NL-EMS"}])
    assert (await started(emp_world, plug(EVCO)))["StatusCode"]["Code"] == "105"
    emp_world.rival.says["start"] = no("102")
    assert (await started(emp_world, card()))["StatusCode"]["Code"] == "102"
    assert emp_world.emp.heard == []


# Stops


@pytest.mark.parametrize(("says", "code"), [(yes(), "000"), (no("102"), "102"), (b"<html>", "310")])
async def test_the_emp_says_whether_a_session_may_be_stopped(emp_world: World, says: Any, code: str) -> None:
    session = await begun(emp_world)
    emp_world.emp.says["stop"] = says
    assert await emp_world.code(STOP, stopping(session, plug(EVCO))) == code
    path, body = emp_world.emp.heard[1]
    assert path == ASKED_STOP
    assert faults_of_charge("eRoamingAuthorizeStop", body, role="emp") == []
    assert (await emp_world.memory("sessions"))[session]["State"] == ("stopped" if code == "000" else "open")


# Notifications and CDRs


@pytest.mark.parametrize("kind", ["Start", "Progress", "End", "Error"])
async def test_a_notification_is_forwarded_and_the_emps_answer_is_the_cpos(emp_world: World, kind: str) -> None:
    session = await begun(emp_world)
    assert await emp_world.code(NOTE, note(session, kind)) == "000"
    path, body = emp_world.emp.heard[1]
    assert (path, body) == (TOLD_NOTE, note(session, kind))
    emp_world.emp.says["charging-notifications"] = acknowledged("400")
    assert await emp_world.code(NOTE, note(session, "Error")) == "400"


async def test_a_cdr_is_forwarded_once_to_the_emp_of_its_session(emp_world: World) -> None:
    session = await begun(emp_world)
    bill = cdr(session, Identification=plug(EVCO), SessionEnd="2026-06-07T13:10:00+02:00")
    assert await emp_world.code(CDR, bill) == "000"
    assert await emp_world.code(CDR, bill) == "400"
    assert emp_world.emp.heard[1:] == [(TOLD_CDR, bill)]
    assert emp_world.rival.heard == []


@pytest.mark.parametrize("says", [acknowledged("022"), b"<html>"])
async def test_a_cdr_is_the_hubs_whatever_the_emp_says(emp_world: World, says: Any) -> None:
    session = await begun(emp_world)
    emp_world.emp.says["charge-detail-record"] = says
    bill = cdr(session, Identification=plug(EVCO), SessionEnd="2026-06-07T13:10:00+02:00")
    assert await emp_world.code(CDR, bill) == "000"
    (filed,) = emp_world.sandbox.ledger.of(emp_world.sandbox.providers["NL*EMS"].provider, SINCE)
    assert filed.forwarded is False


SINCE = {"From": "2026-06-07T00:00:00Z", "To": "2026-06-08T00:00:00Z"}


# Played CPOs


async def tapped(world: World, **changes: Any) -> dict[str, Any]:
    answer = await world.do("taps", {"evse": "NL*ABC*E1", "contract": EVCO} | changes)
    assert isinstance(answer, dict)
    return answer


def told(emp: Gateway, end: str) -> dict[str, Any]:
    (body,) = emp.heard_at(end)
    return body


async def test_a_driver_taps_at_a_played_cpo_is_told_of_and_billed(emp_world: World) -> None:
    await emp_world.load(record("NL*ABC*E1"))
    emp_world.emp.says["start"] = emp_world.emp.says["stop"] = yes()
    answer = await tapped(emp_world, cpo_session="c1")
    session = answer["SessionID"]
    assert answer["AuthorizationStatus"] == "Authorized"
    for kind in ("Start", "Progress", "End", "Error"):
        assert (await emp_world.do("notifications", {"session": session, "type": kind}))["Result"] is True
    stopped = await emp_world.do("tap-stops", {"session": session, "contract": EVCO})
    assert stopped["AuthorizationStatus"] == "Authorized"
    ((bill,),) = [await emp_world.do("cdrs", {"session": session, "energy": 12.5})]
    assert bill["forwarded"] is True
    heard = emp_world.emp
    assert {path.split("/operators/")[1].split("/")[0] for path, _ in heard.heard if "operators" in path} == {"NL*ABC"}
    assert faults_of_charge("eRoamingAuthorizeStart", told(heard, "/start"), role="emp") == []
    assert faults_of_charge("eRoamingAuthorizeStop", told(heard, "/stop"), role="emp") == []
    for body in heard.heard_at("charging-notifications"):
        assert faults_of_charge(f"eRoamingChargingNotification{body['Type']}", body, role="emp") == []
    final = told(heard, "charge-detail-record")
    assert faults_of_charge("eRoamingChargeDetailRecord", final, role="emp") == []
    assert (final["ConsumedEnergy"], final["CPOPartnerSessionID"], final["EMPPartnerSessionID"]) == (
        12.5,
        "c1",
        "emp-1",
    )
    assert (await emp_world.memory("sessions"))[session]["State"] == "billed"


@pytest.mark.parametrize(
    ("who", "kind"),
    [
        ({"contract": None, "uid": CARD}, "RFIDMifareFamilyIdentification"),
        ({"pin": "1"}, "QRCodeIdentification"),
        ({}, "PlugAndChargeIdentification"),
    ],
)
async def test_drivers_show_what_they_have(emp_world: World, who: dict[str, Any], kind: str) -> None:
    emp_world.emp.says["start"] = emp_world.rival.says["start"] = yes()
    await tapped(emp_world, **who)
    assert list(emp_world.emp.heard[0][1]["Identification"]) == [kind]


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("contradictory", lambda body: body["MeterValueEnd"] - body["MeterValueStart"] != body["ConsumedEnergy"]),
        ("implausible_times", lambda body: body["ChargingEnd"] < body["ChargingStart"]),
        ("future", lambda body: body["SessionEnd"] > "2026-06-08"),
        ("implausible_energy", lambda body: body["ConsumedEnergy"] > 900),
        ("foreign_evse", lambda body: body["EvseID"] == "DE*NIX*E404"),
    ],
)
async def test_a_cdr_is_wrong_on_command(emp_world: World, kind: str, wrong: Any) -> None:
    emp_world.emp.says["start"] = yes()
    session = (await tapped(emp_world))["SessionID"]
    await emp_world.do("cdrs", {"session": session, "kind": kind})
    body = told(emp_world.emp, "charge-detail-record")
    assert wrong(body)
    assert body["SessionID"] == session


async def test_a_cdr_comes_twice_otherwise_and_for_nobodys_session(emp_world: World) -> None:
    emp_world.emp.says["start"] = yes()
    session = (await tapped(emp_world))["SessionID"]
    await emp_world.do("cdrs", {"session": session, "kind": "twice"})
    await emp_world.do("cdrs", {"session": session, "kind": "other_content"})
    await emp_world.do("cdrs", {"session": session, "kind": "unknown_session", "late": 0.01, "extra": {"EvseID": "x"}})
    one, again, first, second, unknown = emp_world.emp.heard_at("charge-detail-record")
    assert one == again == first
    assert second["ConsumedEnergy"] == first["ConsumedEnergy"] + 1
    assert unknown["SessionID"] != session
    assert unknown["EvseID"] == "x"


async def test_a_cdr_or_a_notification_of_no_session_needs_to_know_whose_it_is(emp_world: World) -> None:
    for what in ("cdrs", "notifications"):
        assert (await emp_world.post(f"/_sandbox/{what}", {}))[0] == 400
        about = {"evse": "NL*ABC*E1", "provider": "NL-EMS"}
        assert (await emp_world.post(f"/_sandbox/{what}", about))[0] == 200
    assert (await emp_world.post("/_sandbox/notifications", about | {"provider": "XX-NIX"}))[0] == 409


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("taps", {"evse": "NL*ABC*E1"}, 400),
        ("taps", {"evse": "nonsense", "uid": CARD}, 400),
        ("taps", {"evse": "NL*ABC*E1", "uid": "x"}, 400),
        ("tap-stops", {"session": "s", "uid": CARD}, 404),
        ("cpos", [{"answer": "maybe"}], 400),
    ],
)
async def test_an_order_that_makes_no_sense_is_a_problem(emp_world: World, what: str, body: Any, status: int) -> None:
    assert (await emp_world.post(f"/_sandbox/{what}", body))[0] == status


async def test_the_rivals_driver_is_the_rivals(emp_world: World) -> None:
    emp_world.rival.says["start"] = yes(ProviderID="DE-EMP")
    assert (await tapped(emp_world, contract=RIVALS_EVCO))["ProviderID"] == "DE*EMP"
    assert emp_world.emp.heard == []
