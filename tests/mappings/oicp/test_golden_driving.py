"""An EMSP's side, told whole: `driving.wire.json` ↔ `driving.canonical.json`; stations and prices in, the rest out."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from mappings.canonical.commands import CancelReservation, Command, ReserveNow, StartSession, StopSession
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location
from mappings.canonical.tariffs import EvsePrices, Tariff
from mappings.canonical.tokens import Token
from mappings.oicp.v2_3 import authentication, pricing, products, pulls, sent_commands
from mappings.oicp.v2_3.pages import Answer
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.oicp.v2_3.wire import PullEvseDataRecord
from mappings.oicp.v2_3.wire_pricing import ProductData
from tests.oicp_schema import faults_of_charge, validate

FOLDER = Path(__file__).parent / "golden"
PROVIDER = PartyId("NL-EMS")
AT = datetime(2026, 3, 29, 3, tzinfo=UTC)
_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


def _load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wire() -> dict[str, Any]:
    return _load("driving.wire.json")


@pytest.fixture(scope="module")
def canonical() -> dict[str, Any]:
    return _load("driving.canonical.json")


def _first(answer: Answer[Any] | None) -> Any:
    assert answer is not None
    assert answer.unreadable == []
    value, issues = answer.entries[0].read()
    # A night begins on one day and ends on the next.
    assert {issue.field for issue in issues} <= {"ProductAvailabilityTimes[0].Period[0]"}
    return value


def test_the_golden_page_is_read_as_its_location_and_what_is_gone(
    wire: dict[str, Any], canonical: dict[str, Any]
) -> None:
    page = wire["eRoamingEVSEData"]
    answer = pulls.read_evse_data(page, AT)
    assert _first(answer) == Location.model_validate_json(json.dumps(canonical["location"]))
    assert answer is not None
    assert [(entry.key, entry.gone) for entry in answer.entries] == [
        (("DE*ABC", "DEABCE12345"), False),
        (("DE*ABC", "DEABCE99"), True),
    ]
    validate("eRoamingEVSEData", page | {"content": page["content"][:1]}, role="emp", closed=True)
    PullEvseDataRecord.model_validate(page["content"][0])


def test_the_golden_page_names_every_field_that_a_pull_may_hold(wire: dict[str, Any]) -> None:
    names = {str(field.alias) for field in PullEvseDataRecord.model_fields.values()}
    assert names == wire["eRoamingEVSEData"]["content"][0].keys()


def test_the_golden_prices_are_read_as_their_tariff(wire: dict[str, Any], canonical: dict[str, Any]) -> None:
    body = wire["eRoamingPricingProductData"]
    assert _first(products.read(body, AT)) == Tariff.model_validate_json(json.dumps(canonical["tariff"]))
    validate("eRoamingPricingProductData", body, role="emp", closed=True)
    ProductData.model_validate(body["PricingProductData"][0])
    prices = wire["eRoamingEVSEPricing"]
    assert _first(pricing.read_evse_prices(prices)) == EvsePrices.model_validate(canonical["evse_prices"])
    validate("eRoamingEVSEPricing", prices, role="emp", closed=True)


def test_the_tokens_are_written_as_their_golden_push(wire: dict[str, Any], canonical: dict[str, Any]) -> None:
    tokens = [Token.model_validate_json(json.dumps(one)) for one in canonical["tokens"]]
    records = [authentication.from_canonical(one, PROVIDER)[0].record for one in tokens]
    body = authentication.push(ActionType.FULL_LOAD, PROVIDER, records)
    assert body == wire["eRoamingPushAuthenticationData"]
    assert faults_of_charge("eRoamingPushAuthenticationData", body, "emp") == []


def test_the_commands_are_written_as_their_golden_messages(wire: dict[str, Any], canonical: dict[str, Any]) -> None:
    start, stop, reservation, cancellation = (
        _COMMAND.validate_json(json.dumps(command)) for command in canonical["commands"]
    )
    assert isinstance(start, StartSession)
    assert isinstance(stop, StopSession)
    assert isinstance(reservation, ReserveNow)
    assert isinstance(cancellation, CancelReservation)
    written = {
        "Start": sent_commands.start_from_canonical(start, PROVIDER),
        "Stop": sent_commands.stop_from_canonical(stop, PROVIDER),
        "ReservationStart": sent_commands.reservation_from_canonical(reservation, PROVIDER, AT),
        "ReservationStop": sent_commands.cancellation_from_canonical(cancellation, PROVIDER),
    }
    for name, (body, issues) in written.items():
        assert (body, issues) == (wire[f"eRoamingAuthorizeRemote{name}"], [])
        assert faults_of_charge(f"eRoamingAuthorizeRemote{name}", body, "emp") == []
