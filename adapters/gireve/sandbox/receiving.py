"""What CPOs tell the sandbox IOP of their stations and tariffs: the modules locations and tariffs, Receiver."""

from typing import Any

from aiohttp import web

from adapters.core.sandbox import Sandbox
from adapters.gireve.sandbox import checks
from adapters.gireve.sandbox.checks import Refusal, Wrong
from adapters.gireve.sandbox.memory import Memory, evse_key, tariff_key
from adapters.gireve.sandbox.serving import RECEIVER, Serve, body_of, correlation_of, owner_of
from adapters.gireve.sandbox.tariff_checks import check_tariff
from mappings.ocpi.envelope import StatusCode


class Receiving:
    """The modules locations and tariffs.

    Args:
        strict: What the quality process holds back is refused at once instead.
    """

    def __init__(self, sandbox: Sandbox, memory: Memory, *, strict: bool) -> None:
        self._sandbox = sandbox
        self._memory = memory
        self._strict = strict

    def routes(self, served: Serve) -> list[web.RouteDef]:
        """Gives the routes."""
        location = f"{RECEIVER}/locations/{{country}}/{{code}}/{{id}}"
        tariff = f"{RECEIVER}/tariffs/{{country}}/{{code}}/{{id}}"
        return [
            web.put(location, served("locations", self._put_location)),
            web.patch(location, served("locations", self._patch_location)),
            web.put(f"{location}/{{evse}}", served("locations", self._put_evse)),
            web.patch(f"{location}/{{evse}}", served("locations", self._patch_evse)),
            web.put(f"{location}/{{evse}}/{{connector}}", served("locations", self._put_connector)),
            web.patch(f"{location}/{{evse}}/{{connector}}", served("locations", self._patch_connector)),
            web.put(tariff, served("tariffs", self._put_tariff)),
            web.delete(tariff, served("tariffs", self._delete_tariff)),
        ]

    def _keep_quality(self, doubts: list[str]) -> None:
        if self._strict and doubts:
            raise Wrong("; ".join(doubts))

    def _known(self, request: web.Request) -> str:
        """The wire key of the location, or of the EVSE, that is to be changed."""
        names = request.match_info
        key = location_key = f"{owner_of(request)}/{names['id']}"
        if "evse" in names:
            key = evse_key(location_key, names["evse"])
        if key not in self._memory.locations:
            raise Refusal(404, StatusCode.UNKNOWN_LOCATION, "Unknown location or EVSE")
        return key

    # Locations

    async def _put_location(self, request: web.Request) -> dict[str, Any]:
        names, wire = request.match_info, await body_of(request)
        checks.check_location(wire)
        checks.check_owner(wire, names["country"], names["code"], names["id"])
        owner = owner_of(request)
        doubts = checks.doubts_of_location(wire)
        for evse in wire.get("evses") or ():
            doubts += checks.doubts_of_evse(evse, owner)
        self._keep_quality(doubts)
        self._memory.follows = correlation_of(request)
        self._memory.put_location(f"{owner}/{names['id']}", wire)
        return {}

    async def _patch_location(self, request: web.Request) -> dict[str, Any]:
        patch = checks.check_patch(await body_of(request))
        self._memory.follows = correlation_of(request)
        self._memory.patch_location(self._known(request), patch)
        return {}

    async def _put_evse(self, request: web.Request) -> dict[str, Any]:
        names, wire = request.match_info, await body_of(request)
        owner = owner_of(request)
        location = f"{owner}/{names['id']}"
        if location not in self._memory.locations:
            raise Refusal(404, StatusCode.UNKNOWN_LOCATION, "Unknown location")
        checks.check_evse(wire)
        if wire["uid"] != names["evse"]:
            raise Wrong("uid is not that of the URL")
        self._keep_quality(checks.doubts_of_evse(wire, owner))
        self._memory.follows = correlation_of(request)
        self._memory.put_evse(location, wire)
        return {}

    async def _patch_evse(self, request: web.Request) -> dict[str, Any]:
        patch = checks.check_patch(await body_of(request))
        self._memory.follows = correlation_of(request)
        self._memory.patch_evse(self._known(request), patch)
        return {}

    async def _put_connector(self, request: web.Request) -> dict[str, Any]:
        wire = await body_of(request)
        checks.check_connector(wire)
        if wire["id"] != request.match_info["connector"]:
            raise Wrong("id is not that of the URL")
        self._memory.follows = correlation_of(request)
        self._memory.put_connector(self._known(request), wire)
        return {}

    async def _patch_connector(self, request: web.Request) -> dict[str, Any]:
        patch = checks.check_patch(await body_of(request))
        self._memory.follows = correlation_of(request)
        if not self._memory.patch_connector(self._known(request), request.match_info["connector"], patch):
            raise Refusal(404, StatusCode.UNKNOWN_LOCATION, "Unknown connector")
        return {}

    # Tariffs

    async def _put_tariff(self, request: web.Request) -> dict[str, Any]:
        names, wire = request.match_info, await body_of(request)
        check_tariff(wire)
        checks.check_owner(wire, names["country"], names["code"], names["id"])
        key = tariff_key(wire, str(owner_of(request)), names["id"])
        self._memory.put_tariff(key, wire)
        self._sandbox.received("tariffs", key, "PUT", wire["last_updated"])
        return {}

    async def _delete_tariff(self, request: web.Request) -> dict[str, Any]:
        key = tariff_key(request.query, str(owner_of(request)), request.match_info["id"])
        if not self._memory.delete_tariff(key):
            raise Refusal(404, StatusCode.CLIENT_ERROR, "Unknown tariff")
        self._sandbox.received("tariffs", key, "DELETE")
        return {}
