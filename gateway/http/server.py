"""The HTTP server: every operation of the API, the routes that hubs call, and the one edge that they all pass."""

import re
import ssl
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from aiohttp import web, web_response

from gateway.http import bodies
from gateway.http.faults import of_exception
from gateway.http.problems import KINDS, Problem, of_status
from gateway.http.routing import Call, Route, arguments_of
from gateway.http.v1.authorisations import AuthorisationOperations
from gateway.http.v1.billing_parties import BillingPartyOperations
from gateway.http.v1.catalogue import CatalogueOperations
from gateway.http.v1.cdrs import CdrOperations
from gateway.http.v1.commands import CommandOperations
from gateway.http.v1.connections import ConnectionOperations
from gateway.http.v1.deliveries import DeliveryOperations
from gateway.http.v1.documents import DocumentOperations
from gateway.http.v1.driver_tokens import DriverTokenOperations
from gateway.http.v1.events import EventOperations
from gateway.http.v1.groups import EvseGroupOperations, NetworkGroupOperations
from gateway.http.v1.imports import ImportOperations
from gateway.http.v1.listeners import CallOutOperations, WebhookOperations
from gateway.http.v1.locations import LocationOperations
from gateway.http.v1.offers import OfferOperations
from gateway.http.v1.offers_there import AgreementImportOperations, DriftOperations
from gateway.http.v1.parties import PartyOperations
from gateway.http.v1.permits import PermitOperations
from gateway.http.v1.previews import PreviewOperations
from gateway.http.v1.pulls import PullOperations
from gateway.http.v1.quotes import QuoteOperations
from gateway.http.v1.received import ReceivedOperations
from gateway.http.v1.repricings import RepricingOperations
from gateway.http.v1.sent_commands import SentCommandOperations
from gateway.http.v1.sessions import SessionOperations
from gateway.http.v1.settlements import SettlementOperations
from gateway.http.v1.standing import Standing
from gateway.http.v1.statuses import StatusOperations
from gateway.http.v1.subscriptions import SubscriptionOperations
from gateway.http.v1.tariffs import TariffOperations
from gateway.http.v1.tokens import TokenOperations
from gateway.http.watch import DescriptionOperations, WatchOperations
from gateway.logs import REQUEST_ID
from gateway.metrics import Exposition, Metrics
from gateway.release import RELEASE
from gateway.services.keys import Identity, Keys
from gateway.services.ports import (
    Cdrs,
    Connections,
    Deliveries,
    Importing,
    Network,
    Publishing,
    Readiness,
    Sessions,
    Statuses,
)
from gateway.services.ports.authorising import Authorisation
from gateway.services.ports.catalogue import CatalogueSearch
from gateway.services.ports.commands import CommandDesk
from gateway.services.ports.driver_tokens import DriverTokens
from gateway.services.ports.events import Events, Listeners
from gateway.services.ports.offers import AgreementImports, Drifts, Groups, Offers, Subscriptions
from gateway.services.ports.permits import Permits
from gateway.services.ports.previews import Previews
from gateway.services.ports.pulls import Pulls
from gateway.services.ports.quotes import Quotes
from gateway.services.ports.received import ReceivedDesk
from gateway.services.ports.repricing import Repricings
from gateway.services.ports.sent_commands import SentCommandDesk
from gateway.services.ports.settlement import BillingParties, Settlements
from gateway.services.ports.tokens import TokenList

_log = structlog.get_logger(__name__)

_GIVEN_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HUBS_IDS: Final = ("X-Request-ID", "X-Correlation-ID")
"""What hubs are given back as it came, however it is written (OCPI 2.2.1, transport_and_format), errors included."""

_NOBODY: Final = Identity("nobody", frozenset(), frozenset())

# The library names itself and Python with their versions, which is nobody's business. It has no setting for that, and
# its own answers to what is no HTTP pass no middleware and no signal.
web_response.SERVER_SOFTWARE = "roamgate"  # type: ignore[attr-defined]  # imported there, and not meant for others

AioHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that the HTTP face asks."""

    publishing: Publishing
    statuses: Statuses
    network: Network
    connections: Connections
    authorisation: Authorisation
    tokens: TokenList
    deliveries: Deliveries
    importing: Importing
    events: Events
    webhooks: Listeners
    call_outs: Listeners
    commands: CommandDesk
    sessions: Sessions
    cdrs: Cdrs
    pulls: Pulls
    catalogue: CatalogueSearch
    driver_tokens: DriverTokens
    permits: Permits
    sent_commands: SentCommandDesk
    received: ReceivedDesk
    quotes: Quotes
    repricings: Repricings
    settlements: Settlements
    billing_parties: BillingParties
    offers: Offers
    subscriptions: Subscriptions
    groups: Groups
    previews: Previews
    drifts: Drifts
    agreement_imports: AgreementImports
    keys: Keys
    readiness: Readiness
    metrics: Metrics
    exposition: Exposition
    now: Callable[[], datetime]


def routes_of(services: Services, release: str) -> Sequence[Route]:
    """Names every operation that backends and operators call."""
    s = services
    routes = [
        *StatusOperations(s.statuses, s.metrics).routes(),
        *LocationOperations(s.publishing, s.network, s.now).routes(),
        *TariffOperations(s.publishing, s.network, s.now).routes(),
        *PartyOperations(s.network).routes(),
        *ConnectionOperations(s.connections).routes(),
        *AuthorisationOperations(s.authorisation).routes(),
        *TokenOperations(s.tokens).routes(),
        *DeliveryOperations(s.deliveries, s.network).routes(),
        *ImportOperations(s.importing).routes(),
        *EventOperations(s.events).routes(),
        *WebhookOperations(s.webhooks).routes(),
        *CallOutOperations(s.call_outs).routes(),
        *CommandOperations(s.commands).routes(),
        *SessionOperations(s.sessions, s.now).routes(),
        *CdrOperations(s.cdrs).routes(),
        *PullOperations(s.pulls).routes(),
        *CatalogueOperations(s.catalogue).routes(),
        *DriverTokenOperations(s.driver_tokens).routes(),
        *PermitOperations(s.permits).routes(),
        *SentCommandOperations(s.sent_commands).routes(),
        *ReceivedOperations(s.received).routes(),
        *QuoteOperations(s.quotes).routes(),
        *RepricingOperations(s.repricings).routes(),
        *SettlementOperations(s.settlements).routes(),
        *BillingPartyOperations(s.billing_parties).routes(),
        *_offer_routes(s),
        *WatchOperations(s.exposition, s.readiness).routes(),
    ]
    return [*routes, *DescriptionOperations(routes, release).routes()]


def _offer_routes(s: Services) -> Sequence[Route]:
    standing = Standing(s.offers, s.groups, s.now)
    return [
        *OfferOperations(s.offers, standing).routes(),
        *PreviewOperations(s.previews, standing).routes(),
        *SubscriptionOperations(s.subscriptions, standing).routes(),
        *NetworkGroupOperations(s.groups).routes(),
        *EvseGroupOperations(s.groups, standing).routes(),
        *DocumentOperations(s.groups, standing).routes(),
        *AgreementImportOperations(s.agreement_imports).routes(),
        *DriftOperations(s.drifts).routes(),
    ]


def application(services: Services, hub_routes: Iterable[web.RouteDef] = (), release: str = RELEASE) -> web.Application:
    """Builds the application.

    Args:
        hub_routes: What hubs call; errors of these are their own affair, save for paths and methods that are not there.
        release: Shown in the description.
    """
    operations: dict[Any, str] = {}
    app = web.Application(middlewares=[_edge(services.metrics, operations)], client_max_size=bodies.MAX_BODY)
    for route in routes_of(services, release):
        handler = _endpoint(route, services.keys)
        operations[handler] = route.operation
        if route.method == "GET":
            app.router.add_get(route.path, handler)  # answers HEAD too
        else:
            app.router.add_route(route.method, route.path, handler)
    app.router.add_routes(hub_routes)

    async def end(_app: web.Application) -> None:
        services.events.end()  # whoever waits for an event would be waited for
        services.catalogue.end()

    app.on_shutdown.append(end)
    return app


async def serve(
    app: web.Application, host: str, port: int, tls: ssl.SSLContext | None = None, shutdown_timeout: float = 10.0
) -> tuple[web.AppRunner, int]:
    """Starts serving; gives the runner, whose `cleanup` ends it, and the port, chosen by the system where 0 was asked.

    Args:
        shutdown_timeout: Seconds for which requests under way may go on after `cleanup`.

    Raises:
        OSError: The address is taken or not ours.
    """
    runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=shutdown_timeout)
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=tls).start()
    return runner, runner.addresses[0][1]


def _endpoint(route: Route, keys: Keys) -> AioHandler:
    """Makes the handler of one operation: key, role, parameters, media type, then the operation itself."""

    async def handle(request: web.Request) -> web.StreamResponse:
        identity = _NOBODY if route.role is None else await _identify(request, route, keys)
        arguments = arguments_of(route, request)
        if route.body is not None:
            bodies.demand_type(request, route.body.types)
        return await route.handler(Call(request, identity, arguments))

    return handle


async def _identify(request: web.Request, route: Route, keys: Keys) -> Identity:
    given = request.headers.get("Authorization", "")
    scheme, _, key = given.partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Problem("no-key", _no_key(given), headers={"WWW-Authenticate": "Bearer"})
    identity = await keys.identify(key.strip())
    if identity is None:
        headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise Problem("no-key", "The API key is unknown or was revoked", headers=headers)
    if route.role not in identity.roles:
        raise Problem("not-allowed", f"The API key has not the role {route.role}")
    if route.whole and identity.parties is not None:
        raise Problem("not-allowed", "This is not divided by party, and the API key does not speak for all of them")
    return identity


def _no_key(given: str) -> str:
    """Says why an `Authorization` holds no API key; without its text, which may be a key sent bare."""
    if not given:
        return "The request has no API key"
    if given.partition(" ")[0].lower() == "token":
        return "`Authorization: Token` is how hubs call; an API key must be sent as `Authorization: Bearer <key>`"
    return "The API key must be sent as `Authorization: Bearer <key>`"


def _edge(metrics: Metrics, operations: Mapping[Any, str]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Makes the middleware that names, measures and, where it failed, answers every request."""

    @web.middleware
    async def edge(request: web.Request, handler: AioHandler) -> web.StreamResponse:
        started = time.perf_counter()
        given = request.headers.get("X-Request-ID")
        request_id = given if given and _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        REQUEST_ID.set(request_id)
        # Hubs' requests are measured by their servers, which know the operation and the connection.
        operation = operations.get(request.match_info.handler)
        try:
            if operation is None:
                _demand_no_coding(request)
            response = await handler(request)
        except web.HTTPException as error:
            response = _of_http_exception(error, request).response()
        except Exception as error:  # noqa: BLE001 — the edge: whatever it is, the caller gets an answer
            problem = of_exception(error)
            if problem.name == "bug":
                _log.error("request failed", operation=operation or request.method, exc_info=error)
            elif problem.name in ("unavailable", "hub-failed"):
                _log.warning("request not served", operation=operation or request.method, reason=repr(error))
            response = problem.response()
        _show_ids(response, request, request_id, of_hub=operation is None)
        if operation is not None:
            metrics.api(operation, response.status, time.perf_counter() - started)
        return response

    return edge


def _show_ids(response: web.StreamResponse, request: web.Request, request_id: str, *, of_hub: bool) -> None:
    """Puts the ids of a request on its answer, unless that is under way already."""
    if response.prepared:
        return
    for name in _HUBS_IDS if of_hub else ():
        if name in request.headers:
            response.headers.setdefault(name, request.headers[name])
    response.headers.setdefault("X-Request-ID", request_id)


def _demand_no_coding(request: web.Request) -> None:
    """Refuses packed bodies where the handler is a hub's: the server does not unpack by itself (see `bodies`)."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Problem("wrong-media-type", "Content-Encoding is not taken here", headers={"Accept-Encoding": "identity"})


def _of_http_exception(error: web.HTTPException, request: web.Request) -> Problem:
    kept = {name: error.headers[name] for name in ("Allow", "Retry-After", "Location") if name in error.headers}
    if isinstance(error, web.HTTPNotFound):
        return Problem("not-found", f"There is nothing at {request.path[:200]}")
    if isinstance(error, web.HTTPMethodNotAllowed):
        return Problem("wrong-method", f"{KINDS['wrong-method'].title}: {error.method[:20]}", headers=kept)
    return of_status(error.status, error.reason, kept)
