"""Authorisations and tokens over HTTP."""

import pytest

from gateway.services.keys import KeyRole
from mappings.canonical.ids import EvseId, PartyId

CARD = {"type": "RFID", "uid": "04A2B3C4D5E680"}
WISH = {"party": "FR*ABC", "location_id": "L1", "evse_uid": "U1", "identification": CARD}


async def test_a_yes_and_a_no_are_both_answers(face):
    status, yes, _ = await face.call("POST", "/v1/authorisations", json={**WISH, "connector_id": "1"})
    assert (status, yes["allowed"], yes["reference"], yes["auth_method"]) == (200, True, yes["id"], "AUTH_REQUEST")
    assert (yes["leg"]["reference"], yes["connection"], yes["detail"]["took"]) == ("r-1", "g", 101)
    dead = {**WISH, "identification": {"type": "RFID", "uid": "DEAD"}}
    status, no, _ = await face.call("POST", "/v1/authorisations", json=dead)
    assert (status, no["allowed"], no["reason"]) == (200, False, "BLOCKED")
    assert "reference" not in no


async def test_everything_that_a_station_knows_is_passed_on(face):
    wish = {
        "party": "FR*ABC",
        "evse_id": "FR*ABC*E1",
        "identification": {"type": "QR_CODE", "contract_id": "FR-XYZ-C12345678"},
        "pin": {"value": "1234"},
        "product": "fast",
        "request_id": "tap-1",
    }
    assert (await face.call("POST", "/v1/authorisations", json=wish))[0] == 200
    [tap] = face.authorisation.taps
    assert (tap.party, tap.evse_id, tap.location_id) == (PartyId("FR*ABC"), EvseId("FR*ABC*E1"), None)
    assert tap.pin is not None
    assert (tap.pin.value.get_secret_value(), tap.product, tap.request_id) == ("1234", "fast", "tap-1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"evse_id": "FR*ABC*E1"},
        {"evse_uid": None},
        {"location_id": None},
        {"location_id": None, "evse_uid": None},
        {"location_id": None, "evse_id": "FR*ABC*E1"},
        {"identification": {"type": "RFID"}},
        {"identification": {"type": "MAGIC", "uid": "1"}},
        {"identification": {"type": "RFID", "uid": "x" * 37}},
        {"identification": {"type": "RFID", "uid": "a\0b"}},
        {"pin": "1234"},
        {"request_id": ""},
        {"price": 1},
    ],
    ids=str,
)
async def test_a_wish_that_makes_no_sense_is_refused_before_anybody_is_asked(face, wrong):
    status, problem, _ = await face.call("POST", "/v1/authorisations", json={**WISH, **wrong})
    assert (status, problem["title"]) == (422, "The content is not valid")
    assert face.authorisation.taps == []


@pytest.mark.parametrize("path", ["/v1/authorisations", "/v1/authorisations/a-1/stop"])
async def test_a_refusal_names_the_identification_that_holds_nothing(face, path):
    body = {"identification": {"type": "RFID"}} | (
        {"party": "FR*ABC", "evse_id": "FR*ABC*E1"} if "stop" not in path else {}
    )
    status, problem, _ = await face.call("POST", path, json=body)
    assert (status, problem["detail"]) == (422, "The body is refused for identification")
    assert problem["errors"] == [{"field": "identification", "detail": "holds neither a uid nor a contract_id"}]


async def test_a_refusal_of_fields_that_do_not_fit_together_says_so_in_its_detail(face):
    status, problem, _ = await face.call("POST", "/v1/authorisations", json={**WISH, "evse_id": "FR*ABC*E1"})
    said = "name the EVSE either by evse_id, or by location_id and evse_uid"
    assert (status, problem["detail"]) == (422, f"The body is refused: {said}")
    assert problem["errors"] == [{"field": "", "detail": said}]


async def test_an_evse_that_is_not_there_is_named_by_its_field(face):
    _, problem, _ = await face.call("POST", "/v1/authorisations", json={**WISH, "evse_uid": "NONE"})
    assert problem["errors"] == [{"field": "evse_uid", "detail": "the party has no such EVSE"}]


async def test_a_refusal_does_not_quote_the_pin(face):
    for pin in ({"value": "739164", "hashed": "MD5"}, {"value": "739164", "more": 1}, "739164"):
        status, problem, _ = await face.call("POST", "/v1/authorisations", json={**WISH, "pin": pin})
        assert status == 422
        assert "739164" not in str(problem)


@pytest.mark.parametrize(("field", "value", "expected"), [("evse_uid", "NONE", 404), ("request_id", "used", 409)])
async def test_what_the_service_does_not_take_has_its_status(face, field, value, expected):
    assert (await face.call("POST", "/v1/authorisations", json={**WISH, field: value}))[0] == expected


async def test_a_key_asks_and_reads_for_its_own_parties(face):
    key = await face.key(KeyRole.PUBLISH, parties=("FR*ABC",))
    reader = await face.key(KeyRole.READ, parties=("FR*ABC",))
    other = await face.key(KeyRole.PUBLISH, parties=("FR*XYZ",))
    assert (await face.call("POST", "/v1/authorisations", key=other, json=WISH))[0] == 403
    assert (await face.call("POST", "/v1/authorisations", key=reader, json=WISH))[0] == 403
    _, made, _ = await face.call("POST", "/v1/authorisations", key=key, json=WISH)
    path = f"/v1/authorisations/{made['id']}"
    assert (await face.call("GET", path, key=reader))[0] == 200
    assert (await face.call("GET", path, key=other))[0] == 404
    assert (await face.call("POST", path + "/stop", key=other, json={"identification": CARD}))[0] == 404
    assert (await face.call("GET", "/v1/authorisations", key=other))[1]["items"] == []
    assert len((await face.call("GET", "/v1/authorisations", key=reader))[1]["items"]) == 1
    assert (await face.call("GET", "/v1/authorisations?party=FR*XYZ", key=reader))[0] == 403


async def test_authorisations_are_listed_by_decision(face):
    await face.call("POST", "/v1/authorisations", json=WISH)
    for allowed, count in (("true", 1), ("false", 0)):
        _, page, _ = await face.call("GET", f"/v1/authorisations?allowed={allowed}&limit=10")
        assert len(page["items"]) == count
    path = "/v1/authorisations?location=L1&evse=U1&connection=g&since=2026-03-01T14:02:00Z"
    assert (await face.call("GET", path))[0] == 200
    wanted = face.authorisation.filters[-1]
    assert (wanted.location, wanted.evse, wanted.connection) == ("L1", "U1", "g")
    assert wanted.since is not None
    assert (await face.call("GET", "/v1/authorisations?since=yesterday"))[0] == 422


async def test_a_stop_is_answered_with_its_reason(face):
    _, made, _ = await face.call("POST", "/v1/authorisations", json=WISH)
    path = f"/v1/authorisations/{made['id']}/stop"
    status, told, _ = await face.call("POST", path, json={"identification": CARD, "pin": {"value": "1"}})
    assert (status, told) == (200, {"allowed": False, "reason": "OTHER_MEDIUM"})
    [(_, identification, pin, _)] = face.authorisation.stops
    assert identification.uid == CARD["uid"]
    assert pin is not None
    assert (await face.call("POST", path, json={"identification": {"type": "RFID"}}))[0] == 422
    assert (await face.call("POST", "/v1/authorisations/none/stop", json={"identification": CARD}))[0] == 404


async def test_tokens_are_for_keys_of_all_parties(face):
    some = await face.key(KeyRole.ADMIN, parties=("FR*ABC",))
    reader = await face.key(KeyRole.READ)
    assert (await face.call("GET", "/v1/tokens", key=some))[0] == 403
    assert (await face.call("GET", "/v1/tokens", key=reader))[0] == 200


async def test_tokens_are_listed_with_where_they_came_from(face):
    status, page, _ = await face.call("GET", "/v1/tokens?connection=g&emsp=FR-XYZ&uid=04a2")
    assert status == 200
    [item] = page["items"]
    assert (item["connection"], item["listed"], item["token"]["whitelist"]) == ("g", True, "ALLOWED")
    assert (await face.call("GET", "/v1/tokens?connection=none"))[0] == 404


async def test_the_description_shows_examples_that_the_operations_take(face):
    _, document, _ = await face.call("GET", "/v1/openapi.json", key=None)
    body = document["paths"]["/v1/authorisations"]["post"]["requestBody"]["content"]["application/json"]
    assert (await face.call("POST", "/v1/authorisations", json=body["example"]))[0] == 200
