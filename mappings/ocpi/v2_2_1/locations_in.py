"""Locations, EVSEs and connectors from the wire (OCPI 2.2.1, mod_locations).

What a fault in the types does stands in `RULES`; what a text outside its vocabulary does stands at the field.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from mappings.canonical import doubts
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import (
    Connector,
    Evse,
    EvseStatus,
    GeoPoint,
    Hours,
    Location,
    Period,
    PowerType,
    PublishToken,
    RegularHours,
    RelatedPoint,
    StatusSchedule,
)
from mappings.ocpi import countries, numbers, values
from mappings.ocpi.reading import Instead, Path, Reader, Rule, Rules, show
from mappings.ocpi.v2_2_1 import enums, texts
from mappings.ocpi.v2_2_1 import wire as w
from mappings.report import IssueKind, Report
from mappings.tables import EnumTable
from mappings.trusted import build, variant

CONNECTOR_RULES: Rules = dict.fromkeys(
    ("format", "power_type", "max_voltage", "max_amperage", "max_electric_power", "terms_and_conditions"),
    Rule.SET_ASIDE,
) | {"tariff_ids": Rule.SET_ASIDE, "tariff_ids[]": Rule.LEAVE_OUT}

EVSE_RULES: Rules = dict.fromkeys(
    ("evse_id", "floor_level", "coordinates", "physical_reference", "parking_restrictions", "capabilities"),
    Rule.SET_ASIDE,
) | {
    **dict.fromkeys(("status_schedule", "directions", "images"), Rule.SET_ASIDE),
    **{
        f"{field}[]": Rule.LEAVE_OUT
        for field in ("status_schedule", "directions", "images", "capabilities", "parking_restrictions", "connectors")
    },
    "status": Instead(EvseStatus.UNKNOWN.value),
    **{f"connectors[].{field}": rule for field, rule in CONNECTOR_RULES.items()},
}

RULES: Rules = {
    **dict.fromkeys(
        (
            *("name", "postal_code", "state", "parking_type", "operator", "suboperator", "owner", "opening_times"),
            *("charging_when_closed", "energy_mix", "related_locations", "directions", "facilities", "images"),
        ),
        Rule.SET_ASIDE,
    ),
    "address": Instead(""),
    "city": Instead(""),
    **{
        f"{field}[]": Rule.LEAVE_OUT
        for field in ("publish_allowed_to", "related_locations", "directions", "facilities", "images", "evses")
    },
    "operator.logo": Rule.SET_ASIDE,
    "operator.website": Rule.SET_ASIDE,
    "suboperator.logo": Rule.SET_ASIDE,
    "suboperator.website": Rule.SET_ASIDE,
    "owner.logo": Rule.SET_ASIDE,
    "owner.website": Rule.SET_ASIDE,
    # A time is never guessed: `last_updated` decides which of two states is the newer.
    "evses[].last_updated": Rule.REFUSE,
    "evses[].connectors[].last_updated": Rule.REFUSE,
    **{f"evses[].{field}": rule for field, rule in EVSE_RULES.items()},
}

LOCATIONS: Reader[w.Location] = Reader(w.Location, RULES)
EVSES: Reader[w.Evse] = Reader(w.Evse, {**EVSE_RULES, "connectors[].last_updated": Rule.REFUSE})
CONNECTORS: Reader[w.Connector] = Reader(w.Connector, CONNECTOR_RULES)

LOCATION, EVSE, CONNECTOR = w.names(w.Location), w.names(w.Evse), w.names(w.Connector)
_HOURS, _REGULAR, _PERIOD = w.names(w.Hours), w.names(w.RegularHours), w.names(w.ExceptionalPeriod)
_GEO, _RELATED = w.names(w.GeoLocation), w.names(w.AdditionalGeoLocation)
_SCHEDULE, _TOKEN = w.names(w.StatusSchedule), w.names(w.PublishToken)

ALWAYS_OPEN = Hours(twentyfourseven=True)


def connector(wire: w.Connector, report: Report, path: Path, parent: datetime | None) -> Connector | None:
    """Builds a connector; None, with an issue, where its standard is unknown, since nothing else makes sense then.

    Args:
        wire: As read.
        report: Takes the issues.
        path: Of the connector in the source.
        parent: The EVSE's `last_updated`, for a connector that has none of its own; None refuses such a one.
    """
    kind = _kind(*map(wire.get, _KIND))
    if kind is not None:
        beside = {} if wire.keys() <= CONNECTOR else {"unknown": values.kept(wire, CONNECTOR, report, path)}
        return variant(kind, {"id": wire["id"], **_own_fields(wire, report, path, parent), **beside})
    standard = enums.CONNECTOR_STANDARDS.find(wire["standard"])
    if standard is None:
        unread: dict[str, Any] = {}
        standard = values.informational(enums.CONNECTOR_STANDARDS, wire["standard"], report, path, "standard", unread)
        if standard is None:
            report.issues.pop()
            report.add(IssueKind.LEFT_OUT, show((*path, "standard")), "not a ConnectorType; left out", wire["standard"])
            return None
    fields = connector_fields(wire, report, path, parent)
    fields["id"], fields["standard"] = wire["id"], standard
    return build(Connector, fields)


_KIND = (
    "standard",
    "format",
    "power_type",
    "max_voltage",
    "max_amperage",
    "max_electric_power",
    "terms_and_conditions",
)


# A network has few kinds of connectors, each on a great many EVSEs. Typed, since 1 and 1.0 are different decimals.
@lru_cache(maxsize=16384, typed=True)
def _kind(*given: Any) -> Connector | None:
    """Builds what connectors with the same values of `_KIND` have in common; None where something is to be noted."""
    wire = dict(zip(_KIND, given, strict=True))
    standard = enums.CONNECTOR_STANDARDS.find(wire["standard"])
    report = Report()
    fields = _kind_fields(wire, report, (), {})
    # An issue names the connector's place, and so is made for each anew.
    return None if standard is None or report.issues else build(Connector, {"standard": standard, **fields})


def connector_fields(wire: Mapping[str, Any], report: Report, path: Path, parent: datetime | None) -> dict[str, Any]:
    """Gives the canonical fields of those that the wire names, but for id and standard."""
    unknown = {} if wire.keys() <= CONNECTOR else values.kept(wire, CONNECTOR, report, path)
    fields = _kind_fields(wire, report, path, unknown)
    if unknown:
        fields["unknown"] = unknown
    fields.update(_own_fields(wire, report, path, parent))
    return fields


def _own_fields(wire: Mapping[str, Any], report: Report, path: Path, parent: datetime | None) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if tariffs := wire.get("tariff_ids"):
        fields["tariff_ids"] = tuple(tariffs)
    fields["last_updated"] = last_updated(wire.get("last_updated"), report, path, parent)
    return fields


def _kind_fields(wire: Mapping[str, Any], report: Report, path: Path, unknown: dict[str, Any]) -> dict[str, Any]:
    fields = _plain(wire, ("max_voltage", "max_amperage", "terms_and_conditions"))
    get = wire.get
    if (text := get("format")) is not None:
        fields["format"] = values.informational(enums.CONNECTOR_FORMATS, text, report, path, "format", unknown)
    if (text := get("power_type")) is not None:
        fields["power_type"] = values.informational(enums.POWER_TYPES, text, report, path, "power_type", unknown)
    if (number := get("max_electric_power")) is not None:
        fields["max_power"] = _power(number, fields.get("power_type"), report, path)
    return fields


def _power(watts: float, power_type: PowerType | None, report: Report, path: Path) -> Decimal:
    if detail := doubts.of_power(watts, power_type):
        report.add(IssueKind.SUSPECT, show((*path, "max_electric_power")), detail, watts)
    return numbers.read(watts)


def last_updated(text: str | None, report: Report, path: Path, instead: datetime | None) -> datetime:
    """Reads when an object was last updated.

    Args:
        text: As given; None where missing.
        report: Takes the issues.
        path: Of the object.
        instead: Taken where it is missing: that of the object around it, or the time of arrival.

    Raises:
        Refused: It cannot be read, or is missing and nothing can stand in.
    """
    if text is not None:
        return values.moment(text, report, path, "last_updated")
    if instead is None:
        raise report.refuse(show((*path, "last_updated")), "is missing")
    instead_of = "that of the object around it" if path else "the time of arrival"
    report.add(IssueKind.MENDED, show((*path, "last_updated")), f"is missing; {instead_of} is taken")
    return instead


def evse(wire: w.Evse, report: Report, path: Path, parent: datetime | None) -> Evse:
    """Builds an EVSE; `parent` is the location's `last_updated`, for one that has none of its own."""
    fields = evse_fields(wire, report, path, parent)
    fields["uid"] = wire["uid"]
    return build(Evse, fields)


def evse_fields(wire: Mapping[str, Any], report: Report, path: Path, parent: datetime | None) -> dict[str, Any]:
    """Gives the canonical fields of those that the wire names, but for the uid."""
    fields = _plain(wire, ("floor_level", "physical_reference"))
    unknown = {} if wire.keys() <= EVSE else values.kept(wire, EVSE, report, path)
    get = wire.get
    updated = last_updated(get("last_updated"), report, path, parent)
    if text := get("evse_id"):
        fields["evse_id"] = evse_id = EvseId(text)
        if detail := doubts.of_evse_id(evse_id):
            report.add(IssueKind.SUSPECT, show((*path, "evse_id")), detail, text)
    if (text := get("status")) is not None:
        status = values.informational(enums.STATUSES, text, report, path, "status", unknown)
        fields["status"] = EvseStatus.UNKNOWN if status is None else status
    _given(wire, _EVSE_READERS, fields, report, path, unknown)
    if connectors := get("connectors"):
        built = [connector(each, report, (*path, "connectors", i), updated) for i, each in enumerate(connectors)]
        kept = _unique([each for each in built if each is not None], "id", report, (*path, "connectors"))
        fields["connectors"] = kept
        for each in kept:
            if each.last_updated > updated:
                updated = _raised(updated, each.last_updated, report, path)
    if (place := get("coordinates")) is not None:
        fields["coordinates"] = _optional_point(place, report, path, unknown)
    if unknown:
        fields["unknown"] = unknown
    fields["last_updated"] = updated
    return fields


P = TypeVar("P", Evse, Connector)
_Readers = Mapping[str, Callable[[Any, Report, Path, str, dict[str, Any]], Any]]


def _words(table: EnumTable[Any, Any]) -> Callable[[Any, Report, Path, str, dict[str, Any]], Any]:
    def read(given: list[str], report: Report, path: Path, name: str, unknown: dict[str, Any]) -> tuple[Any, ...]:
        return values.members(table, given, report, path, name, unknown)

    return read


def _object(read: Callable[[Any, Report, Path], Any]) -> Callable[[Any, Report, Path, str, dict[str, Any]], Any]:
    return lambda given, report, path, name, _unknown: read(given, report, (*path, name))


def _plain(wire: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The fields that both sides hold alike, so far as they are given."""
    return {name: value for name in names if (value := wire.get(name)) is not None}


def _given(
    wire: Mapping[str, Any],
    readers: _Readers,
    fields: dict[str, Any],
    report: Report,
    path: Path,
    unknown: dict[str, Any],
) -> None:
    """Reads the lists of words, the objects and the lists of objects that are given."""
    get = wire.get
    for name in readers:
        if given := get(name):
            fields[name] = readers[name](given, report, path, name, unknown)


def _unique(parts: list[P], key: str, report: Report, path: Path) -> tuple[P, ...]:
    """Keeps one part of each key, the newest: two could not be told apart afterwards."""
    if len(parts) == 1:
        return (parts[0],)
    kept: dict[str, P] = {}
    for part in parts:
        name = getattr(part, key)
        known = kept.get(name)
        if known is None or part.last_updated > known.last_updated:
            kept[name] = part
        if known is not None:
            report.add(IssueKind.LEFT_OUT, show(path), f"two have this {key}; the newer is kept", name)
    return tuple(kept.values())


def _raised(own: datetime, inner: datetime, report: Report, path: Path) -> datetime:
    report.add(
        IssueKind.MENDED, show((*path, "last_updated")), "older than a part of the object; raised to that part's", own
    )
    return inner


def _optional_point(wire: w.GeoLocation, report: Report, path: Path, unknown: dict[str, Any]) -> GeoPoint | None:
    inner = Report()
    try:
        place = _point(wire, inner, (*path, "coordinates"))
    except ValueError as error:
        unknown["coordinates"] = dict(wire)
        report.add(IssueKind.UNKNOWN, show((*path, "coordinates")), f"{error}; kept as unknown", wire)
        return None
    report.issues += inner.issues
    return place


def _point(wire: w.GeoLocation, report: Report, path: Path) -> GeoPoint:
    if not wire.keys() <= _GEO:
        values.dropped(wire, _GEO, report, path)
    return values.point(wire["latitude"], wire["longitude"], report, path)


def _schedule(wires: list[w.StatusSchedule], report: Report, path: Path) -> tuple[StatusSchedule, ...]:
    made = []
    for index, wire in enumerate(wires):
        at = (*path, index)
        values.dropped(wire, _SCHEDULE, report, at)
        status = values.members(enums.STATUSES, [wire["status"]], report, at, "status", {})
        if status:
            end = wire.get("period_end")
            begin = values.moment(wire["period_begin"], report, at, "period_begin")
            until = None if end is None else values.moment(end, report, at, "period_end")
            made.append(StatusSchedule(begin=begin, end=until, status=status[0]))
    return tuple(made)


def hours(wire: w.Hours, report: Report, path: Path) -> Hours:
    """Builds opening times."""
    if wire == {"twentyfourseven": True}:
        return ALWAYS_OPEN
    values.dropped(wire, _HOURS, report, path)
    regular = []
    for index, each in enumerate(wire.get("regular_hours") or ()):
        values.dropped(each, _REGULAR, report, (*path, "regular_hours", index))
        regular.append(RegularHours(weekday=each["weekday"], begin=each["period_begin"], end=each["period_end"]))
    return Hours(
        twentyfourseven=wire["twentyfourseven"],
        regular=tuple(regular),
        exceptional_openings=_periods(wire.get("exceptional_openings"), report, (*path, "exceptional_openings")),
        exceptional_closings=_periods(wire.get("exceptional_closings"), report, (*path, "exceptional_closings")),
    )


def _periods(wires: list[w.ExceptionalPeriod] | None, report: Report, path: Path) -> tuple[Period, ...]:
    made = []
    for index, wire in enumerate(wires or ()):
        at = (*path, index)
        values.dropped(wire, _PERIOD, report, at)
        begin = values.moment(wire["period_begin"], report, at, "period_begin")
        made.append(Period(begin=begin, end=values.moment(wire["period_end"], report, at, "period_end")))
    return tuple(made)


def _related(wires: list[w.AdditionalGeoLocation], report: Report, path: Path) -> tuple[RelatedPoint, ...]:
    made = []
    for index, wire in enumerate(wires):
        at = (*path, index)
        values.dropped(wire, _RELATED, report, at)
        name = wire.get("name")
        try:
            place = values.point(wire["latitude"], wire["longitude"], Report(), at)
        except ValueError as error:
            report.add(IssueKind.LEFT_OUT, show(at), f"left out: {error}")
            continue
        made.append(
            RelatedPoint(point=place, name=None if name is None else texts.text_in(name, report, (*at, "name")))
        )
    return tuple(made)


def _tokens(wires: list[w.PublishToken], report: Report, path: Path) -> tuple[PublishToken, ...]:
    made = []
    for index, wire in enumerate(wires):
        values.dropped(wire, _TOKEN, report, (*path, index))
        made.append(PublishToken.model_validate({field: value for field, value in wire.items() if field in _TOKEN}))
    return tuple(made)


_EVSE_READERS: _Readers = {
    "capabilities": _words(enums.CAPABILITIES),
    "parking_restrictions": _words(enums.PARKING_RESTRICTIONS),
    "directions": _object(texts.texts_in),
    "images": _object(texts.images_in),
    "status_schedule": _object(_schedule),
}
_LOCATION_READERS: _Readers = {
    "facilities": _words(enums.FACILITIES),
    "publish_allowed_to": _object(_tokens),
    "related_locations": _object(_related),
    "directions": _object(texts.texts_in),
    "images": _object(texts.images_in),
    "coordinates": _object(_point),
    "operator": _object(texts.business_in),
    "suboperator": _object(texts.business_in),
    "owner": _object(texts.business_in),
    "energy_mix": _object(texts.energy_in),
}


def party(country_code: str, party_id: str, report: Report, path: Path) -> PartyId:
    """Builds the owner's id.

    Raises:
        Refused: Not two letters and three letters or digits.
    """
    try:
        return PartyId.of(country_code, party_id)
    except ValueError:
        raise report.refuse(show((*path, "party_id")), "not a party", f"{country_code} {party_id}") from None


def location(wire: w.Location, report: Report, received: datetime | None) -> Location:
    """Builds a location; `received` stands in where it has no `last_updated`.

    Raises:
        Refused: Its owner, coordinates, country, time zone or a time cannot be read.
    """
    owner = party(wire["country_code"], wire["party_id"], report, ())
    fields = location_fields(wire, report, received)
    fields["party"], fields["id"] = owner, wire["id"]
    return build(Location, fields)


_LOCATION_PLAIN = ("publish", "name", "address", "city", "postal_code", "state", "charging_when_closed")


def location_fields(wire: Mapping[str, Any], report: Report, received: datetime | None) -> dict[str, Any]:
    """Gives the canonical fields of those that the wire names, but for owner and id."""
    unknown = {} if wire.keys() <= LOCATION else values.kept(wire, LOCATION, report, ())
    get = wire.get
    fields = _plain(wire, _LOCATION_PLAIN)
    updated = last_updated(get("last_updated"), report, (), received)
    if (country := get("country")) is not None:
        fields["country"] = _country(country, report)
    if (zone := get("time_zone")) is not None:
        fields["time_zone"] = _zone(zone, report)
    if (text := get("parking_type")) is not None:
        fields["parking_type"] = values.informational(enums.PARKING_TYPES, text, report, (), "parking_type", unknown)
    if evses := get("evses"):
        built = [evse(each, report, ("evses", i), updated) for i, each in enumerate(evses)]
        fields["evses"] = _unique(built, "uid", report, ("evses",))
        newest = max([each.last_updated for each in built])
        if newest > updated:
            updated = _raised(updated, newest, report, ())
    if (opening := get("opening_times")) is not None:
        fields["opening_times"] = hours(opening, report, ("opening_times",))
    _given(wire, _LOCATION_READERS, fields, report, (), unknown)
    if unknown:
        fields["unknown"] = unknown
    fields["last_updated"] = updated
    return fields


def _country(text: str, report: Report) -> str:
    country = countries.mend(text)
    if country is None:
        raise report.refuse("country", "not an ISO 3166-1 alpha-3 code", text)
    if country != text:
        report.add(IssueKind.MENDED, "country", f"read as {country}", text)
    return country


def _zone(text: str, report: Report) -> str:
    if not _is_zone(text):
        raise report.refuse("time_zone", "not a zone of the IANA database", text)
    return text


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return False
    return True
