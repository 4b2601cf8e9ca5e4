"""OCPI 2.2.1 as it stands on the wire: strict in types, open to fields that the version does not have.

Plain dictionaries, so that a dialect adds and takes away fields without a second set of models. Optional fields may be
null. Enums are texts here: the tables in `enums.py` read them, since each has its own rule for a text that it lacks.
Lengths are checked on the way out, where they can be put right, and not on the way in, where nothing is won by it.
"""

from typing import Annotated, Any, Required, get_origin

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict, get_type_hints

from mappings.canonical.locations import Id

# Of the texts in a network only the names of fields repeat often enough to be worth remembering.
OPEN = ConfigDict(extra="allow", strict=True, allow_inf_nan=False, cache_strings="keys")
_Whole = Annotated[int, Field(ge=0)]
Number = int | float
_Clock = Annotated[str, Field(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$")]
_Pixels = Annotated[int, Field(ge=0, le=99999)]


class DisplayText(TypedDict, total=False):
    """types, DisplayText."""

    __pydantic_config__ = OPEN  # type: ignore[misc]  # pydantic's own way to configure a TypedDict
    language: Required[str]
    text: Required[str]


class Image(TypedDict, total=False):
    """mod_locations, Image."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    url: Required[str]
    thumbnail: str | None
    category: Required[str]
    type: Required[str]
    width: _Pixels | None
    height: _Pixels | None


class BusinessDetails(TypedDict, total=False):
    """mod_locations, BusinessDetails."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    name: Required[str]
    website: str | None
    logo: Image | None


class EnergySource(TypedDict, total=False):
    """mod_locations, EnergySource; the share is mandatory in OCPI, and kept apart from zero where it is missing."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    source: Required[str]
    percentage: Annotated[Number, Field(ge=0, le=100)] | None


class EnvironmentalImpact(TypedDict, total=False):
    """mod_locations, EnvironmentalImpact."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    category: Required[str]
    amount: Required[Number]


class EnergyMix(TypedDict, total=False):
    """mod_locations, EnergyMix."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    is_green_energy: Required[bool]
    energy_sources: list[EnergySource] | None
    environ_impact: list[EnvironmentalImpact] | None
    supplier_name: str | None
    energy_product_name: str | None


class GeoLocation(TypedDict, total=False):
    """mod_locations, GeoLocation."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    latitude: Required[str]
    longitude: Required[str]


class AdditionalGeoLocation(TypedDict, total=False):
    """mod_locations, AdditionalGeoLocation."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    latitude: Required[str]
    longitude: Required[str]
    name: DisplayText | None


class RegularHours(TypedDict, total=False):
    """mod_locations, RegularHours; `24:00` is not OCPI's, but has one reading and is met."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    weekday: Required[Annotated[int, Field(ge=1, le=7)]]
    period_begin: Required[_Clock]
    period_end: Required[_Clock]


class ExceptionalPeriod(TypedDict, total=False):
    """mod_locations, ExceptionalPeriod."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    period_begin: Required[str]
    period_end: Required[str]


class Hours(TypedDict, total=False):
    """mod_locations, Hours."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    twentyfourseven: Required[bool]
    regular_hours: list[RegularHours] | None
    exceptional_openings: list[ExceptionalPeriod] | None
    exceptional_closings: list[ExceptionalPeriod] | None


class StatusSchedule(TypedDict, total=False):
    """mod_locations, StatusSchedule."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    period_begin: Required[str]
    period_end: str | None
    status: Required[str]


class PublishToken(TypedDict, total=False):
    """mod_locations, PublishTokenType."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    uid: str | None
    type: str | None
    visual_number: str | None
    issuer: str | None
    group_id: str | None


class Connector(TypedDict, total=False):
    """mod_locations, Connector; feeds lack the format, power type, voltage and amperage that OCPI demands."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    id: Required[Id]
    standard: Required[str]
    format: str | None
    power_type: str | None
    max_voltage: _Whole | None
    max_amperage: _Whole | None
    max_electric_power: Annotated[Number, Field(ge=0, le=1_000_000_000_000)] | None  # as much as the model takes
    tariff_ids: list[str] | None
    terms_and_conditions: str | None
    last_updated: str


class Evse(TypedDict, total=False):
    """mod_locations, EVSE."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    uid: Required[Id]
    evse_id: str | None
    status: Required[str]
    status_schedule: list[StatusSchedule] | None
    capabilities: list[str] | None
    connectors: Required[list[Connector]]
    floor_level: str | None
    coordinates: GeoLocation | None
    physical_reference: str | None
    directions: list[DisplayText] | None
    parking_restrictions: list[str] | None
    images: list[Image] | None
    last_updated: str


class Location(TypedDict, total=False):
    """mod_locations, Location."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    country_code: Required[str]
    party_id: Required[str]
    id: Required[Id]
    publish: Required[bool]
    publish_allowed_to: list[PublishToken] | None
    name: str | None
    address: Required[str]
    city: Required[str]
    postal_code: str | None
    state: str | None
    country: Required[str]
    coordinates: Required[GeoLocation]
    related_locations: list[AdditionalGeoLocation] | None
    parking_type: str | None
    evses: list[Evse] | None
    directions: list[DisplayText] | None
    operator: BusinessDetails | None
    suboperator: BusinessDetails | None
    owner: BusinessDetails | None
    facilities: list[str] | None
    time_zone: Required[str]
    opening_times: Hours | None
    charging_when_closed: bool | None
    images: list[Image] | None
    energy_mix: EnergyMix | None
    last_updated: str


class Price(TypedDict, total=False):
    """types, Price."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    excl_vat: Required[Number]
    incl_vat: Number | None


class PriceComponent(TypedDict, total=False):
    """mod_tariffs, PriceComponent."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    type: Required[str]
    price: Required[Number]
    vat: Number | None
    step_size: _Whole | None


class TariffRestrictions(TypedDict, total=False):
    """mod_tariffs, TariffRestrictions."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    start_time: str | None
    end_time: str | None
    start_date: str | None
    end_date: str | None
    min_kwh: Number | None
    max_kwh: Number | None
    min_current: Number | None
    max_current: Number | None
    min_power: Number | None
    max_power: Number | None
    min_duration: int | None
    max_duration: int | None
    day_of_week: list[str] | None
    reservation: str | None


class TariffElement(TypedDict, total=False):
    """mod_tariffs, TariffElement."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    price_components: Required[list[PriceComponent]]
    restrictions: TariffRestrictions | None


class Tariff(TypedDict, total=False):
    """mod_tariffs, Tariff."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    country_code: Required[str]
    party_id: Required[str]
    id: Required[str]
    currency: Required[str]
    type: str | None
    tariff_alt_text: list[DisplayText] | None
    tariff_alt_url: str | None
    min_price: Price | None
    max_price: Price | None
    elements: Required[list[TariffElement]]
    start_date_time: str | None
    end_date_time: str | None
    energy_mix: EnergyMix | None
    last_updated: str


class Version(TypedDict, total=False):
    """version information endpoint, Version."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    version: Required[str]
    url: Required[str]


class Endpoint(TypedDict, total=False):
    """version information endpoint, Endpoint."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    identifier: Required[str]
    role: str | None
    url: Required[str]


class VersionDetails(TypedDict, total=False):
    """version information endpoint, version details."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    version: Required[str]
    endpoints: Required[list[Endpoint]]


class CredentialsRole(TypedDict, total=False):
    """credentials, CredentialsRole."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    role: Required[str]
    business_details: Required[BusinessDetails]
    party_id: Required[str]
    country_code: Required[str]


class Credentials(TypedDict, total=False):
    """credentials, Credentials object."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    token: Required[str]
    url: Required[str]
    roles: Required[list[CredentialsRole]]


class ClientInfo(TypedDict, total=False):
    """mod_hub_client_info, ClientInfo; the text's own example of a PUT lacks the stamp."""

    __pydantic_config__ = OPEN  # type: ignore[misc]
    party_id: Required[str]
    country_code: Required[str]
    role: Required[str]
    status: Required[str]
    last_updated: str


Wire = dict[str, Any]
"""A wire object as it is written: no nulls, no empty optional lists."""


def partial(model: type[Any]) -> Any:
    """Gives the model of a PATCH of an object: its fields, none of them required (2.2.1, mod_locations, PATCH)."""
    fields = {name: hint.__args__[0] if get_origin(hint) is Required else hint for name, hint in _hints(model).items()}
    make: Any = TypedDict  # a type checker wants the name and the fields spelt out
    made = make(f"{model.__name__}Patch", fields, total=False)
    made.__pydantic_config__ = OPEN
    return made


def _hints(model: type[Any]) -> dict[str, Any]:
    return get_type_hints(model, include_extras=True)


def names(model: type[Any]) -> frozenset[str]:
    """Names the fields that the version gives an object; any other is the peer's own."""
    return frozenset(_hints(model))
