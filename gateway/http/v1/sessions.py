"""Charging sessions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from adapters.core.connection import ConnectionName
from gateway.http import bodies
from gateway.http.problems import Problem
from gateway.http.routing import AFTER, LIMIT, PARTY, PARTY_IN_PATH, Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1 import examples, objects
from gateway.http.v1.connections import Why
from gateway.http.v1.shapes import shown
from gateway.services.keys import KeyRole
from gateway.services.ports import IssueShown, Page, SessionFilter, SessionResult, Sessions, SessionView
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import Session, SessionId, SessionStatus

Hours = Annotated[int, Field(ge=0, le=100_000)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=36)]

_ONE = (PARTY_IN_PATH, Parameter("id", SessionId, "The session's id, given by the CPO.", "path"))
_PATH = "/v1/sessions/{party}/{id}"


@dataclass(frozen=True, slots=True)
class SessionWritten:
    """What came of a session.

    Attributes:
        outcome: `stale` where a later report of it is stored: it changed nothing.
        issues: What was noticed about it.
        authorisation: By which it roams.
        connection: Over which it roams; none for a session of the CPO's own driver.
        review: Why it waits for a person; no hub is told till then.
    """

    party: PartyId
    id: str
    outcome: Literal["created", "updated", "unchanged", "stale"]
    issues: Sequence[IssueShown]
    authorisation: str | None
    connection: str | None
    review: str | None

    @classmethod
    def of(cls, result: SessionResult) -> "SessionWritten":
        """Shows a service's result."""
        party, id_, outcome, issues, authorisation, connection, review = result
        return cls(party, id_, outcome, shown(issues), authorisation, connection, review)


class Assignment(BaseModel):
    """What a session belongs to: an authorisation, or none; one of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    authorisation: Annotated[str, StringConstraints(min_length=1, max_length=36)] | None = None
    none: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.authorisation is None) == (self.none is None):
            raise ValueError("name either an authorisation or none")
        return self


class Waiver(BaseModel):
    """Why a session will have no CDR."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    why: Why


class SessionOperations:
    """`/v1/sessions`."""

    def __init__(self, sessions: Sessions, now: Callable[[], datetime]) -> None:
        self._sessions = sessions
        self._now = now

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        written = {
            200: Answer("It is stored; every hub that it concerns will be told.", SessionWritten),
            201: Answer("It is new.", SessionWritten),
        }
        return [
            Route(
                "GET",
                "/v1/sessions",
                self.list,
                "List sessions",
                "Sessions",
                {200: Answer("A page, the newest first.", Page[SessionView])},
                parameters=(
                    PARTY,
                    Parameter("status", SessionStatus, "Only those with this status."),
                    Parameter("review", bool, "Only those that wait for a person, or only the others."),
                    Parameter("connection", ConnectionName, "Only those that roam over this connection."),
                    Parameter(
                        "without_cdr_hours", Hours, "Only those that ended longer ago than this, and have no CDR."
                    ),
                    Parameter("location", Id, "Only those at this location."),
                    Parameter("evse", Id, "Only those at this EVSE, by its uid."),
                    Parameter(
                        "reference", Id, "Only those that it leads to: our id of the authorisation, or the hub's."
                    ),
                    AFTER,
                    LIMIT,
                ),
            ),
            Route(
                "GET",
                _PATH,
                self.get,
                "Read a session",
                "Sessions",
                {200: Answer("The session, every id of it, and what each hub was told.", SessionView)},
                parameters=_ONE,
                problems=["not-found"],
            ),
            Route(
                "PUT",
                _PATH,
                self.put,
                "Tell of a session",
                "Sessions",
                written,
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                body=Body("The whole session as it is now.", Session, example=examples.SESSION),
                problems=["conflict"],
            ),
            Route(
                "PATCH",
                _PATH,
                self.patch,
                "Tell what changed of a session",
                "Sessions",
                {200: written[200]},
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                body=Body(
                    "A merge patch (RFC 7396) on the session.",
                    dict,
                    bodies.MERGE_PATCH,
                    example=examples.SESSION_PATCH,
                ),
                problems=["not-found", "conflict"],
            ),
            Route(
                "POST",
                _PATH + "/assign",
                self.assign,
                "Say what a session belongs to",
                "Sessions",
                {200: Answer("It is told, and with it the CDR that waited.", SessionWritten)},
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                body=Body("Our id of the authorisation, or none.", Assignment, example={"authorisation": "a-1"}),
                problems=["not-found", "conflict"],
            ),
            Route(
                "POST",
                _PATH + "/waive-cdr",
                self.waive,
                "Say that a session will have no CDR",
                "Sessions",
                {204: Answer("Nobody waits for it any more.")},
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                body=Body("Why.", Waiver, example={"why": "the charger broke off before energy flowed"}),
                problems=["not-found", "conflict"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives sessions, the newest first, without their ids and without what was told of them."""
        hours = call["without_cdr_hours"]
        wanted = SessionFilter(
            call.parties(call["party"]),
            call["status"],
            call["review"],
            call["connection"],
            timedelta(hours=hours) if hours is not None else None,
            call["location"],
            call["evse"],
            call["reference"],
        )
        page = await self._sessions.list(wanted, call["after"], call["limit"])
        return respond(page, Page[SessionView])

    async def get(self, call: Call) -> web.Response:
        """Gives one session with the ids by which each hub and EMSP knows it, and how far each was told."""
        return respond(await self._stored(call), SessionView)

    async def put(self, call: Call) -> web.Response:
        """Writes a session whole; sent again and again while it goes on.

        It is matched with its authorisation by `reference`, else by driver, EVSE and time. Where that leaves several,
        it waits in review and no hub is told till a person assigns it. A report with an older `last_updated` changes
        nothing.
        """
        party = call.demand(call["party"])
        session = await call.json(Session)
        objects.demand_same(session, party=party, id=call["id"])
        return _answer(await self._sessions.put(session, call.who))

    async def patch(self, call: Call) -> web.Response:
        """Changes the fields that are given; null removes one; a list, such as `periods`, is replaced whole.

        `last_updated` becomes now unless it is given.
        """
        patch = await objects.read_patch(call)

        async def write() -> SessionResult:
            stored = await self._stored(call)
            session = objects.patched(stored.session, patch, self._now())
            objects.demand_same(session, party=call["party"], id=call["id"])
            return await self._sessions.put(session, call.who, if_updated=stored.updated)

        return _answer(await objects.written_over(write))

    async def assign(self, call: Call) -> web.Response:
        """Ends the review of a session: under an authorisation, or as one of the CPO's own drivers."""
        party = call.demand(call["party"])
        assignment = await call.json(Assignment)
        return _answer(await self._sessions.assign(party, call["id"], assignment.authorisation, call.who))

    async def waive(self, call: Call) -> web.Response:
        """Ends the alarm about a missing CDR; noted in the audit log."""
        party = call.demand(call["party"])
        waiver = await call.json(Waiver)
        await self._sessions.waive_cdr(party, call["id"], waiver.why, call.who)
        return web.Response(status=204)

    async def _stored(self, call: Call) -> SessionView:
        party: PartyId = call.demand(call["party"])
        stored = await self._sessions.get(party, call["id"])
        if stored is None:
            raise Problem("not-found", f"There is no session {party}/{call['id']}")
        return stored


def _answer(result: SessionResult) -> web.Response:
    return respond(SessionWritten.of(result), SessionWritten, 201 if result.outcome == "created" else 200)
