"""The real tariffs beside the project as Hubject's products: said, approximated, or refused with a reason."""

from collections import Counter
from decimal import Decimal

import pytest

from gateway.pricing.engine import price
from gateway.pricing.samples import samples
from mappings.canonical.tariffs import Tariff, TariffDimension
from mappings.oicp.v2_3 import products_out
from mappings.oicp.v2_3.products_out import Said
from mappings.report import Refused
from tests.oicp_schema import validate
from tests.pricing import corpora
from tests.shared import shared_path

POWER = Decimal(350)
SAME = Decimal("0.001")
"""Lines are rounded to four places."""
_PER = {TariffDimension.ENERGY: 1000, TariffDimension.FLAT: 1}
REASONS = {"a price of time beside one of energy, and a product has one base price"}


@pytest.fixture(scope="module")
def dutch() -> list[tuple[Tariff, int]]:
    return corpora.told_apart(corpora.dutch(shared_path(corpora.DUTCH)).tariffs)


def _written(tariff: Tariff, *, approximate: bool) -> Said | Refused:
    try:
        return products_out.record(tariff, power=POWER, approximate=approximate)
    except Refused as refusal:
        return refusal


def test_nine_of_ten_dutch_tariffs_are_products_and_nearly_all_come_near_to_one(
    dutch: list[tuple[Tariff, int]],
) -> None:
    told: Counter[bool] = Counter()
    for tariff, count in dutch:
        for approximate in (False, True):
            written = _written(tariff, approximate=approximate)
            if isinstance(written, Said):
                told[approximate] += count
                validate("PricingProductDataRecord", written.record, closed=True)
            elif approximate:
                assert written.reason.detail in REASONS
    every = sum(count for _, count in dutch)
    assert told[False] > every * 0.88
    assert told[True] > every * 0.94


def test_no_product_of_a_dutch_tariff_promises_less_than_the_tariff_asks(dutch: list[tuple[Tariff, int]]) -> None:
    for tariff, _ in dutch[::3]:
        written = _written(tariff, approximate=True)
        if isinstance(written, Refused):
            continue
        exact = isinstance(_written(tariff, approximate=False), Said)
        step = max(
            component.price * component.step_size / _PER.get(component.type, 3600)
            for element in tariff.elements
            for component in element.price_components
        )
        for charge in samples()[::13]:
            wanted, said = price(tariff, charge).net, price(written.said, charge).net
            assert said >= wanted - step - SAME
            if exact:
                assert abs(said - wanted) <= step + SAME
