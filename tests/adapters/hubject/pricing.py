"""Tariffs and EVSEs' prices as the gateway keeps them, for the tests of Hubject."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from adapters.core.adapter import Call, Item
from adapters.hubject.adapter import HubjectAdapter
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location
from mappings.canonical.tariffs import (
    PriceComponent,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffRestrictions,
)
from tests.adapters.hubject.network import PRICING, adapter, tariff

EMP, RIVAL = PartyId("NL-EMS"), PartyId("DE-EMP")
PRODUCTS, PRICES = "pricing_products", "evse_pricing"


def pricing_adapter(**changes: Any) -> HubjectAdapter:
    """An adapter that pushes prices, for one EMP beside everybody."""
    pricing = PRICING | {"targets": [str(EMP)]} | changes.pop("pricing", {})
    return adapter(pricing=pricing, **changes)


def claimed(hub: HubjectAdapter, operation: str, *subjects: Tariff | Location, known: Iterable[str] = ()) -> list[Item]:
    """Items that the hub never had."""
    return [
        Item(key.operation, key.key, key.lane, key.evse_uid, one, None, False, None, None, known=frozenset(known))
        for one in subjects
        for key in hub.keys(one)
        if key.operation == operation
    ]


def by_day() -> Tariff:
    """A tariff that costs more by day than by night: one product cannot say it."""

    def element(price: str, **restrictions: Any) -> TariffElement:
        component = PriceComponent(type=TariffDimension.ENERGY, price=Decimal(price), step_size=1)
        return TariffElement(
            price_components=(component,), restrictions=TariffRestrictions(**restrictions) if restrictions else None
        )

    return tariff(elements=(element("0.7", start_time="08:00", end_time="20:00"), element("0.4")))


def products(call: Call) -> list[str]:
    """The ProductIDs in a push."""
    return [record["ProductID"] for record in call.body["PricingProductData"]["PricingProductDataRecords"]]


def rows(call: Call) -> dict[tuple[str, str], list[str]]:
    """What a push says of EVSEs: by EvseID and ProviderID the ProductIDs."""
    return {(row["EvseID"], row["ProviderID"]): row["EvseIDProductList"] for row in call.body["EVSEPricing"]}
