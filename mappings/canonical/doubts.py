"""What is hardly true of a location, though it can be said: noted, and passed on as given.

The rules are the same whoever says it, so the readers of the protocols take theirs from here. Each gives a sentence,
or None where nothing is to be doubted.
"""

from decimal import Decimal

from mappings.canonical.ids import EvseId
from mappings.canonical.locations import GeoPoint, Location, PowerType
from mappings.canonical.regions import REGIONS, region_of
from mappings.report import Issue, IssueKind, shorten

MOST_AC_WATTS = 100_000
"""The largest AC socket of the vocabulary, 64 A on three phases, gives 44 kW."""

MOST_DC_WATTS = 4_000_000
"""Megawatt charging ends at 3.75 MW."""

NULL_ISLAND = "in the sea off Africa, where unset coordinates point"


def of_power(watts: float | Decimal, power_type: PowerType | None) -> str | None:
    """Judges the power of a connector, in watt; where the kind of current is not known, as DC."""
    if watts <= MOST_AC_WATTS:
        return None
    most = MOST_DC_WATTS if power_type is None or power_type is PowerType.DC else MOST_AC_WATTS
    return f"hardly true: over {most} W" if watts > most else None


def of_evse_id(evse_id: EvseId) -> str | None:
    """Judges the form of a public id."""
    return "not an eMI3 EVSE id; kept as given" if evse_id.party is None else None


def of_point(point: GeoPoint, country: str) -> str | None:
    """Judges a point by the country that it is said to lie in (ISO 3166-1 alpha-3); see `regions` for how finely."""
    if not point.latitude and not point.longitude:
        return NULL_ISLAND
    latitude, longitude = float(point.latitude), float(point.longitude)
    if country not in REGIONS or region_of(country, latitude, longitude) is not None:
        return None
    if region_of(country, longitude, latitude) is not None:
        return f"does not lie in {country}, but would with latitude and longitude exchanged"
    return f"does not lie in {country}"


def doubts(location: Location) -> list[Issue]:
    """Gives what is hardly true of a location, by canonical paths as `evses[0].connectors[1].max_power`."""
    found: list[Issue] = []
    _judge(found, "coordinates", of_point(location.coordinates, location.country), location.coordinates)
    for index, evse in enumerate(location.evses):
        path = f"evses[{index}]"
        if evse.evse_id is not None:
            _judge(found, f"{path}.evse_id", of_evse_id(evse.evse_id), evse.evse_id)
        if evse.coordinates is not None:
            _judge(found, f"{path}.coordinates", of_point(evse.coordinates, location.country), evse.coordinates)
        for place, connector in enumerate(evse.connectors):
            if connector.max_power is not None:
                detail = of_power(connector.max_power, connector.power_type)
                _judge(found, f"{path}.connectors[{place}].max_power", detail, connector.max_power)
    return found


def _judge(found: list[Issue], field: str, detail: str | None, value: object) -> None:
    if detail is None:
        return
    text = f"{value.latitude} {value.longitude}" if isinstance(value, GeoPoint) else value
    found.append(Issue(IssueKind.SUSPECT, field, detail, shorten(text)))
