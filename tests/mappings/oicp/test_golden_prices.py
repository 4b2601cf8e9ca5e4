"""A CPO's prices, told whole: `prices.canonical.json` → `prices.wire.json`, and read back as what they say."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.tariffs import EvsePrices, Tariff
from mappings.oicp.v2_3 import prices_out, pricing, products, products_out
from mappings.oicp.v2_3.defaults import PricingDefaults
from mappings.oicp.v2_3.products_out import Said
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.oicp.v2_3.wire_pricing import EvsePricing, ProductData
from tests.oicp_schema import validate

FOLDER = Path(__file__).parent / "golden"
OPERATOR, PROVIDER = PartyId("DE*ABC"), PartyId("NL-EMS")
DEFAULTS = PricingDefaults(price=Decimal("0.6"), currency="EUR", power=Decimal(22))


def _load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wire() -> dict[str, Any]:
    return _load("prices.wire.json")


@pytest.fixture(scope="module")
def canonical() -> dict[str, Any]:
    return _load("prices.canonical.json")


def _tariff(value: Any) -> Tariff:
    return Tariff.model_validate_json(json.dumps(value))


def _said(canonical: dict[str, Any]) -> list[Said]:
    return [
        products_out.record(_tariff(one["tariff"]), power=DEFAULTS.power, approximate=one["approximate"])
        for one in canonical["products"]
    ]


def test_the_golden_tariffs_are_written_as_their_push(wire: dict[str, Any], canonical: dict[str, Any]) -> None:
    records = [each.record for each in _said(canonical)]
    body = products_out.push(ActionType.FULL_LOAD, OPERATOR, "ABC Charging", PROVIDER, DEFAULTS, records)
    assert body == wire["eRoamingPushPricingProductData"]
    validate("eRoamingPushPricingProductData", body, closed=True)
    ProductData.model_validate(body["PricingProductData"])


def test_what_differs_from_the_golden_tariffs_is_told(canonical: dict[str, Any]) -> None:
    for one, each in zip(canonical["products"], _said(canonical), strict=True):
        assert [[issue.kind.value, issue.field] for issue in each.issues] == one["issues"]


def test_the_golden_push_is_read_as_what_it_says(wire: dict[str, Any], canonical: dict[str, Any]) -> None:
    written = _said(canonical)
    pulled = {"PricingProductData": [wire["eRoamingPushPricingProductData"]["PricingProductData"]]}
    answer = products.read(pulled, written[0].said.last_updated)
    assert answer is not None
    for one, each, entry in zip(canonical["products"], written, answer.entries, strict=True):
        assert each.said == _tariff(one["said"])
        read, issues = entry.read()
        # The defaults stand in the message, not in the record.
        assert read == each.said.model_copy(update={"unknown": read.unknown})
        assert issues == []


def test_the_golden_prices_of_an_evse_are_written_as_their_push(
    wire: dict[str, Any], canonical: dict[str, Any]
) -> None:
    prices = EvsePrices.model_validate(canonical["evse_prices"])
    record = prices_out.evse_pricing(prices.evse_id, prices.target, prices.tariff_ids)
    body = prices_out.push(ActionType.UPDATE, [record])
    assert body == wire["eRoamingPushEVSEPricing"]
    validate("eRoamingPushEVSEPricing", body, closed=True)
    EvsePricing.model_validate(record)
    answer = pricing.read_evse_prices({"EVSEPricing": [{"OperatorID": OPERATOR.normal, **body}]})
    assert answer is not None
    assert answer.entries[0].read() == (prices, [])
    assert prices.evse_id == EvseId("DE*ABC*E123*4*5")
