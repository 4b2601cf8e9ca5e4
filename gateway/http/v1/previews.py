"""Looking at an offer before anybody has it."""

from collections.abc import Sequence

from aiohttp import web

from gateway.complaints import FieldError
from gateway.http.problems import Problem
from gateway.http.routing import Answer, Body, Call, Route, respond
from gateway.http.v1 import offer_examples as examples
from gateway.http.v1.objects import demand_same
from gateway.http.v1.offers import OFFER_IN_PATH, TAG, naming_offer
from gateway.http.v1.standing import Standing
from gateway.services.ports.previews import Preview, Previews, PreviewWish

_ANSWER = Answer("Who would see and pay what.", Preview, example=examples.PREVIEW_SHOWN)


class PreviewOperations:
    """`/v1/offers/preview` and `/v1/offers/{id}/preview`."""

    def __init__(self, previews: Previews, standing: Standing) -> None:
        self._previews = previews
        self._standing = standing

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "POST",
                "/v1/offers/preview",
                self.preview,
                "Look at an offer that is not stored",
                TAG,
                {200: _ANSWER},
                body=Body("The offer, when, and for whom.", PreviewWish, example=examples.PREVIEW),
                problems=["not-found"],
            ),
            Route(
                "POST",
                "/v1/offers/{id}/preview",
                self.preview_stored,
                "Look at an offer",
                TAG,
                {200: _ANSWER},
                parameters=(OFFER_IN_PATH,),
                body=Body("When, and for whom.", PreviewWish, example={"at": "2027-01-04T10:00:00Z"}),
                problems=["not-found"],
            ),
        ]

    async def preview(self, call: Call) -> web.Response:
        """Says who would see and pay what under an offer, and why it could not be published. Nothing is stored."""
        wish = await call.json(PreviewWish)
        faults = [
            FieldError(field=name, detail="is required") for name in ("offer", "terms") if getattr(wish, name) is None
        ]
        if wish.offer is None or faults:
            raise Problem("invalid", "There is nothing to look at", faults)
        await self._standing.demand_owner(call.identity, wish.offer.cpo, wish.offer.network_group, "offer.")
        with naming_offer():
            seen = await self._previews.preview(None, wish)
        return respond(seen, Preview)

    async def preview_stored(self, call: Call) -> web.Response:
        """Says who would see and pay what under a stored offer, or under other terms for it that are given.

        The key speaks for the network: the answer tells what each EMSP has there now.
        """
        wish = await call.json(PreviewWish)
        await self._standing.owned(call.identity, call["id"])
        if wish.offer is not None:
            demand_same(wish.offer, id=call["id"])
            await self._standing.demand_owner(call.identity, wish.offer.cpo, wish.offer.network_group, "offer.")
        return respond(await self._previews.preview(call["id"], wish), Preview)
