"""A gateway as it runs: offers of the own network are made, had, turned by the database's clock, and told of."""

from datetime import timedelta

import pytest

from gateway.agreements.policy import Request
from gateway.agreements.repository import Agreements
from gateway.app import App, now
from gateway.services.ports.offers import NewSubscription
from gateway.services.ports.previews import PreviewWish
from mappings.canonical.agreements import Joining, Offer, OfferState, OfferTerms, Service, SubscriptionState
from mappings.canonical.ids import PartyId
from tests.harness import PARTY, WHO, eventually, location, replica, rig

EMSP = PartyId("DE*EMP")


@pytest.fixture
async def running(database_url):
    async with rig(database_url, "home", emsp=EMSP) as made:
        yield made


def offer(id_: str, **changes: object) -> Offer:
    fields = {"id": id_, "connection": "home", "cpo": PARTY, "title": id_, "starts": now()}
    return Offer.model_validate(fields | changes)


async def decided(app: App, service: Service) -> bool:
    link = app.links.by_name("home")
    assert link is not None
    request = Request(service, PARTY, EMSP)
    return (await Agreements(app.store, app.links, now).decide(link.connection.id, request)).allowed


async def test_an_offer_is_had_turned_once_and_ended_with_two_gateways_running(running):
    await running.put(location())
    services = running.app.services
    terms = OfferTerms(services=frozenset({Service.POI, Service.AUTHORISE}))
    async with replica(running) as other:
        await services.offers.put(offer("O1"), terms, WHO)
        seen = await services.previews.preview("O1", PreviewWish())
        assert [(one.emsp, one.evses, one.needs) for one in seen.emsps] == [(EMSP, 1, "subscribe")]
        await services.offers.publish("O1", WHO)
        await other.links.refresh()
        assert not await decided(other, Service.AUTHORISE)
        view = await other.services.subscriptions.request(NewSubscription(offer="O1", emsp=EMSP), WHO)
        assert view.subscription.state is SubscriptionState.ACTIVE
        assert await decided(other, Service.AUTHORISE)
        assert not await decided(other, Service.REMOTE)
        ends = now() + timedelta(seconds=1)
        await services.offers.cancel("O1", ends, WHO)

        async def ended() -> bool:
            return (await services.offers.get("O1")).state is OfferState.ENDED

        await eventually(ended, "the offer has ended")
        assert (await services.subscriptions.get(view.subscription.id)).subscription.state is SubscriptionState.ENDED
        await running.app.links.refresh()
        assert not await decided(running.app, Service.AUTHORISE)
    told = await running.app.store.fetch("SELECT type, party FROM event WHERE type LIKE 'offer.%'")
    kinds = [row["type"] for row in told if row["party"] == PARTY.normal]
    assert sorted(kinds) == ["offer.cancelled", "offer.ended", "offer.published", "offer.version_in_force"]


async def test_the_figures_tell_offers_and_subscriptions_by_state_and_the_clock(running):
    services = running.app.services
    await services.offers.put(offer("O1", joining=Joining.APPROVE), OfferTerms(services=frozenset({Service.POI})), WHO)
    await services.offers.publish("O1", WHO)
    await services.subscriptions.request(NewSubscription(offer="O1", emsp=EMSP), WHO)
    await running.app.ears.offering.turning.look()
    text = (await services.exposition.render()).decode()
    assert 'roamgate_offers{connection="home",hub="home",state="PUBLISHED"} 1.0' in text
    assert 'roamgate_offers{connection="home",hub="home",state="ENDED"} 0.0' in text
    assert 'roamgate_subscriptions{connection="home",hub="home",state="REQUESTED"} 1.0' in text
    [skew] = [line for line in text.splitlines() if line.startswith("roamgate_clock_skew_seconds ")]
    assert abs(float(skew.split()[1])) < 30
