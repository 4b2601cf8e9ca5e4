"""Locations, EVSEs and connectors to the wire (OCPI 2.2.1, mod_locations): no nulls, no empty optional lists."""

from collections.abc import Callable, Iterable
from typing import Any

from mappings.canonical.locations import (
    Connector,
    Evse,
    Hours,
    Location,
    Period,
    PublishToken,
    RelatedPoint,
    StatusSchedule,
)
from mappings.ocpi import times, values
from mappings.ocpi.defaults import ConnectorDefaults
from mappings.ocpi.reading import Path, show
from mappings.ocpi.v2_2_1 import enums, texts
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.locations_in import CONNECTOR, EVSE, LOCATION
from mappings.report import IssueKind, Refused, Report

CONNECTOR_NOT_SAID = frozenset({"capabilities", "charging_modes"})
EVSE_NOT_SAID = frozenset(
    {
        *("station_id", "station_names", "authentication_modes", "payment_options", "value_added_services"),
        *("accessibility", "calibration_law", "hubject_compatible", "dynamic_info", "dynamic_power", "max_capacity"),
        *("manufacturer", "additional_info", "clearinghouse_id", "hub_operator"),
    }
)
LOCATION_NOT_SAID = frozenset({"pool_id", "hotline"})
_WHY = "OCPI 2.2.1 has no place for it"

_Objects = tuple[tuple[str, Callable[[Any, Report, Path], Any]], ...]


def connector(source: Connector, defaults: ConnectorDefaults, report: Report, path: Path) -> w.Wire:
    """Writes a connector.

    Raises:
        Refused: It lacks what OCPI demands, and the operator's settings do not give it either; or its standard has no
            word, or its id is too long.
    """
    made = values.given_back(source.unknown, CONNECTOR) if source.unknown else {}
    made["id"] = values.ident(source.id, 36, report, path, "id")
    made["standard"] = values.said_or_refused(enums.CONNECTOR_STANDARDS, source.standard, report, path, "standard")
    for field in ("format", "power_type", "max_voltage", "max_amperage"):
        value = getattr(source, field)
        if value is None:
            value = getattr(defaults.of(source.standard), field)
            if value is None:
                detail = f"OCPI demands it, and the settings have none for a {source.standard}"
                raise report.refuse(show((*path, field)), detail)
            report.add(IssueKind.DEFAULTED, show((*path, field)), "from the operator's settings", value)
        made[field] = value
    made["format"] = values.said(enums.CONNECTOR_FORMATS, made["format"], report, path, "format")
    made["power_type"] = values.said(enums.POWER_TYPES, made["power_type"], report, path, "power_type")
    if source.max_power is not None:
        made["max_electric_power"] = _watts(source, report, path)
    if source.tariff_ids:
        made["tariff_ids"] = _tariff_ids(source.tariff_ids, report, path)
    if source.terms_and_conditions is not None:
        terms = values.link(source.terms_and_conditions, report, path, "terms_and_conditions")
        if terms is not None:
            made["terms_and_conditions"] = terms
    if not CONNECTOR_NOT_SAID.isdisjoint(source.model_fields_set):
        values.not_said(source, sorted(CONNECTOR_NOT_SAID), report, path, _WHY)
    made["last_updated"] = times.write(source.last_updated)
    return made


def _watts(source: Connector, report: Report, path: Path) -> int:
    watts = source.max_power
    assert watts is not None  # noqa: S101  # the caller has looked
    whole = int(watts)
    if whole != watts:
        report.add(IssueKind.NARROWED, show((*path, "max_power")), "whole watts", watts)
    return whole


def _tariff_ids(ids: Iterable[str], report: Report, path: Path) -> list[str]:
    fitting = []
    for index, each in enumerate(ids):
        if len(each) > values.LONGEST_ID:
            detail = "left out: longer than the 36 characters that OCPI allows"
            report.add(IssueKind.LEFT_OUT, show((*path, "tariff_ids", index)), detail, each)
        else:
            fitting.append(each)
    return fitting


def evse(source: Evse, defaults: ConnectorDefaults, report: Report, path: Path) -> w.Wire:
    """Writes an EVSE; a connector that cannot be said is left out, with the reason.

    Raises:
        Refused: No connector can be said, where OCPI demands one; or the uid is too long.
    """
    made = values.given_back(source.unknown, EVSE) if source.unknown else {}
    made["uid"] = values.ident(source.uid, 36, report, path, "uid")
    if source.evse_id is not None:
        if len(source.evse_id.text) <= 48:
            made["evse_id"] = source.evse_id.text
        else:
            report.add(IssueKind.LOST, show((*path, "evse_id")), "longer than 48 characters", source.evse_id.text)
    made["status"] = values.said(enums.STATUSES, source.status, report, path, "status")
    if source.capabilities:
        made["capabilities"] = values.words(enums.CAPABILITIES, source.capabilities)
    made["connectors"] = _parts(source.connectors, "connectors", connector, defaults, report, path)
    if not made["connectors"]:
        raise report.refuse(show((*path, "connectors")), "no connector can be said, and OCPI demands one")
    if source.floor_level is not None:
        made["floor_level"] = values.fit(source.floor_level, 4, report, path, "floor_level")
    if source.physical_reference is not None:
        made["physical_reference"] = values.fit(source.physical_reference, 16, report, path, "physical_reference")
    _objects(source, _EVSE_OBJECTS, made, report, path)
    if not EVSE_NOT_SAID.isdisjoint(source.model_fields_set):
        values.not_said(source, sorted(EVSE_NOT_SAID), report, path, _WHY)
    made["last_updated"] = times.write(source.last_updated)
    return made


def _parts(
    sources: tuple[Any, ...],
    field: str,
    write: Callable[[Any, ConnectorDefaults, Report, Path], w.Wire],
    defaults: ConnectorDefaults,
    report: Report,
    path: Path,
) -> list[w.Wire]:
    """Writes the parts of an object; one that cannot be said is left out, and the rest stands."""
    made = []
    for index, source in enumerate(sources):
        try:
            made.append(write(source, defaults, report, (*path, field, index)))
        except Refused as refusal:
            report.add(IssueKind.LEFT_OUT, show((*path, field, index)), f"left out: {refusal}", refusal.reason.value)
    return made


def _objects(source: Any, objects: _Objects, made: w.Wire, report: Report, path: Path) -> None:
    for field, write in objects:
        value = getattr(source, field)
        if value:
            said = write(value, report, (*path, field))
            if said:
                made[field] = said


def _words(table: Any) -> Callable[[Any, Report, Path], list[str]]:
    def write(words: tuple[Any, ...], _report: Report, _path: Path) -> list[str]:
        return values.words(table, words)

    return write


def _schedule(schedule: tuple[StatusSchedule, ...], _report: Report, _path: Path) -> list[w.Wire]:
    made = []
    for each in schedule:
        wire: w.Wire = {"period_begin": times.write(each.begin)}
        if each.end is not None:
            wire["period_end"] = times.write(each.end)
        wire["status"] = enums.STATUSES.from_canonical(each.status).value
        made.append(wire)
    return made


def _periods(periods: tuple[Period, ...]) -> list[w.Wire]:
    return [{"period_begin": times.write(each.begin), "period_end": times.write(each.end)} for each in periods]


def hours(source: Hours, report: Report, path: Path) -> w.Wire:
    """Writes opening times; `24:00` is said as 23:59, which is as late as OCPI's clock goes."""
    made: w.Wire = {"twentyfourseven": source.twentyfourseven}
    if source.regular and source.twentyfourseven:
        report.add(IssueKind.LOST, show((*path, "regular")), "open 24 hours, beside which OCPI has no regular hours")
    elif source.regular:
        regular = []
        for index, each in enumerate(source.regular):
            at = (*path, "regular", index)
            begin, end = _clock(each.begin, report, at, "begin"), _clock(each.end, report, at, "end")
            regular.append({"weekday": each.weekday, "period_begin": begin, "period_end": end})
        made["regular_hours"] = regular
    if source.exceptional_openings:
        made["exceptional_openings"] = _periods(source.exceptional_openings)
    if source.exceptional_closings:
        made["exceptional_closings"] = _periods(source.exceptional_closings)
    return made


def _clock(text: str, report: Report, path: Path, field: str) -> str:
    if text != "24:00":
        return text
    report.add(IssueKind.NARROWED, show((*path, field)), "said as 23:59", text)
    return "23:59"


def _related(points: tuple[RelatedPoint, ...], report: Report, path: Path) -> list[w.Wire]:
    made = []
    for index, each in enumerate(points):
        wire: w.Wire = dict(values.point_out(each.point, report, (*path, index, "point")))
        name = None if each.name is None else texts.text_out(each.name, report, (*path, index, "name"))
        if name is not None:
            wire["name"] = name
        made.append(wire)
    return made


def _tokens(tokens: tuple[PublishToken, ...], _report: Report, _path: Path) -> list[w.Wire]:
    return [each.model_dump(exclude_none=True) for each in tokens]


_EVSE_OBJECTS: _Objects = (
    ("status_schedule", _schedule),
    ("coordinates", values.point_out),
    ("directions", texts.texts_out),
    ("parking_restrictions", _words(enums.PARKING_RESTRICTIONS)),
    ("images", texts.images_out),
)
_LOCATION_OBJECTS: _Objects = (
    ("publish_allowed_to", _tokens),
    ("related_locations", _related),
    ("directions", texts.texts_out),
    ("operator", texts.business_out),
    ("suboperator", texts.business_out),
    ("owner", texts.business_out),
    ("facilities", _words(enums.FACILITIES)),
    ("opening_times", hours),
    ("images", texts.images_out),
    ("energy_mix", texts.energy_out),
)
_LOCATION_TEXTS = (("name", 255), ("address", 255), ("city", 45), ("postal_code", 10), ("state", 45))


def location(source: Location, defaults: ConnectorDefaults, report: Report) -> w.Wire:
    """Writes a location; an EVSE that cannot be said is left out, with the reason.

    Raises:
        Refused: Its id is too long, its party is not of two letters and three, or it has EVSEs and none can be said.
    """
    made = values.given_back(source.unknown, LOCATION) if source.unknown else {}
    if source.party.country.startswith("+"):
        raise report.refuse("party", "OCPI has only country codes of two letters", source.party)
    made["country_code"], made["party_id"] = source.party.country, source.party.code
    made["id"] = values.ident(source.id, 36, report, (), "id")
    made["publish"] = source.publish
    for field, limit in _LOCATION_TEXTS:
        text = getattr(source, field)
        if text is not None:
            made[field] = values.fit(text, limit, report, (), field)
    made["country"] = source.country
    made["coordinates"] = values.point_out(source.coordinates, report, ("coordinates",))
    if source.parking_type is not None:
        made["parking_type"] = values.said(enums.PARKING_TYPES, source.parking_type, report, (), "parking_type")
    if source.evses:
        made["evses"] = _parts(source.evses, "evses", evse, defaults, report, ())
        if not made["evses"]:
            raise report.refuse("evses", "none of the EVSEs can be said")
    _objects(source, _LOCATION_OBJECTS, made, report, ())
    if source.charging_when_closed is not None:
        made["charging_when_closed"] = source.charging_when_closed
    made["time_zone"] = source.time_zone
    if not LOCATION_NOT_SAID.isdisjoint(source.model_fields_set):
        values.not_said(source, sorted(LOCATION_NOT_SAID), report, (), _WHY)
    made["last_updated"] = times.write(source.last_updated)
    return made
