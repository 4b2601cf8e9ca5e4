"""CDRs that come home: taken once and durably, held against all that is known, and for review where they do not fit."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias

import asyncpg

from adapters.core.connection import Connection
from adapters.core.inbound import CdrTaken
from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.ports.received import Doubt, Review, price_source
from gateway.services.received import charges, checking
from gateway.services.received.charges import Charge, key_of
from gateway.services.received.doubts import STICKY, dump_doubts, load_doubts, settled_reasons
from gateway.services.received.knowing import SQL, Knowledge, expect_sessions, known, marks
from gateway.services.received.matching import Belonging, belonging, party_of
from gateway.store.batching import Batches
from gateway.store.growth import Growth
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import SessionStatus

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


@dataclass(frozen=True, slots=True)
class _Place:
    """What a CDR bills: its session, and what it belongs to."""

    session: Record | None
    belongs: Belonging
    knows: Knowledge


class CdrIntake:
    """Takes CDRs in; what arrives together shares a transaction.

    Args:
        wake: Called after a commit that left events.
        clock: Gives the present, aware.
    """

    def __init__(self, store: Store, wake: Callable[[], None], clock: Callable[[], datetime], count: Count) -> None:
        self._store = store
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
        results: dict[int, tuple[CdrTaken, list[str]]] = {}
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    for position in sorted(range(len(batch)), key=lambda position: batch[position].order):
                        results[position] = await self._one(tx, batch[position])
        new = 0
        for position, (taken, reviews) in results.items():
            one = batch[position]
            new += taken is not CdrTaken.SAME
            outcome = "same" if taken is CdrTaken.SAME else "review" if reviews else "accepted"
            self._count(one.connection.hub, one.connection.name, outcome, one.cdr.energy)
        if new:
            self._wake()
            await self._growth.note(received_cdr=new, event=new)
        return [results[position][0] for position in range(len(batch))]

    async def _one(self, tx: Transaction, arrival: Arrival) -> tuple[CdrTaken, list[str]]:
        connection, cdr = arrival.connection, arrival.cdr
        key = (connection.id, cdr.party.normal, key_of(cdr.id))
        versions = await tx.fetch(SQL["versions"], *key)
        if any(row["digest"] == arrival.digest or _same(cdr, row["body"]) for row in versions):
            return CdrTaken.SAME, []
        charge = charges.of_cdr(connection, cdr, arrival.leg, self._clock())
        place = await _find(tx, charge)
        driver_keys = marks(charge, place.knows.tokens)
        evse_key = place.knows.evse.key if place.knows.evse is not None else None
        if evse_key is None and charge.evse_id is not None:
            evse_key = charge.evse_id.normal
        doubts = [
            *place.belongs.doubts,
            *checking.of_place(charge, place.knows.evse),
            *checking.of_amounts(charge, place.knows.evse),
            *checking.of_cdr(cdr, self._clock()),
        ]
        if place.session is not None:
            doubts += checking.of_cdr_and_session(cdr, evse_key, driver_keys, _facts(place.session))
        if versions:
            doubts.append(Doubt(Review.OTHER_CONTENT, "id", "came before with another content"))
        session_no, permit_no = await _numbers(tx, place)
        credited = await _credited(tx, key, cdr)
        if cdr.credit:
            doubts += _of_credit(cdr, credited)
        else:
            doubts += await _repeated(tx, charge, key, session_no, permit_no, evse_key, driver_keys)
        reviews = checking.reasons(doubts)
        no: int | None = await tx.fetchval(
            SQL["insert_cdr"],
            *(connection.id, cdr.party.normal, cdr.id, key_of(cdr.id)),
            len(versions) + 1,
            place.belongs.party.normal if place.belongs.party is not None else None,
            cdr.model_dump_json(exclude_defaults=True),
            arrival.leg.model_dump_json(exclude_none=True) if arrival.leg is not None else None,
            arrival.digest,
            charge.session_keys,
            evse_key,
            driver_keys,
            permit_no,
            session_no,
            cdr.energy,
            cdr.start,
            cdr.end,
            cdr.credit,
            reviews,
            dump_doubts(doubts),
        )
        if no is None:
            raise asyncpg.SerializationError("somebody else took the same CDR first")
        if cdr.credit and credited is not None and not reviews:
            await take_back(tx, credited["no"], no, cdr.id)
        if not cdr.credit and not versions and place.session is not None and place.session["cdr_no"] is None:
            await tx.execute(SQL["bill"], place.session["no"], no, cdr.end)
        await tell_cdr(tx, no, EventType.RECEIVED_CDR_REVIEW if reviews else EventType.RECEIVED_CDR_ACCEPTED)
        return CdrTaken.CONFLICT if versions else CdrTaken.NEW, reviews


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


async def _find(tx: Transaction, charge: Charge) -> _Place:
    """Finds what a CDR bills: by the session's id, else by its permit, else by driver, EVSE and time."""
    session = await _called(tx, charge)
    if session is None and charge.session_ids:
        # Whoever tells of that session first is about to commit, or waits for us and then finds the CDR.
        await expect_sessions(tx, charge)
        session = await _called(tx, charge)
    strange: list[Doubt] = []
    if session is not None and session["cpo"] != charge.cpo.normal:
        said = f"is a session of {session['cpo']}, not of {charge.cpo}"
        strange, session = [Doubt(Review.OTHER_PARTY, "session_id", said)], None
    knows = await known(tx, charge, permits=session is None or session["permit_no"] is None)
    if session is not None and session["permit_no"] is not None:
        permit = await tx.fetchrow(SQL["permit"], session["permit_no"])
        party = PartyId(permit["party"]) if permit is not None else party_of(charge, knows, ())
        inherited = [one for one in load_doubts(session["doubts"]) if one.reason in STICKY]
        return _Place(session, Belonging(None, party, _unsettled(session, inherited)), knows)
    belongs = belonging(charge, knows, session["no"] if session is not None else None)
    if session is not None:
        belongs = replace(belongs, doubts=_unsettled(session, belongs.doubts))
    if session is None and belongs.permit is not None and belongs.permit.received_session_no is not None:
        session = await _lock(tx, belongs.permit.received_session_no)
        if session is not None and _is_of(session, charge):
            return _Place(session, Belonging(belongs.permit, belongs.party, strange), knows)
        session = None
    if session is None and belongs.permit is None and not charge.session_ids:
        session, unclear = await _nearby(tx, charge, knows)
        if session is not None:
            belongs = Belonging(None, belongs.party, ())
        elif unclear:
            belongs = Belonging(None, belongs.party, [Doubt(Review.AMBIGUOUS, "session_id", "fits several sessions")])
    return _Place(session, Belonging(belongs.permit, belongs.party, [*belongs.doubts, *strange]), knows)


def _unsettled(session: Record, doubts: Sequence[Doubt]) -> list[Doubt]:
    """Leaves what no person has settled of a session."""
    settled = settled_reasons(session["decided"])
    return [doubt for doubt in doubts if doubt.reason not in settled]


async def _called(tx: Transaction, charge: Charge) -> Record | None:
    """Finds and locks the session that a CDR names."""
    if not charge.session_ids:
        return None
    called = await tx.fetchval(SQL["session_called"], charge.connection.id, charge.session_keys, charge.cpo.normal)
    return await _lock(tx, called) if called is not None else None


async def _lock(tx: Transaction, no: int) -> Record | None:
    return await tx.fetchrow(SQL["lock_session_no"], no)


def _is_of(session: Record, charge: Charge) -> bool:
    """Tells whether the session of a CDR's permit may be its own: it is the CPO's, and the CDR names no other."""
    same = not charge.session_ids or session["session_key"] in charge.session_keys
    # A hub may call the session otherwise than its CPO does.
    return session["cpo"] == charge.cpo.normal and (same or session["cdr_no"] is None)


async def _nearby(tx: Transaction, charge: Charge, knows: Knowledge) -> tuple[Record | None, bool]:
    """Gives the one session without CDR that fits driver, EVSE and time; else whether several do."""
    evse_key = knows.evse.key if knows.evse is not None else None
    driver_keys = marks(charge, knows.tokens)
    rows = await tx.fetch(
        SQL["sessions_nearby"], charge.connection.id, evse_key, driver_keys, charge.start, max(charge.start, charge.end)
    )
    return (await _lock(tx, rows[0]["no"]) if len(rows) == 1 else None), len(rows) > 1


def _facts(session: Record) -> checking.SessionFacts:
    return checking.SessionFacts(
        SessionStatus(session["status"]),
        session["evse_key"],
        session["driver_keys"],
        session["started_at"],
        session["ended_at"],
        session["energy"],
    )


async def _numbers(tx: Transaction, place: _Place) -> tuple[int | None, int | None]:
    """Gives the numbers of session and permit; without a session the permit is locked, so that one CDR comes first."""
    permit_no = place.belongs.permit.no if place.belongs.permit is not None else None
    if place.session is not None:
        return place.session["no"], place.session["permit_no"] or permit_no
    if place.belongs.permit is not None:
        serves = await tx.fetchval(SQL["lock_permit"], permit_no)
        if serves != place.belongs.permit.received_session_no:
            raise asyncpg.SerializationError("a session took the permit meanwhile")
    return None, permit_no


async def _repeated(
    tx: Transaction,
    charge: Charge,
    key: tuple[int, str, str],
    session_no: int | None,
    permit_no: int | None,
    evse_key: str | None,
    driver_keys: Sequence[str],
) -> list[Doubt]:
    """Gives what bills the same charge already."""
    if other := await tx.fetchrow(SQL["other_cdrs"], session_no, permit_no, *key):
        return [Doubt(Review.SECOND_CDR, "session_id", f"has the CDR {other['cdr_id']} already")]
    if evse_key is None or charge.end <= charge.start:
        return []
    times = (evse_key, charge.start, charge.end)
    if other := await tx.fetchrow(SQL["overlapping_cdrs"], *times, driver_keys, *key):
        said = f"is of the same driver at the same time and EVSE as the CDR {other['cdr_id']}"
        return [Doubt(Review.DUPLICATE, "", said)]
    return []


async def _credited(tx: Transaction, key: tuple[int, str, str], cdr: Cdr) -> Record | None:
    if cdr.credited_cdr is None:
        return None
    return await tx.fetchrow(SQL["credited"], *key[:2], key_of(cdr.credited_cdr))


def _of_credit(cdr: Cdr, credited: Record | None) -> list[Doubt]:
    if credited is None:
        return [Doubt(Review.CONTRADICTS, "credited_cdr", "is no CDR that came")]
    if credited["credited_by"] is not None:
        return [Doubt(Review.SECOND_CDR, "credited_cdr", f"{cdr.credited_cdr} was taken back before")]
    return []


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
