"""Partners' stations: searched, read in OCPI's form, followed; and who speaks for what several hubs offer."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from adapters.core.connection import ConnectionName
from gateway.complaints import FieldError
from gateway.http.problems import Problem
from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Cursor, Parameter, Route, adapter_of, respond
from gateway.http.v1 import catalogue_shapes as shapes
from gateway.http.v1 import examples
from gateway.services.keys import KeyRole
from gateway.services.ports import Page
from gateway.services.ports.catalogue import Around, CatalogueSearch, Change, Entry, EntryFilter, Ways
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff
from mappings.ocpi.v2_2_1 import locations, tariffs
from mappings.report import Refused

GEO_JSON: Final = "application/geo+json"

_CONNECTION = Parameter("connection", ConnectionName, "Only what this connection offers.")
_PARTY = Parameter("party", PartyId, "Only this CPO's.")
_EMSP = Parameter(
    "emsp", PartyId, "What this EMSP may see, and how it may charge; without it, what any of the key's parties may see."
)
_EVSES = (
    Parameter("box", shapes.BoxGiven, "`west,south,east,north` in degrees; west above east crosses the date line."),
    Parameter("near", shapes.PointGiven, "`latitude,longitude` in degrees; entries then come by distance."),
    Parameter("radius", shapes.Radius, "Metres around `near`.", default=10_000.0),
    Parameter("status", shapes.StatusesGiven, "Any of these, with commas between them."),
    Parameter("min_power", shapes.Power, "Watts that a connector gives at least."),
    Parameter("standard", shapes.StandardsGiven, "Any of these connectors, with commas between them."),
    Parameter("party", shapes.PartiesGiven, "Any of these CPOs, with commas between them."),
    Parameter("text", shapes.Text, "Words, or their beginnings, of name, address, city, postal code and operator."),
    Parameter("opening_now", bool, "Only what is known to be open now, by its own clock.", default=False),
    _CONNECTION,
    _EMSP,
    Parameter("format", shapes.Shape, f"`geojson` answers `{GEO_JSON}`.", default="json"),
    AFTER,
    LIMIT,
)
_WAIT = Parameter(
    "wait", Annotated[int, Field(ge=0, le=60)], "Seconds to wait for a change where there is none.", default=0
)


class CatalogueOperations:
    """`/v1/catalogue`."""

    def __init__(self, catalogue: CatalogueSearch) -> None:
        self._catalogue = catalogue

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        path, tag = "/v1/catalogue", "Catalogue"
        listed = (_CONNECTION, _PARTY, _EMSP, AFTER, LIMIT)
        return [
            Route(
                "GET",
                f"{path}/evses",
                self.search,
                "Search partners' EVSEs",
                tag,
                {
                    200: Answer(
                        "A page of entries. It may be short, or empty, and have a next one all the same.",
                        Page[shapes.EntryShown],
                        shown={GEO_JSON: shapes.FeatureCollection},
                    )
                },
                parameters=_EVSES,
            ),
            Route(
                "GET",
                f"{path}/evses/{{evse_key}}",
                self.get,
                "Read one of partners' EVSEs",
                tag,
                {200: Answer("The entry.", shapes.EntryShown)},
                parameters=(Parameter("evse_key", shapes.Key, "The entry's key, or the EvseID.", "path"), _EMSP),
                problems=["not-found"],
            ),
            Route(
                "GET",
                f"{path}/locations",
                self.locations,
                "List partners' locations in OCPI's form",
                tag,
                {200: Answer("A page.", shapes.OcpiPage)},
                parameters=listed,
            ),
            Route(
                "GET",
                f"{path}/tariffs",
                self.tariffs,
                "List partners' tariffs in OCPI's form",
                tag,
                {200: Answer("A page.", shapes.OcpiPage)},
                parameters=listed,
            ),
            Route(
                "GET",
                f"{path}/changes",
                self.changes,
                "Follow partners' EVSEs",
                tag,
                {200: Answer("Entries that changed, as they are now.", shapes.ChangeList)},
                parameters=(
                    Parameter("after", Cursor, "Where to read on: `next` of the page before; without it, from now on."),
                    _EMSP,
                    LIMIT,
                    _WAIT,
                ),
                problems=["forgotten"],
            ),
            Route(
                "GET",
                f"{path}/ways",
                self.ways,
                "Read who speaks for what several hubs offer",
                tag,
                {200: Answer("Connections in their order.", Ways)},
                whole=True,
            ),
            Route(
                "PUT",
                f"{path}/ways",
                self.order,
                "Set who speaks for what several hubs offer",
                tag,
                {200: Answer("The order holds.", Ways)},
                role=KeyRole.ADMIN,
                whole=True,
                body=Body("The order.", shapes.WayOrder, example=examples.WAY_ORDER),
            ),
        ]

    async def search(self, call: Call) -> web.Response:
        """Gives EVSEs of partners, each once, however many hubs offer it.

        An EMSP finds what it may see: all that hubs offer, which know their contracts, and of the own network what its
        agreements say. Each way says what the record here has of charging there.

        With `near` they come by distance, else in an order that pages can follow. With `opening_now`, what is known to
        be open by its own opening times and time zone; where nobody told them, it is not known. Unpublished locations
        are found, too: `publish` says who may show them.
        """
        near = call["near"]
        if near is not None and call["box"] is not None:
            fault = FieldError(field="near", detail="stands beside box; ask for one of them")
            raise Problem("invalid", "Refused for near", [fault])
        wanted = EntryFilter(
            call["box"],
            None if near is None else Around(near[0], near[1], call["radius"]),
            call["status"] or frozenset(),
            call["min_power"],
            call["standard"] or frozenset(),
            call["party"] or frozenset(),
            call["text"],
            call["opening_now"],
            call["connection"],
        )
        page = await self._catalogue.search(wanted, call["after"], call["limit"], call.parties(call["emsp"]))
        if call["format"] == "geojson":
            return _written(shapes.collection(page), shapes.FeatureCollection, GEO_JSON)
        return _written(page, Page[Entry])

    async def get(self, call: Call) -> web.Response:
        """Gives one EVSE of partners, by its EvseID in any spelling, or by the key that the catalogue gave it."""
        return _written(await self._catalogue.entry(call["evse_key"], call.parties(call["emsp"])), Entry)

    async def locations(self, call: Call) -> web.Response:
        """Gives locations as OCPI 2.2.1 writes them, with present statuses.

        Every EVSE stands where its preferred way has it; with `connection`, all that this connection offers is given
        as it told it. A connector that lacks what OCPI demands is left out.
        """
        page = await self._catalogue.locations(
            call["connection"], call["party"], call["after"], call["limit"], call.parties(call["emsp"])
        )
        return _ocpi(page.items, locations.from_canonical, page.next)

    async def tariffs(self, call: Call) -> web.Response:
        """Gives tariffs as OCPI 2.2.1 writes them.

        What a hub adds to OCPI is said as what comes nearest: hours of a tariff as restrictions, the time of a session
        as charging and parking time; roundings are left to you. `approximated` says of which tariffs.
        """
        page = await self._catalogue.tariffs(
            call["connection"], call["party"], call["after"], call["limit"], call.parties(call["emsp"])
        )
        approximated: list[shapes.Approximated] = []

        def write(tariff: Tariff) -> tuple[Any, Any]:
            try:
                return tariffs.from_canonical(tariff)
            except Refused:
                nearest, departures = tariffs.nearest(tariff)
                written = tariffs.from_canonical(nearest)
            details = list(dict.fromkeys(issue.detail for issue in departures))
            approximated.append(shapes.Approximated(tariff.party, tariff.id, details))
            return written

        return _ocpi(page.items, write, page.next, approximated)

    async def changes(self, call: Call) -> web.Response:
        """Gives entries that changed, each once and as they are now, in facts, status or ways; or that they are gone.

        To keep a copy of the catalogue: take a cursor by a call without `after`, then read all entries, then read on
        from the cursor for ever. A cursor whose changes are no longer kept gets 410: begin anew in the same way.

        What an agreement begins or ends to show is among the changes, as there or as gone.
        """
        emsps = call.parties(call["emsp"])
        page = await self._catalogue.changes(call["after"], call["limit"], call["wait"], emsps)
        return _written(Page(page.changes, page.next), Page[Change])

    async def ways(self, call: Call) -> web.Response:  # noqa: ARG002 - every operation is given the call
        """Gives the order of connections. Of the ways to an EVSE, that over the first of them speaks for it."""
        return respond(await self._catalogue.ways(), Ways)

    async def order(self, call: Call) -> web.Response:
        """Sets the order of connections. Entries follow it in batches, and all of them have when this answers."""
        given = await call.json(shapes.WayOrder)
        return respond(await self._catalogue.order(given.connections, call.who), Ways)


def _written(value: Any, type_: Any, media: str = "application/json") -> web.Response:
    """Renders what holds JSON of the store, which was checked when it was stored."""
    return web.Response(body=adapter_of(type_).dump_json(value, exclude_none=True), content_type=media)


def _ocpi(
    objects: Iterable[Any],
    write: Callable[[Any], tuple[Any, Any]],
    next_: str | None,
    approximated: list[shapes.Approximated] | None = None,
) -> web.Response:
    items, left_out = [], []
    for each in objects:
        try:
            items.append(write(each)[0])
        except Refused as refused:
            left_out.append(shapes.LeftOut(each.party, each.id, str(refused)))
    return _written(shapes.OcpiPage(items, left_out, approximated or [], next_), shapes.OcpiPage)
