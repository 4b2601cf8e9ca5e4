"""Locations with their EVSEs and connectors."""

from collections.abc import Callable, Sequence
from datetime import datetime

from aiohttp import web

from gateway.http import bodies
from gateway.http.problems import Problem
from gateway.http.routing import (
    AFTER,
    LIMIT,
    PARTY,
    PARTY_IN_PATH,
    Answer,
    Body,
    Call,
    Parameter,
    Route,
    adapter_of,
    respond,
)
from gateway.http.v1 import examples, objects
from gateway.http.v1.bulk import Bulk
from gateway.http.v1.shapes import BulkSummary, HubIssues, HubIssueShown, Written
from gateway.services.keys import KeyRole
from gateway.services.ports import Network, Page, Publishing, PutResult, StoredLocation
from mappings.canonical.doubts import doubts
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Id, Location

_ID = Parameter("id", Id, "The location's id, given by the CPO.", "path")
_ONE = (PARTY_IN_PATH, _ID)
_PATH = "/v1/locations/{party}/{id}"


class LocationOperations:
    """`/v1/locations`."""

    def __init__(self, publishing: Publishing, network: Network, now: Callable[[], datetime]) -> None:
        self._publishing = publishing
        self._network = network
        self._now = now

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        written = {
            200: Answer("It is stored; every connection that carries it will tell its hub.", Written),
            201: Answer("It is new.", Written),
        }
        return [
            Route(
                "GET",
                "/v1/locations",
                self.list,
                "List locations",
                "Locations",
                {200: Answer("A page, withdrawn locations included.", Page[StoredLocation])},
                parameters=(PARTY, AFTER, LIMIT),
            ),
            Route(
                "POST",
                "/v1/locations",
                self.bulk,
                "Write many locations",
                "Locations",
                {200: Answer("What came of the lines.", BulkSummary)},
                role=KeyRole.PUBLISH,
                body=Body("One location a line, any number of lines.", Location, bodies.NDJSON, examples.LOCATION),
            ),
            Route(
                "GET",
                _PATH,
                self.get,
                "Read a location",
                "Locations",
                {200: Answer("The location with the present statuses of its EVSEs.", Location)},
                parameters=_ONE,
                problems=["not-found", "withdrawn"],
            ),
            Route(
                "PUT",
                _PATH,
                self.put,
                "Write a location",
                "Locations",
                written,
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                body=Body("The whole location.", Location, example=examples.LOCATION),
                problems=["conflict", "revision"],
            ),
            Route(
                "PATCH",
                _PATH,
                self.patch,
                "Change a location",
                "Locations",
                written,
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                body=Body(
                    "A merge patch (RFC 7396) on the location.", dict, bodies.MERGE_PATCH, examples.LOCATION_PATCH
                ),
                problems=["not-found", "withdrawn", "conflict", "revision"],
            ),
            Route(
                "DELETE",
                _PATH,
                self.delete,
                "Withdraw a location",
                "Locations",
                {204: Answer("Its EVSEs are REMOVED, and hubs will be told.")},
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                problems=["not-found"],
            ),
            Route(
                "GET",
                _PATH + "/issues",
                self.issues,
                "Read what translations lost of a location",
                "Issues",
                {200: Answer("Issues of the way in, and of each hub's translation.", HubIssues)},
                parameters=_ONE,
                problems=["not-found"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives locations in the order of party and id."""
        items, after = await self._network.locations(call.parties(call["party"]), call["after"], call["limit"])
        return respond(Page(items, after), Page[StoredLocation])

    async def bulk(self, call: Call) -> web.Response:
        """Reads one location a line, in batches of 500 that are each one transaction, while the body arrives.

        A line that is refused stands in the answer with its number and field, and does not stop the others. A body that
        ends early is a problem whose `done` tells what was written before.
        """

        async def put(batch: objects.Batch[Location]) -> Sequence[PutResult]:
            return await self._publishing.put_locations(
                [(location, doubts(location)) for location, _ in batch], call.who
            )

        return respond(await Bulk[Location](call, adapter_of(Location), put).run(), BulkSummary)

    async def get(self, call: Call) -> web.Response:
        """Gives one location. `ETag` is the revision of the object, which statuses do not change."""
        stored = await self._stored(call)
        return objects.answer_stored(stored.location, stored.revision, stored.updated)

    async def put(self, call: Call) -> web.Response:
        """Writes a location whole; one that was withdrawn comes back. With `If-Match`, only over that revision.

        What is hardly true (coordinates in another country, 7 MW on an AC socket) is stored as given, with an issue.
        """
        party = call.demand(call["party"])
        location = await call.json(Location)
        objects.demand_same(location, party=party, id=call["id"])
        revision = await objects.expected_revision(call, lambda: self._network.location(party, call["id"]))
        given = [(location, doubts(location))]
        [result] = await self._publishing.put_locations(given, call.who, if_revision=revision)
        return objects.answer_written(result)

    async def patch(self, call: Call) -> web.Response:
        """Changes the fields that are given; null removes one; a list, such as `evses`, is replaced whole.

        `last_updated` becomes now unless it is given.
        """
        patch = await objects.read_patch(call)

        async def write() -> PutResult:
            stored = await self._stored(call)
            objects.demand_revision(call, stored.revision)
            location = objects.patched(stored.location, patch, self._now())
            objects.demand_same(location, party=call["party"], id=call["id"])
            given = [(location, doubts(location))]
            [result] = await self._publishing.put_locations(given, call.who, if_revision=stored.revision)
            return result

        return objects.answer_written(await objects.written_over(write))

    async def delete(self, call: Call) -> web.Response:
        """Withdraws a location. It stays as a tombstone for hubs that pull by date."""
        party: PartyId = call.demand(call["party"])
        if not await self._publishing.withdraw_location(party, call["id"], call.who):
            raise Problem("not-found", f"There is no location {party}/{call['id']}, or it is withdrawn already")
        return web.Response(status=204)

    async def issues(self, call: Call) -> web.Response:
        """Says what was mended, defaulted or lost when the location came in, and at each hub."""
        party: PartyId = call.demand(call["party"])
        if await self._network.location(party, call["id"]) is None:
            raise Problem("not-found", f"There is no location {party}/{call['id']}")
        issues = await self._network.issues(party, call["id"])
        return respond(HubIssues([HubIssueShown.of(issue) for issue in issues]), HubIssues)

    async def _stored(self, call: Call) -> StoredLocation:
        party: PartyId = call.demand(call["party"])
        stored = await self._network.location(party, call["id"])
        if stored is None:
            raise Problem("not-found", f"There is no location {party}/{call['id']}")
        if stored.withdrawn:
            raise Problem("withdrawn", f"The location {party}/{call['id']} was withdrawn")
        return stored
