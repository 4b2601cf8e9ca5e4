"""Gireve, by OCPI 2.2.1."""

from collections.abc import Sequence

from aiohttp import web

from adapters.core.connection import Connection
from adapters.core.hub import Gateway, Hub
from adapters.core.roaming import HubAdapter
from adapters.gireve.adapter import GireveAdapter
from adapters.gireve.home import home_of
from adapters.gireve.registration import AdoptedEndpoints, register, unregister
from adapters.gireve.server import Inbound
from adapters.gireve.settings import Settings


def _adapter(connection: Connection, gateway: Gateway) -> HubAdapter:
    return GireveAdapter(connection, gateway.observer, home=home_of(connection, gateway), compare=gateway.compare)


def _routes(gateway: Gateway) -> Sequence[web.RouteDef]:
    return Inbound(gateway).routes()


HUB = Hub(
    name="gireve",
    settings=lambda _: Settings,
    adapter=_adapter,
    routes=_routes,
    register=register,
    unregister=unregister,
    endpoints=AdoptedEndpoints,
)
"""What the gateway's composition root takes."""
