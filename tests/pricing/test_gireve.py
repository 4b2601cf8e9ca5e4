"""What Gireve adds to OCPI's tariffs (its guide, Tariffs): rounded costs and steps, SESSION_TIME, inexact prices."""

from decimal import Decimal

import pytest

from gateway.pricing.engine import price
from gateway.pricing.notes import NoteKind
from gateway.pricing.rounding import GIREVE
from mappings.canonical.tariffs import PriceComponent, PriceRounding, RoundingRule
from tests.pricing.building import (
    charge,
    charging,
    element,
    energy,
    hourly,
    local,
    parking,
    parking_fee,
    session_fee,
    tariff,
)

UP, DOWN, NEAR = RoundingRule.ROUND_UP, RoundingRule.ROUND_DOWN, RoundingRule.ROUND_NEAR
NOON = local("2026-06-01 12:00")


def _billed(*components: PriceComponent) -> list[Decimal]:
    """Bills 21 minutes of charging and 16 of parking, in minutes."""
    found = price(tariff(element(*components)), charge(NOON, charging(21), parking(16)))
    return [round(line.billed * 60, 3) for line in found.lines]


@pytest.mark.parametrize(
    ("places", "rule", "net", "tax"),
    [
        # 7 kWh at 0.333 are 2.331; 20 % of what that is rounded to.
        (0, UP, "3", "0.6"),
        (0, DOWN, "2", "0.4"),
        (1, NEAR, "2.3", "0.46"),
        (2, UP, "2.34", "0.468"),
        (3, NEAR, "2.331", "0.4662"),
    ],
)
def test_a_cost_is_rounded_as_its_component_says_and_its_tax_is_not(
    places: int, rule: RoundingRule, net: str, tax: str
) -> None:
    rounding = PriceRounding(places=places, rule=rule)
    found = price(tariff(element(energy("0.333", "20", price_rounding=rounding))), charge(NOON, charging(60, "7")))
    assert (found.net, found.tax) == (Decimal(net), Decimal(tax))


def test_a_cost_is_rounded_once_for_a_component_however_often_it_held() -> None:
    rounding = PriceRounding(places=0, rule=UP)
    dear = element(parking_fee("1"))
    cheap = element(energy("0.1", price_rounding=rounding))
    found = price(tariff(cheap, dear), charge(NOON, charging(10, "4"), parking(6), charging(10, "4")))
    # 0.40 and 0.40 are 0.80 and so 1, not 1 and 1; six minutes of parking are 0.10.
    assert found.net == Decimal("1.1")


def test_what_came_by_ocpi_is_rounded_to_thousandths() -> None:
    asked = tariff(element(energy("0.33333")))
    assert price(asked, charge(NOON, charging(60, "7.77")), GIREVE).net == Decimal("2.590")


@pytest.mark.parametrize(
    ("charged", "parked", "billed"),
    [
        # Blocks of ten minutes. As OCPI has it: parking follows, so that charging is as it was.
        (UP, UP, ["21", "20"]),
        (UP, DOWN, ["21", "10"]),
        (UP, NEAR, ["21", "20"]),
        # Down and near are of each component, wherever it stands.
        (DOWN, UP, ["20", "20"]),
        (NEAR, NEAR, ["20", "20"]),
    ],
)
def test_steps_are_rounded_as_components_say(charged: RoundingRule, parked: RoundingRule, billed: list[str]) -> None:
    found = _billed(
        hourly("6", None, 600, step_rounding=charged),
        parking_fee("6", None, 600, step_rounding=parked),
    )
    assert found == [Decimal(one) for one in billed]


def test_what_came_before_a_component_that_is_rounded_down_is_not_rounded_up() -> None:
    first = element(energy("0.2", None, 1000), max_kwh=2)
    then = element(energy("0.3", None, 1000, step_rounding=DOWN))
    found = price(tariff(first, then), charge(NOON, charging(60, "4.7")))
    assert [line.billed for line in found.lines] == [Decimal(2), Decimal(2)]


def test_steps_that_are_rounded_down_never_bill_less_than_nothing() -> None:
    found = _billed(hourly("6", None, 3600, step_rounding=DOWN), parking_fee("6", None, 3600, step_rounding=DOWN))
    assert found == [0, 0]


def test_the_time_of_a_session_runs_while_charging_and_parking_and_has_steps_of_its_own() -> None:
    found = _billed(session_fee("6", None, 600), hourly("6", None, 600))
    assert sorted(found) == [30, 40]  # 21 minutes of charging, and 37 plugged in


def test_a_price_that_is_not_exactly_the_operators_is_told_to_be_none() -> None:
    exact, other = element(energy("0.2", exact=True), max_kwh=2), element(energy("0.3", exact=False))
    found = price(tariff(exact, other), charge(NOON, charging(60, "4.7")))
    told = [(note.kind, note.field) for note in found.notes]
    assert told == [(NoteKind.INEXACT, "elements[1].price_components[0]")]
