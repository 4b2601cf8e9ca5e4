"""Own drivers: their tokens, and whether they may charge at partners' stations."""

from collections.abc import AsyncIterator

from gateway.cli.client.wire import LONG, Wire, params, path_of
from gateway.http import bodies
from gateway.http.v1.shapes import BulkSummary
from gateway.services.ports import Page
from gateway.services.ports.driver_tokens import DriverToken, StoredDriverToken, Switched
from gateway.services.ports.permits import PermitView


class DriverTokens:
    """`/v1/driver-tokens`, `/v1/drivers` and `/v1/contracts`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(
        self,
        party: str | None,
        driver: str | None,
        contract: str | None,
        uid: str | None,
        after: str | None,
        limit: int,
    ) -> Page[StoredDriverToken]:
        """Gives a page of tokens in the order of their keys."""
        query = params(party=party, driver=driver, contract=contract, uid=uid, after=after, limit=limit)
        return await self._wire.ask(Page[StoredDriverToken], "GET", path_of("driver-tokens"), params=query)

    async def get(self, party: str, type_: str, uid: str) -> DriverToken:
        """Gives one token."""
        return await self._wire.ask(DriverToken, "GET", path_of("driver-tokens", party, type_, uid))

    async def withdraw(self, party: str, type_: str, uid: str) -> None:
        """Takes one token out of use."""
        await self._wire.answer("DELETE", path_of("driver-tokens", party, type_, uid))

    async def switch(self, party: str, driver: str | None, contract: str | None, *, valid: bool) -> Switched:
        """Makes every token of a driver, or else of a contract, valid or not."""
        whose = ("drivers", party, driver) if driver is not None else ("contracts", party, contract or "")
        return await self._wire.ask(Switched, "POST", path_of(*whose, "unblock" if valid else "block"))

    async def send(self, content: AsyncIterator[bytes], *, gzip: bool) -> BulkSummary:
        """Streams tokens, one a line."""
        headers = {"Content-Type": bodies.NDJSON[0]} | ({"Content-Encoding": "gzip"} if gzip else {})
        return await self._wire.ask(
            BulkSummary, "POST", path_of("driver-tokens"), data=content, headers=headers, timeout=LONG
        )


class Permits:
    """`/v1/permits`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(
        self,
        party: str | None,
        driver: str | None,
        connection: str | None,
        allowed: bool | None,
        since: str | None,
        until: str | None,
        after: str | None,
        limit: int,
    ) -> Page[PermitView]:
        """Gives a page of permits, the newest first."""
        query = params(
            party=party,
            driver=driver,
            connection=connection,
            allowed=allowed,
            since=since,
            until=until,
            after=after,
            limit=limit,
        )
        return await self._wire.ask(Page[PermitView], "GET", path_of("permits"), params=query)

    async def get(self, id_: str) -> PermitView:
        """Gives one permit."""
        return await self._wire.ask(PermitView, "GET", path_of("permits", id_))
