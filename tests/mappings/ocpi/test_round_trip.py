"""canonical → OCPI → canonical loses only what the table of losses lists."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.canonical.base import Model
from mappings.canonical.cdrs import Cdr
from mappings.canonical.commands import Command, CommandAnswer, CommandResult, StartSession
from mappings.canonical.legs import Leg
from mappings.canonical.locations import ConnectorFormat, Location, PowerType
from mappings.canonical.sessions import ChargingPreferences, Session
from mappings.canonical.tariffs import RoundingRule, Tariff, TariffDimension
from mappings.canonical.tokens import Identification, Token, TokenType
from mappings.ocpi.defaults import ConnectorDefault, ConnectorDefaults
from mappings.ocpi.dialects import gireve, gireve_charging, gireve_tables, gireve_tariffs
from mappings.ocpi.v2_2_1 import cdrs, commands, locations, sessions, tables, tariffs, tokens
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


def beyond_ocpi(tariff: Tariff) -> bool:
    components = [c for e in tariff.elements for c in e.price_components]
    return (
        tariff.hours is not None
        or any(c.type is TariffDimension.SESSION_TIME or c.price_rounding is not None for c in components)
        or any(c.step_rounding not in {None, RoundingRule.ROUND_UP} for c in components)
    )


@relaxed
@given(strategies.tariffs)
def test_a_tariff_loses_only_what_the_table_lists_or_is_refused(tariff: Tariff) -> None:
    said = attempt(tariffs.from_canonical, tariff)
    if isinstance(said, Refused):
        assert tariff.target is not None or beyond_ocpi(tariff), said
        return
    wire, issues = said
    back, _ = tariffs.to_canonical(locations.dump(wire))
    check(tariff, back, issues, lossy(tables.FIELDS))


@relaxed
@given(strategies.tariffs)
def test_an_approximated_tariff_is_said_as_the_one_that_comes_nearest(tariff: Tariff) -> None:
    tariff = tariff.model_copy(update={"target": None})
    said = attempt(lambda: tariffs.from_canonical(tariff, approximate=True))
    if isinstance(said, Refused):
        assert beyond_ocpi(tariff)
        assert said.reason.detail == str(attempt(tariffs.nearest, tariff).reason.detail)
        return
    wire, issues = said
    nearest, noted = tariffs.nearest(tariff)
    assert not beyond_ocpi(nearest)
    assert beyond_ocpi(tariff) <= bool(noted)
    check(nearest, tariffs.to_canonical(locations.dump(wire))[0], issues, lossy(tables.FIELDS))


@relaxed
@given(strategies.tariffs)
def test_every_tariff_can_be_said_to_gireve(tariff: Tariff) -> None:
    wire, issues = gireve_tariffs.from_canonical(tariff)
    back, _ = gireve_tariffs.to_canonical(locations.dump(wire))
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


SAID_ALL_THE_SAME = {TokenType.PLUG_AND_CHARGE, TokenType.QR_CODE}


def unsayable(driver: Identification) -> str | None:
    """What a CdrToken lacks, in the order in which it is looked for."""
    if driver.party is None:
        return "party"
    if driver.contract_id is None:
        return "contract_id"
    return "uid" if driver.uid is None and driver.type not in SAID_ALL_THE_SAME else None


def leg_of(charge: Session | Cdr) -> Leg:
    return Leg(reference=charge.reference, identification=charge.identification)


@relaxed
@given(strategies.tokens)
def test_a_token_loses_only_what_the_table_lists(token: Token) -> None:
    wire, issues = tokens.from_canonical(token)
    back, _ = tokens.to_canonical(locations.dump(wire))
    check(token, back, issues, lossy(tables.FIELDS))


@relaxed
@given(strategies.sessions)
def test_a_session_loses_only_what_the_table_lists_or_lacks_what_a_token_needs(session: Session) -> None:
    said = attempt(sessions.from_canonical, session, leg_of(session))
    if isinstance(said, Refused):
        assert said.reason.field == f"leg.identification.{unsayable(session.identification)}"
        return
    wire, issues = said
    back, none = sessions.to_canonical(locations.dump(wire))
    assert none == []
    check(spoken(session), spoken(back), issues, lossy(tables.FIELDS))


@relaxed
@given(strategies.cdrs())
def test_a_cdr_loses_only_what_the_table_lists_or_lacks_what_ocpi_demands(cdr: Cdr) -> None:
    said = attempt(lambda: cdrs.from_canonical(cdr, leg_of(cdr), zero_cost=False))
    if isinstance(said, Refused):
        lacking = unsayable(cdr.identification)
        assert said.reason.field == f"leg.identification.{lacking}" if lacking else "total_cost", said
        assert lacking or cdr.total_cost is None
        return
    wire, issues = said
    back, _ = cdrs.to_canonical(locations.dump(wire))
    if any(i.field == "periods" and i.kind is IssueKind.DEFAULTED for i in issues):
        assert sum(d.volume for p in back.periods for d in p.dimensions) == cdr.energy
        back = back.model_copy(update={"periods": cdr.periods})
    if any(i.field.startswith("tariffs[") and i.kind is IssueKind.LEFT_OUT for i in issues):
        assert any(map(beyond_ocpi, cdr.tariffs))
        back = back.model_copy(update={"tariffs": cdr.tariffs})
    targets = tuple(t.model_copy(update={"target": None}) for t in cdr.tariffs)
    check(cdr.model_copy(update={"tariffs": targets}), targetless(back), issues, lossy(tables.FIELDS))


def targetless(cdr: Cdr) -> Cdr:
    return cdr.model_copy(update={"tariffs": tuple(t.model_copy(update={"target": None}) for t in cdr.tariffs)})


def spoken(session: Session) -> Session:
    """A session without the periods that say nothing, which OCPI does not have."""
    return session.model_copy(update={"periods": tuple(p for p in session.periods if p.dimensions)})


@relaxed
@given(strategies.cdrs())
def test_a_cdr_at_gireve_keeps_the_targets_of_its_tariffs_and_is_no_credit(cdr: Cdr) -> None:
    said = attempt(lambda: gireve_charging.cdr_from_canonical(cdr, leg_of(cdr), zero_cost=True))
    if isinstance(said, Refused):
        lacking = unsayable(cdr.identification)
        assert cdr.credit or said.reason.field == f"leg.identification.{lacking}"
        return
    wire, _ = said
    assert not cdr.credit
    back, _ = gireve_charging.cdr_to_canonical(locations.dump(wire))
    assert [t.target for t in back.tariffs] == [t.target for t in cdr.tariffs]
    if cdr.total_cost is None:
        assert wire["total_cost"] == {"excl_vat": 0}


@relaxed
@given(strategies.sessions)
def test_an_anonymous_session_says_nothing_of_its_driver(session: Session) -> None:
    wire, _ = gireve_charging.anonymous_session_from_canonical(session)
    assert wire["cdr_token"] == gireve_charging.ADVENIR.model_dump()
    assert "authorization_reference" not in wire


@relaxed
@given(strategies.cdrs().map(lambda cdr: cdr.model_copy(update={"credit": False, "credited_cdr": None})))
def test_an_anonymous_cdr_says_nothing_of_its_driver(cdr: Cdr) -> None:
    wire, _ = gireve_charging.anonymous_cdr_from_canonical(cdr, zero_cost=True)
    assert wire["cdr_token"] == gireve_charging.ADVENIR.model_dump()
    assert not {"authorization_reference", "signed_data", "remark", "invoice_reference_id"} & wire.keys()


@relaxed
@given(strategies.preferences)
def test_charging_preferences_come_back_whole(preferences: ChargingPreferences) -> None:
    wire, issues = sessions.preferences_from_canonical(preferences)
    assert issues == []
    assert sessions.preferences_to_canonical(locations.dump(wire)) == (preferences, [])


@relaxed
@given(strategies.commands)
def test_a_command_loses_only_what_the_table_lists(command: Command) -> None:
    wire, issues = commands.from_canonical(command, "https://example.com/1")
    (back, url), _ = commands.to_canonical(command.kind, locations.dump(wire))
    assert url == "https://example.com/1"
    check(command, back, issues, lossy(tables.FIELDS) | {"EvseRef.connector_id"})
    assert not isinstance(command, StartSession) or back.at == command.at


@given(st.sampled_from(CommandResult), st.sampled_from([None, "Not here"]))
def test_an_answer_to_a_command_loses_only_what_the_table_lists(result: CommandResult, text: str | None) -> None:
    answer = CommandAnswer(result=result, text=text)
    wire, issues = commands.result_from_canonical(answer)
    back, _ = commands.result_to_canonical(locations.dump(wire))
    check(answer, back, issues, lossy(tables.FIELDS))
    wire, issues = commands.response_from_canonical(result, 30, text)
    response, _ = commands.response_to_canonical(locations.dump(wire))
    assert (response.timeout, response.text) == (30, text)
    assert response.result is result or any(i.kind is IssueKind.NARROWED for i in issues)
