"""EMPs pull from the sandbox: pages, deltas, statuses and prices, of partners and of played CPOs."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.hubject.sandbox.network import Network
from mappings.canonical.ids import EvseId
from tests.adapters.hubject.charging import push
from tests.adapters.hubject.conftest import Clock
from tests.adapters.hubject.emps import (
    ASKING,
    BY_ID,
    BY_OPERATOR,
    DATA,
    PRICING,
    PRODUCTS,
    STATUS,
    Wall,
    World,
    ids,
    record,
)
from tests.oicp_schema import validate

SEVEN = [f"NL*ABC*E{number}" for number in range(1, 8)]


async def test_what_a_partner_pushed_and_what_a_played_cpo_has_is_pulled(emp_world: World) -> None:
    await push(emp_world)
    await emp_world.load(record("NL*ABC*E1"))
    pushed, played = await emp_world.pulled()
    assert (pushed["EvseID"], pushed["OperatorID"], pushed["OperatorName"]) == ("FR*HUB*E1", "FR*HUB", "Hub and Sons")
    assert (played["EvseID"], played["OperatorID"], played["OperatorName"]) == ("NL*ABC*E1", "NL*ABC", "Played")
    assert played["lastUpdate"] == "2026-06-07T12:00:00Z"
    assert "deltaType" not in played
    assert {name: played[name] for name in record("NL*ABC*E1")} == record("NL*ABC*E1")


async def test_pages_hold_everything_once_in_an_order_that_stays(emp_world: World) -> None:
    await emp_world.load(*map(record, SEVEN))
    pages = [await emp_world.pull(page, 3) for page in range(3)]
    assert [ids(page["content"]) for page in pages] == [SEVEN[:3], SEVEN[3:6], SEVEN[6:]]
    told = [[page[name] for page in pages] for name in ("number", "numberOfElements", "first", "last")]
    assert told == [[0, 1, 2], [3, 3, 1], [True, False, False], [False, False, True]]
    assert {(page["totalElements"], page["totalPages"], page["size"]) for page in pages} == {(7, 3, 3)}


async def test_a_page_beyond_the_end_is_empty(emp_world: World) -> None:
    await emp_world.load(record("NL*ABC*E1"))
    page = await emp_world.pull(5, 3)
    assert (page["content"], page["totalPages"], page["last"]) == ([], 1, True)


@pytest.mark.parametrize(("query", "size"), [("", 20), ("?size=5000", 2000), ("?size=0", 20), ("?size=x&page=-1", 20)])
async def test_a_page_has_twenty_records_unless_told_and_two_thousand_at_most(
    emp_world: World, query: str, size: int
) -> None:
    _, page = await emp_world.post(DATA + query, ASKING)
    assert (page["size"], page["number"]) == (size, 0)


async def test_a_delta_names_what_came_what_changed_and_what_went(emp_world: World) -> None:
    await emp_world.load(*map(record, SEVEN[:3]))
    last = emp_world.wall.pass_by()
    await emp_world.load(record(SEVEN[1], IsOpen24Hours=False), record(SEVEN[2]), record(SEVEN[3]))
    await emp_world.load(record(SEVEN[4]))
    await emp_world.load(record(SEVEN[4], deltaType="delete"), record(SEVEN[0], deltaType="delete"))
    changes = {each["EvseID"]: each["deltaType"] for each in await emp_world.pulled(LastCall=last)}
    assert changes == {SEVEN[0]: "delete", SEVEN[1]: "update", SEVEN[3]: "insert"}
    assert await emp_world.pulled(LastCall=emp_world.wall.pass_by()) == []


async def test_a_push_of_a_partner_makes_a_delta_as_well(emp_world: World) -> None:
    await push(emp_world)
    last = emp_world.wall.pass_by()
    data = {"OperatorID": "FR*HUB", "OperatorName": "Hub and Sons", "EvseDataRecord": []}
    body = {"ActionType": "fullLoad", "OperatorEvseData": data}
    assert await emp_world.code("/api/oicp/evsepush/v23/operators/FR*HUB/data-records", body) == "000"
    (gone,) = await emp_world.pulled(LastCall=last)
    assert (gone["EvseID"], gone["deltaType"]) == ("FR*HUB*E1", "delete")
    assert await emp_world.pulled() == []


CHANGES = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b", None])), max_size=6)


@settings(max_examples=200)
@given(st.lists(st.tuples(CHANGES, st.booleans()), max_size=6))
def test_any_sequence_of_deltas_equals_a_full_pull(rounds: list[tuple[list[tuple[int, str | None]], bool]]) -> None:
    wall = Wall()
    network = Network(wall)
    operator = network.operator("NL*ABC", "Played", played=True)
    held: dict[str, Any] = {}
    last = wall.now
    for changes, pulls in [*rounds, ([], True)]:
        for number, content in changes:
            evse_id = EvseId(f"NL*ABC*E{number}")
            if content is None:
                network.withdraw(evse_id.normal)
            else:
                network.put(evse_id.normal, evse_id.text, operator, json.dumps({"is": content}).encode())
        wall.pass_by()
        if not pulls:
            continue
        for change in network.changes(last):
            evse_id = EvseId(network.evse_id(change.row))
            assert (change.delta == "insert") is (evse_id.text not in held)
            if change.delta == "delete":
                del held[evse_id.text]
            else:
                held[evse_id.text] = network.kept(change.row)
        last = wall.now
    assert held == {network.evse_id(row): network.kept(row) for row in network.rows()}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"OperatorIds": ["NL*ABC"]}, ["NL*ABC*E1"]),
        ({"CountryCodes": ["DEU", "FRA"]}, ["DE*XYZ*E1"]),
        ({"Accessibility": ["Restricted access"]}, ["DE*XYZ*E1"]),
        ({"AuthenticationModes": ["PnC"]}, ["DE*XYZ*E1"]),
        ({"CalibrationLawDataAvailability": ["External"]}, ["DE*XYZ*E1"]),
        ({"IsOpen24Hours": False}, ["DE*XYZ*E1"]),
        ({"RenewableEnergy": True, "IsHubjectCompatible": True}, ["NL*ABC*E1", "DE*XYZ*E1"]),
        (
            {"SearchCenter": {"GeoCoordinates": {"Google": {"Coordinates": "52.0 5.1"}}, "Radius": 20}},
            ["NL*ABC*E1"],
        ),
    ],
)
async def test_a_pull_is_narrowed(emp_world: World, asked: Any, found: list[str]) -> None:
    there = {"GeoCoordinates": {"DecimalDegree": {"Longitude": "13.404954", "Latitude": "52.520008"}}}
    address = record("X")["Address"] | {"Country": "DEU"}
    other = record(
        "DE*XYZ*E1",
        Address=address,
        Accessibility="Restricted access",
        AuthenticationModes=["PnC"],
        CalibrationLawDataAvailability="External",
        IsOpen24Hours=False,
        **there,
    )
    await emp_world.load(record("NL*ABC*E1"), other)
    assert ids(await emp_world.pulled(**asked)) == found


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("Google", {"Google": {"Coordinates": "52.090737 5.121420"}}),
        ("DecimalDegree", {"DecimalDegree": {"Longitude": "5.121420", "Latitude": "52.090737"}}),
        ("DegreeMinuteSeconds", {"DegreeMinuteSeconds": {"Longitude": "5°7'17.1''", "Latitude": "52°5'26.7''"}}),
    ],
)
async def test_coordinates_have_the_form_that_is_asked_for(emp_world: World, form: str, written: Any) -> None:
    await emp_world.load(record("NL*ABC*E1"))
    (told,) = await emp_world.pulled(GeoCoordinatesResponseFormat=form)
    assert told["GeoCoordinates"] == written


# Statuses and prices


async def test_statuses_are_told_by_operator_and_those_that_nobody_told_are_not(emp_world: World) -> None:
    await push(emp_world)
    status = {"OperatorID": "FR*HUB", "EvseStatusRecord": [{"EvseID": "FR*HUB*E1", "EvseStatus": "Occupied"}]}
    body = {"ActionType": "fullLoad", "OperatorEvseStatus": status}
    assert await emp_world.code("/api/oicp/evsepush/v21/operators/FR*HUB/status-records", body) == "000"
    await emp_world.load(record("NL*ABC*E1"), record("NL*ABC*E2"))
    assert await emp_world.do("statuses", [{"EvseID": "NL*ABC*E1", "EvseStatus": "Available"}]) == {
        "set": 1,
        "unknown": [],
    }
    _, answer = await emp_world.post(STATUS, {"ProviderID": "NL-EMS"})
    validate("eRoamingEVSEStatus", answer, role="emp", closed=True)
    found = {
        block["OperatorID"]: {each["EvseID"]: each["EvseStatus"] for each in block["EvseStatusRecord"]}
        for block in answer["EvseStatuses"]["OperatorEvseStatus"]
    }
    assert found == {"FR*HUB": {"FR*HUB*E1": "Occupied"}, "NL*ABC": {"NL*ABC*E1": "Available"}}
    _, answer = await emp_world.post(STATUS, {"ProviderID": "NL-EMS", "EVSEStatus": "Occupied"})
    assert [block["OperatorID"] for block in answer["EvseStatuses"]["OperatorEvseStatus"]] == ["FR*HUB"]


@pytest.mark.parametrize("path", [STATUS, BY_ID])
async def test_statuses_are_told_by_id_at_both_addresses(emp_world: World, path: str) -> None:
    await emp_world.load(record("NL*ABC*E1"))
    await emp_world.do("statuses", [{"EvseID": "NL*ABC*E1", "EvseStatus": "Reserved"}])
    _, answer = await emp_world.post(path, {"ProviderID": "NL-EMS", "EvseID": ["nlabcE1", "NL*ABC*E9"]})
    validate("eRoamingEVSEStatusByID", answer, role="emp", closed=True)
    assert answer["EVSEStatusRecords"]["EvseStatusRecord"] == [
        {"EvseID": "nlabcE1", "EvseStatus": "Reserved"},
        {"EvseID": "NL*ABC*E9", "EvseStatus": "EvseNotFound"},
    ]
    many = {"ProviderID": "NL-EMS", "EvseID": [f"NL*ABC*E{number}" for number in range(101)]}
    assert await emp_world.refused(path, many) == "022"


@pytest.mark.parametrize("path", [STATUS, BY_OPERATOR])
async def test_statuses_are_told_of_some_operators_at_both_addresses(emp_world: World, path: str) -> None:
    await emp_world.load(record("NL*ABC*E1"), record("NL*XYZ*E1"))
    await emp_world.do("statuses", [{"EvseID": each, "EvseStatus": "Unknown"} for each in ("NL*ABC*E1", "NL*XYZ*E1")])
    _, answer = await emp_world.post(path, {"ProviderID": "NL-EMS", "OperatorID": ["NLXYZ", "NL*NIX"]})
    validate("eRoamingEVSEStatus", answer, role="emp", closed=True)
    assert [block["OperatorID"] for block in answer["EvseStatuses"]["OperatorEvseStatus"]] == ["NL*XYZ"]


PRODUCT = {
    "ProductID": "AC",
    "ReferenceUnit": "KILOWATT_HOUR",
    "ProductPriceCurrency": "EUR",
    "PricePerReferenceUnit": 0.4,
    "MaximumProductChargingPower": 22,
    "IsValid24hours": True,
    "ProductAvailabilityTimes": [],
}
OFFER = {
    "OperatorID": "NL*ABC",
    "OperatorName": "Played",
    "ProviderID": "*",
    "PricingDefaultPrice": 0.5,
    "PricingDefaultPriceCurrency": "EUR",
    "PricingDefaultReferenceUnit": "KILOWATT_HOUR",
    "PricingProductDataRecords": [PRODUCT],
}


async def test_prices_are_pulled_of_operators_with_a_contract(emp_world: World) -> None:
    await emp_world.do("pricing-products", [OFFER, OFFER | {"ProviderID": "NL-EMS", "PricingDefaultPrice": 0.3}])
    evse = {"EvseID": "NL*ABC*E1", "ProviderID": "NL-EMS", "EvseIDProductList": ["AC"]}
    rivals = evse | {"EvseID": "NL*ABC*E2", "ProviderID": "DE-EMP"}
    await emp_world.do("evse-pricing", [{"OperatorID": "NL*ABC", "OperatorName": "P", "EVSEPricing": [evse, rivals]}])
    asked = {"ProviderID": "NL-EMS", "OperatorIDs": ["NL*ABC", "NL*XYZ"]}
    _, products = await emp_world.post(PRODUCTS, {"OperatorIDs": ["NL*ABC", "NL*XYZ"]})
    _, pricing = await emp_world.post(PRICING, asked)
    validate("eRoamingPricingProductData", products, role="emp")
    validate("eRoamingEVSEPricing", pricing, role="emp")
    assert [each["PricingDefaultPrice"] for each in products["PricingProductData"]] == [0.3]
    assert [each["EVSEPricing"] for each in pricing["EVSEPricing"]] == [[evse]]
    later = asked | {"LastCall": emp_world.wall.pass_by()}
    assert (await emp_world.post(PRODUCTS, later))[1]["PricingProductData"] == []
    assert (await emp_world.post(PRICING, later))[1]["EVSEPricing"] == []
    await emp_world.do(
        "contracts", [{"provider": "NL-EMS", "operator": "NL*ABC", "service": "pricing", "agreed": False}]
    )
    assert (await emp_world.post(PRODUCTS, asked))[1]["PricingProductData"] == []


# Who may pull


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (DATA.replace("NL-EMS", "XX-NIX"), ASKING | {"ProviderID": "XX-NIX"}, "300"),
        (DATA, ASKING | {"ProviderID": "DE-EMP"}, "017"),
        (DATA, {"ProviderID": "NL-EMS"}, "022"),
        (DATA, [], "022"),
        (DATA, b"{", "022"),
        (DATA, ASKING | {"LastCall": "yesterday"}, "022"),
        (DATA, ASKING | {"LastCall": "2026-06-07T12:00:00Z", "OperatorIds": ["NL*ABC"]}, "022"),
        (STATUS, {"ProviderID": "NL-EMS", "EVSEStatus": "Busy"}, "022"),
        (BY_OPERATOR, {"ProviderID": "NL-EMS", "OperatorID": ["?"]}, "022"),
    ],
)
async def test_a_pull_that_is_not_right_is_refused(emp_world: World, path: str, body: Any, code: str) -> None:
    assert await emp_world.refused(path, body) == code


async def test_an_emp_without_a_contract_pulls_nothing(emp_world: World) -> None:
    await emp_world.do("contracts", [{"provider": "NL-EMS", "service": "evse_data", "agreed": False}])
    assert await emp_world.refused(DATA, ASKING) == "210"
    assert await emp_world.refused(STATUS, {"ProviderID": "NL-EMS"}) == "000"
    await emp_world.do("contracts", [{"provider": "NL-EMS"}])
    assert await emp_world.refused(DATA, ASKING) == "000"


@pytest.mark.parametrize(
    ("path", "body", "limit"),
    [
        (DATA, ASKING, 100),
        (STATUS, {"ProviderID": "NL-EMS"}, 6),
        (STATUS, {"ProviderID": "NL-EMS", "OperatorID": []}, 75),
        (BY_ID, {"ProviderID": "NL-EMS", "EvseID": []}, 300),
        (PRICING, {"ProviderID": "NL-EMS", "OperatorIDs": []}, 280),
    ],
)
async def test_pulls_are_limited_by_the_minute(
    emp_world: World, clock: Clock, path: str, body: Any, limit: int
) -> None:
    for _ in range(limit):
        assert (await emp_world.post(path, body))[0] == 200
    assert (await emp_world.post(path, body))[0] == 429
    clock.now = 61
    assert (await emp_world.post(path, body))[0] == 200


async def test_a_pull_is_refused_on_command(emp_world: World) -> None:
    await emp_world.do("faults", [{"kind": "refuse", "code": "320", "path": "data-records", "count": 1}])
    assert await emp_world.refused(DATA, ASKING) == "320"
    assert await emp_world.refused(DATA, ASKING) == "000"
