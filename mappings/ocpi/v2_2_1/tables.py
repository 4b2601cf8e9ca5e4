"""How every canonical field stands in OCPI 2.2.1; the page of the protocol and the tests of what is lost read this."""

from pydantic import BaseModel

from mappings.canonical.energy import EnergyMix, EnergySource, EnvironmentalImpact
from mappings.canonical.locations import (
    Connector,
    Evse,
    GeoPoint,
    Hours,
    Location,
    Period,
    PublishToken,
    RegularHours,
    RelatedPoint,
    StatusSchedule,
)
from mappings.canonical.parties import ClientInfo, Party
from mappings.canonical.tariffs import (
    ClockSpan,
    Money,
    PriceComponent,
    PriceRounding,
    Tariff,
    TariffElement,
    TariffHours,
    TariffRestrictions,
    Tax,
)
from mappings.canonical.texts import Business, Image, LocalText
from mappings.ocpi.v2_2_1 import enums, enums_charging, tables_charging
from mappings.tables import FieldRule as R
from mappings.tables import FieldTable

_NO_PLACE = "no place in OCPI 2.2.1"
_ID = "refused on the way out where longer than 36 characters"
_STAMP = "UTC; without designator it is UTC, with an offset the record is refused"
_MILLIS = "what is below a millisecond"
_PLACES = "places beyond seven, or six of a negative figure of all its digits"
_URL = "a URL of more than 255 characters"
_INFORMATIONAL = "an unknown word is kept beside the model"
_MEMBER = "an unknown word is left out of the list and kept beside the model"
_DEMANDED = "OCPI demands it: where the source lacks it, the operator's settings, else the connector is left out"
_UNKNOWN = "fields that OCPI lacks are kept and given back; raw values of its own that cannot be read are kept"
_DIALECT = "Gireve's dialect has a place for it"
_APPROXIMATED = "all of it, where an approximation is asked for"
_UP = "that it is up, which OCPI means anyhow; all of it, where an approximation is asked for"
_RAW = "raw values of OCPI's own fields are not said again"


def _cut(length: int) -> str:
    return f"what is beyond {length} characters"


LOCATION_MODELS: tuple[type[BaseModel], ...] = (
    *(Location, Evse, Connector, GeoPoint, RelatedPoint, Hours, RegularHours, Period, StatusSchedule),
    *(PublishToken, Business, Image, LocalText, EnergyMix, EnergySource, EnvironmentalImpact),
)
TARIFF_MODELS: tuple[type[BaseModel], ...] = (
    *(Tariff, TariffElement, PriceComponent, TariffRestrictions, Money, Tax),
    *(TariffHours, ClockSpan, PriceRounding),
)

LOCATIONS = FieldTable(
    "Locations (mod_locations)",
    LOCATION_MODELS,
    (
        R("Location.party", "country_code, party_id", "refused where it is no party, or out where it has a DIN code"),
        R("Location.id", "id", _ID),
        R("Location.publish", "publish", "refused where missing: whether a place is shown is never guessed"),
        R("Location.publish_allowed_to", "publish_allowed_to", "a token that cannot be read is left out"),
        R("Location.name", "name", "", _cut(255)),
        R("Location.address", "address", "empty, with an issue, where missing", _cut(255)),
        R("Location.city", "city", "empty, with an issue, where missing", _cut(45)),
        R("Location.postal_code", "postal_code", "", _cut(10)),
        R("Location.state", "state", "", _cut(45)),
        R("Location.country", "country", "alpha-3; alpha-2 and other cases are mended, else refused"),
        R("Location.coordinates", "coordinates", "refused where they cannot be read or are out of range"),
        R("Location.related_locations", "related_locations", "one that cannot be read is left out"),
        R("Location.parking_type", "parking_type", _INFORMATIONAL),
        R("Location.evses", "evses", "one without a uid is left out; out, one with no connector that can be said"),
        R("Location.directions", "directions"),
        R("Location.operator", "operator"),
        R("Location.suboperator", "suboperator"),
        R("Location.owner", "owner"),
        R("Location.facilities", "facilities", _MEMBER),
        R("Location.time_zone", "time_zone", "refused where it is no zone of the IANA database"),
        R("Location.opening_times", "opening_times", "kept beside the model, whole, where a part cannot be read"),
        R("Location.charging_when_closed", "charging_when_closed"),
        R("Location.images", "images"),
        R("Location.energy_mix", "energy_mix"),
        R("Location.pool_id", "", "", _NO_PLACE),
        R("Location.hotline", "", "", _NO_PLACE),
        R("Location.last_updated", "last_updated", f"{_STAMP}; raised to that of its EVSEs", _MILLIS),
        R("Location.unknown", "", _UNKNOWN, _RAW),
        R("Evse.uid", "uid", _ID),
        R("Evse.evse_id", "evse_id", "as given, in any form; an issue where malformed", _cut(48)),
        R("Evse.status", "status", "an unknown word is UNKNOWN, and kept beside the model"),
        R("Evse.status_schedule", "status_schedule", "an entry with an unknown status is left out"),
        R("Evse.capabilities", "capabilities", _MEMBER),
        R("Evse.connectors", "connectors", "one whose standard is unknown is left out"),
        R("Evse.floor_level", "floor_level", "", _cut(4)),
        R("Evse.coordinates", "coordinates", "kept beside the model where they cannot be read"),
        R("Evse.physical_reference", "physical_reference", "", _cut(16)),
        R("Evse.directions", "directions"),
        R("Evse.parking_restrictions", "parking_restrictions", _MEMBER),
        R("Evse.images", "images"),
        R("Evse.station_id", "", "", _NO_PLACE),
        R("Evse.station_names", "", "", _NO_PLACE),
        R("Evse.authentication_modes", "", "", _NO_PLACE),
        R("Evse.payment_options", "", "", _NO_PLACE),
        R("Evse.value_added_services", "", "", _NO_PLACE),
        R("Evse.accessibility", "", "", _NO_PLACE),
        R("Evse.calibration_law", "", "", _NO_PLACE),
        R("Evse.hubject_compatible", "", "", _NO_PLACE),
        R("Evse.dynamic_info", "", "", _NO_PLACE),
        R("Evse.dynamic_power", "", "", _NO_PLACE),
        R("Evse.max_capacity", "", "", _NO_PLACE),
        R("Evse.manufacturer", "", "", _NO_PLACE),
        R("Evse.additional_info", "", "", _NO_PLACE),
        R("Evse.clearinghouse_id", "", "", _NO_PLACE),
        R("Evse.hub_operator", "", "", _NO_PLACE),
        R("Evse.last_updated", "last_updated", f"{_STAMP}; the location's where missing; raised", _MILLIS),
        R("Evse.unknown", "", _UNKNOWN, _RAW),
        R("Connector.id", "id", _ID),
        R("Connector.standard", "standard", "a connector with an unknown standard is left out"),
        R("Connector.format", "format", f"{_INFORMATIONAL}. {_DEMANDED}"),
        R("Connector.power_type", "power_type", f"{_INFORMATIONAL}. {_DEMANDED}"),
        R("Connector.max_voltage", "max_voltage", _DEMANDED),
        R("Connector.max_amperage", "max_amperage", _DEMANDED),
        R("Connector.max_power", "max_electric_power", "an issue where hardly true", "fractions of a watt"),
        R("Connector.tariff_ids", "tariff_ids", "", "ids of more than 36 characters"),
        R("Connector.terms_and_conditions", "terms_and_conditions", "", _URL),
        R("Connector.capabilities", "", "Gireve's dialect has a place for it", _NO_PLACE),
        R("Connector.charging_modes", "", "", _NO_PLACE),
        R("Connector.last_updated", "last_updated", f"{_STAMP}; the EVSE's where missing", _MILLIS),
        R("Connector.unknown", "", _UNKNOWN, _RAW),
        R("GeoPoint.latitude", "latitude", "five to seven places, a decimal comma is mended", _PLACES),
        R("GeoPoint.longitude", "longitude", "five to seven places, a decimal comma is mended", _PLACES),
        R("RelatedPoint.point", "latitude, longitude"),
        R("RelatedPoint.name", "name"),
        R("Hours.twentyfourseven", "twentyfourseven"),
        R("Hours.regular", "regular_hours", "", "those beside 24 hours"),
        R("Hours.exceptional_openings", "exceptional_openings"),
        R("Hours.exceptional_closings", "exceptional_closings"),
        R("RegularHours.weekday", "weekday"),
        R("RegularHours.begin", "period_begin", "", "24:00 is said as 23:59"),
        R("RegularHours.end", "period_end", "", "24:00 is said as 23:59"),
        R("Period.begin", "period_begin", _STAMP, _MILLIS),
        R("Period.end", "period_end", _STAMP, _MILLIS),
        R("StatusSchedule.begin", "period_begin", _STAMP, _MILLIS),
        R("StatusSchedule.end", "period_end", _STAMP, _MILLIS),
        R("StatusSchedule.status", "status"),
        R("PublishToken.uid", "uid"),
        R("PublishToken.type", "type"),
        R("PublishToken.visual_number", "visual_number"),
        R("PublishToken.issuer", "issuer"),
        R("PublishToken.group_id", "group_id"),
        R("Business.name", "name", "", _cut(100)),
        R("Business.website", "website", "", _URL),
        R("Business.logo", "logo"),
        R("Business.unknown", "", _UNKNOWN, _RAW),
        R("Image.url", "url", "", f"the image with {_URL}"),
        R("Image.category", "category", "an unknown word is OTHER"),
        R("Image.type", "type", "", "the image with a type of more than four characters"),
        R("Image.thumbnail", "thumbnail", "", _URL),
        R("Image.width", "width"),
        R("Image.height", "height"),
        R("LocalText.language", "language", "", "all but the two letters of the language"),
        R("LocalText.text", "text", "", f"{_cut(512)}; a text whose language has no two letters"),
        R("EnergyMix.is_green_energy", "is_green_energy"),
        R("EnergyMix.sources", "energy_sources", "", "a source without its share"),
        R("EnergyMix.impacts", "environ_impact"),
        R("EnergyMix.supplier_name", "supplier_name", "", _cut(64)),
        R("EnergyMix.product_name", "energy_product_name", "", _cut(64)),
        R("EnergyMix.unknown", "", _UNKNOWN, _RAW),
        R("EnergySource.source", "source", "one that is unknown is left out", "see EnergySourceCategory"),
        R("EnergySource.percentage", "percentage"),
        R("EnvironmentalImpact.category", "category", "one that is unknown is left out"),
        R("EnvironmentalImpact.amount", "amount"),
    ),
)

TARIFFS = FieldTable(
    "Tariffs (mod_tariffs)",
    TARIFF_MODELS,
    (
        R("Tariff.party", "country_code, party_id", "refused where it is no party, or out where it has a DIN code"),
        R("Tariff.id", "id", "refused where it is not of 1 to 36 characters"),
        R("Tariff.target", "", "refused, since all would take it for theirs; Gireve's dialect has a place for it"),
        R("Tariff.currency", "currency", "refused where it is no ISO 4217 code"),
        R("Tariff.type", "type", "refused where unknown"),
        R("Tariff.texts", "tariff_alt_text", "one that cannot be read is left out"),
        R("Tariff.url", "tariff_alt_url", "", _URL),
        R("Tariff.min_price", "min_price"),
        R("Tariff.max_price", "max_price"),
        R("Tariff.elements", "elements", "refused where empty"),
        R("Tariff.hours", "", f"refused, or approximated by restrictions of the elements; {_DIALECT}", _APPROXIMATED),
        R("Tariff.start", "start_date_time", _STAMP, _MILLIS),
        R("Tariff.end", "end_date_time", _STAMP, _MILLIS),
        R("Tariff.energy_mix", "energy_mix"),
        R("Tariff.last_updated", "last_updated", _STAMP, _MILLIS),
        R("Tariff.unknown", "", _UNKNOWN, _RAW),
        R("TariffElement.price_components", "price_components", "refused where empty"),
        R("TariffElement.restrictions", "restrictions", "empty ones are none"),
        R("PriceComponent.type", "type", "refused where unknown, and out where OCPI has no word"),
        R("PriceComponent.price", "price", "", "digits beyond some fifteen"),
        R("PriceComponent.vat", "vat", "none is not zero; an issue where below one per cent", "as price"),
        R("PriceComponent.step_size", "step_size", "1 where a flat fee has none; else refused"),
        R("PriceComponent.price_rounding", "", f"refused, or left out by approximation; {_DIALECT}", _APPROXIMATED),
        R("PriceComponent.step_rounding", "", f"refused but for up; or left out by approximation; {_DIALECT}", _UP),
        R("PriceComponent.exact", "", _DIALECT, _NO_PLACE),
        R("PriceComponent.unknown", "", _UNKNOWN, _RAW),
        R("TariffRestrictions.start_time", "start_time", "refused where it cannot be read; zero seconds are mended"),
        R("TariffRestrictions.end_time", "end_time", "as start_time; 24:00 is 00:00"),
        R("TariffRestrictions.start_date", "start_date", "refused where it cannot be read"),
        R("TariffRestrictions.end_date", "end_date", "refused where it cannot be read"),
        R("TariffRestrictions.min_kwh", "min_kwh"),
        R("TariffRestrictions.max_kwh", "max_kwh"),
        R("TariffRestrictions.min_current", "min_current"),
        R("TariffRestrictions.max_current", "max_current"),
        R("TariffRestrictions.min_power", "min_power"),
        R("TariffRestrictions.max_power", "max_power"),
        R("TariffRestrictions.min_duration", "min_duration"),
        R("TariffRestrictions.max_duration", "max_duration"),
        R("TariffRestrictions.day_of_week", "day_of_week", "refused where one is unknown"),
        R("TariffRestrictions.reservation", "reservation", "refused where unknown"),
        R("TariffRestrictions.unknown", "", _UNKNOWN, _RAW),
        R("Money.net", "excl_vat", "", "digits beyond some fifteen"),
        R("Money.taxes", "incl_vat", "incl_vat less excl_vat is one tax named VAT", "all but the sum of the taxes"),
        *(R(f"TariffHours.{field}", "", "as Tariff.hours") for field in TariffHours.model_fields),
        *(R(f"ClockSpan.{field}", "", "as Tariff.hours") for field in ClockSpan.model_fields),
        *(R(f"PriceRounding.{field}", "", "as PriceComponent.price_rounding") for field in PriceRounding.model_fields),
        R("Tax.name", "", "VAT", "any other name"),
        R("Tax.percentage", "", "counted into incl_vat where there is no amount", _NO_PLACE),
        R("Tax.amount", "incl_vat"),
    ),
)

PARTIES = FieldTable(
    "Credentials (credentials)",
    (Party,),
    (
        R("Party.id", "roles[].country_code, roles[].party_id", "refused where it is no party"),
        R("Party.roles", "roles[].role", "one entry each; refused where unknown"),
        R("Party.business", "roles[].business_details", "roles of one party under several names stay apart"),
    ),
)

CLIENTS = FieldTable(
    "Parties behind a hub (mod_hub_client_info)",
    (ClientInfo,),
    (
        R("ClientInfo.party", "country_code, party_id", "refused where it is no party, or out where it has a DIN code"),
        R("ClientInfo.role", "role", "refused where unknown"),
        R("ClientInfo.status", "status", "refused where unknown: whom to send to is never guessed"),
        R("ClientInfo.last_updated", "last_updated", f"{_STAMP}; the time of arrival where missing", _MILLIS),
    ),
)

FIELDS: list[FieldTable] = [LOCATIONS, TARIFFS, PARTIES, CLIENTS, *tables_charging.FIELDS]
ENUMS = [*enums.ENUMS, *enums_charging.ENUMS]

NOTES = """
What the four rules for the unknown make of a field stands in its row; a value whose *type* is wrong is put right where
it has one reading (a number for a text, a text for a number or a boolean, one object where a list is wanted), each time
with an issue, and else falls under the same rule. A null is as good as an absent field. Fields that OCPI does not have
are kept and given back where the canonical model has an `unknown`, and left out elsewhere, with an issue each.
"""

__all__ = ["ENUMS", "FIELDS", "NOTES"]
