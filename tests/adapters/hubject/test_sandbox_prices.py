"""The sandbox as a judge of pushed prices, and what EMPs pull of them."""

import json
from copy import deepcopy
from typing import Any

import pytest

from mappings.oicp.v2_3 import pricing as pulled
from mappings.oicp.v2_3 import products as products_in
from tests.adapters.hubject.emps import PRICING, PRODUCTS, World, record
from tests.adapters.hubject.network import AT
from tests.oicp_schema import faults_of_request, validate

PUSH_PRODUCTS = "/api/oicp/dynamicpricing/v10/operators/FR*HUB/pricing-products"
PUSH_PRICES = "/api/oicp/dynamicpricing/v10/operators/FR*HUB/evse-pricing"
DATA = "/api/oicp/evsepush/v23/operators/FR*HUB/data-records"
PRODUCT = {
    "ProductID": "AC",
    "ReferenceUnit": "KILOWATT_HOUR",
    "ProductPriceCurrency": "EUR",
    "PricePerReferenceUnit": 0.5,
    "MaximumProductChargingPower": 22,
    "IsValid24hours": True,
    "ProductAvailabilityTimes": [],
}
HEAD = {
    "OperatorID": "FR*HUB",
    "OperatorName": "ABC",
    "ProviderID": "*",
    "PricingDefaultPrice": 0.6,
    "PricingDefaultPriceCurrency": "EUR",
    "PricingDefaultReferenceUnit": "KILOWATT_HOUR",
}


def offering(action: str, *ids: str, provider: str = "*", **changes: Any) -> dict[str, Any]:
    records = [PRODUCT | {"ProductID": each} | changes for each in ids]
    data = HEAD | {"ProviderID": provider, "PricingProductDataRecords": records}
    return {"ActionType": action, "PricingProductData": data}


def pricing(action: str, *ids: str, evse: str = "FR*HUB*E1", provider: str = "*") -> dict[str, Any]:
    row = {"EvseID": evse, "ProviderID": provider, "EvseIDProductList": [*ids]}
    return {"ActionType": action, "EVSEPricing": [row]}


@pytest.fixture
async def hbs(emp_world: World) -> World:
    """A sandbox with an EVSE of a CPO's."""
    data = {"OperatorID": "FR*HUB", "OperatorName": "ABC", "EvseDataRecord": [record("FR*HUB*E1")]}
    assert await code(emp_world, DATA, {"ActionType": "insert", "OperatorEvseData": data}) == "000"
    return emp_world


async def code(world: World, path: str, body: dict[str, Any]) -> str:
    _, answer = await world.post(path, body)
    return answer["StatusCode"]["Code"]


async def test_the_bodies_of_these_tests_are_hubjects() -> None:
    for path, body in ((PUSH_PRODUCTS, offering("insert", "AC")), (PUSH_PRICES, pricing("insert", "AC"))):
        assert faults_of_request(f"https://hub.test{path}", json.dumps(body).encode()) == []


async def test_the_four_actions_do_to_products_what_they_do_to_evses(hbs: World) -> None:
    steps = [
        ("update", ("AC",), "022", set()),
        ("insert", ("AC", "DC"), "000", {"AC", "DC"}),
        ("insert", ("HPC", "AC"), "022", {"AC", "DC"}),
        ("delete", ("DC", "NIX"), "000", {"AC"}),
        ("insert", ("HPC", "HPC"), "022", {"AC"}),
        ("fullLoad", ("HPC",), "000", {"HPC"}),
    ]
    hbs.sandbox.limits = False
    for action, ids, said, there in steps:
        assert await code(hbs, PUSH_PRODUCTS, offering(action, *ids)) == said, (action, ids)
        kept = {one["PricingProductDataRecord"]["ProductID"] for one in hbs.sandbox.memory["pricing_products"].values()}
        assert kept == there


async def test_a_full_load_takes_away_what_is_there_for_others(hbs: World) -> None:
    await code(hbs, PUSH_PRODUCTS, offering("insert", "AC", provider="NL-EMS"))
    await code(hbs, PUSH_PRODUCTS, offering("fullLoad", "AC"))
    assert set(hbs.sandbox.memory["pricing_products"]) == {"FR*HUB/AC/-"}


async def test_evses_are_priced_by_products_that_are_there_at_evses_that_are(hbs: World) -> None:
    hbs.sandbox.limits = False
    assert await code(hbs, PUSH_PRICES, pricing("insert", "AC")) == "022"
    await code(hbs, PUSH_PRODUCTS, offering("insert", "AC"))
    await code(hbs, PUSH_PRODUCTS, offering("insert", "OWN", provider="NL-EMS"))
    for body, said in (
        (pricing("insert", "AC", evse="FR*HUB*E2"), "603"),
        (pricing("insert", "AC", evse="DE*XYZ*E2"), "018"),
        (pricing("insert", "OWN"), "022"),
        (pricing("insert", "OWN", "AC", provider="NL-EMS"), "000"),
        (pricing("insert", "AC"), "000"),
        (pricing("insert", "AC"), "022"),
        (pricing("update", "AC", provider="DE-EMP"), "603"),
        (pricing("delete", "-", provider="DE-EMP"), "000"),
        (pricing("delete", "-", provider="NL-EMS"), "000"),
    ):
        assert await code(hbs, PUSH_PRICES, body) == said, body
    assert {key: [*rows] for key, rows in hbs.sandbox.memory["evse_pricing"].items()} == {"FRHUBE1": ["*"]}
    twice = pricing("update", "AC")
    twice["EVSEPricing"] *= 2
    assert await code(hbs, PUSH_PRICES, twice) == "022"
    assert await code(hbs, PUSH_PRICES, pricing("delete", "-")) == "000"
    assert not hbs.sandbox.memory["evse_pricing"]


@pytest.mark.parametrize("field", [*HEAD.keys() - {"OperatorName"}, "PricingProductDataRecords"])
async def test_what_is_mandatory_of_a_push_is_demanded(hbs: World, field: str) -> None:
    body = offering("insert", "AC")
    del body["PricingProductData"][field]
    assert await code(hbs, PUSH_PRODUCTS, body) == "022"


@pytest.mark.parametrize(
    "changes",
    [
        *({name: None} for name in PRODUCT),
        {"ReferenceUnit": "DAY"},
        {"PricePerReferenceUnit": "0.5"},
        {"ProductID": "x" * 51},
        {"IsValid24hours": False},
        {"ProductAvailabilityTimes": [{"Period": {"begin": "08:00", "end": "09:00"}, "on": "Everyday"}]},
        {
            "AdditionalReferences": [
                {
                    "AdditionalReference": "FIXED FEE",
                    "AdditionalReferenceUnit": "HOUR",
                    "PricePerAdditionalReferenceUnit": 5,
                }
            ]
        },
    ],
)
async def test_a_product_that_is_not_right_is_refused(hbs: World, changes: dict[str, Any]) -> None:
    body = deepcopy(offering("insert", "AC", **changes))
    (made,) = body["PricingProductData"]["PricingProductDataRecords"]
    for name in [name for name, value in made.items() if value is None]:
        del made[name]
    assert await code(hbs, PUSH_PRODUCTS, body) == "022"
    assert not hbs.sandbox.memory["pricing_products"]


async def test_six_pushes_of_each_kind_are_taken_in_a_minute(hbs: World) -> None:
    for n in range(6):
        assert await code(hbs, PUSH_PRODUCTS, offering("insert", str(n))) == "000"
    status, _ = await hbs.post(PUSH_PRODUCTS, offering("insert", "7"))
    assert status == 429
    assert await code(hbs, PUSH_PRICES, pricing("insert", "1")) == "000"


async def test_the_operator_is_the_paths_and_has_an_offer(hbs: World) -> None:
    body = offering("insert", "AC")
    body["PricingProductData"]["OperatorID"] = "DE*XYZ"
    assert await code(hbs, PUSH_PRODUCTS, body) == "017"
    assert await code(hbs, PUSH_PRODUCTS.replace("FR*HUB", "XX*NIX"), body) == "300"


async def test_an_emp_pulls_what_is_for_it_and_what_is_for_all_beside_it(hbs: World) -> None:
    hbs.sandbox.limits = False
    await code(hbs, PUSH_PRODUCTS, offering("insert", "AC", "DC"))
    await code(hbs, PUSH_PRODUCTS, offering("insert", "AC", provider="NL-EMS", PricePerReferenceUnit=0.4))
    await code(hbs, PUSH_PRODUCTS, offering("insert", "AC", provider="DE-EMP", PricePerReferenceUnit=0.3))
    await code(hbs, PUSH_PRICES, pricing("insert", "AC", "DC"))
    await code(hbs, PUSH_PRICES, pricing("insert", "DC", "AC", provider="NL-EMS"))
    asked = {"ProviderID": "NL-EMS", "OperatorIDs": ["FR*HUB"]}
    _, products = await hbs.post(PRODUCTS, {"OperatorIDs": ["FR*HUB"]})
    _, prices = await hbs.post(PRICING, asked)
    validate("eRoamingPricingProductData", products, role="emp")
    validate("eRoamingEVSEPricing", prices, role="emp")
    read = products_in.read(products, AT)
    assert read is not None
    assert {entry.key for entry in read.entries} == {("FR*HUB", "AC", "NL*EMS"), ("FR*HUB", "DC", "")}
    told = pulled.read_evse_prices(prices)
    assert told is not None
    assert [entry.read()[0].tariff_ids for entry in told.entries] == [("DC", "AC")]
    later = {"OperatorIDs": ["FR*HUB"], "LastCall": hbs.wall.pass_by()}
    assert (await hbs.post(PRODUCTS, later))[1]["PricingProductData"] == []
    await code(hbs, PUSH_PRODUCTS, offering("update", "DC", PricePerReferenceUnit=0.7))
    (block,) = (await hbs.post(PRODUCTS, later))[1]["PricingProductData"]
    assert [one["ProductID"] for one in block["PricingProductDataRecords"]] == ["DC"]


async def test_a_sandbox_that_forgets_forgets_prices_too(hbs: World) -> None:
    await code(hbs, PUSH_PRODUCTS, offering("insert", "AC"))
    hbs.sandbox.forget()
    assert await code(hbs, PUSH_PRODUCTS, offering("insert", "AC")) == "000"
