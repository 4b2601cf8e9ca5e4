"""What a Receiver of pushed objects needs: statuses alone, objects that are what their URLs name, clients of a hub."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus
from mappings.canonical.parties import ClientInfo, ClientStatus, Role
from mappings.canonical.tokens import TokenType
from mappings.ocpi.v2_2_1 import hub_client_info, locations, patches, paths, sessions, tariffs, tokens
from mappings.report import IssueKind, Refused
from tests.mappings.ocpi.samples import LOCATION, TARIFF, spoilt
from tests.mappings.ocpi.samples_charging import SESSION, TOKEN
from tests.shared import shared_path

PARTY, OTHER = PartyId("FR*ABC"), PartyId("FR*ABD")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATUS = {"status": "CHARGING", "last_updated": "2026-03-01T12:00:00Z"}
CLIENT = {
    "party_id": "ABC",
    "country_code": "FR",
    "role": "CPO",
    "status": "OFFLINE",
    "last_updated": "2026-03-01T12:00:00Z",
}


def test_a_status_alone_is_read_without_its_evse() -> None:
    for source in (STATUS, json.dumps(STATUS), json.dumps(STATUS).encode()):
        report = patches.status_report(source, PARTY, "LOC1", "E1")
        assert report is not None
        assert (report.status, report.at) == (EvseStatus.CHARGING, NOON)
        assert (report.party, report.location_id, report.evse_uid) == (PARTY, "LOC1", "E1")


def test_the_specifications_status_patch_is_a_status_alone() -> None:
    source = (shared_path("protocols/ocpi-2.2.1/examples") / "location_patch_example_status.json").read_bytes()
    report = patches.status_report(source, PARTY, "LOC1", "E1")
    assert report is not None
    assert report.status is EvseStatus.CHARGING


@pytest.mark.parametrize(
    "wire",
    [
        {**STATUS, "floor_level": "1"},
        {"last_updated": STATUS["last_updated"]},
        {"status": "CHARGING"},
        {**STATUS, "status": "charging"},
        {**STATUS, "status": None},
        {**STATUS, "status": "SLEEPING"},
        {**STATUS, "last_updated": "2026-03-01T13:00:00+01:00"},
        {**STATUS, "last_updated": 5},
        *([], "x", None),
    ],
)
def test_anything_but_a_clean_status_is_left_to_the_whole_patch(wire: Any) -> None:
    assert patches.status_report(json.dumps(wire), PARTY, "LOC1", "E1") is None


def test_what_is_no_json_or_no_id_is_left_to_the_whole_patch() -> None:
    assert patches.status_report(b"{", PARTY, "LOC1", "E1") is None
    assert patches.status_report(STATUS, PARTY, "LOC1", "E" * 49) is None


def test_a_status_alone_says_what_the_whole_patch_says() -> None:
    location, _ = locations.to_canonical(LOCATION)
    report = patches.status_report(STATUS, location.party, location.id, "E1")
    patched = patches.patch_evse(location, "E1", STATUS)
    assert report is not None
    assert patched.changed == {"status"}
    assert (patched.after.evses[0].status, patched.after.evses[0].last_updated) == (report.status, report.at)


def test_a_value_that_can_be_read_settles_one_that_could_not() -> None:
    location, _ = locations.to_canonical(spoilt(LOCATION, "evses.0.status", "SLEEPING"))
    assert location.evses[0].unknown == {"status": "SLEEPING"}
    patched = patches.patch_evse(location, "E1", STATUS)
    assert (patched.after.evses[0].status, patched.after.evses[0].unknown) == (EvseStatus.CHARGING, {})
    again = patches.patch_evse(location, "E1", {**STATUS, "status": "DOZING"})
    assert again.after.evses[0].unknown == {"status": "DOZING"}


def test_a_part_is_patched_under_a_key_in_other_letters_and_keeps_its_own() -> None:
    location, _ = locations.to_canonical(LOCATION)
    patched = patches.patch_evse(location, "e1", STATUS)
    assert [evse.uid for evse in patched.after.evses] == [evse.uid for evse in location.evses]
    assert patched.after.evses[0].status is EvseStatus.CHARGING


def named_otherwise() -> list[Any]:
    location, _ = locations.to_canonical(LOCATION)
    evse = location.evses[0]
    tariff, _ = tariffs.to_canonical(TARIFF)
    session, _ = sessions.to_canonical(SESSION)
    token, _ = tokens.to_canonical(TOKEN)
    info, _ = hub_client_info.to_canonical(CLIENT)
    emsp, id_ = PartyId("FR*EMO"), "S-4711"
    card = TokenType.RFID
    return [
        pytest.param(lambda: paths.of_location(location, OTHER, location.id), "party_id", id="location of another"),
        pytest.param(lambda: paths.of_location(location, location.party, "LOC2"), "id", id="another location"),
        pytest.param(lambda: paths.of_evse(evse, "E2"), "uid", id="another evse"),
        pytest.param(lambda: paths.of_connector(evse.connectors[0], "7"), "id", id="another connector"),
        pytest.param(lambda: paths.of_tariff(tariff, OTHER, tariff.id), "party_id", id="tariff of another"),
        pytest.param(lambda: paths.of_tariff(tariff, tariff.party, "T9"), "id", id="another tariff"),
        pytest.param(lambda: paths.of_session(session, OTHER, id_), "party_id", id="session of another"),
        pytest.param(lambda: paths.of_session(session, PARTY, "S-1"), "id", id="another session"),
        pytest.param(lambda: paths.of_token(token, OTHER, token.uid, card), "party_id", id="token of another"),
        pytest.param(lambda: paths.of_token(token, emsp, "04A2", card), "uid", id="another token"),
        pytest.param(
            lambda: paths.of_token(token, emsp, token.uid, TokenType.OTHER), "type", id="another type of token"
        ),
        pytest.param(lambda: paths.of_client_info(info, OTHER), "party_id", id="client info of another"),
    ]


@pytest.mark.parametrize(("check", "field"), named_otherwise())
def test_an_object_that_is_not_what_its_url_names_is_refused(check: Any, field: str) -> None:
    with pytest.raises(Refused) as error:
        check()
    assert error.value.reason.field == field
    assert TOKEN["uid"] not in repr(error.value.issues)


def test_an_object_is_what_its_url_names_in_letters_of_any_size() -> None:
    location, _ = locations.to_canonical(LOCATION)
    evse = location.evses[0]
    token, _ = tokens.to_canonical(TOKEN)
    session, _ = sessions.to_canonical(SESSION)
    tariff, _ = tariffs.to_canonical(TARIFF)
    paths.of_location(location, PartyId("fr-" + location.party.code.lower()), location.id.lower())
    paths.of_evse(evse, evse.uid.lower())
    paths.of_connector(evse.connectors[0], evse.connectors[0].id)
    paths.of_session(session, PARTY, session.id.lower())
    paths.of_tariff(tariff, tariff.party, tariff.id.lower())
    paths.of_token(token, PartyId("FR*EMO"), token.uid.lower(), TokenType.RFID)
    paths.of_client_info(hub_client_info.to_canonical(CLIENT)[0], PARTY)


def test_a_party_behind_a_hub_comes_back_as_it_was() -> None:
    info, issues = hub_client_info.to_canonical(json.dumps(CLIENT))
    assert issues == []
    assert info == ClientInfo(party=PARTY, role=Role.CPO, status=ClientStatus.OFFLINE, last_updated=NOON)
    assert hub_client_info.from_canonical(info) == (CLIENT, [])


def test_a_party_without_a_stamp_takes_the_time_of_arrival_or_is_refused() -> None:
    wire = {field: value for field, value in CLIENT.items() if field != "last_updated"}
    info, issues = hub_client_info.to_canonical(wire, NOON)
    assert info.last_updated == NOON
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.MENDED, "last_updated")]
    with pytest.raises(Refused):
        hub_client_info.to_canonical(wire)


@pytest.mark.parametrize(
    ("field", "value"),
    [("status", "ASLEEP"), ("status", None), ("role", "BROKER"), ("party_id", "?"), ("last_updated", "yesterday")],
)
def test_who_can_be_reached_is_never_guessed(field: str, value: Any) -> None:
    with pytest.raises(Refused) as error:
        hub_client_info.to_canonical({**CLIENT, field: value}, NOON)
    assert error.value.reason.field == field


def test_what_a_hub_says_beyond_ocpi_of_a_party_is_noted() -> None:
    info, issues = hub_client_info.to_canonical({**CLIENT, "status": "connected", "name": "ABC"})
    assert info.status is ClientStatus.CONNECTED
    assert [(issue.kind, issue.field) for issue in issues] == [
        (IssueKind.LEFT_OUT, "name"),
        (IssueKind.MENDED, "status"),
    ]
    with pytest.raises(Refused):
        hub_client_info.from_canonical(info.model_copy(update={"party": PartyId("+49*810")}))
