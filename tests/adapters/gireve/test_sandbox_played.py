"""The sandbox plays CPOs: they answer commands, ask EMSPs, and tell sessions and CDRs on command; over loopback."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.gireve.sandbox import SandboxSettings
from adapters.gireve.sandbox.charge_checks import check_cdr, check_session
from mappings.canonical.ids import PartyId
from tests.adapters.gireve.cpo import LATER
from tests.adapters.gireve.emsp import CPO, TOKEN_A, UID, Emsp, evse, location, platform, token
from tests.shared import shared_path

ASKED = {"party": "NL*TNM", "uid": UID, "location_id": "LOC1", "evse_uid": "1"}
ALLOWED = {"allowed": "ALLOWED", "token": token(), "authorization_reference": "emsp-1"}


@pytest.fixture
async def emsp() -> AsyncIterator[Emsp]:
    async with platform() as made:
        await made.load(location("LOC1", evse("1"), evse("2")))
        made.answers["POST tokens"] = (200, 1000, ALLOWED)
        yield made


async def ok(emsp: Emsp, path: str, body: Any) -> Any:
    status, told = await emsp.drive(path, body)
    assert status == 200, told
    return told


async def authorised(emsp: Emsp) -> str:
    told = await ok(emsp, "authorize", ASKED | {"platform": "gateway"})
    emsp.heard.clear()
    return str(told["authorization_reference"])


# Asking


async def test_a_played_cpo_asks_whoever_pushed_the_token(emsp: Emsp) -> None:
    assert (await emsp.drive("authorize", ASKED))[0] == 400  # nobody did
    await emsp.ask("PUT", "tokens/RECEIVER", f"/DE/MP1/{UID}", token())
    told = await ok(emsp, "authorize", ASKED | {"uid": UID.lower()})
    assert (told["status"], told["code"], told["allowed"]) == (200, 1000, "ALLOWED")
    (asked,) = emsp.heard
    assert asked.path == f"tokens/{UID}/authorize?type=RFID"
    assert (asked.sender, asked.receiver) == ("NL*TNM", "DE*MP1")
    assert asked.body == {"location_id": "LOC1", "evse_uids": ["1"]}


async def test_a_played_cpo_asks_for_any_token_where_it_is_told_whom(emsp: Emsp) -> None:
    emsp.answers["POST tokens"] = (404, 2004, None)
    told = await ok(emsp, "authorize", ASKED | {"uid": "80D4C3B2A1E804", "platform": "gateway", "emsp": "DE*MP2"})
    assert (told["status"], told["code"]) == (404, 2004)
    assert (emsp.heard[0].path.split("/")[1], emsp.heard[0].receiver) == ("80D4C3B2A1E804", "DE*MP2")


# Telling


async def test_a_charge_is_told_from_its_authorisation_to_its_cdr(emsp: Emsp) -> None:
    reference = await authorised(emsp)
    begun = await ok(emsp, "sessions", {"reference": reference, "id": "S1", "kwh": 1.5})
    ended = {"party": "NL*TNM", "id": "S1", "kwh": 12.5, "status": "COMPLETED"}
    await ok(emsp, "sessions", ended)
    await ok(emsp, "cdrs", {"session": "S1", "id": "C1", "kwh": 12.5})
    await emsp.settled()
    first, second, record = emsp.heard
    assert first.path == second.path == f"sessions/NL/TNM/{begun['gireve_id']}"
    for each in (first, second):
        check_session(each.body)
        assert each.body["id"] == begun["gireve_id"]
        assert each.body["authorization_reference"] == reference
        assert each.body["cdr_token"]["uid"] == UID
    assert first.body["start_date_time"] == second.body["start_date_time"]
    assert (second.body["status"], second.body["kwh"]) == ("COMPLETED", 12.5)
    check_cdr(record.body, datetime.now(UTC))
    assert (record.path, record.body["id"], record.body["session_id"]) == ("cdrs", "C1", begun["gireve_id"])
    assert record.body["cdr_location"]["evse_id"] == "NL*TNM*E1"
    assert (record.body["total_energy"], record.body["total_cost"]) == (12.5, {"excl_vat": 6.25})
    assert (record.sender, record.receiver) == ("NL*TNM", "DE*MP1")
    assert "remark" not in record.body


@pytest.mark.parametrize(("billing", "remark"), [("gireve", "[*] thanks"), ("none", "[?] thanks"), ("cpo", "thanks")])
async def test_the_remark_says_who_computed_the_cost(emsp: Emsp, billing: str, remark: str) -> None:
    reference = await authorised(emsp)
    asked = {"reference": reference, "kwh": 3, "billing": billing, "also": {"remark": "thanks"}}
    await ok(emsp, "cdrs", asked)
    await emsp.settled()
    assert emsp.heard[0].body["remark"] == remark


async def test_cdrs_come_twice_with_other_content_and_for_what_nobody_knows(emsp: Emsp) -> None:
    reference = await authorised(emsp)
    await ok(emsp, "sessions", {"reference": reference, "id": "S1"})
    await ok(emsp, "cdrs", {"session": "S1", "id": "C1", "kwh": 12.5, "times": 2})
    await ok(emsp, "cdrs", {"session": "S1", "id": "C1", "kwh": 99})
    stranger = {"country_code": "DE", "party_id": "MP1", "uid": "00000000", "type": "RFID", "contract_id": "X"}
    unknown = {"party": "NL*TNM", "location_id": "LOC9", "evse_uid": "9", "token": stranger, "session": "S9"}
    await ok(emsp, "cdrs", unknown | {"id": "C2", "kwh": -5, "also": {"end_date_time": LATER, "total_energy": 5000}})
    await emsp.settled()
    told = [(each.body["id"], each.body["total_energy"]) for each in emsp.heard if each.path == "cdrs"]
    assert told == [("C1", 12.5), ("C1", 12.5), ("C1", 99), ("C2", 5000)]
    assert emsp.heard[-1].body["cdr_token"] == stranger
    assert "authorization_reference" not in emsp.heard[-1].body


async def test_what_is_told_late_keeps_nothing_waiting_that_is_told_at_once(emsp: Emsp) -> None:
    reference = await authorised(emsp)
    await ok(emsp, "cdrs", {"reference": reference, "id": "MUCH LATER", "seconds": 600})
    began = time.monotonic()
    await ok(emsp, "cdrs", {"reference": reference, "id": "LATE", "seconds": 0.05})
    assert [each.body["id"] for each in await emsp.wait_for(1)] == ["LATE"]
    assert time.monotonic() - began >= 0.05
    await ok(emsp, "cdrs", {"reference": reference, "id": "NOW"})
    await emsp.settled()
    assert [each.body["id"] for each in emsp.heard] == ["LATE", "NOW"]


@pytest.mark.parametrize(
    "asked", [{}, {"reference": "none"}, {"party": "NL*TNM"}, {"session": "S9"}, {"platform": "nobody"}]
)
async def test_what_says_too_little_is_refused(emsp: Emsp, asked: dict[str, Any]) -> None:
    assert (await emsp.drive("cdrs", asked))[0] == 400
    assert not emsp.heard


# Commands

START: dict[str, Any] = {"token": token(), "location_id": "LOC1", "evse_uid": "1"}


async def command(emsp: Emsp, kind: str = "START_SESSION", **body: Any) -> tuple[int, int | None, Any]:
    url = f"{emsp.url}/2.2.1/commands/{kind}/7"
    told = await emsp.ask("POST", "commands/RECEIVER", f"/{kind}", body | {"response_url": url}, receiver=CPO)
    return told[:3]


async def test_a_start_begins_a_session_that_a_stop_ends_with_its_cdr(emsp: Emsp) -> None:
    assert await command(emsp, **START) == (200, 1000, {"result": "ACCEPTED", "timeout": 30})
    result, session = await emsp.wait_for(2)
    assert (result.path, result.body) == ("commands/START_SESSION/7", {"result": "ACCEPTED"})
    assert (session.body["status"], session.body["auth_method"]) == ("ACTIVE", "COMMAND")
    assert (session.body["location_id"], session.body["evse_uid"]) == ("LOC1", "1")
    emsp.heard.clear()
    assert (await command(emsp, "STOP_SESSION", session_id=session.body["id"]))[2]["result"] == "ACCEPTED"
    result, ended, record = await emsp.wait_for(3)
    assert result.path == "commands/STOP_SESSION/7"
    assert (ended.body["id"], ended.body["status"]) == (session.body["id"], "COMPLETED")
    assert (record.path, record.body["session_id"]) == ("cdrs", session.body["id"])
    # As long as it lasted, which is next to nothing: what no socket could give would be held for review.
    assert 0 <= record.body["total_energy"] == ended.body["kwh"] < 0.1
    assert record.body["auth_method"] == "COMMAND"
    await ok(emsp, "cpos", {"kwh": 12.5})
    emsp.heard.clear()
    await command(emsp, **START)
    _, session = await emsp.wait_for(2)
    emsp.heard.clear()
    await command(emsp, "STOP_SESSION", session_id=session.body["id"])
    *_, record = await emsp.wait_for(3)
    assert record.body["total_energy"] == 12.5


async def test_a_played_cpo_refuses(emsp: Emsp) -> None:
    await ok(emsp, "cpos", {"party": "NL*TNM", "response": "REJECTED"})
    assert (await command(emsp, **START))[2]["result"] == "REJECTED"
    await emsp.settled()
    assert not emsp.heard


async def test_a_result_is_a_no_or_comes_twice_or_never(emsp: Emsp) -> None:
    await ok(emsp, "cpos", {"result": "EVSE_OCCUPIED", "results": 2})
    await command(emsp, **START)
    assert [each.body for each in await emsp.wait_for(2)] == [{"result": "EVSE_OCCUPIED"}] * 2
    emsp.heard.clear()
    await ok(emsp, "cpos", {"result": None})
    assert (await command(emsp, **START))[2]["result"] == "ACCEPTED"
    await ok(emsp, "cpos", {"party": "NL*TNM", "result_seconds": 0.01, "charges": False})
    await command(emsp, **START)
    assert [each.body for each in await emsp.wait_for(1)] == [{"result": "ACCEPTED"}]
    await emsp.settled()
    assert len(emsp.heard) == 1


async def test_a_silent_cpo_ends_with_iops_patience() -> None:
    settings = SandboxSettings(token=TOKEN_A, emsp_patience_seconds=0.05)
    async with platform(settings) as emsp:
        await emsp.load(location())
        await ok(emsp, "cpos", {"silent": True})
        assert (await command(emsp, **START))[:2] == (200, 4002)


async def test_a_session_of_another_cpo_is_not_stopped(emsp: Emsp) -> None:
    await emsp.load(location("L", party_id="NDW"))
    told = await ok(emsp, "sessions", {"reference": await authorised(emsp), "id": "S1"})
    body = {"response_url": "http://x/", "session_id": told["gireve_id"]}
    other = PartyId("NL*NDW")
    asked = await emsp.ask("POST", "commands/RECEIVER", "/STOP_SESSION", body, receiver=other)
    assert asked[2]["result"] == "UNKNOWN_SESSION"


# Networks


async def test_a_real_network_is_loaded_and_pulled_to_its_end(emsp: Emsp) -> None:
    url = f"{emsp.iop.url}/_sandbox/network"
    with shared_path("data/nl/locations-2026-06-07.ndjson.gz").open("rb") as packed:
        async with emsp.session.post(url, data=packed, headers={"Content-Encoding": "gzip"}) as got:
            taken = (await got.json())["taken"]
    assert taken > 50_000
    _, _, data, headers = await emsp.ask("GET", "locations/SENDER", "?offset=50000")
    assert len(data) == 100
    assert int(headers["X-Total-Count"]) > 50_000


async def test_lines_that_are_no_locations_are_told(emsp: Emsp) -> None:
    status, told = await emsp.drive("network", b'{"country_code": "NL"}\n')
    assert status == 400
    assert told["detail"].startswith("line 1")
