"""What every request passes: keys, paths, methods, request ids, and what happens when the gateway itself fails."""

import asyncio
import json

import asyncpg
import pytest

from gateway.services.keys import KeyRole
from tests.http.conftest import ADMIN, location

ONE = "/v1/locations/FR*ABC/L1"


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer wrong", "Basic YTpi", f"Token {ADMIN}", f"Bearer {ADMIN}x"]
)
async def test_without_a_good_key_the_answer_is_401(face, header):
    headers = {} if header is None else {"Authorization": header}
    status, problem, headers = await face.call("GET", "/v1/locations", key=None, headers=headers)
    assert (status, problem["type"]) == (401, "/docs#no-key")
    assert headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({}, "The request has no API key"),
        ({"Authorization": f"Token {ADMIN}"}, "`Authorization: Token` is how hubs call; an API key must be sent"),
        ({"Authorization": ADMIN}, "The API key must be sent as `Authorization: Bearer <key>`"),
        ({"Authorization": f"Bearer {ADMIN}x"}, "The API key is unknown or was revoked"),
    ],
)
async def test_a_key_sent_otherwise_than_as_bearer_is_told_so_and_not_shown(face, header, said):
    _, problem, _ = await face.call("GET", "/v1/locations", key=None, headers=header)
    assert problem["detail"].startswith(said)
    assert ADMIN not in json.dumps(problem)


@pytest.mark.parametrize(
    "request_line", [b"GET /healthz HTTP/1.1", b"GET /nowhere HTTP/1.1", b"GET / HTTP/9.x", b"\x00\x01\x02"]
)
async def test_no_answer_names_the_versions_that_it_is_made_with(face, request_line):
    host, port = face.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request_line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b"\r\nServer: roamgate\r\n" in answer
    assert b"aiohttp" not in answer.lower()


async def test_a_wrong_party_in_the_path_is_one_fault(face):
    status, problem, _ = await face.call("GET", "/v1/locations/FRABCD/x")
    assert status == 422
    detail = "'FRABCD' is not a party id like FR*ABC or +49*810"
    assert problem["errors"] == [{"field": "party", "detail": detail}]


@pytest.mark.parametrize(
    ("role", "allowed"),
    [(KeyRole.READ, (200, 403, 403)), (KeyRole.PUBLISH, (200, 201, 403)), (KeyRole.ADMIN, (200, 201, 201))],
)
async def test_each_role_includes_those_below_it(face, role, allowed):
    key = await face.key(role)
    party = {"id": "FR*ABC", "roles": ["CPO"], "business": {"name": "ABC"}}
    read = await face.call("GET", "/v1/locations", key=key)
    written = await face.call("PUT", ONE, key=key, json=location())
    administered = await face.call("PUT", "/v1/parties/FR*ABC", key=key, json=party)
    assert (read[0], written[0], administered[0]) == allowed


async def test_a_key_of_one_party_reads_and_writes_no_other(face):
    await face.call("PUT", ONE, json=location())
    key = await face.key(KeyRole.ADMIN, parties=("FR*XYZ",))
    for method in ("GET", "DELETE"):
        assert (await face.call(method, ONE, key=key))[0] == 403
    status, problem, _ = await face.call("PUT", ONE, key=key, json=location())
    assert (status, problem["errors"][0]["field"]) == (403, "party")
    assert (await face.call("GET", "/v1/locations", key=key))[1]["items"] == []
    assert (await face.call("GET", "/v1/locations?party=FR*ABC", key=key))[0] == 403
    assert (await face.call("GET", "/v1/connections", key=key))[0] == 403
    assert (await face.call("GET", "/v1/dead-letters", key=key))[0] == 403


async def test_a_revoked_key_ends_at_once_here_and_elsewhere_within_ten_seconds(face):
    key, view = await face.keys.create("backend", [], [KeyRole.READ], "a person")
    assert (await face.call("GET", "/v1/locations", key=key))[0] == 200
    face.rows.rows[0]["revoked_at"] = "elsewhere"
    assert (await face.call("GET", "/v1/locations", key=key))[0] == 200
    face.ticks.now += 10
    assert (await face.call("GET", "/v1/locations", key=key))[0] == 401
    face.rows.rows[0]["revoked_at"] = None
    assert await face.keys.revoke(view.id, "a person")
    assert not await face.keys.revoke(view.id, "a person")
    assert (await face.call("GET", "/v1/locations", key=key))[0] == 401
    assert [each.revoked_at is None for each in await face.keys.list()] == [False]


async def test_a_key_made_elsewhere_works_within_a_second(face):
    key, _ = await face.keys.create("one", [], [KeyRole.READ], "a person")
    await face.call("GET", "/v1/locations", key=key)
    other, _ = await type(face.keys)(face.rows, None, face.ticks).create("two", [], [KeyRole.READ], "a person")
    face.ticks.now += 1
    assert (await face.call("GET", "/v1/locations", key=other))[0] == 200


async def test_wrong_keys_do_not_cost_a_query_each(face):
    for number in range(20):
        await face.call("GET", "/v1/locations", key=f"guess-{number}")
    assert face.rows.reads == 1


async def test_only_the_hash_of_a_key_is_stored(face):
    key, view = await face.keys.create("backend", [], [KeyRole.READ], "a person")
    assert key.startswith("rg_")
    assert len(key) > 40
    assert key not in repr(face.rows.rows) + repr(view)
    assert len(face.rows.rows[0]["hash"]) == 32


@pytest.mark.parametrize(
    ("name", "roles"), [("", [KeyRole.READ]), ("a\nb", [KeyRole.READ]), ("x" * 81, [KeyRole.READ]), ("a", [])]
)
async def test_a_key_needs_a_name_and_a_role(face, name, roles):
    with pytest.raises(ValueError, match="key"):
        await face.keys.create(name, [], roles, "a person")


async def test_a_short_key_from_the_environment_is_refused(face):
    with pytest.raises(ValueError, match="16 characters"):
        type(face.keys)(face.rows, "admin", face.ticks)


async def test_keys_that_cannot_be_looked_up_are_503(face):
    face.rows.broken = asyncpg.TooManyConnectionsError("full")
    assert (await face.call("GET", "/v1/locations", key="some-key"))[0] == 503
    assert (await face.call("GET", "/v1/locations"))[0] == 200


async def test_an_unknown_path_is_404_and_a_wrong_method_405_with_allow(face):
    status, problem, _ = await face.call("GET", "/v2/nothing")
    assert (status, problem["type"]) == (404, "/docs#not-found")
    status, problem, headers = await face.call("DELETE", "/v1/locations")
    assert (status, problem["type"]) == (405, "/docs#wrong-method")
    assert headers["Allow"] == "GET,HEAD,POST"


async def test_the_callers_request_id_is_kept_if_it_is_a_decent_one(face):
    assert (await face.call("GET", "/healthz", headers={"X-Request-ID": "abc-1.2_3"}))[2]["X-Request-ID"] == "abc-1.2_3"
    for bad in ("x" * 65, "a b", "<script>"):
        assert (await face.call("GET", "/healthz", headers={"X-Request-ID": bad}))[2]["X-Request-ID"] != bad


async def test_hubs_routes_are_mounted_and_need_no_key(face):
    status, body, headers = await face.call("POST", "/hub/receive", data=b"abc", key=None)
    assert (status, body) == (200, "POST 3")
    assert headers["X-Request-ID"]


async def test_a_hubs_ids_are_given_back_as_they_came_even_where_serving_it_fails(face):
    for path in ("/hub/receive", "/hub/fail"):
        sent = {"X-Request-ID": "urn:uuid:{0b2c}/é-" + 80 * "x", "x-correlation-id": "7/8"}
        _, _, headers = await face.call("POST", path, data=b"abc", key=None, headers=sent)
        assert [headers[name] for name in sent] == list(sent.values())


async def test_a_failure_of_the_gateway_is_500_and_tells_nothing_of_its_inside(face):
    status, problem, _ = await face.call("POST", "/hub/fail", key=None)
    assert (status, problem["type"]) == (500, "/docs#bug")
    assert "Token" not in json.dumps(problem)


async def test_health_says_what_is_wrong(face):
    assert (await face.call("GET", "/healthz", key=None))[:2] == (200, {"ok": True, "checks": {}})
    _, body, _ = await face.call("GET", "/readyz", key=None)
    assert body == {"ok": True, "checks": {"database": "ok", "migrations": "ok", "dispatcher": "ok"}}
    face.readiness.fault = "cannot be reached"
    status, body, _ = await face.call("GET", "/readyz", key=None)
    assert (status, body["checks"]["database"]) == (503, "cannot be reached")


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        (b"GET /v1/locations", b"Authorization: Bearer \xff\xfe", 401),
        (b"GET /v1/locations", b"Authorization: Bearer caf\xc3\xa9", 401),
        (b"PUT /v1/locations/FR*ABC/L1", b"Content-Length: 0\r\nContent-Type: text/\xff", 415),
        (b"GET /v1/%ff", b"", 404),
        (b"GET /v1/locations/FR*ABC/%ff", b"", 404),
        (b"GET /v1/locations/%ff/L1", b"", 422),
        (b"GET /v1/tariffs/FR*ABC/%ff", b"", 404),
        (b"GET /v1/tariffs/FR*ABC/%ed%a0%80", b"", 404),
        (b"GET /v1/tariffs/FR*ABC/%00", b"", 422),
        (b"GET /v1/locations?after=%ff", b"", 422),
        (b"GET /v1/locations?%ff=1", b"", 422),
        (b"GET /v1/locations?%ed%a0%80=1", b"", 422),
        (b"GET /v1/locations", b"X-Request-ID: \xff", 200),
        (b"DELETE /v1/locations/FR*ABC/..%2f..%2fL1", b"", 404),
    ],
)
async def test_bytes_that_are_no_text_are_answered_by_a_problem(face, line, headers, status):
    host, port = face.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    key = b"" if b"Authorization" in headers else b"Authorization: Bearer " + ADMIN.encode() + b"\r\n"
    writer.write(line + b" HTTP/1.1\r\nHost: x\r\n" + key + (headers and headers + b"\r\n") + b"\r\n")
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    assert int(head.split()[1]) == status
    assert status == 200 or b"application/problem+json" in head
