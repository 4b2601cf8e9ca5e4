"""What goes wrong in a pull when the sandbox is told so, and that each EMP sees it."""

from typing import Any

import pytest

from tests.adapters.hubject.emps import ASKING, DATA, STATUS, World, ids, record
from tests.oicp_schema import validate

SEVEN = [f"NL*ABC*E{number}" for number in range(1, 8)]


@pytest.fixture
async def seven(emp_world: World) -> World:
    await emp_world.load(*map(record, SEVEN))
    return emp_world


async def arm(world: World, kind: str, **changes: Any) -> None:
    await world.do("pull-faults", [{"kind": kind} | changes])


async def content(world: World, page: int, size: int, **changes: Any) -> list[Any]:
    status, answer = await world.post(f"{DATA}?page={page}&size={size}", ASKING | changes)
    assert status == 200
    found = answer["content"]
    assert isinstance(found, list)
    return found


async def test_pages_that_change_leave_one_out_and_a_delta_tells_what_went(seven: World) -> None:
    last = seven.wall.pass_by()
    await arm(seven, "changing_pages")
    found = [ids((await seven.pull(page, 3))["content"]) for page in range(2)]
    assert found == [SEVEN[:3], SEVEN[4:7]]
    assert ids(await seven.pulled(LastCall=last)) == [SEVEN[0]]


async def test_pages_overlap(seven: World) -> None:
    await arm(seven, "overlapping_pages", count=1)
    assert [ids(await content(seven, page, 3)) for page in range(3)] == [SEVEN[:3], SEVEN[2:6], SEVEN[6:]]


async def test_the_last_page_fails_as_often_as_told(seven: World) -> None:
    await arm(seven, "last_page_fails", status=503, count=1)
    assert [(await seven.post(f"{DATA}?page={page}&size=3", ASKING))[0] for page in range(2)] == [200, 200]
    async with seven.session.post(f"{DATA}?page=2&size=3", json=ASKING) as answer:
        assert answer.status == 503
    assert ids(await content(seven, 2, 3)) == SEVEN[6:]


@pytest.mark.parametrize(
    ("lie", "pages", "last"),
    [({"by": -1}, 2, False), ({"by": 3}, 6, False), ({"by": -1, "along": True}, 2, True)],
)
async def test_the_number_of_pages_lies(seven: World, lie: Any, pages: int, last: bool) -> None:
    await arm(seven, "total_pages", **lie)
    page = await seven.pull(1, 3)
    assert (page["totalPages"], page["last"], page["totalElements"]) == (pages, last, 7)


async def test_deltas_come_out_of_order_with_stale_states_behind(seven: World) -> None:
    last = seven.wall.pass_by()
    await seven.load(record(SEVEN[0], IsOpen24Hours=False))
    seven.wall.pass_by()
    await seven.load(record(SEVEN[1], deltaType="delete"))
    await arm(seven, "deltas_out_of_order")
    found = await seven.pulled(LastCall=last)
    assert [(each["EvseID"], each["deltaType"]) for each in found] == [
        (SEVEN[1], "delete"),
        (SEVEN[1], "update"),
        (SEVEN[0], "update"),
        (SEVEN[0], "update"),
    ]
    assert found[1]["lastUpdate"] < found[0]["lastUpdate"]
    assert found[3]["ChargingStationNames"][0]["value"] == "stale"


async def test_something_is_deleted_that_was_never_there(seven: World) -> None:
    last = seven.wall.pass_by()
    await arm(seven, "unknown_delete")
    (gone,) = await seven.pulled(LastCall=last)
    assert (gone["EvseID"], gone["deltaType"]) == ("DE*NIX*E404", "delete")
    seven.wall.pass_by()
    assert await seven.pulled(LastCall=last) == [gone]
    assert len(await seven.pulled()) == 7


async def test_records_are_spoilt_each_in_a_way_of_its_own(seven: World) -> None:
    await arm(seven, "invalid_records", every=1)
    found = await content(seven, 0, 10)
    assert len(found) == 7
    for each in found:
        with pytest.raises(AssertionError):
            validate("PullEvseDataRecord", each, role="emp")
    nulls, power, place, *_, nothing = found
    assert (nulls["Plugs"], power["ChargingFacilities"][0]["power"]) == (None, "22")
    assert (place["GeoCoordinates"], nothing) == ({"Google": "None None"}, None)


async def test_one_spoilt_record_leaves_the_others_of_its_page_as_they_are(seven: World) -> None:
    await arm(seven, "invalid_records", every=5)
    first, second = [await content(seven, page, 4) for page in range(2)]
    spoilt = [each for each in first + second if each["Plugs"] is None or "power" in each["ChargingFacilities"][0]]
    assert ids(spoilt) == [SEVEN[0], SEVEN[5]]


@pytest.mark.parametrize(
    ("shape", "answer"),
    [
        ("list", {"EvseStatuses": [{"OperatorID": "NL*ABC", "EvseStatusRecord": [{"EvseStatus": "Occupied"}]}]}),
        ("records", {"EVSEStatusRecords": {"EvseStatusRecord": [{"EvseStatus": "Occupied"}]}}),
        ("capitals", {"EVSEStatuses": [{"OperatorID": "NL*ABC", "EVSEStatusRecord": [{"EVSEStatus": "Occupied"}]}]}),
    ],
)
async def test_statuses_come_in_other_forms(seven: World, shape: str, answer: Any) -> None:
    await seven.do("statuses", [{"EvseID": SEVEN[0], "EvseStatus": "Occupied"}])
    await arm(seven, "status_shape", shape=shape)
    _, told = await seven.post(STATUS, {"ProviderID": "NL-EMS"})
    assert without_names(told) == answer


def without_names(value: Any) -> Any:
    if isinstance(value, list):
        return [without_names(each) for each in value]
    if not isinstance(value, dict):
        return value
    left_out = {"StatusCode", "OperatorName", "EvseID"}
    return {name: without_names(each) for name, each in value.items() if name not in left_out}


async def test_faults_are_listed_and_disarmed(emp_world: World) -> None:
    await arm(emp_world, "total_pages", by=2)
    await emp_world.pull()
    async with emp_world.session.get("/_sandbox/pull-faults") as answer:
        assert await answer.json() == [{"kind": "total_pages", "by": 2, "hits": 1}]
    async with emp_world.session.delete("/_sandbox/pull-faults") as answer:
        assert await answer.json() == []
    assert (await emp_world.post("/_sandbox/pull-faults", [{"kind": "nonsense"}]))[0] == 400
