"""Partners' stations, as hubs push them."""

from adapters.core.connection import Connection
from adapters.core.inbound import LocationCopy
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatusReport, Location
from mappings.canonical.parties import ClientInfo
from mappings.canonical.tariffs import Tariff


class Catalogue:
    """Implements `adapters.core.inbound.Catalogue`."""

    async def put_location(self, connection: Connection, copy: LocationCopy) -> bool:
        """See `inbound.Catalogue.put_location`."""
        raise NotImplementedError

    async def location(self, connection: Connection, party: PartyId, location_id: str) -> Location | None:
        """See `inbound.Catalogue.location`."""
        raise NotImplementedError

    async def put_status(self, connection: Connection, report: EvseStatusReport) -> bool:
        """See `inbound.Catalogue.put_status`."""
        raise NotImplementedError

    async def withdraw_location(self, connection: Connection, party: PartyId, location_id: str) -> bool:
        """See `inbound.Catalogue.withdraw_location`."""
        raise NotImplementedError

    async def put_tariff(self, connection: Connection, tariff: Tariff, digest: bytes) -> bool:
        """See `inbound.Catalogue.put_tariff`."""
        raise NotImplementedError

    async def tariff(
        self, connection: Connection, party: PartyId, tariff_id: str, target: PartyId | None = None
    ) -> Tariff | None:
        """See `inbound.Catalogue.tariff`."""
        raise NotImplementedError

    async def withdraw_tariff(self, connection: Connection, party: PartyId, tariff_id: str) -> bool:
        """See `inbound.Catalogue.withdraw_tariff`."""
        raise NotImplementedError

    async def put_party(self, connection: Connection, info: ClientInfo) -> None:
        """See `inbound.Catalogue.put_party`."""
        raise NotImplementedError
