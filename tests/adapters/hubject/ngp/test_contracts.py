"""What an EMP is told of its contracts, and what Hubject lets pass because of them."""

from datetime import timedelta
from typing import Any

import pytest

from tests.adapters.hubject.charging import CARD, CDR, OPERATOR, START, asking, cdr
from tests.adapters.hubject.emps import EVCO, REMOTE_START, RESERVE, yes
from tests.adapters.hubject.ngp.judge import judge, whole
from tests.adapters.hubject.ngp.test_offers import RESERVATION
from tests.adapters.hubject.ngp.trading import CONTRACTS, EVSES, Trade, bilateral, later, updated
from tests.adapters.hubject.ngp.trading import START as BEGIN

REMOTE: dict[str, Any] = {
    "ProviderID": "NL-EMS",
    "EvseID": EVSES[0],
    "Identification": {"RemoteIdentification": {"EvcoID": EVCO}},
}


async def remote(trade: Trade, path: str = REMOTE_START) -> str:
    """The code by which Hubject answers a command; 310 where it was passed on, and nobody is there."""
    _, answer = await trade.post(path, REMOTE)
    return str(answer["StatusCode"]["Code"])


async def contracts(trade: Trade) -> list[dict[str, Any]]:
    status, answer = await trade.ask("GET", CONTRACTS)
    assert status == 200
    judge("emp-contracts", "ContractInfoDTO", by_swagger(answer))
    found = answer["Offers"]
    assert isinstance(found, list)
    return found


def by_swagger(answer: dict[str, Any]) -> dict[str, Any]:
    """In the EMP's swagger an end of day beyond the calendar is a date-time, which the judge does not look into."""
    whole("emp-contracts", "ContractInfoDTO", answer)
    return answer


async def test_an_emp_sees_its_active_contracts_with_their_prices(trade: Trade) -> None:
    network = await trade.network(EVSES[:2], [])
    made = await trade.offer(network)
    await trade.subscribed(made)
    assert await contracts(trade) == []
    _, second = await trade.ask(
        "PUT", f"/api/partner/v1/operators/FR*HUB/service-offers/{made['id']}", updated(network, later(days=60))
    )
    await trade.at(days=55)
    (told,) = await contracts(trade)
    assert told["OfferDetails"]["ServiceOfferId"] == made["id"]
    assert told["SubscriptionDetails"]["ValidTo"] == later(days=60, seconds=-1).replace("Z", ".999Z")
    assert [each["Days"][0]["Tariffs"][0]["PricingComponents"][0]["Cost"] for each in told["Pricing"]] == [0.5, 0.5]
    await trade.at(days=60)
    (told,) = await contracts(trade)
    assert told["OfferDetails"]["ServiceOfferId"] == second["id"]
    assert [each["Days"][0]["Tariffs"][0]["PricingComponents"][0]["Cost"] for each in told["Pricing"]] == [0.6, 0.6]
    assert told["NetworkDetails"] == {
        "NetworkId": network["id"],
        "NetworkName": "All",
        "GroupCount": 2,
        "EvseCount": 2,
    }


async def test_the_evses_of_a_group_come_in_pages(trade: Trade) -> None:
    network = await trade.network(EVSES)
    made = await trade.offer(network)
    group = network["evseGroups"][0]["id"]
    path = f"{CONTRACTS}/service-offers/{made['id']}/networks/{network['id']}/groups/{group}/evses"
    assert (await trade.ask("GET", path))[0] == 404
    await trade.subscribed(made)
    await trade.at(days=50)
    _, page = await trade.ask("GET", path)
    judge("emp-contracts", "PageServiceOfferNetworkGroupEvse", page)
    whole("emp-contracts", "PageServiceOfferNetworkGroupEvse", page)
    assert (page["size"], page["totalElements"], page["totalPages"]) == (20, 3, 1)
    assert [each["evseId"] for each in page["content"]] == list(EVSES)
    _, page = await trade.ask("GET", f"{path}?page=1&size=2&sort=evseId,desc")
    assert ([each["evseId"] for each in page["content"]], page["last"]) == ([EVSES[0]], True)
    _, page = await trade.ask("GET", f"{path}?page=7&size=2")
    assert (page["content"], page["empty"], page["last"]) == ([], True, True)
    assert (await trade.ask("GET", f"{path}?sort=colour"))[0] == 400
    for wrong in (path.replace(group, "x"), path.replace(network["id"], "x"), path.replace(made["id"], "x")):
        assert (await trade.ask("GET", wrong))[0] == 404


async def test_subscriptions_decide_once_an_offer_has_begun(trade: Trade) -> None:
    assert await remote(trade) != "210"
    network = await trade.network(EVSES)
    made = await trade.offer(network, **bilateral(), validFrom=later(days=1))
    assert await remote(trade) != "210"
    await trade.at(days=1)
    assert await remote(trade) == "210"
    await trade.subscribed(made)
    assert await remote(trade) != "210"
    # The contracts that were said of it before decide no more, of this operator and service.
    await trade.do("contracts", [{"provider": "NL-EMS", "operator": "FR*HUB", "agreed": False}])
    assert (await remote(trade) == "210", await remote(trade, RESERVE)) == (False, "210")


async def test_a_contract_is_for_a_service(trade: Trade) -> None:
    made = await trade.offer(
        await trade.network(EVSES), **bilateral(), serviceTypeVersion=RESERVATION, validFrom=later(days=1)
    )
    await trade.at(days=1)
    assert (await remote(trade, RESERVE), await remote(trade) == "210") == ("210", False)
    await trade.subscribed(made)
    assert await remote(trade, RESERVE) != "210"


@pytest.mark.parametrize("online", [True, False])
async def test_drivers_of_subscribed_emps_are_authorised_alone(trade: Trade, online: bool) -> None:
    trade.emp.says["start"] = yes()
    if not online:
        await trade.do("partners", [{"provider": "NL-EMS", "url": None}])
        await trade.drivers({"provider": "NL-EMS", "uid": CARD})
    made = await trade.offer(await trade.network(EVSES), **bilateral(), validFrom=later(days=1))
    assert await trade.code(START, asking()) == "000"
    await trade.at(days=1)
    assert await trade.code(START, asking()) == "210"
    await trade.subscribed(made)
    assert await trade.code(START, asking()) == "000"


async def test_a_driver_who_is_named_is_refused_for_lack_of_a_contract(trade: Trade) -> None:
    await trade.offer(await trade.network(EVSES), **bilateral(), validFrom=later(days=1))
    await trade.at(days=1)
    assert await trade.code(START, asking({"PlugAndChargeIdentification": {"EvcoID": EVCO}})) == "210"
    assert trade.emp.heard_at("start") == []


async def test_a_charge_that_began_is_finished_and_billed_after_its_contract(trade: Trade) -> None:
    trade.emp.says["start"] = yes()
    made = await trade.offer(await trade.network(EVSES), **bilateral(), validFrom=later(days=1))
    await trade.subscribed(made)
    await trade.at(days=8)
    await trade.do("subscriptions/cancel", {"provider": "NL-EMS", "offer": made["id"]})
    await trade.at(days=37.999)
    session = await trade.begun()
    await trade.at(days=38)
    assert await trade.code(START, asking()) == "210"
    assert await remote(trade) == "210"
    stop = OPERATOR.format("charging/v21", "authorize/stop")
    trade.emp.says["stop"] = yes()
    assert await trade.code(stop, asking(SessionID=session)) == "000"
    begin, end = BEGIN + timedelta(days=37.999), BEGIN + timedelta(days=38)
    times = {f"{name}Start": begin.isoformat() for name in ("Charging", "Session")}
    times |= {f"{name}End": end.isoformat() for name in ("Charging", "Session")}
    assert await trade.code(CDR, cdr(session, **times)) == "000"
    assert len(trade.emp.heard_at("charge-detail-record")) == 1


async def test_a_cdr_of_nobodys_charge_is_forwarded_under_a_contract_alone(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES), **bilateral(), validFrom=later(days=1))
    told = {"evse": EVSES[0], "provider": "NL-EMS", "operator": "FR*HUB"}
    await trade.at(days=1)
    (sent,) = await trade.do("cdrs", told)
    assert sent["forwarded"] is False
    await trade.subscribed(made)
    (sent,) = await trade.do("cdrs", told)
    assert sent["forwarded"] is True
    assert len(trade.emp.heard_at("charge-detail-record")) == 1
