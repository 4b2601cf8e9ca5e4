"""The vocabularies of OCPI 2.2.1's versions, credentials, locations and tariffs, and their canonical counterparts.

The canonical vocabulary is OCPI's where it has a word, so most rows are plain; a table says what is not.
"""

from enum import StrEnum
from typing import Any, TypeVar

from mappings.canonical.energy import EnergySourceCategory, ImpactCategory
from mappings.canonical.locations import (
    Capability,
    ConnectorFormat,
    ConnectorStandard,
    EvseStatus,
    Facility,
    ParkingRestriction,
    ParkingType,
    PowerType,
)
from mappings.canonical.parties import ClientStatus, Role
from mappings.canonical.tariffs import DayOfWeek, ReservationRestriction, TariffDimension, TariffType
from mappings.canonical.texts import ImageCategory
from mappings.tables import EnumTable, Lossy, NotSaid

C = TypeVar("C", bound=StrEnum)
W = TypeVar("W", bound=StrEnum)


class WireStatus(StrEnum):
    """mod_locations, Status."""

    AVAILABLE = "AVAILABLE"
    BLOCKED = "BLOCKED"
    CHARGING = "CHARGING"
    INOPERATIVE = "INOPERATIVE"
    OUTOFORDER = "OUTOFORDER"
    PLANNED = "PLANNED"
    REMOVED = "REMOVED"
    RESERVED = "RESERVED"
    UNKNOWN = "UNKNOWN"


class WireConnectorType(StrEnum):
    """mod_locations, ConnectorType."""

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


class WireConnectorFormat(StrEnum):
    """mod_locations, ConnectorFormat."""

    SOCKET = "SOCKET"
    CABLE = "CABLE"


class WirePowerType(StrEnum):
    """mod_locations, PowerType."""

    AC_1_PHASE = "AC_1_PHASE"
    AC_2_PHASE = "AC_2_PHASE"
    AC_2_PHASE_SPLIT = "AC_2_PHASE_SPLIT"
    AC_3_PHASE = "AC_3_PHASE"
    DC = "DC"


class WireCapability(StrEnum):
    """mod_locations, Capability."""

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


class WireParkingRestriction(StrEnum):
    """mod_locations, ParkingRestriction."""

    EV_ONLY = "EV_ONLY"
    PLUGGED = "PLUGGED"
    DISABLED = "DISABLED"
    CUSTOMERS = "CUSTOMERS"
    MOTORCYCLES = "MOTORCYCLES"


class WireParkingType(StrEnum):
    """mod_locations, ParkingType."""

    ALONG_MOTORWAY = "ALONG_MOTORWAY"
    PARKING_GARAGE = "PARKING_GARAGE"
    PARKING_LOT = "PARKING_LOT"
    ON_DRIVEWAY = "ON_DRIVEWAY"
    ON_STREET = "ON_STREET"
    UNDERGROUND_GARAGE = "UNDERGROUND_GARAGE"


class WireFacility(StrEnum):
    """mod_locations, Facility."""

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


class WireImageCategory(StrEnum):
    """mod_locations, ImageCategory."""

    CHARGER = "CHARGER"
    ENTRANCE = "ENTRANCE"
    LOCATION = "LOCATION"
    NETWORK = "NETWORK"
    OPERATOR = "OPERATOR"
    OTHER = "OTHER"
    OWNER = "OWNER"


class WireEnergySourceCategory(StrEnum):
    """mod_locations, EnergySourceCategory."""

    NUCLEAR = "NUCLEAR"
    GENERAL_FOSSIL = "GENERAL_FOSSIL"
    COAL = "COAL"
    GAS = "GAS"
    GENERAL_GREEN = "GENERAL_GREEN"
    SOLAR = "SOLAR"
    WIND = "WIND"
    WATER = "WATER"


class WireImpactCategory(StrEnum):
    """mod_locations, EnvironmentalImpactCategory."""

    NUCLEAR_WASTE = "NUCLEAR_WASTE"
    CARBON_DIOXIDE = "CARBON_DIOXIDE"


class WireTariffType(StrEnum):
    """mod_tariffs, TariffType."""

    AD_HOC_PAYMENT = "AD_HOC_PAYMENT"
    PROFILE_CHEAP = "PROFILE_CHEAP"
    PROFILE_FAST = "PROFILE_FAST"
    PROFILE_GREEN = "PROFILE_GREEN"
    REGULAR = "REGULAR"


class WireTariffDimension(StrEnum):
    """mod_tariffs, TariffDimensionType."""

    ENERGY = "ENERGY"
    FLAT = "FLAT"
    PARKING_TIME = "PARKING_TIME"
    TIME = "TIME"


class WireDayOfWeek(StrEnum):
    """mod_tariffs, DayOfWeek."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class WireReservationRestriction(StrEnum):
    """mod_tariffs, ReservationRestrictionType."""

    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"


class WireRole(StrEnum):
    """types, Role."""

    CPO = "CPO"
    EMSP = "EMSP"
    HUB = "HUB"
    NAP = "NAP"
    NSP = "NSP"
    OTHER = "OTHER"
    SCSP = "SCSP"


class WireConnectionStatus(StrEnum):
    """mod_hub_client_info, ConnectionStatus."""

    CONNECTED = "CONNECTED"
    OFFLINE = "OFFLINE"
    PLANNED = "PLANNED"
    SUSPENDED = "SUSPENDED"


class InterfaceRole(StrEnum):
    """version information endpoint, InterfaceRole; a fact of the connection, so it has no canonical counterpart."""

    SENDER = "SENDER"
    RECEIVER = "RECEIVER"


class ModuleId(StrEnum):
    """version information endpoint, ModuleID; others may be agreed on, and stay texts."""

    CDRS = "cdrs"
    CHARGING_PROFILES = "chargingprofiles"
    COMMANDS = "commands"
    CREDENTIALS = "credentials"
    HUB_CLIENT_INFO = "hubclientinfo"
    LOCATIONS = "locations"
    SESSIONS = "sessions"
    TARIFFS = "tariffs"
    TOKENS = "tokens"


def same(canonical: type[C], wire: type[W], but: dict[C, W | Lossy[W] | NotSaid] | None = None) -> EnumTable[C, W]:
    """A table of two enums that share their words, but for the rows given; it still fails where one has more."""
    rows: dict[C, W | Lossy[W] | NotSaid] = {
        member: wire(member.value) for member in canonical if member not in (but or {})
    }
    return EnumTable(canonical, wire, {**rows, **(but or {})})


STATUSES = same(EvseStatus, WireStatus)
CONNECTOR_STANDARDS = same(
    ConnectorStandard, WireConnectorType, {ConnectorStandard.AVCON: NotSaid("OCPI has no word for AVCON")}
)
CONNECTOR_FORMATS = same(ConnectorFormat, WireConnectorFormat)
POWER_TYPES = same(PowerType, WirePowerType)
CAPABILITIES = same(Capability, WireCapability)
PARKING_RESTRICTIONS = same(ParkingRestriction, WireParkingRestriction)
PARKING_TYPES = same(ParkingType, WireParkingType)
FACILITIES = same(Facility, WireFacility)
IMAGE_CATEGORIES = same(ImageCategory, WireImageCategory)
ENERGY_SOURCES = same(
    EnergySourceCategory,
    WireEnergySourceCategory,
    {
        EnergySourceCategory.GEOTHERMAL: Lossy(WireEnergySourceCategory.GENERAL_GREEN, "that it is geothermal"),
        EnergySourceCategory.BIOMASS: Lossy(WireEnergySourceCategory.GENERAL_GREEN, "that it is biomass"),
        EnergySourceCategory.PETROLEUM: Lossy(WireEnergySourceCategory.GENERAL_FOSSIL, "that it is petroleum"),
    },
)
IMPACTS = same(ImpactCategory, WireImpactCategory)
ROLES = same(Role, WireRole)
CLIENT_STATUSES = same(ClientStatus, WireConnectionStatus)
TARIFF_TYPES = same(TariffType, WireTariffType)
TARIFF_DIMENSIONS = same(
    TariffDimension,
    WireTariffDimension,
    {TariffDimension.SESSION_TIME: NotSaid("plain OCPI prices charging and parking time apart")},
)
DAYS_OF_WEEK = same(DayOfWeek, WireDayOfWeek)
RESERVATION_RESTRICTIONS = same(ReservationRestriction, WireReservationRestriction)

ENUMS: list[tuple[str, EnumTable[Any, Any]]] = [
    ("Status", STATUSES),
    ("ConnectorType", CONNECTOR_STANDARDS),
    ("ConnectorFormat", CONNECTOR_FORMATS),
    ("PowerType", POWER_TYPES),
    ("Capability", CAPABILITIES),
    ("ParkingRestriction", PARKING_RESTRICTIONS),
    ("ParkingType", PARKING_TYPES),
    ("Facility", FACILITIES),
    ("ImageCategory", IMAGE_CATEGORIES),
    ("EnergySourceCategory", ENERGY_SOURCES),
    ("EnvironmentalImpactCategory", IMPACTS),
    ("Role", ROLES),
    ("ConnectionStatus", CLIENT_STATUSES),
    ("TariffType", TARIFF_TYPES),
    ("TariffDimensionType", TARIFF_DIMENSIONS),
    ("DayOfWeek", DAYS_OF_WEEK),
    ("ReservationRestrictionType", RESERVATION_RESTRICTIONS),
]
