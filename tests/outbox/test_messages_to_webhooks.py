"""Events to webhooks go through the same lanes, leases and dead letters as messages to hubs."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from aiohttp import web

from gateway.app import now
from gateway.events.hooks import Hooks
from gateway.events.signing import new_secret
from gateway.events.webhooks import Webhooks
from gateway.outbox.hook_destinations import EVENTS, HookSource
from gateway.services.ports import Letters, MessageState
from gateway.store.pool import Store
from gateway.store.secrets import Cipher
from tests.adapters.doubles import Measured
from tests.harness import KEY, eventually
from tests.outbox.loopback import Post, post


@dataclass
class Receiver:
    """Takes events; answers with the statuses given, then with 204."""

    statuses: list[int] = field(default_factory=list)
    took: list[tuple[str, int]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        event = await request.json()
        status = self.statuses.pop(0) if self.statuses else 204
        self.headers.append(request.headers["webhook-id"])
        if status == 204:
            self.took.append((event["subject"], event["data"]["n"]))
        return web.Response(status=status)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.add_routes([web.post("/", made.take)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield made
    await runner.cleanup()


@asynccontextmanager
async def with_webhook(database_url: str, receiver: Receiver) -> AsyncIterator[Post]:
    """An outbox whose database has a webhook `backend`."""
    store, cipher = Store(database_url, size=4), Cipher(KEY)
    await store.open()
    hooks = Hooks(store, cipher, Measured(), now, time.monotonic)
    await store.execute(
        "INSERT INTO hook (name, kind, url, secret, types, parties) VALUES ('backend', 'webhook', $1, $2, '{}', '{}')",
        receiver.url,
        cipher.seal_text(new_secret()),
    )
    source = HookSource(hooks, Webhooks(hooks, now), now)
    try:
        async with post(database_url, sources=[source]) as made:
            yield made
    finally:
        await hooks.close()
        await store.close()


async def happen(gateway: Post, subject: str, *numbers: int) -> None:
    for number in numbers:
        event = {"id": str(uuid4()), "subject": subject, "data": {"n": number}}
        await gateway.store.execute(
            "INSERT INTO delivery (hook_id, operation, kind, lane, key, party, payload)"
            " VALUES (1, $1, 'session.changed', $2, $3, 'NL*ABC', $4)",
            EVENTS,
            subject,
            event["id"],
            json.dumps(event),
        )
    gateway.dispatcher.wake()


async def test_events_of_a_subject_arrive_in_order_and_a_failing_one_keeps_its_id(
    database_url: str, receiver: Receiver
) -> None:
    receiver.statuses = [500, 503]
    async with with_webhook(database_url, receiver) as gateway:
        await happen(gateway, "sessions/NL*ABC/1", 1, 2, 3)
        await gateway.quiet()
        assert receiver.took == [("sessions/NL*ABC/1", number) for number in (1, 2, 3)]
        assert len(set(receiver.headers[:3])) == 1
        views = await gateway.shown(webhook="backend", state=MessageState.DELIVERED)
        assert [view.attempts for view in views] == [1, 1, 3]
        await happen(gateway, "sessions/NL*ABC/2", 1)
        await gateway.quiet()
        assert gateway.metrics.registry.get_sample_value(
            "roamgate_messages_settled_total",
            {"hub": "webhook", "connection": "backend", "operation": EVENTS, "outcome": "delivered"},
        )


async def test_a_webhook_that_is_gone_is_told_nothing_until_somebody_acts(
    database_url: str, receiver: Receiver
) -> None:
    receiver.statuses = [410]
    async with with_webhook(database_url, receiver) as gateway:
        await happen(gateway, "sessions/NL*ABC/1", 1, 2)

        async def refused() -> bool:
            return bool(await gateway.letters())

        await eventually(refused, "refused")
        [letter] = await gateway.letters()
        assert (letter.connection, letter.webhook, letter.code) == (None, "backend", "410")

        async def off() -> bool:
            return not await gateway.store.fetchval("SELECT active FROM hook")

        await eventually(off, "switched off")
        await gateway.store.execute("UPDATE hook SET active = true")
        await gateway.service.replay(Letters(webhook="backend"), "a person")
        await gateway.quiet()
        assert sorted(receiver.took) == [("sessions/NL*ABC/1", number) for number in (1, 2)]
