"""Locations and tariffs over HTTP."""

import json

import pytest

from gateway.services.keys import KeyRole
from tests.http.conftest import location, tariff

ONE = "/v1/locations/FR*ABC/L1"
NDJSON = {"Content-Type": "application/x-ndjson"}
MERGE = {"Content-Type": "application/merge-patch+json"}


async def bulk(face, *lines, path="/v1/locations", **options):
    body = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    return await face.call("POST", path, data=body, headers=NDJSON, **options)


async def test_a_location_is_created_then_updated_then_read_as_it_was_written(face):
    assert (await face.call("PUT", ONE, json=location()))[0] == 201
    status, written, _ = await face.call("PUT", ONE, json=location(name="Gare"))
    assert (status, written) == (200, {"party": "FR*ABC", "id": "L1", "outcome": "updated", "issues": []})
    status, read, headers = await face.call("GET", ONE)
    assert (status, headers["ETag"]) == (200, '"2"')
    assert headers["Last-Modified"] == "Sun, 01 Mar 2026 12:00:00 GMT"
    assert read["name"] == "Gare"
    assert (await face.call("PUT", ONE, json=read))[1]["outcome"] == "unchanged"
    assert set(face.memory.who) == {"environment"}


async def test_a_party_in_the_path_is_read_in_every_spelling(face):
    await face.call("PUT", ONE, json=location())
    for spelling in ("FRABC", "fr-abc", "FR%2AABC"):
        assert (await face.call("GET", f"/v1/locations/{spelling}/L1"))[0] == 200


async def test_an_id_may_hold_a_slash(face):
    assert (await face.call("PUT", "/v1/locations/FR*ABC/a%2Fb", json=location("a/b")))[0] == 201
    assert (await face.call("GET", "/v1/locations/FR*ABC/a%2Fb"))[1]["id"] == "a/b"


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"colour": "red"}, ["colour"]),
        ({"publish": "yes"}, ["publish"]),
        ({"publish": 1}, ["publish"]),
        ({"parking_type": "on_street"}, ["parking_type"]),
        ({"evses": None}, ["evses"]),
        ({"country": "FR"}, ["country"]),
        ({"coordinates": {"latitude": 91, "longitude": "east"}}, ["coordinates.latitude", "coordinates.longitude"]),
        ({"last_updated": "1 March"}, ["last_updated"]),
        ({"id": "L2"}, ["id"]),
        ({"party": "FR*XYZ"}, ["party"]),
        ({"party": "nobody"}, ["party"]),
        ({"name": "a\0b"}, ["name"]),
        ({"unknown": {"x": [{"y\0": 1}]}}, ["unknown.x[0]"]),
        ({"evses": [location()["evses"][0] | {"capabilities": ["rfid_reader"]}]}, ["evses[0].capabilities[0]"]),
        (
            {
                "evses": [
                    location()["evses"][0] | {"connectors": [{"id": "1", "standard": "plug", "last_updated": "x"}]}
                ]
            },
            ["evses[0].connectors[0].standard", "evses[0].connectors[0].last_updated"],
        ),
    ],
)
async def test_what_makes_no_sense_is_422_with_the_path_of_each_field(face, changes, fields):
    status, problem, _ = await face.call("PUT", ONE, json=location(**changes))
    assert (status, problem["type"]) == (422, "/docs#invalid")
    assert [fault["field"] for fault in problem["errors"]] == fields
    assert not face.memory.locations


@pytest.mark.parametrize("power", ["1e999999", "1e400", 1e300, -1])
async def test_a_number_that_nobody_could_write_out_is_422(face, power):
    evse = location()["evses"][0]
    evse["connectors"][0]["max_power"] = power
    status, problem, _ = await face.call("PUT", ONE, json=location(evses=[evse]))
    assert (status, problem["errors"][0]["field"]) == (422, "evses[0].connectors[0].max_power")


async def test_nan_in_an_unknown_field_is_422(face):
    body = json.dumps(location(unknown={"x": float("nan")})).encode()
    assert (await face.call("PUT", ONE, data=body, headers={"Content-Type": "application/json"}))[0] == 422


async def test_no_more_than_a_hundred_faults_are_shown(face):
    status, problem, _ = await face.call("PUT", ONE, json=location(**{f"x{number}": 1 for number in range(500)}))
    assert (status, len(problem["errors"])) == (422, 100)
    assert "495 more" in problem["detail"]


async def test_a_withdrawn_location_is_410_until_it_is_put_again(face):
    assert (await face.call("DELETE", ONE))[0] == 404
    await face.call("PUT", ONE, json=location())
    assert (await face.call("DELETE", ONE))[0] == 204
    assert (await face.call("DELETE", ONE))[0] == 404
    status, problem, _ = await face.call("GET", ONE)
    assert (status, problem["type"]) == (410, "/docs#withdrawn")
    assert (await face.call("PATCH", ONE, json={"name": "x"}, headers=MERGE))[0] == 410
    assert (await face.call("GET", "/v1/locations"))[1]["items"][0]["withdrawn"] is True
    assert (await face.call("PUT", ONE, json=location()))[0] == 200
    assert (await face.call("GET", ONE))[0] == 200


async def test_a_patch_changes_what_it_names_removes_what_is_null_and_stamps_the_change(face):
    await face.call("PUT", ONE, json=location(name="Gare", operator={"name": "ABC", "website": "https://abc.example"}))
    patch = {"name": None, "operator": {"website": None}, "city": "Villeurbanne"}
    assert (await face.call("PATCH", ONE, json=patch, headers=MERGE))[0] == 200
    read = (await face.call("GET", ONE))[1]
    assert "name" not in read
    assert (read["operator"], read["city"], read["address"]) == (
        {"name": "ABC", "unknown": {}},
        "Villeurbanne",
        "1 rue de la Gare",
    )
    assert read["last_updated"] == "2026-03-01T12:00:00Z"
    await face.call("PATCH", ONE, json={"last_updated": "2026-03-02T00:00:00Z"}, headers=MERGE)
    assert (await face.call("GET", ONE))[1]["last_updated"] == "2026-03-02T00:00:00Z"


@pytest.mark.parametrize(
    ("patch", "field"),
    [({"city": None}, "city"), ({"id": "L2"}, "id"), ({"nonsense": 1}, "nonsense"), ([], ""), ("x", ""), (None, "")],
)
async def test_a_patch_that_makes_no_sense_is_422_and_changes_nothing(face, patch, field):
    await face.call("PUT", ONE, json=location())
    status, problem, _ = await face.call("PATCH", ONE, data=json.dumps(patch), headers=MERGE)
    assert (status, problem["errors"][0]["field"]) == (422, field)
    assert (await face.call("GET", ONE))[2]["ETag"] == '"1"'


async def test_a_patch_of_nothing_is_404(face):
    assert (await face.call("PATCH", ONE, json={}, headers=MERGE))[0] == 404


async def test_a_patch_is_applied_anew_when_somebody_else_was_quicker(face):
    await face.call("PUT", ONE, json=location())

    def meanwhile():
        face.memory.before_write = None
        stored = face.memory.locations[next(iter(face.memory.locations))]
        changed = stored.location.model_copy(update={"name": "changed meanwhile"})
        face.memory.locations[changed.party, changed.id] = type(stored)(changed, False, 9, stored.updated)

    face.memory.before_write = meanwhile
    assert (await face.call("PATCH", ONE, json={"city": "Bron"}, headers=MERGE))[0] == 200
    read = (await face.call("GET", ONE))[1]
    assert (read["name"], read["city"]) == ("changed meanwhile", "Bron")


async def test_if_match_protects_from_writing_over_what_was_not_read(face):
    await face.call("PUT", ONE, json=location())
    assert (await face.call("PUT", ONE, json=location(name="x"), headers={"If-Match": '"1"'}))[0] == 200
    status, problem, headers = await face.call("PUT", ONE, json=location(), headers={"If-Match": '"1"'})
    assert (status, problem["type"], headers["ETag"]) == (412, "/docs#revision", '"2"')
    assert (await face.call("PATCH", ONE, json={}, headers=MERGE | {"If-Match": '"7"'}))[0] == 412
    assert (await face.call("PUT", ONE, json=location(), headers={"If-Match": 'W/"2"'}))[0] == 412
    assert (await face.call("PUT", ONE, json=location(), headers={"If-Match": "*"}))[0] == 200


async def test_if_match_never_creates(face):
    for expected in ("*", '"0"'):
        status, problem, _ = await face.call("PUT", ONE, json=location(), headers={"If-Match": expected})
        assert (status, problem["type"]) == (412, "/docs#revision")


async def test_pages_are_walked_by_their_cursor(face):
    await bulk(face, *[location(f"L{number}") for number in range(5)])
    seen, after = [], {}
    while True:
        _, page, _ = await face.call("GET", "/v1/locations", params={"limit": "2"} | after)
        seen += [item["location"]["id"] for item in page["items"]]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    assert seen == ["L0", "L1", "L2", "L3", "L4"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=many", "limit"),
        ("limit=1&limit=2", "limit"),
        ("party=nobody", "party"),
        ("after=%00", "after"),
        ("after=nonsense", "after"),
        ("paty=FR*ABC", "paty"),
    ],
)
async def test_a_parameter_that_makes_no_sense_is_422_with_its_name(face, query, field):
    status, problem, _ = await face.call("GET", f"/v1/locations?{query}")
    assert (status, problem["errors"][0]["field"]) == (422, field)


async def test_issues_of_a_location_name_the_hub_and_the_field(face):
    assert (await face.call("GET", ONE + "/issues"))[0] == 404
    await face.call("PUT", ONE, json=location())
    status, body, _ = await face.call("GET", ONE + "/issues")
    assert status == 200
    assert body["items"][0]["connection"] == "hubject"
    assert body["items"][0]["issue"]["field"] == "evses[0].status"


async def test_a_stream_of_locations_is_written_in_batches(face):
    _, summary, _ = await bulk(face, *[location(f"L{number}") for number in range(1200)])
    assert (summary["read"], summary["created"], summary["refused"]) == (1200, 1200, 0)
    assert face.memory.batches == [500, 500, 200]


async def test_bad_lines_are_reported_by_number_and_field_and_stop_no_other(face):
    key = await face.key(KeyRole.PUBLISH, parties=("FR*ABC",))
    _, summary, _ = await bulk(
        face,
        location("L1"),
        b"{broken",
        b"",
        b"   ",
        location("L2", colour="red"),
        location("L3", party="FR*XYZ"),
        location("L4", name="\0"),
        b"[" * 10_000,
        location("L5"),
        key=key,
    )
    assert (summary["read"], summary["created"], summary["refused"]) == (7, 2, 5)
    assert [(fault["line"], fault["field"]) for fault in summary["errors"]] == [
        (2, ""),
        (5, "colour"),
        (6, "party"),
        (7, "name"),
        (8, ""),
    ]


async def test_only_the_first_faults_of_a_stream_are_kept(face):
    _, summary, _ = await bulk(face, *[b"{}"] * 1000)
    assert (summary["refused"], len(summary["errors"])) == (1000, 100)


async def test_a_store_that_breaks_amid_a_stream_is_503_and_tells_what_was_done(face):
    def after_the_first():
        if face.memory.batches:
            face.memory.broken = OSError("gone")

    face.memory.before_write = after_the_first
    status, problem, _ = await bulk(face, *[location(f"L{number}") for number in range(1200)])
    assert (status, problem["done"]["created"]) == (503, 500)


async def test_tariffs_are_kept_apart_by_target(face):
    path = "/v1/tariffs/FR*ABC/T1"
    assert (await face.call("PUT", path, json=tariff()))[0] == 201
    assert (await face.call("PUT", path + "?target=DE*EMP", json=tariff(target="DE*EMP", currency="CHF")))[0] == 201
    status, problem, _ = await face.call("PUT", path, json=tariff(target="DE*EMP"))
    assert (status, problem["errors"][0]["field"]) == (422, "target")
    assert (await face.call("GET", path))[1]["currency"] == "EUR"
    assert (await face.call("GET", path, params={"target": "DEEMP"}))[1]["currency"] == "CHF"
    assert (await face.call("PATCH", path, json={"currency": "GBP"}, headers=MERGE))[0] == 200
    assert len((await face.call("GET", "/v1/tariffs"))[1]["items"]) == 2
    assert (await face.call("DELETE", path))[0] == 204
    assert (await face.call("GET", path))[0] == 404
    assert (await face.call("DELETE", path))[0] == 404
    _, summary, _ = await bulk(face, tariff("T2"), tariff("T3", currency="euro"), path="/v1/tariffs")
    assert (summary["created"], summary["errors"][0]["field"]) == (1, "currency")


async def test_parties_are_written_by_administrators_and_read_by_those_they_are(face):
    party = {"id": "FR*ABC", "roles": ["CPO"], "business": {"name": "ABC"}}
    assert (await face.call("PUT", "/v1/parties/FR*ABC", json=party))[0] == 201
    assert (await face.call("PUT", "/v1/parties/FR*ABC", json=party))[0] == 200
    assert (await face.call("PUT", "/v1/parties/FR*XYZ", json=party))[0] == 422
    assert (await face.call("GET", "/v1/parties/FR*XYZ"))[0] == 404
    key = await face.key(KeyRole.PUBLISH, parties=("FR*XYZ",))
    assert (await face.call("GET", "/v1/parties", key=key))[1] == {"items": []}
    assert (await face.call("GET", "/v1/parties"))[1]["items"][0]["id"] == "FR*ABC"
    assert (await face.call("PUT", "/v1/parties/FR*XYZ", json=party, key=key))[0] == 403


async def test_a_patch_that_changes_nothing_leaves_the_object_as_it_was(face):
    await face.call("PUT", ONE, json=location())
    assert (await face.call("PATCH", ONE, json={"city": "Lyon"}, headers=MERGE))[1]["outcome"] == "unchanged"
    assert (await face.call("GET", ONE))[1]["last_updated"] == "2026-03-01T11:00:00Z"


async def test_large_objects_are_written_in_smaller_batches(face):
    async def body():
        for number in range(4):
            yield json.dumps(location(f"L{number}", unknown={"x": "x" * (3 * 1024 * 1024)})).encode() + b"\n"

    await face.call("POST", "/v1/locations", data=body(), headers=NDJSON)
    assert face.memory.batches == [3, 1]


DOUBTFUL = {
    "coordinates": {"latitude": 0, "longitude": 0},
    "evses": [
        location()["evses"][0]
        | {
            "evse_id": "FR*ABC*1",
            "connectors": [
                location()["evses"][0]["connectors"][0] | {"power_type": "AC_3_PHASE", "max_power": 7_360_000}
            ],
        }
    ],
}
DOUBTED = ["coordinates", "evses[0].evse_id", "evses[0].connectors[0].max_power"]


async def test_what_is_hardly_true_is_stored_as_given_and_told(face):
    status, written, _ = await face.call("PUT", ONE, json=location(**DOUBTFUL))
    assert status == 201
    assert [(issue["kind"], issue["field"]) for issue in written["issues"]] == [("suspect", each) for each in DOUBTED]
    assert (await face.call("GET", ONE))[1]["evses"][0]["evse_id"] == "FR*ABC*1"
    assert (await face.call("PUT", ONE, json=location()))[1]["issues"] == []
    status, written, _ = await face.call("PATCH", ONE, json=DOUBTFUL, headers=MERGE)
    assert (status, [issue["field"] for issue in written["issues"]]) == (200, DOUBTED)
    summary = (await bulk(face, location("L1", **DOUBTFUL), location("L2")))[1]
    assert (summary["created"], summary["issues"], summary["refused"]) == (1, 3, 0)
