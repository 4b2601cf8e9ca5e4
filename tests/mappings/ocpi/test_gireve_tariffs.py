from typing import Any

import pytest

from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import (
    ClockSpan,
    DayOfWeek,
    PriceComponent,
    PriceRounding,
    RoundingRule,
    Tariff,
    TariffDimension,
    TariffHours,
    TariffType,
)
from mappings.ocpi.dialects import gireve_tariffs
from mappings.report import IssueKind, Refused
from tests.mappings.ocpi.samples import DELETE, TARIFF, spoilt

PRICED = gireve_tariffs.to_canonical(TARIFF)[0]
COMPONENT = "elements.0.price_components.0"
PRICE_ROUND = {"round_granularity": "HUNDRETH", "round_rule": "ROUND_DOWN"}
STEP_ROUND = {"round_granularity": "UNIT", "round_rule": "ROUND_NEAR"}
HOURS = TariffHours(
    spans=(ClockSpan(start="08:00", end="12:00"), ClockSpan(start="22:00", end="06:00")),
    days=(DayOfWeek.MONDAY, DayOfWeek.FRIDAY),
)
RESTRICTION = {
    "start_time": "08:00",
    "end_time": "12:00",
    "start_time_2": "22:00",
    "end_time_2": "06:00",
    "day_of_week": ["MONDAY", "FRIDAY"],
}


def found(issues: list[Any]) -> list[tuple[IssueKind, str]]:
    return [(i.kind, i.field) for i in issues]


def with_component(**fields: Any) -> dict[str, Any]:
    return spoilt(TARIFF, COMPONENT, {**TARIFF["elements"][0]["price_components"][0], **fields})


def component_of(tariff: Tariff) -> PriceComponent:
    return tariff.elements[0].price_components[0]


def of_component(**changes: Any) -> Tariff:
    element = PRICED.elements[0]
    component = component_of(PRICED).model_copy(update=changes)
    return PRICED.model_copy(update={"elements": (element.model_copy(update={"price_components": (component,)}),)})


def test_a_targeted_tariff_comes_back_with_its_target() -> None:
    wire = {**TARIFF, "target_operator_country_code": "NL", "target_operator_party_id": "MSP"}
    tariff, issues = gireve_tariffs.to_canonical(wire)
    assert issues == []
    assert tariff.target == PartyId("NL*MSP")
    assert tariff.unknown == {}
    assert gireve_tariffs.from_canonical(tariff) == (wire, [])


@pytest.mark.parametrize("target", [{"target_operator_country_code": "NL"}, {"target_operator_party_id": "MSP"}])
def test_half_a_target_refuses_the_tariff(target: dict[str, str]) -> None:
    with pytest.raises(Refused):
        gireve_tariffs.to_canonical({**TARIFF, **target})


def test_null_targets_mean_all() -> None:
    nulls = {"target_operator_country_code": None, "target_operator_party_id": None}
    assert gireve_tariffs.to_canonical({**TARIFF, **nulls}) == (PRICED, [])


def test_session_time_is_a_dimension_here() -> None:
    wire = spoilt(TARIFF, "elements.0.price_components.0.type", "SESSION_TIME")
    tariff, issues = gireve_tariffs.to_canonical(wire)
    assert issues == []
    assert tariff.elements[0].price_components[0].type is TariffDimension.SESSION_TIME
    assert gireve_tariffs.from_canonical(tariff) == (wire, [])


def test_a_tariff_that_is_not_forwarded_or_has_no_start_is_an_issue() -> None:
    tariff = PRICED.model_copy(update={"type": TariffType.AD_HOC_PAYMENT, "start": None})
    assert found(gireve_tariffs.from_canonical(tariff)[1]) == [(IssueKind.LOST, "type"), (IssueKind.SUSPECT, "start")]


def test_a_tariff_without_start_is_read_all_the_same() -> None:
    assert gireve_tariffs.to_canonical(spoilt(TARIFF, "start_date_time", DELETE))[1] == []


def test_hours_go_and_come() -> None:
    wire = {**TARIFF, "restriction": RESTRICTION}
    tariff, issues = gireve_tariffs.to_canonical(wire)
    assert issues == []
    assert tariff == PRICED.model_copy(update={"hours": HOURS})
    assert gireve_tariffs.from_canonical(tariff) == (wire, [])


def test_hours_under_the_name_that_the_guides_prose_has_are_read() -> None:
    tariff, issues = gireve_tariffs.to_canonical({**TARIFF, "restrictions": RESTRICTION})
    assert found(issues) == [(IssueKind.MENDED, "restrictions")]
    assert tariff.hours == HOURS
    assert tariff.unknown == {}


@pytest.mark.parametrize("nothing", [None, {}, {"start_time": None, "day_of_week": []}])
def test_a_restriction_that_restricts_nothing_is_none(nothing: Any) -> None:
    assert gireve_tariffs.to_canonical({**TARIFF, "restriction": nothing}) == (PRICED, [])


@pytest.mark.parametrize(
    ("given", "span", "missing"),
    [
        ({"start_time": "18:00"}, ("18:00", "00:00"), "restriction.end_time"),
        ({"end_time_2": "06:00"}, ("00:00", "06:00"), "restriction.start_time_2"),
    ],
)
def test_a_span_that_is_open_reaches_midnight(given: Any, span: tuple[str, str], missing: str) -> None:
    tariff, issues = gireve_tariffs.to_canonical({**TARIFF, "restriction": given})
    assert found(issues) == [(IssueKind.MENDED, missing)]
    assert tariff.hours == TariffHours(spans=(ClockSpan(start=span[0], end=span[1]),))


@pytest.mark.parametrize(
    ("restriction", "field"),
    [
        ("nights", "restriction"),
        ({"start_time": "8 AM", "end_time": "12:00"}, "restriction.start_time"),
        ({"start_time": 8, "end_time": "12:00"}, "restriction.start_time"),
        ({"day_of_week": ["HOLIDAY"]}, "restriction.day_of_week.0"),
        ({"day_of_week": "MONDAY"}, "restriction.day_of_week"),
    ],
)
def test_hours_that_cannot_be_read_refuse_the_tariff(restriction: Any, field: str) -> None:
    with pytest.raises(Refused) as refused:
        gireve_tariffs.to_canonical({**TARIFF, "restriction": restriction})
    assert refused.value.reason.field == field


def test_what_is_not_gireves_in_a_restriction_is_kept_and_given_back() -> None:
    wire = {**TARIFF, "restriction": {"start_time": "08:00", "end_time": "12:00", "season": "summer"}}
    tariff, issues = gireve_tariffs.to_canonical(wire)
    assert found(issues) == [(IssueKind.UNKNOWN, "restriction.season")]
    assert tariff.unknown == {"restriction": {"season": "summer"}}
    assert gireve_tariffs.from_canonical(tariff) == (wire, [])


def test_more_than_two_spans_cannot_be_said() -> None:
    spans = tuple(ClockSpan(start=f"{hour:02}:00", end=f"{hour + 1:02}:00") for hour in (1, 5, 9))
    with pytest.raises(Refused) as refused:
        gireve_tariffs.from_canonical(PRICED.model_copy(update={"hours": TariffHours(spans=spans)}))
    assert refused.value.reason.field == "hours.spans"


def test_roundings_go_and_come() -> None:
    wire = with_component(price_round=PRICE_ROUND, step_round=STEP_ROUND, exact_price_component=True)
    tariff, issues = gireve_tariffs.to_canonical(wire)
    assert issues == []
    assert component_of(tariff) == component_of(PRICED).model_copy(
        update={
            "price_rounding": PriceRounding(places=2, rule=RoundingRule.ROUND_DOWN),
            "step_rounding": RoundingRule.ROUND_NEAR,
            "exact": True,
        }
    )
    assert gireve_tariffs.from_canonical(tariff) == (wire, [])


@pytest.mark.parametrize(("word", "places"), [("UNIT", 0), ("TENTH", 1), ("HUNDRETH", 2), ("THOUSANDTH", 3)])
def test_a_granularity_is_a_number_of_places(word: str, places: int) -> None:
    wire = with_component(price_round={**PRICE_ROUND, "round_granularity": word})
    tariff, issues = gireve_tariffs.to_canonical(wire)
    rounding = component_of(tariff).price_rounding
    assert issues == []
    assert rounding is not None
    assert rounding.places == places
    assert gireve_tariffs.from_canonical(tariff) == (wire, [])


@pytest.mark.parametrize("word", ["HUNDREDTH", "hundreth", " HUNDRETH "])
def test_a_granularity_that_is_spelt_otherwise_is_mended(word: str) -> None:
    tariff, issues = gireve_tariffs.to_canonical(
        with_component(price_round={"round_granularity": word, "round_rule": "round_down"})
    )
    path = "elements[0].price_components[0].price_round"
    assert set(found(issues)) == {
        (IssueKind.MENDED, f"{path}.round_granularity"),
        (IssueKind.MENDED, f"{path}.round_rule"),
    }
    assert component_of(tariff).price_rounding == PriceRounding(places=2, rule=RoundingRule.ROUND_DOWN)


@pytest.mark.parametrize(
    ("rounding", "field"),
    [
        ({"price_round": "HUNDRETH"}, "price_round"),
        ({"price_round": {"round_granularity": "HUNDRETH"}}, "price_round.round_rule"),
        ({"price_round": {"round_rule": "ROUND_UP"}}, "price_round.round_granularity"),
        ({"price_round": {**PRICE_ROUND, "round_granularity": "CENT"}}, "price_round.round_granularity"),
        ({"price_round": {**PRICE_ROUND, "round_granularity": 2}}, "price_round.round_granularity"),
        ({"price_round": {**PRICE_ROUND, "round_rule": "ROUND_HALF_EVEN"}}, "price_round.round_rule"),
        ({"step_round": {**STEP_ROUND, "round_granularity": "TENTH"}}, "step_round.round_granularity"),
        ({"step_round": {**STEP_ROUND, "round_rule": ""}}, "step_round.round_rule"),
    ],
)
def test_a_rounding_that_cannot_be_read_refuses_the_tariff(rounding: Any, field: str) -> None:
    with pytest.raises(Refused) as refused:
        gireve_tariffs.to_canonical(with_component(**rounding))
    assert refused.value.reason.field == f"elements[0].price_components[0].{field}"


def test_null_roundings_are_none() -> None:
    wire = with_component(price_round=None, step_round=None, exact_price_component=None)
    assert gireve_tariffs.to_canonical(wire) == (PRICED, [])


def test_a_component_that_only_comes_near_is_doubted() -> None:
    tariff, issues = gireve_tariffs.to_canonical(with_component(exact_price_component="false"))
    field = "elements[0].price_components[0].exact_price_component"
    assert found(issues) == [(IssueKind.MENDED, field), (IssueKind.SUSPECT, field)]
    assert component_of(tariff).exact is False


def test_whether_a_component_is_exact_may_stay_unknown() -> None:
    wire = with_component(exact_price_component="perhaps")
    tariff, issues = gireve_tariffs.to_canonical(wire)
    assert [kind for kind, _ in found(issues)] == [IssueKind.UNKNOWN]
    assert component_of(tariff).exact is None
    assert gireve_tariffs.from_canonical(tariff) == (wire, [])


def test_what_gireve_does_anyhow_is_heeded() -> None:
    usual = of_component(
        price_rounding=gireve_tariffs.DEFAULT_ROUNDING, step_rounding=RoundingRule.ROUND_UP, exact=True
    )
    assert gireve_tariffs.heeded(PRICED) == (PRICED, [])
    assert gireve_tariffs.heeded(usual) == (usual, [])


def test_hours_and_roundings_of_a_cpo_are_not_known_to_be_heeded() -> None:
    tariff = of_component(
        price_rounding=PriceRounding(places=0, rule=RoundingRule.ROUND_UP), step_rounding=RoundingRule.ROUND_DOWN
    ).model_copy(update={"hours": HOURS})
    left, issues = gireve_tariffs.heeded(tariff)
    path = "elements[0].price_components[0]"
    assert found(issues) == [
        (IssueKind.NARROWED, "hours"),
        (IssueKind.NARROWED, f"{path}.price_rounding"),
        (IssueKind.NARROWED, f"{path}.step_rounding"),
    ]
    assert left == of_component(price_rounding=gireve_tariffs.DEFAULT_ROUNDING, step_rounding=RoundingRule.ROUND_UP)
