"""What came home and waits for a person, judged anew by what is known by now.

The catalogue may have learnt of an EVSE since, and a token or a permit may have been written a moment too late.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from adapters.core.connection import Connection
from gateway.events.writing import EventType
from gateway.services.links import Links
from gateway.services.ports import Conflict, NotFound, Parties
from gateway.services.ports.received import Doubt, Review
from gateway.services.received import checking
from gateway.services.received.agreeing import Agreeing
from gateway.services.received.cdrs import Count, take_back, tell_cdr
from gateway.services.received.doubts import dump_doubts, load_doubts
from gateway.services.received.judging import Judged, Stored, judge
from gateway.services.received.knowing import SQL
from gateway.services.received.sessions import SessionIntake
from gateway.services.waiting import Sweeper
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg

EVERY: Final = 60.0
"""Seconds between two looks for what may be judged anew by itself."""

AGAIN: Final = timedelta(minutes=10)
"""How long one that was judged is left alone."""

LASTS: Final = timedelta(days=1)
"""For how long after it came."""

_BATCH: Final = 100

_LACKS: Final = (Review.UNKNOWN_EVSE, Review.UNKNOWN_DRIVER, Review.UNKNOWN_PERMIT)
"""Reasons that end by themselves when what was not known becomes known."""


class Rechecks:
    """Judges sessions and CDRs anew: when a person asks for it, and for a day by itself where only knowledge lacked.

    Args:
        wake: Called after a commit that left an event.
        clock: Gives the present, aware.
        count: Told of CDRs that passed.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        agreeing: Agreeing,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
        count: Count,
    ) -> None:
        self._store = store
        self._agreeing = agreeing
        self._links = links
        self._sessions = SessionIntake(store, wake, clock)
        self._wake = wake
        self._clock = clock
        self._count = count
        self._sweeper = Sweeper("judging anew what came home", EVERY, self.sweep)

    def start(self) -> None:
        """Starts looking for what may be judged anew."""
        self._sweeper.start()

    async def stop(self) -> None:
        """Stops looking."""
        await self._sweeper.stop()

    async def session(self, no: int, parties: Parties = None, who: str | None = None) -> None:
        """Judges a session anew.

        Args:
            who: The person who asked for it, for the audit log.

        Raises:
            NotFound: There is no such session.
            Conflict: It does not wait for review, or its connection was removed.
        """
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    row = _visible(await tx.fetchrow(SQL["lock_session_no"], no), parties, f"session {no}")
                    if not row["reviews"]:
                        raise Conflict("The session does not wait for review")
                    await self._sessions.again(tx, self._connection(row), row)
                    if who is not None:
                        await _audit(tx, who, f"received-session/{no}", row["reviews"])
        self._wake()

    async def cdr(self, no: int, parties: Parties = None, who: str | None = None) -> None:
        """Judges a CDR anew; arguments and errors as for a session."""
        passed: tuple[Connection, Cdr] | None = None
        book = await self._agreeing.book()
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    seen = _visible(await tx.fetchrow(SQL["unlocked_cdr"], no), parties, f"CDR {no}")
                    connection, cdr = self._connection(seen), Cdr.model_validate_json(seen["body"])
                    leg = Leg.model_validate_json(seen["leg"]) if seen["leg"] is not None else None
                    # Sessions and permits are locked before their CDRs.
                    stored = Stored(no, seen["received_session_no"])
                    judged = await judge(tx, self._agreeing, book, connection, cdr, leg, self._clock(), stored)
                    row = await tx.fetchrow(SQL["lock_cdr"], no)
                    if row is None or row["received_session_no"] != seen["received_session_no"]:
                        raise asyncpg.SerializationError("its session came meanwhile")
                    if not row["reviews"] or row["decision"] is not None:
                        raise Conflict("The CDR does not wait for review")
                    left = await _store(tx, row, cdr, judged)
                    passed = (connection, cdr) if not left else None
                    if who is not None:
                        await _audit(tx, who, f"received-cdr/{no}", row["reviews"])
        self._wake()
        if passed is not None:
            connection, cdr = passed
            self._count(connection.hub, connection.name, "accepted", cdr.energy)

    async def sweep(self) -> int:
        """Judges anew what only lacked knowledge, and came within a day; gives how much there was."""
        count = 0
        # Sessions first: by theirs their CDRs are judged.
        for statement, again in (("sessions_to_check", self.session), ("cdrs_to_check", self.cdr)):
            while rows := await self._store.fetch(SQL[statement], [*_LACKS], LASTS, AGAIN, _BATCH):
                for row in rows:
                    try:
                        await again(row["no"])
                    except (Conflict, NotFound):  # somebody decided meanwhile, or the connection is gone
                        continue
                count += len(rows)
        return count

    def _connection(self, row: Record) -> Connection:
        link = self._links.get(row["connection_id"]) if row["connection_id"] is not None else None
        if link is None:
            raise Conflict("The connection over which it came is there no more")
        return link.connection


async def _store(tx: Transaction, row: Record, cdr: Cdr, judged: Judged) -> Sequence[str]:
    """Writes what a CDR comes to now, with all that follows; gives why a person still has to look at it."""
    before = load_doubts(row["doubts"])
    doubts: list[Doubt] = [*judged.doubts, *(one for one in before if one.reason is Review.OTHER_CONTENT)]
    reviews = checking.reasons(doubts)
    party = judged.party.normal if judged.party is not None else row["party"]
    known = judged.evse_key, judged.driver_keys, judged.permit_no, judged.session_no
    await tx.execute(SQL["judged"], row["no"], party, *known, reviews, dump_doubts(doubts), judged.agreed)
    if cdr.credit and judged.credited is not None and not reviews:
        await take_back(tx, judged.credited["no"], row["no"], cdr.id)
    session = judged.session
    if session is not None and not cdr.credit:
        first = session["cdr_no"] is None and row["version"] == 1
        if first or session["cdr_no"] == row["no"]:
            await tx.execute(SQL["bill"], session["no"], row["no"])
    if not reviews:
        await tell_cdr(tx, row["no"], EventType.RECEIVED_CDR_ACCEPTED)
    elif party != row["party"] or set(reviews) - set(row["reviews"]):
        await tell_cdr(tx, row["no"], EventType.RECEIVED_CDR_REVIEW)
    return reviews


def _visible(row: Record | None, parties: Parties, what: str) -> Record:
    if row is None or (parties is not None and (row["party"] is None or PartyId(row["party"]) not in parties)):
        raise NotFound(f"There is no received {what}")
    return row


async def _audit(tx: Transaction, who: str, subject: str, reviews: Sequence[str]) -> None:
    await tx.execute(SQL["audit"], who, "checked", subject, json.dumps({"review": list(reviews)}))
