"""The feed: one order, nothing overlooked, whatever is committed when and by whom."""

import asyncio
import json
from datetime import timedelta

import pytest

from gateway.events.feed import LATEST, Feed
from gateway.events.writing import Event, EventType, append
from gateway.services.ports import BadCursor, Conflict
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId
from tests.harness import PATIENCE

ABC, XYZ = PartyId("FR*ABC"), PartyId("FR*XYZ")
KEEP = timedelta(days=30)


def event(subject="sessions/FR*ABC/1", party=ABC, type_=EventType.SESSION_CHANGED, **data):
    return Event(type_, party, subject, data)


async def write(store, *events):
    async with store.transaction() as tx:
        await append(tx, *events)


@pytest.fixture
def told():
    return []


@pytest.fixture
def feed(store, told):
    return Feed(store, lambda: told.append(1), KEEP)


async def subjects(feed, after=None, parties=None, type_=None, limit=100):
    page = await feed.read(parties, after, type_, limit)
    return [json.loads(each.json)["subject"] for each in page.events], page.next


async def test_an_event_is_a_cloud_event(feed, store):
    await write(store, event(energy=1.5))
    await feed.place()
    page = await feed.read(None, None, None, 10)
    told = json.loads(page.events[0].json)
    assert told.pop("id")
    assert told.pop("time").endswith("Z")
    assert told == {
        "specversion": "1.0",
        "source": "/v1/parties/FR*ABC",
        "type": "roamgate.session.changed",
        "subject": "sessions/FR*ABC/1",
        "datacontenttype": "application/json",
        "party": "FR*ABC",
        "data": {"energy": 1.5},
    }


async def test_events_are_not_read_before_they_have_their_place(feed, store):
    await write(store, event())
    assert (await subjects(feed))[0] == []
    assert await feed.place() == 1
    assert (await subjects(feed))[0] == ["sessions/FR*ABC/1"]


async def test_an_event_that_is_committed_late_is_read_by_whoever_read_on_meanwhile(feed, store):
    async with store.transaction() as late:
        await append(late, event("late"))
        await write(store, event("early"))
        await feed.place()
        before, cursor = await subjects(feed)
    await feed.place()
    after, _ = await subjects(feed, cursor)
    assert (before, after) == (["early"], ["late"])


async def test_a_reader_overlooks_nothing_while_many_commit_and_several_place(store):
    writers, each = 8, 25
    feeds = [Feed(store, lambda: None, KEEP) for _ in range(2)]
    done = asyncio.Event()

    async def writing(number):
        for index in range(each):
            async with store.transaction() as tx:
                await append(tx, event(f"{number}/{index}"))
                await asyncio.sleep(0)  # others commit between the writing and the commit

    async def placing(feed):
        while not done.is_set():
            await feed.place()
            await asyncio.sleep(0)

    async def reading():
        seen, cursor = [], None
        while len(seen) < writers * each:
            found, cursor = await subjects(feeds[0], cursor, limit=7)
            seen += found
        return seen

    placers = [asyncio.create_task(placing(feed)) for feed in feeds]
    async with asyncio.timeout(PATIENCE):
        seen, *_ = await asyncio.gather(reading(), *(writing(number) for number in range(writers)))
    done.set()
    await asyncio.gather(*placers)
    assert len(set(seen)) == len(seen)
    for number in range(writers):
        assert [one for one in seen if one.startswith(f"{number}/")] == [f"{number}/{index}" for index in range(each)]


async def test_only_one_process_at_a_time_places(feed, store):
    await write(store, event())
    other = Feed(store, lambda: None, KEEP)
    async with store.transaction() as tx:
        await tx.execute("SELECT pg_advisory_xact_lock($1)", 0x66656564)
        assert await other.place() is None
    assert await other.place() == 1


async def test_a_key_reads_its_own_parties_events_and_its_cursor_moves_past_the_others(feed, store):
    await write(store, event("mine"), event("theirs", party=XYZ))
    await feed.place()
    found, cursor = await subjects(feed, parties=frozenset({ABC}))
    assert found == ["mine"]
    await write(store, event("more"))
    await feed.place()
    assert (await subjects(feed, cursor, frozenset({ABC})))[0] == ["more"]


async def test_a_type_can_be_read_alone(feed, store):
    await write(store, event("a"), event("b", type_=EventType.CDR_ACCEPTED))
    await feed.place()
    assert (await subjects(feed, type_=EventType.CDR_ACCEPTED))[0] == ["b"]


async def test_pages_follow_each_other(feed, store):
    await write(store, *(event(str(index)) for index in range(5)))
    await feed.place()
    first, cursor = await subjects(feed, limit=2)
    second, cursor = await subjects(feed, cursor, limit=2)
    third, cursor = await subjects(feed, cursor, limit=2)
    assert (first, second, third) == (["0", "1"], ["2", "3"], ["4"])
    assert await subjects(feed, cursor, limit=2) == ([], cursor)


async def test_reading_from_the_latest_on_leaves_out_what_was_before(feed, store):
    await write(store, event("before"))
    await feed.place()
    found, cursor = await subjects(feed, LATEST)
    await write(store, event("after"))
    await feed.place()
    assert (found, (await subjects(feed, cursor))[0]) == ([], ["after"])


@pytest.mark.parametrize("cursor", ["x", "WyJ4Il0", "WyItMSJd", "WyIxIiwiMiJd"])
async def test_a_cursor_that_is_none_of_ours_is_refused(feed, cursor):
    with pytest.raises(BadCursor):
        await feed.read(None, cursor, None, 10)


async def test_who_reads_on_from_what_is_no_longer_kept_is_told_so(feed, store):
    await write(store, event("old"), event("older"))
    await feed.place()
    _, cursor = await subjects(feed, limit=1)
    await store.execute("UPDATE event SET at = at - interval '31 days'")
    await write(store, event("new"))
    await feed.place()
    assert await feed.forget() == 2
    with pytest.raises(Conflict, match="no longer kept"):
        await feed.read(None, cursor, None, 10)
    assert (await subjects(feed))[0] == ["new"]


async def test_every_webhook_that_wants_an_event_gets_a_delivery_in_the_order_of_the_feed(feed, store, told):
    sql = "INSERT INTO hook (name, kind, url, secret, types, parties, active) VALUES ($1, $2, 'u', '', $3, $4, $5)"
    for name, kind, types, parties, active in [
        ("all", "webhook", [], [], True),
        ("cdrs", "webhook", ["cdr.accepted"], [], True),
        ("xyz", "webhook", [], ["FR*XYZ"], True),
        ("off", "webhook", [], [], False),
        ("asked", "call_out", [], [], True),
    ]:
        await store.execute(sql, name, kind, types, parties, active)
    await write(store, event("a"), event("b", type_=EventType.CDR_ACCEPTED), event("c", party=XYZ))
    await feed.place()
    rows = await store.fetch(
        "SELECT h.name, d.lane, d.operation, d.payload FROM delivery d JOIN hook h ON h.id = d.hook_id ORDER BY d.no"
    )
    assert sorted((row["name"], row["lane"]) for row in rows) == [
        ("all", "a"),
        ("all", "b"),
        ("all", "c"),
        ("cdrs", "b"),
        ("xyz", "c"),
    ]
    assert [row["lane"] for row in rows if row["name"] == "all"] == ["a", "b", "c"]
    assert {row["operation"] for row in rows} == {"events"}
    page = await feed.read(None, None, None, 10)
    assert [row["payload"] for row in rows if row["name"] == "all"] == [each.json for each in page.events]
    assert told


@pytest.mark.parametrize("turns", range(6))
async def test_a_feed_that_is_woken_while_it_is_stopped_stops(store: Store, turns: int) -> None:
    feed = Feed(store, lambda: None, timedelta(days=1))
    await feed.start()
    while not feed._written._waiters:  # noqa: ASYNC110 - it looks first, then waits
        await asyncio.sleep(0)
    feed.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        await feed.stop()
