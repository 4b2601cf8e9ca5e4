"""Who is served: decided from agreements alone. Pure.

A connection without any agreement serves everybody in its scope, since an operator's stations are public unless they
are restricted, and the hub is the authority on its own contracts. The first agreement restricts the connection to what
its agreements say, and it stays restricted when they have ended: an end opens nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adapters.core.connection import Connection
from gateway.agreements.model import DEFAULT_RANK, Agreement, Service
from mappings.canonical.ids import PartyId


class Reason(StrEnum):
    """Why somebody is served, or is not; of what excludes them, what comes last here counts as nearest to a yes."""

    UNRESTRICTED = "unrestricted"
    """The connection has no agreement at all."""
    AGREED = "agreed"
    OTHER_PARTY = "other_party"
    """Every agreement is for other CPOs."""
    OTHER_EMSP = "other_emsp"
    """Every agreement that is for the CPO is for other EMSPs."""
    OTHER_SERVICE = "other_service"
    """There is one for both, not for this service."""
    ENDED = "ended"
    NOT_YET = "not_yet"


REFUSALS: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.OTHER_PARTY: "There is no agreement with the operator of the station",
        Reason.OTHER_EMSP: "There is no agreement with the EMSP",
        Reason.OTHER_SERVICE: "The agreement with the EMSP does not cover this service",
        Reason.ENDED: "The agreement with the EMSP has ended",
        Reason.NOT_YET: "The agreement with the EMSP has not begun",
    }
)
"""What an EMSP is told who is not served."""


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants.

    Attributes:
        party: The CPO.
        emsp: Who wants it; None where nobody knows, which no agreement is held against: the hub that brings them
            knows its contracts.
    """

    service: Service
    party: PartyId
    emsp: PartyId | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is granted.

    Attributes:
        agreement_id: By which agreement; None where none was needed, or none grants it.
        rank: In the order of asking.
    """

    allowed: bool
    reason: Reason
    agreement_id: int | None = None
    rank: int = DEFAULT_RANK


@dataclass(frozen=True, slots=True)
class Candidate:
    """A connection that may be asked for a driver, and by which decision."""

    connection: Connection
    decision: Decision


def decide(agreements: Sequence[Agreement], request: Request, now: datetime) -> Decision:
    """Decides about one connection.

    Args:
        agreements: All agreements of that connection, those that ended included.
    """
    if not agreements:
        return Decision(True, Reason.UNRESTRICTED)
    judged = [(agreement, _judge(agreement, request, now)) for agreement in agreements]
    granting = [agreement for agreement, reason in judged if reason is Reason.AGREED]
    if granting:
        chosen = min(granting, key=lambda one: _precedence(one, request))
        return Decision(True, Reason.AGREED, chosen.id, chosen.rank)
    return Decision(False, max((reason for _, reason in judged), key=_ORDER.index))


def candidates(
    agreements: Mapping[int, Sequence[Agreement]], connections: Iterable[Connection], request: Request, now: datetime
) -> list[Candidate]:
    """Gives the connections that may serve a request, in the order in which they are asked: by rank, then by name.

    Args:
        agreements: By connection number.
        connections: Those that could be asked: live, ready, with the EVSE in their scope.
    """
    found = (Candidate(each, decide(agreements.get(each.id, ()), request, now)) for each in connections)
    return sorted(
        (each for each in found if each.decision.allowed), key=lambda each: (each.decision.rank, each.connection.name)
    )


_ORDER = tuple(Reason)


def _judge(agreement: Agreement, request: Request, now: datetime) -> Reason:
    if agreement.party is not None and agreement.party != request.party:
        return Reason.OTHER_PARTY
    if agreement.emsp is not None and request.emsp is not None and agreement.emsp != request.emsp:
        return Reason.OTHER_EMSP
    if request.service not in agreement.services:
        return Reason.OTHER_SERVICE
    if agreement.is_valid(now):
        return Reason.AGREED
    return Reason.NOT_YET if now < agreement.valid_from else Reason.ENDED


def _precedence(agreement: Agreement, request: Request) -> tuple[bool, bool, int, int]:
    """Of several agreements that grant it, the one that names EMSP and CPO counts; then the lowest rank, the oldest."""
    named = request.emsp is not None and agreement.emsp is not None
    return not named, agreement.party is None, agreement.rank, agreement.id
