"""Sessions and CDRs over HTTP."""

import json
from datetime import timedelta

import pytest

from gateway.http.v1.examples import CDR, CORRECTION, SESSION
from gateway.services.keys import KeyRole

ONE = "/v1/sessions/FR*ABC/s-1"
BILL = "/v1/cdrs/FR*ABC/c-1"
NDJSON = {"Content-Type": "application/x-ndjson"}


async def test_a_session_is_told_again_and_again(face):
    status, written, _ = await face.call("PUT", ONE, json=SESSION)
    assert (status, written["outcome"]) == (201, "created")
    status, written, _ = await face.call("PUT", ONE, json=SESSION | {"energy": 5})
    assert (status, written) == (200, {"party": "FR*ABC", "id": "s-1", "outcome": "updated", "issues": []})
    status, view, _ = await face.call("GET", ONE)
    assert (status, view["session"]["energy"]) == (200, 5)
    assert view["refs"] == [{"connection": "gireve", "kind": "reference", "value": "R-1"}]
    assert view["told"][0]["told"] == {"PUT": "2026-03-01T12:00:00Z"}


async def test_an_older_report_is_stale_and_no_error(face):
    await face.call("PUT", ONE, json=SESSION)
    older = SESSION | {"last_updated": "2026-03-01T10:00:00Z"}
    status, written, _ = await face.call("PUT", ONE, json=older)
    assert (status, written["outcome"]) == (200, "stale")


async def test_a_patch_changes_what_it_names(face):
    await face.call("PUT", ONE, json=SESSION)
    status, written, _ = await face.call("PATCH", ONE, json={"energy": 6.5})
    assert (status, written["outcome"]) == (200, "updated")
    _, view, _ = await face.call("GET", ONE)
    assert (view["session"]["energy"], view["session"]["last_updated"]) == (6.5, "2026-03-01T12:00:00Z")
    assert (await face.call("PATCH", "/v1/sessions/FR*ABC/s-9", json={"energy": 1}))[0] == 404


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"energy": -1}, ["energy"]),
        ({"energy": "much"}, ["energy"]),
        ({"start": "2026-03-01T09:58:00"}, ["start"]),
        ({"currency": "euro"}, ["currency"]),
        ({"status": "RUNNING"}, ["status"]),
        ({"evse_uid": "nowhere"}, ["evse_uid"]),
        ({"id": "s-2"}, ["id"]),
        ({"identification": {"type": "RFID", "pin": "1234"}}, ["identification.pin"]),
    ],
)
async def test_a_session_that_makes_no_sense_is_422_with_its_field(face, changes, fields):
    status, problem, _ = await face.call("PUT", ONE, json=SESSION | changes)
    assert status == 422
    assert [error["field"] for error in problem["errors"]] == fields


async def test_a_stamp_with_an_offset_is_taken_as_the_moment_that_it_names(face):
    await face.call("PUT", ONE, json=SESSION | {"start": "2026-03-01T10:58:00+01:00"})
    _, view, _ = await face.call("GET", ONE)
    assert view["session"]["start"] == "2026-03-01T09:58:00Z"


async def test_a_person_ends_a_review(face):
    status, written, _ = await face.call("PUT", ONE, json=SESSION | {"reference": "several"})
    assert written["review"] == "2 authorisations fit its driver, EVSE and time"
    assert (await face.call("POST", ONE + "/assign", json={}))[0] == 422
    status, written, _ = await face.call("POST", ONE + "/assign", json={"authorisation": "a-1"})
    assert (status, written["authorisation"]) == (200, "a-1")
    assert (await face.call("POST", ONE + "/assign", json={"none": True}))[0] == 409


async def test_sessions_are_listed_by_what_a_person_looks_for(face):
    path = "/v1/sessions?status=COMPLETED&review=true&connection=gireve&without_cdr_hours=24&party=FR*ABC"
    path += "&location=L1&evse=U1&reference=a-1"
    assert (await face.call("GET", path))[0] == 200
    [wanted] = face.sessions.filters
    assert (wanted.status, wanted.review, wanted.connection) == ("COMPLETED", True, "gireve")
    assert wanted.without_cdr == timedelta(hours=24)
    assert (wanted.location, wanted.evse, wanted.reference) == ("L1", "U1", "a-1")
    assert (await face.call("GET", "/v1/sessions?review=perhaps"))[0] == 422


async def test_a_missing_cdr_is_waived_with_a_reason(face):
    await face.call("PUT", ONE, json=SESSION)
    assert (await face.call("POST", ONE + "/waive-cdr", json={}))[0] == 422
    assert (await face.call("POST", ONE + "/waive-cdr", json={"why": "no energy"}))[0] == 204
    assert face.sessions.waived == {"s-1": "no energy"}


async def test_nobody_touches_another_partys_charges(face):
    await face.call("PUT", ONE, json=SESSION)
    await face.call("POST", "/v1/cdrs", json=CDR)
    key = await face.key(KeyRole.PUBLISH, parties=("FR*XYZ",))
    for method, path, body in (
        ("GET", ONE, None),
        ("PUT", ONE, SESSION),
        ("POST", ONE + "/assign", {"none": True}),
        ("GET", BILL, None),
        ("POST", "/v1/cdrs", CDR),
        ("POST", BILL + "/corrections", CORRECTION),
    ):
        assert (await face.call(method, path, key=key, json=body))[0] == 403
    status, summary, _ = await face.call("POST", "/v1/cdrs/bulk", key=key, data=json.dumps(CDR), headers=NDJSON)
    assert (status, summary["refused"]) == (200, 1)
    assert (await face.call("GET", "/v1/sessions", key=key))[1]["items"] == []


async def test_a_cdr_is_accepted_once(face):
    status, written, _ = await face.call("POST", "/v1/cdrs", json=CDR)
    assert (status, written["outcome"], written["connection"]) == (201, "created", "gireve")
    assert (await face.call("POST", "/v1/cdrs", json=CDR))[:1] == (200,)
    status, problem, _ = await face.call("POST", "/v1/cdrs", json=CDR | {"energy": 13})
    assert (status, problem["type"]) == (409, "/docs#conflict")
    status, view, _ = await face.call("GET", BILL)
    assert (status, view["state"], view["cdr"]["energy"]) == (200, "pending", 12.25)
    assert (await face.call("GET", "/v1/cdrs/FR*ABC/c-9"))[0] == 404


async def test_a_cdr_before_its_session_is_409(face):
    status, problem, _ = await face.call("POST", "/v1/cdrs", json=CDR | {"session_id": "unknown"})
    assert (status, problem["detail"]) == (409, "the session unknown is not known yet")
    assert [error["field"] for error in problem["errors"]] == ["session_id"]


async def test_a_cdr_that_makes_no_sense_is_422_with_its_field(face):
    for changes, field in (({"energy": -1}, "energy"), ({"time": -1}, "time"), ({"end": "2026-03-01T10:58"}, "end")):
        status, problem, _ = await face.call("POST", "/v1/cdrs", json=CDR | changes)
        assert (status, [error["field"] for error in problem["errors"]]) == (422, [field])


async def test_many_cdrs_are_told_apart_by_their_line(face):
    lines = [CDR, CDR | {"id": "c-2", "session_id": "unknown"}, CDR | {"id": "c-3", "energy": "much"}, CDR]
    status, summary, _ = await face.call(
        "POST", "/v1/cdrs/bulk", data="\n".join(map(json.dumps, lines)), headers=NDJSON
    )
    counts = {name: summary[name] for name in ("read", "created", "unchanged", "refused")}
    assert (status, counts) == (200, {"read": 4, "created": 1, "unchanged": 1, "refused": 2})
    assert {(error["line"], error["field"]) for error in summary["errors"]} == {(2, "session_id"), (3, "energy")}
    assert face.cdrs.batches == [3]


async def test_a_correction_is_a_credit_where_the_hub_can_else_a_dispute(face):
    await face.call("POST", "/v1/cdrs", json=CDR)
    status, done, _ = await face.call("POST", BILL + "/corrections", json=CORRECTION | {"reason": "credit"})
    assert (status, done) == (200, {"outcome": "credited", "cdr": "c-1-R1", "credit": "c-1-C1", "unchanged": False})
    status, done, _ = await face.call("POST", BILL + "/corrections", json=CORRECTION)
    assert (status, done) == (200, {"outcome": "dispute", "cdr": "c-1", "dispute": 1, "unchanged": False})
    _, view, _ = await face.call("GET", BILL)
    assert [one["reason"] for one in view["disputes"]] == ["The meter was read wrongly"]


async def test_cdrs_are_listed_by_what_a_person_looks_for(face):
    path = "/v1/cdrs?state=refused&connection=gireve&since=2026-03-01T00:00:00Z&unconfirmed_hours=4&disputed=true"
    path += "&session=s-1"
    assert (await face.call("GET", path))[0] == 200
    [wanted] = face.cdrs.filters
    assert (wanted.state, wanted.connection, wanted.disputed) == ("refused", "gireve", True)
    assert wanted.session == "s-1"
    assert wanted.unconfirmed_for == timedelta(hours=4)


async def test_figures_tell_of_charges(face):
    _, text, _ = await face.call("GET", "/metrics", key=None)
    for line in (
        "roamgate_sessions_active 3.0",
        "roamgate_sessions_without_cdr 4.0",
        'roamgate_cdrs_unconfirmed{connection="g",hub="gireve"} 1.0',
        'roamgate_oldest_unconfirmed_cdr_seconds{connection="g",hub="gireve"} 7200.0',
    ):
        assert line in text
