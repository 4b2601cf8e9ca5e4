"""CDRs that CPOs behind hubs bring home, right ones and wrong ones: each has its standing, its doubts and its event."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from tests.e2e.partners import PARTNER, STRANGER, Partners, ago, contract_of, partners, station, uid_of
from tests.e2e.scene import HUBS
from tests.harness import eventually


class Case(NamedTuple):
    """A kind of CDR.

    Attributes:
        told: What the sandbox is told of it.
        review: By CDR that is stored, why a person has to look at it; none where the hub is refused.
    """

    told: dict[str, Any]
    review: tuple[tuple[str, ...], ...]


ACCEPTED: tuple[str, ...] = ()
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0).isoformat()

GIREVE = {
    "normal": Case({}, (ACCEPTED,)),
    "twice": Case({"times": 2}, (ACCEPTED,)),
    "priced-by-gireve": Case({"billing": "gireve"}, (ACCEPTED,)),
    "priceless": Case({"billing": "none"}, (ACCEPTED,)),
    "ends-before-it-begins": Case({"end": ago(120)}, (("IMPLAUSIBLE_TIME",),)),
    "future": Case({"end": TOMORROW}, (("CONTRADICTS", "IMPLAUSIBLE_TIME"),)),
    "much-energy": Case({"kwh": 999.0}, (("CONTRADICTS", "IMPLAUSIBLE_ENERGY"),)),
    "negative-energy": Case({"kwh": -1.0}, ()),
    "other-evse": Case({"location_id": "P1", "evse_uid": "P2"}, (("CONTRADICTS",),)),
    "nobodys-evse": Case({"location_id": "P9", "evse_uid": "P9"}, (("CONTRADICTS", "UNKNOWN_EVSE"),)),
}
HUBJECT = {
    "normal": Case({}, (ACCEPTED,)),
    "twice": Case({"kind": "twice"}, (ACCEPTED,)),
    "other-content": Case({"kind": "other_content"}, (ACCEPTED, ("CONTRADICTS", "OTHER_CONTENT"))),
    "unknown-session": Case({"kind": "unknown_session"}, (ACCEPTED,)),
    "contradictory": Case({"kind": "contradictory"}, (("CONTRADICTS", "IMPLAUSIBLE_ENERGY"),)),
    "ends-before-it-begins": Case({"kind": "implausible_times"}, ()),
    "future": Case({"kind": "future"}, (("CONTRADICTS", "IMPLAUSIBLE_TIME"),)),
    "much-energy": Case({"kind": "implausible_energy"}, (("CONTRADICTS", "IMPLAUSIBLE_ENERGY"),)),
    "foreign-evse": Case({"kind": "foreign_evse"}, (("OTHER_PARTY", "UNKNOWN_EVSE"),)),
}


@asynccontextmanager
async def stage(database_url: str, way: str) -> AsyncIterator[Partners]:
    """Sets the scene: a partner's two EVSEs behind one hub."""
    async with partners(database_url, way) as made:
        await made.show(station("P1", "P1", "P2"), hubs=[way])
        await made.pulls()
        yield made


@pytest.fixture(params=HUBS)
async def made(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Partners]:
    async with stage(database_url, request.param) as made:
        yield made


async def charged(made: Partners, name: str) -> str:
    """Has a driver charge 10.5 kWh in half an hour, of which the session tells; gives the CPO's name of it."""
    await made.driver(name)
    named = await made.taps(name)
    if made.way == "hubject":
        told = {"session": named, "type": "End", "extra": {"SessionEnd": ago(0)}}
        assert (await made.drive("hubject", "notifications", told))["Result"]
        return named
    times = {"start": ago(31), "end": ago(1)}
    session = {"reference": named, "id": f"S-{name}", "kwh": 10.5, "status": "COMPLETED", **times}
    await made.drive("gireve", "sessions", session)
    await made.heard()
    return f"S-{name}"


async def bill(made: Partners, named: str, **told: Any) -> Any:
    """Has the CPO bill a charge."""
    if made.way == "hubject":
        return await made.drive("hubject", "cdrs", {"session": named, **told})
    said = await made.drive("gireve", "cdrs", {"session": named, "kwh": 10.5, "start": ago(31), "end": ago(1), **told})
    await made.heard()
    return said


async def test_what_comes_home_is_held_against_what_is_known(made: Partners) -> None:
    cases = GIREVE if made.way == "gireve" else HUBJECT
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for name, case in cases.items():
        named = await charged(made, name)
        before = {cdr["id"] for cdr in await made.cdrs()}
        await bill(made, named, **case.told)
        new = [cdr for cdr in await made.cdrs() if cdr["id"] not in before]
        found[name] = tuple(tuple(cdr["review"]) for cdr in new)
        for cdr in new:
            assert cdr["standing"] == ("review" if cdr["review"] else "accepted"), name
            assert (cdr["party"], cdr["connection"]) == ("FR*RGT", made.over), name
            assert {doubt["reason"] for doubt in cdr["doubts"]} == set(cdr["review"]), name
    assert found == {name: case.review for name, case in cases.items()}
    cdrs = await made.cdrs()
    for type_, standing in (("received_cdr.accepted", "accepted"), ("received_cdr.review", "review")):
        wanted = {cdr["id"] for cdr in cdrs if cdr["standing"] == standing}
        assert {one["id"] for one in await made.happened(type_, len(wanted))} == wanted
    if made.way == "gireve":
        assert [cdr["price_source"] for cdr in cdrs[:4]] == ["cpo", "cpo", "hub", "none"]


async def test_a_charge_is_billed_once_however_often_its_cpo_tries(made: Partners) -> None:
    named = await charged(made, "anna")
    if made.way == "hubject":
        tries: list[dict[str, Any]] = [{"kind": "twice"}, {}, {"energy": 12.0}]
        wanted = [("accepted", []), ("review", ["CONTRADICTS", "OTHER_CONTENT"])]
    else:
        tries = [{"id": "C-1"}, {"id": "C-1"}, {"id": "c-1", "kwh": 12.0}, {"id": "C-2"}]
        wanted = [
            ("accepted", []),
            ("review", ["CONTRADICTS", "OTHER_CONTENT"]),
            ("review", ["SECOND_CDR"]),
        ]
    always = {"end": ago(1)} if made.way == "hubject" else {"start": ago(31), "end": ago(1)}
    for told in tries:
        await bill(made, named, **always | told)
    cdrs = await made.cdrs()
    assert [(cdr["standing"], cdr["review"]) for cdr in cdrs] == wanted
    assert [cdr["version"] for cdr in cdrs] == ([1, 2] if made.way == "hubject" else [1, 2, 1])
    [session] = await made.sessions()
    assert session["cdr"] == cdrs[0]["id"]


async def test_a_cdr_that_comes_before_its_session_bills_it(made: Partners) -> None:
    await made.driver("anna")
    named = await made.taps("anna")
    if made.way == "hubject":
        charge = {"session": named, "minutes": 3, "energy": 0.1}
        await made.drive("hubject", "cdrs", charge)
        told = {**charge, "type": "End", "extra": {"SessionEnd": ago(0)}}
        assert (await made.drive("hubject", "notifications", told))["Result"]
    else:
        times = {"reference": named, "start": ago(3), "end": ago(0), "kwh": 0.1}
        await made.drive("gireve", "cdrs", {**times, "also": {"session_id": "S-1"}})
        await made.drive("gireve", "sessions", {**times, "id": "S-1", "status": "COMPLETED"})
        await made.heard()
    [session], [cdr], [permit] = await made.sessions(), await made.cdrs(), await made.permits()
    assert (session["cdr"], cdr["session"], cdr["permit"]) == (cdr["id"], session["id"], permit["id"])
    assert (cdr["review"], session["review"]) == ([], [])


async def test_what_nobody_let_begin_waits_for_a_person_who_says_what_it_is(made: Partners) -> None:
    await made.driver("anna")
    await made.driver("ben", whitelist="ALLOWED")
    for name in ("anna", "ben", "nobody"):
        if made.way == "hubject":
            card = {"RFIDMifareFamilyIdentification": {"UID": uid_of(name)}}
            told = {"evse": "NL*PAR*EP1", "provider": "FR*RGT", "extra": {"Identification": card}}
            await made.drive("hubject", "cdrs", told)
        else:
            token = {"country_code": "FR", "party_id": "RGT", "uid": uid_of(name), "type": "RFID"}
            token["contract_id"] = contract_of(name)
            place = {"party": PARTNER.normal, "location_id": "P1", "evse_uid": "P1", "token": token}
            method = "WHITELIST" if name == "ben" else "AUTH_REQUEST"
            await bill(made, "", **place, auth_method=method, session=None)
    anna, ben, nobody = await made.cdrs()
    assert [(one["standing"], one["review"]) for one in (anna, ben, nobody)] == [
        ("review", ["UNKNOWN_PERMIT"]),
        ("accepted", []),
        ("review", ["UNKNOWN_DRIVER"]),
    ]
    kept = await made.ask("POST", f"/v1/received-cdrs/{anna['id']}/accept", {"why": "the CPO showed the receipt"})
    thrown = await made.ask("POST", f"/v1/received-cdrs/{nobody['id']}/reject", {"why": "no driver of ours"})
    assert [one["standing"] for one in (kept, thrown)] == ["accepted", "rejected"]
    # Nobody hears of a driver of whom not even the EMSP is known.
    heard = [one["id"] for one in (anna, nobody) if "party" in one]
    assert [one["id"] for one in await made.happened("received_cdr.decided", len(heard))] == heard


async def test_what_another_party_tells_of_somebodys_charge_changes_nothing(made: Partners) -> None:
    named = await charged(made, "anna")
    [before] = await made.sessions()
    if made.way == "gireve":
        push = {"endpoint": "sessions/RECEIVER", "sender": STRANGER.normal}
        patch = {"method": "PATCH", "body": {"status": "INVALID", "last_updated": ago(0).replace("+00:00", "Z")}}
        for whose in ("ZZZ", "PAR"):
            said = await made.drive("gireve", "push", push | patch | {"tail": f"NL/{whose}/{before['session_id']}"})
            assert said["status"] == 404, said
    else:
        told = {"session": named, "type": "End", "evse": "NL*ZZZ*E1", "operator": STRANGER.normal, "energy": 1.0}
        await made.drive("hubject", "notifications", told)
    after = [one for one in await made.sessions() if one["id"] == before["id"]]
    assert after == [before]


async def test_a_cdr_that_the_hub_did_not_bring_is_pulled(database_url: str) -> None:
    async with stage(database_url, "hubject") as made:
        named = await charged(made, "anna")
        await made.drive("hubject", "cdrs", {"session": named, "forward": False})
        assert await made.cdrs() == []
        pulled = await made.pulls(full=False, feeds=["charge_detail_records"])
        assert pulled["charge_detail_records"]["new"] == 1
        again = await made.pulls(full=True, feeds=["charge_detail_records"])
        assert (again["charge_detail_records"]["new"], again["charge_detail_records"]["same"]) == (0, 1)
        [cdr] = await made.cdrs()
        assert (cdr["standing"], cdr["session"]) == ("accepted", (await made.sessions())[0]["id"])


async def test_while_the_gateway_can_take_nothing_no_cdr_is_lost(made: Partners) -> None:
    named = await charged(made, "anna")
    async with made.without_store():
        if made.way == "gireve":
            await made.drive("gireve", "cdrs", {"session": named, "kwh": 10.5, "start": ago(31), "end": ago(1)})
            await eventually(lambda: _again(made), "a push in vain")
        else:
            [sent] = await made.drive("hubject", "cdrs", {"session": named})
            assert not sent["forwarded"]
    if made.way == "gireve":
        await made.heard()  # stored and forwarded
    else:
        await eventually(lambda: _served(made), "the store")
        await made.pulls(full=False, feeds=["charge_detail_records"])
    [cdr] = await made.came_home("cdrs")
    assert (cdr["standing"], cdr["session"]) == ("accepted", (await made.sessions())[0]["id"])


def _again(made: Partners) -> bool:
    return made.counted("gireve", "pushes").get("POST cdrs/RECEIVER: again", 0) > 0


async def _served(made: Partners) -> bool:
    return (await made.said("GET", "/v1/pulls"))[0] == 200
