"""What may be done to an offer and to a subscription in which state, and which day follows from it. Pure.

States only go on. Days are counted as 24 hours from the moment at which something is said.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from gateway.services.ports.common import Conflict
from mappings.canonical.agreements import Joining, Offer, OfferState, Subscription, SubscriptionState


class OfferAct(StrEnum):
    """What is done to an offer, in words that follow `to`."""

    CHANGE = "change"
    PUBLISH = "publish"
    ADD_VERSION = "add a version to"
    DROP_VERSION = "take a version back from"
    SUBSCRIBE = "subscribe to"
    """Or let somebody have it who asked for that before."""
    CANCEL = "cancel"
    REMOVE = "remove"
    END = "end"


class SubscriptionAct(StrEnum):
    """What is done to a subscription, in words that follow `to`."""

    APPROVE = "approve"
    REFUSE = "refuse"
    CANCEL = "cancel"
    """By its EMSP."""
    DISMISS = "cancel for the CPO"
    END = "end"


_DRAFT, _PUBLISHED, _CANCELLED, _ENDED = OfferState
_REQUESTED, _REVIEWED, _ACTIVE, _LEAVING, _OVER, _REFUSED = SubscriptionState

OFFERS: Final[Mapping[tuple[OfferState, OfferAct], OfferState | None]] = MappingProxyType(
    {
        (_DRAFT, OfferAct.CHANGE): _DRAFT,
        (_DRAFT, OfferAct.PUBLISH): _PUBLISHED,
        (_DRAFT, OfferAct.ADD_VERSION): None,
        (_DRAFT, OfferAct.DROP_VERSION): None,
        (_DRAFT, OfferAct.SUBSCRIBE): None,
        (_DRAFT, OfferAct.CANCEL): None,
        (_DRAFT, OfferAct.REMOVE): _DRAFT,
        (_DRAFT, OfferAct.END): None,
        (_PUBLISHED, OfferAct.CHANGE): None,
        (_PUBLISHED, OfferAct.PUBLISH): None,
        (_PUBLISHED, OfferAct.ADD_VERSION): _PUBLISHED,
        (_PUBLISHED, OfferAct.DROP_VERSION): _PUBLISHED,
        (_PUBLISHED, OfferAct.SUBSCRIBE): _PUBLISHED,
        (_PUBLISHED, OfferAct.CANCEL): _CANCELLED,
        (_PUBLISHED, OfferAct.REMOVE): None,
        (_PUBLISHED, OfferAct.END): _ENDED,
        (_CANCELLED, OfferAct.CHANGE): None,
        (_CANCELLED, OfferAct.PUBLISH): None,
        (_CANCELLED, OfferAct.ADD_VERSION): None,
        (_CANCELLED, OfferAct.DROP_VERSION): _CANCELLED,
        (_CANCELLED, OfferAct.SUBSCRIBE): None,
        (_CANCELLED, OfferAct.CANCEL): None,
        (_CANCELLED, OfferAct.REMOVE): None,
        (_CANCELLED, OfferAct.END): _ENDED,
        (_ENDED, OfferAct.CHANGE): None,
        (_ENDED, OfferAct.PUBLISH): None,
        (_ENDED, OfferAct.ADD_VERSION): None,
        (_ENDED, OfferAct.DROP_VERSION): None,
        (_ENDED, OfferAct.SUBSCRIBE): None,
        (_ENDED, OfferAct.CANCEL): None,
        (_ENDED, OfferAct.REMOVE): None,
        (_ENDED, OfferAct.END): None,
    }
)
"""The state that follows; None where it cannot be done."""

SUBSCRIPTIONS: Final[Mapping[tuple[SubscriptionState, SubscriptionAct], SubscriptionState | None]] = MappingProxyType(
    {
        (_REQUESTED, SubscriptionAct.APPROVE): _ACTIVE,
        (_REQUESTED, SubscriptionAct.REFUSE): _REFUSED,
        (_REQUESTED, SubscriptionAct.CANCEL): _OVER,  # nobody has said yes, so that there is no term to keep
        (_REQUESTED, SubscriptionAct.DISMISS): None,  # which is to refuse it
        (_REQUESTED, SubscriptionAct.END): _OVER,
        (_REVIEWED, SubscriptionAct.APPROVE): _ACTIVE,
        (_REVIEWED, SubscriptionAct.REFUSE): _REFUSED,
        (_REVIEWED, SubscriptionAct.CANCEL): _OVER,
        (_REVIEWED, SubscriptionAct.DISMISS): None,
        (_REVIEWED, SubscriptionAct.END): _OVER,
        (_ACTIVE, SubscriptionAct.APPROVE): None,
        (_ACTIVE, SubscriptionAct.REFUSE): None,
        (_ACTIVE, SubscriptionAct.CANCEL): _LEAVING,
        (_ACTIVE, SubscriptionAct.DISMISS): _LEAVING,
        (_ACTIVE, SubscriptionAct.END): _OVER,
        (_LEAVING, SubscriptionAct.APPROVE): None,
        (_LEAVING, SubscriptionAct.REFUSE): None,
        (_LEAVING, SubscriptionAct.CANCEL): None,
        (_LEAVING, SubscriptionAct.DISMISS): None,
        (_LEAVING, SubscriptionAct.END): _OVER,
        (_OVER, SubscriptionAct.APPROVE): None,
        (_OVER, SubscriptionAct.REFUSE): None,
        (_OVER, SubscriptionAct.CANCEL): None,
        (_OVER, SubscriptionAct.DISMISS): None,
        (_OVER, SubscriptionAct.END): None,
        (_REFUSED, SubscriptionAct.APPROVE): None,
        (_REFUSED, SubscriptionAct.REFUSE): None,
        (_REFUSED, SubscriptionAct.CANCEL): None,
        (_REFUSED, SubscriptionAct.DISMISS): None,
        (_REFUSED, SubscriptionAct.END): None,
    }
)
"""The same of subscriptions."""

_OFFER_IS: Final[Mapping[OfferState, str]] = MappingProxyType(
    {
        _DRAFT: "is a draft",
        _PUBLISHED: "is published, and changes by new versions alone",
        _CANCELLED: "is cancelled",
        _ENDED: "has ended",
    }
)
_SUBSCRIPTION_IS: Final[Mapping[SubscriptionState, str]] = MappingProxyType(
    {
        _REQUESTED: "waits for an answer",
        _REVIEWED: "is under review",
        _ACTIVE: "is active",
        _LEAVING: "is cancelled",
        _OVER: "has ended",
        _REFUSED: "was refused",
    }
)

FINAL: Final = frozenset({_OVER, _REFUSED})
"""The states of a subscription after which nothing comes."""

_STEPS: Final[Mapping[SubscriptionState, int]] = MappingProxyType(
    {_REQUESTED: 0, _REVIEWED: 1, _ACTIVE: 2, _LEAVING: 3, _OVER: 4, _REFUSED: 4}
)


def offer_after(offer_id: str, state: OfferState, act: OfferAct) -> OfferState:
    """Gives the state after an act.

    Raises:
        Conflict: It cannot be done in this state.
    """
    after = OFFERS[state, act]
    if after is None:
        raise Conflict(f"cannot {act.value} offer {offer_id}: it {_OFFER_IS[state]}")
    return after


def subscription_after(subscription_id: str, state: SubscriptionState, act: SubscriptionAct) -> SubscriptionState:
    """Gives the state after an act.

    Raises:
        Conflict: It cannot be done in this state.
    """
    after = SUBSCRIPTIONS[state, act]
    if after is None:
        raise Conflict(f"cannot {act.value} subscription {subscription_id}: it {_SUBSCRIPTION_IS[state]}")
    return after


def goes_on(before: SubscriptionState, after: SubscriptionState) -> bool:
    """Tells whether a state may follow another one, whoever says so; the same may."""
    return before is after or _STEPS[before] < _STEPS[after]


def first_state(joining: Joining) -> SubscriptionState:
    """Gives the state of a subscription that somebody has just asked for."""
    return _REQUESTED if joining is Joining.APPROVE else _ACTIVE


def earliest_version(offer: Offer, now: datetime) -> datetime:
    """Gives the first moment at which a new version may start."""
    return max(now + _days(offer.lead_time_days), offer.starts)


def earliest_end(offer: Offer, now: datetime) -> datetime:
    """Gives the first moment at which a cancelled offer may end; its start where it never begins."""
    return max(now + _days(offer.notice_days), offer.starts)


def earliest_start(offer: Offer, now: datetime, *wanted: datetime | None) -> datetime:
    """Gives the moment at which a subscription starts to which yes is said now, not before any that is wanted."""
    return max(now, offer.starts, *(each for each in wanted if each is not None))


def earliest_leave(offer: Offer, subscription: Subscription, now: datetime, *, by_cpo: bool) -> datetime:
    """Gives the first moment at which a cancelled subscription may end; its start where it never begins.

    The minimum term binds the EMSP: its CPO gives notice.
    """
    starts = subscription.starts or offer.starts
    if by_cpo:
        return max(now + _days(offer.notice_days), starts)
    return max(now + _days(offer.cancellation_days), starts + _days(offer.minimum_term_days))


def due(subscription: Subscription, *, began: bool) -> datetime | None:
    """Gives the moment at which a subscription goes on by itself; None where it does not."""
    if subscription.state not in {_ACTIVE, _LEAVING}:
        return None
    if not began and subscription.starts is not None and subscription.starts != subscription.ends:
        return subscription.starts
    return subscription.ends


def _days(count: int) -> timedelta:
    return timedelta(days=count)
