"""Tariff → Hubject's weekly plans → tariff: what is said is what comes back, and what cannot be said is refused."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.canonical import weekly_prices
from mappings.canonical.tariffs import (
    ClockSpan,
    DayOfWeek,
    Money,
    PriceComponent,
    PriceRounding,
    ReservationRestriction,
    RoundingRule,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffHours,
    TariffRestrictions,
    TariffType,
)
from mappings.oicp.ngp import prices_in, prices_out
from mappings.oicp.ngp.prices_out import Asked, Plans
from mappings.oicp.ngp.tables import PRICES
from mappings.oicp.ngp.wire_in import ReadDay
from mappings.report import IssueKind, Refused
from tests import strategies_tariffs
from tests.mappings.oicp.ngp import (
    CPO,
    END,
    FRAME,
    NOW,
    OTHER_EMP,
    PLAIN,
    START,
    WEEKEND,
    element,
    energy,
    part,
    plans,
    tariff,
)
from tests.ngp_schema import validate

TIME, PARKING, FLAT, SESSION = (
    TariffDimension.TIME,
    TariffDimension.PARKING_TIME,
    TariffDimension.FLAT,
    TariffDimension.SESSION_TIME,
)


def read_back(said: Plans, number: int = 0) -> list[ReadDay]:
    """Gives the days that Hubject tells of a product that it was given."""
    tariffs = {one.name: one for one in said.tariffs}
    return [
        ReadDay.model_validate(
            {
                "Day": day.value,
                "Tariffs": [
                    {
                        "Name": slot.tariff_name,
                        "StartTime": slot.start_time,
                        "EndTime": slot.end_time,
                        "PricingComponents": [
                            {"Type": one.type, "ReferenceUnit": one.reference_unit, "Cost": one.cost}
                            for one in tariffs[slot.tariff_name].pricing_components
                        ],
                    }
                    for slot in plan.time_slots
                ],
            }
        )
        for plan in said.products[number].product.time_plans
        for day in plan.days_of_the_week
    ]


def day(*components: dict[str, Any], begin: Any = "00:00:00", end: Any = "23:59:59", name: str = "MONDAY") -> ReadDay:
    told = {"StartTime": begin, "EndTime": end, "PricingComponents": components}
    return ReadDay.model_validate({"Day": name, "Tariffs": [told]})


def read(*days: ReadDay, currency: str | None = "EUR") -> Tariff:
    return prices_in.read(days, currency, "hub-1", CPO, NOW)


def component(type_: str, cost: float, unit: str, **more: Any) -> dict[str, Any]:
    return {"Type": type_, "Cost": cost, "ReferenceUnit": unit, **more}


# Written


def test_one_price_all_week_is_one_plan_of_one_slot_as_in_hubjects_example() -> None:
    said = plans()
    assert [one.sent() for one in said.products] == [
        {
            "groupId": "hub-1",
            "product": {
                "currency": "EUR",
                "timePlans": [
                    {
                        "daysOfTheWeek": [each.value for each in DayOfWeek],
                        "timeSlots": [
                            {
                                "color": "Powder blue",
                                "startTime": "00:00:00",
                                "endTime": "23:59:59",
                                "tariffName": "O1 1 1",
                            }
                        ],
                    }
                ],
            },
        }
    ]
    assert [one.sent() for one in said.tariffs] == [
        {
            "name": "O1 1 1",
            "currency": "EUR",
            "pricingComponents": [{"type": "CHARGING_ENERGY", "referenceUnit": "KILOWATT_HOUR", "cost": 0.3}],
        }
    ]
    assert said.issues == []


def test_parts_of_a_day_end_in_their_last_second_and_days_that_are_alike_share_a_plan() -> None:
    night = element(energy("0.2"), start_time="22:00", end_time="06:00")
    weekend = element(energy("0.25"), day_of_week=WEEKEND)
    said = plans(tariff(night, weekend, element(energy("0.4"))))
    slots = {
        tuple(day.value for day in plan.days_of_the_week): [(s.start_time, s.end_time) for s in plan.time_slots]
        for plan in said.products[0].product.time_plans
    }
    parts = [("00:00:00", "05:59:59"), ("06:00:00", "21:59:59"), ("22:00:00", "23:59:59")]
    week = tuple(each.value for each in DayOfWeek)
    assert slots == {week[:5]: parts, week[5:]: parts}
    assert [float(one.pricing_components[0].cost) for one in said.tariffs] == [0.2, 0.4, 0.25]


def test_prices_of_time_are_told_per_minute_where_that_is_exact_and_else_per_hour() -> None:
    said = plans(tariff(element(part(TIME, "12"), part(PARKING, "5"), part(FLAT, "0.4"))))
    assert [(one.type.value, one.reference_unit.value, one.cost) for one in said.tariffs[0].pricing_components] == [
        ("SESSION", "NONE", Decimal("0.4")),
        ("PARKING", "HOUR", Decimal(5)),
        ("CHARGING_TIME", "MINUTE", Decimal("0.2")),
    ]


def test_a_sessions_time_is_the_time_charging_and_that_parking() -> None:
    said = plans(tariff(element(part(SESSION, "6"), part(TIME, "3"))))
    assert {one.type.value: one.cost for one in said.tariffs[0].pricing_components} == {
        "CHARGING_TIME": Decimal("0.15"),
        "PARKING": Decimal("0.1"),
    }


def test_what_is_free_in_a_part_of_a_day_costs_nothing_a_kwh_there() -> None:
    said = plans(tariff(element(energy("0.5"), start_time="08:00", end_time="20:00")))
    (plan,) = said.products[0].product.time_plans
    assert [(slot.start_time, slot.tariff_name) for slot in plan.time_slots] == [
        ("00:00:00", "O1 1 1"),
        ("08:00:00", "O1 1 2"),
        ("20:00:00", "O1 1 1"),
    ]
    assert [float(one.pricing_components[0].cost) for one in said.tariffs] == [0, 0.5]


def test_groups_share_tariffs_of_the_same_prices_and_have_plans_of_their_own() -> None:
    said = plans(PLAIN, PLAIN, tariff(element(energy("0.5")), id="T2"))
    names = [each.product.time_plans[0].time_slots[0].tariff_name for each in said.products]
    assert names == ["O1 1 1", "O1 1 1", "O1 1 2"]
    assert len(said.tariffs) == 2


def _priced(**changes: Any) -> Tariff:
    return tariff(element(part(TIME, "3", **changes)))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (tariff(element(energy("0.3"), min_kwh=Decimal(5))), "elements[0].restrictions.min_kwh"),
        (tariff(element(energy("0.3"), max_power=Decimal(50))), "elements[0].restrictions.max_power"),
        (tariff(element(energy("0.3"), max_current=Decimal(32))), "elements[0].restrictions.max_current"),
        (tariff(element(energy("0.3"), min_duration=3600)), "elements[0].restrictions.min_duration"),
        (tariff(element(energy("0.3"), start_date="2026-12-24")), "elements[0].restrictions.start_date"),
        (
            tariff(element(energy("0.3"), reservation=ReservationRestriction.RESERVATION)),
            "elements[0].restrictions.reservation",
        ),
        (tariff(element(energy("0.3")), min_price=Money(net=Decimal(1))), "min_price"),
        (tariff(element(energy("0.3")), max_price=Money(net=Decimal(9))), "max_price"),
        (tariff(element(energy("0.3")), hours=TariffHours(spans=(ClockSpan(start="08:00", end="20:00"),))), "hours"),
        (tariff(element(energy("0.3")), type=TariffType.AD_HOC_PAYMENT), "type"),
        (tariff(element(energy("0.3")), target=OTHER_EMP), "target"),
        (tariff(element(energy("0.3")), start=START + timedelta(days=1)), "start"),
        (tariff(element(energy("0.3")), end=END), "end"),
        (tariff(element(energy("0.3")), unknown={"odd": 1}), "unknown"),
        (_priced(step_size=60), "elements[0].price_components[0].step_size"),
        (
            _priced(price_rounding=PriceRounding(places=2, rule=RoundingRule.ROUND_UP)),
            "elements[0].price_components[0].price_rounding",
        ),
        (_priced(unknown={"odd": 1}), "elements[0].price_components[0].unknown"),
        (tariff(element(energy("0.12345678901234567890"))), "elements"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_a_week_of_prices_cannot_say_is_refused_by_its_field(given: Tariff, field: str) -> None:
    with pytest.raises(Refused) as refused:
        plans(PLAIN, given)
    assert refused.value.reason.field == f"tariffs[1].{field}"


def test_several_tariffs_of_a_group_and_none_are_refused() -> None:
    with pytest.raises(Refused, match="several"):
        prices_out.write([Asked("hub-1", [PLAIN, PLAIN])], FRAME)
    with pytest.raises(Refused, match="no tariff"):
        prices_out.write([Asked("hub-1", [])], FRAME)


def test_a_highest_price_is_left_out_where_whoever_publishes_wants_that() -> None:
    given = tariff(element(energy("0.3")), max_price=Money(net=Decimal(60)))
    said = plans(given, frame=replace(FRAME, approximate=True))
    assert (said.tariffs, said.products) == (plans().tariffs, plans().products)
    assert [(issue.kind, issue.field) for issue in said.issues] == [(IssueKind.NARROWED, "tariffs[0].max_price")]
    with pytest.raises(Refused, match="min_price"):
        plans(tariff(element(energy("0.3")), min_price=Money(net=Decimal(1))), frame=replace(FRAME, approximate=True))


@pytest.mark.parametrize(
    ("restrictions", "ends", "sayable"),
    [
        ({"start_date": "2026-08-31"}, None, True),
        ({"start_date": "2026-09-01"}, None, False),
        ({"end_date": "2027-09-03"}, END, True),
        ({"end_date": "2027-09-02"}, END, False),
        ({"end_date": "2099-01-01"}, None, False),
    ],
)
def test_dates_that_limit_nothing_as_long_as_the_version_holds_are_left_out(
    restrictions: dict[str, str], ends: datetime | None, sayable: bool
) -> None:
    given, frame = tariff(element(energy("0.3"), **restrictions)), replace(FRAME, ends=ends)
    if sayable:
        assert plans(given, frame=frame).products == plans().products
    else:
        with pytest.raises(Refused, match="date"):
            plans(given, frame=frame)


def test_steps_and_roundings_are_left_out_where_whoever_publishes_wants_that_and_said_to_be() -> None:
    given = _priced(step_size=60, price_rounding=PriceRounding(places=2, rule=RoundingRule.ROUND_UP))
    said = plans(given, frame=replace(FRAME, approximate=True))
    where = "tariffs[0].elements[0].price_components[0]"
    assert [(issue.kind, issue.field) for issue in said.issues] == [
        (IssueKind.NARROWED, f"{where}.step_size"),
        (IssueKind.NARROWED, f"{where}.price_rounding"),
    ]


def test_what_has_no_place_and_changes_no_price_is_told_as_lost() -> None:
    given = tariff(element(part(TIME, "3", vat=Decimal(20))), url="https://example.com/t")
    assert [(issue.kind, issue.field) for issue in plans(given).issues] == [
        (IssueKind.LOST, "tariffs[0].url"),
        (IssueKind.LOST, "tariffs[0].elements[0].price_components[0].vat"),
    ]


def test_a_tariff_for_one_emsp_stands_in_an_offer_for_it_alone_and_one_that_holds_as_long_in_a_limited_one() -> None:
    given = tariff(element(energy("0.3")), target=OTHER_EMP, start=START, end=END)
    assert plans(given, frame=replace(FRAME, audience=[OTHER_EMP], ends=END)).issues == []


# Read


def test_parking_counts_from_when_it_is_said_to() -> None:
    plain = read(day(component("PARKING", 0.1, "MINUTE")))
    after = read(day(component("PARKING", 6, "HOUR", FeeInitiated="CHARGING_END", GracePeriod=0)))
    assert plain.elements == after.elements
    assert plain.elements[0].price_components == (part(PARKING, "6"),)
    whole = read(day(component("PARKING", 0.1, "MINUTE", FeeInitiated="SESSION_START")))
    assert whole.elements[0].price_components == (part(SESSION, "6"),)


def test_a_blocking_fee_counts_from_its_grace_period_on_and_beside_what_counted_before() -> None:
    given = read(
        day(
            component("CHARGING_ENERGY", 0.3, "KILOWATT_HOUR"),
            component("PARKING", 0.01, "MINUTE", FeeInitiated="SESSION_START"),
            component("BLOCKING_FEE", 0.1, "MINUTE", FeeInitiated="SESSION_START", GracePeriod=240),
        )
    )
    late, base = given.elements
    assert late.restrictions == TariffRestrictions(min_duration=240 * 60, day_of_week=(DayOfWeek.MONDAY,))
    assert late.price_components == (part(SESSION, "6.6"),)
    assert base.price_components == (energy("0.3"), part(SESSION, "0.6"))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ([day(component("BLOCKING_FEE", 0.1, "MINUTE", GracePeriod=30))], "FeeInitiated"),
        ([day(component("BLOCKING_FEE", 1, "MINUTE", FeeInitiated="CHARGING_END", GracePeriod=9))], "GracePeriod"),
        ([day(component("BLOCKING_FEE", 1, "MINUTE", FeeInitiated="NOON"))], "FeeInitiated"),
        ([day(component("PARKING", 1, "MINUTE", GracePeriod=30))], "GracePeriod"),
        ([day(component("PARKING", 1, "MINUTE", FeeInitiated="SESSION_START", GracePeriod=-5))], "GracePeriod"),
        ([day(component("CHARGING_TIME", 1, "MINUTE", GracePeriod=30))], "GracePeriod"),
        ([day(component("CHARGING_TIME", 1, "KILOWATT_HOUR"))], "ReferenceUnit"),
        ([day(component("SESSION", 1, "MINUTE"))], "ReferenceUnit"),
        ([day(component("ODD", 1, "MINUTE"))], "Type"),
        ([day(component("SESSION", 1, "NONE"), end="12:00:30")], "Tariffs[0]"),
        ([day(component("SESSION", 1, "NONE"), begin="12:00:00", end="11:59:59")], "Tariffs[0]"),
        ([day(component("SESSION", 1, "NONE"), begin="noon")], "StartTime"),
        ([day(component("SESSION", 1, "NONE"), end={"hour": 25, "minute": 0})], "EndTime"),
        ([day(component("SESSION", 1, "NONE"), begin={"hour": -1, "minute": 0})], "StartTime"),
        ([day(component("SESSION", 1, "NONE"), name="HOLIDAY")], "Day"),
        ([day()], "days"),
        ([], "days"),
    ],
)
def test_prices_that_cannot_be_said_exactly_are_refused_and_never_half_of_them(
    given: list[ReadDay], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        read(*given)
    assert refused.value.reason.field.endswith(field)


def test_prices_without_a_currency_are_refused() -> None:
    for currency in (None, "", "Euro"):
        with pytest.raises(Refused, match="currency"):
            read(day(component("SESSION", 1, "NONE")), currency=currency)


def test_two_tariffs_at_the_same_time_of_day_are_refused() -> None:
    one, two = (day(component("SESSION", 1, "NONE"), end=end).tariffs or () for end in ("12:00:00", "23:59:59"))
    with pytest.raises(Refused, match="same time"):
        read(ReadDay(day="MONDAY", tariffs=(*one, *two)))


def test_times_of_day_are_read_as_texts_and_as_objects_and_midnight_ends_a_day() -> None:
    wanted = read(day(component("SESSION", 1, "NONE"), begin="08:00:00", end="19:59:59"))
    for begin, end in (
        ({"hour": 8, "minute": 0}, {"hour": 20, "minute": 0}),
        ("08:00", "20:00:00"),
        ("08:00:00.000", "19:59:59.999"),
    ):
        assert read(day(component("SESSION", 1, "NONE"), begin=begin, end=end)) == wanted
    assert read(day(component("SESSION", 1, "NONE"), end="00:00:00")) == read(day(component("SESSION", 1, "NONE")))


def test_what_is_free_all_week_is_a_price_of_zero() -> None:
    given = read(*read_back(plans(tariff(element(energy("0"))))))
    assert given.elements == (element(energy("0")),)


# There and back

_prices = st.builds(
    PriceComponent,
    type=st.sampled_from(TariffDimension),
    price=st.integers(0, 200_000).map(lambda n: Decimal(n).scaleb(-3)),
    step_size=st.just(1),
)
_by_clock = st.builds(
    TariffRestrictions,
    start_time=st.none() | st.sampled_from(["00:00", "06:00", "12:30", "22:00"]),
    end_time=st.none() | st.sampled_from(["00:00", "06:00", "12:30", "22:00"]),
    day_of_week=st.lists(st.sampled_from(DayOfWeek), max_size=4, unique=True).map(tuple),
)
_weekly = st.lists(
    st.builds(
        TariffElement,
        price_components=st.lists(_prices, min_size=1, max_size=3).map(tuple),
        restrictions=st.none() | _by_clock,
    ),
    min_size=1,
    max_size=4,
).map(lambda elements: tariff(*elements))
_DATES = ("start_date", "end_date")
_FAST = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])


@_FAST
@given(_weekly)
def test_a_week_of_prices_comes_back_as_it_was(given: Tariff) -> None:
    said = plans(given)
    back = read(*read_back(said))
    assert weekly_prices.week(back) == weekly_prices.week(given)
    assert said.issues == []


@_FAST
@given(_weekly)
def test_every_second_of_the_week_is_in_one_slot_of_a_tariff_that_is_there(given: Tariff) -> None:
    said = plans(given)
    named = {one.name for one in said.tariffs}
    days: list[str] = []
    for plan in said.products[0].product.time_plans:
        days += plan.days_of_the_week
        due = 0
        for slot in plan.time_slots:
            hour, minute, second = map(int, slot.start_time.split(":"))
            assert (hour * 60 + minute) * 60 + second == due
            hour, minute, second = map(int, slot.end_time.split(":"))
            due = (hour * 60 + minute) * 60 + second + 1
            assert slot.tariff_name in named
        assert due == 24 * 3600
    assert sorted(days) == sorted(DayOfWeek)


def _without_what_is_left_out(given: Tariff) -> Tariff:
    elements = [
        one
        if one.restrictions is None
        else one.model_copy(update={"restrictions": one.restrictions.model_copy(update=dict.fromkeys(_DATES))})
        for one in given.elements
    ]
    return given.model_copy(update={"max_price": None, "elements": tuple(elements)})


@_FAST
@given(strategies_tariffs.tariffs)
def test_any_tariff_is_said_or_refused_and_loses_only_what_the_table_lists(given: Tariff) -> None:
    try:
        said = plans(given, frame=replace(FRAME, audience=[given.target] if given.target else None, approximate=True))
    except Refused:
        return
    plain = _without_what_is_left_out(given)
    assert weekly_prices.week(read(*read_back(said))) == weekly_prices.week(plain)
    lossy = {name.partition(".")[2] for name in PRICES.lossy_fields()}
    assert {issue.field.rpartition(".")[2] for issue in said.issues} <= lossy


@_FAST
@given(_weekly)
def test_what_is_written_fits_hubjects_openapi(given: Tariff) -> None:
    said = plans(given, given)
    for one in said.tariffs:
        validate("cpo-offers", "CreateTariffRequestDTO", one.sent())
    for each in said.products:
        validate("cpo-offers", "CreateProductDTO", each.sent())
