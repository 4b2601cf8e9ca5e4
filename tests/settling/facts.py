"""Charges that are settled, for tests: small figures that can be followed by hand."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from gateway.settling.facts import Fact, SettlingTerms
from mappings.canonical.agreements import AgreementRef, RoundedAt, RoundingMode, SettlementRounding, TaxRule
from mappings.canonical.billing import BillingParty
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Money, Tax

CPO: Final = PartyId("FR*CPO")
FRENCH: Final = PartyId("FR*EMS")
GERMAN: Final = PartyId("DE*EMS")
SWISS: Final = PartyId("CH*EMS")
STATED: Final = AgreementRef(offer="all", version=1)

PARTIES: Final = {
    one.party: one
    for one in (
        BillingParty(party=CPO, name="Bornes SA", country="FRA", vat_id="FR 40 303 265 045"),
        BillingParty(party=FRENCH, name="Mobilité SAS", country="FRA", vat_id="FR83404833048"),
        BillingParty(party=GERMAN, name="Ladekarte GmbH", country="DEU", vat_id="DE136695976"),
        BillingParty(party=SWISS, name="Strom AG", country="CHE", vat_id="CHE-116.281.710 MWST"),
    )
}

START: Final = datetime(2025, 1, 10, 8, tzinfo=UTC)


def terms(
    at: RoundedAt = RoundedAt.CDR,
    mode: RoundingMode = RoundingMode.HALF_UP,
    tax: TaxRule = TaxRule.BY_COUNTRIES,
) -> SettlingTerms:
    return SettlingTerms(tax, SettlementRounding(at=at, mode=mode))


def cost(net: str | Decimal, *taxes: tuple[str | None, str | Decimal | None]) -> Money:
    """An amount with taxes, each a rate and an amount."""
    return Money(
        net=Decimal(net),
        taxes=tuple(
            Tax(
                name="VAT",
                percentage=None if rate is None else Decimal(rate),
                amount=None if amount is None else Decimal(amount),
            )
            for rate, amount in taxes
        ),
    )


def fact(no: int, emsp: PartyId | None = FRENCH, net: str | Money | None = "10", **changes: Any) -> Fact:
    """A charge of 20 kWh in half an hour, with 20 per cent of tax."""
    told = net
    if isinstance(net, str):
        told = cost(net, ("20", Decimal(net) / 5))
    start = START + timedelta(hours=no)
    given: dict[str, Any] = {
        "no": no,
        "cdr": f"c-{no}",
        "cpo": CPO,
        "emsp": emsp,
        "connection": "hub",
        "country": "FRA",
        "start": start,
        "end": start + timedelta(minutes=30),
        "at": start + timedelta(hours=1),
        "energy": Decimal(20),
        "minutes": Decimal(30),
        "currency": "EUR",
        "cost": told,
        "agreement": STATED,
    }
    return Fact(**(given | changes))


def amounts(rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What rows come to."""
    return [(str(row.emsp), row.treatment, row.vat_rate, row.sessions, row.net, row.vat, row.gross) for row in rows]
