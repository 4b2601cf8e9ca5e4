"""A simulated year of offers on the own network: what each EMSP may see, start and pay is right at every moment of it.

What is right stands in a table by hand (`EXPECTED`), not in the policy.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mappings.canonical.ids import PartyId
from tests.e2e.abroad import EMSP, abroad
from tests.e2e.year import GUEST, Year, YearsClock, stamp, year
from tests.harness import eventually

FAST, SLOW = "U1", "U3"
"""An EVSE of the group `fast`, and one that is in none."""

Prices = dict[PartyId, dict[str, str | None]]


@dataclass(frozen=True)
class Span:
    """What holds from a day on.

    Attributes:
        prices: What a kWh costs an EMSP at an EVSE; None where it may neither see nor start there.
    """

    day: float
    prices: Prices


def _all(price: str | None) -> dict[str, str | None]:
    return {FAST: price, SLOW: price}


# The network is public until the first offer starts; the EVSEs' own tariff costs 0.5 then.
EXPECTED = [
    Span(0, {EMSP: _all("0.5"), GUEST: _all("0.5")}),
    # The offer to all starts, and nobody has it yet.
    Span(30, {EMSP: _all(None), GUEST: _all(None)}),
    # Ours is approved.
    Span(35, {EMSP: _all("0.4"), GUEST: _all(None)}),
    Span(45, {EMSP: _all("0.4"), GUEST: _all("0.4")}),
    # The bilateral offer for the fast EVSEs starts.
    Span(60, {EMSP: {FAST: "0.3", SLOW: "0.4"}, GUEST: _all("0.4")}),
    # New prices of the offer to all, announced with their lead time.
    Span(120, {EMSP: {FAST: "0.3", SLOW: "0.6"}, GUEST: _all("0.6")}),
    # The guest cancelled on day 200, with ten days to go.
    Span(210, {EMSP: {FAST: "0.3", SLOW: "0.6"}, GUEST: _all(None)}),
    # The bilateral offer ends.
    Span(240, {EMSP: _all("0.6"), GUEST: _all(None)}),
    # The CPO cancelled the offer to all on day 300, with thirty days' notice. An end opens nothing.
    Span(330, {EMSP: _all(None), GUEST: _all(None)}),
]


def expected(day: float) -> Prices:
    return next(span.prices for span in reversed(EXPECTED) if span.day <= day)


SERVICES = ["poi", "status", "authorise", "remote", "cdr"]


def _offer(id_: str, **changes: Any) -> dict[str, Any]:
    return {"id": id_, "connection": "home", "cpo": "NL*ABC", "title": id_, **changes}


def _terms(*prices: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"services": SERVICES, "price_source": "AGREED", "prices": list(prices), **changes}


async def publish_to_all(it: Year) -> None:
    offer = _offer(
        "all",
        joining="APPROVE",
        starts=stamp(30),
        minimum_term_days=30,
        cancellation_days=10,
        notice_days=30,
        lead_time_days=14,
    )
    await it.ask("PUT", "/v1/offers/all", {"offer": offer, "terms": _terms({"tariff_ids": ["FIRST"]})})
    await it.ask("POST", "/v1/offers/all/publish")


async def publish_bilateral(it: Year) -> None:
    group = {"id": "fast", "party": "NL*ABC", "name": "Fast", "evse_ids": ["NL*ABC*E1", "NL*ABC*E2"]}
    await it.ask("PUT", "/v1/evse-groups/fast", group)
    offer = _offer("fast-rgt", audience=[str(EMSP)], starts=stamp(60), ends=stamp(240))
    terms = _terms({"evse_group": "fast", "tariff_ids": ["FAST"]}, evse_groups=["fast"])
    await it.ask("PUT", "/v1/offers/fast-rgt", {"offer": offer, "terms": terms})
    await it.ask("POST", "/v1/offers/fast-rgt/publish")
    await it.ask("POST", "/v1/subscriptions", {"id": "s-fast", "offer": "fast-rgt", "emsp": str(EMSP)})


def subscribe(emsp: PartyId, id_: str) -> Callable[[Year], Awaitable[None]]:
    async def deed(it: Year) -> None:
        asked = {"id": id_, "offer": "all", "emsp": str(emsp)}
        made = await it.ask("POST", "/v1/subscriptions", asked)
        assert made["subscription"]["state"] in {"REQUESTED", "UNDER_REVIEW"}

    return deed


def approve(id_: str) -> Callable[[Year], Awaitable[None]]:
    async def deed(it: Year) -> None:
        await it.ask("POST", f"/v1/subscriptions/{id_}/approve", {})

    return deed


async def announce_prices(it: Year) -> None:
    version = {"starts": stamp(113.9), "terms": _terms({"tariff_ids": ["SECOND"]})}
    status, _ = await it.said("POST", "/v1/offers/all/versions", version)
    assert status == 422  # within the lead time
    await it.ask("POST", "/v1/offers/all/versions", version | {"starts": stamp(120)})


async def cancel_guest(it: Year) -> None:
    status, _ = await it.said("POST", "/v1/subscriptions/s-guest/cancel", {"as": "emsp", "at": stamp(209)})
    assert status == 422
    gone = await it.ask("POST", "/v1/subscriptions/s-guest/cancel", {"as": "emsp"})
    assert gone["subscription"]["ends"].startswith("2027-07-30T")  # day 210


async def cancel_all(it: Year) -> None:
    gone = await it.ask("POST", "/v1/offers/all/cancel", {})
    assert gone["ends_at"].startswith("2027-11-27T")  # day 330


DEEDS: dict[float, Callable[[Year], Awaitable[None]]] = {
    10: publish_to_all,
    20: subscribe(EMSP, "s-rgt"),
    35: approve("s-rgt"),
    40: subscribe(GUEST, "s-guest"),
    45: approve("s-guest"),
    50: publish_bilateral,
    100: announce_prices,
    200: cancel_guest,
    300: cancel_all,
}

SECOND = 1 / 86_400
DAYS = sorted(
    {day + delta for day in (*(span.day for span in EXPECTED), *DEEDS, 365) for delta in (-SECOND, 0, 3) if day}
)


async def test_what_each_emsp_may_see_start_and_pay_is_right_all_the_year(database_url: str) -> None:
    clock = YearsClock()
    async with abroad(database_url, "home", clock=clock) as scene:
        it = await year(scene, clock)
        for day in DAYS:
            await it.turn(day)
            if day in DEEDS:
                await DEEDS[day](it)
                await it.turn(day)
            for emsp, prices in expected(day).items():
                for uid, price in prices.items():
                    found = await it.state(emsp, uid)
                    assert found == (price is not None, price is not None, price and Decimal(price)), (day, emsp, uid)


async def test_a_charge_keeps_its_version_and_outlives_its_agreement(database_url: str) -> None:
    clock = YearsClock()
    async with abroad(database_url, "home", clock=clock) as scene:
        it = await year(scene, clock)
        for day in (10, 20, 35, 40, 45, 100):
            await it.turn(day)
            await DEEDS[day](it)
        await it.turn(120 - SECOND)
        over_a_change = await it.begin(EMSP, SLOW, "S-120")
        await it.turn(120.1)
        await it.finish(over_a_change, "5.00")  # 12.5 kWh by the first version, at 0.4
        await it.turn(200)
        await cancel_guest(it)
        await it.turn(210 - SECOND)
        over_an_end = await it.begin(GUEST, SLOW, "S-210")
        await it.turn(210.1)
        assert not (await scene.tap(it.driver(GUEST), SLOW))["allowed"]
        await it.finish(over_an_end, "7.50")  # by the second version, at 0.6
        # Each on both sides: as the CPO's own, and as what came home to the EMSP.
        await eventually(lambda: it.priced(4), "both CDRs priced")
        page = await it.ask("GET", "/v1/repricings")
        assert {(one["cdr"], one["direction"], one["outcome"]) for one in page["items"]} == {
            (f"CDR-S-{day}", direction, "matches") for day in (120, 210) for direction in ("in", "out")
        }
