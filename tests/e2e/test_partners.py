"""Drivers of ours at partners' stations behind hubs: what both hubs offer, and whatever may come home of a charge."""

from collections.abc import AsyncIterator
from itertools import permutations
from typing import Any

import pytest

from adapters.hubject.sandbox.played import PlayedCpos
from tests.e2e.partners import OVER, PARTNER, Partners, ago, partners, station, uid_of
from tests.e2e.scene import HUBS
from tests.harness import eventually


@pytest.fixture(params=HUBS)
async def made(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Partners]:
    async with partners(database_url, request.param) as made:
        await made.show(station())
        for hub in HUBS:
            await made.pulls(over=OVER[hub])
        yield made


async def test_what_both_hubs_offer_is_one_entry_with_two_ways_and_one_speaks(database_url: str) -> None:
    async with partners(database_url, "gireve") as made:
        both = station("P1", "P1", "P2")
        await made.show(both)
        await made.show(station("P3"), hubs=["gireve"])
        for hub in HUBS:
            await made.pulls(over=OVER[hub])
        entries = await made.entries()
        assert {key: len(entry["ways"]) for key, entry in entries.items()} == {
            "NLPAREP1": 2,
            "NLPAREP2": 2,
            "NLPAREP3": 1,
        }
        for names in (["hubject-emp", "gireve"], ["gireve", "hubject-emp"]):
            await made.ask("PUT", "/v1/catalogue/ways", {"connections": names})
            entry = await made.entry("NLPAREP1")
            assert [way["connection"] for way in entry["ways"] if way["preferred"]] == names[:1]
        # The newest status is the entry's, whoever told it.
        await made.drive("hubject", "statuses", [{"EvseID": "NL*PAR*EP1", "EvseStatus": "Occupied"}])
        await made.pulls(over="hubject-emp", feeds=["evse_status"])
        assert (await made.entry("NLPAREP1"))["status"] == "CHARGING"
        await made.drive("gireve", "statuses", [_status("P1", "INOPERATIVE")])
        await eventually(lambda: _is(made, "NLPAREP1", "INOPERATIVE"), "the newest status")
        # What one hub does not offer any more the other one may.
        await made.drive("hubject", "network", ["NL*PAR*EP1"], "DELETE")
        await made.pulls(over="hubject-emp")
        assert [way["connection"] for way in (await made.entry("NLPAREP1"))["ways"]] == ["gireve"]
        await made.drive("gireve", "statuses", [_status("P1", "REMOVED")])
        await eventually(lambda: _gone(made, "NLPAREP1"), "gone")
        assert len((await made.entry("NLPAREP2"))["ways"]) == 2


async def test_from_a_tap_to_the_cdr(made: Partners) -> None:
    await made.driver("anna")
    named = await made.taps("anna")
    [permit] = await made.permits()
    assert (permit["cpo"], permit["evse"], permit["driver"]) == (PARTNER.normal, "NLPAREP1", "anna")
    await _charged(made, named)
    [session], [cdr] = await made.sessions(), await made.cdrs()
    assert (session["permit"], session["status"], session["review"]) == (permit["id"], "COMPLETED", [])
    assert (cdr["permit"], cdr["session"], cdr["standing"]) == (permit["id"], session["id"], "accepted")
    assert (cdr["cdr"]["energy"], cdr["party"], session["cdr"]) == (10.5, "FR*RGT", cdr["id"])
    assert [one["energy"] for one in await made.happened("received_cdr.accepted")] == [10.5]


async def test_from_the_app_to_the_cdr(made: Partners) -> None:
    await made.drive("gireve", "cpos", {"party": PARTNER.normal, "kwh": 0.1})
    await made.driver("anna")
    started = await made.start("", uid_of("anna"), evse={"evse_id": "NL*PAR*EP1"}, connection=made.over)
    assert (started["result"], started["connection"], started["cpo"]) == ("ACCEPTED", made.over, PARTNER.normal)
    again = await made.start(
        "", uid_of("anna"), evse={"evse_id": "NL*PAR*EP1"}, connection=made.over, request_id="once"
    )
    same = await made.start("", uid_of("anna"), evse={"evse_id": "NL*PAR*EP1"}, connection=made.over, request_id="once")
    assert again["id"] == same["id"] != started["id"]
    if made.way == "hubject":
        hub = (await made.ask("GET", f"/v1/permits/{started['permit']}"))["leg"]["hub_session"]
        await made.drive("hubject", "notifications", {"session": hub, "type": "Start"})
    await made.came_home("sessions", 2 if made.way == "gireve" else 1)
    session = next(one for one in await made.sessions() if one["permit"] == started["permit"])
    stop = {"party": "FR*RGT", "kind": "STOP_SESSION", "session": session["id"]}
    assert (await made.ask("POST", "/v1/sent-commands", stop))["result"] == "ACCEPTED"
    if made.way == "hubject":
        await made.drive("hubject", "notifications", {"session": hub, "type": "End"})
        await made.drive("hubject", "cdrs", {"session": hub})
    [cdr] = await made.came_home("cdrs")
    assert (cdr["permit"], cdr["doubts"]) == (started["permit"], [])
    status, problem = await made.said("POST", "/v1/sent-commands", stop)
    assert (status, problem["detail"]) == (409, "The session is over")


@pytest.mark.parametrize("answer", ["refuse", "silent"])
async def test_a_station_that_does_not_start_lets_nobody_charge(made: Partners, answer: str) -> None:
    if made.way == "gireve":
        word = {"response": "REJECTED"} if answer == "refuse" else {"result": None, "timeout": 1}
        await made.drive("gireve", "cpos", {"party": PARTNER.normal, **word})
    else:
        made.gateway.hubject.played = PlayedCpos(0.2)
        await made.drive("hubject", "cpos", [{"answer": answer}])
    await made.driver("anna")
    started = await made.start("", uid_of("anna"), evse={"evse_id": "NL*PAR*EP1"}, connection=made.over)
    assert started["result"] != "ACCEPTED", started
    [permit] = await made.permits()
    assert permit["allowed"] is (started["result"] == "TIMEOUT")


async def test_notifications_in_any_order_come_to_the_same_session(database_url: str) -> None:
    async with partners(database_url, "hubject") as made:
        await made.show(station(), hubs=["hubject"])
        await made.pulls()
        said = []
        for number, order in enumerate(permutations(("Start", "Progress", "End"))):
            await made.driver(name := f"{number}-driver")
            session = await made.taps(name)
            end = f"2026-01-0{number + 1}T12:00:00Z"
            changes: dict[str, dict[str, Any]] = {
                "Start": {},
                "Progress": {"energy": 4.0, "minutes": 10, "end": end.replace("12:00", "11:40")},
                "End": {"extra": {"SessionEnd": end}},
            }
            for kind in (*order, order[0]):
                told = {"session": session, "type": kind, "end": end, "minutes": 30} | changes[kind]
                assert (await made.drive("hubject", "notifications", told))["Result"], (order, kind)
            one = (await made.sessions())[-1]
            said.append((one["status"], one["started"][11:], one["ended"][11:], one["energy"], tuple(one["review"])))
        assert set(said) == {("COMPLETED", "11:30:00Z", "12:00:00Z", "10.5", ())}
        assert len(await made.sessions()) == len(said)


def _status(uid: str, status: str) -> dict[str, str]:
    return {"party": PARTNER.normal, "location_id": "P1", "evse_uid": uid, "status": status}


async def _is(made: Partners, key: str, status: str) -> bool:
    return bool((await made.entry(key) or {}).get("status") == status)


async def _gone(made: Partners, key: str) -> bool:
    return await made.entry(key) is None


async def _charged(made: Partners, named: str) -> None:
    """Has a charge of 10.5 kWh and half an hour told and billed."""
    if made.way == "hubject":
        for kind in ("Start", "Progress", "End"):
            over = {"SessionEnd": ago(0)} if kind == "End" else {}
            await made.drive("hubject", "notifications", {"session": named, "type": kind, "extra": over})
        await made.drive("hubject", "cdrs", {"session": named})
        return
    times = {"start": ago(31), "end": ago(1)}
    began = {"reference": named, "id": "S-1"}
    for told in ({"kwh": 0.1, "start": ago(31)}, {"kwh": 10.5, "status": "COMPLETED", **times}):
        await made.drive("gireve", "sessions", began | told)
    await made.drive("gireve", "cdrs", {"session": "S-1", "kwh": 10.5, **times})
    await made.heard()
