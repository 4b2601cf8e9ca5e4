"""The Receiver interface of locations (OCPI 2.2.1, mod_locations): partners' stations, whole or in parts.

IOP pushes statuses at once, EVSE by EVSE (guide, EMSP side, PUSH Locations): a PATCH that says a status and nothing
else is written without looking at its location. Whatever else is said of a part is put into its location, which is
written whole; writers of one location take turns, so that none loses what the other says.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from aiohttp import web

from adapters.core.digest import SIZE, ordered_digest
from adapters.core.inbound import LocationCopy
from adapters.gireve.server.asked import LARGE, Asked, Failure, Given
from adapters.gireve.server.bodies import parsed
from adapters.gireve.server.requests import RECEIVER, Desk
from adapters.gireve.server.turns import Turns
from adapters.gireve.settings import Settings
from mappings.canonical import parts
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Connector, Evse, EvseStatusReport, Location
from mappings.ocpi.dialects import gireve
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1 import locations, patches, paths
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.versions import Endpoint
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Refused

_LOCATIONS = f"{RECEIVER}/locations"
_OPERATION = "partner_locations"


class _Key(NamedTuple):
    """What the URL names."""

    party: PartyId
    location: str
    evse: str | None
    connector: str | None


class _Said(NamedTuple):
    """What a body makes of a location.

    Attributes:
        after: The location as it is then.
        issues: What was lost of the body.
        at: When the part that is named was last updated, as the body says.
    """

    after: Location
    issues: Sequence[Issue]
    digest: bytes
    at: datetime


class PartnerLocations:
    """Implements `Module` for the stations of partners."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._catalogue = desk.gateway.catalogue
        self._turns = Turns()

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""
        location = f"{_LOCATIONS}/{{country}}/{{party}}/{{location}}"
        evse = f"{location}/{{evse}}"
        connector = f"{evse}/{{connector}}"
        return [
            self._desk.route(method, path, _OPERATION, handler)
            for path, put, patch in (
                (location, self._put_location, self._patch_part),
                (evse, self._put_part, self._patch_evse),
                (connector, self._put_part, self._patch_part),
            )
            for method, handler in (("GET", self._get), ("PUT", put), ("PATCH", patch), ("DELETE", self._delete))
        ]

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:  # noqa: ARG002  # always served
        """Gives what the version details name of it."""
        return [Endpoint(ModuleId.LOCATIONS, InterfaceRole.RECEIVER, self._desk.url(_LOCATIONS))]

    async def _put_location(self, asked: Asked) -> Given:
        key = _key(asked)

        def read(body: bytes) -> LocationCopy:
            raw = parsed(body)
            location, issues = gireve.location_to_canonical(raw, self._desk.now())
            paths.of_location(location, key.party, key.location)
            return LocationCopy(location, issues, ordered_digest(raw))

        copy = await asked.read(read, LARGE)
        async with self._turns.of(asked.connection, key.party, key.location):
            new = await self._catalogue.put_location(asked.connection, copy)
        return Given(status=201 if new else 200)

    async def _patch_evse(self, asked: Asked) -> Given:
        key = _key(asked)
        body = await asked.read(bytes)
        report = patches.status_report(body, key.party, key.location, key.evse or "")
        if report is None:
            return await self._write(asked, key, body, _patched)
        return await self._report(asked, report)

    async def _report(self, asked: Asked, report: EvseStatusReport) -> Given:
        if not await self._catalogue.put_status(asked.connection, report):
            raise _unknown()
        return Given()

    async def _patch_part(self, asked: Asked) -> Given:
        return await self._write(asked, _key(asked), await asked.read(bytes, LARGE), _patched)

    async def _put_part(self, asked: Asked) -> Given:
        def put(before: Location, key: _Key, body: bytes) -> _Said:
            return self._with_part(before, key, body)

        return await self._write(asked, _key(asked), await asked.read(bytes, LARGE), put)

    async def _write(
        self, asked: Asked, key: _Key, body: bytes, change: Callable[[Location, _Key, bytes], _Said]
    ) -> Given:
        """Changes a location that is there.

        Raises:
            Failure: HTTP 404, OCPI 2003: it is not, or the part is not. OCPI 2001: what is said cannot be used.
        """
        async with self._turns.of(asked.connection, key.party, key.location):
            before = await self._catalogue.location(asked.connection, key.party, key.location)
            if before is None:
                raise _unknown()
            said = await asked.used(body, lambda given: change(before, key, given))
            if not _is_older(said, before, key):
                copy = LocationCopy(said.after, said.issues, said.digest)
                await self._catalogue.put_location(asked.connection, copy)
        return Given(status=201 if _is_new(before, key) else 200)

    def _with_part(self, before: Location, key: _Key, body: bytes) -> _Said:
        received = self._desk.now()
        uid = key.evse or ""
        if key.connector is None:
            evse, issues = gireve.evse_to_canonical(body, received)
            paths.of_evse(evse, uid)
            return _Said(parts.with_evse(before, evse), issues, _of_part(key, body), evse.last_updated)
        holder = parts.evse(before, uid)
        if holder is None:
            raise _unknown()
        connector, issues = gireve.connector_to_canonical(body, received)
        paths.of_connector(connector, key.connector)
        after = parts.with_evse(before, parts.with_connector(holder, connector))
        return _Said(after, issues, _of_part(key, body), connector.last_updated)

    async def _get(self, asked: Asked) -> Given:
        key = _key(asked)
        location = await self._catalogue.location(asked.connection, key.party, key.location)
        if location is None:
            raise _unknown()
        try:
            return Given(_shown(location, key))
        except Refused as refused:
            raise Failure(404, StatusCode.UNKNOWN_LOCATION, f"it cannot be told: {refused}") from None

    async def _delete(self, asked: Asked) -> Given:
        _key(asked)
        raise Failure(405, StatusCode.CLIENT_ERROR, "nothing of a location is deleted: its EVSEs' status is REMOVED")


def _patched(before: Location, key: _Key, body: bytes) -> _Said:
    part = _part(before, key)
    if part is None:
        raise _unknown()
    if isinstance(part, Location):
        patched = patches.patch_location(before, body)
    elif isinstance(part, Evse):
        patched = patches.patch_evse(before, part.uid, body)
    else:
        patched = patches.patch_connector(before, key.evse or "", part.id, body)
    # A location's own stamp rises with every status of its EVSEs, which overtake what is said of the location itself.
    at = patched.after.last_updated if isinstance(part, Location) else patched.at
    return _Said(patched.after, patched.issues, _of_part(key, body), at)


def _part(location: Location, key: _Key) -> Location | Evse | Connector | None:
    """Finds what the URL names of a location."""
    if key.evse is None:
        return location
    evse = parts.evse(location, key.evse)
    if evse is None or key.connector is None:
        return evse
    return parts.connector(evse, key.connector)


def _is_new(before: Location, key: _Key) -> bool:
    return _part(before, key) is None


def _is_older(said: _Said, before: Location, key: _Key) -> bool:
    """Tells whether what came is older than what is stored: it came late, and changes nothing."""
    was = _part(before, key)
    return was is not None and said.at < was.last_updated


def _of_part(key: _Key, body: bytes) -> bytes:
    """Makes a digest for a location of which a part was told: that of no whole location."""
    named = "/".join(filter(None, (key.evse, key.connector)))
    return blake2b(body, digest_size=SIZE, key=blake2b(named.encode(), digest_size=SIZE).digest()).digest()


def _shown(location: Location, key: _Key) -> Wire:
    """Writes what the URL names of a location.

    Raises:
        Failure: HTTP 404, OCPI 2003: there is no such part.
        Refused: It cannot be said.
    """
    part = _part(location, key)
    if part is None:
        raise _unknown()
    if isinstance(part, Evse):
        return gireve.evse_from_canonical(part, location.party)[0]
    if isinstance(part, Connector):
        return gireve.connector_from_canonical(part)[0]
    # Gireve's own demands on owner and operator are for what CPOs tell it; partners' locations are told as they are.
    wire, _ = locations.from_canonical(location.model_copy(update={"evses": ()}))
    evses = []
    for evse in location.evses:
        try:
            evses.append(gireve.evse_from_canonical(evse, location.party)[0])
        except Refused:
            continue  # what cannot be said of it was noted when it came
    return {**wire, "evses": evses} if evses else wire


def _key(asked: Asked) -> _Key:
    names = asked.request.match_info
    return _Key(asked.owner(), names["location"], names.get("evse"), names.get("connector"))


def _unknown() -> Failure:
    return Failure(404, StatusCode.UNKNOWN_LOCATION)
