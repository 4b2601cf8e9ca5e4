"""What CDRs cost by the tariff in force at their start."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.core.connection import ConnectionName
from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1.connections import Reason
from gateway.http.v1.repricings_export import CSV, NDJSON, lines, table
from gateway.services.keys import KeyRole
from gateway.services.ports import Page
from gateway.services.ports.repricing import (
    Direction,
    Outcome,
    RepricingFilter,
    Repricings,
    RepricingShown,
    RepricingState,
    RepricingView,
)
from gateway.services.ports.repricing import Reason as Why
from mappings.canonical.base import Instant
from mappings.canonical.cdrs import CdrId
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Money

_PATH: Final = "/v1/repricings"
_NUMBER = Parameter("id", Annotated[int, Field(ge=1, le=2**63 - 1)], "The repricing's number.", "path")
_FILTERS = (
    Parameter(
        "party", PartyId, "Only what concerns this party of ours: the CPO of own CDRs, the EMSP of received ones."
    ),
    Parameter("direction", Direction, "Only own CDRs (`out`), or only those that came home (`in`)."),
    Parameter("outcome", Outcome, "Only those that came out so."),
    Parameter("state", RepricingState, "Only those that are so far."),
    Parameter("connection", ConnectionName, "Only those whose CDR goes or came over this connection."),
    Parameter("cpo", PartyId, "Only those at this CPO's stations."),
    Parameter("emsp", PartyId, "Only those of this EMSP's drivers."),
    Parameter("since", Instant, "Only those of charges that began then or later."),
    Parameter("until", Instant, "Only those of charges that began before then."),
    Parameter("cdr", CdrId, "Only the CDR of this id; one CPO's may be another's."),
)
_WHY: Final[dict[str, Any]] = {"why": "The start fee is not in the tariff of that day"}


class RepricingDispute(BaseModel):
    """Why a CDR's cost is not taken.

    Attributes:
        agreed: What both sides agreed on instead, where they did; in the CDR's currency.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    why: Why
    agreed: Money | None = None


class Recomputing(BaseModel):
    """Which CDRs are to be priced anew.

    Attributes:
        since: Those of charges that began then or later.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: Instant
    party: PartyId | None = None


@dataclass(frozen=True, slots=True)
class RecomputingStarted:
    """How many CDRs are priced anew, in the background."""

    count: int


class RepricingOperations:
    """`/v1/repricings`."""

    def __init__(self, repricings: Repricings) -> None:
        self._repricings = repricings

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        one, tag = _PATH + "/{id}", "Repricings"
        return [
            Route(
                "GET",
                _PATH,
                self.list,
                "List repricings",
                tag,
                {200: Answer("A page, the newest first.", Page[RepricingView])},
                parameters=(*_FILTERS, AFTER, LIMIT),
            ),
            Route(
                "GET",
                _PATH + "/export",
                self.export,
                "Export repricings",
                tag,
                {
                    200: Answer(
                        "All of them, one a line, the newest first.",
                        bytes,
                        NDJSON,
                        also={CSV: "The same as a table with a line of names."},
                    )
                },
                parameters=_FILTERS,
            ),
            Route(
                "POST",
                _PATH + "/recompute",
                self.recompute_all,
                "Price CDRs anew",
                tag,
                {202: Answer("They will be, in the background.", RecomputingStarted)},
                role=KeyRole.PUBLISH,
                body=Body("Which.", Recomputing, example={"since": "2026-01-01T00:00:00Z"}),
            ),
            Route(
                "GET",
                one,
                self.get,
                "Read a repricing",
                tag,
                {200: Answer("Both calculations side by side, and what stood there before.", RepricingShown)},
                parameters=(_NUMBER,),
                problems=["not-found"],
            ),
            Route(
                "POST",
                one + "/accept",
                self.accept,
                "Accept what a CDR costs",
                tag,
                {200: Answer("It is accepted.", RepricingShown)},
                role=KeyRole.PUBLISH,
                parameters=(_NUMBER,),
                body=Body("Why.", Reason, example=_WHY),
                problems=["not-found", "conflict"],
            ),
            Route(
                "POST",
                one + "/dispute",
                self.dispute,
                "Dispute what a CDR costs",
                tag,
                {200: Answer("It is disputed.", RepricingShown)},
                role=KeyRole.PUBLISH,
                parameters=(_NUMBER,),
                body=Body("Why, and what was agreed on instead.", RepricingDispute, example=_WHY),
                problems=["not-found", "conflict"],
            ),
            Route(
                "POST",
                one + "/recompute",
                self.recompute,
                "Price a CDR anew",
                tag,
                {200: Answer("What it comes to by what is known now.", RepricingShown)},
                role=KeyRole.PUBLISH,
                parameters=(_NUMBER,),
                problems=["not-found"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives what CDRs of the key's parties say that they cost, beside what follows from their tariffs.

        Those of nobody's driver are given to a key for all parties.
        """
        page = await self._repricings.list(_filter(call), call["after"], call["limit"])
        return respond(page, Page[RepricingView])

    async def export(self, call: Call) -> web.StreamResponse:
        """Streams all repricings that the filters mean, however many: NDJSON, or CSV where `Accept` asks for that."""
        as_csv = CSV in call.request.headers.get("Accept", "")
        pages = self._repricings.export(_filter(call))
        response = web.StreamResponse(headers={"Content-Type": CSV if as_csv else NDJSON, "Cache-Control": "no-store"})
        await response.prepare(call.request)
        with suppress(ConnectionError):  # the reader is gone
            async for piece in table(pages) if as_csv else lines(pages):
                await response.write(piece)
            await response.write_eof()
        return response

    async def recompute_all(self, call: Call) -> web.Response:
        """Has CDRs priced anew by what is known now, those too that never were, as from before an upgrade."""
        given = await call.json(Recomputing)
        count = await self._repricings.recompute_all(call.parties(given.party), given.since, call.who)
        return respond(RecomputingStarted(count), RecomputingStarted, 202)

    async def get(self, call: Call) -> web.Response:
        """Gives one repricing: the CDR's costs and the calculated ones, every line of the calculation, and notes."""
        return respond(await self._repricings.get(call.identity.parties, call["id"]), RepricingShown)

    async def accept(self, call: Call) -> web.Response:
        """Takes a CDR's cost as it is."""
        why = (await call.json(Reason)).why
        shown = await self._repricings.accept(call.identity.parties, call["id"], why, call.who)
        return respond(shown, RepricingShown)

    async def dispute(self, call: Call) -> web.Response:
        """Does not take a CDR's cost. No hub is told, since none has a message for it.

        An own CDR is corrected by `POST /v1/cdrs/{party}/{id}/corrections` with what was agreed on.
        """
        given = await call.json(RepricingDispute)
        shown = await self._repricings.dispute(call.identity.parties, call["id"], given.why, given.agreed, call.who)
        return respond(shown, RepricingShown)

    async def recompute(self, call: Call) -> web.Response:
        """Prices a CDR anew by what is known now. A decision stands where nothing comes out otherwise."""
        return respond(await self._repricings.recompute(call.identity.parties, call["id"], call.who), RepricingShown)


def _filter(call: Call) -> RepricingFilter:
    names = ("direction", "outcome", "state", "connection", "cpo", "emsp", "since", "until", "cdr")
    return RepricingFilter(call.parties(call["party"]), **{name: call[name] for name in names})
