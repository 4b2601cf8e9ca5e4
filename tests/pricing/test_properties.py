"""What holds of every price, whatever the tariff and the charge (OCPI 2.2.1, mod_tariffs; step_size of mod_cdrs)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.pricing.charge import Charge, Phase, Stretch
from gateway.pricing.defects import find
from gateway.pricing.engine import price
from gateway.pricing.notes import NoteKind
from gateway.pricing.result import Calculation, Line
from gateway.pricing.rounding import GIREVE, PLAIN, Rounding, Rules
from mappings.canonical.tariffs import PriceComponent, Tariff, TariffDimension, TariffElement
from tests.pricing.building import ENERGY, FLAT, SESSION_TIME, TIME, WORKDAYS, element, energy, hourly, tariff
from tests.pricing.generating import GIREVES, ZONES, charges, components, limited, tariffs

# A quarter of what is drawn for charges and tariffs together is too long, and half does not end parked; it is drawn
# again. By chance that can be most of the first ones, which says nothing of the engine.
MANY = settings(
    deadline=None,
    max_examples=80,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def _without_periods(lines: Sequence[Line]) -> list[Line]:
    return [replace(line, periods=None) for line in lines]


def _cut(stretch: Stretch, after: int) -> list[Stretch]:
    """Cuts a stretch after so many seconds, exactly."""
    seconds = int(stretch.seconds)
    if not 0 < after < seconds:
        return [stretch]
    middle = stretch.start + timedelta(seconds=after)
    energy = stretch.energy * after / seconds
    assert energy * seconds == stretch.energy * after, "a cut that is not exact proves nothing"
    return [
        replace(stretch, end=middle, seconds=Decimal(after), energy=energy),
        replace(stretch, start=middle, seconds=stretch.seconds - after, energy=stretch.energy - energy),
    ]


# What is told more finely


@MANY
@given(tariff=limited() | tariffs(GIREVES), charge=charges(), cuts=st.lists(st.integers(1, 29_999), max_size=3))
def test_cutting_a_period_changes_nothing(tariff: Tariff, charge: Charge, cuts: list[int]) -> None:
    """Not even where steps apply: they are taken of sums, and what touches and is priced alike is one line."""
    stretches = list(charge.stretches)
    for after in cuts:
        stretches = [part for stretch in stretches for part in _cut(stretch, after)]
    whole, finer = price(tariff, charge), price(tariff, replace(charge, stretches=tuple(stretches)))
    assert _without_periods(finer.lines) == _without_periods(whole.lines)
    assert (finer.net, finer.tax) == (whole.net, whole.tax)


@MANY
@given(tariff=tariffs(), charge=charges())
def test_what_a_line_says_is_what_the_tariff_says(tariff: Tariff, charge: Charge) -> None:
    for line in price(tariff, charge).lines:
        assert line.element is not None
        assert line.component is not None
        component = tariff.elements[line.element].price_components[line.component]
        assert (line.of, line.price, line.vat) == (component.type, component.price, component.vat)
        assert line.used <= line.billed
        assert charge.stretches[0].start <= line.start <= line.end <= charge.stretches[-1].end


@MANY
@given(tariff=tariffs(), charge=charges())
def test_no_dimension_is_priced_twice_or_beyond_what_was_used(tariff: Tariff, charge: Charge) -> None:
    found = price(tariff, charge)
    energies = [line.used for line in found.lines if line.of is ENERGY]
    # A line tells six places.
    assert sum(energies) <= sum(stretch.energy for stretch in charge.stretches) + len(energies) * Decimal("1e-6")
    for dimension in TariffDimension:
        lines = sorted((line for line in found.lines if line.of is dimension), key=lambda line: line.start)
        if dimension is FLAT:
            assert len(lines) <= 2
        else:
            assert all(one.end <= other.start for one, other in pairwise(lines))


# Sums and limits


@MANY
@given(
    tariff=limited() | tariffs(GIREVES),
    charge=charges(),
    rules=st.sampled_from([PLAIN, GIREVE, Rules(Rounding(2), Rounding(2)), Rules(total=Rounding(1))]),
)
def test_the_lines_add_up(tariff: Tariff, charge: Charge, rules: Rules) -> None:
    found = price(tariff, charge, rules)
    assert found.net == sum((line.net for line in found.lines), Decimal(0))
    assert found.tax == sum((line.tax for line in found.lines), Decimal(0))
    assert found.gross == found.net + found.tax
    assert found.total.net == found.net
    assert sum((tax.amount for tax in found.total.taxes), Decimal(0)) == found.tax


@MANY
@given(tariff=limited(), charge=charges())
def test_the_total_lies_between_the_limits_without_tax_and_with_it(tariff: Tariff, charge: Charge) -> None:
    found = price(tariff, charge)
    most, most_tax = tariff.max_price.net, tariff.max_price.taxes[0].amount
    assert found.net <= most
    assert found.gross <= most + most_tax
    if any(stretch.phase in {Phase.CHARGING, Phase.PARKING} for stretch in charge.stretches):
        least, least_tax = tariff.min_price.net, tariff.min_price.taxes[0].amount
        assert found.net >= least
        assert found.gross >= least + least_tax


@MANY
@given(tariff=tariffs(), charge=charges(), places=st.integers(0, 4))
def test_rounding_takes_or_gives_less_than_a_coin_for_each_component(
    tariff: Tariff, charge: Charge, places: int
) -> None:
    fine, coarse = price(tariff, charge, Rules(Rounding(9))), price(tariff, charge, Rules(Rounding(places)))
    components = {(line.element, line.component) for line in fine.lines}
    assert abs(fine.net - coarse.net) <= len(components) * Decimal(1).scaleb(-places)


# More of something


def _more(charge: Charge, factor: int) -> Charge:
    """Lets more energy flow in the same time, at the same power as it is told."""
    return replace(charge, stretches=tuple(replace(one, energy=one.energy * factor) for one in charge.stretches))


@MANY
@given(tariff=tariffs(components(steps=(0,)), "kwh"), charge=charges(), factor=st.integers(1, 5))
def test_more_energy_never_costs_less_unless_a_restriction_says_so(tariff: Tariff, charge: Charge, factor: int) -> None:
    assert price(tariff, _more(charge, factor)).net >= price(tariff, charge).net


@MANY
@given(
    component=components((ENERGY,)),
    others=tariffs(components((FLAT, TIME, SESSION_TIME)), "kwh"),
    charge=charges(),
    factor=st.integers(1, 5),
)
def test_with_steps_it_does_not_either_where_energy_has_one_price(
    component: PriceComponent, others: Tariff, charge: Charge, factor: int
) -> None:
    """With two prices it may: the last component's step rounds all energy, at the last component's price."""
    both = tariff(*others.elements, TariffElement(price_components=(component,)))
    assert price(both, _more(charge, factor)).net >= price(both, charge).net


@MANY
@given(
    tariff=tariffs(components(steps=(0,)), "duration", "time", "date", "day"),
    charge=charges(),
    more=st.integers(0, 9999),
)
def test_more_parking_never_costs_less_unless_a_restriction_says_so(tariff: Tariff, charge: Charge, more: int) -> None:
    last = charge.stretches[-1]
    assume(last.phase is Phase.PARKING)
    longer = replace(last, end=last.end + timedelta(seconds=more), seconds=last.seconds + more)
    stayed = replace(charge, stretches=(*charge.stretches[:-1], longer))
    assert price(tariff, stayed).net >= price(tariff, charge).net


# What says nothing


@MANY
@given(tariff=tariffs(), charge=charges())
def test_what_is_told_to_never_count_prices_nothing(tariff: Tariff, charge: Charge) -> None:
    """Holds the engine and the search for defects against each other."""
    idle = tuple(note.field for note in find(tariff) if note.kind in {NoteKind.HIDDEN, NoteKind.NEVER_HOLDS})
    for line in price(tariff, charge).lines:
        assert f"elements[{line.element}].restrictions" not in idle
        assert f"elements[{line.element}].price_components[{line.component}]" not in idle


def _same(one: Calculation, other: Calculation) -> None:
    assert (one.net, one.tax) == (other.net, other.tax)
    assert sorted((line.of, line.billed, line.net, line.tax) for line in one.lines) == sorted(
        (line.of, line.billed, line.net, line.tax) for line in other.lines
    )


@MANY
@given(tariff=tariffs(), charge=charges(), seed=st.randoms(use_true_random=False))
def test_the_order_of_an_element_s_dimensions_says_nothing(tariff: Tariff, charge: Charge, seed) -> None:
    firsts, shuffled = [], []
    for each in tariff.elements:
        first = {component.type: component for component in reversed(each.price_components)}
        mixed = list(first.values())
        seed.shuffle(mixed)
        firsts.append(each.model_copy(update={"price_components": tuple(first.values())}))
        shuffled.append(each.model_copy(update={"price_components": tuple(mixed)}))
    one, other = (tariff.model_copy(update={"elements": tuple(found)}) for found in (firsts, shuffled))
    _same(price(one, charge), price(other, charge))


@MANY
@given(tariff=tariffs(), charge=charges())
def test_an_element_for_each_dimension_says_the_same_as_one_for_all(tariff: Tariff, charge: Charge) -> None:
    apart = tuple(
        each.model_copy(update={"price_components": (component,)})
        for each in tariff.elements
        for component in each.price_components
    )
    _same(price(tariff.model_copy(update={"elements": apart}), charge), price(tariff, charge))


@MANY
@given(tariff=tariffs(), charge=charges())
def test_an_element_behind_one_without_restrictions_says_nothing(tariff: Tariff, charge: Charge) -> None:
    whole = (*tariff.elements, element(energy("0.2"), hourly("1")))
    more = (*whole, element(energy("9"), hourly("9"), day_of_week=WORKDAYS))
    _same(
        price(tariff.model_copy(update={"elements": more}), charge),
        price(tariff.model_copy(update={"elements": whole}), charge),
    )


@MANY
@given(tariff=tariffs(None, "time", "date", "day"), charge=charges(), zone=st.sampled_from([*ZONES, None]))
def test_where_nothing_is_local_the_zone_says_nothing(tariff: Tariff, charge: Charge, zone: str | None) -> None:
    _same(price(tariff, replace(charge, zone=zone)), price(tariff, charge))


@MANY
@given(tariff=tariffs(None, "time", "date", "day"), charge=charges(), days=st.integers(-400, 400))
def test_where_nothing_is_local_the_day_says_nothing(tariff: Tariff, charge: Charge, days: int) -> None:
    by = timedelta(days=days)
    moved = tuple(replace(one, start=one.start + by, end=one.end + by) for one in charge.stretches)
    _same(price(tariff, replace(charge, stretches=moved)), price(tariff, charge))


# The clock


HOURS = tariff(
    *(
        element(energy("0.25", step=0), hourly("3", step=0), start_time=f"{hour:02}:00", end_time=f"{hour + 1:02}:00")
        for hour in range(23)
    ),
    element(energy("0.25", step=0), hourly("3", step=0), start_time="23:00", end_time="00:00"),
)


@MANY
@given(charge=charges())
def test_hour_by_hour_no_second_is_lost_or_found_whatever_the_clock_does(charge: Charge) -> None:
    found = price(HOURS, charge)
    of_charging = [stretch for stretch in charge.stretches if stretch.phase is Phase.CHARGING]
    hours = sum(stretch.seconds for stretch in of_charging) / 3600
    # Each line is told to six places.
    slack = len(found.lines) * Decimal("1e-6")
    assert abs(sum(line.used for line in found.lines if line.of is TIME) - hours) <= slack
    kwh = sum(stretch.energy for stretch in of_charging)
    assert abs(sum(line.used for line in found.lines if line.of is ENERGY) - kwh) <= slack


@MANY
@given(start=st.integers(0, 60 * 24 * 365), minutes=st.integers(1, 60 * 72), zone=st.sampled_from(ZONES))
def test_an_hour_of_the_day_is_as_long_as_the_clock_shows_it(start: int, minutes: int, zone: str) -> None:
    """Held against a clock that is read minute by minute."""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=start)
    seconds = Decimal(60 * minutes)
    stretch = Stretch(at, at + timedelta(minutes=minutes), Phase.CHARGING, seconds)
    night = tariff(element(hourly("1", step=0), start_time="22:30", end_time="02:15", day_of_week=WORKDAYS))
    shown = 0
    for minute in range(minutes):
        local = (at + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))
        clock = local.strftime("%H:%M")
        shown += local.weekday() < 5 and (clock >= "22:30" or clock < "02:15")
    found = price(night, Charge((stretch,), zone))
    assert abs(sum((line.used for line in found.lines), Decimal(0)) * 60 - shown) <= Decimal("1e-4") * len(found.lines)
