"""Commands, tokens, sessions and CDRs as IOP asks for them, over loopback."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.core import ocpi
from adapters.core.charging import CommandTaken
from adapters.gireve.settings import Settings
from adapters.gireve.telling import CORRELATION, RESPONSE_URL, Telling
from mappings.canonical.commands import (
    CancelReservation,
    CommandResult,
    EvseRef,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Party, Role
from mappings.canonical.sessions import PreferencesResult
from mappings.canonical.texts import Business
from mappings.canonical.tokens import ProfileType, TokenType
from tests.adapters.gireve.network import ABC, AT, EMSP, XYZ, Pair, pair
from tests.adapters.gireve.peer import DRIVER, LEG, TOKEN_WIRE, UID, cdr, place, session

COMMANDS = "/ocpi/2.2.1/receiver/commands"
TOKENS = "/ocpi/2.2.1/receiver/tokens"
SESSIONS = "/ocpi/2.2.1/sender/sessions"
CDRS = "/ocpi/2.2.1/sender/cdrs"
ANSWER_AT = "https://iop.example/commands/1"
TO_ABC = {ocpi.TO_COUNTRY: "FR", ocpi.TO_PARTY: "ABC"}
FROM_IOP = {ocpi.FROM_COUNTRY: "FR", ocpi.FROM_PARTY: "107"}
FROM_EMSP = {ocpi.FROM_COUNTRY: "DE", ocpi.FROM_PARTY: "MP1"}
FROM_OTHER = {ocpi.FROM_COUNTRY: "FR", ocpi.FROM_PARTY: "OTH"}

START = {
    "response_url": ANSWER_AT,
    "token": TOKEN_WIRE,
    "location_id": "LOC1",
    "evse_uid": "1",
    "connector_id": "1",
    "authorization_reference": "reference-1",
}
RESERVE = {
    "response_url": ANSWER_AT,
    "token": TOKEN_WIRE,
    "expiry_date": "2099-06-07T20:00:00Z",
    "reservation_id": "R1",
    "location_id": "LOC1",
    "evse_uid": "1",
}


@pytest.fixture
async def both() -> AsyncIterator[Pair]:
    async with pair(allowed_hosts=["iop.example"], page_cap=2) as made:
        await made.register()
        yield made


async def call(both: Pair, method: str, path: str, **more: Any) -> tuple[int, Any, Any]:
    assert both.registry.token is not None
    return await both.ask(path, both.registry.token, method, **more)


async def test_the_version_details_name_what_a_cpo_serves(both: Pair) -> None:
    _, body, _ = await call(both, "GET", "/ocpi/2.2.1")
    offered = {(each["identifier"], each["role"]): each["url"] for each in body["data"]["endpoints"]}
    for module, role, path in (
        ("commands", "RECEIVER", COMMANDS),
        ("tokens", "RECEIVER", TOKENS),
        ("sessions", "SENDER", SESSIONS),
        ("cdrs", "SENDER", CDRS),
    ):
        assert offered[module, role] == both.gateway.public_url + path


# Commands


async def test_a_start_is_taken_and_answered_at_once(both: Pair) -> None:
    status, body, _ = await call(
        both, "POST", f"{COMMANDS}/START_SESSION", json=START, headers={**FROM_IOP, ocpi.CORRELATION_ID: "corr-1"}
    )
    assert (status, body["status_code"]) == (200, 1000)
    assert body["data"] == {"result": "ACCEPTED", "timeout": 30}
    ((_, command, where),) = both.commands.taken
    assert where == {RESPONSE_URL: ANSWER_AT, CORRELATION: "corr-1"}
    assert isinstance(command, StartSession)
    assert (command.at.location_id, command.at.evse_uid, command.at.connector_id) == ("LOC1", "1", "1")
    # Who asks is whose token it is, not IOP, which passes it on.
    assert command.emsp == EMSP
    assert command.leg.reference == "reference-1"
    assert command.leg.identification == DRIVER
    assert command.token is not None


@pytest.mark.parametrize(
    ("kind", "body", "made"),
    [
        ("STOP_SESSION", {"session_id": "S1"}, StopSession(session="S1", emsp=EMSP)),
        ("CANCEL_RESERVATION", {"reservation_id": "R1"}, CancelReservation(reservation="R1", emsp=EMSP)),
    ],
)
async def test_a_command_without_a_token_is_of_whom_the_headers_name(
    both: Pair, kind: str, body: dict[str, Any], made: Any
) -> None:
    sent = {"response_url": ANSWER_AT, **body}
    status, _, _ = await call(both, "POST", f"{COMMANDS}/{kind}", json=sent, headers=FROM_EMSP)
    assert status == 200
    status, _, _ = await call(both, "POST", f"{COMMANDS}/{kind}", json=sent, headers=FROM_IOP)
    assert status == 200
    assert [command for _, command, _ in both.commands.taken] == [made, made.model_copy(update={"emsp": None})]


async def test_reservations_and_unlocking_are_taken_too(both: Pair) -> None:
    unlock = {"response_url": ANSWER_AT, "location_id": "LOC1", "evse_uid": "1", "connector_id": "1"}
    for kind, body, made in (("RESERVE_NOW", RESERVE, ReserveNow), ("UNLOCK_CONNECTOR", unlock, UnlockConnector)):
        status, _, _ = await call(both, "POST", f"{COMMANDS}/{kind}", json=body)
        assert status == 200
        assert isinstance(both.commands.taken[-1][1], made)


async def test_a_command_is_for_the_party_that_it_is_addressed_to(both: Pair) -> None:
    both.network.known.append(Party(id=XYZ, roles=frozenset({Role.CPO}), business=Business(name="XYZ")))
    for party, addressed in (("ABC", ABC), ("XYZ", XYZ), ("107", None)):
        named = {ocpi.TO_COUNTRY: "FR", ocpi.TO_PARTY: party}
        await call(both, "POST", f"{COMMANDS}/START_SESSION", json=START, headers=named)
        connection, command, _ = both.commands.taken[-1]
        assert connection.scope.parties == ({addressed} if addressed else set())
        assert isinstance(command, StartSession)
        assert command.at.party == addressed


async def test_a_command_for_another_platforms_party_is_rejected(both: Pair) -> None:
    named = {ocpi.TO_COUNTRY: "FR", ocpi.TO_PARTY: "OTH"}
    status, body, _ = await call(both, "POST", f"{COMMANDS}/START_SESSION", json=START, headers=named)
    assert (status, body["status_code"], body["data"]["result"]) == (404, 2001, "REJECTED")
    assert not both.commands.taken


async def test_why_a_command_is_refused_is_said_and_logged_without_who_asks(both: Pair) -> None:
    both.commands.taking = CommandTaken(result=CommandResult.REJECTED, timeout=0, text="The connection is paused")
    with capture_logs() as logs:
        await call(both, "POST", f"{COMMANDS}/START_SESSION", json=START)
        await call(both, "POST", f"{COMMANDS}/RESERVE_NOW", json={**RESERVE, "expiry_date": "tomorrow"})
        named = {ocpi.TO_COUNTRY: "FR", ocpi.TO_PARTY: "OTH"}
        _, body, _ = await call(both, "POST", f"{COMMANDS}/START_SESSION", json=START, headers=named)
    refused = [log for log in logs if log["event"] == "command refused"]
    assert [(log["operation"], log["code"], log["result"]) for log in refused] == [
        ("START_SESSION", 1000, "REJECTED"),
        ("RESERVE_NOW", 2001, "REJECTED"),
        ("START_SESSION", 2001, "REJECTED"),
    ]
    assert refused[0]["reason"] == "The connection is paused"
    assert refused[1]["reason"].startswith("expiry_date: ")
    assert body["data"]["message"][0]["text"].startswith(ocpi.TO_PARTY)
    assert UID not in str(logs)


async def test_a_stop_tells_which_cpo_it_is_addressed_to(both: Pair) -> None:
    sent = {"response_url": ANSWER_AT, "session_id": "S1"}
    for headers, at in (
        (TO_ABC, EvseRef(party=ABC)),
        ({ocpi.TO_COUNTRY: "FR", ocpi.TO_PARTY: "107"}, None),
        ({}, None),
    ):
        await call(both, "POST", f"{COMMANDS}/STOP_SESSION", json=sent, headers=headers)
        assert both.commands.taken[-1][1] == StopSession(session="S1", at=at)


async def test_an_unknown_command_is_named_as_such(both: Pair) -> None:
    status, body, _ = await call(both, "POST", f"{COMMANDS}/OPEN_SESAME", json=START)
    assert (status, body["status_code"], body["data"]["result"]) == (404, 2001, "NOT_SUPPORTED")
    assert body["data"]["timeout"] == 0


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("START_SESSION", {**START, "token": None}, "token"),
        ("START_SESSION", {**START, "token": {**TOKEN_WIRE, "whitelist": "SOMETIMES"}}, "token.whitelist"),
        ("START_SESSION", {name: START[name] for name in START if name != "location_id"}, "location_id"),
        ("START_SESSION", {name: START[name] for name in START if name != "evse_uid"}, "evse_uid"),
        ("START_SESSION", {name: START[name] for name in START if name != "response_url"}, "response_url"),
        ("STOP_SESSION", {"response_url": ANSWER_AT}, "session_id"),
        ("RESERVE_NOW", {**RESERVE, "expiry_date": "tomorrow"}, "expiry_date"),
        ("RESERVE_NOW", {**RESERVE, "expiry_date": "2026-03-01T12:00:00Z"}, "expiry_date"),
        ("RESERVE_NOW", {**RESERVE, "expiry_date": "2026-06-07T20:00:00+02:00"}, "expiry_date"),
    ],
)
async def test_a_command_that_cannot_be_taken_is_2001_and_names_the_field(
    both: Pair, kind: str, body: dict[str, Any], field: str
) -> None:
    status, answer, _ = await call(both, "POST", f"{COMMANDS}/{kind}", json=body)
    assert (status, answer["status_code"]) == (200, 2001)
    assert answer["status_message"].startswith(f"{field}: ")
    assert answer["data"]["result"] == "REJECTED"
    assert UID not in str(answer)
    assert not both.commands.taken


@pytest.mark.parametrize(
    ("body", "http"),
    [
        *((body, 400) for body in (b"", b"{", b"{}}", b"START", b"\xff\xfe", b"[" * 10_000)),
        *((body, 200) for body in (b"[]", b"{}", b"null", b'"START"')),
    ],
)
async def test_only_what_is_no_json_is_an_error_of_http(both: Pair, body: bytes, http: int) -> None:
    for method, path in (
        ("POST", f"{COMMANDS}/STOP_SESSION"),
        ("PUT", f"{TOKENS}/DE/MP1/{UID}"),
        ("PUT", f"{SESSIONS}/S1/charging_preferences"),
    ):
        status, answer, _ = await call(both, method, path, data=body)
        assert (status, answer["status_code"]) == (http, 2001), path


async def test_a_body_without_end_is_413(both: Pair) -> None:
    status, answer, _ = await call(both, "POST", f"{COMMANDS}/STOP_SESSION", data=b" " * 70_000)
    assert (status, answer["status_code"]) == (413, 2001)


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/commands/1",
        "http://iop.example/commands/1",
        "https://user:secret@iop.example/commands/1",
        "https://iop.example/commands/ 1",
        "https://iop.example/commands/1\r\nX-Evil: 1",
        "ftp://iop.example/1",
        "/commands/1",
        "",
    ],
)
async def test_an_address_that_may_not_be_called_rejects_the_command(both: Pair, url: str) -> None:
    status, body, _ = await call(both, "POST", f"{COMMANDS}/START_SESSION", json={**START, "response_url": url})
    assert (status, body["status_code"], body["data"]["result"]) == (200, 2001, "REJECTED")
    assert body["status_message"].startswith("response_url")
    assert not both.commands.taken


@pytest.mark.parametrize(
    ("result", "code", "said"),
    [
        (CommandResult.REJECTED, 1000, "REJECTED"),
        (CommandResult.NOT_SUPPORTED, 1000, "NOT_SUPPORTED"),
        (CommandResult.UNKNOWN_SESSION, 1000, "UNKNOWN_SESSION"),
        (CommandResult.NO_CONTRACT, 1000, "REJECTED"),
        (CommandResult.UNKNOWN_EVSE, 2003, "REJECTED"),
    ],
)
async def test_why_a_command_is_not_taken_is_said_as_ocpi_can(
    both: Pair, result: CommandResult, code: int, said: str
) -> None:
    both.commands.taking = CommandTaken(result=result, timeout=0, text="Not now")
    status, body, _ = await call(both, "POST", f"{COMMANDS}/START_SESSION", json=START)
    assert (status, body["status_code"], body["data"]["result"]) == (200, code, said)
    assert body["data"]["message"] == [{"language": "en", "text": "Not now"}]


async def test_whatever_fails_is_answered_in_the_envelope(both: Pair) -> None:
    both.commands.taking = RuntimeError("the database is gone")
    status, body, headers = await call(
        both, "POST", f"{COMMANDS}/START_SESSION", json=START, headers={ocpi.REQUEST_ID: "r1"}
    )
    assert (status, body["status_code"]) == (500, 3000)
    assert "database" not in str(body)
    assert headers[ocpi.REQUEST_ID] == "r1"
    assert both.measured.answers[-1].status == 500


@pytest.mark.parametrize("header", [None, "Token bm90LWtub3du", "Token ~~~~", "Token /////w==", "Bearer abc"])
async def test_a_wrong_or_undecodable_token_is_401_everywhere(both: Pair, header: str | None) -> None:
    sent = {"Authorization": header} if header else {}
    for method, path in (
        ("POST", f"{COMMANDS}/START_SESSION"),
        ("POST", f"{COMMANDS}/NONE"),
        ("GET", f"{TOKENS}/DE/MP1/{UID}"),
        ("PUT", f"{TOKENS}/DE/MP1/{UID}"),
        ("PATCH", f"{TOKENS}/DE/MP1/{UID}"),
        ("GET", SESSIONS),
        ("PUT", f"{SESSIONS}/S1/charging_preferences"),
        ("GET", CDRS),
    ):
        status, body, _ = await both.ask(path, method=method, headers=sent)
        assert (status, body["status_code"]) == (401, 2000), path
    assert not both.commands.taken


# Tokens


async def test_a_token_is_put_then_got_and_found_whatever_its_case(both: Pair) -> None:
    status, body, _ = await call(both, "PUT", f"{TOKENS}/DE/MP1/{UID}", json=TOKEN_WIRE, headers=FROM_IOP)
    assert (status, body["status_code"]) == (201, 1000)
    status, _, _ = await call(both, "PUT", f"{TOKENS}/de/mp1/{UID}?type=RFID", json=TOKEN_WIRE)
    assert status == 200
    status, body, _ = await call(both, "GET", f"{TOKENS}/DE/MP1/{UID.lower()}", headers=FROM_EMSP)
    assert status == 200
    assert body["data"] == TOKEN_WIRE


async def test_a_patch_changes_what_it_names(both: Pair) -> None:
    await call(both, "PUT", f"{TOKENS}/DE/MP1/{UID}", json=TOKEN_WIRE)
    change = {"valid": False, "last_updated": "2026-06-02T08:00:00Z"}
    status, _, _ = await call(both, "PATCH", f"{TOKENS}/DE/MP1/{UID}", json=change)
    assert status == 200
    token = both.tokens.held[EMSP, TokenType.RFID, UID.lower()]
    assert not token.valid
    assert token.issuer == TOKEN_WIRE["issuer"]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"valid": False}, "last_updated"), ({"uid": "FFFFFFFF", "last_updated": "2026-06-02T08:00:00Z"}, "uid")],
)
async def test_a_patch_without_a_stamp_or_with_another_id_is_2001(
    both: Pair, change: dict[str, Any], field: str
) -> None:
    await call(both, "PUT", f"{TOKENS}/DE/MP1/{UID}", json=TOKEN_WIRE)
    status, body, _ = await call(both, "PATCH", f"{TOKENS}/DE/MP1/{UID}", json=change)
    assert (status, body["status_code"]) == (200, 2001)
    assert body["status_message"].startswith(f"{field}: ")


@pytest.mark.parametrize("path", ["FR/MP1/" + UID, "DE/XXX/" + UID, "DE/MP1/FFFFFFFF", f"DE/MP1/{UID}?type=OTHER"])
async def test_a_token_that_is_another_than_the_url_says_is_2001(both: Pair, path: str) -> None:
    status, body, _ = await call(both, "PUT", f"{TOKENS}/{path}", json=TOKEN_WIRE)
    assert (status, body["status_code"]) == (200, 2001)
    assert not both.tokens.held


async def test_a_type_that_is_none_is_2001(both: Pair) -> None:
    status, body, _ = await call(both, "GET", f"{TOKENS}/DE/MP1/{UID}?type=FACE")
    assert (status, body["status_code"]) == (400, 2001)


async def test_another_emsps_token_is_not_found(both: Pair) -> None:
    await call(both, "PUT", f"{TOKENS}/DE/MP1/{UID}", json=TOKEN_WIRE)
    for method in ("GET", "PUT", "PATCH"):
        body = None if method == "GET" else TOKEN_WIRE
        status, answer, _ = await call(both, method, f"{TOKENS}/DE/MP1/{UID}", json=body, headers=FROM_OTHER)
        assert (status, answer["status_code"]) == (404, 2004), method


@pytest.mark.parametrize("path", ["DE/MP1/FFFFFFFF", "DE/MP1/" + UID + "?type=APP_USER", "D/MP1/" + UID])
async def test_an_unknown_token_is_404_with_2004(both: Pair, path: str) -> None:
    for method in ("GET", "PATCH"):
        status, body, _ = await call(both, method, f"{TOKENS}/{path}", json={})
        assert (status, body["status_code"]) == (404, 2004)


# Sessions and CDRs


def told(both: Pair) -> None:
    telling = Telling(Settings())
    for number in range(3):
        at = AT + timedelta(hours=number)
        both.charges.told_sessions += telling.of_session(session(id=f"S{number}", last_updated=at), place(), LEG)
        both.charges.told_cdrs += telling.of_cdr(cdr(id=f"C{number}", last_updated=at), LEG)


async def test_sessions_and_cdrs_are_paged_as_they_were_pushed(both: Pair) -> None:
    told(both)
    for path, key in ((SESSIONS, "S"), (CDRS, "C")):
        _, body, headers = await call(both, "GET", path)
        assert [each["id"] for each in body["data"]] == [f"{key}0", f"{key}1"]
        assert body["data"][0]["authorization_reference"] == "gireve-reference-1"
        assert headers["X-Total-Count"] == "3"
        following = ocpi.next_page(headers)
        assert following is not None
        _, body, headers = await call(both, "GET", following)
        assert [each["id"] for each in body["data"]] == [f"{key}2"]
        assert ocpi.next_page(headers) is None


async def test_dates_choose_sessions_and_cdrs(both: Pair) -> None:
    told(both)
    for path in (SESSIONS, CDRS):
        _, body, headers = await call(both, "GET", f"{path}?date_from=2026-06-07T19:00:00Z&limit=5")
        assert headers["X-Total-Count"] == "2"
        assert len(body["data"]) == 2
        status, body, _ = await call(both, "GET", f"{path}?date_from=2026-06-07T19:00:00%2B01:00")
        assert (status, body["status_code"]) == (400, 2001)


async def test_a_cdr_that_cannot_be_said_leaves_its_page_and_not_the_count(both: Pair) -> None:
    told(both)
    both.charges.told_cdrs[0] = both.charges.told_cdrs[0].model_copy(update={"cdr": cdr(total_cost=None)})
    _, body, headers = await call(both, "GET", CDRS)
    assert [each["id"] for each in body["data"]] == ["C1"]
    assert headers["X-Total-Count"] == "3"


async def test_a_list_of_another_platforms_party_is_404_not_everybodys(both: Pair) -> None:
    told(both)
    named = {ocpi.TO_COUNTRY: "FR", ocpi.TO_PARTY: "OTH"}
    for path in (SESSIONS, CDRS, "/ocpi/2.2.1/sender/locations", "/ocpi/2.2.1/sender/tariffs"):
        status, body, _ = await call(both, "GET", path, headers=named)
        assert (status, body["status_code"], body.get("data")) == (404, 2001, None)


async def test_lists_hold_what_the_party_addressed_has(both: Pair) -> None:
    told(both)
    both.network.known.append(Party(id=XYZ, roles=frozenset({Role.CPO}), business=Business(name="XYZ")))
    for path in (SESSIONS, CDRS):
        for party, total in ((TO_ABC, "3"), ({ocpi.TO_COUNTRY: "FR", ocpi.TO_PARTY: "XYZ"}, "0")):
            _, _, headers = await call(both, "GET", path, headers=party)
            assert headers["X-Total-Count"] == total


async def test_preferences_reach_the_gateway_and_its_word_comes_back(both: Pair) -> None:
    wish = {"profile_type": "GREEN", "departure_time": "2026-06-07T22:00:00Z", "energy_need": 12.5}
    path = f"{SESSIONS}/S%201/charging_preferences"
    status, body, _ = await call(both, "PUT", path, json=wish, headers=FROM_EMSP)
    assert (status, body["data"]) == (200, "ACCEPTED")
    ((name, wishes, emsp),) = both.charges.wishes
    assert (name, emsp) == ("S 1", EMSP)
    assert (wishes.profile, wishes.energy_need) == (ProfileType.GREEN, Decimal("12.5"))
    for result in PreferencesResult:
        both.charges.result = result
        _, body, _ = await call(both, "PUT", f"{SESSIONS}/S1/charging_preferences", json=wish)
        assert body["data"] == result.value


async def test_preferences_for_another_platforms_party_are_404_and_reach_nobody(both: Pair) -> None:
    named = {ocpi.TO_COUNTRY: "FR", ocpi.TO_PARTY: "OTH"}
    path = f"{SESSIONS}/S1/charging_preferences"
    status, body, _ = await call(both, "PUT", path, json={"profile_type": "CHEAP"}, headers=named)
    assert (status, body["status_code"]) == (404, 2001)
    assert not both.charges.wishes


async def test_preferences_for_an_unknown_session_are_404_with_2001(both: Pair) -> None:
    both.charges.result = None
    status, body, _ = await call(both, "PUT", f"{SESSIONS}/S9/charging_preferences", json={"profile_type": "CHEAP"})
    assert (status, body["status_code"]) == (404, 2001)


@pytest.mark.parametrize("energy", [-1, 1e308, 10**30, "much"])
async def test_an_amount_that_is_none_is_2001(both: Pair, energy: Any) -> None:
    wish = {"profile_type": "FAST", "energy_need": energy}
    status, body, _ = await call(both, "PUT", f"{SESSIONS}/S1/charging_preferences", json=wish)
    assert (status, body["status_code"]) == (200, 2001)
    assert body["status_message"].startswith("energy_need: ")


async def test_what_no_database_stores_is_refused_before_it_gets_there(both: Pair) -> None:
    stop = {"response_url": ANSWER_AT, "session_id": "S\0"}
    status, body, _ = await call(both, "POST", f"{COMMANDS}/STOP_SESSION", json=stop)
    assert (status, body["status_code"], body["data"]["result"]) == (200, 2001, "REJECTED")
    for method, path in (("GET", f"{TOKENS}/DE/MP1/%00"), ("PUT", f"{SESSIONS}/%00/charging_preferences")):
        assert (await call(both, method, path, json={"profile_type": "FAST"}))[0] == 404
    # An escaped backslash before the same letters is a text like any other.
    stop = {"response_url": ANSWER_AT, "session_id": "S\\u0000"}
    assert (await call(both, "POST", f"{COMMANDS}/STOP_SESSION", json=stop))[0] == 200


async def test_preferences_that_cannot_be_read_name_the_field(both: Pair) -> None:
    status, body, _ = await call(both, "PUT", f"{SESSIONS}/S1/charging_preferences", json={"profile_type": "LOUD"})
    assert (status, body["status_code"]) == (200, 2001)
    assert body["status_message"].startswith("profile_type: ")


async def test_every_answer_of_a_charge_is_counted_under_its_operation(both: Pair) -> None:
    both.measured.answers.clear()
    await call(both, "POST", f"{COMMANDS}/START_SESSION", json=START)
    await call(both, "PUT", f"{TOKENS}/DE/MP1/{UID}", json=TOKEN_WIRE)
    await call(both, "GET", SESSIONS)
    await call(both, "GET", CDRS)
    await call(both, "PUT", f"{SESSIONS}/S1/charging_preferences", json={})
    assert [(each.operation, each.status) for each in both.measured.answers] == [
        ("commands", 200),
        ("tokens", 201),
        ("sessions", 200),
        ("cdrs", 200),
        ("charging_preferences", 200),
    ]


async def test_the_sender_of_a_request_is_iop_unless_it_says_otherwise(both: Pair) -> None:
    sent = {"response_url": ANSWER_AT, "session_id": "S1"}
    for headers, emsp in (({}, None), (FROM_IOP, None), (FROM_EMSP, PartyId("DE-MP1"))):
        await call(both, "POST", f"{COMMANDS}/STOP_SESSION", json=sent, headers=headers)
        command = both.commands.taken[-1][1]
        assert isinstance(command, StopSession)
        assert command.emsp == emsp
