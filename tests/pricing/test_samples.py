"""The hundred sample charges."""

from datetime import UTC, date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from gateway.pricing.charge import Phase
from gateway.pricing.samples import FIRST, ZONE, samples


def test_there_are_a_hundred_and_they_are_always_the_same() -> None:
    assert len(samples()) == 100
    assert samples() == samples(FIRST, ZONE)
    assert len(set(map(repr, samples()))) == 100


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "Asia/Tokyo", "Australia/Sydney", "UTC"])
@pytest.mark.parametrize("first", [date(2026, 1, 1), date(2026, 2, 28), date(2024, 2, 29), date(2026, 12, 31)])
def test_they_are_whole_wherever_and_whenever_they_are_asked_for(zone: str, first: date) -> None:
    found = samples(first, zone)
    assert len(found) == 100
    for charge in found:
        assert charge.zone == zone
        assert charge.start.astimezone(ZoneInfo(zone)).date() >= first
        assert charge.start < charge.stretches[-1].end
        for one, other in pairwise(charge.stretches):
            assert one.end == other.start
        assert {stretch.start.tzinfo for stretch in charge.stretches} == {UTC}


def test_every_phase_and_every_weekday_is_among_them() -> None:
    assert {stretch.phase for charge in samples() for stretch in charge.stretches} == set(Phase)
    assert {charge.start.astimezone(ZoneInfo(ZONE)).weekday() for charge in samples()} == set(range(7))


def test_both_changes_of_the_clock_are_among_them() -> None:
    zone = ZoneInfo(ZONE)
    turned = {
        charge.stretches[-1].end.astimezone(zone).utcoffset() - charge.start.astimezone(zone).utcoffset()
        for charge in samples()
    }
    assert turned == {timedelta(0), timedelta(hours=1), timedelta(hours=-1)}


def test_a_place_without_a_change_of_clocks_has_ordinary_nights_instead() -> None:
    starts = {charge.stretches[0].start for charge in samples(FIRST, "Asia/Tokyo")}
    assert len(starts) == 10


def test_no_part_of_a_charge_is_faster_than_its_power() -> None:
    for charge in samples():
        for stretch in charge.stretches:
            if stretch.power is not None:
                hours = stretch.seconds / 3600
                assert abs(stretch.energy - stretch.power.most * hours) <= stretch.power.most / 3600
