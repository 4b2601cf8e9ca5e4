"""What a hub's offers and subscriptions are in our own record. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Final

from adapters.core.connection import Connection
from gateway.services.offers.rows import StoredSubscription
from gateway.services.offers.states import FINAL
from mappings.canonical.agreements import (
    GroupPrice,
    Joining,
    Offer,
    OfferTerms,
    PriceSource,
    Subscription,
    SubscriptionState,
)
from mappings.canonical.held_offers import HubGroup, HubOffer, HubSubscription
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff

_KEY: Final = re.compile(r"[A-Za-z0-9._:-]{1,48}")
_ACTIVE: Final = SubscriptionState.ACTIVE
_HELD: Final = frozenset({_ACTIVE, SubscriptionState.CANCELLED})
_WAITS: Final = frozenset({SubscriptionState.REQUESTED, SubscriptionState.UNDER_REVIEW})
_TITLE: Final = 255
_LEAST_NAME: Final = 50


def key_of(connection_id: int, hub_id: str) -> str:
    """Gives our id of what a hub calls so: with the hub's where that fits, which people search for."""
    if not _KEY.fullmatch(hub_id):
        hub_id = blake2b(hub_id.encode(), digest_size=16).hexdigest()
    return f"{prefix_of(connection_id)}{hub_id}"


def prefix_of(connection_id: int) -> str:
    """Gives that with which our ids of a hub's things begin."""
    return f"hub{connection_id}."


def tariff_of(theirs: HubOffer, group: HubGroup) -> Tariff | None:
    """Gives a group's prices under an offer as a tariff of its own: another offer may price the group otherwise."""
    if group.tariff is None:
        return None
    name = blake2b(f"{theirs.id}/{group.id}".encode(), digest_size=16).hexdigest()
    return group.tariff.model_copy(update={"id": f"hub-{name[:32]}"})


def audience_of(theirs: HubOffer, partners: Mapping[str, str]) -> tuple[PartyId, ...] | None:
    """Gives the EMSPs that an offer is for, as far as they are known: by their ids, and those that have it.

    Args:
        partners: The hub's own ids of EMSPs, by our ids of them.
    """
    if theirs.audience is None:
        return None
    named = {id_: PartyId(party) for party, id_ in partners.items()}
    known = [named[id_] for id_ in theirs.audience if id_ in named]
    known += [one.emsp for one in theirs.subscriptions if one.emsp is not None]
    return tuple(dict.fromkeys(known))


def offer_of(
    connection: Connection, theirs: HubOffer, partners: Mapping[str, str], *, title: str | None = None
) -> Offer:
    """Gives an offer that a hub holds, and that is not on record here.

    Raises:
        ValueError: It makes no sense here: it is for partners of whom none is known, or ends before it starts.
    """
    audience = audience_of(theirs, partners)
    if audience == ():
        raise ValueError("audience: none of the partners that it is for is known here")
    return Offer(
        id=key_of(connection.id, theirs.id),
        connection=connection.name,
        cpo=theirs.cpo,
        audience=audience,
        joining=theirs.joining or Joining.SUBSCRIBE,
        title=(title or theirs.title or theirs.network_name or theirs.id)[:_TITLE],
        description=theirs.description[:_TITLE],
        starts=theirs.starts,
        ends=theirs.ends if theirs.cancelled_at is None else None,
        minimum_term_days=theirs.minimum_term_days,
        cancellation_days=theirs.cancellation_days,
        notice_days=theirs.notice_days or 0,
        lead_time_days=theirs.lead_time_days or 0,
    )


def terms_of(connection: Connection, theirs: HubOffer, *, ours: bool) -> OfferTerms:
    """Gives what an offer says that a hub holds.

    It is not held to its EVSE groups, which the hub does itself: a group that is read late would hide its EVSEs.

    Args:
        ours: It is of a CPO of ours, whose tariffs are not the hub's: what it costs is known there alone.

    Raises:
        ValueError: It grants nothing that is known here.
    """
    if not theirs.services:
        raise ValueError("services: none that is known here")
    prices = tuple(
        GroupPrice(evse_group=key_of(connection.id, group.id), tariff_ids=(tariff.id,))
        for group in theirs.groups
        if not ours and (tariff := tariff_of(theirs, group)) is not None
    )
    return OfferTerms(
        services=theirs.services, price_source=PriceSource.AGREED if prices else PriceSource.HUB, prices=prices
    )


def group_name(group: HubGroup) -> str:
    """Gives the name of a group, as short as they are here."""
    return (group.name.strip() or group.id)[:_LEAST_NAME]


# Subscriptions


def known_as(
    stored: Iterable[StoredSubscription], theirs: HubSubscription
) -> tuple[StoredSubscription | None, Sequence[StoredSubscription]]:
    """Gives the subscription that a hub's is here, and those it was that are over.

    Args:
        stored: All of the offer.
    """
    mine = [one for one in stored if one.subscription.emsp == theirs.emsp]
    live = next((one for one in mine if one.subscription.state not in FINAL), None)
    over = [one for one in mine if one.subscription.state in FINAL and one.external == theirs.id]
    return live, over


def subscription_of(
    connection_id: int,
    offer: Offer,
    theirs: HubSubscription,
    stored: Sequence[StoredSubscription],
    now: datetime,
    *,
    followed: bool,
) -> Subscription | None:
    """Gives a subscription as it is to be on record; None where there is nothing to write.

    One that a hub shows again after it was over is another one: what is over does not begin again.

    Args:
        stored: All of the offer.
        followed: Another version follows the offer, with which its subscriptions go on: what ends with this one is
            told by the other, or by nobody once this one is there no more.
    """
    if theirs.emsp is None:
        return None
    live, over = known_as(stored, theirs)
    known = live.subscription if live is not None else None
    state, ends = _standing(offer, theirs, known, now, followed=followed)
    if followed and live is not None and (live.external != theirs.id or state not in _WAITS | {_ACTIVE}):
        return None
    if known is None and state in FINAL and (over or state is SubscriptionState.ENDED):
        return None  # of what was over before anybody heard of it there is nothing to tell
    cancelled = state is SubscriptionState.CANCELLED
    id_ = key_of(connection_id, theirs.id) + (f".{len(over) + 1}" if over else "")
    starts = known.starts if known is not None and known.starts is not None else theirs.starts
    told = Subscription(
        id=known.id if known is not None else id_,
        offer=offer.id,
        emsp=theirs.emsp,
        state=state,
        requested_at=known.requested_at if known is not None else theirs.requested_at or theirs.starts or now,
        starts=starts if state not in _WAITS else None,
        cancelled_at=((known.cancelled_at if known is not None else None) or now) if cancelled else None,
        ends=ends,
    )
    if known is None:
        return told
    same = told == known.model_copy(update={"why": None})
    return None if same and live is not None and live.external == theirs.id else told


def _standing(
    offer: Offer, theirs: HubSubscription, known: Subscription | None, now: datetime, *, followed: bool
) -> tuple[SubscriptionState, datetime | None]:
    """Gives the state and the end that are to be on record."""
    if theirs.refused_at is not None and (known is None or known.state not in _HELD):
        return SubscriptionState.REFUSED, None
    ends = theirs.cancelled_at or (None if followed else theirs.ends)
    if ends is not None and ends <= now:
        return SubscriptionState.ENDED, ends
    if theirs.active and theirs.cancelled_at is not None:
        return SubscriptionState.CANCELLED, theirs.cancelled_at
    if theirs.active:
        # The offer's own end is the subscription's, too.
        return SubscriptionState.ACTIVE, None if offer.ends is not None and ends == offer.ends else ends
    if known is not None and known.state in _HELD:
        return SubscriptionState.ENDED, now  # it was served and is no more
    waits = SubscriptionState.UNDER_REVIEW if offer.joining is Joining.APPROVE else SubscriptionState.REQUESTED
    return waits, None
