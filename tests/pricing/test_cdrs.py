"""The charge that a CDR tells of: by its periods, else by the clock; what is left open is assumed aloud, or refused."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.pricing.cdrs import charge_of
from gateway.pricing.charge import Charge, Phase, Reading
from gateway.pricing.notes import NoteKind, Unpriceable, Why
from mappings.canonical.cdrs import Cdr

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
RESERVED, EXPIRED, CHARGING, PARKING = Phase.RESERVED, Phase.EXPIRED, Phase.CHARGING, Phase.PARKING


def at(minutes: float) -> datetime:
    """A moment of the session."""
    return START + timedelta(minutes=minutes)


def period(minutes: float, tariff_id: str | None = None, **volumes: object) -> dict[str, Any]:
    """A period that begins so many minutes in."""
    dimensions = [{"type": type_, "volume": str(volume)} for type_, volume in volumes.items()]
    return {"start": at(minutes), "dimensions": dimensions, "tariff_id": tariff_id}


def cdr(*periods: dict[str, Any], minutes: float = 60, energy: object = 10, **changes: Any) -> Cdr:
    """A CDR of an hour."""
    fields: dict[str, Any] = {
        "party": "NL*CPO",
        "id": "c-1",
        "start": START,
        "end": at(minutes),
        "identification": {"type": "RFID", "uid": "04A2B3C4"},
        "auth_method": "AUTH_REQUEST",
        "location": {"id": "L1", "evse_uid": "U1", "connector_id": "1"},
        "currency": "EUR",
        "periods": periods,
        "energy": energy,
        "time": "1",
        "last_updated": at(minutes),
    }
    return Cdr.model_validate(fields | changes)


def shape(charge: Charge) -> list[tuple[Phase, float, float, Decimal, Decimal]]:
    """Phase, from and to in minutes, billed seconds, and energy of each stretch."""
    minute = timedelta(minutes=1)
    return [
        (one.phase, (one.start - START) / minute, (one.end - START) / minute, one.seconds, one.energy)
        for one in charge.stretches
    ]


def kinds(charge: Charge) -> list[NoteKind]:
    """The kinds of its notes."""
    return [note.kind for note in charge.notes]


def why(given: Cdr) -> Why:
    """Why it cannot be read."""
    with pytest.raises(Unpriceable) as error:
        charge_of(given)
    return error.value.why


def test_periods_that_tell_times_are_taken_as_they_are() -> None:
    charge = charge_of(
        cdr(period(0, ENERGY=8, TIME="0.5"), period(30, ENERGY=2, TIME="0.25"), period(45, PARKING_TIME="0.25"))
    )
    assert shape(charge) == [(CHARGING, 0, 30, 1800, 8), (CHARGING, 30, 45, 900, 2), (PARKING, 45, 60, 900, 0)]
    assert [one.period for one in charge.stretches] == [0, 1, 2]
    assert charge.notes == []


def test_the_zone_is_the_cdrs_else_the_one_given() -> None:
    place = {"id": "L1", "evse_uid": "U1", "connector_id": "1", "time_zone": "Europe/Paris"}
    assert charge_of(cdr(), "Europe/Berlin").zone == "Europe/Berlin"
    assert charge_of(cdr(location=place), "Europe/Berlin").zone == "Europe/Paris"
    assert charge_of(cdr()).zone is None


def test_hours_that_are_rounded_are_those_of_the_clock() -> None:
    # 22 minutes are 0.36666… hours: as 0.3667 they would be 1320.12 s, and a step of a minute more.
    charge = charge_of(cdr(period(0, ENERGY=10, TIME="0.3667"), minutes=22))
    assert shape(charge) == [(CHARGING, 0, 22, 1320, 10)]
    assert charge.notes == []
    # Two places are what some tell.
    assert charge_of(cdr(period(0, ENERGY=10, TIME="0.37"), minutes=22)).stretches[0].seconds == 1320


def test_hours_that_differ_from_the_clock_are_billed_as_told() -> None:
    charge = charge_of(cdr(period(0, ENERGY=10, TIME="0.75")))
    assert shape(charge) == [(CHARGING, 0, 60, 2700, 10)]
    assert kinds(charge) == [NoteKind.HOURS_DIFFER]


def test_charging_comes_first_where_a_period_has_parking_too() -> None:
    charge = charge_of(cdr(period(0, ENERGY=10, TIME="0.75", PARKING_TIME="0.25", MAX_POWER=20)))
    assert shape(charge) == [(CHARGING, 0, 45, 2700, 10), (PARKING, 45, 60, 900, 0)]
    assert kinds(charge) == [NoteKind.ASSUMED]
    assert charge.stretches[1].power is None


def test_parking_may_have_energy() -> None:
    assert shape(charge_of(cdr(period(0, ENERGY=1, PARKING_TIME=1)))) == [(PARKING, 0, 60, 3600, 1)]


def test_a_period_of_energy_alone_among_others_charges_by_the_clock() -> None:
    charge = charge_of(cdr(period(0, ENERGY=10), period(30, PARKING_TIME="0.5")))
    assert shape(charge) == [(CHARGING, 0, 30, 1800, 10), (PARKING, 30, 60, 1800, 0)]
    assert kinds(charge) == [NoteKind.ASSUMED]


def test_times_of_zero_are_told_ones() -> None:
    charge = charge_of(cdr(period(0, ENERGY=10, TIME=1), period(60, TIME=0, PARKING_TIME=0)))
    assert shape(charge) == [(CHARGING, 0, 60, 3600, 10)]
    nothing = charge_of(cdr(period(0, TIME=0), energy=0))
    assert (shape(nothing), kinds(nothing)) == ([(PARKING, 0, 60, 0, 0)], [NoteKind.HOURS_DIFFER])


# Energy


def test_energy_that_no_period_tells_flows_evenly_while_charging() -> None:
    charge = charge_of(cdr(period(0, TIME="0.5"), period(30, PARKING_TIME="0.25"), period(45, TIME="0.25"), energy=9))
    assert [one.energy for one in charge.stretches] == [6, 0, 3]
    assert kinds(charge) == [NoteKind.ASSUMED]


def test_energy_that_flowed_in_no_period_is_refused() -> None:
    assert why(cdr(period(0, RESERVATION_TIME=1), energy=1)) is Why.NO_TIME


def test_periods_whose_energy_is_not_the_cdrs_are_priced_and_said() -> None:
    charge = charge_of(cdr(period(0, ENERGY=8, TIME=1)))
    assert charge.stretches[0].energy == 8
    assert kinds(charge) == [NoteKind.ASSUMED]


def test_imported_energy_stands_in_for_energy() -> None:
    charge = charge_of(cdr(period(0, ENERGY_IMPORT=10, TIME=1)))
    assert (charge.stretches[0].energy, kinds(charge)) == (10, [])


def test_energy_that_is_given_back_is_not_taken_off_and_is_said() -> None:
    charge = charge_of(cdr(period(0, ENERGY=10, ENERGY_EXPORT=1, TIME=1)))
    assert (charge.stretches[0].energy, kinds(charge)) == (10, [NoteKind.ASSUMED])


# Reservations


def test_a_reservation_that_a_charge_followed() -> None:
    charge = charge_of(cdr(period(0, RESERVATION_TIME="0.5"), period(30, ENERGY=10, TIME="0.5")))
    assert shape(charge) == [(RESERVED, 0, 30, 1800, 0), (CHARGING, 30, 60, 1800, 10)]
    assert charge.start == at(30)


def test_a_reservation_that_nobody_came_for() -> None:
    charge = charge_of(cdr(period(0, RESERVATION_TIME=1), energy=0))
    assert shape(charge) == [(EXPIRED, 0, 60, 3600, 0)]
    assert charge.start == START


# By the clock


def test_a_cdr_without_periods_charges_from_its_charging_start_to_its_charging_end() -> None:
    charge = charge_of(cdr(charging_start=at(5), charging_end=at(50)))
    assert shape(charge) == [(PARKING, 0, 5, 300, 0), (CHARGING, 5, 50, 2700, 10), (PARKING, 50, 60, 600, 0)]
    assert charge.notes == []


def test_a_period_of_energy_alone_charges_as_long_as_charging_is_told() -> None:
    # As an eRoamingChargeDetailRecord is read.
    charge = charge_of(cdr(period(5, ENERGY=10), charging_start=at(5), charging_end=at(50)))
    assert shape(charge) == [(PARKING, 0, 5, 300, 0), (CHARGING, 5, 50, 2700, 10), (PARKING, 50, 60, 600, 0)]
    assert charge.notes == []


def test_stamps_that_stray_by_seconds_are_brought_into_the_cdr() -> None:
    before, after = at(0) - timedelta(seconds=1), at(60) + timedelta(seconds=2)
    charge = charge_of(cdr({**period(0, ENERGY=10), "start": before}, charging_start=before, charging_end=after))
    assert shape(charge) == [(CHARGING, 0, 60, 3600, 10)]
    assert kinds(charge) == [NoteKind.ASSUMED]
    assert why(cdr(charging_start=at(0) - timedelta(minutes=2), charging_end=at(60))) is Why.OUT_OF_ORDER


def test_without_a_word_on_times_charging_lasts_all_along() -> None:
    charge = charge_of(cdr(period(0, ENERGY=10)))
    assert shape(charge) == [(CHARGING, 0, 60, 3600, 10)]
    assert kinds(charge) == [NoteKind.ASSUMED]


def test_parking_whose_place_is_not_told_comes_last() -> None:
    charge = charge_of(cdr(period(0, ENERGY=10), parking_time="0.25"))
    assert shape(charge) == [(CHARGING, 0, 45, 2700, 10), (PARKING, 45, 60, 900, 0)]
    assert kinds(charge) == [NoteKind.ASSUMED]


def test_periods_beside_the_charging_are_parking_unless_energy_flows() -> None:
    told = cdr(
        period(0, ENERGY=9), period(30, MAX_POWER=0), period(40, ENERGY=1), charging_start=START, charging_end=at(20)
    )
    charge = charge_of(told)
    assert shape(charge) == [
        (CHARGING, 0, 20, 1200, 9),
        (PARKING, 20, 30, 600, 0),
        (PARKING, 30, 40, 600, 0),
        (CHARGING, 40, 60, 1200, 1),
    ]
    assert kinds(charge) == [NoteKind.ASSUMED]


@pytest.mark.parametrize("told", [period(2, ENERGY=10), period(2, ENERGY=10, TIME="0.9667")])
def test_time_before_the_first_period_costs_nothing_and_is_said(told: dict[str, Any]) -> None:
    charge = charge_of(cdr(told))
    assert charge.stretches[0].start == at(2)
    assert "periods[0].start" in [note.field for note in charge.notes]


def test_a_charge_without_length_is_one() -> None:
    assert shape(charge_of(cdr(minutes=0))) == [(CHARGING, 0, 0, 0, 10)]
    assert why(cdr(minutes=0, energy=0)) is Why.NOTHING


# Power


def test_power_is_as_told_and_its_average_derived() -> None:
    [told] = charge_of(cdr(period(0, ENERGY=10, TIME=1, MIN_POWER=5, MAX_POWER=22, MAX_CURRENT=32))).stretches
    assert told.power == Reading(Decimal(5), Decimal(22), Decimal(10))
    assert told.current == Reading(most=Decimal(32))
    [derived] = charge_of(cdr(period(0, ENERGY=10, TIME="0.5"), minutes=30)).stretches
    assert (derived.power, derived.current) == (Reading(average=Decimal(20)), None)
    [average] = charge_of(cdr(period(0, ENERGY=10, TIME=1, POWER=7))).stretches
    assert average.power == Reading(average=Decimal(7))


def test_tariffs_are_those_that_periods_name() -> None:
    charge = charge_of(cdr(period(0, "A", ENERGY=5, TIME="0.5"), period(30, ENERGY=5, TIME="0.5")))
    assert [one.tariff_id for one in charge.stretches] == ["A", None]


# Bad input


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (cdr(period(30, TIME=1), period(0, TIME=1)), Why.OUT_OF_ORDER),
        (cdr(period(-1, TIME=1)), Why.OUT_OF_ORDER),
        (cdr(period(61, TIME=1)), Why.OUT_OF_ORDER),
        (cdr(minutes=-1), Why.OUT_OF_ORDER),
        (cdr(charging_start=at(-1)), Why.OUT_OF_ORDER),
        (cdr(charging_end=at(61)), Why.OUT_OF_ORDER),
        (cdr(charging_start=at(50), charging_end=at(10)), Why.OUT_OF_ORDER),
        (cdr(energy=-1), Why.NEGATIVE_VOLUME),
        (cdr(period(0, ENERGY=-1, TIME=1)), Why.NEGATIVE_VOLUME),
        (cdr(period(0, ENERGY=1, TIME=-1)), Why.NEGATIVE_VOLUME),
        (cdr(metering={"start": 5, "end": 4}), Why.NEGATIVE_VOLUME),
        (cdr(metering={"start": 1, "between": [3, 2], "end": 4}), Why.NEGATIVE_VOLUME),
        (cdr(period(0)), Why.UNKNOWN_DIMENSION),
        (cdr(period(0, MAX_POWER=11)), Why.NO_TIME),
        (cdr(period(0, RESERVATION_TIME="0.5", ENERGY=10), period(30, PARKING_TIME="0.5")), Why.NO_TIME),
        (cdr(period(0, ENERGY=10, TIME="0.5"), period(30, STATE_OF_CHARGE=80)), Why.NO_TIME),
    ],
)
def test_what_makes_no_sense_is_refused(given: Cdr, reason: Why) -> None:
    assert why(given) is reason


def test_splitting_a_period_changes_no_volume() -> None:
    whole = charge_of(cdr(period(0, ENERGY=10, TIME=1)))
    split = charge_of(cdr(*(period(minute, ENERGY=1, TIME="0.1") for minute in range(0, 60, 6))))
    for volume in ("seconds", "energy"):
        assert sum(getattr(one, volume) for one in split.stretches) == getattr(whole.stretches[0], volume)
    assert split.notes == []
