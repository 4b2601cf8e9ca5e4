"""Partners' stations and drivers' cards as hubs have them in reality: pages that move, fail and lie, ids half spelt."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tenacity import wait_none

from gateway.services.pulling import one_pull, service
from mappings.canonical.ids import EvseId
from tests.e2e.partners import PARTNER, Partners, ago, contract_of, partners, station, uid_of, written
from tests.e2e.scene import HUBS
from tests.harness import eventually

FEED = {"gireve": "locations", "hubject": "evse_data"}
ALL = tuple(f"P{number}" for number in range(1, 8))
"""A station each, of one EVSE: four pages of two."""


@pytest.fixture(params=HUBS)
async def made(
    request: pytest.FixtureRequest, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Partners]:
    monkeypatch.setattr(one_pull, "_WAIT", wait_none())
    # Nothing is pulled but what a test asks for: a pull by itself, before the hub goes wrong, would find everything.
    monkeypatch.setattr(service, "EVERY", 3600.0)
    small: dict[str, Any] = {"gireve_settings": {"pull_page": 2}, "hubject_emp_settings": {"page_size": 2}}
    async with partners(database_url, request.param, **small) as made:
        with monkeypatch.context() as yesterday:
            # A hub that compares what is there tells nothing of what came and went since.
            yesterday.setattr(made.gateway.hubject.network, "_wall", lambda: datetime.now(UTC) - timedelta(days=1))
            await made.show(*map(station, ALL), hubs=[request.param])
        yield made


async def pull(made: Partners, *, full: bool = True) -> Any:
    """Pulls the stations, and gives what came of it."""
    return (await made.pulls(full=full, feeds=[FEED[made.way]]))[FEED[made.way]]


async def wrong(made: Partners, gireve: dict[str, Any] | None, hubject: dict[str, Any] | None) -> None:
    """Has the hub's pages go wrong; None mends them."""
    fault, what = (gireve, "pages") if made.way == "gireve" else (hubject, "pull-faults")
    if fault is None:
        await made.drive(made.way, what, method="DELETE")
    else:
        await made.drive(made.way, what, [fault])


def keys(*names: str) -> set[str]:
    """The catalogue's keys of EVSEs."""
    return {f"NLPARE{name}" for name in names}


async def there(made: Partners) -> set[str]:
    """What the hub has."""
    if made.way == "gireve":
        shown = made.gateway.gireve.memory["shown"].values()
        return {EvseId(one["evse_id"]).normal for wire in shown for one in wire["evses"] if one["status"] != "REMOVED"}
    network = made.gateway.hubject.network
    return {network.key(row) for row in network.rows()}


async def test_while_what_is_there_moves_nothing_is_taken_to_be_gone(made: Partners) -> None:
    await pull(made)
    await wrong(made, {"shift": 1}, {"kind": "changing_pages", "count": 1})
    moved = await pull(made)
    assert (moved["outcome"], moved["pruned"]) == ("unsettled", 0)
    assert await there(made) <= set(await made.entries()) <= keys(*ALL)
    await wrong(made, None, None)
    settled = await pull(made)
    assert settled["outcome"] == "done"
    assert set(await made.entries()) == await there(made)


async def test_pages_that_overlap_are_read_once(made: Partners) -> None:
    await wrong(made, {"shift": -1}, {"kind": "overlapping_pages"})
    report = await pull(made)
    assert (report["new"], set(await made.entries())) == (len(ALL), keys(*ALL))


async def test_a_page_that_fails_at_the_end_loses_nothing(made: Partners) -> None:
    await wrong(made, {"fail_last": 500}, {"kind": "last_page_fails"})
    failed = await pull(made)
    assert (failed["outcome"], failed["pruned"], failed["records"]) == ("failed", 0, 6)
    assert set(await made.entries()) == keys(*ALL[:6])
    views = (await made.ask("GET", "/v1/pulls"))["items"]
    [view] = [one for one in views if (one["connection"], one["feed"]) == (made.over, FEED[made.way])]
    assert ("mark" in view, view["failures"] >= 1) == (False, True)
    await wrong(made, None, None)
    assert (await pull(made))["outcome"] == "done"
    assert set(await made.entries()) == keys(*ALL)


@pytest.mark.parametrize("by", [-2, 3])
async def test_whatever_number_of_pages_is_claimed_all_are_read(made: Partners, by: int) -> None:
    await wrong(made, {"total": 7 + by}, {"kind": "total_pages", "by": by})
    await pull(made)
    assert set(await made.entries()) == keys(*ALL)


async def test_a_record_spoils_itself_alone(made: Partners) -> None:
    spoilt = [{"at": 0, "also": {"coordinates": None}}, {"at": 1, "also": {"evses": None, "facilities": None}}]
    await wrong(made, {"spoilt": spoilt}, {"kind": "invalid_records", "every": 2})
    report = await pull(made)
    assert report["refused"] > 0
    assert len(report["problems"]) == report["refused"]
    here = set(await made.entries())
    assert here < keys(*ALL)
    if made.way == "hubject":
        assert {"NLPAREP2", "NLPAREP4", "NLPAREP6"} <= here
    await wrong(made, None, None)
    await pull(made)
    assert set(await made.entries()) == keys(*ALL)


async def test_an_answer_without_a_list_takes_nothing_away(made: Partners) -> None:
    await pull(made)
    if made.way == "gireve":
        await wrong(made, {"null_data": True}, None)
        assert (await pull(made))["outcome"] == "failed"
        await wrong(made, None, None)
        await wrong(made, {"endless": True}, None)
    else:
        made.fail("hubject", "garble", "/data-records", count=20)
    assert (await pull(made))["outcome"] == "failed"
    assert set(await made.entries()) == keys(*ALL)


async def test_changes_come_to_what_is_there(made: Partners) -> None:
    await pull(made)
    await made.drive(made.way, *_gone(made, "P1"))
    changed = [station("P8"), station("P2", "P2", "P9")]
    if made.way == "gireve":  # what is loaded keeps its own stamps
        wires = [record for one in changed for record in written("gireve", one)]
        await made.drive("gireve", "locations", {"locations": wires, "push": False})
    await made.show(*changed, hubs=[made.way] if made.way == "hubject" else [])
    await wrong(made, {"total": 1}, {"kind": "deltas_out_of_order"})
    await wrong(made, {"total": 1}, {"kind": "unknown_delete"})
    report = await pull(made, full=False)
    if made.way == "hubject":
        # An EVSE stands there twice, so that the hub's count is not what was read: it is believed the second time.
        assert (report["outcome"], report["gone"], report["unknown"]) == ("unsettled", 1, 1)
        report = await pull(made, full=False)
    assert (report["outcome"], report["full"]) == ("done", False)
    assert set(await made.entries()) == await there(made) == keys(*ALL[1:], "P8", "P9")
    assert "stale" not in str(await made.entries())


def _gone(made: Partners, name: str) -> tuple[str, Any, str]:
    if made.way == "hubject":
        return "network", [f"NL*PAR*E{name}"], "DELETE"
    change = {"party": PARTNER.normal, "location_id": name, "evse_uid": name, "status": "REMOVED", "push": False}
    return "statuses", [change], "POST"


async def test_an_evse_is_one_however_hubs_spell_its_id(database_url: str) -> None:
    async with partners(database_url, "gireve") as made:
        plain = written("gireve", station())[0]
        bare = {**plain, "evses": [{**one, "evse_id": "nlpar*ep1"} for one in plain["evses"]]}
        await made.load("gireve", [bare])
        await made.load("hubject", [{**one, "EvseID": "NL*PAR*EP1"} for one in written("hubject", station())])
        for over in ("gireve", "hubject-emp"):
            await made.pulls(over=over)
        [entry] = (await made.entries()).values()
        assert {way["connection"] for way in entry["ways"]} == {"gireve", "hubject-emp"}
        for spelt in ("NL*PAR*EP1", "nlparep1", "NL*PARE*P1"):
            assert (await made.entry(spelt) or {}).get("evse_key") == entry["evse_key"], spelt


async def test_a_card_is_found_in_any_case_and_never_taken_for_its_reverse(made: Partners) -> None:
    await pull(made)
    await made.driver("anna", whitelist="ALLOWED_OFFLINE")
    uid = uid_of("anna")
    assert await _asked(made, uid.lower())
    made.words["PERMIT"] = {"result": "UNKNOWN_TOKEN"}
    assert not await _asked(made, bytes.fromhex(uid)[::-1].hex().upper())
    [candidate] = made.asked("PERMIT")[-1]["candidates"]
    assert candidate["uid"] == uid
    # The backend may know that this reader turns numbers round.
    made.words["PERMIT"] = {"result": "ALLOWED", "contract_id": contract_of("anna")}
    assert await _asked(made, bytes.fromhex(uid)[::-1].hex().upper())


async def _asked(made: Partners, uid: str) -> bool:
    if made.way == "hubject":
        said = await made.drive("hubject", "taps", {"evse": "NL*PAR*EP1", "uid": uid.upper()})
        return bool(said["AuthorizationStatus"] == "Authorized")
    place = {"party": PARTNER.normal, "location_id": "P1", "evse_uid": "P1", "platform": "gateway"}
    return bool((await made.drive("gireve", "authorize", {"uid": uid, **place})).get("allowed") == "ALLOWED")


async def test_what_nobody_ever_told_of_is_neither_changed_nor_taken_away(database_url: str) -> None:
    async with partners(database_url, "gireve") as made:
        await made.show(station(), hubs=["gireve"])
        await made.pulls()
        before = await made.entries()
        patch = {"method": "PATCH", "body": {"status": "REMOVED", "last_updated": ago(0)}}
        whole = {"method": "PUT", "body": written("gireve", station("P2"))[0]}
        none = {"method": "DELETE", "body": None}
        for push, statuses in (
            (patch | {"endpoint": "locations/RECEIVER", "tail": "NL/PAR/P1/P9"}, {404}),
            (patch | {"endpoint": "locations/RECEIVER", "tail": "NL/PAR/P9"}, {404}),
            (none | {"endpoint": "tariffs/RECEIVER", "tail": "NL/PAR/T9"}, {200, 404}),
            # An object of another party than the address, or the sender, says.
            (whole | {"endpoint": "locations/RECEIVER", "tail": "NL/ZZZ/P2"}, {404}),
            (whole | {"endpoint": "locations/RECEIVER", "tail": "NL/PAR/P3"}, {200, 404}),
        ):
            said = await made.drive("gireve", "push", {"sender": PARTNER.normal, **push})
            assert said["status"] in statuses, (push, said)
            assert said.get("code") != 1000 or push["method"] == "DELETE", (push, said)
        assert await made.entries() == before


async def test_a_session_is_one_in_whatever_case_its_id_comes(database_url: str) -> None:
    async with partners(database_url, "gireve") as made:
        await made.show(station(), hubs=["gireve"])
        await made.pulls()
        await made.driver("anna")
        named = await made.taps("anna")
        await made.drive("gireve", "sessions", {"reference": named, "id": "S-1", "kwh": 0.1, "start": ago(3)})
        await made.heard()
        [before] = await made.sessions()
        patch = {"end_date_time": stamp(0), "last_updated": stamp(-1), "status": "COMPLETED"}
        push = {"method": "PATCH", "endpoint": "sessions/RECEIVER", "sender": PARTNER.normal, "body": patch}
        tail = f"NL/PAR/{before['session_id'].upper()}"
        assert (await made.drive("gireve", "push", push | {"tail": tail}))["code"] == 1000
        await eventually(lambda: _over(made), "one session that is over")


def stamp(minutes: float) -> str:
    """A moment that is over, as OCPI writes it."""
    return ago(minutes).replace("+00:00", "Z")


async def _over(made: Partners) -> bool:
    return [one["status"] for one in await made.sessions()] == ["COMPLETED"]
