"""Identification both ways: every kind, what OICP cannot say, and what EMPs write otherwise."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import Identification, Pin, PinHash, RfidKind, TokenType
from mappings.oicp.v2_3 import tokens
from mappings.oicp.v2_3.wire_charging import Identification as WireIdentification
from mappings.report import IssueKind, Refused
from tests import strategies
from tests.mappings.oicp.charges import evco_ids, uids
from tests.oicp_schema import faults_of_charge, validate

CONTRACT = ContractId("DE-8EO-CAET5E4XY-3")
# The instance's check digit is right for none of Hubject's own examples; this one is ours.
RIGHT = ContractId("NL-EMS-C00000001").separated()
HASH = "$2a$10$3Q6AbcdefGHIjklmnop/=."

QR_CODE = Identification(type=TokenType.QR_CODE, contract_id=ContractId(RIGHT), party=PartyId("NL-EMS"))
KNOWN_CARD = Identification(
    type=TokenType.RFID,
    uid="1234ABCD",
    contract_id=ContractId(RIGHT),
    party=PartyId("NL-EMS"),
    rfid_kind=RfidKind.MIFARE_DESFIRE,
    printed_number="9876655",
    expires="2027-01-31",
)

PAIRS: dict[str, tuple[Identification, dict[str, Any]]] = {
    "a card": (
        Identification(type=TokenType.RFID, uid="04E8A1B2C3D480"),
        {"RFIDMifareFamilyIdentification": {"UID": "04E8A1B2C3D480"}},
    ),
    "a QR code": (
        QR_CODE,
        {"QRCodeIdentification": {"EvcoID": RIGHT}},
    ),
    "a car": (
        Identification(type=TokenType.PLUG_AND_CHARGE, contract_id=ContractId(RIGHT), party=PartyId("NL-EMS")),
        {"PlugAndChargeIdentification": {"EvcoID": RIGHT}},
    ),
    "an app": (
        Identification(type=TokenType.APP_USER, contract_id=ContractId("DE*8EO*123456*X"), party=PartyId("DE*8EO")),
        {"RemoteIdentification": {"EvcoID": "DE*8EO*123456*X"}},
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_every_kind_goes_both_ways(name: str) -> None:
    identification, wire = PAIRS[name]
    assert tokens.from_canonical(identification) == (wire, [])
    validate("Identification", wire)
    WireIdentification.model_validate(wire)
    (read, pin), _ = tokens.to_canonical(wire)
    assert read == identification
    assert pin is None


@pytest.mark.parametrize(
    ("wire", "driver", "pin"),
    [
        (
            {
                "RFIDIdentification": {
                    "UID": "1234ABCD",
                    "RFID": "mifareDes",
                    "EvcoID": RIGHT,
                    "PrintedNumber": "9876655",
                    "ExpiryDate": "2027-01-31T23:59:59Z",
                }
            },
            KNOWN_CARD,
            None,
        ),
        ({"QRCodeIdentification": {"EvcoID": RIGHT, "PIN": "1234"}}, QR_CODE, Pin(value="1234")),
        (
            {"QRCodeIdentification": {"EvcoID": RIGHT, "HashedPIN": {"Value": HASH, "Function": "Bcrypt"}}},
            QR_CODE,
            Pin(value=HASH, hashed=PinHash.BCRYPT),
        ),
    ],
)
def test_what_a_cpo_never_writes_is_read(wire: dict[str, Any], driver: Identification, pin: Pin | None) -> None:
    validate("Identification", wire)
    WireIdentification.model_validate(wire)
    (read, read_pin), _ = tokens.to_canonical(wire)
    assert (read, read_pin) == (driver, pin)


@pytest.mark.parametrize("type_", [TokenType.AD_HOC_USER, TokenType.OTHER])
def test_a_driver_that_oicp_has_no_word_for_is_refused(type_: TokenType) -> None:
    with pytest.raises(Refused) as refusal:
        tokens.from_canonical(Identification(type=type_, uid="1234ABCD", contract_id=CONTRACT))
    assert refusal.value.reason.field == "identification.type"


def test_a_card_is_said_by_its_uid_alone_whatever_is_known_of_it() -> None:
    # RFIDIdentification must not be used where a charge is authorised or billed.
    for record, issues in (tokens.from_canonical(KNOWN_CARD), tokens.asking(KNOWN_CARD, None)):
        assert record == {"RFIDMifareFamilyIdentification": {"UID": "1234ABCD"}}
        assert issues == []


def test_for_an_authorisation_a_qr_code_has_its_pin() -> None:
    assert tokens.asking(QR_CODE, Pin(value="1234"))[0] == {"QRCodeIdentification": {"EvcoID": RIGHT, "PIN": "1234"}}


@pytest.mark.parametrize(
    ("pin", "field"),
    [
        (None, "pin"),
        (Pin(value="1" * 21), "pin"),
        (Pin(value=HASH, hashed=PinHash.BCRYPT), "pin.hashed"),
    ],
)
def test_for_an_authorisation_a_qr_code_needs_its_pin_in_clear_text(pin: Pin | None, field: str) -> None:
    with pytest.raises(Refused) as refusal:
        tokens.asking(QR_CODE, pin)
    assert refusal.value.reason.field == field
    assert refusal.value.reason.value is None


@pytest.mark.parametrize("uid", ["04:e8:a1:b2", "04-E8-A1-B2", " 04e8a1b2 "])
def test_a_uid_is_written_as_capital_digits_whatever_stands_between_them(uid: str) -> None:
    record, issues = tokens.from_canonical(Identification(type=TokenType.RFID, uid=uid))
    assert record == {"RFIDMifareFamilyIdentification": {"UID": "04E8A1B2"}}
    assert [(issue.kind, issue.field, issue.value) for issue in issues] == [
        (IssueKind.MENDED, "identification.uid", None)
    ]


@pytest.mark.parametrize("uid", [None, "123", "04E8A1B", "ZZZZZZZZ", "bdf21bce-fc97-11e8-8eb2-f2801f1b9fd1"])
def test_a_card_without_a_uid_of_hexadecimal_digits_is_refused_without_naming_it(uid: str | None) -> None:
    with pytest.raises(Refused) as refusal:
        tokens.from_canonical(Identification(type=TokenType.RFID, uid=uid))
    assert refusal.value.reason.field == "identification.uid"
    assert refusal.value.reason.value is None


@pytest.mark.parametrize("type_", [TokenType.APP_USER, TokenType.QR_CODE, TokenType.PLUG_AND_CHARGE])
@pytest.mark.parametrize("contract", [None, ContractId("whatever"), ContractId("NL-EMS-X00000001")])
def test_a_driver_without_an_evco_id_is_refused(type_: TokenType, contract: ContractId | None) -> None:
    with pytest.raises(Refused) as refusal:
        tokens.from_canonical(Identification(type=type_, uid="user1", contract_id=contract))
    assert refusal.value.reason.field == "identification.contract_id"


def test_an_evco_id_gets_the_check_digit_that_oicp_demands() -> None:
    bare = Identification(type=TokenType.APP_USER, contract_id=ContractId("NLEMSC00000001"))
    assert tokens.from_canonical(bare)[0] == {"RemoteIdentification": {"EvcoID": RIGHT}}


# In


@pytest.mark.parametrize(
    ("wire", "uid"),
    [
        ({"RFIDmifarefamilyIdentification": {"Uid": "04e8a1b2"}, "QRCodeIdentification": None}, "04E8A1B2"),
        ({"RFIDMifareFamilyIdentification": {"UID": " 04:E8:A1:B2 "}}, "04E8A1B2"),
        ({"RFIDMifareFamilyIdentification": {"UID": 12345678}}, "12345678"),
        ({"RFIDMifareFamilyIdentification": {"UID": "AFFH1768"}}, "AFFH1768"),
    ],
)
def test_a_uid_is_read_in_any_spelling(wire: dict[str, Any], uid: str) -> None:
    (read, _), issues = tokens.to_canonical(wire)
    assert read == Identification(type=TokenType.RFID, uid=uid)
    assert issues
    assert all(issue.value is None for issue in issues)


def test_the_provider_of_the_message_is_the_drivers_emsp() -> None:
    (read, _), _ = tokens.to_canonical({"RFIDMifareFamilyIdentification": {"UID": "04E8A1B2"}}, PartyId("DE*8EO"))
    assert read.party == PartyId("DE*8EO")


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        (None, "Identification"),
        ([], "Identification"),
        ({}, "Identification"),
        ({"FingerprintIdentification": {"Loops": 3}}, "Identification"),
        (
            {"RemoteIdentification": {"EvcoID": RIGHT}, "PlugAndChargeIdentification": {"EvcoID": RIGHT}},
            "Identification",
        ),
        ({"RemoteIdentification": RIGHT}, "Identification.RemoteIdentification"),
        ({"RemoteIdentification": {"EvcoID": ""}}, "Identification.RemoteIdentification.EvcoID"),
        ({"RemoteIdentification": {"EvcoID": "X" * 37}}, "Identification.RemoteIdentification.EvcoID"),
        ({"RemoteIdentification": {"EvcoID": 7}}, "Identification.RemoteIdentification.EvcoID"),
        ({"RFIDMifareFamilyIdentification": {}}, "Identification.RFIDMifareFamilyIdentification.UID"),
        ({"RFIDMifareFamilyIdentification": {"UID": True}}, "Identification.RFIDMifareFamilyIdentification.UID"),
        ({"RFIDMifareFamilyIdentification": {"UID": "F" * 37}}, "Identification.RFIDMifareFamilyIdentification.UID"),
        (
            {"QRCodeIdentification": {"EvcoID": RIGHT, "PIN": "1", "HashedPIN": {"Value": HASH, "Function": "Bcrypt"}}},
            "Identification.QRCodeIdentification",
        ),
        ({"QRCodeIdentification": {"EvcoID": RIGHT, "PIN": ["1"]}}, "Identification.QRCodeIdentification.PIN"),
        (
            {"QRCodeIdentification": {"EvcoID": RIGHT, "HashedPIN": "x"}},
            "Identification.QRCodeIdentification.HashedPIN",
        ),
        (
            {"QRCodeIdentification": {"EvcoID": RIGHT, "HashedPIN": {"Value": HASH, "Function": "MD5"}}},
            "Identification.QRCodeIdentification.HashedPIN.Function",
        ),
        (
            {"QRCodeIdentification": {"EvcoID": RIGHT, "HashedPIN": {"Function": "Bcrypt"}}},
            "Identification.QRCodeIdentification.HashedPIN.Value",
        ),
    ],
)
def test_who_cannot_be_told_is_refused_with_the_field_and_no_secret(wire: Any, field: str) -> None:
    with pytest.raises(Refused) as refusal:
        tokens.to_canonical(wire)
    assert refusal.value.reason.field == field
    assert all(issue.value is None for issue in refusal.value.issues)


def test_what_only_adorns_a_card_is_kept_or_noted() -> None:
    wire = {"UID": "1234ABCD", "RFID": "papyrus", "PrintedNumber": "9" * 151, "ExpiryDate": "soon", "EvcoID": "?"}
    (read, _), issues = tokens.to_canonical({"RFIDIdentification": wire})
    assert read == Identification(type=TokenType.RFID, uid="1234ABCD", contract_id=ContractId("?"))
    assert {issue.field.rpartition(".")[2] for issue in issues} == {"RFID", "PrintedNumber", "ExpiryDate", "EvcoID"}


def test_the_kind_of_a_card_is_read_in_any_case_and_the_day_as_it_is_written() -> None:
    wire = {"UID": "1234ABCD", "RFID": "MifareCls", "PrintedNumber": 77, "ExpiryDate": "2027-01-31"}
    (read, _), _ = tokens.to_canonical({"RFIDIdentification": wire})
    assert (read.rfid_kind, read.printed_number, read.expires) == (RfidKind.MIFARE_CLASSIC, "77", "2027-01-31")


@given(strategies.identifications, st.booleans())
def test_whatever_is_written_is_valid_and_reads_as_the_same_driver(driver: Identification, asked: bool) -> None:
    try:
        record, _ = tokens.asking(driver, Pin(value="1234")) if asked else tokens.from_canonical(driver)
    except Refused:
        return
    validate("Identification", record)
    WireIdentification.model_validate(record)
    (read, _), _ = tokens.to_canonical(record, driver.party)
    assert read.type == driver.type
    assert read.contract_id in (driver.contract_id, None)
    assert read.uid is None or driver.uid is None or read.uid == driver.uid.upper()


@given(uids | evco_ids.map(str))
def test_a_request_for_any_driver_is_what_the_judge_allows(text: str) -> None:
    card = not text.count("-")
    driver = (
        Identification(type=TokenType.RFID, uid=text)
        if card
        else Identification(type=TokenType.PLUG_AND_CHARGE, contract_id=ContractId(text))
    )
    record, issues = tokens.asking(driver, None)
    assert not issues
    assert faults_of_charge("eRoamingAuthorizeStart", {"OperatorID": "DE*ABC", "Identification": record}) == []
