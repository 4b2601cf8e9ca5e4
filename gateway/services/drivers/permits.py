"""Permits as they are kept: written by whoever lets a driver of ours charge, found by what comes home of the charge."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import JsonValue

from adapters.core.charging import Denial
from gateway.events.writing import EventType
from gateway.services.authorisation.admitting import RefKind, identity, references
from gateway.services.charge.drivers import keys_of, same_driver
from gateway.services.ports.permits import PermitDetail, PermitOrigin
from gateway.services.stamps import AHEAD
from gateway.store.pool import Record, Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification

SQL = Queries("gateway.services.drivers", "permits.sql")

LASTS: Final = timedelta(hours=1)
"""How long after a permit without an end of its own a session may begin that is found by driver and EVSE."""

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""Between which there is room for what is added and taken off."""

NO_DETAIL: Final = PermitDetail()

Ref = tuple[RefKind, str]
"""An id of a charge, and whose it is."""


@dataclass(frozen=True, slots=True)
class Permit:
    """A driver of ours who may charge at a partner's station, or why not.

    Attributes:
        id: Ours, at most 36 signs: what the hub is given as the EMSP's session and reference. Found by it without it
            standing in the leg.
        party: The EMSP, ours.
        leg: How the hub names the charge, in as far as that is known yet, and the driver.
        connection_id: Over which it roams.
        cpo: Whose station; None where nobody told.
        evse_key: As in the catalogue: the EvseID's normal form, or the name that an EVSE without one has there.
        contract_key: The driver's contract, where the token tells more than the leg.
        token_no: The number of the driver's token, where it is stored.
        agreement: By which the charge is served that begins under it; None where none was needed, or none is known.
        at: When it was asked for, or the command was sent.
        expires: Until when a session may begin; None for `LASTS`.
    """

    id: str
    origin: PermitOrigin
    party: PartyId
    leg: Leg
    connection_id: int
    at: datetime
    cpo: PartyId | None = None
    evse_key: str | None = None
    contract_key: str | None = None
    token_no: int | None = None
    allowed: bool = True
    reason: Denial | None = None
    detail: PermitDetail = NO_DETAIL
    expires: datetime | None = None
    agreement: AgreementRef | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A permit that something that came home may belong to.

    Attributes:
        named: An id led to it; else driver, EVSE and time fit.
        identity, contract_key: The driver, in normal form; the identity is the uid, or without one the contract.
        received_session_no: The session that it serves already.
    """

    no: int
    id: str
    origin: PermitOrigin
    party: PartyId
    cpo: PartyId | None
    evse_key: str | None
    identity: str
    contract_key: str | None
    token_no: int | None
    allowed: bool
    leg: Leg
    at: datetime
    expires: datetime | None
    received_session_no: int | None
    named: bool

    def is_driver(self, identification: Identification) -> bool | None:
        """Tells whether it is for a driver; None where nothing that is known of both can be compared."""
        if same := same_driver(self.leg.identification, identification):
            return True
        _, contract = keys_of(identification)
        if contract is not None and self.contract_key is not None:
            return contract == self.contract_key
        return same


async def write_permit(tx: "Transaction | Store", permit: Permit) -> int:
    """Writes a permit, with every id of its leg and its own, by which `find_permits` finds it; gives its number.

    Raises:
        ValueError: A permit of that id is there already, or the driver's token is not valid any more.
    """
    [number] = await write_permits(tx, [permit])
    if number is None:
        raise ValueError("a permit of that id is there already, or its token is not valid any more")
    return number


async def write_permits(
    on: "Transaction | Store", permits: Sequence[Permit], told: Sequence[tuple[str, EventType, JsonValue]] = ()
) -> list[int | None]:
    """Writes permits in one statement, with the events that tell of them.

    Args:
        on: A store, where nothing else is written in the same transaction.
        told: Events, each with the id of its permit; none is written of one that is not.

    Returns:
        Their numbers in the order given; None for one that was not written: its id is there already, or it allows by a
        token that is not valid any more.
    """
    refs = [(each.id, each.connection_id, kind.value, value) for each in permits for kind, value in _named(each)]
    rows = await on.fetch(
        SQL["write"],
        *(list(column) for column in zip(*map(_row, permits), strict=True)),
        *([ref[index] for ref in refs] for index in range(4)),
        [id_ for id_, _, _ in told],
        [type_.value for _, type_, _ in told],
        [data for _, _, data in told],
        [each.agreement.model_dump_json(exclude_none=True) if each.agreement else None for each in permits],
    )
    numbers = {row["id"]: row["no"] for row in rows}
    return [numbers.get(each.id) for each in permits]


async def find_permits(
    tx: "Transaction | Store",
    connection_id: int,
    leg: Leg | None,
    identification: Identification | None,
    evse_key: str | None,
    at: datetime,
    *,
    known_by: datetime | None = None,
    refs: Sequence[Ref] = (),
) -> list[Candidate]:
    """Finds the permits that a session or CDR may belong to; that it is exactly one, and fits, is the caller's to see.

    Args:
        leg: How the hub names the charge; every id in it is looked for.
        identification: The driver, where no id leads anywhere; None finds by ids alone.
        evse_key: Of the EVSE, as in the catalogue. A permit without EVSE fits at any.
        at: When the session began.
        known_by: When the session was surely known, since it may begin (the plug is in) before the driver is admitted.
        refs: Ids beside the leg's.

    Returns:
        Those that an id leads to, denied ones and those of another session too; else those that are allowed, serve no
        session, and fit driver, EVSE and time, the newest first.
    """
    wanted = [*(references(leg) if leg is not None else ()), *refs]
    if wanted:
        kinds, values = [kind.value for kind, _ in wanted], [value for _, value in wanted]
        if rows := await tx.fetch(SQL["named"], connection_id, kinds, values):
            return [_candidate(row, named=True) for row in rows]
    if identification is None or not (keys := [key for key in keys_of(identification) if key is not None]):
        return []
    at = min(max(at, _EARLIEST), _LATEST)  # who tells of another age fits no permit, and is held for review
    latest = min(max(at, known_by or at), _LATEST) + AHEAD
    rows = await tx.fetch(SQL["nearby"], connection_id, evse_key, keys, latest, at - LASTS - AHEAD, at - AHEAD)
    return [_candidate(row, named=False) for row in rows]


async def tie_permit(tx: "Transaction | Store", no: int, received_session_no: int) -> bool:
    """Notes which session a permit serves; False where it serves another one already."""
    return await tx.fetchval(SQL["tie"], no, received_session_no) is not None


async def name_permit(tx: "Transaction | Store", no: int, connection_id: int, leg: Leg) -> None:
    """Notes how a hub names a charge, once it tells: keeps the leg, and finds the permit by every id in it."""
    kinds, values = zip(*named, strict=True) if (named := list(references(leg))) else ((), ())
    stored = leg.model_dump_json(exclude_none=True)
    await tx.execute(SQL["name"], no, connection_id, stored, [kind.value for kind in kinds], list(values))


async def deny_permit(tx: "Transaction | Store", no: int, reason: Denial) -> None:
    """Takes a permit back: the command that it was for came to nothing."""
    await tx.execute(SQL["deny"], no, reason.value)


def _named(permit: Permit) -> Iterable[Ref]:
    """Gives every id by which a permit is found, each once."""
    own = [(RefKind.EMSP, permit.id), (RefKind.REFERENCE, permit.id)]
    return dict.fromkeys([*references(permit.leg), *own])


def _row(permit: Permit) -> tuple[object, ...]:
    contract = permit.leg.identification.contract_id
    return (
        permit.id,
        permit.connection_id,
        permit.origin.value,
        permit.party.normal,
        permit.cpo.normal if permit.cpo is not None else None,
        permit.evse_key,
        identity(permit.leg.identification),
        contract.normal if contract is not None else permit.contract_key,
        permit.token_no,
        permit.allowed,
        permit.reason.value if permit.reason is not None else None,
        permit.leg.model_dump_json(exclude_none=True),
        permit.detail.model_dump_json(exclude_none=True, exclude_defaults=True),
        permit.at,
        permit.expires,
    )


def _candidate(row: Record, *, named: bool) -> Candidate:
    return Candidate(
        no=row["no"],
        id=row["id"],
        origin=PermitOrigin(row["origin"]),
        party=PartyId(row["party"]),
        cpo=PartyId(row["cpo"]) if row["cpo"] is not None else None,
        evse_key=row["evse_key"],
        identity=row["identity"],
        contract_key=row["contract_key"],
        token_no=row["driver_token_no"],
        allowed=row["allowed"],
        leg=Leg.model_validate_json(row["leg"]),
        at=row["at"],
        expires=row["expires_at"],
        received_session_no=row["received_session_no"],
        named=named,
    )
