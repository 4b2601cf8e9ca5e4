"""A hub on loopback that takes messages, the adapter that speaks to it, and a gateway's outbox without the rest."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from aiohttp import web

from adapters.core.adapter import Call
from adapters.core.charging import Message, MessageProfile
from adapters.core.connection import Connection, Mode, State
from adapters.core.faults import Fault
from adapters.core.http import Answer, HubClient, compact_json, retry_after
from adapters.core.outcomes import (
    Delivered,
    Misconfigured,
    NotSent,
    Outcome,
    OutcomeUnknown,
    RefusedByHub,
    Throttled,
)
from adapters.core.profile import Profile
from adapters.core.sandbox import Sandbox, SandboxServer, make_application
from gateway.app import now
from gateway.metrics import Metrics
from gateway.outbox.delivery_store import DeliveryStore, Result, Settlements
from gateway.outbox.destinations import LinkSource, Source
from gateway.outbox.dispatcher import Dispatcher
from gateway.outbox.messages import append
from gateway.outbox.repository import Outbox
from gateway.services.deliveries import Deliveries
from gateway.services.links import Links
from gateway.services.ports import DeadLetter, MessageFilter, MessageView
from gateway.store.pool import Store, Transaction
from gateway.store.secrets import Cipher
from mappings.canonical.ids import PartyId
from mappings.report import Issue, IssueKind, Refused
from tests.adapters.doubles import Measured
from tests.harness import KEY, eventually

PARTY = PartyId("NL*ABC")
CONNECTION = "loopback"
LONG = timedelta(days=1000)

PROFILES = {
    "sessions": MessageProfile("sessions", in_flight=8),
    "cdrs": MessageProfile("cdrs", in_flight=8),
    "results": MessageProfile("results", in_flight=2, lasts=timedelta(seconds=0.3)),
    "slow": MessageProfile("slow", in_flight=4, per_minute=600),
}


class Hub(Sandbox):
    """Remembers messages by key, each once in effect, notes their order, and whether a lane was told twice at once."""

    def __init__(self) -> None:
        super().__init__(["messages"])
        self.told: list[tuple[str, str]] = []
        self.parallel = 0
        self.most = 0
        self.knows_us = True
        self._active: Counter[str] = Counter()
        self.app = make_application(self, [web.post("/{operation}", self._take)], refuse=_refuse)

    async def _take(self, request: web.Request) -> web.Response:
        if not self.knows_us:
            return web.json_response({"code": "017", "text": "Unauthorised"}, status=401)
        body = await request.json()
        lane, key = body["lane"], body["key"]
        self._active[lane] += 1
        self.parallel += self._active[lane] > 1
        self.most = max(self.most, sum(self._active.values()))
        await asyncio.sleep(0)
        if key not in self.memory["messages"]:
            self.memory["messages"][key] = body
            self.told.append((lane, key))
        self.counted(request.match_info["operation"], "ok")
        self._active[lane] -= 1
        return web.json_response({"ok": True})

    def keys(self, lane: str) -> list[str]:
        """What it was told in a lane, in order."""
        return [key for of, key in self.told if of == lane]


def _refuse(_request: web.Request, fault: Fault) -> web.Response:
    return web.json_response({"code": fault.code or "022", "text": "Data error"}, status=400)


class LoopbackAdapter:
    """As much of an adapter as messages need. Refuses to say what is in `unsayable`; waits `patience` for an answer."""

    unsayable: set[str] = set()
    patience = timedelta(minutes=1)

    def __init__(self, connection: Connection) -> None:
        self.profile = Profile("loopback", "loopback 1", {}, self.patience)
        self.charging = SimpleNamespace(messages=PROFILES)
        self.doubts: list[tuple[str, bool]] = []
        self._url = connection.settings["url"]
        self._client = HubClient("loopback", connection.name, Measured(), timeout=self.patience)

    def keys(self, _subject: object) -> list[Any]:
        return []

    def render(self, message: Message) -> tuple[Call, list[Issue]]:
        if message.key in self.unsayable:
            raise Refused("session.energy", "cannot be said")
        body = {"lane": message.lane, "key": message.key, "kind": message.kind}
        issue = Issue(IssueKind.LOST, "session.total_cost", "no place for it")
        return Call(message.operation, message.kind, message.operation, body, ()), [issue]

    async def tell(self, call: Call, *, doubtful: bool) -> Outcome:
        assert isinstance(call.body, dict)
        self.doubts.append((str(call.body["key"]), doubtful))
        url = f"{self._url}/{call.path}"
        reply = await self._client.request(call.operation, "POST", url, judge=_judge, body=compact_json(call.body))
        return reply.outcome

    async def close(self) -> None:
        await self._client.close()


def _judge(answer: Answer) -> Outcome:
    match answer.status:
        case 200:
            return Delivered(answer.json()) if answer.json() == {"ok": True} else OutcomeUnknown("no sense")
        case 400:
            return RefusedByHub(answer.json()["code"], answer.json()["text"])
        case 401:
            return Misconfigured("Unauthorised")
        case 429:
            return Throttled(retry_after(answer.headers, now()))
        case 503:
            return NotSent("HTTP 503")
        case status:
            return OutcomeUnknown(f"HTTP {status}")


@dataclass
class Ended:
    """Implements `Settlements`: keeps what it is told, once where a transaction is repeated."""

    by_lease: dict[tuple[int, int], Result] = field(default_factory=dict)

    async def settled(self, tx: Transaction, ended: Sequence[Result]) -> None:
        self.by_lease.update({(one.claimed.no, one.claimed.fence): one for one in ended})

    @property
    def results(self) -> list[Result]:
        """In the order in which they ended."""
        return list(self.by_lease.values())


@dataclass
class Post:
    """A gateway's outbox over a store, with one connection to the loopback hub."""

    store: Store
    links: Links
    outbox: Outbox
    deliveries: DeliveryStore
    dispatcher: Dispatcher
    service: Deliveries
    metrics: Metrics
    hub: Hub
    server: SandboxServer
    ended: Ended

    @property
    def adapter(self) -> LoopbackAdapter:
        link = self.links.by_name(CONNECTION)
        assert link is not None
        return link.adapter  # type: ignore[return-value]

    @property
    def number(self) -> int:
        link = self.links.by_name(CONNECTION)
        assert link is not None
        return link.connection.id

    async def append(self, *messages: Message, cdr_no: int | None = None) -> None:
        """Appends messages and wakes the dispatcher."""
        link = self.links.by_name(CONNECTION)
        assert link is not None
        async with self.store.transaction() as tx:
            await append(tx, link, messages, cdr_no)
        self.dispatcher.wake()

    async def set(self, *, mode: Mode = Mode.LIVE, state: State = State.READY) -> None:
        """Changes the connection as somebody else's replica would."""
        await self.store.execute("UPDATE connection SET mode = $1, state = $2", mode.value, state.value)
        await self.store.execute("UPDATE registry SET revision = revision + 1")
        await self.links.refresh()

    def fail(self, kind: str, **fault: Any) -> None:
        self.hub.faults.add([Fault.model_validate({"kind": kind, **fault})])

    async def quiet(self, seconds: float = 30) -> None:
        await eventually(self.outbox.quiet, "quiet", seconds)

    async def rows(self) -> dict[str, Any]:
        """The deliveries, by key."""
        return {row["key"]: row for row in await self.store.fetch("SELECT * FROM delivery ORDER BY no")}

    async def states(self) -> dict[str, str]:
        return {key: row["state"] for key, row in (await self.rows()).items()}

    async def shown(self, **which: Any) -> list[MessageView]:
        return list((await self.service.messages(MessageFilter(**which), None, 1000)).items)

    async def letters(self) -> list[DeadLetter]:
        return list((await self.service.dead_letters(None, None, 1000)).items)


def message(lane: str, key: str, operation: str = "sessions", **changes: Any) -> Message:
    return Message(operation=operation, kind="PUT", lane=lane, key=key, party=PARTY, **changes)


def lanes(count: int, each: int, operation: str = "sessions") -> list[Message]:
    """Messages of some lanes, one lane's after the other's in turn."""
    return [message(f"L{lane}", f"L{lane}-{step:03}", operation) for step in range(each) for lane in range(count)]


@asynccontextmanager
async def replica(
    url: str,
    hub: Hub,
    server: SandboxServer,
    *,
    settlements: Sequence[Settlements] = (),
    lease: timedelta | None = None,
    sources: Sequence[Source] = (),
    start: bool = True,
    pgbouncer: bool = False,
) -> AsyncIterator[Post]:
    """Runs an outbox on a database that has the connection.

    Args:
        lease: If not the usual one; for ever where nothing is started, and so nobody extends leases.
    """
    lease = lease or (timedelta(seconds=10) if start else LONG)
    store = Store(url, size=8, pgbouncer=pgbouncer)
    await store.open()
    metrics, ended = Metrics(), Ended()
    links = Links(store, Cipher(KEY), {"loopback": LoopbackAdapter})  # type: ignore[dict-item]
    outbox = Outbox(store, "test", lease)
    deliveries = DeliveryStore(store, "test", [ended, *settlements], lease)
    all_sources = [LinkSource(outbox, links, now), *sources]
    dispatcher = Dispatcher(store, outbox, deliveries, links, all_sources, metrics, LONG)
    service = Deliveries(store, dispatcher.wake)
    post = Post(store, links, outbox, deliveries, dispatcher, service, metrics, hub, server, ended)
    await links.refresh()
    if start:
        await dispatcher.start()
    try:
        yield post
    finally:
        await dispatcher.stop()
        await links.close()
        await store.close()


@asynccontextmanager
async def post(url: str, *, mode: Mode = Mode.LIVE, state: State = State.READY, **options: Any) -> AsyncIterator[Post]:
    """Runs an outbox against a fresh hub."""
    hub = Hub()
    server = SandboxServer(hub.app)
    await server.start()
    store = Store(url, size=2)
    await store.open()
    await store.execute(
        "INSERT INTO connection (name, hub, mode, state, scope, settings) VALUES ($1, 'loopback', $2, $3, '{}', $4)",
        CONNECTION,
        mode.value,
        state.value,
        json.dumps({"url": server.url}),
    )
    await store.execute("UPDATE registry SET revision = revision + 1")
    await store.close()
    LoopbackAdapter.unsayable = set()
    try:
        async with replica(url, hub, server, **options) as made:
            yield made
    finally:
        await server.stop()
