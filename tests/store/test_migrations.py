"""Migrations: each runs once, whoever else migrates at the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.services.state import Readiness
from gateway.store.migrate import migrate, pending
from gateway.store.pool import Store
from tests import database


@asynccontextmanager
async def empty(server_url: str) -> AsyncIterator[Store]:
    """An empty database."""
    async with database.copy(server_url, "template1") as url:
        store = Store(url, size=4)
        await store.open()
        try:
            yield store
        finally:
            await store.close()


async def test_migrating_twice_is_harmless(server_url: str) -> None:
    async with empty(server_url) as store:
        waiting = await pending(store)
        assert waiting == sorted(waiting) != []
        assert await migrate(store, "before") == waiting
        assert await pending(store) == []
        assert await migrate(store, "before") == []
        assert await migrate(store, "after") == []
        assert await pending(store, "after") == []


async def test_a_gateway_is_not_ready_before_its_migrations(server_url: str) -> None:
    async with empty(server_url) as store:
        readiness = Readiness(store, lambda: True)
        assert "not run: 0001" in str((await readiness.faults())["migrations"])
        await migrate(store, "before")
        assert set((await readiness.faults()).values()) == {None}


async def test_two_processes_that_migrate_at_once_run_each_file_once(server_url: str) -> None:
    async with empty(server_url) as store:
        other = Store(store.url, size=2)
        await other.open()
        try:
            ran = await asyncio.gather(*(migrate(each, "before") for each in (store, other, store, other)))
        finally:
            await other.close()
        assert sum(map(len, ran)) == max(map(len, ran)) > 0


async def test_a_phase_that_fails_leaves_nothing_behind(server_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with empty(server_url) as store:
        every = await pending(store)
        await store.execute("CREATE TABLE projection (in_the_way int)")
        with pytest.raises(Exception, match="projection"):
            await migrate(store, "before")
        assert await store.fetchval("SELECT to_regclass('location')") is None
        assert await pending(store) == every
