"""One EVSE of the own network, as a charge sees it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from pydantic_core import from_json, to_json

from adapters.core.connection import Scope
from mappings.canonical.cdrs import CdrLocation, cdr_location
from mappings.canonical.locations import Location

PLUG_HELD: Final = timedelta(days=1)
"""How long after its end a charge may be what a plug is still held for (OCPI's mod_commands: UNLOCK_CONNECTOR)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A location with one EVSE alone, its status as the location was last written."""

    location: Location

    @property
    def evse_uid(self) -> str:
        """The EVSE's uid."""
        return self.location.evses[0].uid

    @property
    def evse_key(self) -> str:
        """The normal form of the EvseID; `""` where it has none."""
        evse_id = self.location.evses[0].evse_id
        return evse_id.normal if evse_id is not None else ""

    def is_in(self, scope: Scope) -> bool:
        """Tells whether a connection of that scope carries it."""
        return scope.narrow(self.location) is not None

    def connector(self, asked: str | None) -> str | None:
        """Gives the connector that is meant: the one asked for, else the only one."""
        connectors = self.location.evses[0].connectors
        return asked or (connectors[0].id if len(connectors) == 1 else None)

    def has_connector(self, asked: str | None) -> bool:
        """Tells whether the EVSE has the connector that is asked for; True where none is."""
        return asked is None or any(one.id == asked for one in self.location.evses[0].connectors)

    def picture(self, connector_id: str | None) -> CdrLocation:
        """Takes the picture that goes with a question, session or CDR; `connector_id` is "" where nobody knows it."""
        [evse] = self.location.evses
        named = next((one for one in evse.connectors if one.id == connector_id), None)
        return cdr_location(self.location, evse, named, connector_id or "")


def read_place(body: str, evse_uid: str) -> Place:
    """Reads a stored location down to one of its EVSEs: a station may have a hundred, and a driver waits."""
    raw = from_json(body)
    raw["evses"] = [evse for evse in raw["evses"] if evse["uid"] == evse_uid]
    return Place(Location.model_validate_json(to_json(raw)))
