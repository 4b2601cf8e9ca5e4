"""Which tariffs Gireve is told of, and with which doubts."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.core.adapter import Item, Plan, Rendered
from adapters.gireve import fingerprints
from adapters.gireve.adapter import GireveAdapter
from adapters.gireve.plan_tariffs import plan_tariffs
from adapters.gireve.rendering import Rendering
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import ClockSpan, PriceRounding, RoundingRule, Tariff, TariffHours, TariffType
from mappings.canonical.texts import LocalText
from mappings.report import IssueKind
from tests.adapters.doubles import Measured, compared, connection
from tests.adapters.gireve.network import AT, EMSP, tariff

NIGHTS = TariffHours(spans=(ClockSpan(start="22:00", end="06:00"),))
OTHER = PartyId("FR*OTH")
KEY = "FR*ABC/T1/-"


def plan(subject: Tariff, accepted: bytes | None = None, **settings: Any) -> Plan:
    item = Item("tariffs", KEY, KEY, None, subject, None, gone=False, sent_as=None, accepted=accepted)
    return plan_tariffs(Rendering(Settings(**settings), compared), [item])


def put(subject: Tariff, accepted: bytes | None = None, **settings: Any) -> Rendered:
    (call,) = plan(subject, accepted, **settings).calls
    return call.settles[0]


def body(subject: Tariff, **settings: Any) -> dict[str, Any]:
    (call,) = plan(subject, **settings).calls
    assert isinstance(call.body, dict)
    return call.body


def rounded(**roundings: Any) -> Tariff:
    (element,) = tariff().elements
    (component,) = element.price_components
    components = (component.model_copy(update=roundings),)
    return tariff(elements=(element.model_copy(update={"price_components": components}),))


# Which


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, {None, TariffType.REGULAR}),
        ({"tariff_types": list(TariffType)}, {None, *TariffType}),
        ({"tariff_types": ["AD_HOC_PAYMENT"]}, {TariffType.AD_HOC_PAYMENT}),
        ({"push_tariffs": False}, set()),
    ],
)
async def test_gireve_is_told_of_the_types_that_the_settings_name(settings: Any, told: set[TariffType | None]) -> None:
    adapter = GireveAdapter(connection("gireve", settings), Measured())
    assert {type_ for type_ in (None, *TariffType) if list(adapter.keys(tariff(type=type_)))} == told
    await adapter.close()


def test_some_type_has_to_be_told() -> None:
    with pytest.raises(ValidationError):
        Settings(tariff_types=frozenset())


def test_what_is_pulled_leaves_out_the_same_types() -> None:
    (refused,) = plan(tariff(type=TariffType.PROFILE_GREEN)).refused
    assert refused[1].reason.field == "type"


@pytest.mark.parametrize(
    ("settings", "told"),
    [({}, [None, EMSP, OTHER]), ({"tariff_targets": [str(EMSP)]}, [None, EMSP]), ({"tariff_targets": []}, [None])],
)
async def test_prices_of_one_emsp_are_told_where_the_settings_name_it(settings: Any, told: list[Any]) -> None:
    adapter = GireveAdapter(connection("gireve", settings), Measured())
    assert [target for target in (None, EMSP, OTHER) if list(adapter.keys(tariff(target=target)))] == told
    (refused,) = plan(tariff(target=OTHER), tariff_targets=[EMSP]).refused
    assert refused[1].reason.field == "target"
    await adapter.close()


def test_a_tariff_without_a_type_is_said_to_be_regular() -> None:
    assert body(tariff(type=None))["type"] == "REGULAR"
    assert [(issue.kind, issue.field) for issue in put(tariff(type=None)).issues] == [(IssueKind.NARROWED, "type")]


def test_a_type_that_gireve_keeps_to_itself_is_told_with_an_issue_where_the_settings_want_it() -> None:
    rendered = put(tariff(type=TariffType.AD_HOC_PAYMENT), tariff_types=["AD_HOC_PAYMENT"])
    assert [(issue.kind, issue.field) for issue in rendered.issues] == [(IssueKind.LOST, "type")]


# What Gireve is not known to heed


@pytest.mark.parametrize(
    ("unheeded", "field"),
    [
        (tariff(hours=NIGHTS), "hours"),
        (
            rounded(price_rounding=PriceRounding(places=2, rule=RoundingRule.ROUND_NEAR)),
            "elements[0].price_components[0].price_rounding",
        ),
        (rounded(step_rounding=RoundingRule.ROUND_DOWN), "elements[0].price_components[0].step_rounding"),
    ],
)
def test_what_gireve_may_price_otherwise_is_refused_or_sent_with_the_difference(unheeded: Tariff, field: str) -> None:
    ((_, refused),) = plan(unheeded).refused
    assert refused.reason.field == field
    rendered = put(unheeded, unsayable="approximate")
    assert [(issue.kind, issue.field) for issue in rendered.issues] == [
        (IssueKind.NARROWED, field),
        (IssueKind.NARROWED, ""),
    ]
    assert rendered.issues[-1].detail == "where Gireve does not heed that, T1 against T1"


def test_hours_and_roundings_are_sent_all_the_same_since_they_do_no_harm() -> None:
    rounding = PriceRounding(places=2, rule=RoundingRule.ROUND_UP)
    said = body(rounded(price_rounding=rounding).model_copy(update={"hours": NIGHTS}), unsayable="approximate")
    assert said["restriction"] == {"start_time": "22:00", "end_time": "06:00"}
    (component,) = said["elements"][0]["price_components"]
    assert component["price_round"] == {"round_granularity": "HUNDRETH", "round_rule": "ROUND_UP"}


def test_the_roundings_that_gireve_has_anyhow_are_no_doubt() -> None:
    usual = rounded(
        price_rounding=PriceRounding(places=3, rule=RoundingRule.ROUND_NEAR), step_rounding=RoundingRule.ROUND_UP
    )
    assert put(usual).issues == ()


# What does not change


def dearer(**changes: Any) -> Tariff:
    return tariff(price="0.45", **{"last_updated": AT + timedelta(days=1)} | changes)


def test_another_price_of_a_tariff_in_force_is_sent_with_what_gireve_recommends() -> None:
    before = put(tariff()).fingerprint
    (issue,) = put(dearer(), before).issues
    assert (issue.kind, issue.field) == (IssueKind.SUSPECT, "elements")
    assert "a new tariff" in issue.detail
    assert body(dearer())["elements"][0]["price_components"][0]["price"] == float(Decimal("0.45"))


@pytest.mark.parametrize(
    "changed",
    [
        dearer(start=AT + timedelta(days=2)),
        dearer(end=AT + timedelta(hours=1)),
    ],
)
def test_prices_of_a_tariff_that_is_not_in_force_may_change(changed: Tariff) -> None:
    before = put(changed.model_copy(update={"elements": tariff().elements})).fingerprint
    assert put(changed, before).issues == ()


def test_texts_and_the_end_of_a_tariff_may_change() -> None:
    before = put(tariff()).fingerprint
    changed = tariff(
        texts=(LocalText(language="fr", text="De jour"),), url="https://example.com/t", end=AT + timedelta(days=9)
    )
    assert put(changed, before).issues == ()


def test_a_new_tariff_or_one_whose_content_counts_for_nothing_any_more_is_no_change() -> None:
    assert put(dearer()).issues == ()
    assert put(dearer(), b"x" * 16).issues == ()


def test_a_stamp_alone_is_no_change() -> None:
    before = put(tariff()).fingerprint
    assert plan(tariff(last_updated=AT + timedelta(days=1)), before).calls == []
    wire = body(tariff())
    assert fingerprints.of_tariff(dict(reversed(wire.items())) | {"tariff_alt_url": None}) == before
