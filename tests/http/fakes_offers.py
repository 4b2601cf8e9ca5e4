"""Services in memory behind offers, subscriptions, groups, previews, imports and drifts."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from adapters.core.offers import HubIds
from gateway.services.ports import BadCursor, Conflict, Invalid, NotFound, Page, Parties
from gateway.services.ports.offers import (
    AgreementImport,
    AgreementRefusal,
    DocumentView,
    Drift,
    DriftKind,
    Entry,
    EvseGroupView,
    HubSide,
    MembersChanged,
    NewSubscription,
    NewVersion,
    OfferFilter,
    OfferView,
    SubscriptionFilter,
    SubscriptionView,
    VersionState,
    VersionView,
)
from gateway.services.ports.previews import Preview, PreviewedEmsp, PreviewWish, SamplePrice
from mappings.canonical.agreements import (
    EvseGroup,
    Joining,
    NetworkGroup,
    Offer,
    OfferState,
    OfferTerms,
    Service,
    Subscription,
    SubscriptionState,
)
from mappings.canonical.ids import EvseId, PartyId
from tests.http.fakes import NOW

T = TypeVar("T")

CONNECTIONS = ("g", "home")


def page(rows: Sequence[T], after: str | None, limit: int) -> Page[T]:
    if after is not None and not (after.isascii() and after.isdecimal()):
        raise BadCursor
    start = int(after or 0)
    return Page(list(rows[start : start + limit]), str(start + limit) if start + limit < len(rows) else None)


def one_of(rows: dict[str, T], id_: str, what: str) -> T:
    if id_ not in rows:
        raise NotFound(f"there is no {what} {id_}")
    return rows[id_]


def demand_connection(name: str | None, where: str = "") -> None:
    if name is not None and name not in CONNECTIONS:
        raise NotFound(f"there is no connection {name}", where)


class FakeGroups:
    def __init__(self) -> None:
        self.network_groups: dict[str, NetworkGroup] = {}
        self.groups: dict[str, EvseGroup] = {}
        self.documents: dict[str, tuple[DocumentView, bytes]] = {}

    async def networks(self, after: str | None, limit: int) -> Page[NetworkGroup]:
        return page(list(self.network_groups.values()), after, limit)

    async def network(self, group_id: str) -> NetworkGroup:
        return one_of(self.network_groups, group_id, "network group")

    async def put_network(self, group: NetworkGroup, who: str) -> bool:
        before = self.network_groups.get(group.id)
        if before is not None and {one.party for one in before.members} - {one.party for one in group.members}:
            raise Conflict("a member is gone that was one", "members")
        self.network_groups[group.id] = group
        return before is None

    async def remove_network(self, group_id: str, who: str) -> None:
        await self.network(group_id)
        del self.network_groups[group_id]

    async def evse_groups(self, parties: Parties, after: str | None, limit: int) -> Page[EvseGroupView]:
        rows = [_group(one) for one in self.groups.values() if parties is None or one.party in parties]
        return page(rows, after, limit)

    async def evse_group(self, group_id: str) -> EvseGroupView:
        return _group(one_of(self.groups, group_id, "EVSE group"))

    async def members(self, group_id: str, after: str | None, limit: int) -> Page[EvseId]:
        return page(one_of(self.groups, group_id, "EVSE group").evse_ids, after, limit)

    async def put_evse_group(self, group: EvseGroup, who: str) -> bool:
        if any(evse.party != group.party for evse in group.evse_ids):
            raise Invalid(("evse_ids[0]", f"is not one of {group.party}"))
        is_new = group.id not in self.groups
        self.groups[group.id] = group
        return is_new

    async def change_members(self, group_id: str, changed: MembersChanged, who: str) -> EvseGroupView:
        group = one_of(self.groups, group_id, "EVSE group")
        kept = tuple(evse for evse in group.evse_ids if evse not in changed.remove)
        added = tuple(evse for evse in changed.add if evse not in kept)
        await self.put_evse_group(group.model_copy(update={"evse_ids": kept + added}), who)
        return await self.evse_group(group_id)

    async def remove_evse_group(self, group_id: str, who: str) -> None:
        await self.evse_group(group_id)
        del self.groups[group_id]

    async def put_document(
        self, document_id: str, party: PartyId, name: str, media_type: str, content: bytes, who: str
    ) -> DocumentView:
        if not content.startswith(b"%PDF-"):
            raise Invalid(("", "is no PDF"))
        digest = hashlib.sha256(content).hexdigest()
        there, _ = self.documents.get(document_id, (None, b""))
        if there is not None and (there.party, there.digest) != (party, digest):
            raise Conflict(f"another document has the id {document_id}")
        view = DocumentView(document_id, party, name, media_type, len(content), digest, NOW)
        self.documents[document_id] = view, content
        return view

    async def document(self, document_id: str) -> tuple[DocumentView, bytes]:
        return one_of(self.documents, document_id, "document")


def _group(group: EvseGroup) -> EvseGroupView:
    return EvseGroupView(group.id, group.party, group.name, group.description, len(group.evse_ids))


class FakeOffers:
    """Offers by the connections `g`, whose hub has subscriptions made in its portal, and `home`."""

    def __init__(self, groups: FakeGroups) -> None:
        self.groups = groups
        self.views: dict[str, OfferView] = {}
        self.entries: list[Entry] = []
        self.filters: list[OfferFilter] = []

    async def list(self, wanted: OfferFilter, after: str | None, limit: int) -> Page[OfferView]:
        self.filters.append(wanted)
        demand_connection(wanted.connection)
        rows = [self.views[id_] for id_ in sorted(self.views) if self._wanted(self.views[id_], wanted)]
        return page(rows, after, limit)

    def _wanted(self, view: OfferView, wanted: OfferFilter) -> bool:
        offer = view.offer
        group = self.groups.network_groups.get(offer.network_group or "")
        concerned = (
            {offer.cpo, *(offer.audience or ()), *(one.party for one in group.members if group)}
            if group
            else {
                offer.cpo,
                *(offer.audience or ()),
            }
        )
        public = offer.is_public and view.state is not OfferState.DRAFT
        return (
            (wanted.parties is None or public or bool(concerned & wanted.parties))
            and wanted.connection in (None, offer.connection)
            and wanted.cpo in (None, offer.cpo)
            and wanted.state in (None, view.state)
            and wanted.document in (None, offer.document)
            and (
                wanted.evse_group is None
                or any(wanted.evse_group in version.terms.evse_groups for version in view.versions)
            )
        )

    async def get(self, offer_id: str) -> OfferView:
        return one_of(self.views, offer_id, "offer")

    async def put(self, offer: Offer, terms: OfferTerms, who: str) -> tuple[OfferView, bool]:
        demand_connection(offer.connection, "connection")
        there = self.views.get(offer.id)
        if there is not None and there.state is not OfferState.DRAFT:
            raise Conflict("it is published, and changes by new versions only")
        if unknown := [name for name in terms.evse_groups if name not in self.groups.groups]:
            raise NotFound(f"there is no EVSE group {unknown[0]}", "terms.evse_groups[0]")
        if any(one.offer.title == offer.title for one in self.views.values() if one.offer.id != offer.id):
            raise Conflict("another offer has this title", "title")
        if PartyId("DE*NOT") in (offer.audience or ()):
            raise Invalid(("audience[0]", "DE*NOT is no EMSP"))
        version = VersionView(1, offer.starts, offer.ends, VersionState.COMING, terms, NOW, who)
        self.views[offer.id] = OfferView(
            offer, OfferState.DRAFT, True, [version], None, None, offer.ends, {}, HubSide(HubIds())
        )
        self._note(offer.id, "put", who)
        return self.views[offer.id], there is None

    def _note(self, offer_id: str, action: str, who: str) -> None:
        self.entries.append(Entry(NOW, who, action, f"offer/{offer_id}", None))

    async def publish(self, offer_id: str, who: str) -> OfferView:
        view = await self.get(offer_id)
        if view.state is not OfferState.DRAFT:
            raise Conflict("it is no draft")
        if view.offer.starts < NOW:
            raise Invalid(("starts", "is in the past"))
        self._note(offer_id, "publish", who)
        return self._set(offer_id, state=OfferState.PUBLISHED, published_at=NOW)

    async def add_version(self, offer_id: str, version: NewVersion, who: str) -> OfferView:
        view = await self.get(offer_id)
        if view.state is not OfferState.PUBLISHED:
            raise Conflict("it is not published")
        last = view.versions[-1]
        if version.starts <= last.starts:
            raise Conflict("a version that starts later is there already", "starts")
        new = VersionView(last.number + 1, version.starts, None, VersionState.COMING, version.terms, NOW, who)
        return self._set(offer_id, versions=[*view.versions[:-1], replace(last, ends=version.starts), new])

    async def drop_version(self, offer_id: str, number: int, who: str) -> OfferView:
        view = await self.get(offer_id)
        if number not in [version.number for version in view.versions]:
            raise NotFound(f"there is no version {number}")
        if number == 1:
            raise Conflict("it is or was in force")
        return self._set(offer_id, versions=[version for version in view.versions if version.number != number])

    async def cancel(self, offer_id: str, at: datetime | None, who: str) -> OfferView:
        view = await self.get(offer_id)
        if view.state is not OfferState.PUBLISHED:
            raise Conflict("it is not published")
        if at is not None and at < NOW:
            raise Invalid(("at", "is within the notice"))
        return self._set(offer_id, state=OfferState.CANCELLED, cancelled_at=NOW, ends_at=at or NOW)

    async def remove(self, offer_id: str, who: str) -> None:
        if (await self.get(offer_id)).state is not OfferState.DRAFT:
            raise Conflict("it is no draft")
        del self.views[offer_id]

    async def history(self, offer_id: str) -> Sequence[Entry]:
        return [entry for entry in self.entries if entry.subject == f"offer/{offer_id}"]

    async def set_hub_ids(self, offer_id: str, ids: HubIds, who: str) -> OfferView:
        if (await self.get(offer_id)).offer.connection == "home":
            raise Conflict("the hub is told of no offers")
        return self._set(offer_id, hub=HubSide(ids))

    def _set(self, offer_id: str, **changes: Any) -> OfferView:
        self.views[offer_id] = replace(self.views[offer_id], **changes)
        return self.views[offer_id]


class FakeSubscriptions:
    def __init__(self, offers: FakeOffers) -> None:
        self.offers = offers
        self.views: dict[str, SubscriptionView] = {}
        self.filters: list[SubscriptionFilter] = []
        self.cancelled_by: list[tuple[str, bool]] = []

    async def list(self, wanted: SubscriptionFilter, after: str | None, limit: int) -> Page[SubscriptionView]:
        self.filters.append(wanted)
        demand_connection(wanted.connection)
        rows = [
            view
            for view in self.views.values()
            if (wanted.parties is None or wanted.parties & {view.subscription.emsp, view.cpo})
            and wanted.state in (None, view.subscription.state)
        ]
        return page(rows, after, limit)

    async def get(self, subscription_id: str) -> SubscriptionView:
        return one_of(self.views, subscription_id, "subscription")

    async def request(self, new: NewSubscription, who: str) -> SubscriptionView:
        view = await self.offers.get(new.offer)
        if view.state is not OfferState.PUBLISHED or view.offer.connection == "g":
            raise Conflict("it takes no subscriptions", "offer")
        if not view.offer.is_for(new.emsp):
            raise Invalid(("emsp", "the offer is not for it"))
        waits = view.offer.joining is Joining.APPROVE
        state = SubscriptionState.REQUESTED if waits else SubscriptionState.ACTIVE
        id_ = new.id or f"s-{len(self.views) + 1}"
        made = Subscription(
            id=id_,
            offer=new.offer,
            emsp=new.emsp,
            state=state,
            requested_at=NOW,
            starts=None if waits else NOW,
        )
        self.views[id_] = SubscriptionView(made, "home", False, view.offer.cpo, view.offer.network_group)
        counted = Counter(one.subscription.state for one in self.views.values() if one.subscription.offer == new.offer)
        self.offers._set(new.offer, subscriptions=dict(counted))
        return self.views[id_]

    async def approve(self, subscription_id: str, starts: datetime | None, who: str) -> SubscriptionView:
        return await self._answer(subscription_id, state=SubscriptionState.ACTIVE, starts=starts or NOW)

    async def refuse(self, subscription_id: str, why: str, who: str) -> SubscriptionView:
        return await self._answer(subscription_id, state=SubscriptionState.REFUSED, why=why)

    async def _answer(self, id_: str, **changes: Any) -> SubscriptionView:
        if (await self.get(id_)).subscription.state is not SubscriptionState.REQUESTED:
            raise Conflict("it does not wait for that")
        return self._set(id_, **changes)

    async def cancel(
        self, subscription_id: str, at: datetime | None, who: str, *, by_cpo: bool, why: str | None = None
    ) -> SubscriptionView:
        if (await self.get(subscription_id)).subscription.state is not SubscriptionState.ACTIVE:
            raise Conflict("it is over or cancelled already")
        if at is not None and at < NOW:
            raise Invalid(("at", "is too soon"))
        self.cancelled_by.append((subscription_id, by_cpo))
        return self._set(subscription_id, state=SubscriptionState.CANCELLED, cancelled_at=NOW, ends=at or NOW, why=why)

    def _set(self, id_: str, **changes: Any) -> SubscriptionView:
        view = self.views[id_]
        self.views[id_] = replace(view, subscription=view.subscription.model_copy(update=changes))
        return self.views[id_]


class FakePreviews:
    def __init__(self, offers: FakeOffers) -> None:
        self.offers = offers
        self.wishes: list[tuple[str | None, PreviewWish]] = []

    async def preview(self, offer_id: str | None, wish: PreviewWish) -> Preview:
        self.wishes.append((offer_id, wish))
        offer = wish.offer
        if offer_id is not None:
            offer = (await self.offers.get(offer_id)).offer
        assert offer is not None
        demand_connection(offer.connection, "connection")
        emsps = wish.emsps or offer.audience or (PartyId("DE*XYZ"),)
        seen = [PreviewedEmsp(one, None, "nothing", [Service.POI], [], 1, 2, None) for one in emsps]
        price = SamplePrice(None, None, "20 kWh in 30 minutes", why="no tariff is known")
        return Preview(wish.at or NOW, 1, 2, seen, [price], [("starts", "is too soon")], [("o-2", "it waits")])


@dataclass
class FakeAgreementImports:
    taken: list[tuple[str, bytes, bool]] = field(default_factory=list)

    async def take(self, connection: str, content: bytes, who: str, *, dry_run: bool = False) -> AgreementImport:
        demand_connection(connection)
        self.taken.append((connection, content, dry_run))
        if content.lstrip()[:1] == b"[":
            try:
                json.loads(content)
            except ValueError:
                raise Invalid(("", "is no JSON")) from None
        elif not content.startswith(b"cpo,"):
            raise Invalid(("", "is neither CSV with the header nor a JSON list"))
        return AgreementImport(2, 0, 1, [AgreementRefusal(3, "emsp", "is no party id")], ["FR*ABC/DE*OLD"])


class FakeDrifts:
    def __init__(self) -> None:
        self.drifts = [
            Drift("g", DriftKind.HUB_SAID_YES, "FR*ABC/DE*XYZ", "", None, {"at": None}, NOW, NOW, 3),
            Drift("g", DriftKind.FIELD, "offer/o-1", "ends", "2027", None, NOW, NOW, 1),
        ]

    async def list(self, connection: str | None, after: str | None, limit: int) -> Page[Drift]:
        demand_connection(connection)
        return page([one for one in self.drifts if connection in (None, one.connection)], after, limit)

    async def settle(self, connection: str, kind: DriftKind, subject: str, field: str, who: str) -> None:
        left = [
            one
            for one in self.drifts
            if (one.connection, one.kind, one.subject, one.field) != (connection, kind, subject, field)
        ]
        if len(left) == len(self.drifts):
            raise NotFound("there is no such disagreement")
        self.drifts = left


class FakeAccess:
    """All of these, over the same memory."""

    def __init__(self) -> None:
        self.groups = FakeGroups()
        self.offers = FakeOffers(self.groups)
        self.subscriptions = FakeSubscriptions(self.offers)
        self.previews = FakePreviews(self.offers)
        self.imports = FakeAgreementImports()
        self.drifts = FakeDrifts()
