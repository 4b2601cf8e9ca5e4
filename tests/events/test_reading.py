"""Events over HTTP: pages, long polls and streams, on a real socket."""

import asyncio
import json

import aiohttp

from gateway.app import running
from gateway.http.v1 import events as operations
from gateway.services.keys import KeyRole
from mappings.canonical.ids import PartyId
from tests.events.conftest import ADMIN, settings
from tests.harness import PATIENCE, eventually

STREAM = {"Accept": "text/event-stream"}


async def read_event(lines):
    """Reads the next event of a stream: its id, and its data if it has any."""
    id_, data = None, None
    async for line in lines:
        text = line.decode().rstrip("\n")
        if text.startswith("id: "):
            id_ = text[4:]
        if text.startswith("data: "):
            data = json.loads(text[6:])
        if not text and id_ is not None:
            return id_, data
    return None


async def placed(gateway, count):
    return len((await subjects(gateway))[0]) == count


async def subjects(gateway, query=""):
    _, page = await gateway.call("GET", f"/v1/events{query}")
    return [item["subject"] for item in page["items"]], page["next"]


async def test_a_poll_waits_for_what_happens(gateway):
    _, cursor = await subjects(gateway)
    waiting = asyncio.create_task(subjects(gateway, f"?after={cursor}&wait=30"))
    while not waiting.done():
        await gateway.happen("sessions/FR*ABC/1")
        await asyncio.wait([waiting], timeout=1)
    assert (await waiting)[0][0] == "sessions/FR*ABC/1"


async def test_a_poll_without_anything_to_read_ends_with_where_to_read_on(gateway):
    await gateway.happen("a")
    found, cursor = await subjects(gateway, "?wait=20")
    assert found == ["a"]
    assert await subjects(gateway, f"?after={cursor}&wait=0") == ([], cursor)


async def test_an_event_is_noticed_that_another_replica_wrote_and_placed(gateway, database_url):
    _, cursor = await subjects(gateway)
    async with running(settings(database_url)) as (other, _):
        waiting = asyncio.create_task(subjects(gateway, f"?after={cursor}&wait=30"))
        async with other.store.transaction() as tx:
            await tx.execute("INSERT INTO event (type, party, subject, data) VALUES ('x', 'FR*ABC', 's', '{}')")
        other.ears.feed.wake()
        assert (await waiting)[0] == ["s"]


async def test_a_key_hears_of_its_own_parties_alone(gateway):
    key, _ = await gateway.app.services.keys.create("a backend", [PartyId("FR*XYZ")], [KeyRole.READ], "a person")
    await gateway.happen("mine", party=PartyId("FR*XYZ"))
    await gateway.happen("theirs")
    await eventually(lambda: placed(gateway, 2))
    mine = {"Authorization": f"Bearer {key}"}
    _, page = await gateway.call("GET", "/v1/events", headers=mine)
    status, _ = await gateway.call("GET", "/v1/events?party=FR*ABC", headers=mine)
    assert ([item["subject"] for item in page["items"]], status) == (["mine"], 403)


async def test_a_stream_tells_what_was_and_what_happens_and_goes_on_where_it_broke_off(gateway):
    await gateway.happen("before")
    async with asyncio.timeout(PATIENCE):
        await eventually(lambda: placed(gateway, 1))
        async with stream(gateway, "/v1/events") as answer:
            assert answer.content_type == "text/event-stream"
            first, event = await read_event(answer.content)
            assert event["subject"] == "before"
            await gateway.happen("meanwhile")
            assert (await read_event(answer.content))[1]["subject"] == "meanwhile"
        async with stream(gateway, "/v1/events", {"Last-Event-ID": first}) as answer:
            assert (await read_event(answer.content))[1]["subject"] == "meanwhile"


async def test_a_silent_stream_says_that_it_lives(gateway, monkeypatch):
    monkeypatch.setattr(operations, "HEARTBEAT", 0.05)
    async with asyncio.timeout(PATIENCE), stream(gateway, "/v1/events") as answer:
        beats = [await read_event(answer.content) for _ in range(3)]
    assert [data for _, data in beats] == [None, None, None]


async def test_a_stream_ends_after_a_while_so_that_its_key_is_looked_at_anew(gateway, monkeypatch):
    monkeypatch.setattr(operations, "LONGEST", 0.0)
    async with asyncio.timeout(PATIENCE), stream(gateway, "/v1/events") as answer:
        assert (await answer.content.read()).startswith(b"retry: 1000\n\n")


async def test_streams_and_polls_end_cleanly_when_the_gateway_does(database_url):
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as client:
        async with running(settings(database_url)) as (app, port):
            key = {"Authorization": f"Bearer {ADMIN}"}
            url = f"http://127.0.0.1:{port}/v1/events"
            answer = await client.get(url, headers=key | STREAM)
            poll = asyncio.create_task(client.get(url, params={"wait": 60}, headers=key))
            await app.store.fetch("SELECT 1")
        assert (await answer.content.read()).endswith(b"\n\n")
        answer.close()
        if not poll.cancelled() and (await asyncio.wait([poll], timeout=5))[0] and poll.exception() is None:
            assert (await poll.result().json())["items"] == []


async def test_what_is_wrong_with_a_stream_is_said_before_it_begins(gateway):
    for headers in ({"Last-Event-ID": "x"}, {"Last-Event-ID": "not\tours"}):
        status, problem = await gateway.call("GET", "/v1/events", headers=STREAM | headers)
        assert (status, problem["type"]) == (422, "/docs#invalid")


def stream(gateway, path, headers=None):
    return gateway.client.get(
        gateway.url + path, headers={"Authorization": f"Bearer {ADMIN}"} | STREAM | (headers or {})
    )
