"""The HTTP client of a connection to Gireve."""

from datetime import timedelta

from adapters.core.connection import Connection
from adapters.core.http import MAX_ANSWER
from adapters.core.inbound import Observer
from adapters.core.secured import SecuredClient
from adapters.gireve.settings import Settings


def make_client(
    connection: Connection,
    settings: Settings,
    observer: Observer,
    *,
    limit: int,
    timeout: float | None = None,
    max_answer: int = MAX_ANSWER,
) -> SecuredClient:
    """Makes the client.

    Args:
        limit: Most requests at once.
        timeout: Seconds that one request may take, where that is less than the settings allow.
        max_answer: Bound on an answer's body, bytes.
    """
    seconds = settings.timeout_seconds if timeout is None else min(timeout, settings.timeout_seconds)
    return SecuredClient(
        "gireve",
        connection.name,
        observer,
        settings,
        timeout=timedelta(seconds=seconds),
        connect_timeout=timedelta(seconds=settings.connect_timeout_seconds),
        limit=limit,
        max_answer=max_answer,
    )
