"""What the NGP API says that Hubject holds of a CPO's offers, with their subscriptions and prices.

Each offer is read by itself.
"""

from typing import Any, Final

from mappings.canonical.agreements import Joining
from mappings.canonical.held_offers import HubOffer, HubSubscription
from mappings.canonical.ids import PartyId
from mappings.oicp.ngp import reading, stamps, wire_in
from mappings.oicp.ngp.enums import SERVICE_IDS
from mappings.report import Issue, Refused, Report

_BY_ID: Final = {number: kind for kind, number in SERVICE_IDS.items()}


def offer_id(raw: Any) -> str:
    """Gives Hubject's id of an offer out of a ServiceOfferInfoDTO.

    Raises:
        Refused: It has none.
    """
    said = raw.get("serviceOffer") if isinstance(raw, dict) else None
    given = said.get("id") if isinstance(said, dict) else None
    if not isinstance(given, str) or not given:
        raise Refused("serviceOffer.id", "missing, and an offer is known by nothing else")
    return given


def offer(raw: Any, operator: PartyId) -> tuple[HubOffer, list[Issue]]:
    """Reads a ServiceOfferInfoDTO of a CPO's.

    Args:
        operator: Whose it is where it does not say.

    Returns:
        The offer, and what was noted on the way.

    Raises:
        Refused: It cannot be read, with Hubject's field.
    """
    report = Report()
    info = reading.parsed(wire_in.OfferInfo, raw)
    said = info.service_offer
    over_at = stamps.read_end(said.cancellation_to, "serviceOffer.cancellationTo")
    # Of a version that another one follows, it is when that one begins.
    cancelled_at = over_at if said.next_service_offer_id is None else None
    starts = reading.start(said.valid_from, "serviceOffer.validFrom")
    changed = stamps.read(said.last_modification_date, "serviceOffer.lastModificationDate") or starts
    cpo = reading.party(said.external_partner_id, "serviceOffer.externalPartnerId", report) or operator
    ends = None if said.unlimited else stamps.read_end(said.valid_to, "serviceOffer.validTo")
    network = info.network or wire_in.Network()
    held = HubOffer(
        id=said.id,
        title=said.partner_internal_id or said.name or "",
        cpo=cpo,
        services=reading.services(_BY_ID.get(said.service_type_version.service_type_id), report),
        audience=None if said.offer_to_all else said.subscriber_partner_ids or (),
        joining=Joining.APPROVE if said.two_step_process else Joining.SUBSCRIBE,
        description=said.description or "",
        state=said.status or "",
        starts=starts,
        ends=reading.first(ends, over_at),
        cancelled_at=cancelled_at,
        minimum_term_days=said.minimum_term or 0,
        cancellation_days=said.cancellation_period or 0,
        notice_days=said.period_of_notice,
        lead_time_days=said.lead_time,
        version=None if said.version is None else said.version + 1,  # Hubject counts from 0
        previous=said.previous_service_offer_id,
        next=said.next_service_offer_id,
        network=network.network_id,
        network_name=network.network_name or "",
        groups=tuple(reading.groups(info.pricing_details or (), "pricingDetails", cpo, changed, report)),
        subscriptions=tuple(
            _subscription(each, f"subscriptions[{n}]", report) for n, each in enumerate(info.subscriptions or ())
        ),
    )
    return held, report.issues


def _subscription(said: wire_in.ReadSubscription, field: str, report: Report) -> HubSubscription:
    cancelled_at = stamps.read_end(said.cancellation_to, f"{field}.cancellationTo")
    state = said.status or ""
    return HubSubscription(
        id=said.id,
        emsp=reading.party(said.subscriber_partner_external_id, f"{field}.subscriberPartnerExternalId", report),
        emsp_name=said.subscriber_partner_name or "",
        state=state,
        active=reading.served(state, cancelled_at),
        requested_at=stamps.read(said.requested_date or said.subscribe_date, f"{field}.requestedDate"),
        refused_at=stamps.read(said.rejected_date, f"{field}.rejectedDate"),
        starts=stamps.read(said.valid_from, f"{field}.validFrom"),
        ends=reading.first(stamps.read_end(said.valid_to, f"{field}.validTo"), cancelled_at),
        cancelled_at=cancelled_at,
    )
