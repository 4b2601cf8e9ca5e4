"""CDRs, as the backend hands them over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple, Protocol

from pydantic import Field, JsonValue, StringConstraints

from gateway.services.ports.common import IssueShown, Page, Parties
from mappings.canonical.base import Model, Number
from mappings.canonical.cdrs import Cdr
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import ChargingPeriod, Metering
from mappings.canonical.tariffs import Money
from mappings.report import Issue


class CdrState(StrEnum):
    """How far a CDR is."""

    PENDING = "pending"
    """The hub that authorised has not confirmed it yet."""
    DELIVERED = "delivered"
    REFUSED = "refused"
    """By that hub, or it cannot be said there: a dead letter."""
    NOT_ROAMING = "not_roaming"
    """No hub is to be paid by."""
    REVIEW = "review"
    """A person has to say what it belongs to."""
    SHOWN = "shown"
    """The connection is in shadow mode."""
    CONNECTION_REMOVED = "connection_removed"
    """It was settled with a hub over a connection that is there no more."""
    TAKEN_BACK = "taken_back"
    """A correction stands in its place."""


class CdrResult(NamedTuple):
    """What came of a CDR.

    Attributes:
        outcome: `unchanged` where the very same was accepted before; `updated` where it was assigned.
        issues: What is hardly true, and passed on as given.
        connection: To whose hub it goes.
        review: Why it waits for a person.
    """

    party: PartyId
    id: str
    outcome: Literal["created", "updated", "unchanged"]
    issues: Sequence[Issue]
    connection: str | None = None
    review: str | None = None


@dataclass(frozen=True, slots=True)
class CdrRefusal:
    """A CDR of a batch of which nothing was used.

    Attributes:
        problems: Pairs of the field's path and one sentence.
        conflict: It makes sense, but not in the present state: its session is not known, or has a CDR.
    """

    problems: Sequence[tuple[str, str]]
    conflict: bool = False


class Agreed(Model):
    """What both sides agreed on instead of what a CDR says; what is not given stays.

    Attributes:
        energy: kWh.
        time: Hours, all together.
        total_cost: Of everything.
        periods: Where other energy or times are agreed on, when it was.
    """

    energy: Annotated[Number, Field(ge=0)] | None = None
    time: Annotated[Number, Field(ge=0)] | None = None
    parking_time: Annotated[Number, Field(ge=0)] | None = None
    total_cost: Money | None = None
    fixed_cost: Money | None = None
    energy_cost: Money | None = None
    time_cost: Money | None = None
    parking_cost: Money | None = None
    reservation_cost: Money | None = None
    metering: Metering | None = None
    periods: tuple[ChargingPeriod, ...] | None = None


class Correction(Model):
    """Why a CDR was wrong, and what is right."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    agreed: Agreed


@dataclass(frozen=True, slots=True)
class Corrected:
    """What came of a correction.

    Attributes:
        outcome: `credited`: the hub takes the CDR back and has another one. `replaced`: the hub had refused the first,
            and has another one. `dispute`: the hub has no message for it; the agreement is on record.
        credit, cdr: The ids of the credit and of the CDR that stands now.
        unchanged: The very same correction was made before; nothing was done.
    """

    outcome: Literal["credited", "replaced", "dispute"]
    cdr: str
    credit: str | None = None
    dispute: int | None = None
    unchanged: bool = False


@dataclass(frozen=True, slots=True)
class Dispute:
    """An agreement that the hub has no message for."""

    id: int
    reason: str
    agreed: JsonValue
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CdrView:
    """A CDR as stored.

    Attributes:
        cdr: As it is told: with what the gateway filled in.
        connection: Of the hub that authorised.
        attempts: Tries made to tell the hub, the one included that settled it.
        error, code: What the latest try in vain, or the refusal, came to; the hub's own.
        replaced_by: The id of the CDR that stands in its place.
        replaces, correction: The id of the CDR in whose place it stands, and what was said when that was corrected.
        accepted: When.
        settled: When the hub confirmed or refused it.
        disputes: Agreements about it.
        issues: What is hardly true.
    """

    cdr: Cdr
    state: CdrState
    connection: str | None
    review: str | None
    attempts: int
    code: str | None
    error: str | None
    replaced_by: str | None
    accepted: datetime
    settled: datetime | None
    disputes: Sequence[Dispute] = ()
    issues: Sequence[IssueShown] = ()
    replaces: str | None = None
    correction: Correction | None = None


@dataclass(frozen=True, slots=True)
class CdrFilter:
    """Which CDRs are meant.

    Attributes:
        since: Accepted then or later.
        unconfirmed_for: Pending, and accepted longer ago than this.
        disputed: Only those with an agreement on record.
        session: Only those of the session with this id.
    """

    parties: Parties
    state: CdrState | None = None
    connection: str | None = None
    since: datetime | None = None
    unconfirmed_for: timedelta | None = None
    disputed: bool = False
    session: str | None = None


class Cdrs(Protocol):
    """CDRs of the CPOs that the gateway speaks for. One that is accepted is never lost, and never changes."""

    async def accept(self, cdr: Cdr, who: str) -> CdrResult:
        """Accepts a CDR, durably, and has the hub told that authorised its session.

        Raises:
            Invalid: It contradicts its session or itself; the field is named.
            Conflict: Its session is not known yet, or has a CDR already, or another CDR has its id. Nothing was stored.
        """

    async def accept_many(self, cdrs: Sequence[Cdr], who: str) -> list[CdrResult | CdrRefusal]:
        """Accepts CDRs in one transaction, in the order given; one that is refused stops no other."""

    async def get(self, party: PartyId, cdr_id: str) -> CdrView | None:
        """Gives one CDR with its disputes."""

    async def list(self, wanted: CdrFilter, after: str | None, limit: int) -> Page[CdrView]:
        """Gives CDRs, the newest first."""

    async def assign(self, party: PartyId, cdr_id: str, session: str | None, who: str) -> CdrResult:
        """Says which session a CDR that waits for review bills, or none that roams; it is told then.

        Raises:
            NotFound: There is no such CDR or session.
            Invalid: It contradicts the session.
            Conflict: It does not wait for review, or the session waits for review itself, or has a CDR.
        """

    async def correct(self, party: PartyId, cdr_id: str, correction: Correction, who: str) -> Corrected:
        """Takes a CDR back and puts another one in its place where the hub can; else records what was agreed on.

        Raises:
            NotFound: There is no such CDR.
            Invalid: What was agreed on makes no sense.
            Conflict: The CDR was taken back before, or waits for review.
        """
