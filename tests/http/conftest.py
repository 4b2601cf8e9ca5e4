"""A gateway's HTTP face on a loopback socket, over services in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from gateway.http.server import Services, application, serve
from gateway.metrics import Exposition, Metrics, StoreFigures
from gateway.services.keys import KeyRole, Keys
from mappings.canonical.ids import PartyId
from tests.http.fakes import (
    NOW,
    FakeConnections,
    FakeDeliveries,
    FakeImporting,
    FakeNetwork,
    FakePublishing,
    FakeReadiness,
    FakeSampler,
    FakeStatuses,
    KeyRows,
    Memory,
    Ticks,
)
from tests.http.fakes_authorising import FakeAuthorisation, FakeTokens
from tests.http.fakes_catalogue import FakeCatalogue
from tests.http.fakes_charging import FakeCdrs, FakeSessions
from tests.http.fakes_driving import FakeDriverTokens, FakePermits
from tests.http.fakes_homecoming import FakeReceived, FakeSentCommands
from tests.http.fakes_listening import FakeDesk, FakeEvents, FakeListeners
from tests.http.fakes_offers import (
    FakeAccess,
    FakeAgreementImports,
    FakeDrifts,
    FakeGroups,
    FakeOffers,
    FakePreviews,
    FakeSubscriptions,
)
from tests.http.fakes_quoting import FakeQuotes
from tests.http.fakes_repricing import FakeRepricings
from tests.http.fakes_roaming import FakePulls
from tests.http.fakes_settling import FakeBillingParties, FakeSettlements

ADMIN = "an-administrator-from-the-environment"
STAMP = "2026-03-01T11:00:00Z"


def location(id_: str = "L1", **changes: Any) -> dict[str, Any]:
    """A small location as JSON."""
    connector = {"id": "1", "standard": "IEC_62196_T2", "max_power": 22080, "last_updated": STAMP}
    evse = {
        "uid": "E1",
        "evse_id": "FR*ABC*E1",
        "status": "AVAILABLE",
        "connectors": [connector],
        "last_updated": STAMP,
    }
    return {
        "party": "FR*ABC",
        "id": id_,
        "publish": True,
        "address": "1 rue de la Gare",
        "city": "Lyon",
        "country": "FRA",
        "coordinates": {"latitude": 45.76, "longitude": 4.86},
        "evses": [evse],
        "time_zone": "Europe/Paris",
        "last_updated": STAMP,
    } | changes


def tariff(id_: str = "T1", **changes: Any) -> dict[str, Any]:
    """A small tariff as JSON."""
    price = {"type": "ENERGY", "price": 0.35, "vat": 20, "step_size": 1}
    elements = [{"price_components": [price]}]
    return {"party": "FR*ABC", "id": id_, "currency": "EUR", "elements": elements, "last_updated": STAMP} | changes


@dataclass
class Face:
    """The server and what stands behind it."""

    url: str
    client: aiohttp.ClientSession
    memory: Memory
    statuses: FakeStatuses
    connections: FakeConnections
    offers: FakeOffers
    subscriptions: FakeSubscriptions
    groups: FakeGroups
    previews: FakePreviews
    agreement_imports: FakeAgreementImports
    drifts: FakeDrifts
    authorisation: FakeAuthorisation
    sessions: FakeSessions
    cdrs: FakeCdrs
    driver_tokens: FakeDriverTokens
    permits: FakePermits
    sent_commands: FakeSentCommands
    received: FakeReceived
    repricings: FakeRepricings
    settlements: FakeSettlements
    billing_parties: FakeBillingParties
    quotes: FakeQuotes
    deliveries: FakeDeliveries
    importing: FakeImporting
    sampler: FakeSampler
    readiness: FakeReadiness
    rows: KeyRows
    ticks: Ticks
    keys: Keys
    catalogue: FakeCatalogue
    metrics: Metrics

    async def call(self, method: str, path: str, *, key: str | None = ADMIN, **options: Any) -> tuple[int, Any, Any]:
        """Sends a request; gives status, parsed body and headers."""
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        async with self.client.request(method, self.url + path, headers=headers, **options) as answer:
            is_json = answer.content_type.endswith(("/json", "+json"))
            return answer.status, await (answer.json(content_type=None) if is_json else answer.text()), answer.headers

    async def key(self, *roles: KeyRole, parties: tuple[str, ...] = ()) -> str:
        """Makes a key."""
        made, _ = await self.keys.create("a backend", [PartyId(party) for party in parties], roles, "a person")
        return made


async def _hub_route(request: web.Request) -> web.Response:
    return web.Response(text=f"{request.method} {len(await request.read())}")


async def _hub_failure(_request: web.Request) -> web.Response:
    raise RuntimeError("Authorization: Token abcdefghijkl was not understood")


def services_in_memory() -> tuple[Services, Memory, KeyRows, Ticks, FakeSampler]:
    """Gives fresh services and what is behind them."""
    memory, rows, ticks, metrics, sampler = Memory(), KeyRows(), Ticks(), Metrics(), FakeSampler()
    access = FakeAccess()
    services = Services(
        publishing=FakePublishing(memory),
        statuses=FakeStatuses(memory),
        network=FakeNetwork(memory),
        connections=FakeConnections(),
        authorisation=FakeAuthorisation(),
        tokens=FakeTokens(),
        sessions=FakeSessions(),
        cdrs=FakeCdrs(),
        pulls=FakePulls(),
        catalogue=FakeCatalogue(),
        driver_tokens=FakeDriverTokens(),
        permits=FakePermits(),
        sent_commands=FakeSentCommands(),
        received=FakeReceived(),
        repricings=FakeRepricings(),
        settlements=FakeSettlements(),
        billing_parties=FakeBillingParties(),
        quotes=FakeQuotes(),
        deliveries=FakeDeliveries(),
        events=FakeEvents(),
        webhooks=FakeListeners(),
        call_outs=FakeListeners(),
        commands=FakeDesk(),
        importing=FakeImporting(),
        keys=Keys(rows, ADMIN, ticks),
        readiness=FakeReadiness(),
        metrics=metrics,
        exposition=Exposition(metrics, StoreFigures(sampler, ticks)),
        now=lambda: NOW,
        offers=access.offers,
        subscriptions=access.subscriptions,
        groups=access.groups,
        previews=access.previews,
        agreement_imports=access.imports,
        drifts=access.drifts,
    )
    return services, memory, rows, ticks, sampler


@pytest.fixture
async def face() -> AsyncIterator[Face]:
    """The HTTP face, started."""
    services, memory, rows, ticks, sampler = services_in_memory()
    hub_routes = [web.post("/hub/receive", _hub_route), web.post("/hub/fail", _hub_failure)]
    runner, port = await serve(application(services, hub_routes, "1.2.3"), "127.0.0.1", 0, shutdown_timeout=0.1)
    async with aiohttp.ClientSession() as client:
        yield Face(
            url=f"http://127.0.0.1:{port}",
            client=client,
            memory=memory,
            statuses=services.statuses,
            connections=services.connections,
            offers=services.offers,
            subscriptions=services.subscriptions,
            groups=services.groups,
            previews=services.previews,
            agreement_imports=services.agreement_imports,
            drifts=services.drifts,
            authorisation=services.authorisation,
            sessions=services.sessions,
            cdrs=services.cdrs,
            driver_tokens=services.driver_tokens,
            permits=services.permits,
            sent_commands=services.sent_commands,
            received=services.received,
            repricings=services.repricings,
            settlements=services.settlements,
            billing_parties=services.billing_parties,
            quotes=services.quotes,
            deliveries=services.deliveries,
            importing=services.importing,
            sampler=sampler,
            readiness=services.readiness,
            rows=rows,
            ticks=ticks,
            keys=services.keys,
            catalogue=services.catalogue,
            metrics=services.metrics,
        )
    await runner.cleanup()
