"""Golden pairs, whole objects compared: `x.wire.json` ↔ `x.canonical.json`."""

import json
from pathlib import Path
from typing import Any

import pytest

from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location
from mappings.oicp.v2_3 import evse_data, wire
from tests.mappings.oicp.examples import AT, DEFAULTS
from tests.oicp_schema import validate

FOLDER = Path(__file__).parent / "golden"
OPERATOR = PartyId("DE*ABC")
# OPERATOR is the party of `everything`; `high_power` is a sub-operator's and has what OICP cannot say; `public_dump`
# is in the forms of public dumps.
OUT = ("everything", "high_power")
IN = ("everything", "public_dump")


def _wire(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.wire.json").read_text(encoding="utf-8"))


def _canonical(name: str) -> Location:
    return Location.model_validate_json((FOLDER / f"{name}.canonical.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", OUT)
def test_a_location_is_written_as_its_golden_record(name: str) -> None:
    place = _canonical(name)
    record, issues = evse_data.from_canonical(place, place.evses[0], DEFAULTS, OPERATOR)
    assert record == _wire(name)
    validate("EvseDataRecord", record)
    assert bool(issues) == (name != "everything")


@pytest.mark.parametrize("name", IN)
def test_a_golden_record_is_read_as_its_location(name: str) -> None:
    operator = ("CH*SWISSCHARGE", "Swisscharge") if name == "public_dump" else (None, None)
    place, issues = evse_data.to_canonical(_wire(name), AT, *operator)
    assert place == _canonical(name)
    assert bool(issues) == (name != "everything")


def test_the_golden_record_that_says_everything_names_every_field_that_may_be_sent() -> None:
    record = _wire("everything")
    names = {str(field.alias) for field in wire.EvseDataRecord.model_fields.values()}
    assert names - record.keys() == {"deltaType", "lastUpdate"}
    wire.EvseDataRecord.model_validate(record)
