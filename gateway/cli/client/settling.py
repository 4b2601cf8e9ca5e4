"""Settlements, and how parties are billed."""

from collections.abc import AsyncIterator
from typing import Any

from gateway.cli.client.wire import LONG, Wire, params, path_of
from gateway.services.ports import Page
from gateway.services.ports.settlement import SettlementReport
from mappings.canonical.billing import BillingParty


class Settlements:
    """`/v1/settlements`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def report(self, **wanted: Any) -> SettlementReport:
        """Gives a report; by the operation's parameters."""
        return await self._wire.ask(
            SettlementReport, "GET", path_of("settlements"), params=params(**wanted), timeout=LONG
        )

    def written(self, media: str, **wanted: Any) -> AsyncIterator[bytes]:
        """Gives a report piece by piece, as a media type."""
        return self._wire.stream(path_of("settlements"), media, params=params(**wanted), timeout=LONG)

    def lines(self, media: str, **wanted: Any) -> AsyncIterator[bytes]:
        """Gives every line piece by piece, as a media type."""
        return self._wire.stream(path_of("settlements", "lines"), media, params=params(**wanted), timeout=LONG)


class BillingParties:
    """`/v1/billing-parties`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self, after: str | None, limit: int) -> Page[BillingParty]:
        """Gives a page of them."""
        given = params(after=after, limit=limit)
        return await self._wire.ask(Page[BillingParty], "GET", path_of("billing-parties"), params=given)

    async def get(self, party: str) -> BillingParty:
        """Gives one."""
        return await self._wire.ask(BillingParty, "GET", path_of("billing-parties", party))

    async def put(self, party: str, given: dict[str, Any]) -> BillingParty:
        """Writes one."""
        return await self._wire.ask(BillingParty, "PUT", path_of("billing-parties", party), json=given)
