"""What Hubject lets an offer be: checked before it is published, so that nobody is promised what cannot be told.

| of an offer | NGP |
| --- | --- |
| one operator's; SUBSCRIBE, or APPROVE of an offer to all | said; anything else is refused |
| services | Authorization (authorise, remote, cdr) or Reservation (reservation), exactly |
| notice of a limited offer, lead time of an unlimited one | said; the other way round refused |
| later versions | of an unlimited offer, and other prices alone |
| who settles value added tax, rounding, rank | between the partners: not said, and nothing to Hubject |
"""

from collections.abc import Mapping
from datetime import MAXYEAR, datetime, timedelta
from typing import Final

from mappings.canonical.agreements import Joining, Offer, OfferTerms, PriceSource
from mappings.canonical.ids import PartyId
from mappings.oicp.ngp.enums import SERVICES
from mappings.oicp.ngp.vocabulary import ServiceType
from mappings.report import Refused

SHORTEST: Final = timedelta(days=42)
"""Of a limited offer to all."""
LONGEST: Final = timedelta(days=731)
"""Of any limited offer: two years, at the most with a leap day among them."""
_YEARS: Final = 2
LEAST_LEAD_TIME: Final = 15
LONGEST_TERM: Final = 90
_NETWORK_NAME: Final = 50


def check(offer: Offer, terms: OfferTerms, operator: PartyId, partners: Mapping[PartyId, str]) -> None:
    """Says whether Hubject could take an offer.

    Args:
        operator: The OperatorID.
        partners: Hubject's own ids of EMSPs, which a bilateral offer names.

    Raises:
        Refused: It could not, with the field of the offer or its terms.
    """
    _check_parties(offer, operator, partners)
    _check_days(offer)
    service_type(terms)
    if terms.price_source is PriceSource.HUB:
        raise Refused("price_source", "Hubject is told of an offer with its prices, and nobody here knows them")
    _check_prices(terms)


def check_later(offer: Offer, terms: OfferTerms, first: OfferTerms) -> None:
    """Says whether Hubject could take a later version of an offer: it changes the prices of unlimited ones alone.

    Args:
        first: What the offer's first version says.

    Raises:
        Refused: It could not, with the field of the offer or its terms.
    """
    check_unlimited(offer)
    if terms.services != first.services:
        raise Refused("services", "at Hubject they stay as they were", ", ".join(sorted(terms.services)))
    if _groups(terms) != _groups(first):
        field = "evse_groups" if terms.evse_groups or first.evse_groups else "prices"
        raise Refused(field, "at Hubject a later version has the EVSE groups of the first, since its network stays")


def _groups(terms: OfferTerms) -> tuple[bool, frozenset[str]]:
    """Names the EVSE groups of a network, and tells whether they are all of it."""
    priced = (price.evse_group for price in terms.prices if price.evse_group is not None)
    return bool(terms.evse_groups), frozenset(terms.evse_groups or priced)


def check_unlimited(offer: Offer) -> None:
    """Says whether an offer may have later versions.

    Raises:
        Refused: It is limited.
    """
    if offer.ends is not None:
        raise Refused("ends", "a limited offer stays as it is at Hubject; only an unlimited one has later versions")


def _check_prices(terms: OfferTerms) -> None:
    if terms.prices and not terms.evse_groups and all(price.evse_group is not None for price in terms.prices):
        how = (
            "name the groups in evse_groups, so that it is for these alone, or add a price without a group for the rest"
        )
        raise Refused("prices", f"Hubject takes no offer without a price for every EVSE that it is for: {how}")
    for number, price in enumerate(terms.prices):
        if len(price.tariff_ids) > 1:
            named = ", ".join(price.tariff_ids)
            raise Refused(f"prices[{number}].tariff_ids", "Hubject has one price of a group at a time", named)


def _check_parties(offer: Offer, operator: PartyId, partners: Mapping[PartyId, str]) -> None:
    if offer.cpo is None:
        raise Refused("network_group", "an offer at Hubject is one operator's", offer.network_group)
    if offer.cpo != operator:
        raise Refused("cpo", f"offers of this connection are {operator}'s", offer.cpo)
    if offer.joining is Joining.OPEN:
        raise Refused("joining", "at Hubject an EMP has nothing that it does not subscribe to", offer.joining)
    if offer.joining is Joining.APPROVE and not offer.is_public:
        raise Refused("joining", "Hubject has approval for offers to all alone", offer.joining)
    for number, emsp in enumerate(offer.audience or ()):
        if emsp not in partners:
            raise Refused(f"audience[{number}]", "Hubject's id of it is not among the settings' partners", emsp)
    if len(offer.id) > _NETWORK_NAME:
        raise Refused("id", f"the network is named by it, in {_NETWORK_NAME} characters", offer.id)


def _check_days(offer: Offer) -> None:
    if offer.cancellation_days < 1:
        raise Refused("cancellation_days", "at least 1 at Hubject", offer.cancellation_days)
    if not 1 <= offer.minimum_term_days <= LONGEST_TERM:
        raise Refused("minimum_term_days", f"1 to {LONGEST_TERM} at Hubject", offer.minimum_term_days)
    if offer.ends is None:
        if offer.lead_time_days < LEAST_LEAD_TIME:
            raise Refused("lead_time_days", f"at least {LEAST_LEAD_TIME} at Hubject", offer.lead_time_days)
        if offer.notice_days:
            raise Refused("notice_days", "Hubject has a notice for limited offers alone", offer.notice_days)
        return
    if offer.lead_time_days:
        raise Refused("lead_time_days", "Hubject has a lead time for unlimited offers alone", offer.lead_time_days)
    if offer.is_public and offer.ends - offer.starts < SHORTEST:
        raise Refused("ends", f"an offer to all holds {SHORTEST.days} days at least at Hubject", offer.ends.isoformat())
    if offer.ends > _years_after(offer.starts):
        raise Refused("ends", "more than two years after the start, the longest at Hubject", offer.ends.isoformat())


def _years_after(moment: datetime) -> datetime:
    # Of 29 February, the 28th.
    day = 28 if (moment.month, moment.day) == (2, 29) else moment.day
    return moment.replace(year=min(moment.year + _YEARS, MAXYEAR), day=day)


def service_type(terms: OfferTerms) -> ServiceType:
    """Gives what an offer is for in Hubject's words.

    Raises:
        Refused: Hubject has no offer for just these services.
    """
    for found, services in SERVICES.items():
        if services == terms.services:
            return found
    known = "; ".join(f"{name} is {', '.join(sorted(services))}" for name, services in SERVICES.items())
    raise Refused("services", f"an offer at Hubject is for one of: {known}", ", ".join(sorted(terms.services)))
