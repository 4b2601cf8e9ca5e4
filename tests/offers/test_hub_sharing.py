"""Offers of the same EVSE groups share a hub's network, whatever becomes of one of them; nothing is told twice."""

import pytest

from adapters.core.offers import HubIds
from mappings.canonical.agreements import GroupPrice, OfferTerms, PriceSource, Service
from tests.harness import WHO, evse, later, location, tariff
from tests.offers.hubs import offer, told


def of(*groups: str) -> OfferTerms:
    return OfferTerms(
        services=frozenset({Service.AUTHORISE}),
        evse_groups=groups,
        price_source=PriceSource.AGREED,
        prices=(GroupPrice(tariff_ids=("T1",)),),
    )


@pytest.fixture
async def hub(database_url):
    async with told(database_url) as made:
        evses = [evse(f"U{n}", f"NL*ABC*E{n}", tariffs=["T1"]) for n in range(1, 5)]
        await made.publishing.put_locations([(location("L1", *evses), ())], WHO)
        await made.publishing.put_tariffs([(tariff("T1"), ())], WHO)
        await made.group("slow", "NL*ABC*E1")
        await made.group("fast", "NL*ABC*E2")
        yield made


async def test_an_offer_waits_for_the_network_that_another_one_makes_and_shares_it(hub):
    hub.hub.fails = {"network"}
    await hub.publish(offer("O1"), of("slow"))
    await hub.publish(offer("O2"), of("slow"))
    assert (await hub.side("O2")).pending == []
    hub.hub.fails = set()
    await hub.steps("network", "offer", "offer")
    assert (await hub.side("O2")).ids.network == (await hub.side("O1")).ids.network == "N1"


async def test_a_network_that_the_hub_took_without_a_name_is_not_made_once_more_by_another_offer(hub):
    hub.hub.mute = {"network"}
    await hub.publish(offer("O1"), of("slow"))
    await hub.steps("network")
    await hub.publish(offer("O2"), of("slow"))
    assert await hub.telling.catch_up() == 0
    async with hub.store.transaction() as tx:
        await hub.telling.set_hub_ids(tx, "O1", HubIds(network="N7", groups={"slow": "G7"}), WHO)
    hub.telling.wake()
    await hub.steps("network", "offer", "offer")
    assert (await hub.side("O2")).ids.network == "N7"


async def test_a_group_that_comes_to_a_shared_network_is_told_once(hub):
    first = await hub.publish(offer("O1"), of("slow"))
    await hub.steps("network", "offer")
    second = await hub.publish(offer("O2"), of("slow"))
    await hub.steps("network", "offer", "offer")
    hub.hub.fails = {"network"}
    await hub.add_version(first, of("slow", "fast"), later(1000))
    await hub.add_version(second, of("slow", "fast"), later(1000))
    assert (await hub.side("O2")).pending == []
    hub.hub.fails = set()
    await hub.steps("network", "offer", "offer", "network", "prices", "prices")
    assert (await hub.side("O2")).ids.groups == {"slow": "G-slow", "fast": "G-fast"}


async def test_evses_that_come_are_told_by_an_offer_that_goes_on_when_the_oldest_is_cancelled(hub):
    await hub.publish(offer("O1"), of("slow"))
    await hub.steps("network", "offer")
    await hub.publish(offer("O2"), of("slow"))
    await hub.steps("network", "offer", "offer")
    await hub.store.execute("UPDATE offer SET state = 'CANCELLED' WHERE id = 'O1'")
    await hub.group("slow", "NL*ABC*E3")
    assert await hub.telling.catch_up() == 1
    await hub.steps("network", "offer", "offer", "members")
    assert hub.hub.told[-1]["groups"] == {"slow": ["NL*ABC*E3"]}
    assert await hub.telling.catch_up() == 0


async def test_evses_that_a_cancelled_offer_is_just_telling_of_are_not_told_by_another_one(hub):
    await hub.publish(offer("O1"), of("slow"))
    await hub.steps("network", "offer")
    await hub.publish(offer("O2"), of("slow"))
    await hub.steps("network", "offer", "offer")
    hub.hub.fails = {"members"}
    await hub.group("slow", "NL*ABC*E3")
    assert await hub.telling.catch_up() == 1
    await hub.store.execute("UPDATE offer SET state = 'CANCELLED' WHERE id = 'O1'")
    assert await hub.telling.catch_up() == 0
    hub.hub.fails = set()
    await hub.steps("network", "offer", "offer", "members")


async def test_a_name_that_somebody_corrects_is_that_of_all_who_share_the_network(hub):
    await hub.publish(offer("O1"), of("slow"))
    await hub.steps("network", "offer")
    await hub.publish(offer("O2"), of("slow"))
    await hub.steps("network", "offer", "offer")
    ids = (await hub.side("O1")).ids.model_copy(update={"network": "N9", "groups": {"slow": "G9"}})
    async with hub.store.transaction() as tx:
        await hub.telling.set_hub_ids(tx, "O1", ids, WHO)
    shared = (await hub.side("O2")).ids
    assert (shared.network, shared.groups) == ("N9", {"slow": "G9"})
    assert shared.offer != ids.offer
