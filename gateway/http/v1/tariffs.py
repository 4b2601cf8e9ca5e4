"""Tariffs; one id may have a variant for all and variants for single EMSPs."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

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
from gateway.services.ports import Network, Page, Publishing, PutResult, StoredTariff
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff

TariffId = Annotated[str, StringConstraints(min_length=1, max_length=36)]

_ID = Parameter("id", TariffId, "The tariff's id, given by the CPO.", "path")
_TARGET = Parameter("target", PartyId, "The EMSP whose variant is meant; without it the variant for all.")
_ONE = (PARTY_IN_PATH, _ID, _TARGET)
_PATH = "/v1/tariffs/{party}/{id}"


class TariffOperations:
    """`/v1/tariffs`."""

    def __init__(self, publishing: Publishing, network: Network, now: Callable[[], datetime]) -> None:
        self._publishing = publishing
        self._network = network
        self._now = now

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        written = {200: Answer("It is stored.", Written), 201: Answer("It is new.", Written)}
        return [
            Route(
                "GET",
                "/v1/tariffs",
                self.list,
                "List tariffs",
                "Tariffs",
                {200: Answer("A page, every variant of a tariff.", Page[StoredTariff])},
                parameters=(PARTY, AFTER, LIMIT),
            ),
            Route(
                "POST",
                "/v1/tariffs",
                self.bulk,
                "Write many tariffs",
                "Tariffs",
                {200: Answer("What came of the lines.", BulkSummary)},
                role=KeyRole.PUBLISH,
                body=Body("One tariff a line, any number of lines.", Tariff, bodies.NDJSON, examples.TARIFF),
            ),
            Route(
                "GET",
                _PATH,
                self.get,
                "Read a tariff",
                "Tariffs",
                {200: Answer("The variant.", Tariff)},
                parameters=_ONE,
                problems=["not-found", "withdrawn"],
            ),
            Route(
                "PUT",
                _PATH,
                self.put,
                "Write a tariff",
                "Tariffs",
                written,
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                body=Body("The whole variant.", Tariff, example=examples.TARIFF),
                problems=["conflict", "revision"],
            ),
            Route(
                "PATCH",
                _PATH,
                self.patch,
                "Change a tariff",
                "Tariffs",
                written,
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                body=Body("A merge patch (RFC 7396) on the variant.", dict, bodies.MERGE_PATCH, examples.TARIFF_PATCH),
                problems=["not-found", "withdrawn", "conflict", "revision"],
            ),
            Route(
                "DELETE",
                _PATH,
                self.delete,
                "Withdraw a tariff",
                "Tariffs",
                {204: Answer("It is withdrawn, and hubs will be told.")},
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                problems=["not-found"],
            ),
            Route(
                "GET",
                _PATH + "/issues",
                self.issues,
                "Read what translations lost of a tariff",
                "Issues",
                {200: Answer("Issues of the variant on the way in, and of each hub's translation.", HubIssues)},
                parameters=_ONE,
                problems=["not-found"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives tariffs in the order of party, id and target."""
        items, after = await self._network.tariffs(call.parties(call["party"]), call["after"], call["limit"])
        return respond(Page(items, after), Page[StoredTariff])

    async def bulk(self, call: Call) -> web.Response:
        """Reads one tariff a line, as for locations."""

        async def put(batch: objects.Batch[Tariff]) -> Sequence[PutResult]:
            return await self._publishing.put_tariffs(batch, call.who)

        return respond(await Bulk[Tariff](call, adapter_of(Tariff), put).run(), BulkSummary)

    async def get(self, call: Call) -> web.Response:
        """Gives one variant of a tariff."""
        stored = await self._stored(call)
        return objects.answer_stored(stored.tariff, stored.revision, stored.updated)

    async def put(self, call: Call) -> web.Response:
        """Writes one variant of a tariff whole. With `If-Match`, only over that revision."""
        party = call.demand(call["party"])
        tariff = await call.json(Tariff)
        objects.demand_same(tariff, party=party, id=call["id"], target=call["target"])
        revision = await objects.expected_revision(
            call, lambda: self._network.tariff(party, call["id"], call["target"])
        )
        [result] = await self._publishing.put_tariffs([(tariff, ())], call.who, if_revision=revision)
        return objects.answer_written(result)

    async def patch(self, call: Call) -> web.Response:
        """Changes the fields that are given; null removes one; a list, such as `elements`, is replaced whole.

        `last_updated` becomes now unless it is given.
        """
        patch = await objects.read_patch(call)

        async def write() -> PutResult:
            stored = await self._stored(call)
            objects.demand_revision(call, stored.revision)
            tariff = objects.patched(stored.tariff, patch, self._now())
            objects.demand_same(tariff, party=call["party"], id=call["id"], target=call["target"])
            [result] = await self._publishing.put_tariffs([(tariff, ())], call.who, if_revision=stored.revision)
            return result

        return objects.answer_written(await objects.written_over(write))

    async def delete(self, call: Call) -> web.Response:
        """Withdraws one variant of a tariff."""
        party: PartyId = call.demand(call["party"])
        if not await self._publishing.withdraw_tariff(party, call["id"], call["target"], call.who):
            raise Problem("not-found", f"There is no such variant of the tariff {party}/{call['id']}")
        return web.Response(status=204)

    async def issues(self, call: Call) -> web.Response:
        """Says what was mended, defaulted or lost when the variant came in, and at each hub."""
        one: tuple[PartyId, str, PartyId | None] = (call.demand(call["party"]), call["id"], call["target"])
        if await self._network.tariff(*one) is None:
            raise Problem("not-found", f"There is no such variant of the tariff {one[0]}/{one[1]}")
        issues = await self._network.tariff_issues(*one)
        return respond(HubIssues([HubIssueShown.of(issue) for issue in issues]), HubIssues)

    async def _stored(self, call: Call) -> StoredTariff:
        party: PartyId = call.demand(call["party"])
        stored = await self._network.tariff(party, call["id"], call["target"])
        if stored is None:
            raise Problem("not-found", f"There is no such variant of the tariff {party}/{call['id']}")
        if stored.withdrawn:
            raise Problem("withdrawn", f"The tariff {party}/{call['id']} was withdrawn")
        return stored
