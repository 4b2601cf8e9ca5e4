"""Takes over what a hub says that it holds: subscriptions to our offers, offers made in its portal, contracts.

Our own offers are compared with what the hub has of them, and never changed by it.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

import structlog
from pydantic import ValidationError

from adapters.core.connection import Connection
from adapters.core.offers import HubIds
from adapters.core.roaming import FeedProfile, Record
from gateway.complaints import field_errors, sentences
from gateway.outbox.projecting import Link
from gateway.services.catalogue.ingesting import Ingested, Kept
from gateway.services.hub_offers.comparing import OurSide, compare, version_of
from gateway.services.hub_offers.content import cpos_of, group_names, partners_of, tariffs_by_group
from gateway.services.hub_offers.drifting import Drifting, Found
from gateway.services.hub_offers.reading import (
    audience_of,
    group_name,
    key_of,
    offer_of,
    subscription_of,
    tariff_of,
    terms_of,
)
from gateway.services.hub_offers.steps import groups_of
from gateway.services.links import Links
from gateway.services.offers.announcing import OnTurned, Turned, pass_on
from gateway.services.offers.clock import Judge
from gateway.services.offers.rows import SQL as OFFERS
from gateway.services.offers.rows import StoredOffer, StoredSubscription, read_offer, read_subscription, read_version
from gateway.services.offers.states import FINAL
from gateway.services.offers.writing import (
    Source,
    Written,
    write_offer,
    write_offer_end,
    write_subscription,
    write_version,
)
from gateway.services.ports import Conflict
from gateway.services.ports.offers import DriftKind
from gateway.store.pool import Record as Row
from gateway.store.pool import Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.agreements import Offer, OfferState, OfferVersion, Subscription, SubscriptionState
from mappings.canonical.held_offers import HubOffer
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Role
from mappings.report import Refused

SQL = Queries("gateway.services.hub_offers", "hearing.sql")

_RECENT: Final = timedelta(minutes=10)
"""For how long after a hub was told of an offer what it shows may be older than that."""

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Here:
    """What a hub's offer is here.

    Attributes:
        theirs: It was taken over from the hub, and follows it.
    """

    row: Row
    stored: StoredOffer
    versions: Sequence[OfferVersion]
    subscriptions: Sequence[StoredSubscription]

    @property
    def theirs(self) -> bool:
        return self.row["external"] is not None


@dataclass(slots=True)
class _Plan:
    """What is to be written of who may have what.

    Attributes:
        problem: Why the offer cannot be on record.
    """

    offer: Offer | None = None
    version: bool = False
    ends: datetime | None = None
    audience: Offer | None = None
    subscriptions: list[tuple[Subscription, str]] = field(default_factory=list)
    problem: str | None = None

    @property
    def changes(self) -> bool:
        return bool(self.offer or self.version or self.ends or self.audience or self.subscriptions)


class OfferHearing:
    """Implements `pulling.one_pull.Sink` for offers.

    Args:
        turned: Is told what changed, after the commit.
        heard: Called after a commit by which a hub may have to be told more.
        judge: The clock by which all replicas go.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        drifting: Drifting,
        turned: OnTurned,
        heard: Callable[[], None],
        judge: Judge,
    ) -> None:
        self._store = store
        self._links = links
        self._drifting = drifting
        self._turned = turned
        self._heard = heard
        self._judge = judge

    async def ingest(self, connection: Connection, feed: FeedProfile, records: Sequence[Record]) -> Ingested:
        """Takes offers with their subscriptions; one that cannot be read spoils itself alone."""
        done = Ingested()
        link = self._links.get(connection.id)
        for record in records if link is not None else ():
            try:
                theirs, _ = record.read()
            except Refused as refused:
                done.refused.append((record.key, refused))
                _log.warning("an offer was not read", connection=connection.name, feed=feed.name, offer=record.key)
                continue
            if link is not None:
                await self._take(link, theirs, done)
        self._heard()
        return done

    async def _take(self, link: Link, theirs: HubOffer, done: Ingested) -> None:
        async with self._store.transaction() as tx:
            here = await self._find(tx, link, theirs)
            plan = self._plan(link, here, theirs, await self._judge(tx))
            if not plan.changes:
                await self._settle(tx, link, here, theirs, plan, done)
        if not plan.changes:
            done.same += here is not None
            done.unknown += here is None
            return
        turned: list[Turned] = []
        async with self._links.changing() as tx:
            here = await self._find(tx, link, theirs)
            plan = self._plan(link, here, theirs, await self._judge(tx))
            known = here is not None
            if plan.offer is not None:
                turned += (await self._record(tx, link, theirs, plan.offer)).turned
                here = await self._find(tx, link, theirs)
                plan = self._plan(link, here, theirs, await self._judge(tx))
            turned += await self._carry_out(tx, link, here, theirs, plan)
            here = await self._find(tx, link, theirs)
            await self._settle(tx, link, here, theirs, plan, done)
        done.changed += known
        done.new += not known
        await pass_on(self._turned, turned)

    async def _find(self, tx: Transaction, link: Link, theirs: HubOffer) -> _Here | None:
        ours = Role.CPO in link.adapter.roles
        near = [each for each in (theirs.previous, theirs.next) if each is not None]
        where = (link.connection.id, theirs.id, theirs.cpo.normal, near, theirs.title, ours)
        row = await tx.fetchrow(SQL["find"], *where)
        if row is None:
            return None
        versions = [read_version(each).version for each in await tx.fetch(OFFERS["versions"], [row["id"]])]
        subscriptions = [read_subscription(each) for each in await tx.fetch(SQL["subscriptions"], row["id"])]
        return _Here(row, read_offer(row), versions, subscriptions)

    # What is to be written

    def _plan(self, link: Link, here: _Here | None, theirs: HubOffer, now: datetime) -> _Plan:
        partners = partners_of(link)
        plan = _Plan()
        if here is None:
            if theirs.ends is not None and theirs.ends <= now:
                return plan
            try:
                plan.offer = offer_of(link.connection, theirs, partners)
                terms_of(link.connection, theirs, ours=Role.CPO in link.adapter.roles)
            except ValueError as error:
                plan.offer, plan.problem = None, _words(error)
            return plan
        if here.theirs:
            self._follow(link, here, theirs, plan)
        past = theirs.next is not None and theirs.ends is not None and theirs.ends <= now
        if past or here.stored.state is OfferState.ENDED:
            return plan
        for each in theirs.subscriptions:
            told = subscription_of(
                link.connection.id, here.stored.offer, each, here.subscriptions, now, followed=theirs.next is not None
            )
            if told is not None:
                plan.subscriptions.append((told, each.id))
        return plan

    def _follow(self, link: Link, here: _Here, theirs: HubOffer, plan: _Plan) -> None:
        """Plans what a record that was taken over from the hub follows it in."""
        offer, stored = here.stored.offer, here.stored
        if stored.state is OfferState.PUBLISHED:
            plan.version = theirs.previous is not None and self._says_otherwise(link, here.versions[-1], theirs)
            if theirs.cancelled_at is not None and (stored.ends_at is None or theirs.cancelled_at < stored.ends_at):
                plan.ends = theirs.cancelled_at
        named = audience_of(theirs, partners_of(link))
        if offer.audience is not None and named and (came := [one for one in named if one not in offer.audience]):
            plan.audience = offer.model_copy(update={"audience": (*offer.audience, *came)})

    @staticmethod
    def _says_otherwise(link: Link, last: OfferVersion, theirs: HubOffer) -> bool:
        try:
            terms = terms_of(link.connection, theirs, ours=Role.CPO in link.adapter.roles)
        except ValueError:
            return False
        return theirs.starts > last.starts and terms != last.terms

    async def _record(self, tx: Transaction, link: Link, theirs: HubOffer, offer: Offer) -> Written:
        """Takes an offer on record that was made in the hub's portal, or that a partner made."""
        ours = Role.CPO in link.adapter.roles
        if await tx.fetchval(SQL["title_taken"], link.connection.id, theirs.cpo.normal, offer.title):
            offer = offer_of(link.connection, theirs, partners_of(link), title=f"{offer.title[:200]} ({theirs.id})")
        await self._groups(tx, link, theirs)
        terms = terms_of(link.connection, theirs, ours=ours)
        who, now = _who(link), await self._judge(tx)
        written = await write_offer(tx, offer, terms, link.connection.id, who=who, now=now, external=theirs.id)
        if theirs.cancelled_at is None:
            return written
        ended = await write_offer_end(tx, offer.id, theirs.cancelled_at, who=who, now=now)
        return written._replace(turned=(*written.turned, *ended.turned))

    async def _carry_out(
        self, tx: Transaction, link: Link, here: _Here | None, theirs: HubOffer, plan: _Plan
    ) -> list[Turned]:
        turned: list[Turned] = []
        if here is None:
            return turned
        who, now, id_ = _who(link), await self._judge(tx), here.row["id"]
        if plan.audience is not None:
            await tx.execute(SQL["add_audience"], id_, plan.audience.model_dump_json(exclude_none=True))
        if plan.version:
            await self._groups(tx, link, theirs)
            terms = terms_of(link.connection, theirs, ours=Role.CPO in link.adapter.roles)
            turned += (await write_version(tx, id_, theirs.starts, terms, who=who, now=now)).turned
        if plan.ends is not None:
            turned += (await write_offer_end(tx, id_, plan.ends, who=who, now=now)).turned
        for told, external in plan.subscriptions:
            try:
                written = await write_subscription(tx, told, source=Source.HUB, who=who, now=now, external=external)
            except Conflict as conflict:
                subject = f"subscription/{told.id}"
                found = Found(DriftKind.FIELD, subject, "state", str(conflict), told.state.value, (theirs.cpo,))
                await self._drifting.compared(tx, link.connection, subject, [found])
            else:
                await self._drifting.compared(tx, link.connection, f"subscription/{told.id}", [])
                turned += written.turned
        return turned

    async def _groups(self, tx: Transaction, link: Link, theirs: HubOffer) -> None:
        """Writes a partner's EVSE groups with their prices; who is in them is told by another feed."""
        if Role.CPO in link.adapter.roles:
            return
        number, party = link.connection.id, theirs.cpo.normal
        for group in theirs.groups:
            about = theirs.network_name[:250]
            await tx.execute(SQL["write_group"], key_of(number, group.id), party, group_name(group), about)
        tariffs = [tariff for group in theirs.groups if (tariff := tariff_of(theirs, group)) is not None]
        bodies = [tariff.model_dump_json(exclude_defaults=True) for tariff in tariffs]
        await tx.execute(
            SQL["write_tariffs"],
            number,
            [party for _ in tariffs],
            [tariff.id for tariff in tariffs],
            bodies,
            [_digest(body) for body in bodies],
            [tariff.last_updated for tariff in tariffs],
        )

    # What follows from what is there now

    async def _settle(
        self,
        tx: Transaction,
        link: Link,
        here: _Here | None,
        theirs: HubOffer,
        plan: _Plan,
        done: Ingested,
    ) -> None:
        subject = f"offer/{theirs.id}"
        if here is None:
            found = [Found(DriftKind.ONLY_THERE, subject, "", None, plan.problem, (theirs.cpo,))]
            await self._drifting.compared(tx, link.connection, subject, found if plan.problem is not None else [])
            return
        await self._drifting.compared(tx, link.connection, subject, [])
        version = version_of(here.versions, theirs)
        if here.theirs:
            await self._groups(tx, link, theirs)
        await self._note_seen(tx, link, here, theirs, version)
        await self._compare(tx, link, here, theirs, version)
        done.nos.append(2 * here.row["no"])
        numbers = {row["external"]: row["no"] for row in await tx.fetch(SQL["numbers"], here.row["id"])}
        for each in theirs.subscriptions:
            if each.emsp is None:
                about = f"subscription/{each.id}"
                found = [Found(DriftKind.ONLY_THERE, about, "emsp", None, each.emsp_name, (theirs.cpo,))]
                await self._drifting.compared(tx, link.connection, about, found)
            elif each.id in numbers:
                done.nos.append(2 * numbers[each.id] + 1)

    async def _note_seen(
        self, tx: Transaction, link: Link, here: _Here, theirs: HubOffer, version: OfferVersion
    ) -> None:
        """Notes when the offer was seen, and the hub's ids where these are not known."""
        now, offer_id = await self._judge(tx), here.row["id"]
        told = (f"offers/{offer_id}", link.connection.id, now - _RECENT)
        ids = HubIds.model_validate_json(here.row["hub_ids"]) if here.row["hub_ids"] is not None else HubIds()
        newer = ids.offer is None or theirs.previous == ids.offer
        # While the hub is told something, what it shows may be older than that.
        if not newer or theirs.next is not None or await tx.fetchval(SQL["busy"], *told):
            await tx.execute(SQL["seen"], offer_id, now, None, 0)
            return
        names = await group_names(tx, groups_of(version.terms))
        by_name = {group.name: group.id for group in theirs.groups}
        groups = {name: by_name[title] for name, title in names.items() if title in by_name}
        found = ids.model_copy(update={"groups": {**ids.groups, **groups}, "offer": theirs.id})
        if theirs.network is not None and ids.network is None:
            found = found.model_copy(update={"network": theirs.network, "network_name": theirs.network_name or None})
        await tx.execute(SQL["seen"], offer_id, now, found.model_dump_json(exclude_none=True), version.number)

    async def _compare(self, tx: Transaction, link: Link, here: _Here, theirs: HubOffer, version: OfferVersion) -> None:
        subject = f"offer/{here.row['id']}" + (f"/versions/{version.number}" if version.number > 1 else "")
        later = next((one for one in here.versions if one.number > version.number), None)
        ends = later.starts if later is not None and theirs.next is not None else here.stored.ends_at
        partners = partners_of(link)
        ids = HubIds.model_validate_json(here.row["hub_ids"]) if here.row["hub_ids"] is not None else HubIds()
        if here.theirs:  # which has the hub's own groups and prices
            ours = OurSide(here.stored.offer, version, ends, {}, {}, partners, {})
            shown = theirs.model_copy(update={"groups": (), "title": here.stored.offer.title})
        else:
            cpos = await cpos_of(tx, here.stored.offer, await self._judge(tx))
            names = await group_names(tx, groups_of(version.terms))
            tariffs = await tariffs_by_group(tx, here.stored.offer, version.terms, cpos)
            ours = OurSide(here.stored.offer, version, ends, tariffs, names, partners, ids.groups)
            shown = theirs
        found = [
            Found(DriftKind.FIELD, subject, one.field, one.ours, one.theirs, (theirs.cpo,))
            for one in compare(ours, shown)
        ]
        await self._drifting.compared(tx, link.connection, subject, found)

    # What is there no more

    async def prune(self, connection: Connection, feed: FeedProfile, kept: Kept) -> int:  # noqa: ARG002
        """Ends what was read at the hub and is there no more; what was told to it and is not there is shown."""
        link = self._links.get(connection.id)
        if link is None:
            return 0
        offers = [
            row for row in await self._store.fetch(SQL["held"], connection.id, kept.since) if 2 * row["no"] not in kept
        ]
        subscriptions = [
            row
            for row in await self._store.fetch(SQL["held_subscriptions"], connection.id, kept.since)
            if 2 * row["no"] + 1 not in kept
        ]
        gone = [row for row in offers if row["theirs"] and row["state"] == OfferState.PUBLISHED]
        async with self._store.transaction() as tx:
            await tx.execute(SQL["forget_drift"], connection.id, kept.since)
            for row in offers:
                busy = (f"offers/{row['id']}", connection.id, kept.since)
                if not row["theirs"] and not await tx.fetchval(SQL["busy"], *busy):
                    subject = f"offer/{row['id']}"
                    parties = (PartyId(row["cpo"]),) if row["cpo"] is not None else ()
                    found = Found(DriftKind.ONLY_HERE, subject, "", row["state"], None, parties)
                    await self._drifting.compared(tx, connection, subject, [found])
        if gone or subscriptions:
            await self._end(link, gone, subscriptions)
        self._heard()
        return len(gone) + len(subscriptions)

    async def _end(self, link: Link, offers: Sequence[Row], subscriptions: Sequence[Row]) -> None:
        turned: list[Turned] = []
        who = _who(link)
        async with self._links.changing() as tx:
            now = await self._judge(tx)
            for row in subscriptions:
                stored = read_subscription(row)
                if stored.subscription.state in FINAL:
                    continue
                ended = stored.subscription.model_copy(update={"state": SubscriptionState.ENDED, "ends": now})
                with contextlib.suppress(Conflict):  # somebody else ended it meanwhile
                    written = await write_subscription(
                        tx, ended, source=Source.HUB, who=who, now=now, external=stored.external
                    )
                    turned += written.turned
            for row in offers:
                with contextlib.suppress(Conflict):
                    turned += (await write_offer_end(tx, row["id"], now, who=who, now=now)).turned
        await pass_on(self._turned, turned)


def _who(link: Link) -> str:
    return f"hub {link.connection.name}"


def _words(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return sentences(field_errors(error))
    return str(error)


def _digest(body: str) -> bytes:
    return blake2b(body.encode(), digest_size=16).digest()
