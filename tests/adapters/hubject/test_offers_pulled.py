"""A CPO's offers read back from Hubject over real sockets: its list, and the versions before."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.core.outcomes import Misconfigured, NotSent, Outcome, OutcomeUnknown, RefusedByHub, Throttled
from adapters.core.roaming import FeedKind, PulledPage, PullFailed
from adapters.hubject.adapter import HubjectAdapter
from mappings.canonical.held_offers import HubOffer
from mappings.report import Refused
from tests.adapters.hubject.network import adapter
from tests.adapters.hubject.ngp_peer import NgpPeer, info, ngp_peer


@pytest.fixture
async def peer() -> AsyncIterator[NgpPeer]:
    async with ngp_peer() as running:
        yield running


@pytest.fixture
async def hub(peer: NgpPeer) -> AsyncIterator[HubjectAdapter]:
    made = adapter(ngp_url=peer.url, offers={"poll_minutes": 5}, timeout_seconds=5)
    yield made
    await made.close()


def held(id_: str, **changes: Any) -> dict[str, Any]:
    return info(
        {
            "id": id_,
            "partnerInternalId": f"Title of {id_}",
            "externalPartnerId": "FR*HUB",
            "serviceTypeVersion": {"serviceTypeId": 1, "serviceTypeVersionNumber": 1},
            "offerToAll": True,
            "validFrom": "2026-09-01T00:00:00Z",
            "status": "ACTIVE",
        }
        | changes
    )


async def pages(hub: HubjectAdapter) -> list[PulledPage]:
    found = [await hub.pull("offers", None, None)]
    while (cursor := found[-1].cursor) is not None:
        found.append(await hub.pull("offers", None, cursor))
    return found


async def test_offers_are_read_back_with_the_versions_before_them(hub: HubjectAdapter, peer: NgpPeer) -> None:
    peer.offers = [held("o3", previousServiceOfferId="o2"), held("b1"), held("c2", previousServiceOfferId="c1")]
    peer.past = {
        "o3": [held("o1", nextServiceOfferId="o2"), held("o2", nextServiceOfferId="o3")],
        "c2": [held("c1", nextServiceOfferId="c2")],
    }
    found = await pages(hub)
    assert [[record.key for record in page.records] for page in found] == [
        [("FR*HUB", "o3"), ("FR*HUB", "b1"), ("FR*HUB", "c2")],
        [("FR*HUB", "o1"), ("FR*HUB", "o2")],
        [("FR*HUB", "c1")],
    ]
    assert [heard for heard in peer.heard if heard[0] == "history"] == [("history", "o3"), ("history", "c2")]
    offer, issues = found[0].records[1].read()
    assert isinstance(offer, HubOffer)
    assert (offer.title, issues) == ("Title of b1", [])
    # What is told once more alike has the digest that it had.
    again = await hub.pull("offers", None, None)
    assert [record.digest for record in again.records] == [record.digest for record in found[0].records]


async def test_an_offer_that_is_over_by_then_has_no_past(hub: HubjectAdapter, peer: NgpPeer) -> None:
    peer.offers = [held("o2", previousServiceOfferId="o1")]
    assert [len(page.records) for page in await pages(hub)] == [1, 0]


async def test_one_bad_offer_spoils_no_other(hub: HubjectAdapter, peer: NgpPeer) -> None:
    peer.offers = [held("o1", validFrom="soon"), {"serviceOffer": None}, held("o2")]
    (page,) = await pages(hub)
    bad, good = page.records
    with pytest.raises(Refused) as refused:
        bad.read()
    assert refused.value.reason.field == "serviceOffer.validFrom"
    assert good.read()[0].id == "o2"
    assert [str(each) for each in page.unreadable] == [
        "serviceOffer.id: missing, and an offer is known by nothing else"
    ]


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ((500, b""), OutcomeUnknown),
        ((200, b"[]"), OutcomeUnknown),
        ((200, {"offersInfo": 7}), OutcomeUnknown),
        ((403, b""), NotSent),
        ((404, b""), RefusedByHub),
        ((429, b""), Throttled),
        ((503, b""), NotSent),
    ],
)
async def test_a_list_that_does_not_come_is_a_failure(
    hub: HubjectAdapter, peer: NgpPeer, said: Any, outcome: type[Outcome]
) -> None:
    peer.say("info", said)
    with pytest.raises(PullFailed) as failed:
        await hub.pull("offers", None, None)
    assert isinstance(failed.value.outcome, outcome)


async def test_no_offers_are_an_empty_list(hub: HubjectAdapter, peer: NgpPeer) -> None:
    peer.say("info", (200, {}), (200, {"offersInfo": None}))
    for _ in range(2):
        assert await hub.pull("offers", None, None) == PulledPage([], [])


async def test_the_feed_is_there_where_the_settings_say_so_alone(hub: HubjectAdapter, peer: NgpPeer) -> None:
    (feed,) = hub.roaming.feeds.values()
    assert (feed.name, feed.kind, feed.every.total_seconds(), feed.prunes) == ("offers", FeedKind.OFFERS, 300, True)
    plain = adapter(base_url=peer.url)
    try:
        assert plain.roaming.feeds == {}
        with pytest.raises(PullFailed) as failed:
            await plain.pull("offers", None, None)
        assert isinstance(failed.value.outcome, Misconfigured)
    finally:
        await plain.close()
