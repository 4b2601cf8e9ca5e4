"""Repricings, in memory."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from gateway.pricing.comparing import Part
from gateway.pricing.notes import NoteKind
from gateway.services.ports import BadCursor, Conflict, NotFound, Page, Parties
from gateway.services.ports.quotes import NoteShown
from gateway.services.ports.repricing import (
    Direction,
    Outcome,
    RepricedAmount,
    RepricedLine,
    RepricedPart,
    RepricingDecided,
    RepricingFilter,
    RepricingResult,
    RepricingShown,
    RepricingState,
    RepricingView,
    TariffSource,
)
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Money, TariffDimension
from tests.http.fakes import NOW

EMSP, CPO = PartyId("FR*XYZ"), PartyId("NL*ABC")


class FakeRepricings:
    """One repricing, of a CDR that costs 4 and should cost 3.

    Attributes:
        filters: That were asked with.
        asked: Since when everything was to be priced anew, and for whom.
    """

    def __init__(self) -> None:
        told, made = RepricedAmount(Decimal(4)), RepricedAmount(Decimal("3.0000"), Decimal("3.6000"))
        difference = RepricedAmount(Decimal("1.0000"))
        total = RepricedPart(Part.TOTAL, made, differs=True, told=told, difference=difference)
        line = RepricedLine(
            tariff_id="T1",
            of=TariffDimension.ENERGY,
            element=0,
            component=0,
            periods=(0, 1),
            start=NOW,
            end=NOW,
            reservation=False,
            used=Decimal(10),
            billed=Decimal(10),
            price=Decimal("0.3"),
            net=Decimal("3.0000"),
            vat=Decimal(20),
            tax=Decimal("0.6000"),
        )
        self.view = RepricingView(
            id=7,
            direction=Direction.IN,
            received=9,
            cpo=CPO,
            cdr="=c-1",
            party=EMSP,
            emsp=EMSP,
            connection="gireve",
            started=NOW,
            currency="EUR",
            outcome=Outcome.DIFFERS,
            why=None,
            told_net=Decimal(4),
            told_gross=None,
            net=Decimal("3.0000"),
            gross=Decimal("3.6000"),
            difference_net=Decimal("1.0000"),
            difference_gross=None,
            tariff="T1",
            source=TariffSource.PUBLISHED,
            version=3,
            state=RepricingState.OPEN,
            decided=None,
            computed=NOW,
            agreement=AgreementRef(offer="o-1", version=2, subscription="s-1"),
        )
        self.result = RepricingResult([total], [line], [NoteShown(NoteKind.CHANGED, "", "the tariff changed")])
        self.filters: list[RepricingFilter] = []
        self.asked: list[tuple[Parties, datetime]] = []

    async def list(self, wanted: RepricingFilter, after: str | None, limit: int) -> Page[RepricingView]:
        if after is not None:
            raise BadCursor
        self.filters.append(wanted)
        return Page([self.view][:limit])

    async def export(self, wanted: RepricingFilter) -> AsyncIterator[Sequence[RepricingView]]:
        self.filters.append(wanted)
        yield [self.view, replace(self.view, id=6, decided=None)]
        yield [replace(self.view, id=5)]

    async def get(self, parties: Parties, no: int) -> RepricingShown:
        if no != self.view.id or (parties is not None and EMSP not in parties):
            raise NotFound(f"There is no repricing {no}")
        return RepricingShown(self.view, self.result)

    async def accept(self, parties: Parties, no: int, why: str, who: str) -> RepricingShown:
        return await self._decide(parties, no, RepricingDecided(RepricingState.ACCEPTED, why, who, NOW))

    async def dispute(self, parties: Parties, no: int, why: str, agreed: Money | None, who: str) -> RepricingShown:
        return await self._decide(parties, no, RepricingDecided(RepricingState.DISPUTED, why, who, NOW, agreed))

    async def _decide(self, parties: Parties, no: int, decided: RepricingDecided) -> RepricingShown:
        shown = await self.get(parties, no)
        if shown.repricing.state is RepricingState.CLEAR:
            raise Conflict("There is nothing to decide about what the CDR costs")
        self.view = replace(self.view, state=decided.state, decided=decided)
        return await self.get(parties, no)

    async def recompute(self, parties: Parties, no: int, who: str) -> RepricingShown:
        await self.get(parties, no)
        self.view = replace(self.view, outcome=Outcome.MATCHES, state=RepricingState.CLEAR)
        return await self.get(parties, no)

    async def recompute_all(self, parties: Parties, since: datetime, who: str) -> int:
        self.asked.append((parties, since))
        return 3
