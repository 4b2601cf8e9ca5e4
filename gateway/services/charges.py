"""Sessions and CDRs, as a hub may pull them."""

from adapters.core.connection import Connection
from adapters.core.inbound import Page, Window
from mappings.canonical.sessions import ChargingPreferences, PreferencesResult


class Charges:
    """Implements `adapters.core.inbound.Charges`."""

    async def sessions(self, connection: Connection, window: Window) -> Page:
        """See `inbound.Charges.sessions`."""
        raise NotImplementedError

    async def cdrs(self, connection: Connection, window: Window) -> Page:
        """See `inbound.Charges.cdrs`."""
        raise NotImplementedError

    async def prefer(
        self, connection: Connection, session_id: str, preferences: ChargingPreferences
    ) -> PreferencesResult | None:
        """See `inbound.Charges.prefer`."""
        raise NotImplementedError
