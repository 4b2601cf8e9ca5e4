"""Writes offers and subscriptions as whoever keeps them has them: a hub that is read back, a file that is imported.

What people do here goes by `offers.Offers` and `subscriptions.Subscriptions`, which hold notices and terms; these
functions take over what was agreed elsewhere, also of the past. All are called within `Links.changing()`, since what
they write decides who is served, and what they give is to be handed to `OnTurned` after the commit.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from pydantic import JsonValue

from gateway.events.writing import EventType
from gateway.services.offers.announcing import Turned, announce, audit
from gateway.services.offers.rows import (
    SQL,
    StoredOffer,
    StoredSubscription,
    offer_columns,
    read_offer,
    read_subscription,
    read_version,
)
from gateway.services.offers.states import (
    FINAL,
    OfferAct,
    due,
    earliest_start,
    first_state,
    goes_on,
    offer_after,
)
from gateway.services.ports.common import Conflict, NotFound
from gateway.store.pool import Transaction
from gateway.store.queries import Queries
from mappings.canonical.agreements import Joining, Offer, OfferState, OfferTerms, Subscription, SubscriptionState

SUBSCRIPTIONS = Queries("gateway.services.offers", "subscriptions.sql")


class Source(StrEnum):
    """Who keeps a subscription."""

    LOCAL = "local"
    HUB = "hub"
    """It was read there."""
    IMPORT = "import"


class Written(NamedTuple):
    """What came of writing.

    Attributes:
        id: Of what stands there now.
        new: It was not there before.
        turned: What changed; empty where it stood there already.
    """

    id: str
    new: bool
    turned: tuple[Turned, ...]


_TOLD: Final = {
    SubscriptionState.REQUESTED: EventType.SUBSCRIPTION_REQUESTED,
    SubscriptionState.UNDER_REVIEW: EventType.SUBSCRIPTION_REQUESTED,
    SubscriptionState.ACTIVE: EventType.SUBSCRIPTION_APPROVED,
    SubscriptionState.CANCELLED: EventType.SUBSCRIPTION_CANCELLED,
    SubscriptionState.ENDED: EventType.SUBSCRIPTION_ENDED,
    SubscriptionState.REFUSED: EventType.SUBSCRIPTION_REFUSED,
}


async def write_offer(
    tx: Transaction,
    offer: Offer,
    terms: OfferTerms,
    connection_id: int,
    *,
    who: str,
    now: datetime,
    external: str | None = None,
) -> Written:
    """Writes a published offer that was agreed elsewhere, whatever its start, or leaves an equal one as it is.

    Args:
        external: The hub's id of it.

    Raises:
        Conflict: The id is another one's, the title is taken, or it is published and says something else: that is a
            new version (`write_version`), or another offer.
    """
    row = await tx.fetchrow(SQL["lock_offer"], offer.id)
    if row is not None:
        stored = read_offer(row)
        if stored.offer != offer or stored.state is OfferState.DRAFT or stored.connection_id != connection_id:
            raise Conflict(f"offer {offer.id} is there already, and says something else", "id")
        return Written(offer.id, False, ())
    await insert_offer(tx, offer, terms, connection_id, who=who, now=now, published=True, external=external)
    turned = (turn_of(EventType.OFFER_PUBLISHED, read_offer(await _offer(tx, offer.id))),)
    await audit(tx, who, "took over", f"offer/{offer.id}", detail_of(offer, terms))
    await announce(tx, turned, now)
    return Written(offer.id, True, turned)


async def write_version(
    tx: Transaction, offer_id: str, starts: datetime, terms: OfferTerms, *, who: str, now: datetime
) -> Written:
    """Writes a later version that was agreed elsewhere, or leaves the last one as it is where that says the same.

    Raises:
        NotFound: There is no such offer.
        Conflict: It takes no more versions, or has one that starts then or later.
    """
    stored = read_offer(await _offer(tx, offer_id))
    versions = [read_version(row).version for row in await tx.fetch(SQL["versions"], [offer_id])]
    if versions[-1].terms == terms:
        return Written(offer_id, False, ())
    offer_after(offer_id, stored.state, OfferAct.ADD_VERSION)
    if starts <= versions[-1].starts:
        raise Conflict(f"offer {offer_id} has a version that starts {versions[-1].starts.isoformat()}", "starts")
    number = await tx.fetchval(SQL["insert_version"], offer_id, None, starts, terms.model_dump_json(), starts, now, who)
    turned = (turn_of(EventType.OFFER_VERSION_ADDED, stored, version=number),)
    await audit(tx, who, "took over a version of", f"offer/{offer_id}", {"version": number, **terms_of(terms)})
    await announce(tx, turned, now)
    return Written(offer_id, True, turned)


async def write_offer_end(tx: Transaction, offer_id: str, ends: datetime, *, who: str, now: datetime) -> Written:
    """Writes that an offer was cancelled elsewhere, and when it ends; leaves one that ends by then as it is.

    Raises:
        NotFound: There is no such offer.
        Conflict: It is a draft, or cancelled to another day.
    """
    stored = read_offer(await _offer(tx, offer_id))
    moment = max(ends, stored.offer.starts)
    if stored.state is OfferState.ENDED or (stored.ends_at is not None and stored.ends_at <= moment):
        return Written(offer_id, False, ())
    turned = (await cancel_offer(tx, stored, moment, now),)
    await audit(tx, who, "took over the end of", f"offer/{offer_id}", {"ends": moment.isoformat()})
    await announce(tx, turned, now)
    return Written(offer_id, False, turned)


async def write_subscription(
    tx: Transaction,
    told: Subscription,
    *,
    source: Source,
    who: str,
    now: datetime,
    external: str | None = None,
) -> Written:
    """Writes a subscription as its authority has it: a new one, or what became of the one that the EMSP has.

    An ACTIVE one without a start holds at once. One that stands here under another id is brought to the same state
    under its own; `Written.id` says which.

    Args:
        external: The hub's id of it.

    Raises:
        NotFound: There is no such offer.
        Conflict: The offer is a draft, has ended, or nobody subscribes to it; the state would go back; the id is
            another one's.
    """
    offer = read_offer(await _offer(tx, told.offer))
    row = await tx.fetchrow(SUBSCRIPTIONS["lock"], told.id)
    if row is not None and (row["offer_id"], row["emsp"]) != (told.offer, told.emsp.normal):
        raise Conflict(f"{told.id} is another subscription", "id")
    if row is None:
        row = await tx.fetchrow(SUBSCRIPTIONS["lock_live"], told.offer, told.emsp.normal)
    if told.state is SubscriptionState.ACTIVE and told.starts is None:
        known = row["starts_at"] if row is not None else None
        told = told.model_copy(update={"starts": known or earliest_start(offer.offer, now)})
    told = _in_order(told)
    if row is None:
        return await _new(tx, offer, told, source, who, now, external)
    return await _on(tx, offer, read_subscription(row), told, source, who, now, external)


async def _new(
    tx: Transaction,
    offer: StoredOffer,
    told: Subscription,
    source: Source,
    who: str,
    now: datetime,
    external: str | None,
) -> Written:
    if told.state not in FINAL:
        if offer.state in {OfferState.DRAFT, OfferState.ENDED}:
            offer_after(told.offer, offer.state, OfferAct.SUBSCRIBE)
        first_of(offer)
    began = await insert_subscription(tx, told, source, now, external=external)
    kinds = [_TOLD[told.state], *([EventType.SUBSCRIPTION_ACTIVE] if began else [])]
    turned = tuple(turn_of(kind, offer, subscription=told) for kind in kinds)
    await audit(tx, who, "took over", f"subscription/{told.id}", subscription_detail(told))
    await announce(tx, turned, now)
    return Written(told.id, True, turned)


async def _on(
    tx: Transaction,
    offer: StoredOffer,
    stored: StoredSubscription,
    told: Subscription,
    source: Source,
    who: str,
    now: datetime,
    external: str | None,
) -> Written:
    before = stored.subscription
    kept = {"id": before.id, "requested_at": before.requested_at, "starts": told.starts or before.starts}
    after = _in_order(told.model_copy(update=kept))
    if not goes_on(before.state, after.state):
        raise Conflict(f"subscription {before.id} is {before.state} here, and is not {after.state} again", "state")
    if before.state in FINAL or (after == before and external in {None, stored.external}):
        return Written(before.id, False, ())
    began = await update_subscription(tx, stored, after, now, source=source, external=external)
    kinds = [_TOLD[after.state]] if after.state is not before.state else []
    if after.state is SubscriptionState.UNDER_REVIEW:
        kinds = []  # that it is looked at is no news to those who wait
    kinds += [EventType.SUBSCRIPTION_ACTIVE] if began else []
    turned = tuple(turn_of(kind, offer, subscription=after) for kind in kinds)
    await audit(tx, who, "took over", f"subscription/{after.id}", subscription_detail(after))
    await announce(tx, turned, now)
    return Written(after.id, False, turned)


# What these share with what people do


async def insert_offer(
    tx: Transaction,
    offer: Offer,
    terms: OfferTerms,
    connection_id: int,
    *,
    who: str,
    now: datetime,
    published: bool = False,
    external: str | None = None,
) -> None:
    """Writes an offer with its first version.

    Raises:
        Conflict: The id or the title is taken.
    """
    state = OfferState.PUBLISHED if published else OfferState.DRAFT
    due_at, published_at = (offer.ends, now) if published else (None, None)
    no = await tx.fetchval(
        SQL["insert_offer"],
        offer.id,
        connection_id,
        *offer_columns(offer),
        state.value,
        due_at,
        published_at,
        external,
    )
    if no is None:
        raise Conflict(f"the id {offer.id} or the title is taken", "title")
    starts = offer.starts if published else None
    await tx.execute(SQL["insert_version"], offer.id, 1, offer.starts, terms.model_dump_json(), starts, now, who)


async def cancel_offer(tx: Transaction, stored: StoredOffer, ends: datetime, now: datetime) -> Turned:
    """Writes that an offer ends at a moment.

    Raises:
        Conflict: It is not in a state to be cancelled.
    """
    state = offer_after(stored.offer.id, stored.state, OfferAct.CANCEL)
    await tx.execute(SQL["set_offer"], stored.offer.id, state.value, ends, ends, None, now)
    return turn_of(EventType.OFFER_CANCELLED, stored)


async def insert_subscription(
    tx: Transaction,
    subscription: Subscription,
    source: Source,
    now: datetime,
    *,
    wanted: datetime | None = None,
    external: str | None = None,
) -> bool:
    """Writes a new subscription; tells whether it holds already.

    Raises:
        Conflict: The id is taken, or the EMSP has the offer, or waits for it: of two at once, one is there first.
    """
    began = _holds(subscription, now)
    no = await tx.fetchval(
        SUBSCRIPTIONS["insert"],
        subscription.id,
        subscription.offer,
        subscription.emsp.normal,
        subscription.state.value,
        source.value,
        subscription.requested_at,
        wanted,
        subscription.starts,
        subscription.cancelled_at,
        subscription.ends,
        due(subscription, began=began),
        began,
        subscription.why,
        external,
    )
    if no is None:
        raise Conflict(f"{subscription.emsp} has offer {subscription.offer}, or waits for it, already", "offer")
    return began


async def update_subscription(
    tx: Transaction,
    stored: StoredSubscription,
    after: Subscription,
    now: datetime,
    *,
    source: Source | None = None,
    external: str | None = None,
) -> bool:
    """Writes what became of a subscription; tells whether it has begun to hold by that."""
    began = stored.began or _holds(after, now)
    await tx.execute(
        SUBSCRIPTIONS["update"],
        after.id,
        after.state.value,
        after.starts,
        after.cancelled_at,
        after.ends,
        due(after, began=began),
        began,
        after.why,
        external,
        source.value if source is not None else None,
    )
    return began and not stored.began


def first_of(offer: StoredOffer) -> SubscriptionState:
    """Gives the state in which a subscription to an offer begins.

    Raises:
        Conflict: Nobody subscribes to it.
    """
    if offer.offer.joining is Joining.OPEN:
        raise Conflict(f"offer {offer.offer.id} is open: whoever it is for has it without subscribing", "offer")
    return first_state(offer.offer.joining)


def turn_of(
    kind: EventType, stored: StoredOffer, *, version: int | None = None, subscription: Subscription | None = None
) -> Turned:
    """Says what changed about an offer, one of its versions or subscriptions."""
    offer = stored.offer
    return Turned(
        kind,
        stored.connection_id,
        offer.id,
        offer.cpo,
        offer.network_group,
        version,
        subscription.id if subscription is not None else None,
        subscription.emsp if subscription is not None else None,
    )


def detail_of(offer: Offer, terms: OfferTerms) -> dict[str, JsonValue]:
    """Gives what an offer says, for the audit trail."""
    told: dict[str, JsonValue] = offer.model_dump(mode="json", exclude_none=True)
    return {**told, "terms": terms.model_dump(mode="json", exclude_defaults=True)}


def terms_of(terms: OfferTerms) -> dict[str, JsonValue]:
    """Gives what a version says, for the audit trail."""
    return {"terms": terms.model_dump(mode="json", exclude_defaults=True)}


def subscription_detail(subscription: Subscription) -> dict[str, JsonValue]:
    """Gives a subscription, for the audit trail."""
    told: dict[str, JsonValue] = subscription.model_dump(mode="json", exclude_none=True)
    return told


def _in_order(subscription: Subscription) -> Subscription:
    """Gives a subscription that ends at its start where it is said to end before: it never begins."""
    starts, ends = subscription.starts, subscription.ends
    if starts is None or ends is None or ends >= starts:
        return subscription
    return subscription.model_copy(update={"ends": starts})


def _holds(subscription: Subscription, now: datetime) -> bool:
    if subscription.state not in {SubscriptionState.ACTIVE, SubscriptionState.CANCELLED}:
        return False
    starts, ends = subscription.starts, subscription.ends
    return starts is not None and starts <= now and (ends is None or starts < ends)


async def _offer(tx: Transaction, offer_id: str) -> Any:
    row = await tx.fetchrow(SQL["lock_offer"], offer_id)
    if row is None:
        raise NotFound(f"there is no offer {offer_id}", "offer")
    return row
