"""A pulled page: one bad record never spoils it."""

import json
from typing import Any

import pytest

from mappings.ocpi import envelope
from mappings.ocpi.dialects import gireve_tariffs
from mappings.ocpi.v2_2_1 import locations, pages, tariffs, tokens
from mappings.report import Refused
from tests.mappings.ocpi.samples import LOCATION, TARIFF, spoilt
from tests.mappings.ocpi.samples_charging import TOKEN
from tests.shared import shared_path

KEY = (f"{LOCATION['country_code']}*{LOCATION['party_id']}", LOCATION["id"])


def apart(data: Any) -> pages.Page[Any]:
    return pages.take_apart(data, pages.by_id, locations.to_canonical)


def test_records_are_told_apart_before_they_are_read() -> None:
    page = apart([LOCATION, {**LOCATION, "id": "LOC2"}])
    assert [entry.key for entry in page.entries] == [KEY, (KEY[0], "LOC2")]
    assert (page.unreadable, page.repeated) == ([], 0)
    location, issues = page.entries[1].read()
    assert (location.id, issues) == ("LOC2", [])


@pytest.mark.parametrize("data", [None, []])
def test_a_page_may_be_empty(data: Any) -> None:
    assert apart(data).entries == []


@pytest.mark.parametrize("data", [{}, LOCATION, "x", 5, True])
def test_a_failure_does_not_look_like_an_empty_page(data: Any) -> None:
    with pytest.raises(Refused) as error:
        apart(data)
    assert error.value.reason.field == "data"


def test_a_record_that_cannot_be_read_spoils_itself_alone() -> None:
    bad = spoilt({**LOCATION, "id": "BAD"}, "coordinates", None)
    page = apart([LOCATION, bad, {**LOCATION, "id": "LOC3"}])
    assert len(page.entries) == 3
    with pytest.raises(Refused) as error:
        page.entries[1].read()
    assert error.value.reason.field == "coordinates"
    assert page.entries[2].read()[0].id == "LOC3"


def test_records_without_a_key_are_named_and_not_shown() -> None:
    nameless = [None, 5, "secret", {}, {**LOCATION, "party_id": "?"}, {**LOCATION, "id": " "}, {**LOCATION, "id": True}]
    page = apart([LOCATION, *nameless])
    assert [entry.key for entry in page.entries] == [KEY]
    assert [each.reason.field for each in page.unreadable] == [
        *("data[1]", "data[2]", "data[3]", "data[4].party_id", "data[5].party_id", "data[6].id", "data[7].id"),
    ]
    assert "secret" not in repr([each.issues for each in page.unreadable])


@pytest.mark.parametrize("given", [{"id": " LOC1 "}, {"id": None, "_id": "LOC1"}, {"party_id": "abc"}])
def test_a_key_is_spelt_as_it_will_be_in_what_is_read(given: dict[str, Any]) -> None:
    wire = {**LOCATION, **given}
    if wire["id"] is None:
        del wire["id"]
    (entry,) = apart([wire]).entries
    location, _ = entry.read()
    assert entry.key == (location.party.normal, location.id)
    assert apart([{**LOCATION, "id": 4711}]).entries[0].key == (KEY[0], "4711")


def test_of_records_with_one_key_the_newest_is_taken() -> None:
    stamps = ["2026-03-01T10:00:00Z", "2026-03-01T12:00:00.5", "2026-03-01T11:00:00Z", "never"]
    page = apart([{**LOCATION, "name": stamp, "last_updated": stamp} for stamp in stamps])
    assert [entry.raw["name"] for entry in page.entries] == [stamps[1]]
    assert page.repeated == 3
    same = apart([{**LOCATION, "name": "first"}, {**LOCATION, "name": "second"}])
    assert [entry.raw["name"] for entry in same.entries] == ["second"]


def test_tariffs_for_several_emsps_are_several_records_at_gireve() -> None:
    targets: list[dict[str, Any]] = [
        {},
        {"target_operator_country_code": "DE", "target_operator_party_id": "MP1"},
        {"target_operator_country_code": "nl", "target_operator_party_id": "MP2"},
        {"target_operator_country_code": None, "target_operator_party_id": None, "id": "T2"},
    ]
    data = [{**TARIFF, **target} for target in targets]
    page = pages.take_apart(data, gireve_tariffs.key, gireve_tariffs.to_canonical)
    owner = f"{TARIFF['country_code']}*{TARIFF['party_id']}"
    assert [entry.key for entry in page.entries] == [
        *((owner, TARIFF["id"], ""), (owner, TARIFF["id"], "DE*MP1"), (owner, TARIFF["id"], "NL*MP2")),
        (owner, "T2", ""),
    ]
    for entry in page.entries:
        tariff, _ = entry.read()
        assert entry.key == (tariff.party.normal, tariff.id, "" if tariff.target is None else tariff.target.normal)
    half = pages.take_apart(
        [{**TARIFF, **targets[1], "target_operator_party_id": None}], gireve_tariffs.key, tariffs_in
    )
    assert [each.reason.field for each in half.unreadable] == ["data[0].target_operator_party_id"]
    assert pages.by_target(TARIFF) == (owner, TARIFF["id"], "")


def tariffs_in(record: Any) -> Any:
    return tariffs.to_canonical(record)


def test_parties_are_told_apart_by_their_roles() -> None:
    assert pages.by_role({"country_code": "fr", "party_id": "abc", "role": "cpo"}) == ("FR*ABC", "CPO")


def test_the_specifications_list_of_tokens_is_taken_apart() -> None:
    path = shared_path("protocols/ocpi-2.2.1/examples") / "transport_and_format_get_token_list_example.json"
    data = envelope.read(path.read_bytes()).data
    page = pages.take_apart(data, lambda record: (pages.ident(record, "uid"),), tokens.to_canonical)
    assert [entry.read()[0].uid for entry in page.entries] == [each["uid"] for each in data]


def test_a_page_is_read_from_an_answer_with_a_null_in_its_place() -> None:
    answer = envelope.read(json.dumps({"status_code": 1000, "data": None, "timestamp": TOKEN["last_updated"]}))
    assert apart(answer.data).entries == []
