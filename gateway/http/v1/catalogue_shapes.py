"""What is asked of the catalogue, and what it answers: parameters read from texts, entries as JSON and GeoJSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from adapters.core.connection import ConnectionName
from gateway.services.ports import Page
from gateway.services.ports.catalogue import Box, Entry, Way
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import ConnectorStandard, Evse, EvseStatus, Location

E = TypeVar("E")

_NUMBER: Final = r"-?\d{1,3}(\.\d{1,12})?"
_MOST_WORDS: Final = 200


def _numbers(text: object, limits: Sequence[float]) -> list[float]:
    parts = str(text).split(",")
    if len(parts) != len(limits):
        raise ValueError(f"is not {len(limits)} numbers with commas between them")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        raise ValueError("is not numbers with commas between them") from None
    if any(not -limit <= number <= limit for number, limit in zip(numbers, limits, strict=True)):
        raise ValueError("is out of range")
    return numbers


def _box(text: object) -> Box:
    box = Box(*_numbers(text, (180, 90, 180, 90)))
    if box.south > box.north:
        raise ValueError("has its south above its north")
    return box


def _point(text: object) -> tuple[float, float]:
    latitude, longitude = _numbers(text, (90, 180))
    return latitude, longitude


def _several(of: Callable[[str], E]) -> Callable[[object], frozenset[E]]:
    def read(text: object) -> frozenset[E]:
        return frozenset(of(part.strip()) for part in str(text).split(","))

    return read


def _schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


def _words(kind: type[StrEnum]) -> WithJsonSchema:
    one = "|".join(kind)
    return _schema(rf"^({one})(,({one}))*$")


BoxGiven = Annotated[Any, BeforeValidator(_box), _schema(rf"^{_NUMBER}(,{_NUMBER}){{3}}$")]
PointGiven = Annotated[Any, BeforeValidator(_point), _schema(rf"^{_NUMBER},{_NUMBER}$")]
StatusesGiven = Annotated[Any, BeforeValidator(_several(EvseStatus)), _words(EvseStatus)]
StandardsGiven = Annotated[Any, BeforeValidator(_several(ConnectorStandard)), _words(ConnectorStandard)]
PartiesGiven = Annotated[
    Any, BeforeValidator(_several(PartyId)), _schema(r"^[A-Z]{2}\*?[A-Z0-9]{3}(,[A-Z]{2}\*?[A-Z0-9]{3})*$")
]
Radius = Annotated[float, Field(gt=0, le=500_000)]
Power = Annotated[int, Field(ge=0, le=10_000_000)]
Text = Annotated[str, Field(min_length=1, max_length=_MOST_WORDS)]
Key = Annotated[str, Field(min_length=1, max_length=100)]
Shape = Literal["json", "geojson"]


@dataclass(frozen=True, slots=True)
class EntryShown:
    """One EVSE, whichever hubs offer it.

    Attributes:
        evse_key: The EvseID's normal form; a name of the catalogue's own where there is none.
        status: The newest that any hub told.
        status_at: Since when; absent where nobody told.
        power: Watts that the strongest connector gives; 0 where nobody told.
        distance: Metres, where something near was asked for.
        evse: As the preferred way has it, with the entry's status.
        location: Likewise, without its EVSEs.
        ways: All of them, that with the newest status first.
    """

    evse_key: str
    status: EvseStatus
    power: int
    evse: Evse
    location: Location
    ways: Sequence[Way]
    status_at: datetime | None = None
    distance: float | None = None


@dataclass(frozen=True, slots=True)
class ChangeShown:
    """An entry that changed, as it is now; without one where it is gone."""

    evse_key: str
    gone: bool
    entry: EntryShown | None = None


@dataclass(frozen=True, slots=True)
class ChangeList:
    """Changed entries, each once; `next` is where to read on, also when there is none yet."""

    items: Sequence[ChangeShown]
    next: str


@dataclass(frozen=True, slots=True)
class Point:
    """Longitude, then latitude (RFC 7946, section 3.1.1)."""

    coordinates: tuple[float, float]
    type: Literal["Point"] = "Point"


@dataclass(frozen=True, slots=True)
class Feature:
    """An entry on a map (RFC 7946, section 3.2); `properties` are the facts of the entry that a map shows."""

    id: str
    geometry: Point
    properties: dict[str, JsonValue]
    type: Literal["Feature"] = "Feature"


@dataclass(frozen=True, slots=True)
class FeatureCollection:
    """Entries on a map (RFC 7946, section 3.3); `next` is a member of our own, the cursor of the next page."""

    features: Sequence[Feature]
    next: str | None = None
    type: Literal["FeatureCollection"] = "FeatureCollection"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An object that has no form in OCPI, and why."""

    party: PartyId
    id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Approximated:
    """A tariff that OCPI cannot say, whose price may differ from that of what is given; and each departure."""

    party: PartyId
    id: str
    details: list[str]


@dataclass(frozen=True, slots=True)
class OcpiPage:
    """A page of objects as OCPI 2.2.1 writes them.

    Attributes:
        left_out: Those that it cannot say.
        approximated: Those among `items` that it can only say nearly. Quotes and repricing count on what was told.
    """

    # Lists, since pydantic writes what is any sequence by way of Python, in ten times the time.
    items: list[dict[str, JsonValue]]
    left_out: list[LeftOut] = field(default_factory=list)
    approximated: list[Approximated] = field(default_factory=list)
    next: str | None = None


class WayOrder(BaseModel):
    """Connections, that which speaks first before the others; those that are not named come after all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connections: Annotated[list[ConnectionName], Field(max_length=1000)]


def feature(entry: Entry) -> Feature:
    """Gives an entry for a map."""
    where: Any = entry.evse.get("coordinates") or entry.location["coordinates"]
    location, operator = entry.location, entry.location.get("operator")
    connectors: Any = entry.evse.get("connectors", ())
    speaks = next(way for way in entry.ways if way.preferred)
    properties: dict[str, Any] = {
        "evse_id": entry.evse.get("evse_id"),
        "status": entry.status.value,
        "status_at": entry.status_at.isoformat() if entry.status_at is not None else None,
        "power": entry.power,
        "standards": list(dict.fromkeys(each["standard"] for each in connectors)),
        "name": location.get("name"),
        "address": location["address"],
        "city": location["city"],
        "party": speaks.party.normal,
        "operator": operator["name"] if isinstance(operator, dict) else None,
        "distance": entry.distance,
        "connections": [way.connection for way in entry.ways],
        "agreed": _agreed(entry),
    }
    shown: dict[str, JsonValue] = {name: value for name, value in properties.items() if value is not None}
    return Feature(entry.evse_key, Point((where["longitude"], where["latitude"])), shown)


def _agreed(entry: Entry) -> list[str] | None:
    """Names the connections over which the record here has a charge begin; None where it was asked for nobody."""
    said = [(way.connection, way.agreement) for way in entry.ways if way.agreement is not None]
    return [connection for connection, agreement in said if agreement.allowed] if said else None


def collection(page: Page[Entry]) -> FeatureCollection:
    """Gives a page for a map."""
    return FeatureCollection([feature(entry) for entry in page.items], page.next)
