"""Sessions as the backend tells them, on their way to every hub concerned."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Final, Literal

import asyncpg
from pydantic import JsonValue, TypeAdapter

from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.outbox.messages import append
from gateway.outbox.projecting import Link
from gateway.services.cdrs.billing import release
from gateway.services.charge.checking import FINISHED, of_session, of_session_with_cdr, without_future
from gateway.services.charge.places import place_of
from gateway.services.charge.telling import Roaming
from gateway.services.charge.telling import of_session as messages_of
from gateway.services.cursors import LAST, encode, number_of
from gateway.services.links import Links
from gateway.services.ports import (
    Conflict,
    Invalid,
    NotFound,
    Page,
    SessionFilter,
    SessionRef,
    SessionResult,
    SessionTold,
    SessionView,
)
from gateway.services.sessions.belonging import SQL, Belongs, assigned, decide, doubts_of, known, references_of
from gateway.store.pool import Record, Store, Transaction
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import Session
from mappings.report import Issue

_TOLD: Final = TypeAdapter(dict[str, datetime])


class Sessions:
    """Implements `ports.Sessions`.

    Args:
        wake: Called after a commit that left something to tell.
        clock: Gives the present, aware.
    """

    def __init__(self, store: Store, links: Links, wake: Callable[[], None], clock: Callable[[], datetime]) -> None:
        self._store = store
        self._links = links
        self._wake = wake
        self._clock = clock

    async def put(self, session: Session, who: str, *, if_updated: datetime | None = None) -> SessionResult:
        """See `ports.Sessions.put`."""
        del who  # sessions are not audited: the events and deliveries say what there is to say
        # Of what was sent: a stamp that was replaced by the time of arrival must not make it another session.
        digest = blake2b(session.model_dump_json(exclude_defaults=True).encode(), digest_size=16).digest()
        given, issues = without_future(session, self._clock())
        result = SessionResult(session.party, session.id, "unchanged", issues)
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    result = await self._put(tx, links, given, digest, issues, if_updated)
        if result.outcome in {"created", "updated"}:
            self._wake()
        return result

    async def _put(
        self,
        tx: Transaction,
        links: Sequence[Link],
        session: Session,
        digest: bytes,
        issues: Sequence[Issue],
        if_updated: datetime | None,
    ) -> SessionResult:
        row = await tx.fetchrow(SQL["lock"], session.party.normal, session.id)
        if if_updated is not None and (row is None or row["updated_at"] != if_updated):
            raise Conflict("the session changed meanwhile")
        if row is not None and (row["digest"] == digest or session.last_updated < row["last_updated"]):
            outcome: Literal["unchanged", "stale"] = "unchanged" if row["digest"] == digest else "stale"
            return self._result(session, outcome, issues, known(row))
        before = Session.model_validate_json(row["body"]) if row is not None else None
        faults = of_session(session, before)
        place = None if faults else await _place(tx, session, before, row)
        if faults or place is None:
            raise Invalid(*faults)
        belongs = await decide(tx, session, before, row)
        no = await _write(tx, session, place, digest, belongs, row)
        if belongs.claimed:
            await _claim(tx, no, session.id, belongs)
        if belongs.review is None:
            await _tell(tx, links, no, session, place, belongs.roaming)
            if row is not None and row["review"] is not None:
                await release(tx, links, no, session, place, belongs.roaming, references_of(belongs), self._clock())
        await append_events(tx, *self._events(session, before, row, belongs))
        if row is not None and row["cdr_no"] is not None:
            cdr = Cdr.model_validate_json(await tx.fetchval(SQL["bill"], row["cdr_no"]))
            issues = [*issues, *of_session_with_cdr(session, cdr)]
        return self._result(session, "created" if row is None else "updated", issues, belongs)

    async def assign(self, party: PartyId, session_id: str, authorisation: str | None, who: str) -> SessionResult:
        """See `ports.Sessions.assign`."""
        async for attempt in self._store.attempts():
            with attempt:
                async with self._links.publishing() as (tx, links):
                    result = await self._assign(tx, links, party, session_id, authorisation, who)
                self._wake()
                return result
        raise AssertionError("unreachable")

    async def _assign(
        self,
        tx: Transaction,
        links: Sequence[Link],
        party: PartyId,
        session_id: str,
        authorisation: str | None,
        who: str,
    ) -> SessionResult:
        row = await tx.fetchrow(SQL["lock"], party.normal, session_id)
        if row is None:
            raise NotFound(f"there is no session {party}/{session_id}")
        if row["review"] is None:
            raise Conflict("the session does not wait for review")
        session = Session.model_validate_json(row["body"])
        belongs = Belongs() if authorisation is None else await assigned(tx, session, row["no"], authorisation)
        number = belongs.authorisation[0] if belongs.authorisation is not None else None
        await tx.execute(SQL["assign"], row["no"], number, belongs.connection_id)
        await _claim(tx, row["no"], session.id, belongs)
        place = CdrLocation.model_validate_json(row["place"])
        await _tell(tx, links, row["no"], session, place, belongs.roaming)
        await release(tx, links, row["no"], session, place, belongs.roaming, references_of(belongs), self._clock())
        detail = json.dumps({"authorisation": authorisation, "why": row["review"]})
        await tx.execute(SQL["audit"], who, "assigned", f"session/{party}/{session_id}", detail)
        await append_events(tx, self._event(EventType.SESSION_CHANGED, session, belongs))
        return self._result(session, "updated", (), belongs)

    async def waive_cdr(self, party: PartyId, session_id: str, why: str, who: str) -> None:
        """See `ports.Sessions.waive_cdr`."""
        async with self._store.transaction() as tx:
            row = await tx.fetchrow(SQL["lock"], party.normal, session_id)
            if row is None:
                raise NotFound(f"there is no session {party}/{session_id}")
            if row["ended_at"] is None:
                raise Conflict("the session is not over")
            if row["cdr_no"] is not None:
                raise Conflict("the session has a CDR")
            await tx.execute(SQL["waive"], row["no"], why)
            await tx.execute(
                SQL["audit"], who, "waived the CDR", f"session/{party}/{session_id}", json.dumps({"why": why})
            )

    async def get(self, party: PartyId, session_id: str) -> SessionView | None:
        """See `ports.Sessions.get`."""
        row = await self._store.fetchrow(SQL["one"], party.normal, session_id)
        if row is None:
            return None
        refs = await self._store.fetch(SQL["refs"], row["authorisation_no"]) if row["authorisation_no"] else []
        told = await self._store.fetch(SQL["how_far"], row["no"])
        return replace(
            _view(row),
            refs=[SessionRef(**dict(ref)) for ref in refs],
            told=[SessionTold(**{**dict(one), "told": _TOLD.validate_json(one["told"])}) for one in told],
        )

    async def list(self, wanted: SessionFilter, after: str | None, limit: int) -> Page[SessionView]:
        """See `ports.Sessions.list`."""
        rows = await self._store.fetch(
            SQL["list"],
            number_of(after, LAST),
            None if wanted.parties is None else [party.normal for party in wanted.parties],
            wanted.status.value if wanted.status is not None else None,
            wanted.review,
            wanted.connection,
            wanted.without_cdr,
            limit,
            wanted.location,
            wanted.evse,
            wanted.reference,
        )
        return Page([_view(row) for row in rows], encode(str(rows[-1]["no"])) if len(rows) == limit else None)

    def _result(
        self,
        session: Session,
        outcome: Literal["created", "updated", "unchanged", "stale"],
        issues: Sequence[Issue],
        belongs: Belongs,
    ) -> SessionResult:
        return SessionResult(
            session.party,
            session.id,
            outcome,
            [*issues, *doubts_of(belongs, session)],
            belongs.authorisation[1] if belongs.authorisation is not None else None,
            self._connection(belongs),
            belongs.review,
        )

    def _connection(self, belongs: Belongs) -> str | None:
        link = self._links.get(belongs.connection_id) if belongs.connection_id is not None else None
        return link.connection.name if link is not None else None

    def _events(
        self, session: Session, before: Session | None, row: Record | None, belongs: Belongs
    ) -> Sequence[Event]:
        events: list[Event] = []
        if before is None or before.status is not session.status or belongs.claimed:
            events.append(self._event(EventType.SESSION_CHANGED, session, belongs))
        if belongs.review is not None and (row is None or row["review"] != belongs.review):
            events.append(self._event(EventType.SESSION_REVIEW, session, belongs))
        return events

    def _event(self, type_: EventType, session: Session, belongs: Belongs) -> Event:
        data = {
            "party": session.party.normal,
            "id": session.id,
            "status": session.status.value,
            "authorisation": belongs.authorisation[1] if belongs.authorisation is not None else None,
            "connection": self._connection(belongs),
            "review": belongs.review,
        }
        told: dict[str, JsonValue] = {name: value for name, value in data.items() if value is not None}
        return Event(type_, session.party, f"sessions/{session.party}/{session.id}", told)


async def _place(tx: Transaction, session: Session, before: Session | None, row: Record | None) -> CdrLocation:
    """Gives the picture of where a session runs, as it was when it was told of first.

    Raises:
        Invalid: The party has no such location, EVSE or connector.
    """
    if row is not None and before is not None and before.connector_id == session.connector_id:
        return CdrLocation.model_validate_json(row["place"])
    return await place_of(tx, session.party, session.location_id, session.evse_uid, session.connector_id)


async def _write(
    tx: Transaction, session: Session, place: CdrLocation, digest: bytes, belongs: Belongs, row: Record | None
) -> int:
    """Writes the row and gives its number.

    Raises:
        asyncpg.SerializationError: Somebody else told of the same new session first.
    """
    values = (
        session.model_dump_json(exclude_defaults=True),
        place.model_dump_json(exclude_none=True),
        digest,
        session.status.value,
        belongs.authorisation[0] if belongs.authorisation is not None else None,
        belongs.connection_id,
        belongs.review,
        (session.end or session.last_updated) if session.status in FINISHED else None,
        session.last_updated,
    )
    if row is not None:
        await tx.execute(SQL["update"], row["no"], *values)
        found: int = row["no"]
        return found
    no: int | None = await tx.fetchval(SQL["insert"], session.party.normal, session.id, *values)
    if no is None:
        raise asyncpg.SerializationError("somebody else wrote the same session first")
    return no


async def _claim(tx: Transaction, no: int, session_id: str, belongs: Belongs) -> None:
    """Takes an authorisation for a session, and makes the session's own id lead to it.

    Raises:
        asyncpg.SerializationError: Another session took it meanwhile, or it was denied.
    """
    if belongs.authorisation is None:
        return
    number, _ = belongs.authorisation
    if await tx.fetchval(SQL["claim"], number, no) is None:
        raise asyncpg.SerializationError("another session took the authorisation, or it was denied")
    if belongs.connection_id is not None:
        await tx.execute(SQL["add_own_id"], belongs.connection_id, session_id, number)


async def _tell(
    tx: Transaction,
    links: Sequence[Link],
    no: int,
    session: Session,
    place: CdrLocation,
    roaming: Roaming | None,
) -> None:
    """Appends what every connection shall be told, and notes that it is told."""
    told: Mapping[int, dict[str, datetime]] = {
        row["connection_id"]: _TOLD.validate_json(row["told"]) for row in await tx.fetch(SQL["told"], no)
    }
    messages = messages_of(links, session, place, roaming, told)
    for link, those in messages:
        await append(tx, link, those, session_no=no)
    if messages:
        now_told = {
            link.connection.id: told.get(link.connection.id, {}) | {one.kind: session.last_updated for one in those}
            for link, those in messages
        }
        await tx.execute(
            SQL["tell"], no, list(now_told), [_TOLD.dump_json(each).decode() for each in now_told.values()]
        )


def _view(row: Record) -> SessionView:
    return SessionView(
        session=Session.model_validate_json(row["body"]),
        review=row["review"],
        authorisation=row["authorisation"],
        connection=row["connection"],
        ended=row["ended_at"],
        cdr=row["cdr"],
        waived=row["cdr_waived"],
        updated=row["updated_at"],
    )
