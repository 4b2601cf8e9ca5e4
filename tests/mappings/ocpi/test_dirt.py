"""What becomes of each kind of dirt: mended, kept beside the model, left out, or the record refused, with its field."""

import json
from typing import Any

import pytest

from mappings.ocpi.v2_2_1 import locations, tariffs
from mappings.report import IssueKind, Refused
from tests.mappings.ocpi.samples import DELETE, LOCATION, TARIFF, spoilt

PLUG = "evses.0.connectors.0"
S = ""  # the same as the path
MENDED, UNKNOWN, LEFT_OUT, SUSPECT = IssueKind.MENDED, IssueKind.UNKNOWN, IssueKind.LEFT_OUT, IssueKind.SUSPECT


def look(thing: Any, path: str) -> Any:
    for part in path.split("."):
        thing = thing[int(part)] if part.isdigit() else getattr(thing, part)
    return thing


@pytest.mark.parametrize(
    ("path", "value", "kind", "field", "where", "expected"),
    [
        (f"{PLUG}.standard", "iec_62196_t2 ", MENDED, S, S, "IEC_62196_T2"),
        ("evses.0.status", "available", MENDED, S, S, "AVAILABLE"),
        ("country", "fr", MENDED, S, S, "FRA"),
        ("publish", "true", MENDED, S, S, True),
        ("evses.0.physical_reference", 3, MENDED, S, S, "3"),
        (f"{PLUG}.max_voltage", "400", MENDED, S, S, 400),
        (f"{PLUG}.max_amperage", 32.0, MENDED, S, S, 32),
        (f"{PLUG}.max_electric_power", "22000.5", MENDED, S, f"{PLUG}.max_power", 22000.5),
        ("coordinates.latitude", 45.5, MENDED, S, S, 45.5),
        ("coordinates.latitude", "45,5", MENDED, S, S, 45.5),
        ("evses.0.capabilities", "RESERVABLE", MENDED, S, S, ("RESERVABLE",)),
        ("id", " LOC1 ", MENDED, S, S, "LOC1"),
        ("evses.0.connectors", None, MENDED, S, S, ()),
        ("evses.0.status", "SLEEPING", UNKNOWN, S, S, "UNKNOWN"),
        ("evses.0.status", None, UNKNOWN, S, S, "UNKNOWN"),
        (f"{PLUG}.format", "PLUG", UNKNOWN, S, S, None),
        (f"{PLUG}.max_voltage", -5, UNKNOWN, S, S, None),
        (f"{PLUG}.max_electric_power", "much", UNKNOWN, S, f"{PLUG}.max_power", None),
        ("parking_type", "IN_THE_SKY", UNKNOWN, S, S, None),
        ("opening_times", {"regular_hours": []}, UNKNOWN, S, S, None),
        ("operator", {"name": None}, UNKNOWN, S, S, None),
        ("address", DELETE, UNKNOWN, S, S, ""),
        ("evses.0.coordinates", {"latitude": "None", "longitude": "None"}, UNKNOWN, S, S, None),
        ("evses.0.capabilities", ["RFID_READER", "TELEPATHY"], LEFT_OUT, "evses.0.capabilities.1", S, ("RFID_READER",)),
        (f"{PLUG}.standard", "UNHEARD_OF", LEFT_OUT, S, "evses.0.connectors", ()),
        (f"{PLUG}.standard", DELETE, LEFT_OUT, PLUG, "evses.0.connectors", ()),
        ("evses.0.uid", "", LEFT_OUT, "evses.0", "evses", ()),
        ("evses.0", "nonsense", LEFT_OUT, S, "evses", ()),
        (f"{PLUG}.tariff_ids", ["T1", {}], LEFT_OUT, f"{PLUG}.tariff_ids.1", S, ("T1",)),
        ("evses.0.directions", [{"text": "left"}], LEFT_OUT, "evses.0.directions.0", S, ()),
        ("evses.0.evse_id", "NL.SPI.ECO01064*1", SUSPECT, S, "evses.0.evse_id.text", "NL.SPI.ECO01064*1"),
        (f"{PLUG}.max_electric_power", 7360000, SUSPECT, S, f"{PLUG}.max_power", 7360000),
        ("coordinates", {"latitude": "0.0", "longitude": "0.0"}, SUSPECT, S, "coordinates.latitude", 0),
    ],
)  # fmt: skip
def test_a_fault_has_its_result_and_its_issue(
    path: str, value: Any, kind: IssueKind, field: str, where: str, expected: Any
) -> None:
    location, issues = locations.to_canonical(json.dumps(spoilt(LOCATION, path, value)))
    field, where = field or path, where or path
    named = ".".join(f"[{p}]" if p.isdigit() else p for p in field.split(".")).replace(".[", "[")
    assert [(i.kind, i.field) for i in issues] == [(kind, named)]
    assert look(location, where) == expected


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("id", DELETE, "id"),
        ("id", "é", "id"),
        ("id", "x" * 49, "id"),
        ("country_code", None, "country_code"),
        ("party_id", "TOOLONG", "party_id"),
        ("publish", DELETE, "publish"),
        ("publish", 1, "publish"),
        ("coordinates", None, "coordinates"),
        ("coordinates.latitude", "None None", "coordinates.latitude"),
        ("coordinates.latitude", "91.0", "coordinates.latitude"),
        ("country", "Frankreich", "country"),
        ("time_zone", "Europe/Atlantis", "time_zone"),
        ("time_zone", "../../etc/passwd", "time_zone"),
        ("last_updated", "2026-03-01T10:00:00+01:00", "last_updated"),
        ("last_updated", "yesterday", "last_updated"),
        ("last_updated", 1772359200, "last_updated"),
        ("evses.0.last_updated", "2026-13-01T10:00:00Z", "evses[0].last_updated"),
        (f"{PLUG}.last_updated", "", "evses[0].connectors[0].last_updated"),
    ],
)
def test_a_fault_that_may_not_be_guessed_over_refuses_the_location(path: str, value: Any, field: str) -> None:
    with pytest.raises(Refused) as refused:
        locations.to_canonical(json.dumps(spoilt(LOCATION, path, value)))
    assert refused.value.reason.field == field
    assert refused.value.reason.kind is IssueKind.REFUSED


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a":' * 10_000, b"[" * 10_000, b'"x"'])
def test_what_is_no_json_object_is_refused(text: bytes) -> None:
    with pytest.raises(Refused):
        locations.to_canonical(text)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("elements", [], "elements"),
        ("elements.0.price_components", [], "elements[0].price_components"),
        ("elements.0.price_components.0.type", "MOOD", "elements[0].price_components[0].type"),
        ("elements.0.price_components.0.type", "SESSION_TIME", "elements[0].price_components[0].type"),
        ("elements.0.price_components.0.price", None, "elements[0].price_components[0].price"),
        ("elements.0.price_components.0.price", True, "elements[0].price_components[0].price"),
        ("elements.0.price_components.0.vat", "some", "elements[0].price_components[0].vat"),
        ("elements.0.price_components.0.step_size", None, "elements[0].price_components[0].step_size"),
        ("elements.0.restrictions.start_time", "8 o'clock", "elements[0].restrictions.start_time"),
        ("elements.0.restrictions.day_of_week", ["MONDAY", "FUNDAY"], "elements[0].restrictions.day_of_week.1"),
        ("elements.0.restrictions.reservation", "PERHAPS", "elements[0].restrictions.reservation"),
        ("elements.0.restrictions.start_date", "2026-3-1", "elements[0].restrictions.start_date"),
        ("currency", "EURO", "currency"),
        ("type", "GENEROUS", "type"),
        ("max_price", {"incl_vat": 3}, "max_price.excl_vat"),
        ("end_date_time", "2026-01-01T00:00:00+00:00", "end_date_time"),
        ("id", "x" * 37, "id"),
    ],
)
def test_a_tariff_with_doubtful_money_or_time_is_refused(path: str, value: Any, field: str) -> None:
    with pytest.raises(Refused) as refused:
        tariffs.to_canonical(json.dumps(spoilt(TARIFF, path, value)))
    assert refused.value.reason.field == field


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        ("elements.0.price_components.0.type", "energy", IssueKind.MENDED),
        ("elements.0.price_components.0.price", "0.42", IssueKind.MENDED),
        ("elements.0.restrictions.end_time", "24:00", IssueKind.MENDED),
        ("elements.0.restrictions.start_time", "08:00:00", IssueKind.MENDED),
        ("elements.0.price_components.0.vat", 0.2, IssueKind.SUSPECT),
        ("last_updated", {"$date": "2026-01-01T00:00:00.000Z"}, IssueKind.MENDED),
        ("currency", "eur", IssueKind.MENDED),
        ("tariff_alt_text", "cheap", IssueKind.MENDED),
        ("energy_mix", {"is_green_energy": "very"}, IssueKind.UNKNOWN),
        ("colour", "blue", IssueKind.UNKNOWN),
    ],
)
def test_a_tariff_survives_other_dirt_with_an_issue(path: str, value: Any, kind: IssueKind) -> None:
    _, issues = tariffs.to_canonical(json.dumps(spoilt(TARIFF, path, value)))
    assert issues[0].kind is kind


def test_a_databases_own_id_stands_for_a_missing_one() -> None:
    wire = {**TARIFF, "_id": "T9"}
    del wire["id"]
    tariff, issues = tariffs.to_canonical(json.dumps(wire))
    assert tariff.id == "T9"
    assert tariff.unknown == {}
    assert [(i.kind, i.field) for i in issues] == [(IssueKind.MENDED, "id")]


def test_nulls_are_as_good_as_absent_fields() -> None:
    wire = spoilt(LOCATION, "evses.0.images", None)
    for name in ("facilities", "images", "energy_mix", "parking_type", "state"):
        wire[name] = None
    location, issues = locations.to_canonical(json.dumps(wire))
    assert issues == []
    assert location == locations.to_canonical(json.dumps(LOCATION))[0]


def test_foreign_fields_are_kept_on_each_level_and_given_back() -> None:
    wire = spoilt(LOCATION, "x_site", {"a": [1]})
    wire["evses"][0]["x_evse"] = None
    wire["evses"][0]["connectors"][0]["x_plug"] = "p"
    wire["operator"]["x_brand"] = 7
    location, issues = locations.to_canonical(json.dumps(wire))
    assert {i.kind for i in issues} == {IssueKind.UNKNOWN}
    assert len(issues) == 4
    assert locations.from_canonical(location)[0] == wire


def test_raw_values_stay_beside_the_model_and_are_not_said_again() -> None:
    wire = spoilt(LOCATION, "evses.0.status", "SLEEPING")
    wire["evses"][0]["capabilities"] = ["TELEPATHY"]
    wire["opening_times"] = {"regular_hours": "never"}
    location, _ = locations.to_canonical(json.dumps(wire))
    assert location.evses[0].unknown == {"status": "SLEEPING", "capabilities": ["TELEPATHY"]}
    assert location.unknown == {"opening_times": {"regular_hours": "never"}}
    back, _ = locations.from_canonical(location)
    assert back["evses"][0]["status"] == "UNKNOWN"
    assert "capabilities" not in back["evses"][0]
    assert "opening_times" not in back


def test_last_updated_rises_from_connector_to_evse_to_location() -> None:
    wire = spoilt(LOCATION, f"{PLUG}.last_updated", "2026-04-01T00:00:00Z")
    location, issues = locations.to_canonical(json.dumps(wire))
    assert location.last_updated == location.evses[0].last_updated == location.evses[0].connectors[0].last_updated
    assert [(i.kind, i.field) for i in issues] == [
        (IssueKind.MENDED, "evses[0].last_updated"),
        (IssueKind.MENDED, "last_updated"),
    ]


def test_of_two_evses_with_one_uid_the_newer_is_kept() -> None:
    wire = spoilt(LOCATION, "evses", [*LOCATION["evses"], {**LOCATION["evses"][0], "status": "CHARGING"}])
    wire["evses"][1]["last_updated"] = wire["last_updated"] = "2026-05-01T00:00:00Z"
    location, issues = locations.to_canonical(json.dumps(wire))
    assert [e.status for e in location.evses] == ["CHARGING"]
    assert [(i.kind, i.value) for i in issues] == [(IssueKind.LEFT_OUT, "E1")]


def test_several_faults_are_all_named_and_the_rest_is_untouched() -> None:
    wire = spoilt(LOCATION, "evses", [LOCATION["evses"][0], 5, {**LOCATION["evses"][0], "uid": None}, None])
    wire["evses"][0] = {**wire["evses"][0], "floor_level": {}, "evse_id": 12}
    location, issues = locations.to_canonical(json.dumps(wire))
    assert [e.uid for e in location.evses] == ["E1"]
    assert location.evses[0].floor_level is None
    assert str(location.evses[0].evse_id) == "12"
    assert {(i.kind, i.field) for i in issues} == {
        (IssueKind.UNKNOWN, "evses[0].floor_level"),
        (IssueKind.MENDED, "evses[0].evse_id"),
        (IssueKind.SUSPECT, "evses[0].evse_id"),
        (IssueKind.LEFT_OUT, "evses[1]"),
        (IssueKind.LEFT_OUT, "evses[2]"),
        (IssueKind.LEFT_OUT, "evses[3]"),
    }


def test_a_parsed_object_is_read_like_its_text_and_left_as_it_was() -> None:
    wire = spoilt(LOCATION, "evses.0.physical_reference", 3)
    before = json.dumps(wire)
    assert locations.to_canonical(wire) == locations.to_canonical(before)
    assert json.dumps(wire) == before
