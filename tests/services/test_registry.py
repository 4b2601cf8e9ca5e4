"""Tokens that hubs show us."""

from tests.harness import rig


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
