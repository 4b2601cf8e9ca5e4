"""What the EVSEs of one location share in their records, worked out once for all of them."""

import re

from mappings.canonical.locations import Location, RelatedPoint
from mappings.canonical.texts import Image
from mappings.oicp.times import standard_offset
from mappings.oicp.v2_3 import address, coordinates, energy, opening_times
from mappings.oicp.v2_3.defaults import OperatorDefaults, defaulted
from mappings.oicp.v2_3.enums import PARKING_TYPES
from mappings.oicp.v2_3.texts import INFO_TEXT_LENGTH, cut, phone, write_info_texts
from mappings.oicp.v2_3.wire import POOL_ID_PATTERN, Record
from mappings.report import Issue, IssueKind, Report
from mappings.tables import NotRepresentable

CITY_LENGTH, STREET_LENGTH, REGION_LENGTH = 50, 100, 50
IMAGE_LENGTH = 200
NAME_LENGTH = 100
_SHORTEST_STREET = 2
_POSTAL_CODE_LENGTH = 10
_POOL_ID = re.compile(POOL_ID_PATTERN)

_NO_PLACE = {
    name: Issue(IssueKind.LOST, name, "OICP has no place for it")
    for name in ("publish_allowed_to", "owner", "facilities", "charging_when_closed")
}
"""Fields of a location that OICP has no place for, reported where they say something."""


class Place:
    """The shared part of the records.

    Attributes:
        base: Fields that are the same for every EVSE. Shared: to be copied, not changed.
        address: The `Address`, to be copied where an EVSE adds its floor.
        operator_name: Who runs the place, for an EVSE of another party than the connection's.
        issues: What was noted of the location.
    """

    __slots__ = ("address", "base", "issues", "operator_name")

    def __init__(self, location: Location, defaults: OperatorDefaults) -> None:
        report = Report()
        self.operator_name = None if location.operator is None else location.operator.name
        self.address = _address(location, defaults, report)
        base: Record = {"Address": self.address}
        point = coordinates.suspect(location.coordinates, location.country, "coordinates", report)
        base["GeoCoordinates"] = coordinates.write(point, "coordinates", report)
        base["ChargingStationNames"] = _names(location, defaults, report)
        base["RenewableEnergy"] = _renewable(location, defaults, report)
        if location.energy_mix is not None:
            base.update(energy.write(location.energy_mix, "energy_mix", report))
        _opening(location, defaults, base, report)
        base["HotlinePhoneNumber"] = _hotline(location, defaults, report)
        _optional(location, defaults, base, report)
        for name, lost in _NO_PLACE.items():
            if getattr(location, name):
                report.issues.append(lost)
        self.base = base
        self.issues: list[Issue] = report.issues


def _address(location: Location, defaults: OperatorDefaults, report: Report) -> Record:
    line = address.split(location.address, location.country)
    street, number = line.street, line.number
    if not street:
        street = defaulted(defaults.street, "address", report)
    elif len(street) < _SHORTEST_STREET:
        # OICP 2.3, eRoamingEvseData best practices: a shorter street is filled with underscores.
        report.add(
            IssueKind.MENDED, "address", "filled with underscores to the two characters that OICP demands", street
        )
        street = street.ljust(_SHORTEST_STREET, "_")
    if number is None:
        number = defaulted(defaults.house_number, "address", report, "no house number to be told from the address")
    city = location.city.strip()
    written: Record = {
        "Country": location.country,
        "City": cut(city, CITY_LENGTH, "city", report) if city else defaulted(defaults.city, "city", report),
        "Street": cut(street, STREET_LENGTH, "address", report),
        "PostalCode": _postal_code(location, defaults, report),
        "HouseNum": number,
    }
    if location.state is not None and location.state.strip():
        written["Region"] = cut(location.state, REGION_LENGTH, "state", report)
    offset = standard_offset(location.time_zone)
    if offset is None:
        report.add(IssueKind.UNKNOWN, "time_zone", "not a time zone", location.time_zone)
    else:
        written["TimeZone"] = offset
    return written


def _postal_code(location: Location, defaults: OperatorDefaults, report: Report) -> str:
    code = (location.postal_code or "").strip()
    if not code:
        return str(defaulted(defaults.postal_code, "postal_code", report))
    if len(code) > _POSTAL_CODE_LENGTH:
        # A code cut short would be another place's.
        return str(defaulted(defaults.postal_code, "postal_code", report, "longer than the 10 characters of OICP"))
    return code


def _names(location: Location, defaults: OperatorDefaults, report: Report) -> list[Record]:
    name = (location.name or "").strip()
    if not name:
        name = f"{location.address.strip()}, {location.city.strip()}".strip(", ") or location.id
        report.add(IssueKind.DEFAULTED, "name", "missing; the address was used", name)
    return [{"lang": defaults.language, "value": cut(name, INFO_TEXT_LENGTH, "name", report)}]


def _renewable(location: Location, defaults: OperatorDefaults, report: Report) -> bool:
    if location.energy_mix is not None:
        return location.energy_mix.is_green_energy
    return bool(defaulted(defaults.renewable_energy, "energy_mix", report))


def _opening(location: Location, defaults: OperatorDefaults, base: Record, report: Report) -> None:
    hours = location.opening_times
    if hours is None:
        base["IsOpen24Hours"] = defaulted(defaults.open_24_hours, "opening_times", report)
        return
    base["IsOpen24Hours"] = hours.twentyfourseven
    if hours.regular and not hours.twentyfourseven:
        base["OpeningTimes"] = opening_times.write(hours.regular)
    elif hours.regular:
        report.add(IssueKind.LOST, "opening_times.regular", "open 24 hours, so OICP has no opening times beside it")
    if hours.exceptional_openings or hours.exceptional_closings:
        report.add(IssueKind.LOST, "opening_times", "OICP has no place for exceptional openings and closings")


def _hotline(location: Location, defaults: OperatorDefaults, report: Report) -> str:
    if location.hotline is None:
        return str(defaulted(defaults.hotline, "hotline", report))
    number = phone(location.hotline)
    if number is None:
        return str(defaulted(defaults.hotline, "hotline", report, "not an international phone number"))
    if number != location.hotline:
        report.add(IssueKind.MENDED, "hotline", f"written as {number}", location.hotline)
    return number


def _optional(location: Location, defaults: OperatorDefaults, base: Record, report: Report) -> None:
    _pool_id(location, base, report)
    _parking(location, base, report)
    if location.suboperator is not None:
        base["SubOperatorName"] = cut(location.suboperator.name, NAME_LENGTH, "suboperator.name", report)
    if location.directions:
        texts = write_info_texts(location.directions, "directions", defaults.language, report)
        if texts:
            base["ChargingStationLocationReference"] = texts
    if location.related_locations:
        _entrance(location.related_locations, base, report)
    if location.images:
        images(location.images, "images", base, report)


def _pool_id(location: Location, base: Record, report: Report) -> None:
    if location.pool_id is None:
        return
    if _POOL_ID.fullmatch(location.pool_id):
        base["ChargingPoolID"] = location.pool_id
    else:
        report.add(IssueKind.LEFT_OUT, "pool_id", "not a ChargingPoolID like FR*ABC*P1", location.pool_id)


def _parking(location: Location, base: Record, report: Report) -> None:
    if location.parking_type is None:
        return
    try:
        base["AccessibilityLocation"] = PARKING_TYPES.from_canonical(location.parking_type).value
    except NotRepresentable as error:
        report.add(IssueKind.LOST, "parking_type", str(error), location.parking_type.value)


def _entrance(points: tuple[RelatedPoint, ...], base: Record, report: Report) -> None:
    field = "related_locations"
    base["GeoChargingPointEntrance"] = coordinates.write(points[0].point, f"{field}[0].point", report)
    if len(points) > 1:
        report.add(IssueKind.LEFT_OUT, f"{field}[1]", "OICP has a place for one entrance")
    if points[0].name is not None:
        report.add(IssueKind.LOST, f"{field}[0].name", "OICP has no place for it")


def images(given: tuple[Image, ...], field: str, record: Record, report: Report) -> None:
    """Adds the first image's address, unless it is longer than OICP allows: a link cut short leads nowhere."""
    url = given[0].url
    if len(url) <= IMAGE_LENGTH:
        record["ChargingStationImage"] = url
    else:
        report.add(IssueKind.LEFT_OUT, f"{field}[0]", f"a link longer than the {IMAGE_LENGTH} characters of OICP", url)
    if len(given) > 1:
        report.add(IssueKind.LEFT_OUT, f"{field}[1]", "OICP has a place for one image")
