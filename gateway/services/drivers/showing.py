"""Driver tokens, as a hub may pull them."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from adapters.core.connection import Connection
from adapters.core.inbound import Page, Window
from gateway.services.authorisation.admitting import uid_key
from gateway.services.drivers.tokens import SQL
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId
from mappings.canonical.tokens import Token, TokenType

_FEW: Final = 100_000
"""Tokens that are soon counted, and put in order after they were found by their dates."""

_KEEP: Final = 60.0
"""Seconds for which a larger count is good enough: who pulls five million tokens has them counted once a minute."""

_MOST_MARKS: Final = 1_000


class _Asked(NamedTuple):
    """What is pulled, whichever page of it."""

    parties: tuple[str, ...] | None
    window: Window


class Showing:
    """Gives pages in the order of the tokens' numbers, which no change moves.

    Where a page ends is remembered, since whoever asks for one asks for the next, which is found by the number then,
    however many come before it.

    Args:
        monotonic: A clock in seconds.
    """

    def __init__(self, store: Store, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._counts: dict[_Asked, tuple[float, int]] = {}
        self._marks: OrderedDict[_Asked, int] = OrderedDict()

    async def tokens(self, connection: Connection, window: Window) -> Page:
        """See `inbound.Drivers.tokens`."""
        parties = tuple(sorted(party.normal for party in connection.scope.parties)) or None
        dated = window.date_from is not None or window.date_to is not None
        meant = (list(parties) if parties is not None else None, window.date_from, window.date_to, dated)
        total = await self._count(_Asked(parties, window._replace(offset=0, limit=0)), meant)
        if window.offset >= total:
            return Page([], total)
        begin = self._marks.get(_Asked(parties, window._replace(limit=0)))
        place = (0, window.offset) if begin is None else (begin, 0)
        statement = SQL["page_dated" if dated and total <= _FEW else "page"]
        rows = await self._store.fetch(statement, *meant, *place, window.limit)
        if rows:
            self._mark(_Asked(parties, window._replace(offset=window.offset + len(rows), limit=0)), rows[-1]["no"])
        return Page([Token.model_validate_json(row["body"]) for row in rows], total)

    async def token(self, connection: Connection, party: PartyId, uid: str, type_: TokenType) -> Token | None:
        """See `inbound.Drivers.token`."""
        if not connection.scope.has_party(party):
            return None
        row = await self._store.fetchrow(SQL["get"], party.normal, type_.value, uid_key(uid))
        return Token.model_validate_json(row["body"]) if row is not None and row["withdrawn_at"] is None else None

    async def _count(self, asked: _Asked, meant: tuple[object, ...]) -> int:
        now = self._monotonic()
        kept = self._counts.get(asked)
        if kept is not None and now - kept[0] < _KEEP:
            return kept[1]
        total: int = await self._store.fetchval(SQL["count"], *meant)
        self._counts = {one: told for one, told in self._counts.items() if now - told[0] < _KEEP}
        if total > _FEW:
            self._counts[asked] = now, total
        return total

    def _mark(self, asked: _Asked, no: int) -> None:
        self._marks[asked] = no
        self._marks.move_to_end(asked)
        if len(self._marks) > _MOST_MARKS:
            self._marks.popitem(last=False)
