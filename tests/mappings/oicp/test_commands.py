"""Commands of EMPs in, acknowledgements out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mappings.canonical.commands import (
    CancelReservation,
    CommandAnswer,
    CommandResult,
    EvseRef,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.ids import ContractId, EvseId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, TokenType
from mappings.oicp.status_codes import CODES
from mappings.oicp.v2_3 import commands
from mappings.oicp.v2_3.messages import read_acknowledgement
from mappings.oicp.v2_3.wire import Acknowledgement
from mappings.oicp.v2_3.wire_charging import RemoteCommand
from mappings.report import IssueKind, Refused
from tests.mappings.oicp.charges import PROVIDER, SESSION_ID
from tests.oicp_schema import faults_of_charge, validate

NOW = datetime(2026, 6, 7, 18, 40, 7, tzinfo=UTC)
START: dict[str, Any] = {
    "SessionID": SESSION_ID,
    "EMPPartnerSessionID": "emp-1",
    "ProviderID": "NL-EMS",
    "EvseID": "DE*ABC*E123*4",
    "Identification": {"RemoteIdentification": {"EvcoID": "NL-EMS-C00000001-9"}},
    "PartnerProductID": "AC3",
}
STOP = {name: START[name] for name in ("SessionID", "EMPPartnerSessionID", "ProviderID", "EvseID")}
RESERVE = START | {"Duration": 30}
AT = EvseRef(evse_id=EvseId("DE*ABC*E123*4"))
LEG = Leg(
    hub_session=SESSION_ID,
    emsp_session="emp-1",
    emsp=PROVIDER,
    identification=Identification(
        type=TokenType.APP_USER, contract_id=ContractId("NL-EMS-C00000001-9"), party=PROVIDER
    ),
    product="AC3",
)
COMMANDS = {
    "eRoamingAuthorizeRemoteStart": (START, StartSession(at=AT, emsp=PROVIDER, leg=LEG)),
    "eRoamingAuthorizeRemoteStop": (STOP, StopSession(session=SESSION_ID, emsp=PROVIDER, at=AT)),
    "eRoamingAuthorizeRemoteReservationStart": (
        RESERVE,
        ReserveNow(at=AT, emsp=PROVIDER, leg=LEG, reservation=SESSION_ID, expires=NOW + timedelta(minutes=30)),
    ),
    "eRoamingAuthorizeRemoteReservationStop": (STOP, CancelReservation(reservation=SESSION_ID, emsp=PROVIDER, at=AT)),
}

READERS: dict[str, Callable[[Any], Any]] = {
    "eRoamingAuthorizeRemoteStart": commands.start_to_canonical,
    "eRoamingAuthorizeRemoteStop": commands.stop_to_canonical,
    "eRoamingAuthorizeRemoteReservationStart": lambda body: commands.reservation_to_canonical(body, NOW),
    "eRoamingAuthorizeRemoteReservationStop": commands.cancellation_to_canonical,
}


def _schema_form(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body with the one field that the OpenAPI spells otherwise for reservations than the text does."""
    if "Reservation" not in name:
        return body
    return {("EMPPartnerSessionId" if key == "EMPPartnerSessionID" else key): value for key, value in body.items()}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("respell", [lambda n, b: b, _schema_form, lambda n, b: {k.lower(): v for k, v in b.items()}])
def test_a_command_is_read_in_every_spelling(name: str, respell: Any) -> None:
    body, command = COMMANDS[name]
    validate(name, _schema_form(name, body))
    RemoteCommand.model_validate(body)
    read, issues = READERS[name](respell(name, body))
    assert read == command
    assert [issue for issue in issues if "EvcoID" not in issue.field] == []


@pytest.mark.parametrize(
    ("name", "change", "field", "code"),
    [
        ("eRoamingAuthorizeRemoteStart", {"SessionID": None}, "SessionID", "400"),
        ("eRoamingAuthorizeRemoteStart", {"SessionID": "S1"}, "SessionID", "400"),
        ("eRoamingAuthorizeRemoteStart", {"EvseID": None}, "EvseID", "603"),
        ("eRoamingAuthorizeRemoteStart", {"EvseID": "EVSE 7"}, "EvseID", "603"),
        ("eRoamingAuthorizeRemoteStart", {"EvseID": "DE*ABC*E" + "1" * 31}, "EvseID", "603"),
        ("eRoamingAuthorizeRemoteStart", {"Identification": {}}, "Identification", "022"),
        ("eRoamingAuthorizeRemoteStart", {"Identification": None}, "Identification", "022"),
        # Whoever and whatever could not stand in the CDR.
        (
            "eRoamingAuthorizeRemoteStart",
            {"Identification": {"RemoteIdentification": {"EvcoID": "anybody"}}},
            "Identification",
            "022",
        ),
        (
            "eRoamingAuthorizeRemoteReservationStart",
            {"Identification": {"RFIDMifareFamilyIdentification": {"UID": "AFFH1768"}}},
            "Identification",
            "022",
        ),
        ("eRoamingAuthorizeRemoteStart", {"PartnerProductID": "x" * 51}, "PartnerProductID", "022"),
        ("eRoamingAuthorizeRemoteStop", {"SessionID": 12}, "SessionID", "400"),
        ("eRoamingAuthorizeRemoteStop", {"EvseID": ""}, "EvseID", "603"),
        ("eRoamingAuthorizeRemoteReservationStart", {"Duration": 0}, "Duration", "022"),
        ("eRoamingAuthorizeRemoteReservationStart", {"Duration": 100}, "Duration", "022"),
        ("eRoamingAuthorizeRemoteReservationStart", {"Duration": 1.5}, "Duration", "022"),
        ("eRoamingAuthorizeRemoteReservationStart", {"Duration": "soon"}, "Duration", "022"),
        ("eRoamingAuthorizeRemoteReservationStop", {"SessionID": None}, "SessionID", "400"),
    ],
)
def test_a_command_that_cannot_be_read_is_refused_with_its_field_and_answered_with_a_code(
    name: str, change: dict[str, Any], field: str, code: str
) -> None:
    body = COMMANDS[name][0] | change
    with pytest.raises(Refused) as refusal:
        READERS[name](body)
    assert refusal.value.reason.field == field
    answer = commands.answer_to_refused(refusal.value, body)
    assert (answer["Result"], answer["StatusCode"]["Code"]) == (False, code)
    assert field in answer["StatusCode"]["AdditionalInfo"]
    assert answer.get("SessionID") == (None if field == "SessionID" else SESSION_ID)
    assert faults_of_charge("eRoamingAcknowledgment", answer) == []


@pytest.mark.parametrize("body", [None, [], "start", 7])
def test_a_body_that_is_no_object_is_refused_and_answered(body: Any) -> None:
    with pytest.raises(Refused) as refusal:
        commands.start_to_canonical(body)
    answer = commands.answer_to_refused(refusal.value, body)
    assert answer["StatusCode"]["Code"] == "022"
    assert faults_of_charge("eRoamingAcknowledgment", answer) == []


def test_a_reservation_without_a_duration_lasts_the_standard_one() -> None:
    body = {name: value for name, value in RESERVE.items() if name != "Duration"}
    command, issues = commands.reservation_to_canonical(body, NOW, timedelta(minutes=20))
    assert command.expires == NOW + timedelta(minutes=20)
    assert [(issue.kind, issue.field) for issue in issues][-1] == (IssueKind.DEFAULTED, "Duration")


def test_a_duration_in_a_text_is_read_and_what_is_unknown_is_noted() -> None:
    command, issues = commands.reservation_to_canonical(
        RESERVE | {"Duration": "45", "ProviderID": "who?", "Colour": "red"}, NOW
    )
    assert command.expires == NOW + timedelta(minutes=45)
    assert command.emsp is None
    assert {issue.field for issue in issues} >= {"Duration", "ProviderID", "Colour"}


# Out


@pytest.mark.parametrize("result", CommandResult)
@pytest.mark.parametrize("name", COMMANDS)
def test_every_result_has_a_code_and_the_lossy_ones_say_so(result: CommandResult, name: str) -> None:
    command = COMMANDS[name][1]
    record, issues = commands.answer_from_canonical(CommandAnswer(result=result, session_id="S1"), command)
    assert faults_of_charge("eRoamingAcknowledgment", record) == []
    Acknowledgement.model_validate(record)
    assert record["Result"] is (result is CommandResult.ACCEPTED)
    assert record["SessionID"] == SESSION_ID
    assert record["CPOPartnerSessionID"] == "S1"
    assert bool(issues) == bool(commands.COMMAND_RESULTS.lost(result))
    read = read_acknowledgement(record)
    assert read is not None
    assert read.code in CODES
    if not issues:
        assert commands.COMMAND_RESULTS.to_canonical(read.code) is result


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (CommandResult.ACCEPTED, "000"),
        (CommandResult.NO_CONTRACT, "210"),
        (CommandResult.NOT_SUPPORTED, "320"),
        (CommandResult.UNKNOWN_SESSION, "400"),
        (CommandResult.TIMEOUT, "501"),
        (CommandResult.NO_VEHICLE, "510"),
        (CommandResult.EVSE_RESERVED, "601"),
        (CommandResult.EVSE_OCCUPIED, "602"),
        (CommandResult.UNKNOWN_EVSE, "603"),
        (CommandResult.EVSE_INOPERATIVE, "700"),
    ],
)
def test_results_are_said_by_the_codes_of_oicp(result: CommandResult, code: str) -> None:
    record, _ = commands.answer_from_canonical(
        CommandAnswer(result=result), COMMANDS["eRoamingAuthorizeRemoteStart"][1]
    )
    assert record["StatusCode"]["Code"] == code
    assert record["StatusCode"]["Description"] == CODES[code].text


def test_the_emps_names_are_given_back_and_a_long_text_is_cut() -> None:
    answer = CommandAnswer(result=CommandResult.REJECTED, text="no " * 400)
    record, issues = commands.answer_from_canonical(answer, COMMANDS["eRoamingAuthorizeRemoteStart"][1])
    assert record["EMPPartnerSessionID"] == "emp-1"
    assert len(record["StatusCode"]["AdditionalInfo"]) <= 1000
    assert [issue.kind for issue in issues] == [IssueKind.NARROWED, IssueKind.NARROWED]
    assert faults_of_charge("eRoamingAcknowledgment", record) == []


def test_a_command_that_oicp_does_not_have_is_answered_without_names() -> None:
    record, _ = commands.answer_from_canonical(
        CommandAnswer(result=CommandResult.NOT_SUPPORTED), UnlockConnector(at=AT)
    )
    assert record.keys() == {"Result", "StatusCode"}


def test_the_judge_finds_an_acknowledgement_that_contradicts_itself() -> None:
    record = commands.acknowledgment("000") | {"Result": False}
    assert faults_of_charge("eRoamingAcknowledgment", record) != []
    assert faults_of_charge("eRoamingAcknowledgment", commands.acknowledgment("000") | {"Reslut": True}) != []
