"""The composition root: the only place where objects are built."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from aiohttp import web

from adapters import gireve, home, hubject
from adapters.core.connection import Connection
from adapters.core.hub import Gateway, Hub
from adapters.core.peers import Peers
from adapters.core.roaming import FeedKind, HubAdapter
from adapters.core.tls import ListenerTls, TlsFiles
from gateway.agreements.repository import Agreements
from gateway.events.callouts import CallOuts
from gateway.events.feed import CHANNEL as EVENTS
from gateway.events.feed import Feed
from gateway.events.hooks import HookKind, Hooks
from gateway.events.webhooks import Webhooks
from gateway.http.server import Services, application, serve
from gateway.metrics import Exposition, Metrics, StoreFigures
from gateway.offering import Offering, offering
from gateway.outbox.delivery_store import DeliveryStore
from gateway.outbox.destinations import LinkSource, Place, Source
from gateway.outbox.dispatcher import Dispatcher
from gateway.outbox.hook_destinations import HookSource
from gateway.outbox.repository import Outbox
from gateway.pricing import differences
from gateway.pricing.rounding import GIREVE
from gateway.services.authorisation.service import Authorisation
from gateway.services.authorisation.tokens import Tokens
from gateway.services.catalogue.changes import Changes
from gateway.services.catalogue.ranking import Ranking
from gateway.services.catalogue.searching import Search
from gateway.services.catalogue.service import Catalogue
from gateway.services.catalogue.upkeep import Upkeep
from gateway.services.cdrs.alarms import Alarms, own_sessions
from gateway.services.cdrs.service import Cdrs
from gateway.services.cdrs.settlements import CdrSettlements
from gateway.services.commands.answering import CHANNEL as ANSWERS
from gateway.services.commands.answering import Answering
from gateway.services.commands.desk import Desk
from gateway.services.commands.service import Commands
from gateway.services.commands.taking_up import TakingUp
from gateway.services.connections import Connections
from gateway.services.deliveries import Deliveries
from gateway.services.drivers.contracts import Contracts
from gateway.services.drivers.listing import PermitList
from gateway.services.drivers.service import Drivers
from gateway.services.drivers.tokens import DriverTokens
from gateway.services.hub_offers.drifting import Drifting
from gateway.services.importing import Importing
from gateway.services.keys import Keys
from gateway.services.links import Links
from gateway.services.listeners import Listeners
from gateway.services.network import Network, Published
from gateway.services.offers.clock import Judge, by_database
from gateway.services.publishing import Publishing
from gateway.services.pulling.cdrs import CdrSink
from gateway.services.pulling.one_pull import Sink
from gateway.services.pulling.service import Pulling
from gateway.services.quoting.service import Quoting
from gateway.services.received.agreeing import Agreeing
from gateway.services.received.desk import ReceivedDesk
from gateway.services.received.missing import received_sessions
from gateway.services.received.rechecking import Rechecks
from gateway.services.received.service import Received
from gateway.services.registry import Registry
from gateway.services.repricing.desk import RepricingDesk
from gateway.services.repricing.reading import Terms
from gateway.services.repricing.worker import Repricer
from gateway.services.sent_commands.answering import CHANNEL as SENT
from gateway.services.sent_commands.answering import SentAnswering
from gateway.services.sent_commands.service import SentCommands
from gateway.services.sessions.pulling import Charges
from gateway.services.sessions.service import Sessions
from gateway.services.settlement.billing import BillingParties
from gateway.services.settlement.service import Settlements
from gateway.services.state import Gauges, Readiness
from gateway.services.statuses import Statuses
from gateway.services.visibility.audience import Audiences
from gateway.services.visibility.sights import Sights
from gateway.settings import Settings, SettingsError
from gateway.store.listening import Listening
from gateway.store.pool import Store, Transaction
from gateway.store.secrets import Cipher

HUBS: dict[str, Hub] = {hub.name: hub for hub in (gireve.HUB, hubject.HUB, home.HUB)}
"""The hubs that this gateway speaks to. A new hub is added here and nowhere else."""

ROUNDING = {gireve.HUB.name: GIREVE}
"""How hubs round the costs that they work out themselves, where not as OCPI does."""


@dataclass(frozen=True, slots=True)
class App:
    """A running gateway's parts, as far as somebody outside needs them."""

    store: Store
    outbox: Outbox
    links: Links
    dispatcher: Dispatcher
    services: Services
    gateway: Gateway
    authorisation: Authorisation
    drivers: Drivers
    received: Received
    ears: "Ears"


@dataclass(frozen=True, slots=True)
class Ears:
    """What hears the backend and is heard by it, beside the HTTP face."""

    feed: Feed
    hooks: Hooks
    commands: Commands
    answering: Answering
    listening: Listening
    alarms: Alarms
    rechecks: Rechecks
    pulling: Pulling
    upkeep: Upkeep
    sent: SentCommands
    sent_answering: SentAnswering
    repricer: Repricer
    drifting: Drifting
    offering: Offering

    async def start(self) -> None:
        """Starts giving events their order, and looking for commands that nobody answers."""
        self.listening.start()
        await self.feed.start()
        await self.answering.start(self.listening)
        self.sent_answering.start(self.listening)
        self.alarms.start()
        self.rechecks.start()
        self.pulling.start()
        self.upkeep.start()
        self.repricer.start()
        self.drifting.start()
        self.offering.start()

    async def stop(self) -> None:
        """Lets commands end that are under way, then stops."""
        await asyncio.gather(self.commands.stop(), self.sent.stop())
        await self.answering.stop()
        await self.sent_answering.stop()
        await self.alarms.stop()
        await self.rechecks.stop()
        await self.pulling.stop()
        await self.upkeep.stop()
        await self.repricer.stop()
        await self.drifting.stop()
        await self.offering.stop()
        await self.feed.stop()
        await self.listening.stop()


def now() -> datetime:
    """The clock of the gateway."""
    return datetime.now(UTC)


def demanded(settings: Settings) -> tuple[str, Cipher]:
    """Gives what no gateway does without, the address of the database and the cipher; asks nobody for anything.

    Raises:
        SettingsError: One is not set, or the keys are none.
    """
    if settings.database_url is None:
        raise SettingsError("DATABASE_URL: not set (`run --dev` starts an embedded database)")
    if not settings.secret_key:
        raise SettingsError("ROAMGATE_SECRET_KEY: not set; make one with `roamgate secret-key`")
    try:
        return settings.database_url, Cipher(settings.secret_key)
    except ValueError as error:
        raise SettingsError(f"ROAMGATE_SECRET_KEY: {error}") from None


@asynccontextmanager
async def assembled(settings: Settings, clock: Callable[[], datetime] = now) -> AsyncIterator[App]:
    """Builds everything over an open store, and closes it at the end. Nothing is served or dispatched yet.

    Args:
        clock: Gives the present, aware.

    Raises:
        SettingsError: Something that is needed is not set.
    """
    database_url, cipher = demanded(settings)
    store = Store(database_url, size=settings.pool_size, pgbouncer=settings.pgbouncer)
    await store.open()
    try:
        app = _assemble(settings, store, cipher, clock)
        try:
            yield app
        finally:
            await app.authorisation.close()
            await app.drivers.close()
            await app.received.close()
            await app.links.close()
            await app.ears.hooks.close()
    finally:
        await store.close()


def _assemble(settings: Settings, store: Store, cipher: Cipher, now: Callable[[], datetime]) -> App:
    metrics, network = Metrics(), Network(store)
    # The registry reads connections by the links, whose adapters are built over the registry.
    links = Links(store, cipher, {name: _builder(hub, lambda: gateway) for name, hub in HUBS.items()})
    registry = Registry(store, links, cipher)

    def tell(*places: Place) -> None:
        dispatcher.tell(*places)

    keep = timedelta(days=settings.keep_deliveries_days)
    feed = Feed(store, tell, keep)
    hooks = Hooks(store, cipher, metrics, now, time.monotonic)
    webhooks, call_outs = Webhooks(hooks, now), CallOuts(hooks, metrics, now)
    agreements, drifting = Agreements(store, links, now), Drifting(store, links, metrics, feed.wake)
    answering = Answering(store, links, metrics, now, tell, feed.wake)
    commands = Commands(
        links, TakingUp(store, links, agreements, drifting, now, tell, feed.wake), call_outs, answering, metrics, now
    )
    contracts = Contracts(agreements, drifting)
    drivers = Drivers(store, contracts, call_outs, metrics, feed.wake, now)
    tokens, charges = Tokens(store, links), Charges(store, links, call_outs, now, feed.wake)
    changes = Changes(store)
    ranking, sights = Ranking(store, changes.wake), Sights(agreements, links, now)
    catalogue = Catalogue(store, links, metrics, now, changes.wake)
    agreeing = Agreeing(agreements, links, drifting)
    received = Received(store, agreeing, feed.wake, now, metrics.received_cdr)
    rechecks = Rechecks(store, links, agreeing, feed.wake, now, metrics.received_cdr)
    sent_answering = SentAnswering(store, links, contracts, metrics, now, feed.wake)
    sent = SentCommands(store, links, contracts, sent_answering, now)
    repricer = _repricer(settings, store, feed.wake, metrics)
    gateway = Gateway(
        Published(store, network, Audiences(agreements, links, now)),
        commands,
        tokens,
        charges,
        catalogue,
        drivers,
        received,
        sent,
        registry,
        metrics,
        differences.told,
        settings.public_url.rstrip("/"),
        Peers(settings.client_certificate_header, settings.trusted_proxies),
    )
    holder = f"{socket.gethostname()}/{os.getpid()}"
    outbox = Outbox(store, holder)

    def charged() -> None:
        dispatcher.tell()
        feed.wake()

    def counted(connection: str | None, outcome: str, count: int, energy: Decimal) -> None:
        link = links.by_name(connection) if connection is not None else None
        metrics.cdrs(link.connection.hub if link is not None else "", connection or "", outcome, count, energy)

    cdr_sink = CdrSink(received)

    def sink(kind: FeedKind) -> Sink:
        return cdr_sink if kind is FeedKind.CDRS else offers.sinks.get(kind, catalogue)

    pulling = Pulling(store, links, outbox, sink, metrics, holder, now)
    sources: list[Source] = [LinkSource(outbox, links, now), HookSource(hooks, webhooks, now)]
    offers = offering(
        store,
        links,
        agreements,
        drifting,
        metrics,
        now,
        _judge(now),
        seen=changes.wake,
        told=charged,
        wake=lambda: dispatcher.wake(),  # noqa: PLW0108 - which is yet to be made
    )
    dispatcher = Dispatcher(
        store,
        outbox,
        DeliveryStore(store, holder, [CdrSettlements(counted), offers.telling]),
        links,
        sources,
        metrics,
        keep,
    )
    publishing = Publishing(store, links, offers.audiences, dispatcher.wake, now)
    statuses = Statuses(
        store, publishing.remove_evses, dispatcher.wake, now, lambda issue: metrics.issue("canonical", issue)
    )
    authorisation = Authorisation(
        store, links, agreements, drifting, metrics, feed.wake, now, timedelta(seconds=settings.ask_next_after)
    )

    missed = timedelta(hours=settings.cdr_missed_hours)
    missed_abroad = timedelta(hours=settings.received_cdr_missed_hours or settings.cdr_missed_hours)
    figures = _figures(settings, store, links, sources, missed, missed_abroad)
    services = Services(
        publishing=publishing,
        statuses=statuses,
        network=network,
        connections=Connections(store, links, offers.audiences, registry, HUBS, gateway, dispatcher.wake),
        authorisation=authorisation,
        tokens=tokens,
        deliveries=Deliveries(store, dispatcher.wake),
        importing=Importing(publishing, statuses, metrics, now),
        events=feed,
        webhooks=Listeners(HookKind.WEBHOOK, store, cipher, hooks, webhooks, now, dispatcher.wake),
        call_outs=Listeners(HookKind.CALL_OUT, store, cipher, hooks, webhooks, now, dispatcher.wake),
        commands=Desk(store, answering, now),
        sessions=Sessions(store, links, charged, now),
        cdrs=Cdrs(store, links, charged, now, counted),
        pulls=pulling,
        catalogue=Search(store, changes, ranking, sights, now),
        driver_tokens=DriverTokens(store, links, dispatcher.wake, now),
        permits=PermitList(store),
        sent_commands=sent,
        received=ReceivedDesk(store, rechecks, feed.wake, now, metrics.received_cdr),
        quotes=Quoting(store, links, agreements, sights, now),
        settlements=Settlements(store),
        billing_parties=BillingParties(store),
        repricings=RepricingDesk(store, repricer, feed.wake, now),
        keys=Keys(store, settings.admin_key, time.monotonic),
        readiness=Readiness(store, lambda: dispatcher.running),
        metrics=metrics,
        exposition=Exposition(metrics, figures),
        now=now,
        drifts=drifting,
        agreement_imports=offers.imports,
        offers=offers.offers,
        subscriptions=offers.subscriptions,
        groups=offers.groups,
        previews=offers.previews,
    )
    listening = Listening(store, {EVENTS: lambda _: feed.heard(), ANSWERS: answering.heard, SENT: sent_answering.heard})
    alarms = Alarms(store, [own_sessions(missed), received_sessions(missed_abroad)], feed.wake)
    upkeep = Upkeep(store, ranking, changes.wake, metrics.catalogue)
    ears = Ears(
        feed,
        hooks,
        commands,
        answering,
        listening,
        alarms,
        rechecks,
        pulling,
        upkeep,
        sent,
        sent_answering,
        repricer,
        drifting,
        offers,
    )
    return App(store, outbox, links, dispatcher, services, gateway, authorisation, drivers, received, ears)


def _judge(clock: Callable[[], datetime]) -> Judge:
    """Gives the clock by which all replicas write of offers: the database's, unless time itself is another one."""
    if clock is now:
        return by_database

    async def judged(_on: "Store | Transaction") -> datetime:
        return clock()

    return judged


def _figures(
    settings: Settings,
    store: Store,
    links: Links,
    sources: Sequence[Source],
    missed: timedelta,
    missed_abroad: timedelta,
) -> StoreFigures:
    gauges = Gauges(
        store,
        missed,
        missed_abroad,
        timedelta(hours=settings.cdr_unconfirmed_hours),
        lambda: ((link.connection.id, name) for link in links.all() for name in link.adapter.profile.operations),
        lambda: (place for source in sources for place in source.places()),
    )
    return StoreFigures(gauges, time.monotonic)


def _repricer(settings: Settings, store: Store, wake: Callable[[], None], metrics: Metrics) -> Repricer:
    terms = Terms(settings.repricing_tolerance, ROUNDING)
    return Repricer(store, terms, wake, metrics.repriced, settings.repricing_processes)


def _builder(hub: Hub, gateway: Callable[[], Gateway]) -> Callable[[Connection], HubAdapter]:
    return lambda connection: hub.adapter(connection, gateway())


@asynccontextmanager
async def running(settings: Settings, clock: Callable[[], datetime] = now) -> AsyncIterator[tuple[App, int]]:
    """Runs a gateway: serves and dispatches until the block ends. Yields its parts and its port."""
    async with assembled(settings, clock) as app:
        await app.dispatcher.start()
        await app.ears.start()
        routes = [route for hub in HUBS.values() if hub.routes is not None for route in hub.routes(app.gateway)]
        try:
            runner, port = await _served(application(app.services, routes), settings)
            try:
                yield app, port
            finally:
                await runner.cleanup()
        finally:
            # Together, or both would have longer than an orchestrator waits before it kills.
            await asyncio.gather(app.ears.stop(), app.dispatcher.stop())


async def _served(app: web.Application, settings: Settings) -> tuple[web.AppRunner, int]:
    tls = None
    if settings.tls_certificate is not None:
        try:
            tls = ListenerTls(settings.tls_client_ca, settings.tls_certificate, settings.tls_key).context
        except TlsFiles as error:
            raise SettingsError(f"tls_certificate, tls_key, tls_client_ca: {error}") from None
    try:
        return await serve(app, settings.host, settings.port, tls)
    except OSError as error:
        raise SettingsError(f"host, port: {settings.host}:{settings.port}: {error.strerror or error}") from None


async def run_until(settings: Settings, stop: asyncio.Event, started: Callable[[int], None]) -> None:
    """Runs a gateway until an event is set; tells its port when it serves."""
    async with running(settings) as (_, port):
        started(port)
        await stop.wait()
