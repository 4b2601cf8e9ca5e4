"""Sessions of our drivers at partners' stations, as they are told whole or piece by piece."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import asyncpg

from adapters.core.connection import Connection
from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.authorisation.admitting import RefKind
from gateway.services.charge.checking import FINISHED
from gateway.services.drivers.permits import name_permit, tie_permit
from gateway.services.ports.received import Doubt, Review
from gateway.services.received import charges, checking
from gateway.services.received.cdrs import tell_cdr
from gateway.services.received.charges import Charge, key_of
from gateway.services.received.doubts import STICKY, dump_doubts, load_doubts, settled_reasons
from gateway.services.received.knowing import SQL, Knowledge, expect_sessions, known, marks
from gateway.services.received.matching import Belonging, belonging, party_of
from gateway.services.received.merging import Merged, merged
from gateway.services.stamps import AHEAD
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session, SessionNews, SessionStatus


@dataclass(frozen=True, slots=True)
class _Report:
    """What is to be stored of a session.

    Attributes:
        at: The session's own moment of it, never ahead of the clock.
        ended: When it was over; None while it runs.
        doubts: What it says that makes no sense by itself, or after what was told before.
    """

    session_id: str
    body: str | None
    news: str | None
    status: SessionStatus
    at: datetime
    ended: datetime | None
    doubts: Sequence[Doubt]


class SessionIntake:
    """Takes sessions in.

    Args:
        wake: Called after a commit that left an event.
        clock: Gives the present, aware.
    """

    def __init__(self, store: Store, wake: Callable[[], None], clock: Callable[[], datetime]) -> None:
        self._store = store
        self._wake = wake
        self._clock = clock

    async def whole(self, connection: Connection, session: Session) -> bool:
        """Takes a session as its CPO tells it; True if it is new. An older report changes nothing."""

        async def take(tx: Transaction) -> bool:
            charge = charges.of_session(connection, session, self._clock())
            row = await _locked(tx, charge)
            at = min(session.last_updated, self._clock() + AHEAD)
            if row is not None and at < row["last_updated"]:
                return False
            before = Session.model_validate_json(row["body"]) if row is not None and row["body"] is not None else None
            if before == session:
                return False
            over = session.status in FINISHED
            report = _Report(
                session.id,
                session.model_dump_json(exclude_defaults=True),
                row["news"] if row is not None else None,
                session.status,
                at,
                (session.end or max(session.last_updated, session.start)) if over else None,
                checking.of_session(session, before),
            )
            await self._take(tx, charge, report, row)
            return row is None

        return await self._attempt(take)

    async def piece(self, connection: Connection, news: SessionNews) -> bool:
        """Takes a piece of what happens in a session; True if the session is new."""
        session_id = charges.named(news.leg, news)

        async def take(tx: Transaction) -> bool:
            row = await _locked(tx, charges.of_news(connection, news, session_id, self._clock()))
            before = Merged.model_validate_json(row["news"]) if row is not None and row["news"] is not None else None
            now = self._clock()
            told = news if news.at <= now + AHEAD else news.model_copy(update={"at": now})
            after = merged(before, told)
            if after == before:
                return False
            whole = after.news
            status = whole.status or SessionStatus.ACTIVE
            report = _Report(
                session_id,
                row["body"] if row is not None else None,
                after.model_dump_json(exclude_none=True),
                status,
                whole.at,
                (whole.end or whole.at) if status in FINISHED else None,
                checking.of_news(after),
            )
            await self._take(tx, charges.of_news(connection, whole, session_id, now), report, row)
            return row is None

        return await self._attempt(take)

    async def again(self, tx: Transaction, connection: Connection, row: Record) -> None:
        """Judges a stored session, which is locked, by what is known by now."""
        now = self._clock()
        status = SessionStatus(row["status"])
        if row["body"] is not None:
            session = Session.model_validate_json(row["body"])
            charge, doubts = charges.of_session(connection, session, now), checking.of_session(session, None)
        else:
            whole = Merged.model_validate_json(row["news"])
            charge, doubts = (
                charges.of_news(connection, whole.news, row["session_id"], now),
                checking.of_news(whole),
            )
        told = row["body"], row["news"], status, row["last_updated"], row["ended_at"]
        await self._take(tx, charge, _Report(row["session_id"], *told, doubts), row)

    async def _attempt(self, take: Callable[[Transaction], Awaitable[bool]]) -> bool:
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    new = await take(tx)
                self._wake()
                return new
        raise AssertionError("unreachable")

    async def _take(self, tx: Transaction, charge: Charge, report: _Report, row: Record | None) -> None:
        tied = row is not None and row["permit_no"] is not None
        knows = await known(tx, charge, permits=not tied)
        belongs = (
            await _kept(tx, charge, knows, row) if tied and row is not None else belonging(charge, knows, _no(row))
        )
        doubts = _all(charge, report, belongs, knows, row)
        cdr = await _bill_of(tx, row)
        driver_keys = marks(charge, knows.tokens)
        if cdr is not None:
            doubts += checking.of_cdr_and_session(*cdr, _facts(charge, report, knows, driver_keys))
        settled = settled_reasons(row["decided"]) if row is not None else frozenset()
        reviews = checking.reasons(doubts, settled)
        permit_no = row["permit_no"] if tied and row is not None else None
        if belongs.permit is not None:
            permit_no = belongs.permit.no
        evse_key = knows.evse.key if knows.evse is not None else None
        if evse_key is None and charge.evse_id is not None:
            evse_key = charge.evse_id.normal
        values = (
            belongs.party.normal if belongs.party is not None else None,
            report.body,
            report.news,
            evse_key,
            driver_keys,
            permit_no,
            report.status.value,
            charge.start,
            report.ended,
            charge.energy,
            reviews,
            dump_doubts(doubts),
            report.at,
        )
        no = await _write(tx, charge, report, values, row)
        if belongs.takes and belongs.permit is not None:
            await _tie(tx, charge, belongs.permit.no, belongs.permit.leg, no)
        await _bill(tx, charge, no, permit_no, row)
        await append_events(tx, *await _events(tx, no, belongs.party, row, reviews))


async def _locked(tx: Transaction, charge: Charge) -> Record | None:
    """Finds and locks a session; a first report of it waits for whoever else tells of it, or bills it."""
    [session_key] = charge.session_keys
    key = (charge.connection.id, charge.cpo.normal, session_key)
    row: Record | None = await tx.fetchrow(SQL["lock_session"], *key)
    if row is not None:
        return row
    await expect_sessions(tx, charge)
    return await tx.fetchrow(SQL["lock_session"], *key)


def _no(row: Record | None) -> int | None:
    return row["no"] if row is not None else None


async def _kept(tx: Transaction, charge: Charge, knows: Knowledge, row: Record) -> Belonging:
    """Gives what was decided before: a session stays under its permit, with what was doubted of that."""
    permit = await tx.fetchrow(SQL["permit"], row["permit_no"])
    party = PartyId(permit["party"]) if permit is not None else party_of(charge, knows, ())
    return Belonging(None, party, [doubt for doubt in load_doubts(row["doubts"]) if doubt.reason in STICKY])


def _all(charge: Charge, report: _Report, belongs: Belonging, knows: Knowledge, row: Record | None) -> list[Doubt]:
    """Gives everything that is to be doubted, each once; what was told in contradiction stays in doubt."""
    before = [] if row is None else [one for one in load_doubts(row["doubts"]) if one.reason is Review.CONTRADICTS]
    doubts = [
        *belongs.doubts,
        *checking.of_place(charge, knows.evse),
        *checking.of_amounts(charge, knows.evse),
        *report.doubts,
        *before,
    ]
    return list({(doubt.reason, doubt.field): doubt for doubt in reversed(doubts)}.values())[::-1]


async def _bill_of(tx: Transaction, row: Record | None) -> tuple[Cdr, str | None, Sequence[str]] | None:
    """Gives a session's CDR, with its EVSE and driver."""
    if row is None or row["cdr_no"] is None:
        return None
    [bill] = await tx.fetch(SQL["cdr_body"], row["cdr_no"])
    return Cdr.model_validate_json(bill["body"]), bill["evse_key"], bill["driver_keys"]


def _facts(charge: Charge, report: _Report, knows: Knowledge, driver_keys: Sequence[str]) -> checking.SessionFacts:
    evse_key = knows.evse.key if knows.evse is not None else None
    return checking.SessionFacts(report.status, evse_key, driver_keys, charge.start, report.ended, charge.energy)


async def _write(tx: Transaction, charge: Charge, report: _Report, values: Sequence[object], row: Record | None) -> int:
    """Writes the row and gives its number.

    Raises:
        asyncpg.SerializationError: Somebody else told of the same new session first.
    """
    if row is not None:
        await tx.execute(SQL["update_session"], row["no"], *values)
        found: int = row["no"]
        return found
    key = (charge.connection.id, charge.cpo.normal, report.session_id, key_of(report.session_id))
    no: int | None = await tx.fetchval(SQL["insert_session"], *key, *values)
    if no is None:
        raise asyncpg.SerializationError("somebody else wrote the same session first")
    return no


async def _tie(tx: Transaction, charge: Charge, permit_no: int, leg: Leg, session_no: int) -> None:
    """Takes a permit for a session, and has the session's own id lead to it.

    Raises:
        asyncpg.SerializationError: Another session took it meanwhile.
    """
    if not await tie_permit(tx, permit_no, session_no):
        raise asyncpg.SerializationError("another session took the permit")
    told = dict(reversed(charge.refs))  # as it was spelled
    if leg.hub_session is None and (hub := told.get(RefKind.HUB)) is not None:
        await name_permit(tx, permit_no, charge.connection.id, leg.model_copy(update={"hub_session": hub}))


async def _bill(tx: Transaction, charge: Charge, no: int, permit_no: int | None, row: Record | None) -> None:
    """Gives a session the CDRs that came before it."""
    waiting = await tx.fetch(
        SQL["waiting_cdrs"], charge.connection.id, charge.cpo.normal, charge.session_keys, permit_no
    )
    if not waiting:
        return
    await tx.execute(SQL["give_session"], [one["no"] for one in waiting], no)
    if permit_no is not None:
        for one in waiting:
            await _found(tx, one, permit_no)
    bills = [one for one in waiting if not one["credit"] and one["decision"] != "rejected"]
    if bills and (row is None or row["cdr_no"] is None):
        await tx.execute(SQL["bill"], no, bills[0]["no"])


_LOST: Final = frozenset({Review.UNKNOWN_PERMIT, Review.AMBIGUOUS})
"""Reasons for a CDR's review that end when its session tells under which permit it began."""


async def _found(tx: Transaction, bill: Record, permit_no: int) -> None:
    """Gives a CDR the permit of its session; where nothing else is doubted of it, it is accepted."""
    doubts = load_doubts(bill["doubts"])
    left = [doubt for doubt in doubts if doubt.reason not in _LOST]
    reviews = checking.reasons(left)
    waits = bill["reviews"] and bill["decision"] is None
    if not waits or bill["credit"] or len(left) == len(doubts):  # what a credit takes back is for a person to see
        return
    await tx.execute(SQL["give_permit"], bill["no"], permit_no, reviews, dump_doubts(left))
    if not reviews:
        await tell_cdr(tx, bill["no"], EventType.RECEIVED_CDR_ACCEPTED)


async def _events(
    tx: Transaction, no: int, party: PartyId | None, before: Record | None, reviews: Sequence[str]
) -> list[Event]:
    """Tells of a session whose driver's EMSP is known: what of it changed, that its review ended, or began."""
    if party is None:
        return []
    [row] = await tx.fetch(SQL["told_of_session"], no)
    data = json.loads(row["data"])
    events = []
    settled = before is not None and before["reviews"] and not reviews
    changed = before is None or any(before[name] != row[name] for name in ("status", "permit_no", "ended_at", "party"))
    if changed or settled:
        events.append(Event(EventType.RECEIVED_SESSION_CHANGED, party, f"received-sessions/{no}", data))
    if set(reviews) - set(before["reviews"] if before is not None else ()):
        events.append(Event(EventType.RECEIVED_SESSION_REVIEW, party, f"received-sessions/{no}", data))
    return events
