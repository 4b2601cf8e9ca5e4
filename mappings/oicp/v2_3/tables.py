"""What becomes of every canonical field and word in OICP 2.3: for the generated page, and for the tests to hold to."""

from typing import Any

from mappings.canonical.energy import EnergyMix, EnergySource, EnvironmentalImpact
from mappings.canonical.locations import (
    Connector,
    Evse,
    EvseStatusReport,
    GeoPoint,
    Hours,
    Location,
    RegularHours,
    RelatedPoint,
)
from mappings.canonical.texts import Business, Image, LocalText
from mappings.oicp.v2_3 import enums, tables_charging, tables_driving
from mappings.tables import EnumTable, FieldRule, FieldTable

_NO_PLACE = "OICP has no place for it"
_OTHER_MESSAGE = "Sent by another message"
_ASSIGNED = "Hubject assigns the time; what comes back is the time of the record"

_RULES = (
    FieldRule(
        "Location.party",
        "OperatorID",
        "the operator in each EvseID; the message names the connection's",
        "not said where the EvseID names another",
    ),
    FieldRule(
        "Location.id", "", "read: the pool's, else the station's, else the EVSE's id; in a pull its EvseID's", _NO_PLACE
    ),
    FieldRule("Location.publish", "", "read: true", "what is not published is not sent"),
    FieldRule("Location.publish_allowed_to", "", "", _NO_PLACE),
    FieldRule(
        "Location.name",
        "ChargingStationNames",
        "in the operator's default language; the address where missing; an EVSE's station names go before it",
        "cut to 150 characters; not said where the EVSE has station names",
    ),
    FieldRule(
        "Location.address",
        "Address.Street, Address.HouseNum",
        "the house number is taken off the end of the line, in some countries off its beginning",
        "doubled spaces and the comma beside the number; cut to 100 characters; filled with underscores below 2",
    ),
    FieldRule("Location.city", "Address.City", "mandatory", "cut to 50 characters"),
    FieldRule("Location.postal_code", "Address.PostalCode", "mandatory", "longer than 10 characters: not said"),
    FieldRule("Location.state", "Address.Region", "", "cut to 50 characters"),
    FieldRule("Location.country", "Address.Country"),
    FieldRule(
        "Location.coordinates",
        "GeoCoordinates.DecimalDegree",
        "an EVSE's own point goes before it; exchanged axes are put right where the country shows it",
        "rounded to six decimals; not said where the EVSE has its own",
    ),
    FieldRule("Location.related_locations", "GeoChargingPointEntrance", "the first", "all but the first point; names"),
    FieldRule("Location.parking_type", "AccessibilityLocation", "", "values without a word"),
    FieldRule("Location.evses", "EvseDataRecord", "one record each"),
    FieldRule(
        "Location.directions",
        "ChargingStationLocationReference",
        "an EVSE's own go before them",
        "come back as the EVSE's; texts cut to 150 characters",
    ),
    FieldRule("Location.operator", "OperatorName", "of the message, from the connection", "website, logo"),
    FieldRule(
        "Location.suboperator",
        "SubOperatorName",
        "else the operator's name where the EvseID names another party than the connection's",
        "website, logo; cut to 100 characters",
    ),
    FieldRule("Location.owner", "", "", _NO_PLACE),
    FieldRule("Location.facilities", "", "", _NO_PLACE),
    FieldRule(
        "Location.time_zone",
        "Address.TimeZone",
        "the zone's standard offset, summer and winter the same",
        "the zone's name; read from country and point",
    ),
    FieldRule("Location.opening_times", "IsOpen24Hours, OpeningTimes", "", "see Hours"),
    FieldRule("Location.charging_when_closed", "", "", _NO_PLACE),
    FieldRule(
        "Location.images", "ChargingStationImage", "the first; an EVSE's own goes before it", "come back as the EVSE's"
    ),
    FieldRule(
        "Location.energy_mix", "RenewableEnergy, EnergySource, EnvironmentalImpact", "mandatory", "see EnergyMix"
    ),
    FieldRule("Location.pool_id", "ChargingPoolID", "", "not said where it is no pool id like FR*ABC*P1"),
    FieldRule("Location.hotline", "HotlinePhoneNumber", "mandatory; digits after a plus", "spaces and other ornaments"),
    FieldRule("Location.last_updated", "", "read: the record's lastUpdate", _ASSIGNED),
    FieldRule("Location.unknown", "", "", _NO_PLACE),
    FieldRule("Evse.uid", "", "read: the EvseID", _NO_PLACE),
    FieldRule("Evse.evse_id", "EvseID", "with separators, capitals; mandatory, ISO or DIN"),
    FieldRule("Evse.status", "", "EvseStatusRecord; deltaType delete is read as REMOVED", _OTHER_MESSAGE),
    FieldRule("Evse.status_schedule", "", "", _NO_PLACE),
    FieldRule(
        "Evse.capabilities",
        "AuthenticationModes, PaymentOptions, ValueAddedServices",
        "where those are not said; read: RFID_READER, REMOTE_START_STOP_CAPABLE and RESERVABLE follow from them",
        "all that OICP's three lists do not say",
    ),
    FieldRule(
        "Evse.connectors",
        "Plugs, ChargingFacilities",
        "in step; doubles are said once",
        "connectors without a word or a power; which of equal ones it is",
    ),
    FieldRule("Evse.floor_level", "Address.Floor", "", "cut to 5 characters"),
    FieldRule("Evse.coordinates", "GeoCoordinates", "", "rounded to six decimals; comes back as the location's"),
    FieldRule("Evse.physical_reference", "", "", _NO_PLACE),
    FieldRule("Evse.directions", "ChargingStationLocationReference", "", "texts cut to 150 characters"),
    FieldRule("Evse.parking_restrictions", "", "", _NO_PLACE),
    FieldRule(
        "Evse.images", "ChargingStationImage", "the first, its address", "all but the first; links over 200 characters"
    ),
    FieldRule("Evse.station_id", "ChargingStationId", "", "not said above 50 characters"),
    FieldRule("Evse.station_names", "ChargingStationNames", "else the location's name", "texts cut to 150 characters"),
    FieldRule(
        "Evse.authentication_modes",
        "AuthenticationModes",
        "mandatory; where empty, what capabilities imply and the operator's defaults",
    ),
    FieldRule(
        "Evse.payment_options",
        "PaymentOptions",
        "mandatory; where empty, what capabilities imply, Contract where Hubject compatible, and the defaults",
        "No Payment beside others",
    ),
    FieldRule(
        "Evse.value_added_services",
        "ValueAddedServices",
        "mandatory; where empty, what capabilities imply and the operator's defaults",
    ),
    FieldRule("Evse.accessibility", "Accessibility", "mandatory"),
    FieldRule("Evse.calibration_law", "CalibrationLawDataAvailability", "mandatory"),
    FieldRule("Evse.hubject_compatible", "IsHubjectCompatible", "mandatory"),
    FieldRule("Evse.dynamic_info", "DynamicInfoAvailable", "mandatory"),
    FieldRule("Evse.dynamic_power", "DynamicPowerLevel"),
    FieldRule("Evse.max_capacity", "MaxCapacity", "", "rounded to whole kWh"),
    FieldRule("Evse.manufacturer", "HardwareManufacturer", "", "cut to 50 characters"),
    FieldRule("Evse.additional_info", "AdditionalInfo", "", "texts cut to 150 characters"),
    FieldRule("Evse.clearinghouse_id", "ClearinghouseID", "", "not said above 20 characters"),
    FieldRule("Evse.hub_operator", "HubOperatorID"),
    FieldRule("Evse.last_updated", "", "read: the record's lastUpdate", _ASSIGNED),
    FieldRule("Evse.unknown", "", "read: fields that OICP 2.3 does not have", _NO_PLACE),
    FieldRule("Connector.id", "", "read: its place in the list", _NO_PLACE),
    FieldRule("Connector.standard", "Plugs", "see the tables of plugs", "see the tables of plugs"),
    FieldRule("Connector.format", "Plugs", "DC out of type 2 is a cable", "where OICP has one word for both"),
    FieldRule(
        "Connector.power_type", "PowerType", "where missing: from the plug, else from the power", "two phases are one"
    ),
    FieldRule("Connector.max_voltage", "Voltage", "", "not said above 999 V; 0 is not known"),
    FieldRule("Connector.max_amperage", "Amperage", "", "not said above 99 A; 0 is not known"),
    FieldRule(
        "Connector.max_power",
        "Power",
        "whole kW; where missing from voltage and current",
        "rounded to whole kW, at least 1, at most 999",
    ),
    FieldRule("Connector.tariff_ids", "", "Hubject has pricing products instead", _OTHER_MESSAGE),
    FieldRule("Connector.terms_and_conditions", "", "", _NO_PLACE),
    FieldRule("Connector.capabilities", "AuthenticationModes", "Plug and charge is PnC", "which edition of ISO 15118"),
    FieldRule("Connector.charging_modes", "ChargingModes"),
    FieldRule("Connector.last_updated", "", "read: the record's lastUpdate", _ASSIGNED),
    FieldRule("Connector.unknown", "", "", _NO_PLACE),
    FieldRule("GeoPoint.latitude", "Latitude", "", "rounded to six decimals"),
    FieldRule("GeoPoint.longitude", "Longitude", "", "rounded to six decimals"),
    FieldRule("RelatedPoint.point", "GeoChargingPointEntrance", "", "rounded to six decimals"),
    FieldRule("RelatedPoint.name", "", "", _NO_PLACE),
    FieldRule("Hours.twentyfourseven", "IsOpen24Hours", "mandatory"),
    FieldRule("Hours.regular", "OpeningTimes", "days with equal hours under one word", "order; beside 24 hours: all"),
    FieldRule("Hours.exceptional_openings", "", "", _NO_PLACE),
    FieldRule("Hours.exceptional_closings", "", "", _NO_PLACE),
    FieldRule("RegularHours.weekday", "on"),
    FieldRule("RegularHours.begin", "Period.begin"),
    FieldRule("RegularHours.end", "Period.end", "read: past midnight is two days' hours"),
    FieldRule("EnergyMix.is_green_energy", "RenewableEnergy", "mandatory"),
    FieldRule("EnergyMix.sources", "EnergySource", "", "sources without a word"),
    FieldRule("EnergyMix.impacts", "EnvironmentalImpact", "", "the last of two figures for one impact is said"),
    FieldRule("EnergyMix.supplier_name", "", "", _NO_PLACE),
    FieldRule("EnergyMix.product_name", "", "", _NO_PLACE),
    FieldRule("EnergyMix.unknown", "", "", _NO_PLACE),
    FieldRule("EnergySource.source", "Energy", "", "values without a word"),
    FieldRule("EnergySource.percentage", "Percentage", "", "rounded to whole per cent; 100 is not said"),
    FieldRule("EnvironmentalImpact.category", "CO2Emission, NuclearWaste"),
    FieldRule("EnvironmentalImpact.amount", "CO2Emission, NuclearWaste", "", "beyond 99999 g/kWh"),
    FieldRule("Business.name", "SubOperatorName", "", "cut to 100 characters"),
    FieldRule("Business.website", "", "", _NO_PLACE),
    FieldRule("Business.logo", "", "", _NO_PLACE),
    FieldRule("Business.unknown", "", "", _NO_PLACE),
    FieldRule("LocalText.language", "lang", "lower case", "one that OICP's pattern excludes: becomes the default"),
    FieldRule("LocalText.text", "value", "", "cut to 150 characters"),
    FieldRule("Image.url", "ChargingStationImage", "", "not said above 200 characters"),
    FieldRule("Image.category", "", "read: CHARGER", _NO_PLACE),
    FieldRule("Image.type", "", "read from the link's end", _NO_PLACE),
    FieldRule("Image.thumbnail", "", "", _NO_PLACE),
    FieldRule("Image.width", "", "", _NO_PLACE),
    FieldRule("Image.height", "", "", _NO_PLACE),
)

EVSE_DATA = FieldTable(
    "OICP 2.3 EvseDataRecord",
    (
        Location,
        Evse,
        Connector,
        GeoPoint,
        RelatedPoint,
        Hours,
        RegularHours,
        EnergyMix,
        EnergySource,
        EnvironmentalImpact,
        Business,
        LocalText,
        Image,
    ),
    _RULES,
)

_BY_ID = "OICP names the EVSE by its public id alone"

EVSE_STATUS = FieldTable(
    "OICP 2.3 EvseStatusRecord",
    (EvseStatusReport,),
    (
        FieldRule("EvseStatusReport.status", "EvseStatus", "", "see the table of statuses"),
        FieldRule("EvseStatusReport.at", "", "", "a status counts from its arrival at Hubject"),
        FieldRule("EvseStatusReport.evse_id", "EvseID", "mandatory"),
        FieldRule("EvseStatusReport.party", "", "", _BY_ID),
        FieldRule("EvseStatusReport.location_id", "", "", _BY_ID),
        FieldRule("EvseStatusReport.evse_uid", "", "", _BY_ID),
    ),
)

FIELDS: list[FieldTable] = [EVSE_DATA, EVSE_STATUS, *tables_charging.FIELDS, *tables_driving.FIELDS]

ENUMS: list[tuple[str, EnumTable[Any, Any]]] = [
    ("EvseStatus", enums.EVSE_STATUS),
    ("Plug, of a socket", enums.SOCKETS),
    ("Plug, of an attached cable", enums.CABLES),
    ("PowerType", enums.POWER_TYPES),
    ("ChargingMode", enums.CHARGING_MODES),
    ("AuthenticationMode", enums.AUTHENTICATION_MODES),
    ("PaymentOption", enums.PAYMENT_OPTIONS),
    ("ValueAddedService", enums.VALUE_ADDED_SERVICES),
    ("Accessibility", enums.ACCESSIBILITY),
    ("AccessibilityLocation", enums.PARKING_TYPES),
    ("CalibrationLawDataAvailability", enums.CALIBRATION_LAW),
    ("DynamicInfoAvailable", enums.DYNAMIC_INFO),
    ("EnergyType", enums.ENERGY_SOURCES),
    ("EnvironmentalImpact", enums.IMPACTS),
    *tables_charging.ENUMS,
    *tables_driving.ENUMS,
]
