"""Which products hold at an EVSE, as a CPO tells Hubject (OICP 2.3, eRoamingPushEVSEPricing).

Pushes are made one after the other. The EVSEs of one push stand or fall together: where one is another operator's,
Hubject refuses them all (018).
"""

from collections.abc import Sequence
from typing import Final

from mappings.canonical.ids import EvseId, PartyId
from mappings.oicp.v2_3.evse_data import wire_id
from mappings.oicp.v2_3.products import product_id
from mappings.oicp.v2_3.products_out import provider_word
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.oicp.v2_3.wire import Record
from mappings.report import Refused

_STANDARD: Final = "Standard Price"
"""One of OICP's own products (ProductIDType): what names a product where none is meant."""


def evse_pricing(evse_id: EvseId | None, provider: PartyId | None, product_ids: Sequence[str]) -> Record:
    """Writes an EVSEPricingType; each product is named once.

    Args:
        evse_id: The EVSE's public id.
        provider: The EMP for whose drivers the products are; None for all.
        product_ids: Of `products_out.record`, the first that counts first.

    Raises:
        Refused: The EVSE has no id that OICP knows, no product is named, one has no id, or the provider is no EMP.
    """
    if not product_ids:
        raise Refused("tariff_ids", "none, and OICP demands one: an EVSE without a product is taken back")
    return {
        "EvseID": wire_id(evse_id),
        "ProviderID": provider_word(provider),
        "EvseIDProductList": [*dict.fromkeys(product_id(each, "tariff_ids") for each in product_ids)],
    }


def tombstone(evse_id: str, provider: PartyId | None) -> Record:
    """Writes the record that takes an EVSE's products back; the one that it names has a meaning to nobody.

    Args:
        evse_id: As it was pushed.
        provider: The EMP for whom the products were; None for all.

    Raises:
        Refused: The provider is no EMP.
    """
    return {"EvseID": evse_id, "ProviderID": provider_word(provider), "EvseIDProductList": [_STANDARD]}


def push(action: ActionType, records: Sequence[Record]) -> Record:
    """Makes an eRoamingPushEVSEPricing message; its path names the operator.

    Args:
        action: What Hubject does with the records.
        records: Of `evse_pricing`, or of `tombstone` for DELETE; at least one, none twice for one provider.
    """
    return {"ActionType": action.value, "EVSEPricing": [*records]}
