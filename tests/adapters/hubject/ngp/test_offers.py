"""Documents, offers and their prices: what Hubject takes, and what it refuses by its rules."""

from typing import Any

import aiohttp
import pytest

from adapters.hubject.sandbox import OfferRules
from tests.adapters.hubject.ngp.judge import judge, whole
from tests.adapters.hubject.ngp.trading import (
    ATTACHMENTS,
    EVSES,
    INFO,
    OFFERS,
    RIVAL,
    WEEK,
    Trade,
    bilateral,
    later,
    limited,
    offered,
    product,
    tariff,
    trading,
    two_step,
    updated,
)

RESERVATION = {"serviceTypeId": 10, "serviceTypeName": "Reservation", "serviceTypeVersionNumber": 1}


async def upload(trade: Trade, content: bytes = b"%PDF-1.7 ...", kind: str | None = "pdf", query: str = "") -> Any:
    form = aiohttp.FormData()
    form.add_field("file", content, filename="terms.pdf", content_type="application/pdf")
    if kind is not None:
        form.add_field("attachmentType", kind)
    async with trade.session.post(f"{ATTACHMENTS}{query}", data=form) as answer:
        return answer.status, await answer.json()


# Documents


async def test_terms_are_uploaded_and_stand_in_the_offer(trade: Trade) -> None:
    status, answer = await upload(trade)
    assert (status, answer["originalFileName"]) == (201, "terms.pdf")
    judge("cpo-offers", "AttachmentUploadResponse", answer)
    network = await trade.network(EVSES)
    made = await trade.offer(network, uploadedAttachmentId=answer["uploadedAttachmentId"])
    assert [each["id"] for each in made["attachments"]] == [answer["uploadedAttachmentId"]]
    judge("cpo-offers", "ServiceOfferDTO", made)


@pytest.mark.parametrize(
    ("content", "kind", "query", "status"),
    [
        (b"%PDF-1.4", "PDF", "", 201),
        (b"%PDF-1.4", None, "?attachmentType=pdf", 201),
        (b"%PDF-1.4", None, "", 400),
        (b"%PDF-1.4", "docx", "", 400),
        (b"<html>", "pdf", "", 400),
        (b"", "pdf", "", 400),
    ],
)
async def test_only_a_pdf_is_taken(trade: Trade, content: bytes, kind: str | None, query: str, status: int) -> None:
    assert (await upload(trade, content, kind, query))[0] == status


async def test_what_is_no_form_is_no_document(trade: Trade) -> None:
    assert (await trade.ask("POST", ATTACHMENTS, {}))[0] == 415


# Offers


async def test_an_offer_is_pending_until_it_begins(trade: Trade) -> None:
    network = await trade.network([EVSES[0]], [EVSES[1]])
    made = await trade.offer(network, leadTime="42", **two_step())
    judge("cpo-offers", "ServiceOfferDTO", made)
    whole("cpo-offers", "ServiceOfferDTO", made)
    assert (made["status"], made["leadTime"], made["version"]) == ("PENDING", 42, 0)
    assert made["validTo"].startswith("+13544-")
    assert await trade.info() == []
    await trade.at(days=50)
    (told,) = await trade.info()
    judge("cpo-offers", "ServiceOfferInfoDTO", told)
    assert told["serviceOffer"] == made | {"status": "ACTIVE"}
    assert told["network"] == {
        "networkId": network["id"],
        "networkName": "All",
        "groupCount": 2,
        "evseCount": 2,
    }
    assert [len(each["days"]) for each in told["pricingDetails"]] == [7, 7]


async def test_a_limited_offer_is_over_at_its_end(trade: Trade) -> None:
    network = await trade.network(EVSES)
    made = await trade.offer(network, **limited())
    assert (made["validTo"], made["originalServiceOfferId"], made["periodOfNotice"]) == (later(days=100), None, 14)
    await trade.at(days=99.9)
    assert len(await trade.info()) == 1
    await trade.at(days=100)
    assert await trade.info() == []


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"validFrom": later(days=-1)}, {"validFrom"}),
        ({"validFrom": later(days=41)}, {"validFrom"}),
        ({"validFrom": "2026-08-01T00:00:00"}, {"validFrom"}),
        ({"validFrom": 1780000000}, {"validFrom"}),
        ({"validTo": later(days=400)}, {"validTo"}),
        ({"leadTime": None}, {"leadTime"}),
        ({"leadTime": 14}, {"leadTime"}),
        ({"leadTime": 10**9}, {"leadTime"}),
        ({"cancellationPeriod": 10**9}, {"cancellationPeriod"}),
        (limited(validFrom="9998-06-01T00:00:00Z", validTo="9998-06-02T00:00:00Z"), {"validTo"}),
        ({"periodOfNotice": 5}, {"periodOfNotice"}),
        ({"cancellationPeriod": 0}, {"cancellationPeriod"}),
        ({"minimumTerm": 0}, {"minimumTerm"}),
        ({"minimumTerm": 91}, {"minimumTerm"}),
        ({"pricingType": "PRODUCT"}, {"pricingType"}),
        ({"serviceTypeVersion": RESERVATION | {"serviceTypeId": 2}}, {"serviceTypeVersion.serviceTypeId"}),
        ({"serviceTypeVersion": RESERVATION | {"serviceTypeId": 1}}, {"serviceTypeVersion.serviceTypeName"}),
        ({"partnerInternalId": ""}, {"partnerInternalId"}),
        ({"serviceOfferId": None}, {"serviceOfferId"}),
        ({"description": "x" * 256}, {"description"}),
        ({"subscriberPartnerIds": ["x"]}, {"subscriberPartnerIds"}),
        ({"twoStepProcess": True}, {"twoStepRequiredMasterDataFields"}),
        (two_step(twoStepRequiredMasterDataFields={"taxId": False}), {"twoStepRequiredMasterDataFields"}),
        (two_step(twoStepProcess=False), {"twoStepRequiredMasterDataFields"}),
        (limited(leadTime=15), {"leadTime"}),
        (limited(validTo=None), {"validTo"}),
        (limited(validTo=later(days=49)), {"validTo"}),
        (limited(validTo=later(days=91)), {"validTo"}),
        (limited(validTo=later(days=50 + 732)), {"validTo"}),
        (bilateral(subscriberPartnerIds=[]), {"subscriberPartnerIds"}),
        (bilateral(subscriberPartnerIds=["NL-EMS"]), {"subscriberPartnerIds[0]"}),
        (bilateral(validFrom=later(seconds=0)), {"validFrom"}),
        (bilateral(**two_step()), {"twoStepProcess", "twoStepRequiredMasterDataFields"}),
    ],
)
async def test_terms_against_the_rules_are_refused(trade: Trade, changes: Any, fields: set[str]) -> None:
    network = await trade.network(EVSES)
    status, answer = await trade.ask("POST", OFFERS, offered(network, **changes))
    assert status == 400, answer
    assert {each["fieldReference"] for each in answer["validationErrors"]} == fields
    judge("cpo-evse", "FaultBody", answer)
    assert await trade.ask("GET", "/_sandbox/offers") == (200, [])


@pytest.mark.parametrize(
    "changes",
    [
        limited(validTo=later(days=92)),
        limited(validTo=later(days=50 + 730)),
        bilateral(validFrom=later(seconds=1)),
        bilateral(**limited(validFrom=later(days=1), validTo=later(days=2))),
        {"twoStepProcess": False, "subscriberPartnerIds": []},
    ],
)
async def test_terms_within_the_rules_are_taken(trade: Trade, changes: dict[str, Any]) -> None:
    await trade.offer(await trade.network(EVSES), **changes)


async def test_productions_cancellation_period_may_be_asked_for() -> None:
    async with trading(rules=OfferRules(announced_days=0)) as trade:
        await trade.do("offer-rules", {"cancellation_days": 42})
        network = await trade.network(EVSES)
        assert await trade.wrong("POST", OFFERS, offered(network)) == {"cancellationPeriod"}
        await trade.offer(network, cancellationPeriod=42, validFrom=later(hours=1))


@pytest.mark.parametrize("field", ["networkId", "uploadedAttachmentId"])
async def test_an_unknown_network_or_document_is_not_found(trade: Trade, field: str) -> None:
    network = await trade.network(EVSES)
    assert (await trade.ask("POST", OFFERS, offered(network, **{field: "nobody's"})))[0] == 404


async def test_there_is_one_offer_to_all_for_a_service_at_a_time(trade: Trade) -> None:
    network = await trade.network(EVSES)
    await trade.offer(network, **limited())
    beside = {"tariffs": [tariff("b")], "products": plans(network, ("00:00", "23:59:59", "b"))}
    overlap = offered(network, **limited(validFrom=later(days=60), validTo=later(days=200)), **beside)
    assert await trade.wrong("POST", OFFERS, overlap) == {"validFrom"}
    named = {"tariffs": [tariff("c")], "products": plans(network, ("00:00", "23:59:59", "c"))}
    await trade.offer(network, **bilateral(RIVAL), **named)
    named = {"tariffs": [tariff("d")], "products": plans(network, ("00:00", "23:59:59", "d"))}
    await trade.offer(network, serviceTypeVersion=RESERVATION, **named)
    await trade.offer(network, validFrom=later(days=100), **beside)


# Prices


def plans(network: dict[str, Any], *slots: tuple[str, str, str], days: Any = WEEK) -> list[dict[str, Any]]:
    return [product(each["id"], [{"daysOfTheWeek": days, "timeSlots": list(slots)}]) for each in network["evseGroups"]]


@pytest.mark.parametrize(
    ("slots", "wrong"),
    [
        ([("00:00:00", "23:59:59", "day")], False),
        ([("22:00:00", "23:59:59", "day"), ("00:00", "21:59:59", "night")], False),
        ([("00:00:00", "21:59:59", "day")], True),
        ([("00:00:01", "23:59:59", "day")], True),
        ([("00:00:00", "12:00:00", "day"), ("12:00:00", "23:59:59", "night")], True),
        ([("00:00:00", "11:59:59", "day"), ("12:30:00", "23:59:59", "night")], True),
        ([("00:00:00", "23:59:00", "day")], True),
        ([("00:00:00", "24:00:00", "day")], True),
        ([("00:00:00", "23:59:59", "nobody's")], True),
    ],
)
async def test_the_slots_of_a_day_cover_it(trade: Trade, slots: Any, wrong: bool) -> None:
    network = await trade.network(EVSES)
    body = offered(network, tariffs=[tariff(), tariff("night")], products=plans(network, *slots))
    status, answer = await trade.ask("POST", OFFERS, body)
    assert status == (400 if wrong else 201), answer
    assert all("timeSlots" in each["fieldReference"] for each in answer.get("validationErrors", ()))


async def test_every_group_and_day_has_one_price_in_one_currency(trade: Trade) -> None:
    network = await trade.network([EVSES[0]], [EVSES[1]])
    first, second = offered(network)["products"]

    async def wrong(**changes: Any) -> set[str]:
        return await trade.wrong("POST", OFFERS, offered(network, **changes))

    assert await wrong(products=[first]) == {"products"}
    assert await wrong(products=[first, second, first]) == {"products[0].groupId", "products[2].groupId"}
    assert await wrong(products=[first, second | {"groupId": "x"}]) == {"products[1].groupId", "products"}
    francs = product(second["groupId"], currency="CHF")
    assert await wrong(products=[first, francs]) == {"products[1].product.currency"}
    assert await wrong(tariffs=[tariff(), tariff("night", currency="CHF")]) == {"tariffs[1].currency"}
    assert await wrong(tariffs=[tariff(), tariff()]) == {"tariffs[0].name", "tariffs[1].name"}
    workdays = plans(network, ("00:00:00", "23:59:59", "day"), days=WEEK[:5])
    paths = {f"products[{number}].product.timePlans" for number in (0, 1)}
    assert await wrong(products=workdays) == paths
    assert await wrong(products=plans(network, ("00:00:00", "23:59:59", "day"), days=[*WEEK, "MONDAY"])) == paths


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"currency": None}, "tariffs[0].currency"),
        ({"currency": "eur"}, "tariffs[0].currency"),
        ({"currency": "XYZ"}, "tariffs[0].currency"),
        ({"name": None}, "tariffs[0].name"),
        ({"pricingComponents": []}, "tariffs[0].pricingComponents"),
    ],
)
async def test_a_tariff_has_name_currency_and_components(trade: Trade, changes: Any, field: str) -> None:
    network = await trade.network(EVSES)
    assert await trade.wrong("POST", OFFERS, offered(network, tariffs=[tariff() | changes])) == {field}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cost": None}, "cost"),
        ({"cost": -1}, "cost"),
        ({"referenceUnit": "MINUTE"}, "referenceUnit"),
        ({"type": "FLAT"}, "type"),
        ({"gracePeriod": -1}, "gracePeriod"),
    ],
)
async def test_a_component_has_a_cost_by_its_unit(trade: Trade, changes: Any, field: str) -> None:
    network, priced = await trade.network(EVSES), tariff()
    priced["pricingComponents"][0] |= changes
    path = f"tariffs[0].pricingComponents[0].{field}"
    assert await trade.wrong("POST", OFFERS, offered(network, tariffs=[priced])) == {path}


# New prices


async def test_new_prices_hold_from_their_date_and_the_old_ones_are_history(trade: Trade) -> None:
    network = await trade.network(EVSES)
    made = await trade.offer(network)
    await trade.at(days=60)
    status, second = await trade.ask("PUT", f"{OFFERS}/{made['id']}", updated(network, later(days=75)))
    assert (status, second["status"], second["version"]) == (200, "PENDING", 1)
    judge("cpo-offers", "ServiceOfferDTO", second)
    assert second["previousServiceOfferId"] == second["originalServiceOfferId"] == made["id"]
    (told,) = await trade.info()
    assert (told["serviceOffer"]["id"], told["serviceOffer"]["nextServiceOfferId"]) == (made["id"], second["id"])
    await trade.at(days=75)
    (told,) = await trade.info()
    assert (told["serviceOffer"]["id"], told["serviceOffer"]["status"]) == (second["id"], "ACTIVE")
    assert cost(told) == 0.6
    status, answer = await trade.ask("GET", f"{OFFERS}/{second['id']}/historical-versions-info")
    assert status == 200
    judge("cpo-offers", "ActiveNgpOfferDetailsDTO", answer)
    (old,) = answer["offersInfo"]
    assert (old["serviceOffer"]["id"], old["serviceOffer"]["status"], cost(old)) == (made["id"], "CANCELLED", 0.5)
    assert old["serviceOffer"]["cancellationTo"] == later(days=75, seconds=-1).replace("Z", ".999Z")
    assert (await trade.ask("GET", f"{OFFERS}/{made['id']}/historical-versions-info"))[0] == 404


def cost(told: dict[str, Any]) -> float:
    found = told["pricingDetails"][0]["days"][0]["Tariffs"][0]["PricingComponents"][0]["Cost"]
    assert isinstance(found, float)
    return found


async def test_new_prices_keep_the_lead_time_and_the_network(trade: Trade) -> None:
    network, other = await trade.network(EVSES[:2]), await trade.network(EVSES[2:], name="Other")
    made = await trade.offer(network)
    path = f"{OFFERS}/{made['id']}"
    assert await trade.wrong("PUT", path, updated(network, later(days=14))) == {"updateDate"}
    assert await trade.wrong("PUT", path, updated(network, later(days=50))) == {"updateDate"}
    assert "networkId" in await trade.wrong("PUT", path, updated(other, later(days=60)))
    assert await trade.wrong("PUT", path, updated(network, later(days=60), name="day")) == {"tariffs[0].name"}
    missing = updated(network, later(days=60)) | {"nextServiceOfferId": None}
    assert await trade.wrong("PUT", path, missing) == {"nextServiceOfferId"}
    assert (await trade.ask("PUT", path, updated({**network, "id": "x"}, later(days=60))))[0] == 404
    assert (await trade.ask("PUT", f"{OFFERS}/x", updated(network, later(days=60))))[0] == 404
    assert (await trade.ask("PUT", path, updated(network, later(days=60))))[0] == 200
    assert await trade.wrong("PUT", path, updated(network, later(days=70), "third")) == {"serviceOfferId"}


async def test_a_limited_offer_never_changes(trade: Trade) -> None:
    network = await trade.network(EVSES)
    made = await trade.offer(network, **limited())
    path = f"{OFFERS}/{made['id']}"
    assert await trade.wrong("PUT", path, updated(network, later(days=80))) == {"serviceOfferId"}
    await trade.at(days=50)
    assert (await trade.ask("GET", f"{path}/historical-versions-info"))[0] == 404


# All of it


async def test_another_operators_offers_are_not_told(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES))
    await trade.at(days=51)
    status, answer = await trade.ask("GET", INFO.replace("HUB", "OTH"))
    assert (status, answer) == (200, {"offersInfo": []})
    theirs = f"{OFFERS.replace('HUB', 'OTH')}/{made['id']}/historical-versions-info"
    assert (await trade.ask("GET", theirs))[0] == 404
