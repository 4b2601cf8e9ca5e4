"""What EMSPs pull from the sandbox IOP: the modules locations and tariffs, Sender (guide, eMSP locations and tariffs).

Pulls of sessions and CDRs are not implemented for 2.2.1 (guide, eMSP sessions and CDRs).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from adapters.core import ocpi
from adapters.core.inbound import Window
from adapters.gireve.sandbox.agreements import Agreements
from adapters.gireve.sandbox.checks import Refusal, Wrong
from adapters.gireve.sandbox.memory import Memory
from adapters.gireve.sandbox.page_faults import PageFaults, shifted, spoilt
from adapters.gireve.sandbox.platforms import EMSP, Role
from adapters.gireve.sandbox.serving import SENDER, Given, Serve, platform_of, receiver_of
from adapters.gireve.sandbox.shown import Shown, told_location, told_tariff
from mappings.canonical.ids import PartyId
from mappings.ocpi.envelope import StatusCode

_LOCATIONS, _TARIFFS = f"{SENDER}/locations", f"{SENDER}/tariff"
_CAP = 100
"""Guide, Pulling Limits, of locations and of tariffs."""
_REGULAR = {None, "REGULAR"}
"""Only these are transferred (guide, eMSP tariffs, Tariff Type)."""


class Showing:
    """The modules locations and tariffs.

    Args:
        party: IOP's own; a list that is asked of a CPO instead is that CPO's.
        cap: Most objects of a page, at most Gireve's 100.
    """

    def __init__(
        self,
        memory: Memory,
        stations: Shown,
        tariffs: Shown,
        faults: PageFaults,
        agreements: Agreements,
        wall: Callable[[], datetime],
        party: PartyId,
        cap: int,
    ) -> None:
        self._memory = memory
        self._stations = stations
        self._tariffs = tariffs
        self._faults = faults
        self._agreements = agreements
        self._wall = wall
        self._party = party
        self._cap = min(cap, _CAP)

    def routes(self, served: Serve) -> list[web.RouteDef]:
        """Gives the routes."""
        refused = {
            name: served(name, self._not_implemented, role=EMSP, to_others=True) for name in ("sessions", "cdrs")
        }
        one = served("pull_locations", self._object, role=EMSP, to_others=True)
        listed = served("pull_locations", self._list_locations, role=EMSP, to_others=True)
        return [
            web.get(_LOCATIONS, listed),
            web.get(f"{_LOCATIONS}/", listed),
            web.get(f"{_LOCATIONS}/{{id}}", one),
            web.get(f"{_LOCATIONS}/{{id}}/{{evse}}", one),
            web.get(f"{_LOCATIONS}/{{id}}/{{evse}}/{{connector}}", one),
            web.get(_TARIFFS, served("pull_tariffs", self._list_tariffs, role=EMSP, to_others=True)),
            *(web.get(f"{SENDER}/{name}", handler) for name, handler in refused.items()),
        ]

    @staticmethod
    def endpoints(origin: str, roles: frozenset[Role]) -> list[dict[str, str]]:
        """Gives what the version details name."""
        if EMSP not in roles:
            return []
        return [
            {"identifier": "locations", "role": "SENDER", "url": f"{origin}{_LOCATIONS}"},
            # The guide spells this one in the singular.
            {"identifier": "tariffs", "role": "SENDER", "url": f"{origin}{_TARIFFS}"},
        ]

    async def _not_implemented(self, _request: web.Request) -> None:
        raise Refusal(405, StatusCode.CLIENT_ERROR, "This pull is not implemented")

    async def _list_locations(self, request: web.Request) -> Given:
        self._memory.settle()
        window = ocpi.read_window(request.query, self._cap)
        dated = window.date_from is not None or window.date_to is not None
        return self._listed(
            request, "locations", window, self._stations, lambda record: told_location(record, removed=dated)
        )

    async def _list_tariffs(self, request: web.Request) -> Given:
        window = ocpi.read_window(request.query, self._cap)
        if window.date_from is not None or window.date_to is not None:
            _check_month(window, self._wall())
        return self._listed(request, "tariffs", window, self._tariffs, told_tariff)

    def _listed(
        self,
        request: web.Request,
        module: str,
        window: Window,
        memory: Shown,
        told: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> Given:
        keys = self._allowed(request, memory.listed(window.date_from, window.date_to, self._cpo(request)))
        fault = self._faults.drawn(module)
        page: list[Any] = [told(memory[key]) for key in shifted(fault, keys, window.offset, window.limit)]
        endpoint = f"{request.url.origin()}{request.path}"
        headers = ocpi.page_headers(endpoint, request.query, window, len(keys), self._cap)
        if fault is None:
            return Given(page, headers)
        return Given(*spoilt(fault, page, headers, str(request.url)))

    def _allowed(self, request: web.Request, keys: list[str]) -> list[str]:
        """Leaves out what is of CPOs with which no EMSP of the platform has an agreement."""
        if self._agreements.for_all:
            return keys
        emsps = platform_of(request).parties(EMSP)
        cpos = {key.partition("/")[0] for key in keys}
        allowed = {cpo for cpo in cpos if _party(cpo) is None or self._agreements.any_agreed(PartyId(cpo), emsps)}
        return [key for key in keys if key.partition("/")[0] in allowed]

    def _cpo(self, request: web.Request) -> PartyId | None:
        receiver = receiver_of(request)
        return None if receiver == self._party else receiver

    async def _object(self, request: web.Request) -> Any:
        self._memory.settle()
        names, cpo = request.match_info, self._cpo(request)
        found = self._found(request, names["id"], cpo)
        if found is None:
            raise Refusal(404, StatusCode.UNKNOWN_LOCATION, "Unknown location")
        for kind, name, field in (("evse", "uid", "evses"), ("connector", "id", "connectors")):
            if kind not in names:
                break
            found = next((each for each in found.get(field) or () if each.get(name) == names[kind]), None)
            if found is None:
                raise Refusal(404, StatusCode.UNKNOWN_LOCATION, f"Unknown {kind}")
        return found

    def _found(self, request: web.Request, location_id: str, cpo: PartyId | None) -> Mapping[str, Any] | None:
        """Finds a location; its owner may be named by the header only, since the URL has no place for it."""
        if cpo is not None:
            keys = [key] if (key := f"{cpo}/{location_id}") in self._stations else []
        else:
            keys = [key for key in self._stations if key.partition("/")[2] == location_id]
        keys = self._allowed(request, keys)
        if len(keys) > 1:
            raise Wrong("several CPOs have a location with this id: OCPI-to has to name one")
        return told_location(self._stations[keys[0]], removed=True) if keys else None


def _party(text: str) -> PartyId | None:
    """Reads the party of a key; a played network may have what is none, with which nobody has an agreement to break."""
    try:
        return PartyId(text)
    except ValueError:
        return None


def transferred(tariff: Mapping[str, Any]) -> bool:
    """Tells whether a tariff is one that EMSPs get to see."""
    return tariff.get("type") in _REGULAR


def _check_month(window: Window, now: datetime) -> None:
    """Guide, eMSP tariffs, Get List Pagination: the time frame is shorter than one month."""
    if window.date_from is None:
        raise Wrong("date_to stands without date_from: the time frame must be shorter than one month")
    begin, until = window.date_from, window.date_to or now
    year, month = (begin.year, begin.month + 1) if begin.month < 12 else (begin.year + 1, 1)
    # A day that the next month has not is that month's last: the frame is then one of its days, or less.
    whole = begin.replace(year=year, month=month, day=min(begin.day, 28))
    if until >= whole:
        raise Wrong("the time frame from date_from to date_to must be shorter than one month")
