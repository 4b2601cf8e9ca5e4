"""The own network: CPO and EMSP on the same gateway, without a hub in between."""

from datetime import UTC, datetime

from adapters.core.connection import Connection
from adapters.core.hub import Gateway, Hub
from adapters.home.adapter import HomeAdapter
from adapters.home.settings import NAME, Settings


def _adapter(connection: Connection, gateway: Gateway) -> HomeAdapter:
    return HomeAdapter(connection, gateway, lambda: datetime.now(UTC))


HUB = Hub(name=NAME, settings=lambda _: Settings, adapter=_adapter, rank=0, single=True)
"""What the gateway's composition root takes."""
