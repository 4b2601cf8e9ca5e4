"""An EMSP commands a station: the backend's word is asked once, and what came of it reaches the hub once in effect."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, TokenType
from tests.backend import Heard, says, signed_by
from tests.e2e.scene import ACTED, BEGUN, EMSPS, FAULTS, HALFWAY, HUBS, OVER, Driver, Scene, evse_id, scene

RESULT = "/sender/.*/commands/"

COMMANDS: dict[str, tuple[str, str]] = {
    "start": ("START_SESSION", "remote-start"),
    "stop": ("STOP_SESSION", "remote-stop"),
    "reserve": ("RESERVE_NOW", "reserve"),
    "cancel": ("CANCEL_RESERVATION", "cancel-reservation"),
    "unlock": ("UNLOCK_CONNECTOR", ""),
}
"""What Gireve calls a command, and what the sandbox Hubject is told."""


async def command(stage: Scene, what: str, driver: Driver, **more: Any) -> Any:
    """Has an EMSP send a command about U1 and the session or reservation that is there."""
    kind, path = COMMANDS[what]
    if driver.hub == "hubject":
        if what in {"start", "reserve"}:
            about: dict[str, Any] = {
                "evse": evse_id("U1").text,
                "contract": driver.contract.text,
                "provider": EMSPS["hubject"].normal,
            }
        else:
            about = {"session": list(stage.gateway.hubject.memory["sessions"])[-1]}
        return await stage.drive("hubject", path, about | more)
    place = {"party": "NL*ABC", "location_id": "L1", "evse_uid": "U1"}
    about = {
        "start": {"uid": driver.uid, **place},
        "stop": {"session_id": "S-1", "party": "NL*ABC"},
        "reserve": {"uid": driver.uid, "reservation_id": "R-1", **place},
        "cancel": {"reservation_id": "R-1", "party": "NL*ABC", "emsp": driver_party(driver)},
        "unlock": {**place, "connector_id": "1"},
    }[what]
    sent = await stage.drive("gireve", "commands", {"kind": kind, **about, **more})
    stage.taken += sent["responses"][0]["data"]["result"] == "ACCEPTED"
    await stage.happened("command.answered", stage.taken)
    await stage.quiet()
    return stage.gateway.gireve.memory["command_results"][sent["id"]]


def driver_party(driver: Driver) -> str:
    """The driver's EMSP."""
    return EMSPS[driver.hub].normal


def word(hub: str, answer: Any) -> str:
    """What the EMSP heard: the result of a command, once in effect."""
    if hub == "hubject":
        return "ACCEPTED" if answer["Result"] else str(answer["StatusCode"]["Code"])
    results = {one["result"] for one in answer["results"]}
    assert len(results) <= 1, answer
    return str(*results) or "nothing"


async def begun(stage: Scene, driver: Driver) -> None:
    """Has the backend tell of the session that was started from afar."""
    [start] = stage.asked("START_SESSION")
    identification = Identification.model_validate(start["command"]["leg"]["identification"])
    await stage.tell(stage.admitted(identification, start["reference"], auth_method=AuthMethod.COMMAND), BEGUN)
    await stage.quiet()


async def prepared(stage: Scene, what: str, driver: Driver) -> None:
    """Does what has to be there before a command."""
    if what == "stop":
        assert word(driver.hub, await command(stage, "start", driver)) == "ACCEPTED"
        await begun(stage, driver)
    if what == "cancel":
        assert word(driver.hub, await command(stage, "reserve", driver)) == "ACCEPTED"


@pytest.mark.parametrize(
    ("hub", "what"), [(hub, what) for hub in HUBS for what in COMMANDS if (hub, what) != ("hubject", "unlock")]
)
async def test_a_command_that_comes_twice_is_carried_out_once(database_url: str, hub: str, what: str) -> None:
    async with scene(database_url, hub) as stage:
        driver = await stage.enrol(hub)
        await prepared(stage, what, driver)
        stage.fail(hub, "repeat", "")
        answer = await command(stage, what, driver)
        assert word(hub, answer) == "ACCEPTED", answer
        asked = stage.asked(COMMANDS[what][0])
        assert len(asked) == 1
        assert all(signed_by(heard, stage.secret) for heard in stage.backend.heard)
        await stage.quiet()
        assert len(await stage.happened("command.answered", len(stage.backend.heard))) == len(stage.backend.heard)


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_result_reaches_iop_once_in_effect_whatever_it_does(database_url: str, kind: str) -> None:
    async with scene(database_url, "gireve") as stage:
        driver = await stage.enrol("gireve")
        stage.fail("gireve", kind, RESULT)
        answer = await command(stage, "start", driver)
        assert stage.failed("gireve")
        assert len(answer["results"]) == 1 + (kind in ACTED)
        assert word("gireve", answer) == "ACCEPTED"
        assert len(stage.asked()) == 1


async def test_every_kind_of_result_is_told_again_after_a_dropped_answer(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        driver = await stage.enrol("gireve")
        await prepared(stage, "stop", driver)
        for what in ("stop", "reserve", "cancel", "unlock"):
            stage.fail("gireve", "drop", RESULT)
            answer = await command(stage, what, driver)
            assert (len(answer["results"]), word("gireve", answer)) == (2, "ACCEPTED"), what
            assert len(stage.asked(COMMANDS[what][0])) == 1, what


async def test_a_refused_result_is_a_dead_letter_with_iops_words(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        driver = await stage.enrol("gireve")
        stage.fail("gireve", "refuse", RESULT)
        await command(stage, "start", driver)
        assert [(operation, code) for operation, code, _ in await stage.letters()] == [("command_results", "2001")]


async def test_while_iop_is_away_a_result_waits_till_nobody_wants_it(database_url: str) -> None:
    patience = {"command_seconds": 4.0, "margin_seconds": 0.5}
    async with scene(database_url, "gireve", gireve_settings=patience) as stage:
        driver = await stage.enrol("gireve")
        stage.gateway.fail("gireve", "close", path=RESULT)
        answer = await command(stage, "start", driver)
        assert answer["results"] == []
        [message] = (await stage.ask("GET", "/v1/deliveries/messages"))["items"]
        assert (message["operation"], message["state"]) == ("command_results", "expired")
        # The driver charges all the same, if the station let them.
        await begun(stage, driver)
        assert stage.told("gireve") == ["ACTIVE"]


@pytest.mark.parametrize("hub", HUBS)
async def test_from_a_remote_start_to_its_cdr(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        driver = await stage.enrol(hub)
        stage.fail(hub, "repeat", "")
        assert word(hub, await command(stage, "start", driver)) == "ACCEPTED"
        [start] = stage.asked("START_SESSION")
        charge = stage.admitted(
            Identification(type=TokenType.RFID, uid=driver.uid)
            if hub == "gireve"
            else Identification(type=TokenType.APP_USER, contract_id=driver.contract),
            start["reference"],
            auth_method=AuthMethod.COMMAND,
        )
        await stage.tell(charge, HALFWAY)
        await stage.quiet()
        assert word(hub, await command(stage, "stop", driver)) == "ACCEPTED"
        [stop] = stage.asked("STOP_SESSION")
        assert stop["session_id"] == "S-1"
        await stage.tell(charge, OVER)
        await stage.quiet()
        await stage.bill(charge)
        await stage.quiet()
        [bill] = stage.bills(hub)
        if hub == "gireve":
            assert bill["authorization_reference"] in stage.gateway.gireve.memory["authorisations"]
        else:
            assert bill["SessionID"] in stage.gateway.hubject.memory["sessions"]
        assert (await stage.cdr(charge))["state"] == "delivered"


@pytest.mark.parametrize("hub", HUBS)
async def test_what_the_driver_ended_cannot_be_stopped_from_afar(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        driver = await stage.enrol(hub)
        await prepared(stage, "stop", driver)
        [start] = stage.asked("START_SESSION")
        identification = Identification.model_validate(start["command"]["leg"]["identification"])
        await stage.tell(stage.admitted(identification, start["reference"], auth_method=AuthMethod.COMMAND), OVER)
        answer = await command(stage, "stop", driver)
        if hub == "hubject":
            assert answer["StatusCode"]["Code"] == "400"
        else:
            assert [one["data"]["result"] for one in answer["responses"]] == ["UNKNOWN_SESSION"]
        assert not stage.asked("STOP_SESSION")


@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize(
    ("said", "heard"),
    [("EVSE_OCCUPIED", {"gireve": "EVSE_OCCUPIED", "hubject": "602"}), ("REJECTED", {"gireve": "REJECTED"})],
)
async def test_a_no_of_the_backend_is_the_emsps_no(
    database_url: str, hub: str, said: str, heard: dict[str, str]
) -> None:
    async with scene(database_url, hub) as stage:
        driver = await stage.enrol(hub)
        stage.backend.always = says({"result": said})
        answer = word(hub, await command(stage, "start", driver))
        assert answer == heard[hub] if hub in heard else answer != "ACCEPTED"
        page = await stage.ask("GET", "/v1/authorisations")
        assert [one["allowed"] for one in page["items"]] == [False]


@pytest.mark.parametrize("hub", HUBS)
async def test_a_silent_backend_is_a_timeout_within_the_hubs_deadline(database_url: str, hub: str) -> None:
    impatient: dict[str, Any] = {
        # The backend is given 1.5 s, and IOP enough of them for the result to come in time.
        "gireve_settings": {"answer_seconds": 30.0, "command_seconds": 21.5, "margin_seconds": 20.0},
        "hubject_settings": {"command_seconds": 1.5},
    }
    async with scene(database_url, hub, **impatient) as stage, silent(stage) as speak:
        driver = await stage.enrol(hub)
        answer = word(hub, await command(stage, "start", driver))
        assert answer == "TIMEOUT" if hub == "gireve" else answer != "ACCEPTED"
        [asked] = stage.asked()
        # What the backend says when nobody waits any more changes nothing, however often.
        speak.set()
        for _ in range(2):
            status, _ = await stage.said("POST", f"/v1/commands/{asked['id']}/result", {"result": "ACCEPTED"})
            assert status == 409
        shown = await stage.ask("GET", f"/v1/commands/{asked['id']}")
        assert shown["result"] == "TIMEOUT"


@pytest.mark.parametrize("hub", HUBS)
async def test_a_backend_that_answers_by_the_api_is_heard_once(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        driver = await stage.enrol(hub)
        stage.backend.always = says({"result": "PENDING"}, status=202)
        waiting = asyncio.create_task(command(stage, "start", driver))
        [asked] = [one.json for one in await stage.was_asked()]
        path = f"/v1/commands/{asked['id']}/result"
        told = [(await stage.said("POST", path, {"result": result}))[0] for result in ("ACCEPTED", "REJECTED")]
        assert told == [200, 409]
        assert word(hub, await waiting) == "ACCEPTED"


async def test_hubject_hangs_up_and_the_charge_that_began_goes_on(database_url: str) -> None:
    async with scene(database_url, "hubject") as stage, silent(stage) as speak:
        driver = await stage.enrol("hubject")
        stage.gateway.hubject.command_patience = 1.5  # enough for the command to be taken
        assert word("hubject", await command(stage, "start", driver)) == "310"
        speak.set()
        [answered] = await stage.happened("command.answered")
        assert answered["result"] == "ACCEPTED"
        await begun(stage, driver)
        assert stage.told("hubject") == ["Start"]


@pytest.mark.parametrize("hub", HUBS)
async def test_what_cannot_be_meant_is_answered_by_the_book_and_asks_nobody(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        driver = await stage.enrol(hub)
        if hub == "hubject":
            nowhere = await command(stage, "start", driver, evse="NL*ABC*E999", force=True)
            assert nowhere["StatusCode"]["Code"] == "603"
            unknown = {"session": "6e5a7a3c-0000-4000-8000-000000000000", "force": True, "evse": evse_id("U1").text}
            unknown["provider"] = EMSPS["hubject"].normal
            for what in ("remote-stop", "cancel-reservation"):
                assert (await stage.drive("hubject", what, unknown))["StatusCode"]["Code"] == "400"
            named = {"extra": {"ProviderID": "DE-XXX"}, "force": True}
            other = await command(stage, "start", driver, **named)
            assert other["StatusCode"]["Code"] == "017"
        else:
            for what in ("start", "reserve", "unlock"):
                answer = await command(stage, what, driver, evse_uid="U999")
                assert [(one["code"], one["data"]["result"]) for one in answer["responses"]] == [(2003, "REJECTED")]
            stop = await command(stage, "stop", driver, session_id="S-999")
            assert [one["data"]["result"] for one in stop["responses"]] == ["UNKNOWN_SESSION"]
            cancel = await command(stage, "cancel", driver, reservation_id="R-999")
            assert [one["data"]["result"] for one in cancel["responses"]] == ["REJECTED"]
        assert not stage.backend.heard


async def test_a_reservation_till_a_moment_that_is_not_in_utc_is_refused_by_field(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        driver = await stage.enrol("gireve")
        answer = await command(stage, "reserve", driver, also={"expiry_date": "2099-01-01T02:00:00+02:00"})
        [response] = answer["responses"]
        assert (response["code"], response["data"]["result"]) == (2001, "REJECTED")
        assert "expiry_date" in response["data"]["message"][0]["text"]
        assert not stage.backend.heard


async def test_a_cancellation_that_overtakes_its_reservation_gives_nothing_up(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        driver = await stage.enrol("gireve")
        place = {"party": "NL*ABC", "location_id": "L1", "evse_uid": "U1"}
        reserve = {"kind": "RESERVE_NOW", "uid": driver.uid, "reservation_id": "R-1", **place}
        cancel = {
            "kind": "CANCEL_RESERVATION",
            "reservation_id": "R-1",
            "party": "NL*ABC",
            "emsp": driver_party(driver),
        }
        stage.fail("gireve", "reorder", "")
        answers = await stage.drive("gireve", "commands", [reserve, cancel])
        assert [(one["kind"], one["responses"][0]["data"]["result"]) for one in answers] == [
            ("CANCEL_RESERVATION", "REJECTED"),
            ("RESERVE_NOW", "ACCEPTED"),
        ]
        await stage.happened("command.answered")
        assert [one["kind"] for one in stage.asked()] == ["RESERVE_NOW"]


@asynccontextmanager
async def silent(stage: Scene) -> AsyncIterator[asyncio.Event]:
    """Has the backend say nothing until the event, or till the block ends."""
    speak = asyncio.Event()

    async def wait(heard: Heard) -> web.StreamResponse:
        await speak.wait()
        return await says({"result": "ACCEPTED"})(heard)

    stage.backend.always = wait
    try:
        yield speak
    finally:
        speak.set()
