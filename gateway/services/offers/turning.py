"""What happens by time: versions come into force, subscriptions begin and end, offers end, members come and go.

Each happens once, whichever replica does it: state, event, audit and the revision by which all take note are one
transaction. States only go on, so that a clock which jumps back unmakes nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from gateway.events.writing import EventType
from gateway.services.links import Links
from gateway.services.offers.announcing import ITSELF, OnTurned, Turned, announce, audit, pass_on
from gateway.services.offers.clock import Judge, by_database
from gateway.services.offers.groups import network_changed
from gateway.services.offers.rows import StoredOffer, read_offer, read_subscription
from gateway.services.offers.states import OfferAct, SubscriptionAct, offer_after, subscription_after
from gateway.services.offers.writing import subscription_detail, turn_of, update_subscription
from gateway.services.waiting import Sweeper
from gateway.store.pool import Record, Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.agreements import Member
from mappings.canonical.ids import PartyId

SQL = Queries("gateway.services.offers", "turning.sql")

EVERY: Final = 1.0
"""Seconds between two looks."""

TRUSTED: Final = timedelta(minutes=1)
"""How far a replica's clock may be off while it may say that something is due."""

_BATCH: Final = 100
"""Of a kind in one transaction, for which whoever writes objects waits."""

_log = structlog.get_logger(__name__)


class _Nothing(Exception):
    """Another replica did it: nothing is to be noted, not even a new revision."""


class Turning:
    """Turns what is due.

    Args:
        now: This replica's clock.
        turned: Is told what changed, after the commit.
        wake: Called after a commit that left events.
        skew: Is told by how many seconds this replica's clock is ahead.
        judge: The clock by which all replicas go.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        now: Callable[[], datetime],
        turned: OnTurned,
        wake: Callable[[], None],
        skew: Callable[[float], None],
        judge: Judge = by_database,
    ) -> None:
        self._store = store
        self._links = links
        self._now = now
        self._turned = turned
        self._wake = wake
        self._skew = skew
        self._judge = judge
        self._trusted = True
        self._sweeper = Sweeper("turning offers", EVERY, self.look)

    def start(self) -> None:
        """Starts looking."""
        self._sweeper.start()

    async def stop(self) -> None:
        """Stops looking."""
        await self._sweeper.stop()

    async def look(self) -> int:
        """Turns what is due now, and gives how much that was."""
        now = await self._judge(self._store)
        if not self._trust(self._now() - now):
            return 0
        count = 0
        while await self._store.fetchval(SQL["waits"], now):
            turned = await self._turn(now)
            if turned is None:
                break
            count += len(turned)
            self._wake()
            await pass_on(self._turned, turned)
        return count

    def _trust(self, ahead: timedelta) -> bool:
        """Tells whether this replica's clock is right, and says so when that changes."""
        self._skew(ahead.total_seconds())
        trusted = abs(ahead) <= TRUSTED
        if trusted is not self._trusted:
            self._trusted = trusted
            if trusted:
                _log.info("the clock is right again", ahead=ahead.total_seconds())
            else:
                _log.error("the clock is wrong: nothing is turned here", ahead=ahead.total_seconds())
        return trusted

    async def _turn(self, now: datetime) -> list[Turned] | None:
        """Turns a batch, the earlier before what follows from it; None where another replica did."""
        turned: list[Turned] = []
        try:
            async with self._links.changing() as tx:
                found = 0
                for one in (_members, _versions, _subscriptions, _offers):
                    count, changes = await one(tx, now)
                    found += count
                    turned += changes
                    if count == _BATCH or (count and one is _subscriptions):
                        break  # there may be more, or what has begun ends, before the next kind is turned
                if not found:
                    raise _Nothing  # noqa: TRY301 - nothing else takes a transaction back
        except _Nothing:
            return None
        return turned


async def _members(tx: Transaction, now: datetime) -> tuple[int, list[Turned]]:
    rows = await tx.fetch(SQL["members"], now, _BATCH)
    turned: list[Turned] = []
    for group in dict.fromkeys(row["group_id"] for row in rows):
        members = [
            Member(party=PartyId(row["party"]), since=row["since"], until=row["until"])
            for row in await tx.fetch(SQL["members_of"], group)
        ]
        await audit(tx, ITSELF, "turned", f"network-group/{group}", None)
        turned += await network_changed(tx, group, members, now)
    return len(rows), turned


async def _versions(tx: Transaction, now: datetime) -> tuple[int, list[Turned]]:
    rows = await tx.fetch(SQL["versions"], now, _BATCH)
    turned: list[Turned] = []
    for row in rows:
        if row["in_force"] and row["state"] != "ENDED":
            turned.append(turn_of(EventType.OFFER_VERSION_IN_FORCE, read_offer(row), version=row["number"]))
            await audit(tx, ITSELF, "put in force", f"offer/{row['id']}", {"version": row["number"]})
    await announce(tx, turned, now)
    return len(rows), turned


async def _subscriptions(tx: Transaction, now: datetime) -> tuple[int, list[Turned]]:
    """Begins or ends each; one that is to end, too, is due again."""
    rows = await tx.fetch(SQL["subscriptions"], now, _BATCH)
    known = await tx.fetch(SQL["offers_of"], sorted({row["offer_id"] for row in rows})) if rows else []
    offers = {row["id"]: read_offer(row) for row in known}
    turned = [await _subscription(tx, row, offers[row["offer_id"]], now) for row in rows]
    await announce(tx, turned, now)
    return len(rows), turned


async def _subscription(tx: Transaction, row: Record, offer: StoredOffer, now: datetime) -> Turned:
    stored = read_subscription(row)
    after, subject = stored.subscription, f"subscription/{row['id']}"
    if await update_subscription(tx, stored, after, now):
        await audit(tx, ITSELF, "began", subject, subscription_detail(after))
        return turn_of(EventType.SUBSCRIPTION_ACTIVE, offer, subscription=after)
    state = subscription_after(after.id, after.state, SubscriptionAct.END)
    after = after.model_copy(update={"state": state})
    await update_subscription(tx, stored, after, now)
    await audit(tx, ITSELF, "ended", subject, subscription_detail(after))
    return turn_of(EventType.SUBSCRIPTION_ENDED, offer, subscription=after)


async def _offers(tx: Transaction, now: datetime) -> tuple[int, list[Turned]]:
    """Ends each with what was subscribed to it."""
    rows = await tx.fetch(SQL["offers"], now, _BATCH)
    turned: list[Turned] = []
    for row in rows:
        turned += await _end(tx, read_offer(row))
    await announce(tx, turned, now)
    return len(rows), turned


async def _end(tx: Transaction, offer: StoredOffer) -> list[Turned]:
    id_ = offer.offer.id
    state = offer_after(id_, offer.state, OfferAct.END)
    await tx.execute(SQL["end_offer"], id_, state.value)
    await tx.execute(SQL["end_versions"], id_)
    turned: list[Turned] = []
    for row in await tx.fetch(SQL["end_subscriptions"], id_, offer.ends_at):
        ended = read_subscription(row).subscription
        await audit(tx, ITSELF, "ended", f"subscription/{ended.id}", subscription_detail(ended))
        turned.append(turn_of(EventType.SUBSCRIPTION_ENDED, offer, subscription=ended))
    await audit(tx, ITSELF, "ended", f"offer/{id_}", None)
    return [*turned, turn_of(EventType.OFFER_ENDED, offer)]
