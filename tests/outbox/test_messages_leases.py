"""Leases of messages: one holder each in the whole cluster, and what becomes of them when it dies."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from adapters.core.connection import Mode
from gateway.app import now
from gateway.outbox.delivery_store import Claimed, DeliveryStore, End, Result
from gateway.outbox.messages import SQL
from gateway.services.ports import Letters
from tests.harness import eventually
from tests.outbox.loopback import Post, lanes, message, post, replica
from tests.outbox.test_lanes import nodes

BRIEF = timedelta(milliseconds=150)


async def claim(
    deliveries: DeliveryStore, gateway: Post, operation: str = "sessions", most: int = 100
) -> list[Claimed]:
    return await deliveries.claim(gateway.number, operation, most=most, live=True)


async def taken_over(deliveries: DeliveryStore, gateway: Post) -> Claimed:
    taken: list[Claimed] = []

    async def over() -> bool:
        taken.extend(await claim(deliveries, gateway))
        return bool(taken)

    await eventually(over, "taken over")
    [claimed] = taken
    return claimed


async def test_only_the_oldest_of_a_lane_is_leased_whatever_its_operation(database_url: str) -> None:
    async with post(database_url, start=False) as gateway:
        deliveries = gateway.deliveries
        await gateway.append(
            message("A", "A1"), message("A", "A2", "cdrs"), message("A", "A3"), message("B", "B1", "cdrs")
        )
        assert [one.key for one in await claim(deliveries, gateway, "cdrs")] == ["B1"]
        [first] = await claim(deliveries, gateway)
        assert first.key == "A1"
        assert await claim(deliveries, gateway) == []
        assert await claim(deliveries, gateway, "cdrs") == []
        written = await deliveries.settle([Result(first, End.DELIVERED)])
        assert written.nexts == {"cdrs"}
        [second] = await claim(deliveries, gateway, "cdrs")
        assert second.key == "A2"
        later = now() + timedelta(hours=1)
        await deliveries.settle([Result(second, retry_at=later, vain=True, reason="away")])
        assert await claim(deliveries, gateway, "cdrs") == []
        assert await claim(deliveries, gateway) == []
        assert (await gateway.rows())["A2"]["due_at"] == later


async def test_what_is_replayed_is_not_leased_beside_what_is_under_way_in_its_lane(database_url: str) -> None:
    async with post(database_url, start=False) as gateway:
        await gateway.append(message("A", "A1"), message("A", "A2"))
        [first] = await claim(gateway.deliveries, gateway)
        await gateway.deliveries.settle([Result(first, End.REFUSED, code="009", reason="no")])
        [second] = await claim(gateway.deliveries, gateway)
        [letter] = await gateway.letters()
        assert await gateway.service.replay(Letters((letter.id,)), "a person") == 1
        await gateway.store.execute("UPDATE delivery SET due_at = now() WHERE key = 'A1'")
        assert await claim(gateway.deliveries, gateway) == []
        await gateway.deliveries.settle([Result(second, retry_at=now())])
        assert [one.key for one in await claim(gateway.deliveries, gateway)] == ["A1"]


async def test_who_took_an_expired_lease_over_says_that_it_may_have_been_told(database_url: str) -> None:
    async with post(database_url, start=False) as gateway:
        await gateway.append(message("A", "A1"))
        old, new = (DeliveryStore(gateway.store, name, lease=BRIEF) for name in ("old", "new"))
        [first] = await claim(old, gateway)
        assert not first.doubtful
        second = await taken_over(new, gateway)
        assert second.fence > first.fence
        assert (second.doubtful, second.attempts) == (True, 1)
        assert (await old.settle([Result(first, End.DELIVERED)])).results == []
        assert await gateway.states() == {"A1": "pending"}
        assert (await new.settle([Result(second, End.DELIVERED)])).results
        assert (await new.settle([Result(second, End.REFUSED, reason="again")])).results == []
        assert await gateway.states() == {"A1": "delivered"}


async def test_what_is_given_back_untried_is_not_in_doubt(database_url: str) -> None:
    async with post(database_url, start=False) as gateway:
        await gateway.append(message("A", "A1"))
        [claimed] = await claim(gateway.deliveries, gateway)
        await gateway.deliveries.settle([Result(claimed)])
        [again] = await claim(gateway.deliveries, gateway)
        assert (again.doubtful, again.attempts) == (False, 0)


async def test_leases_are_extended_for_what_is_at_work_and_for_nothing_else(database_url: str) -> None:
    async with post(database_url, start=False) as gateway:
        await gateway.append(message("A", "A1"), message("B", "B1"))
        deliveries = gateway.deliveries
        by_key = {one.key: one for one in await claim(deliveries, gateway)}
        before = {key: row["leased_until"] for key, row in (await gateway.rows()).items()}
        deliveries.abandon(by_key["B1"])
        await deliveries.extend()
        after = {key: row["leased_until"] for key, row in (await gateway.rows()).items()}
        assert after["A1"] > before["A1"]
        assert after["B1"] == before["B1"]


async def test_many_claimers_never_hold_one_lane_at_once(database_url: str) -> None:
    async with post(database_url, start=False) as gateway:
        await gateway.append(*lanes(20, 4), *lanes(20, 2, "cdrs"))
        held: set[str] = set()
        order: list[str] = []

        async def work(name: str, operation: str) -> None:
            deliveries = DeliveryStore(gateway.store, name)
            while not await gateway.outbox.quiet():
                for one in await claim(deliveries, gateway, operation, 3):
                    assert one.lane not in held
                    held.add(one.lane)
                    order.append(one.key)
                    await asyncio.sleep(0)
                    held.discard(one.lane)  # before it is given up: another may have it at once
                    assert (await deliveries.settle([Result(one, End.DELIVERED)])).results

        await asyncio.gather(*(work(f"W{number}", ("sessions", "cdrs")[number % 2]) for number in range(6)))
        assert len(order) == 120


async def test_two_replicas_tell_each_lane_in_order_and_never_at_once(database_url: str) -> None:
    async with post(database_url) as one, replica(database_url, one.hub, one.server) as other:
        for kind in ("close", "drop", "truncate", "error"):
            one.fail(kind, probability=0.1, count=5)
        one.fail("delay", probability=0.5, seconds=0.01, count=100)
        for step in range(10):
            sender = (one, other)[step % 2]
            await sender.append(*(message(f"L{lane}", f"L{lane}-{step}") for lane in range(15)))
        await one.quiet(60)
        assert one.hub.parallel == 0
        for lane in range(15):
            assert one.hub.keys(f"L{lane}") == [f"L{lane}-{step}" for step in range(10)]
        assert len(one.ended.results) + len(other.ended.results) == 150
        assert one.ended.results
        assert other.ended.results


async def test_a_replica_that_is_killed_is_followed_within_seconds(database_url: str) -> None:
    second = timedelta(seconds=1)
    async with post(database_url, lease=second) as killed:
        killed.fail("delay", seconds=200)
        await killed.append(*lanes(4, 2))
        await eventually(lambda: len(killed.adapter.doubts) >= 4, "calls are under way")
        tasks = [task for task in asyncio.all_tasks() if "MessageWorker" in repr(task) or "Dispatcher" in repr(task)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        killed.hub.faults.clear()
        # Nobody extends them any more.
        ends = await killed.store.fetchval("SELECT max(leased_until) - clock_timestamp() FROM delivery")
        assert ends <= second
        async with replica(database_url, killed.hub, killed.server) as heir:
            await heir.quiet(60)
            assert {key: row["doubtful"] for key, row in (await heir.rows()).items()} == {
                f"L{lane}-{step:03}": step == 0 for lane in range(4) for step in range(2)
            }
            assert heir.hub.parallel == 0


async def test_a_gateway_that_stops_ends_what_is_in_flight_and_leaves_the_rest_untried(database_url: str) -> None:
    async with post(database_url) as gateway:
        gateway.fail("delay", seconds=0.2)
        await gateway.append(*lanes(20, 2))
        await eventually(lambda: bool(gateway.adapter.doubts), "a call is under way")
        await gateway.dispatcher.stop()
        rows = (await gateway.rows()).values()
        assert {row["state"] for row in rows} == {"pending", "delivered"}
        assert {row["holder"] for row in rows} == {None}
        await gateway.dispatcher.start()
        gateway.hub.faults.clear()
        await gateway.quiet()
        assert len(gateway.hub.told) == 40
        assert not any(row["doubtful"] for row in (await gateway.rows()).values())


async def test_what_was_settled_long_ago_is_deleted_but_for_cdrs_and_dead_letters(database_url: str) -> None:
    async with post(database_url, start=False) as gateway:
        deliveries = gateway.deliveries
        await gateway.store.execute(
            "INSERT INTO cdr (party, cdr_id, body, digest, energy, last_updated)"
            " VALUES ('NL*ABC', 'c', '{}', '', 1, now())"
        )
        await gateway.append(*(message(key, key) for key in ("old-1", "old-2", "refused", "young", "pending")))
        await gateway.append(message("cdr", "cdr"), cdr_no=1)
        by_key = {one.key: one for one in await claim(deliveries, gateway)}
        ends = {"old-1": End.DELIVERED, "old-2": End.EXPIRED, "refused": End.REFUSED, "young": End.SHOWN}
        ends["cdr"] = End.DELIVERED
        await deliveries.settle([Result(by_key[key], end, reason="x") for key, end in ends.items()])
        await gateway.store.execute(
            "UPDATE delivery SET settled_at = settled_at - interval '31 days'"
            " WHERE settled_at IS NOT NULL AND key <> 'young'"
        )
        assert await deliveries.clean(timedelta(days=30), 1) == 1
        async with gateway.store.transaction() as tx:
            await tx.execute("SELECT pg_advisory_xact_lock($1)", 0x636C656E)
            assert await deliveries.clean(timedelta(days=30), 10) == 0  # another replica is at it
        assert await deliveries.clean(timedelta(days=30), 10) == 1
        assert set(await gateway.states()) == {"refused", "young", "pending", "cdr"}


async def test_a_connection_takes_its_messages_and_dead_letters_with_it(database_url: str) -> None:
    async with post(database_url, start=False) as gateway:
        await gateway.append(message("A", "A1"), message("A", "A2"))
        [claimed] = await claim(gateway.deliveries, gateway)
        await gateway.deliveries.settle([Result(claimed, End.REFUSED, reason="no")])
        await gateway.store.execute("DELETE FROM connection")
        assert await gateway.rows() == {}
        assert await gateway.letters() == []


async def test_no_hot_statement_of_messages_reads_a_whole_table(database_url: str) -> None:
    async with post(database_url, mode=Mode.LIVE, start=False) as gateway:
        store = gateway.store
        # As in a gateway that runs: most of it is settled, and much waits for a hub that is away.
        await store.execute(
            "INSERT INTO delivery (connection_id, operation, kind, lane, key, party, payload, state, settled_at)"
            " SELECT 1, CASE WHEN n % 4 = 0 THEN 'cdrs' ELSE 'sessions' END, 'PUT', (n / 5)::text, n::text, 'NL*ABC',"
            " '{}', CASE WHEN n <= 60000 THEN 'delivered' ELSE 'pending' END, CASE WHEN n <= 60000 THEN now() END"
            " FROM generate_series(1, 100000) n"
        )
        await store.execute("ANALYZE")
        numbers = list(range(70000, 70100))
        nothing: list[str | None] = [None] * 100
        statements: list[tuple[Any, ...]] = [
            (SQL["claim"], 1, "cdrs", 64, "W", timedelta(seconds=10), True),
            (SQL["extend"], "W", timedelta(seconds=10), numbers, numbers),
            (
                SQL["settle"],
                numbers,
                numbers,
                ["delivered"] * 100,
                [False] * 100,
                [False] * 100,
                [None] * 100,
                *[nothing] * 4,
            ),
            (SQL["refuse"], numbers, [""] * 100),
            (SQL["clean"], timedelta(days=1), 1000),
        ]
        for sql, *args in statements:
            for mode in ("force_generic_plan", "force_custom_plan"):
                async with store.transaction() as tx:
                    await tx.execute(f"SET LOCAL plan_cache_mode = {mode}")
                    found = json.loads(await tx.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *args))
                scans = [
                    node
                    for node in nodes(found[0]["Plan"])
                    if node["Node Type"] == "Seq Scan" and "delivery" in str(node)
                ]
                assert scans == [], (mode, sql)
