"""Charge detail records."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from adapters.core.connection import ConnectionName
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
from gateway.http.v1.bulk import Bulk, Rejected, Settled
from gateway.http.v1.sessions import Hours
from gateway.http.v1.shapes import BulkSummary, shown
from gateway.services.keys import KeyRole
from gateway.services.ports import (
    CdrFilter,
    CdrRefusal,
    CdrResult,
    Cdrs,
    CdrState,
    CdrView,
    Corrected,
    Correction,
    IssueShown,
    Page,
)
from mappings.canonical.base import Instant
from mappings.canonical.cdrs import Cdr, CdrId
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import SessionId

_ONE = (PARTY_IN_PATH, Parameter("id", CdrId, "The CDR's id, given by the CPO.", "path"))
_PATH = "/v1/cdrs/{party}/{id}"


@dataclass(frozen=True, slots=True)
class CdrWritten:
    """What came of a CDR.

    Attributes:
        outcome: `unchanged` where the very same was accepted before; `updated` where it was assigned.
        issues: What is hardly true, and passed on as given.
        connection: To whose hub it goes; none for the CPO's own driver.
        review: Why it waits for a person; no hub is told till then.
    """

    party: PartyId
    id: str
    outcome: Literal["created", "updated", "unchanged"]
    issues: Sequence[IssueShown]
    connection: str | None
    review: str | None

    @classmethod
    def of(cls, result: CdrResult) -> "CdrWritten":
        """Shows a service's result."""
        return cls(result.party, result.id, result.outcome, shown(result.issues), result.connection, result.review)


class CdrAssignment(BaseModel):
    """Which session a CDR bills, or none that roams; one of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: Annotated[str, StringConstraints(min_length=1, max_length=36)] | None = None
    none: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.session is None) == (self.none is None):
            raise ValueError("name either a session or none")
        return self


class CdrOperations:
    """`/v1/cdrs`."""

    def __init__(self, cdrs: Cdrs) -> None:
        self._cdrs = cdrs

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                "/v1/cdrs",
                self.list,
                "List CDRs",
                "CDRs",
                {200: Answer("A page, the newest first.", Page[CdrView])},
                parameters=(
                    PARTY,
                    Parameter("state", CdrState, "Only those that are so far."),
                    Parameter("connection", ConnectionName, "Only those that go to this connection's hub."),
                    Parameter("since", Instant, "Only those accepted then or later."),
                    Parameter("unconfirmed_hours", Hours, "Only those that the hub has not confirmed for longer."),
                    Parameter("session", SessionId, "Only those of this session, also what corrected them."),
                    Parameter("disputed", bool, "Only those with an agreement on record.", default=False),
                    AFTER,
                    LIMIT,
                ),
            ),
            Route(
                "POST",
                "/v1/cdrs",
                self.post,
                "Hand over a CDR",
                "CDRs",
                {
                    200: Answer("The very same was accepted before.", CdrWritten),
                    201: Answer("It is accepted, and told to the hub that authorised its session.", CdrWritten),
                },
                role=KeyRole.PUBLISH,
                body=Body("The CDR.", Cdr, example=examples.CDR),
                problems=["conflict"],
            ),
            Route(
                "POST",
                "/v1/cdrs/bulk",
                self.bulk,
                "Hand over many CDRs",
                "CDRs",
                {200: Answer("What came of the lines.", BulkSummary)},
                role=KeyRole.PUBLISH,
                body=Body("One CDR a line, any number of lines.", Cdr, bodies.NDJSON, example=examples.CDR),
            ),
            Route(
                "GET",
                _PATH,
                self.get,
                "Read a CDR",
                "CDRs",
                {200: Answer("The CDR as it is told, how far that is, and what was agreed on since.", CdrView)},
                parameters=_ONE,
                problems=["not-found"],
            ),
            Route(
                "POST",
                _PATH + "/assign",
                self.assign,
                "Say which session a CDR bills",
                "CDRs",
                {200: Answer("It is told.", CdrWritten)},
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                body=Body("The session's id, or none.", CdrAssignment, example={"session": "s-1"}),
                problems=["not-found", "conflict"],
            ),
            Route(
                "POST",
                _PATH + "/corrections",
                self.correct,
                "Correct a CDR",
                "CDRs",
                {200: Answer("The correction is told, or on record.", Corrected)},
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                body=Body("Why, and what is right.", Correction, example=examples.CORRECTION),
                problems=["not-found", "conflict"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives CDRs, the newest first, without what was agreed on since."""
        hours = call["unconfirmed_hours"]
        wanted = CdrFilter(
            call.parties(call["party"]),
            call["state"],
            call["connection"],
            call["since"],
            timedelta(hours=hours) if hours is not None else None,
            call["disputed"],
            call["session"],
        )
        return respond(await self._cdrs.list(wanted, call["after"], call["limit"]), Page[CdrView])

    async def post(self, call: Call) -> web.Response:
        """Accepts a CDR: from then on it is never lost, and sent with this id till the hub has taken or refused it.

        The same once more is `unchanged`; another content under its id, a second CDR of a session, and one whose
        session is not known yet are 409, and nothing is stored.
        """
        cdr = await call.json(Cdr)
        call.demand(cdr.party)
        result = await self._cdrs.accept(cdr, call.who)
        return respond(CdrWritten.of(result), CdrWritten, 201 if result.outcome == "created" else 200)

    async def bulk(self, call: Call) -> web.Response:
        """Reads one CDR a line, in batches of 500 that are each one transaction, while the body arrives.

        A line that is refused stands in the answer with its number and field, and does not stop the others.
        """

        async def put(batch: objects.Batch[Cdr]) -> Sequence[Settled]:
            results = await self._cdrs.accept_many([cdr for cdr, _ in batch], call.who)
            return [_rejected(one) if isinstance(one, CdrRefusal) else one for one in results]

        return respond(await Bulk[Cdr](call, adapter_of(Cdr), put).run(), BulkSummary)

    async def get(self, call: Call) -> web.Response:
        """Gives one CDR. Its state is that of the delivery to the hub that authorised its session."""
        party = call.demand(call["party"])
        view = await self._cdrs.get(party, call["id"])
        if view is None:
            raise Problem("not-found", f"There is no CDR {party}/{call['id']}")
        return respond(view, CdrView)

    async def assign(self, call: Call) -> web.Response:
        """Ends the review of a CDR that names no session."""
        party = call.demand(call["party"])
        assignment = await call.json(CdrAssignment)
        result = await self._cdrs.assign(party, call["id"], assignment.session, call.who)
        return respond(CdrWritten.of(result), CdrWritten)

    async def correct(self, call: Call) -> web.Response:
        """Corrects a CDR as its hub can take it.

        A hub that understands credits has the CDR taken back and another one; one that refused the CDR has another one.
        Else the agreement is on record as a dispute: no hub gets a second CDR of a session.
        """
        party = call.demand(call["party"])
        correction = await call.json(Correction)
        return respond(await self._cdrs.correct(party, call["id"], correction, call.who), Corrected)


def _rejected(refusal: CdrRefusal) -> Rejected:
    return Rejected(refusal.problems)
