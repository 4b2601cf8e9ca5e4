"""Drivers charge over both hubs while a gateway is killed: no CDR is lost, and each is in effect once."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.app import App, assembled
from gateway.cli.demo import drivers, network
from gateway.cli.demo.backend import Backend, backend
from gateway.cli.demo.processes import Child, answers, started
from gateway.cli.demo.stage import HUBS, Stage, stage
from gateway.cli.demo.story import bring_in, fail_for_a_while, quiet
from mappings.canonical.commands import CommandResult
from tests.e2e.killing import kill_during
from tests.harness import eventually
from tests.ports import free_port

_DRIVERS = 16
_SECONDS = 4.0


@pytest.fixture
async def on_stage(database_url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(database_url, tmp_path, limits=False, tls=False) as made:
        yield made


async def test_a_gateway_killed_while_drivers_charge_loses_no_cdr(on_stage: Stage, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(assembled(on_stage.settings))
        await on_stage.connect()
        await _hurry(on_stage)
        await bring_in(on_stage, network.network(20))
        await quiet(app, 60)
        # Whatever the one that is killed leaves half done, the other takes up.
        await stack.enter_async_context(started(_replica(on_stage, tmp_path)))
        many, cpo = await _enrolled(stack, on_stage, app)
        charging = asyncio.create_task(_charge(on_stage, cpo, many))
        failing = asyncio.create_task(fail_for_a_while(on_stage, _SECONDS))
        await kill_during(charging, on_stage.gateway, within=1.0)
        await asyncio.gather(charging, failing)
        await quiet(app, 60)
        for verdict in await drivers.judge(on_stage, cpo, many):
            assert verdict.equal, verdict
        await _assert_once(on_stage, app, cpo)


async def test_a_charge_that_began_by_a_start_without_an_answer_is_billed(on_stage: Stage, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(assembled(on_stage.settings))
        await on_stage.connect()
        await _hurry(on_stage)
        await bring_in(on_stage, network.network(20))
        await quiet(app, 60)
        many, cpo = await _enrolled(stack, on_stage, app)
        await stack.enter_async_context(started(_replica(on_stage, tmp_path)))
        killer = await stack.enter_async_context(_killer(on_stage, cpo))
        for number, hub in enumerate(HUBS, 1):
            killer.armed = True
            start = next(one for one in many if one.hub == hub and not one.taps)
            charging = asyncio.create_task(drivers.charge(on_stage, cpo, start))
            # The backend, whose gateway is away, can tell nothing of its charge before this.
            await eventually(partial(_timed_out, app, number), "a timeout", 60)
            await on_stage.gateway.start()
            assert await charging or await drivers.charge(on_stage, cpo, start)  # patient once more
            await cpo.ended()
        assert len(cpo.charges) == 2 * len(HUBS)
        await quiet(app, 60)
        for verdict in await drivers.judge(on_stage, cpo, many):
            assert verdict.equal, verdict
        await _assert_once(on_stage, app, cpo)


async def _timed_out(app: App, many: int) -> bool:
    commands = (await app.services.commands.list(None, None, False, None, 100)).items
    return [command.result for command in commands].count(CommandResult.TIMEOUT) >= many


@dataclass
class _Killer:
    """Stands before the backend, and kills the gateway once what it asked was done, before it hears so."""

    stage: Stage
    cpo: Backend
    armed: bool = False

    async def answer(self, request: web.Request) -> web.Response:
        said = await self.cpo.answer(request)
        if self.armed:
            self.armed = False
            await self.stage.gateway.kill()
        return said


@asynccontextmanager
async def _killer(on_stage: Stage, cpo: Backend) -> AsyncIterator[_Killer]:
    killer = _Killer(on_stage, cpo)
    app = web.Application()
    app.router.add_post("/call-outs", killer.answer)
    async with TestServer(app) as server:
        await on_stage.call("PATCH", "/v1/call-outs/backend", {"url": str(server.make_url("/call-outs"))})
        yield killer


async def _hurry(on_stage: Stage) -> None:
    """Lets EMSPs hear early of a start whose gateway was killed, by the other one, so that their drivers try again."""
    connection = await on_stage.call("GET", "/v1/connections/gireve")
    settings = {**connection["settings"], "command_seconds": 10.0}
    await on_stage.call("PUT", "/v1/connections/gireve/settings", settings)


async def _enrolled(stack: AsyncExitStack, on_stage: Stage, app: App) -> tuple[list[drivers.Driver], Backend]:
    at = await drivers.spots(app.store, app.services.network, _DRIVERS)
    assert len(at) == _DRIVERS
    many = drivers.drivers(at, seed=1)
    await drivers.enrol(on_stage, many)
    return many, await stack.enter_async_context(backend(on_stage, [spot.place for spot in at], {}, 1))


async def _charge(on_stage: Stage, cpo: Backend, many: Sequence[drivers.Driver]) -> None:
    async def arrive(number: int, driver: drivers.Driver) -> None:
        await asyncio.sleep(number * _SECONDS / _DRIVERS)
        await drivers.charge(on_stage, cpo, driver)

    await asyncio.gather(*(arrive(number, driver) for number, driver in enumerate(many)))
    await cpo.ended()


async def _assert_once(on_stage: Stage, app: App, cpo: Backend) -> None:
    """Makes sure that every CDR was accepted, and that the backend hears once that its hub has it."""
    assert cpo.told == {f"CDR-{session_id}" for session_id in cpo.charges}
    # Events are in the feed a moment after they are written, and when nothing is left to tell none is written any more.
    placed = partial(app.store.fetchval, "SELECT NOT EXISTS (SELECT FROM event WHERE position IS NULL)")
    await eventually(placed, "events in the feed")
    heard: list[str] = []
    after = ""
    while True:
        page = await on_stage.call(
            "GET", f"/v1/events?type=cdr.delivered&limit=1000{f'&after={after}' if after else ''}"
        )
        if not page["items"]:
            break
        heard += [event["data"]["id"] for event in page["items"]]
        after = page["next"]
    assert sorted(heard) == sorted(cpo.told)


def _replica(of: Stage, folder: Path) -> Child:
    """A second gateway on the same database."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "ROAMGATE_HOST": "127.0.0.1",
        "ROAMGATE_PORT": str(port),
        "ROAMGATE_PUBLIC_URL": of.settings.public_url,
        "DATABASE_URL": of.settings.database_url or "",
        "ROAMGATE_SECRET_KEY": of.settings.secret_key,
        "ROAMGATE_ADMIN_KEY": of.settings.admin_key or "",
    }
    return Child(["run"], environment, answers(f"{url}/readyz"), folder / "replica.log")
