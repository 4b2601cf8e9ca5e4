"""The words of OICP 2.3, as spelt on the wire (CPO Data Types, Simple Specification Data Types)."""

from enum import StrEnum


class ActionType(StrEnum):
    """What a push does with its records."""

    FULL_LOAD = "fullLoad"
    """Replaces everything under the OperatorID."""
    UPDATE = "update"
    INSERT = "insert"
    DELETE = "delete"


class DeltaType(StrEnum):
    """What became of a record since the last call; assigned by Hubject, never sent to it."""

    UPDATE = "update"
    INSERT = "insert"
    DELETE = "delete"


class Plug(StrEnum):
    """PlugType; most words imply whether the cable is attached."""

    SMALL_PADDLE_INDUCTIVE = "Small Paddle Inductive"
    LARGE_PADDLE_INDUCTIVE = "Large Paddle Inductive"
    AVCON = "AVCON Connector"
    TESLA = "Tesla Connector"
    NEMA_5_20 = "NEMA 5-20"
    TYPE_E = "Type E French Standard"
    TYPE_F = "Type F Schuko"
    TYPE_G = "Type G British Standard"
    TYPE_J = "Type J Swiss Standard"
    TYPE_1_CABLE = "Type 1 Connector (Cable Attached)"
    TYPE_2_OUTLET = "Type 2 Outlet"
    TYPE_2_CABLE = "Type 2 Connector (Cable Attached)"
    TYPE_3_OUTLET = "Type 3 Outlet"
    IEC_60309_SINGLE = "IEC 60309 Single Phase"
    IEC_60309_THREE = "IEC 60309 Three Phase"
    CCS_2 = "CCS Combo 2 Plug (Cable Attached)"
    CCS_1 = "CCS Combo 1 Plug (Cable Attached)"
    CHADEMO = "CHAdeMO"


class PowerType(StrEnum):
    """PowerType of a ChargingFacility."""

    AC_1_PHASE = "AC_1_PHASE"
    AC_3_PHASE = "AC_3_PHASE"
    DC = "DC"


class ChargingMode(StrEnum):
    """ChargingModeType."""

    MODE_1 = "Mode_1"
    MODE_2 = "Mode_2"
    MODE_3 = "Mode_3"
    MODE_4 = "Mode_4"
    CHADEMO = "CHAdeMO"


class AuthenticationMode(StrEnum):
    """AuthenticationModeType."""

    NFC_RFID_CLASSIC = "NFC RFID Classic"
    NFC_RFID_DESFIRE = "NFC RFID DESFire"
    PNC = "PnC"
    REMOTE = "REMOTE"
    DIRECT_PAYMENT = "Direct Payment"
    NO_AUTHENTICATION = "No Authentication Required"


class PaymentOption(StrEnum):
    """PaymentOptionType; `No Payment` stands alone."""

    NO_PAYMENT = "No Payment"
    DIRECT = "Direct"
    CONTRACT = "Contract"


class ValueAddedService(StrEnum):
    """ValueAddedServiceType."""

    RESERVATION = "Reservation"
    DYNAMIC_PRICING = "DynamicPricing"
    PARKING_SENSORS = "ParkingSensors"
    MAXIMUM_POWER_CHARGING = "MaximumPowerCharging"
    PREDICTIVE_CHARGE_POINT_USAGE = "PredictiveChargePointUsage"
    CHARGING_PLANS = "ChargingPlans"
    ROOF_PROVIDED = "RoofProvided"
    NONE = "None"


class Accessibility(StrEnum):
    """AccessibilityType."""

    FREE = "Free publicly accessible"
    RESTRICTED = "Restricted access"
    PAYING = "Paying publicly accessible"
    TEST_STATION = "Test Station"


class AccessibilityLocation(StrEnum):
    """AccessibilityLocationType."""

    ON_STREET = "OnStreet"
    PARKING_LOT = "ParkingLot"
    PARKING_GARAGE = "ParkingGarage"
    UNDERGROUND_PARKING_GARAGE = "UndergroundParkingGarage"


class CalibrationLaw(StrEnum):
    """CalibrationLawDataAvailabilityType."""

    LOCAL = "Local"
    EXTERNAL = "External"
    NOT_AVAILABLE = "Not Available"


class DynamicInfo(StrEnum):
    """DynamicInfoAvailable: texts, not booleans."""

    TRUE = "true"
    FALSE = "false"
    AUTO = "auto"


class Energy(StrEnum):
    """EnergyType."""

    SOLAR = "Solar"
    WIND = "Wind"
    HYDRO_POWER = "HydroPower"
    GEOTHERMAL_ENERGY = "GeothermalEnergy"
    BIOMASS = "Biomass"
    COAL = "Coal"
    NUCLEAR_ENERGY = "NuclearEnergy"
    PETROLEUM = "Petroleum"
    NATURAL_GAS = "NaturalGas"


class Impact(StrEnum):
    """The two figures of EnvironmentalImpactType, g/kWh."""

    CO2_EMISSION = "CO2Emission"
    NUCLEAR_WASTE = "NuclearWaste"


class EvseStatus(StrEnum):
    """EvseStatusType."""

    AVAILABLE = "Available"
    RESERVED = "Reserved"
    OCCUPIED = "Occupied"
    OUT_OF_SERVICE = "OutOfService"
    EVSE_NOT_FOUND = "EvseNotFound"
    UNKNOWN = "Unknown"


class Day(StrEnum):
    """The `on` of OpeningTimesType."""

    EVERYDAY = "Everyday"
    WORKDAYS = "Workdays"
    WEEKEND = "Weekend"
    MONDAY = "Monday"
    TUESDAY = "Tuesday"
    WEDNESDAY = "Wednesday"
    THURSDAY = "Thursday"
    FRIDAY = "Friday"
    SATURDAY = "Saturday"
    SUNDAY = "Sunday"


class RfidType(StrEnum):
    """RFIDType: the technology of a card."""

    MIFARE_CLASSIC = "mifareCls"
    MIFARE_DESFIRE = "mifareDes"
    CALYPSO = "calypso"
    NFC = "nfc"
    MIFARE_FAMILY = "mifareFamily"


class HashFunction(StrEnum):
    """HashFunctionType."""

    BCRYPT = "Bcrypt"


class IdentificationKind(StrEnum):
    """The five options of IdentificationType, one of which is given."""

    MIFARE_FAMILY = "RFIDMifareFamilyIdentification"
    RFID = "RFIDIdentification"
    QR_CODE = "QRCodeIdentification"
    PLUG_AND_CHARGE = "PlugAndChargeIdentification"
    REMOTE = "RemoteIdentification"


class AuthorizationStatus(StrEnum):
    """AuthorizationStatusType."""

    AUTHORIZED = "Authorized"
    NOT_AUTHORIZED = "NotAuthorized"


class MeteringStatus(StrEnum):
    """MeteringStatusType."""

    START = "Start"
    PROGRESS = "Progress"
    END = "End"


class NotificationType(StrEnum):
    """ChargingNotificationType."""

    START = "Start"
    PROGRESS = "Progress"
    END = "End"
    ERROR = "Error"


class ErrorType(StrEnum):
    """ErrorClassType; the text parts the words by a space, the OpenAPI does not."""

    CONNECTOR = "ConnectorError"
    CRITICAL = "CriticalError"


class CommandCode(StrEnum):
    """The status codes that answer a command from an EMP; `status_codes` has them all."""

    SUCCESS = "000"
    NO_CONTRACT = "210"
    SERVICE_NOT_AVAILABLE = "320"
    SESSION_INVALID = "400"
    NO_COMMUNICATION = "501"
    NO_VEHICLE = "510"
    RESERVED = "601"
    IN_USE = "602"
    UNKNOWN_EVSE = "603"
    OUT_OF_SERVICE = "700"


class GeoFormat(StrEnum):
    """GeoCoordinatesResponseFormatType: how a pull's points are to be written."""

    GOOGLE = "Google"
    DEGREE_MINUTE_SECONDS = "DegreeMinuteSeconds"
    DECIMAL_DEGREE = "DecimalDegree"


class ReferenceUnit(StrEnum):
    """ReferenceUnitType: what a price is per."""

    HOUR = "HOUR"
    KILOWATT_HOUR = "KILOWATT_HOUR"
    MINUTE = "MINUTE"


class AdditionalReference(StrEnum):
    """AdditionalReferenceType: what is asked for beside a product's price."""

    START = "START FEE"
    FIXED = "FIXED FEE"
    PARKING = "PARKING FEE"
    MINIMUM = "MINIMUM FEE"
    MAXIMUM = "MAXIMUM FEE"
