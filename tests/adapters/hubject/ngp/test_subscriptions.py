"""What is done in the portal, by control requests, and what becomes of it with time."""

from typing import Any

import pytest

from tests.adapters.hubject.ngp.judge import judge, whole
from tests.adapters.hubject.ngp.trading import (
    DATA,
    EVSES,
    RIVAL,
    Trade,
    bilateral,
    ems_id,
    later,
    limited,
    two_step,
    updated,
)


async def states(trade: Trade) -> list[str]:
    status, told = await trade.ask("GET", "/_sandbox/subscriptions")
    assert status == 200
    return [each["state"] for each in told]


async def test_an_emp_subscribes_and_is_told_of_to_the_cpo(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES))
    told = await trade.subscribed(made)
    assert (told["state"], told["active"], told["valid_from"]) == ("SUBSCRIBED", False, later(days=50))
    await trade.at(days=50)
    (info,) = await trade.info()
    (subscription,) = info["subscriptions"]
    judge("cpo-offers", "SubscriptionDTO", subscription)
    whole("cpo-offers", "SubscriptionDTO", subscription)
    assert subscription["id"] == told["id"]
    assert (subscription["subscriberPartnerExternalId"], subscription["subscriberPartnerId"]) == ("NL-EMS", ems_id())
    assert info["serviceOffer"]["nrOfActiveSubscriptions"] == 1


async def test_nobody_subscribes_twice_or_to_what_is_over(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES), **limited())
    await trade.subscribed(made)
    asked = {"provider": "NL-EMS", "offer": made["id"]}
    await trade.do("subscriptions/subscribe", asked, 409)
    await trade.at(days=100)
    assert await states(trade) == ["UNSUBSCRIBED"]
    await trade.do("subscriptions/subscribe", asked, 409)
    await trade.do("subscriptions/subscribe", asked | {"provider": "XX-NIX"}, 404)
    await trade.do("subscriptions/subscribe", asked | {"offer": "nobody's"}, 404)


async def test_a_bilateral_offer_is_seen_by_those_whom_it_names(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES), **bilateral(RIVAL))
    await trade.do("subscriptions/subscribe", {"provider": "NL-EMS", "offer": made["id"]}, 404)
    seen = {
        party: len((await trade.ask("GET", f"/_sandbox/offers?provider={party}"))[1]) for party in ("NL-EMS", "DE-EMP")
    }
    assert seen == {"NL-EMS": 0, "DE-EMP": 1}
    await trade.subscribed(made, "DE-EMP")


async def test_a_cpo_approves_what_it_was_asked(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES), **two_step())
    refused = await trade.do("subscriptions/subscribe", {"provider": "NL-EMS", "offer": made["id"]}, 400)
    wrong = {each["fieldReference"] for each in refused["validationErrors"]}
    assert wrong == {"taxId", "brandName", "billingContactEmail", "termsAndConditionsRead"}
    told = await trade.subscribed(made, data=DATA)
    assert told["state"] == "UNDER_REVIEW"
    await trade.at(days=50)
    # Nobody answered within seven days.
    assert await states(trade) == ["DECLINED"]
    await trade.do("subscriptions/approve", {"subscription": told["id"]}, 409)
    await trade.subscribed(made, data=DATA)
    (info,) = await trade.info()
    assert (info["subscriptions"], info["serviceOffer"]["nrOfPendingSubscriptions"]) == ([], 1)
    await trade.at(days=56.9)
    await trade.do("subscriptions/approve", {"provider": "NL-EMS", "offer": "to-all"})
    (info,) = await trade.info()
    (subscription,) = info["subscriptions"]
    judge("cpo-offers", "ServiceOfferInfoDTO", info)
    assert subscription["twoStepData"]["taxId"] == "NL001"
    assert (subscription["requestedDate"], subscription["validFrom"]) == (later(days=50), later(days=56.9))


async def test_a_cpo_declines_and_is_asked_again(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES), **two_step())
    told = await trade.subscribed(made, data=DATA)
    declined = {"subscription": told["id"], "error": "INVALID_VAT_ID", "why": "no such number"}
    told = await trade.do("subscriptions/decline", declined)
    assert (told["state"], told["error"], told["why"]) == ("DECLINED", "INVALID_VAT_ID", "no such number")
    await trade.do("subscriptions/decline", declined, 409)
    assert (await trade.subscribed(made, data=DATA))["state"] == "UNDER_REVIEW"
    assert await states(trade) == ["DECLINED", "UNDER_REVIEW"]


async def test_a_request_is_withdrawn_at_once(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES), **two_step())
    await trade.subscribed(made, data=DATA)
    await trade.do("subscriptions/cancel", {"provider": "NL-EMS", "offer": "to-all"})
    assert await states(trade) == []


async def test_a_subscription_is_cancelled_after_its_term_and_ends_after_its_period(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES))
    named = {"subscription": (await trade.subscribed(made))["id"]}
    await trade.at(days=56)
    await trade.do("subscriptions/cancel", named, 409)
    await trade.at(days=57)
    told = await trade.do("subscriptions/cancel", named)
    assert (told["state"], told["ends"]) == ("SUBSCRIBED", later(days=87))
    await trade.do("subscriptions/cancel", named, 409)
    await trade.at(days=86.9)
    (info,) = await trade.info()
    assert info["subscriptions"][0]["cancellationTo"] == later(days=87)
    await trade.at(days=87)
    assert await states(trade) == ["UNSUBSCRIBED"]
    assert (await trade.info())[0]["subscriptions"] == []


async def test_a_cancelled_offer_ends_for_everybody_after_its_period(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES))
    await trade.subscribed(made)
    await trade.at(days=60)
    told = await trade.do("offers/cancel", {"offer": made["id"]})
    assert (told["state"], told["ends"]) == ("ACTIVE", later(days=90))
    await trade.do("subscriptions/subscribe", {"provider": "DE-EMP", "offer": made["id"]}, 409)
    await trade.do("offers/cancel", {"offer": made["id"]}, 409)
    await trade.at(days=90)
    assert (await trade.info(), await states(trade)) == ([], ["UNSUBSCRIBED"])


async def test_an_offer_that_has_not_begun_is_cancelled_at_once(trade: Trade) -> None:
    network = await trade.network(EVSES)
    made = await trade.offer(network)
    assert (await trade.do("offers/cancel", {"offer": made["id"]}))["state"] == "CANCELLED"
    again: dict[str, Any] = updated(network, later(days=80))
    await trade.offer(network, tariffs=again["tariffs"], products=again["pricingDetails"])


async def test_a_subscription_has_an_id_in_each_version_of_the_prices(trade: Trade) -> None:
    network = await trade.network(EVSES)
    made = await trade.offer(network)
    told = await trade.subscribed(made)
    _, second = await trade.ask("PUT", f"{_path()}/{made['id']}", updated(network, later(days=60)))
    await trade.at(days=60)
    (info,) = await trade.info()
    (subscription,) = info["subscriptions"]
    assert subscription["id"] != told["id"]
    assert (subscription["serviceOfferId"], subscription["validFrom"]) == (second["id"], later(days=60))
    # Either id names it.
    await trade.do("subscriptions/cancel", {"subscription": subscription["id"]})
    _, old = await trade.ask("GET", f"{_path()}/{second['id']}/historical-versions-info")
    (before,) = old["offersInfo"][0]["subscriptions"]
    judge("cpo-offers", "SubscriptionDTO", before)
    assert (before["id"], before["validTo"]) == (told["id"], later(days=60, seconds=-1).replace("Z", ".999Z"))


def _path() -> str:
    return "/api/partner/v1/operators/FR*HUB/service-offers"


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("subscriptions/subscribe", {"provider": "NL-EMS"}),
        ("subscriptions/approve", {}),
        ("subscriptions/decline", {"subscription": "x", "error": "NO"}),
        ("offers/cancel", {"operator": "x"}),
        ("offer-rules", {"announced_days": -1}),
        ("offer-rules", {"announced_days": None}),
        ("clock", {"now": "soon"}),
        ("clock", {"now": "1999-12-31T00:00:00Z"}),
        ("clock", {"rate": -1}),
    ],
)
async def test_orders_that_make_no_sense_are_refused(trade: Trade, what: str, body: Any) -> None:
    await trade.do(what, body, 400)


async def test_what_is_forgotten_is_offered_no_more(trade: Trade) -> None:
    await trade.subscribed(await trade.offer(await trade.network(EVSES)))
    assert (await trade.ask("DELETE", "/_sandbox/memory"))[0] == 200
    assert await trade.ask("GET", "/_sandbox/offers") == (200, [])
    assert await states(trade) == []
    assert await trade.ask("GET", "/_sandbox/evse-networks?operator=FR*HUB") == (200, [])
