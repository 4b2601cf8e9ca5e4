"""The sandbox has EMSPs send commands and tokens, and pulls, as Gireve's platform does; over loopback."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.core.charging import CommandOutcome
from adapters.core.outcomes import Delivered
from adapters.gireve.adapter import GireveAdapter
from mappings.canonical.commands import (
    CancelReservation,
    CommandAnswer,
    CommandResult,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.tokens import TokenType
from tests.adapters.gireve.cpo import CONTRACT, DRIVER, EMSP, UID, Cpo, charging, session
from tests.adapters.gireve.network import ABC, XYZ, pair
from tests.adapters.gireve.peer import LEG, place
from tests.adapters.gireve.peer import cdr as canonical_cdr
from tests.adapters.gireve.peer import session as canonical_session


@pytest.fixture
async def cpo() -> AsyncIterator[Cpo]:
    async with charging() as made:
        yield made


# Commands


START = {"kind": "START_SESSION", "party": "FR*ABC", "location_id": "LOC1", "evse_uid": "1", "uid": UID}


async def test_a_start_goes_from_the_drivers_emsp_to_the_cpo_with_a_reference(cpo: Cpo) -> None:
    status, told = await cpo.both.drive("commands", START | {"connector_id": "1"})
    assert status == 200
    assert told["responses"][0]["status"] == 200
    assert told["responses"][0]["data"]["result"] == "ACCEPTED"
    _, command, reply_to = cpo.both.commands.taken[0]
    assert isinstance(command, StartSession)
    assert (command.emsp, command.leg.reference) == (EMSP, told["reference"])
    assert (command.at.location_id, command.at.evse_uid, command.at.connector_id) == ("LOC1", "1", "1")
    assert command.token is not None
    assert (command.token.uid, command.token.type) == (UID, TokenType.RFID)
    assert reply_to["response_url"].endswith(f"/commands/START_SESSION/{told['id']}")
    # What was started by command is told with its reference.
    assert await cpo.session(session(told["reference"], auth_method="COMMAND")) == (200, 1000)


async def test_what_came_of_a_command_is_kept_and_a_second_result_counted(cpo: Cpo) -> None:
    _, told = await cpo.both.drive("commands", START)
    url = cpo.both.commands.taken[0][2]["response_url"]
    for result in ("ACCEPTED", "TIMEOUT"):
        assert (await cpo.say("POST", url, "", {"result": result}, receiver=EMSP))[:2] == (200, 1000)
    assert cpo.both.sandbox.memory["command_results"][told["id"]]["results"] == [
        {"result": "ACCEPTED"},
        {"result": "TIMEOUT"},
    ]
    assert cpo.counted("command_results", "came again") == 1


async def test_a_result_that_cannot_be_is_refused(cpo: Cpo) -> None:
    await cpo.both.drive("commands", START)
    url = cpo.both.commands.taken[0][2]["response_url"]
    for body in ({}, {"result": "DONE"}, {"result": "ACCEPTED", "message": "fine"}, []):
        assert (await cpo.say("POST", url, "", body))[:2] == (400, 2001)
    assert (await cpo.say("POST", url, "", {"result": "ACCEPTED"}, sender=XYZ))[:2] == (400, 2001)
    assert (await cpo.say("POST", f"{url}x", "", {"result": "ACCEPTED"}))[:2] == (404, 2000)
    assert (await cpo.say("POST", url.replace("START", "STOP"), "", {"result": "ACCEPTED"}))[:2] == (404, 2000)


async def test_whoever_drives_may_wait_for_the_result(cpo: Cpo) -> None:
    async def answer() -> None:
        await cpo.both.commands.came.wait()
        await cpo.say("POST", cpo.both.commands.taken[0][2]["response_url"], "", {"result": "EVSE_OCCUPIED"})

    (_, told), _ = await asyncio.gather(cpo.both.drive("commands", START | {"wait": 60}), answer())
    assert told["results"] == [{"result": "EVSE_OCCUPIED"}]


async def test_the_results_of_the_gateways_own_adapter_are_taken(cpo: Cpo) -> None:
    _, told = await cpo.both.drive("commands", START)
    adapter = GireveAdapter(cpo.both.registry.connection, cpo.both.measured)
    outcome = CommandOutcome(
        command="1", reply_to=cpo.both.commands.taken[0][2], answer=CommandAnswer(result=CommandResult.ACCEPTED)
    )
    try:
        (message,) = adapter.of_result(outcome, ABC)
        call, _ = adapter.render(message)
        assert await adapter.tell(call, doubtful=False) == Delivered()
    finally:
        await adapter.close()
    assert cpo.both.sandbox.memory["command_results"][told["id"]]["results"][0]["result"] == "ACCEPTED"


async def test_a_stop_is_sent_to_whose_session_it_is(cpo: Cpo) -> None:
    await cpo.session(session(await cpo.reference()))
    _, told = await cpo.both.drive("commands", {"kind": "STOP_SESSION", "session_id": "S1", "emsp": "DE*MP1"})
    assert told["reference"] is None
    _, command, _ = cpo.both.commands.taken[0]
    assert isinstance(command, StopSession)
    assert (command.session, command.emsp) == ("S1", EMSP)


async def test_a_reservation_ends_when_its_emsp_says(cpo: Cpo) -> None:
    order = START | {"kind": "RESERVE_NOW", "reservation_id": "R1", "expires_minutes": 30}
    _, told = await cpo.both.drive("commands", order)
    assert told["responses"][0]["data"]["result"] == "ACCEPTED"
    _, command, _ = cpo.both.commands.taken[0]
    assert isinstance(command, ReserveNow)
    assert (command.reservation, command.leg.reference) == ("R1", told["reference"])
    assert timedelta(minutes=29) < command.expires - datetime.now(UTC) < timedelta(minutes=31)


@pytest.mark.parametrize(
    ("order", "kind"),
    [
        ({"kind": "CANCEL_RESERVATION", "reservation_id": "R1"}, CancelReservation),
        ({"kind": "UNLOCK_CONNECTOR", "location_id": "LOC1", "evse_uid": "1", "connector_id": "1"}, UnlockConnector),
    ],
)
async def test_commands_without_a_driver_are_sent_by_whom_they_are_said_to(
    cpo: Cpo, order: dict[str, Any], kind: type
) -> None:
    await cpo.both.drive("commands", order | {"party": "FR*ABC", "emsp": "DE*MP1"})
    _, command, _ = cpo.both.commands.taken[0]
    assert isinstance(command, kind)
    assert command.emsp == EMSP


async def test_a_command_is_repeated_and_several_are_reordered_as_faults_say(cpo: Cpo) -> None:
    faults = [{"kind": "repeat", "path": "commands", "count": 1}, {"kind": "reorder", "path": "commands", "count": 1}]
    async with cpo.both.session.post(f"{cpo.both.iop.url}/_sandbox/faults", json=faults) as armed:
        assert armed.status == 200
    _, told = await cpo.both.drive("commands", [START, START | {"evse_uid": "2"}])
    assert [len(each["responses"]) for each in told] == [2, 1]
    evses = [command.at.evse_uid for _, command, _ in cpo.both.commands.taken if isinstance(command, StartSession)]
    assert evses == ["2", "2", "1"]
    urls = [reply_to["response_url"] for _, _, reply_to in cpo.both.commands.taken]
    assert urls[0] == urls[1] != urls[2]


async def test_a_commands_body_may_be_spoilt(cpo: Cpo) -> None:
    _, told = await cpo.both.drive("commands", START | {"also": {"token": None}})
    assert told["responses"][0]["code"] == 2001
    _, told = await cpo.both.drive("commands", START | {"also": {"response_url": "ftp://example.com/x"}})
    assert told["responses"][0]["code"] == 2001
    assert not cpo.both.commands.taken


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"kind": "DANCE"}, 400),
        ({"kind": "START_SESSION", "party": "FR*ABC"}, 502),
        ({"kind": "START_SESSION", "uid": UID, "location_id": "LOC1"}, 502),
        ({"kind": "STOP_SESSION", "session_id": "S9"}, 502),
    ],
)
async def test_a_drive_that_makes_no_sense_is_told(cpo: Cpo, order: dict[str, Any], status: int) -> None:
    assert (await cpo.both.drive("commands", order))[0] == status


async def test_without_a_registration_nothing_is_driven() -> None:
    async with pair() as both:
        await both.drive("drivers", [DRIVER])
        assert (await both.drive("commands", START))[0] == 502
        assert (await both.drive("tokens"))[0] == 502
        assert (await both.drive("pull", {"modules": ["cdrs"]}))[0] == 409


# Tokens and pulls


async def test_emsps_push_their_drivers_tokens(cpo: Cpo) -> None:
    await cpo.both.drive("drivers", [{"uid": "app-1", "type": "APP_USER", "party": "DE*MP1", "contract_id": CONTRACT}])
    status, told = await cpo.both.drive("tokens")
    assert status == 200
    assert {each["uid"]: each["status"] for each in told} == {UID: 201, "app-1": 201}
    assert (EMSP, TokenType.RFID, UID.casefold()) in cpo.both.tokens.held
    _, told = await cpo.both.drive("tokens", {"uids": [UID], "also": {"valid": None}})
    assert [each["code"] for each in told] == [2001]


@pytest.mark.parametrize("module", ["sessions", "cdrs"])
async def test_sessions_and_cdrs_are_pulled_page_by_page(cpo: Cpo, module: str) -> None:
    adapter = GireveAdapter(cpo.both.registry.connection, cpo.both.measured)
    one, record = canonical_session(), canonical_cdr()
    for n in range(45):
        told = one.model_copy(update={"id": f"S{n}"})
        cpo.both.charges.told_sessions += adapter.of_session(told, place(), LEG, {})
        cpo.both.charges.told_cdrs += adapter.of_cdr(record.model_copy(update={"id": f"C{n}"}), LEG)
    await adapter.close()
    status, told_of = await cpo.both.drive("pull", {"modules": [module]})
    assert status == 200
    assert told_of[module]["objects"] == 45
    assert told_of[module]["pages"] == (3 if module == "cdrs" else 1)
    assert len(cpo.both.sandbox.memory[f"pulled_{module}"]) == 45
