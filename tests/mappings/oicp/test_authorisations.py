"""Asking Hubject for a driver, and what it says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.ids import ContractId, EvseId, PartyId
from mappings.canonical.tokens import Identification, Pin, TokenType
from mappings.oicp.status_codes import CodeClass
from mappings.oicp.v2_3 import authorisations
from mappings.oicp.v2_3.wire_charging import Authorization, Authorize
from mappings.report import IssueKind, Refused
from tests import strategies
from tests.mappings.oicp.charges import CARD, LEG, OPERATOR, PLACE, PROVIDER, SESSION_ID, evco_ids, legs
from tests.oicp_schema import faults_of_charge, validate

YES: dict[str, Any] = {
    "SessionID": SESSION_ID,
    "CPOPartnerSessionID": "a1b2c3",
    "EMPPartnerSessionID": "emp-1",
    "ProviderID": "NL-EMS",
    "AuthorizationStatus": "Authorized",
    "StatusCode": {"Code": "000", "Description": "Success", "AdditionalInfo": ""},
    "AuthorizationStopIdentifications": [
        {"RFIDMifareFamilyIdentification": {"UID": "1234ABCD"}},
        {"RemoteIdentification": {"EvcoID": "NL-EMS-C00000001-9"}, "QRCodeIdentification": None},
    ],
}
NO: dict[str, Any] = {
    "SessionID": None,
    "AuthorizationStatus": "NotAuthorized",
    "StatusCode": {"Code": "102", "Description": "RFID Authentication failed", "AdditionalInfo": "Whose is it?"},
}


def test_a_question_says_where_who_and_what_we_call_the_charge() -> None:
    record, issues = authorisations.start_from_canonical(OPERATOR, PLACE, CARD, own_session="a1b2c3", product="AC3")
    assert record == {
        "OperatorID": "DE*ABC",
        "EvseID": "DE*ABC*E123*4",
        "Identification": {"RFIDMifareFamilyIdentification": {"UID": "04E8A1B2C3D480"}},
        "CPOPartnerSessionID": "a1b2c3",
        "PartnerProductID": "AC3",
    }
    assert issues == []
    assert faults_of_charge("eRoamingAuthorizeStart", record) == []


NOWHERE = PLACE.model_copy(update={"evse_id": EvseId("no id")})


def test_a_question_needs_nothing_but_the_driver_and_the_evse() -> None:
    driver = Identification(type=TokenType.QR_CODE, contract_id=ContractId("NLEMSC00000001"))
    record, issues = authorisations.start_from_canonical(OPERATOR, PLACE, driver, Pin(value="007"))
    assert record.keys() == {"OperatorID", "Identification", "EvseID"}
    assert record["Identification"]["QRCodeIdentification"]["PIN"] == "007"
    assert issues == []
    assert faults_of_charge("eRoamingAuthorizeStart", record) == []


def test_nobody_is_asked_for_at_an_evse_that_no_cdr_could_name() -> None:
    with pytest.raises(Refused) as refusal:
        authorisations.start_from_canonical(OPERATOR, NOWHERE, CARD)
    assert refusal.value.reason.field == "location.evse_id"


def test_a_stop_needs_no_evse() -> None:
    record, issues = authorisations.stop_from_canonical(OPERATOR, NOWHERE, CARD, LEG)
    assert "EvseID" not in record
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.LEFT_OUT, "location.evse_id")]
    assert faults_of_charge("eRoamingAuthorizeStop", record) == []


def test_a_product_that_oicp_cannot_say_is_refused_since_the_price_hangs_on_it() -> None:
    with pytest.raises(Refused, match="product"):
        authorisations.start_from_canonical(OPERATOR, PLACE, CARD, product="x" * 51)


def test_a_question_for_a_stop_names_hubjects_session() -> None:
    record, issues = authorisations.stop_from_canonical(OPERATOR, PLACE, CARD, LEG)
    assert record == {
        "SessionID": SESSION_ID,
        "CPOPartnerSessionID": "a1b2c3",
        "EMPPartnerSessionID": "emp-1",
        "OperatorID": "DE*ABC",
        "EvseID": "DE*ABC*E123*4",
        "Identification": {"RFIDMifareFamilyIdentification": {"UID": "04E8A1B2C3D480"}},
    }
    assert issues == []
    assert faults_of_charge("eRoamingAuthorizeStop", record) == []


@pytest.mark.parametrize("session", [None, "S1"])
def test_a_stop_without_hubjects_session_is_refused(session: str | None) -> None:
    with pytest.raises(Refused) as refusal:
        authorisations.stop_from_canonical(OPERATOR, PLACE, CARD, LEG.model_copy(update={"hub_session": session}))
    assert refusal.value.reason.field == "leg.hub_session"


def test_a_yes_gives_the_leg_and_what_else_may_stop_the_charge() -> None:
    said, _ = authorisations.start_to_canonical(YES, CARD, "a1b2c3", "AC3")
    assert said is not None
    assert said.authorised is True
    assert said.code == "000"
    assert said.leg == LEG
    assert said.stop_with == (
        Identification(type=TokenType.RFID, uid="1234ABCD", party=PROVIDER),
        Identification(type=TokenType.APP_USER, contract_id=ContractId("NL-EMS-C00000001-9"), party=PROVIDER),
    )
    validate("eRoamingAuthorizationStart", YES | {"AuthorizationStopIdentifications": []})
    Authorization.model_validate(YES | {"AuthorizationStopIdentifications": []})


def test_a_no_gives_its_code_and_no_session() -> None:
    said, issues = authorisations.start_to_canonical(NO, CARD, "a1b2c3")
    assert said is not None
    assert (said.authorised, said.code, said.leg.hub_session) == (False, "102", None)
    assert said.meaning is not None
    assert said.meaning.kind is CodeClass.DRIVER
    assert said.text == "RFID Authentication failed; Whose is it?"
    assert issues == []


def test_a_refusal_in_place_of_an_answer_gives_its_code() -> None:
    for body in ({"Result": False, "StatusCode": {"Code": 17}}, {"Code": "017", "Description": "Unauthorized"}):
        said, _ = authorisations.start_to_canonical(body, CARD)
        assert said is not None
        assert (said.authorised, said.code) == (None, "017")


@pytest.mark.parametrize(
    "body", [None, [], "Authorized", 7, {}, {"AuthorizationStatus": None}, {"SessionID": SESSION_ID}]
)
def test_a_body_that_says_nothing_is_no_answer(body: Any) -> None:
    assert authorisations.start_to_canonical(body, CARD)[0] is None
    assert authorisations.stop_to_canonical(body, LEG)[0] is None


@pytest.mark.parametrize("session", [None, "", 7, "S1", "f98efba4-02d8-4fa0-b810"])
def test_a_yes_without_a_session_of_hubjects_is_refused(session: Any) -> None:
    with pytest.raises(Refused) as refusal:
        authorisations.start_to_canonical(YES | {"SessionID": session}, CARD)
    assert refusal.value.reason.field == "SessionID"


def test_an_answer_that_contradicts_its_code_counts_as_it_says_and_is_noted() -> None:
    said, issues = authorisations.start_to_canonical(YES | {"StatusCode": {"Code": "106"}}, CARD)
    assert said is not None
    assert said.authorised is True
    assert (IssueKind.SUSPECT, "StatusCode.Code") in [(issue.kind, issue.field) for issue in issues]


def test_an_answer_is_read_in_another_case_and_what_is_wrong_in_it_is_left_out() -> None:
    body = {
        "sessionId": SESSION_ID,
        "authorizationStatus": "AUTHORIZED",
        "statusCode": {"code": "000"},
        "ProviderID": "nobody at all",
        "EMPPartnerSessionID": "x" * 251,
        "AuthorizationStopIdentifications": [
            {"RemoteIdentification": {}},
            7,
            {"RFIDMifareFamilyIdentification": {"UID": "1234ABCD"}},
        ],
    }
    said, issues = authorisations.start_to_canonical(body, CARD)
    assert said is not None
    assert said.authorised is True
    assert (said.leg.emsp, said.leg.emsp_session) == (None, None)
    assert said.stop_with == (Identification(type=TokenType.RFID, uid="1234ABCD"),)
    assert {issue.kind for issue in issues} == {IssueKind.MENDED, IssueKind.UNKNOWN, IssueKind.LEFT_OUT}


def test_an_answer_to_a_stop_leaves_the_leg_as_it_was() -> None:
    said, issues = authorisations.stop_to_canonical(
        {"AuthorizationStatus": "Authorized", "StatusCode": {"Code": "000"}}, LEG
    )
    assert said is not None
    assert (said.authorised, said.leg, issues) == (True, LEG, [])


def test_a_word_that_is_neither_yes_nor_no_decides_nothing() -> None:
    said, issues = authorisations.start_to_canonical(YES | {"AuthorizationStatus": "Maybe"}, CARD)
    assert said is not None
    assert said.authorised is None
    assert issues[0].field == "AuthorizationStatus"


drivers = strategies.identifications | st.builds(
    Identification, type=st.sampled_from([TokenType.PLUG_AND_CHARGE, TokenType.APP_USER]), contract_id=evco_ids
)


@given(strategies.parties, strategies.cdr_locations, drivers, legs)
def test_every_question_that_is_not_refused_is_what_the_judge_allows(
    operator: PartyId, place: Any, driver: Identification, leg: Any
) -> None:
    pin = Pin(value="1234")
    try:
        start, _ = authorisations.start_from_canonical(
            operator, place, driver, pin, own_session=leg.own_session, product=leg.product
        )
        stop, _ = authorisations.stop_from_canonical(operator, place, driver, leg, pin)
    except Refused:
        return
    assert faults_of_charge("eRoamingAuthorizeStart", start) == []
    assert faults_of_charge("eRoamingAuthorizeStop", stop) == []
    Authorize.model_validate(start)
    Authorize.model_validate(stop)
