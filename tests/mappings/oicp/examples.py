"""Own examples, made to the protocol's rules."""

from datetime import UTC, datetime
from decimal import Decimal

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import (
    Accessibility,
    AuthenticationMode,
    CalibrationLaw,
    Capability,
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    Evse,
    EvseStatus,
    GeoPoint,
    Hours,
    Location,
    PaymentOption,
    PowerType,
)
from mappings.oicp.v2_3.defaults import OperatorDefaults

AT = datetime(2026, 6, 7, 18, 40, 7, tzinfo=UTC)
OPERATOR = PartyId("NL*ABC")
DEFAULTS = OperatorDefaults(
    hotline="+31201234567",
    accessibility=Accessibility.FREE,
    open_24_hours=True,
    renewable_energy=False,
    calibration_law=CalibrationLaw.NOT_AVAILABLE,
    authentication_modes=(AuthenticationMode.REMOTE,),
    payment_options=(PaymentOption.CONTRACT,),
    connector_format=ConnectorFormat.SOCKET,
    city="Utrecht",
)


def connector(**changes: object) -> Connector:
    fields: dict[str, object] = {
        "id": "1",
        "standard": ConnectorStandard.IEC_62196_T2,
        "format": ConnectorFormat.SOCKET,
        "power_type": PowerType.AC_3_PHASE,
        "max_voltage": 230,
        "max_amperage": 32,
        "max_power": Decimal(22000),
        "last_updated": AT,
    }
    return Connector.model_validate(fields | changes)


def evse(**changes: object) -> Evse:
    fields: dict[str, object] = {
        "uid": "E1",
        "evse_id": EvseId("NLABCE1"),
        "status": EvseStatus.AVAILABLE,
        "capabilities": (Capability.RFID_READER, Capability.REMOTE_START_STOP_CAPABLE),
        "connectors": (connector(),),
        "last_updated": AT,
    }
    return Evse.model_validate(fields | changes)


def location(*evses: Evse, **changes: object) -> Location:
    fields: dict[str, object] = {
        "party": OPERATOR,
        "id": "L1",
        "publish": True,
        "name": "Station Square",
        "address": "Oelenboom 8",
        "city": "Gieten",
        "postal_code": "9461VA",
        "country": "NLD",
        "coordinates": GeoPoint(latitude=Decimal("52.999552"), longitude=Decimal("6.756642")),
        "evses": evses or (evse(),),
        "time_zone": "Europe/Amsterdam",
        "opening_times": Hours(twentyfourseven=True),
        "last_updated": AT,
    }
    return Location.model_validate(fields | changes)


def record(**changes: object) -> dict[str, object]:
    """A record in the OpenAPI's form."""
    fields: dict[str, object] = {
        "EvseID": "NL*ABC*E1",
        "ChargingStationNames": [{"lang": "nl", "value": "Station Square"}],
        "Address": {
            "Country": "NLD",
            "City": "Gieten",
            "Street": "Oelenboom",
            "PostalCode": "9461VA",
            "HouseNum": "8",
            "TimeZone": "UTC+01:00",
        },
        "GeoCoordinates": {"DecimalDegree": {"Longitude": "6.756642", "Latitude": "52.999552"}},
        "Plugs": ["Type 2 Outlet"],
        "ChargingFacilities": [{"PowerType": "AC_3_PHASE", "Voltage": 230, "Amperage": 32, "Power": 22}],
        "RenewableEnergy": True,
        "CalibrationLawDataAvailability": "Not Available",
        "AuthenticationModes": ["NFC RFID Classic", "REMOTE"],
        "PaymentOptions": ["Contract"],
        "ValueAddedServices": ["None"],
        "Accessibility": "Free publicly accessible",
        "HotlinePhoneNumber": "+31201234567",
        "IsOpen24Hours": True,
        "IsHubjectCompatible": True,
        "DynamicInfoAvailable": "auto",
    }
    return fields | changes
