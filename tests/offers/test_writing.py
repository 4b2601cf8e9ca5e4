"""What was agreed elsewhere is taken over: from a hub that is read back, from a file, also of the past."""

import pytest

from gateway.services.offers.writing import (
    Source,
    write_offer,
    write_offer_end,
    write_subscription,
    write_version,
)
from gateway.services.ports.common import Conflict, NotFound
from mappings.canonical.agreements import (
    Joining,
    OfferState,
    OfferTerms,
    Service,
    Subscription,
    SubscriptionState,
)
from tests.harness import PARTY, WHO
from tests.offers.desk import DAY, EMSP, SECOND, START, TERMS, Desk, offer

S = SubscriptionState
REMOTE = OfferTerms(services=frozenset({Service.REMOTE}))


def told(state: SubscriptionState, id_: str = "S1", **changes: object) -> Subscription:
    fields: dict[str, object] = {"id": id_, "offer": "O1", "emsp": EMSP, "state": state, "requested_at": START}
    return Subscription.model_validate(fields | changes)


async def take(made: Desk, subscription: Subscription, **more: str):
    async with made.links.changing() as tx:
        return await write_subscription(tx, subscription, source=Source.HUB, who="hub", now=made.now, **more)


async def take_offer(made: Desk, one=None, terms: OfferTerms = TERMS):
    one = one or offer(connection="portal", starts=START - 400 * DAY)
    link = made.links.by_name("portal")
    async with made.links.changing() as tx:
        return await write_offer(tx, one, terms, link.connection.id, who="file", now=made.now, external="X-1")


async def test_an_offer_of_the_past_is_taken_over_once(made):
    written = await take_offer(made)
    assert (written.id, written.new, len(written.turned)) == ("O1", True, 1)
    assert (await take_offer(made)).turned == ()
    with pytest.raises(Conflict, match="says something else"):
        await take_offer(made, offer(connection="portal", title="Another", starts=START - 400 * DAY))
    await made.turning.look()
    assert await made.events(PARTY) == ["offer.published", "offer.version_in_force"]
    assert (await made.offers.get("O1")).state is OfferState.PUBLISHED


async def test_a_version_is_taken_over_where_it_says_something_new(made):
    await take_offer(made)

    async def write(starts, terms):
        async with made.links.changing() as tx:
            return await write_version(tx, "O1", starts, terms, who="file", now=made.now)

    assert not (await write(START, TERMS)).new
    assert (await write(START - DAY, REMOTE)).new
    assert not (await write(START - DAY, REMOTE)).new
    with pytest.raises(Conflict):
        await write(START - 2 * DAY, TERMS)
    await made.turning.look()
    assert (await made.events(PARTY)).count("offer.version_in_force") == 2


async def test_an_end_is_taken_over(made):
    await take_offer(made)

    async def end(at):
        async with made.links.changing() as tx:
            return await write_offer_end(tx, "O1", at, who="file", now=made.now)

    assert len((await end(START + DAY)).turned) == 1
    assert (await end(START + DAY)).turned == ()
    with pytest.raises(Conflict):
        await end(START)
    await made.after(DAY)
    assert await made.state("offer", "O1") == OfferState.ENDED
    assert (await end(START)).turned == ()


async def test_a_subscription_goes_the_way_that_the_hub_says(made):
    await take_offer(made, offer(connection="portal", joining=Joining.APPROVE, starts=START - DAY))
    assert (await take(made, told(S.REQUESTED), external="77")).new
    for state in (S.UNDER_REVIEW, S.ACTIVE, S.ACTIVE):
        await take(made, told(state))
    held = (await made.subscriptions.get("S1")).subscription
    assert (held.state, held.starts) == (S.ACTIVE, START)
    with pytest.raises(Conflict, match="is ACTIVE here, and is not REQUESTED again"):
        await take(made, told(S.REQUESTED))
    await take(made, told(S.CANCELLED, ends=START + DAY, cancelled_at=START))
    await made.after(DAY)
    assert await made.state("subscription", "S1") == S.ENDED
    expected = ["requested", "approved", "active", "cancelled", "ended"]
    assert [one for one in await made.events(EMSP) if "subscription" in one] == [f"subscription.{e}" for e in expected]
    assert await made.store.fetchval("SELECT external FROM subscription") == "77"
    with pytest.raises(Conflict):
        await take(made, told(S.ACTIVE))


async def test_what_the_emsp_has_under_another_id_is_brought_on(made):
    await made.publish()
    await made.subscribe(id="S1")
    written = await take(made, told(S.ENDED, "H-9", ends=START))
    assert (written.id, written.new) == ("S1", False)
    assert (await take(made, told(S.ACTIVE, "H-10"))).new
    assert (await made.offers.get("O1")).subscriptions == {S.ENDED: 1, S.ACTIVE: 1}


async def test_what_ends_before_it_starts_never_begins(made):
    await take_offer(made, offer(connection="portal", starts=START - DAY))
    await take(made, told(S.CANCELLED, starts=START + 9 * DAY, ends=START + 3 * DAY))
    await made.after(10 * DAY)
    held = (await made.subscriptions.get("S1")).subscription
    assert (held.state, held.ends) == (S.ENDED, START + 9 * DAY)
    assert "subscription.active" not in await made.events()


async def test_what_cannot_be_so_is_refused(made):
    with pytest.raises(NotFound):
        await take(made, told(S.ACTIVE))
    await made.put()
    with pytest.raises(Conflict, match="is a draft"):
        await take(made, told(S.ACTIVE))
    await made.offers.publish("O1", WHO)
    await take(made, told(S.ACTIVE))
    with pytest.raises(Conflict, match="S1 is another subscription"):
        await take(made, told(S.ACTIVE, emsp=SECOND))
    await made.publish(offer("O2", title="2", joining=Joining.OPEN))
    with pytest.raises(Conflict, match="without subscribing"):
        await take(made, told(S.ACTIVE, "S2", offer="O2"))
    # A history that is read back has what is over by now.
    assert (await take(made, told(S.ENDED, "S3", offer="O2", starts=START, ends=START))).new
