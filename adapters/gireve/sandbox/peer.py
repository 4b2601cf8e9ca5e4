"""The sandbox IOP as an OCPI platform: its versions and credentials, and registrations begun by itself."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from adapters.core import ocpi
from adapters.core.http import compact_json, read_json
from adapters.core.sandbox import PREFIX
from adapters.gireve.sandbox.calling import Caller, DriveFailed, data
from adapters.gireve.sandbox.checks import Refusal, Wrong
from adapters.gireve.sandbox.platforms import CPO, Platforms, Provision, Role
from adapters.gireve.sandbox.serving import RECEIVER, ROOT, Serve, platform_of, problem
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode

_BASE = f"{ROOT}/{ocpi.VERSION}"

Endpoints = Callable[[str, frozenset[Role]], Sequence[Mapping[str, str]]]
"""Gives what the version details name, by origin and the roles of who asks."""


class _Register(BaseModel):
    model_config = ConfigDict(extra="forbid")

    versions_url: str
    token: str
    platform: str | None = None


class _Which(BaseModel):
    model_config = ConfigDict(extra="forbid")

    platform: str | None = None


class Peer:
    """Registrations.

    Args:
        more_endpoints: What the version details name beside credentials, locations and tariffs of CPOs.
    """

    def __init__(
        self, platforms: Platforms, caller: Caller, party: PartyId, more_endpoints: Sequence[Endpoints]
    ) -> None:
        self._platforms = platforms
        self._caller = caller
        self._party = party
        self._more_endpoints = more_endpoints

    def routes(self, served: Serve) -> list[web.RouteDef]:
        """Gives the routes of the configuration modules, and the control routes of registration."""
        return [
            web.get(f"{ROOT}/versions", served("versions", self._versions)),
            web.get(_BASE, served("versions", self._details)),
            web.get(f"{_BASE}/credentials", served("credentials", self._show)),
            web.post(f"{_BASE}/credentials", served("credentials", self._register)),
            web.put(f"{_BASE}/credentials", served("credentials", self._update)),
            web.delete(f"{_BASE}/credentials", served("credentials", self._unregister)),
            web.get(f"{PREFIX}/platforms", self._list_platforms),
            web.post(f"{PREFIX}/platforms", self._add_platform),
            web.post(f"{PREFIX}/register", self._drive_register),
            web.post(f"{PREFIX}/unregister", self._drive_unregister),
        ]

    # What a platform calls

    async def _versions(self, request: web.Request) -> list[dict[str, str]]:
        origin = request.url.origin()
        return [
            {"version": "2.1.1", "url": f"{origin}/ocpi/emsp/2.1.1"},
            {"version": ocpi.VERSION, "url": f"{origin}{_BASE}"},
        ]

    async def _details(self, request: web.Request) -> dict[str, Any]:
        origin, roles = str(request.url.origin()), platform_of(request).provision.roles
        endpoints = [{"identifier": "credentials", "role": "SENDER", "url": f"{origin}{_BASE}/credentials"}]
        if CPO in roles:
            # With and without a slash at the end, as platforms do.
            endpoints += [
                {"identifier": "locations", "role": "RECEIVER", "url": f"{origin}{RECEIVER}/locations/"},
                {"identifier": "tariffs", "role": "RECEIVER", "url": f"{origin}{RECEIVER}/tariffs"},
            ]
        more = [dict(each) for named in self._more_endpoints for each in named(origin, roles)]
        return {"version": ocpi.VERSION, "endpoints": endpoints + more}

    def _credentials(self, request: web.Request, token: str) -> dict[str, Any]:
        role = {
            "role": "HUB",
            "business_details": {"name": "Sandbox IOP"},
            "party_id": self._party.code,
            "country_code": self._party.country,
        }
        return {"token": token, "url": f"{request.url.origin()}{ROOT}/versions", "roles": [role]}

    async def _show(self, request: web.Request) -> dict[str, Any]:
        return self._credentials(request, ocpi.presented_token(request.headers["Authorization"]) or "")

    async def _register(self, request: web.Request) -> dict[str, Any]:
        platform = platform_of(request)
        if platform.ours is not None:
            raise Refusal(405, StatusCode.CLIENT_ERROR, "Already registered")
        wire = read_json(await request.read())
        if not isinstance(wire, dict) or not all(wire.get(name) for name in ("token", "url", "roles")):
            raise Wrong("token, url or roles is missing")
        try:
            endpoints = await self._read_platform(wire["url"], wire["token"])
        except DriveFailed as failed:
            raise Wrong(str(failed)) from None
        platform.theirs, platform.ours, platform.endpoints = secrets.token_urlsafe(24), wire["token"], endpoints
        platform.presents(wire)
        return self._credentials(request, platform.theirs)

    async def _update(self, _request: web.Request) -> dict[str, Any]:
        # Guide: "Gireve has not implemented the update of credentials".
        raise Refusal(405, StatusCode.CLIENT_ERROR, "Update is not implemented")

    async def _unregister(self, request: web.Request) -> dict[str, Any]:
        platform = platform_of(request)
        if platform.ours is None:
            raise Refusal(405, StatusCode.CLIENT_ERROR, "Not registered")
        platform.forget()
        return {}

    # What it does by itself

    async def _list_platforms(self, _request: web.Request) -> web.Response:
        return web.json_response([platform.shown() for platform in self._platforms.all()])

    async def _add_platform(self, request: web.Request) -> web.Response:
        try:
            self._platforms.add(Provision.model_validate_json(await request.read()))
        except ValueError as error:
            return problem(400, str(error))
        return await self._list_platforms(request)

    async def _drive_register(self, request: web.Request) -> web.Response:
        """Registers with a platform."""
        try:
            asked = _Register.model_validate_json(await request.read())
            platform = self._platforms.named(asked.platform)
        except ValueError as error:
            return problem(400, str(error))
        before = platform.theirs, platform.ours, platform.endpoints
        try:
            endpoints = await self._read_platform(asked.versions_url, asked.token)
            presented = secrets.token_urlsafe(24)
            # The platform calls back with it while it answers.
            platform.theirs, platform.ours = presented, None
            body = compact_json(self._credentials(request, presented))
            credentials = data(await self._caller.ask("POST", endpoints["credentials"], asked.token, body))
            theirs = _token_in(credentials)
        except DriveFailed as failed:
            platform.theirs, platform.ours, platform.endpoints = before
            return problem(502, str(failed))
        platform.ours, platform.endpoints = theirs, endpoints
        platform.presents(credentials)
        return web.json_response({"registered": True})

    async def _drive_unregister(self, request: web.Request) -> web.Response:
        """Sends DELETE credentials, and forgets the registration whatever the platform says."""
        try:
            asked = _Which.model_validate_json(await request.read() or b"{}")
            platform = self._platforms.named(asked.platform)
        except (ValidationError, ValueError) as error:
            return problem(400, str(error))
        if platform.ours is None:
            return problem(409, "not registered")
        reply = await self._caller.ask("DELETE", platform.endpoints["credentials"], platform.ours)
        platform.forget()
        status = reply.answer.status if reply.answer is not None else None
        return web.json_response({"status": status, "outcome": type(reply.outcome).__name__})

    async def _read_platform(self, versions_url: str, token: str) -> dict[str, str]:
        listed = data(await self._caller.ask("GET", versions_url, token))
        url = next((each["url"] for each in listed if each.get("version") == ocpi.VERSION), None)
        if url is None:
            raise DriveFailed(f"the gateway does not offer {ocpi.VERSION}")
        details = data(await self._caller.ask("GET", url, token))
        found = {}
        for each in details["endpoints"]:
            name = each["identifier"]
            found[name if name == "credentials" else f"{name}/{each['role']}"] = each["url"]
        if "credentials" not in found:
            raise DriveFailed("the gateway has no endpoint credentials")
        return found


def _token_in(credentials: Any) -> str:
    token = credentials.get("token") if isinstance(credentials, dict) else None
    if not isinstance(token, str):
        raise DriveFailed("the gateway's credentials hold no token")
    return token
