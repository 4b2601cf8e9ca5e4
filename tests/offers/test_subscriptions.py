"""Subscriptions from either side: asked for, approved, refused, cancelled; and what hubs keep themselves."""

import asyncio

import pytest

from gateway.events.writing import EventType
from gateway.services.ports.common import Conflict, Invalid, NotFound
from gateway.services.ports.offers import NewSubscription, SubscriptionFilter
from mappings.canonical.agreements import Joining, Member, NetworkGroup, OfferTerms, Service, SubscriptionState
from tests.harness import OTHER, PARTY, WHO
from tests.offers.desk import DAY, EMSP, SECOND, START, STRANGER, desk, offer

S = SubscriptionState


async def test_whoever_need_not_be_approved_has_it_at_once(made):
    await made.publish()
    view = await made.subscribe()
    assert (view.subscription.state, view.subscription.starts, view.by_hub) == (S.ACTIVE, START, False)
    assert (view.connection, view.cpo) == ("home", PARTY)
    expected = ["subscription.requested", "subscription.active"]
    assert (await made.events(PARTY))[-2:] == (await made.events(EMSP))[-2:] == expected
    assert made.kinds()[-2:] == [EventType.SUBSCRIPTION_REQUESTED, EventType.SUBSCRIPTION_ACTIVE]
    assert (made.turned[-1].subscription, made.turned[-1].emsp) == (view.subscription.id, EMSP)
    assert (await made.offers.get("O1")).subscriptions == {S.ACTIVE: 1}


async def test_a_subscription_waits_for_the_cpo_and_then_for_its_start(made):
    await made.publish(offer(joining=Joining.APPROVE))
    view = await made.subscribe(id="S1", starts=START + 5 * DAY)
    assert (view.subscription.state, view.subscription.starts) == (S.REQUESTED, None)
    made.clock[0] += DAY
    view = await made.subscriptions.approve("S1", START + 3 * DAY, WHO)
    assert (view.subscription.state, view.subscription.starts) == (S.ACTIVE, START + 5 * DAY)
    assert (await made.events(EMSP))[1:] == ["subscription.requested", "subscription.approved"]
    with pytest.raises(Conflict, match="cannot approve subscription S1: it is active"):
        await made.subscriptions.approve("S1", None, WHO)
    await made.after(3 * DAY)
    assert "subscription.active" not in await made.events()
    await made.after(DAY)
    assert (await made.events(EMSP))[-1] == "subscription.active"


async def test_a_refusal_says_why_and_the_emsp_may_ask_again(made):
    await made.publish(offer(joining=Joining.APPROVE))
    await made.subscribe(id="S1")
    view = await made.subscriptions.refuse("S1", "no deposit", WHO)
    assert (view.subscription.state, view.subscription.why) == (S.REFUSED, "no deposit")
    for act in (made.subscriptions.approve("S1", None, WHO), made.subscriptions.refuse("S1", "again", WHO)):
        with pytest.raises(Conflict):
            await act
    assert (await made.subscribe(id="S2")).subscription.state is S.REQUESTED


async def test_the_same_request_once_more_gives_the_same_subscription(made):
    await made.publish()
    first = await made.subscribe(id="S1")
    assert await made.subscribe(id="S1") == first
    with pytest.raises(Conflict) as caught:
        await made.subscribe(id="S1", starts=START + DAY)
    assert caught.value.field == "id"


async def test_of_two_activations_at_once_one_is_refused(made, store):
    await made.publish()
    async with desk(store, made.clock) as other:
        results = await asyncio.gather(
            made.subscribe(id="S1"), other.subscribe(id="S2"), made.subscribe(id="S3"), return_exceptions=True
        )
    assert sorted(type(one).__name__ for one in results) == ["Conflict", "Conflict", "SubscriptionView"]
    assert (await made.events()).count("subscription.active") == 2  # told to both sides
    with pytest.raises(Conflict, match="has offer O1, or waits for it, already"):
        await made.subscribe()


async def test_nobody_subscribes_to_what_is_a_draft_open_cancelled_or_over(made):
    await made.put(offer("D", title="d"))
    await made.publish(offer("O", title="o", joining=Joining.OPEN))
    await made.publish(offer("C", title="c", notice_days=1))
    await made.offers.cancel("C", None, WHO)
    await made.publish(offer("E", title="e"))
    await made.offers.cancel("E", None, WHO)
    await made.after(0 * DAY)
    for id_, why in (("D", "is a draft"), ("O", "is open"), ("C", "is cancelled"), ("E", "has ended")):
        with pytest.raises(Conflict, match=why):
            await made.subscribe(id_)
    with pytest.raises(NotFound):
        await made.subscribe("X")


async def test_only_those_whom_it_is_for_subscribe(made):
    await made.publish(offer(audience=(SECOND,)))
    with pytest.raises(Invalid, match=r"emsp: offer O1 is not for DE\*EMP"):
        await made.subscribe()
    with pytest.raises(Invalid, match="is no EMSP that home knows"):
        await made.subscribe(emsp=STRANGER)
    with pytest.raises(Invalid, match="is no EMSP"):
        await made.subscribe(emsp=PARTY)


async def test_a_subscription_does_not_start_after_its_offer(made):
    await made.publish(offer(ends=START + 10 * DAY, joining=Joining.APPROVE))
    with pytest.raises(Invalid, match="starts: is not before the offer's end"):
        await made.subscribe(starts=START + 10 * DAY)
    await made.subscribe(id="S1")
    with pytest.raises(Invalid, match="starts: is not before the offer's end"):
        await made.subscriptions.approve("S1", START + 11 * DAY, WHO)


async def test_an_offer_that_was_cancelled_meanwhile_takes_nobody_on(made):
    await made.publish(offer(joining=Joining.APPROVE, notice_days=5))
    await made.subscribe(id="S1")
    await made.offers.cancel("O1", None, WHO)
    with pytest.raises(Conflict, match="it is cancelled"):
        await made.subscriptions.approve("S1", None, WHO)
    await made.after(6 * DAY)
    assert await made.state("subscription", "S1") == S.ENDED
    assert (await made.events(EMSP))[-2:] == ["subscription.ended", "offer.ended"]


async def test_an_emsp_leaves_after_its_minimum_term_and_the_cancellation_days(made):
    await made.publish(offer(minimum_term_days=90, cancellation_days=14, notice_days=30))
    await made.subscribe(id="S1")
    with pytest.raises(Invalid, match=r"at: is too soon: 2026-05-30T00:00:00\+00:00 at the earliest"):
        await made.subscriptions.cancel("S1", START + 80 * DAY, WHO, by_cpo=False)
    made.clock[0] += 80 * DAY
    view = await made.subscriptions.cancel("S1", None, WHO, by_cpo=False, why="too dear")
    held = view.subscription
    assert (held.state, held.ends, held.cancelled_at, held.why) == (
        S.CANCELLED,
        START + 94 * DAY,
        made.now,
        "too dear",
    )
    with pytest.raises(Conflict):
        await made.subscriptions.cancel("S1", None, WHO, by_cpo=True)
    await made.after(14 * DAY)
    assert await made.state("subscription", "S1") == S.ENDED
    assert [one for one in await made.events(PARTY) if "subscription" in one][-2:] == [
        "subscription.cancelled",
        "subscription.ended",
    ]
    with pytest.raises(Conflict, match="it has ended"):
        await made.subscriptions.cancel("S1", None, WHO, by_cpo=False)


async def test_a_cpo_gives_notice_and_refuses_what_waits(made):
    await made.publish(offer(minimum_term_days=90, notice_days=30, joining=Joining.APPROVE))
    await made.subscribe(id="S1")
    with pytest.raises(Conflict, match="it waits for an answer"):
        await made.subscriptions.cancel("S1", None, WHO, by_cpo=True)
    await made.subscriptions.approve("S1", None, WHO)
    view = await made.subscriptions.cancel("S1", None, WHO, by_cpo=True)
    assert view.subscription.ends == START + 30 * DAY


async def test_a_request_that_nobody_answered_is_taken_back_at_once(made):
    await made.publish(offer(minimum_term_days=90, joining=Joining.APPROVE))
    await made.subscribe(id="S1")
    view = await made.subscriptions.cancel("S1", None, WHO, by_cpo=False)
    assert view.subscription.state is S.ENDED
    assert (await made.events(PARTY))[-1] == "subscription.ended"
    assert (await made.subscribe(id="S2")).subscription.state is S.REQUESTED


async def test_what_a_hub_keeps_is_done_in_its_portal(made):
    terms = OfferTerms(services=frozenset({Service.REMOTE}))
    await made.publish(offer(connection="hub", starts=START + 50 * DAY, lead_time_days=42), terms)
    with pytest.raises(Conflict, match="it happens in the hub's portal"):
        await made.subscribe()
    await made.store.execute(
        "INSERT INTO subscription (id, offer_id, emsp, state, source, requested_at)"
        " VALUES ('S1', 'O1', $1, 'REQUESTED', 'hub', $2)",
        EMSP.normal,
        START,
    )
    assert (await made.subscriptions.get("S1")).by_hub
    for act in (
        made.subscriptions.approve("S1", None, WHO),
        made.subscriptions.refuse("S1", "no", WHO),
        made.subscriptions.cancel("S1", None, WHO, by_cpo=False),
    ):
        with pytest.raises(Conflict, match="it happens in the hub's portal"):
            await act


async def test_subscriptions_are_listed_by_either_side_in_the_order_in_which_they_came(made):
    await made.groups.put_network(NetworkGroup(id="N1", name="n", members=(Member(party=OTHER, since=START),)), WHO)
    await made.publish(offer("O1", title="1"))
    await made.publish(offer("O2", title="2", network_group="N1"))
    for id_, offer_id, emsp in (("S3", "O1", EMSP), ("S1", "O2", EMSP), ("S2", "O1", SECOND)):
        await made.subscribe(offer_id, emsp, id=id_)
    page = await made.subscriptions.list(SubscriptionFilter(), None, 2)
    rest = await made.subscriptions.list(SubscriptionFilter(), page.next, 2)
    assert [one.subscription.id for one in (*page.items, *rest.items)] == ["S3", "S1", "S2"]
    for wanted, expected in (
        (SubscriptionFilter(frozenset({OTHER})), ["S1"]),
        (SubscriptionFilter(frozenset({SECOND})), ["S2"]),
        (SubscriptionFilter(cpo=OTHER), ["S1"]),
        (SubscriptionFilter(offer="O1", emsp=EMSP), ["S3"]),
        (SubscriptionFilter(connection="home", state=S.ACTIVE), ["S3", "S1", "S2"]),
        (SubscriptionFilter(state=S.ENDED), []),
    ):
        page = await made.subscriptions.list(wanted, None, 10)
        assert [one.subscription.id for one in page.items] == expected
    with pytest.raises(NotFound):
        await made.subscriptions.list(SubscriptionFilter(offer="O9"), None, 10)
    with pytest.raises(NotFound):
        await made.subscriptions.list(SubscriptionFilter(connection="nowhere"), None, 10)


async def test_a_made_up_id_is_given_back(made):
    await made.publish()
    view = await made.subscriptions.request(NewSubscription(offer="O1", emsp=EMSP), WHO)
    assert await made.subscriptions.get(view.subscription.id) == view
    with pytest.raises(NotFound):
        await made.subscriptions.get("S9")
