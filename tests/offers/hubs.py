"""A hub on loopback that takes offers and gives them ids, and a gateway's outbox with what tells it."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.core.adapter import Call
from adapters.core.charging import Message, MessageProfile
from adapters.core.connection import Connection, Mode
from adapters.core.http import Answer, HubClient, compact_json
from adapters.core.offers import OffersProfile, OfferToTell
from adapters.core.outcomes import Delivered, NotSent, Outcome, OutcomeUnknown, RefusedByHub
from adapters.core.profile import Profile
from adapters.core.roaming import RoamingProfile
from gateway.app import now as present
from gateway.metrics import Metrics
from gateway.outbox.delivery_store import DeliveryStore
from gateway.outbox.destinations import LinkSource
from gateway.outbox.dispatcher import Dispatcher
from gateway.outbox.repository import Outbox
from gateway.services.deliveries import Deliveries
from gateway.services.hub_offers.telling import Telling
from gateway.services.links import Links
from gateway.services.offers.writing import insert_offer
from gateway.services.offers.writing import write_version as insert_version
from gateway.services.ports.offers import HubSide
from gateway.services.publishing import Publishing
from gateway.store.pool import Store
from gateway.store.secrets import Cipher
from mappings.canonical.agreements import Offer, OfferTerms, Service
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Role
from mappings.report import Issue
from tests.adapters.doubles import Measured
from tests.agreed import audiences
from tests.harness import AT, KEY, PARTY, WHO, eventually

EMSP = PartyId("FR*XYZ")
OTHER_EMSP = PartyId("DE*DCB")
TERMS = OfferTerms(services=frozenset({Service.AUTHORISE, Service.REMOTE}))
NAME = "hub"


def offer(id_: str = "O1", **changes: Any) -> Offer:
    """A public offer of `PARTY` without end."""
    fields: dict[str, Any] = {"id": id_, "connection": NAME, "cpo": PARTY, "title": f"Offer {id_}", "starts": AT}
    if "network_group" in changes:
        del fields["cpo"]
    return Offer.model_validate(fields | changes)


class OfferHub:
    """Takes steps and names what they make; a step whose kind is in `refuses`, `fails` or `mute` fares accordingly."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.refuses: set[str] = set()
        self.fails: set[str] = set()
        self.mute: set[str] = set()
        self.app = web.Application()
        self.app.router.add_post("/offers", self._take)

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        step = body["step"]
        if step in self.fails:
            return web.json_response({}, status=503)
        if step in self.refuses:
            return web.json_response({"code": "400", "text": f"no {step}"}, status=400)
        self.told.append(body)
        if step in self.mute:
            return web.json_response({})
        number = len(self.told)
        answers: dict[str, Any] = {
            "network": {
                "network": body["ids"]["network"] or f"N{number}",
                "groups": {group: f"G-{group}" for group in body["groups"]},
            },
            "document": {"document": f"D{number}"},
            "offer": {"offer": f"H{number}"},
            "prices": {"offer": f"H{number}"},
        }
        return web.json_response(answers.get(step, {}))

    @property
    def steps(self) -> list[str]:
        return [one["step"] for one in self.told]


class OffersLoopback:
    """As much of an adapter as offers need."""

    def __init__(self, connection: Connection) -> None:
        self.profile = Profile("loopback", "loopback 1", {}, timedelta(seconds=1))
        self.charging = SimpleNamespace(messages={"offers": MessageProfile("offers", in_flight=4)}, has_contracts=True)
        self.roaming = RoamingProfile({}, frozenset(), timedelta(seconds=1))
        self.roles = frozenset({Role(connection.settings.get("role", "CPO"))})
        self.offers = OffersProfile(told=self.roles == {Role.CPO}, subscribed_there=True)
        self._url = connection.settings.get("url", "http://127.0.0.1:9")
        self._client = HubClient("loopback", connection.name, Measured(), timeout=timedelta(seconds=5))

    def keys(self, _subject: object) -> list[Any]:
        return []

    def check_offer(self, offer: Offer, terms: OfferTerms, first: OfferTerms | None = None) -> None:
        pass

    def of_offer(self, told: OfferToTell) -> Message:
        party = told.offer.cpo or told.groups[0].party
        lane = f"offer/{told.offer.id}"
        return Message(operation="offers", kind=told.step, lane=lane, key=told.offer.id, party=party, offer=told)

    def render(self, message: Message) -> tuple[Call, list[Issue]]:
        told = message.offer
        assert told is not None
        body = {
            "step": told.step.value,
            "offer": told.offer.id,
            "version": told.version.number,
            "groups": {group.id: [evse.separated() for evse in group.evse_ids] for group in told.groups},
            "names": [group.name for group in told.groups],
            "tariffs": {group: [tariff.id for tariff in tariffs] for group, tariffs in told.tariffs.items()},
            "document": None if told.document is None else told.document.content.decode(),
            "partners": dict(told.partners),
            "ids": told.ids.model_dump(mode="json"),
        }
        return Call(message.operation, message.kind, message.operation, body, ()), []

    async def tell(self, call: Call, *, doubtful: bool) -> Outcome:
        del doubtful
        url = f"{self._url}/{call.path}"
        reply = await self._client.request(call.operation, "POST", url, judge=_judge, body=compact_json(call.body))
        return reply.outcome

    async def close(self) -> None:
        await self._client.close()


def _judge(answer: Answer) -> Outcome:
    match answer.status:
        case 200:
            return Delivered(answer.json())
        case 400:
            return RefusedByHub(answer.json()["code"], answer.json()["text"])
        case 503:
            return NotSent("HTTP 503")
        case status:
            return OutcomeUnknown(f"HTTP {status}")


@dataclass
class Told:
    """A gateway's outbox, and what tells of offers, over one connection to a hub on loopback."""

    store: Store
    links: Links
    hub: OfferHub
    telling: Telling
    dispatcher: Dispatcher
    deliveries: Deliveries
    publishing: Publishing
    outbox: Outbox
    clock: Callable[[], datetime] = field(default=present)

    @property
    def number(self) -> int:
        link = self.links.by_name(NAME)
        assert link is not None
        return link.connection.id

    async def publish(self, made: Offer | None = None, terms: OfferTerms = TERMS) -> Offer:
        """Writes a published offer and has the hub told, in one transaction."""
        made = made or offer()
        async with self.links.changing() as tx:
            await insert_offer(tx, made, terms, self.number, who=WHO, now=self.clock(), published=True)
            await self.telling.tell(tx, made.id)
        self.telling.wake()
        return made

    async def add_version(self, made: Offer, terms: OfferTerms, starts: datetime) -> None:
        async with self.links.changing() as tx:
            await insert_version(tx, made.id, starts, terms, who=WHO, now=self.clock())
            await self.telling.tell(tx, made.id)
        self.telling.wake()

    async def group(self, id_: str, *evse_ids: str, party: PartyId = PARTY) -> None:
        """Puts EVSEs into a group."""
        await self.store.execute(
            "INSERT INTO evse_group (id, party, name) VALUES ($1, $2, $1) ON CONFLICT DO NOTHING", id_, party.normal
        )
        for evse_id in evse_ids:
            await self.store.execute(
                "INSERT INTO evse_group_member (group_id, evse_key, evse_id) VALUES ($1, $2, $3)",
                id_,
                evse_id.replace("*", ""),
                evse_id,
            )

    async def side(self, id_: str = "O1") -> HubSide:
        return (await self.telling.hub_sides(self.store, [id_]))[id_]

    async def steps(self, *expected: str) -> None:
        """Waits until the hub was told these steps, and nothing is left to do."""

        async def there() -> bool:
            return len(self.hub.told) >= len(expected) and await self.outbox.quiet()

        await eventually(there, f"{expected}, not {self.hub.steps}")
        assert self.hub.steps == list(expected), [(one["step"], one["offer"], one["groups"]) for one in self.hub.told]

    async def refused(self) -> Any:
        """Waits for a dead letter and gives it."""

        async def there() -> bool:
            return bool((await self.deliveries.dead_letters(None, None, 10)).items)

        await eventually(there, "a dead letter")
        return (await self.deliveries.dead_letters(None, None, 10)).items[0]

    async def set_mode(self, mode: Mode) -> None:
        async with self.links.changing() as tx:
            await tx.execute("UPDATE connection SET mode = $1", mode.value)


@asynccontextmanager
async def told(url: str, *, mode: Mode = Mode.LIVE, **settings: Any) -> AsyncIterator[Told]:
    """Runs an outbox against a fresh hub of offers."""
    hub = OfferHub()
    server = TestServer(hub.app)
    await server.start_server()
    store = Store(url, size=6)
    await store.open()
    await store.execute(
        "INSERT INTO connection (name, hub, mode, state, scope, settings)"
        " VALUES ($1, 'loopback', $2, 'ready', '{}', $3)",
        NAME,
        mode.value,
        json.dumps({"url": str(server.make_url("")).rstrip("/"), **settings}),
    )
    await store.execute("UPDATE registry SET revision = revision + 1")
    links = Links(store, Cipher(KEY), {"loopback": OffersLoopback})  # type: ignore[dict-item]
    await links.refresh()
    outbox, metrics = Outbox(store, "test"), Metrics()

    def wake() -> None:
        dispatcher.wake()

    telling = Telling(store, links, wake, present)
    stored = DeliveryStore(store, "test", [telling])
    dispatcher = Dispatcher(
        store, outbox, stored, links, [LinkSource(outbox, links, present)], metrics, timedelta(days=1000)
    )
    await dispatcher.start()
    publishing = Publishing(store, links, audiences(store, links, present), dispatcher.wake, present)
    try:
        yield Told(
            store, links, hub, telling, dispatcher, Deliveries(store, dispatcher.wake), publishing, outbox, present
        )
    finally:
        await telling.stop()
        await dispatcher.stop()
        await links.close()
        await store.close()
        await server.close()
