"""A driver stops with what they hold up: whoever may is let, whoever may not is not, and nobody waits for ever."""

import pytest

from tests.e2e.scene import BEGUN, FAULTS, HUBS, OVER, Driver, Scene, scene

STOP = "/authorize/stop"


async def stop(stage: Scene, id_: str, driver: Driver) -> tuple[bool, str | None]:
    """Has a driver hold a card up to stop the session of an authorisation."""
    medium = {"identification": driver.card.model_dump(mode="json", exclude_none=True)}
    said = await stage.ask("POST", f"/v1/authorisations/{id_}/stop", medium)
    return said["allowed"], said.get("reason")


@pytest.mark.parametrize("hub", HUBS)
async def test_what_started_a_session_stops_it_even_while_the_hub_is_away(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        driver = await stage.enrol(hub)
        charge = await stage.charge(driver)
        await stage.tell(charge, BEGUN)
        await stage.quiet()
        async with stage.away(hub):
            assert await stop(stage, charge.reference, driver) == (True, None)
        await stage.tell(charge, OVER)
        assert await stop(stage, charge.reference, driver) == (False, "UNKNOWN_SESSION")


@pytest.mark.parametrize("hub", HUBS)
async def test_another_medium_than_the_one_that_started_it_does_not_stop_it(database_url: str, hub: str) -> None:
    async with scene(database_url, hub) as stage:
        driver, other = await stage.enrol(hub), await stage.enrol(hub)
        charge = await stage.charge(driver)
        assert await stop(stage, charge.reference, other) == (False, "OTHER_MEDIUM")


async def test_hubject_is_asked_for_another_medium_and_may_fail_at_it(database_url: str) -> None:
    async with scene(database_url, "hubject") as stage:
        other = await stage.enrol("hubject")
        driver = await stage.enrol("hubject", stop_with=[other.uid])
        for number, kind in enumerate(FAULTS):
            # Hubject takes one stop of a session, whether its answer arrives or not.
            charge = await stage.charge(driver, session_id=f"S-{number}")
            stage.fail("hubject", kind, STOP)
            # What it named with its yes is known here, so that nobody needs to ask.
            assert await stop(stage, charge.reference, other) == (True, None), kind
            assert not stage.failed("hubject"), kind
            stranger = await stage.enrol("hubject")
            said = await stop(stage, charge.reference, stranger)
            assert stage.failed("hubject"), kind
            assert said[0] is False, kind
            assert said[1] == ("OTHER_MEDIUM" if kind == "delay" else "NO_ANSWER"), kind
        async with stage.away("hubject"):
            assert await stop(stage, charge.reference, stranger) == (False, "NO_ANSWER")
