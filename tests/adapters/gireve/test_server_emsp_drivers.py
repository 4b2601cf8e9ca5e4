"""Our drivers' tokens as IOP asks for them, partners' prices and parties behind the hub, over loopback."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.core.charging import Allowed, Denial, Denied
from adapters.core.connection import Scope
from adapters.core.ocpi import TO_COUNTRY, TO_PARTY
from adapters.gireve.server.driver_tokens import SAID
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.parties import ClientStatus, Role
from mappings.canonical.tokens import AllowedType, Identification, TokenType
from mappings.ocpi.dialects import gireve_tariffs
from tests.adapters.gireve.network import tariff
from tests.adapters.gireve.ours import CPO, FROM_CPO, FROM_OTHER, MP1, NOW, TO_EMSP, UID, Emsp, card, emsp

TOKENS = "/sender/tokens"
AUTHORISE = f"{TOKENS}/{UID}/authorize"
AT_ONE = {"location_id": "LOC1", "evse_uids": ["1"]}
TARIFF = "/receiver/tariffs/FR/ABC/T1"


@pytest.fixture
async def ours() -> AsyncIterator[Emsp]:
    async with emsp() as made:
        made.drivers.held = [card()]
        yield made


async def test_the_version_details_name_what_an_emsp_serves(ours: Emsp) -> None:
    answer = await ours.call("GET", "")
    offered = {(each["identifier"], each["role"]): each["url"] for each in answer.data["endpoints"]}
    assert offered == {
        ("credentials", "SENDER"): f"{ours.url}/ocpi/2.2.1/credentials",
        ("locations", "RECEIVER"): f"{ours.url}/ocpi/2.2.1/receiver/locations",
        ("tariffs", "RECEIVER"): f"{ours.url}/ocpi/2.2.1/receiver/tariffs",
        ("sessions", "RECEIVER"): f"{ours.url}/ocpi/2.2.1/receiver/sessions",
        ("cdrs", "RECEIVER"): f"{ours.url}/ocpi/2.2.1/receiver/cdrs",
        ("hubclientinfo", "RECEIVER"): f"{ours.url}/ocpi/2.2.1/receiver/hubclientinfo",
        ("tokens", "SENDER"): f"{ours.url}/ocpi/2.2.1/sender/tokens",
        ("commands", "SENDER"): f"{ours.url}/ocpi/2.2.1/sender/commands",
    }


async def test_a_connection_of_both_roles_serves_both() -> None:
    async with emsp(roles=["CPO", "EMSP"]) as both:
        answer = await both.call("GET", "")
        offered = [(each["identifier"], each["role"]) for each in answer.data["endpoints"]]
        assert len(set(offered)) == len(offered) == 14
        for path in ("/sender/locations", "/sender/tokens"):
            assert (await both.call("GET", path)).code == 1000


# Authorisation


async def test_a_driver_is_answered_for_with_token_place_and_reference(ours: Emsp) -> None:
    answer = await ours.call("POST", AUTHORISE, AT_ONE, {**FROM_CPO, **TO_EMSP})
    assert (answer.status, answer.code) == (200, 1000)
    assert answer.data["allowed"] == "ALLOWED"
    assert answer.data["location"] == AT_ONE
    assert answer.data["authorization_reference"] == "permit-1"
    assert (answer.data["token"]["uid"], answer.data["token"]["party_id"]) == (UID, "MP1")
    (asked,) = ours.drivers.asked
    assert (asked.cpo, asked.leg.emsp, asked.leg.identification.uid) == (CPO, MP1, UID)
    assert asked.at is not None
    assert (asked.at.party, asked.at.location_id, asked.at.evse_uid) == (CPO, "LOC1", "1")
    assert asked.within == timedelta(seconds=8)


async def test_a_question_that_the_hub_passes_on_names_no_cpo(ours: Emsp) -> None:
    await ours.call("POST", AUTHORISE, AT_ONE)
    (asked,) = ours.drivers.asked
    assert (asked.cpo, asked.leg.emsp) == (None, None)


@pytest.mark.parametrize(
    ("body", "evse"),
    [({"location_id": "LOC1", "evse_uids": ["1", "2"]}, None), ({"location_id": "LOC1"}, None), (AT_ONE, "1")],
)
async def test_of_several_evses_none_is_assumed(ours: Emsp, body: Any, evse: str | None) -> None:
    answer = await ours.call("POST", AUTHORISE, body)
    assert answer.data["location"] == body
    (asked,) = ours.drivers.asked
    assert asked.at is not None
    assert (asked.at.location_id, asked.at.evse_uid) == ("LOC1", evse)


async def test_an_evse_that_none_can_be_keeps_no_driver_waiting(ours: Emsp) -> None:
    answer = await ours.call("POST", AUTHORISE, {"location_id": "LOC1", "evse_uids": ["x" * 37]})
    assert (answer.status, answer.data["allowed"], answer.data["location"]) == (200, "ALLOWED", {"location_id": "LOC1"})


async def test_a_driver_is_asked_for_without_a_place_too(ours: Emsp) -> None:
    answer = await ours.call("POST", AUTHORISE, b"")
    assert answer.data["allowed"] == "ALLOWED"
    assert "location" not in answer.data
    assert ours.drivers.asked[0].at is None


@pytest.mark.parametrize("path", [f"{TOKENS}/00000000/authorize", f"{AUTHORISE}?type=APP_USER"])
async def test_a_token_that_is_not_known_is_told_in_http_and_in_ocpi(ours: Emsp, path: str) -> None:
    answer = await ours.call("POST", path, AT_ONE)
    assert (answer.status, answer.code, answer.data) == (404, 2004, None)


async def test_a_uid_is_asked_for_in_any_case_and_type_as_the_query_says(ours: Emsp) -> None:
    assert (await ours.call("POST", f"{TOKENS}/{UID.lower()}/authorize?type=RFID", AT_ONE)).code == 1000
    contract = "DE-MP1-C00000001"
    await ours.call("POST", f"{TOKENS}/{contract}/authorize?type=OTHER", AT_ONE)
    asked = ours.drivers.asked[1].leg.identification
    assert (asked.type, asked.uid) == (TokenType.OTHER, contract)
    assert str(asked.contract_id) == contract


async def test_a_type_that_ocpi_has_not_is_refused(ours: Emsp) -> None:
    answer = await ours.call("POST", f"{AUTHORISE}?type=FACE", AT_ONE)
    assert (answer.status, answer.code) == (400, 2001)
    assert not ours.drivers.asked


@pytest.mark.parametrize("body", [{"evse_uids": ["1"]}, {"location_id": 7.5, "evse_uids": {}}, [], "LOC1"])
async def test_a_place_that_cannot_be_read_is_refused(ours: Emsp, body: Any) -> None:
    answer = await ours.call("POST", AUTHORISE, body)
    if answer.code == 1000:  # a number is read as the text that it is
        assert answer.data["location"] == {"location_id": "7.5"}
    else:
        assert (answer.status, answer.code) == (200, 2001)


@pytest.mark.parametrize("reason", sorted(set(Denial) - {Denial.UNKNOWN_TOKEN, Denial.NO_CANDIDATE}))
async def test_a_no_says_why_as_far_as_ocpi_has_a_word(ours: Emsp, reason: Denial) -> None:
    ours.drivers.answer = Denied(reason, text="because", token=card())
    answer = await ours.call("POST", AUTHORISE, AT_ONE)
    assert (answer.status, answer.code) == (200, 1000)
    assert answer.data["allowed"] == SAID[reason].value
    assert answer.data["info"]["text"] == "because"
    assert "location" not in answer.data
    assert "authorization_reference" not in answer.data


async def test_a_no_to_a_token_that_nobody_knows_is_an_unknown_token(ours: Emsp) -> None:
    ours.drivers.answer = Denied(Denial.NO_ANSWER, text="the backend is silent")
    answer = await ours.call("POST", AUTHORISE, AT_ONE)
    assert (answer.status, answer.code, answer.message) == (404, 2004, "the backend is silent")


async def test_a_driver_whom_the_backend_alone_knows_is_answered_for(ours: Emsp) -> None:
    known = Identification(type=TokenType.RFID, uid=UID, contract_id=card().contract_id, party=MP1)
    ours.drivers.answer = Allowed(Leg(reference="permit-2", emsp=MP1, identification=known))
    answer = await ours.call("POST", AUTHORISE, AT_ONE)
    assert answer.data["allowed"] == "ALLOWED"
    assert (answer.data["token"]["contract_id"], answer.data["token"]["whitelist"]) == (
        str(card().contract_id),
        "NEVER",
    )


async def test_a_yes_that_names_no_contract_is_none(ours: Emsp) -> None:
    ours.drivers.answer = Allowed(Leg(emsp=MP1, identification=Identification(type=TokenType.RFID, uid=UID)))
    answer = await ours.call("POST", AUTHORISE, AT_ONE)
    assert (answer.status, answer.code) == (404, 2004)


async def test_no_log_and_no_metric_shows_a_uid(ours: Emsp) -> None:
    ours.drivers.answer = RuntimeError("the database is down")
    with capture_logs() as logs:
        answer = await ours.call("POST", AUTHORISE, AT_ONE)
    assert (answer.status, answer.code) == (500, 3000)
    assert UID not in repr([{**each, "exc_info": None} for each in logs])
    assert {each.operation for each in ours.measured.answers} == {"driver_authorise"}


def test_every_no_has_a_word_in_ocpi() -> None:
    assert set(SAID) == set(Denial)
    assert AllowedType.ALLOWED not in SAID.values()


# The list of tokens


async def test_tokens_are_listed_in_pages_blocked_ones_too(ours: Emsp) -> None:
    ours.drivers.held = [card(f"0000000{number}", valid=number != 1) for number in range(5)]
    found: list[Any] = []
    url: str | None = TOKENS
    while url is not None:
        answer = await ours.call("GET", url)
        assert (answer.headers["X-Total-Count"], answer.headers["X-Limit"]) == ("5", "2")
        found += answer.data
        url = answer.headers["Link"].partition("<")[2].partition(">")[0] if "Link" in answer.headers else None
    assert [(each["uid"][-1], each["valid"]) for each in found] == [(str(n), n != 1) for n in range(5)]


@pytest.mark.parametrize("query", ["limit=0", "offset=-1", "limit=x", "date_from=yesterday"])
async def test_a_list_that_is_asked_for_in_a_wrong_way_is_refused(ours: Emsp, query: str) -> None:
    answer = await ours.call("GET", f"{TOKENS}?{query}")
    assert (answer.status, answer.code) == (400, 2001)


@pytest.mark.parametrize("query", ["offset=99", "date_from=2099-01-01T00:00:00Z"])
async def test_a_page_beyond_the_end_and_a_time_to_come_are_empty(ours: Emsp, query: str) -> None:
    answer = await ours.call("GET", f"{TOKENS}?{query}")
    assert (answer.status, answer.code, answer.data) == (200, 1000, [])
    assert "Link" not in answer.headers


async def test_tokens_of_an_emsp_in_scope_without_a_profile_are_listed(ours: Emsp) -> None:
    bare = PartyId("DE*MP9")
    ours.registry.connection = replace(ours.registry.connection, scope=Scope(parties=frozenset({bare})))
    ours.drivers.held = [card(party=bare)]
    headers = {TO_COUNTRY: "DE", TO_PARTY: "MP9"}
    assert [each["party_id"] for each in (await ours.call("GET", TOKENS, headers=headers)).data] == ["MP9"]


async def test_tokens_of_an_emsp_that_is_none_of_ours_are_not_listed(ours: Emsp) -> None:
    answer = await ours.call("GET", TOKENS, headers={"OCPI-to-country-code": "FR", "OCPI-to-party-id": "OTH"})
    assert (answer.status, answer.code) == (404, 2001)
    answer = await ours.call("GET", TOKENS, headers=TO_EMSP)
    assert len(answer.data) == 1


# Prices


async def test_a_tariff_is_taken_with_each_of_its_targets(ours: Emsp) -> None:
    for target, price in ((None, "0.35"), (MP1, "0.30")):
        said = gireve_tariffs.from_canonical(tariff(target=target, price=price))[0]
        assert (await ours.call("PUT", TARIFF, said)).status == 201
        assert (await ours.call("PUT", TARIFF, said)).status == 200
    query = "?target_operator_country_code=DE&target_operator_party_id=MP1"
    for path, net in ((TARIFF, 0.35), (TARIFF + query, 0.3)):
        answer = await ours.call("GET", path)
        assert answer.data["elements"][0]["price_components"][0]["price"] == net


async def test_a_tariff_that_is_for_another_emsp_is_none_of_ours(ours: Emsp) -> None:
    said = gireve_tariffs.from_canonical(tariff(target=PartyId("FR*OTH")))[0]
    answer = await ours.call("PUT", TARIFF, said)
    assert (answer.status, answer.code) == (200, 1000)
    assert not ours.stations.prices


async def test_a_tariff_of_another_id_or_party_than_the_url_is_refused(ours: Emsp) -> None:
    said = gireve_tariffs.from_canonical(tariff())[0]
    for path in ("FR/ABC/T2", "FR/XYZ/T1"):
        assert (await ours.call("PUT", f"/receiver/tariffs/{path}", said)).code == 2001
    assert (await ours.call("PUT", TARIFF, said, FROM_OTHER)).code == 2001
    assert (await ours.call("PUT", TARIFF, said | {"target_operator_country_code": "DE"})).code == 2001
    assert (await ours.call("PUT", TARIFF, said | {"currency": None})).code == 2001
    assert not ours.stations.prices


async def test_hours_and_roundings_are_taken_and_given_back(ours: Emsp) -> None:
    said = gireve_tariffs.from_canonical(tariff())[0] | {"restriction": {"start_time": "22:00", "end_time": "06:00"}}
    (component,) = said["elements"][0]["price_components"]
    component["price_round"] = {"round_granularity": "HUNDRETH", "round_rule": "ROUND_NEAR"}
    assert (await ours.call("PUT", TARIFF, said)).status == 201
    (stored,) = ours.stations.prices.values()
    assert stored.hours is not None
    assert (await ours.call("GET", TARIFF)).data == said


async def test_a_rounding_that_cannot_be_read_is_told_by_its_field(ours: Emsp) -> None:
    said = gireve_tariffs.from_canonical(tariff())[0]
    said["elements"][0]["price_components"][0]["price_round"] = {"round_granularity": "CENT", "round_rule": "ROUND_UP"}
    answer = await ours.call("PUT", TARIFF, said)
    assert (answer.status, answer.code) == (200, 2001)
    assert "elements[0].price_components[0].price_round.round_granularity" in answer.message
    assert not ours.stations.prices


async def test_a_tariff_is_deleted_with_all_its_targets(ours: Emsp) -> None:
    for target in (None, MP1):
        await ours.call("PUT", TARIFF, gireve_tariffs.from_canonical(tariff(target=target))[0])
    query = "?target_operator_country_code=DE&target_operator_party_id=MP1"
    assert (await ours.call("DELETE", f"{TARIFF}?target_operator_party_id=M")).code == 2001
    assert len(ours.stations.prices) == 2
    assert (await ours.call("DELETE", TARIFF)).code == 1000
    assert not ours.stations.prices
    assert (await ours.call("DELETE", TARIFF + query)).status == 404


async def test_a_variant_of_a_tariff_is_deleted_by_its_target(ours: Emsp) -> None:
    for target in (None, MP1):
        await ours.call("PUT", TARIFF, gireve_tariffs.from_canonical(tariff(target=target))[0])
    query = "?target_operator_country_code=DE&target_operator_party_id=MP1"
    assert (await ours.call("DELETE", TARIFF + query)).code == 1000
    assert list(ours.stations.prices) == [(CPO, "T1", None)]


async def test_a_tariff_with_a_price_for_every_hour_is_taken(ours: Emsp) -> None:
    said = gireve_tariffs.from_canonical(tariff())[0]
    said["elements"] = [{**each, "restrictions": {"day_of_week": ["MONDAY"]}} for each in said["elements"]] * 1000
    assert (await ours.call("PUT", TARIFF, said)).code == 1000


async def test_a_delete_of_what_was_never_known_says_so(ours: Emsp) -> None:
    for method in ("DELETE", "GET"):
        answer = await ours.call(method, TARIFF)
        assert (answer.status, answer.code, answer.message) == (404, 2000, "unknown tariff")


# Parties behind the hub


async def test_what_a_hub_says_of_a_party_is_kept(ours: Emsp) -> None:
    said = {
        "country_code": "FR",
        "party_id": "ABC",
        "role": "CPO",
        "status": "OFFLINE",
        "last_updated": "2026-06-07T18:45:00Z",
    }
    answer = await ours.call("PUT", "/receiver/hubclientinfo/FR/ABC", said)
    assert (answer.status, answer.code) == (200, 1000)
    assert ours.stations.told[CPO, Role.CPO].status is ClientStatus.OFFLINE
    for path, body in (("FR/XYZ", said), ("FR/ABC", said | {"status": "ASLEEP"}), ("FR/ABC", said | {"role": None})):
        assert (await ours.call("PUT", f"/receiver/hubclientinfo/{path}", body)).code == 2001
    del said["last_updated"]  # as in OCPI's own example
    assert (await ours.call("PUT", "/receiver/hubclientinfo/FR/ABC", said)).code == 1000
    assert ours.stations.told[CPO, Role.CPO].last_updated == NOW
