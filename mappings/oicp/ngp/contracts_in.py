"""What the NGP API tells an EMP of its contracts: the offers to which it has subscribed, and the EVSEs of their groups.

What is not said stays open: an EMP is not told who else an offer is for, nor whether it needs approval.
"""

from typing import Any, Final

from mappings.canonical.held_offers import HubGroupEvse, HubOffer, HubSubscription
from mappings.canonical.ids import EvseId, PartyId
from mappings.oicp.ngp import reading, stamps, wire_in
from mappings.oicp.ngp.vocabulary import ServiceType
from mappings.report import Issue, IssueKind, Refused, Report

_BY_NAME: Final = {kind.value: kind for kind in ServiceType}
_TO_ALL: Final = {"OFFER_TO_ALL": True, "BILATERAL": False}


def contract_id(raw: Any) -> str:
    """Gives Hubject's id of an offer out of an OfferInfoDTO.

    Raises:
        Refused: It has none.
    """
    said = raw.get("OfferDetails") if isinstance(raw, dict) else None
    given = said.get("ServiceOfferId") if isinstance(said, dict) else None
    if not isinstance(given, str) or not given:
        raise Refused("OfferDetails.ServiceOfferId", "missing, and an offer is known by nothing else")
    return given


def contract(raw: Any, operator: PartyId, provider: PartyId) -> tuple[HubOffer, list[Issue]]:
    """Reads an OfferInfoDTO: an offer to which an EMP has subscribed, the subscription in it.

    Args:
        operator: Whose offer it is.
        provider: The EMP.

    Returns:
        The offer, and what was noted on the way.

    Raises:
        Refused: It cannot be read, with Hubject's field.
    """
    report = Report()
    info = reading.parsed(wire_in.ContractOffer, raw)
    said, network = info.offer_details, info.network_details or wire_in.Network()
    starts = reading.start(said.valid_from, "OfferDetails.ValidFrom")
    created = stamps.read(said.created_on, "OfferDetails.CreatedOn") or starts
    cancelled_at = stamps.read_end(said.cancellation_to, "OfferDetails.CancellationTo")
    to_all = _TO_ALL.get(said.offer_type or "")
    if to_all is None:
        report.add(
            IssueKind.UNKNOWN, "OfferDetails.OfferType", "neither an offer to all nor a bilateral one", said.offer_type
        )
    subscription = info.subscription_details
    held = HubOffer(
        id=said.service_offer_id,
        title=said.service_offer_name or "",
        cpo=operator,
        services=reading.services(_BY_NAME.get(said.service_type_name or ""), report),
        audience=None if to_all else (),
        joining=None,
        description=said.description or "",
        state=said.service_offer_status or "",
        starts=starts,
        ends=reading.first(stamps.read_end(said.valid_to, "OfferDetails.ValidTo"), cancelled_at),
        cancelled_at=cancelled_at,
        minimum_term_days=said.minimum_term or 0,
        cancellation_days=said.cancellation_period or 0,
        notice_days=subscription.period_of_notice if subscription is not None else None,
        lead_time_days=said.lead_time,
        network=network.network_id,
        network_name=network.network_name or "",
        groups=tuple(reading.groups(info.pricing or (), "Pricing", operator, created, report)),
        subscriptions=() if subscription is None else (_own(subscription, said.service_offer_id, provider),),
    )
    return held, report.issues


def _own(said: wire_in.SubscriptionDetails, offer_id: str, provider: PartyId) -> HubSubscription:
    field = "SubscriptionDetails"
    cancelled_at = stamps.read_end(said.subscription_cancellation_date, f"{field}.SubscriptionCancellationDate")
    state = said.subscription_status or ""
    return HubSubscription(
        id=f"{offer_id}/{provider}",  # an EMP has an offer once, and is told no id of that
        emsp=provider,
        state=state,
        active=reading.served(state, cancelled_at),
        requested_at=stamps.read(said.subscription_date, f"{field}.SubscriptionDate"),
        starts=stamps.read(said.valid_from, f"{field}.ValidFrom"),
        ends=reading.first(stamps.read_end(said.valid_to, f"{field}.ValidTo"), cancelled_at),
        cancelled_at=cancelled_at,
    )


def group_evse(raw: Any, operator: PartyId, offer: str, group: str) -> HubGroupEvse:
    """Reads a ServiceOfferNetworkGroupEvse.

    Raises:
        Refused: It names no EVSE.
    """
    given = raw.get("evseId") if isinstance(raw, dict) else None
    if not isinstance(given, str) or not given.strip():
        raise Refused("evseId", "missing")
    return HubGroupEvse(cpo=operator, offer=offer, group=group, evse_key=EvseId(given).normal)


def read_already(evse: HubGroupEvse) -> tuple[HubGroupEvse, list[Issue]]:
    """Gives an EVSE as a record is read."""
    return evse, []
