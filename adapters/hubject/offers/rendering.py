"""What Hubject is told of an offer, as the requests of its NGP API. Pure.

A request's path ends, behind a `#`, in what the answer is to be understood by, which is not sent: for a network our ids
of its groups, in the order of the body.
"""

import base64
from typing import Final
from urllib.parse import quote

from adapters.core.adapter import Call
from adapters.core.charging import Message
from adapters.core.offers import OfferStep, OfferToTell
from adapters.core.pricing import Unsayable
from adapters.hubject.offers.settings import DOCUMENTS, OFFERS, OffersSettings
from mappings.canonical.agreements import Offer, OfferTerms
from mappings.canonical.ids import PartyId
from mappings.oicp.ngp import offer_rules, offers_out
from mappings.oicp.ngp.prices_out import Asked, Plans
from mappings.report import Issue, Refused

MEDIA_TYPE: Final = "application/pdf"
LARGEST: Final = 10_000_000
"""Bytes of a document; Hubject names no bound."""


class Rendering:
    """Writes one operator's offers."""

    def __init__(self, operator: PartyId, settings: OffersSettings) -> None:
        self._operator, self._settings = operator, settings
        named = quote(operator.normal, safe="*")
        self.networks = f"/api/evsenetwork/v1/operators/{named}/networks"
        self.assignment = f"/api/evsenetwork/v1/operators/{named}/network"
        self.offers = f"/api/partner/v1/operators/{named}/service-offers"

    def check(self, offer: Offer, terms: OfferTerms, first: OfferTerms | None) -> None:
        """See `adapters.core.roaming.OffersAdapter.check_offer`."""
        offer_rules.check(offer, terms, self._operator, self._settings.partners)
        if first is not None:
            offer_rules.check_later(offer, terms, first)

    def message(self, told: OfferToTell) -> Message:
        """See `adapters.core.roaming.OffersAdapter.of_offer`."""
        return Message(
            operation=DOCUMENTS if told.step is OfferStep.DOCUMENT else OFFERS,
            kind=told.step.value,
            lane=f"offer/{told.offer.id}",
            key=told.offer.id,
            party=self._operator,
            offer=told,
        )

    def render(self, told: OfferToTell) -> tuple[Call, list[Issue]]:
        """Writes a step.

        Raises:
            Refused: Hubject could not take it, with the field.
        """
        partners = {**self._settings.partners, **{PartyId(emsp): id_ for emsp, id_ in told.partners.items()}}
        offer_rules.check(told.offer, told.version.terms, self._operator, partners)
        match told.step:
            case OfferStep.NETWORK:
                return self._network(told), []
            case OfferStep.MEMBERS:
                body = offers_out.members(told.ids.network_name or told.offer.id, told.groups)
                return Call(OFFERS, told.step, self.assignment, body, ()), []
            case OfferStep.DOCUMENT:
                return self._document(told), []
            case OfferStep.OFFER:
                wire, issues = offers_out.create(
                    told.offer,
                    told.version,
                    self._prices(told),
                    network_id=_network_id(told),
                    document_id=_document_id(told),
                    partners=partners,
                    master_data=self._settings.master_data,
                )
                return Call(OFFERS, told.step, self.offers, wire, ()), issues
            case OfferStep.PRICES:
                if told.ids.offer is None:
                    raise Refused("", "the offer's id at Hubject is not known, so that its prices cannot be changed")
                wire, issues = offers_out.update(
                    told.offer, told.version, self._prices(told), network_id=_network_id(told)
                )
                return Call(OFFERS, told.step, f"{self.offers}/{quote(told.ids.offer, safe='')}", wire, ()), issues

    def _network(self, told: OfferToTell) -> Call:
        if told.ids.network is not None:
            new = ", ".join(group.id for group in told.groups if group.id not in told.ids.groups)
            raise Refused("evse_groups", "Hubject's API adds no group to a network that is there", new)
        groups = ",".join(group.id for group in told.groups)
        body = offers_out.network(told.offer, told.groups)
        return Call(OFFERS, told.step, f"{self.networks}#{groups}", body, ())

    def _document(self, told: OfferToTell) -> Call:
        document = told.document
        if document is None:
            raise Refused("document", "there is none")
        if document.media_type != MEDIA_TYPE:
            raise Refused("document", "Hubject takes PDF alone", document.media_type)
        if not document.name.isprintable():
            raise Refused("document", "a name with signs that cannot be printed", document.name)
        if len(document.content) > LARGEST:
            raise Refused("document", f"larger than {LARGEST} bytes", len(document.content))
        file = base64.b64encode(document.content).decode()
        path = f"{self.offers}/attachments?attachmentType=pdf"
        return Call(DOCUMENTS, told.step, path, {"name": document.name, "file": file}, ())

    def _prices(self, told: OfferToTell) -> Plans:
        """Writes the prices of all groups of the network: Hubject takes them as a whole.

        Raises:
            Refused: A group is not there at Hubject, one there has no price now, or a price cannot be said.
        """
        named = {group.id for group in told.groups}
        if odd := sorted(named ^ told.ids.groups.keys()):
            there = "has no price in this version" if odd[0] in told.ids.groups else "is in no network at Hubject"
            raise Refused("evse_groups", f"a group {there}", odd[0])
        asked = [Asked(told.ids.groups[group.id], told.tariffs.get(group.id, ())) for group in told.groups]
        approximate = self._settings.unsayable is Unsayable.APPROXIMATE
        return offers_out.prices(told.offer, told.version, asked, ends=told.offer.ends, approximate=approximate)


def _network_id(told: OfferToTell) -> str:
    if told.ids.network is None:
        raise Refused("", "the network's id at Hubject is not known")
    return told.ids.network


def _document_id(told: OfferToTell) -> str | None:
    if told.offer.document is not None and told.ids.document is None:
        raise Refused("document", "its id at Hubject is not known")
    return told.ids.document
