"""What Hubject demands of a push's body, written down a second time.

The sandbox judges by these rules and not by the mapping's own models, since a misreading that both shared would never
be seen. They follow Hubject's OpenAPI of OICP 2.3, whose `maximum` on a text is its length, and the field tables of the
CPO Data Types. Lists that the real hub was seen to refuse when empty need a member. Unknown fields are passed over.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, NamedTuple, NotRequired

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from typing_extensions import TypedDict

_STRICT: Final = ConfigDict(strict=True, extra="ignore")

EVSE_ID: Final = re.compile(
    r"(?:[A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?E[A-Za-z0-9*]{1,30}|\+?[0-9]{1,3}\*[0-9]{3}\*[0-9*]{1,32})"
)
_DEGREE = r"-?1?[0-9]{1,2}\.[0-9]{1,6}"
_DMS = r"-?1?[0-9]{1,2}°[ ]?[0-9]{1,2}'[ ]?[0-9]{1,2}\.[0-9]+''"


def _matching(pattern: str) -> StringConstraints:
    return StringConstraints(pattern=f"^(?:{pattern})$")


EvseId = Annotated[str, _matching(EVSE_ID.pattern)]
OperatorId = Annotated[str, _matching(r"[A-Za-z]{2}\*?[A-Za-z0-9]{3}|\+?[0-9]{1,3}\*[0-9]{3}")]
Degree = Annotated[str, _matching(_DEGREE)]
DegreeMinuteSecond = Annotated[str, _matching(_DMS)]
TimeOfDay = Annotated[str, _matching(r"[0-9]{2}:[0-9]{2}")]
Text5 = Annotated[str, Field(max_length=5)]
Text10 = Annotated[str, Field(max_length=10)]
Text50 = Annotated[str, Field(max_length=50)]
Text100 = Annotated[str, Field(max_length=100)]
ActionType = Literal["fullLoad", "update", "insert", "delete"]


class InfoText(TypedDict):
    """InfoTextType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    lang: Annotated[str, _matching(r"[a-z]{2,3}(?:-[A-Z]{2,3}(?:-[a-zA-Z]{4})?)?(?:-x-[a-zA-Z0-9]{1,8})?")]
    value: Annotated[str, Field(max_length=150)]


class Address(TypedDict):
    """AddressIso19773Type."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Country: Annotated[str, _matching("[A-Z]{3}")]
    City: Annotated[str, Field(min_length=1, max_length=50)]
    Street: Annotated[str, Field(min_length=2, max_length=100)]
    PostalCode: Text10
    HouseNum: Text10
    Floor: NotRequired[Text5]
    Region: NotRequired[Text50]
    ParkingFacility: NotRequired[bool]
    ParkingSpot: NotRequired[Text5]
    TimeZone: NotRequired[Annotated[str, _matching(r"UTC[+,-][0-9]{2}:[0-9]{2}")]]


class Google(TypedDict):
    """GeoCoordinatesGoogleType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Coordinates: Annotated[str, _matching(rf"{_DEGREE}\s*,?\s*{_DEGREE}")]


class DecimalDegree(TypedDict):
    """GeoCoordinatesDecimalDegreeType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Longitude: Degree
    Latitude: Degree


class DegreeMinuteSeconds(TypedDict):
    """GeoCoordinatesDegreeMinuteSecondsType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Longitude: DegreeMinuteSecond
    Latitude: DegreeMinuteSecond


class GeoCoordinates(TypedDict):
    """GeoCoordinatesType: one of the three, which `consistency` looks after."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Google: NotRequired[Google]
    DecimalDegree: NotRequired[DecimalDegree]
    DegreeMinuteSeconds: NotRequired[DegreeMinuteSeconds]


class ChargingFacility(TypedDict):
    """ChargingFacilityType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    PowerType: Literal["AC_1_PHASE", "AC_3_PHASE", "DC"]
    Voltage: NotRequired[Annotated[int, Field(ge=0, le=999)]]
    Amperage: NotRequired[Annotated[int, Field(ge=0, le=99)]]
    Power: Annotated[int, Field(ge=0, le=999)]
    ChargingModes: NotRequired[list[Literal["Mode_1", "Mode_2", "Mode_3", "Mode_4", "CHAdeMO"]]]


class EnergySource(TypedDict):
    """EnergySourceType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Energy: NotRequired[
        Literal[
            "Solar",
            "Wind",
            "HydroPower",
            "GeothermalEnergy",
            "Biomass",
            "Coal",
            "NuclearEnergy",
            "Petroleum",
            "NaturalGas",
        ]
    ]
    Percentage: NotRequired[Annotated[int, Field(ge=0, le=99)]]


class EnvironmentalImpact(TypedDict):
    """EnvironmentalImpactType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    CO2Emission: NotRequired[Annotated[float, Field(le=99999)]]
    NuclearWaste: NotRequired[Annotated[float, Field(le=99999)]]


class Period(TypedDict):
    """PeriodType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    begin: TimeOfDay
    end: TimeOfDay


class OpeningTimes(TypedDict):
    """OpeningTimesType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    Period: list[Period]
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


PlugType = Literal[
    "Small Paddle Inductive",
    "Large Paddle Inductive",
    "AVCON Connector",
    "Tesla Connector",
    "NEMA 5-20",
    "Type E French Standard",
    "Type F Schuko",
    "Type G British Standard",
    "Type J Swiss Standard",
    "Type 1 Connector (Cable Attached)",
    "Type 2 Outlet",
    "Type 2 Connector (Cable Attached)",
    "Type 3 Outlet",
    "IEC 60309 Single Phase",
    "IEC 60309 Three Phase",
    "CCS Combo 2 Plug (Cable Attached)",
    "CCS Combo 1 Plug (Cable Attached)",
    "CHAdeMO",
]
AuthenticationMode = Literal[
    "NFC RFID Classic", "NFC RFID DESFire", "PnC", "REMOTE", "Direct Payment", "No Authentication Required"
]
PaymentOption = Literal["No Payment", "Direct", "Contract"]
ValueAddedService = Literal[
    "Reservation",
    "DynamicPricing",
    "ParkingSensors",
    "MaximumPowerCharging",
    "PredictiveChargePointUsage",
    "ChargingPlans",
    "RoofProvided",
    "None",
]


class EvseDataRecord(TypedDict):
    """EvseDataRecordType as it may be pushed."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    EvseID: EvseId
    ChargingPoolID: NotRequired[Annotated[str, _matching(r"[A-Za-z]{2}\*?[A-Za-z0-9]{3}\*?P[A-Za-z0-9*]{1,30}")]]
    ChargingStationId: NotRequired[Text50]
    ChargingStationID: NotRequired[Text50]
    ChargingStationNames: Annotated[list[InfoText], Field(min_length=1)]
    HardwareManufacturer: NotRequired[Text50]
    ChargingStationImage: NotRequired[Annotated[str, Field(max_length=200)]]
    SubOperatorName: NotRequired[Text100]
    Address: Address
    GeoCoordinates: GeoCoordinates
    Plugs: Annotated[list[PlugType], Field(min_length=1)]
    DynamicPowerLevel: NotRequired[bool]
    ChargingFacilities: Annotated[list[ChargingFacility], Field(min_length=1)]
    RenewableEnergy: bool
    EnergySource: NotRequired[list[EnergySource]]
    EnvironmentalImpact: NotRequired[EnvironmentalImpact]
    CalibrationLawDataAvailability: Literal["Local", "External", "Not Available"]
    AuthenticationModes: Annotated[list[AuthenticationMode], Field(min_length=1)]
    MaxCapacity: NotRequired[int]
    PaymentOptions: Annotated[list[PaymentOption], Field(min_length=1)]
    ValueAddedServices: Annotated[list[ValueAddedService], Field(min_length=1)]
    Accessibility: Literal[
        "Free publicly accessible", "Restricted access", "Paying publicly accessible", "Test Station"
    ]
    AccessibilityLocation: NotRequired[Literal["OnStreet", "ParkingLot", "ParkingGarage", "UndergroundParkingGarage"]]
    HotlinePhoneNumber: Annotated[str, _matching(r"\+[0-9]{5,15}")]
    AdditionalInfo: NotRequired[list[InfoText]]
    ChargingStationLocationReference: NotRequired[list[InfoText]]
    GeoChargingPointEntrance: NotRequired[GeoCoordinates]
    IsOpen24Hours: bool
    OpeningTimes: NotRequired[list[OpeningTimes]]
    HubOperatorID: NotRequired[OperatorId]
    ClearinghouseID: NotRequired[Annotated[str, Field(max_length=20)]]
    IsHubjectCompatible: bool
    DynamicInfoAvailable: Literal["true", "false", "auto"]


class EvseStatusRecord(TypedDict):
    """EvseStatusRecordType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    EvseID: EvseId
    EvseStatus: Literal["Available", "Reserved", "Occupied", "OutOfService", "EvseNotFound", "Unknown"]


class OperatorEvseData(TypedDict):
    """OperatorEvseDataType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    OperatorID: OperatorId
    OperatorName: Text100
    EvseDataRecord: list[EvseDataRecord]


class OperatorEvseStatus(TypedDict):
    """OperatorEvseStatusType."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    OperatorID: OperatorId
    OperatorName: NotRequired[Text100]
    EvseStatusRecord: list[EvseStatusRecord]


class PushEvseData(TypedDict):
    """eRoamingPushEvseData."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ActionType: ActionType
    OperatorEvseData: OperatorEvseData


class PushEvseStatus(TypedDict):
    """eRoamingPushEvseStatus."""

    __pydantic_config__ = _STRICT  # type: ignore[misc]
    ActionType: ActionType
    OperatorEvseStatus: OperatorEvseStatus


class Wrong(NamedTuple):
    """One thing that is wrong, as Hubject names it: the field, and what is the matter."""

    field: str
    text: str


_DATA: Final[TypeAdapter[PushEvseData]] = TypeAdapter(PushEvseData)
_STATUS: Final[TypeAdapter[PushEvseStatus]] = TypeAdapter(PushEvseStatus)


def shape_of_data(body: Any) -> list[Wrong]:
    """Says what is wrong with the shape of a parsed eRoamingPushEvseData."""
    return shape(_DATA, body)


def shape_of_status(body: Any) -> list[Wrong]:
    """Says what is wrong with the shape of a parsed eRoamingPushEvseStatus."""
    return shape(_STATUS, body)


def shape(adapter: TypeAdapter[Any], body: Any) -> list[Wrong]:
    """Says where a parsed body does not fit a shape."""
    try:
        adapter.validate_python(body)
    except ValidationError as error:
        return [Wrong(_path(item["loc"]), item["msg"]) for item in error.errors(include_url=False, include_input=False)]
    return []


def _path(location: Iterable[int | str]) -> str:
    """`operatorEvseData.evseDataRecord[0].plugs`, the way the real hub was seen to write it."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part[:1].lower()}{part[1:]}"
    return path.removeprefix(".")


def consistency(records: Iterable[dict[str, Any]]) -> list[Wrong]:
    """Says where well-shaped EvseDataRecords contradict themselves.

    Opening times are not asked for where a station is not always open: records without them are public at Hubject.
    """
    found = []
    for index, record in enumerate(records):
        # CPO Data Types, GeoCoordinatesType: one of the three MUST be provided.
        if len(record["GeoCoordinates"]) != 1:
            found.append(Wrong(f"operatorEvseData.evseDataRecord[{index}].geoCoordinates", "one form is needed"))
        # CPO Data Types, PaymentOptionType: No Payment cannot be combined.
        if "No Payment" in record["PaymentOptions"] and len(record["PaymentOptions"]) > 1:
            found.append(Wrong(f"operatorEvseData.evseDataRecord[{index}].paymentOptions", "No Payment stands alone"))
    return found
