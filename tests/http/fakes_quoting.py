"""Quotes in memory, as the HTTP face asks for them."""

from datetime import timedelta
from decimal import Decimal

from gateway.pricing.notes import NoteKind, Why
from gateway.services.ports import Invalid, Parties
from gateway.services.ports.quotes import (
    NoteShown,
    Offer,
    Quote,
    QuotedCost,
    QuotedLine,
    QuotedTariff,
    QuoteWish,
    Refusal,
)
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import TariffDimension
from tests.http.fakes import NOW

CPO = PartyId("NL*ABC")


class FakeQuotes:
    """Two ways to whatever is asked for, one priced and one refused; the tariff `T9` is not known."""

    def __init__(self) -> None:
        self.asked: list[tuple[QuoteWish, Parties, str | None]] = []

    async def quote(self, wish: QuoteWish, parties: Parties, accepted: str | None) -> Quote:
        self.asked.append((wish, parties, accepted))
        if wish.tariff is not None and wish.tariff.id == "T9":
            raise Invalid(("tariff.id", "is not known"))
        start = wish.start or NOW
        end = start + timedelta(hours=1)
        line = QuotedLine(
            of=TariffDimension.ENERGY,
            element=0,
            component=0,
            start=start,
            end=end,
            reservation=False,
            used=Decimal(11),
            billed=Decimal(11),
            price=Decimal("0.5"),
            net=Decimal("5.5"),
            vat=Decimal(20),
            tax=Decimal("1.1"),
        )
        cost = QuotedCost("EUR", *(Decimal(each) for each in ("5.5", "1.1", "6.6", "5.5", "6.6")))
        priced = Offer(
            connection="gireve",
            hub="gireve",
            preferred=True,
            cpo=CPO,
            tariff=QuotedTariff(CPO, "T1", "0.60 EUR per kWh.", None, 7, NOW),
            cost=cost,
            energy=Decimal(11),
            charging=3600,
            start=start,
            end=end,
            lines=[line],
            notes=[NoteShown(NoteKind.ASSUMED, "need.power", "11 kW")],
        )
        refused = Offer(connection="hubject", hub="hubject", cpo=CPO, refusal=Refusal(Why.NO_TARIFF, "", "none"))
        return Quote(start, wish.language or accepted or "en", "NLABCE1", [priced, refused])
