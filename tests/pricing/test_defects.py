"""What is wrong with a tariff in itself, and what only looks so."""

import time

import pytest

from gateway.pricing.defects import find
from gateway.pricing.notes import NoteKind
from mappings.canonical.tariffs import Tariff
from tests.pricing.building import (
    WEEKEND,
    WORKDAYS,
    element,
    energy,
    flat,
    hourly,
    limit,
    parking_fee,
    session_fee,
    tariff,
)
from tests.pricing.test_spec_examples import WORKED


def found(*elements, **more) -> list[tuple[NoteKind, str]]:
    return [(note.kind, note.field) for note in find(tariff(*elements, **more))]


@pytest.mark.parametrize("worked", [one for one in WORKED if one.file], ids=lambda one: f"{one.file}: {one.name}")
def test_nothing_is_wrong_with_the_specification_s_tariffs(worked) -> None:
    assert find(worked.tariff) == []


# In a component by itself


def test_a_step_of_zero_is_told_but_of_a_flat_fee_which_has_none() -> None:
    assert found(element(energy("0.25", step=0), flat("1", step=0), hourly("1", step=0))) == [
        (NoteKind.STEP_ZERO, "elements[0].price_components[0].step_size"),
        (NoteKind.STEP_ZERO, "elements[0].price_components[2].step_size"),
    ]


def test_a_price_below_zero_is_told() -> None:
    assert found(element(energy("-0.01")), min_price=limit("-1")) == [
        (NoteKind.NEGATIVE_PRICE, "min_price"),
        (NoteKind.NEGATIVE_PRICE, "elements[0].price_components[0].price"),
    ]


@pytest.mark.parametrize(
    ("vat", "told"), [("0.2", True), ("0.21", True), ("0", False), ("1", False), ("20", False), (None, False)]
)
def test_a_tax_below_one_per_cent_is_told_as_one_that_may_be_a_fraction(vat: str | None, told: bool) -> None:
    expected = [(NoteKind.TAX_AS_FRACTION, "elements[0].price_components[0].vat")] if told else []
    assert found(element(energy("0.25", vat))) == expected


def test_a_fraction_s_note_names_both_readings() -> None:
    (note,) = find(tariff(element(energy("0.25", "0.2"))))
    assert note.detail == "0.2 is read as 0.2 per cent, and 20.0 may be meant"


@pytest.mark.parametrize(
    ("least", "most", "crossed"),
    [
        (("2",), ("1",), True),
        (("1",), ("1",), False),
        (("1", "1.30"), ("1.20", "1.25"), True),
        (("1", "1.10"), ("10", "11"), False),
    ],
)
def test_limits_are_crossed_without_tax_or_with_it(least, most, crossed: bool) -> None:
    kinds = found(element(energy("0.25")), min_price=limit(*least), max_price=limit(*most))
    assert kinds == ([(NoteKind.LIMITS_CROSSED, "min_price")] if crossed else [])


# What never holds


@pytest.mark.parametrize(
    "restrictions",
    [
        {"start_date": "2026-06-07", "end_date": "2026-06-07"},
        {"start_date": "2026-06-08", "end_date": "2026-06-07"},
        {"min_kwh": "20", "max_kwh": "20"},
        {"max_kwh": "0"},
        {"min_power": "22", "max_power": "11"},
        {"min_current": "32", "max_current": "32"},
        {"min_duration": 3600, "max_duration": 1800},
        {"max_duration": 0},
        # From a Monday to before a Saturday there is no Sunday.
        {"start_date": "2026-06-01", "end_date": "2026-06-06", "day_of_week": ("SUNDAY",)},
        {"reservation": "RESERVATION", "min_kwh": "1"},
    ],
)
def test_restrictions_that_no_moment_meets_are_told_once_and_hide_nothing(restrictions) -> None:
    assert found(element(hourly("1"), flat("1"), **restrictions), element(hourly("1"), flat("2"))) == [
        (NoteKind.NEVER_HOLDS, "elements[0].restrictions")
    ]


@pytest.mark.parametrize(
    "restrictions",
    [
        {"start_time": "08:00", "end_time": "08:00"},
        {"start_time": "22:00", "end_time": "06:00"},
        {"start_date": "2026-06-01", "end_date": "2026-06-02"},
        {"start_date": "2026-06-01", "end_date": "2026-06-08", "day_of_week": ("SUNDAY",)},
        {"min_kwh": "0"},
        {"min_duration": 0, "max_duration": 1},
        {"reservation": "RESERVATION", "min_duration": 600},
    ],
)
def test_restrictions_that_some_moment_meets_are_not(restrictions) -> None:
    assert found(element(hourly("1"), **restrictions)) == []


def test_a_reservation_has_neither_energy_nor_parking() -> None:
    assert found(
        element(hourly("1"), energy("0.2"), parking_fee("1"), session_fee("1"), flat("1"), reservation="RESERVATION")
    ) == [
        (NoteKind.NEVER_HOLDS, "elements[0].price_components[1]"),
        (NoteKind.NEVER_HOLDS, "elements[0].price_components[2]"),
        (NoteKind.NEVER_HOLDS, "elements[0].price_components[3]"),
    ]


def test_parking_by_power_never_holds_but_charging_does() -> None:
    assert found(element(hourly("1"), parking_fee("1"), min_power="11")) == [
        (NoteKind.NEVER_HOLDS, "elements[0].price_components[1]")
    ]


# What comes earlier


def test_what_stands_behind_an_element_for_all_times_is_hidden_dimension_by_dimension() -> None:
    assert found(
        element(energy("0.30"), parking_fee("0")),
        element(energy("0.20"), hourly("1"), start_time="22:00", end_time="06:00"),
        element(parking_fee("12"), min_duration=3600),
    ) == [
        (NoteKind.HIDDEN, "elements[1].price_components[0]"),
        (NoteKind.HIDDEN, "elements[2].price_components[0]"),
    ]


def test_a_second_price_for_a_dimension_in_one_element_is_hidden() -> None:
    assert found(element(energy("0.30"), energy("0.20"))) == [(NoteKind.HIDDEN, "elements[0].price_components[1]")]


def test_restrictions_that_say_nothing_hide_as_none_do() -> None:
    assert found(element(hourly("0"), min_duration=0), element(hourly("1.4876"))) == [
        (NoteKind.HIDDEN, "elements[1].price_components[0]")
    ]


def test_a_narrower_element_behind_a_wider_one_is_hidden() -> None:
    assert found(
        element(energy("0.30"), start_time="20:00", end_time="08:00", day_of_week=WORKDAYS),
        element(energy("0.20"), start_time="22:00", end_time="06:00", day_of_week=("FRIDAY",), min_kwh="5"),
    ) == [(NoteKind.HIDDEN, "elements[1].price_components[0]")]


def test_several_elements_together_hide_one() -> None:
    assert found(
        element(energy("0.30"), start_time="06:00", end_time="18:00"),
        element(energy("0.20"), start_time="18:00", end_time="06:00"),
        element(energy("0.10"), day_of_week=WEEKEND),
    ) == [(NoteKind.HIDDEN, "elements[2].price_components[0]")]


def test_a_default_behind_elements_that_fill_the_week_is_as_advised() -> None:
    assert (
        found(
            element(energy("0.30"), start_time="06:00", end_time="18:00"),
            element(energy("0.20"), start_time="18:00", end_time="06:00"),
            element(energy("0.25")),
        )
        == []
    )


def test_times_that_cut_into_each_other_overlap() -> None:
    assert found(
        element(energy("0.30"), start_time="06:00", end_time="19:00"),
        element(energy("0.20"), start_time="18:00", end_time="07:00"),
    ) == [(NoteKind.OVERLAP, "elements[1].price_components[0]")]


def test_a_time_and_an_amount_overlap() -> None:
    assert found(
        element(energy("0.30"), start_time="06:00", end_time="19:00"), element(energy("0.20"), min_kwh="20")
    ) == [(NoteKind.OVERLAP, "elements[1].price_components[0]")]


def test_what_cuts_at_the_same_price_cuts_nothing() -> None:
    assert (
        found(
            element(energy("0.30"), start_time="06:00", end_time="19:00"),
            element(energy("0.30"), start_time="18:00", end_time="07:00"),
        )
        == []
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"max_kwh": "20"}, {"min_kwh": "20"}),
        ({"max_duration": 1800}, {"min_duration": 1800}),
        ({"max_power": "16"}, {"min_power": "16", "max_power": "32"}),
        ({"max_current": "32"}, {"min_current": "32"}),
        ({"day_of_week": WORKDAYS}, {"day_of_week": WEEKEND}),
        ({"start_time": "06:00", "end_time": "18:00"}, {"start_time": "18:00", "end_time": "06:00"}),
        ({"end_date": "2026-06-01"}, {"start_date": "2026-06-01"}),
        ({"reservation": "RESERVATION"}, {"reservation": "RESERVATION_EXPIRES"}),
        ({"reservation": "RESERVATION"}, {}),
        # An exception, and what it is one to.
        ({"max_power": "16"}, {"max_power": "32"}),
        ({"start_time": "12:00", "end_time": "13:00", "day_of_week": ("FRIDAY",)}, {"day_of_week": ("FRIDAY",)}),
    ],
)
def test_what_lies_side_by_side_or_within_what_follows_is_in_order(first, second) -> None:
    assert found(element(hourly("1"), **first), element(hourly("2"), **second)) == []


# What nothing prices


def test_an_end_a_minute_before_the_day_s_leaves_a_gap() -> None:
    assert found(element(energy("0.25"), start_time="00:00", end_time="23:59")) == [
        (NoteKind.GAP, "elements[0].restrictions.end_time")
    ]


def test_ends_a_minute_before_the_next_begins_leave_gaps() -> None:
    assert found(
        element(energy("0.30"), start_time="07:00", end_time="22:59"),
        element(energy("0.20"), start_time="23:00", end_time="06:59"),
    ) == [
        (NoteKind.GAP, "elements[0].restrictions.end_time"),
        (NoteKind.GAP, "elements[1].restrictions.end_time"),
    ]


def test_a_minute_that_another_element_prices_is_no_gap() -> None:
    assert found(element(energy("0.30"), start_time="07:00", end_time="23:59"), element(energy("0.20"))) == []


def test_hours_without_a_price_are_meant() -> None:
    assert found(element(parking_fee("1"), start_time="09:00", end_time="18:00", day_of_week=WORKDAYS)) == []


def test_gaps_are_told_once_for_an_element() -> None:
    assert found(element(energy("0.25"), hourly("1"), start_time="00:00", end_time="23:59")) == [
        (NoteKind.GAP, "elements[0].restrictions.end_time")
    ]


# Many elements


def by_quarter(count: int) -> Tariff:
    return tariff(
        *(
            element(
                energy(f"0.{number:04}"),
                start_time=f"{number // 4 % 24:02}:{number % 4 * 15:02}",
                end_time=f"{(number + 1) // 4 % 24:02}:{(number + 1) % 4 * 15:02}",
                start_date=f"2026-{number // 96 + 1:02}-01",
                end_date=f"2026-{number // 96 + 2:02}-01",
            )
            for number in range(count)
        )
    )


@pytest.mark.parametrize("count", [97, 1000])
def test_many_elements_are_looked_through_quickly(count: int) -> None:
    of_many = by_quarter(count)
    begun = time.process_time()
    assert find(of_many) == []
    assert time.process_time() - begun < 0.5


def test_an_element_for_all_times_hides_a_thousand_behind_it() -> None:
    tiers = [element(energy("0.1"), min_kwh=str(number), max_kwh=str(number + 1)) for number in range(1000)]
    assert found(*tiers) == []
    hidden = found(element(energy("0.2")), *tiers)
    assert hidden == [(NoteKind.HIDDEN, f"elements[{number}].price_components[0]") for number in range(1, 1001)]
