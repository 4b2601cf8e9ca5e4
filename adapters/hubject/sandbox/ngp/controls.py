"""How the sandbox Hubject is told what people do in its portal, and shows what it holds of offers.

| request | what it does |
| --- | --- |
| `GET /_sandbox/offers?operator=&provider=` | all offers; of a CPO; those that an EMP may see |
| `POST /_sandbox/offers/cancel` | `{"offer"}`: its CPO cancels it |
| `GET /_sandbox/subscriptions?operator=&provider=` | all subscriptions and requests, whatever became of them |
| `POST /_sandbox/subscriptions/subscribe` | `{"provider", "offer", "data"}`; a two-step offer wants `data` |
| `POST /_sandbox/subscriptions/approve`, `cancel` | `{"subscription"}`, or `{"provider", "offer"}` |
| `POST /_sandbox/subscriptions/decline` | the same, with `error` (`Reason`) and `why` |
| `GET /_sandbox/evse-networks?operator=` | the EVSE networks with their groups |
| `GET`, `POST /_sandbox/offer-rules` | what of `OfferRules` is named: `{"announced_days": 42}` |

An `offer` is named by the id of any of its versions, or by the title that its CPO gave it (`partnerInternalId`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.core.sandbox import PREFIX
from adapters.hubject.sandbox import admission
from adapters.hubject.sandbox.control import problem, sandbox_of
from adapters.hubject.sandbox.ngp import subscribing, telling
from adapters.hubject.sandbox.ngp.model import Offer, Subscription
from adapters.hubject.sandbox.ngp.moments import stamp_or_none
from adapters.hubject.sandbox.ngp.refusals import Refused, fault_body, not_found
from adapters.hubject.sandbox.ngp.rules_offers import OfferRules
from adapters.hubject.sandbox.ngp.subscribing import Reason
from adapters.hubject.sandbox.state import HubjectSandbox
from mappings.canonical.ids import PartyId


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _OfCpo(_Order):
    offer: str


class _Subscribe(_Order):
    provider: PartyId
    offer: str
    data: dict[str, str | bool] | None = None


class _Named(_Order):
    """Attributes: subscription: One of its ids; without it, the newest of `provider` to `offer` is meant."""

    subscription: str | None = None
    provider: PartyId | None = None
    offer: str | None = None


class _Decline(_Named):
    error: Reason = Reason.OTHERS
    why: str | None = None


Days = Annotated[int, Field(ge=0, le=3660)]


class _Rules(_Order):
    announced_days: Days | None = None
    bilateral_announced_days: Days | None = None
    cancellation_days: Days | None = None
    one_network: bool | None = None


AnyOrder = TypeVar("AnyOrder", bound=_Order)
_SUBSCRIPTIONS = f"{PREFIX}/subscriptions"


def routes() -> list[web.RouteDef]:
    """Gives the control routes."""
    return [
        web.get(f"{PREFIX}/offers", _offers),
        web.post(f"{PREFIX}/offers/cancel", _taking(_OfCpo, _cancel_offer)),
        web.get(_SUBSCRIPTIONS, _subscriptions),
        web.post(f"{_SUBSCRIPTIONS}/subscribe", _taking(_Subscribe, _subscribe)),
        web.post(f"{_SUBSCRIPTIONS}/approve", _taking(_Named, _approve)),
        web.post(f"{_SUBSCRIPTIONS}/decline", _taking(_Decline, _decline)),
        web.post(f"{_SUBSCRIPTIONS}/cancel", _taking(_Named, _cancel)),
        web.get(f"{PREFIX}/evse-networks", _networks),
        web.get(f"{PREFIX}/offer-rules", _rules),
        web.post(f"{PREFIX}/offer-rules", _taking(_Rules, _set_rules)),
    ]


def _taking(
    shape: type[AnyOrder], act: Callable[[HubjectSandbox, AnyOrder], Any]
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        try:
            order = shape.model_validate_json(await request.read())
        except ValidationError as error:
            return problem(400, str(error))
        try:
            return web.json_response(act(sandbox_of(request), order))
        except Refused as refused:
            return fault_body(refused)

    return serve


def told_offer(sandbox: HubjectSandbox, offer: Offer) -> dict[str, Any]:
    """Tells of an offer."""
    now, asked = sandbox.wall(), offer.asked
    needed = asked.two_step_required_master_data_fields
    return {
        "id": offer.current(now).id,
        "title": asked.partner_internal_id,
        "name": offer.name,
        "operator": offer.operator,
        "service": offer.service,
        "state": offer.state(now),
        "offer_to_all": asked.offer_to_all,
        "providers": sorted(each for each in sandbox.known_emps() if offer.is_for(each)),
        "two_step": offer.is_two_step,
        "data": [name for name, wanted in needed.named().items() if wanted] if needed and offer.is_two_step else [],
        "valid_from": stamp_or_none(asked.valid_from),
        "valid_to": stamp_or_none(asked.valid_to),
        "ends": stamp_or_none(offer.ends),
        "network": offer.network.id,
        "versions": [
            {
                "id": each.id,
                "number": each.number,
                "valid_from": stamp_or_none(each.valid_from),
                "state": offer.version_state(each, now),
            }
            for each in offer.versions
        ],
    }


def told_subscription(sandbox: HubjectSandbox, each: Subscription) -> dict[str, Any]:
    """Tells of a subscription or a request."""
    now = sandbox.wall()
    return {
        "id": each.id,
        "offer": each.offer.current(now).id,
        "title": each.offer.asked.partner_internal_id,
        "operator": each.offer.operator,
        "provider": each.provider,
        "service": each.offer.service,
        "state": each.standing(now),
        "active": each.is_active(now),
        "requested": stamp_or_none(each.requested),
        "subscribed": stamp_or_none(each.subscribed),
        "rejected": stamp_or_none(each.rejected),
        "error": each.error,
        "why": each.why,
        "valid_from": stamp_or_none(each.valid_from),
        "cancelled": stamp_or_none(each.cancelled_on),
        "ends": stamp_or_none(each.end),
    }


def _offer_named(sandbox: HubjectSandbox, named: str) -> Offer:
    """Finds an offer by an id or by its title, the newest one of that."""
    if (found := sandbox.market.version(named)) is not None:
        return found[0]
    for offer in reversed(sandbox.market.offers):
        if offer.asked.partner_internal_id == named:
            return offer
    raise not_found(f"offer {named}")


def _subscription_named(sandbox: HubjectSandbox, order: _Named) -> Subscription:
    if order.subscription is not None:
        return subscribing.subscription_of(sandbox, order.subscription)
    if order.provider is None or order.offer is None:
        raise Refused(400, "subscription is needed, or provider and offer")
    offer = _offer_named(sandbox, order.offer)
    for each in reversed(sandbox.market.subscriptions.values()):
        if each.offer is offer and each.provider == order.provider.normal:
            return each
    raise not_found(f"subscription of {order.provider}")


async def _offers(request: web.Request) -> web.Response:
    sandbox, operator, provider = _asked(request)
    told = [
        told_offer(sandbox, offer)
        for offer in sandbox.market.offers
        if operator in {None, offer.operator} and (provider is None or offer.is_for(provider))
    ]
    return web.json_response(told)


def _cancel_offer(sandbox: HubjectSandbox, order: _OfCpo) -> Any:
    offer = _offer_named(sandbox, order.offer)
    subscribing.cancel_offer(sandbox, offer)
    return told_offer(sandbox, offer)


async def _subscriptions(request: web.Request) -> web.Response:
    sandbox, operator, provider = _asked(request)
    told = [
        told_subscription(sandbox, each)
        for each in sandbox.market.subscriptions.values()
        if operator in {None, each.offer.operator} and provider in {None, each.provider}
    ]
    return web.json_response(told)


def _asked(request: web.Request) -> tuple[HubjectSandbox, str | None, str | None]:
    named = (request.query.get(name) for name in ("operator", "provider"))
    operator, provider = (admission.normal(each) if each else None for each in named)
    return sandbox_of(request), operator, provider


def _subscribe(sandbox: HubjectSandbox, order: _Subscribe) -> Any:
    offer = _offer_named(sandbox, order.offer)
    made = subscribing.subscribe(sandbox, order.provider.normal, offer.id, order.data)
    return told_subscription(sandbox, made)


def _approve(sandbox: HubjectSandbox, order: _Named) -> Any:
    found = _subscription_named(sandbox, order)
    subscribing.approve(sandbox, found)
    return told_subscription(sandbox, found)


def _decline(sandbox: HubjectSandbox, order: _Decline) -> Any:
    found = _subscription_named(sandbox, order)
    subscribing.decline(sandbox, found, order.error, order.why)
    return told_subscription(sandbox, found)


def _cancel(sandbox: HubjectSandbox, order: _Named) -> Any:
    found = _subscription_named(sandbox, order)
    subscribing.cancel(sandbox, found)
    return told_subscription(sandbox, found)


async def _networks(request: web.Request) -> web.Response:
    sandbox, operator, _ = _asked(request)
    mine = [each for each in sandbox.market.networks.values() if operator in {None, each.operator}]
    now = sandbox.wall()
    told = [
        telling.network_body(each) | {"operator": each.operator, "active": sandbox.market.is_active(each, now)}
        for each in mine
    ]
    return web.json_response(told)


async def _rules(request: web.Request) -> web.Response:
    return web.json_response(asdict(sandbox_of(request).offer_rules))


def _set_rules(sandbox: HubjectSandbox, order: _Rules) -> Any:
    """Sets what is named; `cancellation_days` of null is any."""
    named = {name: getattr(order, name) for name in order.model_fields_set}
    if any(named[name] is None for name in named if name != "cancellation_days"):
        raise Refused(400, "only cancellation_days may be null")
    sandbox.offer_rules = OfferRules(**{**asdict(sandbox.offer_rules), **named})
    return asdict(sandbox.offer_rules)
