"""The optional fields of an EvseDataRecord that one EVSE of a location says for itself."""

from decimal import ROUND_HALF_UP, Decimal

from mappings.canonical.locations import Evse, Location
from mappings.oicp.v2_3 import coordinates
from mappings.oicp.v2_3.defaults import OperatorDefaults
from mappings.oicp.v2_3.place import Place, images
from mappings.oicp.v2_3.texts import cut, write_info_texts
from mappings.oicp.v2_3.wire import Record
from mappings.report import IssueKind, Report

_STATION_ID_LENGTH, _MANUFACTURER_LENGTH, _CLEARINGHOUSE_LENGTH, _FLOOR_LENGTH = 50, 50, 20, 5

_TEXTS = (
    ("station_names", "ChargingStationNames"),
    ("additional_info", "AdditionalInfo"),
    ("directions", "ChargingStationLocationReference"),
)

FIELDS = frozenset(
    {
        *("floor_level", "coordinates", "station_id", "clearinghouse_id", "hub_operator", "manufacturer"),
        *("dynamic_power", "max_capacity", "station_names", "additional_info", "directions", "images"),
    }
)
"""The fields of an EVSE that `write` looks at."""


def write(
    place: Place, evse: Evse, path: str, location: Location, defaults: OperatorDefaults, record: Record, report: Report
) -> None:
    """Adds what an EVSE says beyond its location and beyond what OICP demands to its record."""
    if evse.floor_level is not None and (floor := evse.floor_level.strip()):
        record["Address"] = {**place.address, "Floor": cut(floor, _FLOOR_LENGTH, f"{path}.floor_level", report)}
    if evse.coordinates is not None:
        point = coordinates.suspect(evse.coordinates, location.country, f"{path}.coordinates", report)
        record["GeoCoordinates"] = coordinates.write(point, f"{path}.coordinates", report)
    _id(evse.station_id, _STATION_ID_LENGTH, "ChargingStationId", f"{path}.station_id", record, report)
    _id(evse.clearinghouse_id, _CLEARINGHOUSE_LENGTH, "ClearinghouseID", f"{path}.clearinghouse_id", record, report)
    if evse.hub_operator is not None:
        record["HubOperatorID"] = evse.hub_operator.normal
    _hardware(evse, path, record, report)
    for field, wire in _TEXTS:
        written = write_info_texts(getattr(evse, field), f"{path}.{field}", defaults.language, report)
        if written:
            record[wire] = written
    if evse.images:
        images(evse.images, f"{path}.images", record, report)


def _hardware(evse: Evse, path: str, record: Record, report: Report) -> None:
    if evse.manufacturer is not None and evse.manufacturer.strip():
        name = cut(evse.manufacturer, _MANUFACTURER_LENGTH, f"{path}.manufacturer", report)
        record["HardwareManufacturer"] = name
    if evse.dynamic_power is not None:
        record["DynamicPowerLevel"] = evse.dynamic_power
    if evse.max_capacity is not None:
        capacity = int(evse.max_capacity.quantize(Decimal(1), ROUND_HALF_UP))
        record["MaxCapacity"] = capacity
        if capacity != evse.max_capacity:
            report.add(IssueKind.NARROWED, f"{path}.max_capacity", "rounded to whole kWh", evse.max_capacity)


def _id(text: str | None, length: int, wire: str, field: str, record: Record, report: Report) -> None:
    if text is None:
        return
    if len(text) <= length:
        record[wire] = text
    else:
        # An id cut short would be another one.
        report.add(IssueKind.LEFT_OUT, field, f"an id longer than the {length} characters of OICP", text)
