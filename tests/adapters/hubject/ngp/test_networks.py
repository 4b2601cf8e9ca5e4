"""EVSE networks and who is in their groups."""

from typing import Any

import pytest

from adapters.hubject.sandbox import OfferRules
from tests.adapters.hubject.ngp.judge import judge, whole
from tests.adapters.hubject.ngp.trading import (
    ASSIGN,
    EVSES,
    NETWORKS,
    OFFERS,
    Trade,
    bilateral,
    later,
    offered,
    trading,
)


def groups(*named: tuple[str, list[str]]) -> dict[str, Any]:
    return {
        "evseNetworkName": "All",
        "evseGroups": [{"groupName": name, "evseIds": evses} for name, evses in named],
    }


def assigned(*named: tuple[str, list[str]]) -> dict[str, Any]:
    told = [{"GroupName": name, "Evses": evses} for name, evses in named]
    return {"NetworkName": "All", "GroupsAssignments": told}


async def test_a_network_is_answered_as_the_swagger_says(trade: Trade) -> None:
    made = await trade.network([EVSES[0]], [])
    judge("cpo-evse", "EvseNetworkResponseDTO", made)
    whole("cpo-evse", "EvseNetworkResponseDTO", made)
    status, answer = await trade.ask("PUT", ASSIGN, assigned(("B", [EVSES[1]])))
    assert status == 201
    judge("cpo-evse", "NetworkAssignmentDTO", answer)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"evseNetworkName", "evseGroups"}),
        ([], {"body"}),
        (groups(), {"evseGroups"}),
        (groups(("A", [])) | {"evseNetworkName": "x" * 51}, {"evseNetworkName"}),
        (groups(("A" * 51, [])), {"evseGroups[0].groupName"}),
        (groups(("A", []), ("A", [])), {"evseGroups[0].groupName", "evseGroups[1].groupName"}),
        (groups(("A", ["FR*HUB*E404"])), {"evseGroups[0].evseIds[0]"}),
        (groups(("A", ["FR*OTH*E1"])), {"evseGroups[0].evseIds[0]"}),
        (groups(("A", ["no id"])), {"evseGroups[0].evseIds[0]"}),
        (groups(("A", [EVSES[0]]), ("B", ["frhube1"])), {"evseGroups[1].evseIds[0]"}),
    ],
)
async def test_a_wrong_network_is_refused_by_its_fields(trade: Trade, body: Any, fields: set[str]) -> None:
    assert await trade.wrong("POST", NETWORKS, body) == fields
    assert await trade.wrong("POST", NETWORKS, body) == fields  # nothing of it was kept


async def test_a_networks_name_is_unique_for_its_operator(trade: Trade) -> None:
    await trade.network([EVSES[0]])
    assert await trade.wrong("POST", NETWORKS, groups(("A", []))) == {"evseNetworkName"}
    status, _ = await trade.ask("POST", NETWORKS.replace("HUB", "OTH"), groups(("A", [])))
    assert status == 201


async def test_a_drafts_evses_go_where_they_are_put_last(trade: Trade) -> None:
    await trade.network([EVSES[0], EVSES[1]], [])
    status, answer = await trade.ask("PUT", ASSIGN, assigned(("B", [EVSES[0], EVSES[2]]), ("A", [])))
    assert (status, answer) == (201, assigned(("B", [EVSES[0], EVSES[2]]), ("A", [EVSES[1]])))


async def test_evses_of_an_active_network_stay_in_their_group(trade: Trade) -> None:
    network = await trade.network([EVSES[0]], [])
    await trade.offer(network)
    assert await trade.wrong("PUT", ASSIGN, assigned(("B", [EVSES[2], EVSES[0]]))) == {"GroupsAssignments[0].Evses[1]"}
    status, answer = await trade.ask("PUT", ASSIGN, assigned(("B", [EVSES[2]])))
    assert (status, answer) == (201, assigned(("B", [EVSES[2]])))
    # The same again, as after an answer that got lost.
    status, again = await trade.ask("PUT", ASSIGN, assigned(("B", [EVSES[2]])))
    assert (status, again) == (200, answer)


@pytest.mark.parametrize(("network", "group"), [("None", "A"), ("All", "Z")])
async def test_an_unknown_network_or_group_is_not_found(trade: Trade, network: str, group: str) -> None:
    await trade.network([EVSES[0]])
    status, answer = await trade.ask("PUT", ASSIGN, assigned((group, [EVSES[1]])) | {"NetworkName": network})
    assert status == 404
    judge("cpo-evse", "FaultBody", answer)


async def test_an_evse_is_in_one_active_network_alone(trade: Trade) -> None:
    first, draft = await trade.network([EVSES[0]]), await trade.network([EVSES[0]], name="Draft")
    await trade.offer(first)
    body = groups(("A", [EVSES[0]])) | {"evseNetworkName": "Third"}
    assert await trade.wrong("POST", NETWORKS, body) == {"evseGroups[0].evseIds[0]"}
    moved = {"NetworkName": "Draft", "GroupsAssignments": [{"GroupName": "A", "Evses": [EVSES[0]]}]}
    assert await trade.wrong("PUT", ASSIGN, moved) == {"GroupsAssignments[0].Evses[0]"}
    other = offered(draft, **bilateral(), validFrom=later(days=1)) | {"tariffs": offered(draft)["tariffs"]}
    assert "networkId" in await trade.wrong("POST", OFFERS, other)


async def test_several_networks_may_have_an_evse_where_the_sandbox_is_told_so() -> None:
    async with trading(rules=OfferRules(one_network=False)) as trade:
        await trade.offer(await trade.network([EVSES[0]]))
        await trade.network([EVSES[0]], name="Second")


async def test_a_sub_operators_evse_is_its_uploaders(trade: Trade) -> None:
    status, _ = await trade.ask("POST", NETWORKS.replace("HUB", "OTH"), groups(("A", [EVSES[0]])))
    assert status == 400
