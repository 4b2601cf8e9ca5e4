"""Locations, EVSEs and connectors, and the status of an EVSE.

The vocabulary is OCPI 2.2.1's (mod_locations), with what only OICP 2.3 says beside it (EvseDataRecordType). An EVSE is
keyed by (party, location id, uid); its `evse_id` is not unique, since one physical EVSE stands under two locations in
real feeds.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from mappings.canonical.base import Instant, Model, Number, Unknown
from mappings.canonical.energy import EnergyMix
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.texts import Business, Image, LocalText

Id = Annotated[
    str, StringConstraints(min_length=1, max_length=48, pattern=r"^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$")
]
"""An id given by the CPO: printable ASCII, no space at either end."""

TimeOfDay = Annotated[str, StringConstraints(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$")]
"""Local time `HH:MM`; `24:00` ends a day."""


class EvseStatus(StrEnum):
    """What an EVSE is doing (OCPI 2.2.1, mod_locations, Status)."""

    AVAILABLE = "AVAILABLE"
    BLOCKED = "BLOCKED"
    CHARGING = "CHARGING"
    INOPERATIVE = "INOPERATIVE"
    OUTOFORDER = "OUTOFORDER"
    PLANNED = "PLANNED"
    REMOVED = "REMOVED"
    RESERVED = "RESERVED"
    UNKNOWN = "UNKNOWN"


class ConnectorStandard(StrEnum):
    """The socket or plug (OCPI 2.2.1, mod_locations, ConnectorType)."""

    CHADEMO = "CHADEMO"
    CHAOJI = "CHAOJI"
    DOMESTIC_A = "DOMESTIC_A"
    DOMESTIC_B = "DOMESTIC_B"
    DOMESTIC_C = "DOMESTIC_C"
    DOMESTIC_D = "DOMESTIC_D"
    DOMESTIC_E = "DOMESTIC_E"
    DOMESTIC_F = "DOMESTIC_F"
    DOMESTIC_G = "DOMESTIC_G"
    DOMESTIC_H = "DOMESTIC_H"
    DOMESTIC_I = "DOMESTIC_I"
    DOMESTIC_J = "DOMESTIC_J"
    DOMESTIC_K = "DOMESTIC_K"
    DOMESTIC_L = "DOMESTIC_L"
    DOMESTIC_M = "DOMESTIC_M"
    DOMESTIC_N = "DOMESTIC_N"
    DOMESTIC_O = "DOMESTIC_O"
    GBT_AC = "GBT_AC"
    GBT_DC = "GBT_DC"
    IEC_60309_2_SINGLE_16 = "IEC_60309_2_single_16"
    IEC_60309_2_THREE_16 = "IEC_60309_2_three_16"
    IEC_60309_2_THREE_32 = "IEC_60309_2_three_32"
    IEC_60309_2_THREE_64 = "IEC_60309_2_three_64"
    IEC_62196_T1 = "IEC_62196_T1"
    IEC_62196_T1_COMBO = "IEC_62196_T1_COMBO"
    IEC_62196_T2 = "IEC_62196_T2"
    IEC_62196_T2_COMBO = "IEC_62196_T2_COMBO"
    IEC_62196_T3A = "IEC_62196_T3A"
    IEC_62196_T3C = "IEC_62196_T3C"
    NEMA_5_20 = "NEMA_5_20"
    NEMA_6_30 = "NEMA_6_30"
    NEMA_6_50 = "NEMA_6_50"
    NEMA_10_30 = "NEMA_10_30"
    NEMA_10_50 = "NEMA_10_50"
    NEMA_14_30 = "NEMA_14_30"
    NEMA_14_50 = "NEMA_14_50"
    PANTOGRAPH_BOTTOM_UP = "PANTOGRAPH_BOTTOM_UP"
    PANTOGRAPH_TOP_DOWN = "PANTOGRAPH_TOP_DOWN"
    TESLA_R = "TESLA_R"
    TESLA_S = "TESLA_S"
    AVCON = "AVCON"
    """Only OICP knows it (`AVCON Connector`)."""


class ConnectorFormat(StrEnum):
    """Whether the cable is attached."""

    SOCKET = "SOCKET"
    CABLE = "CABLE"


class PowerType(StrEnum):
    """How a connector is fed (OCPI 2.2.1, mod_locations, PowerType)."""

    AC_1_PHASE = "AC_1_PHASE"
    AC_2_PHASE = "AC_2_PHASE"
    AC_2_PHASE_SPLIT = "AC_2_PHASE_SPLIT"
    AC_3_PHASE = "AC_3_PHASE"
    DC = "DC"


class ChargingMode(StrEnum):
    """IEC 61851-1 charging mode (OICP 2.3, ChargingModeType)."""

    MODE_1 = "Mode_1"
    MODE_2 = "Mode_2"
    MODE_3 = "Mode_3"
    MODE_4 = "Mode_4"
    CHADEMO = "CHAdeMO"


class ConnectorCapability(StrEnum):
    """What one connector can do beyond its EVSE (OCPI 2.3.0, ConnectorCapability; Gireve takes it in 2.2.1)."""

    ISO_15118_2_PLUG_AND_CHARGE = "ISO_15118_2_PLUG_AND_CHARGE"
    ISO_15118_20_PLUG_AND_CHARGE = "ISO_15118_20_PLUG_AND_CHARGE"


class Capability(StrEnum):
    """What an EVSE can do (OCPI 2.2.1, mod_locations, Capability)."""

    CHARGING_PROFILE_CAPABLE = "CHARGING_PROFILE_CAPABLE"
    CHARGING_PREFERENCES_CAPABLE = "CHARGING_PREFERENCES_CAPABLE"
    CHIP_CARD_SUPPORT = "CHIP_CARD_SUPPORT"
    CONTACTLESS_CARD_SUPPORT = "CONTACTLESS_CARD_SUPPORT"
    CREDIT_CARD_PAYABLE = "CREDIT_CARD_PAYABLE"
    DEBIT_CARD_PAYABLE = "DEBIT_CARD_PAYABLE"
    PED_TERMINAL = "PED_TERMINAL"
    REMOTE_START_STOP_CAPABLE = "REMOTE_START_STOP_CAPABLE"
    RESERVABLE = "RESERVABLE"
    RFID_READER = "RFID_READER"
    START_SESSION_CONNECTOR_REQUIRED = "START_SESSION_CONNECTOR_REQUIRED"
    TOKEN_GROUP_CAPABLE = "TOKEN_GROUP_CAPABLE"
    UNLOCK_CAPABLE = "UNLOCK_CAPABLE"


class ParkingRestriction(StrEnum):
    """Who may park there (OCPI 2.2.1, mod_locations, ParkingRestriction)."""

    EV_ONLY = "EV_ONLY"
    PLUGGED = "PLUGGED"
    DISABLED = "DISABLED"
    CUSTOMERS = "CUSTOMERS"
    MOTORCYCLES = "MOTORCYCLES"


class ParkingType(StrEnum):
    """What kind of place it is (OCPI 2.2.1, mod_locations, ParkingType)."""

    ALONG_MOTORWAY = "ALONG_MOTORWAY"
    PARKING_GARAGE = "PARKING_GARAGE"
    PARKING_LOT = "PARKING_LOT"
    ON_DRIVEWAY = "ON_DRIVEWAY"
    ON_STREET = "ON_STREET"
    UNDERGROUND_GARAGE = "UNDERGROUND_GARAGE"


class Facility(StrEnum):
    """What else is there (OCPI 2.2.1, mod_locations, Facility)."""

    HOTEL = "HOTEL"
    RESTAURANT = "RESTAURANT"
    CAFE = "CAFE"
    MALL = "MALL"
    SUPERMARKET = "SUPERMARKET"
    SPORT = "SPORT"
    RECREATION_AREA = "RECREATION_AREA"
    NATURE = "NATURE"
    MUSEUM = "MUSEUM"
    BIKE_SHARING = "BIKE_SHARING"
    BUS_STOP = "BUS_STOP"
    TAXI_STAND = "TAXI_STAND"
    TRAM_STOP = "TRAM_STOP"
    METRO_STATION = "METRO_STATION"
    TRAIN_STATION = "TRAIN_STATION"
    AIRPORT = "AIRPORT"
    PARKING_LOT = "PARKING_LOT"
    CARPOOL_PARKING = "CARPOOL_PARKING"
    FUEL_STATION = "FUEL_STATION"
    WIFI = "WIFI"


class AuthenticationMode(StrEnum):
    """How a driver identifies (OICP 2.3, AuthenticationModeType)."""

    NFC_RFID_CLASSIC = "NFC RFID Classic"
    NFC_RFID_DESFIRE = "NFC RFID DESFire"
    PNC = "PnC"
    REMOTE = "REMOTE"
    DIRECT_PAYMENT = "Direct Payment"
    NO_AUTHENTICATION = "No Authentication Required"


class PaymentOption(StrEnum):
    """How a driver pays (OICP 2.3, PaymentOptionType)."""

    NO_PAYMENT = "No Payment"
    DIRECT = "Direct"
    CONTRACT = "Contract"


class ValueAddedService(StrEnum):
    """What else the station offers (OICP 2.3, ValueAddedServiceType)."""

    RESERVATION = "Reservation"
    DYNAMIC_PRICING = "DynamicPricing"
    PARKING_SENSORS = "ParkingSensors"
    MAXIMUM_POWER_CHARGING = "MaximumPowerCharging"
    PREDICTIVE_CHARGE_POINT_USAGE = "PredictiveChargePointUsage"
    CHARGING_PLANS = "ChargingPlans"
    ROOF_PROVIDED = "RoofProvided"
    NONE = "None"


class Accessibility(StrEnum):
    """Who may get to the station (OICP 2.3, AccessibilityType)."""

    FREE = "Free publicly accessible"
    RESTRICTED = "Restricted access"
    PAYING = "Paying publicly accessible"
    TEST_STATION = "Test Station"


class CalibrationLaw(StrEnum):
    """How calibration law data is given (OICP 2.3, CalibrationLawDataAvailabilityType)."""

    LOCAL = "Local"
    EXTERNAL = "External"
    NOT_AVAILABLE = "Not Available"


class DynamicInfo(StrEnum):
    """Whether a status is provided (OICP 2.3, DynamicInfoAvailable)."""

    TRUE = "true"
    FALSE = "false"
    AUTO = "auto"


class GeoPoint(Model):
    """A point on WGS 84, in decimal degrees."""

    latitude: Annotated[Number, Field(ge=-90, le=90)]
    longitude: Annotated[Number, Field(ge=-180, le=180)]


class RelatedPoint(Model):
    """A point of interest to the driver, such as an entrance."""

    point: GeoPoint
    name: LocalText | None = None


class RegularHours(Model):
    """Opening on one weekday, 1 Monday to 7 Sunday, local time."""

    weekday: Annotated[int, Field(ge=1, le=7)]
    begin: TimeOfDay
    end: TimeOfDay


class Period(Model):
    """A span of time."""

    begin: Instant
    end: Instant


class Hours(Model):
    """When a location is open; local time, never UTC."""

    twentyfourseven: bool
    regular: tuple[RegularHours, ...] = ()
    exceptional_openings: tuple[Period, ...] = ()
    exceptional_closings: tuple[Period, ...] = ()


class StatusSchedule(Model):
    """A status planned for a time to come; open-ended without an end."""

    begin: Instant
    end: Instant | None = None
    status: EvseStatus


class PublishToken(Model):
    """Whose app may show an unpublished location (OCPI 2.2.1, PublishTokenType)."""

    uid: str | None = None
    type: str | None = None
    visual_number: str | None = None
    issuer: str | None = None
    group_id: str | None = None


class Connector(Model):
    """A socket, or a cable with its plug; one at a time of an EVSE can be used.

    Attributes:
        max_voltage: Volt, line to neutral for AC_3_PHASE; None where the source does not say.
        max_amperage: Ampere; None where the source does not say.
        max_power: Watt; None where the source does not say.
    """

    id: Id
    standard: ConnectorStandard
    format: ConnectorFormat | None = None
    power_type: PowerType | None = None
    max_voltage: Annotated[int, Field(ge=0)] | None = None
    max_amperage: Annotated[int, Field(ge=0)] | None = None
    max_power: Annotated[Number, Field(ge=0)] | None = None
    tariff_ids: tuple[str, ...] = ()
    terms_and_conditions: str | None = None
    capabilities: tuple[ConnectorCapability, ...] = ()
    charging_modes: tuple[ChargingMode, ...] = ()
    last_updated: Instant
    unknown: Unknown = {}


class Evse(Model):
    """What supplies one vehicle at a time.

    Attributes:
        uid: Key within the location, given by the CPO.
        evse_id: The public id; not unique.
        station_id: The charging station (cabinet) that holds it (OICP ChargingStationID).
        station_names: The station's names by language (OICP ChargingStationNames), where they are not the location's.
        max_capacity: Capacity of a built-in battery, kWh.
    """

    uid: Id
    evse_id: EvseId | None = None
    status: EvseStatus
    status_schedule: tuple[StatusSchedule, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    connectors: tuple[Connector, ...] = ()
    floor_level: str | None = None
    coordinates: GeoPoint | None = None
    physical_reference: str | None = None
    directions: tuple[LocalText, ...] = ()
    parking_restrictions: tuple[ParkingRestriction, ...] = ()
    images: tuple[Image, ...] = ()
    station_id: str | None = None
    station_names: tuple[LocalText, ...] = ()
    authentication_modes: tuple[AuthenticationMode, ...] = ()
    payment_options: tuple[PaymentOption, ...] = ()
    value_added_services: tuple[ValueAddedService, ...] = ()
    accessibility: Accessibility | None = None
    calibration_law: CalibrationLaw | None = None
    hubject_compatible: bool | None = None
    dynamic_info: DynamicInfo | None = None
    dynamic_power: bool | None = None
    max_capacity: Number | None = None
    manufacturer: str | None = None
    additional_info: tuple[LocalText, ...] = ()
    clearinghouse_id: str | None = None
    hub_operator: PartyId | None = None
    last_updated: Instant
    unknown: Unknown = {}


class Location(Model):
    """A place with EVSEs, keyed by (party, id).

    Attributes:
        country: ISO 3166-1 alpha-3.
        time_zone: IANA name of the place's zone.
        pool_id: The charging pool (OICP ChargingPoolID, eMI3 `FR*ABC*P1`).
        hotline: Phone number for drivers, E.164 with `+`.
        last_updated: Never earlier than that of its EVSEs, nor theirs than that of their connectors.
    """

    party: PartyId
    id: Id
    publish: bool
    publish_allowed_to: tuple[PublishToken, ...] = ()
    name: str | None = None
    address: str
    city: str
    postal_code: str | None = None
    state: str | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    coordinates: GeoPoint
    related_locations: tuple[RelatedPoint, ...] = ()
    parking_type: ParkingType | None = None
    evses: tuple[Evse, ...] = ()
    directions: tuple[LocalText, ...] = ()
    operator: Business | None = None
    suboperator: Business | None = None
    owner: Business | None = None
    facilities: tuple[Facility, ...] = ()
    time_zone: str
    opening_times: Hours | None = None
    charging_when_closed: bool | None = None
    images: tuple[Image, ...] = ()
    energy_mix: EnergyMix | None = None
    pool_id: str | None = None
    hotline: str | None = None
    last_updated: Instant
    unknown: Unknown = {}


class EvseStatusReport(Model):
    """One EVSE's status at a moment, by key or by its public id.

    Attributes:
        evse_id: Names every EVSE of the reporting parties that has this id; or else
        party, location_id, evse_uid: name one.
        at: When the charge point entered the status; None means on arrival.
    """

    status: EvseStatus
    at: Instant | None = None
    evse_id: EvseId | None = None
    party: PartyId | None = None
    location_id: Id | None = None
    evse_uid: Id | None = None
