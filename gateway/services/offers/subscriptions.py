"""Subscriptions as both sides make and end them here; where a hub has them made in its portal, they happen there."""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from gateway.events.writing import EventType
from gateway.outbox.projecting import Link
from gateway.services.cursors import encode, number_of
from gateway.services.links import Links
from gateway.services.offers import checking
from gateway.services.offers.announcing import OnTurned, Turned, announce, audit, pass_on
from gateway.services.offers.clock import Judge
from gateway.services.offers.rows import SQL as OFFERS
from gateway.services.offers.rows import Row, StoredOffer, StoredSubscription, read_offer, read_subscription
from gateway.services.offers.states import (
    OfferAct,
    SubscriptionAct,
    earliest_leave,
    earliest_start,
    offer_after,
    subscription_after,
)
from gateway.services.offers.writing import (
    SUBSCRIPTIONS,
    Source,
    first_of,
    insert_subscription,
    subscription_detail,
    turn_of,
    update_subscription,
)
from gateway.services.ports.common import Conflict, Invalid, NotFound, Page
from gateway.services.ports.offers import NewSubscription, SubscriptionFilter, SubscriptionView
from gateway.store.pool import Store, Transaction
from mappings.canonical.agreements import Subscription, SubscriptionState
from mappings.canonical.ids import PartyId

_DONE: Final[Mapping[SubscriptionAct, tuple[str, EventType]]] = MappingProxyType(
    {
        SubscriptionAct.APPROVE: ("approved", EventType.SUBSCRIPTION_APPROVED),
        SubscriptionAct.REFUSE: ("refused", EventType.SUBSCRIPTION_REFUSED),
        SubscriptionAct.CANCEL: ("cancelled", EventType.SUBSCRIPTION_CANCELLED),
        SubscriptionAct.DISMISS: ("cancelled for the CPO", EventType.SUBSCRIPTION_CANCELLED),
        SubscriptionAct.END: ("ended", EventType.SUBSCRIPTION_ENDED),
    }
)
"""In the audit trail, and as an event."""


class Subscriptions:
    """Implements `ports.offers.Subscriptions`.

    Args:
        judge: The clock by which all replicas go.
        turned: Is told what changed, after the commit.
        new_id: Makes an id where none is given.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        judge: Judge,
        turned: OnTurned,
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._links = links
        self._judge = judge
        self._turned = turned
        self._new_id = new_id

    async def list(self, wanted: SubscriptionFilter, after: str | None, limit: int) -> Page[SubscriptionView]:
        """See `ports.offers.Subscriptions.list`."""
        if wanted.offer is not None and await self._store.fetchrow(OFFERS["offer"], wanted.offer) is None:
            raise NotFound(f"there is no offer {wanted.offer}", "offer")
        rows = await self._store.search(
            SUBSCRIPTIONS["page"],
            None if wanted.parties is None else [party.normal for party in wanted.parties],
            wanted.offer,
            None if wanted.emsp is None else wanted.emsp.normal,
            None if wanted.cpo is None else wanted.cpo.normal,
            None if wanted.connection is None else self._named(wanted.connection).connection.id,
            None if wanted.state is None else wanted.state.value,
            number_of(after, 0),
            limit,
        )
        return Page([self._shown(row) for row in rows], encode(str(rows[-1]["no"])) if len(rows) == limit else None)

    async def get(self, subscription_id: str) -> SubscriptionView:
        """See `ports.offers.Subscriptions.get`."""
        return await self._view(self._store, subscription_id)

    async def request(self, new: NewSubscription, who: str) -> SubscriptionView:
        """See `ports.offers.Subscriptions.request`."""
        async with self._links.changing() as tx:
            offer, now = await self._offer(tx, new.offer), await self._judge(tx)
            row = await tx.fetchrow(SUBSCRIPTIONS["lock"], new.id)
            if row is not None:
                return await self._same(tx, read_subscription(row), new)
            offer_after(new.offer, offer.state, OfferAct.SUBSCRIBE)
            state = first_of(offer)
            await self._demand_emsp(tx, offer, new.emsp)
            self._demand_here(offer)
            holds = state is SubscriptionState.ACTIVE
            starts = self._starts(offer, now, new.starts) if holds else None
            if not holds:
                self._starts(offer, now, new.starts)  # else nobody could ever say yes
            subscription = Subscription(
                id=new.id or self._new_id(),
                offer=new.offer,
                emsp=new.emsp,
                state=state,
                requested_at=now,
                starts=starts,
            )
            began = await insert_subscription(tx, subscription, Source.LOCAL, now, wanted=new.starts)
            await audit(tx, who, "requested", f"subscription/{subscription.id}", subscription_detail(subscription))
            kinds = [EventType.SUBSCRIPTION_REQUESTED, *([EventType.SUBSCRIPTION_ACTIVE] if began else [])]
            turned = [turn_of(kind, offer, subscription=subscription) for kind in kinds]
            await announce(tx, turned, now)
            view = await self._view(tx, subscription.id)
        await pass_on(self._turned, turned)
        return view

    async def approve(self, subscription_id: str, starts: datetime | None, who: str) -> SubscriptionView:
        """See `ports.offers.Subscriptions.approve`."""

        def approved(offer: StoredOffer, stored: StoredSubscription, now: datetime) -> dict[str, Any]:
            # An offer that was cancelled meanwhile takes nobody on.
            offer_after(offer.offer.id, offer.state, OfferAct.SUBSCRIBE)
            return {"starts": self._starts(offer, now, starts, stored.wanted_at)}

        return await self._act(subscription_id, SubscriptionAct.APPROVE, who, approved)

    async def refuse(self, subscription_id: str, why: str, who: str) -> SubscriptionView:
        """See `ports.offers.Subscriptions.refuse`."""
        return await self._act(subscription_id, SubscriptionAct.REFUSE, who, lambda *_: {"why": why})

    async def cancel(
        self, subscription_id: str, at: datetime | None, who: str, *, by_cpo: bool, why: str | None = None
    ) -> SubscriptionView:
        """See `ports.offers.Subscriptions.cancel`."""

        def cancelled(offer: StoredOffer, stored: StoredSubscription, now: datetime) -> dict[str, Any]:
            if stored.subscription.starts is None:  # nobody had said yes
                return {"cancelled_at": now, "ends": now, "why": why}
            earliest = earliest_leave(offer.offer, stored.subscription, now, by_cpo=by_cpo)
            if at is not None and at < earliest - checking.LATE:
                raise Invalid(("at", f"is too soon: {earliest.isoformat()} at the earliest"))
            return {"cancelled_at": now, "ends": max(at, earliest) if at is not None else earliest, "why": why}

        return await self._act(
            subscription_id, SubscriptionAct.DISMISS if by_cpo else SubscriptionAct.CANCEL, who, cancelled
        )

    async def _act(
        self,
        subscription_id: str,
        act: SubscriptionAct,
        who: str,
        changes: Callable[[StoredOffer, StoredSubscription, datetime], dict[str, Any]],
    ) -> SubscriptionView:
        """Does one thing to a subscription."""
        async with self._links.changing() as tx:
            known = await tx.fetchrow(SUBSCRIPTIONS["subscription"], subscription_id)
            if known is None:
                raise _unknown(subscription_id)
            # The offer first, as whoever ends it with its subscriptions locks them.
            offer, now = await self._offer(tx, known["offer_id"]), await self._judge(tx)
            stored = read_subscription(await tx.fetchrow(SUBSCRIPTIONS["lock"], subscription_id) or known)
            if self._by_hub(offer.connection_id, stored.source):
                raise Conflict(f"{offer.offer.connection} keeps subscription {subscription_id}: {_THERE}")
            state = subscription_after(subscription_id, stored.subscription.state, act)
            update = {"state": state, **changes(offer, stored, now)}
            after = stored.subscription.model_copy(update=update)
            began = await update_subscription(tx, stored, after, now)
            action, kind = _DONE[act]
            if state is SubscriptionState.ENDED:
                _, kind = _DONE[SubscriptionAct.END]
            await audit(tx, who, action, f"subscription/{subscription_id}", subscription_detail(after))
            kinds = [kind, *([EventType.SUBSCRIPTION_ACTIVE] if began else [])]
            turned: list[Turned] = [turn_of(each, offer, subscription=after) for each in kinds]
            await announce(tx, turned, now)
            view = await self._view(tx, subscription_id)
        await pass_on(self._turned, turned)
        return view

    async def _same(self, tx: Transaction, stored: StoredSubscription, new: NewSubscription) -> SubscriptionView:
        """Gives the subscription that the same request made before.

        Raises:
            Conflict: Another one made it.
        """
        there = stored.subscription
        if (there.offer, there.emsp, stored.wanted_at) != (new.offer, new.emsp, new.starts):
            raise Conflict(f"{there.id} is another subscription", "id")
        return await self._view(tx, there.id)

    def _starts(self, offer: StoredOffer, now: datetime, *wanted: datetime | None) -> datetime:
        starts = earliest_start(offer.offer, now, *wanted)
        if offer.ends_at is not None and starts >= offer.ends_at:
            raise Invalid(("starts", f"is not before the offer's end, {offer.ends_at.isoformat()}"))
        return starts

    async def _demand_emsp(self, tx: Transaction, offer: StoredOffer, emsp: PartyId) -> None:
        link = self._links.get(offer.connection_id)
        [roles] = [row["roles"] for row in await tx.fetch(checking.SQL["roles"], [emsp.normal])] or [None]
        if link is not None and (why := checking.stranger(link, emsp, roles)):
            raise Invalid(("emsp", why))
        if not offer.offer.is_for(emsp):
            raise Invalid(("emsp", f"offer {offer.offer.id} is not for {emsp}"))

    def _demand_here(self, offer: StoredOffer) -> None:
        if self._by_hub(offer.connection_id, Source.LOCAL):
            raise Conflict(f"{offer.offer.connection} has subscriptions of its own: {_THERE}", "offer")

    def _by_hub(self, connection_id: int, source: str) -> bool:
        """Whether a hub, or who signs there, is the authority on a subscription."""
        link = self._links.get(connection_id)
        return source == Source.HUB or (link is not None and link.adapter.offers.subscribed_there)

    def _shown(self, row: Row) -> SubscriptionView:
        stored, link = read_subscription(row), self._links.get(row["connection_id"])
        return SubscriptionView(
            stored.subscription,
            link.connection.name if link is not None else "",
            self._by_hub(row["connection_id"], stored.source),
            PartyId(row["cpo"]) if row["cpo"] is not None else None,
            row["network_group"],
        )

    def _named(self, name: str) -> Link:
        link = self._links.by_name(name)
        if link is None:
            raise NotFound(f"there is no connection {name}", "connection")
        return link

    async def _view(self, on: "Store | Transaction", subscription_id: str) -> SubscriptionView:
        row = await on.fetchrow(SUBSCRIPTIONS["subscription"], subscription_id)
        if row is None:
            raise _unknown(subscription_id)
        return self._shown(row)

    async def _offer(self, tx: Transaction, offer_id: str) -> StoredOffer:
        row = await tx.fetchrow(OFFERS["lock_offer"], offer_id)
        if row is None:
            raise NotFound(f"there is no offer {offer_id}", "offer")
        return read_offer(row)


_THERE: Final = "it happens in the hub's portal, and is noticed here"


def _unknown(subscription_id: str) -> NotFound:
    return NotFound(f"there is no subscription {subscription_id}")
