"""What the NGP API says that Hubject holds: a CPO's offers with their subscriptions and prices, an EMP's contracts.

Each offer is read by itself. What is not said stays open: an EMP is not told who else an offer is for, nor whether it
needs approval. Nothing of what Hubject tells of people and bank accounts is kept.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from mappings.canonical.agreements import Joining, Service
from mappings.canonical.held_offers import HubGroup, HubGroupEvse, HubOffer, HubSubscription
from mappings.canonical.ids import EvseId, PartyId
from mappings.oicp.ngp import prices_in, stamps, wire_in
from mappings.oicp.ngp.enums import CANCELLED, SERVED, SERVICE_IDS, SERVICES
from mappings.oicp.ngp.vocabulary import ServiceType
from mappings.oicp.ngp.wire import CamelModel
from mappings.report import Issue, IssueKind, Refused, Report

M = TypeVar("M", bound=CamelModel)

_BY_ID: Final = {number: kind for kind, number in SERVICE_IDS.items()}
_BY_NAME: Final = {kind.value: kind for kind in ServiceType}
_TO_ALL: Final = {"OFFER_TO_ALL": True, "BILATERAL": False}


def parsed(model: type[M], body: Any, field: str = "") -> M:
    """Reads a body, or a part of one.

    Raises:
        Refused: It is none, with the field.
    """
    try:
        return model.model_validate(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(filter(None, [field, *map(str, first["loc"])]))
        raise Refused(path, first["msg"]) from None


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
    info = parsed(wire_in.OfferInfo, raw)
    said = info.service_offer
    over_at = stamps.read_end(said.cancellation_to, "serviceOffer.cancellationTo")
    # Of a version that another one follows, it is when that one begins.
    cancelled_at = over_at if said.next_service_offer_id is None else None
    starts = _start(said.valid_from, "serviceOffer.validFrom")
    changed = stamps.read(said.last_modification_date, "serviceOffer.lastModificationDate") or starts
    cpo = _party(said.external_partner_id, "serviceOffer.externalPartnerId", report) or operator
    ends = None if said.unlimited else stamps.read_end(said.valid_to, "serviceOffer.validTo")
    network = info.network or wire_in.Network()
    held = HubOffer(
        id=said.id,
        title=said.partner_internal_id or said.name or "",
        cpo=cpo,
        services=_services(_BY_ID.get(said.service_type_version.service_type_id), report),
        audience=None if said.offer_to_all else said.subscriber_partner_ids or (),
        joining=Joining.APPROVE if said.two_step_process else Joining.SUBSCRIBE,
        description=said.description or "",
        state=said.status or "",
        starts=starts,
        ends=_first(ends, over_at),
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
        groups=tuple(_groups(info.pricing_details or (), "pricingDetails", cpo, changed, report)),
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
        emsp=_party(said.subscriber_partner_external_id, f"{field}.subscriberPartnerExternalId", report),
        emsp_name=said.subscriber_partner_name or "",
        state=state,
        active=_served(state, cancelled_at),
        requested_at=stamps.read(said.requested_date or said.subscribe_date, f"{field}.requestedDate"),
        refused_at=stamps.read(said.rejected_date, f"{field}.rejectedDate"),
        starts=stamps.read(said.valid_from, f"{field}.validFrom"),
        ends=_first(stamps.read_end(said.valid_to, f"{field}.validTo"), cancelled_at),
        cancelled_at=cancelled_at,
    )


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
    info = parsed(wire_in.ContractOffer, raw)
    said, network = info.offer_details, info.network_details or wire_in.Network()
    starts = _start(said.valid_from, "OfferDetails.ValidFrom")
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
        services=_services(_BY_NAME.get(said.service_type_name or ""), report),
        audience=None if to_all else (),
        joining=None,
        description=said.description or "",
        state=said.service_offer_status or "",
        starts=starts,
        ends=_first(stamps.read_end(said.valid_to, "OfferDetails.ValidTo"), cancelled_at),
        cancelled_at=cancelled_at,
        minimum_term_days=said.minimum_term or 0,
        cancellation_days=said.cancellation_period or 0,
        notice_days=subscription.period_of_notice if subscription is not None else None,
        lead_time_days=said.lead_time,
        network=network.network_id,
        network_name=network.network_name or "",
        groups=tuple(_groups(info.pricing or (), "Pricing", operator, created, report)),
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
        active=_served(state, cancelled_at),
        requested_at=stamps.read(said.subscription_date, f"{field}.SubscriptionDate"),
        starts=stamps.read(said.valid_from, f"{field}.ValidFrom"),
        ends=_first(stamps.read_end(said.valid_to, f"{field}.ValidTo"), cancelled_at),
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


# What both have


def _groups(
    said: Iterable[wire_in.GroupPricing],
    field: str,
    party: PartyId,
    at: datetime,
    report: Report,
) -> Iterable[HubGroup]:
    for number, group in enumerate(said):
        try:
            tariff = prices_in.read(group.days or (), group.currency, group.group_id, party, at)
        except Refused as refused:
            tariff, reason = None, refused.reason
            path = f"{field}[{number}].{reason.field}"
            report.add(IssueKind.LEFT_OUT, path, f"the prices are not known: {reason.detail}", reason.value)
        yield HubGroup(id=group.group_id, name=group.group_name or "", tariff=tariff)


def _services(kind: ServiceType | None, report: Report) -> frozenset[Service]:
    if kind is None:
        report.add(IssueKind.UNKNOWN, "serviceTypeVersion", "not a known type of service; it grants nothing")
        return frozenset()
    return SERVICES[kind]


def _served(state: str, cancelled_at: datetime | None) -> bool:
    """Tells whether Hubject serves a subscription; a cancelled one until the moment that it names."""
    return state in SERVED or (state in CANCELLED and cancelled_at is not None)


def _party(text: str | None, field: str, report: Report) -> PartyId | None:
    if text is None or not text.strip():
        return None
    try:
        return PartyId(text.strip())
    except ValueError:
        report.add(IssueKind.UNKNOWN, field, "no id of a party", text)
        return None


def _start(text: str, field: str) -> datetime:
    start = stamps.read(text, field)
    if start is None:
        raise Refused(field, "missing, or said to be never", text)
    return start


def _first(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
