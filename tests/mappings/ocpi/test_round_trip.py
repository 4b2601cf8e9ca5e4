"""canonical → OCPI → canonical loses only what the table of losses lists."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings

from mappings.canonical.base import Model
from mappings.canonical.locations import ConnectorFormat, Location, PowerType
from mappings.canonical.tariffs import Tariff, TariffDimension
from mappings.ocpi.defaults import ConnectorDefault, ConnectorDefaults
from mappings.ocpi.dialects import gireve, gireve_tables
from mappings.ocpi.v2_2_1 import locations, tables, tariffs
from mappings.report import Issue, IssueKind, Refused
from mappings.tables import FieldTable
from tests import strategies

DEFAULTS = ConnectorDefaults(
    otherwise=ConnectorDefault(format=ConnectorFormat.CABLE, power_type=PowerType.DC, max_voltage=400, max_amperage=100)
)
SETTINGS = gireve.GireveSettings(operator_name="Brand", owner_name="Owner", connectors=DEFAULTS)
DEFAULTED = {"Connector.format", "Connector.power_type", "Connector.max_voltage", "Connector.max_amperage"}
NAMED = {"Location.operator", "Location.owner"}
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def attempt(write: Any, *args: Any) -> Any:
    try:
        return write(*args)
    except Refused as refused:
        return refused


def lossy(fields: list[FieldTable]) -> frozenset[str]:
    return frozenset().union(*(table.lossy_fields() for table in fields))


def differences(before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """Names the canonical fields that differ, as deep as both sides have the same shape."""
    if isinstance(before, Model) and type(after) is type(before):
        for name in type(before).model_fields:
            a, b = getattr(before, name), getattr(after, name)
            field = f"{type(before).__name__}.{name}"
            inner = list(differences(a, b)) if isinstance(a, (Model, tuple)) else []
            if a != b:
                yield from inner or [(field, a, b)]
    elif isinstance(before, tuple) and isinstance(after, tuple) and len(before) == len(after):
        for a, b in zip(before, after, strict=True):
            yield from differences(a, b)


def check(before: Model, after: Model, issues: list[Issue], allowed: frozenset[str]) -> None:
    for field, a, b in differences(before, after):
        if field in DEFAULTED:
            assert a is None
            assert any(i.kind is IssueKind.DEFAULTED for i in issues)
        elif field in NAMED:
            assert a is None
        else:
            assert field in allowed, (field, a, b)
            assert any(i.kind in {IssueKind.LOST, IssueKind.NARROWED} for i in issues), (field, a, b)


def without_avcon(location: Location, issues: list[Issue]) -> Location:
    """What is left when the parts that were left out, each with an issue, are gone."""
    left_out = {i.field for i in issues if i.kind is IssueKind.LEFT_OUT}
    evses = []
    for i, evse in enumerate(location.evses):
        if f"evses[{i}]" in left_out:
            assert {c.standard for c in evse.connectors} == {"AVCON"}
            continue
        kept = tuple(c for j, c in enumerate(evse.connectors) if f"evses[{i}].connectors[{j}]" not in left_out)
        assert all(c.standard == "AVCON" for c in evse.connectors if c not in kept)
        evses.append(evse.model_copy(update={"connectors": kept}))
    return location.model_copy(update={"evses": tuple(evses)})


@relaxed
@given(strategies.locations())
def test_a_location_loses_only_what_the_table_lists(location: Location) -> None:
    said = attempt(locations.from_canonical, location, DEFAULTS)
    if isinstance(said, Refused):
        assert said.reason.field == "evses"
        assert all({c.standard for c in e.connectors} == {"AVCON"} for e in location.evses)
        return
    wire, issues = said
    back, _ = locations.to_canonical(locations.dump(wire))
    check(without_avcon(location, issues), back, issues, lossy(tables.FIELDS))


@relaxed
@given(strategies.locations())
def test_a_location_at_gireve_loses_only_what_its_table_lists(location: Location) -> None:
    said = attempt(gireve.location_from_canonical, location, SETTINGS)
    if isinstance(said, Refused):
        assert said.reason.field == "evses"
        return
    wire, issues = said
    back, _ = gireve.location_to_canonical(locations.dump(wire))
    check(without_avcon(location, issues), back, issues, lossy(gireve_tables.FIELDS))


@relaxed
@given(strategies.locations())
def test_what_is_read_without_a_second_check_would_have_passed_it(location: Location) -> None:
    said = attempt(locations.from_canonical, location, DEFAULTS)
    if isinstance(said, Refused):
        return
    wire, _ = said
    back, _ = locations.to_canonical(locations.dump(wire))
    assert Location.model_validate(back.model_dump()) == back
    assert Location.model_validate_json(back.model_dump_json()) == back
    assert list(back.model_dump()) == list(Location.model_fields)


@relaxed
@given(strategies.tariffs)
def test_a_tariff_loses_only_what_the_table_lists_or_is_refused(tariff: Tariff) -> None:
    said = attempt(tariffs.from_canonical, tariff)
    if isinstance(said, Refused):
        dimensions = {c.type for e in tariff.elements for c in e.price_components}
        assert tariff.target is not None or TariffDimension.SESSION_TIME in dimensions, said
        return
    wire, issues = said
    back, _ = tariffs.to_canonical(locations.dump(wire))
    check(tariff, back, issues, lossy(tables.FIELDS))


@relaxed
@given(strategies.tariffs)
def test_every_tariff_can_be_said_to_gireve(tariff: Tariff) -> None:
    wire, issues = gireve.tariff_from_canonical(tariff)
    back, _ = gireve.tariff_to_canonical(locations.dump(wire))
    check(tariff, back, issues, lossy(gireve_tables.FIELDS))
    assert back.target == tariff.target


def test_a_price_is_the_number_that_was_written() -> None:
    wire = (
        b'{"country_code":"NL","party_id":"ABC","id":"1","currency":"EUR","last_updated":"2026-01-01T00:00:00Z",'
        b'"elements":[{"price_components":[{"type":"ENERGY","price":0.7025,"vat":21,"step_size":1}]}]}'
    )
    tariff, _ = tariffs.to_canonical(wire)
    assert tariff.elements[0].price_components[0].price == Decimal("0.7025")
    assert b'"price":0.7025' in locations.dump(tariffs.from_canonical(tariff)[0])
