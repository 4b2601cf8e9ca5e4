from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.locations import EvseStatus
from mappings.irve.dynamic import STATUS, to_canonical
from mappings.irve.wire import DYNAMIC_COLUMNS, DynamicRow, EtatPdc, OccupationPdc
from mappings.report import Refused
from tests.mappings.irve.rows import one

RIGHT = {
    "id_pdc_itinerance": "FRXYZE00011",
    "etat_pdc": "en_service",
    "occupation_pdc": "libre",
    "horodatage": "2026-08-19T12:00:11+02:00",
}


def translate(**changes: object):
    report, issues = to_canonical(DynamicRow.read({**RIGHT, **changes}))
    return report, [(str(issue.kind), issue.field) for issue in issues]


def test_a_right_record_becomes_a_report_by_public_id() -> None:
    report, issues = translate()
    assert report.status is EvseStatus.AVAILABLE
    assert report.at == datetime(2026, 8, 19, 10, 0, 11, tzinfo=UTC)
    assert str(report.evse_id) == "FRXYZE00011"
    assert issues == []


def test_every_pair_of_words_has_a_status() -> None:
    for etat in EtatPdc:
        for occupation in OccupationPdc:
            report, _ = translate(etat_pdc=etat.value, occupation_pdc=occupation.value)
            assert report.status is STATUS[etat, occupation]


def test_a_point_in_use_is_charging_and_one_out_of_service_is_out_of_order_whoever_stands_there() -> None:
    assert translate(occupation_pdc="occupe")[0].status is EvseStatus.CHARGING
    report, issues = translate(etat_pdc="hors_service", occupation_pdc="occupe")
    assert report.status is EvseStatus.OUTOFORDER
    assert issues == [("narrowed", "occupation_pdc")]


def test_a_free_point_that_is_not_known_to_work_is_unknown() -> None:
    assert translate(etat_pdc="inconnu")[0].status is EvseStatus.UNKNOWN


def test_words_of_another_spelling_are_mended() -> None:
    report, issues = translate(etat_pdc="En service", occupation_pdc="OCCUPÉ")
    assert report.status is EvseStatus.CHARGING
    assert issues == [("mended", "etat_pdc"), ("mended", "occupation_pdc")]


@pytest.mark.parametrize("word", [None, "", "peut-être"])
def test_words_of_no_meaning_are_unknown(word: str | None) -> None:
    report, issues = translate(occupation_pdc=word)
    assert report.status is EvseStatus.UNKNOWN
    assert issues == [("unknown", "occupation_pdc")]


def test_one_plug_out_of_order_is_lost_while_the_point_works() -> None:
    assert translate(etat_prise_type_2="hors_service")[1] == [("lost", "etat_prise_type_2")]
    assert translate(etat_prise_type_2="hors_service", etat_pdc="hors_service")[1] == []
    assert translate(etat_prise_type_ef="fonctionnel")[1] == []


def test_a_record_without_stamp_is_as_of_its_arrival() -> None:
    report, issues = translate(horodatage=None)
    assert report.at is None
    assert issues == [("defaulted", "horodatage")]


def test_a_stamp_without_offset_is_local_time_of_the_zone_given() -> None:
    row = DynamicRow.read({**RIGHT, "horodatage": "2026-08-19 12:00:00"})
    assert to_canonical(row).report.at == datetime(2026, 8, 19, 10, tzinfo=UTC)
    assert to_canonical(row, "America/Martinique").report.at == datetime(2026, 8, 19, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "value"),
    [("horodatage", "hier"), ("horodatage", "2026-08-19"), ("id_pdc_itinerance", None), ("id_pdc_itinerance", "é"),
     ("id_pdc_itinerance", "Non concerné")],
)  # fmt: skip
def test_a_record_without_a_point_or_with_an_unreadable_stamp_is_refused(column: str, value: str | None) -> None:
    with pytest.raises(Refused) as caught:
        translate(**{column: value})
    assert caught.value.reason.field == column


@pytest.mark.parametrize(
    ("static", "dynamic"),
    [
        ("FRXYZE00011", "FRXYZE00011"),
        ("FR*XYZ*E0001*1", "FRXYZE00011"),
        ("frxyze00011", "FR*XYZ*E0001*1"),
        ("FR-XYZ-E00011", "FRXYZE00011"),
        ("FRXYZ00011", "FRXYZ00011"),
        ("FR*XYZ*00011", "frxyz00011"),
    ],
)
def test_both_files_mean_the_same_point_whatever_the_spelling(static: str, dynamic: str) -> None:
    _, evse, _ = one(id_pdc_itinerance=static)
    report, _ = translate(id_pdc_itinerance=dynamic)
    assert evse.evse_id is not None
    assert report.evse_id is not None
    assert evse.evse_id.normal == report.evse_id.normal


@given(
    st.dictionaries(
        st.sampled_from(DYNAMIC_COLUMNS),
        st.one_of(st.none(), st.text(max_size=40), st.integers(), st.floats(), st.datetimes().map(str)),
    )
)
def test_no_record_does_more_than_be_refused(changes: dict[str, object]) -> None:
    try:
        translate(**changes)
    except Refused as error:
        assert error.reason.field in DYNAMIC_COLUMNS  # noqa: PT017 - the reason names the column
