"""What a tariff asks for by the hour of the week: the same for tariffs that ask for it in other words."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import (
    DayOfWeek,
    Money,
    PriceComponent,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffHours,
    TariffRestrictions,
)
from mappings.canonical.weekly_prices import DAY, Slot, clock, minute, week
from mappings.report import Refused

ENERGY, TIME, PARKING, SESSION, FLAT = (
    TariffDimension.ENERGY,
    TariffDimension.TIME,
    TariffDimension.PARKING_TIME,
    TariffDimension.SESSION_TIME,
    TariffDimension.FLAT,
)


def element(prices: dict[TariffDimension, str], **restrictions: Any) -> TariffElement:
    components = tuple(PriceComponent(type=each, price=Decimal(price), step_size=1) for each, price in prices.items())
    return TariffElement(price_components=components, restrictions=TariffRestrictions(**restrictions))


def tariff(*elements: TariffElement, **changes: Any) -> Tariff:
    at = datetime(2026, 6, 7, tzinfo=UTC)
    fields = {"party": PartyId("FR*ABC"), "id": "T1", "currency": "EUR", "elements": elements, "last_updated": at}
    return Tariff.model_validate(fields | changes)


def slots(given: Tariff, day: int = 0) -> list[tuple[str, str, dict[str, Decimal]]]:
    return [
        (clock(one.begin), clock(one.end), {each.value: price for each, price in one.prices.items()})
        for one in week(given)[day]
    ]


def test_one_price_is_one_slot_of_each_day() -> None:
    assert week(tariff(element({ENERGY: "0.3"}))) == ((Slot(0, DAY, {ENERGY: Decimal("0.3")}),),) * 7


def test_the_first_element_that_holds_counts_in_each_dimension_by_itself() -> None:
    given = tariff(element({ENERGY: "0.2"}, start_time="22:00", end_time="06:00"), element({ENERGY: "0.4", FLAT: "1"}))
    night, day = {"ENERGY": Decimal("0.2"), "FLAT": Decimal(1)}, {"ENERGY": Decimal("0.4"), "FLAT": Decimal(1)}
    assert slots(given) == [("00:00", "06:00", night), ("06:00", "22:00", day), ("22:00", "00:00", night)]


def test_a_night_of_one_weekday_is_both_ends_of_that_day() -> None:
    given = tariff(element({ENERGY: "0.2"}, start_time="22:00", end_time="06:00", day_of_week=(DayOfWeek.TUESDAY,)))
    priced = [[(clock(one.begin), clock(one.end)) for one in day if one.prices] for day in week(given)]
    assert priced == [[], [("00:00", "06:00"), ("22:00", "00:00")], [], [], [], [], []]


def test_a_sessions_time_is_that_charging_and_that_parking_beside_what_these_cost_themselves() -> None:
    whole = tariff(element({SESSION: "2", TIME: "1"}))
    parts = tariff(element({PARKING: "2"}), element({TIME: "3"}))
    assert week(whole) == week(parts)


def test_what_costs_nothing_is_no_price_and_what_begins_when_it_ends_is_all_day() -> None:
    given = tariff(element({ENERGY: "0"}, start_time="08:00", end_time="08:00", min_kwh=Decimal(0)))
    assert slots(given) == [("00:00", "00:00", {})]


def test_neighbours_of_the_same_prices_are_one_slot() -> None:
    halves = tariff(
        element({ENERGY: "0.3"}, end_time="12:00"), element({ENERGY: "0.3"}, start_time="12:00", end_time="00:00")
    )
    assert week(halves) == week(tariff(element({ENERGY: "0.30"})))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (tariff(element({ENERGY: "1"}, max_duration=60)), "elements[0].restrictions.max_duration"),
        (tariff(element({ENERGY: "1"}, end_date="2026-12-31")), "elements[0].restrictions.end_date"),
        (tariff(element({ENERGY: "1"}, unknown={"odd": 1})), "elements[0].restrictions.unknown"),
        (tariff(element({ENERGY: "1"}), element({TIME: "1"}, min_power=1)), "elements[1].restrictions.min_power"),
        (tariff(element({ENERGY: "1"}), max_price=Money(net=Decimal(1))), "max_price"),
        (tariff(element({ENERGY: "1"}), hours=TariffHours(days=(DayOfWeek.MONDAY,))), "hours"),
    ],
)
def test_where_more_than_the_clock_decides_the_field_is_named(given: Tariff, field: str) -> None:
    with pytest.raises(Refused) as refused:
        week(given)
    assert refused.value.reason.field == field


def test_times_of_day_are_minutes_and_back() -> None:
    assert [minute(None), minute("00:00"), minute("21:59")] == [0, 0, 21 * 60 + 59]
    assert [clock(0), clock(21 * 60 + 59), clock(DAY)] == ["00:00", "21:59", "00:00"]
