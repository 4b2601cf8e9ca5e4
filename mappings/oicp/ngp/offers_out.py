"""Offers as the bodies of the NGP API's requests; `offer_rules` says which of them it takes at all."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from mappings.canonical.agreements import EvseGroup, Joining, Offer, OfferVersion
from mappings.canonical.ids import PartyId
from mappings.oicp.ngp import prices_out, stamps, wire
from mappings.oicp.ngp.enums import SERVICE_IDS
from mappings.oicp.ngp.offer_rules import check_unlimited, service_type
from mappings.oicp.ngp.prices_out import Plans
from mappings.oicp.ngp.vocabulary import MasterData
from mappings.oicp.v2_3.evse_data import wire_id
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, Refused

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
        partners: As in `offer_rules.check`, which the offer has passed.
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
    check_unlimited(offer)
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
