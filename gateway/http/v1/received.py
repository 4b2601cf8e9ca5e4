"""Sessions and CDRs of our drivers at partners' stations."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.core.connection import ConnectionName
from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1.connections import Reason, Why
from gateway.services.keys import KeyRole
from gateway.services.ports import Page
from gateway.services.ports.received import (
    CdrStanding,
    ReceivedCdrView,
    ReceivedDesk,
    ReceivedFilter,
    ReceivedSessionView,
    Review,
    Verdict,
)
from mappings.canonical.base import Instant
from mappings.canonical.commands import Id
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import SessionStatus

_Number = Annotated[int, Field(ge=1, le=2**63 - 1)]

_SESSION_ID = Parameter("id", _Number, "The session's number.", "path")
_CDR_ID = Parameter("id", _Number, "The CDR's number.", "path")
_FILTERS = (
    Parameter("party", PartyId, "Only this EMSP's."),
    Parameter("cpo", PartyId, "Only those at this CPO's stations."),
    Parameter("connection", ConnectionName, "Only those that came over this connection."),
    Parameter("review", bool, "Only those that wait for a person, or only those that do not."),
    Parameter("reason", Review, "Only those with this reason for a review."),
    Parameter("since", Instant, "Only those that began then or later."),
    Parameter("until", Instant, "Only those that began before then."),
    Parameter("permit", Id, "Only those under the permit of this id."),
)
_SESSIONS = "/v1/received-sessions"
_CDRS = "/v1/received-cdrs"
_WHY: Final[dict[str, Any]] = {"why": "The CPO confirmed it by mail"}


class Acceptance(BaseModel):
    """Why a session is taken as it is.

    Attributes:
        permit: Our id of the permit that it belongs to; left out for the one that is known, or none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    why: Why
    permit: Id | None = None


class ReceivedOperations:
    """`/v1/received-sessions` and `/v1/received-cdrs`."""

    def __init__(self, desk: ReceivedDesk) -> None:
        self._desk = desk

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [*self._of_sessions(), *self._of_cdrs()]

    def _of_sessions(self) -> Sequence[Route]:
        one, tag = _SESSIONS + "/{id}", "Received sessions"
        return [
            Route(
                "GET",
                _SESSIONS,
                self.sessions,
                "List received sessions",
                tag,
                {200: Answer("A page, the newest first.", Page[ReceivedSessionView])},
                parameters=(
                    *_FILTERS,
                    Parameter("status", SessionStatus, "Only those of this status."),
                    Parameter("without_cdr", bool, "Only those that are over and have no CDR, or only the others."),
                    AFTER,
                    LIMIT,
                ),
            ),
            Route(
                "GET",
                one,
                self.session,
                "Read a received session",
                tag,
                {200: Answer("The session as it was told.", ReceivedSessionView)},
                parameters=(_SESSION_ID,),
                problems=["not-found"],
            ),
            Route(
                "POST",
                one + "/check",
                self.check_session,
                "Judge a received session anew",
                tag,
                {200: Answer("What is doubted of it now.", ReceivedSessionView)},
                role=KeyRole.PUBLISH,
                parameters=(_SESSION_ID,),
                problems=["not-found", "conflict"],
            ),
            Route(
                "POST",
                one + "/accept",
                self.accept_session,
                "End a received session's review",
                tag,
                {200: Answer("It is taken as it is.", ReceivedSessionView)},
                role=KeyRole.PUBLISH,
                parameters=(_SESSION_ID,),
                body=Body("Why, and under which permit it began.", Acceptance, example=_WHY),
                problems=["not-found", "conflict"],
            ),
            Route(
                "POST",
                one + "/waive-cdr",
                self.waive_cdr,
                "Say that a received session will have no CDR",
                tag,
                {200: Answer("It is not missed any more.", ReceivedSessionView)},
                role=KeyRole.PUBLISH,
                parameters=(_SESSION_ID,),
                body=Body("Why.", Reason, example={"why": "free of charge"}),
                problems=["not-found", "conflict"],
            ),
        ]

    def _of_cdrs(self) -> Sequence[Route]:
        one, tag = _CDRS + "/{id}", "Received CDRs"
        return [
            Route(
                "GET",
                _CDRS,
                self.cdrs,
                "List received CDRs",
                tag,
                {200: Answer("A page, the newest first.", Page[ReceivedCdrView])},
                parameters=(
                    *_FILTERS,
                    Parameter("session", _Number, "Only those of the received session of this number."),
                    Parameter("standing", CdrStanding, "Only those that are so far."),
                    AFTER,
                    LIMIT,
                ),
            ),
            Route(
                "GET",
                one,
                self.cdr,
                "Read a received CDR",
                tag,
                {200: Answer("The CDR as it came, and what is doubted of it.", ReceivedCdrView)},
                parameters=(_CDR_ID,),
                problems=["not-found"],
            ),
            Route(
                "POST",
                one + "/check",
                self.check_cdr,
                "Judge a received CDR anew",
                tag,
                {200: Answer("What is doubted of it now.", ReceivedCdrView)},
                role=KeyRole.PUBLISH,
                parameters=(_CDR_ID,),
                problems=["not-found", "conflict"],
            ),
            *(
                Route(
                    "POST",
                    f"{one}/{word}",
                    handler,
                    f"{word.capitalize()} a received CDR",
                    tag,
                    {200: Answer(f"It is {verdict.value}.", ReceivedCdrView)},
                    role=KeyRole.PUBLISH,
                    parameters=(_CDR_ID,),
                    body=Body("Why.", Reason, example=_WHY),
                    problems=["not-found", "conflict"],
                )
                for word, handler, verdict in (
                    ("accept", self.accept, Verdict.ACCEPTED),
                    ("reject", self.reject, Verdict.REJECTED),
                )
            ),
        ]

    async def sessions(self, call: Call) -> web.Response:
        """Gives sessions of drivers of the key's EMSPs; those of nobody's driver to a key for all parties."""
        wanted = _filter(call, status=call["status"], without_cdr=call["without_cdr"])
        return respond(await self._desk.sessions(wanted, call["after"], call["limit"]), Page[ReceivedSessionView])

    async def session(self, call: Call) -> web.Response:
        """Gives one session: as its CPO told it whole, or what was told piece by piece, merged."""
        return respond(await self._desk.session(call.identity.parties, call["id"]), ReceivedSessionView)

    async def check_session(self, call: Call) -> web.Response:
        """Holds a session that waits for review against what is known by now: EVSEs, tokens and permits.

        What only these lack is judged anew by itself for a day after it came.
        """
        view = await self._desk.check_session(call.identity.parties, call["id"], call.who)
        return respond(view, ReceivedSessionView)

    async def accept_session(self, call: Call) -> web.Response:
        """Takes a session that waits for review as it is. The same reasons do not make it wait again."""
        given = await call.json(Acceptance)
        parties = call.identity.parties
        view = await self._desk.accept_session(parties, call["id"], given.permit, given.why, call.who)
        return respond(view, ReceivedSessionView)

    async def waive_cdr(self, call: Call) -> web.Response:
        """Ends the alarm over a CDR that does not come."""
        why = (await call.json(Reason)).why
        return respond(
            await self._desk.waive_cdr(call.identity.parties, call["id"], why, call.who), ReceivedSessionView
        )

    async def cdrs(self, call: Call) -> web.Response:
        """Gives CDRs of drivers of the key's EMSPs; those of nobody's driver to a key for all parties."""
        wanted = _filter(call, standing=call["standing"], session=call["session"])
        return respond(await self._desk.cdrs(wanted, call["after"], call["limit"]), Page[ReceivedCdrView])

    async def cdr(self, call: Call) -> web.Response:
        """Gives one CDR. What its hub was told is that it was taken, whatever stands here."""
        return respond(await self._desk.cdr(call.identity.parties, call["id"]), ReceivedCdrView)

    async def check_cdr(self, call: Call) -> web.Response:
        """Holds a CDR that waits for review against what is known by now, as a session. One that fits is accepted."""
        return respond(await self._desk.check_cdr(call.identity.parties, call["id"], call.who), ReceivedCdrView)

    async def accept(self, call: Call) -> web.Response:
        """Accepts a CDR that waits for review."""
        return await self._decide(call, Verdict.ACCEPTED)

    async def reject(self, call: Call) -> web.Response:
        """Rejects a CDR that waits for review; its session may have another one. The hub is not told."""
        return await self._decide(call, Verdict.REJECTED)

    async def _decide(self, call: Call, verdict: Verdict) -> web.Response:
        why = (await call.json(Reason)).why
        view = await self._desk.decide(call.identity.parties, call["id"], verdict, why, call.who)
        return respond(view, ReceivedCdrView)


def _filter(call: Call, **more: Any) -> ReceivedFilter:
    names = ("cpo", "connection", "review", "reason", "since", "until", "permit")
    return ReceivedFilter(call.parties(call["party"]), **{name: call[name] for name in names}, **more)
