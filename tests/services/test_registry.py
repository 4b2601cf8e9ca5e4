"""Tokens that hubs show us."""

import asyncio
from typing import Any

from gateway.services.registry import Registry
from gateway.store.pool import Record, Store
from gateway.store.secrets import Cipher
from tests.harness import KEY, idle, rig


class Slow(Store):
    """The store, whose answers may take their time.

    Attributes:
        gate: None lets answers through; what was read waits for it before it is given.
        reads: How often a row was asked for.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.gate: asyncio.Event | None = None
        self.reads = 0
        self.read = asyncio.Event()

    async def fetchrow(self, sql: str, *args: Any) -> Record | None:
        row = await super().fetchrow(sql, *args)
        self.reads += 1
        gate = self.gate
        self.read.set()
        if gate is not None:
            await gate.wait()
        return row


async def test_a_token_opens_nothing_as_soon_as_it_is_replaced(database_url: str) -> None:
    async with rig(database_url, "gireve") as running:
        registry, link = running.app.gateway.registry, running.app.links.by_name("gireve")
        assert link is not None

        async def renewed(token: str) -> None:
            secrets = link.connection.secrets
            await registry.registered(
                link.connection, ours=secrets.ours or "", endpoints=secrets.endpoints, token=token, who="test"
            )

        await renewed("one")
        for _ in range(2):  # found in the store, then remembered
            found = await registry.by_token("one")
            assert found is not None
            assert found.name == "gireve"
        await renewed("two")
        assert await registry.by_token("one") is None
        assert await registry.by_token("two") is not None
        await registry.expect(link.connection, "three", "test")
        assert await registry.by_token("two") is None
        assert await registry.by_token("three") is not None
        await registry.unregistered(link.connection, why="test", who="test")
        assert await registry.by_token("three") is None


async def test_a_token_that_was_read_before_it_was_replaced_is_not_remembered_after(database_url: str) -> None:
    async with idle(database_url, "gireve") as running:
        store = Slow(database_url)
        await store.open()
        registry, link = Registry(store, running.app.links, Cipher(KEY)), running.app.links.by_name("gireve")
        assert link is not None
        await registry.expect(link.connection, "one", "test")
        store.gate = gate = asyncio.Event()
        asking = asyncio.create_task(registry.by_token("one"))
        await store.read.wait()
        store.gate = None
        await registry.expect(link.connection, "two", "test")
        gate.set()
        await asking
        assert await registry.by_token("one") is None
        await store.close()


async def test_a_token_is_not_believed_for_as_long_as_the_store_says_nothing(database_url: str) -> None:
    async with idle(database_url, "gireve") as running:
        at = 0.0
        store = Slow(database_url)
        await store.open()
        registry = Registry(store, running.app.links, Cipher(KEY), lambda: at)
        link = running.app.links.by_name("gireve")
        assert link is not None
        await registry.expect(link.connection, "one", "test")
        assert await registry.by_token("one") is not None
        asked = store.reads
        store.gate, store.read = asyncio.Event(), asyncio.Event()
        at = 0.6
        first = asyncio.create_task(registry.by_token("one"))
        await store.read.wait()
        assert await registry.by_token("one") is not None  # without a look: one looks already
        assert store.reads == asked + 1
        at, store.read = 1.1, asyncio.Event()
        late = asyncio.create_task(registry.by_token("one"))
        await store.read.wait()
        assert store.reads == asked + 2
        store.gate.set()
        assert tuple(await asyncio.gather(first, late)) == (link.connection, link.connection)
        await store.close()
