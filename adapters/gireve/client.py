"""The HTTP client of a connection to Gireve."""

from datetime import timedelta

from adapters.core.connection import Connection
from adapters.core.http import HubClient
from adapters.core.inbound import Observer
from adapters.gireve.settings import Settings


def make_client(connection: Connection, settings: Settings, observer: Observer, *, limit: int) -> HubClient:
    """Makes the client, in the event loop.

    Args:
        limit: Most requests at once.

    Raises:
        OSError: A certificate cannot be read.
    """
    return HubClient(
        "gireve",
        connection.name,
        observer,
        timeout=timedelta(seconds=settings.timeout_seconds),
        connect_timeout=timedelta(seconds=settings.connect_timeout_seconds),
        ssl_context=settings.ssl_context(),
        limit=limit,
    )
