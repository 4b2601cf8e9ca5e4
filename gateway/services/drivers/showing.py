"""Driver tokens, as a hub may pull them."""

from bisect import bisect_right
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

_HOLDS: Final = 600.0
"""Seconds for which it is remembered where a page ends: tokens that come back move those behind them."""

_MOST_LISTS: Final = 100
_MOST_MARKS: Final = 1_000
"""Pages of one list whose ends are remembered; of more, every second one."""


class _Asked(NamedTuple):
    """What is pulled, whichever page of it."""

    parties: tuple[str, ...] | None
    window: Window


class _Mark(NamedTuple):
    """The end of a page: the offset behind it, the number of its last token, and when it was given."""

    offset: int
    no: int
    at: float


class Showing:
    """Gives pages in the order of the tokens' numbers, which no change moves.

    Where pages end is remembered for a while, since whoever asks for one asks for the next, which is found by the
    number of the last end before it then, however many come before that. Another replica may have given one between.

    Args:
        monotonic: A clock in seconds.
    """

    def __init__(self, store: Store, monotonic: Callable[[], float]) -> None:
        self._store = store
        self._monotonic = monotonic
        self._counts: dict[_Asked, tuple[float, int]] = {}
        self._marks: OrderedDict[_Asked, list[_Mark]] = OrderedDict()

    async def tokens(self, connection: Connection, window: Window) -> Page:
        """See `inbound.Drivers.tokens`."""
        parties = tuple(sorted(party.normal for party in connection.scope.parties)) or None
        dated = window.date_from is not None or window.date_to is not None
        meant = (list(parties) if parties is not None else None, window.date_from, window.date_to, dated)
        asked = _Asked(parties, window._replace(offset=0, limit=0))
        total = await self._count(asked, meant)
        if window.offset >= total:
            return Page([], total)
        offset, no = self._nearest(asked, window.offset)
        place = (no, window.offset - offset)
        statement = SQL["page_dated" if dated and total <= _FEW else "page"]
        rows = await self._store.fetch(statement, *meant, *place, window.limit)
        if rows:
            self._mark(asked, window.offset + len(rows), rows[-1]["no"])
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

    def _nearest(self, asked: _Asked, offset: int) -> tuple[int, int]:
        """Gives the last known end of a page that is not behind an offset, and the number of the token there."""
        marks = self._marks.get(asked, [])
        since = self._monotonic() - _HOLDS
        before = marks[: bisect_right(marks, offset, key=lambda mark: mark.offset)]
        return next(((mark.offset, mark.no) for mark in reversed(before) if mark.at >= since), (0, 0))

    def _mark(self, asked: _Asked, offset: int, no: int) -> None:
        marks = self._marks.setdefault(asked, [])
        self._marks.move_to_end(asked)
        made = _Mark(offset, no, self._monotonic())
        index = bisect_right(marks, offset, key=lambda mark: mark.offset)
        if index and marks[index - 1].offset == offset:
            marks[index - 1] = made
        else:
            marks.insert(index, made)
        if len(marks) > _MOST_MARKS:
            del marks[::2]
        if len(self._marks) > _MOST_LISTS:
            self._marks.popitem(last=False)
