"""A charge that is yet to come, from what a driver needs."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pricing.charge import Charge, Phase, Reading
from gateway.pricing.needs import Battery, Curve, Need, Over, charge_for, powers_of
from gateway.pricing.notes import Note, NoteKind, Unpriceable, Why
from mappings.canonical.tariffs import PriceComponent, Tariff, TariffElement, TariffRestrictions

START = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
ZONE = "Europe/Amsterdam"
FALLING = Curve(Over.STATE_OF_CHARGE, ((Decimal(20), Decimal(150)), (Decimal(80), Decimal(50))))
CAR = Battery(Decimal(60), Decimal(20))


def charge(**fields: object) -> Charge:
    """The charge for a need."""
    return charge_for(Need(**fields), START, ZONE)  # type: ignore[arg-type]


def refused(**fields: object) -> Unpriceable:
    """Why a need is not met."""
    with pytest.raises(Unpriceable) as caught:
        charge(**fields)
    return caught.value


def seconds(made: Charge, *phases: Phase) -> float:
    """What the phases take, by the clock."""
    return sum((each.end - each.start).total_seconds() for each in made.stretches if each.phase in phases)


def energy(made: Charge) -> Decimal:
    """What flows."""
    return sum((each.energy for each in made.stretches), Decimal(0))


def assumed(made: Charge) -> list[str]:
    """The fields of which something is assumed."""
    assert {note.kind for note in made.notes} <= {NoteKind.ASSUMED}
    return [note.field for note in made.notes]


def test_energy_at_a_constant_power_takes_its_time_and_assumes_nothing():
    made = charge(energy=Decimal(20), power=Decimal(10))
    [only] = made.stretches
    assert (only.start, only.end, only.phase, only.seconds) == (START, START + timedelta(hours=2), Phase.CHARGING, 7200)
    assert (only.energy, only.power) == (20, Reading(Decimal(10), Decimal(10), Decimal(10)))
    assert (made.notes, made.zone, made.start) == ([], ZONE, START)


def test_a_time_that_is_no_whole_second_is_rounded_up():
    # 10 kWh at 11 kW: 10 / 11 h = 3272.73 s
    assert seconds(charge(energy=Decimal(10), power=Decimal(11)), Phase.CHARGING) == 3273
    # 20 kWh at 30 kW: 2400 s, though 20 / 30 h has no end
    assert seconds(charge(energy=Decimal(20), power=Decimal(30)), Phase.CHARGING) == 2400


def test_a_duration_at_a_constant_power_gives_its_energy():
    made = charge(duration=timedelta(minutes=90), power=Decimal(22))
    assert (energy(made), seconds(made, Phase.CHARGING)) == (33, 5400)


def test_a_target_takes_what_the_battery_lacks_and_nothing_is_lost():
    made = charge(target=Decimal(80), battery=CAR, power=Decimal(36))
    assert (energy(made), seconds(made, Phase.CHARGING)) == (36, 3600)
    assert assumed(made) == ["target"]


def test_without_a_power_what_the_evse_gives_is_assumed_else_11_kw_and_that_is_said():
    by_evse, alone = charge(energy=Decimal(11), limit=Decimal(22)), charge(energy=Decimal(11))
    assert (seconds(by_evse, Phase.CHARGING), seconds(alone, Phase.CHARGING)) == (1800, 3600)
    assert by_evse.notes == [
        Note(
            NoteKind.ASSUMED,
            "power",
            "22 kW all the time, the most that the EVSE gives, since no power is given",
        )
    ]
    assert assumed(alone) == ["power"]


def test_energy_and_duration_without_a_power_give_the_power():
    made = charge(energy=Decimal(20), duration=timedelta(hours=3))
    assert (energy(made), seconds(made, Phase.CHARGING), assumed(made)) == (20, 10_800, ["power"])
    assert made.stretches[-1].phase is Phase.CHARGING


def test_what_is_plugged_in_longer_than_it_charges_is_parked():
    made = charge(energy=Decimal(10), duration=timedelta(hours=3), power=Decimal(10), parked=timedelta(minutes=10))
    charging, parking = made.stretches
    assert (charging.phase, charging.end) == (Phase.CHARGING, START + timedelta(hours=1))
    assert (parking.phase, parking.start, parking.end) == (
        Phase.PARKING,
        START + timedelta(hours=1),
        START + timedelta(hours=3, minutes=10),
    )
    assert (parking.energy, parking.seconds) == (0, 7800)


def test_a_full_battery_takes_no_more_and_the_vehicle_is_parked():
    made = charge(duration=timedelta(hours=2), battery=CAR, power=Decimal(48))
    assert (energy(made), seconds(made, Phase.CHARGING), seconds(made, Phase.PARKING)) == (48, 3600, 3600)


def test_a_reservation_goes_before_the_start():
    made = charge(energy=Decimal(10), power=Decimal(10), reserved=timedelta(minutes=15))
    assert [each.phase for each in made.stretches] == [Phase.RESERVED, Phase.CHARGING]
    assert made.stretches[0].start == START - timedelta(minutes=15)
    assert made.start == START


def test_a_falling_curve_takes_the_logarithm_s_time():
    # From 150 kW to 50 kW over 36 kWh: ln(150 / 50) x 36 / (150 - 50) h = 0.39550 h = 1423.80 s
    made = charge(target=Decimal(80), battery=CAR, power=FALLING)
    assert (energy(made), seconds(made, Phase.CHARGING)) == (36, 1424)


def test_a_curve_over_energy_is_the_same_to_scale():
    curve = Curve(Over.ENERGY, ((Decimal(0), Decimal(150)), (Decimal(36), Decimal(50))))
    by_energy = charge(energy=Decimal(36), power=curve)
    by_charge = charge(target=Decimal(80), battery=CAR, power=FALLING)
    assert by_energy.stretches == by_charge.stretches


def test_a_duration_ends_a_curve_where_the_exponential_is():
    # k = -100 / 36 per hour; after half an hour at the most 36 x (1 - e^(k/4)) x 150 / 100 = 27.035 kWh in 0.25 h
    made = charge(duration=timedelta(minutes=15), battery=CAR, power=FALLING)
    assert (round(energy(made), 3), seconds(made, Phase.CHARGING)) == (Decimal("27.035"), 900)


def test_within_a_stretch_of_a_curve_the_power_is_about_the_same():
    made = charge(target=Decimal(80), battery=CAR, power=FALLING)
    powers = [each.power.average for each in made.stretches]
    assert powers == sorted(powers, reverse=True)
    assert all(before / after < Decimal("1.11") for before, after in pairwise(powers))
    assert all(before.end == after.start for before, after in pairwise(made.stretches))


def test_no_stretch_lies_on_both_sides_of_a_power_at_which_prices_change():
    need = Need(target=Decimal(80), battery=CAR, power=FALLING)
    made = charge_for(need, START, ZONE, cuts={Decimal(100), Decimal(400)})
    above = [each for each in made.stretches if each.power.average > 100]
    # 150 kW falls to 100 kW after 18 kWh: ln(1.5) x 36 / 100 h = 525.5 s
    assert round(sum((each.energy for each in above), Decimal(0)), 1) == 18
    assert abs((above[-1].end - START).total_seconds() - 525.5) < 1


def test_the_evse_cuts_a_curve_off_and_that_is_said():
    # 150 kW to 50 kW, cut at 100 kW: 18 kWh at 100 kW = 648 s, then ln(100 / 50) x 36 / 100 h = 898.3 s
    made = charge(target=Decimal(80), battery=CAR, power=FALLING, limit=Decimal(100))
    assert seconds(made, Phase.CHARGING) == 1547
    assert assumed(made) == ["target", "power"]


def test_what_flows_at_one_power_is_one_stretch_however_many_points_the_curve_has():
    made = charge(target=Decimal(80), battery=CAR, power=FALLING, limit=Decimal(36))
    assert [(each.energy, each.seconds) for each in made.stretches] == [(36, 3600)]
    points = [(Decimal(at), Decimal(20)) for at in range(0, 30, 3)]
    assert len(charge(energy=Decimal(40), power=Curve(Over.ENERGY, points)).stretches) == 1


def test_before_and_beyond_a_curve_its_ends_are_assumed():
    made = charge(target=Decimal(90), battery=Battery(Decimal(100), Decimal(10)), power=FALLING)
    assert assumed(made) == ["target", "power.points[0]", "power.points[1]"]
    # 10 kWh at 150 kW = 240 s, ln(3) x 60 / 100 h = 2373.0 s, 10 kWh at 50 kW = 720 s
    assert seconds(made, Phase.CHARGING) == 3334  # 3333.0022 s


def test_a_curve_may_jump():
    points = ((0, 100), (10, 100), (10, 50), (20, 50))
    curve = Curve(Over.ENERGY, [(Decimal(at), Decimal(power)) for at, power in points])
    assert seconds(charge(energy=Decimal(20), power=curve), Phase.CHARGING) == 360 + 720


def test_a_curve_over_a_battery_that_is_fuller_than_its_start_begins_within_it():
    # At 50 % the line from 150 kW to 50 kW is at 100 kW: ln(2) x 18 / 50 h = 898.3 s
    made = charge(target=Decimal(80), battery=Battery(Decimal(60), Decimal(50)), power=FALLING)
    assert seconds(made, Phase.CHARGING) == 899


ZERO_AT_THE_END = Curve(Over.ENERGY, ((Decimal(0), Decimal(50)), (Decimal(50), Decimal(0))))
ZERO_AT_THE_START = Curve(Over.ENERGY, ((Decimal(0), Decimal(0)), (Decimal(50), Decimal(50))))


@pytest.mark.parametrize(
    ("fields", "why", "field"),
    [
        ({}, Why.NOTHING, ""),
        ({"energy": Decimal(0)}, Why.NOTHING, "energy"),
        ({"duration": timedelta(0)}, Why.NOTHING, "duration"),
        ({"energy": Decimal(1), "power": Decimal(0)}, Why.NOT_MET, "power"),
        ({"energy": Decimal(1), "limit": Decimal(0)}, Why.NOT_MET, "power"),
        ({"energy": Decimal(1_000), "power": Decimal("0.1")}, Why.NOT_MET, "power"),
        ({"energy": Decimal(50), "power": ZERO_AT_THE_END}, Why.NOT_MET, "power"),
        ({"energy": Decimal(1), "power": ZERO_AT_THE_START}, Why.NOT_MET, "power"),
        ({"energy": Decimal(9), "duration": timedelta(hours=1), "power": Decimal(8)}, Why.NOT_MET, "duration"),
        ({"energy": Decimal(9), "duration": timedelta(hours=1), "limit": Decimal(8)}, Why.NOT_MET, "duration"),
        ({"energy": Decimal(49), "battery": CAR}, Why.NOT_MET, "energy"),
        ({"energy": Decimal(1), "parked": timedelta(minutes=-5)}, Why.NOT_MET, "parked"),
        ({"energy": Decimal(1), "reserved": timedelta(minutes=-5)}, Why.NOT_MET, "reserved"),
        ({"energy": Decimal(1), "parked": timedelta.max}, Why.NOT_MET, "parked"),
        ({"energy": Decimal(1), "duration": timedelta(days=32)}, Why.NOT_MET, "duration"),
        ({"target": Decimal(101), "battery": CAR}, Why.NOT_MET, "target"),
        ({"energy": Decimal(1), "battery": Battery(Decimal(0), Decimal(20))}, Why.NOT_MET, "battery"),
        ({"energy": Decimal(1), "battery": Battery(Decimal(60), Decimal(-1))}, Why.NOT_MET, "battery"),
        ({"energy": Decimal(1), "battery": Battery(Decimal(60), Decimal(101))}, Why.NOT_MET, "battery"),
        ({"target": Decimal(80)}, Why.NOT_MET, "battery"),
        ({"target": Decimal(20), "battery": CAR}, Why.NOT_MET, "target"),
        ({"target": Decimal(30), "energy": Decimal(6), "battery": CAR}, Why.NOT_MET, "target"),
        ({"energy": Decimal(6), "power": FALLING}, Why.NOT_MET, "battery"),
        ({"energy": Decimal(6), "power": Curve(Over.ENERGY, ())}, Why.NOT_MET, "power"),
        (
            {"energy": Decimal(6), "power": Curve(Over.ENERGY, [(Decimal(5), Decimal(1)), (Decimal(4), Decimal(1))])},
            Why.NOT_MET,
            "power.points[1]",
        ),
        (
            {"energy": Decimal(6), "power": Curve(Over.ENERGY, ((Decimal(5), Decimal(-1)),))},
            Why.NOT_MET,
            "power.points[0]",
        ),
    ],
)
def test_what_cannot_be_reached_is_refused_by_what_stands_in_its_way(fields, why, field):
    error = refused(**fields)
    assert (error.why, error.field) == (why, field)


def test_a_curve_that_ends_without_power_gives_all_but_the_last_of_its_energy():
    # 50 kW falling to 0 over 50 kWh: after an hour 50 x (1 - 1/e) = 31.606 kWh
    made = charge(duration=timedelta(hours=1), power=ZERO_AT_THE_END)
    assert round(energy(made), 3) == Decimal("31.606")


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 350)), min_size=1, max_size=8),
    st.integers(1, 120),
    st.lists(st.integers(1, 350), max_size=3),
)
def test_whatever_the_curve_the_energy_is_delivered_and_the_clock_goes_on(points, wanted, cuts):
    curve = Curve(Over.ENERGY, [(Decimal(at), Decimal(power)) for at, power in sorted(points)])
    need = Need(energy=Decimal(wanted), power=curve)
    made = charge_for(need, START, None, cuts=[Decimal(cut) for cut in cuts])
    assert energy(made) == wanted
    assert all(before.end == after.start for before, after in pairwise(made.stretches))
    assert all(each.energy >= 0 and each.end > each.start for each in made.stretches)
    powers = [power for _, power in points]
    slowest, fastest = Decimal(wanted) / min(powers) * 3600, Decimal(wanted) / max(powers) * 3600
    assert float(fastest) - 1e-6 <= seconds(made, Phase.CHARGING) <= float(slowest) + 1


def test_the_powers_at_which_prices_change_are_those_of_the_restrictions():
    component = PriceComponent(type="ENERGY", price=1, step_size=1)
    elements = [
        TariffElement(price_components=(component,), restrictions=restrictions)
        for restrictions in (TariffRestrictions(min_power=16, max_power=32), TariffRestrictions(max_kwh=9), None)
    ]
    tariff = Tariff(party="NL*ABC", id="T1", currency="EUR", elements=tuple(elements), last_updated=START)
    assert powers_of(tariff) == {16, 32}


def test_a_power_that_follows_from_energy_and_time_is_said_without_powers_of_ten() -> None:
    made = charge(energy=Decimal(20), duration=timedelta(minutes=30))
    assert Note(
        NoteKind.ASSUMED, "power", "40 kW all the time, since no power is given: the energy over the duration"
    ) in (made.notes)
