"""The specification's own examples parse, and come back without loss."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from mappings.ocpi import envelope
from mappings.ocpi.v2_2_1 import (
    cdrs,
    credentials,
    locations,
    locations_out,
    patches,
    sessions,
    tariffs,
    texts,
    tokens,
    versions,
)
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.locations_in import hours
from mappings.report import IssueKind, Refused, Report
from tests.drawing import START
from tests.shared import ROOT, shared_path

FOLDER = "protocols/ocpi-2.2.1/examples"


def names(*prefixes: str) -> list[Any]:
    found = sorted(p.name for p in (ROOT / FOLDER).glob("*.json") if p.name.startswith(prefixes))
    return [pytest.param(n, id=n) for n in found] or [pytest.param("", id="absent")]


def example(name: str) -> Any:
    return json.loads((shared_path(FOLDER) / name).read_text(encoding="utf-8"))


def normal(value: Any) -> Any:
    """What two wire objects share that say the same: no nulls, no empty lists, coordinates and stamps spelt alike."""
    if isinstance(value, dict):
        inner = {k: normal(v) for k, v in value.items() if v is not None and v != []}
        return {k: str(float(v)) if k in {"latitude", "longitude"} else v for k, v in inner.items()}
    if isinstance(value, list):
        return [normal(v) for v in value]
    if isinstance(value, str) and value.endswith(".000Z"):
        return value.replace(".000Z", "Z")
    return value


@pytest.mark.parametrize("name", names("location_example"))
def test_a_location_comes_back_as_it_was(name: str) -> None:
    wire = example(name)
    location, issues = locations.to_canonical(json.dumps(wire))
    kinds = {issue.kind for issue in issues}
    assert kinds <= {IssueKind.MENDED, IssueKind.UNKNOWN}, issues
    back, lost = locations.from_canonical(location)
    assert {issue.kind for issue in lost} <= set()
    again, _ = locations.to_canonical(locations.dump(back))
    assert again == location
    if not issues:
        assert normal(back) == normal(wire)


@pytest.mark.parametrize("name", names("tariff_", "tariffrestriction_"))
def test_a_tariff_comes_back_as_it_was(name: str) -> None:
    wire = example(name)
    wire.setdefault("last_updated", "2026-01-01T00:00:00Z")  # an example of a PUT lacks it
    tariff, issues = tariffs.to_canonical(json.dumps(wire))
    assert issues == []
    back, lost = tariffs.from_canonical(tariff)
    assert lost == []
    assert normal(back) == normal(wire)
    assert tariffs.to_canonical(locations.dump(back))[0] == tariff


@pytest.mark.parametrize("name", names("credentials_"))
def test_credentials_come_back_as_they_were(name: str) -> None:
    wire = example(name)
    found, issues = credentials.to_canonical(json.dumps(wire))
    assert issues == []
    assert wire["token"] not in repr(found)
    back, _ = credentials.from_canonical(found)
    by_role = lambda roles: sorted(roles, key=lambda r: (r["party_id"], r["role"]))  # noqa: E731
    assert by_role(back.pop("roles")) == by_role(wire.pop("roles"))
    assert back == wire


@pytest.mark.parametrize("name", names("version_details_"))
def test_version_details_come_back_as_they_were(name: str) -> None:
    wire = example(name)
    details, issues = versions.to_canonical(json.dumps(wire))
    assert issues == []
    back = versions.from_canonical(details)
    for said, given in zip(back["endpoints"], wire["endpoints"], strict=True):
        if said["identifier"] == "credentials":
            given["role"] = "SENDER"  # says nothing there
    assert back == wire


def test_versions_come_back_as_they_were() -> None:
    wire = example("versions_info_example.json")
    found, issues = versions.versions_to_canonical(json.dumps(wire))
    assert issues == []
    assert versions.versions_from_canonical(found) == wire


@pytest.mark.parametrize("name", names("transport_and_format_version"))
def test_an_answer_is_opened(name: str) -> None:
    raw = (shared_path(FOLDER) / name).read_bytes()
    answer = envelope.read(raw)
    assert answer.code == envelope.StatusCode.SUCCESS
    assert answer.timestamp is not None
    if isinstance(answer.data, list):
        assert versions.versions_to_canonical(answer.data)[1] == []
    else:
        assert versions.to_canonical(answer.data)[0].endpoints


@pytest.mark.parametrize("name", names("location_energymix"))
def test_an_energy_mix_comes_back_as_it_was(name: str) -> None:
    wire = TypeAdapter(w.EnergyMix).validate_python(example(name)["energy_mix"])
    report = Report()
    mix = texts.energy_in(wire, report, ("energy_mix",))
    assert texts.energy_out(mix, report, ("energy_mix",)) == wire
    assert report.issues == []


@pytest.mark.parametrize("name", names("location_hours", "location_regularhours"))
def test_opening_times_come_back_as_they_were(name: str) -> None:
    wire = example(name)
    wire = wire.get("opening_times", wire)
    typed = TypeAdapter(w.Hours).validate_python(wire)
    report = Report()
    assert locations_out.hours(hours(typed, report, ()), report, ()) == wire
    assert report.issues == []


def test_a_display_text_comes_back_as_it_was() -> None:
    wire = example("type_displaytext_example.json")
    report = Report()
    assert texts.text_out(texts.text_in(wire, report, ()), report, ()) == wire
    assert report.issues == []


def test_the_put_of_a_single_evse_is_read_though_it_breaks_the_rules() -> None:
    evse, issues = locations.evse_to_canonical(json.dumps(example("location_put_example_add_evse.json")))
    assert evse.uid == "3256"
    assert evse.physical_reference == "3"
    assert evse.connectors[0].last_updated == evse.last_updated
    assert evse.connectors[0].power_type is None
    assert evse.unknown == {"floor": -1}
    assert [(i.kind, i.field) for i in issues] == [
        (IssueKind.MENDED, "physical_reference"),
        (IssueKind.UNKNOWN, "floor"),
        (IssueKind.MENDED, "connectors[0].last_updated"),
    ]


def test_the_patches_change_what_they_name() -> None:
    location, _ = locations.to_canonical(json.dumps(example("location_example.json")))
    uid, plug = location.evses[0].uid, location.evses[0].connectors[0].id
    renamed = patches.patch_location(location, json.dumps(example("location_patch_example_location.json")))
    assert renamed.changed == {"name"}
    assert renamed.after.name == "Interparking Gent Zuid"
    busy = patches.patch_evse(location, uid, json.dumps(example("location_patch_example_status.json")))
    assert busy.changed == {"status"}
    assert busy.after.evses[0].status == "CHARGING"
    assert busy.after.last_updated == busy.after.evses[0].last_updated
    gone = patches.patch_evse(location, uid, json.dumps(example("location_patch_example_remove_evse.json")))
    assert gone.after.evses[0].status == "REMOVED"
    priced = patches.patch_connector(location, uid, plug, json.dumps(example("location_patch_example_tariff.json")))
    assert priced.changed == {"tariff_ids"}
    assert priced.after.evses[0].connectors[0].tariff_ids == ("15",)
    assert priced.after.evses[1:] == location.evses[1:]


def test_the_put_of_a_tariff_without_a_stamp_takes_the_time_of_arrival_or_is_refused() -> None:
    source = json.dumps(example("tariff_put_example.json"))
    tariff, issues = tariffs.to_canonical(source, received=START)
    assert tariff.last_updated == START
    assert [(i.kind, i.field) for i in issues] == [(IssueKind.MENDED, "last_updated")]
    with pytest.raises(Refused) as refused:
        tariffs.to_canonical(source)
    assert refused.value.reason.field == "last_updated"


@pytest.mark.parametrize("name", names("token_example_", "token_put_"))
def test_a_token_comes_back_as_it_was(name: str) -> None:
    wire = example(name)
    token, issues = tokens.to_canonical(json.dumps(wire))
    assert issues == []
    assert tokens.from_canonical(token) == (wire, [])


@pytest.mark.parametrize("name", names("transport_and_format_get_token"))
def test_a_token_in_an_answer_comes_back_as_it_was(name: str) -> None:
    data = envelope.read((shared_path(FOLDER) / name).read_bytes()).data
    for wire in data if isinstance(data, list) else [data]:
        token, issues = tokens.to_canonical(wire)
        assert issues == []
        assert tokens.from_canonical(token) == (wire, [])


@pytest.mark.parametrize("name", names("session_example_"))
def test_a_session_comes_back_as_it_was(name: str) -> None:
    wire = example(name)
    session, issues = sessions.to_canonical(json.dumps(wire))
    assert issues == []
    assert sessions.from_canonical(session) == (wire, [])


def test_a_cdr_comes_back_as_it_was() -> None:
    wire = example("cdr_example.json")
    cdr, issues = cdrs.to_canonical(json.dumps(wire))
    assert issues == []
    assert cdrs.from_canonical(cdr) == (wire, [])


def test_the_patch_of_a_token_changes_what_it_names() -> None:
    token, _ = tokens.to_canonical(json.dumps(example("token_put_example.json")))
    made = patches.patch_token(token, json.dumps(example("token_patch_example.json")))
    assert made.changed == {"valid"}
    assert not made.after.valid
    assert made.after.last_updated > token.last_updated


def test_the_patches_of_a_session_set_the_cost_and_add_a_period() -> None:
    session, _ = sessions.to_canonical(json.dumps(example("session_example_2_short_finished.json")))
    priced = patches.patch_session(session, json.dumps(example("session_patch_example_total_cost.json")))
    assert priced.changed == {"total_cost"}
    assert priced.after.periods == session.periods
    on = patches.patch_session(session, json.dumps(example("session_patch_example_charging_period.json")))
    assert on.changed == {"energy", "periods", "total_cost"}
    assert on.after.periods[:-1] == session.periods
    assert on.after.energy == 15
