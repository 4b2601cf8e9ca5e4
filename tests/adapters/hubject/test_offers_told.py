"""Offers told to Hubject step by step, over real sockets; what its answers mean, and what is done where one is lost."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from adapters.core.offers import Document, HubIds, OfferStep, OfferToTell
from adapters.core.outcomes import (
    Delivered,
    Misconfigured,
    NotSent,
    Outcome,
    OutcomeUnknown,
    RefusedByHub,
    Throttled,
)
from adapters.hubject.adapter import HubjectAdapter
from mappings.canonical.agreements import Joining, Service
from mappings.report import Refused
from tests.adapters.doubles import Measured
from tests.adapters.hubject.network import adapter
from tests.adapters.hubject.ngp_peer import LOST, NgpPeer, created, info, ngp_peer
from tests.mappings.oicp.ngp import EMP, PARTNERS, PLAIN, START, group, limited, offer, terms, version

IDS = HubIds(network="net-1", groups={"G1": "hub-g1"}, offer="off-1")
PDF = b"%PDF-1.7 terms \x00\xff"
OFFERS = {"partners": {str(emsp): id_ for emsp, id_ in PARTNERS.items()}}


@pytest.fixture
async def peer() -> AsyncIterator[NgpPeer]:
    async with ngp_peer() as running:
        yield running


@pytest.fixture
async def hub(peer: NgpPeer) -> AsyncIterator[HubjectAdapter]:
    made = telling(peer)
    yield made
    await made.close()


def telling(peer: NgpPeer, observer: Measured | None = None, **changes: Any) -> HubjectAdapter:
    return adapter(observer, **({"ngp_url": peer.url, "offers": OFFERS, "timeout_seconds": 5} | changes))


def step(which: OfferStep, **changes: Any) -> OfferToTell:
    fields: dict[str, Any] = {
        "step": which,
        "offer": offer(),
        "version": version(),
        "groups": (group(),),
        "tariffs": {"G1": (PLAIN,)},
        "ids": HubIds() if which is OfferStep.NETWORK else IDS,
    }
    return OfferToTell.model_validate(fields | changes)


async def tell(hub: HubjectAdapter, told: OfferToTell, *, doubtful: bool = False) -> Outcome:
    call, _ = hub.render(hub.of_offer(told))
    return await hub.tell(call, doubtful=doubtful)


# One step after the other


async def test_an_offer_is_told_from_its_network_to_its_later_prices(hub: HubjectAdapter, peer: NgpPeer) -> None:
    groups = (group("G1"), group("G2", "FR*HUB*E3"))
    tariffs = {"G1": (PLAIN,), "G2": (PLAIN,)}
    given = offer(document="D1", joining=Joining.APPROVE)

    network = await tell(hub, step(OfferStep.NETWORK, groups=groups))
    assert network == Delivered(
        {"network": "network-3", "network_name": "O1", "groups": {"G1": "group-1", "G2": "group-2"}}
    )
    ids = HubIds.model_validate(network.answer)

    document = Document(name="terms.pdf", media_type="application/pdf", content=b"")
    document = document.model_copy(update={"content": PDF})
    attached = await tell(hub, step(OfferStep.DOCUMENT, offer=given, document=document, ids=ids))
    assert attached == Delivered({"document": "document-4"})
    ids = ids.model_copy(update={"document": "document-4"})

    made = await tell(hub, step(OfferStep.OFFER, offer=given, groups=groups, tariffs=tariffs, ids=ids))
    assert made == Delivered({"offer": "offer-5"})
    ids = ids.model_copy(update={"offer": "offer-5"})

    later = version(2, START + timedelta(days=60))
    repriced = await tell(
        hub, step(OfferStep.PRICES, offer=given, version=later, groups=groups, tariffs=tariffs, ids=ids)
    )
    assert repriced == Delivered({"offer": "offer-6"})
    ids = ids.model_copy(update={"offer": "offer-6"})

    assert await tell(hub, step(OfferStep.MEMBERS, groups=(group("G2", "FR*HUB*E4"),), ids=ids)) == Delivered()

    assert peer.asked() == ["network", "document", "offer", "prices", "members"]
    said = dict(peer.heard)
    assert said["document"] == {
        "query": "pdf",
        "type": "pdf",
        "name": "terms.pdf",
        "media": "application/pdf",
        "content": PDF,
    }
    assert (said["offer"]["networkId"], said["offer"]["uploadedAttachmentId"]) == ("network-3", "document-4")
    assert [product["groupId"] for product in said["offer"]["products"]] == ["group-1", "group-2"]
    assert said["offer"]["twoStepRequiredMasterDataFields"]["taxId"] is True
    assert (said["prices"]["of"], said["prices"]["networkId"]) == ("offer-5", "network-3")
    assert said["members"] == {
        "NetworkName": "O1",
        "GroupsAssignments": [{"GroupName": "Group G2", "Evses": ["FR*HUB*E4"]}],
    }


async def test_evses_come_to_the_network_of_another_offer_by_its_name(hub: HubjectAdapter, peer: NgpPeer) -> None:
    shared = IDS.model_copy(update={"network_name": "the-first"})
    assert await tell(hub, step(OfferStep.MEMBERS, ids=shared)) == Delivered()
    assert peer.heard[0][1]["NetworkName"] == "the-first"


async def test_all_steps_of_an_offer_are_in_its_lane_and_documents_have_a_pace_of_their_own(
    hub: HubjectAdapter,
) -> None:
    messages = [hub.of_offer(step(which)) for which in OfferStep]
    assert {(message.lane, message.key, message.party.normal) for message in messages} == {("offer/O1", "O1", "FR*HUB")}
    assert [message.operation for message in messages] == ["offers", "offers", "offer_documents", "offers", "offers"]
    profiles = hub.charging.messages
    assert {message.operation for message in messages} <= profiles.keys()
    assert [profiles[name].per_minute for name in ("offers", "offer_documents")] == [22, 5]
    assert all(type(message).model_validate_json(message.model_dump_json()) == message for message in messages)


async def test_a_bilateral_offer_names_hubjects_own_ids_from_the_settings_or_the_message(
    hub: HubjectAdapter, peer: NgpPeer
) -> None:
    given = offer(audience=(EMP,))
    await tell(hub, step(OfferStep.OFFER, offer=given))
    await tell(hub, step(OfferStep.OFFER, offer=given, partners={str(EMP): "another"}))
    assert [body["subscriberPartnerIds"] for _, body in peer.heard] == [[PARTNERS[EMP]], ["another"]]


# What is refused before anything is sent


@pytest.mark.parametrize(
    ("told", "field"),
    [
        (step(OfferStep.NETWORK, ids=IDS, groups=(group("G1"), group("G2", "FR*HUB*E3"))), "evse_groups"),
        (step(OfferStep.OFFER, ids=HubIds(groups={"G1": "g"})), ""),
        (step(OfferStep.OFFER, offer=offer(document="D1")), "document"),
        (step(OfferStep.DOCUMENT), "document"),
        (
            step(OfferStep.DOCUMENT, document=Document(name="t.txt", media_type="text/plain", content=b"YQ==")),
            "document",
        ),
        (
            step(OfferStep.DOCUMENT, document=Document(name="a\nb", media_type="application/pdf", content=b"YQ==")),
            "document",
        ),
        (step(OfferStep.PRICES, ids=HubIds(network="n", groups={"G1": "g"})), ""),
        (step(OfferStep.PRICES, offer=limited()), "ends"),
        (step(OfferStep.PRICES, groups=(group("G1"), group("G2", "FR*HUB*E3"))), "evse_groups"),
        (step(OfferStep.PRICES, groups=()), "evse_groups"),
        (step(OfferStep.OFFER, tariffs={}), "tariffs[0]"),
        (step(OfferStep.OFFER, offer=offer(joining=Joining.OPEN)), "joining"),
    ],
    ids=[
        "a group more",
        "no network",
        "no id of the document",
        "no document",
        "no PDF",
        "no name",
        "no offer",
        "limited",
        "a group more in later prices",
        "a group less in later prices",
        "no tariff",
        "open",
    ],
)
async def test_what_cannot_be_said_is_refused_by_its_field_and_never_sent(
    hub: HubjectAdapter, peer: NgpPeer, told: OfferToTell, field: str
) -> None:
    with pytest.raises(Refused) as refused:
        hub.render(hub.of_offer(told))
    assert refused.value.reason.field == field
    assert peer.heard == []


async def test_a_document_that_is_too_large_is_refused(hub: HubjectAdapter) -> None:
    document = Document(name="t.pdf", media_type="application/pdf", content=b"")
    large = document.model_copy(update={"content": b"%PDF" + b" " * 10_000_000})
    with pytest.raises(Refused, match="larger"):
        hub.render(hub.of_offer(step(OfferStep.DOCUMENT).model_copy(update={"document": large})))


async def test_an_offer_can_be_checked_before_it_is_published(hub: HubjectAdapter) -> None:
    hub.check_offer(offer(), terms())
    with pytest.raises(Refused) as refused:
        hub.check_offer(offer(), terms(services=frozenset(Service)))
    assert refused.value.reason.field == "services"
    profile = hub.offers
    assert (profile.told, profile.subscribed_there, profile.least_lead_time_days) == (True, True, 15)
    assert profile.joinings == {Joining.SUBSCRIBE, Joining.APPROVE}
    assert profile.announced_for(offer()) > profile.announced_for(offer(audience=(EMP,)))


async def test_without_the_settings_offers_are_made_in_hubjects_portal_alone(peer: NgpPeer) -> None:
    plain = telling(peer, offers=None)
    try:
        assert (plain.offers.told, plain.offers.subscribed_there) == (False, True)
        assert plain.roaming.feeds == {}
        assert not {"offers", "offer_documents"} & plain.charging.messages.keys()
        plain.check_offer(offer(joining=Joining.OPEN), terms())
        with pytest.raises(Refused):
            plain.of_offer(step(OfferStep.OFFER))
    finally:
        await plain.close()


async def test_what_was_told_before_the_settings_were_taken_away_is_not_sent(
    hub: HubjectAdapter, peer: NgpPeer
) -> None:
    message = hub.of_offer(step(OfferStep.OFFER))
    call, _ = hub.render(message)
    plain = telling(peer, offers=None)
    try:
        with pytest.raises(Refused):
            plain.render(message)
        assert isinstance(await plain.tell(call, doubtful=False), Misconfigured)
        assert peer.heard == []
    finally:
        await plain.close()


# What answers mean

FAULT = {
    "message": "Error parsing/validating JSON.",
    "extendedInfo": None,
    "validationErrors": [{"fieldReference": "validFrom", "errorMessage": "is not in the future"}],
}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, FAULT, RefusedByHub("HTTP 400", "Error parsing/validating JSON.; validFrom: is not in the future")),
        (400, b"<html>no</html>", RefusedByHub("HTTP 400", "")),
        (404, {"message": "network net-1 not found"}, RefusedByHub("HTTP 404", "network net-1 not found")),
        (404, [], RefusedByHub("HTTP 404", "")),
        (409, {"message": None, "validationErrors": ["odd"]}, RefusedByHub("HTTP 409", "")),
        (413, b"", RefusedByHub("HTTP 413", "")),
        (201, {}, OutcomeUnknown("HTTP 201, and an answer without sense")),
        (201, b"{", OutcomeUnknown("HTTP 201, and an answer without sense")),
        (200, {"id": 7}, OutcomeUnknown("HTTP 200, and an answer without sense")),
        (500, b"", OutcomeUnknown("HTTP 500 without a status code")),
        (408, b"", OutcomeUnknown("HTTP 408 without a status code")),
        (503, b"", NotSent("HTTP 503 without a status code")),
        (429, b"", Throttled(None)),
        (401, b"", NotSent("HTTP 401: Hubject's API for offers is not open to this certificate")),
        (403, b"", NotSent("HTTP 403: Hubject's API for offers is not open to this certificate")),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_an_answer_means_what_its_status_says(
    hub: HubjectAdapter, peer: NgpPeer, status: int, body: Any, outcome: Outcome
) -> None:
    peer.say("offer", (status, body))
    assert await tell(hub, step(OfferStep.OFFER)) == outcome


async def test_a_certificate_that_is_not_taken_pauses_the_connection(hub: HubjectAdapter, peer: NgpPeer) -> None:
    peer.say("offer", (400, b"<center>No required SSL certificate was sent</center>"))
    assert isinstance(await tell(hub, step(OfferStep.OFFER)), Misconfigured)


async def test_nobody_there_is_no_outcome_in_doubt(peer: NgpPeer) -> None:
    nobody = telling(peer, ngp_url="http://127.0.0.1:1")
    try:
        assert isinstance(await tell(nobody, step(OfferStep.OFFER)), NotSent)
    finally:
        await nobody.close()


async def test_an_evse_that_did_not_come_to_its_group_is_told(hub: HubjectAdapter, peer: NgpPeer) -> None:
    told = {"NetworkName": "O1", "GroupsAssignments": [{"GroupName": "Group G1", "Evses": ["FRHUBE1"]}]}
    peer.say("members", (200, told))
    outcome = await tell(hub, step(OfferStep.MEMBERS))
    assert outcome == RefusedByHub("NOT_ASSIGNED", "1 EVSEs did not come to their group, as FR*HUB*E2")


async def test_a_network_that_lacks_a_group_leaves_it_open_what_was_made(hub: HubjectAdapter, peer: NgpPeer) -> None:
    peer.say("network", (201, {"id": "n", "evseGroups": [{"id": "g", "groupName": "Another"}]}))
    assert isinstance(await tell(hub, step(OfferStep.NETWORK)), OutcomeUnknown)


async def test_each_kind_of_request_is_measured_under_its_name(peer: NgpPeer) -> None:
    seen = Measured()
    hub = telling(peer, seen)
    try:
        await tell(hub, step(OfferStep.NETWORK))
        await tell(hub, step(OfferStep.OFFER), doubtful=True)
    finally:
        await hub.close()
    assert [(one.operation, one.outcome) for one in seen.requests] == [
        ("offers_network", "delivered"),
        ("offers_info", "delivered"),
        ("offers_offer", "delivered"),
    ]


# Where an answer was lost


@pytest.mark.parametrize("which", list(OfferStep))
async def test_an_answer_that_was_lost_leaves_the_outcome_in_doubt(
    hub: HubjectAdapter, peer: NgpPeer, which: OfferStep
) -> None:
    document = Document(name="t.pdf", media_type="application/pdf", content=b"YQ==")
    peer.say(which.value, LOST)
    assert isinstance(await tell(hub, step(which, document=document)), OutcomeUnknown)


async def test_an_offer_that_was_taken_without_an_answer_is_found_by_its_title_and_not_made_again(
    hub: HubjectAdapter, peer: NgpPeer
) -> None:
    peer.say("offer", LOST)
    assert isinstance(await tell(hub, step(OfferStep.OFFER)), OutcomeUnknown)
    asked = peer.heard[0][1]
    other = {**asked, "partnerInternalId": "Another"}
    peer.offers = [
        info(created("other", other)),
        info(created("old", asked, status="CANCELLED", cancellationTo="2026-01-01T00:00:00Z")),
        info(created("ours", asked)),
    ]
    assert await tell(hub, step(OfferStep.OFFER), doubtful=True) == Delivered({"offer": "ours"})
    assert peer.asked() == ["offer", "info"]


async def test_an_offer_to_all_that_is_not_listed_is_told_once_more(hub: HubjectAdapter, peer: NgpPeer) -> None:
    assert await tell(hub, step(OfferStep.OFFER), doubtful=True) == Delivered({"offer": "offer-1"})
    assert peer.asked() == ["info", "offer"]


async def test_a_bilateral_offer_that_is_not_listed_is_left_to_a_person(hub: HubjectAdapter, peer: NgpPeer) -> None:
    outcome = await tell(hub, step(OfferStep.OFFER, offer=offer(audience=(EMP,))), doubtful=True)
    assert isinstance(outcome, RefusedByHub)
    assert outcome.code == "IN_DOUBT"
    assert "portal" in outcome.text
    assert peer.asked() == ["info"]


async def test_a_bilateral_offer_that_is_listed_once_it_has_begun_is_found_then(
    hub: HubjectAdapter, peer: NgpPeer
) -> None:
    given = offer(audience=(EMP,))
    peer.say("offer", LOST)
    await tell(hub, step(OfferStep.OFFER, offer=given))
    assert isinstance(await tell(hub, step(OfferStep.OFFER, offer=given), doubtful=True), RefusedByHub)
    peer.offers = [info(created("ours", peer.heard[0][1]))]
    assert await tell(hub, step(OfferStep.OFFER, offer=given), doubtful=True) == Delivered({"offer": "ours"})
    assert peer.asked() == ["offer", "info", "info"]


@pytest.mark.parametrize(
    ("said", "outcome"), [((500, b""), OutcomeUnknown), ((403, b""), OutcomeUnknown), ((429, b""), Throttled)]
)
async def test_as_long_as_offers_cannot_be_read_back_the_doubt_stays(
    hub: HubjectAdapter, peer: NgpPeer, said: Any, outcome: type[Outcome]
) -> None:
    peer.say("info", said)
    assert isinstance(await tell(hub, step(OfferStep.OFFER), doubtful=True), outcome)
    assert peer.asked() == ["info"]


@pytest.mark.parametrize(
    "held",
    [
        {"id": "off-1", "nextServiceOfferId": "off-2"},
        {"id": "off-2", "previousServiceOfferId": "off-1"},
    ],
    ids=["the one before names it", "it names the one before"],
)
async def test_later_prices_that_were_taken_without_an_answer_are_found(
    hub: HubjectAdapter, peer: NgpPeer, held: dict[str, Any]
) -> None:
    peer.offers = [{"serviceOffer": {"id": "odd"}}, {}, {"serviceOffer": held}]
    assert await tell(hub, step(OfferStep.PRICES), doubtful=True) == Delivered({"offer": "off-2"})
    assert peer.asked() == ["info"]


async def test_later_prices_that_are_not_found_are_told_once_more(hub: HubjectAdapter, peer: NgpPeer) -> None:
    peer.offers = [{"serviceOffer": {"id": "off-1", "nextServiceOfferId": None}}]
    assert await tell(hub, step(OfferStep.PRICES), doubtful=True) == Delivered({"offer": "offer-1"})


async def test_a_network_whose_ids_were_lost_is_left_to_a_person(hub: HubjectAdapter, peer: NgpPeer) -> None:
    peer.say("network", LOST, (400, {"message": "evseNetworkName: must be unique"}))
    assert isinstance(await tell(hub, step(OfferStep.NETWORK)), OutcomeUnknown)
    outcome = await tell(hub, step(OfferStep.NETWORK), doubtful=True)
    assert isinstance(outcome, RefusedByHub)
    assert outcome.text.startswith("evseNetworkName: must be unique; an earlier try may have been taken")
    assert "set the offer's ids" in outcome.text


async def test_evses_that_are_refused_at_a_second_try_are_refused_for_the_reason_that_hubject_gives(
    hub: HubjectAdapter, peer: NgpPeer
) -> None:
    peer.say("members", LOST, (400, {"message": "FR*HUB*E2 is in another group"}))
    assert isinstance(await tell(hub, step(OfferStep.MEMBERS)), OutcomeUnknown)
    outcome = await tell(hub, step(OfferStep.MEMBERS), doubtful=True)
    assert outcome == RefusedByHub("HTTP 400", "FR*HUB*E2 is in another group")


async def test_a_network_that_was_not_made_after_all_is_made(hub: HubjectAdapter, peer: NgpPeer) -> None:
    outcome = await tell(hub, step(OfferStep.NETWORK), doubtful=True)
    assert outcome == Delivered({"network": "network-2", "network_name": "O1", "groups": {"G1": "group-1"}})


async def test_a_document_is_uploaded_once_more(hub: HubjectAdapter, peer: NgpPeer) -> None:
    document = Document(name="t.pdf", media_type="application/pdf", content=b"YQ==")
    outcome = await tell(hub, step(OfferStep.DOCUMENT, document=document), doubtful=True)
    assert outcome == Delivered({"document": "document-1"})
    assert peer.asked() == ["document"]


@pytest.mark.parametrize("name", ["Bedingungen für EMPs.pdf", 'a "quoted" name.pdf', "one; two=three.pdf"])
async def test_a_document_keeps_its_name_whatever_signs_are_in_it(
    hub: HubjectAdapter, peer: NgpPeer, name: str
) -> None:
    document = Document(name=name, media_type="application/pdf", content=b"YQ==")
    await tell(hub, step(OfferStep.DOCUMENT, document=document))
    assert peer.heard[0][1]["name"] == name
