"""What CDRs cost by the tariff in force at their start, beside what they say, and what people decide about it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import StringConstraints

from gateway.pricing.comparing import Part
from gateway.pricing.result import Extra
from gateway.services.ports.common import Page, Parties
from gateway.services.ports.quotes import NoteShown
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.base import Number
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Money, TariffDimension

Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Direction(StrEnum):
    """Which way a CDR goes."""

    OUT = "out"
    """From an own station to a hub, or to nobody."""
    IN = "in"
    """Of a driver of ours at a partner's station."""


class Outcome(StrEnum):
    """What came of pricing a CDR anew."""

    MATCHES = "matches"
    DIFFERS = "differs"
    UNTOLD = "untold"
    """The CDR tells no cost; what it comes to is known."""
    UNPRICEABLE = "unpriceable"
    """`why` says why."""


class RepricingState(StrEnum):
    """Whether a person has to decide."""

    CLEAR = "clear"
    """Nobody has to: nothing differs, no cost is told, or the CDR is not in effect."""
    OPEN = "open"
    """What the CDR tells does not follow from the tariff, or cannot be shown to."""
    ACCEPTED = "accepted"
    """A person takes the CDR's cost as it is."""
    DISPUTED = "disputed"
    """A person does not; the other side is to be asked for a correction, or has to be given one."""


class TariffSource(StrEnum):
    """Whose word a tariff is."""

    PUBLISHED = "published"
    """It was published before the charge, or first of all after it began."""
    CDR = "cdr"
    """Only the CDR's own copy of it is known."""


@dataclass(frozen=True, slots=True)
class RepricingDecided:
    """A person's decision.

    Attributes:
        state: `accepted` or `disputed`.
        why: In that person's words.
        agreed: What both sides agreed on instead, where they did.
    """

    state: RepricingState
    why: str
    who: str
    at: datetime
    agreed: Money | None = None


@dataclass(frozen=True, slots=True)
class RepricingView:
    """What a CDR says that it costs, beside what follows from the tariff.

    Attributes:
        id: Ours, a number.
        received: The number of the received CDR; None for an own one, which is named by `cpo` and `cdr`.
        cdr: The CDR's id.
        party: Ours, whose backend it concerns; None where it is not known whose driver it was.
        emsp: Who pays, where that is known.
        connection: Over which the CDR goes, or came.
        started: When the charge began, whose tariff counts.
        currency: Of the CDR, and of every amount here.
        why: Why it cannot be priced: a word of `Why` of the engine, or `failed`; see docs/operations.md.
        told_net, told_gross: By the CDR.
        net, gross: As calculated.
        difference_net, difference_gross: What is told less what is calculated.
        tariff: Id of the tariff at the start.
        source: Whose word that tariff is.
        version: The number of its version, where it was published.
        agreement: Under which the charge began; the tariffs that it names go before all others.
        computed: When.
    """

    id: int
    direction: Direction
    received: int | None
    cpo: PartyId
    cdr: str
    party: PartyId | None
    emsp: PartyId | None
    connection: str | None
    started: datetime
    currency: str
    outcome: Outcome
    why: str | None
    told_net: Number | None
    told_gross: Number | None
    net: Number | None
    gross: Number | None
    difference_net: Number | None
    difference_gross: Number | None
    tariff: str | None
    source: TariffSource | None
    version: int | None
    state: RepricingState
    decided: RepricingDecided | None
    computed: datetime
    agreement: AgreementRef | None = None


@dataclass(frozen=True, slots=True)
class RepricedAmount:
    """A cost without tax, and with it where that is told."""

    net: Number
    gross: Number | None = None


@dataclass(frozen=True, slots=True)
class RepricedPart:
    """One part of the cost, side by side.

    Attributes:
        told: By the CDR; left out where it tells none.
        difference: What is told less what is calculated.
        differs: By more than the tolerance. The total decides; parts may be told apart in another way than tariffs do.
    """

    part: Part
    calculated: RepricedAmount
    differs: bool
    told: RepricedAmount | None = None
    difference: RepricedAmount | None = None


@dataclass(frozen=True, slots=True)
class RepricedLine:
    """One element's price for one run of time in which it held.

    Attributes:
        of: What is priced; MINIMUM, MAXIMUM and ROUNDING are the price limits' and the total's.
        element, component: Their places in the tariff, from 0.
        periods: The first and the last of the CDR's charging periods that it is of, from 0.
        reservation: It prices a reservation.
        used: kWh, hours, or 1 for a fee.
        billed: The same, after steps.
        price: Per unit, without tax.
        vat: Per cent; left out where the tariff names none.
    """

    tariff_id: str
    of: TariffDimension | Extra
    reservation: bool
    used: Number
    billed: Number
    price: Number
    net: Number
    tax: Number
    vat: Number | None = None
    element: int | None = None
    component: int | None = None
    periods: tuple[int, int] | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class RepricingResult:
    """How a repricing came about.

    Attributes:
        parts: The CDR's costs and the calculated ones, side by side.
        lines: Of the calculation: which element priced which quantity of which period.
        notes: What is to be said beside it.
        detail: Why it cannot be priced, in a sentence.
        field: What that speaks of.
    """

    parts: list[RepricedPart] = field(default_factory=list)
    lines: list[RepricedLine] = field(default_factory=list)
    notes: list[NoteShown] = field(default_factory=list)
    detail: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class PastRepricing:
    """What stood in its place before.

    Attributes:
        until: When something else took its place.
    """

    outcome: Outcome
    why: str | None
    told_net: Number | None
    net: Number | None
    difference_net: Number | None
    tariff: str | None
    version: int | None
    state: RepricingState
    decided: RepricingDecided | None
    computed: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class RepricingShown:
    """One repricing with all that led to it, and what stood before it, the latest first."""

    repricing: RepricingView
    result: RepricingResult
    history: list[PastRepricing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RepricingFilter:
    """Which repricings are meant; what is None is not asked about.

    Attributes:
        parties: Those whom the caller may see; what belongs to no known one only whoever may see all.
        since, until: When the charge began; `until` is excluded.
        cdr: The CDR's id, in whatever case.
    """

    parties: Parties = None
    direction: Direction | None = None
    outcome: Outcome | None = None
    state: RepricingState | None = None
    connection: str | None = None
    cpo: PartyId | None = None
    emsp: PartyId | None = None
    since: datetime | None = None
    until: datetime | None = None
    cdr: str | None = None


class Repricings(Protocol):
    """What every CDR, out and in, costs by its tariff. No CDR waits for it."""

    async def list(self, wanted: RepricingFilter, after: str | None, limit: int) -> Page[RepricingView]:
        """Gives repricings, the newest first."""

    async def get(self, parties: Parties, no: int) -> RepricingShown:
        """Gives one. Raises `NotFound`."""

    def export(self, wanted: RepricingFilter) -> AsyncIterator[Sequence[RepricingView]]:
        """Gives all of them, page by page, the newest first, however many there are."""

    async def accept(self, parties: Parties, no: int, why: str, who: str) -> RepricingShown:
        """Takes a CDR's cost as it is, though it does not follow from the tariff.

        Raises:
            NotFound: There is no such repricing.
            Conflict: There is nothing to decide about it.
        """

    async def dispute(self, parties: Parties, no: int, why: str, agreed: Money | None, who: str) -> RepricingShown:
        """Does not take a CDR's cost. No hub is told: of an own CDR the correction is `Cdrs.correct`'s.

        Args:
            agreed: What both sides agreed on instead, where they did.

        Raises:
            NotFound: There is no such repricing.
            Conflict: There is nothing to decide about it.
        """

    async def recompute(self, parties: Parties, no: int, who: str) -> RepricingShown:
        """Prices one anew, by what is known by now. A decision stands where nothing comes out otherwise.

        Raises:
            NotFound: There is no such repricing.
        """

    async def recompute_all(self, parties: Parties, since: datetime, who: str) -> int:
        """Has every CDR of charges that began then or later priced anew, those too that never were; gives how many."""
