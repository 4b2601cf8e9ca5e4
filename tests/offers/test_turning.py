"""What happens by time: once, in order, at whichever replica, and never back."""

import asyncio
from datetime import timedelta

import pytest

from gateway.events.writing import EventType
from gateway.services.offers.clock import by_database
from gateway.services.offers.offers import Offers
from gateway.services.offers.turning import Turning
from gateway.services.ports.common import Conflict
from gateway.services.ports.offers import NewVersion
from mappings.canonical.agreements import Joining, Member, NetworkGroup, OfferState, SubscriptionState
from tests.harness import OTHER, PARTY, WHO, eventually
from tests.offers.desk import DAY, SECOND, START, TERMS, desk, offer

S = SubscriptionState


async def test_a_year_that_went_by_is_turned_in_its_order(made):
    await made.publish(offer(starts=START + DAY, ends=START + 100 * DAY))
    await made.offers.add_version("O1", NewVersion(starts=START + 20 * DAY, terms=TERMS), WHO)
    await made.subscribe(id="S1")
    await made.subscribe(id="S2", emsp=SECOND, starts=START + 10 * DAY)
    await made.subscriptions.cancel("S2", START + 30 * DAY, WHO, by_cpo=False)
    made.turned.clear()
    await made.after(365 * DAY)
    assert made.kinds() == [
        EventType.OFFER_VERSION_IN_FORCE,
        EventType.OFFER_VERSION_IN_FORCE,
        EventType.SUBSCRIPTION_ACTIVE,
        EventType.SUBSCRIPTION_ACTIVE,
        EventType.SUBSCRIPTION_ENDED,
        EventType.SUBSCRIPTION_ENDED,
        EventType.OFFER_ENDED,
    ]
    assert [one.subscription for one in made.turned if one.kind is EventType.SUBSCRIPTION_ENDED] == ["S2", "S1"]
    assert await made.state("offer", "O1") == OfferState.ENDED
    ended = (await made.subscriptions.get("S1")).subscription
    assert (ended.state, ended.ends, ended.why) == (S.ENDED, START + 100 * DAY, "the offer has ended")
    left = (await made.subscriptions.get("S2")).subscription
    assert (left.ends, left.why) == (START + 30 * DAY, None)
    count = len(await made.events())
    await made.after(365 * DAY)
    assert len(await made.events()) == count


async def test_two_replicas_turn_everything_once(made, store):
    await made.groups.put_network(NetworkGroup(id="N", name="n", members=(Member(party=PARTY, since=START),)), WHO)
    for number in range(104):
        fields = {"title": str(number), "starts": START + DAY, "ends": START + 50 * DAY, "network_group": "N"}
        await made.publish(offer(f"O{number}", **fields))
        await made.subscribe(f"O{number}", id=f"S{number}")
    before = len(await made.events())
    async with desk(store, made.clock) as other:
        made.clock[0] += 2 * DAY
        await asyncio.gather(made.turning.look(), other.turning.look(), made.turning.look())
        assert len([*made.turned, *other.turned]) - 2 * 104 == 2 * 104
        made.clock[0] += 50 * DAY
        await asyncio.gather(other.turning.look(), made.turning.look(), other.turning.look())
    told = (await made.events(PARTY))[-4 * 104 :]
    for kind in ("offer.version_in_force", "subscription.active", "offer.ended", "subscription.ended"):
        assert told.count(kind) == 104
    assert len(await made.events()) - before == 2 * 4 * 104
    assert await made.store.fetchval("SELECT count(*) FROM offer WHERE state = 'ENDED'") == 104


async def test_nothing_that_is_due_leaves_the_connections_as_they_are(made):
    await made.publish(offer(starts=START + DAY))
    revision = await made.store.fetchval("SELECT revision FROM registry")
    assert await made.turning.look() == 0
    assert await made.store.fetchval("SELECT revision FROM registry") == revision
    await made.after(DAY)
    assert await made.store.fetchval("SELECT revision FROM registry") == revision + 1


async def test_a_clock_that_jumps_back_unmakes_nothing(made):
    await made.publish(offer(ends=START + 10 * DAY))
    await made.subscribe(id="S1")
    await made.after(11 * DAY)
    events = await made.events()
    made.clock[0] = START + DAY
    await made.turning.look()
    assert await made.state("offer", "O1") == OfferState.ENDED
    assert await made.state("subscription", "S1") == S.ENDED
    with pytest.raises(Conflict, match="it has ended"):
        await made.subscribe()
    await made.after(20 * DAY)
    assert await made.events() == events


async def test_a_replica_whose_clock_is_wrong_turns_nothing_and_says_so(made, store):
    await made.publish(offer(starts=START + DAY))
    skews: list[float] = []
    ahead = [timedelta(days=400)]

    async def judge(_on):
        return made.now

    async def told(_):
        raise AssertionError

    wrong = Turning(store, made.links, lambda: made.now + ahead[0], told, lambda: None, skews.append, judge)
    assert await wrong.look() == 0
    assert "offer.version_in_force" not in await made.events()
    made.clock[0] += 2 * DAY
    ahead[0] = timedelta(seconds=-61)
    assert await wrong.look() == 0
    ahead[0] = timedelta(seconds=59)
    assert await wrong.look() == 1  # what comes of telling it is noted, and does not undo it
    assert skews == [400 * 86400, -61, 59]


async def test_the_databases_clock_judges_by_itself(made, store):
    at = await store.fetchval("SELECT now()")
    skews: list[float] = []

    async def told(_):
        pass

    turning = Turning(store, made.links, lambda: at, told, lambda: None, skews.append)
    await turning.look()
    assert abs(skews[0]) < 60


async def test_days_are_counted_by_the_databases_clock_and_not_by_a_replicas(made, store):
    async def told(_):
        pass

    offers = Offers(store, made.links, by_database, told, made.hubs)
    today = await store.fetchval("SELECT now()")
    await offers.put(offer(notice_days=3, starts=today), TERMS, WHO)  # some years after where the clock here stands
    await offers.publish("O1", WHO)
    view = await offers.cancel("O1", None, WHO)
    assert view.ends_at is not None
    assert view.ends_at >= today + 3 * DAY


async def test_what_is_due_is_turned_by_itself(made):
    await made.publish(offer(starts=START + DAY))
    made.clock[0] += DAY
    made.turning.start()
    try:
        await eventually(lambda: EventType.OFFER_VERSION_IN_FORCE in made.kinds(), "a version in force")
    finally:
        await made.turning.stop()


async def test_a_member_comes_and_goes_by_itself_and_has_the_groups_agreements_so_long(made):
    members = (
        Member(party=PARTY, since=START),
        Member(party=OTHER, since=START + DAY, until=START + 3 * DAY),
    )
    await made.groups.put_network(NetworkGroup(id="N", name="n", members=members), WHO)
    await made.publish(offer(network_group="N", joining=Joining.OPEN))
    made.turned.clear()
    assert await made.events(OTHER) == ["group.changed"]  # that it will be one
    await made.after(DAY)
    assert (await made.events(OTHER)).count("group.changed") == 2
    assert [(one.kind, one.network_group) for one in made.turned if one.kind is EventType.GROUP_CHANGED] == [
        (EventType.GROUP_CHANGED, "N")
    ]
    await made.after(2 * DAY)
    assert (await made.events(OTHER)).count("group.changed") == 3
    assert await made.store.fetchval("SELECT count(*) FROM network_group_member WHERE due_at IS NOT NULL") == 0


async def test_a_version_that_would_start_after_a_cancelled_offer_never_comes_into_force(made):
    await made.publish(offer(notice_days=5))
    await made.offers.add_version("O1", NewVersion(starts=START + 20 * DAY, terms=TERMS), WHO)
    await made.offers.cancel("O1", None, WHO)
    await made.after(400 * DAY)
    assert (await made.events(PARTY)).count("offer.version_in_force") == 1


async def test_a_subscription_that_would_start_after_a_cancelled_offer_never_begins(made):
    await made.publish(offer(notice_days=5))
    await made.subscribe(id="S1", starts=START + 20 * DAY)
    await made.offers.cancel("O1", None, WHO)
    await made.after(400 * DAY)
    assert await made.state("subscription", "S1") == S.ENDED
    assert "subscription.active" not in await made.events()
