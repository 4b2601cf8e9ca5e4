"""What a CPO sends to the NGP API, in the wire's spelling and with the bounds of its OpenAPI."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints
from pydantic.alias_generators import to_camel, to_pascal

from mappings.canonical.base import Number
from mappings.oicp.ngp.vocabulary import ComponentType, ReferenceUnit, Weekday

Text50 = Annotated[str, StringConstraints(max_length=50)]
Text250 = Annotated[str, StringConstraints(max_length=250)]
Text255 = Annotated[str, StringConstraints(max_length=255)]
Named255 = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

UNKNOWN_PASSED: Final = ConfigDict(
    frozen=True, extra="ignore", populate_by_name=True, protected_namespaces=(), coerce_numbers_to_str=True
)


class CamelModel(BaseModel):
    """Base: `camelCase` on the wire; unknown fields are passed over."""

    model_config = UNKNOWN_PASSED | {"alias_generator": to_camel}

    def sent(self) -> dict[str, JsonValue]:
        """Writes it as JSON; what is None is left out, since Hubject's text has such fields omitted."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class PascalModel(CamelModel):
    """Base: `PascalCase` on the wire."""

    model_config = UNKNOWN_PASSED | {"alias_generator": to_pascal}


# Networks


class EvseGroup(CamelModel):
    """EvseGroupDTO."""

    group_name: Text50
    group_description: Text250 | None = None
    evse_ids: tuple[str, ...]


class CreateNetwork(CamelModel):
    """EvseNetworkRequestDTO."""

    evse_network_name: Text50
    evse_network_description: Text250 | None = None
    evse_groups: tuple[EvseGroup, ...]


class GroupAssignment(PascalModel):
    """GroupsAssignmentDTO."""

    group_name: str
    evses: tuple[str, ...]


class AssignEvses(PascalModel):
    """NetworkAssignmentDTO; a request and its answer, which names all EVSEs of a group."""

    network_name: str
    groups_assignments: tuple[GroupAssignment, ...]


# Prices


class PricingComponent(CamelModel):
    """PricingComponentWebDto."""

    type: ComponentType
    reference_unit: ReferenceUnit
    cost: Number
    grace_period: int | None = None


class NamedTariff(CamelModel):
    """CreateTariffRequestDTO."""

    name: str
    currency: Currency
    pricing_components: tuple[PricingComponent, ...]


class TimeSlot(CamelModel):
    """TimeSlotDTO: times of day as `HH:MM:SS`, the last second included; `color` is the portal's."""

    color: str
    start_time: str
    end_time: str
    tariff_name: str


class TimePlan(CamelModel):
    """TimePlanDTO."""

    days_of_the_week: tuple[Weekday, ...]
    time_slots: tuple[TimeSlot, ...]


class Product(CamelModel):
    """ProductDTO."""

    currency: Currency
    time_plans: tuple[TimePlan, ...]


class GroupProduct(CamelModel):
    """CreateProductDTO."""

    group_id: str
    product: Product


# Offers


class ServiceTypeVersion(CamelModel):
    """ServiceTypeVersionReferenceDTO."""

    service_type_id: int
    service_type_name: str | None = None
    service_type_version_number: Annotated[int, Field(ge=1)] = 1


class CreateOffer(CamelModel):
    """NGP, with the `products` that only the asciidoc has; without `validTo` where it is unlimited."""

    service_offer_id: Named255
    description: Text255 | None = None
    partner_internal_id: Named255
    valid_from: str
    valid_to: str | None = None
    unlimited: bool
    cancellation_period: Annotated[int, Field(ge=1)]
    lead_time: Annotated[int, Field(ge=15)] | None = None
    minimum_term: Annotated[int, Field(ge=1, le=90)]
    period_of_notice: Annotated[int, Field(ge=0)] | None = None
    pricing_type: str = "NGP"
    service_type_version: ServiceTypeVersion
    offer_to_all: bool
    subscriber_partner_ids: tuple[str, ...] | None = None
    two_step_process: bool | None = None
    two_step_required_master_data_fields: dict[str, bool] | None = None
    network_id: str
    uploaded_attachment_id: str | None = None
    tariffs: tuple[NamedTariff, ...]
    products: tuple[GroupProduct, ...]


class UpdatePrices(CamelModel):
    """UnlimitedNgpUpdate."""

    next_service_offer_id: Named255
    network_id: str
    update_date: str
    tariffs: tuple[NamedTariff, ...]
    pricing_details: tuple[GroupProduct, ...]
