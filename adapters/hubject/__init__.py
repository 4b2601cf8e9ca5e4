"""Hubject, by OICP 2.3: a CPO's network, and the charges of other providers' drivers at it."""

from collections.abc import Sequence

from aiohttp import web

from adapters.core.hub import Gateway, Hub
from adapters.hubject.adapter import make_adapter
from adapters.hubject.server import Inbound
from adapters.hubject.settings import Settings


def _routes(gateway: Gateway) -> Sequence[web.RouteDef]:
    return Inbound(gateway).routes()


HUB = Hub(name="hubject", settings=Settings, adapter=make_adapter, routes=_routes)
"""What the gateway's composition root takes."""
