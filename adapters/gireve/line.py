"""A connection's way to IOP: the token to present, the endpoints to call, the headers that every request has."""

from collections.abc import Callable, Mapping
from typing import Any

from adapters.core import ocpi
from adapters.core.connection import Connection
from adapters.core.http import MAX_ANSWER, Answer, Reply, UrlRefused, compact_json
from adapters.core.inbound import Observer
from adapters.core.outcomes import Misconfigured, Outcome
from adapters.gireve.client import make_client
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId


class Line:
    """Requests of functional modules, with OCPI's headers.

    Args:
        limit: Most requests at once.
        timeout, max_answer: As `make_client`.
    """

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        observer: Observer,
        *,
        limit: int,
        timeout: float | None = None,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        self._token = connection.secrets.ours
        self._receiver = settings.hub_party
        self._endpoints = _checked(ocpi.modules_of(connection), settings)
        self._client = make_client(connection, settings, observer, limit=limit, timeout=timeout, max_answer=max_answer)

    def endpoint(self, name: str) -> str | Misconfigured:
        """Gives the URL of an endpoint.

        Args:
            name: As in `Endpoints.modules`, `sessions/RECEIVER`.
        """
        found = self._endpoints.get(name)
        if self._token is None or found is None:
            return Misconfigured(f"not registered for {name.partition('/')[0]}")
        if isinstance(found, UrlRefused):
            return Misconfigured(f"the endpoint of {name.partition('/')[0]} may not be called: {found}")
        return found

    async def request(
        self,
        operation: str,
        method: str,
        url: str | Misconfigured,
        body: Any,
        sender: PartyId,
        judge: Callable[[Answer], Outcome],
        *,
        correlation: str | None = None,
        receiver: PartyId | None = None,
    ) -> Reply:
        """Makes one request, from one of our parties to IOP itself (guide, IOP is a HUB), or to whom it stands for.

        Args:
            operation: For the metrics.
            url: An endpoint, or why there is none.
            body: JSON-able; None for none.
            correlation: The id of what it is a consequence of (guide, Traceability); one of its own where None.
            receiver: To whom, where that is not IOP.
        """
        if isinstance(url, Misconfigured):
            return Reply(url, None)
        if self._token is None:
            return Reply(Misconfigured(f"not registered for {operation}"), None)
        headers = ocpi.headers(self._token, sender=sender, receiver=receiver or self._receiver)
        if correlation is not None:
            headers[ocpi.CORRELATION_ID] = correlation
        return await self._client.request(
            operation,
            method,
            url,
            judge=judge,
            body=None if body is None else compact_json(body),
            headers=headers,
        )

    async def close(self) -> None:
        """Gives up sockets."""
        await self._client.close()


def _checked(modules: Mapping[str, str], settings: Settings) -> dict[str, str | UrlRefused]:
    """Gives what can be called, checked anew: endpoints may have been adopted, the allow list changed."""
    found: dict[str, str | UrlRefused] = {}
    for name, url in modules.items():
        try:
            found[name] = settings.checked(url)
        except UrlRefused as refused:
            found[name] = refused
    return found
