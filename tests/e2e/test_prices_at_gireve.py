"""A CPO's prices at Gireve: what it is told of, what it may not heed, and what it would rather not see changed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp

from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import (
    ClockSpan,
    PriceComponent,
    PriceRounding,
    RoundingRule,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffHours,
)
from tests.harness import ADMIN, PARTY, Rig, later, rig, tariff

EMSP = PartyId("FR*MSP")
NIGHTS = TariffHours(spans=(ClockSpan(start="20:00", end="07:00"),))


@asynccontextmanager
async def gireve(database_url: str, **settings: Any) -> AsyncIterator[Rig]:
    async with rig(database_url, "gireve", gireve_settings=settings) as made:
        yield made


async def put(gateway: Rig, *tariffs: Tariff) -> None:
    for one in tariffs:
        params = {} if one.target is None else {"target": str(one.target)}
        body = one.model_dump_json(exclude_defaults=True)
        url = f"{gateway.public_url}/v1/tariffs/{one.party}/{one.id}"
        async with _backend() as http, http.put(url, params=params, data=body, headers=_JSON) as answer:
            assert answer.status in {200, 201}, await answer.text()
    await gateway.settled()


async def told_of(gateway: Rig, tariff_id: str) -> list[tuple[str, str, str]]:
    """What the backend can read of a tariff's way to Gireve."""
    async with _backend() as http, http.get(f"{gateway.public_url}/v1/tariffs/{PARTY}/{tariff_id}/issues") as answer:
        found = [one["issue"] for one in (await answer.json())["items"] if one["connection"] == "gireve"]
    return [(one["kind"], one["field"], one["detail"]) for one in found]


_JSON = {"Content-Type": "application/json"}


def _backend() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN}"})


def rounded() -> Tariff:
    whole_euros = PriceRounding(places=0, rule=RoundingRule.ROUND_UP)
    energy = PriceComponent(type=TariffDimension.ENERGY, price=Decimal("0.4"), step_size=1, price_rounding=whole_euros)
    return tariff("ROUND", elements=(TariffElement(price_components=(energy,)),))


async def test_regular_prices_are_told_for_all_and_for_those_who_have_their_own(database_url: str) -> None:
    async with gireve(database_url, tariff_targets=["FR*MSP"]) as gateway:
        await put(
            gateway,
            tariff(),
            tariff(target=EMSP, price="0.4"),
            tariff(target=PartyId("DE*OTH"), price="0.3"),
            tariff("ADHOC", type="AD_HOC_PAYMENT"),
        )
        memory = gateway.memory("tariffs")
        assert {key: wire["type"] for key, wire in memory.items()} == {
            f"{PARTY}/T1/-": "REGULAR",
            f"{PARTY}/T1/{EMSP}": "REGULAR",
        }
        assert await gateway.letters() == {}


async def test_what_gireve_may_not_heed_is_refused_unless_an_approximation_is_wanted(database_url: str) -> None:
    async with gireve(database_url) as gateway:
        await put(gateway, tariff("NIGHT", hours=NIGHTS), rounded())
        assert gateway.memory("tariffs") == {}
        letters = await gateway.letters()
        assert set(letters) == {f"{PARTY}/NIGHT/-", f"{PARTY}/ROUND/-"}
        assert "hours" in letters[f"{PARTY}/NIGHT/-"][1]


async def test_an_approximation_says_what_it_does_to_prices(database_url: str) -> None:
    async with gireve(database_url, unsayable="approximate") as gateway:
        await put(gateway, tariff("NIGHT", hours=NIGHTS), rounded())
        memory = gateway.memory("tariffs")
        assert memory[f"{PARTY}/NIGHT/-"]["restriction"] == {"start_time": "20:00", "end_time": "07:00"}
        (money,) = [detail for _, field, detail in await told_of(gateway, "NIGHT") if field == ""]
        assert money.startswith("where Gireve does not heed that, of ")
        assert money.endswith("have a price by one of the two only")
        (money,) = [detail for _, field, detail in await told_of(gateway, "ROUND") if field == ""]
        assert "EUR less (" in money


async def test_a_price_that_changes_in_force_is_told_with_what_gireve_recommends(database_url: str) -> None:
    async with gireve(database_url) as gateway:
        await put(gateway, tariff())
        assert "elements" not in [field for _, field, _ in await told_of(gateway, "T1")]
        await put(gateway, tariff(price="0.6", last_updated=later(1)))
        [(kind, detail)] = [
            (kind, detail) for kind, field, detail in await told_of(gateway, "T1") if field == "elements"
        ]
        assert kind == "suspect"
        assert "Gireve recommends a new tariff" in detail
        (wire,) = gateway.memory("tariffs").values()
        assert wire["elements"][0]["price_components"][0]["price"] == 0.6
