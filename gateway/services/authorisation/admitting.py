"""Who was let charge, or was not, as it is kept: taps, remote starts and reservations alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue

from adapters.core.charging import Denial
from gateway.events.writing import EventType
from gateway.services.ports.authorising import Asked, Detail, Origin
from gateway.store.pool import Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification

__all__ = [
    "NO_DETAIL",
    "Admission",
    "Asked",
    "Detail",
    "Origin",
    "RefKind",
    "identity",
    "record",
    "references",
    "stored",
    "uid_key",
]

SQL = Queries("gateway.services.authorisation", "admitting.sql")


class RefKind(StrEnum):
    """Whose id of a charge it is; kinds of `session_ref`."""

    OWN = "own"
    HUB = "hub"
    EMSP = "emsp"
    REFERENCE = "reference"


NO_DETAIL = Detail()


@dataclass(frozen=True, slots=True)
class Admission:
    """An authorisation, or why there is none.

    Attributes:
        id: Ours, at most 36 signs; what the session carries as its reference.
        party: The CPO.
        connection_id: Over which it roams; None where it was denied, or nobody was needed who answers.
        agreement: By which it was granted; its session keeps it.
        reason: Of a no.
        leg: How the hub names the charge.
        at: When it was asked for.
        expires: Until when it can be used; None where nobody says.
    """

    id: str
    origin: Origin
    party: PartyId
    location_id: str
    evse_uid: str
    identification: Identification
    at: datetime
    connector_id: str | None = None
    allowed: bool = True
    reason: Denial | None = None
    connection_id: int | None = None
    agreement: AgreementRef | None = None
    auth_method: AuthMethod | None = None
    leg: Leg | None = None
    detail: Detail = NO_DETAIL
    expires: datetime | None = None


def uid_key(uid: str) -> str:
    """Gives the normal form of a token's uid, by which two are compared: OCPI's uids are case-insensitive."""
    return uid.upper()


def identity(identification: Identification) -> str:
    """Gives the normal form of what a driver identifies with: of the uid, else of the contract; else `""`."""
    if identification.uid is not None:
        return uid_key(identification.uid)
    return identification.contract_id.normal if identification.contract_id is not None else ""


def references(leg: Leg) -> Iterable[tuple[RefKind, str]]:
    """Gives every id in a leg."""
    named = (
        (RefKind.OWN, leg.own_session),
        (RefKind.HUB, leg.hub_session),
        (RefKind.EMSP, leg.emsp_session),
        (RefKind.REFERENCE, leg.reference),
    )
    return [(kind, value) for kind, value in named if value is not None]


def stored(detail: Detail) -> str:
    """Gives the JSON that is kept of a detail."""
    return detail.model_dump_json(exclude_none=True, exclude_defaults=True)


async def record(
    on: "Transaction | Store", admissions: Sequence[Admission], told: Sequence[tuple[str, EventType, JsonValue]] = ()
) -> list[int | None]:
    """Writes authorisations, with every id of their legs, under which sessions and commands find them.

    Args:
        on: A store, where nothing else is written in the same transaction.
        told: Events, each with the id of its authorisation; none is written of one that is not.

    Returns:
        Their numbers in the order given; None for one whose id is there already, which stays as it is.
    """
    refs = [
        (each.id, each.connection_id, kind.value, value)
        for each in admissions
        if each.allowed and each.leg is not None and each.connection_id is not None
        for kind, value in references(each.leg)
    ]
    rows = await on.fetch(
        SQL["record"],
        *(list(column) for column in zip(*map(_row, admissions), strict=True)),
        *([ref[index] for ref in refs] for index in range(4)),
        [id_ for id_, _, _ in told],
        [type_.value for _, type_, _ in told],
        [data for _, _, data in told],
    )
    numbers = {row["id"]: row["no"] for row in rows}
    return [numbers.get(each.id) for each in admissions]


def _row(admission: Admission) -> tuple[object, ...]:
    contract = admission.identification.contract_id
    return (
        admission.id,
        admission.origin.value,
        admission.party.normal,
        admission.location_id,
        admission.evse_uid,
        admission.connector_id,
        identity(admission.identification),
        contract.normal if contract is not None else None,
        admission.connection_id,
        admission.agreement.model_dump_json(exclude_none=True) if admission.agreement is not None else None,
        admission.allowed,
        admission.reason.value if admission.reason is not None else None,
        admission.auth_method.value if admission.auth_method is not None else None,
        admission.leg.model_dump_json(exclude_none=True) if admission.leg is not None else None,
        stored(admission.detail),
        admission.at,
        admission.expires,
    )
