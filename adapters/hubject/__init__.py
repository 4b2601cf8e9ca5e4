"""Hubject, by OICP 2.3: one connection for each OperatorID, and one for each ProviderID."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from adapters.core.connection import Connection
from adapters.core.hub import Gateway, Hub
from adapters.core.roaming import HubAdapter
from adapters.hubject.adapter import HubjectAdapter
from adapters.hubject.provider.adapter import ProviderAdapter
from adapters.hubject.provider.server import Inbound as ProviderInbound
from adapters.hubject.provider.settings import ProviderSettings
from adapters.hubject.server import Inbound
from adapters.hubject.settings import HubjectSettings, Settings


def _settings(given: Mapping[str, Any]) -> type[HubjectSettings]:
    return ProviderSettings if "provider_id" in given else Settings


def make_adapter(connection: Connection, gateway: Gateway) -> HubAdapter:
    """Makes the adapter of a connection, an operator's or a provider's.

    Raises:
        pydantic.ValidationError: The connection's settings are not those of this hub.
    """
    settings = _settings(connection.settings).model_validate(connection.settings)
    if isinstance(settings, ProviderSettings):
        return ProviderAdapter(connection.name, settings, gateway.observer, lambda: datetime.now(UTC))
    own = Settings.model_validate(connection.settings)
    return HubjectAdapter(connection.name, own, gateway.observer, gateway.compare, lambda: datetime.now(UTC))


def _routes(gateway: Gateway) -> Sequence[web.RouteDef]:
    return [*Inbound(gateway).routes(), *ProviderInbound(gateway).routes()]


HUB = Hub(name="hubject", settings=_settings, adapter=make_adapter, routes=_routes)
"""What the gateway's composition root takes."""
