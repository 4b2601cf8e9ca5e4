"""The shapes of what is said to the NGP API (its swagger and field tables, which agree in names alone).

Where they differ the stricter one holds: the swagger demands little, the tables mark what is mandatory. Numbers may be
texts, as in Hubject's own example. Null is the same as absent.
"""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel, to_pascal

from adapters.hubject.sandbox.ngp.refusals import invalid
from adapters.hubject.sandbox.rules import Wrong

DAYS: Final = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
MASTER_DATA: Final = (
    "taxId",
    "brandName",
    "billingContactEmail",
    "billingContactPhone",
    "billingContactFirstName",
    "billingContactLastName",
    "billingAddressCity",
    "billingAddressCountry",
    "billingAddressPostalCode",
    "billingAddressStreet",
)
"""What a CPO may ask of an EMP that subscribes."""
_CODES: Final = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN "
    "BYR BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR "
    "FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES "
    "KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LTL LYD MAD MDL MGA MKD MMK MNT MOP MRO MUR MVR "
    "MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RUR RWF "
    "SAR SBD SCR SDG SEK SGD SHP SLL SOS SRD SSP STD SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH "
    "UGX USD USN USS UYI UYU UZS VEF VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XDR XOF XPD XPF XPT XSU "
    "XTS XUA XXX YER ZAR ZMW ZWL"
)
CURRENCIES: Final = frozenset(_CODES.split())
"""Those of the swagger, which is behind ISO 4217."""
SERVICES: Final = {1: "Authorization", 10: "Reservation"}

Day = Literal["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
Colour = Literal["Powder blue", "Iceberg", "Indigo", "Water blue", "Carolina"]
TimeText = Annotated[str, Field(pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?$")]
Name255 = Annotated[str, Field(min_length=1, max_length=255)]
Text255 = Annotated[str, Field(max_length=255)]
Name50 = Annotated[str, Field(min_length=1, max_length=50)]
Text250 = Annotated[str, Field(max_length=250)]
MOST_DAYS: Final = 36500
"""A century: the swagger has no bound, and the calendar has."""


def _known_currency(code: str) -> str:
    if code not in CURRENCIES:
        raise ValueError("is no currency that is known")
    return code


def _text(value: object) -> object:
    if not isinstance(value, str | datetime):
        raise ValueError("is no date-time")  # noqa: TRY004  # pydantic turns this one into a fault of the field
    return value


Currency = Annotated[str, AfterValidator(_known_currency)]
Moment = Annotated[AwareDatetime, BeforeValidator(_text)]


class Shape(BaseModel):
    """A message whose fields are written like `networkId`."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, populate_by_name=True)


class NewGroup(Shape):
    """EvseGroupDTO."""

    group_name: Name50
    group_description: Text250 | None = None
    evse_ids: list[str]


class NewNetwork(Shape):
    """EvseNetworkRequestDTO."""

    evse_network_name: Name50
    evse_network_description: Text250 | None = None
    evse_groups: Annotated[list[NewGroup], Field(min_length=1)]


class GroupAssignment(BaseModel):
    """GroupsAssignmentDTO."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_pascal, populate_by_name=True)
    group_name: Name50
    evses: list[str]


class Assignment(BaseModel):
    """NetworkAssignmentDTO."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_pascal, populate_by_name=True)
    network_name: Name50
    groups_assignments: Annotated[list[GroupAssignment], Field(min_length=1)]


class Component(Shape):
    """PricingComponentWebDto."""

    type: Literal["CHARGING_ENERGY", "CHARGING_TIME", "PARKING", "SESSION", "BLOCKING_FEE"]
    reference_unit: Literal["MINUTE", "HOUR", "KILOWATT_HOUR", "NONE"]
    cost: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    grace_period: Annotated[int, Field(ge=0)] | None = None


class NewTariff(Shape):
    """CreateTariffRequestDTO."""

    name: Name255
    currency: Currency
    pricing_components: Annotated[list[Component], Field(min_length=1)]


class Slot(Shape):
    """TimeSlotDTO."""

    color: Colour
    start_time: TimeText
    end_time: TimeText
    tariff_name: str


class TimePlan(Shape):
    """TimePlanDTO."""

    days_of_the_week: Annotated[list[Day], Field(min_length=1)]
    time_slots: Annotated[list[Slot], Field(min_length=1)]


class Product(Shape):
    """ProductDTO."""

    currency: Currency
    time_plans: Annotated[list[TimePlan], Field(min_length=1)]


class NewProduct(Shape):
    """CreateProductDTO."""

    group_id: str
    product: Product


class ServiceType(Shape):
    """ServiceTypeVersionReferenceDTO."""

    service_type_id: Literal[1, 10]
    service_type_name: str | None = None
    service_type_version_number: Literal[1]


class RequiredData(Shape):
    """TwoStepRequiredMasterDataFields."""

    tax_id: bool | None = None
    brand_name: bool | None = None
    billing_contact_email: bool | None = None
    billing_contact_phone: bool | None = None
    billing_contact_first_name: bool | None = None
    billing_contact_last_name: bool | None = None
    billing_address_city: bool | None = None
    billing_address_country: bool | None = None
    billing_address_postal_code: bool | None = None
    billing_address_street: bool | None = None

    def named(self) -> dict[str, bool]:
        """Gives all ten by their names on the wire."""
        return {name: bool(value) for name, value in self.model_dump(by_alias=True).items()}


class NewOffer(Shape):
    """NGP: a service offer to create."""

    service_offer_id: Name255
    description: Text255 | None = None
    partner_internal_id: Name255
    valid_from: Moment
    valid_to: Moment | None = None
    unlimited: bool
    cancellation_period: Annotated[int, Field(ge=1, le=MOST_DAYS)]
    lead_time: Annotated[int, Field(ge=15, le=MOST_DAYS)] | None = None
    minimum_term: Annotated[int, Field(ge=1, le=90)]
    period_of_notice: Annotated[int, Field(ge=0)] | None = None
    period_of_notice_message: Text255 | None = None
    pricing_type: Literal["NGP"]
    service_type_version: ServiceType
    offer_to_all: bool
    subscriber_partner_ids: list[str] | None = None
    two_step_process: bool | None = None
    two_step_required_master_data_fields: RequiredData | None = None
    network_id: str
    uploaded_attachment_id: str | None = None
    tariffs: Annotated[list[NewTariff], Field(min_length=1)]
    products: Annotated[list[NewProduct], Field(min_length=1)]


class NewPrices(Shape):
    """UnlimitedNgpUpdate."""

    next_service_offer_id: Name255
    network_id: str
    update_date: Moment
    tariffs: Annotated[list[NewTariff], Field(min_length=1)]
    pricing_details: Annotated[list[NewProduct], Field(min_length=1)]


AnyShape = TypeVar("AnyShape", bound=BaseModel)


def read(shape: type[AnyShape], body: Any) -> AnyShape:
    """Reads a parsed body.

    Raises:
        Refused: It does not have the shape.
    """
    try:
        return shape.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise invalid(Wrong(_path(each["loc"]), each["msg"]) for each in found) from None


def _path(location: tuple[int | str, ...]) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return path.removeprefix(".") or "body"
