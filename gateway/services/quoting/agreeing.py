"""What agreements make of the ways to an EVSE: who may use them, and whose prices hold there."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from gateway.agreements.book import Book
from gateway.agreements.policy import REFUSALS, Decision, Request, decide
from gateway.agreements.repository import Agreements
from gateway.outbox.projecting import Link
from gateway.pricing.notes import Note, NoteKind, Why
from gateway.services.links import Links
from gateway.services.ports import Parties
from gateway.services.ports.quotes import QuoteWish, Refusal
from gateway.services.quoting.reading import Way
from gateway.services.tariffs.versions import Asked, known
from gateway.services.visibility.sights import Sights
from gateway.store.pool import Store
from mappings.canonical.agreements import PriceSource, Service
from mappings.canonical.ids import PartyId

_BEGINNING: Final = (Service.REMOTE, Service.AUTHORISE)
"""By any of which a charge may begin."""


class AgreedWays:
    """Holds ways against agreements, as they are at the start of the charge.

    Args:
        sights: What callers see who look after some EMSPs alone.
    """

    def __init__(self, store: Store, links: Links, agreements: Agreements, sights: Sights) -> None:
        self._store = store
        self._links = links
        self._agreements = agreements
        self._sights = sights

    async def held(self, ways: Sequence[Way], wish: QuoteWish, start: datetime, parties: Parties) -> list[Way]:
        """Gives the ways that the caller may know of, with what agreements say of each for the driver's EMSP.

        Args:
            parties: For whom the caller speaks.
        """
        if parties is not None and wish.party is not None and wish.party not in parties:
            # What partners ask of another's EMSP is not the caller's to know; what its own stations do, is.
            return [way for way in ways if way.connection is None]
        sight = await self._sights.of(parties)
        emsp = wish.party or _only(parties)
        book = await self._agreements.book()
        held: list[Way] = []
        for way in ways:
            link = self._links.by_name(way.connection) if way.connection is not None else None
            if link is None:
                held.append(way)
            elif emsp is not None:
                held.append(await self._agreed(book, way, link, emsp, start))
            elif sight is None or sight.sees(link.connection.id, way.party.normal, way.evse_key or ""):
                held.append(way)
        return held

    async def _agreed(self, book: Book, way: Way, link: Link, emsp: PartyId, start: datetime) -> Way:
        decision = _decide(book, way, link, emsp, start)
        if not decision.allowed:
            said = REFUSALS[decision.reason]
            if not link.adapter.charging.has_contracts:
                return replace(way, refusal=Refusal(Why.NO_AGREEMENT, "party", f"{said} ({decision.reason})"))
            note = Note(NoteKind.NO_AGREEMENT, "party", f"on record here: {said}; {way.hub} knows its own contracts")
            return replace(way, note=note)
        if decision.agreement is None:
            return way
        way = replace(way, agreement=decision.ref)
        match decision.agreement.terms.price_source:
            case PriceSource.EVSE_TARIFFS:
                return way
            case PriceSource.HUB:
                detail = f"what was agreed upon is known to {way.hub} alone"
                return replace(way, refusal=Refusal(Why.NO_TARIFF, "", detail))
            case PriceSource.AGREED:
                ids = book.tariffs(decision.agreement, way.evse_key or "")
                return await self._priced(way, link, ids, start) if ids is not None else way

    async def _priced(self, way: Way, link: Link, ids: Sequence[str], start: datetime) -> Way:
        """Has a way priced by tariffs that were agreed upon, as the connection tells them, else as they are here."""
        over, own = await known(
            self._store,
            [Asked(link.connection.id, way.party, ids, start), Asked(None, way.party, ids, start)],
        )
        return replace(way, prices=ids, versions=over or own)


def _decide(book: Book, way: Way, link: Link, emsp: PartyId, start: datetime) -> Decision:
    """Gives the first yes to anything by which a charge begins, else why it does not begin from afar."""
    decisions = [
        decide(book, link.connection.id, Request(service, way.party, emsp, way.evse_key or ""), start)
        for service in _BEGINNING
    ]
    return next((decision for decision in decisions if decision.allowed), decisions[0])


def _only(parties: Parties) -> PartyId | None:
    return next(iter(parties)) if parties is not None and len(parties) == 1 else None
