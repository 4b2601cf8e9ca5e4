"""What an EMP subscribed to, read from Hubject over real sockets: contracts, and the EVSEs of their groups."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.core.outcomes import Misconfigured, NotSent, Outcome, OutcomeUnknown, Throttled
from adapters.core.roaming import FeedKind, PulledPage, PullFailed
from adapters.hubject.provider.adapter import ProviderAdapter
from mappings.canonical.held_offers import HubGroupEvse, HubOffer
from mappings.canonical.ids import EvseId, PartyId
from mappings.report import Refused
from tests.adapters.hubject.ngp_peer import NgpPeer, ngp_peer
from tests.adapters.hubject.provider import keys, pages, provider, records
from tests.mappings.oicp.ngp import CPO, EMP

GOLDEN = Path(__file__).parents[2] / "mappings" / "oicp" / "golden" / "ngp.contracts.wire.json"
OTHER = PartyId("FR*OTH")
OFFER = "2c918000000000000000000000000002"


@pytest.fixture
async def peer() -> AsyncIterator[NgpPeer]:
    async with ngp_peer() as running:
        yield running


@pytest.fixture
async def emp(peer: NgpPeer) -> AsyncIterator[ProviderAdapter]:
    made = reading(peer)
    yield made
    await made.close()


def reading(peer: NgpPeer, **changes: Any) -> ProviderAdapter:
    fields = {"provider_id": EMP, "ngp_url": peer.url, "contracts_of": [CPO, OTHER], "contract_page_size": 2}
    return provider(None, None, **(fields | changes))


def contract(**details: Any) -> dict[str, Any]:
    """The golden contract, its details changed."""
    told: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    told["Offers"][0]["OfferDetails"] |= details
    return told


async def test_contracts_are_read_operator_by_operator(emp: ProviderAdapter, peer: NgpPeer) -> None:
    peer.contracts = {"FR*HUB": contract(), "FR*OTH": contract(ServiceOfferId="another")}
    found = await pages(emp, "contracts")
    assert [record.key for record in records(found)] == [("FR*HUB", OFFER), ("FR*OTH", "another")]
    assert peer.heard == [("contract", "FR*HUB"), ("contract", "FR*OTH")]
    offer, _ = records(found)[1].read()
    assert isinstance(offer, HubOffer)
    assert (offer.cpo, offer.subscriptions[0].emsp, offer.subscriptions[0].active) == (OTHER, EMP, True)
    assert offer.groups[0].tariff is not None


async def test_an_operator_that_hubject_does_not_know_is_told_and_spoils_no_other(
    emp: ProviderAdapter, peer: NgpPeer
) -> None:
    peer.contracts = {"FR*OTH": contract()}
    first, second = await pages(emp, "contracts")
    assert ([str(each) for each in first.unreadable], first.records) == (["contracts_of: Operator not found"], [])
    assert len(second.records) == 1


async def test_one_bad_contract_spoils_no_other(emp: ProviderAdapter, peer: NgpPeer) -> None:
    told = contract()
    bad = contract(ServiceOfferId="bad", ValidFrom="soon")["Offers"][0]
    peer.contracts = {
        "FR*HUB": {**told, "Offers": [bad, {"OfferDetails": {}}, *told["Offers"]]},
        "FR*OTH": {"Offers": None},
    }
    first, second = await pages(emp, "contracts")
    with pytest.raises(Refused):
        first.records[0].read()
    assert first.records[1].read()[0].id == OFFER
    assert (len(first.unreadable), second.records) == (1, [])


async def test_the_evses_of_each_group_are_read_page_by_page(emp: ProviderAdapter, peer: NgpPeer) -> None:
    told = contract()
    second_group = {**told["Offers"][0]["Pricing"][0], "GroupId": "group-0002"}
    told["Offers"][0]["Pricing"].append(second_group)
    peer.contracts = {"FR*HUB": told, "FR*OTH": {"Offers": []}}
    peer.evses = {"group-0001": ["FR*HUB*E1", "FR*HUB*E2", "FR*HUB*E3"], "group-0002": ["FR*HUB*E4"]}
    found = await pages(emp, "contract_evses")
    assert [record.key for record in records(found)] == [
        ("FR*HUB", "group-0001", "FRHUBE1"),
        ("FR*HUB", "group-0001", "FRHUBE2"),
        ("FR*HUB", "group-0001", "FRHUBE3"),
        ("FR*HUB", "group-0002", "FRHUBE4"),
    ]
    asked = [heard for operation, heard in peer.heard if operation == "evses"]
    network = "net-0001"
    assert asked == [
        (OFFER, network, "group-0001", 0),
        (OFFER, network, "group-0001", 1),
        (OFFER, network, "group-0002", 0),
    ]
    assert peer.asked().count("contract") == 2
    evse, issues = records(found)[3].read()
    assert evse == HubGroupEvse(cpo=CPO, offer=OFFER, group="group-0002", evse_key=EvseId("FR*HUB*E4").normal)
    assert issues == []
    assert {(page.part, page.total) for page in found if page.records} == {
        ("FR*HUB/group-0001", 3),
        ("FR*HUB/group-0002", 1),
    }


async def test_a_smaller_page_than_was_asked_for_is_no_end(peer: NgpPeer) -> None:
    emp = reading(peer, contract_page_size=1000, contracts_of=[CPO])
    peer.page_size = 1
    peer.contracts, peer.evses = {"FR*HUB": contract()}, {"group-0001": ["FR*HUB*E1", "FR*HUB*E2"]}
    try:
        assert len(records(await pages(emp, "contract_evses"))) == 2
    finally:
        await emp.close()


async def test_a_group_of_two_contracts_is_read_once_and_one_that_is_gone_is_empty(peer: NgpPeer) -> None:
    emp = reading(peer, contracts_of=[CPO])
    told = contract()
    told["Offers"] += contract(ServiceOfferId="another")["Offers"]
    told["Offers"].append({"OfferDetails": None})
    peer.contracts = {"FR*HUB": told}
    peer.say("evses", (404, {"message": "no such group"}))
    try:
        assert keys(await pages(emp, "contract_evses")) == []
        assert peer.asked() == ["contract", "evses"]
    finally:
        await emp.close()


async def test_an_evse_without_a_name_spoils_no_other(peer: NgpPeer) -> None:
    emp = reading(peer, contracts_of=[CPO])
    peer.contracts = {"FR*HUB": contract()}
    peer.say("evses", (200, {"content": [{"evseId": ""}, {"evseId": "FR*HUB*E2"}], "last": True}))
    try:
        found = await pages(emp, "contract_evses")
        assert (len(records(found)), sum(len(page.unreadable) for page in found)) == (1, 1)
    finally:
        await emp.close()


@pytest.mark.parametrize(
    ("feed", "operation"), [("contracts", "contract"), ("contract_evses", "contract"), ("contract_evses", "evses")]
)
@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ((500, b""), OutcomeUnknown),
        ((200, b"{"), OutcomeUnknown),
        ((200, []), OutcomeUnknown),
        ((403, b""), NotSent),
        ((429, b""), Throttled),
    ],
    ids=["500", "no JSON", "a list", "403", "429"],
)
async def test_what_does_not_come_is_a_failure(
    emp: ProviderAdapter, peer: NgpPeer, feed: str, operation: str, said: Any, outcome: type[Outcome]
) -> None:
    peer.contracts = {"FR*HUB": contract()}
    peer.say(operation, said)
    with pytest.raises(PullFailed) as failed:
        await pages(emp, feed)
    assert isinstance(failed.value.outcome, outcome)


async def test_the_feeds_are_there_where_the_settings_name_operators_alone(emp: ProviderAdapter, peer: NgpPeer) -> None:
    feeds = emp.roaming.feeds
    assert [feeds[name].kind for name in ("contracts", "contract_evses")] == [FeedKind.OFFERS, FeedKind.GROUP_EVSES]
    assert (feeds["contracts"].after, feeds["contract_evses"].after) == (None, "contracts")
    assert all(feeds[name].prunes for name in ("contracts", "contract_evses"))
    plain = reading(peer, contracts_of=[])
    try:
        assert not {"contracts", "contract_evses"} & plain.roaming.feeds.keys()
        with pytest.raises(PullFailed) as failed:
            await plain.pull("contracts", None, None)
        assert isinstance(failed.value.outcome, Misconfigured)
        assert (plain.offers.told, plain.offers.subscribed_there) == (False, True)
    finally:
        await plain.close()


async def test_no_contracts_are_an_empty_page(peer: NgpPeer) -> None:
    emp = reading(peer, contracts_of=[CPO])
    peer.contracts = {"FR*HUB": {"Offers": []}}
    try:
        for feed in ("contracts", "contract_evses"):
            assert await pages(emp, feed) == [PulledPage([], [])]
    finally:
        await emp.close()
