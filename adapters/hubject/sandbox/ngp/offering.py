"""Documents, offers, and new prices of unlimited offers: what a CPO does by the API."""

from datetime import datetime, timedelta
from typing import Final

from adapters.hubject.sandbox.ngp import networks
from adapters.hubject.sandbox.ngp.model import Attachment, Network, Offer, Version, internal_id, new_id
from adapters.hubject.sandbox.ngp.refusals import Refused, invalid, not_found
from adapters.hubject.sandbox.ngp.rules_offers import overlapping, wrong_terms
from adapters.hubject.sandbox.ngp.rules_prices import wrong_prices
from adapters.hubject.sandbox.ngp.shapes import NewOffer, NewPrices
from adapters.hubject.sandbox.partners import Partner
from adapters.hubject.sandbox.rules import Wrong
from adapters.hubject.sandbox.state import HubjectSandbox

OFFERS: Final = "ngp_offers"
_PDF: Final = b"%PDF-"


def attach(sandbox: HubjectSandbox, partner: Partner, name: str, kind: str, content: bytes) -> Attachment:
    """Takes a document.

    Args:
        kind: `attachmentType`.

    Raises:
        Refused: It is no PDF, or is said to be none.
    """
    wrong = []
    if kind not in {"pdf", "PDF"}:
        wrong.append(Wrong("attachmentType", "only pdf or PDF is allowed"))
    if not content.startswith(_PDF):
        wrong.append(Wrong("file", "is no PDF"))
    if wrong:
        raise invalid(wrong)
    made = Attachment(new_id(), partner.operator.normal, name, content)
    sandbox.market.attachments[made.id] = made
    return made


def create(sandbox: HubjectSandbox, partner: Partner, asked: NewOffer) -> Offer:
    """Takes an offer, which is PENDING until its start.

    Raises:
        Refused: Its network or document is unknown, or it breaks a rule.
    """
    now, operator, market = sandbox.wall(), partner.operator.normal, sandbox.market
    network = market.networks.get(asked.network_id)
    if network is None or network.operator != operator:
        raise not_found(f"network {asked.network_id}")
    attachment = market.attachments.get(asked.uploaded_attachment_id or "")
    if asked.uploaded_attachment_id is not None and (attachment is None or attachment.operator != operator):
        raise not_found(f"attachment {asked.uploaded_attachment_id}")
    emps = {internal_id(each, emp=True) for each in sandbox.known_emps()}
    wrong = wrong_terms(asked, sandbox.offer_rules, emps.__contains__, now)
    taken = market.tariff_names(operator)
    wrong += wrong_prices(asked.tariffs, asked.products, network, taken, "products")
    if other := next((each for each in market.offers_of(operator) if overlapping(asked, each, now)), None):
        wrong.append(Wrong("validFrom", f"{other.name} of the same period is there: one offer to all per service"))
    for key, held in networks.in_active_networks(sandbox, network).items():
        wrong.append(Wrong("networkId", f"{key} is in the active network {held.name!r}"))
    if wrong:
        raise invalid(wrong)
    first = Version(new_id(), 0, asked.valid_from, asked.tariffs, asked.products, now)
    offer = Offer(operator, asked, network, attachment, [first])
    market.offers.append(offer)
    sandbox.received(OFFERS, first.id, "created")
    return offer


def reprice(sandbox: HubjectSandbox, partner: Partner, offer_id: str, asked: NewPrices) -> tuple[Offer, Version]:
    """Takes new prices of an unlimited offer: a new version, from the update's date on.

    Raises:
        Refused: There is no such offer or network, or a rule is broken.
    """
    now, market = sandbox.wall(), sandbox.market
    if (found := market.version(offer_id, partner.operator.normal)) is None:
        raise not_found(f"service offer {offer_id}")
    offer, version = found
    network = market.networks.get(asked.network_id)
    if network is None or network.operator != offer.operator:
        raise not_found(f"network {asked.network_id}")
    if not offer.asked.unlimited:
        raise Refused(400, "A limited offer cannot be changed", [Wrong("serviceOfferId", "is no unlimited offer")])
    if offer.is_over(now):
        raise Refused(400, "The offer has ended", [Wrong("serviceOfferId", f"is {offer.state(now)}")])
    if (later := offer.after(version)) is not None:
        raise Refused(400, "The offer has newer prices", [Wrong("serviceOfferId", f"was followed by {later.id}")])
    wrong = _wrong_update(offer, version, network, asked, now)
    taken = market.tariff_names(offer.operator)
    wrong += wrong_prices(asked.tariffs, asked.pricing_details, offer.network, taken, "pricingDetails")
    if wrong:
        raise invalid(wrong)
    number = version.number + 1
    made = Version(new_id(), number, asked.update_date, asked.tariffs, asked.pricing_details, now)
    offer.versions.append(made)
    sandbox.received(OFFERS, made.id, "repriced")
    return offer, made


def _wrong_update(offer: Offer, version: Version, network: Network, asked: NewPrices, now: datetime) -> list[Wrong]:
    wrong = []
    if network is not offer.network:
        wrong.append(Wrong("networkId", "only prices change: is not the offer's network"))
    days = offer.asked.lead_time or 0
    if asked.update_date < now + timedelta(days=days):
        wrong.append(Wrong("updateDate", f"has to be {days} days ahead: the offer's leadTime"))
    if asked.update_date <= version.valid_from:
        wrong.append(Wrong("updateDate", "is not after the start of the prices before"))
    if offer.end is not None and asked.update_date >= offer.end:
        wrong.append(Wrong("updateDate", "the offer has ended by then"))
    return wrong
