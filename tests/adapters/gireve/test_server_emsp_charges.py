"""Sessions, CDRs and results of commands as IOP brings them home, over loopback."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.core.digest import digest
from mappings.canonical.commands import CommandResult
from tests.adapters.gireve import cpo
from tests.adapters.gireve.cpo import ENDED, LATER
from tests.adapters.gireve.ours import CPO, FROM_CPO, FROM_OTHER, Emsp, emsp

SESSION = "/receiver/sessions/FR/ABC/S1"
CDRS = "/receiver/cdrs"
PERIOD = {"start_date_time": LATER, "dimensions": [{"type": "ENERGY", "volume": 1}]}


@pytest.fixture
async def ours() -> AsyncIterator[Emsp]:
    async with emsp() as made:
        made.sent.open = {"command-1"}
        yield made


# Sessions


async def test_a_session_is_taken_with_its_reference(ours: Emsp) -> None:
    answer = await ours.call("PUT", SESSION, cpo.session("permit-1"))
    assert (answer.status, answer.code) == (201, 1000)
    taken = ours.received.sessions[CPO, "S1"]
    assert (taken.reference, taken.evse_uid, taken.identification.uid) == ("permit-1", "1", cpo.UID)


async def test_a_session_is_put_again_and_shown(ours: Emsp) -> None:
    await ours.call("PUT", SESSION, cpo.session("permit-1"))
    said = cpo.session("permit-1", kwh=3.0, last_updated=LATER)
    answer = await ours.call("PUT", SESSION, said)
    assert (answer.status, answer.code) == (200, 1000)
    shown = await ours.call("GET", SESSION)
    assert (shown.status, shown.data) == (200, said)


async def test_a_session_of_another_id_or_party_than_the_url_is_refused(ours: Emsp) -> None:
    for path in ("FR/ABC/S2", "FR/XYZ/S1"):
        answer = await ours.call("PUT", f"/receiver/sessions/{path}", cpo.session("permit-1"))
        assert (answer.status, answer.code) == (200, 2001)
    answer = await ours.call("PUT", SESSION, cpo.session("permit-1"), FROM_OTHER)
    assert (answer.status, answer.code) == (404, 2001)
    assert not ours.received.sessions


async def test_a_session_without_energy_or_driver_is_refused_by_the_field(ours: Emsp) -> None:
    for field in ("kwh", "cdr_token", "start_date_time"):
        said = cpo.session("permit-1")
        del said[field]
        answer = await ours.call("PUT", SESSION, said)
        assert (answer.status, answer.code) == (200, 2001)
        assert answer.message is not None
        assert field in answer.message
        assert cpo.UID not in answer.message


async def test_a_session_that_is_not_known_cannot_be_patched_or_shown(ours: Emsp) -> None:
    for method, body in (("PATCH", {"kwh": 2, "last_updated": LATER}), ("GET", None)):
        answer = await ours.call(method, SESSION, body)
        assert (answer.status, answer.code) == (404, 2000)


async def test_periods_that_are_patched_are_added(ours: Emsp) -> None:
    await ours.call("PUT", SESSION, cpo.session("permit-1"))
    patches = [
        {
            "charging_periods": [{**PERIOD, "dimensions": [{"type": "ENERGY", "volume": number}]}],
            "last_updated": LATER,
        }
        for number in range(5)
    ]
    for _ in range(2):  # one that got no answer is sent again, and adds nothing
        answers = await asyncio.gather(*(ours.call("PATCH", SESSION, patch) for patch in patches))
        assert {each.code for each in answers} == {1000}
    assert len(ours.received.sessions[CPO, "S1"].periods) == 6


async def test_a_patch_that_comes_late_changes_nothing(ours: Emsp) -> None:
    await ours.call("PUT", SESSION, cpo.session("permit-1", kwh=5.0, last_updated=LATER))
    answer = await ours.call("PATCH", SESSION, {"kwh": 4, "last_updated": ENDED})
    assert answer.code == 1000
    assert ours.received.sessions[CPO, "S1"].energy == 5


# CDRs


async def test_a_cdr_is_taken_and_says_where_it_can_be_read(ours: Emsp) -> None:
    said = cpo.cdr("permit-1")
    answer = await ours.call("POST", CDRS, said)
    assert (answer.status, answer.code) == (201, 1000)
    where = answer.headers["Location"]
    assert where == f"{ours.url}/ocpi/2.2.1/receiver/cdrs/FR/ABC/C1"
    assert ours.received.cdrs[CPO, "C1"][1] == digest(said)
    shown = await ours.call("GET", where)
    assert shown.status == 200
    said["cdr_location"]["coordinates"] = {
        "latitude": "48.87680",
        "longitude": "2.35920",
    }  # five places, as OCPI has it
    assert shown.data == said


async def test_the_same_cdr_again_is_fine(ours: Emsp) -> None:
    first = await ours.call("POST", CDRS, cpo.cdr("permit-1"))
    again = await ours.call("POST", CDRS, dict(reversed(cpo.cdr("permit-1").items())))
    assert (again.status, again.code) == (200, 1000)
    assert again.headers["Location"] == first.headers["Location"]


async def test_another_cdr_under_the_same_id_is_kept_and_refused(ours: Emsp) -> None:
    await ours.call("POST", CDRS, cpo.cdr("permit-1"))
    answer = await ours.call("POST", CDRS, cpo.cdr("permit-1", total_energy=99))
    # With an error of HTTP it would be sent again for ever.
    assert (answer.status, answer.code) == (200, 2001)
    assert "Location" not in answer.headers
    assert [each.energy for each in ours.received.conflicts] == [99]
    assert ours.received.cdrs[CPO, "C1"][0].energy != 99


async def test_a_price_that_gireve_worked_out_or_calls_meaningless_is_told_apart(ours: Emsp) -> None:
    await ours.call("POST", CDRS, cpo.cdr("permit-1", remark="[*] by clearing"))
    await ours.call("POST", CDRS, cpo.cdr("permit-2", id="C2", remark="[?]"))
    assert ours.received.cdrs[CPO, "C1"][0].priced_by_hub
    without = ours.received.cdrs[CPO, "C2"][0]
    assert (without.total_cost, without.priced_by_hub) == (None, False)
    assert (await ours.call("GET", f"{CDRS}/FR/ABC/C2")).data["remark"] == "[?]"


async def test_a_cdr_that_cannot_be_read_is_refused_by_the_field(ours: Emsp) -> None:
    for field in ("id", "total_energy", "cdr_token", "cdr_location", "end_date_time"):
        said = cpo.cdr("permit-1")
        del said[field]
        answer = await ours.call("POST", CDRS, said)
        assert (answer.status, answer.code) == (200, 2001)
        assert answer.message is not None
        assert field in answer.message
    assert not ours.received.cdrs


async def test_a_cdr_of_another_party_than_who_speaks_is_refused(ours: Emsp) -> None:
    answer = await ours.call("POST", CDRS, cpo.cdr("permit-1"), FROM_OTHER)
    assert (answer.status, answer.code) == (200, 2001)
    assert not ours.received.cdrs
    assert (await ours.call("POST", CDRS, cpo.cdr("permit-1"), FROM_CPO)).status == 201


async def test_a_cdr_that_is_not_known_cannot_be_shown(ours: Emsp) -> None:
    answer = await ours.call("GET", f"{CDRS}/FR/ABC/C1")
    assert (answer.status, answer.code) == (404, 2000)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_a_cdr_is_never_replaced(ours: Emsp, method: str) -> None:
    await ours.call("POST", CDRS, cpo.cdr("permit-1"))
    answer = await ours.call(method, f"{CDRS}/FR/ABC/C1", cpo.cdr("permit-1", total_energy=1))
    assert (answer.status, answer.code) == (404, 2000)


async def test_a_cdr_with_signed_readings_of_many_kilobytes_is_taken(ours: Emsp) -> None:
    signed = {
        "encoding_method": "OCMF",
        "signed_values": [{"nature": "End", "plain_data": "", "signed_data": "x" * 5000}] * 40,
    }
    answer = await ours.call("POST", CDRS, cpo.cdr("permit-1", signed_data=signed))
    assert (answer.status, answer.code) == (201, 1000)


async def test_what_could_not_be_stored_is_sent_again(ours: Emsp) -> None:
    ours.received.failing = RuntimeError("the database is down")
    answer = await ours.call("POST", CDRS, cpo.cdr("permit-1"))
    assert (answer.status, answer.code) == (500, 3000)


# Results of commands


async def test_the_result_of_a_command_finds_it(ours: Emsp) -> None:
    said = {"result": "EVSE_OCCUPIED", "message": [{"language": "en", "text": "Somebody was faster"}]}
    answer = await ours.call("POST", "/sender/commands/START_SESSION/command-1", said)
    assert (answer.status, answer.code) == (200, 1000)
    ((_, result),) = ours.sent.results
    assert (result.result, result.text) == (CommandResult.EVSE_OCCUPIED, "Somebody was faster")


@pytest.mark.parametrize("path", ["START_SESSION/command-9", "NEVER_HEARD_OF/command-1", "START_SESSION/%00"])
async def test_the_result_of_a_command_that_was_not_sent_is_for_nobody(ours: Emsp, path: str) -> None:
    answer = await ours.call("POST", f"/sender/commands/{path}", {"result": "ACCEPTED"})
    assert (answer.status, answer.code) == (404, 2000)
    assert not ours.sent.results


@pytest.mark.parametrize("body", [{}, {"result": "MAYBE"}, {"result": None}])
async def test_a_result_that_cannot_be_read_is_refused(ours: Emsp, body: Any) -> None:
    answer = await ours.call("POST", "/sender/commands/STOP_SESSION/command-1", body)
    assert (answer.status, answer.code) == (200, 2001)
