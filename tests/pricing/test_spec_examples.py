"""Every tariff example of the specification, priced to figures that were worked out by hand from its rules.

The working stands with each figure, in the `worked_*` modules beside this. Each example is priced twice: from our own
builders, and, where the specification's examples lie beside the project, from its own file through the mapping.
"""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.pricing.cdrs import charge_of
from gateway.pricing.engine import price, price_by
from mappings.canonical.tariffs import Tariff
from mappings.ocpi.v2_2_1 import cdrs, tariffs
from tests.pricing import worked_prices, worked_reservations, worked_steps, worked_times
from tests.pricing.building import (
    TIME,
    Row,
    Worked,
    charge,
    charging,
    check,
    element,
    expected,
    hourly,
    local,
    tariff,
    told,
)
from tests.shared import shared_path

EXAMPLES = "protocols/ocpi-2.2.1/examples"
WORKED = [*worked_prices.WORKED, *worked_times.WORKED, *worked_reservations.WORKED, *worked_steps.WORKED]
FROM_FILES = [one for one in WORKED if one.file is not None]


def _read(file: str) -> Tariff:
    text = shared_path(f"{EXAMPLES}/{file}.json").read_text(encoding="utf-8")
    found, _ = tariffs.to_canonical(text, received=datetime(2026, 6, 1, tzinfo=UTC))
    return found


@pytest.mark.parametrize("worked", WORKED, ids=lambda one: one.name)
def test_a_charge_costs_what_was_worked_out_by_hand(worked: Worked) -> None:
    check(worked, price(worked.tariff, worked.charge, worked.rules))


@pytest.mark.parametrize("worked", FROM_FILES, ids=lambda one: f"{one.file}: {one.name}")
def test_the_same_charge_costs_the_same_by_the_specification_s_own_file(worked: Worked) -> None:
    found = _read(str(worked.file))
    assert found.elements == worked.tariff.elements
    assert (found.min_price, found.max_price) == (worked.tariff.min_price, worked.tariff.max_price)
    check(worked, price(found, worked.charge, worked.rules))


def test_every_tariff_of_the_specification_s_examples_is_among_them() -> None:
    there = {path.stem for path in shared_path(EXAMPLES).glob("tariff*.json")}
    assert there == {one.file for one in FROM_FILES}


def test_the_specification_s_cdr_costs_what_it_says() -> None:
    # 21:39:09 to 23:37:32 are 1:58:23, told as 1.973 h = 7102.8 s. By steps of 300 s: 23.7, so 24 = 7200 s = 2 h
    # × 2.00 = 4.00; 10 % = 0.40. The CDR says 4.00 and 4.40.
    start, end = datetime(2015, 6, 29, 21, 39, 9, tzinfo=UTC), datetime(2015, 6, 29, 23, 37, 32, tzinfo=UTC)
    whole = charge(start, charging((end - start).total_seconds() / 60, "15.342"), zone="Europe/Brussels")
    found = price(tariff(element(hourly("2.00", "10", 300))), whole)
    assert told(found.lines) == expected([Row(TIME, "120", "4.00", "0.40")])
    assert (found.net, found.gross) == (Decimal("4.00"), Decimal("4.40"))


def test_the_specification_s_cdr_costs_so_by_its_own_file_and_tariff() -> None:
    cdr, _ = cdrs.to_canonical(shared_path(f"{EXAMPLES}/cdr_example.json").read_text(encoding="utf-8"))
    found = price(cdr.tariffs[0], charge_of(cdr, "Europe/Brussels"))
    assert told(found.lines) == expected([Row(TIME, "120", "4.00", "0.40")])
    assert found.total.net == cdr.total_cost.net
    assert found.tax == sum(tax.amount for tax in cdr.total_cost.taxes)


def test_a_change_of_tariffs_has_no_step_of_its_own() -> None:
    # The driver's wishes change after 11 min: 1.00 an hour by 15 min, then 2.00 by 5 min for 12 min more. Only the last
    # component's step counts, and of the session's total (mod_cdrs, step_size): 11 + 12 = 23 min are 25, so 11 at 1.00
    # an hour = 0.1833 and 14 × 2.00 = 0.4667. The 12 by themselves would have been 15.
    cheap = tariff(element(hourly("1.00", None, 900)), id="CHEAP")
    fast = tariff(element(hourly("2.00", None, 300)), id="FAST")
    whole = charge(local("2026-06-01 12:00"), charging(11), charging(12))
    first, second = whole.stretches
    whole = replace(whole, stretches=(replace(first, tariff_id="CHEAP"), replace(second, tariff_id="FAST")))
    found = price_by({"CHEAP": cheap, "FAST": fast}, whole)
    assert told(found.lines) == expected([Row(TIME, "11", "0.1833"), Row(TIME, "14", "0.4667")])
    assert [line.tariff_id for line in found.lines] == ["CHEAP", "FAST"]
