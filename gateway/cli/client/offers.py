"""Offers, subscriptions, what hubs hold of them."""

from collections.abc import Mapping
from typing import Any

from gateway.cli.client.wire import LONG, Wire, given, params, path_of
from gateway.http.v1.offers import History
from gateway.http.v1.offers_there import CSV
from gateway.services.ports import Page
from gateway.services.ports.offers import AgreementImport, Drift, OfferView, SubscriptionView
from gateway.services.ports.previews import Preview


class Offers:
    """`/v1/offers`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self, **wanted: Any) -> Page[OfferView]:
        """Gives a page of offers, by the operation's parameters."""
        return await self._wire.ask(Page[OfferView], "GET", path_of("offers"), params=params(**wanted))

    async def get(self, offer: str) -> OfferView:
        """Gives one offer."""
        return await self._wire.ask(OfferView, "GET", path_of("offers", offer))

    async def put(self, offer: str, draft: Mapping[str, Any]) -> OfferView:
        """Writes a draft: offer and terms."""
        return await self._wire.ask(OfferView, "PUT", path_of("offers", offer), json=draft)

    async def remove(self, offer: str) -> None:
        """Forgets a draft."""
        await self._wire.answer("DELETE", path_of("offers", offer))

    async def publish(self, offer: str) -> OfferView:
        """Publishes a draft."""
        return await self._ask("POST", offer, "publish")

    async def add_version(self, offer: str, version: Mapping[str, Any]) -> OfferView:
        """Adds a version: starts and terms."""
        return await self._ask("POST", offer, "versions", json=version)

    async def drop_version(self, offer: str, number: int) -> OfferView:
        """Takes a version back."""
        return await self._ask("DELETE", offer, "versions", number)

    async def cancel(self, offer: str, at: str | None) -> OfferView:
        """Ends an offer after its notice, or later."""
        return await self._ask("POST", offer, "cancel", json=given(at=at))

    async def set_hub_ids(self, offer: str, ids: Mapping[str, Any]) -> OfferView:
        """Says what a hub calls the parts of an offer."""
        return await self._ask("PUT", offer, "hub-ids", json=ids)

    async def preview(self, offer: str | None, wish: Mapping[str, Any]) -> Preview:
        """Says who would see and pay what under a stored offer, or under the one in the wish."""
        path = path_of("offers", "preview") if offer is None else path_of("offers", offer, "preview")
        return await self._wire.ask(Preview, "POST", path, json=wish, timeout=LONG)

    async def history(self, offer: str) -> History:
        """Gives what was done to an offer and its subscriptions."""
        return await self._wire.ask(History, "GET", path_of("offers", offer, "history"))

    async def take(self, connection: str, content: bytes, *, is_json: bool, dry_run: bool) -> AgreementImport:
        """Takes agreements over from a file."""
        return await self._wire.ask(
            AgreementImport,
            "POST",
            path_of("connections", connection, "agreements", "import"),
            params=params(dry_run=dry_run or None),
            data=content,
            headers={"Content-Type": "application/json" if is_json else CSV},
            timeout=LONG,
        )

    async def drift(self, connection: str | None, after: str | None, limit: int) -> Page[Drift]:
        """Gives a page of where hubs disagree."""
        query = params(connection=connection, after=after, limit=limit)
        return await self._wire.ask(Page[Drift], "GET", path_of("offer-drifts"), params=query)

    async def settle(self, connection: str, kind: str, subject: str, field: str) -> None:
        """Puts a disagreement aside."""
        body = {"connection": connection, "kind": kind, "subject": subject, "field": field}
        await self._wire.answer("POST", path_of("offer-drifts", "settle"), json=body)

    async def _ask(self, method: str, offer: str, *what: object, **options: Any) -> OfferView:
        return await self._wire.ask(OfferView, method, path_of("offers", offer, *what), **options)


class Subscriptions:
    """`/v1/subscriptions`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def list(self, **wanted: Any) -> Page[SubscriptionView]:
        """Gives a page of subscriptions, by the operation's parameters."""
        return await self._wire.ask(Page[SubscriptionView], "GET", path_of("subscriptions"), params=params(**wanted))

    async def get(self, subscription: str) -> SubscriptionView:
        """Gives one subscription."""
        return await self._wire.ask(SubscriptionView, "GET", path_of("subscriptions", subscription))

    async def add(self, **new: Any) -> SubscriptionView:
        """Subscribes: offer, emsp, and where wanted, starts and id."""
        return await self._wire.ask(SubscriptionView, "POST", path_of("subscriptions"), json=given(**new))

    async def approve(self, subscription: str, starts: str | None) -> SubscriptionView:
        """Says yes."""
        return await self._ask(subscription, "approve", given(starts=starts))

    async def refuse(self, subscription: str, why: str) -> SubscriptionView:
        """Says no."""
        return await self._ask(subscription, "refuse", {"why": why})

    async def cancel(self, subscription: str, at: str | None, side: str | None, why: str | None) -> SubscriptionView:
        """Ends one; `side`, where the key speaks for both: `cpo` or `emsp`."""
        return await self._ask(subscription, "cancel", given(at=at, why=why, **{"as": side}))

    async def _ask(self, subscription: str, what: str, body: Mapping[str, Any]) -> SubscriptionView:
        return await self._wire.ask(SubscriptionView, "POST", path_of("subscriptions", subscription, what), json=body)
