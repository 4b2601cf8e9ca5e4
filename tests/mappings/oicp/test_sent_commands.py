"""Commands for our own drivers, and what Hubject says to them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.commands import (
    CancelReservation,
    Command,
    CommandAnswer,
    CommandResult,
    EvseRef,
    ReserveNow,
    StartSession,
    StopSession,
)
from mappings.canonical.ids import ContractId, EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, TokenType
from mappings.oicp.status_codes import CODES
from mappings.oicp.v2_3 import commands, sent_commands
from mappings.oicp.v2_3.wire_charging import RemoteCommand
from mappings.report import IssueKind, Refused
from tests.mappings.oicp.charges import PROVIDER, SESSION_ID, evco_ids
from tests.oicp_schema import faults_of_charge

NOW = datetime(2026, 6, 7, 18, 40, 7, tzinfo=UTC)
AT = EvseRef(evse_id=EvseId("DE*ABC*E123*4"))
DRIVER = Identification(type=TokenType.APP_USER, contract_id=ContractId("NL-EMS-C00000001-9"), party=PROVIDER)
LEG = Leg(emsp_session="emp-1", emsp=PROVIDER, identification=DRIVER, product="AC3")
BEGUN = LEG.model_copy(update={"hub_session": SESSION_ID, "own_session": "cpo-1"})
START = StartSession(at=AT, emsp=PROVIDER, leg=LEG)
STOP = StopSession(session="emp-1", emsp=PROVIDER, at=AT)
RESERVE = ReserveNow(at=AT, emsp=PROVIDER, leg=LEG, reservation="R1", expires=NOW + timedelta(minutes=30))
CANCEL = CancelReservation(reservation=SESSION_ID, emsp=PROVIDER, at=AT)
HEAD = {
    "ProviderID": "NL-EMS",
    "EvseID": "DE*ABC*E123*4",
    "Identification": {"RemoteIdentification": {"EvcoID": "NL-EMS-C00000001-9"}},
    "EMPPartnerSessionID": "emp-1",
    "PartnerProductID": "AC3",
}


def test_a_start_leaves_the_session_to_hubject() -> None:
    record, issues = sent_commands.start_from_canonical(START, PROVIDER)
    assert (record, issues) == (HEAD, [])
    assert faults_of_charge("eRoamingAuthorizeRemoteStart", record, "emp") == []
    again, _ = sent_commands.start_from_canonical(START.model_copy(update={"leg": BEGUN}), PROVIDER)
    assert "SessionID" not in again


def test_a_start_names_every_driver_by_the_contract() -> None:
    card = Identification(type=TokenType.RFID, uid="04E8A1B2", contract_id=DRIVER.contract_id)
    command = START.model_copy(update={"leg": Leg(identification=card)})
    record, issues = sent_commands.start_from_canonical(command, PROVIDER)
    assert record["Identification"] == HEAD["Identification"]
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.NARROWED, "leg.identification.type")]
    bare = Leg(identification=card.model_copy(update={"contract_id": None}))
    with pytest.raises(Refused) as refusal:
        sent_commands.start_from_canonical(START.model_copy(update={"leg": bare}), PROVIDER)
    assert refusal.value.reason.field == "leg.identification.contract_id"


def test_an_evse_is_named_as_its_operator_spells_it() -> None:
    command = START.model_copy(update={"at": EvseRef(evse_id=EvseId("deabcE12*34"))})
    assert sent_commands.start_from_canonical(command, PROVIDER)[0]["EvseID"] == "deabcE12*34"


@pytest.mark.parametrize("evse_id", [None, EvseId("post 7")])
def test_a_command_without_an_evse_that_oicp_knows_is_refused(evse_id: EvseId | None) -> None:
    at = EvseRef(evse_id=evse_id, location_id="L1", evse_uid="E1")
    for sending in (
        lambda: sent_commands.start_from_canonical(START.model_copy(update={"at": at}), PROVIDER),
        lambda: sent_commands.stop_from_canonical(STOP.model_copy(update={"at": at}), PROVIDER, BEGUN),
        lambda: sent_commands.reservation_from_canonical(RESERVE.model_copy(update={"at": at}), PROVIDER, NOW),
        lambda: sent_commands.cancellation_from_canonical(CANCEL.model_copy(update={"at": None}), PROVIDER),
    ):
        with pytest.raises(Refused) as refusal:
            sending()
        assert refusal.value.reason.field == "at.evse_id"


def test_a_product_that_is_too_long_is_refused_since_the_price_hangs_on_it() -> None:
    command = START.model_copy(update={"leg": LEG.model_copy(update={"product": "x" * 51})})
    with pytest.raises(Refused, match="product"):
        sent_commands.start_from_canonical(command, PROVIDER)


def test_a_stop_names_hubjects_session() -> None:
    record, issues = sent_commands.stop_from_canonical(STOP, PROVIDER, BEGUN)
    assert record == {
        "SessionID": SESSION_ID,
        "CPOPartnerSessionID": "cpo-1",
        "EMPPartnerSessionID": "emp-1",
        "ProviderID": "NL-EMS",
        "EvseID": "DE*ABC*E123*4",
    }
    assert issues == []
    assert faults_of_charge("eRoamingAuthorizeRemoteStop", record, "emp") == []


@pytest.mark.parametrize("leg", [None, LEG])
def test_a_stop_of_a_session_that_hubject_did_not_name_is_refused(leg: Leg | None) -> None:
    with pytest.raises(Refused):
        sent_commands.stop_from_canonical(STOP, PROVIDER, leg)


def test_a_reservation_lasts_whole_minutes_rounded_up() -> None:
    for seconds, minutes in ((1, 1), (60, 1), (61, 2), (1800, 30), (99 * 60, 99)):
        command = RESERVE.model_copy(update={"expires": NOW + timedelta(seconds=seconds)})
        record, issues = sent_commands.reservation_from_canonical(command, PROVIDER, NOW)
        assert (record, issues) == (HEAD | {"Duration": minutes}, [])
        assert faults_of_charge("eRoamingAuthorizeRemoteReservationStart", record, "emp") == []


def test_a_reservation_of_hours_is_shortened_and_one_that_is_over_refused() -> None:
    long = RESERVE.model_copy(update={"expires": NOW + timedelta(hours=2)})
    record, issues = sent_commands.reservation_from_canonical(long, PROVIDER, NOW)
    assert record["Duration"] == 99
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.NARROWED, "expires")]
    with pytest.raises(Refused) as refusal:
        sent_commands.reservation_from_canonical(RESERVE.model_copy(update={"expires": NOW}), PROVIDER, NOW)
    assert refusal.value.reason.field == "expires"


def test_a_reservation_bears_our_name_for_it() -> None:
    unnamed = RESERVE.model_copy(update={"leg": LEG.model_copy(update={"emsp_session": None})})
    assert sent_commands.reservation_from_canonical(unnamed, PROVIDER, NOW)[0]["EMPPartnerSessionID"] == "R1"


def test_a_reservation_is_given_up_by_hubjects_name_for_it() -> None:
    record, issues = sent_commands.cancellation_from_canonical(CANCEL, PROVIDER)
    assert (record["SessionID"], issues) == (SESSION_ID, [])
    assert faults_of_charge("eRoamingAuthorizeRemoteReservationStop", record, "emp") == []
    ours = CANCEL.model_copy(update={"reservation": "R1"})
    assert sent_commands.cancellation_from_canonical(ours, PROVIDER, BEGUN)[0]["SessionID"] == SESSION_ID


# Answers


def answer(code: str | None, result: bool | None = None, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"Result": code == "000" if result is None else result}
    if code is not None:
        body["StatusCode"] = {"Code": code, "Description": "so it is"}
    return body | changes


def said(body: Any, command: Command = START) -> sent_commands.Acknowledged:
    told, _ = sent_commands.answer_to_canonical(body, command)
    assert told is not None
    return told


@pytest.mark.parametrize("command", [START, RESERVE])
def test_a_yes_tells_what_hubject_and_the_cpo_call_the_charge(command: Command) -> None:
    body = answer("000", SessionID=SESSION_ID, CPOPartnerSessionID="cpo-1", EMPPartnerSessionID="emp-1")
    told, issues = sent_commands.answer_to_canonical(body, command)
    assert told == (
        CommandAnswer(result=CommandResult.ACCEPTED, text="so it is"),
        "000",
        "so it is",
        BEGUN,
    )
    assert issues == []


@pytest.mark.parametrize("session", [None, "S1"])
def test_a_yes_without_a_session_is_a_yes_all_the_same(session: str | None) -> None:
    told, issues = sent_commands.answer_to_canonical(answer("000", SessionID=session), START)
    assert told is not None
    assert told.answer is not None
    assert told.answer.result is CommandResult.ACCEPTED
    assert told.leg == LEG
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.UNKNOWN, "SessionID")]


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("210", CommandResult.NO_CONTRACT),
        ("300", CommandResult.REJECTED),
        ("310", CommandResult.TIMEOUT),
        ("320", CommandResult.NOT_SUPPORTED),
        ("400", CommandResult.UNKNOWN_SESSION),
        ("501", CommandResult.TIMEOUT),
        ("510", CommandResult.NO_VEHICLE),
        ("601", CommandResult.EVSE_RESERVED),
        ("602", CommandResult.EVSE_OCCUPIED),
        ("603", CommandResult.UNKNOWN_EVSE),
        ("604", CommandResult.NOT_SUPPORTED),
        ("700", CommandResult.EVSE_INOPERATIVE),
        ("105", CommandResult.REJECTED),
    ],
)
def test_a_no_says_why(code: str, result: CommandResult) -> None:
    told = said(answer(code, SessionID=SESSION_ID))
    assert told.answer is not None
    assert (told.answer.result, told.leg) == (result, None)


@pytest.mark.parametrize("code", ["001", "009", "017", "018", "021", "022"])
def test_a_code_of_hubject_or_our_request_says_nothing_of_the_station(code: str) -> None:
    told = said(answer(code))
    assert (told.answer, told.code, told.meaning) == (None, code, CODES[code])


def test_an_unknown_code_is_said_to_be_unknown_and_not_guessed() -> None:
    told, issues = sent_commands.answer_to_canonical(answer("999"), START)
    assert told is not None
    assert (told.answer, told.code, told.meaning) == (None, "999", None)
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.UNKNOWN, "StatusCode.Code")]


@pytest.mark.parametrize(("code", "result"), [("000", False), ("501", True)])
def test_a_result_that_contradicts_its_code_says_neither(code: str, result: bool) -> None:
    told, issues = sent_commands.answer_to_canonical(answer(code, result, SessionID=SESSION_ID), START)
    assert told is not None
    assert (told.answer, told.leg) == (None, None)
    assert [issue.kind for issue in issues] == [IssueKind.SUSPECT]


def test_a_result_or_a_code_alone_will_do() -> None:
    assert said({"Result": True}).answer == CommandAnswer(result=CommandResult.ACCEPTED)
    assert said({"Result": False}).answer == CommandAnswer(result=CommandResult.REJECTED)
    alone = said({"StatusCode": {"Code": 0}, "Result": None})
    assert alone.answer == CommandAnswer(result=CommandResult.ACCEPTED)


def test_a_reservation_that_nobody_knows_is_no_unknown_session() -> None:
    for command in (RESERVE, CANCEL):
        told = said(answer("400"), command)
        assert told.answer is not None
        assert told.answer.result is CommandResult.UNKNOWN_RESERVATION


@pytest.mark.parametrize("body", [None, [], "yes", {}, {"message": "Bad gateway"}])
def test_a_body_that_says_nothing_is_no_answer(body: Any) -> None:
    assert sent_commands.answer_to_canonical(body, START)[0] is None


def test_every_code_of_oicp_has_its_line() -> None:
    assert sent_commands.RESULTS.keys() == CODES.keys()


@given(
    st.sampled_from([START, STOP.model_copy(update={"session": SESSION_ID}), RESERVE, CANCEL]),
    st.sampled_from(CommandResult),
    evco_ids,
    st.sampled_from(["NL*EMS", "DE*XYZ"]).map(PartyId),
)
def test_what_we_send_a_cpo_reads_and_what_it_says_we_read(
    command: Command, result: CommandResult, contract: ContractId, provider: PartyId
) -> None:
    if isinstance(command, StartSession | ReserveNow):
        driver = DRIVER.model_copy(update={"contract_id": contract, "party": provider})
        command = command.model_copy(update={"leg": LEG.model_copy(update={"identification": driver})})
    write, read = {
        "START_SESSION": (sent_commands.start_from_canonical, commands.start_to_canonical),
        "STOP_SESSION": (sent_commands.stop_from_canonical, commands.stop_to_canonical),
        "RESERVE_NOW": (
            lambda sent, party: sent_commands.reservation_from_canonical(sent, party, NOW),
            lambda body: commands.reservation_to_canonical(body, NOW),
        ),
        "CANCEL_RESERVATION": (sent_commands.cancellation_from_canonical, commands.cancellation_to_canonical),
    }[command.kind]
    record, _ = write(command, provider)  # type: ignore[operator]
    # Hubject names the session when it forwards a start.
    forwarded = {"SessionID": SESSION_ID} | record
    RemoteCommand.model_validate(forwarded)
    got, _ = read(forwarded)
    assert (got.kind, got.at, got.emsp) == (command.kind, AT, provider)
    if isinstance(command, StartSession | ReserveNow):
        assert got.leg == command.leg.model_copy(update={"hub_session": SESSION_ID, "emsp": provider})
    if isinstance(command, ReserveNow):
        assert got.expires == command.expires
    acknowledged, _ = commands.answer_from_canonical(CommandAnswer(result=result), got)
    told = said(acknowledged, command)
    assert told.answer is not None
    assert (told.answer.result is CommandResult.ACCEPTED) == (result is CommandResult.ACCEPTED)
