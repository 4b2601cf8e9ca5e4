"""The tables of words: total, and every lossy row listed here by name."""

import pytest

from mappings.canonical.locations import AuthenticationMode, Capability, ConnectorStandard, EvseStatus
from mappings.oicp.v2_3 import enums, services, vocabulary
from mappings.oicp.v2_3.reading import STATUS_OF_DELTA
from mappings.oicp.v2_3.tables import ENUMS, FIELDS
from mappings.tables import EnumTable, NotRepresentable

# Each pair of a table's heading and a canonical value that does not come back as itself, or cannot be said.
LOSSY = {
    "EvseStatus": {"BLOCKED", "INOPERATIVE", "PLANNED", "REMOVED"},
    "PowerType": {"AC_2_PHASE", "AC_2_PHASE_SPLIT"},
    "AccessibilityLocation": {"ALONG_MOTORWAY", "ON_DRIVEWAY"},
    "EnergyType": {"GENERAL_FOSSIL", "GENERAL_GREEN"},
    "Identification": {"AD_HOC_USER", "OTHER"},
    "StatusCode of an answer to a command": {"CANCELED_RESERVATION", "FAILED", "REJECTED", "UNKNOWN_RESERVATION"},
    "ReferenceUnit": {"FLAT", "PARKING_TIME", "SESSION_TIME"},
}
LOSSY_SOCKETS = {
    "CHADEMO",
    "IEC_60309_2_three_16",
    "IEC_60309_2_three_32",
    "IEC_60309_2_three_64",
    "IEC_62196_T1",
    "IEC_62196_T1_COMBO",
    "IEC_62196_T2_COMBO",
    "IEC_62196_T3A",
    "TESLA_R",
    "TESLA_S",
    "AVCON",
}
LOSSY_CABLES = {
    "DOMESTIC_E",
    "DOMESTIC_F",
    "DOMESTIC_G",
    "DOMESTIC_J",
    "IEC_60309_2_single_16",
    "IEC_60309_2_three_16",
    "IEC_60309_2_three_32",
    "IEC_60309_2_three_64",
    "IEC_62196_T3A",
    "IEC_62196_T3C",
    "NEMA_5_20",
    "TESLA_R",
}
UNSAID_CONNECTORS = {
    *(f"DOMESTIC_{letter}" for letter in "ABCDHIKLMNO"),
    *(f"NEMA_{kind}" for kind in ("6_30", "6_50", "10_30", "10_50", "14_30", "14_50")),
    "CHAOJI",
    "GBT_AC",
    "GBT_DC",
    "PANTOGRAPH_BOTTOM_UP",
    "PANTOGRAPH_TOP_DOWN",
}


@pytest.mark.parametrize(("heading", "table"), ENUMS, ids=lambda value: value if isinstance(value, str) else "")
def test_the_lossy_and_the_unsaid_pairs_are_those_listed_here(heading: str, table: EnumTable) -> None:
    listed = LOSSY | {
        "Plug, of a socket": LOSSY_SOCKETS | UNSAID_CONNECTORS,
        "Plug, of an attached cable": LOSSY_CABLES | UNSAID_CONNECTORS,
    }
    assert {row.canonical for row in table.rows() if row.lost} == listed.get(heading, set())


@pytest.mark.parametrize(("heading", "table"), ENUMS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_exact_word_comes_back_as_itself(heading: str, table: EnumTable) -> None:
    for row in table.rows():
        if not row.lost:
            assert table.to_canonical(row.wire) == row.canonical


def test_inductive_paddles_have_no_canonical_standard() -> None:
    for plug in (vocabulary.Plug.SMALL_PADDLE_INDUCTIVE, vocabulary.Plug.LARGE_PADDLE_INDUCTIVE):
        with pytest.raises(NotRepresentable, match="inductive"):
            enums.SOCKETS.to_canonical(plug.value)


def test_every_plug_implies_a_format_that_agrees_with_the_table_of_that_format() -> None:
    for plug, form in enums.PLUG_FORMATS.items():
        rows = {row.wire for row in enums.PLUGS[form].rows()}
        assert plug.value in rows or "Paddle" in plug.value


def test_every_word_for_days_stands_for_weekdays() -> None:
    assert set(enums.WEEKDAYS) == set(vocabulary.Day)
    assert enums.WEEKDAYS[vocabulary.Day.WORKDAYS] + enums.WEEKDAYS[vocabulary.Day.WEEKEND] == (1, 2, 3, 4, 5, 6, 7)


def test_every_capability_and_every_authentication_mode_has_a_row() -> None:
    assert set(services.FOLLOWS) == set(Capability)
    assert set(services.CAPABILITIES) == set(AuthenticationMode)
    assert set(STATUS_OF_DELTA) == set(vocabulary.DeltaType)


def test_a_parked_car_is_said_as_occupied_and_a_removed_evse_is_not_said() -> None:
    assert enums.EVSE_STATUS.from_canonical(EvseStatus.BLOCKED) is vocabulary.EvseStatus.OCCUPIED
    assert "parked" in (enums.EVSE_STATUS.lost(EvseStatus.BLOCKED) or "")
    with pytest.raises(NotRepresentable):
        enums.EVSE_STATUS.from_canonical(EvseStatus.REMOVED)


def test_a_status_that_hubject_does_not_have_is_unknown_and_not_removed() -> None:
    assert enums.EVSE_STATUS.to_canonical("EvseNotFound") is EvseStatus.UNKNOWN


def test_the_field_tables_cover_their_models_and_name_what_is_lost() -> None:
    lost = {field for table in FIELDS for field in table.lossy_fields()}
    assert {"Location.owner", "Connector.tariff_ids", "EvseStatusReport.at"} <= lost
    assert not {"Location.country", "Evse.evse_id", "Evse.accessibility"} & lost


def test_connector_standards_are_all_in_both_tables_of_plugs() -> None:
    for table in (enums.SOCKETS, enums.CABLES):
        assert {row.canonical for row in table.rows()} == {standard.value for standard in ConnectorStandard}
