"""Offers: who may have what of a network, and at what price."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from adapters.core.connection import ConnectionName
from adapters.core.offers import HubIds
from gateway.complaints import FieldError
from gateway.http.problems import Problem
from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1 import offer_examples as examples
from gateway.http.v1.objects import demand_same
from gateway.http.v1.standing import Standing
from gateway.services.keys import KeyRole
from gateway.services.ports import Conflict, Invalid, NotFound, Page
from gateway.services.ports.offers import Entry, NewVersion, OfferFilter, Offers, OfferView
from mappings.canonical.agreements import AgreementKey, Offer, OfferState, OfferTerms
from mappings.canonical.base import Instant
from mappings.canonical.ids import PartyId

TAG: Final = "Offers"
OFFER_IN_PATH = Parameter("id", AgreementKey, "The offer's id.", "path")
_PATH: Final = "/v1/offers"
_ONE: Final = _PATH + "/{id}"
_NUMBER = Parameter("number", Annotated[int, Field(ge=1, lt=2**31)], "The version's number.", "path")


class OfferGiven(BaseModel):
    """A draft: what stays the same in all versions, and what the first one says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offer: Offer
    terms: OfferTerms


class OfferCancelled(BaseModel):
    """When an offer ends; as soon as its notice allows where nothing is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Instant | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What was done, by whom, the oldest first."""

    items: Sequence[Entry]


class OfferOperations:
    """`/v1/offers`."""

    def __init__(self, offers: Offers, standing: Standing) -> None:
        self._offers = offers
        self._standing = standing

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        one = (OFFER_IN_PATH,)
        return [
            Route(
                "GET",
                _PATH,
                self.list,
                "List offers",
                TAG,
                {200: Answer("A page, by id.", Page[OfferView])},
                parameters=(
                    Parameter("party", PartyId, "As if the key spoke for this party alone."),
                    Parameter("connection", ConnectionName, "Only those by this connection."),
                    Parameter("cpo", PartyId, "Only those of this CPO."),
                    Parameter("state", OfferState, "Only those that are so far."),
                    AFTER,
                    LIMIT,
                ),
                problems=["not-found"],
            ),
            Route(
                "GET",
                _ONE,
                self.get,
                "Read an offer",
                TAG,
                {200: Answer("The offer with all its versions.", OfferView, example=examples.OFFER_SHOWN)},
                parameters=one,
                problems=["not-found"],
            ),
            Route(
                "PUT",
                _ONE,
                self.put,
                "Write a draft of an offer",
                TAG,
                {200: Answer("It is changed.", OfferView), 201: Answer("It is new.", OfferView)},
                role=KeyRole.PUBLISH,
                parameters=one,
                body=Body("The whole draft.", OfferGiven, example=examples.OFFER),
                problems=["not-found", "conflict"],
            ),
            Route(
                "DELETE",
                _ONE,
                self.remove,
                "Forget a draft of an offer",
                TAG,
                {204: Answer("It is gone.")},
                role=KeyRole.PUBLISH,
                parameters=one,
                problems=["not-found", "conflict"],
            ),
            _change("POST", "publish", self.publish, "Publish an offer"),
            _change(
                "POST",
                "versions",
                self.add_version,
                "Add a version of an offer",
                Body("When it starts, and what it says.", NewVersion, example=examples.VERSION),
                status=201,
            ),
            _change("DELETE", "versions/{number}", self.drop_version, "Take a version of an offer back"),
            _change(
                "POST",
                "cancel",
                self.cancel,
                "Cancel an offer",
                Body("When it ends.", OfferCancelled, example={"at": "2028-01-01T00:00:00Z"}),
            ),
            _change(
                "PUT",
                "hub-ids",
                self.set_hub_ids,
                "Say what a hub calls an offer",
                Body("What the hub calls its parts.", HubIds, example=examples.HUB_IDS),
                role=KeyRole.ADMIN,
            ),
            Route(
                "GET",
                _ONE + "/history",
                self.history,
                "Read an offer's history",
                TAG,
                {200: Answer("What was done to it and its subscriptions.", History)},
                parameters=one,
                problems=["not-found"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives the offers of the networks that the key speaks for, those for its EMSPs, and public published ones.

        Who else is in an audience, who has subscribed, and what the hub was told is shown to the network's side only.
        """
        wanted = OfferFilter(call.parties(call["party"]), call["connection"], call["cpo"], call["state"])
        page = await self._offers.list(wanted, call["after"], call["limit"])
        shown = [await self._standing.shown(call.identity, view) for view in page.items]
        return respond(Page([view for view in shown if view is not None], page.next), Page[OfferView])

    async def get(self, call: Call) -> web.Response:
        """Gives one offer; one that is neither public nor for a party of the key is not there."""
        return respond(await self._standing.seen(call.identity, call["id"]), OfferView)

    async def put(self, call: Call) -> web.Response:
        """Writes a draft. Only the network's side sees it, and may write it again till it is published.

        The key speaks for the CPO, or for every member of the network group. What a partner offers, on record here, is
        written with a key for all parties: the first offer that is published for a network by a connection closes it
        there to everybody whom no offer names, for good.
        """
        given = await call.json(OfferGiven)
        demand_same(given.offer, id=call["id"])
        await self._standing.demand_owner(call.identity, given.offer.cpo, given.offer.network_group, "offer.")
        await self._demand_free(call)
        with naming_offer():
            view, is_new = await self._offers.put(given.offer, given.terms, call.who)
        headers = {"Location": f"{_PATH}/{given.offer.id}"} if is_new else None
        return respond(view, OfferView, 201 if is_new else 200, headers)

    async def remove(self, call: Call) -> web.Response:
        """Forgets a draft. What was published is cancelled instead, and stays on record."""
        await self._standing.owned(call.identity, call["id"])
        await self._offers.remove(call["id"], call.who)
        return web.Response(status=204)

    async def publish(self, call: Call) -> web.Response:
        """Publishes a draft. From now on it can be subscribed to, and changes by new versions only."""
        await self._standing.owned(call.identity, call["id"])
        return respond(await self._offers.publish(call["id"], call.who), OfferView)

    async def add_version(self, call: Call) -> web.Response:
        """Adds a version, which starts when the lead time is over, or later. Charges keep the one they began under."""
        new = await call.json(NewVersion)
        await self._standing.owned(call.identity, call["id"])
        return respond(await self._offers.add_version(call["id"], new, call.who), OfferView, 201)

    async def drop_version(self, call: Call) -> web.Response:
        """Takes a version back that is not in force yet, and of which the hub was not told."""
        await self._standing.owned(call.identity, call["id"])
        return respond(await self._offers.drop_version(call["id"], call["number"], call.who), OfferView)

    async def cancel(self, call: Call) -> web.Response:
        """Ends an offer after its notice, and its subscriptions with it.

        No charge is cut off by that: what runs is finished and billed.
        """
        at = (await call.json(OfferCancelled)).at
        await self._standing.owned(call.identity, call["id"])
        return respond(await self._offers.cancel(call["id"], at, call.who), OfferView)

    async def set_hub_ids(self, call: Call) -> web.Response:
        """Says what a hub calls the parts of an offer, where its answer was lost; steps told from now on name them."""
        ids = await call.json(HubIds)
        await self._standing.owned(call.identity, call["id"])
        return respond(await self._offers.set_hub_ids(call["id"], ids, call.who), OfferView)

    async def history(self, call: Call) -> web.Response:
        """Gives the audit trail of an offer and its subscriptions, to a key that speaks for its network."""
        await self._standing.owned(call.identity, call["id"])
        return respond(History(await self._offers.history(call["id"])), History)

    async def _demand_free(self, call: Call) -> None:
        """Raises the problem 409 where the id is that of somebody else's offer."""
        try:
            there = (await self._offers.get(call["id"])).offer
        except NotFound:
            return
        if not await self._standing.is_owner(call.identity, there.cpo, there.network_group):
            detail = "is the id of another network's offer"
            raise Problem("conflict", "The id is taken", [FieldError(field="offer.id", detail=detail)])


@contextmanager
def naming_offer() -> Iterator[None]:
    """Names fields as they stand in `OfferGiven`: services name those of the offer, with its terms beneath it."""
    try:
        yield
    except Invalid as error:
        raise Invalid(*((_given_path(field), detail) for field, detail in error.problems)) from error
    except NotFound as error:
        raise NotFound(str(error.args[0]), _given_path(error.field)) from error
    except Conflict as error:
        raise Conflict(str(error), _given_path(error.field)) from error


def _given_path(field: str) -> str:
    return field if not field or field.startswith("terms") else f"offer.{field}"


def _change(
    method: str,
    what: str,
    handler: Any,
    summary: str,
    body: Body | None = None,
    *,
    role: KeyRole = KeyRole.PUBLISH,
    status: int = 200,
) -> Route:
    return Route(
        method,
        f"{_ONE}/{what}",
        handler,
        summary,
        TAG,
        {status: Answer("The offer as it is now.", OfferView)},
        role=role,
        parameters=(OFFER_IN_PATH, _NUMBER) if "{number}" in what else (OFFER_IN_PATH,),
        body=body,
        problems=["not-found", "conflict"],
    )
