"""What the demo says of prices: its backend's bills are the engine's, and what is not as quoted is seen."""

from decimal import Decimal
from typing import Any

import pytest

from gateway.cli.demo import prices
from gateway.cli.demo.costs import Quoted, costs_of, quoted
from gateway.pricing.engine import price
from mappings.canonical.tariffs import Money, Tax
from mappings.ocpi.v2_2_1 import tariffs
from tests.pricing.building import charge, charging, local

CENT = Decimal("0.01")
TWO = {"C-1": Quoted("T1", Money(net=Decimal(4))), "C-2": Quoted("T1", Money(net=Decimal(6)))}
MATCHING = {"outcome": "matches", "told_net": 4, "net": 4}


@pytest.mark.parametrize("tariff_id", prices.OWN)
@pytest.mark.parametrize(("minutes", "kwh"), [(12, "0.48"), (54, "5.9"), (47, "3.333")])
def test_the_backend_bills_by_its_own_reckoning_what_the_engine_does(tariff_id: str, minutes: int, kwh: str) -> None:
    mine = prices.OWN[tariff_id]
    tariff, issues = tariffs.to_canonical(mine.record(("DE", "ALL", ""), tariff_id))
    assert issues == []
    bill = mine.bill(Decimal(kwh), Decimal(minutes) / 60)
    found = price(tariff, charge(local("2026-06-01 12:00"), charging(minutes, kwh)))
    # By steps of 1 Wh and 1 s, and to the cent.
    assert abs(found.net - bill.net) <= CENT
    assert abs(found.tax - sum(tax.amount or 0 for tax in bill.taxes)) <= CENT


def test_a_quote_is_that_of_the_way_taken() -> None:
    offers: list[dict[str, Any]] = [
        {"connection": "gireve", "refused": "no_tariff"},
        {"connection": "hubject-emp", "tariff": {"id": "P"}, "cost": {"net": 5, "tax": 1}},
        {"tariff": {"id": "T"}, "cost": {"net": 4, "tax": 0.8}},
    ]
    there = Quoted("P", Money(net=Decimal(5), taxes=(Tax(name="VAT", amount=Decimal(1)),)))
    assert quoted({"offers": offers}, "hubject-emp") == there
    assert quoted({"offers": offers}) == Quoted(
        "T", Money(net=Decimal(4), taxes=(Tax(name="VAT", amount=Decimal("0.8")),))
    )
    assert quoted({"offers": offers}, "gireve") is None


@pytest.mark.parametrize(
    ("second", "equal"),
    [
        ({"outcome": "matches", "told_net": 6, "net": 6}, True),
        ({"outcome": "untold", "net": 6}, True),
        ({"outcome": "matches", "told_net": 7, "net": 7}, False),  # as its tariff says, and not as quoted
        ({"outcome": "differs", "told_net": 7, "net": 6}, False),
        ({"outcome": "unpriceable"}, False),
        (None, False),  # not priced yet
    ],
)
def test_a_charge_that_does_not_cost_what_was_quoted_is_seen(second: dict[str, Any] | None, equal: bool) -> None:
    repriced = {"C-1": MATCHING} | ({"C-2": second} if second else {})
    assert costs_of("here", TWO, repriced, every=True).equal is equal


def test_a_charge_without_a_quote_is_as_it_should_be_only_where_stations_may_lack_tariffs() -> None:
    quotes = {"C-1": TWO["C-1"], "C-2": None}
    assert not costs_of("here", quotes, {"C-1": MATCHING}, every=True).equal
    assert costs_of("here", quotes, {"C-1": MATCHING}, every=False).equal
