"""What the NGP API answers, both roles: read as widely as its texts and examples differ, since one may not be refused.

Times of day are texts in the examples and objects in the OpenAPI; ids of other versions are numbers in the asciidoc,
and there a CPO's networks and prices are spelt as an EMP's are.
"""

from typing import Any

from pydantic import AliasChoices, AliasGenerator
from pydantic.alias_generators import to_camel, to_pascal

from mappings.canonical.base import Number
from mappings.oicp.ngp.wire import UNKNOWN_PASSED, CamelModel, PascalModel, ServiceTypeVersion


class EitherModel(CamelModel):
    """Base: spelt `camelCase` or `PascalCase`."""

    model_config = UNKNOWN_PASSED | {
        "alias_generator": AliasGenerator(validation_alias=lambda name: AliasChoices(to_camel(name), to_pascal(name)))
    }


# Answers to what was sent


class GroupCreated(CamelModel):
    """EvseGroupResponseDTO."""

    id: str
    group_name: str
    evse_ids: tuple[str, ...] | None = None


class NetworkCreated(CamelModel):
    """EvseNetworkResponseDTO."""

    id: str
    evse_groups: tuple[GroupCreated, ...]


class AttachmentUploaded(CamelModel):
    """AttachmentUploadResponse."""

    uploaded_attachment_id: str


# Prices


class LocalTime(CamelModel):
    """A time of day as the OpenAPI has it."""

    hour: int
    minute: int = 0
    second: int = 0


class ReadComponent(PascalModel):
    """EvsePricingComponent."""

    type: str
    reference_unit: str | None = None
    cost: Number
    fee_initiated: str | None = None
    grace_period: int | None = None


class ReadTariff(PascalModel):
    """EvsePricingTariff: what holds in a part of a day, its last second included."""

    name: str | None = None
    start_time: str | LocalTime
    end_time: str | LocalTime
    pricing_components: tuple[ReadComponent, ...] | None = None


class ReadDay(PascalModel):
    """EvsePricingDay."""

    day: str
    tariffs: tuple[ReadTariff, ...] | None = None


# A CPO's offers


class ServiceOffer(CamelModel):
    """ServiceOfferDTO."""

    id: str
    partner_internal_id: str | None = None
    external_partner_id: str | None = None
    name: str | None = None
    description: str | None = None
    service_type_version: ServiceTypeVersion
    offer_to_all: bool | None = None
    subscriber_partner_ids: tuple[str, ...] | None = None
    status: str | None = None
    minimum_term: int | None = None
    cancellation_period: int | None = None
    period_of_notice: int | None = None
    valid_from: str
    valid_to: str | None = None
    cancellation_to: str | None = None
    unlimited: bool | None = None
    lead_time: int | None = None
    version: int | None = None
    previous_service_offer_id: str | None = None
    next_service_offer_id: str | None = None
    two_step_process: bool | None = None
    last_modification_date: str | None = None


class ReadSubscription(CamelModel):
    """SubscriptionDTO, without what it tells of people."""

    id: str
    subscriber_partner_external_id: str | None = None
    subscriber_partner_name: str | None = None
    status: str | None = None
    subscribe_date: str | None = None
    requested_date: str | None = None
    rejected_date: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    cancellation_to: str | None = None


class Network(EitherModel):
    """NetworkDetailsDTO; to an EMP NetworkDTO."""

    network_id: str | None = None
    network_name: str | None = None


class GroupPricing(EitherModel):
    """PricingDetailsDTO; to an EMP ContractPricingDTO."""

    group_id: str
    group_name: str | None = None
    currency: str | None = None
    days: tuple[ReadDay, ...] | None = None


class OfferInfo(CamelModel):
    """ServiceOfferInfoDTO."""

    service_offer: ServiceOffer
    subscriptions: tuple[ReadSubscription, ...] | None = None
    network: Network | None = None
    pricing_details: tuple[GroupPricing, ...] | None = None


class OffersInfo(CamelModel):
    """ActiveNgpOfferDetailsDTO; each offer is read by itself, so that a bad one spoils no other."""

    offers_info: tuple[Any, ...] | None = None


# An EMP's contracts


class OfferDetails(PascalModel):
    """OfferDetailsDTO."""

    service_offer_id: str
    service_offer_name: str | None = None
    offer_type: str | None = None
    service_type_name: str | None = None
    description: str | None = None
    service_offer_status: str | None = None
    minimum_term: int | None = None
    cancellation_period: int | None = None
    valid_from: str
    valid_to: str | None = None
    cancellation_to: str | None = None
    lead_time: int | None = None
    created_on: str | None = None


class SubscriptionDetails(PascalModel):
    """SubscriptionDetailsDTO."""

    subscription_date: str | None = None
    subscription_status: str | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    subscription_cancellation_date: str | None = None
    period_of_notice: int | None = None


class ContractOffer(PascalModel):
    """OfferInfoDTO."""

    offer_details: OfferDetails
    subscription_details: SubscriptionDetails | None = None
    network_details: Network | None = None
    pricing: tuple[GroupPricing, ...] | None = None


class ContractInfo(PascalModel):
    """ContractInfoDTO, without what it tells of people and bank accounts."""

    offers: tuple[Any, ...] | None = None
