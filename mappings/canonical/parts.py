"""Finds and puts the EVSEs of a location and the connectors of an EVSE, each whole.

A part is found by its key as it is spelt; else by the one part whose key differs in case alone, since the peers that
push parts one by one compare ids without regard to case (OCPI, CiString).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from mappings.canonical.locations import Connector, Evse, Location

P = TypeVar("P", Evse, Connector)


def evse(location: Location, uid: str) -> Evse | None:
    """Finds an EVSE of a location."""
    return _found(location.evses, uid)


def connector(of: Evse, connector_id: str) -> Connector | None:
    """Finds a connector of an EVSE."""
    return _found(of.connectors, connector_id)


def with_evse(location: Location, part: Evse) -> Location:
    """Gives the location with this EVSE in the place of the one that has its uid, else after the others."""
    evses = _put(location.evses, part)
    return location.model_copy(update={"evses": evses, "last_updated": newest(location.last_updated, evses)})


def with_connector(of: Evse, part: Connector) -> Evse:
    """Gives the EVSE with this connector in the place of the one that has its id, else after the others."""
    connectors = _put(of.connectors, part)
    return of.model_copy(update={"connectors": connectors, "last_updated": newest(of.last_updated, connectors)})


def newest(own: datetime, parts: Sequence[Evse] | Sequence[Connector]) -> datetime:
    """Gives the `last_updated` of what holds these parts, which is never older than theirs."""
    return max([own, *(part.last_updated for part in parts)])


def _put(parts: tuple[P, ...], part: P) -> tuple[P, ...]:
    before = _found(parts, _key(part))
    made: list[P] = [part if each is before else each for each in parts]
    if before is None:
        made.append(part)
    return tuple(made)


def _found(parts: tuple[P, ...], key: str) -> P | None:
    alike = []
    for part in parts:
        if _key(part) == key:
            return part
        if _key(part).casefold() == key.casefold():
            alike.append(part)
    return alike[0] if len(alike) == 1 else None


def _key(part: Evse | Connector) -> str:
    return part.uid if isinstance(part, Evse) else part.id
