"""What callers see of partners' networks, by the agreements as they are now."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from gateway.agreements.book import Book
from gateway.agreements.repository import Agreements
from gateway.agreements.sight import Sight, next_moment, sight
from gateway.services.links import Links
from gateway.services.ports import Parties
from mappings.canonical.ids import PartyId

_KEPT: Final = 1_000
"""Sets of EMSPs of which it is remembered what they see."""


class Sights:
    """Works out what somebody sees, once for as long as nothing begins or ends.

    Args:
        clock: Gives the present, aware.
    """

    def __init__(self, agreements: Agreements, links: Links, clock: Callable[[], datetime]) -> None:
        self._agreements = agreements
        self._links = links
        self._clock = clock
        self._book: Book | None = None
        self._connections: frozenset[int] = frozenset()
        self._from: datetime | None = None
        self._until: datetime | None = None
        self._known: dict[frozenset[PartyId], Sight] = {}

    async def of(self, emsps: Parties, *, newest: bool = False) -> Sight | None:
        """Gives what some EMSPs see together.

        Args:
            emsps: None for whoever looks after all of them, and sees everything.
            newest: Looks first whether anything was changed; else what another replica changed counts a second later.

        Returns:
            None where everything is seen.
        """
        if emsps is None:
            return None
        if newest:
            await self._links.refresh()
        book, now = await self._agreements.book(), self._clock()
        self._forget(book, now)
        if (known := self._known.get(emsps)) is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[emsps] = sight(book, self._connections, emsps, now)
        return known

    def _forget(self, book: Book, now: datetime) -> None:
        """Forgets what is not so any more."""
        keepers = self.keepers()
        if book is self._book and keepers == self._connections and self._holds(now):
            return
        self._known.clear()
        # What begins at a moment is there from it on, so that up to the next one nothing changes, back to now.
        self._book, self._connections = book, keepers
        self._from, self._until = now, next_moment(book, now)

    def _holds(self, now: datetime) -> bool:
        return self._from is not None and self._until is not None and self._from <= now < self._until

    def keepers(self) -> frozenset[int]:
        """Names the connections over which nobody but us keeps a record of who may."""
        return frozenset(link.connection.id for link in self._links.all() if not link.adapter.charging.has_contracts)
