"""Drivers at own stations: whether they may charge, and stop."""

from typing import Annotated, Self

from aiohttp import web
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator

from adapters.core.connection import ConnectionName
from gateway.http.routing import AFTER, LIMIT, PARTY, Answer, Body, Call, Parameter, Route, respond
from gateway.services.keys import KeyRole
from gateway.services.ports import Page
from gateway.services.ports.authorising import Authorisation, AuthorisationFilter, AuthorisationView, StopAnswer, Tap
from mappings.canonical.base import Instant
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.tokens import Identification, Pin

_Id = Annotated[str, StringConstraints(min_length=1, max_length=36)]


def _demand_medium(identification: Identification) -> Identification:
    if identification.uid is None and identification.contract_id is None:
        raise ValueError("holds neither a uid nor a contract_id")
    return identification


_Medium = Annotated[Identification, AfterValidator(_demand_medium)]


class Wish(BaseModel):
    """A driver who wants to charge.

    Attributes:
        evse_id: The EVSE by its public id, of several of the party's the newest that is not REMOVED; or else
        location_id, evse_uid: by its key.
        connector_id: Left out where the station has not said.
        pin: For a QR code; passed on, never kept.
        product: The price that the driver chose, where there is a choice.
        request_id: Your own id of this request: sent again with it, it gets the same answer and asks nobody twice.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    party: PartyId
    evse_id: EvseId | None = None
    location_id: _Id | None = None
    evse_uid: _Id | None = None
    connector_id: _Id | None = None
    identification: _Medium
    pin: Pin | None = None
    product: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    request_id: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None

    @model_validator(mode="after")
    def _one_evse(self) -> Self:
        by_key = self.location_id is not None and self.evse_uid is not None
        half = (self.location_id is None) != (self.evse_uid is None)
        if half or by_key == (self.evse_id is not None):
            raise ValueError("name the EVSE either by evse_id, or by location_id and evse_uid")
        return self


class StopWish(BaseModel):
    """A driver who wants to stop a session.

    Attributes:
        pin: For a QR code; passed on, never kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    identification: _Medium
    pin: Pin | None = None


_ID = Parameter("id", _Id, "The authorisation's id.", "path")
_ALLOWED = Parameter("allowed", bool, "Only those that were granted, or only those that were not.")

_CARD = {"type": "RFID", "uid": "04A2B3C4D5E680"}
_WISH = {
    "party": "FR*ABC",
    "location_id": "L1",
    "evse_uid": "U1",
    "connector_id": "1",
    "identification": _CARD,
    "request_id": "tap-4711",
}
_GRANTED = {
    "id": "7a1f9f0e-55a1-5c0e-8c35-6f3b2a2f9f10",
    "party": "FR*ABC",
    "location_id": "L1",
    "evse_uid": "U1",
    "connector_id": "1",
    "origin": "tap",
    "allowed": True,
    "at": "2026-05-01T10:00:00Z",
    "detail": {
        "asked": [{"connection": "gireve", "after": 1, "took": 140, "answer": "allowed"}],
        "took": 142,
        "local": False,
        "drift": False,
        "stop_with": [],
    },
    "reference": "7a1f9f0e-55a1-5c0e-8c35-6f3b2a2f9f10",
    "auth_method": "AUTH_REQUEST",
    "connection": "gireve",
    "leg": {"reference": "a6d2c1", "identification": {"contract_id": "FR-XYZ-C12345678-9", **_CARD}},
}


class AuthorisationOperations:
    """`/v1/authorisations`."""

    def __init__(self, authorisation: Authorisation) -> None:
        self._authorisation = authorisation

    def routes(self) -> list[Route]:
        """Names the operations."""
        path = "/v1/authorisations/{id}"
        return [
            Route(
                "POST",
                "/v1/authorisations",
                self.authorise,
                "Ask whether a driver may charge",
                "Authorisations",
                {200: Answer("Yes or no, and why.", AuthorisationView, example=_GRANTED)},
                role=KeyRole.PUBLISH,
                body=Body("Who, and where.", Wish, example=_WISH),
                problems=["not-found", "conflict"],
            ),
            Route(
                "GET",
                "/v1/authorisations",
                self.list,
                "List authorisations",
                "Authorisations",
                {200: Answer("A page, the newest first.", Page[AuthorisationView])},
                parameters=(
                    PARTY,
                    _ALLOWED,
                    Parameter("location", _Id, "Only those at this location."),
                    Parameter("evse", _Id, "Only those at this EVSE, by its uid."),
                    Parameter("connection", ConnectionName, "Only those of which this connection's hub was asked."),
                    Parameter("since", Instant, "Only those of then or later."),
                    AFTER,
                    LIMIT,
                ),
            ),
            Route(
                "GET",
                path,
                self.get,
                "Read an authorisation",
                "Authorisations",
                {200: Answer("Who was asked, and what they said.", AuthorisationView)},
                parameters=(_ID,),
                problems=["not-found"],
            ),
            Route(
                "POST",
                path + "/stop",
                self.stop,
                "Ask whether a driver may stop a session",
                "Authorisations",
                {200: Answer("Yes or no, and why.", StopAnswer, example={"allowed": True})},
                role=KeyRole.PUBLISH,
                parameters=(_ID,),
                body=Body("What the driver holds up.", StopWish, example={"identification": _CARD}),
                problems=["not-found"],
            ),
        ]

    async def authorise(self, call: Call) -> web.Response:
        """Looks at the token list, then asks the hubs that may answer, within the time that a driver waits.

        A no is an answer like a yes. `NO_ANSWER` says that nobody said yes or no in time. What is answered is kept,
        also if the caller hangs up; `reference` is what the session and its CDR shall carry.
        """
        wish = await call.json(Wish)
        call.demand(wish.party)
        tap = Tap(**{name: getattr(wish, name) for name in Wish.model_fields})
        return respond(await self._authorisation.authorise(tap), AuthorisationView)

    async def list(self, call: Call) -> web.Response:
        """Gives authorisations of the parties that the key speaks for: taps, and starts and reservations from afar."""
        names = ("allowed", "location", "evse", "connection", "since")
        wanted = AuthorisationFilter(call.parties(call["party"]), *(call[name] for name in names))
        page = await self._authorisation.list(wanted, call["after"], call["limit"])
        return respond(page, Page[AuthorisationView])

    async def get(self, call: Call) -> web.Response:
        """Gives one, with every id that hub and EMSP gave the charge."""
        return respond(await self._authorisation.get(call["id"], call.identity.parties), AuthorisationView)

    async def stop(self, call: Call) -> web.Response:
        """Tells whether what a driver holds up may stop the session of an authorisation.

        What started it may, and so may what is of its group, or what the hub named; of anything else the hub is asked.
        """
        wish = await call.json(StopWish)
        answer = await self._authorisation.authorise_stop(
            call["id"], wish.identification, wish.pin, call.identity.parties
        )
        return respond(answer, StopAnswer)
