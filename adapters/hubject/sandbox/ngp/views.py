"""What the portal's pages show: to an EMP the offers that it may have, to a CPO its own and who wants them."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from adapters.hubject.sandbox.ngp.html import (
    Html,
    Part,
    check_box,
    choice,
    element,
    form,
    listed,
    markup,
    table,
    text_field,
)
from adapters.hubject.sandbox.ngp.model import REVIEW, Offer, Standing, Subscription, Version
from adapters.hubject.sandbox.ngp.shapes import MASTER_DATA, Component
from adapters.hubject.sandbox.ngp.subscribing import TERMS_READ, Reason
from adapters.hubject.sandbox.ngp.telling import priced
from adapters.hubject.sandbox.state import HubjectSandbox

TERMS: Final = "/portal/terms"
"""Below it are the documents, by their ids."""
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_UNITS: Final = {"KILOWATT_HOUR": "a kWh", "MINUTE": "a minute", "HOUR": "an hour", "NONE": "a charge"}


def of_emp(sandbox: HubjectSandbox, provider: str, base: str) -> Html:
    """Shows an EMP its offers and subscriptions.

    Args:
        base: The page's path, below which its forms are taken.
    """
    now, market = sandbox.wall(), sandbox.market
    seen = [offer for offer in market.offers if offer.is_for(provider) and not offer.is_over(now)]
    shown = [_for_emp(sandbox, offer, provider, base, now) for offer in seen]
    mine = [each for each in market.subscriptions.values() if each.provider == provider]
    rows = [_row(each, each.offer.operator, now) for each in reversed(mine)]
    return markup(
        element("h2", "Offers"),
        *(shown or [element("p", "There are none.")]),
        element("h2", "Your subscriptions"),
        _subscriptions("All that you have or had", "CPO", rows),
    )


def of_cpo(sandbox: HubjectSandbox, operator: str, base: str) -> Html:
    """Shows a CPO who wants its offers, and these."""
    now, market = sandbox.wall(), sandbox.market
    theirs = [each for each in market.subscriptions.values() if each.offer.operator == operator]
    waiting = [each for each in theirs if each.standing(now) is Standing.UNDER_REVIEW]
    offers = [_for_cpo(offer, base, now) for offer in market.offers_of(operator)]
    rows = [_row(each, each.provider, now) for each in reversed(theirs)]
    return markup(
        element("h2", "Requests to decide"),
        *([_request(each, base) for each in waiting] or [element("p", "There are none.")]),
        element("h2", "Your offers"),
        *(offers or [element("p", "There are none.")]),
        element("h2", "Subscriptions to them"),
        _subscriptions("All that there are or were", "EMP", rows),
    )


def _subscriptions(caption: str, other: str, rows: list[tuple[Part, ...]]) -> Html:
    head = ("Offer", other, "State", "From", "Until", "Remark")
    return table(caption, head, rows) if rows else element("p", "There are none.")


def _row(each: Subscription, other: str, now: datetime) -> tuple[Part, ...]:
    remark = " ".join(filter(None, (each.error, each.why)))
    title = each.offer.asked.partner_internal_id
    return (title, other, each.standing(now).value, _day(each.valid_from), _day(each.end), remark)


def _for_emp(sandbox: HubjectSandbox, offer: Offer, provider: str, base: str, now: datetime) -> Html:
    held = sandbox.market.live(offer, provider, now)
    if held is not None:
        standing = "cancelled" if held.cancelled_on else held.standing(now).value.replace("_", " ").lower()
        act = element("p", f"Your subscription: {standing}.")
        if held.cancelled_on is None:
            path = f"{base}/subscriptions/{held.id}/cancel"
            act = markup(act, form(path, "Cancel", about=offer.asked.partner_internal_id))
    elif offer.cancelled_on is not None:
        act = element("p", "It ends, and can be subscribed to no more.")
    else:
        act = _subscribing(offer, base)
    return _article(offer, now, act)


def _subscribing(offer: Offer, base: str) -> Html:
    offered = Html(f'<input type="hidden" name="offer" value="{offer.id}">')
    title = offer.asked.partner_internal_id
    if not offer.is_two_step:
        return form(f"{base}/subscribe", "Subscribe", offered, about=title)
    asked = offer.asked.two_step_required_master_data_fields
    names = [name for name in MASTER_DATA if asked and asked.named()[name]]
    fields = element(
        "fieldset",
        element("legend", "The CPO asks for"),
        *(text_field(name, _words(name)) for name in names),
        check_box(TERMS_READ, "I have read the terms and conditions"),
    )
    return form(f"{base}/subscribe", "Ask to subscribe", offered, fields, about=title)


def _for_cpo(offer: Offer, base: str, now: datetime) -> Html:
    if offer.is_over(now) or offer.cancelled_on is not None:
        return _article(offer, now, element("p", f"It is cancelled: it ends {_day(offer.end)}." if offer.ends else ""))
    path = f"{base}/offers/{offer.id}/cancel"
    return _article(offer, now, form(path, "Cancel the offer", about=offer.asked.partner_internal_id))


def _request(each: Subscription, base: str) -> Html:
    path = f"{base}/subscriptions/{each.id}"
    about = f"{each.provider}, {each.offer.asked.partner_internal_id}"
    until = _day(each.requested + REVIEW if each.requested else None)
    told = (
        markup(element("strong", _words(name)), f": {'yes' if value is True else value}")
        for name, value in (each.data or {}).items()
    )
    reasons = {reason.value: reason.value.replace("_", " ").capitalize() for reason in Reason}
    why = element("label", "Remark ", Html('<input type="text" name="why" maxlength="255">'))
    return element(
        "article",
        element("h3", f"{each.provider} wants {each.offer.asked.partner_internal_id}"),
        element("p", f"Decide until {until}; after that it counts as declined."),
        listed(told),
        form(f"{path}/approve", "Approve", about=about),
        form(f"{path}/decline", "Decline", choice("error", "Reason", reasons), why, about=about),
    )


def _article(offer: Offer, now: datetime, act: Html) -> Html:
    asked, version = offer.asked, offer.current(now)
    later = [each for each in offer.versions if each.valid_from > now and each is not version]
    facts: list[Part] = [
        f"{offer.service} by {offer.operator}, {'for every EMP' if asked.offer_to_all else 'for chosen EMPs'}",
        f"{offer.state(now).value.lower()}, from {_day(asked.valid_from)}, {_until(offer.end)}",
        f"minimum term {asked.minimum_term} days, cancellation period {asked.cancellation_period} days",
        f"{offer.network.evse_count} EVSEs in {len(offer.network.groups)} groups",
    ]
    if asked.lead_time is not None:
        facts.append(f"prices may change {asked.lead_time} days after they were announced")
    if offer.is_two_step:
        facts.append("the CPO has to approve")
    if offer.attachment is not None:
        terms = element("a", offer.attachment.name, href=f"{TERMS}/{offer.attachment.id}")
        facts.append(markup("terms and conditions: ", terms))
    changes = [_prices(offer, each, f"Prices from {_day(each.valid_from)} (without VAT)") for each in later]
    return element(
        "article",
        element("h3", asked.partner_internal_id),
        *([element("p", asked.description)] if asked.description else []),
        listed(facts),
        _prices(offer, version, "Prices (without VAT)"),
        *changes,
        act,
    )


def _prices(offer: Offer, version: Version, caption: str) -> Html:
    return table(caption, ("Group", "When", "Price"), _price_rows(offer, version))


def _price_rows(offer: Offer, version: Version) -> Iterator[tuple[Part, ...]]:
    tariffs = {tariff.name: tariff for tariff in version.tariffs}
    for group, product, _ in priced(offer, version):
        for plan in product.product.time_plans:
            days = ", ".join(day[:2].capitalize() for day in plan.days_of_the_week)
            for slot in plan.time_slots:
                components = tariffs[slot.tariff_name].pricing_components
                price = ", ".join(_price(each, product.product.currency) for each in components)
                yield group.name, f"{days} {slot.start_time[:5]} to {slot.end_time[:5]}", price


def _price(component: Component, currency: str) -> str:
    grace = f" after {component.grace_period} minutes" if component.grace_period else ""
    kind = component.type.replace("_", " ").lower()
    return f"{component.cost:g} {currency} {_UNITS[component.reference_unit]} ({kind}{grace})"


def _day(moment: datetime | None) -> str:
    return "open" if moment is None else f"{moment:%Y-%m-%d %H:%M %Z}"


def _until(moment: datetime | None) -> str:
    return "without end" if moment is None else f"until {_day(moment)}"


def _words(name: str) -> str:
    return _CAPITAL.sub(" ", name).lower().capitalize()
