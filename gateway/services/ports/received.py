"""Sessions and CDRs of our own drivers at partners' stations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from gateway.services.ports.common import Page, Parties
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session, SessionNews, SessionStatus


class Review(StrEnum):
    """Why a person has to look at a session or CDR that came home."""

    UNKNOWN_DRIVER = "UNKNOWN_DRIVER"
    """Its driver is none of ours."""
    UNKNOWN_PERMIT = "UNKNOWN_PERMIT"
    """Nobody let the driver charge, and their token is not to be taken without asking."""
    AMBIGUOUS = "AMBIGUOUS"
    """Several permits, or sessions, fit."""
    DENIED = "DENIED"
    """The driver was not let charge."""
    UNKNOWN_EVSE = "UNKNOWN_EVSE"
    """The catalogue has no such EVSE."""
    OTHER_PARTY = "OTHER_PARTY"
    """The EVSE, or what it refers to, is another party's than who tells."""
    IMPLAUSIBLE_TIME = "IMPLAUSIBLE_TIME"
    IMPLAUSIBLE_ENERGY = "IMPLAUSIBLE_ENERGY"
    CONTRADICTS = "CONTRADICTS"
    """Itself, or what was told of the same charge before."""
    DUPLICATE = "DUPLICATE"
    """The charge was told under another id already."""
    SECOND_CDR = "SECOND_CDR"
    """The session has a CDR."""
    OTHER_CONTENT = "OTHER_CONTENT"
    """A CDR of the same id says otherwise; both are kept."""
    NO_AGREEMENT = "NO_AGREEMENT"
    """It began under no agreement, or under one by which no CDRs are told this way, where no hub keeps contracts."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One reason for a review.

    Attributes:
        field: Path in what came; empty for the whole of it.
        detail: One sentence for a person; no token's uid.
    """

    reason: Review
    field: str
    detail: str


class Verdict(StrEnum):
    """What a person decided."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Decided:
    """A person's decision.

    Attributes:
        why: In that person's words.
    """

    verdict: Verdict
    why: str
    who: str
    at: datetime


class CdrStanding(StrEnum):
    """How far a CDR that came home is."""

    ACCEPTED = "accepted"
    """It passed every check, or a person accepted it."""
    REVIEW = "review"
    """A person has to decide."""
    REJECTED = "rejected"
    """By a person."""
    CREDITED = "credited"
    """Its CPO took it back."""


class PriceSource(StrEnum):
    """Whose price a CDR carries."""

    CPO = "cpo"
    HUB = "hub"
    """The CPO told none, and the hub worked it out."""
    NONE = "none"
    """There is none, or what is there means nothing."""


def price_source(cdr: Cdr) -> PriceSource:
    """Tells whose price a CDR carries."""
    if cdr.total_cost is None:
        return PriceSource.NONE
    return PriceSource.HUB if cdr.priced_by_hub else PriceSource.CPO


@dataclass(frozen=True, slots=True)
class ReceivedSessionView:
    """A session that came home.

    Attributes:
        id: Ours, a number.
        session_id: The CPO's, or the hub's.
        cpo: Whose station.
        party: The EMSP, ours; None where it is not known whose driver it is.
        connection: Over which it came; None where that was removed.
        session: As its CPO tells it, where it was told whole.
        news: What was told piece by piece, merged.
        evse: The EVSE's key in the catalogue.
        permit: Our id of the permit.
        status: As it was told last; one that its CDR ended may still say that it runs.
        ended: When it was over; by its CDR, where nobody told and that stands.
        energy: kWh so far.
        review: Why a person has to look at it; empty where nobody has to.
        doubts: The same in words.
        decided: What a person said to it.
        cdr: The number of its CDR.
        waived: Why there will be no CDR.
        updated: When it last changed here.
    """

    id: int
    session_id: str
    cpo: PartyId
    party: PartyId | None
    connection: str | None
    status: SessionStatus
    started: datetime
    ended: datetime | None
    energy: Decimal | None
    evse: str | None
    permit: str | None
    review: Sequence[Review]
    doubts: Sequence[Doubt]
    decided: Decided | None
    cdr: int | None
    waived: str | None
    last_updated: datetime
    updated: datetime
    session: Session | None = None
    news: SessionNews | None = None


@dataclass(frozen=True, slots=True)
class ReceivedCdrView:
    """A CDR that came home.

    Attributes:
        id: Ours, a number.
        version: 1, and more for what was told under the same id with another content.
        party: The EMSP, ours; None where it is not known whose driver it is.
        leg: How the hub names the charge.
        session: The number of the received session.
        permit: Our id of the permit.
        evse: The EVSE's key in the catalogue.
        price_source: Whose price it is.
        review: Why a person has to decide, or had to.
        credited_by: The number of the CDR that takes it back.
    """

    id: int
    cdr: Cdr
    version: int
    standing: CdrStanding
    party: PartyId | None
    connection: str | None
    evse: str | None
    session: int | None
    permit: str | None
    price_source: PriceSource
    review: Sequence[Review]
    doubts: Sequence[Doubt]
    decided: Decided | None
    credited_by: int | None
    received: datetime
    leg: Leg | None = None


@dataclass(frozen=True, slots=True)
class ReceivedFilter:
    """Which sessions or CDRs are meant; what is None is not asked about.

    Attributes:
        parties: The EMSPs that the caller may see; what belongs to no known one only whoever may see all.
        cpo: Whose stations.
        review: Only those that wait for a person; False for only the others.
        reason: Only those with this reason for a review.
        since, until: When they began; `until` is excluded.
        permit: Only those under the permit of this id.
        status: Of a session.
        session: Of a CDR: the number of its session.
        standing: Of a CDR.
        without_cdr: Only sessions that are over and have none, which nobody waived; False for only the others.
    """

    parties: Parties = None
    cpo: PartyId | None = None
    connection: str | None = None
    review: bool | None = None
    reason: Review | None = None
    since: datetime | None = None
    until: datetime | None = None
    permit: str | None = None
    status: SessionStatus | None = None
    standing: CdrStanding | None = None
    without_cdr: bool | None = None
    session: int | None = None


class ReceivedDesk(Protocol):
    """What came home, as the backend and people see it."""

    async def sessions(self, wanted: ReceivedFilter, after: str | None, limit: int) -> Page[ReceivedSessionView]:
        """Gives sessions, the newest first."""

    async def session(self, parties: Parties, no: int) -> ReceivedSessionView:
        """Gives one session. Raises `NotFound`."""

    async def check_session(self, parties: Parties, no: int, who: str) -> ReceivedSessionView:
        """Judges a session that waits for a person anew, by what is known by now.

        Raises:
            NotFound: There is no such session.
            Conflict: It does not wait for review, or its connection was removed.
        """

    async def accept_session(
        self, parties: Parties, no: int, permit: str | None, why: str, who: str
    ) -> ReceivedSessionView:
        """Ends a session's review: a person takes it as it is.

        Args:
            permit: Our id of the permit that it belongs to; None for the one that is known, or none.

        Raises:
            NotFound: There is no such session.
            Invalid: There is no such permit of the party.
            Conflict: It does not wait for review, or the permit serves another session.
        """

    async def waive_cdr(self, parties: Parties, no: int, why: str, who: str) -> ReceivedSessionView:
        """Says that a session will have no CDR.

        Raises:
            NotFound: There is no such session.
            Conflict: It is not over, or has a CDR.
        """

    async def cdrs(self, wanted: ReceivedFilter, after: str | None, limit: int) -> Page[ReceivedCdrView]:
        """Gives CDRs, the newest first."""

    async def cdr(self, parties: Parties, no: int) -> ReceivedCdrView:
        """Gives one CDR. Raises `NotFound`."""

    async def check_cdr(self, parties: Parties, no: int, who: str) -> ReceivedCdrView:
        """Judges a CDR that waits for a person anew; errors as for a session."""

    async def decide(self, parties: Parties, no: int, verdict: Verdict, why: str, who: str) -> ReceivedCdrView:
        """Accepts or rejects a CDR that waits for a person. The hub is not told: it has done its part.

        Raises:
            NotFound: There is no such CDR.
            Conflict: It does not wait for review.
        """
