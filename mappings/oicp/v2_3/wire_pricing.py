"""OICP 2.3's pricing data as Hubject's OpenAPI gives them, with the lengths of texts enforced; strict like `wire`."""

from typing import Annotated

from pydantic import StringConstraints
from pydantic.alias_generators import to_pascal

from mappings.oicp.v2_3 import vocabulary
from mappings.oicp.v2_3.wire import EvseId, OperatorId, Period, Text50, Text100, WireModel
from mappings.oicp.v2_3.wire_charging import PROVIDER_ID_PATTERN

_SPELLINGS = {
    "on": "on",
    "operator_id": "OperatorID",
    "provider_id": "ProviderID",
    "product_id": "ProductID",
    "evse_id": "EvseID",
    "evse_id_product_list": "EvseIDProductList",
    "evse_pricing": "EVSEPricing",
    "is_valid_24_hours": "IsValid24hours",
}

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
ProviderIdOrAll = Annotated[str, StringConstraints(pattern=rf"{PROVIDER_ID_PATTERN}|^\*$")]
"""An EMP, or `*` for all."""


class PricingModel(WireModel):
    """Base: as `WireModel`, with the spellings of these messages."""

    model_config = WireModel.model_config | {"alias_generator": lambda name: _SPELLINGS.get(name) or to_pascal(name)}


class AvailabilityTimes(PricingModel):
    """ProductAvailabilityTimesType; the text calls the periods `Period`."""

    periods: tuple[Period, ...]
    on: vocabulary.Day


class AdditionalReference(PricingModel):
    """AdditionalReferencesType."""

    additional_reference: vocabulary.AdditionalReference
    additional_reference_unit: vocabulary.ReferenceUnit
    price_per_additional_reference_unit: float


class ProductRecord(PricingModel):
    """PricingProductDataRecordType."""

    product_id: Text50
    reference_unit: vocabulary.ReferenceUnit
    product_price_currency: Currency
    price_per_reference_unit: float
    maximum_product_charging_power: float
    is_valid_24_hours: bool
    product_availability_times: tuple[AvailabilityTimes, ...]
    additional_references: tuple[AdditionalReference, ...] | None = None


class ProductData(PricingModel):
    """PricingProductDataType: the products of one operator for one EMP, or for all."""

    operator_id: OperatorId
    operator_name: Text100 | None = None
    provider_id: ProviderIdOrAll
    pricing_default_price: float
    pricing_default_price_currency: Currency
    pricing_default_reference_unit: vocabulary.ReferenceUnit
    pricing_product_data_records: tuple[ProductRecord, ...]


class EvsePricing(PricingModel):
    """EVSEPricingType: which products hold at an EVSE."""

    evse_id: EvseId
    provider_id: ProviderIdOrAll
    evse_id_product_list: tuple[Text50, ...]


class OperatorEvsePricing(PricingModel):
    """OperatorEVSEPricingType."""

    operator_id: OperatorId
    operator_name: Text100 | None = None
    evse_pricing: tuple[EvsePricing, ...]
