"""Times, status codes, acknowledgements and messages."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import EvseStatus, EvseStatusReport
from mappings.canonical.regions import REGIONS, region_of
from mappings.oicp import times
from mappings.oicp.status_codes import CODES, CodeClass
from mappings.oicp.v2_3 import evse_data, evse_status, messages, wire
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.report import IssueKind, Refused
from tests.mappings.oicp.examples import AT, DEFAULTS, OPERATOR, location
from tests.oicp_schema import validate
from tests.shared import shared_path


def test_a_stamp_is_written_in_the_charge_points_offset_of_that_day_in_whole_seconds() -> None:
    winter = datetime(2026, 1, 15, 12, 0, 0, 999999, tzinfo=UTC)
    assert times.write(winter, "Europe/Amsterdam") == "2026-01-15T13:00:00+01:00"
    assert times.write(AT, "Europe/Amsterdam") == "2026-06-07T20:40:07+02:00"
    assert times.write(AT, "America/St_Johns") == "2026-06-07T16:10:07-02:30"
    with pytest.raises(ValueError, match="time zone"):
        times.write(AT, "Europe/Nowhere")


@pytest.mark.parametrize(
    "text", ["2026-06-07T18:40:07Z", "2026-06-07T20:40:07+02:00", "2026-06-07T18:40:07.000Z", " 2026-06-07 18:40:07Z "]
)
def test_a_stamp_is_read_with_any_offset(text: str) -> None:
    assert times.read(text) == AT


def test_a_stamp_without_a_designator_is_read_only_where_its_zone_is_known() -> None:
    with pytest.raises(ValueError, match="designator"):
        times.read("2026-06-07T18:40:07")
    assert times.read("2026-06-07T20:40:07", timezone(timedelta(hours=2))) == AT
    with pytest.raises(ValueError, match="range"):
        times.read("0001-01-01T00:00:00+14:00")


@pytest.mark.parametrize(
    ("zone", "offset"),
    [
        ("Europe/Amsterdam", "UTC+01:00"),
        ("Europe/Dublin", "UTC+00:00"),
        ("America/St_Johns", "UTC-03:30"),
        ("Australia/Sydney", "UTC+10:00"),
        ("Asia/Kathmandu", "UTC+05:45"),
        ("Africa/Casablanca", "UTC+01:00"),
        ("UTC", "UTC+00:00"),
        ("Mars/Olympus", None),
        ("../etc/passwd", None),
        ("", None),
    ],
)
def test_an_addresses_zone_is_the_standard_offset_in_summer_and_winter(zone: str, offset: str | None) -> None:
    assert times.standard_offset(zone) == offset


def test_every_region_names_a_known_zone_and_the_box_is_no_point() -> None:
    for country, regions in REGIONS.items():
        assert len(country) == 3
        for region in regions:
            assert times.standard_offset(region.zone) is not None
            assert region.south < region.north
            assert region.west < region.east
    found = region_of("FRA", -20.9, 55.5)
    assert found is not None
    assert found.zone == "Indian/Reunion"


def test_the_status_codes_are_those_of_the_openapi() -> None:
    text = shared_path("protocols/oicp-2.3/openapi-cpo.json").read_text()
    assert set(re.findall(r"\\n\| ?(\d{3}) ?\|", text)) == set(CODES)


def test_codes_that_decide_what_a_push_does_next_have_their_class() -> None:
    assert CODES["000"].kind is CodeClass.SUCCESS
    assert {c for c, row in CODES.items() if row.kind is CodeClass.SYSTEM} == {"001", "002", "009", "021"}
    assert {c for c, row in CODES.items() if row.kind is CodeClass.DATA} == {"018", "019", "022"}
    assert CODES["017"].kind is CodeClass.ACCESS
    assert CODES["210"].kind is CodeClass.CONTRACT


def test_an_acknowledgement_is_read_with_its_code_and_texts() -> None:
    body = {
        "Result": True,
        "StatusCode": {"Code": "000", "Description": "Success", "AdditionalInfo": None},
        "SessionID": None,
    }
    read = messages.read_acknowledgement(body)
    assert read == messages.Acknowledgement(True, "000", "Success")
    assert read is not None
    assert read.meaning is CODES["000"]
    wire.Acknowledgement.model_validate(body)


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"StatusCode": {"Code": "018", "Description": "Inconsistent EvseID"}}, "018", "Inconsistent EvseID"),
        ({"result": False, "statusCode": {"code": 22}}, "022", ""),
        ({"Code": "400", "Description": "Session is invalid"}, "400", "Session is invalid"),
        (
            {"message": "Error parsing", "validationErrors": [{"fieldReference": "a[0].b", "errorMessage": "wrong"}]},
            None,
            "Error parsing; a[0].b: wrong",
        ),
        ({"Result": False, "StatusCode": {"Code": "no such", "Description": "?"}}, None, "?"),
        ({"Result": False, "StatusCode": {"Code": "999"}}, "999", ""),
    ],
)
def test_answers_unlike_the_openapi_are_read_for_what_they_say(body: object, code: str | None, text: str) -> None:
    read = messages.read_acknowledgement(body)
    assert read is not None
    assert (read.code, read.text) == (code, text)
    assert read.meaning is (CODES.get(code) if code else None)


@pytest.mark.parametrize("body", [None, [], "OK", {}, {"error": "gateway"}, 5, {"Result": "yes"}])
def test_a_body_that_is_no_answer_of_the_hub_says_nothing(body: object) -> None:
    assert messages.read_acknowledgement(body) is None


def test_pushes_validate_against_the_openapi_under_the_connections_operator() -> None:
    place = location()
    data, _ = evse_data.from_canonical(place, place.evses[0], DEFAULTS, OPERATOR)
    push = messages.push_evse_data(ActionType.FULL_LOAD, PartyId("nl-abc"), "x" * 120, [data])
    validate("eRoamingPushEvseData", push)
    wire.PushEvseData.model_validate(push)
    assert push["OperatorEvseData"]["OperatorID"] == "NL*ABC"
    statuses = [evse_status.record(EvseId("nlabce1"), EvseStatus.CHARGING)]
    status = messages.push_evse_status(ActionType.UPDATE, PartyId("+49*810"), "Name", statuses)
    validate("eRoamingPushEvseStatus", status)
    wire.PushEvseStatus.model_validate(status)
    assert status["OperatorEvseStatus"]["EvseStatusRecord"] == [{"EvseID": "NL*ABC*E1", "EvseStatus": "Occupied"}]


def test_a_status_report_is_written_with_what_it_loses() -> None:
    record, issues = evse_status.from_canonical(
        EvseStatusReport(status=EvseStatus.BLOCKED, evse_id=EvseId("+49*810*000*438"), at=AT)
    )
    assert record == {"EvseID": "+49*810*000*438", "EvseStatus": "Occupied"}
    assert [issue.kind for issue in issues] == [IssueKind.NARROWED]
    assert evse_status.to_canonical(record)[0].status is EvseStatus.CHARGING


@pytest.mark.parametrize(
    ("report", "field"),
    [
        (EvseStatusReport(status=EvseStatus.REMOVED, evse_id=EvseId("NLABCE1")), "status"),
        (EvseStatusReport(status=EvseStatus.AVAILABLE, evse_id=EvseId("NL.SPI.ECO1*1")), "evse_id"),
        (EvseStatusReport(status=EvseStatus.AVAILABLE), "evse_id"),
    ],
)
def test_a_status_that_cannot_be_said_is_refused_with_its_field(report: EvseStatusReport, field: str) -> None:
    with pytest.raises(Refused) as refusal:
        evse_status.from_canonical(report)
    assert refusal.value.reason.field == field


def test_a_status_record_is_read_in_any_spelling_and_an_unknown_word_is_unknown() -> None:
    read, issues = evse_status.to_canonical({"evseid": "CH*ABC*E1", "EVSEStatus": "occupied"})
    assert read.status is EvseStatus.CHARGING
    assert [issue.kind for issue in issues] == [IssueKind.MENDED]
    read, issues = evse_status.to_canonical({"EvseID": "CH*ABC*E1", "EvseStatus": "Sleeping"})
    assert read.status is EvseStatus.UNKNOWN
    assert [issue.kind for issue in issues] == [IssueKind.UNKNOWN]
    for broken, field in (({"EvseStatus": "Available"}, "EvseID"), ({"EvseID": "CH*ABC*E1"}, "EvseStatus")):
        with pytest.raises(Refused) as refusal:
            evse_status.to_canonical(broken)
        assert refusal.value.reason.field == field
