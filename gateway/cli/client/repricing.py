"""What CDRs cost by their tariffs."""

from collections.abc import AsyncIterator
from typing import Any

from gateway.cli.client.wire import LONG, Wire, given, params, path_of
from gateway.http.v1.repricings import RecomputingStarted
from gateway.services.ports import Page
from gateway.services.ports.repricing import RepricingShown, RepricingView


class Repricings:
    """`/v1/repricings`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self, **wanted: Any) -> Page[RepricingView]:
        """Gives a page of repricings, the newest first; by the operation's parameters."""
        return await self._wire.ask(Page[RepricingView], "GET", path_of("repricings"), params=params(**wanted))

    def export(self, media: str, **wanted: Any) -> AsyncIterator[bytes]:
        """Gives all repricings piece by piece, as a media type."""
        return self._wire.stream(path_of("repricings", "export"), media, params=params(**wanted), timeout=LONG)

    async def get(self, no: int) -> RepricingShown:
        """Gives one repricing."""
        return await self._wire.ask(RepricingShown, "GET", path_of("repricings", no))

    async def accept(self, no: int, why: str) -> RepricingShown:
        """Takes a CDR's cost as it is."""
        path = path_of("repricings", no, "accept")
        return await self._wire.ask(RepricingShown, "POST", path, json={"why": why})

    async def dispute(self, no: int, why: str, agreed: dict[str, Any] | None) -> RepricingShown:
        """Does not take a CDR's cost; `agreed` is an amount of money as JSON."""
        path = path_of("repricings", no, "dispute")
        return await self._wire.ask(RepricingShown, "POST", path, json=given(why=why, agreed=agreed))

    async def recompute(self, no: int) -> RepricingShown:
        """Prices a CDR anew."""
        return await self._wire.ask(RepricingShown, "POST", path_of("repricings", no, "recompute"))

    async def recompute_all(self, since: str, party: str | None) -> RecomputingStarted:
        """Has CDRs priced anew, in the background."""
        body = given(since=since, party=party)
        return await self._wire.ask(
            RecomputingStarted, "POST", path_of("repricings", "recompute"), json=body, timeout=LONG
        )
