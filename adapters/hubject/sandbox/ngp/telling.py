"""What the NGP API tells CPOs: networks, and offers with their subscriptions, network and prices.

Field by field as Hubject's own examples have it, with null for what is missing. Where these and the swagger differ, the
examples hold: `status` has other words than PENDING, `productPricingDTOSet` is a list, a time of day is a text, and
what has no end ends in the year 13544.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from adapters.hubject.sandbox.ngp.model import Group, Network, Offer, Standing, Subscription, Version, internal_id
from adapters.hubject.sandbox.ngp.moments import FOREVER, fine_stamp, last_before, stamp, stamp_or_none
from adapters.hubject.sandbox.ngp.shapes import MASTER_DATA, Component, NewProduct, NewTariff
from adapters.hubject.sandbox.ngp.subscribing import TERMS_READ
from adapters.hubject.sandbox.state import HubjectSandbox

_SYSTEM: Final = "SYSTEM"


def network_body(network: Network) -> dict[str, Any]:
    """Writes an EvseNetworkResponseDTO."""
    return {
        "id": network.id,
        "evseNetworkName": network.name,
        "evseNetworkDescription": network.description,
        "evseGroups": [
            {
                "id": group.id,
                "groupName": group.name,
                "groupDescription": group.description,
                "evseIds": list(group.evses.values()),
            }
            for group in network.groups
        ],
        "createdAt": fine_stamp(network.created_at),
    }


def assignment_body(network: Network, groups: Iterable[Group]) -> dict[str, Any]:
    """Writes a NetworkAssignmentDTO: all EVSEs of the groups, whenever they came."""
    told = [{"GroupName": group.name, "Evses": list(group.evses.values())} for group in groups]
    return {"NetworkName": network.name, "GroupsAssignments": told}


def offer_body(sandbox: HubjectSandbox, offer: Offer, version: Version) -> dict[str, Any]:
    """Writes a ServiceOfferDTO: a version is a service offer of its own."""
    now, asked = sandbox.wall(), offer.asked
    follower = offer.after(version)
    ends = last_before(follower.valid_from) if follower else stamp_or_none(offer.ends)
    needed = asked.two_step_required_master_data_fields
    document = offer.attachment
    return {
        "createdBy": _SYSTEM,
        "createdOn": stamp(version.created_on),
        "lastModifiedBy": _SYSTEM,
        "lastModificationDate": stamp(follower.created_on if follower else offer.cancelled_on or version.created_on),
        "id": version.id,
        "ownerPartnerId": internal_id(offer.operator, emp=False),
        "partnerInternalId": asked.partner_internal_id,
        "externalPartnerId": offer.operator,
        "name": offer.name,
        "description": asked.description,
        "serviceTypeVersion": {
            "serviceTypeId": asked.service_type_version.service_type_id,
            "serviceTypeName": offer.service,
            "serviceTypeVersionNumber": 1,
        },
        "offerToAll": asked.offer_to_all,
        "subscriberPartnerIds": asked.subscriber_partner_ids or [],
        "nrOfActiveSubscriptions": len(sandbox.market.subscriptions_to(offer, now, Standing.SUBSCRIBED)),
        "nrOfChargingPoints": None,
        "status": offer.version_state(version, now),
        "pricingType": "NGP",
        "defaultPricePerRefUnit": None,
        "currency": None,
        "priceReferenceUnit": None,
        "minimumTerm": asked.minimum_term,
        "cancellationPeriod": asked.cancellation_period,
        "periodOfNotice": asked.period_of_notice or 0,
        "periodOfNoticeMessage": asked.period_of_notice_message,
        "attachments": [
            {"id": document.id, "type": "pdf", "s3Key": f"CPO_{offer.operator}/{document.id}_{document.name}"[:255]}
        ]
        if document
        else [],
        "validFrom": stamp(version.valid_from),
        "validTo": FOREVER if asked.valid_to is None else stamp(asked.valid_to),
        "cancellationTo": ends,
        "unlimited": asked.unlimited,
        "leadTime": asked.lead_time,
        "version": version.number,
        "originalServiceOfferId": offer.id if asked.unlimited else None,
        "originalValidFrom": stamp(asked.valid_from) if asked.unlimited else None,
        "previousServiceOfferId": offer.versions[version.number - 1].id if version.number else None,
        "nextServiceOfferId": follower.id if follower else None,
        "productPricingDTOSet": [],
        "nrOfPendingSubscriptions": len(sandbox.market.subscriptions_to(offer, now, Standing.UNDER_REVIEW)),
        "twoStepProcess": offer.is_two_step,
        "twoStepRequiredMasterDataFields": needed.named() if needed and offer.is_two_step else None,
    }


def info(sandbox: HubjectSandbox, operator: str) -> list[dict[str, Any]]:
    """Lists a CPO's active offers, each with the prices that hold.

    PENDING ones are left out, be it that the offer has not begun or that a new version has not: the API's text and
    title speak of active NGP offers alone. (That the text has PENDING for the status, it has from the answer to a
    creation; the example under it says ACTIVE.) Of subscriptions it lists those that are SUBSCRIBED, the only word that
    its status has; that some wait for the CPO, `nrOfPendingSubscriptions` tells.
    """
    now = sandbox.wall()
    mine = [offer for offer in sandbox.market.offers_of(operator) if offer.has_begun(now) and not offer.is_over(now)]
    return [offer_info(sandbox, offer, offer.current(now)) for offer in mine]


def history(sandbox: HubjectSandbox, offer: Offer, version: Version) -> list[dict[str, Any]]:
    """Lists the versions before one."""
    return [offer_info(sandbox, offer, each) for each in offer.versions[: version.number]]


def offer_info(sandbox: HubjectSandbox, offer: Offer, version: Version) -> dict[str, Any]:
    """Writes a ServiceOfferInfoDTO."""
    now = sandbox.wall()
    subscribed = sandbox.market.subscriptions_to(offer, now, Standing.SUBSCRIBED, Standing.UNSUBSCRIBED)
    within = [each for each in subscribed if _holds(each, offer, version, now)]
    return {
        "serviceOffer": offer_body(sandbox, offer, version),
        "subscriptions": [subscription_body(each, version) for each in within],
        "network": {
            "networkId": offer.network.id,
            "networkName": offer.network.name,
            "groupCount": len(offer.network.groups),
            "evseCount": offer.network.evse_count,
        },
        "pricingDetails": [
            {"groupId": group.id, "groupName": group.name, "currency": product.product.currency, "days": days}
            for group, product, days in priced(offer, version)
        ],
    }


def _holds(subscription: Subscription, offer: Offer, version: Version, now: datetime) -> bool:
    """Tells whether a subscription belongs to a version: that of today, or one of before that it lived through."""
    if version is offer.current(now):
        return subscription.standing(now) is Standing.SUBSCRIBED
    follower = offer.after(version)
    begins = subscription.valid_from
    began = begins is not None and (follower is None or begins < follower.valid_from)
    return began and (subscription.end is None or subscription.end > version.valid_from)


def subscription_body(subscription: Subscription, version: Version) -> dict[str, Any]:
    """Writes a SubscriptionDTO of somebody who is subscribed."""
    offer, emp = subscription.offer, subscription.provider
    since, until = span(subscription, version)
    data = subscription.data
    return {
        "createdBy": _SYSTEM,
        "createdOn": stamp(subscription.created_on),
        "lastModifiedBy": _SYSTEM,
        "lastModificationDate": stamp(subscription.cancelled_on or subscription.subscribed or subscription.created_on),
        "id": subscription.id_for(version),
        "partnerInternalId": " ",
        "name": subscription_name(subscription),
        "serviceOfferId": version.id,
        "serviceOfferName": offer.name,
        "offererPartnerId": internal_id(offer.operator, emp=False),
        "offererPartnerName": offer.operator,
        "serviceTypeId": offer.asked.service_type_version.service_type_id,
        "serviceTypeName": offer.service,
        "subscriberPartnerId": internal_id(emp, emp=True),
        "subscriberPartnerName": emp,
        "subscriberPartnerExternalId": external_id(emp),
        "status": Standing.SUBSCRIBED,
        "subscribeDate": stamp_or_none(subscription.subscribed),
        "periodOfNotice": offer.asked.period_of_notice or 0,
        "periodOfNoticeMessage": offer.asked.period_of_notice_message,
        "validFrom": since,
        "validTo": until,
        "cancellationTo": stamp_or_none(subscription.ends),
        "wasSubscribed": True,
        "twoStepData": None
        if data is None
        else {**{name: data.get(name) for name in MASTER_DATA}, TERMS_READ: bool(data.get(TERMS_READ))},
        "twoStepErrorStatus": subscription.error,
        "requestedDate": stamp_or_none(subscription.requested),
        "rejectedDate": stamp_or_none(subscription.rejected),
    }


def span(subscription: Subscription, version: Version) -> tuple[str | None, str]:
    """Gives the validity of a subscription within a version."""
    since = subscription.valid_from
    follower = subscription.offer.after(version)
    until = FOREVER if subscription.end is None else stamp(subscription.end)
    if follower is not None and (subscription.end is None or subscription.end > follower.valid_from):
        until = last_before(follower.valid_from)
    return None if since is None else stamp(max(since, version.valid_from)), until


def subscription_name(subscription: Subscription) -> str:
    """Gives the name that Hubject makes up."""
    return f"{subscription.provider}_{subscription.offer.operator}_{subscription.offer.service}"


def external_id(provider: str) -> str:
    """Writes a ProviderID as OICP does."""
    return provider.replace("*", "-")


def priced(offer: Offer, version: Version) -> list[tuple[Group, NewProduct, list[dict[str, Any]]]]:
    """Gives each group of the network with its product, and its days as EvsePricingDays."""
    groups = {group.id: group for group in offer.network.groups}
    tariffs = {tariff.name: tariff for tariff in version.tariffs}
    return [(groups[each.group_id], each, _days(each, tariffs)) for each in version.products]


def _days(product: NewProduct, tariffs: dict[str, NewTariff]) -> list[dict[str, Any]]:
    return [
        {
            "Day": day,
            "Tariffs": [
                {
                    "Name": slot.tariff_name,
                    "StartTime": _with_seconds(slot.start_time),
                    "EndTime": _with_seconds(slot.end_time),
                    "PricingComponents": _components(tariffs[slot.tariff_name].pricing_components),
                }
                for slot in plan.time_slots
            ],
        }
        for plan in product.product.time_plans
        for day in plan.days_of_the_week
    ]


def _components(components: Sequence[Component]) -> list[dict[str, Any]]:
    return [
        {
            "Type": each.type,
            "ReferenceUnit": each.reference_unit,
            "Cost": each.cost,
            "FeeInitiated": None,
            "GracePeriod": each.grace_period,
        }
        for each in components
    ]


def _with_seconds(text: str) -> str:
    return text if len(text) == len("00:00:00") else f"{text}:00"
