"""Networks of played CPOs: loaded, multiplied, changed; real ones, and a great many."""

import gzip
import json

import pytest

from mappings.canonical.ids import EvseId
from tests.adapters.hubject.emps import World, ids, record
from tests.oicp_schema import validate
from tests.shared import shared_path


async def test_records_arrive_as_lines_a_list_a_page_or_a_published_file(emp_world: World) -> None:
    await emp_world.load(record("NL*ABC*E1"))
    await emp_world.do("network", [record("NL*ABC*E2"), record("NL*ABC*E3")])
    await emp_world.do("network", {"content": [record("NL*ABC*E4")]})
    block = {"OperatorID": "NL*XYZ", "OperatorName": "X", "EVSEDataRecord": [record("NL*ABC*E5")]}
    await emp_world.do("network", {"EVSEData": [block]})
    found = await emp_world.pulled()
    assert ids(found) == [f"NL*ABC*E{number}" for number in range(1, 6)]
    assert [each["OperatorID"] for each in found] == ["NL*ABC"] * 4 + ["NL*XYZ"]


async def test_a_record_without_an_id_or_an_operator_is_skipped(emp_world: World) -> None:
    lines = b'{"EvseID": "nonsense", "Plugs": []}\n{"EvseID": null, "Plugs": []}\n{"EvseID": "NL*ABC*E1"}\n'
    assert await emp_world.do("network", lines) == {"records": 0, "skipped": 3, "evses": 0}
    assert (await emp_world.do("network?operator=NL*ABC", lines))["records"] == 1
    assert (await emp_world.post("/_sandbox/network", b"{}\n{"))[0] == 400


async def test_a_network_is_repeated_under_parties_of_its_own(emp_world: World) -> None:
    await emp_world.load(record("NL*ABC*E1*2"), record("+49*810*000*438", OperatorID="DE*XYZ"))
    await emp_world.do("statuses", [{"EvseID": "NL*ABC*E1*2", "EvseStatus": "Occupied"}])
    assert await emp_world.do("multiply", {"times": 3}) == {"evses": 6}
    assert await emp_world.do("multiply", {"evses": 7}) == {"evses": 7}
    found = await emp_world.pulled()
    evse_ids = [EvseId(each["EvseID"]) for each in found]
    assert len({evse_id.normal for evse_id in evse_ids}) == 7
    assert [evse_id.instance for evse_id in evse_ids] == ["1*2", "000*438"] * 3 + ["1*2"]
    assert len({each["OperatorID"] for each in found}) == 7
    assert all(each["Plugs"] == ["Type 2 Outlet"] for each in found)
    network = emp_world.sandbox.network
    row = network.row(evse_ids[2].normal)
    assert row is not None
    assert network.status(row) == "Occupied"


async def test_some_are_changed_by_lot_and_the_delta_says_which(emp_world: World) -> None:
    await emp_world.load(*(record(f"NL*ABC*E{number}") for number in range(40)))
    last = emp_world.wall.pass_by()
    changes = await emp_world.do("changes", {"insert": 2, "update": 5, "delete": 3, "seed": 7})
    found = await emp_world.pulled(LastCall=last)
    told = {delta: sorted(each["EvseID"] for each in found if each["deltaType"] == delta) for delta in changes}
    assert told == {delta: sorted(evse_ids) for delta, evse_ids in changes.items()}
    assert [len(changes[delta]) for delta in ("insert", "update", "delete")] == [2, 5, 3]
    assert (await emp_world.do("statuses", {"shuffle": 20, "seed": 1})) == {"set": 20}


async def test_a_network_is_withdrawn(emp_world: World) -> None:
    await emp_world.load(record("NL*ABC*E1"), record("NL*ABC*E2"))
    async with emp_world.session.delete("/_sandbox/network", data=json.dumps(["nlabcE1", "NL*ABC*E9"])) as answer:
        assert await answer.json() == {"evses": 1}
    assert ids(await emp_world.pulled()) == ["NL*ABC*E2"]
    async with emp_world.session.delete("/_sandbox/network") as answer:
        assert await answer.json() == {"evses": 0}


async def test_who_has_what_is_shown(emp_world: World) -> None:
    await emp_world.load(record("NL*ABC*E1"), record("NL*ABC*E2"))
    async with emp_world.session.get("/_sandbox/network") as answer:
        told = await answer.json()
    assert told["operators"] == [{"operator": "NL*ABC", "played": True, "evses": 2}]


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("multiply", {}),
        ("multiply", {"times": 2, "evses": 3}),
        ("changes", {"insert": -1}),
        ("statuses", [{"EvseID": 1, "EvseStatus": "x"}]),
        ("statuses", {"shuffle": "x"}),
        ("partners", [{"url": "http://127.0.0.1:1"}]),
        ("contracts", [{"provider": "?"}]),
        ("pricing-products", [{}]),
        ("evse-pricing", 1),
    ],
)
async def test_an_order_that_makes_no_sense_is_a_problem(emp_world: World, what: str, body: object) -> None:
    assert (await emp_world.post(f"/_sandbox/{what}", body))[0] == 400


async def test_a_published_network_is_taken_with_its_dirt(emp_world: World) -> None:
    data = gzip.decompress(shared_path("data/ch/evse-data-2025.json.gz").read_bytes())
    statuses = gzip.decompress(shared_path("data/ch/evse-status-2025.json.gz").read_bytes())
    assert (await emp_world.do("network", data))["evses"] == 551
    assert (await emp_world.do("statuses", statuses))["set"] == 551
    _, page = await emp_world.post(
        "/api/oicp/evsepull/v23/providers/NL-EMS/data-records?size=2000",
        {"ProviderID": "NL-EMS", "GeoCoordinatesResponseFormat": "DecimalDegree"},
    )
    assert page["numberOfElements"] == 551
    kept = page["content"][0]
    assert kept["GeoChargingPointEntrance"] == {"Google": "None None"}
    validate("GeoCoordinates", kept["GeoCoordinates"], role="emp")
    assert "DecimalDegree" in kept["GeoCoordinates"]
