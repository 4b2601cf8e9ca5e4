"""Offers and tariffs that Hubject's NGP API can say, for the tests of its mapping and its client."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from mappings.canonical.agreements import EvseGroup, Joining, Offer, OfferTerms, OfferVersion, Service
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.tariffs import (
    DayOfWeek,
    PriceComponent,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffRestrictions,
)
from mappings.oicp.ngp import prices_out
from mappings.oicp.ngp.prices_out import Asked, Frame, Plans

CPO, EMP, OTHER_EMP = PartyId("FR*HUB"), PartyId("DE-EMS"), PartyId("NL-OTH")
PARTNERS = {EMP: "2c9180000000000000000000000000e1", OTHER_EMP: "2c9180000000000000000000000000e2"}
NOW = datetime(2026, 6, 7, 12, tzinfo=UTC)
START, END = datetime(2026, 9, 1, tzinfo=UTC), datetime(2027, 9, 1, tzinfo=UTC)
CHARGING = frozenset({Service.AUTHORISE, Service.REMOTE, Service.CDR})
FRAME = Frame("O1 1", None, START, None)


def part(type_: TariffDimension, price: str | Decimal, **changes: Any) -> PriceComponent:
    return PriceComponent.model_validate({"type": type_, "price": Decimal(price), "step_size": 1} | changes)


def energy(price: str | Decimal) -> PriceComponent:
    return part(TariffDimension.ENERGY, price)


def element(*components: PriceComponent, **restrictions: Any) -> TariffElement:
    said = TariffRestrictions(**restrictions) if restrictions else None
    return TariffElement(price_components=components, restrictions=said)


def tariff(*elements: TariffElement, **changes: Any) -> Tariff:
    fields = {"party": CPO, "id": "T1", "currency": "EUR", "elements": elements, "last_updated": NOW}
    return Tariff.model_validate(fields | changes)


PLAIN = tariff(element(energy("0.3")))
WEEKEND = (DayOfWeek.SATURDAY, DayOfWeek.SUNDAY)


def terms(**changes: Any) -> OfferTerms:
    return OfferTerms.model_validate({"services": CHARGING} | changes)


def offer(**changes: Any) -> Offer:
    """An unlimited offer to all."""
    fields: dict[str, Any] = {
        "id": "O1",
        "connection": "hubject",
        "cpo": CPO,
        "joining": Joining.SUBSCRIBE,
        "title": "Public 2026",
        "starts": START,
        "minimum_term_days": 30,
        "cancellation_days": 42,
        "lead_time_days": 15,
    }
    return Offer.model_validate(fields | changes)


def limited(**changes: Any) -> Offer:
    return offer(**({"ends": END, "lead_time_days": 0, "notice_days": 42} | changes))


def version(number: int = 1, starts: datetime = START, **changes: Any) -> OfferVersion:
    return OfferVersion(number=number, starts=starts, terms=terms(**changes))


def group(id_: str = "G1", *evses: str, **changes: Any) -> EvseGroup:
    named = tuple(map(EvseId, evses or ("FR*HUB*E1", "FR*HUB*E2")))
    return EvseGroup.model_validate({"id": id_, "party": CPO, "name": f"Group {id_}", "evse_ids": named} | changes)


def plans(*tariffs: Tariff, frame: Frame = FRAME) -> Plans:
    """Writes a tariff for each of as many groups: `hub-1`, `hub-2`, …"""
    return prices_out.write([Asked(f"hub-{n}", [one]) for n, one in enumerate(tariffs or (PLAIN,), 1)], frame)
