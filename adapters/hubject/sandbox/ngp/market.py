"""All networks, documents, offers and subscriptions, and what follows from them: who has a contract with whom."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from adapters.hubject.sandbox.ngp.model import Attachment, Network, Offer, Standing, Subscription, Version
from adapters.hubject.sandbox.partners import Service

_SERVICE_TYPES: Final = {Service.AUTHORISATION: 1, Service.RESERVATION: 10}


class Market:
    """Everything."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forgets everything."""
        self.networks: dict[str, Network] = {}
        self.attachments: dict[str, Attachment] = {}
        self.offers: list[Offer] = []
        self.subscriptions: dict[str, Subscription] = {}

    def networks_of(self, operator: str) -> Iterator[Network]:
        """Gives a CPO's networks."""
        return (each for each in self.networks.values() if each.operator == operator)

    def offers_of(self, operator: str) -> Iterator[Offer]:
        """Gives a CPO's offers."""
        return (each for each in self.offers if each.operator == operator)

    def tariff_names(self, operator: str) -> frozenset[str]:
        """Gives the names of all tariffs that a CPO ever had."""
        versions = (version for offer in self.offers_of(operator) for version in offer.versions)
        return frozenset(tariff.name for version in versions for tariff in version.tariffs)

    def is_active(self, network: Network, now: datetime) -> bool:
        """Tells whether a network is no draft any more.

        One of an offer that is announced counts, too: what was announced of its groups is what EMPs subscribe to.
        """
        return any(offer.network is network and not offer.is_over(now) for offer in self.offers)

    def version(self, offer_id: str, operator: str | None = None) -> tuple[Offer, Version] | None:
        """Finds a version, and whose it is."""
        for offer in self.offers:
            if operator in {None, offer.operator}:
                for version in offer.versions:
                    if version.id == offer_id:
                        return offer, version
        return None

    def subscriptions_to(self, offer: Offer, now: datetime, *standings: Standing) -> list[Subscription]:
        """Gives an offer's subscriptions that stand so; all of them where no standing is named."""
        mine = (each for each in self.subscriptions.values() if each.offer is offer)
        return [each for each in mine if not standings or each.standing(now) in standings]

    def live(self, offer: Offer, provider: str, now: datetime) -> Subscription | None:
        """Finds the subscription, or the request, that an EMP has of an offer now."""
        found = self.subscriptions_to(offer, now, Standing.SUBSCRIBED, Standing.UNDER_REVIEW)
        return next((each for each in found if each.provider == provider), None)

    def agreed(self, provider: str, service: Service, operator: str, now: datetime) -> bool | None:
        """Tells whether an EMP has a contract with a CPO.

        Returns:
            None where no offer of the CPO for this service has begun: then nothing here decides.
        """
        kind = _SERVICE_TYPES.get(service)
        begun = [
            offer
            for offer in self.offers_of(operator)
            if offer.asked.service_type_version.service_type_id == kind and offer.has_begun(now)
        ]
        if not begun:
            return None
        return any(
            each.provider == provider and each.is_active(now)
            for offer in begun
            for each in self.subscriptions_to(offer, now, Standing.SUBSCRIBED)
        )
