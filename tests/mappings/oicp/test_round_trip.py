"""Canonical → OICP → canonical loses only what the tables list and, where a value decides, an issue names."""

import re
from collections.abc import Iterable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.canonical.ids import EvseId
from mappings.canonical.locations import Connector, Evse, Location
from mappings.oicp.v2_3 import enums, evse_data, services, wire
from mappings.oicp.v2_3.tables import EVSE_DATA
from mappings.report import Issue, Refused, Report
from tests import strategies
from tests.mappings.oicp.examples import AT, DEFAULTS
from tests.oicp_schema import validate

RULES = {rule.field: rule for rule in EVSE_DATA.rules}
# What comes back, or not, for another field's sake, as the rules say.
ELSEWHERE = {
    "Location.operator",  # in the message above the record
    "Location.directions",
    "Location.images",
    "Location.name",
    "Location.coordinates",
    "Location.time_zone",
    "Evse.coordinates",
    "Evse.capabilities",
    "Evse.images",
    "Connector.capabilities",
}
# Compared by themselves.
PARTS = {"Location.evses", "Evse.connectors"}


def _named(issues: Iterable[Issue]) -> set[str]:
    """The last names of the fields that issues are about, and those on the way there."""
    return {name for issue in issues for name in re.findall(r"[a-z_]+", issue.field)}


def _differing(model: type, before: object, after: object) -> list[str]:
    return [
        name
        for name in model.model_fields
        if getattr(before, name) != getattr(after, name) and getattr(before, name) not in (None, ())
    ]


def _excused(field: str, named: set[str]) -> bool:
    rule = RULES[field]
    return bool(rule.lost) and (not rule.wire or field in ELSEWHERE or field.partition(".")[2] in named)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.locations().filter(lambda place: place.evses))
def test_a_trip_through_oicp_loses_only_what_the_table_lists_and_an_issue_names(place: Location) -> None:
    for rendered in evse_data.records(place, DEFAULTS, place.party):
        if isinstance(rendered.record, Refused):
            continue
        back, _ = evse_data.to_canonical(rendered.record, AT, place.party.normal)
        named = _named(rendered.issues)
        before, after = rendered.evse, back.evses[0]
        fields = [f"Location.{name}" for name in _differing(Location, _comparable(place), _comparable(back))]
        fields += [f"Evse.{name}" for name in _differing(Evse, before, after)]
        wrong = [field for field in fields if field not in PARTS and not _excused(field, named)]
        assert not wrong
        assert _said(before.connectors) >= {(c.standard, c.format) for c in after.connectors}


def _comparable(place: Location) -> Location:
    """The location with what `Hours`, `EnergyMix`, `Business` and `RelatedPoint` lose by their own rules taken out."""
    hours, mix = place.opening_times, place.energy_mix
    changes: dict[str, object] = {"address": " ".join(place.address.replace(",", " ").split())}
    if hours is not None:
        regular = tuple(sorted(set(hours.regular), key=lambda h: (h.weekday, h.begin, h.end)))
        changes["opening_times"] = hours.model_copy(
            update={"exceptional_openings": (), "exceptional_closings": (), "regular": regular}
        )
    if mix is not None:
        changes["energy_mix"] = mix.is_green_energy
    if place.suboperator is not None:
        changes["suboperator"] = place.suboperator.name
    return place.model_copy(update=changes)


def _said(connectors: Iterable[Connector]) -> set[tuple[object, object]]:
    """What each connector may come back as."""
    said = set()
    for one in connectors:
        for form, table in enums.PLUGS.items():
            rows = {row.canonical: row.wire for row in table.rows()}
            if one.format in (None, form) and rows[one.standard.value] != "—":
                plug = enums.Plug(rows[one.standard.value])
                for standard in enums.ConnectorStandard:
                    if rows[standard.value] == plug.value:
                        said.add((standard, enums.PLUG_FORMATS[plug]))
    return said


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.locations().filter(lambda place: place.evses), strategies.parties)
def test_every_record_validates_against_the_openapi_and_the_strict_model(place: Location, operator: object) -> None:
    for rendered in evse_data.records(place, DEFAULTS, operator):
        if isinstance(rendered.record, Refused):
            assert rendered.record.reason.field
            continue
        validate("EvseDataRecord", rendered.record)
        wire.EvseDataRecord.model_validate(rendered.record)
        assert not {"lastUpdate", "deltaType"} & rendered.record.keys()


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.locations().filter(lambda place: place.evses))
def test_one_evse_alone_is_written_as_it_is_among_its_location(place: Location) -> None:
    for rendered in evse_data.records(place, DEFAULTS, place.party):
        if isinstance(rendered.record, Refused):
            with pytest.raises(Refused) as refusal:
                evse_data.from_canonical(place, rendered.evse, DEFAULTS, place.party)
            assert refusal.value.issues == rendered.issues
        else:
            alone = evse_data.from_canonical(place, rendered.evse, DEFAULTS, place.party)
            assert alone == (rendered.record, rendered.issues)


@given(strategies.evses())
def test_every_capability_that_oicp_reads_back_is_one_that_it_was_given(evse: Evse) -> None:
    report, record = Report(), {}
    services.write(evse, DEFAULTS, record, report)
    modes = [enums.AUTHENTICATION_MODES.to_canonical(word) for word in record["AuthenticationModes"]]
    implied = {services.CAPABILITIES[mode] for mode in modes} - {None}
    if not evse.authentication_modes and "authentication_modes" not in {issue.field for issue in report.issues}:
        assert implied <= set(evse.capabilities)


@given(st.text(max_size=40) | st.from_regex(wire.EVSE_ID_PATTERN, fullmatch=True))
def test_any_text_for_an_evse_id_is_read_or_refused_with_its_field(text: str) -> None:
    evse_id = EvseId(text)
    if evse_id.well_formed:
        assert re.fullmatch(wire.EVSE_ID_PATTERN, evse_data.wire_id(evse_id))
    else:
        with pytest.raises(Refused, match="evse_id"):
            evse_data.wire_id(evse_id)
