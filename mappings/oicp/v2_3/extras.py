"""The optional fields of an EvseDataRecord that one EVSE of a location says for itself."""

from decimal import ROUND_HALF_UP, Decimal

from mappings.canonical.locations import Evse, Location
from mappings.oicp.v2_3 import coordinates
from mappings.oicp.v2_3.defaults import OperatorDefaults
from mappings.oicp.v2_3.place import Place, images
from mappings.oicp.v2_3.texts import cut, write_info_texts
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Report

_STATION_ID_LENGTH, _MANUFACTURER_LENGTH, _CLEARINGHOUSE_LENGTH, _FLOOR_LENGTH = 50, 50, 20, 5


def write(
    place: Place,
    evse: Evse,
    index: int,
    location: Location,
    defaults: OperatorDefaults,
    record: Record,
    issues: list[Issue],
) -> None:
    """Adds what an EVSE says beyond its location and beyond what OICP demands to its record."""
    path = f"evses[{index}]"
    if evse.floor_level is not None and (floor := evse.floor_level.strip()):
        record["Address"] = {**place.address, "Floor": shortened(floor, _FLOOR_LENGTH, f"{path}.floor_level", issues)}
    if evse.coordinates is not None:
        report = _report(issues)
        point = coordinates.suspect(evse.coordinates, location.country, f"{path}.coordinates", report)
        record["GeoCoordinates"] = coordinates.write(point, f"{path}.coordinates", report)
    _id(evse.station_id, _STATION_ID_LENGTH, "ChargingStationId", f"{path}.station_id", record, issues)
    _id(evse.clearinghouse_id, _CLEARINGHOUSE_LENGTH, "ClearinghouseID", f"{path}.clearinghouse_id", record, issues)
    if evse.hub_operator is not None:
        record["HubOperatorID"] = evse.hub_operator.normal
    if evse.manufacturer is not None and evse.manufacturer.strip():
        record["HardwareManufacturer"] = shortened(
            evse.manufacturer, _MANUFACTURER_LENGTH, f"{path}.manufacturer", issues
        )
    if evse.dynamic_power is not None:
        record["DynamicPowerLevel"] = evse.dynamic_power
    if evse.max_capacity is not None:
        capacity = int(evse.max_capacity.quantize(Decimal(1), ROUND_HALF_UP))
        record["MaxCapacity"] = capacity
        if capacity != evse.max_capacity:
            issues.append(Issue(IssueKind.NARROWED, f"{path}.max_capacity", "rounded to whole kWh"))
    if (
        evse.station_names
        or evse.additional_info
        or evse.directions
        or evse.images
        or evse.parking_restrictions
        or evse.status_schedule
    ):
        _rare(evse, path, defaults, record, _report(issues))


def _rare(evse: Evse, path: str, defaults: OperatorDefaults, record: Record, report: Report) -> None:
    for field, texts, wire in (
        ("station_names", evse.station_names, "ChargingStationNames"),
        ("additional_info", evse.additional_info, "AdditionalInfo"),
        ("directions", evse.directions, "ChargingStationLocationReference"),
    ):
        written = write_info_texts(texts, f"{path}.{field}", defaults.language, report)
        if written:
            record[wire] = written
    if evse.images:
        images(evse.images, f"{path}.images", record, report)
    for name in ("parking_restrictions", "status_schedule"):
        if getattr(evse, name):
            report.add(IssueKind.LOST, f"{path}.{name}", "OICP has no place for it")


def _report(issues: list[Issue]) -> Report:
    report = Report()
    report.issues = issues
    return report


def shortened(text: str, length: int, field: str, issues: list[Issue]) -> str:
    """Shortens a text to a protocol's length, with an issue where that was needed."""
    return cut(text, length, field, _report(issues))


def _id(text: str | None, length: int, wire: str, field: str, record: Record, issues: list[Issue]) -> None:
    if text is None:
        return
    if len(text) <= length:
        record[wire] = text
    else:
        # An id cut short would be another one.
        issues.append(
            Issue(IssueKind.LEFT_OUT, field, f"an id longer than the {length} characters of OICP", text[:100])
        )
