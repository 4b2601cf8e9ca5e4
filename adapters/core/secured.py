"""The HTTP client of a connection, made anew whenever the certificates that it shows or trusts are renewed."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Self

from adapters.core.http import MAX_ANSWER, Answer, HubClient, Reply
from adapters.core.inbound import Observer
from adapters.core.outcomes import Misconfigured, NotSent, Outcome
from adapters.core.tls import TlsFiles, TlsSettings


class SecuredClient:
    """Requests to one hub over one connection. Opens nothing before the first one.

    So a connection whose certificate is not there can be read, shown and mended like any other: what its requests come
    to is that it is misconfigured.

    Args:
        hub, connection: Names, for the metrics.
        tls: The certificates.
        timeout, connect_timeout, limit, max_answer: As `HubClient`.
    """

    def __init__(
        self,
        hub: str,
        connection: str,
        observer: Observer,
        tls: TlsSettings,
        *,
        timeout: timedelta,
        connect_timeout: timedelta,
        limit: int,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        self._hub, self._connection, self._observer = hub, connection, observer
        self._tls = tls
        self._timeout, self._connect_timeout = timeout, connect_timeout
        self._limit, self._max_answer = limit, max_answer
        self._client: HubClient | None = None
        self._read_at: tuple[int | None, ...] = ()
        self._in_flight: Counter[HubClient] = Counter()
        self._closed = False

    async def request(
        self,
        operation: str,
        method: str,
        url: str,
        *,
        judge: Callable[[Answer], Outcome],
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Sends one request, once; see `HubClient.request`."""
        if self._closed:
            return Reply(NotSent("the connection was closed"), None)
        try:
            client = await self._open()
        except TlsFiles as error:
            return Reply(Misconfigured(str(error)), None)
        self._in_flight[client] += 1
        try:
            return await client.request(operation, method, url, judge=judge, body=body, headers=headers)
        finally:
            self._in_flight[client] -= 1
            await self._close_if_retired(client)

    async def _open(self) -> HubClient:
        """Gives the client, a new one where the certificates' files changed since it was made.

        Raises:
            TlsFiles: They cannot be read and there is no client yet. Where there is one it stays: a certificate and its
                key are not replaced in the same instant.
        """
        read_at = self._tls.changed_at()
        old = self._client
        if old is not None and read_at == self._read_at:
            return old
        try:
            context = self._tls.context()
        except TlsFiles:
            if old is None:
                raise
            return old
        self._read_at = read_at
        self._client = client = HubClient(
            self._hub,
            self._connection,
            self._observer,
            timeout=self._timeout,
            connect_timeout=self._connect_timeout,
            ssl_context=context,
            limit=self._limit,
            max_answer=self._max_answer,
        )
        if old is not None:
            await self._close_if_retired(old)
        return client

    async def _close_if_retired(self, client: HubClient) -> None:
        if client is not self._client and not self._in_flight[client]:
            del self._in_flight[client]
            await client.close()

    async def close(self) -> None:
        """Gives up all sockets, those of requests under way too; no request is sent any more."""
        self._closed = True
        clients = {*self._in_flight, *([self._client] if self._client is not None else [])}
        self._client = None
        self._in_flight.clear()
        for client in clients:
            await client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
