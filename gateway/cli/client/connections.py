"""Connections and agreements."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.core.connection import Mode, Scope
from gateway.cli.client.wire import LONG, Wire, params, path_of
from gateway.http.v1.connections import ConnectionList, ExpectedToken
from gateway.http.v1.shapes import Count
from gateway.services.ports import ConnectionView, Difference


class Connections:
    """`/v1/connections`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self) -> Sequence[ConnectionView]:
        """Gives all connections."""
        return (await self._wire.ask(ConnectionList, "GET", path_of("connections"))).items

    async def get(self, name: str) -> ConnectionView:
        """Gives one connection."""
        return await self._wire.ask(ConnectionView, "GET", path_of("connections", name))

    async def create(self, connection: Mapping[str, Any]) -> ConnectionView:
        """Adds a connection: name, hub, settings, and where they are not the default, mode and scope."""
        return await self._wire.ask(ConnectionView, "POST", path_of("connections"), json=connection)

    async def register(self, name: str, token: str) -> ConnectionView:
        """Registers with the hub's token."""
        return await self._ask("POST", name, "register", json={"token": token}, timeout=LONG)

    async def expect(self, name: str) -> str:
        """Gives a token to hand to the hub."""
        return (await self._wire.ask(ExpectedToken, "POST", path_of("connections", name, "expect"))).token

    async def unregister(self, name: str) -> ConnectionView:
        """Gives the credentials up."""
        return await self._ask("POST", name, "unregister", timeout=LONG)

    async def adopt(self, name: str, credentials: Mapping[str, Any]) -> ConnectionView:
        """Takes a live connection over: token_ours, token_theirs, endpoints."""
        return await self._ask("POST", name, "adopt", json=credentials)

    async def set_mode(self, name: str, mode: Mode) -> ConnectionView:
        """Sets how far a connection goes."""
        return await self._ask("PUT", name, "mode", json={"mode": mode.value}, timeout=LONG)

    async def set_scope(self, name: str, scope: Scope) -> ConnectionView:
        """Sets what a connection carries."""
        return await self._ask("PUT", name, "scope", json=scope.model_dump(mode="json"), timeout=LONG)

    async def set_settings(self, name: str, settings: Mapping[str, Any]) -> ConnectionView:
        """Sets the hub's own settings."""
        return await self._ask("PUT", name, "settings", json=settings, timeout=LONG)

    async def remove(self, name: str) -> None:
        """Removes a connection."""
        await self._wire.answer("DELETE", path_of("connections", name))

    async def pause(self, name: str, why: str) -> ConnectionView:
        """Stops a connection."""
        return await self._ask("POST", name, "pause", json={"why": why})

    async def resume(self, name: str) -> ConnectionView:
        """Lets a paused connection go on."""
        return await self._ask("POST", name, "resume")

    async def resync(self, name: str) -> int:
        """Asks for everything again; gives the number of projections."""
        return (await self._wire.ask(Count, "POST", path_of("connections", name, "resync"), timeout=LONG)).count

    async def difference(self, name: str, operation: str | None, after: str | None, limit: int) -> Difference:
        """Gives what a hub does not have."""
        query = params(operation=operation, after=after, limit=limit)
        return await self._wire.ask(Difference, "GET", path_of("connections", name, "difference"), params=query)

    async def _ask(self, method: str, name: str, what: str, **options: Any) -> ConnectionView:
        return await self._wire.ask(ConnectionView, method, path_of("connections", name, what), **options)
