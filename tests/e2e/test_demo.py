"""The main job as a user runs it: processes of their own, real sockets, real TLS, a real database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.app import App, assembled
from gateway.cli.demo import network, prices, statuses
from gateway.cli.demo.stage import HUBS, Stage, stage
from gateway.cli.demo.story import bring_in, fail_for_a_while, quiet
from gateway.cli.demo.verdict import judge
from tests.e2e.killing import kill_during

_SECONDS = 8.0


@pytest.fixture
async def on_stage(database_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database_url, tmp_path) as made:
        yield made


async def test_a_gateway_killed_at_random_moments_loses_nothing(on_stage: Stage) -> None:
    async with assembled(on_stage.settings) as app:
        await on_stage.connect(prices=True)
        await bring_in(on_stage, network.network(200))
        named = await statuses.evses(app.store, 300)
        replaying = asyncio.create_task(statuses.replay(on_stage, named, rate=100, seconds=_SECONDS))
        failing = asyncio.create_task(fail_for_a_while(on_stage, _SECONDS))
        await kill_during(replaying, on_stage.gateway, within=2.0)
        await asyncio.gather(replaying, failing)
        await quiet(app, 120)
        await _assert_equal(on_stage, app)


async def test_a_gateway_killed_while_it_imports_has_what_it_acknowledged_and_takes_the_rest_again(
    on_stage: Stage,
) -> None:
    async with assembled(on_stage.settings) as app:
        await on_stage.connect(prices=True)
        importing = asyncio.create_task(bring_in(on_stage, network.network(2_000)))
        while not await app.store.fetchval("SELECT count(*) > 500 FROM location"):  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.02)
        await on_stage.gateway.kill()
        await asyncio.gather(importing, return_exceptions=True)
        await on_stage.gateway.start()
        report = await bring_in(on_stage, network.network(2_000))
        assert report["unchanged"] >= 500
        assert report["created"] + report["unchanged"] + report["updated"] == 2_000 + len(prices.OWN)
        await quiet(app, 120)
        await _assert_equal(on_stage, app)


async def _assert_equal(on_stage: Stage, app: App) -> None:
    verdicts = await judge(on_stage, app, {hub: [] for hub in HUBS})
    assert {(one.hub, one.operation): (one.equality.unsent, one.equality.strayed) for one in verdicts} == {
        (one.hub, one.operation): ([], []) for one in verdicts
    }
    # Nobody has driver tokens here.
    assert all(one.equality.remembered > 0 for one in verdicts if one.operation != "tokens")
