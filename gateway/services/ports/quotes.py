"""What a charge will cost, and take."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, Protocol, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from adapters.core.connection import ConnectionName
from gateway.pricing.clock import zone_of
from gateway.pricing.needs import Over
from gateway.pricing.notes import NoteKind, Why
from gateway.pricing.result import Extra
from gateway.services.ports.common import Parties
from gateway.services.ports.sent_commands import EvseNamed, TokenNamed
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.base import Instant, Model, Number
from mappings.canonical.commands import Id
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff, TariffDimension, TariffType

_MONTH: Final = 31 * 86_400
_FIRST_YEAR, _END_YEAR = 2000, 2100
"""Days are added and time zones looked up, which has no end of the calendar."""
_MOST_ELEMENTS: Final = 1_000
"""Of a tariff that is given: others wait while it is priced."""
_MOST_POINTS: Final = 100


def _zone(name: str) -> str:
    if zone_of(name) is None:
        raise ValueError("is not the name of a time zone, as Europe/Paris")
    return name


def _near(at: datetime) -> datetime:
    if not _FIRST_YEAR <= at.year < _END_YEAR:
        raise ValueError(f"is before {_FIRST_YEAR} or not before {_END_YEAR}")
    return at


def _of_bounded_length(tariff: Tariff) -> Tariff:
    if len(tariff.elements) > _MOST_ELEMENTS:
        raise ValueError(f"has more than {_MOST_ELEMENTS} elements")
    return tariff


Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}$")]
"""A BCP 47 tag."""
Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_zone)]
"""IANA name of a time zone."""
Energy = Annotated[Number, Field(gt=0, le=10_000)]
Percent = Annotated[Number, Field(ge=0, le=100)]
Power = Annotated[Number, Field(ge=0, le=10_000)]
Seconds = Annotated[int, Field(ge=0, le=_MONTH)]


class BatteryGiven(Model):
    """A vehicle's battery.

    Attributes:
        capacity: kWh.
        charged: Per cent, at the start.
    """

    capacity: Energy
    charged: Percent


class CurveGiven(Model):
    """Powers that change on the way, linear from point to point.

    Attributes:
        over: What they go by.
        points: That, rising, and kW.
    """

    over: Over
    points: Annotated[tuple[tuple[Annotated[Number, Field(ge=0, le=10_000)], Power], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _few(self) -> Self:
        if len(self.points) > _MOST_POINTS:
            raise ValueError(f"has more than {_MOST_POINTS} points")
        return self


class NeedGiven(Model):
    """What a driver needs: energy or a state of charge, or whatever flows in a time.

    Attributes:
        energy: kWh.
        target: Per cent of the battery at the end.
        duration: Seconds that the vehicle is plugged in; charging all the time unless energy or target say less.
        battery: Needed for a target and for a curve over the state of charge.
        power: kW, constant; left out, with `curve`, it is assumed, and the answer says what.
        curve: Powers that change on the way.
        current: A while charging, all phases together; for tariffs that ask for it.
        parked: Seconds that the vehicle stays when it has what it needs, or the duration is over.
        reserved: Seconds before the start from which the EVSE is kept for the driver.
    """

    energy: Energy | None = None
    target: Annotated[Number, Field(gt=0, le=100)] | None = None
    duration: Annotated[int, Field(gt=0, le=_MONTH)] | None = None
    battery: BatteryGiven | None = None
    power: Power | None = None
    curve: CurveGiven | None = None
    current: Power | None = None
    parked: Seconds = 0
    reserved: Seconds = 0

    @model_validator(mode="after")
    def _one_power(self) -> Self:
        if self.power is not None and self.curve is not None:
            raise ValueError("power and curve say the same thing: give one of them")
        return self


class TariffNamed(Model):
    """A stored tariff.

    Attributes:
        connection: Over which a partner's tariff is known; left out for an own one.
    """

    party: PartyId
    id: Annotated[str, StringConstraints(min_length=1, max_length=36)]
    connection: ConnectionName | None = None


class QuoteWish(Model):
    """What is to be quoted: an EVSE by every way to it, or one tariff.

    Attributes:
        evse: An own one, or one of the catalogue.
        connector_id: Which of the EVSE's; left out where it does not matter, else the strongest is assumed.
        connection: Only the way over this connection. It is needed where a partner's EVSE is named by location_id and
            evse_uid; an own one is then named with its cpo instead.
        tariff: A stored tariff; or else
        terms: one that need not be stored.
        start: When the charge begins; left out for now.
        party: The driver's EMSP, by whose agreements it is told what may be used; left out, only tariffs for all hold.
        token: The driver, by their token; then texts are in their language.
        type: Of the tariff.
        language: Of the texts; else what `Accept-Language` asks for, else the driver's, else English.
        time_zone: Of the place, where it is not known.
    """

    evse: EvseNamed | None = None
    connector_id: Id | None = None
    connection: ConnectionName | None = None
    tariff: TariffNamed | None = None
    terms: Annotated[Tariff, AfterValidator(_of_bounded_length)] | None = None
    need: NeedGiven
    start: Annotated[Instant, AfterValidator(_near)] | None = None
    party: PartyId | None = None
    token: TokenNamed | None = None
    type: TariffType = TariffType.REGULAR
    language: Language | None = None
    time_zone: Zone | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.evse is not None) + (self.tariff is not None) + (self.terms is not None) != 1:
            raise ValueError("name what is to be quoted: either evse, or tariff, or terms")
        if self.evse is None and (self.connector_id is not None or self.connection is not None):
            raise ValueError("connector_id and connection are of an EVSE")
        by_key = self.evse is not None and self.evse.evse_id is None
        if by_key and self.connection is None and self.evse is not None and self.evse.cpo is None:
            raise ValueError("an EVSE named by location_id and evse_uid needs its connection, or its cpo where own")
        if self.token is not None and self.party is None:
            raise ValueError("a token is one of a party's")
        return self


@dataclass(frozen=True, slots=True)
class NoteShown:
    """Something to be said beside a price; `assumed` where a figure stands in for one that was not given.

    Attributes:
        field: What it speaks of: of the need, as `need.power`, or of the tariff, as `elements[0].restrictions`.
    """

    kind: NoteKind
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """One element's price for one run of time in which it holds.

    Attributes:
        of: What is priced; MINIMUM, MAXIMUM and ROUNDING are the price limits' and the total's.
        element, component: Their places in the tariff, from 0.
        reservation: It prices a reservation.
        used: kWh, hours, or 1 for a fee.
        billed: The same, after steps.
        price: Per unit, without tax.
        net, tax: Exact.
        vat: Per cent; left out where the tariff names none.
    """

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
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuotedCost:
    """What a driver sees, to the currency's minor unit, and what it was rounded from.

    Attributes:
        tax: So much of `gross`.
        exact_net, exact_gross: The sums of the lines.
    """

    currency: str
    net: Number
    tax: Number
    gross: Number
    exact_net: Number
    exact_gross: Number


@dataclass(frozen=True, slots=True)
class QuotedTariff:
    """The tariff that holds.

    Attributes:
        target: The EMSP whose variant it is; left out for the one for all.
        version: Its number, which a repriced CDR names too; left out where it is not stored.
        known_from: Since when this version is known.
        text: It in a sentence, in the tariff's own words where it has some.
    """

    party: PartyId
    id: str
    text: str
    target: PartyId | None = None
    version: int | None = None
    known_from: datetime | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a way cannot be priced."""

    why: Why
    field: str
    detail: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What the charge costs by one way.

    Attributes:
        connection, hub: Over which it roams; left out for an own EVSE and for a tariff alone.
        preferred: It speaks for the EVSE in the catalogue.
        agreement: By which version of which offer it would begin; left out where none is needed, or on record.
        refusal: Why it has no cost; then the rest is what is known so far. `no_agreement`: the EMSP may not charge so.
        energy: kWh.
        charging: Seconds in which energy flows.
        start, end: Of all of it, reservation and parking included.
    """

    connection: str | None = None
    hub: str | None = None
    preferred: bool = False
    cpo: PartyId | None = None
    location_id: str | None = None
    evse_uid: str | None = None
    connector_id: str | None = None
    tariff: QuotedTariff | None = None
    cost: QuotedCost | None = None
    energy: Number | None = None
    charging: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    # Lists, since pydantic writes what is any sequence by way of Python, in ten times the time.
    lines: list[QuotedLine] = field(default_factory=list)
    notes: list[NoteShown] = field(default_factory=list)
    refusal: Refusal | None = None
    agreement: AgreementRef | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """A charge, priced by every way.

    Attributes:
        start: When the session begins.
        language: Of the texts, as it was asked for.
        evse: The EVSE's key in the catalogue.
        offers: The own network's first, then the preferred way's, then the others in the order of their connections.
    """

    start: datetime
    language: str
    evse: str | None
    offers: list[Offer]


class Quotes(Protocol):
    """Pricing charges that have not happened."""

    async def quote(self, wish: QuoteWish, parties: Parties, accepted: str | None) -> Quote:
        """Prices a charge.

        Args:
            parties: Whose own EVSEs and tariffs the caller sees.
            accepted: The language that the caller asked for beside the wish.

        Raises:
            Invalid: What is named is not there, or the need makes no sense.
        """
