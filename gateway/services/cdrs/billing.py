"""Telling of CDRs that are stored: what the gateway fills in, and the messages to the hubs concerned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Final

from pydantic import JsonValue

from gateway.events.writing import Event, EventType
from gateway.events.writing import append as append_events
from gateway.outbox.messages import Told, append_each
from gateway.outbox.projecting import Link
from gateway.services.charge.checking import of_cdr_and_session
from gateway.services.charge.drivers import completed
from gateway.services.charge.telling import Roaming
from gateway.services.charge.telling import of_cdr as messages_of
from gateway.services.storing import dump_issues
from gateway.store.pool import Transaction
from gateway.store.queries import Queries
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.sessions import Session
from mappings.report import Issue

SQL: Final = Queries("gateway.services.cdrs", "billing.sql")

FILLED: Final = frozenset({"session_id", "identification", "reference", "location", "meter_id"})
"""Fields in which a stored CDR says more than what the backend gave."""

_REFERENCE: Final = 36
"""Most signs of a CDR's reference."""


@dataclass(frozen=True, slots=True)
class Billed:
    """A stored CDR that is to be told.

    Attributes:
        cdr: With what was filled in.
        session_no: Whose it is.
    """

    no: int
    cdr: Cdr
    place: CdrLocation
    roaming: Roaming | None
    session_no: int | None


def filled(cdr: Cdr, session: Session, place: CdrLocation, roaming: Roaming | None) -> Cdr:
    """Gives a CDR with what the backend left out: where it was, whose session, and how the hub names it."""
    identification = completed(cdr.identification, session.identification)
    reference = cdr.reference or session.reference
    if roaming is not None:
        identification = completed(identification, roaming.leg.identification)
        named = roaming.leg.reference
        if cdr.reference is None and named is not None and len(named) <= _REFERENCE:
            reference = named
    location = place.model_copy(
        update={name: getattr(cdr.location, name) for name in cdr.location.model_fields_set if _given(cdr, name)}
    )
    # Everything put in is a validated value of the same type.
    return cdr.model_copy(
        update={
            "session_id": session.id,
            "identification": identification,
            "reference": reference,
            "location": location,
            "meter_id": cdr.meter_id or session.meter_id,
        }
    )


def _given(cdr: Cdr, name: str) -> bool:
    return getattr(cdr.location, name) is not None


async def tell(tx: Transaction, links: Sequence[Link], billed: Sequence[Billed], now: datetime) -> None:
    """Appends the messages of CDRs, one statement for each connection.

    A hub refuses a CDR that ends later than its own clock says (OICP 2.3, status code 022), and clocks differ: one that
    ends a little ahead of ours waits till then.
    """
    told: dict[int, tuple[Link, list[Told]]] = {}
    for one in billed:
        for link, messages in messages_of(links, one.cdr, one.place, one.roaming):
            _, those = told.setdefault(link.connection.id, (link, []))
            those += [Told(message, one.no, one.session_no) for message in messages]
    for link, those in told.values():
        await append_each(tx, link, those)
    if ahead := [one for one in billed if one.cdr.end > now]:
        await tx.execute(SQL["hold_back"], [one.no for one in ahead], [one.cdr.end for one in ahead])


async def release(
    tx: Transaction,
    links: Sequence[Link],
    session_no: int,
    session: Session,
    place: CdrLocation,
    roaming: Roaming | None,
    references: Iterable[str],
    now: datetime,
) -> None:
    """Tells of the CDRs that waited for their session's review, unless they contradict what it turned out to be."""
    rows = await tx.fetch(SQL["waiting"], session_no)
    billed: list[Billed] = []
    for row in rows:
        cdr = Cdr.model_validate_json(row["body"])
        if faults := of_cdr_and_session(cdr, session, place, references):
            why = "; ".join(f"{field}: {detail}" for field, detail in faults)
            await tx.execute(SQL["keep_waiting"], row["no"], why)
            await append_events(tx, event(EventType.CDR_REVIEW, cdr, why))
            continue
        billed.append(Billed(row["no"], filled(cdr, session, place, roaming), place, roaming, session_no))
    for one in billed:
        await tx.execute(SQL["release"], one.no, *stored(one.cdr, roaming))
    await tell(tx, links, billed, now)
    await append_events(tx, *(event(EventType.CDR_ACCEPTED, one.cdr) for one in billed))


def stored(cdr: Cdr, roaming: Roaming | None) -> tuple[str, int | None, str | None]:
    """Gives a CDR's body, connection and leg as they are stored."""
    leg = roaming.leg.model_dump_json(exclude_none=True) if roaming is not None else None
    return cdr.model_dump_json(exclude_defaults=True), roaming.connection_id if roaming is not None else None, leg


def digest_of(cdr: Cdr) -> bytes:
    """Gives what two CDRs of one id are compared by: all but when the backend last touched it."""
    text = cdr.model_dump_json(exclude_defaults=True, exclude={"last_updated"})
    return blake2b(text.encode(), digest_size=16).digest()


def row_of(
    cdr: Cdr,
    digest: bytes,
    session_no: int | None,
    roaming: Roaming | None,
    review: str | None = None,
    issues: Sequence[Issue] = (),
) -> tuple[object, ...]:
    """Gives a row of `cdr`, in the order of the statement that inserts it."""
    body, connection_id, leg = stored(cdr, roaming)
    return (
        cdr.party.normal,
        cdr.id,
        body,
        digest,
        session_no,
        connection_id,
        leg,
        review,
        cdr.energy,
        cdr.credit,
        dump_issues(issues),
        cdr.last_updated,
    )


def event(type_: EventType, cdr: Cdr, why: str | None = None, **more: str | int | None) -> Event:
    """Gives an event of a CDR."""
    data = {
        "party": cdr.party.normal,
        "id": cdr.id,
        "session_id": cdr.session_id,
        "energy": float(cdr.energy),
        "why": why,
        **more,
    }
    told: dict[str, JsonValue] = {name: value for name, value in data.items() if value is not None}
    return Event(type_, cdr.party, f"cdrs/{cdr.party}/{cdr.id}", told)
