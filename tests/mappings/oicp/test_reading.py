"""What becomes of single fields on the way in, and of many records put together."""

from decimal import Decimal

import pytest

from mappings.canonical.ids import PartyId
from mappings.canonical.locations import ConnectorStandard, EvseStatus, GeoPoint, RegularHours
from mappings.oicp.v2_3 import evse_data, forms, wire
from mappings.report import IssueKind, Refused
from tests.mappings.oicp.examples import AT, record


def read(operator_id=None, **changes):
    place, issues = evse_data.to_canonical(record(**changes), AT, operator_id)
    return place, {(issue.kind, issue.field) for issue in issues}


@pytest.mark.parametrize(
    "point",
    [
        {"Google": {"Coordinates": "52.5 6.25"}},
        {"Google": {"Coordinatea": "52.5, 6.25"}},
        {"Google": "52.5 6.25"},
        {"DecimalDegree": {"Longitude": "6.25", "Latitude": "52.5"}},
        {"decimalDegree": {"longitude": 6.25, "latitude": 52.5}},
        {"DegreeMinuteSeconds": {"Longitude": "6°15'0.0''", "Latitude": "52°30'00.00''"}},
        {"Google": None, "DecimalDegree": {"Longitude": "6.25", "Latitude": "52.5"}},
    ],
)
def test_a_point_is_read_in_every_form(point: object) -> None:
    place, issues = read(GeoCoordinates=point)
    assert place.coordinates == GeoPoint(latitude=Decimal("52.5"), longitude=Decimal("6.25"))
    assert not issues


@pytest.mark.parametrize(
    "point",
    [None, {}, "None None", {"Google": "NA NA"}, {"Google": "91.0 6.0"}, {"Google": "here"}, 5, {"Google": "1E9 NaN"}],
)
def test_a_record_without_a_point_is_refused_by_that_field(point: object) -> None:
    with pytest.raises(Refused) as refusal:
        read(GeoCoordinates=point)
    assert refusal.value.reason.field == "GeoCoordinates"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"EvseID": None}, "EvseID"),
        ({"EvseID": 5}, "EvseID"),
        ({"EvseID": "NL*ABC*E" + "1" * 60}, "EvseID"),
        ({"EvseID": "Säule"}, "EvseID"),
        ({"EvseID": "no operator"}, "EvseID"),
        ({"Address": None}, "Address.Country"),
        ({"Address": {"Country": "NL"}}, "Address.Country"),
    ],
)
def test_a_record_without_what_a_location_needs_is_refused_by_field(changes: dict, field: str) -> None:
    with pytest.raises(Refused) as refusal:
        read(**changes)
    assert refusal.value.reason.field == field


def test_a_malformed_evse_id_takes_its_operator_from_above() -> None:
    place, issues = read("CH*ABC", EvseID="strange 1")
    assert place.party == PartyId("CH*ABC")
    assert (IssueKind.SUSPECT, "EvseID") in issues
    assert place.evses[0].uid == "strange 1"


def test_a_deleted_record_is_read_as_removed() -> None:
    assert read(deltaType="delete")[0].evses[0].status is EvseStatus.REMOVED
    assert read(deltaType="update")[0].evses[0].status is EvseStatus.UNKNOWN


@pytest.mark.parametrize("name", ["ChargingStationId", "ChargingStationID", "chargingstationid"])
def test_the_station_id_is_read_in_both_spellings(name: str) -> None:
    place, _ = read(**{name: "S1"})
    assert place.evses[0].station_id == place.id == "S1"


def test_what_oicp_does_not_have_is_kept_beside_the_evse() -> None:
    place, issues = read(Colour="green", Nothing=None, Accessibility="Unspecified", EvseSize={"cm": 5})
    assert place.evses[0].unknown == {"Colour": "green", "Accessibility": "Unspecified", "EvseSize": {"cm": 5}}
    assert (IssueKind.UNKNOWN, "Accessibility") in issues


@pytest.mark.parametrize(
    ("country", "point", "offset", "zone"),
    [
        ("ESP", "28.1 -15.4", None, "Atlantic/Canary"),
        ("FRA", "-20.9 55.5", "UTC+01:00", "Indian/Reunion"),
        ("NLD", "52.5 6.25", "UTC+05:00", "Europe/Amsterdam"),
        ("PRT", "0.5 0.5", "UTC-01:00", "Atlantic/Azores"),
        ("JPN", "35.6 139.7", "UTC+09:00", "Etc/GMT-9"),
        ("CHL", "-33.4 -70.6", "UTC-04:00", "Etc/GMT+4"),
        ("IND", "28.6 77.2", "UTC+05:30", "Etc/UTC"),
        ("NLD", "10.5 10.5", None, "Europe/Amsterdam"),
    ],
)
def test_the_zone_follows_from_country_and_point_then_from_the_offset(
    country: str, point: str, offset: str | None, zone: str
) -> None:
    address = {"Country": country, "City": "C", "Street": "S", "PostalCode": "1", "HouseNum": "1", "TimeZone": offset}
    assert read(Address=address, GeoCoordinates={"Google": point})[0].time_zone == zone


@pytest.mark.parametrize(
    ("plugs", "facilities", "powers"),
    [
        (["Type 2 Outlet", "Type F Schuko"], [("AC_3_PHASE", 22), ("AC_1_PHASE", 3)], [22000, 3000]),
        (["CHAdeMO", "Type 2 Outlet"], [("AC_3_PHASE", 22), ("DC", 50)], [50000, 22000]),
        (["CHAdeMO", "CCS Combo 2 Plug (Cable Attached)"], [("DC", 50)], [50000, 50000]),
        (["Type 2 Outlet"], [("AC_1_PHASE", 7), ("AC_3_PHASE", 22)], [22000]),
        (["Type 2 Outlet"], [], [None]),
        (["Type 2 Outlet"], [("DC", 50)], [None]),
        (["Type 2 Connector (Cable Attached)"], [("DC", 150)], [150000]),
    ],
)
def test_plugs_take_the_facility_at_their_place_or_the_strongest_of_their_kind(
    plugs: list[str], facilities: list[tuple[str, int]], powers: list[int | None]
) -> None:
    listed = [{"PowerType": kind, "Power": power} for kind, power in facilities]
    place, _ = read(Plugs=plugs, ChargingFacilities=listed)
    assert [connector.max_power for connector in place.evses[0].connectors] == powers


@pytest.mark.parametrize(
    ("facility", "standard"),
    [
        ({"PowerType": "AC_3_PHASE", "Amperage": 16, "Power": 22}, ConnectorStandard.IEC_60309_2_THREE_16),
        ({"PowerType": "AC_3_PHASE", "Amperage": 32, "Power": 11}, ConnectorStandard.IEC_60309_2_THREE_32),
        ({"PowerType": "AC_3_PHASE", "Power": 22}, ConnectorStandard.IEC_60309_2_THREE_32),
        ({"PowerType": "AC_3_PHASE", "Power": 44}, ConnectorStandard.IEC_60309_2_THREE_64),
        ({"PowerType": "AC_3_PHASE"}, ConnectorStandard.IEC_60309_2_THREE_16),
    ],
)
def test_the_rating_of_a_three_phase_coupler_follows_from_current_or_power(
    facility: dict, standard: ConnectorStandard
) -> None:
    place, _ = read(Plugs=["IEC 60309 Three Phase"], ChargingFacilities=[facility])
    assert place.evses[0].connectors[0].standard is standard


@pytest.mark.parametrize("power", ["1E999999", "x", True, {}, -5, "NaN", []])
def test_a_power_that_is_none_is_unknown_and_leaves_the_connector(power: object) -> None:
    place, issues = read(ChargingFacilities=[{"PowerType": "AC_3_PHASE", "Power": power, "Voltage": 1e30}])
    assert place.evses[0].connectors[0].max_power is None
    assert (IssueKind.UNKNOWN, "ChargingFacilities[0].Power") in issues


@pytest.mark.parametrize(
    ("period", "hours"),
    [
        ({"begin": "08:00", "end": "18:00"}, [(1, "08:00", "18:00")]),
        ([{"begin": "8:00", "end": "18:00:00"}], [(1, "08:00", "18:00")]),
        ([{"begin": "22:00", "end": "06:00"}], [(1, "22:00", "24:00"), (2, "00:00", "06:00")]),
        ([{"begin": "22:00", "end": "00:00"}], [(1, "22:00", "24:00")]),
        ([{"begin": "25:00", "end": "26:00"}, {"begin": "09:00", "end": "10:00"}], [(1, "09:00", "10:00")]),
        (None, []),
    ],
)
def test_a_period_is_read_alone_or_in_a_list_and_past_midnight(period: object, hours: list) -> None:
    place, _ = read(IsOpen24Hours=False, OpeningTimes=[{"Period": period, "on": "monday"}])
    expected = tuple(RegularHours(weekday=day, begin=begin, end=end) for day, begin, end in hours)
    assert place.opening_times is not None
    assert place.opening_times.regular == expected


def test_words_for_several_days_are_read_as_each_of_them() -> None:
    period = [{"begin": "08:00", "end": "18:00"}]
    place, _ = read(IsOpen24Hours=None, OpeningTimes=[{"Period": period, "on": d} for d in ("Workdays", "Monday")])
    assert [hours.weekday for hours in place.opening_times.regular] == [1, 2, 3, 4, 5]
    assert read(IsOpen24Hours=None)[0].opening_times is None


def test_a_record_of_nothing_but_junk_is_read_or_refused() -> None:
    for name in (str(field.alias) for field in wire.EvseDataRecord.model_fields.values()):
        for junk in ([], {}, [{}], [[]], "", "junk", 5, -1.5, True, [None], {"a": {"b": []}}):
            refused_for = name
            try:
                evse_data.to_canonical(record(**{name: junk}), AT)
            except Refused as refusal:
                refused_for = refusal.reason.field.partition(".")[0]
            assert refused_for == name


def test_evses_of_one_pool_or_station_and_address_are_one_location() -> None:
    def one(evse_id: str, **changes: object):
        return read(EvseID=evse_id, **changes)[0]

    near = {"GeoCoordinates": {"Google": "52.5 6.25"}}
    places, issues = evse_data.group(
        [
            one("NL*ABC*E1", ChargingPoolID="NL*ABC*P1"),
            one("NL*ABC*E2", ChargingPoolID="nlabcp1", **near),
            one("NL*ABC*E3", ChargingStationId="7"),
            one("NL*ABC*E4", ChargingStationId="7"),
            one("NL*ABC*E5", ChargingStationId="7", **near),
            one("NL*ABC*E6"),
            one("NLABCE4", ChargingStationId="7"),
        ]
    )
    assert [[evse.uid for evse in place.evses] for place in places] == [
        ["NL*ABC*E1", "NL*ABC*E2"],
        ["NL*ABC*E3", "NL*ABC*E4"],
        ["NL*ABC*E5"],
        ["NL*ABC*E6"],
    ]
    assert [place.id for place in places] == ["NL*ABC*P1", "7", "NL*ABC*E5", "NL*ABC*E6"]
    assert places[0].evses[1].coordinates == GeoPoint(latitude=Decimal("52.5"), longitude=Decimal("6.25"))
    assert [issue.kind for issue in issues] == [IssueKind.LEFT_OUT]


def test_the_operators_of_a_dump_a_push_and_a_page_are_found() -> None:
    one = {"EvseID": "NL*ABC*E1"}
    for dump in (
        {"EVSEData": [{"OperatorID": "NL*ABC", "OperatorName": "N", "EVSEDataRecord": [one]}]},
        {
            "ActionType": "insert",
            "OperatorEvseData": {"OperatorID": "NL*ABC", "OperatorName": "N", "EvseDataRecord": [one]},
        },
        {"EvseData": {"OperatorEvseData": [{"OperatorID": "NL*ABC", "OperatorName": "N", "EvseDataRecord": [one]}]}},
        {"content": [{**one, "OperatorID": "NL*ABC", "OperatorName": "N"}], "number": 0},
    ):
        ((operator_id, name, records),) = forms.operators(dump, "Data")
        assert (operator_id, name) == ("NL*ABC", "N")
        assert records[0]["EvseID"] == "NL*ABC*E1"
    assert list(forms.operators({"EvseStatuses": [{"EvseStatusRecord": [one]}]}, "Status")) == [(None, None, [one])]
    assert not list(forms.operators("nothing", "Data"))
