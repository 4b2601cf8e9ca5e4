"""Who may stop what a driver of ours began."""

import pytest

from adapters.core.charging import Allowed, Denial, Denied
from gateway.services.drivers.permits import tie_permit
from gateway.services.ports.driver_tokens import Whose
from mappings.canonical.legs import Leg
from tests.harness import WHO
from tests.services.driving import EMSP, NOW, OTHER_EMSP, asked, card, token
from tests.services.test_permits_found import session

OTHER = "04FF"


def reason(answer):
    return answer.reason if isinstance(answer, Denied) else None


def stop(who=None, **leg):
    return asked(leg=Leg(identification=who or card(), **(leg or {"hub_session": "h-1"})))


async def begun(emsp, **changes):
    await emsp.put(token(**changes))
    answer = await emsp.ask(asked(session="h-1"))
    assert isinstance(answer, Allowed)
    return answer.leg.reference


async def test_what_began_the_session_may_stop_it_by_any_id(emsp):
    reference = await begun(emsp)
    for leg in ({"hub_session": "h-1"}, {"emsp_session": reference}, {"reference": reference}):
        answer = await emsp.stop(stop(**leg))
        assert answer.leg.emsp_session == reference
    assert emsp.counted.stops == [None] * 3


async def test_what_was_blocked_since_may_still_stop_what_it_began(emsp):
    await begun(emsp, driver="d-1")
    await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=False)
    assert isinstance(await emsp.stop(stop()), Allowed)


@pytest.mark.parametrize("shared", [{"group_id": "g-1"}, {"driver": "d-1"}, {"contract_id": "FR-EMS-C12345678"}])
async def test_a_valid_token_of_the_same_group_driver_or_contract_may(emsp, shared):
    await begun(emsp, **shared)
    await emsp.put(token(OTHER, **({"contract_id": "FR-EMS-C99999999"} | shared)))
    assert isinstance(await emsp.stop(stop(card(OTHER))), Allowed)


@pytest.mark.parametrize(
    "other",
    [
        {"contract_id": "FR-EMS-C99999999"},
        {"contract_id": "FR-EMS-C99999999", "group_id": "g-2", "driver": "d-2"},
        {"group_id": "g-1", "valid": False},
        {"group_id": "g-1", "party": OTHER_EMSP},
    ],
)
async def test_another_driver_s_an_invalid_one_and_another_emsp_s_may_not(emsp, other):
    await begun(emsp, group_id="g-1", driver="d-1")
    await emsp.put(token(OTHER, **other))
    assert reason(await emsp.stop(stop(card(OTHER)))) is Denial.OTHER_MEDIUM


async def test_a_stranger_may_not(emsp):
    await begun(emsp)
    assert reason(await emsp.stop(stop(card(OTHER)))) is Denial.OTHER_MEDIUM


async def test_what_nobody_began_cannot_be_stopped(emsp):
    await begun(emsp)
    assert reason(await emsp.stop(stop(hub_session="h-2"))) is Denial.UNKNOWN_SESSION
    assert reason(await emsp.stop(asked())) is Denial.UNKNOWN_SESSION
    await emsp.connect("other")
    assert reason(await emsp.stop(stop(), "other")) is Denial.UNKNOWN_SESSION


async def test_what_was_denied_or_is_over_cannot_be_stopped(emsp):
    await emsp.put(token(valid=False))
    await emsp.ask(asked(session="h-1"))
    assert reason(await emsp.stop(stop())) is Denial.UNKNOWN_SESSION
    await emsp.put(token())
    await emsp.ask(asked(session="h-2"))
    assert isinstance(await emsp.stop(stop(hub_session="h-2")), Allowed)
    [number] = [row["no"] for row in await emsp.rows("permit") if row["allowed"]]
    assert await tie_permit(emsp.store, number, await session(emsp, ended_at=NOW))
    assert reason(await emsp.stop(stop(hub_session="h-2"))) is Denial.UNKNOWN_SESSION
