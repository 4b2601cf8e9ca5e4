"""Canonical objects to what IOP takes, with the connection's defaults; pure."""

from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Evse, EvseStatus, Location
from mappings.canonical.tariffs import Tariff
from mappings.ocpi.dialects import gireve, gireve_tariffs
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Refused

NONE_SAID = Refused("evses", "none of the EVSEs can be said")
"""Why a location is not told of although its own fields could be."""


class Rendering:
    """Writes objects for one connection."""

    def __init__(self, settings: Settings) -> None:
        self._settings = gireve.GireveSettings(
            operator_name=settings.operator_name,
            owner_name=settings.owner_name,
            connectors=settings.connector_defaults,
        )

    def location(self, location: Location) -> tuple[Wire, list[Issue]]:
        """Writes a location without its EVSEs.

        Raises:
            Refused: Gireve cannot be told of it.
        """
        return gireve.location_from_canonical(location.model_copy(update={"evses": ()}), self._settings)

    def evse(self, party: PartyId, evse: Evse) -> tuple[Wire, list[Issue]]:
        """Writes one EVSE of a party's location.

        Raises:
            Refused: Gireve cannot be told of it.
        """
        return gireve.evse_from_canonical(evse, party, self._settings)

    def whole(self, location: Location, *, removed_too: bool) -> Wire:
        """Writes a location with those of its EVSEs that can be said, for a pull.

        Args:
            removed_too: REMOVED EVSEs are listed, as tombstones.

        Raises:
            Refused: Gireve cannot be told of the location, or of none of its EVSEs.
        """
        wire, _ = self.location(location)
        evses = []
        told = [evse for evse in location.evses if removed_too or evse.status is not EvseStatus.REMOVED]
        for evse in told:
            try:
                evses.append(self.evse(location.party, evse)[0])
            except Refused:
                continue  # the projection of its own has told why
        if evses:
            wire["evses"] = evses
        elif told:
            raise NONE_SAID
        return wire

    def tariff(self, tariff: Tariff) -> tuple[Wire, list[Issue]]:
        """Writes a tariff, with its target.

        Raises:
            Refused: Gireve cannot be told of it.
        """
        return gireve_tariffs.from_canonical(tariff)
