"""Offers, subscriptions and groups over connections whose hubs say of themselves what their settings say."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from adapters.core.connection import Connection
from adapters.core.offers import HubIds, OffersProfile
from gateway.events.writing import EventType
from gateway.services.links import Links
from gateway.services.offers.announcing import Turned
from gateway.services.offers.groups import Groups
from gateway.services.offers.offers import Offers
from gateway.services.offers.subscriptions import Subscriptions
from gateway.services.offers.turning import Turning
from gateway.services.ports.offers import HubSide, NewSubscription, OfferView, SubscriptionView
from gateway.store.pool import Store, Transaction
from gateway.store.secrets import Cipher
from mappings.canonical.agreements import Joining, Offer, OfferTerms, Service
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Party, Role
from mappings.canonical.tariffs import TariffType
from mappings.canonical.texts import Business
from mappings.report import Refused
from tests.harness import KEY, OTHER, PARTY, WHO

EMSP = PartyId("DE*EMP")
SECOND = PartyId("DE*TWO")
STRANGER = PartyId("AT*XXX")
START = datetime.fromisoformat("2026-03-01T00:00:00+00:00")
"""Where the clock of these tests begins."""

DAY = timedelta(days=1)
TERMS = OfferTerms(services=frozenset({Service.POI, Service.AUTHORISE}))
ROAMS = OfferTerms(services=frozenset(Service))

PROFILES: Mapping[str, OffersProfile] = {
    "home": OffersProfile(),
    "portal": OffersProfile(subscribed_there=True, tariff_types=frozenset({TariffType.REGULAR})),
    "hub": OffersProfile(
        told=True,
        subscribed_there=True,
        joinings=frozenset({Joining.SUBSCRIBE, Joining.APPROVE}),
        services=frozenset({Service.AUTHORISE, Service.REMOTE}),
        announced=21 * DAY,
        announced_to_all=42 * DAY,
        shortest=42 * DAY,
        longest=730 * DAY,
        least_lead_time_days=42,
        one_group=True,
    ),
}


class Adapter:
    """As much of an adapter as offers need; of the own network it knows `EMSP`."""

    def __init__(self, connection: Connection) -> None:
        self.offers = PROFILES[connection.name]
        self.charging = SimpleNamespace(has_contracts=connection.name != "home")
        self.profile = SimpleNamespace(request_timeout=timedelta(), operations={})
        self.roles = frozenset({Role.CPO} if connection.name == "hub" else {Role.CPO, Role.EMSP})

    def keys(self, _subject: object) -> list[Any]:
        return []

    def answers_for(self, party: PartyId) -> bool:
        return party == EMSP

    def check_offer(self, offer: Offer, terms: OfferTerms, first: OfferTerms | None = None) -> None:
        if terms.rank == 13:
            raise Refused("rank", "13 is no rank")
        if first is not None and terms.rank == 14:
            raise Refused("rank", "14 comes never later")

    async def close(self) -> None:
        pass


@dataclass
class Hubs:
    """Implements `offers.hubs.HubsTold` in memory."""

    told: list[str] = field(default_factory=list)
    ids: dict[str, HubIds] = field(default_factory=dict)
    may_take_back: bool = True

    async def tell(self, tx: Transaction, offer_id: str) -> None:
        self.told.append(offer_id)

    async def take_back(self, tx: Transaction, offer_id: str, number: int) -> bool:
        return self.may_take_back

    async def hub_sides(self, on: "Store | Transaction", offer_ids: Sequence[str]) -> Mapping[str, HubSide]:
        return {id_: HubSide(self.ids[id_]) for id_ in offer_ids if id_ in self.ids}

    async def set_hub_ids(self, tx: Transaction, offer_id: str, ids: HubIds, who: str) -> None:
        self.ids[offer_id] = ids


@dataclass
class Desk:
    """A replica, with a clock that these tests move."""

    store: Store
    links: Links
    offers: Offers
    subscriptions: Subscriptions
    groups: Groups
    turning: Turning
    hubs: Hubs
    turned: list[Turned]
    skews: list[float]
    clock: list[datetime]

    @property
    def now(self) -> datetime:
        return self.clock[0]

    async def after(self, span: timedelta) -> None:
        """Lets time go by, and turns what is due then."""
        self.clock[0] += span
        await self.turning.look()

    async def put(self, made: Offer | None = None, terms: OfferTerms = TERMS) -> OfferView:
        view, _ = await self.offers.put(made or offer(), terms, WHO)
        return view

    async def publish(self, made: Offer | None = None, terms: OfferTerms = TERMS) -> OfferView:
        """Puts an offer and publishes it."""
        made = made or offer()
        await self.put(made, terms)
        return await self.offers.publish(made.id, WHO)

    async def subscribe(self, offer_id: str = "O1", emsp: PartyId = EMSP, **more: Any) -> SubscriptionView:
        return await self.subscriptions.request(NewSubscription(offer=offer_id, emsp=emsp, **more), WHO)

    async def events(self, of: PartyId | None = None) -> list[str]:
        """The types of what was told, to one party or to all."""
        rows = await self.store.fetch(
            "SELECT type FROM event WHERE $1::text IS NULL OR party = $1 ORDER BY no", of.normal if of else None
        )
        return [row["type"] for row in rows]

    async def state(self, table: str, id_: str) -> str:
        found: str = await self.store.fetchval(f"SELECT state FROM {table} WHERE id = $1", id_)
        return found

    async def audits(self, subject: str) -> list[str]:
        rows = await self.store.fetch("SELECT action FROM audit WHERE subject = $1 ORDER BY id", subject)
        return [row["action"] for row in rows]

    def kinds(self) -> list[EventType]:
        return [each.kind for each in self.turned]


def offer(id_: str = "O1", **changes: Any) -> Offer:
    """A public offer of `PARTY` for the own network, without end, that begins with the tests."""
    fields: dict[str, Any] = {"id": id_, "connection": "home", "cpo": PARTY, "title": f"Offer {id_}", "starts": START}
    if "network_group" in changes:
        del fields["cpo"]
    return Offer.model_validate(fields | changes)


@asynccontextmanager
async def desk(store: Store, clock: list[datetime] | None = None, *connections: str) -> AsyncIterator[Desk]:
    """A replica on a store; the first one makes the connections and the parties."""
    if connections:
        for party, role in ((PARTY, Role.CPO), (OTHER, Role.CPO), (EMSP, Role.EMSP), (SECOND, Role.EMSP)):
            made = Party(id=party, roles=frozenset({role}), business=Business(name=str(party)))
            await store.execute("INSERT INTO party (id, body) VALUES ($1, $2)", party.normal, made.model_dump_json())
    for name in connections:
        await store.execute(
            "INSERT INTO connection (name, hub, mode, state, scope, settings)"
            " VALUES ($1, 'scripted', 'live', 'ready', '{}', $2)",
            name,
            json.dumps({}),
        )
    await store.execute("UPDATE registry SET revision = revision + 1")
    links = Links(store, Cipher(KEY), {"scripted": Adapter})  # type: ignore[dict-item]
    await links.refresh()
    moment, turned, skews, hubs = clock if clock is not None else [START], [], [], Hubs()

    def now() -> datetime:
        return moment[0]

    async def judge(_on: "Store | Transaction") -> datetime:
        return moment[0]

    async def told(changes: Sequence[Turned]) -> None:
        turned.extend(changes)

    numbers = iter(range(1, 1_000_000))
    try:
        yield Desk(
            store,
            links,
            Offers(store, links, judge, told, hubs),
            Subscriptions(store, links, judge, told, lambda: f"S{next(numbers)}"),
            Groups(store, links, judge, told),
            Turning(store, links, now, told, lambda: None, skews.append, judge),
            hubs,
            turned,
            skews,
            moment,
        )
    finally:
        await links.close()
