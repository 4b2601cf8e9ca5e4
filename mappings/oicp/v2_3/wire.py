"""OICP 2.3's records and messages as Hubject's OpenAPI gives them, with the lengths of the texts enforced.

These models are strict, for whoever has to judge a message as the hub does. Public dumps and the answers of the real
hub break them in many ways: `forms` and `messages` read those. The wire's field names are the aliases.
"""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_pascal

from mappings.oicp.v2_3 import vocabulary

EVSE_ID_PATTERN = r"^(([A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?E[A-Za-z0-9\*]{1,30})|(\+?[0-9]{1,3}\*[0-9]{3}\*[0-9\*]{1,32}))$"
OPERATOR_ID_PATTERN = r"^(([A-Za-z]{2}\*?[A-Za-z0-9]{3})|(\+?[0-9]{1,3}\*[0-9]{3}))$"
POOL_ID_PATTERN = r"^[A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?P[A-Za-z0-9\*]{1,30}$"
PHONE_PATTERN = r"^\+[0-9]{5,15}$"
LANGUAGE_PATTERN = r"^[a-z]{2,3}(?:-[A-Z]{2,3}(?:-[a-zA-Z]{4})?)?(?:-x-[a-zA-Z0-9]{1,8})?$"
DEGREE_PATTERN = r"^-?1?\d{1,2}\.\d{1,6}$"
GOOGLE_PATTERN = r"^-?1?\d{1,2}\.\d{1,6}\s*\,?\s*-?1?\d{1,2}\.\d{1,6}$"
DMS_PATTERN = r"^-?1?\d{1,2}°[ ]?\d{1,2}'[ ]?\d{1,2}\.\d+''$"
TIME_ZONE_PATTERN = r"^UTC[+,-][0-9][0-9]:[0-9][0-9]$"
CLOCK_PATTERN = r"^[0-9]{2}:[0-9]{2}$"

Record = dict[str, Any]
"""A record or message as plain JSON; what the writers of this package make, since a push has a great many."""

EvseId = Annotated[str, StringConstraints(pattern=EVSE_ID_PATTERN)]
OperatorId = Annotated[str, StringConstraints(pattern=OPERATOR_ID_PATTERN)]
Degree = Annotated[str, StringConstraints(pattern=DEGREE_PATTERN)]
DegreeMinuteSecond = Annotated[str, StringConstraints(pattern=DMS_PATTERN)]
Clock = Annotated[str, StringConstraints(pattern=CLOCK_PATTERN)]
Text5 = Annotated[str, StringConstraints(max_length=5)]
Text10 = Annotated[str, StringConstraints(max_length=10)]
Text50 = Annotated[str, StringConstraints(max_length=50)]
Text100 = Annotated[str, StringConstraints(max_length=100)]
Text200 = Annotated[str, StringConstraints(max_length=200)]


_SPELLINGS = {
    "lang": "lang",
    "value": "value",
    "begin": "begin",
    "end": "end",
    "on": "on",
    "evse_id": "EvseID",
    "charging_pool_id": "ChargingPoolID",
    "operator_id": "OperatorID",
    "hub_operator_id": "HubOperatorID",
    "clearinghouse_id": "ClearinghouseID",
    "co2_emission": "CO2Emission",
    "is_open_24_hours": "IsOpen24Hours",
    "delta_type": "deltaType",
    "last_update": "lastUpdate",
    "session_id": "SessionID",
    "cpo_partner_session_id": "CPOPartnerSessionID",
    "emp_partner_session_id": "EMPPartnerSessionID",
}


def _alias(name: str) -> str:
    return _SPELLINGS.get(name) or to_pascal(name)


class WireModel(BaseModel):
    """Base: names in Pascal case on the wire, unknown fields passed over as the hub does."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=_alias, populate_by_name=True, protected_namespaces=()
    )


class InfoText(WireModel):
    """InfoTextType."""

    lang: Annotated[str, StringConstraints(pattern=LANGUAGE_PATTERN)]
    value: Annotated[str, StringConstraints(max_length=150)]


class Address(WireModel):
    """AddressIso19773Type."""

    country: Annotated[str, StringConstraints(min_length=3, max_length=3)]
    city: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    street: Annotated[str, StringConstraints(min_length=2, max_length=100)]
    postal_code: Text10
    house_num: Text10
    floor: Text5 | None = None
    region: Text50 | None = None
    parking_facility: bool | None = None
    parking_spot: Text5 | None = None
    time_zone: Annotated[str, StringConstraints(pattern=TIME_ZONE_PATTERN)] | None = None


class Google(WireModel):
    """GeoCoordinatesGoogleType: latitude, then longitude."""

    coordinates: Annotated[str, StringConstraints(pattern=GOOGLE_PATTERN)]


class DecimalDegree(WireModel):
    """GeoCoordinatesDecimalDegreeType."""

    longitude: Degree
    latitude: Degree


class DegreeMinuteSeconds(WireModel):
    """GeoCoordinatesDegreeMinuteSecondsType."""

    longitude: DegreeMinuteSecond
    latitude: DegreeMinuteSecond


class GeoCoordinates(WireModel):
    """GeoCoordinatesType: one of the three."""

    google: Google | None = None
    decimal_degree: DecimalDegree | None = None
    degree_minute_seconds: DegreeMinuteSeconds | None = None


class ChargingFacility(WireModel):
    """ChargingFacilityType; V, A and kW."""

    power_type: vocabulary.PowerType
    voltage: Annotated[int, Field(ge=0, le=999)] | None = None
    amperage: Annotated[int, Field(ge=0, le=99)] | None = None
    power: Annotated[int, Field(ge=0, le=999)]
    charging_modes: tuple[vocabulary.ChargingMode, ...] | None = None


class EnergySource(WireModel):
    """EnergySourceType."""

    energy: vocabulary.Energy | None = None
    percentage: Annotated[int, Field(ge=0, le=99)] | None = None


class EnvironmentalImpact(WireModel):
    """EnvironmentalImpactType; g/kWh."""

    co2_emission: Annotated[float, Field(le=99999)] | None = None
    nuclear_waste: Annotated[float, Field(le=99999)] | None = None


class Period(WireModel):
    """PeriodType, local time."""

    begin: Clock
    end: Clock


class OpeningTimes(WireModel):
    """OpeningTimesType."""

    period: tuple[Period, ...]
    on: vocabulary.Day


class EvseDataRecord(WireModel):
    """EvseDataRecordType, what a push holds."""

    evse_id: EvseId
    charging_pool_id: Annotated[str, StringConstraints(pattern=POOL_ID_PATTERN)] | None = None
    charging_station_id: Text50 | None = None
    charging_station_names: tuple[InfoText, ...]
    hardware_manufacturer: Text50 | None = None
    charging_station_image: Text200 | None = None
    sub_operator_name: Text100 | None = None
    address: Address
    geo_coordinates: GeoCoordinates
    plugs: tuple[vocabulary.Plug, ...]
    dynamic_power_level: bool | None = None
    charging_facilities: tuple[ChargingFacility, ...]
    renewable_energy: bool
    energy_source: tuple[EnergySource, ...] | None = None
    environmental_impact: EnvironmentalImpact | None = None
    calibration_law_data_availability: vocabulary.CalibrationLaw
    authentication_modes: tuple[vocabulary.AuthenticationMode, ...]
    max_capacity: int | None = None
    payment_options: tuple[vocabulary.PaymentOption, ...]
    value_added_services: tuple[vocabulary.ValueAddedService, ...]
    accessibility: vocabulary.Accessibility
    accessibility_location: vocabulary.AccessibilityLocation | None = None
    hotline_phone_number: Annotated[str, StringConstraints(pattern=PHONE_PATTERN)]
    additional_info: tuple[InfoText, ...] | None = None
    charging_station_location_reference: tuple[InfoText, ...] | None = None
    geo_charging_point_entrance: GeoCoordinates | None = None
    is_open_24_hours: bool
    opening_times: tuple[OpeningTimes, ...] | None = None
    hub_operator_id: OperatorId | None = None
    clearinghouse_id: Annotated[str, StringConstraints(max_length=20)] | None = None
    is_hubject_compatible: bool
    dynamic_info_available: vocabulary.DynamicInfo
    delta_type: vocabulary.DeltaType | None = None
    last_update: AwareDatetime | None = None


class PullEvseDataRecord(EvseDataRecord):
    """PullEvseDataRecordType, what a pull holds: the operator stands in each record."""

    operator_id: OperatorId
    operator_name: Text100


class OperatorEvseData(WireModel):
    """OperatorEvseDataType."""

    operator_id: OperatorId
    operator_name: Text100
    evse_data_record: tuple[EvseDataRecord, ...]


class PushEvseData(WireModel):
    """eRoamingPushEvseData."""

    action_type: vocabulary.ActionType
    operator_evse_data: OperatorEvseData


class EvseStatusRecord(WireModel):
    """EvseStatusRecordType."""

    evse_id: EvseId
    evse_status: vocabulary.EvseStatus


class OperatorEvseStatus(WireModel):
    """OperatorEvseStatusType."""

    operator_id: OperatorId
    operator_name: Text100 | None = None
    evse_status_record: tuple[EvseStatusRecord, ...]


class PushEvseStatus(WireModel):
    """eRoamingPushEvseStatus."""

    action_type: vocabulary.ActionType
    operator_evse_status: OperatorEvseStatus


class StatusCode(WireModel):
    """StatusCodeType."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
    description: Text200 | None = None
    additional_info: Annotated[str, StringConstraints(max_length=1000)] | None = None


class Acknowledgement(WireModel):
    """eRoamingAcknowledgement; the OpenAPI spells it without the second e, on the wire it has no name."""

    result: bool
    status_code: StatusCode
    session_id: str | None = None
    cpo_partner_session_id: Annotated[str | None, Field(alias="CPOPartnerSessionID", max_length=250)] = None
    emp_partner_session_id: Annotated[str | None, Field(alias="EMPPartnerSessionID", max_length=250)] = None
