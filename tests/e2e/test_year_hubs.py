"""A simulated year of offers at Hubject: told by its API, subscribed to in its portal, noticed by reading back.

An offer to all and a bilateral one, two EMPs, new prices with their lead time, one EMP that cancels. The sandbox
decides for itself who may charge; that our record says the same at every moment is what is tried.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from adapters.hubject.sandbox.ngp.model import internal_id
from mappings.canonical.ids import ContractId, PartyId
from tests.e2e.scene import Driver, Scene, scene
from tests.e2e.year import YearsClock, stamp
from tests.harness import tariff

FIRST, SECOND = PartyId("DE*DRV"), PartyId("DE*TWO")
CARDS = {FIRST: "04A2B3C4D5E601", SECOND: "04A2B3C4D5E602"}
_SERVICES = ["authorise", "remote", "cdr"]
_MOMENT = 1 / 86_400


@dataclass
class HubYear:
    """A scene at Hubject whose time is told, at the gateway and at the hub."""

    scene: Scene
    clock: YearsClock
    drivers: dict[PartyId, Driver]

    async def turn(self, day: float) -> None:
        """Lets it become a day for both, and what is read back be read."""
        self.clock.turn(day)
        await self.scene.drive("hubject", "clock", {"now": stamp(day), "rate": 0})
        await self.scene.quiet()
        await self.read_back()
        await self.scene.quiet()

    async def read_back(self) -> None:
        """Has the gateway read what Hubject holds."""
        read = await self.scene.pull("hubject", "offers")
        # One that names nothing is made sure of by another one.
        assert read["outcome"] in {"done", "unsettled"}, read
        await self.scene.gateway.app.links.refresh()

    async def offer(self, id_: str, tariff_id: str, **changes: Any) -> Any:
        """Publishes an offer, and waits until Hubject has it."""
        offer = {"id": id_, "connection": "hubject", "cpo": "NL*ABC", "title": id_, **changes}
        terms = {"services": _SERVICES, "price_source": "AGREED", "prices": [{"tariff_ids": [tariff_id]}]}
        await self.scene.ask("PUT", f"/v1/offers/{id_}", {"offer": offer, "terms": terms})
        await self.scene.ask("POST", f"/v1/offers/{id_}/publish")
        await self.scene.quiet()
        assert await self.scene.letters() == []

    async def portal(self, what: str, emsp: PartyId, offer: str, **more: Any) -> Any:
        """Does something in Hubject's portal."""
        told = await self.scene.drive(
            "hubject", f"subscriptions/{what}", {"provider": str(emsp), "offer": offer, **more}
        )
        assert "state" in told, told
        return told

    async def states(self) -> dict[PartyId, str]:
        """Gives the states of subscriptions on record here."""
        page = await self.scene.ask("GET", "/v1/subscriptions")
        return {PartyId(one["subscription"]["emsp"]): one["subscription"]["state"] for one in page["items"]}

    async def may(self, emsp: PartyId) -> tuple[bool, str | None, int | None]:
        """Tells whether a driver may charge, and by which offer and version of our record."""
        granted = await self.scene.tap(self.drivers[emsp])
        agreement = granted.get("agreement") or {}
        assert not granted["detail"].get("drift"), granted
        return granted["allowed"], agreement.get("offer"), agreement.get("version")


async def before(it: HubYear) -> None:
    assert await it.may(FIRST) == (True, None, None)


async def publish(it: HubYear) -> None:
    await it.offer(
        "to-all",
        "FIRST",
        joining="APPROVE",
        starts=stamp(60),
        minimum_term_days=30,
        cancellation_days=42,
        lead_time_days=15,
    )
    days = {"minimum_term_days": 1, "cancellation_days": 42, "notice_days": 21}
    await it.offer("for-two", "OURS", audience=[str(SECOND)], starts=stamp(60), ends=stamp(260), **days)


async def subscribe(it: HubYear) -> None:
    assert not (await it.may(FIRST))[0]
    await it.portal("subscribe", FIRST, "to-all", data=DATA)
    await it.portal("subscribe", SECOND, "for-two")
    await it.read_back()
    assert await it.states() == {SECOND: "ACTIVE"}  # Hubject tells of nobody who waits
    assert not (await it.may(FIRST))[0]
    assert await it.may(SECOND) == (True, "for-two", 1)


async def approve(it: HubYear) -> None:
    await it.portal("approve", FIRST, "to-all")
    await it.read_back()
    assert await it.may(FIRST) == (True, "to-all", 1)


async def announce(it: HubYear) -> None:
    terms = {"services": _SERVICES, "price_source": "AGREED", "prices": [{"tariff_ids": ["SECOND"]}]}
    status, refused = await it.scene.said("POST", "/v1/offers/to-all/versions", {"starts": stamp(114), "terms": terms})
    assert (status, refused["errors"][0]["field"]) == (422, "starts")
    await it.scene.ask("POST", "/v1/offers/to-all/versions", {"starts": stamp(130), "terms": terms})
    await it.scene.quiet()
    assert await it.scene.letters() == []
    assert await it.may(FIRST) == (True, "to-all", 1)


async def new_prices(it: HubYear) -> None:
    assert await it.may(FIRST) == (True, "to-all", 2)
    assert await it.may(SECOND) == (True, "for-two", 1)


async def cancel(it: HubYear) -> None:
    await it.portal("cancel", FIRST, "to-all")
    await it.read_back()
    assert await it.states() == {FIRST: "CANCELLED", SECOND: "ACTIVE"}
    assert await it.may(FIRST) == (True, "to-all", 2)


async def last_day(it: HubYear) -> None:
    assert await it.may(FIRST) == (True, "to-all", 2)


async def gone(it: HubYear) -> None:
    assert not (await it.may(FIRST))[0]
    assert await it.may(SECOND) == (True, "for-two", 1)


async def ended(it: HubYear) -> None:
    assert not (await it.may(FIRST))[0]
    assert not (await it.may(SECOND))[0]


DATA = {"taxId": "DE123456789", "termsAndConditionsRead": True}
DEEDS: dict[float, Callable[[HubYear], Awaitable[None]]] = {
    0: before,
    2: publish,
    60 - _MOMENT: before,
    61: subscribe,
    63: approve,
    100: announce,
    130: new_prices,
    200: cancel,
    242 - _MOMENT: last_day,
    242: gone,
    260: ended,
    365: ended,
}


async def test_what_hubject_lets_charge_is_what_our_record_says_all_the_year(database_url: str) -> None:
    clock = YearsClock()
    partners = {SECOND.normal: internal_id(SECOND.normal, emp=True)}
    offers = {"partners": partners, "master_data": ["taxId"], "per_minute": 50}
    settings = {"offers": offers, "providers": [FIRST.normal, SECOND.normal]}
    async with scene(database_url, "hubject", clock=clock, hubject_settings=settings) as it:
        drivers = {}
        for emsp, card in CARDS.items():
            contract = ContractId(ContractId(f"{emsp.country}-{emsp.code}-C00000001").separated())
            drivers[emsp] = Driver("hubject", card, contract)
            await it.drive("hubject", "drivers", [{"uid": card, "provider": emsp.normal, "contract": contract.text}])
        await it.gateway.put_tariffs(tariff("FIRST", "0.4"), tariff("SECOND", "0.6"), tariff("OURS", "0.3"))
        played = HubYear(it, clock, drivers)
        for day, deed in sorted(DEEDS.items()):
            await played.turn(day)
            await deed(played)
        drifts = (await it.ask("GET", "/v1/offer-drifts"))["items"]
        assert drifts == []
