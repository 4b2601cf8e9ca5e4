"""What a partner's location is in the store: its row, and one for each of its EVSEs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from pydantic_core import to_json

from gateway.services.catalogue.cells import cell
from gateway.services.catalogue.words import words
from gateway.services.stamps import AHEAD, without_future
from gateway.services.storing import dump_issues
from mappings.canonical.locations import Connector, Evse, EvseStatus, GeoPoint, Hours, Location, PowerType
from mappings.report import Issue

_PHASES: Final = {PowerType.DC: 1, PowerType.AC_1_PHASE: 1, PowerType.AC_3_PHASE: 3}
"""By how many voltages between line and neutral; how two phases are meant is not told."""

_MOST_POWER: Final = 2_000_000_000
"""What fits its column, in watts."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A location to be written.

    Attributes:
        digest: Of what the hub sent.
        statuses: Whether the EVSEs' statuses are told, too.
        withdrawn_at: Set where the hub says that it is gone.
    """

    location: Location
    issues: Sequence[Issue]
    digest: bytes
    statuses: bool
    withdrawn_at: datetime | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Party and id, which has no case."""
        return self.location.party.normal, self.location.id.lower()


def mended(copy: Copy, arrived: datetime) -> tuple[Copy, list[Issue]]:
    """Gives a copy without stamps ahead of the clock, and the issues of that."""
    if copy.location.last_updated <= arrived + AHEAD:  # those of its EVSEs are never later
        return copy, []
    location, issues = without_future(copy.location, arrived)
    made = Copy(location, (*copy.issues, *issues), copy.digest, copy.statuses, copy.withdrawn_at)
    return made, issues


def location_columns(copies: Sequence[Copy]) -> list[list[Any]]:
    """Gives the columns of locations, in the order of the statement's parameters."""
    places = [place(copy.location.coordinates) for copy in copies]
    return [
        [copy.location.party.normal for copy in copies],
        [copy.location.id for copy in copies],
        [copy.location.model_dump_json(exclude_defaults=True) for copy in copies],
        [copy.digest for copy in copies],
        [dump_issues(copy.issues) for copy in copies],
        [" ".join(_words(copy.location)) for copy in copies],
        [copy.location.last_updated for copy in copies],
        [copy.withdrawn_at for copy in copies],
        [longitude for longitude, _, _ in places],
        [latitude for _, latitude, _ in places],
        [number for _, _, number in places],
        [_always(copy.location.opening_times) for copy in copies],
    ]


class EvseRows(NamedTuple):
    """The EVSEs of some locations.

    Attributes:
        texts: For each location a list of its EVSEs, as JSON. One text each costs a third of what a parameter for each
            column does, and locations with their EVSEs arrive by the thousand.
        keys: Of all of them.
    """

    texts: list[str]
    keys: list[str]


def evse_rows(connection_id: int, copies: Iterable[Copy]) -> EvseRows:
    """Gives the rows of the EVSEs of some locations; of several with one uid, the last."""
    texts: list[str] = []
    keys: list[str] = []
    for copy in copies:
        rows: dict[str, dict[str, Any]] = {}
        statuses = copy.statuses
        for evse in copy.location.evses:
            status = evse.status
            if not statuses and status is EvseStatus.REMOVED:
                continue  # as if it were left out: of the status itself this copy says nothing
            connectors = evse.connectors
            row = rows[evse.uid.lower()] = {
                "uid": evse.uid,
                "evse_key": evse_key(connection_id, copy.location, evse),
                "standards": list({connector.standard: None for connector in connectors}),
                "power": max([watts(connector) for connector in connectors], default=0),
                "last_updated": evse.last_updated,
            }
            if statuses:
                row["status"] = status
            if (point := evse.coordinates) is not None:
                row |= zip(("longitude", "latitude", "cell"), place(point), strict=True)
        texts.append(to_json(list(rows.values())).decode())
        keys += [row["evse_key"] for row in rows.values()]
    return EvseRows(texts, keys)


def several(keys: Sequence[str]) -> list[str]:
    """Names the keys that stand there several times."""
    if len(set(keys)) == len(keys):
        return []
    return sorted(key for key, count in Counter(keys).items() if count > 1)


def evse_key(connection_id: int, location: Location, evse: Evse) -> str:
    """Names the entry of the catalogue that an EVSE belongs to: by its EvseID, else by a name of its own."""
    if evse.evse_id is not None and evse.evse_id.normal:
        return evse.evse_id.normal
    name = "\0".join((str(connection_id), location.party.normal, location.id.lower(), evse.uid.lower()))
    # Normal forms have no small letters, so that none is ever equal.
    return "x" + blake2b(name.encode(), digest_size=12).hexdigest()


def _words(location: Location) -> list[str]:
    operator = location.operator.name if location.operator is not None else None
    return words(location.name, location.address, location.city, location.postal_code, operator)


def place(point: GeoPoint) -> tuple[float, float, int]:
    """Gives longitude, latitude and the cell of a point."""
    longitude, latitude = float(point.longitude), float(point.latitude)
    return longitude, latitude, cell(longitude, latitude)


def _always(hours: Hours | None) -> bool | None:
    if hours is None:
        return None
    return hours.twentyfourseven and not hours.exceptional_closings


def watts(connector: Connector) -> int:
    """Gives the watts of a connector; 0 where neither they nor voltage, current and phases are told."""
    told: Decimal | int | None = connector.max_power
    if told is None:
        phases = _PHASES.get(connector.power_type) if connector.power_type is not None else None
        if phases is None or connector.max_voltage is None or connector.max_amperage is None:
            return 0
        told = phases * connector.max_voltage * connector.max_amperage
    return min(int(told), _MOST_POWER)
