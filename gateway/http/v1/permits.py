"""Drivers of ours at partners' stations: who may charge there."""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import StringConstraints

from adapters.core.connection import ConnectionName
from gateway.http.routing import AFTER, LIMIT, Answer, Call, Parameter, Route, respond
from gateway.services.ports import Page
from gateway.services.ports.driver_tokens import DriverId
from gateway.services.ports.permits import PermitFilter, Permits, PermitView
from mappings.canonical.base import Instant
from mappings.canonical.ids import PartyId

_Id = Annotated[str, StringConstraints(min_length=1, max_length=36)]

_ID = Parameter("id", _Id, "The permit's id.", "path")
_FILTERS = (
    Parameter("party", PartyId, "Only this EMSP's."),
    Parameter("since", Instant, "Only those of then or later."),
    Parameter("until", Instant, "Only those before then."),
    Parameter("connection", ConnectionName, "Only those over this connection."),
    Parameter("allowed", bool, "Only those that were granted, or only those that were not."),
    Parameter("driver", DriverId, "Only those of this driver, by your own id."),
)

_GIVEN: Final[dict[str, Any]] = {
    "id": "5f0c7a0e-55a1-5c0e-8c35-6f3b2a2f9f10",
    "origin": "asked",
    "party": "FR*XYZ",
    "cpo": "NL*ABC",
    "evse": "NLABCE1",
    "connection": "hubject",
    "allowed": True,
    "at": "2026-05-01T10:00:00Z",
    "leg": {"hub_session": "e2b1…", "identification": {"type": "RFID", "uid": "04A2B3C4D5E680"}},
    "detail": {
        "decided": "local",
        "took": 3,
        "token": {"party": "FR*XYZ", "type": "RFID", "uid": "04A2B3C4D5E680"},
        "candidates": [],
    },
    "driver": "d-4711",
}


class PermitOperations:
    """`/v1/permits`."""

    def __init__(self, permits: Permits) -> None:
        self._permits = permits

    def routes(self) -> list[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                "/v1/permits",
                self.list,
                "List permits",
                "Permits",
                {200: Answer("A page, the newest first.", Page[PermitView])},
                parameters=(*_FILTERS, AFTER, LIMIT),
            ),
            Route(
                "GET",
                "/v1/permits/{id}",
                self.get,
                "Read a permit",
                "Permits",
                {200: Answer("Who said what.", PermitView, example=_GIVEN)},
                parameters=(_ID,),
                problems=["not-found"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives drivers of the EMSPs that the key speaks for, of whom a hub asked, or for whom a command was sent.

        Denied ones too, with the reason.
        """
        names = ("since", "until", "connection", "allowed", "driver")
        wanted = PermitFilter(call.parties(call["party"]), *(call[name] for name in names))
        return respond(await self._permits.list(wanted, call["after"], call["limit"]), Page[PermitView])

    async def get(self, call: Call) -> web.Response:
        """Gives one: how the hub names it, whose word the answer was, and the session that it serves."""
        return respond(await self._permits.get(call["id"], call.identity.parties), PermitView)
