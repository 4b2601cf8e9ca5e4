"""Subscriptions: which EMSP has which offer, or wants it."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adapters.core.connection import ConnectionName
from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1 import offer_examples as examples
from gateway.http.v1.standing import Side, Standing
from gateway.services.keys import KeyRole
from gateway.services.ports import NotFound, Page
from gateway.services.ports.offers import NewSubscription, SubscriptionFilter, Subscriptions, SubscriptionView
from mappings.canonical.agreements import AgreementKey, SubscriptionState
from mappings.canonical.base import Instant
from mappings.canonical.ids import PartyId

_PATH: Final = "/v1/subscriptions"
_TAG: Final = "Subscriptions"
_ID = Parameter("id", AgreementKey, "The subscription's id.", "path")

WhyGiven = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Approval(_Given):
    """A yes; the subscription starts at once, or not before a moment."""

    starts: Instant | None = None


class Refusal(_Given):
    """A no, and why, in words for the EMSP."""

    why: WhyGiven


class Cancellation(_Given):
    """An end.

    Attributes:
        at: As soon as it may be where it is left out.
        as: For whom; only a key that speaks for both has to say it.
    """

    at: Instant | None = None
    side: Annotated[Side | None, Field(alias="as")] = None
    why: WhyGiven | None = None


class SubscriptionOperations:
    """`/v1/subscriptions`."""

    def __init__(self, subscriptions: Subscriptions, standing: Standing) -> None:
        self._subscriptions = subscriptions
        self._standing = standing

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                _PATH,
                self.list,
                "List subscriptions",
                _TAG,
                {200: Answer("A page, in the order in which they came.", Page[SubscriptionView])},
                parameters=(
                    Parameter("party", PartyId, "Only those of this party, on either side."),
                    Parameter("offer", AgreementKey, "Only those to this offer."),
                    Parameter("emsp", PartyId, "Only those of this EMSP."),
                    Parameter("cpo", PartyId, "Only those to offers of this CPO."),
                    Parameter("connection", ConnectionName, "Only those to offers by this connection."),
                    Parameter("state", SubscriptionState, "Only those that are so far."),
                    AFTER,
                    LIMIT,
                ),
                problems=["not-found"],
            ),
            Route(
                "POST",
                _PATH,
                self.request,
                "Subscribe to an offer",
                _TAG,
                {201: Answer("It is active, or waits for the CPO's yes.", SubscriptionView)},
                role=KeyRole.PUBLISH,
                body=Body("Which offer, and for whom.", NewSubscription, example=examples.SUBSCRIPTION),
                problems=["not-found", "conflict"],
            ),
            Route(
                "GET",
                _PATH + "/{id}",
                self.get,
                "Read a subscription",
                _TAG,
                {200: Answer("The subscription.", SubscriptionView, example=examples.SUBSCRIPTION_SHOWN)},
                parameters=(_ID,),
                problems=["not-found"],
            ),
            _change("approve", self.approve, "Approve a subscription", Body("From when on.", Approval, example={})),
            _change(
                "refuse",
                self.refuse,
                "Refuse a subscription",
                Body("Why.", Refusal, example={"why": "We know no such company"}),
            ),
            _change(
                "cancel",
                self.cancel,
                "Cancel a subscription",
                Body("When, and why.", Cancellation, example={"as": "emsp", "why": "We leave the country"}),
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives the subscriptions of the key's EMSPs, and those to the offers of its CPOs."""
        wanted = SubscriptionFilter(
            call.parties(call["party"]), call["offer"], call["emsp"], call["cpo"], call["connection"], call["state"]
        )
        return respond(await self._subscriptions.list(wanted, call["after"], call["limit"]), Page[SubscriptionView])

    async def request(self, call: Call) -> web.Response:
        """Subscribes for an EMSP that the key speaks for. The same once more, id included, is the same subscription.

        At a hub where that is done in its portal it is refused here, and noticed when the hub is read.
        """
        new = await call.json(NewSubscription)
        call.demand(new.emsp)
        try:
            await self._standing.seen(call.identity, new.offer)
        except NotFound as error:
            raise NotFound(str(error.args[0]), "offer") from error
        view = await self._subscriptions.request(new, call.who)
        return respond(view, SubscriptionView, 201, {"Location": f"{_PATH}/{view.subscription.id}"})

    async def get(self, call: Call) -> web.Response:
        """Gives one subscription, to either side."""
        return respond(await self._seen(call), SubscriptionView)

    async def approve(self, call: Call) -> web.Response:
        """Says yes for the CPO, or for every member of the network group."""
        starts = (await call.json(Approval)).starts
        await self._standing.demand_side(call.identity, await self._seen(call), frozenset({Side.CPO}))
        return respond(await self._subscriptions.approve(call["id"], starts, call.who), SubscriptionView)

    async def refuse(self, call: Call) -> web.Response:
        """Says no for the CPO, or for every member of the network group."""
        why = (await call.json(Refusal)).why
        await self._standing.demand_side(call.identity, await self._seen(call), frozenset({Side.CPO}))
        return respond(await self._subscriptions.refuse(call["id"], why, call.who), SubscriptionView)

    async def cancel(self, call: Call) -> web.Response:
        """Ends a subscription: the EMSP's after its minimum term and cancellation days, the CPO's after its notice.

        No charge is cut off by that: what runs is finished and billed.
        """
        given = await call.json(Cancellation)
        side = await self._standing.demand_side(call.identity, await self._seen(call), frozenset(Side), given.side)
        view = await self._subscriptions.cancel(call["id"], given.at, call.who, by_cpo=side is Side.CPO, why=given.why)
        return respond(view, SubscriptionView)

    async def _seen(self, call: Call) -> SubscriptionView:
        view = await self._subscriptions.get(call["id"])
        if not call.identity.speaks_for(view.subscription.emsp) and not await self._standing.is_member(
            call.identity, view.cpo, view.network_group
        ):
            raise NotFound(f"there is no subscription {call['id']}")
        return view


def _change(what: str, handler: Any, summary: str, body: Body) -> Route:
    return Route(
        "POST",
        f"{_PATH}/{{id}}/{what}",
        handler,
        summary,
        _TAG,
        {200: Answer("The subscription as it is now.", SubscriptionView)},
        role=KeyRole.PUBLISH,
        parameters=(_ID,),
        body=body,
        problems=["not-found", "conflict"],
    )
