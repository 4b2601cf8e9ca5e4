"""What a CDR that came home bills, and what is to be doubted of it, by all that is known now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import asyncpg

from adapters.core.connection import Connection
from gateway.agreements.book import Book
from gateway.agreements.policy import Reason
from gateway.services.ports.received import Doubt, Review
from gateway.services.received import charges, checking
from gateway.services.received.agreeing import Agreeing, Verdict
from gateway.services.received.charges import Charge, key_of
from gateway.services.received.doubts import STICKY, load_doubts, settled_reasons
from gateway.services.received.knowing import SQL, Knowledge, expect_sessions, known, marks
from gateway.services.received.matching import Belonging, belonging, party_of
from gateway.store.pool import Record, Transaction
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import SessionStatus

_NEW: Final = 2**63 - 1
"""The number of a CDR that has none yet: all others came before it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What stands already of a CDR that is judged anew."""

    no: int
    session_no: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What a CDR comes to.

    Attributes:
        session: The row that it bills, locked.
        party: Our EMSP, in as far as it is known.
        credited: What it takes back, if it came.
        disagrees: Why our record would not have let the charge begin, where a hub did.
        agreement: Under which it began.
    """

    doubts: Sequence[Doubt]
    party: PartyId | None
    session: Record | None
    permit_no: int | None
    session_keys: Sequence[str]
    evse_key: str | None
    driver_keys: Sequence[str]
    credited: Record | None
    disagrees: Reason | None = None
    agreement: AgreementRef | None = None

    @property
    def agreed(self) -> str | None:
        """The agreement, as it is stored."""
        return self.agreement.model_dump_json(exclude_none=True) if self.agreement is not None else None

    @property
    def session_no(self) -> int | None:
        """The number of the session."""
        return self.session["no"] if self.session is not None else None


@dataclass(frozen=True, slots=True)
class _Place:
    """What a CDR bills: its session, and what it belongs to."""

    session: Record | None
    belongs: Belonging
    knows: Knowledge


async def judge(
    tx: Transaction,
    agreeing: Agreeing,
    book: Book,
    connection: Connection,
    cdr: Cdr,
    leg: Leg | None,
    now: datetime,
    stored: Stored | None = None,
) -> Judged:
    """Holds a CDR against all that is known, and locks what it bills.

    Args:
        book: All agreements.
        stored: What stands of it; None for one that comes now.

    Raises:
        asyncpg.SerializationError: It has to be looked at once more, since somebody else was there first.
    """
    charge = charges.of_cdr(connection, cdr, leg, now)
    place = await _find(tx, charge, stored)
    driver_keys = marks(charge, place.knows.tokens)
    evse_key = place.knows.evse.key if place.knows.evse is not None else None
    if evse_key is None and charge.evse_id is not None:
        evse_key = charge.evse_id.normal
    doubts = [
        *place.belongs.doubts,
        *checking.of_place(charge, place.knows.evse),
        *checking.of_amounts(charge, place.knows.evse),
        *checking.of_cdr(cdr, now),
    ]
    if place.session is not None:
        doubts += checking.of_cdr_and_session(cdr, evse_key, driver_keys, _facts(place.session))
    session_no, permit_no = await _numbers(tx, place)
    key = (connection.id, cdr.party.normal, key_of(cdr.id))
    credited = await _credited(tx, key, cdr)
    agreed = Verdict()
    if cdr.credit:
        doubts += _of_credit(cdr, credited)
    else:
        agreed = await agreeing.look(tx, book, connection, charge, place.belongs.party, permit_no, evse_key)
        doubts += agreed.doubts
        no = stored.no if stored is not None else _NEW
        doubts += await _repeated(tx, charge, (*key, no), session_no, permit_no, evse_key, driver_keys)
    return Judged(
        doubts,
        place.belongs.party,
        place.session,
        permit_no,
        charge.session_keys,
        evse_key,
        driver_keys,
        credited,
        agreed.disagrees,
        agreed.agreement,
    )


async def _find(tx: Transaction, charge: Charge, stored: Stored | None) -> _Place:
    """Finds what a CDR bills: by the session's id, else by its permit, else by driver, EVSE and time."""
    session = await _named(tx, charge, stored)
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


async def _named(tx: Transaction, charge: Charge, stored: Stored | None) -> Record | None:
    """Finds and locks the session of a CDR that it has already, or that it names."""
    if stored is not None and stored.session_no is not None:
        return await _lock(tx, stored.session_no)
    session = await _called(tx, charge)
    if session is None and charge.session_ids:
        # Whoever tells of that session first is about to commit, or waits for us and then finds the CDR.
        await expect_sessions(tx, charge)
        session = await _called(tx, charge)
    return session


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
    key: tuple[int, str, str, int],
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
    # Of one charge that two hubs bring at once neither has a row yet that the other could see.
    await tx.execute(SQL["expect_charge"], evse_key)
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
