"""The sandbox shows EMSPs what CPOs have, page by page, as Gireve's platform does; over loopback."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.gireve.sandbox import SandboxSettings
from adapters.gireve.sandbox.platforms import Provision
from mappings.canonical.ids import PartyId
from tests.adapters.gireve.emsp import CPO, STAMP, TOKEN_A, Emsp, evse, location, platform
from tests.shared import shared_path

SENDER = "locations/SENDER"


@pytest.fixture
async def emsp() -> AsyncIterator[Emsp]:
    async with platform() as made:
        yield made


async def test_version_details_name_an_emsps_modules_to_those_who_have_one() -> None:
    cpo_only = Provision(name="other", token="b", roles=frozenset({"CPO"}))
    settings = SandboxSettings(token=TOKEN_A, roles=frozenset({"EMSP"}), platforms=(cpo_only,))
    async with platform(settings, registered=False) as emsp:
        await emsp.register()
        mine = {"locations/SENDER", "tariffs/SENDER", "tokens/RECEIVER", "commands/RECEIVER", "credentials/SENDER"}
        assert set(emsp.endpoints) == mine
        emsp.endpoints = {}
        await emsp.register("b")
        assert not mine - {"credentials/SENDER"} & set(emsp.endpoints)
        assert (await emsp.ask("GET", f"{emsp.iop.url}/ocpi/sender/2.2.1/locations"))[:2] == (403, 2000)


async def test_locations_come_in_pages_of_at_most_100_whatever_is_asked(emsp: Emsp) -> None:
    await emsp.load(*(location(f"L{n}") for n in range(230)))
    _, _, data, headers = await emsp.ask("GET", SENDER, "?limit=1000")
    assert (len(data), headers["X-Total-Count"], headers["X-Limit"]) == (100, "230", "100")
    pages = await emsp.pages(SENDER)
    assert [len(page) for page in pages] == [100, 100, 30]
    assert [each["id"] for page in pages for each in page] == [f"L{n}" for n in range(230)]
    assert [len(page) for page in await emsp.pages(SENDER, "?limit=90&offset=60")] == [90, 80]
    assert await emsp.pages(SENDER, "?offset=1000") == [[]]


@pytest.mark.parametrize("query", ["?limit=0", "?offset=-1", "?limit=x", "?date_from=yesterday"])
async def test_parameters_that_cannot_be_are_refused(emsp: Emsp, query: str) -> None:
    assert (await emsp.ask("GET", SENDER, query))[:2] == (400, 2001)


async def test_gireves_ids_stand_beside_the_owners_and_what_gireve_does_not_implement_is_left_out(emsp: Emsp) -> None:
    extra: dict[str, Any] = {
        "publish_allowed_to": [{"uid": "1"}],
        "charging_when_closed": False,
        "images": [],
        "energy_mix": {"is_green_energy": True},
        "opening_times": {"twentyfourseven": True, "exceptional_openings": []},
    }
    await emsp.load(location(**extra))
    ((told,),) = await emsp.pages(SENDER)
    assert told["id"] == "LOC1"
    assert not {"publish_allowed_to", "charging_when_closed", "images", "energy_mix"} & told.keys()
    assert told["opening_times"] == {"twentyfourseven": True}
    ids = {told["gireve_id"], told["evses"][0]["gireve_id"], told["evses"][0]["connectors"][0]["gireve_id"]}
    assert len(ids) == 3
    assert await emsp.pages(SENDER) == [[told]]


async def test_dates_choose_by_what_changed_and_bring_what_is_gone_as_removed(emsp: Emsp) -> None:
    await emsp.load(location("OLD"), location("LOC1", evse("1"), evse("2")), location("GONE"))
    since = (datetime.now(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await emsp.pages(SENDER, f"?date_from={since}") == [[]]
    gone = [("LOC1", "2", "REMOVED"), ("GONE", "1", "REMOVED"), ("LOC1", "1", "CHARGING")]
    for key, uid, status in gone:
        change = {"party": "NL*TNM", "location_id": key, "evse_uid": uid, "status": status}
        assert await emsp.drive("statuses", change) == (200, {"changed": 1, "unknown": 0})
    (delta,) = await emsp.pages(SENDER, f"?date_from={since}")
    seen = {each["id"]: {evse["uid"]: evse["status"] for evse in each["evses"]} for each in delta}
    assert seen == {"LOC1": {"1": "CHARGING", "2": "REMOVED"}, "GONE": {"1": "REMOVED"}}
    assert all(each["last_updated"] > since for each in delta)
    (full,) = await emsp.pages(SENDER)
    assert {each["id"]: len(each["evses"]) for each in full} == {"OLD": 1, "LOC1": 1}
    # Of a played network, the owner's own stamps count, the end not included.
    assert [each["id"] for each in (await emsp.pages(SENDER, f"?date_from={STAMP}&date_to={since}"))[0]] == ["OLD"]
    assert await emsp.pages(SENDER, f"?date_to={STAMP}") == [[]]


async def test_a_list_asked_of_a_cpo_is_that_cpos(emsp: Emsp) -> None:
    await emsp.load(location("A"), location("B", party_id="NDW"), location("A", party_id="NDW"))
    assert [each["id"] for each in (await emsp.pages(SENDER, receiver=CPO))[0]] == ["A"]
    assert len((await emsp.pages(SENDER, receiver=PartyId("NL*NDW")))[0]) == 2
    assert await emsp.pages(SENDER, receiver=PartyId("FR*XYZ")) == [[]]


async def test_one_object_is_given_at_each_depth(emsp: Emsp) -> None:
    await emsp.load(location("A", evse("E/1")), location("B"), location("B", party_id="NDW"))
    for tail, field, value in (
        ("/A", "id", "A"),
        ("/A/E%2F1", "uid", "E/1"),
        ("/A/E%2F1/1", "standard", "IEC_62196_T2"),
    ):
        status, _, data, _ = await emsp.ask("GET", SENDER, tail)
        assert (status, data[field]) == (200, value)
    for tail in ("/X", "/A/9", "/A/E%2F1/9"):
        assert (await emsp.ask("GET", SENDER, tail))[:2] == (404, 2003)
    assert (await emsp.ask("GET", SENDER, "/B"))[:2] == (400, 2001)
    assert (await emsp.ask("GET", SENDER, "/B", receiver=CPO))[:2] == (200, 1000)


async def test_pulls_of_sessions_and_cdrs_are_not_implemented(emsp: Emsp) -> None:
    for module in ("sessions", "cdrs"):
        assert (await emsp.ask("GET", f"{emsp.iop.url}/ocpi/sender/2.2.1/{module}"))[:2] == (405, 2000)


# Tariffs


def tariff(key: str = "T1", **changes: Any) -> dict[str, Any]:
    component = {"type": "ENERGY", "price": 0.35, "step_size": 1}
    return {
        "country_code": "NL",
        "party_id": "TNM",
        "id": key,
        "currency": "EUR",
        "elements": [{"price_components": [component]}],
        "last_updated": STAMP,
    } | changes


async def test_every_variant_of_a_regular_tariff_is_given_whomever_it_is_for(emsp: Emsp) -> None:
    cpo = {"sender": CPO}
    target = {"target_operator_country_code": "FR", "target_operator_party_id": "OTH"}
    for wire in (tariff(), tariff(**target), tariff("T2", type="AD_HOC_PAYMENT"), tariff("T3", type="REGULAR")):
        assert (await emsp.ask("PUT", "tariffs/RECEIVER", f"/NL/TNM/{wire['id']}", wire, **cpo))[0] == 200
    (page,) = await emsp.pages("tariffs/SENDER")
    assert [(each["id"], each.get("target_operator_party_id")) for each in page] == [
        ("T1", None),
        ("T1", "OTH"),
        ("T3", None),
    ]
    assert len({each["gireve_id"] for each in page}) == 3
    assert (await emsp.ask("DELETE", "tariffs/RECEIVER", "/NL/TNM/T3", **cpo))[0] == 200
    assert len((await emsp.pages("tariffs/SENDER", receiver=CPO))[0]) == 2
    assert await emsp.pages("tariffs/SENDER", receiver=PartyId("NL*NDW")) == [[]]


async def test_what_gireve_adds_to_a_tariff_is_given_back_as_it_came(emsp: Emsp) -> None:
    hours = {"start_time": "22:00", "end_time": "06:00", "day_of_week": ["SATURDAY"]}
    component = {
        "type": "SESSION_TIME",
        "price": 2.4,
        "step_size": 60,
        "price_round": {"round_granularity": "HUNDRETH", "round_rule": "ROUND_NEAR"},
        "step_round": {"round_granularity": "UNIT", "round_rule": "ROUND_UP"},
        "exact_price_component": True,
    }
    wire = tariff(restriction=hours, elements=[{"price_components": [component]}])
    assert (await emsp.ask("PUT", "tariffs/RECEIVER", "/NL/TNM/T1", wire, sender=CPO))[0] == 200
    ((given,),) = await emsp.pages("tariffs/SENDER")
    assert {**given, "gireve_id": None} == {**wire, "gireve_id": None}


ROUND = {"round_granularity": "HUNDRETH", "round_rule": "ROUND_NEAR"}


@pytest.mark.parametrize(
    ("changes", "component"),
    [
        ({"currency": "EURO"}, {}),
        ({"type": "NIGHT"}, {}),
        ({"elements": []}, {}),
        ({"target_operator_country_code": "FR"}, {}),
        ({"restriction": {"start_time": "22:00"}}, {}),
        ({"restriction": {"start_time": "22h", "end_time": "06:00"}}, {}),
        ({"restriction": {"day_of_week": ["HOLIDAY"]}}, {}),
        ({}, {"type": "IDLE_TIME"}),
        ({}, {"price": "0.35"}),
        ({}, {"price_round": {**ROUND, "round_granularity": "HUNDREDTH"}}),
        ({}, {"price_round": {"round_granularity": "UNIT"}}),
        ({}, {"step_round": ROUND}),
        ({}, {"exact_price_component": "yes"}),
    ],
)
async def test_a_tariff_that_is_not_as_the_texts_have_it_is_rejected(emsp: Emsp, changes: Any, component: Any) -> None:
    wire = tariff(**changes)
    if component:
        wire["elements"][0]["price_components"][0] |= component
    assert (await emsp.ask("PUT", "tariffs/RECEIVER", "/NL/TNM/T1", wire, sender=CPO))[:2] == (400, 2001)
    assert await emsp.pages("tariffs/SENDER") == [[]]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?date_from=2026-05-01T00:00:00Z&date_to=2026-05-31T23:59:59Z", 200),
        ("?date_from=2026-05-01T00:00:00Z&date_to=2026-06-01T00:00:00Z", 400),
        ("?date_from=2026-12-15T00:00:00Z&date_to=2027-01-15T00:00:00Z", 400),
        ("?date_from=2020-01-01T00:00:00Z", 400),
        ("?date_to=2026-06-01T00:00:00Z", 400),
    ],
)
async def test_the_time_frame_of_tariffs_is_shorter_than_a_month(emsp: Emsp, query: str, status: int) -> None:
    assert (await emsp.ask("GET", "tariffs/SENDER", query))[0] == status


# What registered CPOs pushed


async def test_what_a_cpo_pushes_is_shown_after_the_quality_process(emsp: Emsp) -> None:
    wire = location("LOC1", evse("1"), evse("2", capabilities=[]))
    wire["evses"][0]["connectors"].append({**wire["evses"][0]["connectors"][0], "id": "2", "tariff_ids": ["T9"]})
    assert (await emsp.ask("PUT", "locations/RECEIVER", "/NL/TNM/LOC1", wire, sender=CPO))[0] == 200
    ((told,),) = await emsp.pages(SENDER)
    (shown,) = told["evses"]  # the other one is held back
    assert [each["tariff_ids"] for each in shown["connectors"]] == [["T1"], ["T1"]]
    assert "tariff_ids" not in shown
    later = "2026-06-07T19:00:00Z"
    body = {"status": "CHARGING", "last_updated": later}
    assert (await emsp.ask("PATCH", "locations/RECEIVER", "/NL/TNM/LOC1/1", body, sender=CPO))[0] == 200
    ((told,),) = await emsp.pages(SENDER)
    assert (told["evses"][0]["status"], told["last_updated"]) == ("CHARGING", later)
    body = {"status": "REMOVED", "last_updated": later}
    assert (await emsp.ask("PATCH", "locations/RECEIVER", "/NL/TNM/LOC1/1", body, sender=CPO))[0] == 200
    assert await emsp.pages(SENDER) == [[]]
    ((told,),) = await emsp.pages(SENDER, "?date_from=2026-01-01T00:00:00Z")
    assert told["evses"][0]["status"] == "REMOVED"


async def test_what_the_quality_process_still_has_is_shown_to_nobody() -> None:
    slow = SandboxSettings(token=TOKEN_A, quality_seconds=3600)
    async with platform(slow) as emsp:
        assert (await emsp.ask("PUT", "locations/RECEIVER", "/NL/TNM/LOC1", location(), sender=CPO))[0] == 200
        assert await emsp.pages(SENDER) == [[]]


# Pages that go wrong


async def test_pages_move_while_they_are_pulled(emsp: Emsp) -> None:
    await emsp.load(*(location(f"L{n}") for n in range(250)))
    for shift, missing, twice in ((3, 3, 0), (-3, 0, 3)):
        await emsp.drive("pages", [{"shift": shift, "count": 3}])
        keys = [each["id"] for page in await emsp.pages(SENDER) for each in page]
        assert 250 - len(set(keys)) == missing
        assert len(keys) - len(set(keys)) == twice


async def test_the_last_page_fails_and_only_that(emsp: Emsp) -> None:
    await emsp.load(*(location(f"L{n}") for n in range(150)))
    await emsp.drive("pages", [{"fail_last": 500}])
    assert (await emsp.ask("GET", SENDER))[0] == 200
    assert (await emsp.ask("GET", SENDER, "?offset=100"))[:2] == (500, 3000)
    assert await emsp.drive("pages", method="DELETE") == (200, {"armed": 0})
    assert (await emsp.ask("GET", SENDER, "?offset=100"))[0] == 200


async def test_a_page_lies_and_is_spoilt_as_it_is_told(emsp: Emsp) -> None:
    await emsp.load(*(location(f"L{n}") for n in range(4)))
    spoilt = [{"at": 0, "also": {"coordinates": None, "party_id": "XXX"}}, {"at": 1, "record": None}]
    fault = {"total": 7, "endless": True, "without": ["X-Limit"], "spoilt": spoilt, "count": 1}
    await emsp.drive("pages", [fault, {"null_data": True, "count": 1}])
    _, _, data, headers = await emsp.ask("GET", SENDER, "?limit=50")
    assert headers["X-Total-Count"] == "7"
    assert "X-Limit" not in headers
    assert headers["Link"] == f'<{emsp.endpoints[SENDER]}?limit=50>; rel="next"'
    assert (data[0]["coordinates"], data[0]["party_id"], data[1], data[2]["id"]) == (None, "XXX", None, "L2")
    _, code, data, _ = await emsp.ask("GET", SENDER)
    assert (code, data) == (1000, None)
    assert len((await emsp.pages(SENDER))[0]) == 4


async def test_a_real_network_is_loaded_and_shown(emsp: Emsp) -> None:
    packed = shared_path("data/nl/tariffs-2026-06-07.ndjson.gz").read_bytes()
    url = f"{emsp.iop.url}/_sandbox/network-tariffs"
    async with emsp.session.post(url, data=packed, headers={"Content-Encoding": "gzip"}) as got:
        taken = (await got.json())["taken"]
    assert taken > 10_000
    pages = await emsp.pages("tariffs/SENDER")
    assert sum(map(len, pages)) > 10_000
