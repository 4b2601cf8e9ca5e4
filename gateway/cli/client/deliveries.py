"""Deliveries, dead letters, and imports of what is to be delivered."""

from collections.abc import AsyncIterator, Sequence

from gateway.cli.client.wire import LONG, Wire, given, params, path_of
from gateway.http.v1.shapes import Count
from gateway.services.ports import (
    DeadLetter,
    DeliveryState,
    DeliveryView,
    ImportReport,
    Letters,
    MessageFilter,
    MessageView,
    Page,
)
from mappings.canonical.ids import PartyId


class Deliveries:
    """`/v1/deliveries` and `/v1/dead-letters`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(
        self, connection: str | None, state: DeliveryState | None, after: str | None, limit: int
    ) -> Page[DeliveryView]:
        """Gives a page of deliveries."""
        query = params(connection=connection, state=state, after=after, limit=limit)
        return await self._wire.ask(Page[DeliveryView], "GET", path_of("deliveries"), params=query)

    async def messages(self, which: MessageFilter, after: str | None, limit: int) -> Page[MessageView]:
        """Gives a page of messages."""
        query = params(
            connection=which.connection,
            webhook=which.webhook,
            state=which.state,
            key=which.key,
            after=after,
            limit=limit,
        )
        return await self._wire.ask(Page[MessageView], "GET", path_of("deliveries", "messages"), params=query)

    async def dead_letters(self, connection: str | None, after: str | None, limit: int) -> Page[DeadLetter]:
        """Gives a page of dead letters."""
        query = params(connection=connection, after=after, limit=limit)
        return await self._wire.ask(Page[DeadLetter], "GET", path_of("dead-letters"), params=query)

    async def replay(self, letters: Letters) -> int:
        """Tries dead letters again; gives how many."""
        body = given(ids=list(letters.ids) or None, connection=letters.connection, webhook=letters.webhook)
        return (await self._wire.ask(Count, "POST", path_of("dead-letters", "replay"), json=body, timeout=LONG)).count

    async def discard(self, ids: Sequence[int], why: str) -> int:
        """Gives dead letters up; gives how many."""
        body = {"ids": list(ids), "why": why}
        return (await self._wire.ask(Count, "POST", path_of("dead-letters", "discard"), json=body)).count


class Imports:
    """`/v1/imports`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def send(self, content: AsyncIterator[bytes], filename: str, party: PartyId | None) -> ImportReport:
        """Streams a file."""
        query = params(filename=filename, party=party.normal if party else None)
        headers = {"Content-Type": "application/octet-stream"}
        return await self._wire.ask(
            ImportReport, "POST", path_of("imports"), params=query, data=content, headers=headers, timeout=LONG
        )
