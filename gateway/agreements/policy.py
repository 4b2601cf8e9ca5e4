"""Who is served: decided from agreements alone. Pure.

A network is public at a connection until the first offer of it there begins, since an operator's stations are public
unless they are restricted; from then on it is restricted to what its offers say, for good: an end opens nothing.
Whether a no is obeyed is not decided here. A hub is the authority on its own contracts, so that its yes stands where
the record here has none (`ChargingProfile.has_contracts`); where nobody but us keeps a record, a no is a no.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from adapters.core.connection import Connection
from gateway.agreements.book import Book
from gateway.agreements.model import DEFAULT_RANK, Agreement, Standing
from mappings.canonical.agreements import AgreementRef, Service
from mappings.canonical.ids import PartyId


class Reason(StrEnum):
    """Why somebody is served, or is not; of what excludes them, what comes last here counts as nearest to a yes."""

    UNRESTRICTED = "unrestricted"
    """No offer of the network has begun there."""
    AGREED = "agreed"
    NO_AGREEMENT = "no_agreement"
    """The EMSP has none of the network's offers there."""
    REFUSED = "refused"
    """Its subscription was refused."""
    OTHER_SERVICE = "other_service"
    """There is an agreement, not for this service."""
    OTHER_EVSES = "other_evses"
    """There is one for the service, not for this EVSE."""
    ENDED = "ended"
    NOT_YET = "not_yet"
    NOT_APPROVED = "not_approved"
    """Nobody has said yes to the subscription yet."""


REFUSALS: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.NO_AGREEMENT: "There is no agreement with the EMSP",
        Reason.REFUSED: "The EMSP's subscription was refused",
        Reason.OTHER_SERVICE: "The agreement with the EMSP does not cover this service",
        Reason.OTHER_EVSES: "The agreement with the EMSP does not cover this EVSE",
        Reason.ENDED: "The agreement with the EMSP has ended",
        Reason.NOT_YET: "The agreement with the EMSP has not begun",
        Reason.NOT_APPROVED: "The EMSP's subscription has not been approved",
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
        evse_key: The normal form of the EvseID, `""` of an EVSE without one; None where no EVSE is meant in particular.
    """

    service: Service
    party: PartyId
    emsp: PartyId | None = None
    evse_key: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether it is granted.

    Attributes:
        agreement: By which; None where none was needed, or none grants it.
        rank: In the order of asking.
        others: What would grant it too, were it not for the more specific one.
    """

    allowed: bool
    reason: Reason
    agreement: Agreement | None = None
    rank: int = DEFAULT_RANK
    others: tuple[Agreement, ...] = ()

    @property
    def ref(self) -> AgreementRef | None:
        """By what a session is served that begins now."""
        return self.agreement.ref if self.agreement is not None else None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A connection that may be asked for a driver, and by which decision."""

    connection: Connection
    decision: Decision


_UNRESTRICTED: Final = Decision(True, Reason.UNRESTRICTED)
_REFUSED: Final = MappingProxyType({reason: Decision(False, reason) for reason in REFUSALS})
_ORDER: Final = MappingProxyType({reason: place for place, reason in enumerate(Reason)})


def decide(book: Book, connection_id: int, request: Request, now: datetime) -> Decision:
    """Decides whether somebody is served by one connection.

    Of several agreements the most specific one counts: one that names the EMSP before one for all, one for EVSE groups
    before one for the whole network, one of the CPO's own before one of a network group; then the lower rank, then the
    older offer.
    """
    return _decide(book, connection_id, request, now, past=False)


def held(book: Book, connection_id: int, request: Request, at: datetime) -> Decision:
    """Decides whether somebody was served at a moment that is past: what ended since counts as it stood then.

    Args:
        request: Whose EMSP is known: of what is over only an EMSP's own agreements are kept.
    """
    return _decide(book, connection_id, request, at, past=True)


def _decide(book: Book, connection_id: int, request: Request, now: datetime, *, past: bool) -> Decision:
    cpo = request.party.normal
    since = book.restricted.get((connection_id, cpo))
    if since is None or now < since:
        return _UNRESTRICTED
    if request.emsp is None:
        return _to_anybody(book, connection_id, request, now)
    found = book.of(connection_id, cpo, request.emsp.normal)
    granting: list[Agreement] = []
    nearest = Reason.NO_AGREEMENT
    for agreement in found:
        reason = _judge(book, agreement, request, now, past)
        if reason is Reason.AGREED:
            granting.append(agreement)
        elif _ORDER[reason] > _ORDER[nearest]:
            nearest = reason
    if granting:
        chosen = granting[0]
        return Decision(True, Reason.AGREED, chosen, chosen.terms.rank, tuple(granting[1:]))
    return _REFUSED[nearest]


def _to_anybody(book: Book, connection_id: int, request: Request, now: datetime) -> Decision:
    """Decides for somebody who is not known: that there is an agreement with anybody is all that is asked."""
    network = connection_id, request.party.normal
    nearest = Reason.OTHER_SERVICE if book.by_network.get(network) else Reason.NO_AGREEMENT
    for agreement in book.by_service.get((*network, request.service), ()):
        reason = _judge(book, agreement, request, now, past=False)
        if reason is Reason.AGREED:
            return Decision(True, Reason.AGREED, agreement, agreement.terms.rank)
        if _ORDER[reason] > _ORDER[nearest]:
            nearest = reason
    return _REFUSED[nearest]


def candidates(
    book: Book, connections: Iterable[Connection], bound: Collection[int], request: Request, now: datetime
) -> list[Candidate]:
    """Gives the connections that may serve a request, in the order in which they are asked: by rank, then by name.

    A hub that knows its own contracts is asked, too, where the record here has none: after all others.

    Args:
        connections: Those that could be asked: live, ready, with the EVSE in their scope.
        bound: Numbers of those where nobody but us keeps contracts.
    """
    found = (Candidate(each, decide(book, each.id, request, now)) for each in connections)
    return sorted(
        (each for each in found if each.decision.allowed or each.connection.id not in bound),
        key=lambda each: (not each.decision.allowed, each.decision.rank, each.connection.name),
    )


def _judge(book: Book, agreement: Agreement, request: Request, now: datetime, past: bool) -> Reason:
    standing = agreement.standing
    if standing is Standing.REFUSED:
        return Reason.REFUSED
    if request.service not in agreement.terms.services:
        return Reason.OTHER_SERVICE
    if not book.covers(agreement, request.evse_key):
        return Reason.OTHER_EVSES
    if (standing is Standing.OVER and not past) or (agreement.ends is not None and agreement.ends <= now):
        return Reason.ENDED
    if standing is Standing.WAITS:
        return Reason.NOT_APPROVED
    return Reason.AGREED if agreement.starts <= now else Reason.NOT_YET
