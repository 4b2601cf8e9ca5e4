"""Permits, found by what comes home of a charge: by any id, else by driver, EVSE and time."""

from datetime import timedelta
from typing import Any

import pytest

from adapters.core.charging import Denial
from gateway.services.authorisation.admitting import RefKind
from gateway.services.drivers.permits import (
    Permit,
    deny_permit,
    find_permits,
    name_permit,
    tie_permit,
    write_permit,
    write_permits,
)
from gateway.services.ports.driver_tokens import Whose
from gateway.services.ports.permits import PermitOrigin
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from tests.harness import WHO, later
from tests.services.driving import CPO, EMSP, EVSE, NOW, card, token

OTHER = card("04FF")


def permit(emsp, id_="p-1", **changes: Any) -> Permit:
    fields: dict[str, Any] = {
        "id": id_,
        "origin": PermitOrigin.START,
        "party": EMSP,
        "leg": Leg(hub_session=f"h-{id_}", identification=card()),
        "connection_id": emsp.connection().id,
        "at": NOW,
        "cpo": CPO,
        "evse_key": EVSE.normal,
    }
    return Permit(**(fields | changes))


async def found(emsp, leg=None, who=None, evse=EVSE.normal, at=NOW, **more):
    number = emsp.connection().id
    return [one.id for one in await find_permits(emsp.store, number, leg, who, evse, at, **more)]


async def session(emsp, **changes):
    """A session that came home, as far as it matters here; its number."""
    fields = {
        "connection_id": emsp.connection().id,
        "cpo": CPO.normal,
        "session_id": "s-1",
        "session_key": "S-1",
        "driver_keys": [],
        "status": "ACTIVE",
        "started_at": NOW,
        "last_updated": NOW,
    } | changes
    marks = ", ".join(f"${index}" for index in range(1, len(fields) + 1))
    sql = f"INSERT INTO received_session ({', '.join(fields)}) VALUES ({marks}) RETURNING no"
    return await emsp.store.fetchval(sql, *fields.values())


async def test_every_id_of_a_leg_and_our_own_lead_to_a_permit(emsp):
    leg = Leg(hub_session="h", own_session="c", emsp_session="e", reference="r", identification=card())
    await write_permit(emsp.store, permit(emsp, leg=leg))
    for name, value in {"hub_session": "h", "own_session": "c", "emsp_session": "e", "reference": "r"}.items():
        named = Leg(**{name: value}, identification=OTHER)
        assert await found(emsp, named) == ["p-1"]
    for kind in (RefKind.EMSP, RefKind.REFERENCE):
        assert await found(emsp, refs=[(kind, "p-1")]) == ["p-1"]
    assert await found(emsp, Leg(hub_session="c", identification=card())) == []
    await emsp.connect("other")
    number = emsp.connection("other").id
    assert await find_permits(emsp.store, number, leg, None, None, NOW) == []


async def test_an_id_leads_to_a_denied_permit_and_to_one_that_serves_a_session_too(emsp):
    await write_permit(emsp.store, permit(emsp, allowed=False, reason=Denial.BLOCKED))
    [one] = await find_permits(
        emsp.store, emsp.connection().id, Leg(hub_session="h-p-1", identification=card()), None, None, NOW
    )
    assert (one.allowed, one.named, one.cpo, one.party) == (False, True, CPO, EMSP)
    assert await found(emsp, who=card()) == []


async def test_ids_that_lead_to_several_permits_give_all_of_them(emsp):
    await write_permits(emsp.store, [permit(emsp), permit(emsp, "p-2")])
    leg = Leg(hub_session="h-p-1", reference="p-2", identification=card())
    assert await found(emsp, leg) == ["p-1", "p-2"]


async def test_driver_evse_and_time_find_what_no_id_leads_to(emsp):
    await write_permit(emsp.store, permit(emsp))
    unknown = Leg(reference="lost", identification=card())
    assert await found(emsp, unknown, card()) == ["p-1"]
    assert await found(emsp, None, card(card().uid.lower())) == ["p-1"]
    assert await found(emsp, None, OTHER) == []
    assert await found(emsp, None, None) == []
    assert await found(emsp, None, card(), "NLCPOE2") == []
    hour, minutes = timedelta(hours=1), timedelta(minutes=6)
    assert await found(emsp, None, card(), at=NOW + hour) == ["p-1"]
    assert await found(emsp, None, card(), at=NOW + hour + minutes) == []
    assert await found(emsp, None, card(), at=NOW - minutes) == []
    assert await found(emsp, None, card(), at=NOW - minutes, known_by=NOW) == ["p-1"]


async def test_a_permit_with_an_end_of_its_own_holds_till_then(emsp):
    await write_permit(emsp.store, permit(emsp, expires=NOW + timedelta(hours=9)))
    assert await found(emsp, None, card(), at=NOW + timedelta(hours=8)) == ["p-1"]
    assert await found(emsp, None, card(), at=NOW + timedelta(hours=10)) == []


async def test_a_permit_without_evse_fits_at_any(emsp):
    await write_permit(emsp.store, permit(emsp, evse_key=None))
    assert await found(emsp, None, card()) == ["p-1"]


async def test_a_contract_that_the_token_told_finds_a_permit_too(emsp):
    await write_permit(emsp.store, permit(emsp, contract_key="FREMSC12345678"))
    who = card(None, type="PLUG_AND_CHARGE", contract_id="FR-EMS-C12345678")
    assert await found(emsp, None, who) == ["p-1"]
    [one] = await find_permits(emsp.store, emsp.connection().id, None, who, EVSE.normal, NOW)
    assert one.is_driver(who) is True
    assert one.is_driver(card()) is True
    assert one.is_driver(OTHER) is False
    assert one.is_driver(card("04FF", contract_id="FR-EMS-C99999999")) is False


async def test_a_permit_serves_one_session(emsp):
    number = await write_permit(emsp.store, permit(emsp))
    first, second = await session(emsp), await session(emsp, session_id="s-2", session_key="S-2")
    assert await tie_permit(emsp.store, number, first)
    assert await tie_permit(emsp.store, number, first)
    assert not await tie_permit(emsp.store, number, second)
    assert await found(emsp, None, card()) == []
    assert await found(emsp, Leg(hub_session="h-p-1", identification=card())) == ["p-1"]
    view = await emsp.permits.get("p-1", None)
    assert view.session == "NL*CPO/s-1"


async def test_an_id_given_out_again_leads_to_the_newer_permit_unless_a_session_holds_on(emsp):
    again = Leg(hub_session="h-p-1", identification=card())
    await write_permit(emsp.store, permit(emsp))
    number = await write_permit(emsp.store, permit(emsp, "p-2", leg=again))
    assert await found(emsp, again) == ["p-2"]
    await tie_permit(emsp.store, number, await session(emsp))
    await write_permit(emsp.store, permit(emsp, "p-3", leg=again))
    assert await found(emsp, again) == ["p-2"]


async def test_what_a_hub_tells_later_leads_to_the_permit_too(emsp):
    number = await write_permit(emsp.store, permit(emsp, leg=Leg(identification=card())))
    named = Leg(hub_session="told", own_session="theirs", identification=card())
    await name_permit(emsp.store, number, emsp.connection().id, named)
    assert await found(emsp, Leg(own_session="theirs", identification=OTHER)) == ["p-1"]
    [one] = await find_permits(emsp.store, emsp.connection().id, named, None, None, NOW)
    assert one.leg == named


async def test_a_permit_that_came_to_nothing_begins_no_session(emsp):
    number = await write_permit(emsp.store, permit(emsp))
    await deny_permit(emsp.store, number, Denial.EVSE_UNAVAILABLE)
    assert await found(emsp, None, card()) == []
    assert (await emsp.permits.get("p-1", None)).reason is Denial.EVSE_UNAVAILABLE


async def test_a_permit_is_written_once_and_not_for_a_token_that_is_blocked(emsp):
    await emsp.put(token(driver="d-1"))
    [row] = await emsp.rows("driver_token")
    await write_permit(emsp.store, permit(emsp, token_no=row["no"]))
    with pytest.raises(ValueError, match="already"):
        await write_permit(emsp.store, permit(emsp))
    await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=False)
    with pytest.raises(ValueError, match="valid"):
        await write_permit(emsp.store, permit(emsp, "p-2", token_no=row["no"]))
    denied = permit(emsp, "p-3", token_no=row["no"], allowed=False, reason=Denial.BLOCKED)
    assert await write_permit(emsp.store, denied)


async def test_permits_of_many_are_written_at_once(emsp):
    numbers = await write_permits(emsp.store, [permit(emsp, f"p-{number}", at=later(number)) for number in range(50)])
    assert len(set(numbers)) == 50
    assert (await emsp.permits.get("p-49", frozenset({PartyId("FR*EMS")}))).at == later(49)
