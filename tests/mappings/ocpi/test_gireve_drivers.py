"""What Gireve demands of an EMSP's tokens and commands, how it asks, and what it says of prices."""

import json
from decimal import Decimal
from typing import Any

import pytest

from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tariffs import Money
from mappings.canonical.tokens import TokenType
from mappings.ocpi.dialects import gireve_charging, gireve_drivers, gireve_tariffs
from mappings.ocpi.v2_2_1 import commands, tokens
from mappings.report import IssueKind, Refused
from tests.mappings.ocpi.samples import DELETE, TARIFF, spoilt
from tests.mappings.ocpi.samples_charging import CDR, COMMANDS, TOKEN, URL


def test_a_card_is_put_in_hexadecimal_capitals() -> None:
    for given in ("04a21b3cd45e80", "04A21B3C"):
        token, _ = tokens.to_canonical({**TOKEN, "uid": given})
        assert gireve_drivers.token_from_canonical(token) == ({**TOKEN, "uid": given.upper()}, [])


@pytest.mark.parametrize("given", ["4A21B3C", "04A21B3G", "04:A2:1B:3C", "04A21B3CD4", "0" * 20])
def test_a_card_that_gireve_would_reject_is_refused_without_being_shown(given: str) -> None:
    token, _ = tokens.to_canonical({**TOKEN, "uid": given})
    with pytest.raises(Refused) as error:
        gireve_drivers.token_from_canonical(token)
    assert error.value.reason.field == "uid"
    assert given not in repr(error.value.issues)


def test_what_is_no_card_is_put_as_it_is() -> None:
    for kind in (TokenType.APP_USER, TokenType.AD_HOC_USER, TokenType.OTHER):
        token, _ = tokens.to_canonical({**TOKEN, "uid": "app-user-7", "type": kind.value})
        assert gireve_drivers.token_from_canonical(token)[0]["uid"] == "app-user-7"


@pytest.mark.parametrize("kind", [TokenType.QR_CODE, TokenType.PLUG_AND_CHARGE])
def test_what_ocpi_has_no_word_for_is_another_token(kind: TokenType) -> None:
    token, _ = tokens.to_canonical(TOKEN)
    wire, issues = gireve_drivers.token_from_canonical(token.model_copy(update={"type": kind}))
    assert wire["type"] == "OTHER"
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.NARROWED, "type")]


def test_a_contract_certificate_is_known_by_its_contract() -> None:
    question, _ = gireve_drivers.question_to_canonical("FREMOC00012345", "OTHER", b'{"location_id":"LOC1"}')
    driver = question.identification
    assert (driver.type, driver.uid) == (TokenType.OTHER, "FREMOC00012345")
    assert driver.contract_id is not None
    assert driver.contract_id.party == PartyId("FR*EMO")
    for uid, kind in (("FREMOC00012345", "APP_USER"), ("parking-badge-7", "OTHER"), ("04A21B3CD45E80", None)):
        assert gireve_drivers.question_to_canonical(uid, kind)[0].identification.contract_id is None


def read(kind: str, **given: Any) -> Any:
    wire = {**COMMANDS[kind], **given}
    return commands.to_canonical(kind, json.dumps({name: value for name, value in wire.items() if value is not None}))


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_a_command_is_written_as_it_was_read(kind: str) -> None:
    (command, url), _ = read(kind)
    assert gireve_drivers.command_from_canonical(command, url) == (COMMANDS[kind], [])


def test_a_start_needs_its_evse_and_no_connector() -> None:
    (command, _), _ = read("START_SESSION", evse_uid=None, connector_id=None)
    with pytest.raises(Refused) as error:
        gireve_drivers.command_from_canonical(command, URL)
    assert error.value.reason.field == "at.evse_uid"
    (command, _), _ = read("START_SESSION", connector_id=None)
    assert "connector_id" not in gireve_drivers.command_from_canonical(command, URL)[0]


def test_a_command_names_a_card_as_gireve_knows_it() -> None:
    (command, _), _ = read("START_SESSION", token={**TOKEN, "uid": "04a21b3cd45e80"})
    assert gireve_drivers.command_from_canonical(command, URL)[0]["token"]["uid"] == "04A21B3CD45E80"
    (command, _), _ = read("START_SESSION", token={**TOKEN, "uid": "123"})
    with pytest.raises(Refused) as error:
        gireve_drivers.command_from_canonical(command, URL)
    assert error.value.reason.field == "token.uid"


def test_a_start_without_its_token_is_refused() -> None:
    (command, _), _ = read("START_SESSION")
    with pytest.raises(Refused) as error:
        gireve_drivers.command_from_canonical(command.model_copy(update={"token": None}), URL)
    assert error.value.reason.field == "token"


def test_gireve_carries_on_starts_and_stops_alone() -> None:
    assert commands.KINDS > gireve_drivers.COMMANDS == {"START_SESSION", "STOP_SESSION"}


def test_a_price_without_a_mark_is_the_cpos_own() -> None:
    for remark in (DELETE, None, "Merci", "see [*]", "[ ]"):
        cdr, issues = gireve_charging.cdr_to_canonical(json.dumps(spoilt(CDR, "remark", remark)))
        assert issues == []
        assert not cdr.priced_by_hub
        assert cdr.total_cost is not None


def test_a_price_that_gireve_worked_out_says_so() -> None:
    wire = {**CDR, "remark": "[*] Merci", "total_cost": {"excl_vat": 7.5}}
    cdr, issues = gireve_charging.cdr_to_canonical(json.dumps(wire))
    assert issues == []
    assert cdr.priced_by_hub
    assert cdr.total_cost is not None
    assert cdr.total_cost == Money(net=Decimal("7.5"))
    assert cdr.remark == "[*] Merci"


@pytest.mark.parametrize("remark", ["[?]", "[?] Merci", " [?]Merci"])
@pytest.mark.parametrize("cost", [{"excl_vat": 0}, {"excl_vat": "?"}, None, DELETE])
def test_a_price_that_gireve_calls_meaningless_is_none(remark: str, cost: Any) -> None:
    wire = spoilt({**CDR, "remark": remark}, "total_cost", cost)
    for source in (wire, json.dumps(wire)):
        cdr, issues = gireve_charging.cdr_to_canonical(source)
        assert (cdr.total_cost, cdr.energy_cost, cdr.priced_by_hub) == (None, None, False)
        assert cdr.remark == remark
        told = {name: wire[name] for name in ("total_cost", "total_energy_cost") if wire.get(name)}
        assert cdr.unknown == told
        assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.UNKNOWN, name) for name in told]
        assert wire["total_energy_cost"] == CDR["total_energy_cost"]


def test_a_mark_mends_nothing_else() -> None:
    for path, value in (("total_energy", None), ("cdr_token", None), ("currency", "?")):
        with pytest.raises(Refused) as error:
            gireve_charging.cdr_to_canonical(spoilt({**CDR, "remark": "[?]"}, path, value))
        assert error.value.reason.field == path
    for text in (b"", b"{", b"[]", b'"[?]"', b"\xff"):
        with pytest.raises(Refused):
            gireve_charging.cdr_to_canonical(text)


def test_a_price_of_a_hubs_is_not_said_again() -> None:
    cdr, _ = gireve_charging.cdr_to_canonical({**CDR, "remark": "[*]"})
    leg = Leg(reference=cdr.reference, identification=cdr.identification)
    _, issues = gireve_charging.cdr_from_canonical(cdr, leg)
    assert (IssueKind.LOST, "priced_by_hub") in {(issue.kind, issue.field) for issue in issues}


def test_a_tariff_is_for_its_target_or_for_all() -> None:
    ours, other = PartyId("FR*EMO"), PartyId("DE*MP1")
    target = {"target_operator_country_code": "fr", "target_operator_party_id": "emo"}
    tariff, issues = gireve_tariffs.to_canonical({**TARIFF, **target, "gireve_id": "42"})
    assert issues == []
    assert (tariff.target, tariff.unknown) == (ours, {"gireve_id": "42"})
    assert tariff.is_for(ours)
    assert not tariff.is_for(other)
    assert gireve_tariffs.to_canonical(TARIFF)[0].is_for(other)
