"""CPO and EMSP of one gateway, through Gireve, through Hubject, and at home: from the token to the CDR."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.abroad import CARD, CONTRACT, EMSP, WAYS, Abroad, abroad
from tests.e2e.scene import BEGUN, HALFWAY, OVER
from tests.harness import PARTY, eventually, report


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
    assert started["answer"]["result"] == "ACCEPTED", started
    charge = made.begun(made.asked("START_SESSION")[0])
    await made.tell(charge, BEGUN)
    [session] = await made.came_home("sessions")
    stop = {"party": EMSP.normal, "kind": "STOP_SESSION", "session": session["no"]}
    stopped = await made.ask("POST", "/v1/sent-commands", stop)
    assert stopped["answer"]["result"] == "ACCEPTED", stopped
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
    status, problem = await made.said(
        "POST",
        "/v1/sent-commands",
        {
            "party": EMSP.normal,
            "kind": "START_SESSION",
            "evse": {"evse_id": "NL*ABC*E1"},
            "token": {"type": "RFID", "uid": CARD.uid},
        },
    )
    assert status >= 400 or problem["answer"]["result"] != "ACCEPTED", problem
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
    stranger = CARD.model_copy(update={"uid": "04FFFFFFFFFF01"})
    body = {
        "party": PARTY.normal,
        "location_id": "L1",
        "evse_uid": "U1",
        "connector_id": "1",
        "identification": stranger.model_dump(mode="json", exclude_none=True),
    }
    assert not (await made.ask("POST", "/v1/authorisations", body))["allowed"]
    assert not any(one["allowed"] for one in await made.permits())


async def test_a_contract_is_found_however_it_is_spelt(made: Abroad) -> None:
    await made.pulled()
    await made.own()
    spelt = CONTRACT.text.replace("-", "").lower()
    wish = {"token": None, "identification": {"type": "APP_USER", "contract_id": spelt}}
    started = await made.start(**wish)
    assert started["answer"]["result"] == "ACCEPTED", started
    await eventually(lambda: bool(made.asked("START_SESSION")), "a start")
