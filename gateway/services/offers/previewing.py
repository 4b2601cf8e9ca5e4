"""Says who would see and pay what under an offer, before anybody has it."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from gateway.agreements.book import Book
from gateway.agreements.model import Agreement, Standing
from gateway.agreements.policy import Request, decide
from gateway.agreements.repository import Agreements
from gateway.outbox.projecting import Link
from gateway.services.links import Links
from gateway.services.offers import checking
from gateway.services.offers.precedence import Ranked, compared, meet
from gateway.services.offers.rows import SQL as OFFERS
from gateway.services.offers.rows import StoredOffer, StoredVersion, read_offer, read_version
from gateway.services.offers.sampling import Priced, sample_prices
from gateway.services.ports.common import Invalid, NotFound
from gateway.services.ports.previews import Preview, PreviewedEmsp, PreviewWish, SamplePrice
from gateway.services.tariffs.versions import Asked, known
from gateway.store.pool import Store
from gateway.store.queries import Queries
from mappings.canonical.agreements import Joining, Offer, OfferState, OfferTerms, PriceSource, Service
from mappings.canonical.ids import PartyId

SQL = Queries("gateway.services.offers", "previews.sql")

_MOST_EMSPS: Final = 100
_MOST_GROUPS: Final = 20
"""Of which sample charges are priced."""
_MOST_OVERLAPPING: Final = 500
_LOCATIONS: Final = 500
"""In which the tariffs of EVSEs are looked up."""
_EVSE_TARIFFS: Final = 3
_NEWEST: Final = 2**63 - 1

_NEEDS: Final = {
    Joining.OPEN: "nothing",
    Joining.SUBSCRIBE: "subscribe",
    Joining.APPROVE: "be approved",
}


class _Looked(NamedTuple):
    """What is looked at."""

    offer: Offer
    terms: OfferTerms
    link: Link
    facts: checking.Facts
    ranked: Ranked
    at: datetime


class Previewing:
    """Implements `ports.offers.Previews`.

    Args:
        now: Gives the present, aware.
    """

    def __init__(self, store: Store, links: Links, agreements: Agreements, now: Callable[[], datetime]) -> None:
        self._store = store
        self._links = links
        self._agreements = agreements
        self._now = now

    async def preview(self, offer_id: str | None, wish: PreviewWish) -> Preview:
        """See `ports.offers.Previews.preview`."""
        now = self._now()
        no, stored, versions = await self._stored(offer_id)
        offer = wish.offer or (stored.offer if stored is not None else None)
        if offer is None:
            raise Invalid(("offer", "neither an id nor an offer is given"))
        at = wish.at or max(offer.starts, now)
        terms = wish.terms or _terms_at(versions, at)
        if terms is None:
            raise Invalid(("terms", "are not given"))
        link = self._links.by_name(offer.connection)
        if link is None:
            raise NotFound(f"there is no connection {offer.connection}", "connection")
        facts = await checking.gather(self._store, offer, terms, now)
        if facts.no_group:
            raise NotFound(f"there is no network group {offer.network_group}", "network_group")
        draft = stored is None or stored.state is OfferState.DRAFT
        first = versions[0].version.terms if not draft and wish.terms is not None else None
        faults = checking.faults(link, offer, terms, facts, first)
        if draft:
            faults += checking.late(link, offer, facts, now)
        looked = _Looked(offer, terms, link, facts, Ranked(offer, terms, no), at)
        locations, evses = await self._scope(looked)
        return Preview(
            at,
            locations,
            evses,
            await self._emsps(looked, wish.emsps, now, locations, evses),
            await self._prices(looked),
            [(fault.field, fault.detail) for fault in faults],
            await self._overlapping(looked),
        )

    async def _stored(self, offer_id: str | None) -> tuple[int, StoredOffer | None, Sequence[StoredVersion]]:
        if offer_id is None:
            return _NEWEST, None, ()
        row = await self._store.fetchrow(OFFERS["offer"], offer_id)
        if row is None:
            raise NotFound(f"there is no offer {offer_id}")
        return (
            row["no"],
            read_offer(row),
            [read_version(each) for each in await self._store.fetch(OFFERS["versions"], [offer_id])],
        )

    async def _scope(self, looked: _Looked) -> tuple[int, int]:
        """Counts the locations and EVSEs that the offer is about."""
        scope = looked.link.connection.scope
        groups = list(looked.terms.evse_groups) or None
        cpos = [cpo for cpo in looked.facts.ours if not scope.parties or PartyId(cpo) in scope.parties]
        places, evses = sorted(scope.locations) or None, sorted(evse.normal for evse in scope.evses) or None
        [own] = await self._store.search(SQL["own_scope"], cpos, groups, places, evses)
        others = [cpo for cpo in looked.facts.cpos if cpo not in looked.facts.ours]
        [their] = await self._store.search(SQL["their_scope"], others, groups, looked.link.connection.id)
        return own["locations"] + their["locations"], own["evses"] + their["evses"]

    async def _emsps(
        self, looked: _Looked, wanted: Sequence[PartyId] | None, now: datetime, locations: int, evses: int
    ) -> list[PreviewedEmsp]:
        emsps = list(wanted or looked.offer.audience or await self._known(looked.link))[:_MOST_EMSPS]
        rows = await self._store.fetch(SQL["names"], [emsp.normal for emsp in emsps])
        names = {row["id"]: row["name"] for row in rows}
        groups = list(looked.terms.evse_groups)
        keys = [row["evse_key"] for row in await self._store.fetch(SQL["sample_evses"], groups)] if groups else [None]
        book = await self._agreements.book()
        previewed = []
        for emsp in emsps:
            is_for = looked.offer.is_for(emsp)
            sees = is_for and Service.POI in looked.terms.services
            previewed.append(
                PreviewedEmsp(
                    emsp,
                    names.get(emsp.normal),
                    _NEEDS[looked.offer.joining] if is_for else "it is not for this EMSP",
                    sorted(looked.terms.services) if is_for else (),
                    _services_now(book, looked, emsp, keys, now),
                    locations if sees else 0,
                    evses if sees else 0,
                    _overlapped_by(book, looked, emsp) if is_for else None,
                )
            )
        return previewed

    async def _known(self, link: Link) -> list[PartyId]:
        """Gives the EMSPs that are known by a connection."""
        if link.adapter.charging.has_contracts:
            rows = await self._store.fetch(SQL["their_emsps"], link.connection.id, _MOST_EMSPS)
        else:
            rows = await self._store.fetch(SQL["our_emsps"], _MOST_EMSPS)
        return [PartyId(row["id"]) for row in rows]

    async def _prices(self, looked: _Looked) -> list[SamplePrice]:
        terms, facts = looked.terms, looked.facts
        if terms.price_source is PriceSource.HUB:
            return [SamplePrice(None, None, "any charge", why="the prices are at the hub alone")]
        if terms.price_source is PriceSource.EVSE_TARIFFS and not facts.ours:
            return [SamplePrice(None, None, "any charge", why="each EVSE of a partner names its own tariff")]
        named = [(price.evse_group, price.tariff_ids) for price in terms.prices]
        if terms.price_source is PriceSource.EVSE_TARIFFS:
            rows = await self._store.fetch(SQL["evse_tariffs"], facts.ours, _LOCATIONS, _EVSE_TARIFFS)
            named = [(None, (row["id"],)) for row in rows] or [(None, ())]
        number = None if facts.ours else looked.link.connection.id
        priced = []
        for group, ids in named[:_MOST_GROUPS]:
            owner = facts.owners.get(group or "")
            cpos = [PartyId(cpo) for cpo in (facts.ours or facts.cpos) if owner in {None, cpo}]
            found = await known(self._store, [Asked(number, cpo, ids, looked.at) for cpo in cpos])
            # A group's members may each have such a tariff: the first one's is shown.
            priced.append(Priced(group, ids, next((each for each in found if each), ())))
        audience = looked.offer.audience
        emsp = audience[0] if audience is not None and len(audience) == 1 else None
        zone = await self._store.fetchval(SQL["zone"], facts.ours)
        return await asyncio.to_thread(sample_prices, priced, looked.at.date(), zone, emsp)

    async def _overlapping(self, looked: _Looked) -> list[tuple[str, str]]:
        """Names the published offers that may be about the same EMSP, EVSE and service, and who goes first."""
        rows = await self._store.fetch(
            SQL["overlapping"],
            looked.link.connection.id,
            list(looked.facts.cpos),
            looked.at,
            looked.offer.id,
            looked.offer.ends,
            _MOST_OVERLAPPING,
        )
        others = [
            Ranked(Offer.model_validate_json(row["body"]), OfferTerms.model_validate_json(row["terms"]), row["no"])
            for row in rows
        ]
        return [(other.offer.id, compared(looked.ranked, other)) for other in others if meet(looked.ranked, other)]


def _terms_at(versions: Sequence[StoredVersion], at: datetime) -> OfferTerms | None:
    """Gives what the version says that is in force at a moment; the first one before that."""
    begun = [each for each in versions if each.version.starts <= at] or versions[:1]
    return begun[-1].version.terms if begun else None


def _services_now(
    book: Book, looked: _Looked, emsp: PartyId, keys: Sequence[str | None], now: datetime
) -> list[Service]:
    """Gives what an EMSP has now at some of the EVSEs."""
    number = looked.link.connection.id
    return [
        service
        for service in Service
        if any(
            decide(book, number, Request(service, PartyId(cpo), emsp, key), now).allowed
            for cpo in looked.facts.cpos
            for key in keys
        )
    ]


def _overlapped_by(book: Book, looked: _Looked, emsp: PartyId) -> str | None:
    """Names the offer that an EMSP has at the moment already and that goes before this one."""
    number = looked.link.connection.id
    for cpo in looked.facts.cpos:
        for agreement in book.of(number, cpo, emsp.normal):
            if _holds(agreement, looked.at) and _goes_before(agreement, looked):
                return agreement.offer
    return None


def _holds(agreement: Agreement, at: datetime) -> bool:
    within = agreement.starts <= at and (agreement.ends is None or at < agreement.ends)
    return agreement.standing is Standing.HOLDS and within


def _goes_before(agreement: Agreement, looked: _Looked) -> bool:
    terms = agreement.terms
    if agreement.offer == looked.offer.id or not terms.services & looked.terms.services:
        return False
    both = terms.evse_groups and looked.terms.evse_groups
    if both and not set(terms.evse_groups) & set(looked.terms.evse_groups):
        return False
    return agreement.precedence[: len(looked.ranked.key)] < looked.ranked.key
