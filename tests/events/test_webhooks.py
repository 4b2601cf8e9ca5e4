"""Webhooks: set up over HTTP, signed, told in order, retried, stopped, gone."""

import time

import pytest

from gateway.events import webhooks
from gateway.events.writing import EventType
from tests.backend import says, signed_by
from tests.harness import eventually

HOOK = "/v1/webhooks/ears"


async def add(gateway, listener, **more):
    status, made = await gateway.call("POST", "/v1/webhooks", json={"name": "ears", "url": listener.url, **more})
    assert status == 201
    return made["secret"]


async def heard(listener, count):
    await eventually(lambda: len(listener.heard) >= count, f"{count} requests")
    return listener.heard


async def test_an_event_is_told_as_a_signed_cloud_event(gateway, listener):
    listener.always = says(status=204)
    secret = await add(gateway, listener)
    await gateway.happen("sessions/FR*ABC/1")
    [request] = await heard(listener, 1)
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert request.headers["webhook-id"] == request.json["id"]
    assert abs(time.time() - int(request.headers["webhook-timestamp"])) < 60
    assert signed_by(request, secret)
    assert not signed_by(request, "whsec_" + "A" * 43 + "=")
    assert (request.json["type"], request.json["data"]) == ("roamgate.session.changed", {"of": "sessions/FR*ABC/1"})


async def test_the_secret_is_shown_once_and_stored_sealed(gateway, listener):
    secret = await add(gateway, listener)
    for path in ("/v1/webhooks", HOOK):
        assert secret not in str(await gateway.call("GET", path))
    row = await gateway.app.store.fetchrow("SELECT * FROM hook")
    assert secret not in str(dict(row))
    assert secret not in str(await gateway.app.store.fetch("SELECT * FROM audit"))


async def test_only_what_was_asked_for_is_told(gateway, listener):
    await add(gateway, listener, types=["cdr.accepted"], parties=["FR*ABC"])
    await gateway.happen("no")
    await gateway.happen("yes", type_=EventType.CDR_ACCEPTED)
    await heard(listener, 1)
    assert [request.json["subject"] for request in listener.heard] == ["yes"]


async def test_a_failing_receiver_is_told_again_under_the_same_id_and_in_order(gateway, listener):
    listener.script = [says(status=500), says(status=404), says(status=302, headers={"Location": "/elsewhere"})]
    await add(gateway, listener)
    await gateway.happen("s", "s")
    requests = await heard(listener, 5)
    ids = [request.headers["webhook-id"] for request in requests]
    assert ids[0] == ids[1] == ids[2] == ids[3] != ids[4]
    assert len(listener.heard) == 5


async def test_a_refusal_is_given_up_after_a_bounded_time_and_stands_for_a_person(gateway, listener, monkeypatch):
    monkeypatch.setattr(webhooks, "ENOUGH", 1)
    monkeypatch.setattr(webhooks, "PATIENCE", webhooks.TIMEOUT * 0)
    listener.script = [says({"error": "no"}, status=422)]
    await add(gateway, listener)
    await gateway.happen("s", "s")
    requests = await heard(listener, 2)
    assert requests[0].json["id"] != requests[1].json["id"]
    _, view = await gateway.call("GET", HOOK)
    assert (view["refused"], view["active"]) == (1, True)


async def test_a_receiver_that_is_gone_is_switched_off_until_somebody_switches_it_on(gateway, listener):
    listener.script = [says(status=410)]
    await add(gateway, listener)
    await gateway.happen("s")

    async def off():
        return (await gateway.call("GET", HOOK))[1]["active"] is False

    await eventually(off, "the webhook to be off")
    _, view = await gateway.call("GET", HOOK)
    assert view["why"] == "The receiver answered 410 Gone"
    await gateway.happen("unheard")
    await eventually(lambda: placed(gateway), "the event to have its place")
    status, view = await gateway.call("PATCH", HOOK, json={"active": True})
    assert (status, view["active"], "why" in view) == (200, True, False)
    await gateway.happen("heard")
    await eventually(lambda: "heard" in [request.json["subject"] for request in listener.heard])
    assert "unheard" not in [request.json["subject"] for request in listener.heard]


async def test_one_that_is_stopped_by_a_person_keeps_what_waits(gateway, listener):
    listener.always = says(status=500)
    await add(gateway, listener)
    await gateway.happen("s")
    await heard(listener, 1)
    await gateway.call("PATCH", HOOK, json={"active": False})
    _, view = await gateway.call("GET", HOOK)
    assert view["waiting"] == 1
    listener.always = says(status=204)
    await gateway.call("PATCH", HOOK, json={"active": True})
    await eventually(lambda: waiting(gateway, 0), "everything told")


async def test_both_secrets_sign_after_a_change_so_that_the_receiver_can_follow(gateway, listener):
    old = await add(gateway, listener)
    status, made = await gateway.call("POST", HOOK + "/rotate")
    assert (status, made["secret"] != old, "both_until" in made["listener"]) == (200, True, True)
    await gateway.happen("s")
    [request] = await heard(listener, 1)
    assert signed_by(request, old)
    assert signed_by(request, made["secret"])


@pytest.mark.parametrize(("status", "outcome"), [(200, "delivered"), (401, "refused_by_hub"), (500, "outcome_unknown")])
async def test_a_webhook_can_be_tried(gateway, listener, status, outcome):
    listener.always = says(status=status)
    secret = await add(gateway, listener)
    _, tested = await gateway.call("POST", HOOK + "/test")
    assert tested["outcome"] == outcome
    [request] = listener.heard
    assert request.json["type"] == "roamgate.webhook.test"
    assert signed_by(request, secret)


async def test_throttling_is_heeded(gateway, listener):
    listener.always = says(status=503, headers={"Retry-After": "7"})
    await add(gateway, listener)
    _, tested = await gateway.call("POST", HOOK + "/test")
    assert tested["outcome"] == "throttled"


async def test_one_that_is_removed_is_told_nothing_more(gateway, listener):
    listener.always = says(status=500)
    await add(gateway, listener)
    await gateway.happen("s")
    await heard(listener, 1)
    assert (await gateway.call("DELETE", HOOK))[0] == 204
    assert (await gateway.call("GET", HOOK))[0] == 404
    assert await waiting(gateway, 0)


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://backend:8080/hear", 201),
        ("http://10.0.0.1/hear", 201),
        ("http://backend.ns.svc.cluster.local/hear", 201),
        ("https://backend.example.com/hear", 201),
        ("http://backend.example.com/hear", 422),
        ("http://8.8.8.8/hear", 422),
        ("https://me:secret@backend.example.com/", 422),
        ("https://backend.example.com/#here", 422),
        ("ftp://backend/hear", 422),
        ("https://", 422),
        ("http://:80/", 422),
        ("http://backend:x/", 422),
    ],
)
async def test_only_urls_that_are_called_are_taken(gateway, url, status):
    answer = await gateway.call("POST", "/v1/webhooks", json={"name": "ears", "url": url})
    assert answer[0] == status


async def test_a_name_is_taken_once_and_a_change_must_change_something(gateway, listener):
    await add(gateway, listener)
    again = await gateway.call("POST", "/v1/call-outs", json={"name": "ears", "url": listener.url})
    nothing = await gateway.call("PATCH", HOOK, json={})
    missing = await gateway.call("PATCH", "/v1/call-outs/ears", json={"active": False})
    assert [again[0], nothing[0], missing[0]] == [409, 422, 404]


async def placed(gateway):
    return await gateway.app.store.fetchval("SELECT count(*) FROM event WHERE position IS NULL") == 0


async def waiting(gateway, count):
    sql = "SELECT count(*) FROM delivery WHERE hook_id IS NOT NULL AND state = 'pending'"
    return await gateway.app.store.fetchval(sql) == count
