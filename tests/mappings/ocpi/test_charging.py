"""Tokens, sessions, CDRs and commands of plain OCPI: what is refused, kept and said."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from mappings.canonical.cdrs import Cdr, SignedData, SignedNature, SignedValue
from mappings.canonical.commands import CommandAnswer, CommandResult, EvseRef, ReserveNow, StartSession, StopSession
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import PreferencesResult
from mappings.canonical.tokens import AllowedType, Identification, TokenType
from mappings.ocpi.v2_2_1 import cdrs, commands, patches, sessions, tokens
from mappings.report import IssueKind, Refused
from tests.mappings.ocpi.samples import DELETE, spoilt
from tests.mappings.ocpi.samples_charging import CDR, COMMANDS, INFO, SESSION, START, TOKEN, URL

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EMSP, CPO = PartyId("FR*EMO"), PartyId("FR*ABC")
OFFSET = "2026-03-01T11:00:00+01:00"
UID = TOKEN["uid"]


def refused(read: Any, wire: Any) -> str:
    with pytest.raises(Refused) as error:
        read(json.dumps(wire))
    return error.value.reason.field


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("party_id", "X"), ("uid", ""), ("uid", "A" * 37), ("uid", DELETE), ("uid", ["04A2"]), ("type", "NFC")),
        *(("contract_id", ""), ("contract_id", DELETE), ("valid", DELETE), ("valid", "perhaps")),
        *(
            ("whitelist", "SOMETIMES"),
            ("last_updated", OFFSET),
            ("last_updated", "yesterday"),
            ("last_updated", DELETE),
        ),
    ],
)
def test_a_token_whose_owner_right_or_time_is_unclear_is_refused(path: str, value: Any) -> None:
    assert refused(tokens.to_canonical, spoilt(TOKEN, path, value)) == path


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b'"04A2"', b"\xff"])
def test_what_is_no_object_is_refused(text: bytes) -> None:
    for read in (tokens.to_canonical, sessions.to_canonical, cdrs.to_canonical, tokens.authorisation_to_canonical):
        with pytest.raises(Refused):
            read(text)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("kwh", -0.1), ("kwh", "much"), ("kwh", DELETE), ("start_date_time", OFFSET), ("end_date_time", "later")),
        *(("cdr_token", DELETE), ("cdr_token.party_id", "?"), ("cdr_token.uid", ""), ("cdr_token.type", "NFC")),
        *(("auth_method", "MAGIC"), ("id", "x" * 37), ("currency", "EURO"), ("status", "DONE"), ("evse_uid", "")),
        *(("kwh", 1e300), ("total_cost.excl_vat", 1e300), ("total_cost.incl_vat", -1e300)),
        ("charging_periods.0.dimensions.0.volume", 10**400),
        *(("total_cost.excl_vat", "free"), ("charging_periods.0.start_date_time", OFFSET)),
        *(("charging_periods.0.dimensions.0.volume", None), ("last_updated", DELETE)),
    ],
)
def test_a_session_whose_money_energy_time_or_driver_is_unclear_is_refused(path: str, value: Any) -> None:
    field = refused(sessions.to_canonical, spoilt(SESSION, path, value))
    assert field == path.replace("periods.0", "periods[0]").replace("dimensions.0", "dimensions[0]")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *(("total_energy", -1), ("total_time", -1), ("total_parking_time", -0.5), ("total_cost", DELETE)),
        *(("total_time", 1e13), ("tariffs.0.elements.0.price_components.0.price", 1e300)),
        *(("start_date_time", OFFSET), ("end_date_time", DELETE), ("id", "x" * 40), ("invoice_reference_id", "")),
        *(("cdr_location.country", "France"), ("cdr_location.coordinates.latitude", "north")),
        *(("cdr_location.address", DELETE), ("credit", "perhaps"), ("tariffs.0.currency", "?")),
        ("tariffs.0.elements.0.price_components.0.type", "MILES"),
    ],
)
def test_a_cdr_whose_money_energy_time_or_place_is_unclear_is_refused(path: str, value: Any) -> None:
    field = refused(cdrs.to_canonical, spoilt(CDR, path, value))
    for name in ("tariffs", "elements", "price_components"):
        path = path.replace(f"{name}.0", f"{name}[0]")
    assert field == path


def test_what_is_too_long_of_signed_readings_is_not_cut_and_holds_no_cdr_back() -> None:
    values = (SignedValue(nature=SignedNature.END, plain="p" * 5001, signed="s" * 5000),)
    cdr = read_cdr().model_copy(update={"signed_data": SignedData(method="m" * 37, values=values)})
    wire, issues = cdrs.from_canonical(cdr)
    assert wire["signed_data"]["encoding_method"] == "#NA"
    assert wire["signed_data"]["signed_values"] == [{"nature": "End", "plain_data": "#NA", "signed_data": "s" * 5000}]
    assert {issue.field for issue in issues if issue.kind is IssueKind.LOST} == {
        "signed_data.method",
        "signed_data.values[0].plain",
    }


def test_a_credit_of_no_cdr_is_refused_both_ways() -> None:
    assert refused(cdrs.to_canonical, {**CDR, "credit": True}) == "credit_reference_id"
    with pytest.raises(Refused) as error:
        cdrs.from_canonical(read_cdr().model_copy(update={"credit": True}))
    assert error.value.reason.field == "credited_cdr"


@pytest.mark.parametrize("value", [int("9" * 8), ["04A21B3CD45E80"], {"hex": "04A21B3CD45E80"}, "04A21B3CD45E80 " * 4])
def test_no_issue_shows_a_uid(value: Any) -> None:
    for read, wire, path in (
        (tokens.to_canonical, TOKEN, "uid"),
        (sessions.to_canonical, SESSION, "cdr_token.uid"),
        (sessions.to_canonical, SESSION, "cdr_token"),
        (tokens.authorisation_to_canonical, INFO, "token"),
    ):
        shown = ""
        try:
            _, issues = read(json.dumps(spoilt(wire, path, value)))  # type: ignore[operator]
        except Refused as error:
            issues = error.issues
            shown = str(error)
        assert issues
        assert "04A2" not in shown + repr(issues)
        assert "9999" not in repr(issues)
    with pytest.raises(Refused) as error:
        tokens.to_canonical(json.dumps([TOKEN]))
    assert UID not in repr(error.value.issues)


def test_an_answer_tells_the_token_the_place_and_the_reference() -> None:
    answer, issues = tokens.authorisation_to_canonical(json.dumps(INFO))
    assert issues == []
    assert answer.allowed is AllowedType.ALLOWED
    assert answer.token is not None
    assert answer.token.party == EMSP
    assert answer.location == tokens.LocationReferences("LOC1", ("E1",))
    assert (answer.reference, answer.info) == ("GIR-9-ref", "Bonne charge")


@pytest.mark.parametrize("value", [None, "none", {**TOKEN, "whitelist": "?"}, {**TOKEN, "valid": []}, {"uid": UID}])
def test_an_answer_stands_by_its_allowed_alone(value: Any) -> None:
    answer, issues = tokens.authorisation_to_canonical(json.dumps({**INFO, "token": value, "location": 5, "info": []}))
    assert answer.allowed is AllowedType.ALLOWED
    assert (answer.token, answer.location, answer.info) == (None, None, None)
    assert answer.reference == "GIR-9-ref"
    assert any(issue.field.startswith("token") for issue in issues)


def test_no_path_of_an_issue_holds_what_marks_an_unread_value() -> None:
    _, issues = tokens.authorisation_to_canonical(json.dumps({**INFO, "location": 5, "x": 1}))
    assert [issue.field for issue in issues] == ["location", "x"]


@pytest.mark.parametrize("contract", ["", " ", "\t"])
def test_a_blank_contract_is_none_since_it_would_be_everybodys(contract: str) -> None:
    assert refused(tokens.to_canonical, {**TOKEN, "contract_id": contract}) == "contract_id"


def test_a_token_in_an_answer_without_a_stamp_takes_the_time_of_arrival() -> None:
    bare = {field: value for field, value in TOKEN.items() if field != "last_updated"}
    answer, _ = tokens.authorisation_to_canonical(json.dumps({**INFO, "token": bare}), NOON)
    assert answer.token is not None
    assert answer.token.last_updated == NOON


@pytest.mark.parametrize("value", ["YES", True, None, DELETE])
def test_an_answer_that_is_neither_yes_nor_no_is_refused(value: Any) -> None:
    assert refused(tokens.authorisation_to_canonical, spoilt(INFO, "allowed", value)) == "allowed"


@pytest.mark.parametrize(("given", "kept"), [("x" * 250, "x" * 250), ("x" * 251, None), ("", None), (7, "7")])
def test_a_reference_is_kept_as_long_as_a_leg_holds_it(given: Any, kept: str | None) -> None:
    answer, _ = tokens.authorisation_to_canonical(json.dumps({**INFO, "authorization_reference": given}))
    assert answer.reference == kept
    assert Leg(reference=answer.reference, identification=driver().identification).reference == kept


def test_a_driver_is_asked_for_at_exactly_one_evse() -> None:
    assert tokens.location_references("LOC1", "E1") == {"location_id": "LOC1", "evse_uids": ["E1"]}


def driver(**fields: Any) -> Leg:
    whole = {"type": TokenType.RFID, "uid": UID, "contract_id": ContractId("FREMOC00012345"), "party": EMSP}
    return Leg(identification=Identification(**{**whole, **fields}))


def said(leg: Leg) -> dict[str, Any]:
    made: dict[str, Any] = sessions.from_canonical(read_session(), leg)[0]["cdr_token"]
    return made


def read_session() -> Any:
    return sessions.to_canonical(json.dumps(SESSION))[0]


def read_cdr() -> Cdr:
    return cdrs.to_canonical(json.dumps(CDR))[0]


@pytest.mark.parametrize("kind", [TokenType.PLUG_AND_CHARGE, TokenType.QR_CODE])
def test_a_contract_stands_for_the_uid_of_a_car_or_a_qr_code(kind: TokenType) -> None:
    token = said(driver(type=kind, uid=None))
    assert (token["uid"], token["type"], token["contract_id"]) == ("FREMOC00012345", "OTHER", "FREMOC00012345")


@pytest.mark.parametrize("field", ["uid", "contract_id", "party"])
def test_a_driver_of_whom_ocpi_demands_more_is_refused(field: str) -> None:
    with pytest.raises(Refused) as error:
        said(driver(**{field: None}))
    assert error.value.reason.field == f"leg.identification.{field}"


def test_the_leg_tells_the_emsp_of_a_driver_who_does_not() -> None:
    leg = driver(party=None).model_copy(update={"emsp": PartyId("NL*TNM")})
    assert said(leg)["country_code"] == "NL"


def test_the_reference_is_the_legs_and_never_our_own() -> None:
    session, cdr = read_session(), read_cdr()
    assert session.reference == cdr.reference == "GIR-9-ref"
    leg = driver().model_copy(update={"reference": "from-the-hub"})
    assert sessions.from_canonical(session, leg)[0]["authorization_reference"] == "from-the-hub"
    assert cdrs.from_canonical(cdr, leg)[0]["authorization_reference"] == "from-the-hub"
    assert "authorization_reference" not in sessions.from_canonical(session, driver())[0]
    assert "authorization_reference" not in cdrs.from_canonical(cdr)[0]


@pytest.mark.parametrize(
    "field",
    [
        *("address", "city", "country", "coordinates", "evse_id", "connector_standard"),
        *("connector_format", "connector_power_type"),
    ],
)
def test_a_cdr_whose_place_lacks_what_ocpi_demands_is_refused(field: str) -> None:
    cdr = read_cdr()
    bare = cdr.model_copy(update={"location": cdr.location.model_copy(update={field: None})})
    with pytest.raises(Refused) as error:
        cdrs.from_canonical(bare)
    assert error.value.reason.field == f"location.{field}"


def test_a_reservation_that_found_no_evse_says_so() -> None:
    wire = spoilt(CDR, "cdr_location.evse_id", "#NA")
    wire["cdr_location"] |= {"evse_uid": "#NA", "connector_id": "#NA"}
    cdr, _ = cdrs.to_canonical(json.dumps(wire))
    assert cdr.location.evse_id is None
    assert cdrs.from_canonical(cdr)[0]["cdr_location"]["evse_id"] == "#NA"


def test_what_cannot_be_read_of_a_cdrs_place_is_one_issue_and_kept() -> None:
    wire = spoilt(CDR, "cdr_location.name", ["x"])
    wire["cdr_location"]["site"] = "north"
    cdr, issues = cdrs.to_canonical(json.dumps(wire))
    assert [(issue.kind, issue.field) for issue in issues] == [
        (IssueKind.UNKNOWN, "cdr_location.name"),
        (IssueKind.LEFT_OUT, "cdr_location.site"),
    ]
    assert cdr.unknown == {"cdr_location": {"name": ["x"]}}
    assert "name" not in cdrs.from_canonical(cdr)[0]["cdr_location"]


def test_a_cdr_without_a_cost_says_zero_only_where_the_settings_want_it() -> None:
    cdr = read_cdr().model_copy(update={"total_cost": None})
    with pytest.raises(Refused) as error:
        cdrs.from_canonical(cdr)
    assert error.value.reason.field == "total_cost"
    wire, issues = cdrs.from_canonical(cdr, zero_cost=True)
    assert wire["total_cost"] == {"excl_vat": 0}
    assert (IssueKind.DEFAULTED, "total_cost") in {(issue.kind, issue.field) for issue in issues}


def test_a_cdr_without_a_period_says_its_energy_as_one() -> None:
    wire, _ = cdrs.from_canonical(read_cdr().model_copy(update={"periods": ()}))
    assert wire["charging_periods"] == [
        {"start_date_time": CDR["start_date_time"], "dimensions": [{"type": "ENERGY", "volume": 21.4}]}
    ]


def test_negative_energy_is_never_said() -> None:
    with pytest.raises(Refused) as error:
        cdrs.from_canonical(read_cdr().model_copy(update={"energy": Decimal("-0.1")}))
    assert error.value.reason.field == "energy"


def test_signed_readings_are_carried_untouched() -> None:
    cdr = read_cdr()
    assert cdr.signed_data is not None
    wire, _ = cdrs.from_canonical(cdr)
    assert wire["signed_data"]["signed_values"] == CDR["signed_data"]["signed_values"]


def test_a_token_is_patched_but_never_into_another() -> None:
    token, _ = tokens.to_canonical(json.dumps(TOKEN))
    made = patches.patch_token(token, {"whitelist": "NEVER", "group_id": None, "last_updated": "2026-03-02T00:00:00Z"})
    assert made.changed == {"whitelist", "group_id"}
    assert made.after.group_id is None
    for wire, field in (
        ({"valid": False}, "last_updated"),
        ({"uid": "04FFFFFF", "last_updated": "2026-03-02T00:00:00Z"}, "uid"),
        ({"type": "APP_USER", "last_updated": "2026-03-02T00:00:00Z"}, "type"),
        ({"party_id": "TNM", "last_updated": "2026-03-02T00:00:00Z"}, "party_id"),
        ({"whitelist": "?", "last_updated": "2026-03-02T00:00:00Z"}, "whitelist"),
    ):
        with pytest.raises(Refused) as error:
            patches.patch_token(token, wire)
        assert error.value.reason.field == field
        assert "04FFFFFF" not in repr(error.value.issues)


def test_a_patch_of_no_periods_takes_none_away() -> None:
    session = read_session()
    made = patches.patch_session(session, {"charging_periods": [], "last_updated": "2026-03-02T00:00:00Z"})
    assert made.changed == frozenset()
    assert made.after.periods == session.periods


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_command_comes_back_as_it_was(kind: str) -> None:
    (command, url), issues = commands.to_canonical(kind, json.dumps(COMMANDS[kind]), EMSP, cpo=CPO)
    assert issues == []
    assert (command.kind, command.emsp, url) == (kind, EMSP, URL)
    assert command.at is not None
    assert command.at.party == CPO
    assert commands.from_canonical(command, url) == (COMMANDS[kind], [])


def test_a_start_carries_its_token_and_its_reference_in_the_leg() -> None:
    (command, _), _ = commands.to_canonical("START_SESSION", json.dumps(START), PartyId("FR*107"))
    assert isinstance(command, StartSession)
    assert command.emsp == EMSP  # the token's, not the hub's that passed it on
    assert command.leg.reference == "GIR-9-ref"
    assert command.leg.identification.uid == UID
    assert command.at == EvseRef(location_id="LOC1", evse_uid="E1", connector_id="1")


@pytest.mark.parametrize(
    ("kind", "path", "value", "field"),
    [
        ("START_SESSION", "response_url", "mailto:me@example.com", "response_url"),
        ("START_SESSION", "response_url", "http://[", "response_url"),
        ("STOP_SESSION", "response_url", DELETE, "response_url"),
        ("START_SESSION", "token", DELETE, "token"),
        ("START_SESSION", "token.contract_id", DELETE, "token.contract_id"),
        ("START_SESSION", "evse_uid", DELETE, "evse_uid"),
        ("START_SESSION", "location_id", "", "location_id"),
        ("STOP_SESSION", "session_id", DELETE, "session_id"),
        ("RESERVE_NOW", "expiry_date", OFFSET, "expiry_date"),
        ("RESERVE_NOW", "reservation_id", "x" * 37, "reservation_id"),
        ("UNLOCK_CONNECTOR", "connector_id", DELETE, "connector_id"),
        ("CANCEL_RESERVATION", "reservation_id", "", "reservation_id"),
    ],
)
def test_a_command_that_does_not_say_what_or_where_is_refused(kind: str, path: str, value: Any, field: str) -> None:
    wire = spoilt(COMMANDS[kind], path, value)
    assert refused(lambda source: commands.to_canonical(kind, source), wire) == field


def test_a_command_that_ocpi_does_not_have_is_refused() -> None:
    with pytest.raises(Refused):
        commands.to_canonical("SELF_DESTRUCT", json.dumps(START))


def test_any_evse_of_a_location_may_be_asked_for() -> None:
    bare = {field: value for field, value in START.items() if field not in {"evse_uid", "connector_id"}}
    (command, _), _ = commands.to_canonical("START_SESSION", json.dumps(bare))
    assert isinstance(command, StartSession)
    assert command.at.evse_uid is None


def test_a_command_without_what_ocpi_demands_is_not_said() -> None:
    leg = driver()
    unplaced = StartSession(at=EvseRef(evse_uid="E1"), leg=leg, token=tokens.to_canonical(json.dumps(TOKEN))[0])
    tokenless = ReserveNow(at=EvseRef(location_id="L"), leg=leg, reservation="R", expires=NOON)
    for command, field in (
        (unplaced, "at.location_id"),
        (tokenless, "token"),
        (StopSession(session="s" * 37), "session"),
    ):
        with pytest.raises(Refused) as error:
            commands.from_canonical(command, URL)
        assert error.value.reason.field == field


def test_what_came_of_a_command_is_said_in_ocpis_words() -> None:
    answer = CommandAnswer(result=CommandResult.NO_VEHICLE, text="Nobody came", session_id="S-1")
    wire, issues = commands.result_from_canonical(answer)
    assert wire == {"result": "FAILED", "message": [{"language": "en", "text": "Nobody came"}]}
    assert {(issue.kind, issue.field) for issue in issues} == {
        (IssueKind.NARROWED, "result"),
        (IssueKind.LOST, "session_id"),
    }
    wire, _ = commands.response_from_canonical(CommandResult.UNKNOWN_EVSE, 20)
    assert wire == {"result": "REJECTED", "timeout": 20}


def test_what_is_said_of_preferences_is_a_bare_word() -> None:
    assert sessions.preferences_result_from_canonical(PreferencesResult.NOT_POSSIBLE) == "NOT_POSSIBLE"


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        ({}, "profile_type"),
        ({"profile_type": "SLOW"}, "profile_type"),
        ({"profile_type": "CHEAP", "departure_time": OFFSET}, "departure_time"),
        ({"profile_type": "CHEAP", "energy_need": -1}, "energy_need"),
    ],
)
def test_preferences_that_cannot_be_read_are_refused(wire: Any, field: str) -> None:
    assert refused(sessions.preferences_to_canonical, wire) == field


def test_where_a_result_is_wanted_is_never_cut() -> None:
    (command, _), _ = commands.to_canonical("STOP_SESSION", json.dumps(COMMANDS["STOP_SESSION"]))
    url = "https://hub.example.com/" + "x" * 231
    assert commands.from_canonical(command, url)[0]["response_url"] == url
    with pytest.raises(Refused) as error:
        commands.from_canonical(command, url + "x")
    assert error.value.reason.field == "response_url"


def test_what_a_cpo_says_beyond_ocpi_to_a_command_is_noted() -> None:
    said = {"result": "ACCEPTED", "timeout": 30, "session": "S-1"}
    response, issues = commands.response_to_canonical(said)
    assert (response.result, response.timeout) == (CommandResult.ACCEPTED, 30)
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.LEFT_OUT, "session")]
    answer, issues = commands.result_to_canonical({"result": "EVSE_OCCUPIED", "message": [], "session": "S-1"})
    assert (answer.result, answer.text) == (CommandResult.EVSE_OCCUPIED, None)
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.LEFT_OUT, "session")]
