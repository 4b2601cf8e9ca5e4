"""What Hubject demands of pushes of prices, written down a second time; as `rules.py`, for the same reason.

They follow Hubject's OpenAPI of OICP 2.3 and the tables of the CPO Data Types. What these say of prices by "should" is
demanded: an adapter that keeps to it is right either way.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter
from typing_extensions import TypedDict

from adapters.hubject.sandbox.rules import ActionType, EvseId, OperatorId, Text100, TimeOfDay, Wrong
from adapters.hubject.sandbox.rules import shape as shape_of
from adapters.hubject.sandbox.rules_charging import ProviderId

_STRICT: Final = ConfigDict(strict=True, extra="ignore")

Amount = Annotated[int | float, Field(allow_inf_nan=False)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
ReferenceUnit = Literal["HOUR", "KILOWATT_HOUR", "MINUTE"]
ProductId = Annotated[str, Field(min_length=1, max_length=50)]
ForWhom = ProviderId | Literal["*"]


class Period(TypedDict):
    """PeriodType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    begin: TimeOfDay
    end: TimeOfDay


class AvailabilityTimes(TypedDict):
    """ProductAvailabilityTimesType, as the OpenAPI spells it."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Periods: Annotated[list[Period], Field(min_length=1)]
    on: Literal[
        "Everyday",
        "Workdays",
        "Weekend",
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ]


class AdditionalReference(TypedDict):
    """AdditionalReferencesType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    AdditionalReference: Literal["START FEE", "FIXED FEE", "PARKING FEE", "MINIMUM FEE", "MAXIMUM FEE"]
    AdditionalReferenceUnit: ReferenceUnit
    PricePerAdditionalReferenceUnit: Amount


class ProductRecord(TypedDict):
    """PricingProductDataRecordType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ProductID: ProductId
    ReferenceUnit: ReferenceUnit
    ProductPriceCurrency: Currency
    PricePerReferenceUnit: Amount
    MaximumProductChargingPower: Annotated[Amount, Field(ge=0)]
    IsValid24hours: bool
    ProductAvailabilityTimes: list[AvailabilityTimes]
    AdditionalReferences: NotRequired[list[AdditionalReference]]


class ProductData(TypedDict):
    """PricingProductDataType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    OperatorID: OperatorId
    OperatorName: NotRequired[Text100]
    ProviderID: ForWhom
    PricingDefaultPrice: Amount
    PricingDefaultPriceCurrency: Currency
    PricingDefaultReferenceUnit: ReferenceUnit
    PricingProductDataRecords: list[ProductRecord]


class PushPricingProductData(TypedDict):
    """eRoamingPushPricingProductData."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ActionType: ActionType
    PricingProductData: ProductData


class EvsePricing(TypedDict):
    """EVSEPricingType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    EvseID: EvseId
    ProviderID: ForWhom
    EvseIDProductList: Annotated[list[ProductId], Field(min_length=1)]


class PushEvsePricing(TypedDict):
    """eRoamingPushEVSEPricing."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ActionType: ActionType
    EVSEPricing: Annotated[list[EvsePricing], Field(min_length=1)]


_PRODUCTS: Final[TypeAdapter[PushPricingProductData]] = TypeAdapter(PushPricingProductData)
_PRICES: Final[TypeAdapter[PushEvsePricing]] = TypeAdapter(PushEvsePricing)


def shape_of_products(body: Any) -> list[Wrong]:
    """Says what is wrong with a parsed eRoamingPushPricingProductData: its shape, and what contradicts itself."""
    if wrong := shape_of(_PRODUCTS, body):
        return wrong
    found = []
    for index, record in enumerate(body["PricingProductData"]["PricingProductDataRecords"]):
        path = f"pricingProductData.pricingProductDataRecords[{index}]"
        found += [Wrong(f"{path}.{field}", text) for field, text in _contradictions(record)]
    return found


def _contradictions(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not record["IsValid24hours"] and not record["ProductAvailabilityTimes"]:
        yield "productAvailabilityTimes", "needed where a product does not hold for 24 hours"
    fees = [each["AdditionalReference"] for each in record.get("AdditionalReferences", [])]
    if len(set(fees)) != len(fees):
        yield "additionalReferences", "a fee stands there twice"
    # AdditionalReferenceType: beside a fixed fee the product's own price is zero.
    if "FIXED FEE" in fees and record["PricePerReferenceUnit"] != 0:
        yield "pricePerReferenceUnit", "zero beside a FIXED FEE"


def shape_of_prices(body: Any) -> list[Wrong]:
    """Says what is wrong with the shape of a parsed eRoamingPushEVSEPricing."""
    return shape_of(_PRICES, body)
