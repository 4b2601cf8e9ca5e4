"""What the NGP API tells EMPs: their contracts with a CPO, and the EVSEs of each group (EMP APIs v1).

Only active offers to which the EMP has an active subscription (Enhanced Contracts API, `Offers`).
"""

from typing import Any, Final

from adapters.hubject.sandbox.ngp.model import Group, Network, Offer, Standing, Subscription
from adapters.hubject.sandbox.ngp.moments import FOREVER, last_before, stamp, stamp_or_none
from adapters.hubject.sandbox.ngp.refusals import not_found
from adapters.hubject.sandbox.ngp.telling import priced, span, subscription_name
from adapters.hubject.sandbox.pages import Page, pages_of
from adapters.hubject.sandbox.state import HubjectSandbox

_UNTOLD: Final = "-"
"""What Hubject has where a partner gave nothing."""
_UNSORTED: Final = {"empty": True, "sorted": False, "unsorted": True}
_SORTED: Final = {"empty": False, "sorted": True, "unsorted": False}


def contracts(sandbox: HubjectSandbox, provider: str, operator: str) -> dict[str, Any]:
    """Writes a ContractInfoDTO.

    Args:
        provider, operator: In normal form.
    """
    subs = sandbox.partners[operator].sub_operators
    contact = f"{operator.replace('*', '').replace('+', '').lower()}@cpo.example"
    return {
        "CPOGeneralInformation": {
            "CPOName": sandbox.network.name_of(operator) or operator,
            "OperatorID": operator,
            "SubPartners": sorted(each.normal for each in subs or ()),
            "Countries": [],
        },
        "CPOContactDetails": {
            "ContactFirstName": _UNTOLD,
            "ContactLastName": _UNTOLD,
            "Email": contact,
            "SupportEmail": contact,
            "EmergencyEmail": contact,
            "B2BPhone": None,
        },
        "BillingInformation": {
            "BillingContactFirstName": _UNTOLD,
            "BillingContactLastName": _UNTOLD,
            "BillingContactEmail": contact,
            "BillingContactPhone": _UNTOLD,
            "BankAccount": None,
            "TaxID": _UNTOLD,
            "Country": _UNTOLD,
            "City": _UNTOLD,
            "Street": _UNTOLD,
            "PostalCode": _UNTOLD,
        },
        "Offers": [_offer(sandbox, each) for each in _active(sandbox, provider, operator)],
    }


def _active(sandbox: HubjectSandbox, provider: str, operator: str) -> list[Subscription]:
    now = sandbox.wall()
    return [
        each
        for offer in sandbox.market.offers_of(operator)
        for each in sandbox.market.subscriptions_to(offer, now, Standing.SUBSCRIBED)
        if each.provider == provider and each.is_active(now)
    ]


def _offer(sandbox: HubjectSandbox, subscription: Subscription) -> dict[str, Any]:
    offer = subscription.offer
    version = offer.current(sandbox.wall())
    since, until = span(subscription, version)
    return {
        "OfferDetails": _details(sandbox, offer),
        "SubscriptionDetails": {
            "SubscriptionName": subscription_name(subscription),
            "SubscriptionDate": stamp_or_none(subscription.subscribed),
            "SubscriptionStatus": Standing.SUBSCRIBED,
            "PeriodOfNotice": offer.asked.period_of_notice or 0,
            "PeriodOfNoticeMessage": offer.asked.period_of_notice_message,
            "ValidFrom": since,
            "ValidTo": until,
            "SubscriptionCancellationDate": stamp_or_none(subscription.ends),
        },
        "NetworkDetails": {
            "NetworkId": offer.network.id,
            "NetworkName": offer.network.name,
            "GroupCount": len(offer.network.groups),
            "EvseCount": offer.network.evse_count,
        },
        "Pricing": [
            {"GroupId": group.id, "GroupName": group.name, "Currency": product.product.currency, "Days": days}
            for group, product, days in priced(offer, version)
        ],
    }


def _details(sandbox: HubjectSandbox, offer: Offer) -> dict[str, Any]:
    asked, version = offer.asked, offer.current(sandbox.wall())
    follower = offer.after(version)
    return {
        "ServiceOfferId": version.id,
        "ServiceOfferName": offer.name,
        "OfferType": "OFFER_TO_ALL" if asked.offer_to_all else "BILATERAL",
        "ServiceTypeName": offer.service,
        "Description": asked.description,
        "ServiceOfferStatus": "ACTIVE",
        "PricingType": "NGP",
        "MinimumTerm": asked.minimum_term,
        "CancellationPeriod": asked.cancellation_period,
        "ValidFrom": stamp(version.valid_from),
        "ValidTo": FOREVER if asked.valid_to is None else stamp(asked.valid_to),
        "CancellationTo": last_before(follower.valid_from) if follower else stamp_or_none(offer.ends),
        "LeadTime": asked.lead_time,
        "CreatedOn": stamp(version.created_on),
    }


def group_of(
    sandbox: HubjectSandbox, provider: str, operator: str, offer_id: str, network_id: str, group_id: str
) -> Group:
    """Finds the group of an offer that an EMP has a contract for.

    Raises:
        Refused: There is none.
    """
    found = sandbox.market.version(offer_id, operator)
    active = _active(sandbox, provider, operator)
    if found is None or not any(each.offer is found[0] for each in active):
        raise not_found(f"contract for service offer {offer_id}")
    network: Network = found[0].network
    group = next((each for each in network.groups if each.id == group_id), None)
    if network.id != network_id or group is None:
        raise not_found(f"group {group_id} of network {network_id}")
    return group


def page_body(group: Group, page: Page, orders: list[str]) -> dict[str, Any]:
    """Writes a PageServiceOfferNetworkGroupEvse.

    Args:
        orders: `evseId,asc` and the like; the EVSEs have nothing else to be sorted by.
    """
    texts = list(group.evses.values())
    if orders:
        texts.sort(reverse=orders[0].lower().endswith(",desc"))
    start = page.number * page.size
    content = texts[start : start + page.size]
    pages = pages_of(page, len(texts))
    sort = _SORTED if orders else _UNSORTED
    return {
        "content": [{"evseId": text} for text in content],
        "empty": not content,
        "first": page.number == 0,
        "last": page.number >= pages - 1,
        "number": page.number,
        "numberOfElements": len(content),
        "pageable": {
            "offset": start,
            "pageNumber": page.number,
            "pageSize": page.size,
            "paged": True,
            "sort": sort,
            "unpaged": False,
        },
        "size": page.size,
        "sort": sort,
        "totalElements": len(texts),
        "totalPages": pages,
    }
