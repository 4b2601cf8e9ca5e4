"""Offers, subscriptions and the groups that they speak of: who may have what of a CPO's network, and at what price."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from mappings.canonical.base import Instant, Model
from mappings.canonical.ids import EvseId, PartyId

AgreementKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
"""Names an offer, a subscription, a network group, an EVSE group or a document; unique in its kind."""

Days = Annotated[int, Field(ge=0, le=3660)]


class Service(StrEnum):
    """What an EMSP may have of a CPO."""

    POI = "poi"
    """Its locations and tariffs."""
    STATUS = "status"
    """Its EVSEs' statuses."""
    AUTHORISE = "authorise"
    """Charging by a card, a code or a car that its station reads."""
    REMOTE = "remote"
    """Starting, stopping and unlocking from afar."""
    RESERVATION = "reservation"
    CDR = "cdr"
    """What is billed."""


EVERY_SERVICE: Final = frozenset(Service)


class Joining(StrEnum):
    """How an EMSP that an offer is for comes to have it."""

    OPEN = "OPEN"
    """It has it; nobody subscribes."""
    SUBSCRIBE = "SUBSCRIBE"
    """It subscribes, and has it at once."""
    APPROVE = "APPROVE"
    """It subscribes, and the CPO has to approve."""


class OfferState(StrEnum):
    """Where an offer stands. It only goes on, never back."""

    DRAFT = "DRAFT"
    """Nobody sees it; it may be changed."""
    PUBLISHED = "PUBLISHED"
    """It can be subscribed to, and holds from its start."""
    CANCELLED = "CANCELLED"
    """It ends at a day that is known, and takes no more subscriptions."""
    ENDED = "ENDED"


class SubscriptionState(StrEnum):
    """Where a subscription stands. It only goes on, never back."""

    REQUESTED = "REQUESTED"
    """It was asked for, and nobody has looked at it."""
    UNDER_REVIEW = "UNDER_REVIEW"
    """The CPO, or the hub for it, looks at it."""
    ACTIVE = "ACTIVE"
    """It holds from its start."""
    CANCELLED = "CANCELLED"
    """It holds until a day that is known."""
    ENDED = "ENDED"
    REFUSED = "REFUSED"


class PriceSource(StrEnum):
    """Where it stands what a charge costs."""

    EVSE_TARIFFS = "EVSE_TARIFFS"
    """The tariffs that the EVSEs name."""
    AGREED = "AGREED"
    """The tariffs that the offer names for its EVSE groups."""
    HUB = "HUB"
    """At the hub alone: the gateway does not know them."""


class TaxRule(StrEnum):
    """How value added tax is settled between CPO and EMSP."""

    BY_COUNTRIES = "BY_COUNTRIES"
    """Charged within one country; reverse charge between two of the EU where both have a VAT id; else undecided."""
    CHARGED = "CHARGED"
    REVERSE_CHARGE = "REVERSE_CHARGE"
    NONE = "NONE"


class RoundedAt(StrEnum):
    """What is rounded to the currency's minor unit; sums are of what was rounded."""

    LINE = "LINE"
    CDR = "CDR"
    TOTAL = "TOTAL"


class RoundingMode(StrEnum):
    """What becomes of half a minor unit; DOWN and UP: of any part of one."""

    HALF_UP = "HALF_UP"
    HALF_EVEN = "HALF_EVEN"
    DOWN = "DOWN"
    UP = "UP"


class SettlementRounding(Model):
    """How money is rounded when it is settled."""

    at: RoundedAt = RoundedAt.CDR
    mode: RoundingMode = RoundingMode.HALF_UP


class GroupPrice(Model):
    """What charges at the EVSEs of a group cost.

    Attributes:
        evse_group: None for all EVSEs for which no other line is.
        tariff_ids: Of the CPO's tariffs, in the order in which they are tried.
    """

    evse_group: AgreementKey | None = None
    tariff_ids: Annotated[tuple[str, ...], Field(min_length=1)]


class OfferTerms(Model):
    """What a version of an offer says.

    Attributes:
        services: At least one.
        evse_groups: Only EVSEs of these; empty for all of the network.
        prices: Where `price_source` is AGREED, at least one.
        rank: Of several connections that may answer for a driver, the one with the lowest is asked first.
    """

    services: Annotated[frozenset[Service], Field(min_length=1)]
    evse_groups: tuple[AgreementKey, ...] = ()
    price_source: PriceSource = PriceSource.EVSE_TARIFFS
    prices: tuple[GroupPrice, ...] = ()
    rank: Annotated[int, Field(ge=0, le=9999)] = 100
    tax: TaxRule = TaxRule.BY_COUNTRIES
    rounding: SettlementRounding = SettlementRounding()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = [price.evse_group for price in self.prices]
        if len(set(named)) < len(named):
            raise ValueError("prices: an EVSE group is named twice")
        if (self.price_source is PriceSource.AGREED) != bool(self.prices):
            raise ValueError("prices: are given if and only if price_source is AGREED")
        if self.evse_groups:
            if stray := [name for name in named if name is not None and name not in self.evse_groups]:
                raise ValueError(f"prices: {stray[0]} is not among evse_groups")
            if unpriced := [name for name in self.evse_groups if self.prices and not {name, None} & set(named)]:
                raise ValueError(f"prices: {unpriced[0]} has none")
        return self


def _named_once(audience: tuple[PartyId, ...] | None) -> tuple[PartyId, ...] | None:
    if audience is not None and len({party.normal for party in audience}) < len(audience):
        raise ValueError("an EMSP is named twice")
    return audience


class Offer(Model):
    """Access that a CPO offers to its network, by one way to roam; what stays the same in all its versions.

    Attributes:
        connection: The way: a hub, a direct partner, the own network.
        cpo, network_group: Whose network; exactly one is given.
        audience: The EMSPs that it is for; None for all (public), later ones included.
        title: Short, for people; unique among the CPO's offers of a connection, since hubs know it by this.
        starts: The first moment.
        ends: The first moment after it; None for an unlimited one.
        minimum_term_days: A subscription is not cancelled before it was active for so long.
        cancellation_days: From a subscription's cancellation by its EMSP to its end.
        notice_days: From the announcement to the end of the offer, or of a subscription that the CPO cancels.
        lead_time_days: From the announcement to the start of a new version.
        document: The terms, as uploaded.
    """

    id: AgreementKey
    connection: str
    cpo: PartyId | None = None
    network_group: AgreementKey | None = None
    audience: Annotated[tuple[PartyId, ...] | None, Field(min_length=1), AfterValidator(_named_once)] = None
    joining: Joining = Joining.SUBSCRIBE
    title: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    description: Annotated[str, StringConstraints(max_length=255)] = ""
    starts: Instant
    ends: Instant | None = None
    minimum_term_days: Days = 0
    cancellation_days: Days = 0
    notice_days: Days = 0
    lead_time_days: Days = 0
    document: AgreementKey | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.cpo is None) == (self.network_group is None):
            raise ValueError("cpo: exactly one of cpo and network_group is given")
        if self.ends is not None and self.ends <= self.starts:
            raise ValueError("ends: is not after its start")
        return self

    @property
    def is_public(self) -> bool:
        """Whether it is for every EMSP."""
        return self.audience is None

    def is_for(self, emsp: PartyId) -> bool:
        """Tells whether an EMSP may have it."""
        return self.audience is None or emsp in self.audience


class OfferVersion(Model):
    """What an offer says from a moment on, until the next version's start. It never changes once it is in force."""

    number: Annotated[int, Field(ge=1)]
    starts: Instant
    terms: OfferTerms


class Subscription(Model):
    """An EMSP has an offer, or wants it.

    Attributes:
        starts: The first moment; None as long as nobody has said yes.
        cancelled_at: When it was said that it ends.
        ends: The first moment after it; None without end but the offer's own.
        why: Of a refusal or cancellation, for people.
    """

    id: AgreementKey
    offer: AgreementKey
    emsp: PartyId
    state: SubscriptionState
    requested_at: Instant
    starts: Instant | None = None
    cancelled_at: Instant | None = None
    ends: Instant | None = None
    why: str | None = None


class Member(Model):
    """A CPO of a network group, which has the group's agreements as long as it is one."""

    party: PartyId
    since: Instant
    until: Instant | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise ValueError("until: is not after since")
        return self


class NetworkGroup(Model):
    """CPOs that offer their networks together (Gireve's network groups)."""

    id: AgreementKey
    name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    members: tuple[Member, ...] = ()


class EvseGroup(Model):
    """EVSEs of one CPO that an offer speaks of together; EVSEs without an EvseID are in none."""

    id: AgreementKey
    party: PartyId
    name: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    description: Annotated[str, StringConstraints(max_length=250)] = ""
    evse_ids: tuple[EvseId, ...] = ()


class AgreementRef(Model):
    """By what somebody is served: a version of an offer, and the subscription where one was needed."""

    offer: AgreementKey
    version: int
    subscription: AgreementKey | None = None
