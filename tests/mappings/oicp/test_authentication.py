"""Driver tokens as authentication data."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import Pin, PinHash, RfidKind, Token, TokenType, Whitelist
from mappings.oicp.v2_3 import authentication
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.oicp.v2_3.wire_charging import Identification as WireIdentification
from mappings.report import IssueKind, Refused
from tests import strategies
from tests.mappings.oicp.charges import PROVIDER, evco_ids, uids
from tests.mappings.oicp.examples import AT
from tests.oicp_schema import faults_of_charge

HASH = Pin(value="$2y$10$abcdefghijklmnopqrstuv", hashed=PinHash.BCRYPT)


def token(**changes: Any) -> Token:
    fields: dict[str, Any] = {
        "party": PROVIDER,
        "uid": "04E8A1B2C3D480",
        "type": TokenType.RFID,
        "contract_id": ContractId("NL-EMS-C00000001-M"),
        "visual_number": "NL 0001",
        "issuer": "EMS",
        "valid": True,
        "whitelist": Whitelist.ALLOWED,
        "last_updated": AT,
    }
    return Token(**fields | changes)


def written(given_token: Token, **options: Any) -> tuple[authentication.Authentication, list[Any]]:
    known, issues = authentication.from_canonical(given_token, PROVIDER, **options)
    body = authentication.push(ActionType.INSERT, PROVIDER, [known.record])
    assert faults_of_charge("eRoamingPushAuthenticationData", body, "emp") == []
    WireIdentification.model_validate(known.record["Identification"])
    return known, issues


def test_a_card_is_known_by_its_number_alone() -> None:
    known, issues = written(token(uid="04:e8:a1:b2:c3:d4:80"))
    assert known.key == "UID:04E8A1B2C3D480"
    assert known.record == {"Identification": {"RFIDMifareFamilyIdentification": {"UID": "04E8A1B2C3D480"}}}
    assert {(issue.kind, issue.field) for issue in issues} == {
        (IssueKind.MENDED, "token.uid"),
        (IssueKind.LOST, "contract_id"),
    }


def test_a_card_of_a_known_technology_tells_its_contract_and_print_too() -> None:
    known, issues = written(token(), kind=RfidKind.MIFARE_DESFIRE)
    assert known.key == "UID:04E8A1B2C3D480"
    assert known.record["Identification"] == {
        "RFIDIdentification": {
            "UID": "04E8A1B2C3D480",
            "RFID": "mifareDes",
            "EvcoID": "NL-EMS-C00000001-M",
            "PrintedNumber": "NL 0001",
        }
    }
    assert issues == []


def test_a_card_without_a_contract_of_oicps_form_tells_none() -> None:
    known, issues = written(token(contract_id=ContractId("customer 7"), visual_number=None), kind=RfidKind.NFC)
    assert known.record["Identification"]["RFIDIdentification"].keys() == {"UID", "RFID"}
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.LEFT_OUT, "contract_id")]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (TokenType.APP_USER, "RemoteIdentification"),
        (TokenType.PLUG_AND_CHARGE, "PlugAndChargeIdentification"),
    ],
)
def test_a_driver_without_a_card_is_known_by_the_contract(kind: TokenType, name: str) -> None:
    known, issues = written(token(type=kind, uid="app-7", contract_id=ContractId("NLEMSC00000001")))
    assert known.key == f"{name}:NLEMSC00000001"
    assert known.record == {"Identification": {name: {"EvcoID": "NL-EMS-C00000001-M"}}}
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.LOST, "uid")]


def test_a_qr_code_needs_its_pin_or_a_hash_of_it_and_neither_shows_in_the_key() -> None:
    code = token(type=TokenType.QR_CODE, uid="NLEMSC00000001")
    hashed, issues = written(code, pin=HASH)
    assert hashed.record["Identification"]["QRCodeIdentification"] == {
        "EvcoID": "NL-EMS-C00000001-M",
        "HashedPIN": {"Value": HASH.value.get_secret_value(), "Function": "Bcrypt"},
    }
    plain, _ = written(code, pin=Pin(value="0815"))
    assert plain.record["Identification"]["QRCodeIdentification"]["PIN"] == "0815"
    assert plain.key == hashed.key == "QRCodeIdentification:NLEMSC00000001"
    assert issues == []
    for pin in (None, Pin(value="1" * 21)):
        with pytest.raises(Refused) as refusal:
            authentication.from_canonical(code, PROVIDER, pin=pin)
        assert refusal.value.reason.field == "pin"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("token.type", {"type": TokenType.AD_HOC_USER}),
        ("token.type", {"type": TokenType.OTHER}),
        ("token.uid", {"uid": "not hexadecimal"}),
        ("token.contract_id", {"type": TokenType.APP_USER, "contract_id": ContractId("customer 7")}),
    ],
)
def test_what_oicp_cannot_say_is_refused_without_showing_it(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refusal:
        authentication.from_canonical(token(**changes), PROVIDER)
    assert refusal.value.reason.field == field
    assert refusal.value.reason.value in {None, changes.get("type")}


def test_a_contract_of_another_emp_is_suspect_since_it_may_spoil_the_whole_push() -> None:
    _, issues = authentication.from_canonical(token(type=TokenType.APP_USER), PartyId("NL-XYZ"))
    assert IssueKind.SUSPECT in {issue.kind for issue in issues}


@pytest.mark.parametrize("whitelist", Whitelist)
def test_a_token_is_pushed_only_where_others_may_decide_by_it(whitelist: Whitelist) -> None:
    assert authentication.pushed(token(whitelist=whitelist)) is (whitelist in {Whitelist.ALWAYS, Whitelist.ALLOWED})
    assert not authentication.pushed(token(whitelist=whitelist, valid=False))


def test_a_full_load_of_nothing_is_sayable() -> None:
    body = authentication.push(ActionType.FULL_LOAD, PROVIDER, [])
    assert body["ProviderAuthenticationData"] == {"ProviderID": "NL-EMS", "AuthenticationDataRecord": []}
    assert faults_of_charge("eRoamingPushAuthenticationData", body, "emp") == []


drawn = st.builds(
    lambda one, uid, contract: one.model_copy(update={"uid": uid, "contract_id": contract}),
    strategies.tokens,
    uids | strategies.ids,
    evco_ids | strategies.words.map(ContractId),
)


@given(drawn, strategies.maybe(st.sampled_from(RfidKind)), strategies.maybe(st.sampled_from([HASH, Pin(value="1")])))
def test_every_record_is_what_the_judge_allows_and_no_issue_shows_a_token(
    one: Token, kind: RfidKind | None, pin: Pin | None
) -> None:
    try:
        known, issues = written(one, kind=kind, pin=pin)
    except Refused as refusal:
        issues = refusal.issues
    else:
        again, _ = written(one.model_copy(update={"valid": not one.valid, "issuer": "x"}), kind=kind, pin=pin)
        assert again == known
    assert all(issue.value != one.uid for issue in issues)
