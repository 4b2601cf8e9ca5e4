"""OCPI 2.2.1 locations as anybody would write them with pydantic: what translation is measured against."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from mappings.ocpi.v2_2_1 import enums


class _Object(BaseModel):
    model_config = ConfigDict(extra="allow")


class GeoLocation(_Object):
    latitude: str
    longitude: str


class BusinessDetails(_Object):
    name: str
    website: str | None = None


class Hours(_Object):
    twentyfourseven: bool


class Connector(_Object):
    id: str
    standard: str
    format: enums.WireConnectorFormat
    power_type: enums.WirePowerType
    max_voltage: int
    max_amperage: int
    max_electric_power: int | None = None
    tariff_ids: list[str] | None = None
    terms_and_conditions: str | None = None
    last_updated: datetime


class Evse(_Object):
    uid: str
    evse_id: str | None = None
    status: enums.WireStatus
    capabilities: list[str] | None = None
    connectors: list[Connector]
    floor_level: str | None = None
    coordinates: GeoLocation | None = None
    physical_reference: str | None = None
    parking_restrictions: list[str] | None = None
    last_updated: datetime


class Location(_Object):
    country_code: str
    party_id: str
    id: str
    publish: bool
    name: str | None = None
    address: str
    city: str
    postal_code: str | None = None
    country: str
    coordinates: GeoLocation
    parking_type: str | None = None
    evses: list[Evse] | None = None
    operator: BusinessDetails | None = None
    owner: BusinessDetails | None = None
    time_zone: str
    opening_times: Hours | None = None
    last_updated: datetime
