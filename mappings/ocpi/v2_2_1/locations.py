"""OCPI 2.2.1 locations, EVSEs and connectors, both ways (mod_locations).

The functions take JSON text, or an object that was parsed from JSON, and give the translation with its issues. What is
written is a plain dictionary without nulls; `dump` makes compact JSON of it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from mappings.canonical.locations import Connector, Evse, Location
from mappings.ocpi.defaults import NO_DEFAULTS, ConnectorDefaults
from mappings.ocpi.v2_2_1 import locations_in, locations_out
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Report

Source = bytes | str | Mapping[str, Any]


def to_canonical(
    source: Source, received: datetime | None = None, own: frozenset[str] = frozenset()
) -> tuple[Location, list[Issue]]:
    """Reads a location.

    Args:
        source: JSON text, or an object that was parsed from JSON.
        received: When it arrived, for one without `last_updated`; without this such a one is refused.
        own: Fields that a dialect adds, which are no issue.

    Raises:
        Refused: It cannot be used; the reason names the field.
    """
    report = Report(own=own)
    return locations_in.location(locations_in.LOCATIONS.read(source, report), report, received), report.issues


def evse_to_canonical(
    source: Source, received: datetime | None = None, own: frozenset[str] = frozenset()
) -> tuple[Evse, list[Issue]]:
    """Reads an EVSE that stands alone, as in a PUT of one.

    Raises:
        Refused: It cannot be used; the reason names the field.
    """
    report = Report(own=own)
    return locations_in.evse(locations_in.EVSES.read(source, report), report, (), received), report.issues


def connector_to_canonical(
    source: Source, received: datetime | None = None, own: frozenset[str] = frozenset()
) -> tuple[Connector, list[Issue]]:
    """Reads a connector that stands alone, as in a PUT of one.

    Raises:
        Refused: It cannot be used, its standard is unknown for one; the reason names the field.
    """
    report = Report(own=own)
    connector = locations_in.connector(locations_in.CONNECTORS.read(source, report), report, (), received)
    if connector is None:
        raise report.refuse("standard", "not a ConnectorType")
    return connector, report.issues


def from_canonical(location: Location, defaults: ConnectorDefaults = NO_DEFAULTS) -> tuple[Wire, list[Issue]]:
    """Writes a location; parts that cannot be said are left out, with an issue each.

    Args:
        location: What to write.
        defaults: The operator's values for connectors that lack what OCPI demands.

    Raises:
        Refused: It cannot be said; the reason names the field.
    """
    report = Report()
    return locations_out.location(location, defaults, report), report.issues


def evse_from_canonical(evse: Evse, defaults: ConnectorDefaults = NO_DEFAULTS) -> tuple[Wire, list[Issue]]:
    """Writes an EVSE; as `from_canonical`."""
    report = Report()
    return locations_out.evse(evse, defaults, report, ()), report.issues


def connector_from_canonical(
    connector: Connector, defaults: ConnectorDefaults = NO_DEFAULTS
) -> tuple[Wire, list[Issue]]:
    """Writes a connector; as `from_canonical`."""
    report = Report()
    return locations_out.connector(connector, defaults, report, ()), report.issues


def dump(wire: Wire) -> bytes:
    """Writes compact JSON: Gireve's sister API refuses blanks between tokens, and they say nothing anywhere."""
    return to_json(wire, inf_nan_mode="null")
