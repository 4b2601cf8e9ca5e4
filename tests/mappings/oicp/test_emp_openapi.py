"""The examples in Hubject's own OpenAPI for EMPs: what an EMP receives is read, or refused for what is wrong in it."""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import pytest

from mappings.canonical.commands import CommandResult, EvseRef, StartSession
from mappings.canonical.ids import EvseId
from mappings.oicp.v2_3 import (
    cdr_pulls,
    cdrs,
    driver_requests,
    notifications,
    pricing,
    products,
    pulls,
    sent_commands,
)
from mappings.oicp.v2_3.pages import Answer
from mappings.report import Refused
from tests.mappings.oicp.charges import LEG
from tests.shared import shared_path

AT = datetime(2026, 6, 7, tzinfo=UTC)


@lru_cache(maxsize=1)
def _schemas() -> dict[str, Any]:
    document = json.loads(shared_path("protocols/oicp-2.3/openapi-emp.json").read_text())
    schemas: dict[str, Any] = document["components"]["schemas"]
    return schemas


def _example(name: str) -> Any:
    """Gives a schema's example; where it has none, one put together of its parts'."""
    return _made({"$ref": f"#/components/schemas/{name}"})


def _made(schema: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _made(_schemas()[schema["$ref"].rpartition("/")[2]])
    if "example" in schema:
        return schema["example"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "object":
        return {name: _made(inner) for name, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_made(schema["items"])]
    if schema.get("format") == "date-time":
        return "2020-09-23T14:17:53.038Z"
    return {"string": "09:00", "number": 1, "integer": 1, "boolean": False}.get(str(kind))


def _one_identification(body: dict[str, Any]) -> dict[str, Any]:
    """Keeps one kind of identification, where the examples show all five at once."""
    return body | {"Identification": {"PlugAndChargeIdentification": {"EvcoID": "DE-DCB-C12345678-X"}}}


def _only(answer: Answer[Any] | None) -> Any:
    assert answer is not None
    assert answer.unreadable == []
    (entry,) = answer.entries
    return entry.read()[0]


def test_the_page_of_stations_is_read() -> None:
    body = _example("eRoamingEVSEData")
    # The country, as many a field, has no example.
    body["content"][0]["Address"]["Country"] = "DEU"
    place = _only(pulls.read_evse_data(body, AT))
    assert place.id == place.evses[0].uid == place.evses[0].evse_id.normal
    assert place.evses[0].connectors


def test_both_shapes_of_statuses_are_read() -> None:
    for name in ("eRoamingEVSEStatus", "eRoamingEVSEStatusByID"):
        assert _only(pulls.read_statuses(_example(name))).evse_id == EvseId("DE*XYZ*ETEST1")


def test_the_products_are_read() -> None:
    body = _example("eRoamingPricingProductData")
    record = body["PricingProductData"][0]["PricingProductDataRecords"][0]
    record["ProductAvailabilityTimes"][0]["Periods"][0]["end"] = "18:00"
    tariff = _only(products.read(body, AT))
    assert (tariff.id, tariff.currency) == ("AC1", "EUR")


def test_the_prices_of_evses_are_read() -> None:
    assert _only(pricing.read_evse_prices(_example("eRoamingEVSEPricing"))).tariff_ids == ("AC 1",)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("eRoamingAuthorizeStart", driver_requests.start_to_canonical),
        ("eRoamingAuthorizeStop", driver_requests.stop_to_canonical),
    ],
)
def test_a_question_is_read_with_one_identification_and_refused_with_five(name: str, read: Any) -> None:
    body = _example(name)
    asked, _ = read(_one_identification(body))
    assert (asked.cpo.normal, asked.leg.own_session) == ("DE*ABC", "1234XYZ")
    with pytest.raises(Refused, match="several kinds"):
        read(body)


@pytest.mark.parametrize("kind", ["Start", "Progress", "End", "Error"])
def test_the_notifications_are_read(kind: str) -> None:
    body = _example(f"eRoamingChargingNotification{kind}")
    told, _ = notifications.to_canonical(_one_identification(body) | {"Type": kind}, AT)
    assert told.leg.hub_session == body["SessionID"]


def test_the_cdr_is_read_by_itself_and_on_its_page() -> None:
    page = _example("eRoamingChargeDetailRecords")
    page["content"] = [_one_identification(page["content"][0])]
    pulled = _only(cdr_pulls.read_page(page, currency="EUR", at=AT))
    pushed, _ = cdrs.to_canonical(page["content"][0], currency="EUR", at=AT)
    assert pulled == pushed


def test_the_acknowledgement_is_read() -> None:
    command = StartSession(at=EvseRef(evse_id=EvseId("DE*XYZ*ETEST1")), leg=LEG)
    said, issues = sent_commands.answer_to_canonical(_example("eRoamingAcknowledgment"), command)
    assert said is not None
    assert said.answer is not None
    assert (said.answer.result, issues) == (CommandResult.ACCEPTED, [])
    assert said.leg is not None
    assert (said.leg.hub_session, said.leg.own_session) == ("f98efba4-02d8-4fa0-b810-9a9d50d2c527", "1234XYZ")
