"""The contract for offers: what a hub is told of ours.

A hub is told step by step (`OfferStep`), each a message in the offer's own lane, so that the outbox repeats it and
loses nothing. What a step answers (`Delivered.answer`) becomes part of what the next one knows (`HubIds`). What the hub
holds is read back as records of feeds, each a `HubOffer` or a `HubGroupEvse` (`mappings.canonical.held_offers`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from pydantic import Base64Bytes

from mappings.canonical.agreements import EvseGroup, Joining, Offer, OfferVersion, Service
from mappings.canonical.base import Model
from mappings.canonical.tariffs import Tariff, TariffType


class OfferStep(StrEnum):
    """What a hub is told of an offer, in this order."""

    NETWORK = "network"
    """The EVSE groups and who is in them; answers `network` and `groups`."""
    MEMBERS = "members"
    """EVSEs that came to a group later."""
    DOCUMENT = "document"
    """The terms; answers `document`."""
    OFFER = "offer"
    """The offer with its first version; answers `offer`."""
    PRICES = "prices"
    """A later version; answers `offer`, the id under which the hub has that version."""


class HubIds(Model):
    """What a hub calls the parts of an offer, as far as it was told.

    Attributes:
        network_name: How the hub wants the network to be named where EVSEs come to it, if not by its id.
        groups: By the id of our EVSE group.
        offer: Of the newest version that the hub has.
    """

    network: str | None = None
    network_name: str | None = None
    groups: Mapping[str, str] = {}
    document: str | None = None
    offer: str | None = None


class Document(Model):
    """A terms document.

    Attributes:
        name: Of the file.
        content: Its bytes, Base64 in JSON.
    """

    name: str
    media_type: str
    content: Base64Bytes


class OfferToTell(Model):
    """One step of telling a hub of an offer, with all that it needs.

    Attributes:
        groups: The EVSE groups that the version names; where it names none, one of all the CPO's EVSEs.
        tariffs: Those that the version names, by group; of an offer without prices of its own, those of its EVSEs.
        partners: The hub's own ids of the EMSPs in the audience.
    """

    step: OfferStep
    offer: Offer
    version: OfferVersion
    groups: tuple[EvseGroup, ...] = ()
    tariffs: Mapping[str, tuple[Tariff, ...]] = {}
    document: Document | None = None
    partners: Mapping[str, str] = {}
    ids: HubIds = HubIds()


@dataclass(frozen=True, slots=True)
class OffersProfile:
    """What a hub takes of offers.

    Attributes:
        told: It can be told of our offers.
        subscribed_there: Subscribing and approving happen at the hub, where the gateway notices it by reading back.
        joinings: The ways of joining that it knows.
        services: What its offers are for; each offer names some of these alone.
        announced: How long before its start it must be told of an offer, at least.
        announced_to_all: The same of one to all, where that is longer; see `announced_for`.
        shortest, longest: Of a limited offer's validity; None for no bound.
        least_lead_time_days: Of an unlimited offer.
        tariff_types: Of the tariffs that its offers name, beside those without a type; None for all.
        one_group: An EVSE is in one group of an offer alone.
    """

    told: bool = False
    subscribed_there: bool = False
    joinings: frozenset[Joining] = frozenset(Joining)
    services: frozenset[Service] = frozenset(Service)
    announced: timedelta = timedelta()
    announced_to_all: timedelta = timedelta()
    shortest: timedelta | None = None
    longest: timedelta | None = None
    least_lead_time_days: int = 0
    tariff_types: frozenset[TariffType] | None = None
    one_group: bool = False

    def announced_for(self, offer: Offer) -> timedelta:
        """Gives how long before its start the hub must be told of an offer, at least."""
        return max(self.announced, self.announced_to_all) if offer.is_public else self.announced
