"""Network groups, EVSE groups, documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.cli.client.wire import LONG, Wire, params, path_of
from gateway.http.v1.documents import PDF
from gateway.services.ports import Page
from gateway.services.ports.offers import DocumentView, EvseGroupView
from mappings.canonical.agreements import NetworkGroup
from mappings.canonical.ids import EvseId


class NetworkGroups:
    """`/v1/network-groups`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self, after: str | None, limit: int) -> Page[NetworkGroup]:
        """Gives a page of groups, by id."""
        query = params(after=after, limit=limit)
        return await self._wire.ask(Page[NetworkGroup], "GET", path_of("network-groups"), params=query)

    async def get(self, group: str) -> NetworkGroup:
        """Gives one group."""
        return await self._wire.ask(NetworkGroup, "GET", path_of("network-groups", group))

    async def put(self, group: str, body: Mapping[str, Any]) -> NetworkGroup:
        """Writes a group: id, name, members."""
        return await self._wire.ask(NetworkGroup, "PUT", path_of("network-groups", group), json=body)

    async def remove(self, group: str) -> None:
        """Forgets a group."""
        await self._wire.answer("DELETE", path_of("network-groups", group))


class EvseGroups:
    """`/v1/evse-groups`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self, party: str | None, after: str | None, limit: int) -> Page[EvseGroupView]:
        """Gives a page of groups, by id."""
        query = params(party=party, after=after, limit=limit)
        return await self._wire.ask(Page[EvseGroupView], "GET", path_of("evse-groups"), params=query)

    async def get(self, group: str) -> EvseGroupView:
        """Gives one group."""
        return await self._wire.ask(EvseGroupView, "GET", path_of("evse-groups", group))

    async def put(self, group: str, body: Mapping[str, Any]) -> EvseGroupView:
        """Writes a group: id, party, name, description, evse_ids."""
        return await self._wire.ask(EvseGroupView, "PUT", path_of("evse-groups", group), json=body, timeout=LONG)

    async def remove(self, group: str) -> None:
        """Forgets a group."""
        await self._wire.answer("DELETE", path_of("evse-groups", group))

    async def evses(self, group: str, after: str | None, limit: int) -> Page[EvseId]:
        """Gives a page of a group's EVSEs."""
        query = params(after=after, limit=limit)
        return await self._wire.ask(Page[EvseId], "GET", path_of("evse-groups", group, "evses"), params=query)

    async def change(self, group: str, add: Sequence[str], remove: Sequence[str]) -> EvseGroupView:
        """Adds EVSEs and takes others away."""
        body = {"add": add, "remove": remove}
        path = path_of("evse-groups", group, "evses")
        return await self._wire.ask(EvseGroupView, "PATCH", path, json=body, timeout=LONG)


class Documents:
    """`/v1/documents`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def put(self, document: str, party: str | None, name: str, content: bytes) -> DocumentView:
        """Uploads a PDF."""
        return await self._wire.ask(
            DocumentView,
            "PUT",
            path_of("documents", document),
            params=params(party=party, name=name),
            data=content,
            headers={"Content-Type": PDF},
            timeout=LONG,
        )

    async def get(self, document: str) -> bytes:
        """Gives a document."""
        return await self._wire.answer("GET", path_of("documents", document), timeout=LONG)
