"""Accepting CDRs: a batch in one transaction, each checked against its session."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

import asyncpg

from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.outbox.projecting import Link
from gateway.services.cdrs.billing import FILLED, Billed, digest_of, event, filled, row_of, tell
from gateway.services.charge.checking import doubts_of_cdr, of_cdr, of_cdr_and_session
from gateway.services.charge.places import place_of
from gateway.services.charge.telling import Roaming
from gateway.services.ports import CdrRefusal, CdrResult, Conflict, Invalid
from gateway.services.sessions.belonging import roaming_of
from gateway.services.storing import columns, load_issues
from gateway.store.pool import Record, Transaction
from gateway.store.queries import Queries
from mappings.canonical.base import Model
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.sessions import Session
from mappings.report import Issue

SQL: Final = Queries("gateway.services.cdrs", "cdrs.sql")

_PLACE: Final = ("location.id", "location.evse_uid", "location.connector_id")

_Key: TypeAlias = tuple[str, str]
"""Party, and id of a session, a CDR, or an authorisation."""


@dataclass(slots=True)
class _Bill:
    """A CDR on its way into the store.

    Attributes:
        position: In the batch.
        session: Whose it is; None for one that waits for review without one.
    """

    position: int
    cdr: Cdr
    digest: bytes
    place: CdrLocation
    issues: list[Issue]
    roaming: Roaming | None = None
    session: Record | None = None
    review: str | None = None


class Acceptance:
    """Accepts one batch in one transaction, with few statements whatever its size."""

    def __init__(self, tx: Transaction, links: Sequence[Link], now: datetime) -> None:
        self._tx = tx
        self._links = links
        self._now = now
        self._results: dict[int, CdrResult | CdrRefusal] = {}
        self._sessions: dict[_Key, Record] = {}
        self._referred: dict[_Key, set[str | None]] = {}
        self._billed: dict[int, str] = {}
        self._same: dict[int, int] = {}  # of what stands twice in the batch, where it stood first

    async def run(self, cdrs: Sequence[Cdr]) -> list[CdrResult | CdrRefusal]:
        """Gives what came of each CDR, in the order given."""
        fresh: dict[int, tuple[Cdr, bytes]] = {}
        for position, cdr in enumerate(cdrs):
            if faults := [*of_cdr(cdr, self._now), *_of_credit(cdr)]:
                self._results[position] = CdrRefusal(faults)
            else:
                fresh[position] = (cdr, digest_of(cdr))
        await self._read_sessions([cdr for cdr, _ in fresh.values()])
        fresh = await self._without_known(fresh)
        bills = []
        for position, (cdr, digest) in fresh.items():
            try:
                bills.append(await self._bill(position, cdr, digest))
            except Invalid as error:
                self._results[position] = CdrRefusal(error.problems)
            except Conflict as error:
                self._results[position] = CdrRefusal([(error.field, str(error))], conflict=True)
        await self._write(bills)
        for position, first in self._same.items():
            self._results[position] = _repeated(self._results[first])
        return [self._results[position] for position in range(len(cdrs))]

    async def _read_sessions(self, cdrs: Sequence[Cdr]) -> None:
        named = {(cdr.party.normal, cdr.session_id) for cdr in cdrs if cdr.session_id is not None}
        referred = {
            (cdr.party.normal, cdr.reference) for cdr in cdrs if cdr.session_id is None and cdr.reference is not None
        }
        if referred:
            for row in await self._tx.fetch(SQL["sessions_of_references"], *columns(sorted(referred), 2)):
                self._referred.setdefault((row["party"], row["reference"]), set()).add(row["session_id"])
                if row["session_id"] is not None:
                    named.add((row["party"], row["session_id"]))
        if named:
            for row in await self._tx.fetch(SQL["lock_sessions"], *columns(named, 2)):
                self._sessions[row["party"], row["session_id"]] = row

    async def _without_known(self, fresh: Mapping[int, tuple[Cdr, bytes]]) -> dict[int, tuple[Cdr, bytes]]:
        """Answers for what was accepted before; after the sessions are locked, so that nobody adds one meanwhile."""
        if not fresh:
            return {}
        keys = {(cdr.party.normal, cdr.id) for cdr, _ in fresh.values()}
        rows = {(row["party"], row["cdr_id"]): row for row in await self._tx.fetch(SQL["stored"], *columns(keys, 2))}
        seen: dict[_Key, int] = {}
        left: dict[int, tuple[Cdr, bytes]] = {}
        for position, (cdr, digest) in fresh.items():
            key = (cdr.party.normal, cdr.id)
            row = rows.get(key)
            if row is None and key not in seen:
                left[position] = (cdr, digest)
                seen[key] = position
            elif digest != (fresh[seen[key]][1] if row is None else row["digest"]):
                other = fresh[seen[key]][0] if row is None else Cdr.model_validate_json(row["body"])
                self._results[position] = CdrRefusal([("id", _has_another(cdr, other))], conflict=True)
            elif row is None:
                self._same[position] = seen[key]
            else:
                issues = load_issues(row["issues"])
                self._results[position] = CdrResult(
                    cdr.party, cdr.id, "unchanged", issues, row["connection"], row["review"]
                )
        return left

    async def _bill(self, position: int, cdr: Cdr, digest: bytes) -> _Bill:
        """Finds a CDR's session, and checks it against that.

        Raises:
            Invalid: It contradicts the session, or names no place of the party's.
            Conflict: The session is not known yet, or has a CDR.
        """
        session_id = cdr.session_id
        if session_id is None and cdr.reference is not None:
            referred = self._referred.get((cdr.party.normal, cdr.reference), set())
            found = referred - {None}
            if referred and not found:
                raise Conflict(
                    f"no session under the reference {cdr.reference} is known yet: PUT it, then send the CDR again",
                    "reference",
                )
            session_id = found.pop() if len(found) == 1 else None
        if session_id is None:
            return await self._without_session(position, cdr, digest)
        row = self._sessions.get((cdr.party.normal, session_id))
        if row is None:
            raise Conflict(f"the session {session_id} is not known yet: PUT it, then send the CDR again", "session_id")
        if row["cdr_no"] is not None or row["no"] in self._billed:
            raise Conflict(has_cdr(row, self._billed.get(row["no"])), "session_id")
        session = Session.model_validate_json(row["body"])
        place = CdrLocation.model_validate_json(row["place"])
        roaming = roaming_of(row, session)
        waits = row["review"] is not None
        faults = of_cdr_and_session(cdr, session, place, references_to(row, roaming))
        if waits:  # what the reference means is what the review is about
            faults = [fault for fault in faults if fault[0] != "reference"]
        if faults:
            raise Invalid(*faults)
        issues = doubts_of_cdr(cdr, session)
        self._billed[row["no"]] = cdr.id
        if waits:
            return _Bill(position, cdr, digest, place, issues, None, row, "its session waits for review")
        return _Bill(position, filled(cdr, session, place, roaming), digest, place, issues, roaming, row)

    async def _without_session(self, position: int, cdr: Cdr, digest: bytes) -> _Bill:
        place = await place_of(
            self._tx, cdr.party, cdr.location.id, cdr.location.evse_uid, cdr.location.connector_id, _PLACE
        )
        why = "it names no session, and no reference"
        if cdr.reference is not None:
            several = (cdr.party.normal, cdr.reference) in self._referred
            why = f"it names no session, and its reference {'leads to several' if several else 'is not known'}"
        given = cdr.model_copy(update={"location": place})
        return _Bill(position, given, digest, place, doubts_of_cdr(cdr, None), review=why)

    async def _write(self, bills: Sequence[_Bill]) -> None:
        if not bills:
            return
        numbers = {
            (row["party"], row["cdr_id"]): row["no"]
            for row in await self._tx.fetch(SQL["insert"], *columns((_row(bill) for bill in bills), 12))
        }
        if len(numbers) < len(bills):
            raise asyncpg.SerializationError("somebody else wrote the same CDR first")
        billed: list[Billed] = []
        sessions: list[tuple[int, int, datetime]] = []
        for bill in bills:
            no = numbers[bill.cdr.party.normal, bill.cdr.id]
            session_no = bill.session["no"] if bill.session is not None else None
            if session_no is not None:
                sessions.append((session_no, no, bill.cdr.end))
            if bill.review is None:
                billed.append(Billed(no, bill.cdr, bill.place, bill.roaming, session_no))
            self._results[bill.position] = CdrResult(
                bill.cdr.party, bill.cdr.id, "created", bill.issues, name_of(self._links, bill.roaming), bill.review
            )
        if sessions:
            await self._tx.execute(SQL["bill"], *columns(sessions, 3))
        await tell(self._tx, self._links, billed, self._now)
        await append_events(self._tx, *(_event(bill) for bill in bills))


def _repeated(first: CdrResult | CdrRefusal) -> CdrResult | CdrRefusal:
    """Gives what came of a CDR that stands in the same batch before."""
    return first if isinstance(first, CdrRefusal) else first._replace(outcome="unchanged")


def _of_credit(cdr: Cdr) -> Sequence[tuple[str, str]]:
    fields = [name for name in ("credit", "credited_cdr") if getattr(cdr, name)]
    return [(name, "a CDR is taken back by POST …/corrections") for name in fields]


def _has_another(given: Cdr, there: Cdr) -> str:
    differ = [name for name in Cdr.model_fields if name != "last_updated" and _differ(given, there, name)]
    what = f", with other {', '.join(differ)}" if differ else ""
    return f"another CDR has this id{what}; one that was accepted never changes: see corrections"


def _differ(given: Cdr, there: Cdr, name: str) -> bool:
    """Tells whether a field is another one than that of a CDR in which what was left out is filled in."""
    one, other = getattr(given, name), getattr(there, name)
    if one == other or name not in FILLED:
        return bool(one != other)
    if isinstance(one, Model) and isinstance(other, Model):
        return any(
            value is not None and value != getattr(other, field)
            for field, value in one
            if field in one.model_fields_set
        )
    return one is not None


def _row(bill: _Bill) -> tuple[object, ...]:
    session_no = bill.session["no"] if bill.session is not None else None
    return row_of(bill.cdr, bill.digest, session_no, bill.roaming, bill.review, bill.issues)


def _event(bill: _Bill) -> Event:
    type_ = EventType.CDR_ACCEPTED if bill.review is None else EventType.CDR_REVIEW
    return event(type_, bill.cdr, bill.review)


def has_cdr(session: Record, in_batch: str | None = None) -> str:
    """Says why a session takes no CDR any more."""
    there = in_batch or session["cdr_id"]
    return f"the session {session['session_id']} has the CDR {there}: correct that by POST …/{there}/corrections"


def references_to(session: Record, roaming: Roaming | None) -> set[str]:
    """Gives what may stand as the reference in a session's CDR."""
    named = {session["authorisation"]} if session["authorisation"] is not None else set()
    if roaming is not None:
        named |= {value for value in (roaming.leg.reference, roaming.leg.hub_session) if value is not None}
    return named


def name_of(links: Sequence[Link], roaming: Roaming | None) -> str | None:
    """Names the connection over which a charge roams."""
    if roaming is None:
        return None
    return next((link.connection.name for link in links if link.connection.id == roaming.connection_id), None)
