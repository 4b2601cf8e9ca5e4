"""The sandbox IOP refuses what has no agreement, as Gireve's platform does; over loopback."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.adapters.gireve.cpo import UID as DRIVERS_UID
from tests.adapters.gireve.cpo import charging
from tests.adapters.gireve.emsp import CPO, UID, Emsp, evse, location, platform, token
from tests.adapters.gireve.test_sandbox_commands import START as PLAYED_START
from tests.adapters.gireve.test_sandbox_forwarding import ALLOWED, HERE, START, Two, session, two
from tests.adapters.gireve.test_sandbox_showing import tariff

NONE: dict[str, Any] = {"agreed": False}
AT = {"location_id": "LOC1", "evse_uids": ["1"]}


@pytest.fixture
async def both() -> AsyncIterator[Two]:
    async with two() as made:
        await made.emsp.ask("PUT", "tokens/RECEIVER", f"/DE/MP1/{UID}", token())
        made.emsp.answers["POST tokens"] = (200, 1000, ALLOWED)
        yield made


async def agree(emsp: Emsp, *said: dict[str, Any]) -> None:
    status, told = await emsp.drive("agreements", list(said))
    assert status == 200, told


async def authorised(both: Two) -> str:
    status, code, told = await both.tell("POST", "tokens/SENDER", f"/{UID}/authorize?type=RFID", AT)
    assert (status, code, told["token"]["uid"]) == (200, 1000, UID)
    return str(told["allowed"])


async def started(both: Two) -> tuple[int, int | None, Any]:
    body = START | {"response_url": f"{both.emsp.url}/2.2.1/commands/START_SESSION/42"}
    return (await both.emsp.ask("POST", "commands/RECEIVER", "/START_SESSION", body, receiver=CPO))[:3]


async def test_everybody_has_an_agreement_until_something_is_said(both: Two) -> None:
    assert await both.emsp.drive("agreements", method="GET") == (200, [])
    assert await authorised(both) == "ALLOWED"
    await agree(both.emsp, NONE)
    assert await authorised(both) == "NOT_ALLOWED"
    assert await both.emsp.drive("agreements", method="DELETE") == (200, [])
    assert await authorised(both) == "ALLOWED"


async def test_without_an_agreement_the_emsp_is_not_asked_and_nothing_is_passed_on(both: Two) -> None:
    await agree(both.emsp, NONE)
    assert await authorised(both) == "NOT_ALLOWED"
    assert await started(both) == (200, 1000, {"result": "REJECTED", "timeout": 0})
    assert (both.emsp.heard, both.cpo.heard) == ([], [])


@pytest.mark.parametrize(
    ("said", "allowed"),
    [
        ([NONE, {"cpo": "NL*TNM", "emsp": "DE*MP1"}], True),
        ([NONE, {"cpo": "NL*NDW", "emsp": "DE*MP1"}], False),
        ([NONE, {"cpo": "NL*TNM"}], True),
        ([{"cpo": "NL*TNM"}, NONE], False),
        ([{"emsp": "DE*MP2", "agreed": False}], True),
        ([NONE, {"since": "2026-06-02T00:00:00Z"}], False),
        ([NONE, {"since": "2026-06-01T00:00:00Z", "until": "2026-06-02T00:00:00Z"}], True),
        ([NONE, {"until": "2026-06-01T00:00:00Z"}], False),
    ],
)
async def test_what_was_said_last_of_a_pair_at_this_time_counts(both: Two, said: Any, allowed: bool) -> None:
    assert (await both.emsp.drive("clock", {"now": "2026-06-01T00:00:00Z", "rate": 0}))[0] == 200
    await agree(both.emsp, *said)
    assert await authorised(both) == ("ALLOWED" if allowed else "NOT_ALLOWED")


async def test_an_agreement_begins_and_ends_with_time(both: Two) -> None:
    since, until = "2026-06-02T00:00:00Z", "2026-06-03T00:00:00Z"
    await agree(both.emsp, NONE, {"cpo": "NL*TNM", "emsp": "DE*MP1", "since": since, "until": until})
    found = []
    for now in ("2026-06-01T23:59:59Z", since, "2026-06-02T23:59:59Z", until):
        await both.emsp.drive("clock", {"now": now, "rate": 0})
        found.append(await authorised(both))
    assert found == ["NOT_ALLOWED", "ALLOWED", "ALLOWED", "NOT_ALLOWED"]


async def test_a_charge_goes_on_and_is_stopped_after_its_agreement(both: Two) -> None:
    both.cpo.answers["POST commands"] = (200, 1000, {"result": "ACCEPTED", "timeout": 20})
    assert (await started(both))[2]["result"] == "ACCEPTED"
    reference = both.cpo.heard[0].body["authorization_reference"]
    await agree(both.emsp, NONE)
    wire = session(reference, **HERE, auth_method="COMMAND")
    assert (await both.tell("PUT", "sessions/RECEIVER", "/NL/TNM/S1", wire))[:2] == (200, 1000)
    await both.emsp.settled()
    (told,) = both.emsp.said("PUT", "sessions")
    stop = {"response_url": f"{both.emsp.url}/2.2.1/commands/STOP_SESSION/43", "session_id": told.body["id"]}
    answer = await both.emsp.ask("POST", "commands/RECEIVER", "/STOP_SESSION", stop, receiver=CPO)
    assert answer[2]["result"] == "ACCEPTED"


async def test_an_emsp_sees_what_it_has_an_agreement_for() -> None:
    async with platform() as emsp:
        await agree(emsp, {"cpo": "NL*TNM", "agreed": False})
        other = location("LOC2", country_code="NL", party_id="NDW")
        await emsp.load(location("LOC1"), other)
        cpo = {"sender": CPO}
        assert (await emsp.ask("PUT", "tariffs/RECEIVER", "/NL/TNM/T1", tariff(), **cpo))[0] == 200
        assert [each["id"] for each in (await emsp.pages("locations/SENDER"))[0]] == ["LOC2"]
        assert (await emsp.ask("GET", "locations/SENDER", "/LOC1"))[0] == 404
        assert await emsp.pages("tariffs/SENDER") == [[]]
        changed = location("LOC3", evse("9"))
        await emsp.ask("PUT", "locations/RECEIVER", "/NL/TNM/LOC3", changed, **cpo)
        await emsp.settled()
        assert emsp.heard == []
        await agree(emsp, {"cpo": "NL*TNM", "emsp": "DE*MP1"})
        assert {each["id"] for each in (await emsp.pages("locations/SENDER"))[0]} == {"LOC1", "LOC2", "LOC3"}
        assert [each["id"] for each in (await emsp.pages("tariffs/SENDER"))[0]] == ["T1"]


async def test_a_played_cpo_hears_no_without_an_agreement() -> None:
    async with platform() as emsp:
        await emsp.ask("PUT", "tokens/RECEIVER", f"/DE/MP1/{UID}", token())
        await agree(emsp, NONE)
        asked = {"party": "NL*TNM", "uid": UID, "location_id": "LOC1", "evse_uid": "1"}
        status, told = await emsp.drive("authorize", asked)
        assert (status, told["allowed"]) == (200, "NOT_ALLOWED")
        assert emsp.heard == []


async def test_played_emsps_need_an_agreement_too() -> None:
    async with charging() as cpo:
        await cpo.both.drive("agreements", [{"emsp": "DE*MP1", "agreed": False}])
        status, code, told = await cpo.authorise(DRIVERS_UID)
        assert (status, code, told["allowed"]) == (200, 1000, "NOT_ALLOWED")
        status, answer = await cpo.both.drive("commands", PLAYED_START | {"wait": 1})
        assert (status, answer["responses"][0]["data"]["result"]) == (200, "REJECTED")
        assert cpo.both.commands.taken == []
        assert cpo.counted("commands", "no agreement") == cpo.counted("authorize", "no agreement") == 1


@pytest.mark.parametrize(
    "said",
    [
        {"cpo": "nobody"},
        {"agreed": "perhaps"},
        {"since": "2026-06-02T00:00:00Z", "until": "2026-06-02T00:00:00Z"},
        {"parties": []},
    ],
)
async def test_what_makes_no_sense_is_refused(both: Two, said: dict[str, Any]) -> None:
    assert (await both.emsp.drive("agreements", [said]))[0] == 400
    assert await authorised(both) == "ALLOWED"
