import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.ids import PartyId
from mappings.canonical.locations import (
    Accessibility,
    Capability,
    ConnectorFormat,
    ConnectorStandard,
    EvseStatus,
    ParkingRestriction,
    ParkingType,
    PaymentOption,
    PowerType,
    ValueAddedService,
)
from mappings.irve.ids import station_key
from mappings.irve.static import Defaults, to_canonical
from mappings.irve.wire import STATIC_COLUMNS, StaticRow
from tests.mappings.irve.rows import READ_AT, RIGHT, one, raw, read, refusal, station

GOLDEN = Path(__file__).parent / "golden"


def test_a_station_of_three_points_becomes_the_location_written_down() -> None:
    rows = json.loads((GOLDEN / "station.wire.json").read_text())
    location, issues, refused = station(*(StaticRow.read(row) for row in rows))
    assert location is not None
    assert json.loads(location.model_dump_json()) == json.loads((GOLDEN / "station.canonical.json").read_text())
    assert [(issue.kind, issue.field) for issue in issues] == [
        ("defaulted", "rows[1].prise_type_2"),
        ("left_out", "rows[3].prise_type_autre"),
    ]
    assert refused == []


def test_a_right_row_gives_no_issue() -> None:
    _, _, issues = one()
    assert issues == []


def test_csv_text_and_typed_json_give_the_same_location() -> None:
    typed = raw(
        nbre_pdc=1,
        puissance_nominale=22.0,
        prise_type_2=True,
        prise_type_ef=False,
        gratuit=False,
        coordonneesXY=[3.8767, 43.6108],
        cable_t2_attache=False,
    )
    assert station(StaticRow.read(typed)).location is not None
    assert station(StaticRow.read(typed)).location.evses[0].connectors == one()[1].connectors
    assert station(StaticRow.read(typed)).location.coordinates == one()[0].coordinates


def test_a_faulty_row_is_left_out_by_number_and_column_and_the_others_stay() -> None:
    good, bad = read(nbre_pdc="3"), read(nbre_pdc="3", id_pdc_itinerance="FRXYZE00012", coordonneesXY="None None")
    last = read(nbre_pdc="3", id_pdc_itinerance="FRXYZE00013")
    location, issues, refused = station(good, bad, last)
    assert location is not None
    assert [evse.uid for evse in location.evses] == ["FRXYZE00011", "FRXYZE00013"]
    assert [(number, error.reason.field) for number, error in refused] == [(2, "coordonneesXY")]
    assert issues == []


def test_a_faulty_first_row_leaves_the_station_to_be_described_by_the_next() -> None:
    location, _, refused = station(
        read(coordonneesXY=None), read(id_pdc_itinerance="FRXYZE00012", nom_station="Autre nom", nbre_pdc="2")
    )
    assert location is not None
    assert location.name == "Autre nom"
    assert [number for number, _ in refused] == [1]


def test_rows_that_disagree_on_their_station_are_taken_with_an_issue_each() -> None:
    location, issues, _ = station(
        read(nbre_pdc="2"), read(nbre_pdc="2", id_pdc_itinerance="FRXYZE00012", horaires="Mo-Fr 08:00-19:00")
    )
    assert location is not None
    assert location.opening_times is not None
    assert location.opening_times.twentyfourseven
    assert [(issue.kind, issue.field) for issue in issues] == [("suspect", "rows[2].horaires")]


def test_a_point_beside_its_station_keeps_its_own_coordinates() -> None:
    location, _, _ = station(read(), read(id_pdc_itinerance="FRXYZE00012", coordonneesXY="[3.8768, 43.6108]"))
    assert location is not None
    assert location.evses[0].coordinates is None
    assert location.evses[1].coordinates is not None


def test_a_point_that_stands_twice_is_taken_once() -> None:
    location, _, refused = station(read(), read(id_pdc_itinerance="fr*xyz*e00011"))
    assert location is not None
    assert len(location.evses) == 1
    assert [(number, error.reason.field) for number, error in refused] == [(2, "id_pdc_itinerance")]


def test_a_count_of_points_that_the_rows_do_not_bear_out_is_suspect() -> None:
    assert one(nbre_pdc="4")[2] == [("suspect", "nbre_pdc")]


def test_party_id_and_pool_come_from_the_stations_id() -> None:
    location, evse, _ = one(id_station_itinerance="fr*xyz*p0001")
    assert location.party == PartyId("FR*XYZ")
    assert (location.id, location.pool_id) == ("FRXYZP0001", "FRXYZP0001")
    assert str(evse.evse_id) == "FRXYZE00011"


def test_an_id_of_no_pools_form_is_the_locations_but_no_pool_id() -> None:
    location, _, _ = one(id_station_itinerance="FRXYZ0001")
    assert (location.id, location.pool_id) == ("FRXYZ0001", None)


@pytest.mark.parametrize("absent", [None, "", "Non concerné", "non concerne"])
def test_a_station_outside_roaming_goes_by_its_local_id(absent: str | None) -> None:
    location, _, issues = one(id_station_itinerance=absent, id_station_local="quai 7")
    assert (location.id, location.party) == ("quai 7", PartyId("FR*XYZ"))
    assert issues == [("defaulted", "id_station_itinerance")]


def test_a_point_without_any_station_id_stands_alone() -> None:
    location, _, issues = one(id_station_itinerance=None)
    assert location.id == "FRXYZE00011"
    assert issues == [("defaulted", "id_station_itinerance")]


def test_local_station_ids_of_two_operators_do_not_meet() -> None:
    rows = [
        read(id_station_itinerance=None, id_station_local="12", id_pdc_itinerance=f"FR{code}E1")
        for code in ("ABC", "XYZ")
    ]
    assert station_key(rows[0]) != station_key(rows[1])


def test_a_point_outside_roaming_goes_by_its_local_id_and_has_no_public_one() -> None:
    _, evse, issues = one(id_pdc_itinerance="Non concerné", id_pdc_local="borne-1")
    assert (evse.uid, evse.evse_id) == ("borne-1", None)
    assert issues == [("defaulted", "id_pdc_itinerance")]


def test_ids_that_name_no_operator_refuse_the_row_unless_the_settings_do() -> None:
    changes = {"id_station_itinerance": None, "id_pdc_itinerance": "7"}
    assert refusal(**changes)[0] == "id_pdc_itinerance"
    location, _, _ = station(read(**changes), defaults=Defaults(party=PartyId("FR*ABC")))
    assert location is not None
    assert location.party == PartyId("FR*ABC")


def test_a_row_without_any_id_is_refused() -> None:
    assert refusal(id_station_itinerance=None, id_pdc_itinerance=None)[0] == "id_pdc_itinerance"
    assert refusal(id_pdc_itinerance=None)[0] == "id_pdc_itinerance"


def test_an_id_without_the_e_is_kept_as_it_is_written_and_suspect() -> None:
    location, evse, issues = one(id_pdc_itinerance="FRXYZ00011")
    assert location.party == PartyId("FR*XYZ")
    assert evse.evse_id is not None
    assert not evse.evse_id.well_formed
    assert (evse.uid, evse.evse_id.normal) == ("FRXYZ00011", "FRXYZ00011")
    assert issues == [("suspect", "id_pdc_itinerance")]


def test_a_point_of_another_operator_than_its_stations_is_suspect() -> None:
    location, _, issues = one(id_pdc_itinerance="FRABCE1")
    assert location.party == PartyId("FR*XYZ")
    assert issues == [("suspect", "id_pdc_itinerance")]


@pytest.mark.parametrize(
    ("column", "standard", "power_type", "form"),
    [
        ("prise_type_ef", ConnectorStandard.DOMESTIC_E, PowerType.AC_1_PHASE, ConnectorFormat.SOCKET),
        ("prise_type_2", ConnectorStandard.IEC_62196_T2, PowerType.AC_1_PHASE, ConnectorFormat.SOCKET),
        ("prise_type_combo_ccs", ConnectorStandard.IEC_62196_T2_COMBO, PowerType.DC, ConnectorFormat.CABLE),
        ("prise_type_chademo", ConnectorStandard.CHADEMO, PowerType.DC, ConnectorFormat.CABLE),
    ],
)
def test_each_plug_becomes_one_connector(
    column: str, standard: ConnectorStandard, power_type: PowerType, form: ConnectorFormat
) -> None:
    plug = {"prise_type_2": "false", column: "1", "puissance_nominale": "3.6"}
    (connector,) = one(**plug)[1].connectors
    assert (connector.standard, connector.power_type, connector.format) == (standard, power_type, form)
    assert connector.max_power == 3600


@pytest.mark.parametrize(
    ("attached", "form"), [("True", ConnectorFormat.CABLE), ("0", ConnectorFormat.SOCKET), (None, None)]
)
def test_a_type_2_plug_is_socket_or_cable_as_its_column_says(
    attached: str | None, form: ConnectorFormat | None
) -> None:
    assert one(cable_t2_attache=attached)[1].connectors[0].format is form


def test_a_domestic_socket_beside_a_strong_plug_carries_only_what_it_can() -> None:
    ef, t2 = one(prise_type_ef="True")[1].connectors
    assert (ef.id, ef.max_power, t2.id, t2.max_power) == ("EF", 3680, "T2", 22000)
    assert t2.power_type is PowerType.AC_3_PHASE


def test_more_power_than_any_plug_carries_is_passed_on_as_suspect() -> None:
    _, evse, issues = one(puissance_nominale="100")
    assert evse.connectors[0].max_power == 100_000
    assert issues == [("suspect", "puissance_nominale")]


def test_a_plug_of_no_known_standard_is_left_out_and_the_only_one_refuses_the_row() -> None:
    _, evse, issues = one(prise_type_autre="True")
    assert [connector.id for connector in evse.connectors] == ["T2"]
    assert issues == [("left_out", "prise_type_autre")]
    assert refusal(prise_type_autre="True", prise_type_2="False")[0] == "prise_type_autre"
    assert refusal(prise_type_2="False")[0] == "prise_type_*"


def test_a_plug_column_that_is_no_boolean_gives_no_plug_and_is_kept_beside() -> None:
    _, evse, issues = one(prise_type_combo_ccs="peut-être")
    assert [connector.id for connector in evse.connectors] == ["T2"]
    assert issues == [("left_out", "prise_type_combo_ccs")]
    assert evse.unknown["prise_type_combo_ccs"] == "peut-être"


@pytest.mark.parametrize(
    ("text", "watts", "issues"),
    [
        ("22,08", 22080, []),
        ("22.17025", 22170, []),
        ("22000", 22000, ["mended"]),
        ("22 kW", 22000, ["mended"]),
        ("2.299999952316284", 2300, ["defaulted"]),
        ("1500", 1_500_000, ["suspect", "suspect"]),
        ("0", 0, ["suspect", "defaulted"]),
        ("-3", None, ["unknown", "defaulted"]),
        ("beaucoup", None, ["unknown", "defaulted"]),
        ("1e9", None, ["unknown", "defaulted"]),
        (None, None, ["unknown", "defaulted"]),
    ],
)
def test_power_is_read_in_kilowatts(text: str | None, watts: int | None, issues: list[str]) -> None:
    _, evse, found = one(puissance_nominale=text)
    assert evse.connectors[0].max_power == (None if watts is None else Decimal(watts))
    assert [kind for kind, _ in found] == issues


def test_the_zone_follows_from_the_insee_code_and_dates_are_local() -> None:
    location, evse, _ = one(
        code_insee_commune="97411", coordonneesXY="[55.4481, -20.8789]", adresse_station="1 rue X 97400 Saint-Denis"
    )
    assert location.time_zone == "Indian/Reunion"
    assert evse.last_updated == datetime(2026, 2, 9, 20, tzinfo=UTC)
    assert location.last_updated == evse.last_updated == evse.connectors[0].last_updated


def test_the_location_is_as_new_as_its_newest_point() -> None:
    location, _, _ = station(read(), read(id_pdc_itinerance="FRXYZE00012", date_maj="2026-02-20"))
    assert location is not None
    assert location.last_updated == datetime(2026, 2, 19, 23, tzinfo=UTC)


def test_a_missing_date_is_the_time_of_reading_and_a_wrong_one_refuses_the_row() -> None:
    location, _, issues = one(date_maj=None)
    assert location.last_updated == READ_AT
    assert issues == [("defaulted", "date_maj")]
    assert refusal(date_maj="2026-02-30")[0] == "date_maj"
    assert one(date_maj="10/02/2026")[2] == [("mended", "date_maj")]


@pytest.mark.parametrize(
    ("text", "issues"),
    [
        ("[3.8767, 43.6108]", []),
        ("[43.6108, 3.8767]", [("mended", "coordonneesXY")]),
        ("[3,8767, 43,6108]", [("mended", "coordonneesXY")]),
        ("[3.8767, -43.6108]", [("suspect", "coordonneesXY")]),
        ("[0, 0]", [("suspect", "coordonneesXY")]),
        ("[55.4481, -20.8789]", [("suspect", "coordonneesXY")]),
    ],
)
def test_coordinates_outside_the_place_are_mended_or_suspect(text: str, issues: list[tuple[str, str]]) -> None:
    assert one(coordonneesXY=text)[2] == issues


@pytest.mark.parametrize("text", [None, "None None", "[]", "[1]", "[3.8767, 143.6]", "[a, b]", "[nan, nan]"])
def test_a_row_without_coordinates_is_refused(text: str | None) -> None:
    assert refusal(coordonneesXY=text)[0] == "coordonneesXY"


def test_without_a_city_the_insee_code_stands_for_it() -> None:
    location, _, issues = one(adresse_station="Rue des Roches")
    assert (location.address, location.city, location.postal_code) == ("Rue des Roches", "Commune 34172", None)
    assert issues == [("defaulted", "adresse_station")]
    assert one(adresse_station="Rue des Roches", code_insee_commune=None)[0].city == "Commune inconnue"


def test_without_an_address_the_stations_name_stands_for_it() -> None:
    location, _, issues = one(adresse_station=None)
    assert location.address == "Place du Marché"
    assert issues == [("defaulted", "adresse_station"), ("defaulted", "adresse_station")]


def test_a_phone_number_that_is_none_is_kept_beside() -> None:
    location, _, issues = one(telephone_operateur="36 31")
    assert location.hotline is None
    assert location.unknown["telephone_operateur"] == "36 31"
    assert issues == [("unknown", "telephone_operateur")]


def test_hours_that_are_not_understood_are_kept_beside() -> None:
    location, _, issues = one(horaires="selon affichage 08:00-19:00")
    assert location.opening_times is None
    assert location.unknown["horaires"] == "selon affichage 08:00-19:00"
    assert issues == [("unknown", "horaires")]


@pytest.mark.parametrize(
    ("text", "parking", "restrictions"),
    [
        ("Voirie", ParkingType.ON_STREET, ()),
        ("VOIRIE", ParkingType.ON_STREET, ()),
        ("Parking public", None, ()),
        ("Parking privé à usage public", ParkingType.PARKING_LOT, ()),
        ("Parking privé réservé à la clientèle", None, (ParkingRestriction.CUSTOMERS,)),
        ("Station dédiée à la recharge rapide", None, ()),
        ("au fond du jardin", None, ()),
    ],
)
def test_the_kind_of_place_is_told_where_the_schema_tells_it(
    text: str, parking: ParkingType | None, restrictions: tuple[ParkingRestriction, ...]
) -> None:
    location, evse, _ = one(implantation_station=text)
    assert location.parking_type is parking
    assert evse.parking_restrictions == restrictions
    assert ("implantation_station" in location.unknown) is (parking is None)


def test_what_is_offered_follows_from_its_columns() -> None:
    _, evse, _ = one(
        paiement_cb="oui",
        reservation="1",
        condition_acces="ACCES RESERVE",
        accessibilite_pmr="Réservé PMR",
        station_deux_roues="VRAI",
    )
    assert evse.capabilities == (
        Capability.CREDIT_CARD_PAYABLE,
        Capability.DEBIT_CARD_PAYABLE,
        Capability.RESERVABLE,
    )
    assert evse.value_added_services == (ValueAddedService.RESERVATION,)
    assert evse.accessibility is Accessibility.RESTRICTED
    assert evse.parking_restrictions == (ParkingRestriction.DISABLED, ParkingRestriction.MOTORCYCLES)


def test_payment_without_contract_does_not_deny_contracts() -> None:
    _, evse, _ = one(paiement_acte="True", paiement_cb="True", paiement_autre="True")
    assert (evse.payment_options, evse.authentication_modes) == ((), ())
    assert evse.unknown["paiement_acte"] == evse.unknown["paiement_autre"] == "True"


def test_free_of_charge_excludes_other_payment() -> None:
    assert one(gratuit="true", paiement_acte="false")[1].payment_options == (PaymentOption.NO_PAYMENT,)
    assert one(gratuit="true")[2] == [("suspect", "gratuit")]


def test_a_static_record_tells_no_status() -> None:
    assert one()[1].status is EvseStatus.UNKNOWN


def test_columns_outside_the_schema_are_kept_beside() -> None:
    assert (
        one(consolidated_commune="Montpellier", last_modified=None)[1].unknown["consolidated_commune"] == "Montpellier"
    )


def test_the_networks_name_stands_for_a_missing_operator() -> None:
    location, _, issues = one(nom_operateur=None)
    assert location.operator is not None
    assert location.operator.name == "Réseau Midi"
    assert issues == [("defaulted", "nom_operateur")]


def test_without_an_owners_name_its_number_is_kept_at_the_location() -> None:
    location, _, _ = one(nom_amenageur=None)
    assert location.owner is None
    assert location.unknown["siren_amenageur"] == "123456789"


junk = st.one_of(
    st.none(),
    st.text(max_size=60),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.lists(st.floats(), max_size=3),
    st.from_regex(r"\[-?[0-9]{1,3}[.,][0-9]{1,9}, ?-?[0-9]{1,3}[.,][0-9]{1,9}\]", fullmatch=True),
    st.sampled_from(["True", "0", "\0", "\ud800", "9" * 5000, "24/7", "2026-01-01", "FRXYZE1", "1e99", "+33 1", "-0"]),
)


@given(st.dictionaries(st.sampled_from(STATIC_COLUMNS), junk, max_size=12))
def test_no_row_whatever_its_values_does_more_than_be_refused(changes: dict[str, object]) -> None:
    row = StaticRow.read({**RIGHT, **changes})
    station_key(row)
    location, _, refused = to_canonical([(7, row)], READ_AT)
    assert (location is None) == bool(refused)
    if location is not None:
        location.model_dump_json()


@given(st.dictionaries(st.text(max_size=10), junk, max_size=6))
def test_no_row_whatever_its_columns_does_more_than_be_refused(raw_row: dict[str, object]) -> None:
    row = StaticRow.read({**RIGHT, **raw_row})
    location, _, _ = to_canonical([(1, row)], READ_AT)
    if location is not None:
        location.model_dump_json()
