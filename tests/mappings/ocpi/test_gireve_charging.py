"""What Gireve demands and forbids of a charge."""

import json
from typing import Any

import pytest

from mappings.canonical.ids import ContractId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, TokenType
from mappings.ocpi.dialects import gireve_charging as gireve
from mappings.ocpi.v2_2_1 import cdrs, sessions
from mappings.report import IssueKind, Refused
from tests.mappings.ocpi.samples import DELETE, spoilt
from tests.mappings.ocpi.samples_charging import CDR, COMMANDS, SESSION

ADVENIR = {
    "country_code": "$$",
    "party_id": "ADV",
    "uid": "12345671234567",
    "type": "RFID",
    "contract_id": "Gireve2Advenir",
}


def card(uid: str | None, kind: TokenType = TokenType.RFID, contract: str | None = None) -> Identification:
    return Identification(type=kind, uid=uid, contract_id=None if contract is None else ContractId(contract))


@pytest.mark.parametrize(
    ("given", "asked"),
    [("04a21b3c", "04A21B3C"), ("04A21B3CD45E80", "04A21B3CD45E80")],
)
def test_a_card_is_asked_for_in_hexadecimal_capitals(given: str, asked: str) -> None:
    assert gireve.uid_and_type(card(given)) == (asked, "RFID")


@pytest.mark.parametrize("given", ["4A21B3C", "04A21B3G", "04:A2:1B:3C", "04A21B3CD4", "0" * 20, "", None])
def test_a_card_of_another_form_is_refused_without_being_shown(given: str | None) -> None:
    with pytest.raises(Refused) as error:
        gireve.uid_and_type(card(given or None))
    assert error.value.reason.field == "identification.uid"
    assert error.value.reason.value is None


def test_what_is_no_card_is_asked_for_as_it_is() -> None:
    assert gireve.uid_and_type(card("app-user-7", TokenType.APP_USER)) == ("app-user-7", "APP_USER")
    assert gireve.uid_and_type(card(None, TokenType.PLUG_AND_CHARGE, "FREMOC00012345")) == ("FREMOC00012345", "OTHER")


def test_a_card_is_told_as_the_hub_told_it() -> None:
    session, _ = sessions.to_canonical(json.dumps(SESSION))
    leg = Leg(identification=session.identification.model_copy(update={"uid": "a1b2c3"}))
    assert gireve.session_from_canonical(session, leg)[0]["cdr_token"]["uid"] == "a1b2c3"


def test_what_does_not_roam_goes_to_advenir_with_nothing_of_its_driver() -> None:
    session, _ = sessions.to_canonical(json.dumps({**SESSION, "driver_name": "Jeanne"}))
    cdr, _ = cdrs.to_canonical(json.dumps({**CDR, "driver_name": "Jeanne"}))
    for wire in (gireve.anonymous_session_from_canonical(session)[0], gireve.anonymous_cdr_from_canonical(cdr)[0]):
        assert wire["cdr_token"] == ADVENIR
        text = json.dumps(wire)
        for telling in (SESSION["cdr_token"]["uid"], SESSION["cdr_token"]["contract_id"], "GIR-9-ref", "Jeanne"):
            assert telling not in text
    assert not {"signed_data", "remark", "invoice_reference_id"} & wire.keys()
    assert wire["total_energy"] == CDR["total_energy"]


def test_a_driver_of_whom_nothing_is_known_goes_to_advenir_all_the_same() -> None:
    session, _ = sessions.to_canonical(json.dumps(SESSION))
    nobody = session.model_copy(update={"identification": Identification(type=TokenType.OTHER)})
    assert gireve.anonymous_session_from_canonical(nobody)[0]["cdr_token"] == ADVENIR


def test_the_card_of_advenir_is_a_setting() -> None:
    session, _ = sessions.to_canonical(json.dumps(SESSION))
    other = gireve.AnonymousCard(uid="12345671234568")
    assert gireve.anonymous_session_from_canonical(session, other)[0]["cdr_token"]["uid"] == "12345671234568"


def test_a_credit_is_refused() -> None:
    cdr, _ = cdrs.to_canonical(json.dumps({**CDR, "credit": True, "credit_reference_id": "C-1"}))
    for write in (
        lambda: gireve.cdr_from_canonical(cdr, leg_of(cdr)),
        lambda: gireve.anonymous_cdr_from_canonical(cdr),
    ):
        with pytest.raises(Refused) as error:
            write()
        assert error.value.reason.field == "credit"


def leg_of(charge: Any) -> Leg:
    return Leg(reference=charge.reference, identification=charge.identification)


def test_that_the_driver_is_at_home_is_sent_with_an_issue() -> None:
    cdr, _ = cdrs.to_canonical(json.dumps({**CDR, "home_charging_compensation": True}))
    wire, issues = gireve.cdr_from_canonical(cdr, leg_of(cdr))
    assert wire["home_charging_compensation"] is True
    assert (IssueKind.LOST, "home_compensation") in {(issue.kind, issue.field) for issue in issues}


def test_a_start_without_an_evse_is_refused_and_a_reservation_is_not() -> None:
    start, reserve = (
        json.dumps(
            {field: value for field, value in COMMANDS[kind].items() if field not in {"evse_uid", "connector_id"}}
        )
        for kind in ("START_SESSION", "RESERVE_NOW")
    )
    with pytest.raises(Refused) as error:
        gireve.command_to_canonical("START_SESSION", start)
    assert error.value.reason.field == "evse_uid"
    (command, _), _ = gireve.command_to_canonical("RESERVE_NOW", reserve)
    assert command.at is not None
    assert command.at.evse_uid is None


def test_a_start_without_a_connector_leaves_it_to_the_cpo() -> None:
    wire = spoilt(COMMANDS["START_SESSION"], "connector_id", DELETE)
    (command, _), issues = gireve.command_to_canonical("START_SESSION", json.dumps(wire))
    assert command.at is not None
    assert (command.at.evse_uid, command.at.connector_id, issues) == ("E1", None, [])


# What Gireve says of a price


@pytest.mark.parametrize("remark", ["[*]", "[*] thank you", "  [*]", "[*][?]"])
def test_a_price_that_gireve_worked_out_is_the_hubs(remark: str) -> None:
    cdr, issues = gireve.cdr_to_canonical({**CDR, "remark": remark})
    assert cdr.priced_by_hub
    assert cdr.total_cost == cdrs.to_canonical(CDR)[0].total_cost
    assert (cdr.remark, issues) == (remark, [])


@pytest.mark.parametrize("cost", [{"excl_vat": 0}, {"excl_vat": 12.5, "incl_vat": 15}, {"excl_vat": "n/a"}, "none"])
def test_a_price_that_gireve_calls_meaningless_is_none_whatever_it_says(cost: Any) -> None:
    wire = {**CDR, "remark": "[?] as it came", "total_cost": cost, "total_energy_cost": {"excl_vat": 1}}
    cdr, issues = gireve.cdr_to_canonical(wire)
    assert (cdr.total_cost, cdr.energy_cost, cdr.priced_by_hub) == (None, None, False)
    assert {"total_cost": cost, "total_energy_cost": {"excl_vat": 1}}.items() <= cdr.unknown.items()
    assert {issue.kind for issue in issues} == {IssueKind.UNKNOWN}
    assert cdr.remark == "[?] as it came"


def test_what_was_meaningless_is_not_said_again() -> None:
    cdr, _ = gireve.cdr_to_canonical({**CDR, "remark": "[?]", "total_cost": {"excl_vat": 12.5}})
    wire, _ = gireve.cdr_from_canonical(cdr, leg_of(cdr), zero_cost=True)
    assert wire["total_cost"] == {"excl_vat": 0}


@pytest.mark.parametrize("remark", [None, "", "thank you", "paid [*]", "[ ]", "*", "(?)"])
def test_a_price_without_a_mark_before_it_is_the_cpos(remark: str | None) -> None:
    cdr, _ = gireve.cdr_to_canonical({**CDR, "remark": remark})
    assert not cdr.priced_by_hub
    assert cdr.total_cost == cdrs.to_canonical(CDR)[0].total_cost


def test_a_cost_is_withheld_whole_and_named() -> None:
    cdr, _ = cdrs.to_canonical(CDR)
    bare, issues = gireve.without_cost(cdr)
    assert not any(getattr(bare, issue.field) for issue in issues)
    assert "total_cost" in [issue.field for issue in issues]
    assert not [name for name in type(bare).model_fields if name.endswith("_cost") and getattr(bare, name) is not None]
    assert gireve.without_cost(bare) == (bare, [])
