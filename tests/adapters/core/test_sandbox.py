"""Faults, memory and receipts, as every sandbox hub has them; over loopback."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import ValidationError

from adapters.core.faults import Fault, FaultKind, Faults
from adapters.core.http import Answer, HubClient
from adapters.core.outcomes import Delivered, NotSent, Outcome, OutcomeUnknown
from adapters.core.sandbox import SANDBOX, Sandbox, SandboxServer, make_application
from tests.adapters.doubles import Measured


async def _take(request: web.Request) -> web.Response:
    sandbox = request.app[SANDBOX]
    key = request.match_info["key"]
    sandbox.memory["things"][key] = await request.json()
    sandbox.received("things", key, "here", "2026-06-07T12:00:00Z")
    sandbox.counted("things", "ok")
    return web.json_response({"taken": key})


def _refuse(_request: web.Request, fault: Fault) -> web.Response:
    return web.json_response({"code": fault.code}, status=422)


class Hub:
    def __init__(self, server: SandboxServer, client: HubClient, session: aiohttp.ClientSession) -> None:
        self.server, self.client, self.session = server, client, session

    async def put(self, key: str = "a") -> tuple[Outcome, Answer | None]:
        reply = await self.client.request(
            "things", "PUT", f"{self.server.url}/things/{key}", judge=lambda _: Delivered(), body=b'{"x":1}'
        )
        return reply.outcome, reply.answer

    async def control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        url = f"{self.server.url}/_sandbox/{path}"
        async with self.session.request(method, url, json=body) as answer:
            if answer.content_type == "application/x-ndjson":
                return answer.status, [json.loads(line) for line in (await answer.read()).splitlines()]
            return answer.status, await answer.json()


@pytest.fixture
async def hub() -> AsyncIterator[Hub]:
    app = make_application(Sandbox(["things"]), [web.put("/things/{key}", _take)], refuse=_refuse)
    server = SandboxServer(app)
    await server.start()
    async with (
        HubClient("hub", "hub-test", Measured(), timeout=timedelta(seconds=5)) as client,
        aiohttp.ClientSession() as session,
    ):
        yield Hub(server, client, session)
    await server.stop()


async def test_memory_counts_and_receipts_can_be_asked_for(hub: Hub) -> None:
    await hub.put("a")
    await hub.put("b")
    assert await hub.control("GET", "memory?kind=things") == (
        200,
        [{"key": "a", "record": {"x": 1}}, {"key": "b", "record": {"x": 1}}],
    )
    _, counts = await hub.control("GET", "counts")
    assert counts == {"memory": {"things": 2}, "requests": {"things": {"ok": 2}}, "receipts": 2}
    _, receipts = await hub.control("GET", "receipts?since=1")
    (receipt,) = receipts
    assert (receipt["number"], receipt["key"], receipt["value"]) == (2, "b", "here")
    assert receipt["at"] > 1_700_000_000


async def test_a_kind_that_is_not_there_is_named(hub: Hub) -> None:
    status, problem = await hub.control("GET", "memory?kind=others")
    assert (status, problem["detail"]) == (404, "kind is one of things")


async def test_memory_can_be_forgotten(hub: Hub) -> None:
    await hub.put()
    await hub.control("DELETE", "memory")
    _, counts = await hub.control("GET", "counts")
    assert counts == {"memory": {"things": 0}, "requests": {}, "receipts": 0}


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "refuse", "code": "9"}, 422),
        ({"kind": "throttle", "seconds": 2}, 429),
        ({"kind": "error", "status": 502}, 502),
    ],
)
async def test_a_fault_answers_in_place_of_the_hub(hub: Hub, fault: dict[str, Any], status: int) -> None:
    await hub.control("POST", "faults", [fault])
    _, answer = await hub.put()
    assert answer is not None
    assert answer.status == status
    assert not (await hub.control("GET", "memory?kind=things"))[1]


@pytest.mark.parametrize(("kind", "acted"), [("drop", True), ("truncate", True), ("close", False)])
async def test_a_cut_connection_leaves_the_outcome_unknown(hub: Hub, kind: str, acted: bool) -> None:
    await hub.control("POST", "faults", [{"kind": kind}])
    outcome, _ = await hub.put()
    assert isinstance(outcome, OutcomeUnknown)
    assert bool((await hub.control("GET", "memory?kind=things"))[1]) is acted


async def test_a_fault_ends_by_its_count_and_the_next_begins(hub: Hub) -> None:
    await hub.control("POST", "faults", [{"kind": "error", "count": 2}, {"kind": "throttle", "count": 1}])
    statuses = [answer.status for _, answer in [await hub.put() for _ in range(4)] if answer is not None]
    assert statuses == [503, 503, 429, 200]
    assert await hub.control("GET", "faults") == (200, [])


async def test_faults_keep_to_their_method_and_path_and_never_hit_control_requests(hub: Hub) -> None:
    await hub.control("POST", "faults", [{"kind": "error", "path": "/things/b$"}, {"kind": "error", "method": "GET"}])
    assert [answer.status for _, answer in [await hub.put("a"), await hub.put("b")] if answer] == [200, 503]
    status, armed = await hub.control("GET", "faults")
    assert status == 200
    assert [each["hits"] for each in armed] == [1, 0]


async def test_faults_can_be_disarmed(hub: Hub) -> None:
    await hub.control("POST", "faults", [{"kind": "error"}])
    await hub.control("DELETE", "faults")
    assert (await hub.put())[0] == Delivered()


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "error"},
        [{"kind": "nothing"}],
        [{"kind": "delay"}],
        [{"kind": "error", "path": "("}],
        [{"kind": "error", "other": 1}],
        [{"kind": "error", "probability": 2}],
    ],
)
async def test_a_senseless_fault_is_refused(hub: Hub, body: Any) -> None:
    status, _ = await hub.control("POST", "faults", body)
    assert status == 400


async def test_a_hub_that_is_down_refuses_connections_and_comes_back_with_its_memory(hub: Hub) -> None:
    await hub.put()
    await hub.control("POST", "faults", [{"kind": "down", "seconds": 0.5}])
    outcomes: list[Outcome] = []
    async with asyncio.timeout(60):
        while not outcomes or not isinstance(outcomes[-1], NotSent):
            outcomes.append((await hub.put())[0])
        while not isinstance(outcomes[-1], Delivered):
            outcomes.append((await hub.put())[0])
            await asyncio.sleep(0.01)
    assert len((await hub.control("GET", "memory?kind=things"))[1]) == 1


def test_a_probability_is_drawn_from_seeded_dice() -> None:
    def run(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add([Fault(kind=FaultKind.ERROR, probability=0.5)])
        return [faults.drawn("PUT", "/")[1] is not None for _ in range(200)]

    assert run(1) == run(1) != run(2)
    assert 60 < sum(run(1)) < 140


def test_delays_add_up_before_the_fault_that_follows() -> None:
    faults = Faults()
    delay = Fault(kind=FaultKind.DELAY, seconds=0.25)
    faults.add([delay, delay, Fault(kind=FaultKind.DROP)])
    wait, fault = faults.drawn("PUT", "/")
    assert wait == 0.5
    assert fault is not None
    assert fault.kind is FaultKind.DROP


def test_what_the_sandbox_drives_is_not_hit_by_faults_of_what_it_serves() -> None:
    faults = Faults()
    faults.add([Fault(kind=FaultKind.REPEAT, count=1)])
    assert faults.drawn("GET", "/")[1] is None
    assert faults.driving(FaultKind.REPEAT, "GET", "/")
    assert not faults.driving(FaultKind.REPEAT, "GET", "/")


def test_a_wait_without_seconds_is_no_fault() -> None:
    with pytest.raises(ValidationError, match="seconds"):
        Fault(kind=FaultKind.DOWN)
