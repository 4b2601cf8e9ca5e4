"""What Hubject asks of an EMP's drivers, and the yes or no."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.ids import ContractId, EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, TokenType
from mappings.oicp.status_codes import CODES, CodeClass
from mappings.oicp.v2_3 import authorisations, driver_requests
from mappings.oicp.v2_3.wire_charging import Authorization, Authorize
from mappings.report import IssueKind, Refused
from tests import strategies
from tests.mappings.oicp.charges import CARD, LEG, OPERATOR, PLACE, PROVIDER, SESSION_ID, legs
from tests.oicp_schema import faults_of_charge, validate

START: dict[str, Any] = {
    "SessionID": SESSION_ID,
    "CPOPartnerSessionID": "a1b2c3",
    "OperatorID": "DE*ABC",
    "EvseID": "DE*ABC*E123*4",
    "Identification": {"RFIDMifareFamilyIdentification": {"UID": "04E8A1B2C3D480"}},
    "PartnerProductID": "AC3",
}
STOP = {name: value for name, value in START.items() if name != "PartnerProductID"}


def test_a_question_tells_whose_station_which_driver_and_what_others_call_the_charge() -> None:
    validate("eRoamingAuthorizeStart", START, role="emp", closed=True)
    Authorize.model_validate(START)
    asked, issues = driver_requests.start_to_canonical(START)
    assert asked == (
        OPERATOR,
        EvseId("DE*ABC*E123*4"),
        None,
        Leg(hub_session=SESSION_ID, own_session="a1b2c3", identification=CARD, product="AC3"),
    )
    assert issues == []


def test_a_question_needs_neither_an_evse_nor_a_session() -> None:
    bare = {name: START[name] for name in ("OperatorID", "Identification")} | {"EvseID": None, "SessionID": None}
    asked, issues = driver_requests.start_to_canonical(bare)
    assert (asked.evse_id, asked.leg.hub_session, issues) == (None, None, [])


def test_a_driver_is_not_turned_away_for_an_evse_that_is_misspelt() -> None:
    asked, issues = driver_requests.start_to_canonical(START | {"EvseID": "post 7"})
    assert (asked.cpo, asked.evse_id) == (OPERATOR, None)
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.UNKNOWN, "EvseID")]


def test_the_operator_is_the_evses_where_it_is_not_told() -> None:
    asked, _ = driver_requests.start_to_canonical(START | {"OperatorID": None, "EvseID": "DE*SUB*E1"})
    assert asked.cpo == PartyId("DE*SUB")


def test_a_contract_tells_whose_driver_it_is_and_a_pin_comes_along() -> None:
    body = START | {"Identification": {"QRCodeIdentification": {"EvcoID": "NL-EMS-C00000001-9", "PIN": "0815"}}}
    asked, issues = driver_requests.start_to_canonical(body)
    assert asked.leg.emsp == asked.leg.identification.party == PROVIDER
    assert asked.pin is not None
    assert asked.pin.value.get_secret_value() == "0815"
    assert "0815" not in repr((asked, issues))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("OperatorID", {"OperatorID": None, "EvseID": None}),
        ("Identification", {"Identification": None}),
        ("Identification", {"Identification": {}}),
        (
            "Identification.RFIDMifareFamilyIdentification.UID",
            {"Identification": {"RFIDMifareFamilyIdentification": {}}},
        ),
        ("SessionID", {"SessionID": "S1"}),
    ],
)
def test_a_question_that_leaves_open_who_or_where_is_refused(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refusal:
        driver_requests.start_to_canonical(START | changes)
    assert refusal.value.reason.field == field


def test_a_stop_needs_hubjects_session() -> None:
    validate("eRoamingAuthorizeStop", STOP, role="emp", closed=True)
    asked, issues = driver_requests.stop_to_canonical(STOP)
    assert (asked.leg.hub_session, asked.leg.own_session, issues) == (SESSION_ID, "a1b2c3", [])
    with pytest.raises(Refused) as refusal:
        driver_requests.stop_to_canonical(STOP | {"SessionID": None})
    assert refusal.value.reason.field == "SessionID"


@pytest.mark.parametrize("body", [None, [], "start", 7])
def test_what_is_no_object_is_refused(body: Any) -> None:
    for read in (driver_requests.start_to_canonical, driver_requests.stop_to_canonical):
        with pytest.raises(Refused):
            read(body)


def test_a_field_that_oicp_does_not_have_is_noted() -> None:
    _, issues = driver_requests.start_to_canonical(START | {"Weather": "fine"})
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.UNKNOWN, "Weather")]


def test_a_yes_gives_the_names_back_and_says_what_else_may_stop() -> None:
    remote = Identification(type=TokenType.APP_USER, contract_id=ContractId("NL-EMS-C00000001-9"))
    unsaid = Identification(type=TokenType.AD_HOC_USER, uid="guest")
    record, issues = driver_requests.start_from_canonical("000", PROVIDER, LEG, stop_with=[CARD, remote, unsaid])
    assert record == {
        "AuthorizationStatus": "Authorized",
        "StatusCode": {"Code": "000", "Description": "Success"},
        "ProviderID": "NL-EMS",
        "SessionID": SESSION_ID,
        "CPOPartnerSessionID": "a1b2c3",
        "EMPPartnerSessionID": "emp-1",
        "AuthorizationStopIdentifications": [
            {"RFIDMifareFamilyIdentification": {"UID": "04E8A1B2C3D480"}},
            {"RemoteIdentification": {"EvcoID": "NL-EMS-C00000001-9"}},
        ],
    }
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.LEFT_OUT, "stop_with[2].type")]
    assert faults_of_charge("eRoamingAuthorizationStart", record, "emp") == []
    Authorization.model_validate(record)


def test_a_no_names_nobody_and_nothing_of_ours() -> None:
    record, issues = driver_requests.start_from_canonical("102", PROVIDER, LEG, text="No such card", stop_with=[CARD])
    assert record == {
        "AuthorizationStatus": "NotAuthorized",
        "StatusCode": {
            "Code": "102",
            "Description": "RFID authentication failed: invalid UID",
            "AdditionalInfo": "No such card",
        },
        "SessionID": SESSION_ID,
        "CPOPartnerSessionID": "a1b2c3",
    }
    assert issues == []


def test_a_question_that_could_not_be_read_is_answered_all_the_same() -> None:
    record, issues = driver_requests.start_from_canonical("022", PROVIDER, None, text="x" * 1001)
    assert record["AuthorizationStatus"] == "NotAuthorized"
    assert len(record["StatusCode"]["AdditionalInfo"]) == 1000
    assert [issue.kind for issue in issues] == [IssueKind.NARROWED]


def test_an_unknown_driver_has_a_code_of_the_medium() -> None:
    assert driver_requests.UNKNOWN_DRIVER.keys() == set(TokenType)
    assert {CODES[code].kind for code in driver_requests.UNKNOWN_DRIVER.values()} == {CodeClass.DRIVER}


@given(st.sampled_from(sorted(CODES)), strategies.parties, legs, st.lists(strategies.identifications, max_size=3))
def test_every_answer_is_what_the_judge_allows_and_a_cpo_reads(
    code: str, provider: PartyId, leg: Leg, stop_with: list[Identification]
) -> None:
    start, _ = driver_requests.start_from_canonical(code, provider, leg, stop_with=stop_with)
    stop, _ = driver_requests.stop_from_canonical(code, provider, leg)
    assert faults_of_charge("eRoamingAuthorizationStart", start, "emp") == []
    assert faults_of_charge("eRoamingAuthorizationStop", stop, "emp") == []
    said, _ = authorisations.start_to_canonical(start, leg.identification, leg.own_session)
    assert said is not None
    assert (said.authorised, said.code) == (code == "000", code)
    if said.authorised:
        assert (said.leg.hub_session, said.leg.emsp_session) == (leg.hub_session, leg.emsp_session)
        assert said.leg.emsp == provider


@given(strategies.parties, legs)
def test_what_a_cpo_asks_an_emp_reads(operator: PartyId, leg: Leg) -> None:
    try:
        body, _ = authorisations.start_from_canonical(
            operator, PLACE, leg.identification, own_session=leg.own_session, product=leg.product
        )
    except Refused:
        return
    asked, issues = driver_requests.start_to_canonical(body)
    assert (asked.cpo, asked.evse_id) == (operator, PLACE.evse_id)
    assert (asked.leg.own_session, asked.leg.product) == (leg.own_session, leg.product)
    assert asked.leg.identification.type is leg.identification.type
    assert {issue.kind for issue in issues} <= {IssueKind.SUSPECT}
