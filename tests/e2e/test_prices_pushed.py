"""A CPO's prices: written once through `/v1`, standing at Hubject for everybody and for one EMP, and gone again."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from adapters.core.connection import Mode
from adapters.hubject.sandbox import Partner
from gateway.outbox import dispatcher
from gateway.services.ports import Letters
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff
from tests.harness import ADMIN, PARTY, WHO, Rig, evse, later, location, rig, tariff

EMP = PartyId("NL-EMS")
PRICING: dict[str, Any] = {
    "price": "0.6",
    "currency": "EUR",
    "power": "22",
    "targets": ["NL-EMS"],
    "per_minute": 60_000,
}
PRODUCTS, PRICES = "pricing_products", "evse_pricing"


@asynccontextmanager
async def pricing(database_url: str, **options: Any) -> AsyncIterator[Rig]:
    changes = options.pop("changes", {})
    settings = {"pricing": PRICING | changes}
    async with rig(database_url, "hubject", hubject_settings=settings, **options) as made:
        yield made


async def put(gateway: Rig, one: Tariff) -> None:
    """Writes a tariff as a CPO's backend does."""
    headers = {"Authorization": f"Bearer {ADMIN}"}
    url = f"{gateway.public_url}/v1/tariffs/{one.party}/{one.id}"
    params = {} if one.target is None else {"target": str(one.target)}
    body = one.model_dump_json(exclude_defaults=True)
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.put(url, params=params, data=body, headers={"Content-Type": "application/json"}) as answer,
    ):
        assert answer.status in {200, 201}, await answer.text()


async def withdraw(gateway: Rig, one: Tariff) -> None:
    assert await gateway.app.services.publishing.withdraw_tariff(one.party, one.id, one.target, WHO)


def charged(gateway: Rig) -> dict[str, float]:
    """What Hubject has of the products: the price by operator, id and EMP."""
    memory = gateway.memory(PRODUCTS)
    return {key: one["PricingProductDataRecord"]["PricePerReferenceUnit"] for key, one in memory.items()}


def offered(gateway: Rig) -> dict[str, dict[str, list[str]]]:
    """What Hubject has of the EVSEs: by EvseID and EMP their products."""
    return {
        key: {word: row["EvseIDProductList"] for word, row in rows.items()}
        for key, rows in gateway.memory(PRICES).items()
    }


async def test_a_tariff_stands_for_everybody_and_for_one_changes_and_is_withdrawn(database_url: str) -> None:
    async with pricing(database_url) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1", "T2"]), evse("U2", "NL*ABC*E2")))
        await gateway.settled()
        assert offered(gateway) == {}
        for one in (
            tariff(),
            tariff(target=EMP, price="0.4"),
            tariff("T2", "0.3"),
            tariff("T3", type="AD_HOC_PAYMENT"),
        ):
            await put(gateway, one)
        await gateway.settled()
        assert charged(gateway) == {"NL*ABC/T1/-": 0.5, "NL*ABC/T1/NL*EMS": 0.4, "NL*ABC/T2/-": 0.3}
        assert offered(gateway) == {"NLABCE1": {"*": ["T1", "T2"], "NL-EMS": ["T1", "T2"]}}
        await put(gateway, tariff(target=EMP, price="0.45", last_updated=later(1)))
        await gateway.settled()
        assert charged(gateway)["NL*ABC/T1/NL*EMS"] == 0.45
        await withdraw(gateway, tariff(target=EMP))
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T1", "T2"]}}
        await withdraw(gateway, tariff())
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T2"]}}
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2", tariffs=["T2"])))
        await gateway.settled()
        assert offered(gateway) == {"NLABCE2": {"*": ["T2"]}}
        await withdraw(gateway, tariff("T2"))
        await gateway.withdraw("L1")
        await gateway.settled()
        assert (charged(gateway), offered(gateway)) == ({}, {})
        assert await gateway.letters() == {}
        assert not {code for (_, code) in gateway.hubject.requests} - {"ok"}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "error", "status": 500},
        {"kind": "error", "status": 503},
        {"kind": "throttle"},
        {"kind": "drop"},
        {"kind": "close"},
        {"kind": "garble"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
async def test_a_hub_that_fails_at_every_step_has_the_prices_in_the_end(
    database_url: str, fault: dict[str, Any]
) -> None:
    async with pricing(database_url) as gateway:
        place = location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"]))

        def failing() -> None:
            gateway.mend()
            for path in ("pricing-products", "evse-pricing"):
                gateway.fail("hubject", **fault, path=path, count=1)

        await gateway.put(place)
        failing()
        await put(gateway, tariff())
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T1"]}}
        failing()
        await put(gateway, tariff(target=EMP))
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T1"], "NL-EMS": ["T1"]}}
        failing()
        await put(gateway, tariff(price="0.7"))
        await gateway.settled()
        assert charged(gateway)["NL*ABC/T1/-"] == 0.7
        failing()
        await withdraw(gateway, tariff())
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"NL-EMS": ["T1"]}}
        failing()
        await withdraw(gateway, tariff(target=EMP))
        await gateway.settled()
        assert (charged(gateway), offered(gateway)) == ({}, {})


@pytest.mark.parametrize("path", ["pricing-products", "evse-pricing"])
async def test_what_the_hub_refuses_is_a_dead_letter_until_it_is_replayed(database_url: str, path: str) -> None:
    async with pricing(database_url) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])))
        gateway.fail("hubject", "refuse", path=path)
        await put(gateway, tariff())
        await gateway.settled()
        key = {"pricing-products": "NL*ABC/T1/-", "evse-pricing": "NLABCE1"}[path]
        assert [*await gateway.letters()] == [key]
        assert offered(gateway) == {}
        gateway.mend()
        await gateway.app.services.deliveries.replay(Letters(connection="hubject"), WHO)
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T1"]}}
        assert await gateway.letters() == {}


async def test_an_evse_that_was_refused_is_told_again_once_hubject_has_other_products(database_url: str) -> None:
    async with pricing(database_url) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1", "T2"])))
        gateway.fail("hubject", "refuse", path="evse-pricing")
        await put(gateway, tariff())
        await gateway.settled()
        assert [*await gateway.letters()] == ["NLABCE1"]
        gateway.mend()
        await put(gateway, tariff("T2"))
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T1", "T2"]}}
        assert await gateway.letters() == {}


async def test_one_refused_product_does_not_keep_an_evse_from_its_others(database_url: str) -> None:
    async with pricing(database_url, partners=[Partner(PARTY)]) as gateway:
        dear = tariff("T2", elements=[*tariff().elements, *tariff(price="0.9").elements], hours={"days": ["MONDAY"]})
        await gateway.put_tariffs(tariff(), dear, tariff("T3", target=PartyId("DE-EMP")))
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T2", "T1", "T3"])))
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T1"]}}
        page = await gateway.app.services.deliveries.dead_letters(None, None, 10)
        fields = {letter.key: letter.field for letter in page.items}
        assert fields.keys() == {"NL*ABC/T2/-", "NL*ABC/T3/DE*EMP"}
        assert fields["NL*ABC/T3/DE*EMP"] == "target"
        issues = await gateway.app.services.network.issues(PARTY, "L1")
        told = {(one.operation, one.issue.value) for one in issues if one.operation == PRICES}
        assert told == {(PRICES, "T2"), (PRICES, "T3")}


async def test_a_price_that_can_no_longer_be_said_does_not_stand_on(database_url: str) -> None:
    async with pricing(database_url) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1", "T2"])))
        await gateway.put_tariffs(tariff(), tariff("T2", "0.3"))
        await gateway.settled()
        await put(gateway, tariff(price="0.7", hours={"days": ["MONDAY"]}))
        await gateway.settled()
        assert charged(gateway) == {"NL*ABC/T2/-": 0.3}
        assert offered(gateway) == {"NLABCE1": {"*": ["T2"]}}
        assert [*await gateway.letters()] == ["NL*ABC/T1/-"]
        (row,) = [row for (_, key), row in (await gateway.rows(PRODUCTS)).items() if key == "NL*ABC/T1/-"]
        assert (row["refused"], row["sent_as"], row["pending"]) == (True, None, False)
        asked = gateway.hubject.requests[PRODUCTS, "ok"]
        await gateway.app.services.deliveries.replay(Letters(connection="hubject"), WHO)
        await gateway.settled()
        assert [*await gateway.letters()] == ["NL*ABC/T1/-"]
        assert gateway.hubject.requests[PRODUCTS, "ok"] == asked
        await put(gateway, tariff(price="0.7"))
        await gateway.settled()
        assert charged(gateway) == {"NL*ABC/T1/-": 0.7, "NL*ABC/T2/-": 0.3}
        assert offered(gateway) == {"NLABCE1": {"*": ["T1", "T2"]}}
        assert await gateway.letters() == {}


async def test_an_emp_that_is_a_target_no_more_loses_its_prices(database_url: str) -> None:
    async with pricing(database_url) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])))
        await gateway.put_tariffs(tariff(), tariff(target=EMP, price="0.4"))
        await gateway.settled()
        changed = gateway.settings["hubject"] | {"pricing": PRICING | {"targets": []}}
        await gateway.app.services.connections.set_settings("hubject", changed, WHO)
        await gateway.settled()
        assert charged(gateway) == {"NL*ABC/T1/-": 0.5}
        assert offered(gateway) == {"NLABCE1": {"*": ["T1"]}}
        assert [*await gateway.letters()] == ["NL*ABC/T1/NL*EMS"]


async def test_an_approximated_tariff_says_the_difference_in_money(database_url: str) -> None:
    night = {"start_time": "20:00", "end_time": "08:00"}
    cheap = tariff(price="0.3").elements[0].model_dump(mode="json") | {"restrictions": night}
    by_night = Tariff.model_validate(
        tariff().model_dump(mode="json") | {"elements": [cheap, tariff().elements[0].model_dump(mode="json")]}
    )
    async with pricing(database_url, changes={"unsayable": "approximate"}) as gateway:
        await put(gateway, by_night)
        await gateway.settled()
        assert charged(gateway) == {"NL*ABC/T1/-": 0.5}
        issues = await gateway.app.services.network.tariff_issues(PARTY, "T1", None)
        (said,) = [one.issue.detail for one in issues if one.issue.field == "elements" and "EUR" in one.issue.detail]
        assert "charges" in said


async def test_a_tariff_is_a_product_while_it_is_in_force(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "BEGINNING", 3600.0)  # or the gateway may look by itself before the test does
    async with pricing(database_url) as gateway:
        outbox = gateway.app.outbox
        begins = datetime.now(UTC) + timedelta(hours=1)
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["OLD", "NEW"])))
        await gateway.put_tariffs(tariff("OLD", end=begins), tariff("NEW", "0.6", start=begins))
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["OLD"]}}
        assert not await outbox.in_and_out_of_force()
        # An hour later: what was told then was planned before the change, however late it was acknowledged.
        changed = json.dumps((datetime.now(UTC) - timedelta(minutes=1)).isoformat())
        await gateway.app.store.execute(
            'UPDATE tariff SET body = regexp_replace(body::text, \'"(start|end)":"[^"]+"\','
            " '\"\\1\":' || $1, 'g')::json",
            changed,
        )
        await gateway.app.store.execute("UPDATE projection SET since = now() - interval '1 hour'")
        assert await outbox.in_and_out_of_force()
        await gateway.settled()
        assert charged(gateway) == {"NL*ABC/NEW/-": 0.6}
        assert offered(gateway) == {"NLABCE1": {"*": ["NEW"]}}
        assert not await outbox.in_and_out_of_force()


async def test_an_emp_that_becomes_a_target_gets_its_prices(database_url: str) -> None:
    async with pricing(database_url, changes={"targets": []}) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])))
        await gateway.put_tariffs(tariff(), tariff(target=EMP, price="0.4"))
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T1"]}}
        assert [*await gateway.letters()] == ["NL*ABC/T1/NL*EMS"]
        changed = gateway.settings["hubject"] | {"pricing": PRICING}
        await gateway.app.services.connections.set_settings("hubject", changed, WHO)
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T1"], "NL-EMS": ["T1"]}}
        assert await gateway.letters() == {}


async def test_prices_are_switched_off_and_on(database_url: str) -> None:
    async with pricing(database_url) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])))
        await gateway.put_tariffs(tariff(), tariff("T9", target=PartyId("DE-EMP")))
        await gateway.settled()
        priced = dict(gateway.settings["hubject"])
        connections = gateway.app.services.connections
        await connections.set_settings("hubject", priced | {"pricing": None}, WHO)
        await gateway.quiet()
        assert {operation for operation, _ in await gateway.rows()} == {"evse_data", "evse_status"}
        assert await gateway.letters() == {}
        # What stands at Hubject stays there; told anew, it is found there.
        assert charged(gateway) == {"NL*ABC/T1/-": 0.5}
        await gateway.put_tariffs(tariff(price="0.8"))
        await connections.set_settings("hubject", priced, WHO)
        await gateway.settled()
        assert charged(gateway) == {"NL*ABC/T1/-": 0.8}
        assert offered(gateway) == {"NLABCE1": {"*": ["T1"]}}
        synchronised = await gateway.app.store.fetch("SELECT operation FROM full_sync")
        assert {PRODUCTS, PRICES} < {row["operation"] for row in synchronised}


async def test_an_evse_under_two_locations_has_the_prices_of_the_newer_one(database_url: str) -> None:
    async with pricing(database_url) as gateway:
        await gateway.put_tariffs(tariff(), tariff("T2"))
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])))
        await gateway.put(location("L2", evse("U1", "NL*ABC*E1", later(5), tariffs=["T2"])))
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T2"]}}
        await gateway.withdraw("L2")
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T1"]}}


async def test_a_daily_synchronisation_tells_prices_anew_without_a_full_load(database_url: str) -> None:
    async with pricing(database_url) as gateway:
        await gateway.put_tariffs(tariff(), tariff("T2"))
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])))
        await gateway.settled()
        gateway.hubject.pushed_prices.forget()
        for kind in (PRODUCTS, PRICES):
            gateway.hubject.memory[kind].clear()
        await gateway.app.store.execute("UPDATE full_sync SET due_at = now()")
        await gateway.settled()
        assert set(charged(gateway)) == {"NL*ABC/T1/-", "NL*ABC/T2/-"}
        assert {one.value for one in gateway.hubject.receipts if one.operation in {PRODUCTS, PRICES}} == {"insert"}
        ahead = await gateway.app.store.fetchval(
            "SELECT min(due_at) > now() + interval '1 hour' FROM full_sync WHERE operation LIKE '%pric%'"
        )
        assert ahead


async def test_what_was_pushed_comes_back_to_an_emp_of_the_same_hub(database_url: str) -> None:
    options = {"emsp": EMP, "hubject_emp_settings": {"pricing_operators": [str(PARTY)]}}
    settings = {"pricing": PRICING}
    async with rig(database_url, "hubject", "hubject-emp", hubject_settings=settings, **options) as gateway:
        await gateway.put_tariffs(tariff(), tariff(target=EMP, price="0.4"), tariff("T2", "0.3"))
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1", "T2"])))
        await gateway.settled("hubject")
        link = gateway.app.links.by_name("hubject-emp")
        assert link is not None
        products = await link.adapter.pull(PRODUCTS, None, None)
        prices = await link.adapter.pull(PRICES, None, None)
        told = {record.key: record.read()[0] for record in products.records}
        assert told.keys() == {("NL*ABC", "T1", "NL*EMS"), ("NL*ABC", "T2", "")}
        components = {key: one.elements[0].price_components[0].price for key, one in told.items()}
        assert [str(price) for price in components.values()] == ["0.4", "0.3"]
        (record,) = prices.records
        assert record.read()[0].tariff_ids == ("T1", "T2")
        assert not products.unreadable
        assert not prices.unreadable


async def test_in_shadow_mode_prices_are_shown_and_nothing_is_sent(database_url: str) -> None:
    async with pricing(database_url, mode=Mode.SHADOW) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])))
        await put(gateway, tariff())
        await gateway.quiet()
        assert (charged(gateway), offered(gateway)) == ({}, {})
        rows = await gateway.rows(PRICES)
        assert [row["shadowed"] for row in rows.values()] == [True]
        await gateway.app.services.connections.set_mode("hubject", Mode.LIVE, WHO)
        await gateway.settled()
        assert offered(gateway) == {"NLABCE1": {"*": ["T1"]}}
