"""Canonical objects to what IOP takes, with the connection's defaults; pure."""

from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Evse, EvseStatus, Location
from mappings.canonical.tariffs import Tariff
from mappings.ocpi.v2_2_1 import locations, tariffs
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Refused


class Rendering:
    """Writes objects for one connection."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def location(self, location: Location) -> tuple[Wire, list[Issue]]:
        """Writes a location without its EVSEs.

        Raises:
            Refused: Gireve cannot be told of it.
        """
        return locations.from_canonical(location.model_copy(update={"evses": ()}), self._settings.connector_defaults)

    def evse(self, party: PartyId, evse: Evse) -> tuple[Wire, list[Issue]]:
        """Writes one EVSE of a party's location.

        Raises:
            Refused: Gireve cannot be told of it.
        """
        return locations.evse_from_canonical(evse, self._settings.connector_defaults)

    def whole(self, location: Location, *, removed_too: bool) -> Wire:
        """Writes a location with those of its EVSEs that can be said, for a pull.

        Args:
            removed_too: REMOVED EVSEs are listed, as tombstones.

        Raises:
            Refused: Gireve cannot be told of the location.
        """
        wire, _ = self.location(location)
        evses = []
        for evse in location.evses:
            if evse.status is EvseStatus.REMOVED and not removed_too:
                continue
            try:
                evses.append(self.evse(location.party, evse)[0])
            except Refused:
                continue  # the projection of its own has told why
        if evses:
            wire["evses"] = evses
        return wire

    def tariff(self, tariff: Tariff) -> tuple[Wire, list[Issue]]:
        """Writes a tariff, with its target.

        Raises:
            Refused: Gireve cannot be told of it.
        """
        return tariffs.from_canonical(tariff)
