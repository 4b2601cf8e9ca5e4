"""Lanes: one worker each in the whole cluster, by leases with a fencing number."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from adapters.core.adapter import Rendered
from adapters.core.connection import Scope
from gateway.app import now
from gateway.outbox.projecting import SQL as PROJECTING
from gateway.outbox.repository import SQL as LANES
from gateway.outbox.repository import Lane, LaneResult, Outbox
from gateway.services.statuses import SQL as STATUSES
from tests.harness import Services, eventually, idle, later, location, report

BRIEF, LONG = timedelta(milliseconds=150), timedelta(hours=1)
"""Leases that run out while a test waits, and that do not, however long a step takes."""


async def claim(outbox: Outbox, gateway: Services, *, lanes: int = 64, items: int = 1000) -> list[Lane]:
    number = gateway.app.links.by_name("gireve").connection.id  # type: ignore[union-attr]
    return await outbox.claim(number, "locations", Scope(), max_items=items, max_lanes=lanes)


async def settle(outbox: Outbox, gateway: Services, result: LaneResult) -> list[LaneResult]:
    number = gateway.app.links.by_name("gireve").connection.id  # type: ignore[union-attr]
    return await outbox.settle(number, "locations", [result], [])


def accepted(lane: Lane, mark: bytes = b"x") -> LaneResult:
    result = LaneResult(lane)
    result.accepted = [(claimed, Rendered(claimed.item, mark, claimed.item.key)) for claimed in lane.claimed]
    return result


def deleted(lane: Lane) -> LaneResult:
    return LaneResult(lane, accepted=[(claimed, Rendered(claimed.item, b"", None)) for claimed in lane.claimed])


async def test_two_workers_never_hold_one_lane(database_url: str) -> None:
    async with idle(database_url, "gireve") as gateway:
        store = gateway.app.store
        await gateway.put(*(location(f"L{number}") for number in range(60)))
        held: set[str] = set()
        fences: list[int] = []

        async def work(name: str) -> None:
            outbox = Outbox(store, name, LONG)
            while lanes := await claim(outbox, gateway, lanes=3, items=9):
                for lane in lanes:
                    assert lane.name not in held
                    # Nothing where another told it between the look for what is due and the lease.
                    assert len(lane.claimed) in {0, 1, 2}
                    held.add(lane.name)
                    fences.append(lane.fence)
                await asyncio.sleep(0)
                for lane in lanes:
                    held.discard(lane.name)  # before it is given up: another may have it at once
                    assert await settle(outbox, gateway, accepted(lane))

        await asyncio.gather(*(work(f"W{number}") for number in range(6)))
        assert len(set(fences)) == len(fences)
        rows = await gateway.rows("locations")
        assert all(row["acked"] == row["wanted"] and not row["pending"] for row in rows.values())


async def test_an_expired_lease_is_taken_over_and_the_old_holder_writes_nothing(database_url: str) -> None:
    async with idle(database_url, "gireve") as gateway:
        await gateway.put(location())
        old, new = Outbox(gateway.app.store, "old", LONG), Outbox(gateway.app.store, "new", LONG)
        [first] = await claim(old, gateway)
        assert await claim(new, gateway) == []
        await gateway.app.store.execute("UPDATE lane SET expires_at = expires_at - $1::interval", LONG)
        [second] = await claim(new, gateway)
        assert second.fence > first.fence
        assert await settle(old, gateway, accepted(first, b"old")) == []
        rows = await gateway.rows("locations")
        assert {row["fingerprint"] for row in rows.values()} == {None}
        assert await settle(new, gateway, accepted(second, b"new"))
        rows = await gateway.rows("locations")
        assert {row["fingerprint"] for row in rows.values()} == {b"new"}
        # A settlement that comes twice is written once.
        assert await settle(new, gateway, accepted(second, b"again")) == []


async def test_what_a_lost_holder_may_have_told_is_in_doubt(database_url: str) -> None:
    async with idle(database_url, "gireve") as gateway:
        await gateway.put(location())
        old, new = Outbox(gateway.app.store, "old", BRIEF), Outbox(gateway.app.store, "new", LONG)
        [lane] = await claim(old, gateway)
        await settle(old, gateway, accepted(lane))
        await gateway.report(report("CHARGING", later(1)))
        [_] = await claim(old, gateway)  # and dies
        taken: list[Lane] = []

        async def over() -> bool:
            taken.extend(await claim(new, gateway))
            return bool(taken)

        await eventually(over)
        [claimed] = taken[0].claimed
        assert claimed.item.accepted is None
        assert claimed.item.sent_as is not None
        assert claimed.item.attempts == 1


async def test_leases_are_extended_for_lanes_at_work_and_for_no_others(database_url: str) -> None:
    async with idle(database_url, "gireve") as gateway:
        await gateway.put(location("L1"), location("L2"))
        mine, other = Outbox(gateway.app.store, "same", LONG), Outbox(gateway.app.store, "same", LONG)
        lanes = {lane.name: lane for lane in await claim(mine, gateway)}

        async def expiries() -> dict[str, Any]:
            return {row["lane"]: row["expires_at"] for row in await gateway.app.store.fetch("SELECT * FROM lane")}

        before = await expiries()
        await other.extend()  # a process of the same name, as after a restart in the same container
        assert await expiries() == before
        mine.abandon(lanes["NL*ABC/L2"])
        await mine.extend()
        after = await expiries()
        assert after["NL*ABC/L1"] > before["NL*ABC/L1"]
        assert after["NL*ABC/L2"] == before["NL*ABC/L2"]


async def test_a_lane_that_failed_rests_until_its_time(database_url: str) -> None:
    async with idle(database_url, "gireve") as gateway:
        await gateway.put(location())
        outbox = Outbox(gateway.app.store, "W", LONG)
        [lane] = await claim(outbox, gateway)
        result = LaneResult(lane, failed=list(lane.claimed), retry_at=now() + LONG, error="no answer")
        assert await settle(outbox, gateway, result)
        assert await claim(outbox, gateway) == []
        await gateway.report(report("CHARGING", later(1)))  # something new does not wake it
        assert await claim(outbox, gateway) == []
        # An hour later, by the only clock that judges.
        assert await gateway.app.store.fetchval("SELECT retry_at FROM lane") == result.retry_at
        await gateway.app.store.execute("UPDATE lane SET retry_at = retry_at - $1::interval", LONG)
        await gateway.app.store.execute("UPDATE projection SET due_at = due_at - $1::interval", LONG)
        [again] = await claim(outbox, gateway)
        assert again.attempts == 1
        assert {claimed.item.attempts for claimed in again.claimed} == {1}
        assert {claimed.item.accepted for claimed in again.claimed} == {None}


async def test_a_change_during_a_call_stays_pending_and_a_removal_is_not_overlooked(database_url: str) -> None:
    async with idle(database_url, "gireve") as gateway:
        await gateway.put(location("L1"), location("L2"))
        outbox = Outbox(gateway.app.store, "W", LONG)
        lanes = await claim(outbox, gateway)
        await gateway.report(report("CHARGING", later(1), "L1"))
        for lane in lanes:
            await settle(outbox, gateway, accepted(lane))
        rows = await gateway.rows("locations")
        assert {key for (_, key), row in rows.items() if row["pending"]} == {"NL*ABC/L1/U1"}
        assert rows["locations", "NL*ABC/L1/U1"]["acked"] == rows["locations", "NL*ABC/L1/U1"]["wanted"] - 1


async def test_what_comes_back_while_its_deletion_is_settled_is_told_again(database_url: str) -> None:
    async with idle(database_url, "hubject") as gateway:
        number = gateway.app.links.by_name("hubject").connection.id  # type: ignore[union-attr]
        outbox = Outbox(gateway.app.store, "W", LONG)

        async def next_lane() -> Lane:
            [lane] = await outbox.claim(number, "evse_data", Scope(), max_items=10, max_lanes=1)
            return lane

        for _ in range(10):
            await gateway.put(location())
            await outbox.settle(number, "evse_data", [accepted(await next_lane())], ["evse_status"])
            await gateway.withdraw("L1")
            gone = deleted(await next_lane())
            await asyncio.gather(outbox.settle(number, "evse_data", [gone], ["evse_status"]), gateway.put(location()))
            row = (await gateway.rows("evse_data"))["evse_data", "NLABCEL1"]
            assert row["pending"]
            assert (row["sent_as"], row["fingerprint"], row["gone"]) == (None, None, False)
            await outbox.settle(number, "evse_data", [accepted(await next_lane())], ["evse_status"])
            await gateway.withdraw("L1")
            await outbox.settle(number, "evse_data", [deleted(await next_lane())], [])
            assert await gateway.rows("evse_data") == {}


async def test_lanes_are_claimed_in_the_order_of_their_oldest_change(database_url: str) -> None:
    async with idle(database_url, "gireve") as gateway:
        for name in ("L3", "L1", "L2"):
            await gateway.put(location(name))
        outbox = Outbox(gateway.app.store, "W", LONG)
        assert [lane.name for lane in await claim(outbox, gateway, lanes=2)] == ["NL*ABC/L3", "NL*ABC/L1"]
        assert [lane.name for lane in await claim(outbox, gateway, lanes=2)] == ["NL*ABC/L2"]


async def test_no_hot_statement_reads_a_whole_table(database_url: str) -> None:
    async with idle(database_url, "gireve", "hubject") as gateway:
        store = gateway.app.store
        # A hundred thousand projections, most of them acknowledged, as in a running gateway.
        await store.execute(
            "INSERT INTO location (party, location_id, body, digest, place, last_updated)"
            " SELECT 'NL*ABC', 'L' || n, '{}', '', point(0, 0), now() FROM generate_series(1, 35000) n"
        )
        await store.execute(
            "INSERT INTO evse (location_no, party, location_id, uid, evse_key, claims, status, status_at, changed_on)"
            " SELECT no, party, location_id, 'U1', 'NLABCE' || no, '{2}', 'AVAILABLE', now(), now()::date FROM location"
        )
        for number, operation in ((1, "locations"), (2, "evse_data"), (2, "evse_status")):
            await store.execute(
                "INSERT INTO projection (connection_id, key, operation, lane, location_no, evse_no, evse_uid,"
                " follows_status, shared, pending, acked)"
                " SELECT $1, evse_key, $2, CASE WHEN $1 = 1 THEN location_id ELSE '' END, location_no, no, uid, true,"
                " $1 = 2, no % 50 = 0, 1 FROM evse",
                number,
                operation,
            )
        await store.execute("ANALYZE")
        keys = [f"NLABCE{number}" for number in range(1, 101)]
        times = [now()] * 100
        texts: list[str | None] = [f"L{number}" for number in range(1, 101)]
        nothing: list[str | None] = [None] * 100
        statements = [
            (STATUSES["report"], ["NL*ABC"] * 100, texts, ["U1"] * 100, nothing, ["CHARGING"] * 100, times, None),
            (STATUSES["report"], nothing, nothing, nothing, keys, ["CHARGING"] * 100, times, ["NL*ABC"]),
            (LANES["claim"], 1, "locations", 1000, 64, "W", timedelta(seconds=10)),
            (LANES["claim"], 2, "evse_status", 2000, 1, "W", timedelta(seconds=10)),
            (LANES["claimed"], 2, "evse_status", keys),
            (LANES["lock"], 2, "evse_data", keys, ["evse_status"]),
            (LANES["accept"], 2, "evse_data", keys, [1] * 100, [b"x"] * 100, ["x"] * 100, ["evse_status"]),
            (LANES["postpone"], 2, "evse_data", keys, times, [1] * 100, nothing, nothing, [False] * 100),
            (PROJECTING["lock_places"], [1, 2], list(range(1, 101)), [], [], [2] * 100, keys, ["evse_data"] * 100),
            (PROJECTING["lock_shared"], keys),
            (PROJECTING["contest"], keys),
            (PROJECTING["winners"], keys),
        ]
        for sql, *args in statements:
            for mode in ("force_generic_plan", "force_custom_plan"):
                async with store.transaction() as tx:
                    await tx.execute(f"SET LOCAL plan_cache_mode = {mode}")
                    found = json.loads(await tx.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *args))
                scans = [
                    node["Relation Name"]
                    for node in nodes(found[0]["Plan"])
                    if node["Node Type"] == "Seq Scan" and node["Relation Name"] in {"projection", "evse", "location"}
                ]
                assert scans == [], (mode, sql)


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """All nodes of a plan."""
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


async def test_what_was_only_shown_stays_pending_when_the_connection_went_live_meanwhile(database_url: str) -> None:
    async with idle(database_url, "gireve") as gateway:
        await gateway.put(location())
        number = gateway.app.links.by_name("gireve").connection.id  # type: ignore[union-attr]
        outbox, store = Outbox(gateway.app.store, "shows", LONG), gateway.app.store
        for mode, shown in (("live", False), ("shadow", True)):
            await store.execute("UPDATE connection SET mode = 'shadow' WHERE id = $1", number)
            [lane] = await claim(outbox, gateway)
            await store.execute("UPDATE connection SET mode = $2 WHERE id = $1", number, mode)
            pairs = accepted(lane).accepted
            assert await settle(outbox, gateway, LaneResult(lane, shadowed=pairs))
            rows = (await gateway.rows("locations")).values()
            assert {(row["shadowed"], row["pending"]) for row in rows} == {(shown, not shown)}
