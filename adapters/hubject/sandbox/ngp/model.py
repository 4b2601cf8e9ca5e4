"""What the sandbox Hubject holds of offers. Where each stands follows from the time alone, so clocks may be set."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import NAMESPACE_URL, uuid4, uuid5

from adapters.hubject.sandbox.ngp.shapes import SERVICES, NewOffer, NewProduct, NewTariff

REVIEW: Final = timedelta(days=7)
"""How long a CPO has to say whether it wants an EMP."""


def new_id() -> str:
    """Makes an id."""
    return uuid4().hex


def internal_id(normal: str, *, emp: bool) -> str:
    """Gives the hub's own id of a partner, which is always the same.

    Args:
        normal: The normal form of its OperatorID or ProviderID.
        emp: A party may be both a CPO and an EMP, which are two partners.
    """
    return uuid5(NAMESPACE_URL, f"urn:oicp:{'provider' if emp else 'operator'}:{normal}").hex


@dataclass(slots=True)
class Group:
    """Attributes: evses: EvseIDs as they were given, by normal form."""

    id: str
    name: str
    description: str | None
    evses: dict[str, str]


@dataclass(slots=True)
class Network:
    """EVSEs of one CPO, in groups."""

    id: str
    operator: str
    name: str
    description: str | None
    groups: list[Group]
    created_at: datetime

    @property
    def evse_count(self) -> int:
        """How many EVSEs are in its groups."""
        return sum(len(group.evses) for group in self.groups)

    def group_of(self, key: str) -> Group | None:
        """Finds the group of an EVSE."""
        return next((group for group in self.groups if key in group.evses), None)


@dataclass(frozen=True, slots=True)
class Attachment:
    """An uploaded document."""

    id: str
    operator: str
    name: str
    content: bytes


class State(StrEnum):
    """Where an offer, or a version of its prices, stands."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Version:
    """An offer's prices from a moment on: to the API a service offer of its own, with an id of its own."""

    id: str
    number: int
    valid_from: datetime
    tariffs: Sequence[NewTariff]
    products: Sequence[NewProduct]
    created_on: datetime


@dataclass(slots=True)
class Offer:
    """An offer through all its versions.

    Attributes:
        asked: What it was created with, which never changes.
        ends: The first moment after it, since it was cancelled.
    """

    operator: str
    asked: NewOffer
    network: Network
    attachment: Attachment | None
    versions: list[Version]
    cancelled_on: datetime | None = None
    ends: datetime | None = None

    @property
    def id(self) -> str:
        """The id of its first version."""
        return self.versions[0].id

    @property
    def service(self) -> str:
        """Authorization or Reservation."""
        return SERVICES[self.asked.service_type_version.service_type_id]

    @property
    def name(self) -> str:
        """The name that Hubject makes up."""
        return f"{self.operator}_{self.service}_{'OfferToAll' if self.asked.offer_to_all else 'Bilateral'}"

    @property
    def end(self) -> datetime | None:
        """The first moment after it; None where there is none."""
        ends = [each for each in (self.ends, self.asked.valid_to) if each is not None]
        return min(ends) if ends else None

    @property
    def is_two_step(self) -> bool:
        """Whether the CPO has to approve."""
        return bool(self.asked.two_step_process)

    def state(self, now: datetime) -> State:
        """Tells where it stands."""
        if self.end is not None and now >= self.end:
            return State.CANCELLED if self.ends == self.end else State.EXPIRED
        return State.PENDING if now < self.asked.valid_from else State.ACTIVE

    def has_begun(self, now: datetime) -> bool:
        """Tells whether it holds now or held before; not if it was cancelled before its start."""
        return self.asked.valid_from <= now and (self.end is None or self.end > self.asked.valid_from)

    def is_over(self, now: datetime) -> bool:
        """Tells whether it is past its end."""
        return self.state(now) not in {State.PENDING, State.ACTIVE}

    def current(self, now: datetime) -> Version:
        """Gives the version whose prices hold; before the start, the first."""
        begun = [version for version in self.versions if version.valid_from <= now]
        return begun[-1] if begun else self.versions[0]

    def after(self, version: Version) -> Version | None:
        """Gives the version that follows one."""
        return self.versions[version.number + 1] if version.number + 1 < len(self.versions) else None

    def version_state(self, version: Version, now: datetime) -> State:
        """Tells where a version stands: one that another followed counts as cancelled."""
        if self.is_over(now):
            return self.state(now)
        if now < version.valid_from:
            return State.PENDING
        return State.ACTIVE if version is self.current(now) else State.CANCELLED

    def is_for(self, provider: str) -> bool:
        """Tells whether an EMP may see it and subscribe."""
        named = self.asked.subscriber_partner_ids or ()
        return self.asked.offer_to_all or internal_id(provider, emp=True) in named


class Standing(StrEnum):
    """Where a subscription stands."""

    UNDER_REVIEW = "UNDER_REVIEW"
    SUBSCRIBED = "SUBSCRIBED"
    DECLINED = "DECLINED"
    UNSUBSCRIBED = "UNSUBSCRIBED"


@dataclass(slots=True)
class Subscription:
    """An EMP's subscription to an offer, or its request.

    Attributes:
        provider: Normal form.
        data: The master data that the CPO asked for.
        requested: When it was asked for, where the CPO has to approve.
        subscribed: When it was agreed.
        rejected, error, why: When and why the CPO declined.
        ends: The first moment after it, since it was cancelled.
        ids: Its ids by the version's: each version is a service offer, to which there is a subscription of its own.
    """

    id: str
    offer: Offer
    provider: str
    data: dict[str, str | bool] | None
    created_on: datetime
    requested: datetime | None = None
    subscribed: datetime | None = None
    rejected: datetime | None = None
    error: str | None = None
    why: str | None = None
    cancelled_on: datetime | None = None
    ends: datetime | None = None
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def valid_from(self) -> datetime | None:
        """The first moment; None where nobody agreed yet."""
        return None if self.subscribed is None else max(self.subscribed, self.offer.asked.valid_from)

    @property
    def end(self) -> datetime | None:
        """The first moment after it; None where there is none."""
        ends = [each for each in (self.ends, self.offer.end) if each is not None]
        return min(ends) if ends else None

    def standing(self, now: datetime) -> Standing:
        """Tells where it stands; what a CPO does not answer in time is declined."""
        if self.subscribed is None:
            late = self.requested is not None and now >= self.requested + REVIEW
            waits = self.rejected is None and not late and not self.offer.is_over(now)
            return Standing.UNDER_REVIEW if waits else Standing.DECLINED
        over = self.end is not None and now >= self.end
        return Standing.UNSUBSCRIBED if over else Standing.SUBSCRIBED

    def is_active(self, now: datetime) -> bool:
        """Tells whether it is a contract now."""
        begins = self.valid_from
        return begins is not None and begins <= now and self.standing(now) is Standing.SUBSCRIBED

    def id_for(self, version: Version) -> str:
        """Gives its id in a version."""
        if version.id not in self.ids:
            self.ids[version.id] = new_id()
        return self.ids[version.id]
