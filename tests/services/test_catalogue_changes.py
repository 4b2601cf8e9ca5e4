"""The feed of changes, and the upkeep of the catalogue."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import generate_latest

from gateway.services.catalogue.rows import Copy
from gateway.services.catalogue.writing import write_locations
from gateway.services.cursors import encode
from gateway.services.ports import BadCursor
from gateway.services.ports.catalogue import Forgotten
from gateway.store.pool import Store
from mappings.canonical.locations import EvseStatus
from tests.harness import PARTY, WHO, evse, later, location, report
from tests.services.partners import digest_of


async def begun(abroad):
    page = await abroad.search.changes(None, 10, 0)
    assert page.changes == []
    return page.next


async def read(abroad, after, limit=100):
    """All changes after a cursor, and the next one."""
    found = []
    while True:
        page = await abroad.search.changes(after, limit, 0)
        found += page.changes
        after = page.next
        if not page.changes:
            return found, after


async def test_what_changed_is_told_as_it_is_now_and_once(abroad):
    cursor = await begun(abroad)
    await abroad.put(location("L1"))
    await abroad.put(location("L2"))
    await abroad.tell(report("CHARGING", later(1)))
    await abroad.tell(report("OUTOFORDER", later(2)))
    found, cursor = await read(abroad, cursor)
    assert [(one.evse_key, one.gone, one.entry.status.value) for one in found] == [
        ("NLABCEL1", False, "OUTOFORDER"),
        ("NLABCEL2", False, "AVAILABLE"),
    ]
    assert (await read(abroad, cursor))[0] == []


async def test_changes_come_in_the_order_of_transactions_also_where_their_numbers_gain_a_digit(abroad):
    await abroad.store.execute(
        "INSERT INTO catalogue_change (tx, keys) VALUES ('100', '{C}'), ('99', '{B}'), ('9', '{A}')"
    )
    found, after = [], encode("1", "0", "0")
    for _ in range(5):
        page = await abroad.search.changes(after, 1, 0)
        found += [one.evse_key for one in page.changes]
        after = page.next
    assert found == ["A", "B", "C"]


async def test_what_changes_nothing_is_not_told(abroad):
    await abroad.put(location())
    cursor = await begun(abroad)
    await abroad.put(location())
    await abroad.put(location(city="Old", last_updated=later(-9)))
    await abroad.tell(report("AVAILABLE", later(1)))
    await abroad.tell(report("CHARGING", later(0)))
    assert (await read(abroad, cursor))[0] == []


async def test_what_is_gone_is_told_as_gone(abroad):
    await abroad.put(location("L1"))
    await abroad.put(location("L2", evse("U1", "NL*ABC*EA"), evse("U2", "NL*ABC*EB")))
    cursor = await begun(abroad)
    await abroad.catalogue.withdraw_location(abroad.gireve, PARTY, "L1")
    await abroad.put(location("L2", evse("U2", "NL*ABC*EB"), last_updated=later(1)))
    found, _ = await read(abroad, cursor)
    assert {one.evse_key: one.gone for one in found} == {"NLABCEL1": True, "NLABCEA": True, "NLABCEB": False}


async def test_a_way_more_or_less_and_another_speaker_are_changes(abroad):
    await abroad.put(location())
    cursor = await begun(abroad)
    await abroad.put(location("M1", evse("X1", "NL*ABC*EL1")), abroad.hubject)
    found, cursor = await read(abroad, cursor)
    assert [len(one.entry.ways) for one in found] == [2]
    await abroad.search.order(["hubject"], WHO)
    found, cursor = await read(abroad, cursor)
    assert [one.entry.location["id"] for one in found] == ["M1"]
    await abroad.catalogue.withdraw_location(abroad.hubject, PARTY, "M1")
    found, cursor = await read(abroad, cursor)
    assert [one.entry.location["id"] for one in found] == ["L1"]


async def test_pages_of_any_size_overlook_nothing(abroad):
    cursor = await begun(abroad)
    keys = set()
    for n in range(9):
        evses = [evse(f"U{k}", f"NL*ABC*E{n}{k}") for k in range(n)]
        await abroad.put(location(f"L{n}", *evses))
        keys |= {one.evse_id.normal for one in evses} or {f"NLABCEL{n}"}
    for limit in (1, 2, 3, 7, 100):
        found, _ = await read(abroad, cursor, limit)
        assert sorted(one.evse_key for one in found) == sorted(keys)


async def test_a_transaction_that_commits_late_is_not_overlooked(abroad, database_url):
    """What began before and ends after others is read when it is there, and nothing that came later before it."""
    cursor = await begun(abroad)
    other = Store(database_url, size=1)
    await other.open()
    async with other.transaction() as tx:
        await tx.execute("INSERT INTO catalogue_change (keys) VALUES ('{LATE}')")
        await abroad.put(location("L1"))
        early, cursor = await read(abroad, cursor)
    await other.close()
    found, _ = await read(abroad, cursor)
    assert early == []
    assert [one.evse_key for one in found] == ["LATE", "NLABCEL1"]


async def test_readers_overlook_nothing_while_many_write(abroad):
    """A copy of the catalogue that is kept by the feed alone ends as the catalogue does."""
    copy, done = {}, asyncio.Event()
    cursor = await begun(abroad)

    async def follow():
        nonlocal cursor
        while True:
            ended = done.is_set()
            page = await abroad.search.changes(cursor, 7, 0)
            cursor = page.next
            for change in page.changes:
                copy[change.evse_key] = None if change.gone else change.entry.status
            if ended and not page.changes:
                return
            await asyncio.sleep(0)

    async def write(over, offset):
        for n in range(25):
            made = location(f"{over.name}{n % 6}", evse("U1", f"NL*ABC*E{(n + offset) % 6}", later(n)))
            await abroad.put(made, over)
            await abroad.tell(report("CHARGING", later(n + 0.5), made.id), over)
            if n % 5 == 0:
                await abroad.catalogue.withdraw_location(over, PARTY, made.id)

    async def pull(over):
        for n in range(10):
            made = location(f"pulled{n % 3}", evse("U1", f"NL*ABC*E{n % 6}", later(n)))
            await write_locations(abroad.store, over.id, [Copy(made, (), digest_of(made), statuses=True)])

    reader = asyncio.create_task(follow())
    await asyncio.gather(write(abroad.gireve, 0), write(abroad.hubject, 3), pull(abroad.gireve), pull(abroad.hubject))
    done.set()
    await reader
    now = {entry.evse_key: entry.status for entry in await abroad.find()}
    assert {key: status for key, status in copy.items() if status is not None} == now


async def test_whoever_waits_is_woken(abroad):
    await abroad.put(location())
    cursor = await begun(abroad)
    waiting = asyncio.create_task(abroad.search.changes(cursor, 10, 240))
    await asyncio.sleep(0)
    await abroad.tell(report("CHARGING", later(1)))
    page = await asyncio.wait_for(waiting, 120)
    assert [one.entry.status for one in page.changes] == [EvseStatus.CHARGING]


async def test_whoever_waits_is_let_go_at_the_end(abroad):
    cursor = await begun(abroad)
    waiting = asyncio.create_task(abroad.search.changes(cursor, 10, 240))
    await asyncio.sleep(0)
    abroad.search.end()
    assert (await asyncio.wait_for(waiting, 120)).changes == []


async def test_a_cursor_whose_changes_are_forgotten_is_refused_and_one_that_was_read_up_is_not(abroad):
    early = await begun(abroad)
    await abroad.put(location("L1"))
    _, cursor = await read(abroad, early)
    await abroad.upkeep(timedelta(0)).look()
    with pytest.raises(Forgotten):
        await abroad.search.changes(early, 10, 0)
    assert (await read(abroad, cursor))[0] == []
    await abroad.put(location("L2"))
    assert [one.evse_key for one in (await read(abroad, cursor))[0]] == ["NLABCEL2"]


async def test_changes_are_kept_for_as_long_as_was_said(abroad):
    cursor = await begun(abroad)
    await abroad.put(location("L1"))
    await abroad.upkeep(timedelta(hours=1)).look()
    assert len((await read(abroad, cursor))[0]) == 1


async def test_a_cursor_of_another_store_is_refused(abroad):
    for cursor in ("?", "WyIxIl0", "WyJhIiwiMSIsIjEiXQ"):
        with pytest.raises(BadCursor):
            await abroad.search.changes(cursor, 10, 0)
    ahead = "WyI5MDAwMDAwMDAwIiwiMCIsIjAiXQ"  # of a transaction that is yet to come
    with pytest.raises(Forgotten):
        await abroad.search.changes(ahead, 10, 0)


async def test_what_a_removed_connection_left_is_swept_and_others_speak(abroad):
    await abroad.put(location("L1"))
    await abroad.put(location("L2"))
    await abroad.put(location("M1", evse("X1", "NL*ABC*EL1")), abroad.hubject)
    cursor = await begun(abroad)
    await abroad.store.execute("DELETE FROM connection WHERE name = 'gireve'")
    await abroad.upkeep().look()
    assert await abroad.entries() == {"NLABCEL1": ("AVAILABLE", "hubject", ["hubject"])}
    assert await abroad.store.fetchval("SELECT count(*) FROM catalogue_location") == 1
    found, _ = await read(abroad, cursor)
    assert {one.evse_key: one.gone for one in found} == {"NLABCEL1": False, "NLABCEL2": True}


async def test_an_election_that_was_broken_off_is_finished_by_the_upkeep(abroad):
    await abroad.put(location())
    await abroad.put(location("M1", evse("X1", "NL*ABC*EL1")), abroad.hubject)
    await abroad.store.execute("UPDATE connection SET rank = 1 WHERE name = 'hubject'")
    await abroad.store.execute("UPDATE catalogue_upkeep SET electing = 0")
    assert (await abroad.search.ways()).electing
    await abroad.upkeep().look()
    assert (await abroad.entries())["NLABCEL1"][1] == "hubject"
    assert not (await abroad.search.ways()).electing


async def test_upkeep_counts_what_each_connection_offers(abroad):
    await abroad.put(location())
    await abroad.put(location("M1", evse("X1", "NL*ABC*EL1"), evse("X2", "NL*ABC*E2")), abroad.hubject)
    await abroad.upkeep().look()
    text = generate_latest(abroad.metrics.registry).decode()
    for name, connection, count in (("ways", "gireve", 1), ("ways", "hubject", 2), ("entries", "hubject", 1)):
        assert f'roamgate_catalogue_{name}{{connection="{connection}",hub="{connection}"}} {count}.0' in text


async def test_upkeep_starts_and_stops(abroad):
    upkeep = abroad.upkeep()
    upkeep.start()
    await upkeep.stop()
