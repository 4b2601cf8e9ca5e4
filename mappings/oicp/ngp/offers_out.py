"""Offers as the NGP API takes them: what can be said at all, and the bodies of its requests.

| of an offer | NGP |
| --- | --- |
| one operator's; SUBSCRIBE, or APPROVE of an offer to all | said; anything else is refused |
| services | Authorization (authorise, remote, cdr) or Reservation (reservation), exactly |
| notice of a limited offer, lead time of an unlimited one | said; the other way round refused |
| later versions | of an unlimited offer, and other prices alone |
| who settles value added tax, rounding, rank | between the partners: not said, and nothing to Hubject |
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import MAXYEAR, datetime, timedelta
from typing import Final

from mappings.canonical.agreements import (
    EvseGroup,
    Joining,
    Offer,
    OfferTerms,
    OfferVersion,
    PriceSource,
)
from mappings.canonical.ids import PartyId
from mappings.oicp.ngp import prices_out, stamps, wire
from mappings.oicp.ngp.enums import SERVICE_IDS, SERVICES
from mappings.oicp.ngp.prices_out import Plans
from mappings.oicp.ngp.vocabulary import MasterData, ServiceType
from mappings.oicp.v2_3.evse_data import wire_id
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, Refused

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
    _check_unlimited(offer)
    if terms.services != first.services:
        raise Refused("services", "at Hubject they stay as they were", ", ".join(sorted(terms.services)))
    if _groups(terms) != _groups(first):
        field = "evse_groups" if terms.evse_groups or first.evse_groups else "prices"
        raise Refused(field, "at Hubject a later version has the EVSE groups of the first, since its network stays")


def _groups(terms: OfferTerms) -> tuple[bool, frozenset[str]]:
    """Names the EVSE groups of a network, and tells whether they are all of it."""
    priced = (price.evse_group for price in terms.prices if price.evse_group is not None)
    return bool(terms.evse_groups), frozenset(terms.evse_groups or priced)


def _check_unlimited(offer: Offer) -> None:
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


# Networks


def network(offer: Offer, groups: Sequence[EvseGroup]) -> Record:
    """Writes EvseNetworkRequestDTO: the groups of an offer, in their order, as a network of the offer's id.

    Raises:
        Refused: There is none, two have one name, or an EVSE is in two, or cannot be named.
    """
    named = _members(groups)
    said = tuple(
        wire.EvseGroup(group_name=group.name, group_description=group.description or None, evse_ids=evses)
        for group, evses in zip(groups, named, strict=True)
    )
    if not said:
        raise Refused("evse_groups", "a network has one group at least")
    description = offer.title[:250]
    body = wire.CreateNetwork(evse_network_name=offer.id, evse_network_description=description, evse_groups=said)
    return body.sent()


def members(network_name: str, groups: Sequence[EvseGroup]) -> Record:
    """Writes NetworkAssignmentDTO: EVSEs that come to groups; a group without any is left out.

    Args:
        network_name: The id of the offer that the network was made for, which others may share.

    Raises:
        Refused: As `network`; nothing comes to any group.
    """
    assigned = tuple(
        wire.GroupAssignment(group_name=group.name, evses=evses)
        for group, evses in zip(groups, _members(groups), strict=True)
        if evses
    )
    if not assigned:
        raise Refused("evse_groups", "no EVSE comes to any group")
    return wire.AssignEvses(network_name=network_name, groups_assignments=assigned).sent()


def _members(groups: Sequence[EvseGroup]) -> list[tuple[str, ...]]:
    names: set[str] = set()
    placed: dict[str, str] = {}
    found = []
    for g, group in enumerate(groups):
        if group.name in names:
            raise Refused(f"evse_groups[{g}].name", "two groups of one name, by which Hubject knows them", group.name)
        names.add(group.name)
        evses = []
        for e, evse_id in enumerate(group.evse_ids):
            path = f"evse_groups[{g}].evse_ids[{e}]"
            other = placed.setdefault(evse_id.normal, group.id)
            if other != group.id:
                raise Refused(path, f"is in {other} too, and an EVSE is in one group of a network", evse_id.text)
            evses.append(wire_id(evse_id, path))
        found.append(tuple(dict.fromkeys(evses)))
    return found


# Offers


def create(
    offer: Offer,
    version: OfferVersion,
    plans: Plans,
    *,
    network_id: str,
    document_id: str | None,
    partners: Mapping[PartyId, str],
    master_data: Collection[MasterData],
) -> tuple[Record, list[Issue]]:
    """Writes NGP: an offer with its first version.

    Args:
        network_id, document_id: Hubject's.
        partners: As in `check`, which the offer has passed.
        master_data: What an EMP has to state that asks for an offer which needs approval.

    Raises:
        Refused: The offer cannot be said.
    """
    kind = service_type(version.terms)
    asks = offer.joining is Joining.APPROVE
    limited = offer.ends is not None
    body = wire.CreateOffer(
        service_offer_id=offer.id,
        description=offer.description or None,
        partner_internal_id=offer.title,
        valid_from=stamps.write(offer.starts),
        valid_to=None if offer.ends is None else stamps.write(offer.ends),
        unlimited=not limited,
        cancellation_period=offer.cancellation_days,
        lead_time=None if limited else offer.lead_time_days,
        minimum_term=offer.minimum_term_days,
        period_of_notice=offer.notice_days if limited else None,
        service_type_version=wire.ServiceTypeVersion(
            service_type_id=SERVICE_IDS[kind], service_type_name=kind.value, service_type_version_number=1
        ),
        offer_to_all=offer.is_public,
        subscriber_partner_ids=None if offer.audience is None else tuple(partners[emsp] for emsp in offer.audience),
        two_step_process=asks if offer.is_public else None,
        two_step_required_master_data_fields={each.value: each in master_data for each in MasterData} if asks else None,
        network_id=network_id,
        uploaded_attachment_id=document_id,
        tariffs=plans.tariffs,
        products=plans.products,
    )
    return body.sent(), plans.issues


def update(offer: Offer, version: OfferVersion, plans: Plans, *, network_id: str) -> tuple[Record, list[Issue]]:
    """Writes UnlimitedNgpUpdate: the prices of a later version, all of them.

    Raises:
        Refused: The offer is limited: Hubject changes the prices of unlimited ones alone.
    """
    _check_unlimited(offer)
    body = wire.UpdatePrices(
        next_service_offer_id=f"{offer.id}-{version.number}",
        network_id=network_id,
        update_date=stamps.write(version.starts),
        tariffs=plans.tariffs,
        pricing_details=plans.products,
    )
    return body.sent(), plans.issues


def prices(
    offer: Offer,
    version: OfferVersion,
    groups: Sequence[prices_out.Asked],
    *,
    ends: datetime | None,
    approximate: bool,
) -> Plans:
    """Writes the prices of a version; the names of its tariffs begin with the offer's id and the version's number.

    Args:
        ends: When the version ends; None for without end.

    Raises:
        Refused: As `prices_out.write`.
    """
    frame = prices_out.Frame(f"{offer.id} {version.number}", offer.audience, version.starts, ends, approximate)
    return prices_out.write(groups, frame)
