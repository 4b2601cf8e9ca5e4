"""Partners' stations as IOP pushes them, over loopback."""

import asyncio
from collections.abc import AsyncIterator
from copy import deepcopy
from io import BytesIO
from typing import Any

import pytest

from adapters.core.digest import ordered_digest
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus, Location
from mappings.ocpi.v2_2_1 import locations
from tests.adapters.gireve.network import connector, evse, location
from tests.adapters.gireve.ours import CPO, FROM_CPO, FROM_OTHER, Emsp, emsp

LOC1 = "/receiver/locations/FR/ABC/LOC1"
LATER, LATEST, EARLIER = "2026-06-07T18:45:00Z", "2026-06-07T18:50:00Z", "2026-06-07T18:30:00Z"


@pytest.fixture
async def ours() -> AsyncIterator[Emsp]:
    async with emsp() as made:
        yield made


def wire(place: Location | None = None, **changes: Any) -> dict[str, Any]:
    made = locations.from_canonical(place or location())[0]
    return {**deepcopy(made), **changes}


async def put(ours: Emsp, **changes: Any) -> None:
    answer = await ours.call("PUT", LOC1, wire(**changes))
    assert (answer.status, answer.code) == (201, 1000)


def stored(ours: Emsp, key: str = "LOC1", party: PartyId = CPO) -> Location:
    return ours.stations.places[party, key]


# A location


async def test_a_location_is_taken_whole_with_the_digest_of_what_came(ours: Emsp) -> None:
    said = wire(gireve_id="g-1")
    answer = await ours.call("PUT", LOC1, said)
    assert (answer.status, answer.code) == (201, 1000)
    (copy,) = ours.stations.copies
    assert copy.digest == ordered_digest(said)
    assert copy.statuses
    assert copy.location.evses[1].status is EvseStatus.CHARGING
    # Gireve's own id stays beside the CPO's, and is no fault.
    assert copy.location.unknown == {"gireve_id": "g-1"}
    assert not copy.issues


async def test_a_location_that_is_there_is_replaced(ours: Emsp) -> None:
    await put(ours)
    answer = await ours.call("PUT", LOC1, wire(name="Gare du Nord", last_updated=LATER))
    assert (answer.status, answer.code) == (200, 1000)
    assert stored(ours).name == "Gare du Nord"


async def test_what_cannot_be_read_of_a_part_is_told_beside_the_location(ours: Emsp) -> None:
    said = wire()
    said["evses"][0]["connectors"][0]["standard"] = "NEVER_HEARD_OF"
    assert (await ours.call("PUT", LOC1, said)).code == 1000
    (copy,) = ours.stations.copies
    assert len(copy.location.evses) == 2
    assert [issue.field for issue in copy.issues if "standard" in issue.field or "connectors" in issue.field]


@pytest.mark.parametrize(
    ("path", "field"),
    [("FR/ABC/LOC2", "id"), ("FR/XYZ/LOC1", "party_id"), ("DE/ABC/LOC1", "party_id")],
)
async def test_a_body_of_another_id_or_party_than_the_url_is_refused(ours: Emsp, path: str, field: str) -> None:
    answer = await ours.call("PUT", f"/receiver/locations/{path}", wire())
    assert (answer.status, answer.code) == (200, 2001)
    assert answer.message is not None
    assert answer.message.startswith(field)
    assert not ours.stations.copies


async def test_ids_that_differ_in_case_name_the_same_location(ours: Emsp) -> None:
    await put(ours)
    answer = await ours.call("PUT", "/receiver/locations/fr/abc/loc1", wire(last_updated=LATER))
    assert (answer.status, answer.code) == (200, 1000)
    assert len(ours.stations.places) == 1


@pytest.mark.parametrize("headers", [FROM_OTHER])
async def test_nobody_but_the_hub_speaks_for_another_cpo(ours: Emsp, headers: dict[str, str]) -> None:
    for method, body in (("PUT", wire()), ("PATCH", {"name": "x", "last_updated": LATER}), ("GET", None)):
        answer = await ours.call(method, LOC1, body, headers)
        assert (answer.status, answer.code) == (404, 2001)
    assert (await ours.call("PUT", LOC1, wire(), FROM_CPO)).status == 201


async def test_a_url_that_names_no_party_is_not_there(ours: Emsp) -> None:
    answer = await ours.call("PUT", "/receiver/locations/FRA/A/LOC1", wire())
    assert (answer.status, answer.code) == (404, 2001)


@pytest.mark.parametrize("body", [b"[]", b"null", b'"x"', b"7"])
async def test_what_is_no_object_is_refused(ours: Emsp, body: bytes) -> None:
    answer = await ours.call("PUT", LOC1, body)
    assert (answer.status, answer.code) == (200, 2001)


@pytest.mark.parametrize("body", [b"", b"{", b'{"id": NaN}', b"\xff", b"<xml/>"])
async def test_what_is_no_json_is_refused(ours: Emsp, body: bytes) -> None:
    answer = await ours.call("PUT", LOC1, body)
    assert (answer.status, answer.code) == (400, 2001)


@pytest.mark.parametrize(
    "change",
    [
        {"coordinates": None},
        {"coordinates": {"latitude": "north", "longitude": "2.3"}},
        {"country": None},
        {"last_updated": "yesterday"},
        {"name": "a\0b"},
    ],
)
async def test_a_location_that_does_not_validate_is_refused(ours: Emsp, change: dict[str, Any]) -> None:
    answer = await ours.call("PUT", LOC1, wire(**change))
    assert (answer.status, answer.code) == (200, 2001)
    assert not ours.stations.copies


async def test_a_power_that_nothing_has_is_kept_beside_and_spoils_nothing(ours: Emsp) -> None:
    said = wire()
    said["evses"][0]["connectors"][0]["max_electric_power"] = 10**13
    assert (await ours.call("PUT", LOC1, said)).code == 1000
    # What is stored can be read again.
    assert Location.model_validate_json(stored(ours).model_dump_json()) == stored(ours)
    assert stored(ours).evses[0].connectors[0].max_power is None
    (copy,) = ours.stations.copies
    assert [issue.field for issue in copy.issues] == ["evses[0].connectors[0].max_electric_power"]


async def test_null_lists_are_empty_ones(ours: Emsp) -> None:
    await put(ours, evses=None, facilities=None, directions=None)
    assert stored(ours).evses == ()


async def test_a_location_of_many_evses_is_taken(ours: Emsp) -> None:
    many = location(evses=[evse(str(number)) for number in range(1500)])
    answer = await ours.call("PUT", LOC1, wire(many))
    assert (answer.status, answer.code) == (201, 1000)
    assert len(stored(ours).evses) == 1500


async def test_a_body_that_no_location_has_is_not_read(ours: Emsp) -> None:
    answer = await ours.call("PUT", LOC1, data=BytesIO(b"[" + b" " * 4 * 1024 * 1024 + b"]"))
    assert (answer.status, answer.code) == (413, 2001)


async def test_a_location_is_shown_as_it_is_stored(ours: Emsp) -> None:
    said = wire(gireve_id="g-1")
    del said["owner"], said["operator"]  # what Gireve demands of CPOs is not demanded of what it tells
    assert (await ours.call("PUT", LOC1, said)).code == 1000
    answer = await ours.call("GET", LOC1)
    assert (answer.status, answer.data) == (200, said)
    answer = await ours.call("GET", f"{LOC1}/2")
    assert (answer.status, answer.data) == (200, said["evses"][1])
    answer = await ours.call("GET", f"{LOC1}/2/1")
    assert (answer.status, answer.data) == (200, said["evses"][1]["connectors"][0])


async def test_what_was_never_told_cannot_be_shown(ours: Emsp) -> None:
    assert (await ours.call("GET", LOC1)).code == 2003
    await put(ours)
    for path in ("/9", "/1/9", "/9/1"):
        answer = await ours.call("GET", LOC1 + path)
        assert (answer.status, answer.code) == (404, 2003)


@pytest.mark.parametrize("path", ["", "/1", "/1/1"])
async def test_nothing_of_a_location_is_deleted(ours: Emsp, path: str) -> None:
    for _ in range(2):  # never known, then known
        answer = await ours.call("DELETE", LOC1 + path)
        assert (answer.status, answer.code) == (405, 2000)
        await ours.call("PUT", LOC1, wire())
    assert len(stored(ours).evses) == 2


# Statuses


async def test_a_status_alone_is_written_without_its_location(ours: Emsp) -> None:
    await put(ours)
    answer = await ours.call("PATCH", f"{LOC1}/1", {"status": "OUTOFORDER", "last_updated": LATER})
    assert (answer.status, answer.code) == (200, 1000)
    assert len(ours.stations.copies) == 1
    (report,) = ours.stations.reports
    assert (report.status, report.party, report.location_id, report.evse_uid) == (
        EvseStatus.OUTOFORDER,
        CPO,
        "LOC1",
        "1",
    )
    assert stored(ours).evses[0].status is EvseStatus.OUTOFORDER


async def test_a_removed_evse_stays_with_its_status(ours: Emsp) -> None:
    await put(ours)
    await ours.call("PATCH", f"{LOC1}/1", {"status": "REMOVED", "last_updated": LATER})
    assert stored(ours).evses[0].status is EvseStatus.REMOVED


@pytest.mark.parametrize("path", ["/1", "/9"])
async def test_a_status_of_what_was_never_told_is_not_found(ours: Emsp, path: str) -> None:
    if path == "/9":
        await put(ours)
    answer = await ours.call("PATCH", LOC1 + path, {"status": "AVAILABLE", "last_updated": LATER})
    assert (answer.status, answer.code) == (404, 2003)


async def test_a_status_that_nobody_knows_is_read_as_unknown(ours: Emsp) -> None:
    await put(ours)
    answer = await ours.call("PATCH", f"{LOC1}/1", {"status": "NEVER_HEARD_OF", "last_updated": LATER})
    assert (answer.status, answer.code) == (200, 1000)
    assert stored(ours).evses[0].status is EvseStatus.UNKNOWN


async def test_a_patch_without_a_stamp_is_refused(ours: Emsp) -> None:
    await put(ours)
    for path, body in (("/1", {"status": "AVAILABLE"}), ("", {"name": "x"}), ("/1/1", {"tariff_ids": ["T9"]})):
        answer = await ours.call("PATCH", LOC1 + path, body)
        assert (answer.status, answer.code) == (200, 2001), path
        assert answer.message is not None
        assert "last_updated" in answer.message


# Parts


async def test_an_evse_is_put_into_its_location(ours: Emsp) -> None:
    await put(ours)
    third = locations.evse_from_canonical(evse("3"))[0] | {"last_updated": LATER}
    answer = await ours.call("PUT", f"{LOC1}/3", third)
    assert (answer.status, answer.code) == (201, 1000)
    assert [each.uid for each in stored(ours).evses] == ["1", "2", "3"]
    # mod_locations, PUT: the stamp of what holds it rises too
    assert stored(ours).last_updated.isoformat() == "2026-06-07T18:45:00+00:00"
    answer = await ours.call("PUT", f"{LOC1}/3", third | {"physical_reference": "A3", "last_updated": LATEST})
    assert (answer.status, answer.code) == (200, 1000)
    assert stored(ours).evses[2].physical_reference == "A3"


async def test_a_connector_is_put_into_its_evse(ours: Emsp) -> None:
    await put(ours)
    second = locations.connector_from_canonical(connector("2"))[0] | {"last_updated": LATER}
    assert (await ours.call("PUT", f"{LOC1}/1/2", second)).status == 201
    assert [each.id for each in stored(ours).evses[0].connectors] == ["1", "2"]
    assert (await ours.call("PUT", f"{LOC1}/9/2", second)).code == 2003


async def test_a_part_of_another_id_than_the_url_is_refused(ours: Emsp) -> None:
    await put(ours)
    said = locations.evse_from_canonical(evse("3"))[0]
    assert (await ours.call("PUT", f"{LOC1}/4", said)).code == 2001
    assert (await ours.call("PUT", f"{LOC1}/1/7", said["connectors"][0])).code == 2001
    assert (await ours.call("PATCH", f"{LOC1}/1", {"uid": "7", "last_updated": LATER})).code == 2001
    assert len(ours.stations.copies) == 1


async def test_a_part_of_what_was_never_told_is_not_found(ours: Emsp) -> None:
    said = locations.evse_from_canonical(evse("1"))[0]
    for method, path, body in (
        ("PUT", "/1", said),
        ("PUT", "/1/1", said["connectors"][0]),
        ("PATCH", "", {"name": "x", "last_updated": LATER}),
        ("PATCH", "/1", {"physical_reference": "x", "last_updated": LATER}),
        ("PATCH", "/1/1", {"tariff_ids": ["T2"], "last_updated": LATER}),
    ):
        answer = await ours.call(method, LOC1 + path, body)
        assert (answer.status, answer.code) == (404, 2003), (method, path)


@pytest.mark.parametrize("path", ["/9", "/1/9"])
async def test_a_patch_of_a_part_that_is_not_there_is_not_found(ours: Emsp, path: str) -> None:
    await put(ours)
    answer = await ours.call("PATCH", LOC1 + path, {"unknown_field": "x", "last_updated": LATER})
    assert (answer.status, answer.code) == (404, 2003)


async def test_tariffs_of_a_connector_are_patched(ours: Emsp) -> None:
    await put(ours)
    assert (await ours.call("PATCH", f"{LOC1}/1/1", {"tariff_ids": ["T2"], "last_updated": LATER})).code == 1000
    assert stored(ours).evses[0].connectors[0].tariff_ids == ("T2",)


async def test_what_comes_late_changes_nothing(ours: Emsp) -> None:
    await put(ours)
    said = locations.evse_from_canonical(evse("1", physical_reference="A1"))[0]
    assert (await ours.call("PUT", f"{LOC1}/1", said | {"last_updated": LATER})).code == 1000
    for body in (said | {"physical_reference": "old", "last_updated": EARLIER},):
        body["connectors"] = [{**each, "last_updated": EARLIER} for each in body["connectors"]]
        assert (await ours.call("PUT", f"{LOC1}/1", body)).code == 1000
    patch = {"physical_reference": "older", "last_updated": EARLIER}
    assert (await ours.call("PATCH", f"{LOC1}/1", patch)).code == 1000
    assert stored(ours).evses[0].physical_reference == "A1"


async def test_a_patch_that_comes_late_changes_nothing_where_connectors_are_as_new_as_their_evse(ours: Emsp) -> None:
    await put(ours)
    said = locations.evse_from_canonical(evse("1", physical_reference="A1"))[0]
    newer = [{**each, "last_updated": LATER} for each in said["connectors"]]
    await ours.call("PUT", f"{LOC1}/1", said | {"last_updated": LATER, "connectors": newer})
    patch = {"physical_reference": "older", "last_updated": EARLIER}
    assert (await ours.call("PATCH", f"{LOC1}/1", patch)).code == 1000
    assert stored(ours).evses[0].physical_reference == "A1"


async def test_what_is_said_of_a_location_is_not_overtaken_by_a_status(ours: Emsp) -> None:
    await put(ours)
    await ours.call("PATCH", f"{LOC1}/1", {"status": "CHARGING", "last_updated": LATEST})
    assert (await ours.call("PATCH", LOC1, {"name": "Gare du Nord", "last_updated": LATER})).code == 1000
    assert stored(ours).name == "Gare du Nord"
    assert stored(ours).evses[0].status is EvseStatus.CHARGING


async def test_all_evses_of_a_large_location_are_patched(ours: Emsp) -> None:
    await put(ours)
    many = wire(location(evses=[evse(str(number)) for number in range(1500)]))["evses"]
    answer = await ours.call("PATCH", LOC1, {"evses": many, "last_updated": LATER})
    assert (answer.status, answer.code) == (200, 1000)
    assert len(stored(ours).evses) == 1500


async def test_evses_of_one_location_that_are_put_at_once_are_all_kept(ours: Emsp) -> None:
    await put(ours)
    wires = {
        uid: locations.evse_from_canonical(evse(uid))[0] | {"last_updated": LATER} for uid in map(str, range(10, 30))
    }
    answers = await asyncio.gather(*(ours.call("PUT", f"{LOC1}/{uid}", said) for uid, said in wires.items()))
    assert {each.status for each in answers} == {201}
    assert {each.uid for each in stored(ours).evses} == {"1", "2", *wires}


async def test_what_fails_here_is_sent_again(ours: Emsp) -> None:
    ours.stations.failing = RuntimeError("the database is down")
    for method, path, body in (("PUT", "", wire()), ("PATCH", "/1", {"status": "AVAILABLE", "last_updated": LATER})):
        answer = await ours.call(method, LOC1 + path, body)
        assert (answer.status, answer.code) == (500, 3000)


async def test_a_connection_that_plays_the_cpo_alone_serves_no_emsp() -> None:
    async with emsp(roles=["CPO"]) as cpo:
        answer = await cpo.call("PUT", LOC1, wire())
        assert (answer.status, answer.code) == (404, 2000)
        assert not cpo.stations.copies
