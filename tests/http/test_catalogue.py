"""The catalogue over HTTP: what is asked, and in which forms it is answered."""

import json

import pytest
from pydantic import TypeAdapter

from gateway.http.v1.catalogue_shapes import EntryShown
from gateway.services.keys import KeyRole
from gateway.services.ports import Page
from gateway.services.ports.catalogue import Around, Box
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import ConnectorStandard, EvseStatus


@pytest.fixture
def catalogue(face):
    return face.catalogue


async def test_what_is_asked_reaches_the_search(face, catalogue):
    query = (
        "box=5.0,52.0,5.2,52.2&status=AVAILABLE,CHARGING&min_power=50000&standard=IEC_62196_T2_COMBO,CHADEMO"
        "&party=NL*ABC,NLXYZ&text=Utrecht&opening_now=true&connection=gireve"
    )
    status, _, _ = await face.call("GET", f"/v1/catalogue/evses?{query}")
    assert status == 200
    [asked] = catalogue.asked
    assert asked.box == Box(5.0, 52.0, 5.2, 52.2)
    assert asked.statuses == {EvseStatus.AVAILABLE, EvseStatus.CHARGING}
    assert asked.standards == {ConnectorStandard.IEC_62196_T2_COMBO, ConnectorStandard.CHADEMO}
    assert asked.parties == {PartyId("NL*ABC"), PartyId("NL*XYZ")}
    assert (asked.min_power, asked.text, asked.opening_now, asked.connection) == (50_000, "Utrecht", True, "gireve")


async def test_near_has_a_radius_of_ten_kilometres_unless_it_is_given(face, catalogue):
    await face.call("GET", "/v1/catalogue/evses?near=52.1,5.1")
    await face.call("GET", "/v1/catalogue/evses?near=52.1,5.1&radius=500.5")
    assert [asked.near for asked in catalogue.asked] == [Around(52.1, 5.1, 10_000.0), Around(52.1, 5.1, 500.5)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("box=5,52,5.2", "box"),
        ("box=5,52.2,5.2,52.0", "box"),
        ("box=5,52,nan,53", "box"),
        ("near=91,5", "near"),
        ("near=52.1", "near"),
        ("near=52.1,5.1&box=5,52,6,53", "near"),
        ("status=FREE", "status"),
        ("standard=", "standard"),
        ("party=nobody", "party"),
        ("radius=0", "radius"),
        ("after=other", "after"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_name(face, query, field):
    status, problem, _ = await face.call("GET", f"/v1/catalogue/evses?{query}")
    assert (status, [fault["field"] for fault in problem["errors"]]) == (422, [field])


async def test_entries_are_what_the_description_says(face):
    _, page, _ = await face.call("GET", "/v1/catalogue/evses")
    read = TypeAdapter(Page[EntryShown]).validate_json(json.dumps(page))
    [shown] = read.items
    assert (shown.evse.status, shown.location.city, [way.connection for way in shown.ways]) == (
        EvseStatus.CHARGING,
        "Utrecht",
        ["gireve", "hubject"],
    )
    assert read.next == "more"


async def test_an_evse_is_found_by_its_id_in_any_spelling(face):
    for key in ("NLABCEL1", "nl*abc*el1", "nl*abc*e*l1"):
        status, shown, _ = await face.call("GET", f"/v1/catalogue/evses/{key}")
        assert (status, shown["evse_key"]) == (200, "NLABCEL1")
    assert (await face.call("GET", "/v1/catalogue/evses/NLABCE9"))[0] == 404


async def test_a_map_gets_features(face):
    status, found, headers = await face.call("GET", "/v1/catalogue/evses?format=geojson")
    assert (status, headers["Content-Type"], found["type"], found["next"]) == (
        200,
        "application/geo+json",
        "FeatureCollection",
        "more",
    )
    [feature] = found["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [5.1, 52.1]}
    assert feature["properties"]["status"] == "CHARGING"
    assert feature["properties"]["standards"] == ["IEC_62196_T2"]
    assert feature["properties"]["connections"] == ["gireve", "hubject"]


async def test_locations_and_tariffs_are_in_the_form_of_ocpi(face):
    _, page, _ = await face.call("GET", "/v1/catalogue/locations")
    [location] = page["items"]
    assert (location["country_code"], location["party_id"], location["evses"][0]["evse_id"]) == (
        "NL",
        "ABC",
        "NL*ABC*EL1",
    )
    _, page, _ = await face.call("GET", "/v1/catalogue/tariffs")
    assert page["items"][0]["elements"][0]["price_components"][0]["price"] == 0.5


async def test_what_ocpi_cannot_say_is_named_and_left_out(face, catalogue):
    catalogue.unsaid = True
    status, page, _ = await face.call("GET", "/v1/catalogue/locations")
    assert (status, page["items"]) == (200, [])
    [left] = page["left_out"]
    assert (left["party"], left["id"]) == ("+49*810", "L1")
    assert "country codes" in left["detail"]


async def test_a_tariff_that_ocpi_says_nearly_is_given_and_named(face, catalogue):
    catalogue.unsaid = True
    _, page, _ = await face.call("GET", "/v1/catalogue/tariffs")
    [plain, nearly] = page["items"]
    assert [each["type"] for each in nearly["elements"][0]["price_components"]] == ["TIME", "PARKING_TIME"]
    assert nearly["elements"][0]["restrictions"] == {"start_time": "22:00", "end_time": "06:00"}
    [named] = page["approximated"]
    assert (named["id"], len(named["details"])) == (nearly["id"], 2)
    assert (page["left_out"], plain["id"] == nearly["id"]) == ([], False)


async def test_changes_begin_with_a_cursor_and_tell_what_is_gone(face):
    _, first, _ = await face.call("GET", "/v1/catalogue/changes")
    assert first == {"items": [], "next": "now"}
    _, page, _ = await face.call("GET", "/v1/catalogue/changes?after=now&wait=1")
    assert [(change["evse_key"], change["gone"], "entry" in change) for change in page["items"]] == [
        ("NLABCEL1", False, True),
        ("NLABCEGONE", True, False),
    ]


async def test_a_cursor_that_is_too_old_says_how_to_begin_anew(face):
    status, problem, _ = await face.call("GET", "/v1/catalogue/changes?after=old")
    assert (status, problem["type"]) == (410, "/docs#forgotten")


async def test_only_an_administrator_for_all_parties_orders_the_ways(face, catalogue):
    body = {"connections": ["hubject", "gireve"]}
    for key in (await face.key(KeyRole.READ), await face.key(KeyRole.ADMIN, parties=("NL*ABC",))):
        assert (await face.call("PUT", "/v1/catalogue/ways", key=key, json=body))[0] == 403
    status, ways, _ = await face.call("PUT", "/v1/catalogue/ways", json=body)
    assert (status, ways["electing"]) == (200, False)
    assert [order for order, _ in catalogue.ordered] == [["hubject", "gireve"]]
    assert (await face.call("PUT", "/v1/catalogue/ways", json={"connections": ["nowhere"]}))[0] == 422


async def test_a_key_of_one_party_reads_the_stations_of_all(face):
    key = await face.key(KeyRole.READ, parties=("FR*ABC",))
    assert (await face.call("GET", "/v1/catalogue/evses", key=key))[0] == 200


@pytest.mark.parametrize("path", ["evses", "evses?format=geojson", "evses/NLABCEL1", "locations", "tariffs", "changes"])
async def test_a_key_sees_what_its_emsps_may_see(face, path):
    both = "&" if "?" in path else "?"
    own = await face.key(KeyRole.READ, parties=("FR*EMS", "DE*EMS"))
    for key, emsp, seen in (
        (None, "", None),
        (None, "FR*EMS", frozenset({PartyId("FR*EMS")})),
        (own, "", frozenset({PartyId("FR*EMS"), PartyId("DE*EMS")})),
        (own, "DE*EMS", frozenset({PartyId("DE*EMS")})),
    ):
        face.catalogue.emsps = frozenset()
        asked = f"/v1/catalogue/{path}{both}emsp={emsp}" if emsp else f"/v1/catalogue/{path}"
        status, *_ = await face.call("GET", asked, **({} if key is None else {"key": key}))
        assert (status, face.catalogue.emsps) == (200, seen)
    status, *_ = await face.call("GET", f"/v1/catalogue/{path}{both}emsp=NL*OTH", key=own)
    assert status == 403
