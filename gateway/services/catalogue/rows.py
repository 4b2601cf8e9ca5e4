"""What a partner's location is in the store: its row, and one for each of its EVSEs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from gateway.services.catalogue.cells import cell
from gateway.services.catalogue.words import words
from gateway.services.stamps import AHEAD, without_future
from gateway.services.storing import dump_issues
from mappings.canonical.locations import Connector, Evse, EvseStatus, Hours, Location, PowerType
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
    def place(self) -> tuple[str, str]:
        """Party and id."""
        return self.location.party.normal, self.location.id


class EvseRow(NamedTuple):
    """A row of `catalogue_evse`, in the order of the statement's parameters; `n` counts locations from 1."""

    n: int
    uid: str
    evse_key: str
    longitude: float
    latitude: float
    cell: int
    standards: str
    power: int
    always_open: bool | None
    status: str | None
    status_at: datetime | None
    last_updated: datetime


def mended(copy: Copy, arrived: datetime) -> tuple[Copy, list[Issue]]:
    """Gives a copy without stamps ahead of the clock, and the issues of that."""
    if copy.location.last_updated <= arrived + AHEAD:  # those of its EVSEs are never later
        return copy, []
    location, issues = without_future(copy.location, arrived)
    made = Copy(location, (*copy.issues, *issues), copy.digest, copy.statuses, copy.withdrawn_at)
    return made, issues


def location_columns(copies: Sequence[Copy]) -> list[list[Any]]:
    """Gives the columns of locations: party, id, body, digest, issues, words, last_updated, withdrawn_at."""
    return [
        [copy.location.party.normal for copy in copies],
        [copy.location.id for copy in copies],
        [copy.location.model_dump_json(exclude_defaults=True) for copy in copies],
        [copy.digest for copy in copies],
        [dump_issues(copy.issues) for copy in copies],
        [" ".join(_words(copy.location)) for copy in copies],
        [copy.location.last_updated for copy in copies],
        [copy.withdrawn_at for copy in copies],
    ]


def evse_rows(connection_id: int, copies: Iterable[Copy]) -> list[EvseRow]:
    """Gives the rows of the EVSEs of some locations; of several with one uid, the last."""
    rows: list[EvseRow] = []
    for n, copy in enumerate(copies, 1):
        location = copy.location
        point = location.coordinates
        place = _place(float(point.longitude), float(point.latitude))
        always = _always(location.opening_times)
        made = {}
        for evse in location.evses:
            if evse.status is EvseStatus.REMOVED and not copy.statuses:
                continue  # as if it were left out: of the status itself this copy says nothing
            at = place
            if evse.coordinates is not None:
                at = _place(float(evse.coordinates.longitude), float(evse.coordinates.latitude))
            made[evse.uid] = EvseRow(
                n,
                evse.uid,
                evse_key(connection_id, location, evse),
                *at,
                ",".join({connector.standard.value: None for connector in evse.connectors}),
                max([_power(connector) for connector in evse.connectors], default=0),
                always,
                evse.status.value if copy.statuses else None,
                evse.last_updated if copy.statuses else None,
                evse.last_updated,
            )
        rows += made.values()
    return rows


def several(rows: Iterable[EvseRow]) -> set[str]:
    """Names the keys that several of the rows have."""
    return {key for key, count in Counter(row.evse_key for row in rows).items() if count > 1}


def evse_key(connection_id: int, location: Location, evse: Evse) -> str:
    """Names the entry of the catalogue that an EVSE belongs to: by its EvseID, else by a name of its own."""
    if evse.evse_id is not None and evse.evse_id.normal:
        return evse.evse_id.normal
    name = "\0".join((str(connection_id), location.party.normal, location.id, evse.uid))
    # Normal forms have no small letters, so that none is ever equal.
    return "x" + blake2b(name.encode(), digest_size=12).hexdigest()


def _words(location: Location) -> list[str]:
    operator = location.operator.name if location.operator is not None else None
    return words(location.name, location.address, location.city, location.postal_code, operator)


def _place(longitude: float, latitude: float) -> tuple[float, float, int]:
    return longitude, latitude, cell(longitude, latitude)


def _always(hours: Hours | None) -> bool | None:
    if hours is None:
        return None
    return hours.twentyfourseven and not hours.exceptional_closings


def _power(connector: Connector) -> int:
    """Gives watts; 0 where neither they nor voltage, current and phases are told."""
    watts: Decimal | int | None = connector.max_power
    if watts is None:
        phases = _PHASES.get(connector.power_type) if connector.power_type is not None else None
        if phases is None or connector.max_voltage is None or connector.max_amperage is None:
            return 0
        watts = phases * connector.max_voltage * connector.max_amperage
    return min(int(watts), _MOST_POWER)
