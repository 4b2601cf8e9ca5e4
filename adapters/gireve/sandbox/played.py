"""The CPOs that the sandbox IOP plays: their networks, loaded whole, and what changes in them.

A network is what an EMSP would see, so it passes no quality process, and nothing of it is checked: what is loaded
broken is shown broken.
"""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter
from pydantic_core import from_json

from adapters.core.sandbox import PREFIX
from adapters.gireve.sandbox.memory import tariff_key
from adapters.gireve.sandbox.serving import problem
from adapters.gireve.sandbox.showing import transferred
from adapters.gireve.sandbox.shown import Shown, Stations
from mappings.canonical.ids import PartyId

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When a record was changed whose own stamp says nothing."""


class StatusChange(BaseModel):
    """An EVSE that changes.

    Attributes:
        status: What it becomes.
        last_updated: When; now where it is not said.
        also: Further fields of the EVSE that change with it.
        push: Whether EMSPs are told; else they see it by a pull.
    """

    model_config = ConfigDict(extra="forbid")

    party: PartyId
    location_id: str
    evse_uid: str
    status: str
    last_updated: str | None = None
    also: dict[str, JsonValue] = Field(default_factory=dict)
    push: bool = True


class _Located(BaseModel):
    """Locations that are new, or changed as a whole."""

    model_config = ConfigDict(extra="forbid")

    locations: list[dict[str, JsonValue]]
    push: bool = True


_CHANGES: TypeAdapter[StatusChange | list[StatusChange]] = TypeAdapter(StatusChange | list[StatusChange])


class Played:
    """The networks of played CPOs.

    Attributes:
        parties: The CPOs that are played.
    """

    def __init__(self, shown: Shown, tariffs: Shown, stations: Stations, wall: Callable[[], datetime]) -> None:
        self._shown = shown
        self._tariffs = tariffs
        self._stations = stations
        self._wall = wall
        self.parties: set[PartyId] = set()

    def routes(self) -> list[web.RouteDef]:
        """Gives the control routes."""
        return [
            web.post(f"{PREFIX}/network", self._load),
            web.post(f"{PREFIX}/network-tariffs", self._load_tariffs),
            web.post(f"{PREFIX}/locations", self._locate),
            web.post(f"{PREFIX}/statuses", self._change),
        ]

    async def _load(self, request: web.Request) -> web.Response:
        """Loads OCPI Locations, NDJSON; EMSPs are not pushed what is loaded."""
        return await self._lines(request, self._take_location)

    async def _load_tariffs(self, request: web.Request) -> web.Response:
        """Loads OCPI Tariffs, NDJSON."""
        return await self._lines(request, self._take_tariff)

    @staticmethod
    async def _lines(request: web.Request, take: Any) -> web.Response:
        number = 0
        async for line in _lines_of(request):
            number += 1
            try:
                take(from_json(line))
            except (ValueError, KeyError, TypeError) as error:
                return problem(400, f"line {number}: {error!r}"[:400])
        return web.json_response({"taken": number})

    def _take_location(self, wire: dict[str, Any]) -> None:
        self.parties.add(PartyId.of(wire["country_code"], wire["party_id"]))
        self._stations.put(wire, _stamp_of(wire), tell=False)

    def _take_tariff(self, wire: dict[str, Any]) -> None:
        if transferred(wire):
            key = tariff_key(wire, f"{wire['country_code']}*{wire['party_id']}", wire["id"])
            self._tariffs.keep(key, wire, _stamp_of(wire))

    async def _locate(self, request: web.Request) -> web.Response:
        try:
            asked = _Located.model_validate_json(await request.read())
            for wire in asked.locations:
                self.parties.add(PartyId.of(str(wire["country_code"]), str(wire["party_id"])))
                self._stations.put(wire, self._wall(), tell=asked.push)
        except (ValueError, KeyError) as error:
            return problem(400, repr(error))
        return web.json_response({"taken": len(asked.locations)})

    async def _change(self, request: web.Request) -> web.Response:
        try:
            asked = _CHANGES.validate_json(await request.read())
        except ValueError as error:
            return problem(400, str(error))
        changed = [self._changed(each) for each in (asked if isinstance(asked, list) else [asked])]
        return web.json_response({"changed": sum(changed), "unknown": changed.count(False)})

    def _changed(self, asked: StatusChange) -> bool:
        now = self._wall().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        patch = {**asked.also, "status": asked.status, "last_updated": asked.last_updated or now}
        key = f"{asked.party}/{asked.location_id}"
        return self._stations.change(key, asked.evse_uid, patch, tell=asked.push)


async def _lines_of(request: web.Request) -> AsyncIterator[bytes]:
    """Gives the lines of a body, which may be larger than what is ever held of it."""
    rest = b""
    async for chunk in request.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip():
                yield line
    if rest.strip():
        yield rest


def _stamp_of(wire: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(wire.get("last_updated")))
    except ValueError:
        return _EVER
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
