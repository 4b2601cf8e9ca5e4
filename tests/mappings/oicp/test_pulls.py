"""Pulls of EVSE data and statuses: what is asked, and pages of which no record spoils another."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import (
    Accessibility,
    AuthenticationMode,
    CalibrationLaw,
    EvseStatus,
    EvseStatusReport,
    GeoPoint,
)
from mappings.oicp.v2_3 import evse_data, pulls
from mappings.oicp.v2_3.pages import Answer
from mappings.oicp.v2_3.wire import PullEvseDataRecord
from mappings.report import IssueKind, Refused
from tests import strategies
from tests.mappings.oicp.charges import PROVIDER
from tests.mappings.oicp.examples import AT, DEFAULTS, OPERATOR, evse, location, record
from tests.oicp_schema import faults_of_charge, validate

SINCE = datetime(2026, 6, 7, 20, 40, 7, 900_000, tzinfo=timezone(timedelta(hours=2)))
HERE = (GeoPoint(latitude=Decimal("52.999552"), longitude=Decimal("6.756642")), 5)


def pulled(**changes: object) -> dict[str, object]:
    whole = record(OperatorID="NL*ABC", OperatorName="ABC", lastUpdate="2026-06-07T18:00:00Z")
    return whole | changes


def page(*records: object, **changes: object) -> dict[str, object]:
    facts: dict[str, object] = {
        "content": [*records],
        "number": 0,
        "size": 2000,
        "totalElements": len(records),
        "last": True,
        "totalPages": 1,
        "first": True,
        "numberOfElements": len(records),
        "StatusCode": {"Code": "000", "Description": "Success"},
    }
    return facts | changes


def read(*records: object, **changes: object) -> Answer[Any]:
    answer = pulls.read_evse_data(page(*records, **changes), AT)
    assert answer is not None
    return answer


# Asking


def test_everything_is_asked_for_by_the_provider_alone() -> None:
    body = pulls.evse_data(PROVIDER)
    assert body == {"ProviderID": "NL-EMS", "GeoCoordinatesResponseFormat": "DecimalDegree"}
    assert faults_of_charge("eRoamingPullEVSEData", body, "emp") == []


def test_a_delta_names_the_time_of_the_last_call_in_whole_seconds_of_utc() -> None:
    body = pulls.evse_data(PROVIDER, SINCE, pulls.Only(hubject_compatible=True))
    assert body["LastCall"] == "2026-06-07T18:40:07Z"
    assert body["IsHubjectCompatible"] is True
    assert faults_of_charge("eRoamingPullEVSEData", body, "emp") == []


@pytest.mark.parametrize(
    "only",
    [pulls.Only(countries=("DEU",)), pulls.Only(operators=(OPERATOR,)), pulls.Only(around=HERE)],
    ids=["countries", "operators", "around"],
)
def test_a_delta_of_a_selection_is_refused_since_what_leaves_it_would_not_be_told(only: pulls.Only) -> None:
    assert faults_of_charge("eRoamingPullEVSEData", pulls.evse_data(PROVIDER, only=only), "emp") == []
    with pytest.raises(Refused, match="last call"):
        pulls.evse_data(PROVIDER, SINCE, only)


def test_every_restriction_is_said_in_the_words_of_oicp() -> None:
    body = pulls.evse_data(
        PROVIDER,
        only=pulls.Only(
            countries=("DEU", "NLD"),
            operators=(OPERATOR, PartyId("+49*810")),
            around=HERE,
            authentication_modes=tuple(AuthenticationMode),
            accessibility=tuple(Accessibility),
            calibration_law=tuple(CalibrationLaw),
            renewable_energy=True,
            hubject_compatible=False,
            open_24_hours=True,
        ),
    )
    assert faults_of_charge("eRoamingPullEVSEData", body, "emp") == []
    assert body["OperatorIds"] == ["NL*ABC", "+49*810"]
    assert body["IsHubjectCompatible"] is False


def test_a_din_operator_is_no_emp_and_cannot_ask() -> None:
    with pytest.raises(Refused, match="ProviderID"):
        pulls.evse_data(PartyId("+49*810"))


def test_statuses_are_asked_for_in_three_ways() -> None:
    whole = pulls.statuses(PROVIDER, EvseStatus.AVAILABLE, HERE)
    validate("eRoamingPullEVSEStatus", whole, role="emp", closed=True)
    assert pulls.statuses(PROVIDER) == {"ProviderID": "NL-EMS"}
    by_id = pulls.statuses_by_id(PROVIDER, [EvseId("nlabce12"), EvseId("nlABCE1*2")])
    validate("eRoamingPullEVSEStatusByID", by_id, role="emp", closed=True)
    assert by_id["EvseID"] == ["NL*ABC*E12", "nlABCE1*2"]
    by_operator = pulls.statuses_by_operator(PROVIDER, [OPERATOR])
    validate("eRoamingPullEVSEStatusByOperatorID", by_operator, role="emp", closed=True)


@pytest.mark.parametrize("count", [0, 101, 1000])
def test_more_than_a_hundred_statuses_by_id_are_refused_and_so_are_none(count: int) -> None:
    with pytest.raises(Refused, match="1 to 100"):
        pulls.statuses_by_id(PROVIDER, [EvseId(f"NL*ABC*E{n}") for n in range(count)])


def test_a_hundred_statuses_by_id_are_asked_for() -> None:
    body = pulls.statuses_by_id(PROVIDER, [EvseId(f"NL*ABC*E{n}") for n in range(100)])
    validate("eRoamingPullEVSEStatusByID", body, role="emp", closed=True)


def test_nobodys_statuses_are_refused() -> None:
    with pytest.raises(Refused):
        pulls.statuses_by_operator(PROVIDER, [])


@pytest.mark.parametrize("status", [EvseStatus.REMOVED, EvseStatus.BLOCKED, EvseStatus.INOPERATIVE, EvseStatus.PLANNED])
def test_a_status_that_oicp_cannot_tell_from_others_is_not_asked_for(status: EvseStatus) -> None:
    with pytest.raises(Refused, match="status"):
        pulls.statuses(PROVIDER, status)


# Pages of EVSE data


def test_a_record_is_a_location_of_one_evse_under_the_normal_form_of_its_id() -> None:
    whole = pulled(EvseID="nl*abc*E1*2", ChargingPoolID="NL*ABC*P1", ChargingStationId="S7")
    validate("eRoamingEVSEData", page(whole), role="emp", closed=True)
    PullEvseDataRecord.model_validate(whole)
    (entry,) = read(whole).entries
    place, issues = entry.read()
    assert entry.key == ("NL*ABC", "NLABCE12") == (place.party.normal, place.id)
    assert entry.raw == whole
    assert not entry.gone
    assert not issues
    (one,) = place.evses
    assert (one.uid, one.evse_id, one.station_id) == ("NLABCE12", EvseId("NL*ABC*E12"), "S7")
    assert one.evse_id.text == "nl*abc*E1*2"
    assert (place.pool_id, place.operator.name) == ("NL*ABC*P1", "ABC")
    assert "OperatorID" not in one.unknown


def test_an_evse_has_the_same_key_in_every_spelling() -> None:
    spellings = ("NL*ABC*E1*2", "nlabce12", " NL*ABC*E12 ", "NLABC*E1*2")
    assert {entry.key for entry in read(*(pulled(EvseID=text) for text in spellings)).entries} == {
        ("NL*ABC", "NLABCE12")
    }


def test_what_a_delta_says_is_gone_is_gone() -> None:
    answer = read(*(pulled(deltaType=word) for word in ("insert", "update", "delete", "DELETE", None)))
    assert [entry.gone for entry in answer.entries] == [False, False, True, True, False]
    assert answer.entries[2].read()[0].evses[0].status is EvseStatus.REMOVED


def test_a_delete_needs_nothing_but_its_id() -> None:
    (entry,) = read({"EvseID": "NL*ABC*E1", "deltaType": "delete"}).entries
    assert (entry.key, entry.gone) == (("NL*ABC", "NLABCE1"), True)
    with pytest.raises(Refused):
        entry.read()


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (None, "content[1]"),
        ("NL*ABC*E1", "content[1]"),
        ({}, "content[1].EvseID"),
        (pulled(EvseID=None), "content[1].EvseID"),
        (pulled(EvseID=17), "content[1].EvseID"),
        (pulled(EvseID="   "), "content[1].EvseID"),
        (pulled(EvseID="no id", OperatorID=None), "content[1].EvseID"),
        (pulled(EvseID="+49*810*" + "1" * 32), "content[1].EvseID"),
        (pulled(deltaType="moved"), "content[1].deltaType"),
    ],
)
def test_a_record_without_a_key_is_named_and_spoils_no_other(bad: object, field: str) -> None:
    answer = read(pulled(), bad, pulled(EvseID="NL*ABC*E2"))
    assert [entry.key[1] for entry in answer.entries] == ["NLABCE1", "NLABCE2"]
    assert [refusal.reason.field for refusal in answer.unreadable] == [field]
    assert answer.page.records == 3


def test_a_record_that_cannot_be_read_spoils_no_other() -> None:
    answer = read(pulled(GeoCoordinates=None), pulled(EvseID="NL*ABC*E2"))
    with pytest.raises(Refused) as refusal:
        answer.entries[0].read()
    assert refusal.value.reason.field == "GeoCoordinates"
    assert answer.entries[1].read()[0].id == "NLABCE2"


def test_the_operator_of_a_malformed_id_is_the_one_that_stands_beside_it() -> None:
    (entry,) = read(pulled(EvseID="station 7")).entries
    place, issues = entry.read()
    assert entry.key == ("NL*ABC", "STATION 7") == (place.party.normal, place.id)
    assert IssueKind.SUSPECT in {issue.kind for issue in issues}


def test_an_evse_is_its_own_operators_also_where_a_hub_operator_uploads_it() -> None:
    (entry,) = read(pulled(EvseID="NL*SUB*E1")).entries
    assert entry.key == ("NL*SUB", "NLSUBE1")
    assert entry.read()[0].party == PartyId("NL*SUB")


def test_a_null_list_on_a_page_is_an_empty_one() -> None:
    answer = read(content=None)
    assert answer.entries == answer.unreadable == []
    assert not answer.page.more


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "page",
        {},
        {"StatusCode": {"Code": "000"}},
        {"content": None, "size": 20},
        {"content": {"EvseID": "NL*ABC*E1"}},
        page(StatusCode={"Code": "210", "Description": "No valid contract"}),
        page(pulled(), StatusCode={"Code": 1}),
        {"Result": False, "content": [], "StatusCode": {"Code": "000"}},
    ],
)
def test_a_failure_is_no_empty_network(body: Any) -> None:
    assert pulls.read_evse_data(body, AT) is None
    assert pulls.read_statuses(body) is None


def test_a_page_tells_what_it_claims() -> None:
    facts = read(pulled(), number=3, size=1, last=False, totalPages=9, totalElements=9).page
    assert facts == (1, 3, 1, False, 9, 9)
    odd = read(pulled(), number="3", size=-1, last="true", totalPages=True, totalElements=None).page
    assert odd == (1, None, None, None, None, None)


@pytest.mark.parametrize(
    ("more", "claims"),
    [
        (False, {}),
        (True, {"last": False}),
        (True, {"last": False, "totalPages": 1}),  # too few pages are claimed
        (True, {"last": True, "totalPages": 2}),  # one of the two is untrue
        (False, {"last": None}),
        (True, {"last": None, "size": 1}),
        (True, {"last": None, "totalPages": 7}),
        (False, {"last": None, "size": None, "totalPages": None}),
    ],
)
def test_another_page_is_asked_for_unless_this_is_the_last_for_certain(more: bool, claims: dict[str, object]) -> None:
    assert read(pulled(), **claims).page.more is more


def test_an_empty_page_ends_a_pull_whatever_it_claims() -> None:
    assert not read(last=False, totalPages=99, totalElements=99_999).page.more


# Statuses


def test_statuses_are_read_in_both_shapes() -> None:
    records = [
        {"EvseID": "NL*ABC*E1", "EvseStatus": "Available"},
        {"EvseID": "+49*810*000*438", "EvseStatus": "Unknown"},
    ]
    of_operators = {"EvseStatuses": {"OperatorEvseStatus": [{"OperatorID": "NL*ABC", "EvseStatusRecord": records}]}}
    by_id = {"EVSEStatusRecords": {"EvseStatusRecord": records}, "StatusCode": {"Code": "000"}}
    validate("eRoamingEVSEStatus", of_operators, role="emp", closed=True)
    validate("eRoamingEVSEStatusByID", by_id, role="emp", closed=True)
    for body in (of_operators, by_id):
        answer = pulls.read_statuses(body)
        assert answer is not None
        assert [entry.key for entry in answer.entries] == [("NL*ABC", "NLABCE1"), ("+49*810", "+49*810*000438")]
        assert [entry.read() for entry in answer.entries] == [
            (EvseStatusReport(status=EvseStatus.AVAILABLE, evse_id=EvseId("NL*ABC*E1")), []),
            (EvseStatusReport(status=EvseStatus.UNKNOWN, evse_id=EvseId("+49*810*000*438")), []),
        ]


def test_an_evse_that_hubject_does_not_have_is_not_said_to_be_removed() -> None:
    answer = pulls.read_statuses(
        {"EVSEStatusRecords": {"EvseStatusRecord": [{"EvseID": "NL*ABC*E1", "EvseStatus": "EvseNotFound"}]}}
    )
    assert answer is not None
    assert answer.entries[0].read()[0].status is EvseStatus.UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        {"EvseStatuses": None},
        {"EVSEStatusRecords": None},
        {"EvseStatuses": {}},
        {"EvseStatuses": []},
        {"EvseStatuses": {"OperatorEvseStatus": None}},
        {"EvseStatuses": {"OperatorEvseStatus": [{"OperatorID": "NL*ABC", "EvseStatusRecord": None}, None]}},
    ],
)
def test_null_lists_of_statuses_are_empty_ones(body: dict[str, object]) -> None:
    answer = pulls.read_statuses(body)
    assert answer is not None
    assert answer.entries == answer.unreadable == []


def test_a_status_that_cannot_be_read_spoils_no_other_and_lists_may_lack_what_is_around_them() -> None:
    body = {
        "evseStatuses": [
            {
                "OperatorID": "NL*ABC",
                "EvseStatusRecord": [None, {"EvseID": "E7", "EvseStatus": "Available"}, {"EvseID": "NL*ABC*E1"}],
            },
            {"EvseStatusRecord": {"EvseID": "NL*ABC*E2", "EvseStatus": "Occupied"}},
        ]
    }
    answer = pulls.read_statuses(body)
    assert answer is not None
    assert [refusal.reason.field for refusal in answer.unreadable] == [
        "EvseStatuses.OperatorEvseStatus[0].EvseStatusRecord[0]"
    ]
    assert [entry.key for entry in answer.entries] == [("NL*ABC", "E7"), ("NL*ABC", "NLABCE1"), ("NL*ABC", "NLABCE2")]
    with pytest.raises(Refused):
        answer.entries[1].read()
    assert answer.entries[2].read()[0].status is EvseStatus.CHARGING


# Properties

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_names = [*record(), "OperatorID", "OperatorName", "deltaType", "lastUpdate"]


@given(st.lists(_json | st.dictionaries(st.sampled_from(_names), _json).map(lambda odd: pulled() | odd), max_size=4))
def test_whatever_a_page_holds_every_record_is_read_or_named(records: list[object]) -> None:
    answer = read(*records, pulled(EvseID="NL*ABC*E99"))
    assert len(answer.entries) + len(answer.unreadable) == len(records) + 1
    for entry in answer.entries:
        try:
            place, _ = entry.read()
        except Refused:
            continue
        assert entry.key == (place.party.normal, place.id) == (place.party.normal, place.evses[0].uid)
        assert len(place.id) <= 36
    assert answer.entries[-1].read()[0].id == "NLABCE99"


@given(strategies.evses())
def test_what_a_cpo_writes_an_emp_reads_under_the_evses_own_key(drawn: Any) -> None:
    one = drawn.model_copy(update={"evse_id": EvseId("NL*ABC*E1*2")})
    try:
        written, _ = evse_data.from_canonical(location(one), one, DEFAULTS, OPERATOR)
    except Refused:
        return
    (entry,) = read(written | {"OperatorID": "NL*ABC", "OperatorName": "ABC", "deltaType": "insert"}).entries
    place, _ = entry.read()
    assert (place.id, place.evses[0].uid, place.evses[0].evse_id) == ("NLABCE12", "NLABCE12", one.evse_id)
    assert place.last_updated == AT.astimezone(UTC)


def test_the_own_example_is_read_without_an_issue() -> None:
    written, _ = evse_data.from_canonical(location(), evse(), DEFAULTS, OPERATOR)
    (entry,) = read(pulled(**written)).entries
    assert entry.read()[1] == []
