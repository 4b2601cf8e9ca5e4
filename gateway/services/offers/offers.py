"""Offers as people make them: drafts, publishing, versions, cancelling."""

from collections.abc import Sequence
from datetime import datetime

from pydantic_core import from_json

from adapters.core.offers import HubIds
from gateway.events.writing import EventType
from gateway.outbox.projecting import Link
from gateway.services.cursors import decode, encode
from gateway.services.links import Links
from gateway.services.offers import checking
from gateway.services.offers.announcing import OnTurned, Turned, announce, audit, pass_on
from gateway.services.offers.clock import Judge
from gateway.services.offers.hubs import HubsTold
from gateway.services.offers.rows import SQL, StoredOffer, StoredVersion, offer_columns, read_offer, read_version
from gateway.services.offers.states import OfferAct, earliest_end, earliest_version, offer_after
from gateway.services.offers.views import shown
from gateway.services.offers.writing import cancel_offer, detail_of, insert_offer, terms_of, turn_of
from gateway.services.ports.common import BadCursor, Conflict, Invalid, NotFound, Page
from gateway.services.ports.offers import Entry, NewVersion, OfferFilter, OfferView
from gateway.store.pool import Store, Transaction
from mappings.canonical.agreements import Offer, OfferTerms


class Offers:
    """Implements `ports.offers.Offers`.

    Args:
        judge: The clock by which all replicas go.
        turned: Is told what changed, after the commit.
        hubs: Tells hubs, and says how far they were told.
    """

    def __init__(
        self,
        store: Store,
        links: Links,
        judge: Judge,
        turned: OnTurned,
        hubs: HubsTold,
    ) -> None:
        self._store = store
        self._links = links
        self._judge = judge
        self._turned = turned
        self._hubs = hubs

    async def list(self, wanted: OfferFilter, after: str | None, limit: int) -> Page[OfferView]:
        """See `ports.offers.Offers.list`."""
        start = decode(after, 1) if after is not None else ("",)
        if start is None:
            raise BadCursor
        rows = await self._store.search(
            SQL["page"],
            None if wanted.parties is None else [party.normal for party in wanted.parties],
            None if wanted.connection is None else self._link(wanted.connection).connection.id,
            None if wanted.cpo is None else wanted.cpo.normal,
            None if wanted.state is None else wanted.state.value,
            start[0],
            limit,
            wanted.document,
            wanted.evse_group,
        )
        views = await shown(self._store, rows, await self._judge(self._store), self._hubs)
        return Page(views, encode(rows[-1]["id"]) if len(rows) == limit else None)

    async def get(self, offer_id: str) -> OfferView:
        """See `ports.offers.Offers.get`."""
        return await self._view(self._store, offer_id)

    async def put(self, offer: Offer, terms: OfferTerms, who: str) -> tuple[OfferView, bool]:
        """See `ports.offers.Offers.put`."""
        async with self._links.changing() as tx:
            link, now = self._link(offer.connection), await self._judge(tx)
            row = await tx.fetchrow(SQL["lock_offer"], offer.id)
            if row is not None:
                stored = read_offer(row)
                offer_after(offer.id, stored.state, OfferAct.CHANGE)
            facts = await checking.gather(tx, offer, terms, now)
            checking.demand(checking.faults(link, offer, terms, facts))
            await self._demand_title(tx, offer, link)
            if row is None:
                await insert_offer(tx, offer, terms, link.connection.id, who=who, now=now)
            else:
                await tx.execute(SQL["change_draft"], offer.id, link.connection.id, *offer_columns(offer))
                await tx.execute(SQL["remove_version"], offer.id, 1)
                first = (offer.id, 1, offer.starts, terms.model_dump_json(), None, now, who)
                await tx.execute(SQL["insert_version"], *first)
            await audit(tx, who, "wrote", f"offer/{offer.id}", detail_of(offer, terms))
            return await self._view(tx, offer.id), row is None

    async def publish(self, offer_id: str, who: str) -> OfferView:
        """See `ports.offers.Offers.publish`."""
        async with self._links.changing() as tx:
            stored, now = await self._lock(tx, offer_id), await self._judge(tx)
            state = offer_after(offer_id, stored.state, OfferAct.PUBLISH)
            offer, link = stored.offer, self._link(stored.offer.connection)
            [first] = await self._versions(tx, offer_id)
            terms = first.version.terms
            facts = await checking.gather(tx, offer, terms, now)
            found = [*checking.faults(link, offer, terms, facts), *checking.late(link, offer, facts, now)]
            if found:
                raise Invalid(*((fault.field, fault.detail) for fault in found))
            await tx.execute(SQL["set_offer"], offer_id, state.value, offer.ends, offer.ends, now, None)
            await tx.execute(SQL["await_first_version"], offer_id)
            await audit(tx, who, "published", f"offer/{offer_id}", detail_of(offer, terms))
            await self._hubs.tell(tx, offer_id)
            turned = [turn_of(EventType.OFFER_PUBLISHED, stored)]
            await announce(tx, turned, now)
            view = await self._view(tx, offer_id)
        await pass_on(self._turned, turned)
        return view

    async def add_version(self, offer_id: str, version: NewVersion, who: str) -> OfferView:
        """See `ports.offers.Offers.add_version`."""
        async with self._links.changing() as tx:
            stored, now = await self._lock(tx, offer_id), await self._judge(tx)
            offer_after(offer_id, stored.state, OfferAct.ADD_VERSION)
            versions = await self._versions(tx, offer_id)
            last = versions[-1].version
            if last.starts >= version.starts:
                begins = last.starts.isoformat()
                said = f"a new version starts after version {last.number} of offer {offer_id}, which starts {begins}"
                raise Conflict(said, "starts")
            self._demand_lead_time(stored, version.starts, now)
            link = self._link(stored.offer.connection)
            facts = await checking.gather(tx, stored.offer, version.terms, now)
            first = versions[0].version.terms
            checking.demand(checking.faults(link, stored.offer, version.terms, facts, first))
            terms = version.terms.model_dump_json()
            row = (offer_id, None, version.starts, terms, version.starts, now, who)
            number = await tx.fetchval(SQL["insert_version"], *row)
            detail = {"version": number, "starts": version.starts.isoformat(), **terms_of(version.terms)}
            await audit(tx, who, "added a version to", f"offer/{offer_id}", detail)
            await self._hubs.tell(tx, offer_id)
            turned = [turn_of(EventType.OFFER_VERSION_ADDED, stored, version=number)]
            await announce(tx, turned, now)
            view = await self._view(tx, offer_id)
        await pass_on(self._turned, turned)
        return view

    async def drop_version(self, offer_id: str, number: int, who: str) -> OfferView:
        """See `ports.offers.Offers.drop_version`."""
        async with self._links.changing() as tx:
            stored, now = await self._lock(tx, offer_id), await self._judge(tx)
            versions = await self._versions(tx, offer_id)
            version = next((each for each in versions if each.version.number == number), None)
            if version is None:
                raise NotFound(f"offer {offer_id} has no version {number}")
            offer_after(offer_id, stored.state, OfferAct.DROP_VERSION)
            if number == 1:
                raise Conflict(f"version 1 of offer {offer_id} goes with the offer alone")
            if not version.waits or version.version.starts <= now:
                raise Conflict(f"version {number} of offer {offer_id} has been in force, and stays")
            if not await self._is_untold(tx, stored, number):
                raise Conflict(f"the hub was told of version {number} of offer {offer_id}, and takes nothing back")
            await tx.execute(SQL["remove_version"], offer_id, number)
            detail = {"version": number, **terms_of(version.version.terms)}
            await audit(tx, who, "took a version back from", f"offer/{offer_id}", detail)
            turned = [turn_of(EventType.OFFER_VERSION_DROPPED, stored, version=number)]
            await announce(tx, turned, now)
            view = await self._view(tx, offer_id)
        await pass_on(self._turned, turned)
        return view

    async def cancel(self, offer_id: str, at: datetime | None, who: str) -> OfferView:
        """See `ports.offers.Offers.cancel`."""
        async with self._links.changing() as tx:
            stored, now = await self._lock(tx, offer_id), await self._judge(tx)
            offer_after(offer_id, stored.state, OfferAct.CANCEL)
            earliest = earliest_end(stored.offer, now)
            if at is not None and at < earliest - checking.LATE:
                days = stored.offer.notice_days
                raise Invalid(("at", f"is within the notice of {days} days: {earliest.isoformat()} at the earliest"))
            ends = max(at, earliest) if at is not None else earliest
            if stored.ends_at is not None and stored.ends_at <= ends:
                raise Conflict(f"offer {offer_id} ends {stored.ends_at.isoformat()}, not after that", "at")
            turned: list[Turned] = [await cancel_offer(tx, stored, ends, now)]
            await audit(tx, who, "cancelled", f"offer/{offer_id}", {"ends": ends.isoformat()})
            await announce(tx, turned, now)
            view = await self._view(tx, offer_id)
        await pass_on(self._turned, turned)
        return view

    async def remove(self, offer_id: str, who: str) -> None:
        """See `ports.offers.Offers.remove`."""
        async with self._links.changing() as tx:
            stored = await self._lock(tx, offer_id)
            offer_after(offer_id, stored.state, OfferAct.REMOVE)
            await tx.execute(SQL["remove_offer"], offer_id)
            await audit(tx, who, "removed", f"offer/{offer_id}", None)

    async def history(self, offer_id: str) -> Sequence[Entry]:
        """See `ports.offers.Offers.history`."""
        if await self._store.fetchrow(SQL["offer"], offer_id) is None:
            raise _unknown(offer_id)
        return [
            Entry(
                row["at"],
                row["who"],
                row["action"],
                row["subject"],
                from_json(row["detail"]) if row["detail"] is not None else None,
            )
            for row in await self._store.fetch(SQL["history"], offer_id)
        ]

    async def set_hub_ids(self, offer_id: str, ids: HubIds, who: str) -> OfferView:
        """See `ports.offers.Offers.set_hub_ids`."""
        async with self._store.transaction() as tx:
            await self._hubs.set_hub_ids(tx, offer_id, ids, who)
            return await self._view(tx, offer_id)

    async def _is_untold(self, tx: Transaction, stored: StoredOffer, number: int) -> bool:
        """Sees to it that a hub is not told of a version; False where it was, or may have been."""
        if not self._link(stored.offer.connection).adapter.offers.told:
            return True
        return await self._hubs.take_back(tx, stored.offer.id, number)

    def _demand_lead_time(self, stored: StoredOffer, starts: datetime, now: datetime) -> None:
        earliest = earliest_version(stored.offer, now)
        if starts < earliest - checking.LATE:
            days = stored.offer.lead_time_days
            raise Invalid(("starts", f"is within the lead time of {days} days: {earliest.isoformat()} at the earliest"))
        if stored.ends_at is not None and starts >= stored.ends_at:
            raise Invalid(("starts", f"is not before the offer's end, {stored.ends_at.isoformat()}"))

    async def _demand_title(self, tx: Transaction, offer: Offer, link: Link) -> None:
        of = offer.cpo.normal if offer.cpo is not None else offer.network_group
        taken = await tx.fetchval(SQL["title_taken"], link.connection.id, of, offer.title, offer.id)
        if taken is not None:
            raise Conflict(f"offer {taken} has this title", "title")

    def _link(self, name: str) -> Link:
        link = self._links.by_name(name)
        if link is None:
            raise NotFound(f"there is no connection {name}", "connection")
        return link

    async def _lock(self, tx: Transaction, offer_id: str) -> StoredOffer:
        row = await tx.fetchrow(SQL["lock_offer"], offer_id)
        if row is None:
            raise _unknown(offer_id)
        return read_offer(row)

    async def _versions(self, tx: Transaction, offer_id: str) -> Sequence[StoredVersion]:
        return [read_version(row) for row in await tx.fetch(SQL["versions"], [offer_id])]

    async def _view(self, on: "Store | Transaction", offer_id: str) -> OfferView:
        row = await on.fetchrow(SQL["offer"], offer_id)
        if row is None:
            raise _unknown(offer_id)
        [view] = await shown(on, [row], await self._judge(on), self._hubs)
        return view


def _unknown(offer_id: str) -> NotFound:
    return NotFound(f"there is no offer {offer_id}")
