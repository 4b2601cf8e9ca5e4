"""Who sees and does what with offers, by the parties that a key speaks for."""

import pytest

from gateway.services.keys import KeyRole
from tests.http.fakes import NOW
from tests.http.offering import CPO, EMSP, LATER, OTHER, RIVAL, SUBSCRIBE, given, group, keys, published, put

CHANGES = [
    ("PUT", "", given(description="mine now")),
    ("DELETE", "", None),
    ("POST", "/publish", None),
    ("POST", "/versions", {"starts": LATER, "terms": {"services": ["poi"]}}),
    ("DELETE", "/versions/1", None),
    ("POST", "/cancel", {}),
    ("GET", "/history", None),
    ("POST", "/preview", {}),
]


async def do(face, method, path, body, key):
    options = {} if body is None else {"json": body}
    return (await face.call(method, f"/v1/offers/o-1{path}", key=key, **options))[0]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=str)
async def test_only_the_networks_side_changes_an_offer_and_reads_its_history(face, method, path, body):
    await published(face, audience=[EMSP])
    cpo, other, emsp, rival = await keys(face, CPO, OTHER, EMSP, RIVAL)
    writes = (method, path) == ("PUT", "")
    assert await do(face, method, path, body, emsp) == 403
    assert await do(face, method, path, body, rival) == (403 if writes else 404)
    assert await do(face, method, path, body, other) == (403 if writes else 404)
    assert await do(face, method, path, body, cpo) in (200, 201, 204, 409)


async def test_a_key_that_only_reads_changes_nothing_but_looks(face):
    await published(face)
    [reader] = await keys(face, CPO, role=KeyRole.READ)
    done = [await do(face, method, path, body, reader) for method, path, body in CHANGES]
    assert done == [403, 403, 403, 403, 403, 403, 200, 200]


async def test_the_id_of_another_networks_offer_is_taken(face):
    await put(face)
    [other] = await keys(face, OTHER)
    status, problem, _ = await face.call("PUT", "/v1/offers/o-1", json=given(cpo=OTHER), key=other)
    assert (status, problem["errors"][0]["field"]) == (409, "offer.id")


async def test_an_offer_is_seen_by_its_network_its_audience_and_where_it_is_public_by_all(face):
    await published(face, "public")
    await published(face, "targeted", audience=[EMSP, RIVAL])
    await put(face, "draft", audience=[EMSP])
    cpo, other, emsp = await keys(face, CPO, OTHER, EMSP)
    seen = {}
    for name, key in (("cpo", cpo), ("other", other), ("emsp", emsp)):
        _, page, _ = await face.call("GET", "/v1/offers", key=key)
        seen[name] = [one["offer"]["id"] for one in page["items"]]
        for id_ in ("public", "targeted", "draft"):
            assert (await face.call("GET", f"/v1/offers/{id_}", key=key))[0] == (200 if id_ in seen[name] else 404)
    assert seen == {"cpo": ["draft", "public", "targeted"], "other": ["public"], "emsp": ["public", "targeted"]}


async def test_who_else_has_an_offer_is_shown_to_its_network_only(face):
    await published(face, audience=[EMSP, RIVAL])
    for emsp in (EMSP, RIVAL):
        assert (await face.call("POST", "/v1/subscriptions", json=SUBSCRIBE | {"emsp": emsp}))[0] == 201
    cpo, emsp = await keys(face, CPO, EMSP)
    _, whole, _ = await face.call("GET", "/v1/offers/o-1", key=cpo)
    assert (whole["offer"]["audience"], whole["subscriptions"], "hub" in whole) == ([EMSP, RIVAL], {"ACTIVE": 2}, True)
    assert whole["versions"][0]["created_by"] == "environment"
    _, part, _ = await face.call("GET", "/v1/offers/o-1", key=emsp)
    assert (part["offer"]["audience"], part["subscriptions"], "hub" in part) == ([EMSP], {}, False)
    assert part["versions"][0]["created_by"] == ""
    assert (await face.call("GET", "/v1/offers", key=emsp))[1]["items"] == [part]


async def test_a_group_is_spoken_for_by_a_key_of_every_member_and_seen_by_each(face):
    await group(face, CPO, OTHER)
    body = given(cpo=None, network_group="alps", audience=[EMSP])
    one, rival = await keys(face, CPO, RIVAL)
    both = await face.key(KeyRole.PUBLISH, parties=(CPO, OTHER))
    status, problem, _ = await face.call("PUT", "/v1/offers/o-1", json=body, key=one)
    assert (status, problem["errors"][0]["field"]) == (403, "offer.network_group")
    assert (await face.call("PUT", "/v1/offers/o-1", json=body, key=both))[0] == 201
    assert (await face.call("GET", "/v1/offers/o-1", key=one))[0] == 200
    assert (await face.call("GET", "/v1/offers/o-1", key=rival))[0] == 404
    assert (await face.call("POST", "/v1/offers/o-1/publish", key=one))[0] == 403
    assert (await face.call("POST", "/v1/offers/o-1/publish", key=both))[0] == 200


async def test_who_left_a_group_is_not_asked_for_it_any_more(face):
    await group(face, CPO, OTHER, until=NOW.isoformat())
    body = given(cpo=None, network_group="alps")
    stays, left = await keys(face, CPO, OTHER)
    assert (await face.call("PUT", "/v1/offers/o-1", json=body, key=left))[0] == 403
    assert (await face.call("PUT", "/v1/offers/o-1", json=body, key=stays))[0] == 201
    assert (await face.call("GET", "/v1/offers/o-1", key=left))[0] == 200
    assert (await face.call("POST", "/v1/offers/o-1/publish", key=left))[0] == 403


async def test_a_group_that_is_empty_is_spoken_for_by_keys_for_all_parties_alone(face):
    await group(face)
    body = given(cpo=None, network_group="alps")
    [key] = await keys(face, CPO)
    assert (await face.call("PUT", "/v1/offers/o-1", json=body, key=key))[0] == 403
    assert (await face.call("PUT", "/v1/offers/o-1", json=body))[0] == 201


async def test_what_a_partner_offers_is_recorded_by_keys_for_all_parties_alone(face):
    body = given(cpo="NL*PAR", audience=[EMSP])
    [emsp] = await keys(face, EMSP)
    status, problem, _ = await face.call("PUT", "/v1/offers/o-1", json=body, key=emsp)
    assert (status, problem["errors"][0]["field"]) == (403, "offer.cpo")
    every = await face.key(KeyRole.PUBLISH)
    assert (await face.call("PUT", "/v1/offers/o-1", json=body, key=every))[0] == 201


async def test_a_listing_for_a_party_out_of_scope_is_refused(face):
    [key] = await keys(face, CPO)
    for path in ("/v1/offers", "/v1/subscriptions", "/v1/evse-groups"):
        assert (await face.call("GET", f"{path}?party=FR*OTH", key=key))[0] == 403
