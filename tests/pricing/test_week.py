"""Prices over a week are those that the engine asks for at each moment of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pricing.charge import Charge, Phase, Reading, Stretch
from gateway.pricing.clock import DAY
from gateway.pricing.coverage import cover
from gateway.pricing.engine import price
from gateway.pricing.explaining.languages import speech_of
from gateway.pricing.explaining.languages.speech import Phrase
from gateway.pricing.explaining.shades import INKS, SHADES, levels, shade_of
from gateway.pricing.explaining.week import Conditions, Track, week_of
from gateway.pricing.explaining.week_words import assumptions, heading, rows, spoken, title
from mappings.canonical.tariffs import DayOfWeek, ReservationRestriction, Tariff, TariffDimension
from tests.pricing.building import (
    ENERGY,
    FLAT,
    PARKING_TIME,
    TIME,
    WEEKEND,
    WORKDAYS,
    element,
    energy,
    flat,
    hourly,
    parking_fee,
    tariff,
)

MONDAY = date(2026, 1, 5)
AT = Conditions(MONDAY)
EN = speech_of("en")

NIGHTS = tariff(
    element(energy("0.5"), min_power=50),
    element(energy("0.2", "20"), start_time="22:00", end_time="06:00", day_of_week=WORKDAYS),
    element(energy("0.4"), min_kwh=5),
    element(energy("0.3"), max_duration=3600, end_date="2026-01-10"),
    element(parking_fee("3"), start_time="09:00", end_time="18:00", day_of_week=(*WORKDAYS, "SATURDAY")),
    element(flat("2"), day_of_week=WEEKEND),
)


def track(made: Tariff, dimension: TariffDimension, at: Conditions = AT, reserved: str | None = None) -> Track:
    group = dimension, None if reserved is None else ReservationRestriction(reserved)
    [found] = [one for one in week_of(made, at).tracks if one.group == group]
    return found


def told(made: Track, day: int) -> list[tuple[int, int, str | None]]:
    return [(one.begin // 60, one.end // 60, None if one.price is None else str(one.price)) for one in made.days()[day]]


def test_an_interval_over_midnight_asks_for_the_weekday_of_the_moment() -> None:
    found = track(NIGHTS, ENERGY)
    assert told(found, 0) == [(0, 6, "0.2"), (6, 22, "0.3"), (22, 24, "0.2")]
    # On Saturday the Friday's night is over, and from the 10th on nothing else holds.
    assert told(found, 4) == [(0, 6, "0.2"), (6, 22, "0.3"), (22, 24, "0.2")]
    assert told(found, 5) == [(0, 24, None)]


def test_what_no_element_prices_has_no_price() -> None:
    found = track(NIGHTS, PARKING_TIME)
    assert told(found, 0) == [(0, 9, None), (9, 18, "3"), (18, 24, None)]
    assert told(found, 6) == [(0, 24, None)]
    assert told(track(NIGHTS, FLAT), 6) == [(0, 24, "2")]


def test_prices_are_looked_up_at_the_conditions_that_are_stated() -> None:
    assert told(track(NIGHTS, ENERGY, replace(AT, power=Decimal(50))), 0) == [(0, 24, "0.5")]
    assert told(track(NIGHTS, ENERGY, replace(AT, energy=Decimal(5))), 5) == [(0, 24, "0.4")]
    assert told(track(NIGHTS, ENERGY, replace(AT, seconds=3600)), 0) == [(0, 6, "0.2"), (6, 22, None), (22, 24, "0.2")]
    later = Conditions.in_week_of(date(2026, 1, 18))
    assert later.monday == date(2026, 1, 12)
    assert told(track(NIGHTS, ENERGY, later), 0) == [(0, 6, "0.2"), (6, 22, None), (22, 24, "0.2")]


def test_spans_name_the_element_that_prices_them() -> None:
    assert {one.element for one in track(NIGHTS, ENERGY).spans} == {1, 3, None}
    assert {one.vat for one in track(NIGHTS, ENERGY).spans if one.element == 1} == {Decimal(20)}


def test_reservations_have_tracks_of_their_own() -> None:
    made = tariff(
        element(flat("4"), reservation="RESERVATION_EXPIRES"),
        element(hourly("5"), reservation="RESERVATION", start_time="08:00", end_time="20:00"),
        element(hourly("1")),
    )
    assert [one.group for one in week_of(made, AT).tracks] == [
        (TIME, None),
        (TIME, ReservationRestriction.RESERVATION),
        (FLAT, ReservationRestriction.RESERVATION_EXPIRES),
    ]
    assert told(track(made, TIME, reserved="RESERVATION"), 0) == [(0, 8, None), (8, 20, "5"), (20, 24, None)]
    assert track(made, FLAT, reserved="RESERVATION_EXPIRES").steady


@st.composite
def restrictions(draw: st.DrawFn) -> dict[str, object]:
    clock = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from((0, 15, 59)))
    fields = {
        "start_time": clock,
        "end_time": clock,
        "day_of_week": st.sets(st.sampled_from(DayOfWeek), min_size=1).map(tuple),
        "start_date": st.sampled_from(("2026-01-07", "2025-12-01")),
        "end_date": st.sampled_from(("2026-01-07", "2026-02-01")),
        "min_power": st.sampled_from((7, 11, 22)),
        "max_power": st.sampled_from((7, 11, 22)),
        "max_kwh": st.sampled_from((0, 10)),
        "min_duration": st.sampled_from((0, 60)),
    }
    names = draw(st.sets(st.sampled_from(sorted(fields)), max_size=3))
    return {name: draw(fields[name]) for name in names}


def moments() -> Iterator[int]:
    yield from range(7, 7 * DAY, 53)


@given(st.lists(restrictions(), min_size=1, max_size=6), st.sampled_from((Phase.CHARGING, Phase.PARKING)))
def test_at_every_moment_the_week_says_what_the_engine_asks_for(several: list[dict], phase: Phase) -> None:
    made = tariff(*(element(hourly(str(n)), parking_fee(str(n)), **each) for n, each in enumerate(several, 1)))
    found = track(made, TIME if phase is Phase.CHARGING else PARKING_TIME)
    assert [one for day in found.days() for one in day] == list(found.spans)
    assert [sum(one.end - one.begin for one in day) for day in found.days()] == [DAY] * 7
    kilowatts = Reading(AT.power, AT.power) if phase is Phase.CHARGING else None
    for minute in moments():
        day, at = divmod(minute, DAY)
        start = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=minute)
        stretch = Stretch(start, start + timedelta(seconds=1), phase, Decimal(1), power=kilowatts)
        asked = [line.price for line in price(made, Charge([stretch], "UTC")).lines]
        [shown] = [one.price for one in found.days()[day] if one.begin <= at < one.end]
        assert asked == ([] if shown is None else [shown])


@given(st.lists(restrictions(), min_size=1, max_size=4))
def test_what_is_said_to_leave_nothing_out_has_a_price_at_every_moment(several: list[dict]) -> None:
    made = tariff(*(element(energy("1"), **each) for each in several))
    if not cover([each.restrictions for each in made.elements]):
        return
    for monday, power, kwh, seconds in product((MONDAY, date(2026, 2, 2)), (0, 7, 11, 22), (0, 10), (0, 59, 60)):
        at = Conditions(monday, power=Decimal(power), energy=Decimal(kwh), seconds=seconds)
        assert None not in {one.price for one in track(made, ENERGY, at).spans}


@pytest.mark.parametrize(
    ("several", "all_", "but_for_what_is_common"),
    [
        ([{}], True, True),
        ([{"start_time": "08:00", "end_time": "20:00"}, {"start_time": "20:00", "end_time": "08:00"}], True, True),
        ([{"start_time": "08:00", "end_time": "20:00"}, {"start_time": "20:00", "end_time": "07:59"}], False, False),
        ([{"max_power": 22}, {"min_power": 22, "day_of_week": WORKDAYS}, {"day_of_week": WEEKEND}], True, True),
        ([{"max_power": 22, "max_kwh": 5}, {"min_power": 22}, {"min_kwh": 6}], False, False),
        ([{"start_date": "2026-01-01"}], False, True),
        ([{"max_kwh": 0}], False, False),
        ([{"unknown": {"min_soc": 1}}, {}], False, False),
    ],
)
def test_restrictions_that_leave_nothing_out_are_known(
    several: list[dict], all_: bool, but_for_what_is_common: bool
) -> None:
    asked = [each.restrictions for each in (element(energy("1"), **one) for one in several)]
    assert (cover(asked), cover(asked, in_common=True)) == (all_, but_for_what_is_common)


def test_nothing_is_claimed_of_what_would_take_long_to_find_out() -> None:
    several = [element(energy("1"), min_kwh=n, min_power=n, min_duration=n, min_current=n) for n in range(97)]
    assert not cover([each.restrictions for each in several])


# In words


def test_days_that_are_alike_are_told_together() -> None:
    week = week_of(NIGHTS, AT)
    assert title(week, EN) == "Prices of the tariff T over a week"
    energy_, parking, _ = week.tracks
    assert heading(energy_, week, EN) == "Energy (EUR per kWh)"
    assert [tuple(row) for row in rows(energy_, "EUR", EN)] == [
        ("Monday to Friday", "00:00–06:00", "0.20 EUR"),
        ("", "06:00–22:00", "0.30 EUR"),
        ("", "22:00–24:00", "0.20 EUR"),
        ("Saturday and Sunday", "00:00–24:00", "no price"),
    ]
    assert [spoken(one, week, EN) for one in parking.spans[1:2]] == ["Monday 09:00–18:00: 3.00 EUR"]
    assert [spoken(one, week, EN) for one in parking.spans[-1:]] == ["Sunday: no price"]


def test_only_assumptions_that_matter_are_told() -> None:
    said = "Assumed: the week from 5 January 2026, 11 kW, 0 kWh and 0 s."
    assert assumptions(week_of(NIGHTS, AT), EN) == said
    assert assumptions(week_of(tariff(element(energy("1"))), AT), EN) == ""
    amps = week_of(tariff(element(energy("1"), max_current=32)), AT)
    assert assumptions(amps, speech_of("fr")) == "Hypothèses : 48 A."


def test_what_is_free_is_told_apart_from_what_has_no_price() -> None:
    made = tariff(element(energy("0"), day_of_week=WEEKEND))
    found = [row.price for row in rows(track(made, ENERGY), "EUR", EN)]
    assert found == [EN(Phrase.UNPRICED), EN(Phrase.NOTHING)]


# Shades


@pytest.mark.parametrize("count", range(1, 20))
def test_the_dearer_is_never_lighter(count: int) -> None:
    prices = [Decimal(n) / 100 for n in range(count)]
    among = levels(prices)
    shades = [shade_of(one, among) for one in prices]
    assert shades == sorted(shades)
    assert set(shades) == {level.shade for level in among}
    assert len(among) == min(count, len(SHADES))
    assert len(SHADES) == len(INKS)
