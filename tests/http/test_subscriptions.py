"""Subscriptions over HTTP, from both sides."""

import pytest

from gateway.services.keys import KeyRole
from tests.http.offering import CPO, EMSP, OTHER, RIVAL, SUBSCRIBE, group, keys, published, put


async def requested(face, **changes):
    """A subscription that waits for the CPO."""
    await published(face, joining="APPROVE", **changes)
    status, made, _ = await face.call("POST", "/v1/subscriptions", json=SUBSCRIBE)
    assert (status, made["subscription"]["state"]) == (201, "REQUESTED")
    return f"/v1/subscriptions/{made['subscription']['id']}"


async def test_an_emsp_subscribes_and_has_it_at_once(face):
    await published(face)
    [emsp] = await keys(face, EMSP)
    status, made, headers = await face.call("POST", "/v1/subscriptions", json=SUBSCRIBE | {"id": "mine"}, key=emsp)
    assert (status, made["subscription"]["state"], headers["Location"]) == (201, "ACTIVE", "/v1/subscriptions/mine")
    assert (made["cpo"], made["connection"], made["by_hub"]) == (CPO, "home", False)
    assert (await face.call("GET", "/v1/subscriptions/mine", key=emsp))[1] == made


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"offer": "none"}, 404, "offer"),
        ({"offer": "draft"}, 409, "offer"),
        ({"offer": "targeted"}, 422, "emsp"),
        ({"offer": "../x"}, 422, "offer"),
        ({"emsp": "nobody"}, 422, "emsp"),
        ({"starts": "soon"}, 422, "starts"),
        ({"price": 1}, 422, "price"),
    ],
    ids=str,
)
async def test_a_request_that_cannot_be_is_refused_by_its_field(face, changes, status, field):
    await put(face, "draft")
    await published(face, "targeted", audience=[RIVAL])
    said, problem, _ = await face.call("POST", "/v1/subscriptions", json=SUBSCRIBE | changes)
    assert (said, problem["errors"][0]["field"]) == (status, field)


async def test_an_emsp_subscribes_for_itself_and_only_to_what_it_sees(face):
    await published(face)
    await published(face, "targeted", audience=[RIVAL])
    cpo, emsp, rival = await keys(face, CPO, EMSP, RIVAL)
    [reader] = await keys(face, EMSP, role=KeyRole.READ)
    for key in (cpo, rival, reader):
        assert (await face.call("POST", "/v1/subscriptions", json=SUBSCRIBE, key=key))[0] == 403
    body = SUBSCRIBE | {"offer": "targeted"}
    status, problem, _ = await face.call("POST", "/v1/subscriptions", json=body, key=emsp)
    assert (status, problem["errors"][0]["field"]) == (404, "offer")


async def test_the_cpo_says_yes_or_no(face):
    path = await requested(face)
    cpo, other, emsp = await keys(face, CPO, OTHER, EMSP)
    assert (await face.call("POST", path + "/approve", json={}, key=emsp))[0] == 403
    assert (await face.call("POST", path + "/refuse", json={"why": "no"}, key=emsp))[0] == 403
    assert (await face.call("POST", path + "/approve", json={}, key=other))[0] == 404
    body = {"starts": "2027-02-01T00:00:00Z"}
    status, view, _ = await face.call("POST", path + "/approve", json=body, key=cpo)
    assert (status, view["subscription"]["state"]) == (200, "ACTIVE")
    assert view["subscription"]["starts"] == "2027-02-01T00:00:00Z"
    assert (await face.call("POST", path + "/refuse", json={"why": "too late"}, key=cpo))[0] == 409


async def test_a_no_has_its_reason(face):
    path = await requested(face)
    status, problem, _ = await face.call("POST", path + "/refuse", json={})
    assert (status, problem["errors"][0]["field"]) == (422, "why")
    _, view, _ = await face.call("POST", path + "/refuse", json={"why": "we know no such company"})
    assert (view["subscription"]["state"], view["subscription"]["why"]) == ("REFUSED", "we know no such company")


@pytest.mark.parametrize(("party", "by_cpo"), [(CPO, True), (EMSP, False)])
async def test_who_cancels_follows_from_the_key(face, party, by_cpo):
    await published(face)
    await face.call("POST", "/v1/subscriptions", json=SUBSCRIBE | {"id": "s"})
    rival, key = await keys(face, RIVAL, party)
    path = "/v1/subscriptions/s/cancel"
    assert (await face.call("POST", path, json={}, key=rival))[0] == 404
    wrong = {"as": "emsp" if by_cpo else "cpo"}
    status, problem, _ = await face.call("POST", path, json=wrong, key=key)
    assert (status, problem["errors"][0]["field"]) == (403, "as")
    assert (await face.call("POST", path, json={"at": "2020-01-01T00:00:00Z"}, key=key))[0] == 422
    status, view, _ = await face.call("POST", path, json={"why": "enough"}, key=key)
    assert (status, view["subscription"]["state"], view["subscription"]["why"]) == (200, "CANCELLED", "enough")
    assert face.subscriptions.cancelled_by == [("s", by_cpo)]
    assert (await face.call("POST", path, json={}, key=key))[0] == 409


async def test_a_key_of_both_sides_says_for_which_it_cancels(face):
    await published(face)
    await face.call("POST", "/v1/subscriptions", json=SUBSCRIBE | {"id": "s"})
    both = await face.key(KeyRole.PUBLISH, parties=(CPO, EMSP))
    status, problem, _ = await face.call("POST", "/v1/subscriptions/s/cancel", json={}, key=both)
    assert (status, problem["errors"][0]["field"]) == (422, "as")
    status, problem, _ = await face.call("POST", "/v1/subscriptions/s/cancel", json={"as": "me"}, key=both)
    assert (status, problem["errors"][0]["field"]) == (422, "as")
    assert (await face.call("POST", "/v1/subscriptions/s/cancel", json={"as": "cpo"}, key=both))[0] == 200
    assert face.subscriptions.cancelled_by == [("s", True)]


async def test_a_member_alone_does_not_answer_for_its_group(face):
    await group(face, CPO, OTHER)
    path = await requested(face, cpo=None, network_group="alps")
    one, rival = await keys(face, CPO, RIVAL)
    both = await face.key(KeyRole.PUBLISH, parties=(CPO, OTHER))
    assert (await face.call("GET", path, key=one))[0] == 200
    assert (await face.call("GET", path, key=rival))[0] == 404
    assert (await face.call("POST", path + "/approve", json={}, key=one))[0] == 403
    assert (await face.call("POST", path + "/cancel", json={}, key=one))[0] == 403
    assert (await face.call("POST", path + "/approve", json={}, key=both))[0] == 200
    assert (await face.call("POST", path + "/cancel", json={}, key=both))[0] == 200


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [
        ("GET", "", None),
        ("POST", "/approve", {}),
        ("POST", "/refuse", {"why": "no"}),
        ("POST", "/cancel", {}),
    ],
    ids=str,
)
async def test_a_subscription_that_is_not_there_is_404_whatever_is_asked(face, method, what, body):
    options = {} if body is None else {"json": body}
    assert (await face.call(method, f"/v1/subscriptions/none{what}", **options))[0] == 404


async def test_subscriptions_are_listed_from_either_side(face):
    await published(face)
    for emsp in (EMSP, RIVAL):
        await face.call("POST", "/v1/subscriptions", json=SUBSCRIBE | {"emsp": emsp})
    counts = {}
    for party in (CPO, OTHER, EMSP, RIVAL):
        [key] = await keys(face, party)
        _, page, _ = await face.call("GET", "/v1/subscriptions", key=key)
        counts[party] = len(page["items"])
    assert counts == {CPO: 2, OTHER: 0, EMSP: 1, RIVAL: 1}
    path = f"/v1/subscriptions?offer=o-1&emsp={EMSP}&cpo={CPO}&connection=home&state=ACTIVE&limit=1"
    _, page, _ = await face.call("GET", path)
    assert (len(page["items"]), page["next"]) == (1, "1")
    wanted = face.subscriptions.filters[-1]
    assert (wanted.offer, str(wanted.emsp), str(wanted.cpo), wanted.connection) == ("o-1", EMSP, CPO, "home")
    assert (await face.call("GET", "/v1/subscriptions?connection=nowhere"))[0] == 404
    assert (await face.call("GET", "/v1/subscriptions?state=OVER"))[0] == 422
