"""What a tariff or a charge may be at its worst: each has its answer, and none a guess."""

from dataclasses import replace
from decimal import Decimal

import pytest
from pydantic import ValidationError

from gateway.pricing.charge import Charge, Reading
from gateway.pricing.engine import price, price_by
from gateway.pricing.notes import NoteKind, Unpriceable, Why
from gateway.pricing.result import Calculation
from mappings.canonical.tariffs import Tariff, TariffRestrictions
from mappings.ocpi.v2_2_1 import tariffs
from mappings.report import Refused
from tests.pricing.building import (
    ENERGY,
    FLAT,
    MINIMUM,
    PARKING_TIME,
    TIME,
    Row,
    between,
    charge,
    charging,
    element,
    energy,
    expected,
    flat,
    hourly,
    limit,
    local,
    parking,
    parking_fee,
    reserved,
    tariff,
    told,
)

NOON = local("2026-06-01 12:00")  # a Monday
SPRING = "2026-03-29"  # in Berlin 02:00 becomes 03:00
AUTUMN = "2026-10-25"  # in Berlin 03:00 becomes 02:00


def refusal(tariff: Tariff, whole: Charge) -> tuple[Why, str]:
    with pytest.raises(Unpriceable) as raised:
        price(tariff, whole)
    assert raised.value.detail
    return raised.value.why, raised.value.field


def kinds(calculation: Calculation) -> set[NoteKind]:
    return {note.kind for note in calculation.notes}


# Tariffs


def quarters() -> Tariff:
    """Makes 97 elements: a price for every quarter of an hour, 0.200 in the first and 0.001 more in each, and a fee."""
    return tariff(
        *(
            element(
                energy(f"0.{200 + number}", step=0),
                start_time=f"{number // 4:02}:{number % 4 * 15:02}",
                end_time=f"{(number + 1) // 4 % 24:02}:{(number + 1) % 4 * 15:02}",
            )
            for number in range(96)
        ),
        element(flat("0.50")),
    )


def test_97_elements_are_priced_as_one_is() -> None:
    # 16:50 to 17:20, 3 kWh at 0.1 a minute. 16:45 is quarter 67, at 0.267; so 10 min, 1 kWh = 0.267. 15 min of quarter
    # 68 at 0.268, 1.5 kWh = 0.402. 5 min of 69 at 0.269, 0.5 kWh = 0.1345. With the fee, 1.3035.
    found = price(quarters(), charge(local("2026-06-01 16:50"), charging(30, "3")))
    assert told(found.lines) == expected(
        [
            Row(FLAT, "1", "0.50"),
            Row(ENERGY, "1", "0.267"),
            Row(ENERGY, "1.5", "0.402"),
            Row(ENERGY, "0.5", "0.1345"),
        ]
    )
    assert found.net == Decimal("1.3035")
    assert [line.element for line in found.lines] == [96, 67, 68, 69]


def test_a_step_of_zero_rounds_nothing_and_is_told() -> None:
    found = price(tariff(element(energy("0.25", step=0))), charge(NOON, charging(10, "0.1152")))
    assert told(found.lines) == expected([Row(ENERGY, "0.1152", "0.0288")])  # 0.1152 × 0.25
    assert [(note.kind, note.field) for note in found.notes] == [
        (NoteKind.STEP_ZERO, "elements[0].price_components[0].step_size")
    ]


def test_where_two_elements_hold_the_first_counts() -> None:
    both = tariff(
        element(energy("0.30"), start_time="06:00", end_time="19:00"),
        element(energy("0.20"), start_time="18:00", end_time="07:00"),
    )
    # 17:00 to 20:00, a kWh an hour: to 19:00 at 0.30, though from 18:00 the other holds too; then at 0.20.
    found = price(both, charge(local("2026-06-01 17:00"), charging(180, "3")))
    assert told(found.lines) == expected([Row(ENERGY, "2", "0.60"), Row(ENERGY, "1", "0.20")])


@pytest.mark.parametrize(
    "restrictions",
    [
        {"start_date": "2026-06-01", "end_date": "2026-06-01"},
        {"start_date": "2026-06-02", "end_date": "2026-06-01"},
        {"min_kwh": "5", "max_kwh": "5"},
        {"max_kwh": "0"},
        {"min_duration": 60, "max_duration": 30},
        {"max_duration": 0},
        {"min_power": "50", "max_power": "11"},
    ],
)
def test_an_element_that_never_holds_leaves_all_to_the_next(restrictions) -> None:
    both = tariff(element(energy("9"), **restrictions), element(energy("0.25")))
    found = price(both, charge(NOON, charging(60, "20", power="20")))
    assert [(line.element, line.net) for line in found.lines] == [(1, Decimal("5.00"))]


def test_a_dimension_that_stands_twice_in_an_element_counts_as_it_stands_first() -> None:
    found = price(tariff(element(energy("0.30"), energy("0.20"))), charge(NOON, charging(60, "10")))
    assert [(line.component, line.net) for line in found.lines] == [(0, Decimal("3.00"))]


def test_a_negative_price_pays_the_driver() -> None:
    # 20 × -0.05 = -1.00; 20 % of it -0.20.
    found = price(tariff(element(energy("-0.05", "20"))), charge(NOON, charging(60, "20")))
    assert (found.net, found.gross) == (Decimal("-1.00"), Decimal("-1.20"))


def test_a_negative_price_pays_nobody_below_a_minimum() -> None:
    # Net lacks 1.00 up to nothing, gross 1.20.
    found = price(tariff(element(energy("-0.05", "20")), min_price=limit("0", "0")), charge(NOON, charging(60, "20")))
    assert told(found.lines) == expected([Row(ENERGY, "20", "-1.00", "-0.20"), Row(MINIMUM, "", "1.00", "0.20")])
    assert (found.net, found.gross) == (0, 0)


@pytest.mark.parametrize(("vat", "tax"), [("0.2", "0.01"), ("20", "1.00"), ("0", "0"), (None, "0")])
def test_a_tax_is_the_per_cent_that_it_says(vat: str | None, tax: str) -> None:
    # Of 20 × 0.25 = 5.00.
    found = price(tariff(element(energy("0.25", vat))), charge(NOON, charging(60, "20")))
    assert (found.net, found.tax) == (Decimal("5.00"), Decimal(tax))
    assert [line.vat for line in found.lines] == [None if vat is None else Decimal(vat)]


def test_a_minimum_above_the_maximum_gives_way_to_it() -> None:
    crossed = tariff(element(energy("0.25")), min_price=limit("9"), max_price=limit("2"))
    found = price(crossed, charge(NOON, charging(60, "20")))
    assert found.net == 2
    assert NoteKind.LIMITS_CROSSED in kinds(found)


@pytest.mark.parametrize("day", ["2026-02-30", "2027-02-29", "0000-01-01"])
def test_a_date_that_no_calendar_has_gets_into_no_tariff(day: str) -> None:
    with pytest.raises(ValidationError):
        TariffRestrictions(start_date=day)
    wire, _ = tariffs.from_canonical(tariff(element(energy("0.25"), end_date="2026-02-28")))
    wire["elements"][0]["restrictions"]["end_date"] = day
    with pytest.raises(Refused) as refused:
        tariffs.to_canonical(wire)
    assert refused.value.reason.field == "elements[0].restrictions.end_date"


def test_a_restriction_that_nobody_knows_is_said_to_be_taken_as_met() -> None:
    odd = tariff(element(energy("0.25"), unknown={"max_soc": 80}))
    found = price(odd, charge(NOON, charging(60, "20")))
    assert found.net == Decimal("5.00")
    assert [(note.kind, note.field) for note in found.notes] == [(NoteKind.ASSUMED, "elements[0].restrictions.max_soc")]


# The clock


NIGHT = tariff(element(hourly("9.00"), start_time="02:00", end_time="03:00"), element(hourly("3.00")))


def test_an_hour_that_the_clock_leaves_out_costs_nothing() -> None:
    # 01:30 to 03:30 by the clock is one hour: 01:30 to 02:00, which is 03:00, to 03:30. Between 02:00 and 03:00 is
    # nothing. 1 h × 3.00.
    found = price(NIGHT, charge(local(f"{SPRING} 01:30"), charging(60)))
    assert told(found.lines) == expected([Row(TIME, "60", "3.00")])
    assert NoteKind.CLOCK_CHANGED in kinds(found)


def test_an_hour_that_the_clock_has_twice_costs_twice() -> None:
    # 01:30 to 03:30 by the clock are three hours: half, then 02:00 to 03:00 twice, then half. 2 h × 9.00, 1 h × 3.00.
    found = price(NIGHT, charge(local(f"{AUTUMN} 01:30"), charging(180)))
    assert told(found.lines) == expected([Row(TIME, "30", "1.50"), Row(TIME, "120", "18.00"), Row(TIME, "30", "1.50")])
    assert NoteKind.CLOCK_CHANGED in kinds(found)


def test_a_limit_within_the_hour_that_comes_twice_holds_twice() -> None:
    # Until 02:30: 01:30 to 02:30 the first time, 60 min; then 02:30 to 03:00 not; then 02:00 to 02:30 again, 30 min.
    early = tariff(element(energy("0.10", step=0), start_time="01:00", end_time="02:30"))
    found = price(early, charge(local(f"{AUTUMN} 01:30"), charging(180, "18")))
    assert told(found.lines) == expected([Row(ENERGY, "6", "0.60"), Row(ENERGY, "3", "0.30")])


def test_a_night_over_midnight_is_an_hour_short_in_spring() -> None:
    # 23:00 to 07:00 are seven hours of that night: to 06:00 six at 1.00, one at 2.00.
    both = tariff(element(hourly("1.00"), start_time="22:00", end_time="06:00"), element(hourly("2.00")))
    found = price(both, charge(local("2026-03-28 23:00"), charging(7 * 60)))
    assert told(found.lines) == expected([Row(TIME, "360", "6.00"), Row(TIME, "60", "2.00")])


@pytest.mark.parametrize("night", [SPRING, AUTUMN])
def test_a_duration_is_what_passed_and_not_what_the_clock_shows(night: str) -> None:
    free_hour = tariff(element(hourly("0"), max_duration=3600), element(hourly("6.00")))
    found = price(free_hour, charge(local(f"{night} 01:30"), charging(90)))
    assert told(found.lines) == expected([Row(TIME, "60", "0"), Row(TIME, "30", "3.00")])
    assert NoteKind.CLOCK_CHANGED not in kinds(found)


def test_a_day_is_the_one_of_the_moment_over_midnight_too() -> None:
    # On Fridays from 22:00 to 06:00: Friday's 22:30 to midnight is, Saturday's first hour is not, though Friday's
    # evening runs on.
    fridays = tariff(
        element(hourly("6.00"), start_time="22:00", end_time="06:00", day_of_week=("FRIDAY",)), element(hourly("2.00"))
    )
    found = price(fridays, charge(local("2026-06-05 22:30"), charging(150)))
    assert told(found.lines) == expected([Row(TIME, "90", "9.00"), Row(TIME, "60", "2.00")])


def test_a_date_ends_before_its_last_day() -> None:
    # On the first and second of June, not the third: 23:00 to midnight at 6.00, then an hour at 2.00.
    dated = tariff(element(hourly("6.00"), start_date="2026-06-01", end_date="2026-06-03"), element(hourly("2.00")))
    found = price(dated, charge(local("2026-06-02 23:00"), charging(120)))
    assert told(found.lines) == expected([Row(TIME, "60", "6.00"), Row(TIME, "60", "2.00")])


def test_a_day_that_ends_at_23_59_leaves_its_last_minute_unpriced() -> None:
    found = price(
        tariff(element(hourly("6.00"), start_time="00:00", end_time="23:59")),
        charge(local("2026-06-01 23:30"), charging(60)),
    )
    # 29 min × 6.00 an hour = 2.90; a minute free; 30 min = 3.00.
    assert told(found.lines) == expected([Row(TIME, "29", "2.90"), Row(TIME, "30", "3.00")])


@pytest.mark.parametrize("zone", [None, "Europe/Nowhere", "../secrets", ""])
def test_local_time_is_not_made_up_where_the_zone_is_not_known(zone: str | None) -> None:
    whole = charge(NOON, charging(60, "20"), zone=zone)
    assert refusal(NIGHT, whole)[0] is Why.NO_ZONE
    assert price(tariff(element(energy("0.25"))), whole).net == Decimal("5.00")


# Power and current


BY_POWER = tariff(element(energy("0.25"), max_power="16"), element(energy("0.50")))
BY_CURRENT = tariff(element(energy("0.25"), max_current="32"), element(energy("0.50")))


@pytest.mark.parametrize("reading", [None, between("10", "20"), between("10", None), between(None, "16"), Reading()])
def test_power_and_current_are_not_made_up(reading: Reading | None) -> None:
    assert refusal(BY_POWER, charge(NOON, charging(60, "20", power=reading))) == (Why.NO_POWER, "periods[0]")
    wide = reading and Reading(reading.least and reading.least * 2, reading.most and reading.most * 2)
    assert refusal(BY_CURRENT, charge(NOON, charging(60, "20", current=wide))) == (Why.NO_POWER, "periods[0]")


@pytest.mark.parametrize(
    ("reading", "net"),
    [
        (between(None, "15.9"), "5.00"),
        (between("3", "15.9"), "5.00"),
        (between("16", None), "10.00"),
        (between("16", "16"), "10.00"),
    ],
)
def test_a_power_that_is_known_well_enough_is_enough(reading: Reading, net: str) -> None:
    assert price(BY_POWER, charge(NOON, charging(60, "20", power=reading))).net == Decimal(net)


def test_an_average_stands_for_a_power_and_is_told() -> None:
    average = Reading(average=Decimal(11))
    found = price(BY_POWER, charge(NOON, charging(60, "20", power=average)))
    assert found.net == Decimal("5.00")
    assert kinds(found) == {NoteKind.ASSUMED}


def test_power_is_asked_only_where_its_answer_prices_something() -> None:
    no_energy = charge(NOON, charging(60, "0"), parking(30))
    assert price(BY_POWER, no_energy).lines == []
    parked = tariff(element(energy("0.25")), element(parking_fee("2"), max_power="16"))
    assert told(price(parked, charge(NOON, charging(60, "20"), parking(30))).lines) == expected(
        [Row(ENERGY, "20", "5.00"), Row(PARKING_TIME, "30", "1.00")]
    )


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"end_date": "2026-01-01"},
        {"min_kwh": "500"},
        {"min_duration": 86400},
        {"start_time": "22:00", "end_time": "06:00"},
        {"max_current": "6"},
    ],
)
def test_power_is_not_asked_where_the_element_cannot_hold_anyway(elsewhere) -> None:
    both = tariff(element(energy("9"), max_power="16", **elsewhere), element(energy("0.25")))
    assert price(both, charge(NOON, charging(60, "20", current="32"))).net == Decimal("5.00")


# Charges


def test_a_charge_of_nothing_has_no_price() -> None:
    assert refusal(BY_POWER, Charge(stretches=(), zone=None)) == (Why.NOTHING, "")


def test_periods_out_of_order_have_no_price() -> None:
    whole = charge(NOON, charging(60, "10"), parking(60), charging(60, "1"))
    one, two, three = whole.stretches
    assert refusal(NIGHT, replace(whole, stretches=(one, three, two))) == (Why.OUT_OF_ORDER, "periods[1]")


def test_periods_that_run_into_each_other_have_no_price() -> None:
    whole = charge(NOON, charging(60, "10"), parking(60))
    one, two = whole.stretches
    into = replace(one, end=two.end)
    assert refusal(NIGHT, replace(whole, stretches=(into, two)))[0] is Why.OUT_OF_ORDER


def test_a_period_that_ends_before_it_begins_has_no_price() -> None:
    (one,) = charge(NOON, charging(60, "10")).stretches
    back = Charge((replace(one, start=one.end, end=one.start),), "Europe/Berlin")
    assert refusal(NIGHT, back) == (Why.OUT_OF_ORDER, "periods[0]")


@pytest.mark.parametrize("volume", [{"energy": Decimal("-0.001")}, {"seconds": Decimal(-1)}])
def test_volumes_that_go_back_have_no_price(volume) -> None:
    whole = charge(NOON, charging(60, "10"), charging(60, "10"))
    one, two = whole.stretches
    back = replace(whole, stretches=(one, replace(two, **volume)))
    assert refusal(tariff(element(energy("0.25"))), back) == (Why.NEGATIVE_VOLUME, "periods[1]")


def test_a_period_of_no_length_is_priced_where_it_lies() -> None:
    # 5 kWh told at 02:30 in no time at all: the restriction from 02:00 to 03:00 holds there.
    both = tariff(element(energy("0.90"), start_time="02:00", end_time="03:00"), element(energy("0.30")))
    found = price(both, charge(local("2026-06-01 02:30"), charging(0, "5")))
    assert [(line.element, line.net) for line in found.lines] == [(0, Decimal("4.50"))]


def test_a_period_by_a_tariff_that_nobody_has_has_no_price() -> None:
    home = tariff(element(energy("0.25")))
    whole = charge(NOON, charging(60, "10"), charging(60, "10"))
    one, two = whole.stretches
    with pytest.raises(Unpriceable) as raised:
        price_by({"T": home}, replace(whole, stretches=(replace(one, tariff_id="T"), replace(two, tariff_id="GONE"))))
    assert (raised.value.why, raised.value.field) == (Why.NO_TARIFF, "periods[1].tariff_id")


def test_a_period_that_names_no_tariff_where_others_do_costs_nothing() -> None:
    home = tariff(element(energy("0.25")))
    one, two = charge(NOON, charging(60, "10"), charging(60, "10")).stretches
    found = price_by({"T": home}, replace(charge(NOON), stretches=(replace(one, tariff_id="T"), two)))
    assert found.net == Decimal("2.50")
    assert (NoteKind.NAMES_NONE, "periods[1].tariff_id") in [note[:2] for note in found.notes]


def test_a_period_by_a_tariff_of_another_currency_has_no_price() -> None:
    home, abroad = tariff(element(energy("0.25"))), tariff(element(energy("0.25")), id="CHF", currency="CHF")
    whole = charge(NOON, charging(60, "10"), charging(60, "10"))
    one, two = whole.stretches
    with pytest.raises(Unpriceable) as raised:
        price_by(
            {"T": home, "CHF": abroad},
            replace(whole, stretches=(replace(one, tariff_id="T"), replace(two, tariff_id="CHF"))),
        )
    assert raised.value.why is Why.OTHER_CURRENCY


def test_a_tariff_that_changed_while_charging_prices_its_own_part() -> None:
    cheap, dear = tariff(element(energy("0.20")), id="A"), tariff(element(energy("0.40")), id="B")
    whole = charge(NOON, charging(60, "10"), charging(60, "5"))
    one, two = whole.stretches
    both = replace(whole, stretches=(replace(one, tariff_id="A"), replace(two, tariff_id="B")))
    # 10 × 0.20 = 2.00; 5 × 0.40 = 2.00.
    found = price_by({"A": cheap, "B": dear}, both)
    assert [(line.tariff_id, line.net) for line in found.lines] == [("A", Decimal(2)), ("B", Decimal(2))]


def test_a_charge_from_1970_has_no_price() -> None:
    # OCPI has a stamp that is not known written so; day by day since then would be lines without end.
    since = charge(local("1970-01-01 01:00"), charging(60, "20"))
    whole = replace(since, stretches=(replace(since.stretches[0], end=NOON),))
    assert refusal(quarters(), whole) == (Why.TOO_LONG, "")


def test_weeks_at_a_charger_have_a_price() -> None:
    # 14 days, of which each night's eight hours cost: 14 × 8 h × 0.50.
    nights = tariff(element(hourly("0.50"), start_time="22:00", end_time="06:00"))
    assert price(nights, charge(NOON, charging(14 * 24 * 60, "20"))).net == Decimal("56.00")


def test_a_reservation_that_nothing_prices_is_free() -> None:
    found = price(tariff(element(hourly("6.00"))), charge(NOON, reserved(30), charging(10)))
    assert told(found.lines) == expected([Row(TIME, "10", "1.00")])


def test_a_second_flat_fee_is_not_due_and_is_told() -> None:
    both = tariff(
        element(flat("1.00"), end_time="12:30"),
        element(flat("7.00")),
    )
    found = price(both, charge(NOON, charging(60, "1")))
    assert told(found.lines) == expected([Row(FLAT, "1", "1.00")])
    assert kinds(found) == {NoteKind.FLAT_LATER}


@pytest.mark.parametrize("kwh", ["0", "0.0008", "1", "3"])
def test_a_minimum_that_names_no_tax_has_the_rate_of_what_is_billed_however_little_that_is(kwh: str) -> None:
    # 0.0008 kWh are 0.0003, and 20 % of that 0.0001: in proportion to these, 5.00 would be 6.67 with tax.
    found = price(tariff(element(energy("0.35", "20")), min_price=limit("5")), charge(NOON, charging(60, kwh)))
    assert (found.net, found.gross) == (5, 6)
    assert [note.kind for note in found.notes] == [NoteKind.ASSUMED]


def test_a_limit_that_names_no_tax_takes_it_in_proportion_where_rates_differ() -> None:
    # 2.00 and 20 % of it, 8.00 and 10 % of it: 11.20, of which a half is 5.60.
    both = tariff(element(flat("2", "20"), energy("0.8", "10")), max_price=limit("5"))
    found = price(both, charge(NOON, charging(60, "10")))
    assert (found.net, found.gross) == (5, Decimal("5.60"))


def test_a_limit_of_what_has_no_tax_assumes_none() -> None:
    found = price(tariff(element(energy("0.35")), max_price=limit("5")), charge(NOON, charging(60, "20")))
    assert (found.net, found.gross, found.notes) == (5, 5, [])
