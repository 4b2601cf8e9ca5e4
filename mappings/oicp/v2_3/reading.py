"""A location with one EVSE from an EvseDataRecord in any of the forms seen in the wild."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import Evse, EvseStatus, GeoPoint, Id, Location, RelatedPoint
from mappings.canonical.regions import REGIONS, region_of
from mappings.canonical.texts import Business, Image, ImageCategory
from mappings.oicp import times
from mappings.oicp.v2_3 import address, coordinates, energy, facilities, forms, opening_times, traits
from mappings.oicp.v2_3.enums import (
    PARKING_TYPES,
)
from mappings.oicp.v2_3.texts import phone, read_info_texts
from mappings.oicp.v2_3.values import boolean, number, text, word
from mappings.oicp.v2_3.vocabulary import DeltaType
from mappings.oicp.v2_3.wire import Address, PullEvseDataRecord, Record
from mappings.report import Issue, IssueKind, Report
from mappings.trusted import build

_ID = TypeAdapter(Id)
_OFFSET = re.compile(r"UTC([+-])(\d{2}):(\d{2})")
_IMAGE_TYPES = frozenset({"gif", "jpeg", "jpg", "png", "svg"})

STATUS_OF_DELTA: Mapping[str, EvseStatus] = MappingProxyType(
    {
        DeltaType.INSERT.value: EvseStatus.UNKNOWN,
        DeltaType.UPDATE.value: EvseStatus.UNKNOWN,
        DeltaType.DELETE.value: EvseStatus.REMOVED,
    }
)
"""A record says nothing of the EVSE's status, but that it is gone."""


def to_canonical(
    record: Mapping[Any, Any],
    at: datetime,
    operator_id: str | None = None,
    operator_name: str | None = None,
    key: str | None = None,
) -> tuple[Location, list[Issue]]:
    """Reads one record as a location with that one EVSE.

    Args:
        record: The record, in any of the forms that `forms` lists.
        at: When it was received; stands for a missing `lastUpdate`.
        operator_id: The OperatorID above the record, taken where the EvseID names no operator; a record's own goes
            before it.
        operator_name: The OperatorName above it, likewise.
        key: Id of the location and uid of its EVSE, where a record shall have the same in every pull.

    Returns:
        The location and what was noted. Without a key its id is the pool's, else the station's, else the EVSE's;
        `group` puts the EVSEs of a place together.

    Raises:
        Refused: There is no EvseID, operator, country or point.
    """
    report = Report()
    values, unknown = forms.fields(PullEvseDataRecord, record)
    place, more = forms.fields(Address, values["Address"]) if isinstance(values.get("Address"), Mapping) else ({}, {})
    unknown.update({f"Address.{key}": value for key, value in more.items()})
    unknown.update({key: place[key] for key in ("ParkingFacility", "ParkingSpot") if key in place})
    evse_id = _evse_id(values, report)
    operator_id = text(values.get("OperatorID"), "OperatorID", report) or operator_id
    operator_name = text(values.get("OperatorName"), "OperatorName", report) or operator_name
    party = _party(evse_id, operator_id, report)
    country = _country(place, report)
    point = _point(values, country, report)
    updated = _updated(values, at, report)
    parking_type = word(PARKING_TYPES, values, "AccessibilityLocation", unknown, report)
    evse = _evse(values, place, key or evse_id.text.strip(), evse_id, unknown, updated, report)
    pool_id = text(values.get("ChargingPoolID"), "ChargingPoolID", report)
    entrance = coordinates.read(values.get("GeoChargingPointEntrance"), "GeoChargingPointEntrance", report)
    suboperator = text(values.get("SubOperatorName"), "SubOperatorName", report)
    street = text(place.get("Street"), "Address.Street", report) or ""
    house_number = text(place.get("HouseNum"), "Address.HouseNum", report)
    postal_code = text(place.get("PostalCode"), "Address.PostalCode", report)
    fields = {
        "party": party,
        "id": key or next(one for one in (_id(pool_id), _id(evse.station_id), evse.uid) if one is not None),
        "publish": True,
        "name": evse.station_names[0].text if evse.station_names else None,
        "address": address.join("" if street.casefold() in address.NO_NUMBER else street, house_number, country),
        "city": text(place.get("City"), "Address.City", report) or "",
        "postal_code": None if postal_code is None or postal_code.casefold() in address.NO_NUMBER else postal_code,
        "state": text(place.get("Region"), "Address.Region", report),
        "country": country,
        "coordinates": point,
        "related_locations": () if entrance is None else (RelatedPoint(point=entrance),),
        "parking_type": parking_type,
        "evses": (evse,),
        "operator": None if operator_name is None else build(Business, {"name": operator_name}),
        "suboperator": None if suboperator is None else Business(name=suboperator),
        "time_zone": _zone(country, point, place.get("TimeZone"), report),
        "opening_times": opening_times.read(
            values.get("OpeningTimes"),
            boolean(values.get("IsOpen24Hours"), "IsOpen24Hours", report),
            "OpeningTimes",
            report,
        ),
        "energy_mix": energy.read(values, report),
        "pool_id": pool_id,
        "hotline": _hotline(values, report),
        "last_updated": updated,
    }
    return build(Location, fields), report.issues


def _evse(
    values: Record, place: Record, uid: str, evse_id: EvseId, unknown: Record, updated: datetime, report: Report
) -> Evse:
    delta = str(values.get("deltaType"))
    fields = {
        **traits.read(values, unknown, report),
        "uid": uid,
        "evse_id": evse_id,
        "status": STATUS_OF_DELTA.get(delta, EvseStatus.UNKNOWN),
        "connectors": facilities.read(values.get("Plugs"), values.get("ChargingFacilities"), updated, report),
        "floor_level": text(place.get("Floor"), "Address.Floor", report),
        "directions": read_info_texts(
            values.get("ChargingStationLocationReference"), "ChargingStationLocationReference", report
        ),
        "images": _images(values, unknown, report),
        "station_id": text(values.get("ChargingStationId"), "ChargingStationId", report),
        "station_names": read_info_texts(values.get("ChargingStationNames"), "ChargingStationNames", report),
        "max_capacity": number(values.get("MaxCapacity"), "MaxCapacity", report),
        "manufacturer": text(values.get("HardwareManufacturer"), "HardwareManufacturer", report),
        "additional_info": read_info_texts(values.get("AdditionalInfo"), "AdditionalInfo", report),
        "clearinghouse_id": text(values.get("ClearinghouseID"), "ClearinghouseID", report),
        "hub_operator": _hub_operator(values, unknown, report),
        "last_updated": updated,
        "unknown": unknown,
    }
    return build(Evse, fields)


def _evse_id(values: Record, report: Report) -> EvseId:
    given = values.get("EvseID")
    if not isinstance(given, str) or _id(given.strip()) is None:
        raise report.refuse("EvseID", "missing, or not printable ASCII of at most 48 characters", given)
    evse_id = EvseId(given)
    if not evse_id.well_formed:
        report.add(IssueKind.SUSPECT, "EvseID", "neither an ISO nor a DIN EvseID", given)
    return evse_id


def _party(evse_id: EvseId, operator_id: str | None, report: Report) -> PartyId:
    given: PartyId | None = None
    if operator_id is not None:
        try:
            given = _party_id(operator_id)
        except ValueError:
            report.add(IssueKind.UNKNOWN, "OperatorID", "not an OperatorID as OICP demands", operator_id)
    party = evse_id.party or given
    if party is None:
        raise report.refuse("EvseID", "names no operator, and there is no OperatorID above it", evse_id.text)
    return party


_party_id = lru_cache(maxsize=4096)(PartyId)


def _country(place: Record, report: Report) -> str:
    given = text(place.get("Country"), "Address.Country", report) or ""
    country = given.upper()
    if len(country) != 3 or not country.isascii() or not country.isalpha():
        raise report.refuse("Address.Country", "not an ISO 3166-1 alpha-3 code", given)
    if country != given:
        report.add(IssueKind.MENDED, "Address.Country", "spelt in another case", given)
    return country


def _point(values: Record, country: str, report: Report) -> GeoPoint:
    point = coordinates.read(values.get("GeoCoordinates"), "GeoCoordinates", report)
    if point is None:
        raise report.refuse("GeoCoordinates", "no point, and a place without one cannot be shown or found")
    return coordinates.suspect(point, country, "GeoCoordinates", report)


def _updated(values: Record, at: datetime, report: Report) -> datetime:
    given = values.get("lastUpdate")
    if given is None:
        return at
    try:
        stamp = times.read(str(given))
    except ValueError:
        try:
            # Hubject assigns the stamp, in UTC; some dumps leave the designator out.
            stamp = times.read(str(given), undesignated=UTC)
        except ValueError:
            report.add(IssueKind.UNKNOWN, "lastUpdate", "not a time; that of arrival was taken", given)
            return at
        report.add(IssueKind.MENDED, "lastUpdate", "no time zone, read as UTC", given)
    return stamp


def _zone(country: str, point: GeoPoint, offset: Any, report: Report) -> str:
    """The zone of the region that holds the point; else one with the given offset; else a zone named by the offset."""
    region = region_of(country, float(point.latitude), float(point.longitude))
    if region is not None:
        return region.zone
    regions = REGIONS.get(country, ())
    zone = next((one.zone for one in regions if times.standard_offset(one.zone) == offset), None)
    if zone is not None:
        return zone
    match = _OFFSET.fullmatch(offset) if isinstance(offset, str) else None
    if match and match[3] == "00" and int(match[2]) <= 12:
        # POSIX counts the hours west of Greenwich, and so do these names.
        report.add(
            IssueKind.UNKNOWN, "Address.TimeZone", f"no zone known in {country}; taken as a plain offset", offset
        )
        hours = int(match[2])
        return f"Etc/GMT{'-' if match[1] == '+' else '+'}{hours}" if hours else "Etc/UTC"
    fallback = regions[0].zone if regions else "Etc/UTC"
    report.add(IssueKind.UNKNOWN, "Address.TimeZone", f"no zone follows from the record; {fallback} was taken", offset)
    return fallback


def _hotline(values: Record, report: Report) -> str | None:
    given = text(values.get("HotlinePhoneNumber"), "HotlinePhoneNumber", report)
    if given is None:
        return None
    number_ = phone(given)
    if number_ is None:
        report.add(IssueKind.UNKNOWN, "HotlinePhoneNumber", "not an international phone number", given)
        return given
    if number_ != given:
        report.add(IssueKind.MENDED, "HotlinePhoneNumber", "written with more than digits", given)
    return number_


def _images(values: Record, unknown: Record, report: Report) -> tuple[Image, ...]:
    url = text(values.get("ChargingStationImage"), "ChargingStationImage", report)
    if url is None:
        return ()
    kind = url.partition("?")[0].rpartition(".")[2].lower()
    if kind not in _IMAGE_TYPES:
        report.add(IssueKind.UNKNOWN, "ChargingStationImage", "a link that does not tell the image's type", url)
        unknown["ChargingStationImage"] = url
        return ()
    return (Image(url=url, category=ImageCategory.CHARGER, type="jpeg" if kind == "jpg" else kind),)


def _hub_operator(values: Record, unknown: Record, report: Report) -> PartyId | None:
    given = text(values.get("HubOperatorID"), "HubOperatorID", report)
    if given is None:
        return None
    try:
        return PartyId(given)
    except ValueError:
        report.add(IssueKind.UNKNOWN, "HubOperatorID", "not an OperatorID as OICP demands", given)
        unknown["HubOperatorID"] = given
        return None


def _id(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        return _ID.validate_python(given)
    except ValidationError:
        return None
