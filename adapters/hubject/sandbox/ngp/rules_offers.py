"""What Hubject demands of an offer's terms (NGP Automation APIs v1, Create NGP Service Offer, and its swagger).

What stands in no document of the API comes from how offers work in the portal: how long an offer-to-all lasts, and how
long before it begins it has to be announced. Who runs the sandbox may say otherwise (`OfferRules`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta
from typing import Final

from adapters.hubject.sandbox.ngp.model import Offer
from adapters.hubject.sandbox.ngp.shapes import SERVICES, NewOffer
from adapters.hubject.sandbox.rules import Wrong

SHORTEST: Final = timedelta(days=42)
"""Of an offer to all."""
_YEARS: Final = 2


@dataclass(frozen=True, slots=True)
class OfferRules:
    """What may be set.

    Attributes:
        announced_days: How many days before its start an offer to all has to be announced.
        bilateral_announced_days: The same for a bilateral one.
        cancellation_days: The one cancellation period that an offer to all may have, 42 in production; None for any,
            as in Hubject's own examples.
        one_network: An EVSE is in one network at most that is no draft, so that all offers for it share that.
    """

    announced_days: int = 42
    bilateral_announced_days: int = 0
    cancellation_days: int | None = None
    one_network: bool = True


def wrong_terms(offer: NewOffer, rules: OfferRules, known: Callable[[str], bool], now: datetime) -> list[Wrong]:
    """Says what is wrong with well-shaped terms.

    Args:
        known: Tells whether an id is the hub's own of an EMP.
    """
    by_length = _unlimited(offer) if offer.unlimited else _limited(offer)
    by_kind = _to_all(offer, rules) if offer.offer_to_all else _bilateral(offer, known)
    return [*_start(offer, rules, now), *_service(offer), *by_length, *by_kind]


def _start(offer: NewOffer, rules: OfferRules, now: datetime) -> Iterator[Wrong]:
    days = rules.announced_days if offer.offer_to_all else rules.bilateral_announced_days
    if offer.valid_from <= now:
        yield Wrong("validFrom", "is not in the future")
    elif offer.valid_from < now + timedelta(days=days):
        yield Wrong("validFrom", f"has to be announced {days} days before")


def _service(offer: NewOffer) -> Iterator[Wrong]:
    kind = offer.service_type_version
    if kind.service_type_name not in {None, SERVICES[kind.service_type_id]}:
        yield Wrong("serviceTypeVersion.serviceTypeName", f"type {kind.service_type_id} has another name")


def _unlimited(offer: NewOffer) -> Iterator[Wrong]:
    if offer.valid_to is not None:
        yield Wrong("validTo", "must be omitted for an unlimited offer")
    if offer.lead_time is None:
        yield Wrong("leadTime", "is needed for an unlimited offer")
    if offer.period_of_notice is not None:
        yield Wrong("periodOfNotice", "must be omitted for an unlimited offer")


def _limited(offer: NewOffer) -> Iterator[Wrong]:
    if offer.lead_time is not None:
        yield Wrong("leadTime", "must be omitted for a limited offer")
    if offer.valid_to is None:
        yield Wrong("validTo", "is needed for a limited offer")
    elif offer.valid_to <= offer.valid_from:
        yield Wrong("validTo", "is not after validFrom")
    elif offer.offer_to_all:
        # The last moment may be told as the end of a day (23:59:59.999).
        if offer.valid_to - offer.valid_from < SHORTEST - timedelta(seconds=1):
            yield Wrong("validTo", f"an offer to all lasts at least {SHORTEST.days} days")
        if offer.valid_to > _years_after(offer.valid_from):
            yield Wrong("validTo", f"an offer to all lasts at most {_YEARS} years")


def _years_after(moment: datetime) -> datetime:
    # Of the 29th of February, the 28th.
    day = 28 if (moment.month, moment.day) == (2, 29) else moment.day
    return moment.replace(year=min(moment.year + _YEARS, MAXYEAR), day=day)


def _to_all(offer: NewOffer, rules: OfferRules) -> Iterator[Wrong]:
    if offer.subscriber_partner_ids:
        yield Wrong("subscriberPartnerIds", "must be omitted for an offer to all")
    if rules.cancellation_days not in {None, offer.cancellation_period}:
        yield Wrong("cancellationPeriod", f"is {rules.cancellation_days} days for an offer to all")
    asked = offer.two_step_required_master_data_fields
    if offer.two_step_process and not (asked and any(asked.named().values())):
        yield Wrong("twoStepRequiredMasterDataFields", "at least one field is required in a two-step process")
    if not offer.two_step_process and asked and any(asked.named().values()):
        yield Wrong("twoStepRequiredMasterDataFields", "fields are required in a two-step process alone")


def _bilateral(offer: NewOffer, known: Callable[[str], bool]) -> Iterator[Wrong]:
    if not offer.subscriber_partner_ids:
        yield Wrong("subscriberPartnerIds", "are needed for a bilateral offer")
    for index, each in enumerate(offer.subscriber_partner_ids or ()):
        if not known(each):
            yield Wrong(f"subscriberPartnerIds[{index}]", f"{each} is no EMP's internal id")
    if offer.two_step_process:
        yield Wrong("twoStepProcess", "must be omitted for a bilateral offer")
    if offer.two_step_required_master_data_fields is not None:
        yield Wrong("twoStepRequiredMasterDataFields", "must be omitted for a bilateral offer")


def overlapping(offer: NewOffer, other: Offer, now: datetime) -> bool:
    """Tells whether an offer to all would stand beside another of the same service."""
    theirs = other.asked
    if not (offer.offer_to_all and theirs.offer_to_all) or other.is_over(now):
        return False
    if offer.service_type_version.service_type_id != theirs.service_type_version.service_type_id:
        return False
    begins_after = other.end is not None and offer.valid_from >= other.end
    ends_before = offer.valid_to is not None and offer.valid_to <= theirs.valid_from
    return not (begins_after or ends_before)
