"""What an approximated tariff does to prices, in one sentence."""

from decimal import Decimal
from typing import Any

import pytest

from gateway.pricing.differences import Differences, described, differences, sentence, told
from gateway.pricing.samples import samples
from mappings.canonical.tariffs import ClockSpan, PriceRounding, RoundingRule, Tariff, TariffHours
from mappings.ocpi.dialects import gireve_tariffs
from mappings.ocpi.v2_2_1 import tariffs
from tests.pricing.building import element, energy, flat, hourly, parking_fee, session_fee, tariff

SAMPLES = samples()
DAY = TariffHours(spans=(ClockSpan(start="06:00", end="22:00"),))


def against(wanted: Tariff, said: Tariff) -> Differences:
    return differences(wanted, said, SAMPLES)


def test_a_tariff_differs_nowhere_from_itself() -> None:
    wanted = tariff(element(energy("0.5"), hourly("3")))
    assert told(wanted, wanted) == f"of {len(SAMPLES)} sample charges none differs"


def test_the_largest_difference_is_named_with_its_charge_and_both_prices() -> None:
    # The largest sample is of 62.5 kWh: 5 cents more on each are 3.125; to two places that would be hidden.
    found = against(tariff(element(energy("0.40"))), tariff(element(energy("0.45"))))
    said = sentence(found, "EUR")
    most = max(found.differing, key=lambda each: abs(each.amount))
    assert most.amount == Decimal("3.1250")
    assert f"{len(found.differing)} differ, by at most 3.125 EUR more (62.5 kWh in" in said
    assert said.endswith(": 28.125 instead of 25.00)")


def test_what_is_said_too_low_is_less() -> None:
    said = told(tariff(element(flat("2"))), tariff(element(flat("1.50"))))
    assert "by at most 0.50 EUR less" in said


def test_a_difference_below_what_lines_are_rounded_to_is_none() -> None:
    assert not against(tariff(element(flat("1"))), tariff(element(flat("1.00001")))).differing


def test_hours_that_cannot_be_said_price_what_they_would_not() -> None:
    wanted = tariff(element(energy("0.5")), hours=DAY)
    found = against(wanted, wanted.model_copy(update={"hours": None}))
    assert found.differing == []
    assert 0 < found.one_sided < found.of
    expected = f"of {found.of} sample charges {found.one_sided} have a price by one of the two only"
    assert sentence(found, "EUR") == expected


def test_a_charge_that_neither_prices_is_not_compared() -> None:
    wanted = tariff(element(energy("0.5")), hours=DAY)
    assert against(wanted, wanted).of < len(SAMPLES)
    never = tariff(element(energy("0.5")), hours=TariffHours(spans=(ClockSpan(start="04:00", end="04:01"),)))
    assert told(never, never) == "no sample charge can be priced by it"


def test_differences_and_what_only_one_prices_stand_in_one_sentence() -> None:
    wanted = tariff(element(energy("0.5")), hours=DAY)
    said = told(wanted, tariff(element(energy("0.6"))))
    assert " differ, by at most 6.25 EUR more (" in said
    assert said.endswith("have a price by one of the two only")


def test_a_tariff_is_sampled_from_its_first_day_however_late_it_is() -> None:
    wanted = tariff(element(flat("1")), start="9999-12-31T23:59:59Z")
    assert told(wanted, wanted).endswith("none differs")


def test_a_charge_is_said_by_what_flowed_how_long_it_stood_and_when_it_began() -> None:
    assert described(SAMPLES[3]) == "22 kWh in 2.7 h from 07:55"
    reserved = next(each for each in SAMPLES if sum(s.energy for s in each.stretches) == 0)
    assert described(reserved) == "0 kWh in 0 h from 07:55, reserved in vain for 1 h"


@pytest.mark.parametrize(
    "wanted",
    [
        tariff(element(session_fee("3", step=60), energy("0.2"))),
        tariff(element(session_fee("3")), element(energy("0.2"), start_time="08:00", end_time="20:00")),
    ],
)
def test_charging_and_parking_time_come_to_what_session_time_does(wanted: Tariff) -> None:
    said, _ = tariffs.nearest(wanted)
    most = max((abs(each.amount) for each in against(wanted, said).differing), default=Decimal(0))
    assert most <= Decimal("0.05")  # a minute's step


def test_restrictions_come_to_what_hours_do_where_a_charge_stays_within_them() -> None:
    wanted = tariff(element(energy("0.5"), parking_fee("2")), hours=DAY)
    said, _ = tariffs.nearest(wanted)
    found = against(wanted, said)
    # By day the same, or less where it lasts into the night; at night one of them has no price, the other asks nothing.
    assert all(each.amount < 0 for each in found.differing)
    assert len(found.differing) < found.of - found.one_sided


def test_gireves_own_rounding_is_compared_with_the_tariffs() -> None:
    rounding: dict[str, Any] = {"price_rounding": PriceRounding(places=0, rule=RoundingRule.ROUND_UP)}
    wanted = tariff(element(energy("0.5", **rounding)))
    said, _ = gireve_tariffs.heeded(wanted)
    found = against(wanted, said)
    assert found.differing
    assert all(Decimal(-1) < each.amount < 0 for each in found.differing)
