"""What a hub's package offers to the composition root: one `Hub` value, named `HUB`, per package."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from adapters.core.connection import Connection
from adapters.core.inbound import (
    Catalogue,
    Charges,
    Commands,
    Drivers,
    Observer,
    Published,
    Received,
    Registry,
    SentCommands,
    Tokens,
)
from adapters.core.peers import Peers
from adapters.core.pricing import Compare
from adapters.core.roaming import HubAdapter


@dataclass(frozen=True, slots=True)
class Gateway:
    """What the gateway gives to a hub's adapter and server."""

    published: Published
    commands: Commands
    tokens: Tokens
    charges: Charges
    catalogue: Catalogue
    drivers: Drivers
    received: Received
    sent_commands: SentCommands
    registry: Registry
    observer: Observer
    compare: Compare
    """What an approximated tariff does to prices."""
    public_url: str
    """Where hubs reach this gateway, without a trailing slash."""
    peers: Peers = field(default_factory=Peers)
    """Who calls, by the certificate that was shown."""


class RegistrationFailed(Exception):
    """The hub could not be registered with; nothing changed. Its text tells a person why, and holds no token."""


class RegistrationOutOfPlace(RegistrationFailed):
    """It makes no sense in our own present state; the hub was not asked."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub.

    Attributes:
        name: As in settings and metrics.
        rank: How early a new connection speaks for an EVSE that several offer; the operator may set another order.
        single: There can be one connection to it only.
        settings: Gives the model of `Connection.settings`, by what they say: a hub may have one for each role.
        adapter: Makes the adapter of a connection; called in the event loop.
        routes: Makes the routes that the hub calls, mounted at the root; one set for all connections to this hub.
        register: Starts the registration from our side, where the protocol has one (OCPI); else None. Takes the
            connection and the token that the hub gave us for it (OCPI token A). Raises `RegistrationFailed`.
        endpoints: The model of what is adopted of a live connection (`Secrets.endpoints`), where there is a
            registration. It is given the connection's settings as validation context under `settings`.
        unregister: Withdraws a registration from our side, at the hub and in the registry. Raises as `register`.
    """

    name: str
    settings: Callable[[Mapping[str, Any]], type[BaseModel]]
    adapter: Callable[[Connection, Gateway], HubAdapter]
    routes: Callable[[Gateway], Sequence[web.RouteDef]] | None = None
    register: Callable[[Connection, Gateway, str], Awaitable[None]] | None = None
    unregister: Callable[[Connection, Gateway], Awaitable[None]] | None = None
    endpoints: type[BaseModel] | None = None
    rank: int = 100
    single: bool = False
