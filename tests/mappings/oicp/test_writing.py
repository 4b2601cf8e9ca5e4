"""What becomes of single fields on the way out: defaults, refusals, lengths, figures."""

from decimal import Decimal

import pytest

from mappings.canonical.energy import EnergyMix, EnergySource, EnergySourceCategory
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import (
    AuthenticationMode,
    Capability,
    ConnectorFormat,
    ConnectorStandard,
    GeoPoint,
    Hours,
    PaymentOption,
    PowerType,
    RegularHours,
    ValueAddedService,
)
from mappings.canonical.texts import Business, Image, ImageCategory, LocalText
from mappings.oicp.v2_3 import evse_data
from mappings.oicp.v2_3.address import join, split
from mappings.oicp.v2_3.defaults import OperatorDefaults
from mappings.report import IssueKind, Refused
from tests.mappings.oicp.examples import DEFAULTS, OPERATOR, connector, evse, location
from tests.oicp_schema import validate


def write(place, defaults=DEFAULTS, operator=OPERATOR):
    record, issues = evse_data.from_canonical(place, place.evses[0], defaults, operator)
    validate("EvseDataRecord", record)
    return record, {(issue.kind, issue.field) for issue in issues}


def refusal(place, defaults=DEFAULTS) -> str:
    rendered = next(iter(evse_data.records(place, defaults, OPERATOR)))
    assert isinstance(rendered.record, Refused)
    assert rendered.issues[-1] == rendered.record.reason
    return rendered.record.reason.field


@pytest.mark.parametrize(
    ("default", "field"),
    [
        ("hotline", "hotline"),
        ("accessibility", "evses[0].accessibility"),
        ("open_24_hours", "opening_times"),
        ("renewable_energy", "energy_mix"),
        ("calibration_law", "evses[0].calibration_law"),
        ("hubject_compatible", "evses[0].hubject_compatible"),
        ("dynamic_info", "evses[0].dynamic_info"),
        ("city", "city"),
        ("postal_code", "postal_code"),
        ("street", "address"),
        ("house_number", "address"),
    ],
)
def test_a_missing_field_takes_the_operators_default_or_is_refused_by_name(default: str, field: str) -> None:
    place = location(opening_times=None, city=" ", postal_code=None, address="")
    _, issues = write(place)
    assert (IssueKind.DEFAULTED, field) in issues
    assert refusal(place, DEFAULTS.model_copy(update={default: None})) == field


@pytest.mark.parametrize("field", ["authentication_modes", "payment_options", "value_added_services"])
def test_lists_that_follow_from_nothing_take_the_default_or_are_refused(field: str) -> None:
    place = location(evse(capabilities=(), hubject_compatible=False))
    record, issues = write(place)
    assert (IssueKind.DEFAULTED, f"evses[0].{field}") in issues
    assert record["AuthenticationModes"] == ["REMOTE"]
    assert refusal(place, DEFAULTS.model_copy(update={field: ()})) == f"evses[0].{field}"


def test_nothing_factual_is_assumed_of_an_operator_who_stated_no_defaults() -> None:
    assert refusal(location(), OperatorDefaults()) == "energy_mix"


def test_capabilities_say_how_a_driver_identifies_pays_and_reserves() -> None:
    pnc = connector(capabilities=("ISO_15118_20_PLUG_AND_CHARGE",))
    capabilities = (Capability.RFID_READER, Capability.PED_TERMINAL, Capability.RESERVABLE, Capability.UNLOCK_CAPABLE)
    record, issues = write(location(evse(capabilities=capabilities, connectors=(pnc,))))
    assert record["AuthenticationModes"] == ["NFC RFID Classic", "Direct Payment", "PnC", "REMOTE"]
    assert record["PaymentOptions"] == ["Direct", "Contract"]
    assert record["ValueAddedServices"] == ["Reservation"]
    assert (IssueKind.DEFAULTED, "evses[0].authentication_modes") in issues
    assert not {field for _, field in issues} & {"evses[0].payment_options", "evses[0].value_added_services"}


def test_a_card_terminal_denies_neither_the_operators_modes_nor_contracts() -> None:
    terminal = evse(capabilities=(Capability.CREDIT_CARD_PAYABLE,), hubject_compatible=False)
    modes = (AuthenticationMode.NFC_RFID_CLASSIC, AuthenticationMode.REMOTE)
    defaults = DEFAULTS.model_copy(
        update={
            "authentication_modes": modes,
            "payment_options": (PaymentOption.CONTRACT,),
            "value_added_services": (ValueAddedService.NONE, ValueAddedService.ROOF_PROVIDED),
        }
    )
    record, issues = write(location(terminal), defaults)
    assert record["AuthenticationModes"] == ["Direct Payment", "NFC RFID Classic", "REMOTE"]
    assert record["PaymentOptions"] == ["Direct", "Contract"]
    assert {(IssueKind.DEFAULTED, f"evses[0].{n}") for n in ("authentication_modes", "payment_options")} <= issues
    reservable = terminal.model_copy(update={"capabilities": (Capability.RESERVABLE,)})
    assert write(location(reservable), defaults)[0]["ValueAddedServices"] == ["Reservation", "RoofProvided"]


def test_a_list_that_the_source_states_is_complete() -> None:
    stated = evse(
        capabilities=(Capability.RFID_READER, Capability.PED_TERMINAL, Capability.RESERVABLE),
        authentication_modes=(AuthenticationMode.DIRECT_PAYMENT,),
        payment_options=(PaymentOption.DIRECT,),
        value_added_services=(ValueAddedService.NONE,),
    )
    record, issues = write(location(stated))
    assert record["AuthenticationModes"] == ["Direct Payment"]
    assert record["PaymentOptions"] == ["Direct"]
    assert record["ValueAddedServices"] == ["None"]
    lists = {"evses[0].authentication_modes", "evses[0].payment_options", "evses[0].value_added_services"}
    assert not lists & {field for _, field in issues}


def test_an_operator_who_charges_nothing_by_default_is_contradicted_by_a_card_terminal_alone() -> None:
    free = DEFAULTS.model_copy(update={"payment_options": (PaymentOption.NO_PAYMENT,)})
    assert write(location(evse(capabilities=())), free)[0]["PaymentOptions"] == ["No Payment"]
    record, issues = write(location(evse(capabilities=(Capability.PED_TERMINAL,))), free)
    assert record["PaymentOptions"] == ["Direct", "Contract"]
    assert (IssueKind.LEFT_OUT, "evses[0].payment_options") in issues


def test_evses_of_a_kind_have_their_own_issues_however_many_there_are() -> None:
    many = [evse(uid=str(n), evse_id=EvseId(f"NL*ABC*E{n}"), physical_reference="A") for n in range(70)]
    for _ in range(2):
        for index, rendered in enumerate(evse_data.records(location(*many), DEFAULTS, OPERATOR)):
            lost = [issue.field for issue in rendered.issues if issue.kind is IssueKind.LOST]
            assert lost == [f"evses[{index}].physical_reference"]


def test_what_an_evse_says_itself_goes_before_what_would_follow() -> None:
    modes = (AuthenticationMode.NFC_RFID_DESFIRE,)
    record, issues = write(
        location(evse(authentication_modes=modes, payment_options=(PaymentOption.NO_PAYMENT, PaymentOption.DIRECT)))
    )
    assert record["AuthenticationModes"] == ["NFC RFID DESFire"]
    # OICP 2.3, PaymentOptionType: No Payment cannot be combined.
    assert record["PaymentOptions"] == ["Direct"]
    assert (IssueKind.LEFT_OUT, "evses[0].payment_options") in issues


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("nl-abc", None),
        ("NLABCE1", "NL*ABC*E1"),
        ("nl*abc*e1*a", "NL*ABC*E1*A"),
        ("+49*810*000*438", "+49*810*000*438"),
    ],
)
def test_an_evse_id_is_sent_in_capitals_with_separators_or_refused(text: str, sent: str | None) -> None:
    place = location(evse(evse_id=EvseId(text)))
    if sent is None:
        assert refusal(place) == "evses[0].evse_id"
    else:
        assert write(place)[0]["EvseID"] == sent


def test_an_evse_id_longer_than_oicp_allows_is_refused_and_not_cut() -> None:
    assert refusal(location(evse(evse_id=EvseId("NL*ABC*E" + "1" * 31)))) == "evses[0].evse_id"
    write(location(evse(evse_id=EvseId("NL*ABC*E" + "1" * 30))))
    assert refusal(location(evse(evse_id=None))) == "evses[0].evse_id"


def test_one_refused_evse_leaves_the_others_of_its_location() -> None:
    place = location(evse(uid="a", evse_id=EvseId("junk")), evse(uid="b"))
    first, second = evse_data.records(place, DEFAULTS, OPERATOR)
    assert isinstance(first.record, Refused)
    assert isinstance(second.record, dict)


def test_an_evse_of_another_party_names_the_sub_operator() -> None:
    place = location(operator=Business(name="Stadtwerk"))
    assert "SubOperatorName" not in write(place)[0]
    assert write(place, operator=PartyId("NL*HUB"))[0]["SubOperatorName"] == "Stadtwerk"
    assert write(location(), operator=PartyId("NL*HUB"))[0]["SubOperatorName"] == "NL*ABC"
    assert write(location(suboperator=Business(name="Sub")))[0]["SubOperatorName"] == "Sub"


@pytest.mark.parametrize(
    ("address", "country", "street", "number"),
    [
        ("Oelenboom 8", "NLD", "Oelenboom", "8"),
        ("Hoge Ham 62b", "NLD", "Hoge Ham", "62b"),
        ("Kleine Straße 8-10", "DEU", "Kleine Straße", "8-10"),
        ("Straße des 17. Juni 135", "DEU", "Straße des 17. Juni", "135"),
        ("Rijksweg N33", "NLD", "Rijksweg N33", None),
        ("Rue Verte, 12", "BEL", "Rue Verte", "12"),
        ("12 bis Rue de la Gare", "FRA", "Rue de la Gare", "12 bis"),
        ("12, rue du Lac", "FRA", "rue du Lac", "12"),
        ("Place du 8 Mai 1945", "FRA", "Place du 8 Mai 1945", None),
        ("12 12", "NLD", "12 12", None),
        ("8", "NLD", "8", None),
        ("", "NLD", "", None),
    ],
)
def test_a_house_number_is_told_from_the_address_by_the_countrys_order(
    address: str, country: str, street: str, number: str | None
) -> None:
    assert split(address, country) == (street, number)
    assert join(street, number, country) == " ".join(address.replace(",", "").split())


def test_texts_are_cut_and_ids_and_links_are_not() -> None:
    place = location(
        evse(
            station_id="s" * 51,
            manufacturer="m" * 51,
            clearinghouse_id="c" * 21,
            floor_level="ground",
            images=(Image(url="https://example.com/" + "i" * 200, category=ImageCategory.CHARGER, type="png"),),
            additional_info=(LocalText(language="NL", text="t" * 151), LocalText(language="klingon!", text="x")),
        ),
        name="n" * 151,
        city="c" * 51,
        address="s" * 101,
        state="r" * 51,
        postal_code="1" * 11,
        pool_id="no pool",
    )
    record, issues = write(place)
    assert len(record["HardwareManufacturer"]) == 50
    assert len(record["Address"]["Street"]) == 100
    assert len(record["ChargingStationNames"][0]["value"]) == 150
    assert [text["lang"] for text in record["AdditionalInfo"]] == ["nl", "en"]
    assert not {"ChargingStationId", "ClearinghouseID", "ChargingStationImage", "ChargingPoolID"} & record.keys()
    assert record["Address"]["PostalCode"] == "."
    for field in ("name", "city", "address", "state", "evses[0].manufacturer", "evses[0].floor_level"):
        assert (IssueKind.NARROWED, field) in issues
    for field in ("evses[0].station_id", "evses[0].clearinghouse_id", "evses[0].images[0]", "pool_id"):
        assert (IssueKind.LEFT_OUT, field) in issues


def test_a_street_of_one_letter_is_filled_with_an_underscore() -> None:
    record, issues = write(location(address="Ø"))
    assert record["Address"]["Street"] == "Ø_"
    assert (IssueKind.MENDED, "address") in issues


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("+31 (0)20 123-45.67", "+31201234567"),
        ("0031201234567", "+31201234567"),
        ("tel:+33-1-76-31-06-84", "+33176310684"),
        ("0800 123456", "+31201234567"),
        ("+1 234", "+31201234567"),
    ],
)
def test_a_hotline_is_written_with_digits_only_or_taken_from_the_defaults(given: str, sent: str) -> None:
    record, issues = write(location(hotline=given))
    assert record["HotlinePhoneNumber"] == sent
    assert {kind for kind, field in issues if field == "hotline"} <= {IssueKind.MENDED, IssueKind.DEFAULTED}


@pytest.mark.parametrize(
    ("latitude", "longitude", "kind", "sent"),
    [
        ("52.1234567", "6.5", IssueKind.NARROWED, ("52.123457", "6.5")),
        ("6.756642", "52.999552", IssueKind.MENDED, ("52.999552", "6.756642")),
        ("-20", "-150", IssueKind.SUSPECT, ("-20.0", "-150.0")),
        ("0", "-0.0000001", IssueKind.SUSPECT, ("0.0", "0.000000")),
    ],
)
def test_coordinates_keep_six_decimals_and_are_held_against_the_country(
    latitude: str, longitude: str, kind: IssueKind, sent: tuple[str, str]
) -> None:
    point = GeoPoint(latitude=Decimal(latitude), longitude=Decimal(longitude))
    record, issues = write(location(coordinates=point))
    assert (kind, "coordinates") in issues
    assert record["GeoCoordinates"] == {"DecimalDegree": {"Latitude": sent[0], "Longitude": sent[1]}}


def test_an_evse_with_its_own_point_and_names_says_those() -> None:
    own = evse(
        coordinates=GeoPoint(latitude=Decimal("52.5"), longitude=Decimal("6.5")),
        station_names=(LocalText(language="nl", text="Paal"),),
    )
    record, _ = write(location(own))
    assert record["GeoCoordinates"]["DecimalDegree"]["Latitude"] == "52.5"
    assert record["ChargingStationNames"] == [{"lang": "nl", "value": "Paal"}]


def test_an_unknown_time_zone_is_left_out_with_an_issue() -> None:
    record, issues = write(location(time_zone="Europe/Nowhere"))
    assert "TimeZone" not in record["Address"]
    assert (IssueKind.UNKNOWN, "time_zone") in issues


@pytest.mark.parametrize(
    ("changes", "facility", "kinds"),
    [
        (
            {"max_voltage": 1000, "max_amperage": 500, "max_power": 350_000, "power_type": "DC"},
            {"PowerType": "DC", "Power": 350},
            {IssueKind.LOST},
        ),
        ({"max_power": 1_200_000, "power_type": "DC"}, {"Power": 999}, {IssueKind.NARROWED}),
        ({"max_power": 7_360_000, "power_type": "AC_1_PHASE"}, {"Power": 7}, {IssueKind.MENDED, IssueKind.NARROWED}),
        ({"max_power": None}, {"Power": 22}, {IssueKind.MENDED, IssueKind.NARROWED}),
        ({"max_power": None, "max_voltage": 400}, {"Power": 22}, {IssueKind.MENDED, IssueKind.NARROWED}),
        ({"max_power": 400}, {"Power": 1}, {IssueKind.NARROWED}),
        ({"power_type": "AC_2_PHASE", "max_power": 7000}, {"PowerType": "AC_1_PHASE"}, {IssueKind.NARROWED}),
        ({"power_type": None, "max_power": 3000}, {"PowerType": "AC_1_PHASE"}, {IssueKind.MENDED}),
        ({"power_type": None, "max_power": 22_000}, {"PowerType": "AC_3_PHASE"}, {IssueKind.MENDED}),
        ({"power_type": None, "max_power": 120_000}, {"PowerType": "DC"}, {IssueKind.MENDED}),
        ({"max_voltage": 0, "max_amperage": 0}, {"PowerType": "AC_3_PHASE", "Power": 22}, set()),
        ({"charging_modes": ("Mode_3",)}, {"ChargingModes": ["Mode_3"]}, set()),
    ],
)
def test_a_facility_says_what_oicp_has_room_for(changes: dict, facility: dict, kinds: set[IssueKind]) -> None:
    record, issues = write(location(evse(connectors=(connector(**changes),))))
    written = record["ChargingFacilities"][0]
    assert facility.items() <= written.items()
    assert "Voltage" not in written or written["Voltage"] > 0
    assert {kind for kind, field in issues if "connectors" in field} == kinds


def test_a_type_2_connector_of_unknown_format_takes_the_default_or_is_left_out() -> None:
    unknown = connector(format=None)
    assert write(location(evse(connectors=(unknown,))))[0]["Plugs"] == ["Type 2 Outlet"]
    without = DEFAULTS.model_copy(update={"connector_format": None})
    assert refusal(location(evse(connectors=(unknown,))), without) == "evses[0].connectors"
    strong = connector(format=None, power_type=PowerType.DC)
    assert write(location(evse(connectors=(strong,))), without)[0]["Plugs"] == ["Type 2 Connector (Cable Attached)"]
    combined = connector(format=None, standard=ConnectorStandard.IEC_62196_T2_COMBO, power_type=None)
    record, _ = write(location(evse(connectors=(combined,))), without)
    assert record["ChargingFacilities"][0]["PowerType"] == "DC"


def test_connectors_without_a_word_are_left_out_and_an_evse_without_any_is_refused() -> None:
    bus = connector(id="2", standard=ConnectorStandard.PANTOGRAPH_TOP_DOWN, format=ConnectorFormat.CABLE)
    record, issues = write(location(evse(connectors=(bus, connector()))))
    assert record["Plugs"] == ["Type 2 Outlet"]
    assert (IssueKind.LEFT_OUT, "evses[0].connectors[0].standard") in issues
    assert refusal(location(evse(connectors=(bus,)))) == "evses[0].connectors"
    assert refusal(location(evse(connectors=()))) == "evses[0].connectors"
    powerless = connector(max_power=None, max_voltage=None)
    assert refusal(location(evse(connectors=(powerless,)))) == "evses[0].connectors"


def test_equal_connectors_are_said_once_and_others_in_step() -> None:
    weak = connector(id="3", max_power=Decimal(11_000))
    record, _ = write(location(evse(connectors=(connector(), connector(id="2"), weak))))
    assert record["Plugs"] == ["Type 2 Outlet", "Type 2 Outlet"]
    assert [facility["Power"] for facility in record["ChargingFacilities"]] == [22, 11]


def test_opening_times_put_equal_days_under_one_word() -> None:
    def hours(*days: int, begin: str = "08:00", end: str = "18:00") -> tuple[RegularHours, ...]:
        return tuple(RegularHours(weekday=day, begin=begin, end=end) for day in days)

    def days(*regular: RegularHours) -> list[str]:
        record, _ = write(location(opening_times=Hours(twentyfourseven=False, regular=regular)))
        assert record["IsOpen24Hours"] is False
        return [item["on"] for item in record["OpeningTimes"]]

    assert days(*hours(1, 2, 3, 4, 5, 6, 7)) == ["Everyday"]
    assert days(*hours(7, 6, 5, 4, 3, 2, 1), *hours(6, begin="20:00", end="24:00")) == [
        "Workdays",
        "Saturday",
        "Sunday",
    ]
    assert days(*hours(1, 3, 6, 7)) == ["Weekend", "Monday", "Wednesday"]
    assert "OpeningTimes" not in write(location(opening_times=Hours(twentyfourseven=False)))[0]


def test_energy_sources_keep_two_digits_of_their_share() -> None:
    sources = (
        EnergySource(source=EnergySourceCategory.WIND, percentage=Decimal("59.6")),
        EnergySource(source=EnergySourceCategory.GENERAL_GREEN, percentage=Decimal(40)),
        EnergySource(source=EnergySourceCategory.SOLAR, percentage=Decimal(100)),
        EnergySource(source=EnergySourceCategory.WATER),
    )
    record, issues = write(location(energy_mix=EnergyMix(is_green_energy=True, sources=sources, supplier_name="S")))
    assert record["RenewableEnergy"] is True
    assert record["EnergySource"] == [
        {"Energy": "Wind", "Percentage": 60},
        {"Energy": "Solar"},
        {"Energy": "HydroPower"},
    ]
    assert (IssueKind.LEFT_OUT, "energy_mix.sources[1]") in issues
    assert (IssueKind.LOST, "energy_mix") in issues
