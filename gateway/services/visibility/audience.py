"""Whom an own tariff is told for, by the agreements: a price of one EMSP's own follows the EMSP's right to it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import NamedTuple

import asyncpg

from gateway.agreements.book import Book
from gateway.agreements.policy import Request, decide
from gateway.agreements.repository import Agreements
from gateway.outbox.projecting import Link
from gateway.services.links import Links
from gateway.store.pool import Transaction
from mappings.canonical.agreements import Service
from mappings.canonical.tariffs import Tariff


class Audience:
    """Tells whether a connection's hub is to know a tariff.

    Args:
        clock: Looked at for each tariff, whose row is locked by then: whoever changes it after what begins or ends at a
            moment finds what is so.
    """

    def __init__(self, book: Book, clock: Callable[[], datetime]) -> None:
        self._book = book
        self._clock = clock

    def has(self, connection_id: int, tariff: Tariff) -> bool:
        """Tells whether a tariff is for all, or for an EMSP that may know of the CPO over the connection."""
        if tariff.target is None:
            return True
        request = Request(Service.POI, tariff.party, tariff.target)
        return decide(self._book, connection_id, request, self._clock()).allowed


class Published(NamedTuple):
    """A transaction in which objects are written, with what holds in it."""

    tx: Transaction
    links: Sequence[Link]
    audience: Audience


class Audiences:
    """Opens transactions in which tariffs are written.

    Args:
        clock: Gives the present, aware.
    """

    def __init__(self, agreements: Agreements, links: Links, clock: Callable[[], datetime]) -> None:
        self._agreements = agreements
        self._links = links
        self._clock = clock

    async def present(self) -> Audience:
        """Gives what holds now, outside of any transaction."""
        return Audience(await self._agreements.book(), self._clock)

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[Published]:
        """Opens a transaction as `Links.publishing` does.

        Raises:
            asyncpg.SerializationError: Agreements changed on the way; it is to be begun anew.
        """
        # Before the transaction: who holds a connection to the store and waits for another may wait for ever.
        agreed = self._links.agreed
        book = await self._agreements.book()
        async with self._links.publishing() as (tx, links):
            if self._links.agreed != agreed:
                raise asyncpg.SerializationError("agreements changed meanwhile")
            yield Published(tx, links, Audience(book, self._clock))
