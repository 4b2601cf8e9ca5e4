"""A person's word on which session a CDR bills that waited for it."""

import json
from collections.abc import Sequence
from datetime import datetime

from gateway.events.writing import EventType
from gateway.events.writing import append as append_events
from gateway.outbox.projecting import Link
from gateway.services.cdrs.accepting import SQL, has_cdr, name_of, references_to
from gateway.services.cdrs.billing import Billed, event, filled, stored, tell
from gateway.services.charge.checking import doubts_of_cdr, of_cdr_and_session
from gateway.services.ports import CdrResult, Conflict, Invalid, NotFound
from gateway.services.sessions.belonging import roaming_of
from gateway.services.storing import dump_issues
from gateway.store.pool import Record, Transaction
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import Session
from mappings.report import Issue


async def assign(
    tx: Transaction,
    links: Sequence[Link],
    key: tuple[PartyId, str],
    session_id: str | None,
    who: str,
    now: datetime,
) -> CdrResult:
    """Assigns a CDR; see `ports.Cdrs.assign`."""
    party, cdr_id = key
    # The session first, as everybody else locks.
    session = await _session(tx, party, session_id) if session_id is not None else None
    row = await _waiting(tx, party, cdr_id, session)
    cdr = Cdr.model_validate_json(row["body"])
    if session is None:
        bill, issues = Billed(row["no"], cdr, cdr.location, None, None), doubts_of_cdr(cdr, None)
    else:
        bill, issues = _billed(row["no"], cdr, session)
        await tx.execute(SQL["bill"], [session["no"]], [row["no"]], [cdr.end])
    await tx.execute(SQL["assign"], row["no"], *stored(bill.cdr, bill.roaming), bill.session_no, dump_issues(issues))
    await tell(tx, links, [bill], now)
    detail = json.dumps({"session": session_id, "why": row["review"]})
    await tx.execute(SQL["audit"], who, "assigned", f"cdr/{party}/{cdr_id}", detail)
    await append_events(tx, event(EventType.CDR_ACCEPTED, bill.cdr))
    return CdrResult(party, cdr_id, "updated", issues, name_of(links, bill.roaming))


async def _session(tx: Transaction, party: PartyId, session_id: str) -> Record:
    session = await tx.fetchrow(SQL["lock_sessions"], [party.normal], [session_id])
    if session is None:
        raise NotFound(f"there is no session {party}/{session_id}")
    if session["review"] is not None:
        raise Conflict("the session waits for review itself: assign that one first", "session")
    return session


async def _waiting(tx: Transaction, party: PartyId, cdr_id: str, session: Record | None) -> Record:
    row = await tx.fetchrow(SQL["lock"], party.normal, cdr_id)
    if row is None:
        raise NotFound(f"there is no CDR {party}/{cdr_id}")
    if row["review"] is None:
        raise Conflict("the CDR does not wait for review")
    if row["session_no"] is not None and (session is None or session["no"] != row["session_no"]):
        raise Conflict("the CDR names its session: assign that one", "session")
    if session is not None and session["cdr_no"] not in {None, row["no"]}:
        raise Conflict(has_cdr(session), "session")
    return row


def _billed(no: int, cdr: Cdr, row: Record) -> tuple[Billed, list[Issue]]:
    session = Session.model_validate_json(row["body"])
    place = CdrLocation.model_validate_json(row["place"])
    roaming = roaming_of(row, session)
    if faults := of_cdr_and_session(cdr, session, place, references_to(row, roaming)):
        raise Invalid(*faults)
    return Billed(no, filled(cdr, session, place, roaming), place, roaming, row["no"]), doubts_of_cdr(cdr, session)
