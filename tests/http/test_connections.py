"""Connections, deliveries, dead letters, issues and imports over HTTP."""

import pytest

from adapters.core.connection import Mode
from gateway.services.keys import KeyRole
from gateway.services.ports import Letters
from mappings.canonical.ids import PartyId

ALL = "/v1/connections"
ONE = "/v1/connections/gireve-pp"


async def add(face, name="gireve-pp", hub="gireve", **changes):
    return await face.call("POST", ALL, json={"name": name, "hub": hub} | changes)


async def test_a_connection_is_added_off_and_unregistered(face):
    status, view, headers = await add(face)
    assert (status, view["mode"], view["state"], headers["Location"]) == (201, "off", "unregistered", ONE)
    assert (await face.call("GET", ONE))[1] == view
    assert (await face.call("GET", ALL))[1]["items"] == [view]
    assert (await add(face))[0] == 409


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "Gireve PP"}, "name"),
        ({"hub": "nobody"}, "hub"),
        ({"mode": "on"}, "mode"),
        ({"settings": {"nonsense": 1}}, "settings.nonsense"),
        ({"scope": {"party": []}}, "scope.party"),
    ],
)
async def test_a_connection_that_makes_no_sense_is_422(face, changes, field):
    status, problem, _ = await add(face, **changes)
    assert (status, problem["errors"][0]["field"]) == (422, field)


async def test_mode_and_scope_are_set(face):
    await add(face)
    assert (await face.call("PUT", ONE + "/mode", json={"mode": "shadow"}))[1]["mode"] == "shadow"
    scope = {"parties": ["FR*ABC"], "locations": ["FR*ABC/L1"], "evses": []}
    assert (await face.call("PUT", ONE + "/scope", json=scope))[1]["scope"] == scope
    assert face.connections.views["gireve-pp"].mode is Mode.SHADOW
    assert PartyId("FRABC") in face.connections.views["gireve-pp"].scope.parties


async def test_registration_says_what_the_hub_said(face):
    await add(face)
    status, problem, _ = await face.call("POST", ONE + "/register", json={"token": "bad"})
    assert (status, problem["detail"]) == (502, "The hub answered 401")
    assert (await face.call("POST", ONE + "/register", json={"token": "good"}))[1]["state"] == "ready"
    assert (await face.call("POST", ONE + "/unregister"))[1]["registered"] is False
    await add(face, "hubject-qa", "hubject")
    assert (await face.call("POST", ALL + "/hubject-qa/register", json={"token": "good"}))[0] == 409


async def test_a_hub_that_registers_by_itself_is_expected_with_a_token(face):
    await add(face)
    status, expected, _ = await face.call("POST", ONE + "/expect")
    assert (status, expected) == (200, {"token": "a token for gireve-pp"})
    assert (await face.call("POST", ALL + "/nobody/expect"))[0] == 404
    await face.call("POST", ONE + "/register", json={"token": "good"})
    assert (await face.call("POST", ONE + "/expect"))[0] == 409
    assert (await face.call("POST", ONE + "/expect", key=await face.key(KeyRole.PUBLISH)))[0] == 403


async def test_an_adopted_connection_gets_its_tokens_and_shows_none(face):
    await add(face)
    body = {"token_ours": "ours-1234", "token_theirs": "theirs-5678", "endpoints": {"versions": "https://hub.example/"}}
    _, view, _ = await face.call("POST", ONE + "/adopt", json=body)
    assert face.connections.adopted["gireve-pp"] == ("ours-1234", "theirs-5678")
    assert view["endpoints"] == {"versions": "https://hub.example/"}
    assert "1234" not in str(view)
    status, problem, _ = await face.call("POST", ONE + "/adopt", json=body | {"token_ours": "", "x": "secret-9"})
    assert status == 422
    assert "secret-9" not in str(problem)
    assert "theirs-5678" not in str(problem)


async def test_a_connection_is_paused_with_a_reason_and_resumed(face):
    await add(face)
    assert (await face.call("POST", ONE + "/pause", json={}))[0] == 422
    assert (await face.call("POST", ONE + "/pause", json={"why": "maintenance"}))[1]["why"] == "maintenance"
    assert (await face.call("POST", ONE + "/resume"))[1]["state"] == "ready"
    assert (await face.call("POST", ONE + "/resume"))[0] == 409


async def test_resync_and_difference(face):
    await add(face)
    assert (await face.call("POST", ONE + "/resync"))[:2] == (202, {"count": 12})
    _, difference, _ = await face.call("GET", ONE + "/difference?operation=evse_status&limit=1")
    assert difference["counts"][0]["operation"] == "evse_status"
    assert difference["rows"][0]["state"] == "pending"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "/mode", {"mode": "live"}),
        ("PUT", "/scope", {}),
        ("POST", "/register", {"token": "good"}),
        ("POST", "/pause", {"why": "x"}),
        ("POST", "/resume", None),
        ("POST", "/resync", None),
        ("POST", "/unregister", None),
        ("GET", "/difference", None),
    ],
)
async def test_a_connection_that_is_not_there_is_404(face, method, path, body):
    assert (await face.call(method, ALL + "/nobody" + path, json=body))[0] == 404
    assert (await face.call(method, ALL + "/NOBODY" + path, json=body))[0] == 422


async def test_deliveries_are_listed_by_state(face):
    _, page, _ = await face.call("GET", "/v1/deliveries?state=refused&connection=gireve-pp")
    assert (page["items"][0]["state"], page["items"][0]["connection"]) == ("refused", "gireve-pp")
    assert (await face.call("GET", "/v1/deliveries?state=lost"))[0] == 422


async def test_messages_are_listed_by_state_and_by_what_they_speak_of(face):
    _, page, _ = await face.call("GET", "/v1/deliveries/messages?state=shown&webhook=w&key=c-9")
    assert (page["items"][0]["state"], page["items"][0]["webhook"], page["items"][0]["key"]) == ("shown", "w", "c-9")
    assert page["items"][0]["issues"][0]["field"] == "cdr.total_cost"
    assert (await face.call("GET", "/v1/deliveries/messages?state=held"))[0] == 422


async def test_dead_letters_are_listed_replayed_and_discarded(face):
    _, page, _ = await face.call("GET", "/v1/dead-letters")
    assert (page["items"][0]["code"], page["items"][0]["body"]) == ("2001", {"id": "1"})
    assert (await face.call("POST", "/v1/dead-letters/replay", json={"ids": [7, 8]}))[1] == {"count": 2}
    assert (await face.call("POST", "/v1/dead-letters/replay", json={"connection": "g"}))[1] == {"count": 5}
    assert (await face.call("POST", "/v1/dead-letters/replay", json={"webhook": "w"}))[1] == {"count": 5}
    assert face.deliveries.replayed == [Letters((7, 8)), Letters((), "g"), Letters((), None, "w")]
    assert (await face.call("POST", "/v1/dead-letters/discard", json={"ids": [7], "why": "old"}))[1] == {"count": 1}
    assert face.deliveries.discarded == [((7,), "old")]


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("replay", {}),
        ("replay", {"ids": []}),
        ("replay", {"ids": [1], "connection": "g"}),
        ("replay", {"webhook": "w", "connection": "g"}),
        ("replay", {"ids": ["1"]}),
        ("replay", {"ids": [2**63]}),
        ("discard", {"ids": [1]}),
        ("discard", {"ids": [1], "why": ""}),
    ],
)
async def test_dead_letters_are_named_exactly(face, what, body):
    assert (await face.call("POST", f"/v1/dead-letters/{what}", json=body))[0] == 422
    assert not face.deliveries.replayed


async def test_issues_are_counted(face):
    _, body, _ = await face.call("GET", "/v1/issues?connection=hubject-qa")
    counted = {"connection": "hubject-qa", "field": "evses[].evse_id", "kind": "mended", "count": 3}
    assert body == {"items": [counted]}


async def test_an_import_is_streamed_to_the_service(face):
    status, report, _ = await face.call("POST", "/v1/imports?filename=irve.csv&party=FR*ABC", data=b"nom;x\n" * 100_000)
    assert (status, report["format"], face.importing.bytes) == (200, "irve-static-csv", 600_000)
    assert face.importing.arguments == {"filename": "irve.csv", "party": PartyId("FR*ABC")}
    face.importing.bytes = 0
    assert (await face.call("POST", "/v1/imports", data=b""))[0] == 422


async def test_a_key_of_one_party_imports_for_that_party_only(face):
    key = await face.key(KeyRole.PUBLISH, parties=("FR*ABC",))
    assert (await face.call("POST", "/v1/imports", key=key, data=b"x"))[0] == 403
    assert (await face.call("POST", "/v1/imports?party=FR*XYZ", key=key, data=b"x"))[0] == 403
    assert (await face.call("POST", "/v1/imports?party=FR*ABC", key=key, data=b"x"))[0] == 200


async def test_an_import_that_ends_early_is_400_and_tells_what_was_stored(face):
    status, problem, _ = await face.call("POST", "/v1/imports", data=b"damaged")
    assert (status, problem["type"], problem["done"]["created"]) == (400, "/docs#damaged-body", 1)


async def test_settings_are_replaced_whole_and_a_wrong_one_is_named(face):
    await add(face)
    status, view, _ = await face.call("PUT", ONE + "/settings", json={"owner_name": "Owner"})
    assert (status, view["settings"]) == (200, {"owner_name": "Owner"})
    status, problem, _ = await face.call("PUT", ONE + "/settings", json={"nonsense": 1})
    assert (status, problem["errors"][0]["field"]) == (422, "settings.nonsense")


async def test_a_connection_is_removed_when_it_is_off(face):
    await add(face, mode="shadow")
    assert (await face.call("DELETE", ONE))[0] == 409
    await face.call("PUT", ONE + "/mode", json={"mode": "off"})
    assert (await face.call("DELETE", ONE))[0] == 204
    assert (await face.call("GET", ONE))[0] == 404
