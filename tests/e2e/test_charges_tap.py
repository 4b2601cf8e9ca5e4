"""A driver taps: somebody says yes or no within the deadline, whatever a hub does, and nothing begins twice."""

import asyncio
import time

import pytest

from tests.e2e.scene import ACTED, AUTHORISE, EMSPS, FAULTS, HUBS, OVER, scene

OTHER = {"gireve": "hubject", "hubject": "gireve"}
UNKNOWN = {"gireve": "2004", "hubject": "102"}
"""The hubs' codes for a token that nobody knows."""

IMPATIENT = {
    "gireve_settings": {"answer_seconds": 12.0, "margin_seconds": 10.5},
    "hubject_settings": {"answer_seconds": 1.5},
}
"""Whoever taps waits 1.5 s for either hub."""

LATE = {"gireve": {"seconds": 6.0}, "hubject": {"late": 6.0}}
"""So late that whatever else is to happen before has happened, on a busy machine too."""


@pytest.mark.parametrize("hub", HUBS)
async def test_whatever_the_hub_does_a_tap_has_an_answer_and_the_next_one_a_yes(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        for kind in FAULTS:
            driver = await stage.enrol(hub)
            before = len(stage.admissions(hub))
            stage.fail(hub, kind, AUTHORISE[hub])
            said = await stage.tap(driver)
            assert stage.failed(hub), kind
            reason = said.get("reason")
            assert (said["allowed"], reason) == ((True, None) if kind == "delay" else (False, "NO_ANSWER")), kind
            assert ("reference" in said) is said["allowed"], kind
            # What the hub let begin without our knowing is used by nobody; the driver holds the card up again.
            assert len(stage.admissions(hub)) - before == (kind in {"delay", *ACTED}), kind
            again = await stage.tap(driver)
            assert (again["allowed"], again["connection"]) == (True, hub), kind
            assert again["reference"] != said.get("reference"), kind
        async with stage.away(hub):
            assert (await stage.tap(driver))["reason"] == "NO_ANSWER"
        assert (await stage.tap(driver))["allowed"]


@pytest.mark.parametrize("hub", HUBS)
async def test_a_refusal_is_a_no_only_where_it_speaks_of_the_driver(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        driver = await stage.enrol(hub)
        stage.fail(hub, "refuse", AUTHORISE[hub])
        assert (await stage.tap(driver))["reason"] == "NO_ANSWER"
        stage.fail(hub, "refuse", AUTHORISE[hub], code=UNKNOWN[hub])
        denied = await stage.tap(driver)
        assert denied["reason"] == "UNKNOWN_TOKEN"
        assert denied["detail"]["asked"][0]["code"] == UNKNOWN[hub]
        assert len(await stage.happened("authorisation.denied", 2)) == 2


@pytest.mark.parametrize("hub", HUBS)
async def test_while_the_drivers_own_hub_fails_the_other_one_is_asked(database_url: str, hub: str) -> None:
    other = OTHER[hub]
    # The other one is asked because this one failed, never because it took its time.
    async with scene(database_url, ask_next_after=10) as stage:
        for kind in FAULTS:
            driver = await stage.enrol(other)
            await stage.know(driver, hub=hub)
            said = await stage.tap(driver, identification=_of(hub, driver.uid))
            assert said["connection"] == hub, kind
            stage.fail(hub, kind, AUTHORISE[hub])
            said = await stage.tap(driver, identification=_of(hub, driver.uid))
            assert (said["allowed"], said["connection"]) == (True, hub if kind == "delay" else other), kind
        async with stage.away(hub):
            said = await stage.tap(driver, identification=_of(hub, driver.uid))
        assert (said["allowed"], said["connection"]) == (True, other)


@pytest.mark.parametrize("hub", HUBS)
async def test_a_yes_after_the_deadline_opens_nothing(database_url: str, hub: str) -> None:
    async with scene(database_url, hub, **IMPATIENT) as stage:
        driver = await stage.enrol(hub, **LATE[hub])
        began = time.monotonic()
        said = await stage.tap(driver)
        assert time.monotonic() - began < 6.0
        assert said["reason"] == "NO_ANSWER"
        assert "authorisation.late" not in [type_ for type_, _ in await stage.events()]
        await stage.happened("authorisation.late")
        shown = await stage.ask("GET", f"/v1/authorisations/{said['id']}")
        assert not shown["allowed"]
        [asked] = shown["detail"]["asked"]
        # Hubject takes a yes back, by an AuthorizeStop; OCPI has no word for it.
        assert (asked["answer"], asked["released"]) == ("late", hub == "hubject")
        [admission] = stage.admissions(hub)
        assert hub == "gireve" or admission["State"] == "stopped"


@pytest.mark.parametrize("hub", HUBS)
async def test_of_two_yeses_one_counts_and_the_other_is_given_back(database_url: str, hub: str) -> None:
    other = OTHER[hub]
    async with scene(database_url, ask_next_after=0.1) as stage:
        driver = await stage.enrol(other)
        await stage.know(driver, hub=hub, **LATE[hub])
        charge_by = await stage.tap(driver, identification=_of(hub, driver.uid))
        assert (charge_by["allowed"], charge_by["connection"]) == (True, other)
        await stage.happened("authorisation.late")
        charge = stage.admitted(driver.card, charge_by["reference"])
        await stage.tell(charge, OVER)
        await stage.bill(charge)
        await stage.quiet()
        assert (len(stage.bills(hub)), len(stage.bills(other))) == (0, 1)
        assert not stage.told(hub)
        if hub == "hubject":
            assert [one["State"] for one in stage.admissions(hub)] == ["stopped"]


@pytest.mark.parametrize("hub", HUBS)
async def test_one_tap_told_twice_begins_one_charge(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        driver = await stage.enrol(hub)
        both = await asyncio.gather(*(stage.tap(driver, request_id="tap-1") for _ in range(2)))
        again = await stage.tap(driver, request_id="tap-1")
        assert both[0]["reference"] == both[1]["reference"] == again["reference"]
        assert len(stage.admissions(hub)) == 1
        status, problem = await stage.said("POST", "/v1/authorisations", {**_wish(driver.uid, "U2")})
        assert (status, problem["type"].partition("#")[2]) == (409, "conflict")


async def test_codes_and_cars_are_asked_for_as_cards_are(database_url: str) -> None:
    async with scene(database_url, "hubject") as stage:
        driver = await stage.enrol("hubject", pin="1234")
        contract = {"contract_id": driver.contract.text}
        code, car = {"type": "QR_CODE", **contract}, {"type": "PLUG_AND_CHARGE", **contract}
        said = [
            await stage.tap(driver, identification=code, pin={"value": "1234"}),
            await stage.tap(driver, identification=code, pin={"value": "4321"}),
            await stage.tap(driver, identification=car),
        ]
        assert [(one["allowed"], one.get("reason")) for one in said] == [
            (True, None),
            (False, "NOT_ALLOWED"),
            (True, None),
        ]


async def test_a_code_is_no_question_for_ocpi(database_url: str) -> None:
    async with scene(database_url, "gireve") as stage:
        driver = await stage.enrol("gireve")
        code = {"type": "QR_CODE", "contract_id": driver.contract.text}
        said = await stage.tap(driver, identification=code, pin={"value": "1234"})
        assert (said["allowed"], said["reason"]) == (False, "NO_CANDIDATE")


def _of(hub: str, uid: str) -> dict[str, str]:
    """What a card that names its EMSP says."""
    return {"type": "RFID", "uid": uid, "party": EMSPS[hub].normal}


def _wish(uid: str, evse: str) -> dict[str, object]:
    return {
        "party": "NL*ABC",
        "location_id": "L1",
        "evse_uid": evse,
        "identification": {"type": "RFID", "uid": uid},
        "request_id": "tap-1",
    }
