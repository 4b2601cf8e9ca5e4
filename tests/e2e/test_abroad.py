"""CPO and EMSP of one gateway, through Gireve, through Hubject, and at home: from the token to the CDR."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.abroad import CONTRACT, EMSP, WAYS, Abroad, abroad
from tests.e2e.scene import BEGUN, HALFWAY, OVER, Driver
from tests.harness import PARTY, eventually, report

REASONS = {"NO_CREDIT": "NO_CREDIT", "BLOCKED": "BLOCKED", "silence": "NO_ANSWER", "ALLOWED": None}
"""By the backend's word, why the driver may not charge."""


@pytest.fixture(params=WAYS)
async def made(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Abroad]:
    async with abroad(database_url, request.param) as made:
        yield made


async def test_a_driver_of_ours_taps_and_everything_comes_home(made: Abroad) -> None:
    await made.pulled()
    driver = await made.own()
    charge = await made.charge(driver)
    [permit] = await made.permits()
    assert (permit["allowed"], permit["connection"], permit["cpo"]) == (True, made.over, PARTY.normal)
    for share in (BEGUN, HALFWAY, OVER):
        await made.tell(charge, share)
    await made.bill(charge)
    [session] = await made.came_home("sessions")
    assert session["connection"] == made.over
    [cdr] = await made.came_home("cdrs")
    assert cdr["cdr"]["energy"] == 12.5
    assert (cdr["party"], cdr["permit"], cdr["doubts"]) == (EMSP.normal, permit["id"], [])


async def test_a_driver_of_ours_starts_and_stops_from_the_app(made: Abroad) -> None:
    await made.pulled()
    await made.own()
    started = await made.start()
    assert started["result"] == "ACCEPTED", started
    charge = made.begun(made.asked("START_SESSION")[0])
    await made.tell(charge, BEGUN)
    [session] = await made.came_home("sessions")
    stop = {"party": EMSP.normal, "kind": "STOP_SESSION", "session": session["id"]}
    stopped = await made.ask("POST", "/v1/sent-commands", stop)
    assert stopped["result"] == "ACCEPTED", stopped
    await made.tell(charge, OVER)
    await made.bill(charge)
    [cdr] = await made.came_home("cdrs")
    assert (cdr["permit"], cdr["doubts"]) == (started["permit"], [])


async def test_a_driver_who_is_blocked_is_turned_away_at_once(made: Abroad) -> None:
    await made.pulled()
    driver = await made.own()
    assert (await made.tap(driver))["allowed"]
    await made.ask("POST", f"/v1/drivers/{EMSP}/d-1/block")
    await made.quiet()
    refused = await made.tap(driver)
    assert (refused["allowed"], refused["reason"] != "NO_ANSWER") == (False, True)
    status, problem = await made.said("POST", "/v1/sent-commands", made.wish())
    assert (status, problem["detail"]) == (422, "token: is blocked")
    await made.ask("POST", f"/v1/drivers/{EMSP}/d-1/unblock")
    await made.quiet()
    assert (await made.tap(driver))["allowed"]


async def test_a_status_reaches_the_catalogue(made: Abroad) -> None:
    await made.pulled()
    await made.found("U1")
    await made.gateway.report(report("CHARGING", None, "L1", "U1"))
    await made.quiet()
    if made.way == "hubject":
        await made.pulled()  # statuses are pulled there
    entry = await made.found("U1", status="CHARGING")
    assert [way["connection"] for way in entry["ways"]] == [made.over]


async def test_a_stranger_is_not_admitted_in_our_name(made: Abroad) -> None:
    await made.own()
    made.words["PERMIT"] = {"result": "UNKNOWN_TOKEN"}
    assert not (await made.tap(Driver(made.way, "04FFFFFFFFFF01", CONTRACT)))["allowed"]
    assert not any(one["allowed"] for one in await made.permits())


async def test_a_contract_is_found_however_it_is_spelt(made: Abroad) -> None:
    await made.pulled()
    await made.own()
    spelt = CONTRACT.text.replace("-", "").lower()
    started = await made.start(token=None, identification={"type": "APP_USER", "contract_id": spelt})
    assert started["result"] == "ACCEPTED", started
    await eventually(lambda: bool(made.asked("START_SESSION")), "a start")


async def test_what_a_driver_reserves_is_given_up_or_used(made: Abroad) -> None:
    await made.pulled()
    await made.own()
    wish: dict[str, Any] = {"kind": "RESERVE_NOW", "expires": (datetime.now(UTC) + timedelta(minutes=30)).isoformat()}
    if made.way == "gireve":
        status, problem = await made.said("POST", "/v1/sent-commands", made.wish(**wish))
        assert (status, "NOT_SUPPORTED" in problem["detail"]) == (422, True)
        return
    reserved = await made.start(**wish)
    assert reserved["result"] == "ACCEPTED", reserved
    cancel = {"party": EMSP.normal, "kind": "CANCEL_RESERVATION", "permit": reserved["permit"]}
    cancelled = await made.ask("POST", "/v1/sent-commands", cancel)
    assert cancelled["result"] == "ACCEPTED", cancelled
    [asked], [given_up] = made.asked("RESERVE_NOW"), made.asked("CANCEL_RESERVATION")
    assert given_up["reference"] == asked["reference"]
    again, started = await made.start(**wish), await made.start()
    assert (again["result"], started["result"]) == ("ACCEPTED", "ACCEPTED")
    charge = made.begun(made.asked("START_SESSION")[0])
    await made.tell(charge, OVER)
    await made.bill(charge)
    [cdr] = await made.came_home("cdrs")
    assert (cdr["permit"], cdr["doubts"]) == (started["permit"], [])


async def test_who_may_charge_without_being_asked_for_is_billed_without_doubt(made: Abroad) -> None:
    await made.pulled()
    driver = await made.own(whitelist="ALLOWED")
    charge = await made.charge(driver)
    # Hubject answers for such a driver, and at home the station's own list does; Gireve always asks.
    assert len(await made.permits()) == (made.way == "gireve")
    for share in (BEGUN, OVER):
        await made.tell(charge, share)
    await made.bill(charge)
    [cdr] = await made.came_home("cdrs")
    assert (cdr["party"], cdr["standing"], cdr["doubts"]) == (EMSP.normal, "accepted", [])
    assert not made.asked("PERMIT")


async def test_where_only_the_backend_may_say_its_word_counts(made: Abroad) -> None:
    await made.pulled()
    driver = await made.own(whitelist="NEVER")
    for word, reason in REASONS.items():
        made.words["PERMIT"] = {"result": word} if word != "silence" else {"no": "sense"}
        said = await made.tap(driver)
        assert said["allowed"] is (word == "ALLOWED"), word
        permit = (await made.permits())[0]
        assert (permit["allowed"], permit.get("reason")) == (reason is None, reason), word
        asked = made.asked("PERMIT")[-1]
        assert (asked["evse"], asked["token"]["driver"], asked["connection"]) == ("NLABCE1", "d-1", made.over), word
    assert len(await made.permits()) == len(made.asked("PERMIT")) == len(REASONS)


async def test_a_driver_whom_only_the_backend_knows_charges_by_its_word(made: Abroad) -> None:
    await made.pulled()
    await made.own()
    stranger = Driver(made.way, "04FFFFFFFFFF01", CONTRACT)
    made.words["PERMIT"] = {"result": "ALLOWED", "contract_id": "FR-RGT-C00000002"}
    if made.way == "gireve":  # which asks for pushed tokens only
        assert not (await made.tap(stranger))["allowed"]
        return
    charge = await made.charge(stranger)
    await made.tell(charge, OVER)
    await made.bill(charge)
    [cdr] = await made.came_home("cdrs")
    [permit] = await made.permits()
    assert (cdr["party"], cdr["permit"], cdr["doubts"]) == (EMSP.normal, permit["id"], [])
