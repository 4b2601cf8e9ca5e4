"""Offers, subscriptions and EVSE groups as a hub says that it holds them, to be compared with our own record."""

from mappings.canonical.agreements import Joining, Service
from mappings.canonical.base import Instant, Model
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff


class HubSubscription(Model):
    """A subscription as the hub has it.

    Attributes:
        state: In the hub's own word.
        active: The hub serves it, as far as that word goes: from `starts` to `ends`.
        ends: The first moment after it, be it by its terms or because it was cancelled.
        cancelled_at: When it ends because it was cancelled; None where it was not.
    """

    id: str
    emsp: PartyId | None
    emsp_name: str = ""
    state: str
    active: bool
    requested_at: Instant | None = None
    refused_at: Instant | None = None
    starts: Instant | None = None
    ends: Instant | None = None
    cancelled_at: Instant | None = None


class HubGroup(Model):
    """An EVSE group as the hub has it, with its prices as a tariff."""

    id: str
    name: str
    tariff: Tariff | None = None


class HubOffer(Model):
    """An offer as the hub holds it.

    Attributes:
        id: The hub's, of the version that it shows.
        title: Ours of the offer, where it is ours.
        services: None of them where the hub's word for them is not known.
        audience: The hub's own ids of partners; None for all, empty where it is for some and the hub does not say whom.
        joining: None where the hub does not say.
        state: In the hub's own word.
        ends: The first moment after it, be it by its terms or because it was cancelled; None for an unlimited one.
        cancelled_at: When it ends because it was cancelled; None where it was not.
        version: Counted from 1, as ours are; None where the hub counts none.
        previous, next: The hub's ids of the versions before and after.
    """

    id: str
    title: str
    cpo: PartyId
    services: frozenset[Service]
    audience: tuple[str, ...] | None = None
    joining: Joining | None = None
    description: str = ""
    state: str
    starts: Instant
    ends: Instant | None = None
    cancelled_at: Instant | None = None
    minimum_term_days: int = 0
    cancellation_days: int = 0
    notice_days: int | None = None
    lead_time_days: int | None = None
    version: int | None = None
    previous: str | None = None
    next: str | None = None
    network: str | None = None
    network_name: str = ""
    groups: tuple[HubGroup, ...] = ()
    subscriptions: tuple[HubSubscription, ...] = ()


class HubGroupEvse(Model):
    """An EVSE of a group of an offer that our EMSP subscribed to; `evse_key` is the normal form of its EvseID."""

    cpo: PartyId
    offer: str
    group: str
    evse_key: str
