"""Agreements: who is served by which connection for which service."""

from datetime import datetime
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.core.connection import ConnectionName
from gateway.agreements.model import DEFAULT_RANK, EVERY_SERVICE, Service
from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Parameter, Route, respond
from gateway.services.keys import KeyRole
from gateway.services.ports import Page
from gateway.services.ports.agreements import Agreements, AgreementView, NewAgreement
from mappings.canonical.base import Instant
from mappings.canonical.ids import PartyId


class AgreementGiven(BaseModel):
    """Who is to be served over a connection.

    Attributes:
        party: The CPO; left out for all that the connection carries.
        emsp: Left out for all behind the connection.
        rank: Of several connections that may answer for a driver, the one with the lowest is asked first.
        valid_from: The first moment; now where it is left out.
        valid_to: The first moment after it; without end where it is left out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: ConnectionName
    party: PartyId | None = None
    emsp: PartyId | None = None
    services: Annotated[frozenset[Service], Field(min_length=1)] = EVERY_SERVICE
    rank: Annotated[int, Field(ge=0, le=1_000_000)] = DEFAULT_RANK
    valid_from: Instant | None = None
    valid_to: Instant | None = None


class End(BaseModel):
    """When an agreement ends; now where nothing is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Instant | None = None


_ID = Parameter("id", Annotated[int, Field(ge=1, lt=2**31)], "The agreement's number.", "path")
_CONNECTION = Parameter("connection", ConnectionName, "Only this connection.")

_GIVEN = {"connection": "hubject", "emsp": "DE*DCB", "services": ["authorise", "cdr"], "rank": 10}
_SHOWN = {
    "id": 7,
    "connection": "hubject",
    "emsp": "DE*DCB",
    "services": ["authorise", "cdr"],
    "rank": 10,
    "valid_from": "2026-01-01T00:00:00Z",
}


class AgreementOperations:
    """`/v1/agreements`."""

    def __init__(self, agreements: Agreements) -> None:
        self._agreements = agreements

    def routes(self) -> list[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                "/v1/agreements",
                self.list,
                "List agreements",
                "Agreements",
                {200: Answer("A page, ended ones included, the oldest first.", Page[AgreementView])},
                whole=True,
                parameters=(_CONNECTION, AFTER, LIMIT),
                problems=["not-found"],
            ),
            Route(
                "POST",
                "/v1/agreements",
                self.create,
                "Add an agreement",
                "Agreements",
                {201: Answer("It holds.", AgreementView, example=_SHOWN)},
                role=KeyRole.ADMIN,
                whole=True,
                body=Body("Who is served, for what.", AgreementGiven, example=_GIVEN),
                problems=["not-found"],
            ),
            Route(
                "POST",
                "/v1/agreements/{id}/end",
                self.end,
                "End an agreement",
                "Agreements",
                {200: Answer("Its end is set.", AgreementView)},
                role=KeyRole.ADMIN,
                whole=True,
                parameters=(_ID,),
                body=Body("When.", End, example={"at": "2027-01-01T00:00:00Z"}),
                problems=["not-found", "conflict"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives agreements. A connection without any serves everybody in its scope, for every service."""
        page = await self._agreements.list(call["connection"], call["after"], call["limit"])
        return respond(page, Page[AgreementView])

    async def create(self, call: Call) -> web.Response:
        """Adds one. The first restricts its connection to what its agreements say, from then on and for good.

        Asked for are `authorise`, `remote` and `reservation`. What a connection shows is its scope, and a charge that
        was let begin is billed: `poi`, `status` and `cdr` are on record only.
        """
        given = await call.json(AgreementGiven)
        new = NewAgreement(
            given.connection, given.services, given.rank, given.party, given.emsp, given.valid_from, given.valid_to
        )
        return respond(await self._agreements.create(new, call.who), AgreementView, 201)

    async def end(self, call: Call) -> web.Response:
        """Sets its end. It is never deleted, and keeps restricting its connection."""
        given = await call.json(End)
        at: datetime | None = given.at
        return respond(await self._agreements.end(call["id"], at, call.who), AgreementView)
