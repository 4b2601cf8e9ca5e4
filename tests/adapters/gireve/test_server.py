"""The Sender interfaces as IOP pulls them, over loopback."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.core import ocpi
from adapters.core.connection import Mode, State
from adapters.gireve.fingerprints import of_evse
from mappings.canonical.locations import EvseStatus
from mappings.canonical.parties import Party, Role
from mappings.canonical.texts import Business
from tests.adapters.doubles import Network
from tests.adapters.gireve.network import AT, EMSP, PARTY, XYZ, Pair, connector, evse, location, pair, tariff

SENDER = "/ocpi/2.2.1/sender"
GONE = location("GONE", [evse("1", EvseStatus.REMOVED)], last_updated=AT + timedelta(hours=1))


@pytest.fixture
async def both() -> AsyncIterator[Pair]:
    places = [location(f"LOC{number}", last_updated=AT + timedelta(minutes=number)) for number in range(5)]
    prices = [tariff(), tariff(target=EMSP, price="0.30"), tariff("T2")]
    async with pair(network=Network([PARTY], [*places, GONE], prices), page_cap=2) as made:
        await made.register()
        yield made


async def get(both: Pair, path: str, **more: Any) -> tuple[int, Any, Any]:
    assert both.registry.token is not None
    return await both.ask(path, both.registry.token, **more)


async def test_a_list_is_paged_even_when_nothing_is_asked(both: Pair) -> None:
    status, body, headers = await get(both, f"{SENDER}/locations")
    assert status == 200
    assert [each["id"] for each in body["data"]] == ["LOC0", "LOC1"]
    assert (headers["X-Total-Count"], headers["X-Limit"]) == ("5", "2")
    assert headers["Link"] == f'<{both.gateway.public_url}{SENDER}/locations?offset=2&limit=2>; rel="next"'
    assert body["status_code"] == 1000
    assert body["timestamp"].endswith("Z")


async def test_the_links_lead_through_all_pages_and_end(both: Pair) -> None:
    url: str | None = f"{SENDER}/locations?limit=2"
    found: list[str] = []
    while url is not None:
        _, body, headers = await get(both, url)
        found += [each["id"] for each in body["data"]]
        url = ocpi.next_page(headers)
    assert found == [f"LOC{number}" for number in range(5)]


async def test_a_larger_limit_is_cut_and_a_smaller_one_kept(both: Pair) -> None:
    _, body, _ = await get(both, f"{SENDER}/locations?limit=2000")
    assert len(body["data"]) == 2
    _, body, headers = await get(both, f"{SENDER}/locations?limit=1&offset=1")
    assert [each["id"] for each in body["data"]] == ["LOC1"]
    assert "offset=2&limit=1" in headers["Link"]
    assert headers["X-Limit"] == "2"


async def test_dates_filter_and_travel_with_the_link(both: Pair) -> None:
    query = "date_from=2026-06-07T18:41:07Z&date_to=2026-06-07T18:44:07"
    _, body, headers = await get(both, f"{SENDER}/locations?{query}")
    assert [each["id"] for each in body["data"]] == ["LOC1", "LOC2"]
    assert headers["X-Total-Count"] == "3"
    following = ocpi.next_page(headers)
    assert following is not None
    assert query in following
    _, body, headers = await get(both, following)
    assert [each["id"] for each in body["data"]] == ["LOC3"]
    assert "Link" not in headers


async def test_with_dates_tombstones_are_told_and_without_they_are_not(both: Pair) -> None:
    _, body, headers = await get(both, f"{SENDER}/locations?date_from=2026-06-07T19:40:00Z")
    (gone,) = body["data"]
    assert (gone["id"], gone["evses"][0]["status"]) == ("GONE", "REMOVED")
    assert headers["X-Total-Count"] == "1"


async def test_without_dates_removed_evses_of_a_living_location_are_absent(both: Pair) -> None:
    both.network.places = [location(evses=[evse("1"), evse("2", EvseStatus.REMOVED)])]
    _, body, _ = await get(both, f"{SENDER}/locations")
    assert [each["uid"] for each in body["data"][0]["evses"]] == ["1"]
    _, body, _ = await get(both, f"{SENDER}/locations?date_from=2020-01-01T00:00:00Z")
    assert [each["uid"] for each in body["data"][0]["evses"]] == ["1", "2"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("offset=-1", "offset"),
        ("offset=x", "offset"),
        ("offset=99999999999999999999", "offset"),
        ("offset=", "offset"),
        ("limit=0", "limit"),
        ("limit=1.5", "limit"),
        ("limit=%D9%A3", "limit"),
        ("date_from=yesterday", "date_from"),
        ("date_from=2026-06-07T18:41:07%2B02:00", "date_from"),
        ("date_to=2026-13-07T18:41:07Z", "date_to"),
    ],
)
async def test_a_bad_parameter_is_named_with_400_and_2001(both: Pair, query: str, name: str) -> None:
    for module in ("locations", "tariffs"):
        status, body, _ = await get(both, f"{SENDER}/{module}?{query}")
        assert (status, body["status_code"]) == (400, 2001)
        assert body["status_message"].startswith(f"{name}: ")
        assert "data" not in body


async def test_a_page_beyond_the_end_is_empty(both: Pair) -> None:
    status, body, headers = await get(both, f"{SENDER}/locations?offset=100")
    assert (status, body["data"]) == (200, [])
    assert headers["X-Total-Count"] == "5"
    assert "Link" not in headers


async def test_an_object_that_cannot_be_said_is_left_out_of_its_page_and_stays_in_the_count(both: Pair) -> None:
    both.network.places = [location("A", owner=None), location("B"), location("C")]
    _, body, headers = await get(both, f"{SENDER}/locations")
    assert [each["id"] for each in body["data"]] == ["B"]
    assert headers["X-Total-Count"] == "3"
    assert "offset=2" in headers["Link"]


async def test_every_variant_of_a_tariff_is_listed(both: Pair) -> None:
    _, first, headers = await get(both, f"{SENDER}/tariffs")
    assert [(each["id"], each.get("target_operator_party_id")) for each in first["data"]] == [
        ("T1", None),
        ("T1", "MP1"),
    ]
    assert headers["X-Total-Count"] == "3"


async def test_a_single_tariff_is_the_one_for_all(both: Pair) -> None:
    status, body, _ = await get(both, f"{SENDER}/tariffs/T1")
    assert status == 200
    assert "target_operator_party_id" not in body["data"]
    status, body, _ = await get(both, f"{SENDER}/tariffs/T9")
    assert (status, body["status_code"]) == (404, 2000)


async def test_single_objects_are_given_alone(both: Pair) -> None:
    _, place, _ = await get(both, f"{SENDER}/locations/LOC1")
    _, point, _ = await get(both, f"{SENDER}/locations/LOC1/2")
    _, socket, _ = await get(both, f"{SENDER}/locations/LOC1/2/1")
    assert place["data"]["id"] == "LOC1"
    assert point["data"] == place["data"]["evses"][1]
    assert socket["data"] == point["data"]["connectors"][0]


@pytest.mark.parametrize("path", ["NOPE", "LOC1/9", "LOC1/1/9", "LOC1/1/1/1"])
async def test_an_unknown_object_is_404(both: Pair, path: str) -> None:
    status, body, _ = await get(both, f"{SENDER}/locations/{path}")
    assert status == 404
    assert body["status_code"] in {2000, 2003}


async def test_a_quoted_id_finds_its_location(both: Pair) -> None:
    both.network.places = [location("A/B ?")]
    status, body, _ = await get(both, f"{SENDER}/locations/A%2FB%20%3F")
    assert (status, body["data"]["id"]) == (200, "A/B ?")


async def test_an_id_that_two_parties_use_is_found_by_the_party_addressed(both: Pair) -> None:
    both.network.known.append(Party(id=XYZ, roles=frozenset({Role.CPO}), business=Business(name="XYZ")))
    both.network.places = [location(name="first"), location(party=XYZ, name="second")]
    _, body, _ = await get(both, f"{SENDER}/locations/LOC1")
    assert body["data"]["name"] == "first"
    named = {ocpi.TO_COUNTRY: "FR", ocpi.TO_PARTY: "XYZ"}
    _, body, _ = await get(both, f"{SENDER}/locations/LOC1", headers=named)
    assert body["data"]["name"] == "second"


async def test_a_list_holds_what_the_party_addressed_has_and_everybodys_if_it_is_addressed_to_none_of_ours(
    both: Pair,
) -> None:
    both.network.known.append(Party(id=XYZ, roles=frozenset({Role.CPO}), business=Business(name="XYZ")))
    both.network.places = [location("A"), location("B", party=XYZ)]
    both.network.prices = [tariff("A"), tariff("B", party=XYZ)]
    for module in ("locations", "tariffs"):
        for party, found in (("XYZ", ["B"]), ("ABC", ["A"]), ("107", ["A", "B"])):
            named = {ocpi.TO_COUNTRY: "FR", ocpi.TO_PARTY: party}
            _, body, headers = await get(both, f"{SENDER}/{module}", headers=named)
            assert [each["id"] for each in body["data"]] == found
            assert headers["X-Total-Count"] == str(len(found))


async def test_a_party_is_ours_that_registered_or_has_locations_though_nobody_wrote_its_profile() -> None:
    registered = {"id": "FR*ABC", "roles": ["CPO"], "business": {"name": "ABC"}}
    async with pair(network=Network([], [location(party=XYZ)]), parties=[registered]) as both:
        await both.register()
        for party, expected in (("ABC", 200), ("XYZ", 200), ("OTH", 404)):
            named = {ocpi.TO_COUNTRY: "FR", ocpi.TO_PARTY: party}
            status, _, _ = await get(both, f"{SENDER}/locations", headers=named)
            assert status == expected


async def test_a_slash_at_the_end_makes_no_difference(both: Pair) -> None:
    for path in ("/ocpi/versions/", "/ocpi/2.2.1/", f"{SENDER}/locations/?limit=1", f"{SENDER}/tariffs/T1/"):
        assert (await get(both, path))[0] == 200


async def test_ids_are_echoed_and_the_route_is_turned_round(both: Pair) -> None:
    sent = {
        ocpi.REQUEST_ID: "request-1",
        ocpi.CORRELATION_ID: "correlation-1",
        ocpi.FROM_COUNTRY: "FR",
        ocpi.FROM_PARTY: "107",
        ocpi.TO_COUNTRY: "FR",
        ocpi.TO_PARTY: "ABC",
    }
    for path in (f"{SENDER}/locations", f"{SENDER}/locations/NOPE", f"{SENDER}/locations?limit=x"):
        _, _, headers = await get(both, path, headers=sent)
        assert (headers[ocpi.REQUEST_ID], headers[ocpi.CORRELATION_ID]) == ("request-1", "correlation-1")
        assert (headers[ocpi.FROM_PARTY], headers[ocpi.TO_PARTY]) == ("ABC", "107")


@pytest.mark.parametrize("header", [None, "Token bm90LWtub3du", "Token raw-token", "Basic abc"])
async def test_a_wrong_token_is_401_in_the_envelope(both: Pair, header: str | None) -> None:
    sent = {ocpi.REQUEST_ID: "r"} | ({"Authorization": header} if header else {})
    for path in ("/ocpi/versions", f"{SENDER}/locations", "/ocpi/nothing"):
        status, body, headers = await both.ask(path, headers=sent)
        assert (status, body["status_code"]) == (401, 2000)
        assert headers[ocpi.REQUEST_ID] == "r"


async def test_a_token_as_it_is_without_base64_is_not_one(both: Pair) -> None:
    status, _, _ = await both.ask(f"{SENDER}/locations", headers={"Authorization": f"Token {both.registry.token}"})
    assert status == 401


@pytest.mark.parametrize(("method", "path"), [("GET", "/ocpi/2.2.1/cdrs"), ("PUT", f"{SENDER}/locations")])
async def test_what_is_not_there_is_404_in_the_envelope(both: Pair, method: str, path: str) -> None:
    status, body, _ = await get(both, path, method=method)
    assert (status, body["status_code"]) == (404, 2000)


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.SHADOW])
async def test_a_connection_that_is_not_live_gives_no_list_which_would_mean_that_all_is_gone(
    both: Pair, mode: Mode
) -> None:
    both.registry.connection = replace(both.registry.connection, mode=mode)
    status, body, _ = await get(both, f"{SENDER}/locations")
    assert (status, body["status_code"]) == (503, 3000)
    assert (await get(both, "/ocpi/versions"))[0] == 200


async def test_a_paused_connection_can_still_be_pulled(both: Pair) -> None:
    both.registry.connection = replace(both.registry.connection, state=State.PAUSED)
    assert (await get(both, f"{SENDER}/locations"))[0] == 200


async def test_every_answer_is_counted(both: Pair) -> None:
    both.measured.answers.clear()
    await get(both, f"{SENDER}/locations")
    await get(both, f"{SENDER}/locations?limit=x")
    await both.ask(f"{SENDER}/tariffs")
    assert [(each.connection, each.operation, each.status) for each in both.measured.answers] == [
        ("gireve-test", "locations", 200),
        ("gireve-test", "locations", 400),
        ("unknown", "tariffs", 401),
    ]


@pytest.mark.parametrize("fault", [None, "repeat", "reorder"])
async def test_what_the_sandbox_pulls_is_the_network(both: Pair, fault: str | None) -> None:
    if fault is not None:
        await both.session.post(f"{both.iop.url}/_sandbox/faults", json=[{"kind": fault}])
    status, told = await both.drive("pull", {"limit": 2})
    assert status == 200
    assert told == {
        "locations": {"pages": 3, "objects": 5, "total": 5},
        "tariffs": {"pages": 2, "objects": 3, "total": 3},
    }
    pulled = both.sandbox.memory["pulled_locations"]
    assert len(pulled) == 15
    assert both.sandbox.memory["pulled_tariffs"].keys() == {"FR*ABC/T1/-", "FR*ABC/T1/DE*MP1", "FR*ABC/T2/-"}
    assert of_evse(pulled["FR*ABC/LOC3/1"]) == of_evse(pulled["FR*ABC/LOC4/1"])


async def test_tariffs_are_not_offered_where_they_stand_in_the_agreement() -> None:
    async with pair(push_tariffs=False) as both:
        await both.register()
        _, body, _ = await get(both, "/ocpi/2.2.1")
        offered = {each["identifier"] for each in body["data"]["endpoints"]}
        assert "locations" in offered
        assert "tariffs" not in offered


async def test_connectors_without_what_ocpi_demands_take_it_from_the_settings() -> None:
    bare = location(evses=[evse("1", connectors=(connector(max_amperage=None),))])
    defaults = {"otherwise": {"max_amperage": 16}}
    async with pair(network=Network([PARTY], [bare]), connector_defaults=defaults) as both:
        await both.register()
        _, body, _ = await get(both, f"{SENDER}/locations/LOC1/1/1")
        assert body["data"]["max_amperage"] == 16
