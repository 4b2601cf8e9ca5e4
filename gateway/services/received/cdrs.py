"""CDRs that come home: taken once and durably, held against all that is known, and for review where they do not fit."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

import asyncpg

from adapters.core.connection import Connection
from adapters.core.inbound import CdrTaken
from gateway.agreements.book import Book
from gateway.agreements.policy import Reason
from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.ports.received import Doubt, Review, price_source
from gateway.services.received import checking
from gateway.services.received.agreeing import Agreeing
from gateway.services.received.charges import key_of
from gateway.services.received.doubts import dump_doubts
from gateway.services.received.judging import judge
from gateway.services.received.knowing import SQL
from gateway.store.batching import Batches
from gateway.store.growth import Growth
from gateway.store.pool import Store, Transaction
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg

Count: TypeAlias = Callable[[str, str, str, Decimal], None]
"""Counts a CDR that came home: hub, connection, what became of it, kWh."""

_UNBILLED: Final = frozenset({"last_updated"})
"""What may differ between two copies of one CDR."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A CDR as it came."""

    connection: Connection
    cdr: Cdr
    leg: Leg | None
    digest: bytes

    @property
    def order(self) -> tuple[int, str]:
        """In which CDRs of a batch lock their sessions; those of one session stay in the order in which they came."""
        return self.connection.id, key_of(self.cdr.session_id or "")


class _Written(NamedTuple):
    """What became of one, why a person has to look at it, and where our record disagrees with the hub."""

    taken: CdrTaken
    reviews: Sequence[str]
    party: PartyId | None = None
    disagrees: Reason | None = None


class CdrIntake:
    """Takes CDRs in; what arrives together shares a transaction.

    Args:
        wake: Called after a commit that left events.
        clock: Gives the present, aware.
    """

    def __init__(
        self,
        store: Store,
        agreeing: Agreeing,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
        count: Count,
    ) -> None:
        self._store = store
        self._agreeing = agreeing
        self._growth = Growth(store)
        self._wake = wake
        self._clock = clock
        self._count = count
        self._batches: Batches[Arrival, CdrTaken] = Batches(self._write, most=50)

    async def take(self, arrival: Arrival) -> CdrTaken:
        """Takes one; it is durable when this returns."""
        return await self._batches.put(arrival)

    async def close(self) -> None:
        """Waits for what is being written."""
        await self._batches.close()

    async def _write(self, batch: Sequence[Arrival]) -> Sequence[CdrTaken]:
        results: dict[int, _Written] = {}
        book = await self._agreeing.book()
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    for position in sorted(range(len(batch)), key=lambda position: batch[position].order):
                        results[position] = await self._one(tx, book, batch[position])
        new = 0
        for position, (taken, reviews, party, disagrees) in results.items():
            one = batch[position]
            if disagrees is not None:
                self._agreeing.note(one.connection, one.cdr.party, party, disagrees)
            new += taken is not CdrTaken.SAME
            outcome = "same" if taken is CdrTaken.SAME else "review" if reviews else "accepted"
            self._count(one.connection.hub, one.connection.name, outcome, one.cdr.energy)
        if new:
            self._wake()
            await self._growth.note(received_cdr=new, event=new)
        return [results[position].taken for position in range(len(batch))]

    async def _one(self, tx: Transaction, book: Book, arrival: Arrival) -> _Written:
        connection, cdr = arrival.connection, arrival.cdr
        key = (connection.id, cdr.party.normal, key_of(cdr.id))
        versions = await tx.fetch(SQL["versions"], *key)
        if any(row["digest"] == arrival.digest or _same(cdr, row["body"]) for row in versions):
            return _Written(CdrTaken.SAME, [])
        judged = await judge(tx, self._agreeing, book, connection, cdr, arrival.leg, self._clock())
        doubts = list(judged.doubts)
        if versions:
            doubts.append(Doubt(Review.OTHER_CONTENT, "id", "came before with another content"))
        reviews = checking.reasons(doubts)
        no: int | None = await tx.fetchval(
            SQL["insert_cdr"],
            *(connection.id, cdr.party.normal, cdr.id, key_of(cdr.id)),
            len(versions) + 1,
            judged.party.normal if judged.party is not None else None,
            cdr.model_dump_json(exclude_defaults=True),
            arrival.leg.model_dump_json(exclude_none=True) if arrival.leg is not None else None,
            arrival.digest,
            judged.session_keys,
            judged.evse_key,
            judged.driver_keys,
            judged.permit_no,
            judged.session_no,
            cdr.energy,
            cdr.start,
            cdr.end,
            cdr.credit,
            reviews,
            dump_doubts(doubts),
            judged.agreed,
        )
        if no is None:
            raise asyncpg.SerializationError("somebody else took the same CDR first")
        if cdr.credit and judged.credited is not None and not reviews:
            await take_back(tx, judged.credited["no"], no, cdr.id)
        if not cdr.credit and not versions and judged.session is not None and judged.session["cdr_no"] is None:
            await tx.execute(SQL["bill"], judged.session["no"], no)
        await tell_cdr(tx, no, EventType.RECEIVED_CDR_REVIEW if reviews else EventType.RECEIVED_CDR_ACCEPTED)
        taken = CdrTaken.CONFLICT if versions else CdrTaken.NEW
        return _Written(taken, reviews, judged.party, judged.disagrees)


def _same(cdr: Cdr, stored: str) -> bool:
    """Tells whether two CDRs bill the same, however their ids are spelled."""
    before = Cdr.model_validate_json(stored)
    if key_of(before.id) != key_of(cdr.id):
        return False
    session_ids = {key_of(one.session_id) for one in (cdr, before) if one.session_id is not None}
    spelled: dict[str, Any] = {"id": cdr.id, **{name: getattr(cdr, name) for name in _UNBILLED}}
    if len(session_ids) == 1 and before.session_id is not None:
        spelled["session_id"] = cdr.session_id
    return before.model_copy(update=spelled) == cdr


async def take_back(tx: Transaction, no: int, by: int, by_id: str) -> None:
    """Notes that a CDR is taken back by another one."""
    await tx.execute(SQL["take_back"], no, by, f"its CDR was taken back by {by_id}")


async def tell_cdr(tx: Transaction, no: int, type_: EventType) -> None:
    """Writes an event of a CDR, where its driver's EMSP is known."""
    [row] = await tx.fetch(SQL["told_of_cdr"], no)
    if row["party"] is None:
        return
    data = json.loads(row["data"])
    data["price_source"] = price_source(Cdr.model_validate_json(row["body"])).value
    await append_events(tx, Event(type_, PartyId(row["party"]), f"received-cdrs/{no}", data))
