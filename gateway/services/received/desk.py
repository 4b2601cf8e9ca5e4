"""What came home, as the backend and people see it, and what people decide."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.services.cursors import LAST, encode, number_of
from gateway.services.drivers.permits import tie_permit
from gateway.services.ports import Conflict, Invalid, NotFound, Page, Parties
from gateway.services.ports.received import (
    CdrStanding,
    Decided,
    ReceivedCdrView,
    ReceivedFilter,
    ReceivedSessionView,
    Review,
    Verdict,
    price_source,
)
from gateway.services.received.cdrs import Count, take_back, tell_cdr
from gateway.services.received.charges import key_of
from gateway.services.received.doubts import dump_decided, load_decided, load_doubts
from gateway.services.received.knowing import SQL
from gateway.services.received.merging import Merged
from gateway.services.received.rechecking import Rechecks
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session, SessionStatus


class ReceivedDesk:
    """Implements `ports.received.ReceivedDesk`.

    Args:
        wake: Called after a commit that left an event.
        clock: Gives the present, aware.
        count: Told of CDRs that were decided.
    """

    def __init__(
        self,
        store: Store,
        rechecks: Rechecks,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
        count: Count,
    ) -> None:
        self._store = store
        self._rechecks = rechecks
        self._wake = wake
        self._clock = clock
        self._count = count

    async def sessions(self, wanted: ReceivedFilter, after: str | None, limit: int) -> Page[ReceivedSessionView]:
        """See `ports.received.ReceivedDesk.sessions`."""
        status = wanted.status.value if wanted.status is not None else None
        args = (*_common(wanted, after), status, wanted.without_cdr, limit)
        rows = await self._store.search(SQL["sessions"], *args)
        return Page([_session(row) for row in rows], _next(rows, limit))

    async def session(self, parties: Parties, no: int) -> ReceivedSessionView:
        """See `ports.received.ReceivedDesk.session`."""
        return _session(_found(await self._store.fetchrow(SQL["one_session"], no, _normal(parties)), no, "session"))

    async def check_session(self, parties: Parties, no: int, who: str) -> ReceivedSessionView:
        """See `ports.received.ReceivedDesk.check_session`."""
        await self._rechecks.session(no, parties, who)
        return await self.session(parties, no)

    async def accept_session(
        self, parties: Parties, no: int, permit: str | None, why: str, who: str
    ) -> ReceivedSessionView:
        """See `ports.received.ReceivedDesk.accept_session`."""
        async with self._store.transaction() as tx:
            row = await _locked(tx, "lock_session_no", no, parties, "session")
            if not row["reviews"]:
                raise Conflict("The session does not wait for review")
            permit_no, party = await _permit(tx, row, permit) if permit is not None else (None, None)
            decided = Decided(Verdict.ACCEPTED, why, who, self._clock())
            await tx.execute(SQL["accept_session"], no, dump_decided(decided, row["reviews"]), permit_no, party)
            await _audit(tx, who, "accepted", f"received-session/{no}", {"why": why, "review": row["reviews"]})
            [told] = await tx.fetch(SQL["told_of_session"], no)
            if told["party"] is not None:
                type_, subject = EventType.RECEIVED_SESSION_CHANGED, f"received-sessions/{no}"
                await append_events(tx, Event(type_, PartyId(told["party"]), subject, json.loads(told["data"])))
        self._wake()
        return await self.session(parties, no)

    async def waive_cdr(self, parties: Parties, no: int, why: str, who: str) -> ReceivedSessionView:
        """See `ports.received.ReceivedDesk.waive_cdr`."""
        async with self._store.transaction() as tx:
            row = await _locked(tx, "lock_session_no", no, parties, "session")
            if row["ended_at"] is None:
                raise Conflict("The session is not over")
            if row["cdr_no"] is not None:
                raise Conflict("The session has a CDR")
            await tx.execute(SQL["waive"], no, why)
            await _audit(tx, who, "waived the CDR", f"received-session/{no}", {"why": why})
        return await self.session(parties, no)

    async def cdrs(self, wanted: ReceivedFilter, after: str | None, limit: int) -> Page[ReceivedCdrView]:
        """See `ports.received.ReceivedDesk.cdrs`."""
        standing = wanted.standing.value if wanted.standing is not None else None
        rows = await self._store.search(SQL["cdrs"], *_common(wanted, after), wanted.session, standing, limit)
        return Page([_cdr(row) for row in rows], _next(rows, limit))

    async def cdr(self, parties: Parties, no: int) -> ReceivedCdrView:
        """See `ports.received.ReceivedDesk.cdr`."""
        return _cdr(_found(await self._store.fetchrow(SQL["one_cdr"], no, _normal(parties)), no, "CDR"))

    async def check_cdr(self, parties: Parties, no: int, who: str) -> ReceivedCdrView:
        """See `ports.received.ReceivedDesk.check_cdr`."""
        await self._rechecks.cdr(no, parties, who)
        return await self.cdr(parties, no)

    async def decide(self, parties: Parties, no: int, verdict: Verdict, why: str, who: str) -> ReceivedCdrView:
        """See `ports.received.ReceivedDesk.decide`."""
        async with self._store.transaction() as tx:
            seen = _found(await tx.fetchrow(SQL["one_cdr"], no, _normal(parties)), no, "CDR")
            if seen["received_session_no"] is not None:  # sessions are locked before their CDRs
                await tx.execute(SQL["lock_session_no"], seen["received_session_no"])
            row = await _locked(tx, "lock_cdr", no, parties, "CDR")
            if not row["reviews"] or row["decision"] is not None:
                raise Conflict("The CDR does not wait for review")
            decided = Decided(verdict, why, who, self._clock())
            await tx.execute(SQL["decide"], no, verdict.value, dump_decided(decided, row["reviews"]))
            if verdict is Verdict.ACCEPTED:
                await _supersede(tx, row, decided)
            if row["credit"] and verdict is Verdict.ACCEPTED:
                await _credit(tx, row)
            if row["received_session_no"] is not None:
                bill = await tx.fetchval(SQL["next_bill"], row["received_session_no"])
                await tx.execute(SQL["bill"], row["received_session_no"], bill)
            await _audit(tx, who, verdict.value, f"received-cdr/{no}", {"why": why, "review": row["reviews"]})
            await tell_cdr(tx, no, EventType.RECEIVED_CDR_DECIDED)
        self._wake()
        view = await self.cdr(parties, no)
        hub = seen["hub"] or ""
        self._count(hub, view.connection or "", verdict.value, view.cdr.energy if not row["credit"] else Decimal())
        return view


async def _permit(tx: Transaction, session: Record, permit: str) -> tuple[int, str]:
    """Takes a permit that a person names for a session; gives its number and EMSP."""
    row = await tx.fetchrow(SQL["permit_named"], permit, session["party"])
    if row is None:
        raise Invalid(("permit", "is no permit of the session's party"))
    if not await tie_permit(tx, row["no"], session["no"]):
        raise Conflict("The permit serves another session", "permit")
    return row["no"], row["party"]


async def _supersede(tx: Transaction, row: Record, decided: Decided) -> None:
    """Rejects what was told under the id of a CDR that is accepted: one id bills one charge, once."""
    for other in await tx.fetch(SQL["other_versions"], row["no"]):
        instead = replace(decided, verdict=Verdict.REJECTED, why=f"version {row['version']} stands: {decided.why}")
        await tx.execute(SQL["decide"], other["no"], Verdict.REJECTED.value, dump_decided(instead, ()))
        await _audit(tx, decided.who, Verdict.REJECTED.value, f"received-cdr/{other['no']}", {"why": instead.why})
        await tell_cdr(tx, other["no"], EventType.RECEIVED_CDR_DECIDED)


async def _credit(tx: Transaction, row: Record) -> None:
    """Takes the CDR back that an accepted credit names, if it came."""
    cdr = Cdr.model_validate_json(row["body"])
    if cdr.credited_cdr is None:
        return
    credited = await tx.fetchrow(SQL["credited"], row["connection_id"], row["cpo"], key_of(cdr.credited_cdr))
    if credited is not None and credited["credited_by"] is None:
        await take_back(tx, credited["no"], row["no"], cdr.id)


async def _locked(tx: Transaction, statement: str, no: int, parties: Parties, what: str) -> Record:
    row = _found(await tx.fetchrow(SQL[statement], no), no, what)
    if parties is not None and (row["party"] is None or PartyId(row["party"]) not in parties):
        raise NotFound(f"There is no received {what} {no}")
    return row


async def _audit(tx: Transaction, who: str, action: str, subject: str, detail: object) -> None:
    await tx.execute(SQL["audit"], who, action, subject, json.dumps(detail))


def _found(row: Record | None, no: int, what: str) -> Record:
    if row is None:
        raise NotFound(f"There is no received {what} {no}")
    return row


def _normal(parties: Parties) -> list[str] | None:
    return None if parties is None else [party.normal for party in parties]


def _common(wanted: ReceivedFilter, after: str | None) -> tuple[object, ...]:
    return (
        number_of(after, LAST),
        _normal(wanted.parties),
        wanted.cpo.normal if wanted.cpo is not None else None,
        wanted.connection,
        wanted.review,
        wanted.reason.value if wanted.reason is not None else None,
        wanted.since,
        wanted.until,
        wanted.permit,
    )


def _next(rows: list[Record], limit: int) -> str | None:
    return encode(str(rows[-1]["no"])) if len(rows) == limit else None


def _session(row: Record) -> ReceivedSessionView:
    return ReceivedSessionView(
        id=row["no"],
        session_id=row["session_id"],
        cpo=PartyId(row["cpo"]),
        party=PartyId(row["party"]) if row["party"] is not None else None,
        connection=row["connection"],
        status=SessionStatus(row["status"]),
        started=row["started_at"],
        ended=row["ended_at"],
        energy=row["energy"],
        evse=row["evse_key"],
        permit=row["permit"],
        review=[Review(reason) for reason in row["reviews"]],
        doubts=load_doubts(row["doubts"]),
        decided=load_decided(row["decided"]),
        cdr=row["cdr_no"],
        waived=row["cdr_waived"],
        last_updated=row["last_updated"],
        updated=row["updated_at"],
        session=Session.model_validate_json(row["body"]) if row["body"] is not None else None,
        news=Merged.model_validate_json(row["news"]).news if row["news"] is not None else None,
    )


def _standing(row: Record) -> CdrStanding:
    if row["decision"] == Verdict.REJECTED:
        return CdrStanding.REJECTED
    if row["reviews"] and row["decision"] is None:
        return CdrStanding.REVIEW
    return CdrStanding.CREDITED if row["credited_by"] is not None else CdrStanding.ACCEPTED


def _cdr(row: Record) -> ReceivedCdrView:
    cdr = Cdr.model_validate_json(row["body"])
    return ReceivedCdrView(
        id=row["no"],
        cdr=cdr,
        version=row["version"],
        standing=_standing(row),
        party=PartyId(row["party"]) if row["party"] is not None else None,
        connection=row["connection"],
        evse=row["evse_key"],
        session=row["received_session_no"],
        permit=row["permit"],
        price_source=price_source(cdr),
        review=[Review(reason) for reason in row["reviews"]],
        doubts=load_doubts(row["doubts"]),
        decided=load_decided(row["decided"]),
        credited_by=row["credited_by"],
        received=row["received_at"],
        leg=Leg.model_validate_json(row["leg"]) if row["leg"] is not None else None,
    )
