"""Offers over HTTP: written, published, changed by versions, ended; and what each refusal names."""

import pytest

from gateway.services.keys import KeyRole
from tests.http.offering import CPO, EMSP, LATER, given, keys, offer, published, put


async def test_a_draft_is_written_read_written_again_and_forgotten(face):
    status, made, headers = await face.call("PUT", "/v1/offers/o-1", json=given())
    assert (status, made["state"], headers["Location"]) == (201, "DRAFT", "/v1/offers/o-1")
    status, changed, _ = await face.call("PUT", "/v1/offers/o-1", json=given(description="cheap"))
    assert (status, changed["offer"]["description"]) == (200, "cheap")
    _, read, _ = await face.call("GET", "/v1/offers/o-1")
    assert read == changed
    [version] = read["versions"]
    assert (version["number"], sorted(version["terms"]["services"])) == (1, ["poi", "remote"])
    assert (await face.call("DELETE", "/v1/offers/o-1"))[0] == 204
    assert (await face.call("GET", "/v1/offers/o-1"))[0] == 404


async def test_what_is_published_changes_by_versions_and_ends_by_cancelling(face):
    await published(face)
    assert (await face.call("PUT", "/v1/offers/o-1", json=given()))[0] == 409
    assert (await face.call("DELETE", "/v1/offers/o-1"))[0] == 409
    assert (await face.call("POST", "/v1/offers/o-1/publish"))[0] == 409
    later = {"starts": "2027-06-01T00:00:00Z", "terms": {"services": ["poi"]}}
    status, view, _ = await face.call("POST", "/v1/offers/o-1/versions", json=later)
    assert (status, [one["number"] for one in view["versions"]]) == (201, [1, 2])
    status, problem, _ = await face.call("POST", "/v1/offers/o-1/versions", json=later)
    assert (status, problem["errors"][0]["field"]) == (409, "starts")
    status, view, _ = await face.call("DELETE", "/v1/offers/o-1/versions/2")
    assert (status, len(view["versions"])) == (200, 1)
    assert (await face.call("DELETE", "/v1/offers/o-1/versions/2"))[0] == 404
    assert (await face.call("DELETE", "/v1/offers/o-1/versions/1"))[0] == 409
    assert (await face.call("POST", "/v1/offers/o-1/cancel", json={"at": "2020-01-01T00:00:00Z"}))[0] == 422
    status, view, _ = await face.call("POST", "/v1/offers/o-1/cancel", json={"at": "2028-01-01T00:00:00Z"})
    assert (status, view["state"], view["ends_at"]) == (200, "CANCELLED", "2028-01-01T00:00:00Z")
    assert (await face.call("POST", "/v1/offers/o-1/cancel", json={}))[0] == 409


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"starts": "2027-01-01T00:00:00"}, "offer.starts"),
        ({"ends": LATER}, "offer.ends"),
        ({"ends": "2026-01-01T00:00:00Z"}, "offer.ends"),
        ({"cpo": None}, "offer.cpo"),
        ({"network_group": "alps"}, "offer.cpo"),
        ({"cpo": "nobody"}, "offer.cpo"),
        ({"audience": []}, "offer.audience"),
        ({"audience": [EMSP, "DE-XYZ"]}, "offer.audience"),
        ({"title": ""}, "offer.title"),
        ({"joining": "BEG"}, "offer.joining"),
        ({"notice_days": -1}, "offer.notice_days"),
        ({"price": 1}, "offer.price"),
        ({"id": "o-2"}, "id"),
        ({"terms": {"services": []}}, "terms.services"),
        ({"terms": {"services": ["gossip"]}}, "terms.services[0]"),
        ({"terms": {"services": ["poi"], "price_source": "AGREED"}}, "terms.prices"),
        ({"terms": {"services": ["poi"], "prices": [{"tariff_ids": ["T"]}]}}, "terms.prices"),
        (
            {"terms": {"services": ["poi"], "price_source": "AGREED", "prices": [{"tariff_ids": []}]}},
            "terms.prices[0].tariff_ids",
        ),
    ],
    ids=str,
)
async def test_a_draft_that_makes_no_sense_is_refused_by_its_field(face, changes, field):
    terms = changes.get("terms", {"services": ["poi"]})
    parts = {name: value for name, value in changes.items() if name != "terms"}
    body = {"offer": {k: v for k, v in (offer() | parts).items() if v is not None}, "terms": terms}
    status, problem, _ = await face.call("PUT", "/v1/offers/o-1", json=body)
    assert (status, problem["errors"][0]["field"]) == (422, field)
    assert face.offers.views == {}


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"connection": "nowhere"}, 404, "offer.connection"),
        ({"cpo": None, "network_group": "nobody"}, 404, "offer.network_group"),
        ({"terms": {"services": ["poi"], "evse_groups": ["none"]}}, 404, "terms.evse_groups[0]"),
    ],
    ids=str,
)
async def test_what_a_draft_names_has_to_be_there(face, changes, status, field):
    [key] = await keys(face, CPO)
    terms = changes.pop("terms", None)
    said, problem, _ = await face.call("PUT", "/v1/offers/o-1", json=given(terms=terms, **changes), key=key)
    assert (said, problem["errors"][0]["field"]) == (status, field)


async def test_a_start_that_is_past_is_refused_when_it_is_published(face):
    await put(face, starts="2020-01-01T00:00:00Z")
    status, problem, _ = await face.call("POST", "/v1/offers/o-1/publish")
    assert (status, problem["errors"][0]["field"]) == (422, "starts")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("DELETE", "", None),
        ("POST", "/publish", None),
        ("POST", "/versions", {"starts": LATER, "terms": {"services": ["poi"]}}),
        ("DELETE", "/versions/1", None),
        ("POST", "/cancel", {}),
        ("PUT", "/hub-ids", {}),
        ("GET", "/history", None),
        ("POST", "/preview", {}),
    ],
    ids=str,
)
async def test_an_offer_that_is_not_there_is_404_whatever_is_asked(face, method, path, body):
    options = {} if body is None else {"json": body}
    assert (await face.call(method, f"/v1/offers/none{path}", **options))[0] == 404


async def test_offers_are_listed_by_page_and_filter(face):
    for number in range(3):
        await put(face, f"o-{number}")
    _, first, _ = await face.call("GET", "/v1/offers?limit=2")
    assert [one["offer"]["id"] for one in first["items"]] == ["o-0", "o-1"]
    _, rest, _ = await face.call("GET", f"/v1/offers?limit=2&after={first['next']}")
    assert [one["offer"]["id"] for one in rest["items"]] == ["o-2"]
    path = "/v1/offers?connection=home&cpo=FR*ABC&state=DRAFT&party=FR*ABC"
    assert len((await face.call("GET", path))[1]["items"]) == 3
    wanted = face.offers.filters[-1]
    assert (wanted.connection, str(wanted.cpo), wanted.state) == ("home", CPO, "DRAFT")
    assert {str(party) for party in wanted.parties} == {CPO}
    assert (await face.call("GET", "/v1/offers?state=ENDED"))[1]["items"] == []
    assert (await face.call("GET", "/v1/offers?connection=nowhere"))[0] == 404
    assert (await face.call("GET", "/v1/offers?state=GONE"))[0] == 422
    assert (await face.call("GET", "/v1/offers?after=x"))[0] == 422


async def test_the_history_says_who_did_what(face):
    await published(face)
    _, history, _ = await face.call("GET", "/v1/offers/o-1/history")
    assert [(one["action"], one["who"]) for one in history["items"]] == [
        ("put", "environment"),
        ("publish", "environment"),
    ]


async def test_what_a_hub_calls_an_offer_is_said_by_an_administrator(face):
    await published(face, connection="g")
    ids = {"network": "n-1", "groups": {"dc": "77"}, "offer": "o-77"}
    [publisher] = await keys(face, CPO)
    [admin] = await keys(face, CPO, role=KeyRole.ADMIN)
    assert (await face.call("PUT", "/v1/offers/o-1/hub-ids", json=ids, key=publisher))[0] == 403
    status, view, _ = await face.call("PUT", "/v1/offers/o-1/hub-ids", json=ids, key=admin)
    assert (status, view["hub"]["ids"]) == (200, ids)
    await published(face, "o-2")
    assert (await face.call("PUT", "/v1/offers/o-2/hub-ids", json=ids))[0] == 409


async def test_an_offer_is_looked_at_before_it_is_stored_and_after(face):
    wish = {**given(connection="g"), "at": "2027-02-01T00:00:00Z", "emsps": [EMSP]}
    status, seen, _ = await face.call("POST", "/v1/offers/preview", json=wish)
    assert (status, seen["at"], seen["emsps"][0]["emsp"]) == (200, "2027-02-01T00:00:00Z", EMSP)
    assert (seen["problems"], seen["prices"][0]["why"]) == ([["starts", "is too soon"]], "no tariff is known")
    assert face.offers.views == {}
    await put(face, audience=[EMSP])
    status, seen, _ = await face.call("POST", "/v1/offers/o-1/preview", json={})
    assert (status, [one["emsp"] for one in seen["emsps"]]) == (200, [EMSP])
    assert [id_ for id_, _ in face.previews.wishes] == [None, "o-1"]


@pytest.mark.parametrize(
    ("path", "body", "status", "fields"),
    [
        ("preview", {}, 422, {"offer", "terms"}),
        ("preview", {"offer": offer()}, 422, {"terms"}),
        ("preview", given(connection="nowhere"), 404, {"offer.connection"}),
        ("o-1/preview", given("o-2"), 422, {"id"}),
        ("o-1/preview", {"emsps": [EMSP] * 101}, 422, {"emsps"}),
    ],
)
async def test_a_look_at_nothing_is_refused(face, path, body, status, fields):
    await put(face)
    said, problem, _ = await face.call("POST", f"/v1/offers/{path}", json=body)
    assert (said, {one["field"] for one in problem["errors"]}) == (status, fields)


async def test_an_offer_may_be_called_preview(face):
    await published(face, "preview")
    assert (await face.call("GET", "/v1/offers/preview"))[1]["state"] == "PUBLISHED"


async def test_what_a_service_names_in_an_offer_is_named_as_it_was_given(face):
    await published(face)
    status, problem, _ = await face.call("PUT", "/v1/offers/o-2", json=given("o-2", title="Offer o-1"))
    assert (status, problem["errors"][0]["field"]) == (409, "offer.title")
    status, problem, _ = await face.call("PUT", "/v1/offers/o-2", json=given("o-2", audience=["DE*NOT"]))
    assert (status, problem["errors"][0]["field"]) == (422, "offer.audience[0]")
