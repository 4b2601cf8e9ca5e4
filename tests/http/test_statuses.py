"""EVSE statuses over HTTP."""

import json

import asyncpg
import pytest

from gateway.services.keys import KeyRole
from tests.http.conftest import location

PATH = "/v1/evse-statuses"


def report(number=1, status="AVAILABLE", **changes):
    return {"evse_id": f"FR*ABC*E{number}", "status": status} | changes


async def test_one_report_is_applied(face):
    status, body, headers = await face.call("POST", PATH, json=report())
    assert (status, body) == (200, {"applied": 1, "unchanged": 0, "stale": 0, "unknown": 0, "refused": []})
    assert headers["X-Request-ID"]


async def test_the_same_report_again_is_unchanged_and_an_older_one_stale(face):
    await face.call("POST", PATH, json=report(at="2026-03-01T10:00:00Z"))
    _, again, _ = await face.call("POST", PATH, json=report(at="2026-03-01T10:00:00+00:00"))
    _, older, _ = await face.call("POST", PATH, json=report(status="CHARGING", at="2026-03-01T11:59:59+02:00"))
    assert (again["unchanged"], older["stale"]) == (1, 1)


async def test_an_evse_is_named_by_its_key_too(face):
    await face.call("PUT", "/v1/locations/FR*ABC/L1", json=location())
    by_key = {"party": "FR*ABC", "location_id": "L1", "evse_uid": "E1", "status": "CHARGING"}
    _, body, _ = await face.call("POST", PATH, json=by_key)
    assert body["applied"] == 1


async def test_a_bad_report_in_a_list_is_named_by_its_position_and_stops_no_other(face):
    reports = [
        report(1),
        report(2, status="available"),
        report(3),
        report(4, at="yesterday"),
        report(4, color="red"),
        {"status": "CHARGING"},
        "nonsense",
        report(12345678),
        report(5, location_id="L1"),
        report(6),
    ]
    status, body, _ = await face.call("POST", PATH, json=reports)
    assert status == 200
    assert (body["applied"], body["unknown"]) == (3, 1)
    assert [(fault["index"], fault["field"]) for fault in body["refused"]] == [
        (1, "status"),
        (3, "at"),
        (4, "color"),
        (5, "evse_id"),
        (6, ""),
        (7, "evse_id"),
        (8, "evse_id"),
    ]


async def test_a_list_is_one_call_to_the_service(face):
    _, body, _ = await face.call("POST", PATH, json=[report(number % 9 + 1) for number in range(10_000)])
    assert sum(body[name] for name in ("applied", "unchanged", "stale")) == 10_000
    assert face.statuses.calls == 1


async def test_an_empty_list_is_nothing(face):
    assert (await face.call("POST", PATH, json=[]))[1]["applied"] == 0


async def test_too_many_reports_are_too_large(face):
    status, problem, _ = await face.call("POST", PATH, json=[report()] * 10_001)
    assert (status, problem["type"]) == (413, "/docs#too-large")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"evse_id": "FR*ABC*E1", "status": "available"}, 422, "status"),
        ({"evse_id": "FR*ABC*E1", "status": "AVAILABLE", "colour": 1}, 422, "colour"),
        ({"evse_id": "FR*ABC*E1", "status": "AVAILABLE", "at": 1700000000}, 422, "at"),
        ({"evse_id": "FR*ABC*E1", "status": "AVAILABLE", "at": "2026-01-01T00:00:00"}, 422, "at"),
        ({"evse_id": "FR*ABC*E1", "status": "AVAILABLE", "at": "9999-12-31T23:59:59-01:00"}, 422, "at"),
        ({"evse_id": "FR*ABC*E\0", "status": "AVAILABLE"}, 422, "evse_id"),
        ({"evse_id": 7, "status": "AVAILABLE"}, 422, "evse_id"),
        ({"status": "AVAILABLE"}, 422, "evse_id"),
        ({"evse_id": "FR*ABC*E12345678", "status": "AVAILABLE"}, 404, "evse_id"),
    ],
)
async def test_a_bad_report_alone_is_a_problem_that_names_the_field(face, body, status, field):
    answered, problem, headers = await face.call("POST", PATH, json=body)
    assert answered == status == problem["status"]
    assert headers["Content-Type"].startswith("application/problem+json")
    assert [fault["field"] for fault in problem["errors"]] == [field]
    assert problem["request_id"] == headers["X-Request-ID"]


async def test_reports_of_other_parties_are_refused_or_find_no_evse(face):
    key = await face.key(KeyRole.PUBLISH, parties=("FR*XYZ",))
    foreign = {"party": "FR*ABC", "location_id": "L1", "evse_uid": "E1", "status": "CHARGING"}
    status, problem, _ = await face.call("POST", PATH, key=key, json=foreign)
    assert (status, problem["errors"][0]["field"]) == (403, "party")
    status, body, _ = await face.call("POST", PATH, key=key, json=[foreign, report()])
    assert status == 200
    assert [(fault["index"], fault["field"]) for fault in body["refused"]] == [(0, "party"), (1, "evse_id")]


async def test_a_number_that_json_has_not_is_refused_by_its_report(face):
    body = json.dumps([report(), report(2, at=float("nan"))]).encode()
    _, answer, _ = await face.call("POST", PATH, data=body, headers={"Content-Type": "application/json"})
    assert (answer["applied"], answer["refused"][0]["index"]) == (1, 1)


@pytest.mark.parametrize(
    "broken",
    [OSError("gone"), TimeoutError(), asyncpg.CannotConnectNowError("starting"), asyncpg.InterfaceError("closed")],
)
async def test_a_store_out_of_reach_is_503_and_says_when_to_come_again(face, broken):
    face.memory.broken = broken
    status, problem, headers = await face.call("POST", PATH, json=report())
    assert (status, problem["type"], headers["Retry-After"]) == (503, "/docs#unavailable", "1")


async def test_a_mistake_of_ours_is_500_without_its_text(face, capsys):
    face.memory.broken = asyncpg.DataError("invalid input for query argument $1: the secret")
    status, problem, _ = await face.call("POST", PATH, json=report())
    assert (status, problem["type"]) == (500, "/docs#bug")
    assert "secret" not in json.dumps(problem)
