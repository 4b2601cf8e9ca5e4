"""What people do in Hubject's portal: an EMP subscribes or cancels, a CPO approves, declines, or cancels its offer."""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final

from adapters.hubject.sandbox.ngp.model import Offer, Standing, State, Subscription, new_id
from adapters.hubject.sandbox.ngp.refusals import Refused, invalid, not_found
from adapters.hubject.sandbox.ngp.shapes import MASTER_DATA
from adapters.hubject.sandbox.rules import Wrong
from adapters.hubject.sandbox.state import HubjectSandbox

SUBSCRIPTIONS: Final = "ngp_subscriptions"
TERMS_READ: Final = "termsAndConditionsRead"


class Reason(StrEnum):
    """Why a CPO declines: `twoStepErrorStatus`."""

    INCORRECT_DATA_FORMAT = "INCORRECT_DATA_FORMAT"
    INVALID_VAT_ID = "INVALID_VAT_ID"
    BUSINESS_REQUIREMENTS_NOT_MATCHED = "BUSINESS_REQUIREMENTS_NOT_MATCHED"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    OTHERS = "OTHERS"


def offer_of(sandbox: HubjectSandbox, offer_id: str, provider: str | None = None) -> Offer:
    """Finds an offer by any of its versions' ids.

    Args:
        provider: The EMP, in normal form, that has to be allowed to see it.

    Raises:
        Refused: There is none.
    """
    found = sandbox.market.version(offer_id)
    if found is None or (provider is not None and not found[0].is_for(provider)):
        raise not_found(f"service offer {offer_id}")
    return found[0]


def subscription_of(
    sandbox: HubjectSandbox, subscription_id: str, *, provider: str | None = None, operator: str | None = None
) -> Subscription:
    """Finds a subscription by any of its ids.

    Raises:
        Refused: There is none, or it is of another EMP or CPO than is named.
    """
    for each in sandbox.market.subscriptions.values():
        theirs = provider in {None, each.provider} and operator in {None, each.offer.operator}
        if theirs and subscription_id in {each.id, *each.ids.values()}:
            return each
    raise not_found(f"subscription {subscription_id}")


def subscribe(
    sandbox: HubjectSandbox, provider: str, offer_id: str, data: Mapping[str, str | bool] | None = None
) -> Subscription:
    """Subscribes an EMP to an offer, which may still be PENDING; or asks its CPO, where the offer says so.

    Args:
        provider: Normal form.
        data: What a two-step offer asks for, by its wire names, and that the terms were read.

    Raises:
        Refused: It is over, was cancelled, the EMP has it already or is unknown, or something asked for is missing.
    """
    now, market = sandbox.wall(), sandbox.market
    if provider not in sandbox.known_emps():
        raise not_found(f"EMP {provider}")
    offer = offer_of(sandbox, offer_id, provider)
    if offer.is_over(now) or offer.cancelled_on is not None:
        raise Refused(409, "The offer can be subscribed to no more")
    if (held := market.live(offer, provider, now)) is not None:
        raise Refused(409, f"The offer is {held.standing(now)} already")
    given = {name: value for name, value in (data or {}).items() if value not in {"", None}}
    if offer.is_two_step:
        _check(offer, given)
    made = Subscription(new_id(), offer, provider, None, now)
    made.ids[offer.current(now).id] = made.id
    if offer.is_two_step:
        made.requested, made.data = now, given
    else:
        made.subscribed = now
    market.subscriptions[made.id] = made
    sandbox.received(SUBSCRIPTIONS, made.id, made.standing(now))
    return made


def _check(offer: Offer, given: Mapping[str, str | bool]) -> None:
    asked = offer.asked.two_step_required_master_data_fields
    needed = [name for name, wanted in asked.named().items() if wanted] if asked else []
    wrong = [Wrong(name, "is asked for by the CPO") for name in needed if name not in given]
    wrong += [Wrong(name, "is no field of TwoStepData") for name in given if name not in {*MASTER_DATA, TERMS_READ}]
    if given.get(TERMS_READ) is not True:
        wrong.append(Wrong(TERMS_READ, "the terms have to be read"))
    if wrong:
        raise invalid(wrong)


def approve(sandbox: HubjectSandbox, subscription: Subscription) -> None:
    """Says a CPO's yes, within seven days.

    Raises:
        Refused: It is not under review any more.
    """
    now = sandbox.wall()
    _under_review(subscription, sandbox)
    subscription.subscribed = now
    sandbox.received(SUBSCRIPTIONS, subscription.id, Standing.SUBSCRIBED)


def decline(
    sandbox: HubjectSandbox, subscription: Subscription, error: Reason = Reason.OTHERS, why: str | None = None
) -> None:
    """Says a CPO's no, within seven days.

    Raises:
        Refused: It is not under review any more.
    """
    _under_review(subscription, sandbox)
    subscription.rejected, subscription.error, subscription.why = sandbox.wall(), error, why
    sandbox.received(SUBSCRIPTIONS, subscription.id, Standing.DECLINED)


def _under_review(subscription: Subscription, sandbox: HubjectSandbox) -> None:
    if (standing := subscription.standing(sandbox.wall())) is not Standing.UNDER_REVIEW:
        raise Refused(409, f"The subscription is {standing}")


def cancel(sandbox: HubjectSandbox, subscription: Subscription) -> None:
    """Cancels a subscription: it ends after the offer's cancellation period; a request is withdrawn at once.

    Raises:
        Refused: It ended or was cancelled already, or its minimum term is not over.
    """
    now, terms = sandbox.wall(), subscription.offer.asked
    standing = subscription.standing(now)
    if standing is Standing.UNDER_REVIEW:
        del sandbox.market.subscriptions[subscription.id]
        sandbox.received(SUBSCRIPTIONS, subscription.id, "withdrawn")
        return
    begins = subscription.valid_from
    if standing is not Standing.SUBSCRIBED or begins is None:
        raise Refused(409, f"The subscription is {standing}")
    if subscription.cancelled_on is not None:
        raise Refused(409, "The subscription is cancelled already")
    # Swagger, minimumTerm: not cancelled if it is not live for at least that many days.
    first = begins + timedelta(days=terms.minimum_term)
    if now < first:
        raise Refused(409, f"The minimum term lasts until {first.isoformat()}")
    subscription.cancelled_on, subscription.ends = now, now + timedelta(days=terms.cancellation_period)
    sandbox.received(SUBSCRIPTIONS, subscription.id, "cancelled")


def cancel_offer(sandbox: HubjectSandbox, offer: Offer) -> None:
    """Cancels an offer: nobody subscribes any more, and after its cancellation period it ends for everybody.

    One that has not begun ends at once.

    Raises:
        Refused: It is over, or was cancelled already.
    """
    now = sandbox.wall()
    if offer.is_over(now) or offer.cancelled_on is not None:
        raise Refused(409, f"The offer is {offer.state(now)}" if offer.is_over(now) else "It is cancelled already")
    days = 0 if offer.state(now) is State.PENDING else offer.asked.cancellation_period
    offer.cancelled_on, offer.ends = now, now + timedelta(days=days)
