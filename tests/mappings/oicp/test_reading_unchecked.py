"""What is read of EVSE data is built without the models' own checks, and passes them all the same."""

import copy
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.base import Model
from mappings.oicp.v2_3 import forms, reading
from mappings.report import Refused
from tests.mappings.oicp.examples import AT
from tests.shared import shared_path

WHOLE: dict[str, Any] = json.loads((Path(__file__).parent / "golden/everything.wire.json").read_text(encoding="utf-8"))

_JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=3)), max_size=2),
    st.dictionaries(st.sampled_from(["value", "lang", "Power", "Voltage", "x"]), st.integers(), max_size=2),
)


def _records(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "EvseID" in value:
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _records(inner)


RECORDS = list(_records(WHOLE))


def _checked(model: Model) -> None:
    """Fails where a model would not have let itself be built, or would have been built of other types."""
    again = type(model).model_validate(model.model_dump())
    assert again == model
    assert again.model_dump_json() == model.model_dump_json()
    assert list(again.__dict__) == list(model.__dict__)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: str(record["EvseID"]))
def test_what_is_read_of_a_whole_record_could_have_been_checked(record: dict[str, Any]) -> None:
    _checked(reading.to_canonical(record, AT)[0])


@given(st.data())
def test_whatever_stands_in_a_field_what_is_read_could_have_been_checked(data: st.DataObject) -> None:
    record = copy.deepcopy(data.draw(st.sampled_from(RECORDS)))
    for _ in range(data.draw(st.integers(1, 3))):
        within = data.draw(st.sampled_from([record, record["Address"], *record["ChargingFacilities"]]))
        within[data.draw(st.sampled_from(sorted(within)))] = data.draw(_JUNK)
        if not isinstance(record.get("Address"), dict) or not isinstance(record.get("ChargingFacilities"), list):
            break
    try:
        location, _ = reading.to_canonical(record, AT, "DE*ABC", "ABC")
    except Refused:
        return
    _checked(location)


def test_what_is_read_of_the_swiss_network_could_have_been_checked() -> None:
    with gzip.open(shared_path("data/ch/evse-data-2025.json.gz")) as file:
        dump = json.load(file)
    for operator_id, name, records in forms.operators(dump, "Data"):
        for record in records:
            _checked(reading.to_canonical(record, AT, operator_id, name)[0])


def test_what_is_noted_of_a_kind_of_evse_is_noted_of_each() -> None:
    record = copy.deepcopy(RECORDS[0])
    record["Plugs"] = ["Type 2 outlet", "Type 9"]
    record["ChargingFacilities"] = [{"Power": "22", "PowerType": "AC_3_PHASE"}]
    first, again = (reading.to_canonical(record, AT) for _ in range(2))
    assert first == again
    assert {issue.field for issue in again[1]} >= {"Plugs[0]", "Plugs[1]", "ChargingFacilities[0].Power"}
