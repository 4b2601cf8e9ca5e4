"""Drivers of ours abroad while a hub fails at any step: nothing is lost, nothing is in effect twice, nobody waits."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tenacity import wait_none

from gateway.services.pulling import one_pull
from mappings.canonical.ids import ContractId
from tests.e2e.abroad import EMSP, Abroad, abroad
from tests.e2e.scene import ACTED, AUTHORISE, BEGUN, BILL, FAULTS, HUBS, OVER, TELL, Driver
from tests.harness import eventually, report

SURE = {"delay", "throttle", "unavailable"}
"""After these it is known whether the hub has acted."""

TOKENS = {"gireve": "/receiver/.*/tokens", "hubject": "/push-request"}
STATIONS = {"gireve": "/sender/.*/locations", "hubject": "/data-records"}
STATUS = {"gireve": "/receiver/.*/locations", "hubject": "/status-records"}
START = {"gireve": "/commands/START_SESSION$", "hubject": "/authorize-remote/start"}
STOP = {"gireve": "/commands/STOP_SESSION$", "hubject": "/authorize-remote/stop"}
"""By hub, the paths under which an EMSP speaks to it."""

RESULT = "/sender/.*/commands/"
PATIENCE: dict[str, Any] = {"gireve_settings": {"command_seconds": 8.0, "margin_seconds": 0.5}}
"""How long IOP is waited for that took a command without a word."""


@pytest.fixture(params=HUBS)
async def made(
    request: pytest.FixtureRequest, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Abroad]:
    monkeypatch.setattr(one_pull, "_WAIT", wait_none())
    async with abroad(database_url, request.param, **PATIENCE) as made:
        yield made


def number(kind: str) -> int:
    """Numbers a fault, from 1."""
    return list(FAULTS).index(kind) + 1


def driver_of(kind: str) -> Driver:
    """The driver whom a fault hits."""
    return Driver("", uid_of(kind), contract_of(kind))


def contract_of(kind: str) -> ContractId:
    """The driver's contract."""
    return ContractId(ContractId(f"FR-RGT-C{number(kind):08}").separated())


def uid_of(kind: str) -> str:
    """The card of the driver whom a fault hits."""
    return f"04A2B3C4D5E6{number(kind):02X}"


async def drivers(made: Abroad, **changes: Any) -> None:
    """Gives each fault a driver of its own."""
    for kind in FAULTS:
        await made.own(uid_of(kind), contract_id=contract_of(kind).text, driver=f"d-{kind}", **changes)


def place_of(kind: str) -> str:
    """Where a fault's driver charges."""
    return f"U{number(kind) % 4 + 1}"


async def test_whatever_the_hub_does_while_our_driver_is_asked_for_the_next_tap_is_granted(made: Abroad) -> None:
    await made.pulled()
    await made.found()
    await drivers(made)
    for kind in FAULTS:
        before, driver = len(await made.permits()), driver_of(kind)
        made.fail(made.hub, kind, AUTHORISE[made.hub])
        said = await made.tap(driver)
        assert made.failed(made.hub), kind
        reason = None if kind == "delay" else "NO_ANSWER"
        assert (said["allowed"], said.get("reason")) == (kind == "delay", reason), kind
        # What we allowed and nobody heard of nobody uses.
        assert len(await made.permits()) - before == (kind in {"delay", *ACTED}), kind
        again = await made.tap(driver)
        assert (again["allowed"], again["connection"]) == (True, made.hub), kind
        permits = {one["id"] for one in await made.permits() if one["driver"] == f"d-{kind}"}
        charge = made.admitted(driver.card, again["reference"], session_id=f"S-{kind}")
        await made.tell(charge, OVER)
        await made.bill(charge)
        cdr = (await made.came_home("cdrs", number(kind)))[0]
        # Gireve names the charge as neither side does, so that there it may be either tap's.
        assert (cdr["permit"] in permits, cdr["doubts"]) == (True, []), kind


async def test_whatever_the_hub_does_it_knows_our_tokens_in_the_end(made: Abroad) -> None:
    def valid(uid: str) -> bool:
        known = made.gateway.sandbox(made.hub).memory["tokens" if made.hub == "gireve" else "authentication_data"]
        found = [record for key, record in known.items() if uid.casefold() in key.casefold()]
        return any(record.get("token", {}).get("valid", True) for record in found)

    for kind in FAULTS:
        made.fail(made.hub, kind, TOKENS[made.hub])
        await made.own(uid_of(kind), whitelist="ALLOWED", driver=f"d-{kind}", contract_id=contract_of(kind).text)
        assert made.failed(made.hub), kind
        assert valid(uid_of(kind)), kind
        made.fail(made.hub, kind, TOKENS[made.hub])
        await made.ask("POST", f"/v1/drivers/{EMSP}/d-{kind}/block")
        await made.quiet()
        assert made.failed(made.hub), kind
        assert not valid(uid_of(kind)), kind
    assert not await made.letters()


async def test_whatever_the_hub_does_a_page_is_asked_for_till_it_comes(made: Abroad) -> None:
    await made.pulled()
    await made.found()
    for kind in FAULTS:
        made.fail(made.hub, kind, STATIONS[made.hub])
        await made.pulled()
        assert made.failed(made.hub), kind
        for feed in await made.at_rest():
            assert (feed["last"]["outcome"], feed["last"]["pruned"], feed["last"]["refused"]) == ("done", 0, 0), feed
    for uid in ("U1", "U2", "U3", "U4"):
        assert len((await made.found(uid))["ways"]) == 1


async def test_whatever_the_hub_does_a_status_gets_through(made: Abroad) -> None:
    await made.pulled()
    await made.found()
    for kind in FAULTS:
        status = "CHARGING" if number(kind) % 2 else "AVAILABLE"
        made.fail(made.hub, kind, STATUS[made.hub])
        await made.gateway.report(report(status, None, "L1", "U1"))
        await made.quiet()
        assert made.failed(made.hub), kind
        if made.hub == "hubject":
            made.fail(made.hub, kind, STATUS[made.hub])
            await made.pulled()
        await made.found("U1", status=status)


async def test_whatever_the_hub_does_with_a_start_the_driver_hears_of_it_and_what_began_is_billed(made: Abroad) -> None:
    await made.pulled()
    await made.found()
    await drivers(made)
    bills = 0
    for kind in FAULTS:
        before = len(made.asked("START_SESSION"))
        made.fail(made.hub, kind, START[made.hub])
        started = await made.start(place_of(kind), uid_of(kind))
        assert made.failed(made.hub), kind
        begun = made.asked("START_SESSION")[before:]
        assert len(begun) == (kind in {"delay", *ACTED}), kind
        # IOP's own answer is lost, and the station's, which comes by itself, is not.
        sure = kind in SURE or (made.hub == "gireve" and kind in ACTED)
        assert started["result"] == ("TIMEOUT" if not sure else "ACCEPTED" if begun else "FAILED"), (kind, started)
        for asked in begun:
            charge = made.begun(asked, f"S-{kind}")
            await made.tell(charge, OVER)
            await made.bill(charge)
            permit = started["permit"]
            bills += 1
            assert [cdr["permit"] for cdr in await made.came_home("cdrs", bills)].count(permit) == 1, kind
        if not begun:
            again = await made.start(place_of(kind), uid_of(kind))
            assert again["result"] == "ACCEPTED", (kind, again)
    assert not [cdr for cdr in await made.came_home("cdrs") if cdr["doubts"]]


async def test_whatever_the_hub_does_with_a_stop_the_driver_can_stop(made: Abroad) -> None:
    await made.pulled()
    await made.found()
    await drivers(made)
    for count, kind in enumerate(FAULTS, 1):
        assert (await made.start(place_of(kind), uid_of(kind)))["result"] == "ACCEPTED", kind
        charge = made.begun(made.asked("START_SESSION")[-1], f"S-{kind}")
        await made.tell(charge, BEGUN)
        session = (await made.came_home("sessions", count))[0]
        stop = {"party": EMSP.normal, "kind": "STOP_SESSION", "session": session["id"]}
        before = len(made.asked("STOP_SESSION"))
        made.fail(made.hub, kind, STOP[made.hub])
        stopped = await made.ask("POST", "/v1/sent-commands", stop)
        assert made.failed(made.hub), kind
        asked = len(made.asked("STOP_SESSION")) - before
        assert asked == (kind in {"delay", *ACTED}), kind
        sure = kind in SURE or (made.hub == "gireve" and kind in ACTED)
        assert stopped["result"] == ("TIMEOUT" if not sure else "ACCEPTED" if asked else "FAILED"), (kind, stopped)
        if stopped["result"] != "ACCEPTED":
            assert (await made.ask("POST", "/v1/sent-commands", stop))["result"] == "ACCEPTED", kind
        await made.tell(charge, OVER)
        await made.bill(charge)
    assert not [cdr for cdr in await made.came_home("cdrs", len(FAULTS)) if cdr["doubts"]]


async def test_whatever_the_hub_does_a_charge_comes_home_once(made: Abroad) -> None:
    await made.pulled()
    await made.found()
    await drivers(made)
    made.gateway.fail(made.hub, "repeat")
    for kind in FAULTS:
        started = await made.start(place_of(kind), uid_of(kind))
        assert started["result"] == "ACCEPTED", kind
        charge = made.begun(made.asked("START_SESSION")[-1], f"S-{kind}")
        await made.tell(charge, BEGUN)
        await made.quiet()
        made.fail(made.hub, kind, TELL[made.hub])
        await made.tell(charge, OVER)
        await made.quiet()  # Hubject hears nothing of a session any more that has a CDR
        made.fail(made.hub, kind, BILL[made.hub])
        await made.bill(charge)
    await made.quiet()
    cdrs = await made.came_home("cdrs", len(FAULTS))
    assert len(await made.happened("received_cdr.accepted", len(FAULTS))) == len(cdrs) == len(FAULTS)
    assert not [cdr for cdr in cdrs if cdr["doubts"]]

    async def over() -> bool:
        sessions = (await made.ask("GET", "/v1/received-sessions"))["items"]
        return len(sessions) == len(FAULTS) and all(
            one["status"] == "COMPLETED" and one["cdr"] and not one["review"] for one in sessions
        )

    await eventually(over, "every session over and billed")
    assert len({cdr["permit"] for cdr in cdrs}) == len({cdr["session"] for cdr in cdrs}) == len(FAULTS)


async def test_a_result_is_told_once_in_effect_whatever_iop_does(database_url: str) -> None:
    async with abroad(database_url, "gireve") as made:
        await made.pulled()
        await made.found()
        await drivers(made)
        made.gateway.fail("gireve", "repeat", path="/sent-commands|/commands/")
        for kind in FAULTS:
            made.fail("gireve", kind, RESULT)
            started = await made.start(place_of(kind), uid_of(kind))
            assert started["result"] == "ACCEPTED", (kind, started)
            await made.quiet()
        await made.drive("gireve", "settle", {"seconds": 60})
        answered = await made.happened("sent_command.answered", len(FAULTS))
        assert [one["result"] for one in answered] == ["ACCEPTED"] * len(FAULTS)
        assert len(made.asked("START_SESSION")) == len(FAULTS)
