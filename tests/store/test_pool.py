"""The pool of connections."""

import asyncio

import asyncpg
import pytest

from gateway.outbox.repository import Outbox
from gateway.store.pool import Store
from tests.harness import PATIENCE, Services, idle, later, location, report


async def test_without_prepared_statements_everything_works_as_behind_pgbouncer(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with idle(database_url, "hubject", "gireve") as gateway:
        bouncing = Store(database_url, size=3, pgbouncer=True)
        await bouncing.open()
        try:
            prepared: list[str] = []
            await gateway.put(location("L1"), location("L2"))
            monkeypatch.setattr(gateway.app.services.publishing, "_store", bouncing)
            monkeypatch.setattr(gateway.app.services.statuses, "_store", bouncing)
            monkeypatch.setattr(gateway.app.links, "_store", bouncing)
            await gateway.put(location("L1", city="Delft"), location("L3"))
            assert (
                await gateway.report(*(report("CHARGING", later(1), f"L{number}") for number in (1, 2, 3)))
                == ["applied"] * 3
            )
            lanes = await Outbox(bouncing, "W").claim(
                gateway.app.links.all()[0].connection.id,
                "evse_data",
                gateway.app.links.all()[0].connection.scope,
                max_items=10,
                max_lanes=1,
            )
            assert len(lanes[0].claimed) == 3
            for _ in range(8):
                prepared += [
                    row["name"]
                    for row in await bouncing.fetch("SELECT name FROM pg_prepared_statements WHERE name <> ''")
                ]
            assert prepared == []
            # A PgBouncer lets only parameters in that it tracks.
            assert await bouncing.fetchval("SHOW timezone") == "UTC"
        finally:
            await bouncing.close()


async def test_a_transaction_that_raises_leaves_nothing_and_no_connection_in_it(store: Store) -> None:
    async def fail() -> None:
        async with store.transaction() as tx:
            await tx.execute("INSERT INTO party (id, body) VALUES ('X', '{}')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await store.fetchval("SELECT count(*) FROM party") == 0
    assert await store.fetchval("SELECT pg_current_xact_id_if_assigned()") is None


async def test_a_cancelled_statement_gives_its_connection_back(store: Store) -> None:
    for _ in range(store.size + 2):
        task = asyncio.create_task(store.fetch("SELECT pg_sleep(30)"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert await asyncio.wait_for(store.fetchval("SELECT 1"), PATIENCE) == 1


async def test_a_deadlock_is_run_again(store: Store) -> None:
    await store.execute("INSERT INTO party (id, body) VALUES ('A', '{}'), ('B', '{}')")
    both = asyncio.Barrier(2)
    first = [True, True]

    async def cross(index: int, one: str, other: str) -> None:
        async for attempt in store.attempts():
            with attempt:
                async with store.transaction() as tx:
                    await tx.execute("UPDATE party SET updated_at = now() WHERE id = $1", one)
                    if first[index]:
                        first[index] = False
                        await both.wait()
                    await tx.execute("UPDATE party SET updated_at = now() WHERE id = $1", other)

    await asyncio.gather(cross(0, "A", "B"), cross(1, "B", "A"))


async def test_more_writers_than_connections_get_through_while_connections_change(database_url: str) -> None:
    """Nobody who holds a connection to the database waits for somebody who waits for one."""
    async with idle(database_url, pool_size=2) as gateway:

        async def write(number: int) -> None:
            await gateway.put(location(f"L{number}"))

        async def change(services: Services) -> None:
            for _ in range(10):
                await services.app.store.execute("UPDATE registry SET revision = revision + 1")
                await services.app.links.refresh()
                await asyncio.sleep(0)

        await asyncio.wait_for(asyncio.gather(*map(write, range(40)), *(change(gateway) for _ in range(5))), PATIENCE)


async def test_what_the_server_refuses_is_not_repeated(store: Store) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await store.fetch("SELECT * FROM nothing_of_that_name")
