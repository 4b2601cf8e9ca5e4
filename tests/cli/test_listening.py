"""Commands for who hears of events and is asked, and following the events themselves."""

import asyncio
import json
import signal

import aiohttp
import pytest

from gateway.app import running
from gateway.settings import Settings
from gateway.store.secrets import Cipher
from tests.backend import backend, says, signed_by
from tests.cli.conftest import ADMIN, Cli, Result
from tests.harness import AT, PATIENCE
from tests.importing.records import lines, location
from tests.ports import free_port

SESSION = {
    "party": "NL*ABC",
    "id": "S-1",
    "start": AT.isoformat(),
    "energy": 1,
    "identification": {"type": "RFID", "uid": "04A2B3C4D5E680"},
    "auth_method": "WHITELIST",
    "location_id": "L1",
    "evse_uid": "L1-1",
    "connector_id": "1",
    "currency": "EUR",
    "status": "ACTIVE",
    "last_updated": AT.isoformat(),
}


async def network(cli: Cli) -> None:
    """Has the gateway know a station."""
    (cli.folder / "network.ndjson").write_bytes(lines(location("L1")))
    assert (await cli.here("import", cli.folder / "network.ndjson")).code == 0


async def charges(cli: Cli, *sessions: str) -> None:
    """Has the backend tell of sessions that begin, each of which is an event."""
    headers = {"Authorization": f"Bearer {ADMIN}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        for id_ in sessions:
            async with http.put(f"{cli.url}/v1/sessions/NL*ABC/{id_}", json=SESSION | {"id": id_}) as answer:
                assert answer.status == 201, await answer.text()


async def follow(cli: Cli, *arguments: str) -> Result:
    """Follows events to an end, in a process of its own, which can be stopped where none comes."""
    async with asyncio.timeout(PATIENCE):
        return await cli("events", "follow", *arguments)


def begun(out: str | bytes) -> list[str]:
    """The sessions that events are of, line by line."""
    return [json.loads(line)["data"]["id"] for line in out.splitlines()]


async def test_a_webhook_is_added_changed_rotated_tried_and_removed(cli):
    async with backend() as listener:
        added = await cli.here("webhooks", "add", "erp", listener.url, "--type", "cdr.accepted", "--party", "NL*ABC")
        assert (added.code, added.out.count("\n")) == (0, 1)
        secret = added.out.strip()
        assert secret.startswith("whsec_")
        [listed] = (await cli.here("webhooks", "list", "--json")).json
        assert (listed["types"], listed["parties"], listed["active"]) == (["cdr.accepted"], ["NL*ABC"], True)
        assert secret not in json.dumps(listed)

        assert (await cli.here("webhooks", "test", "erp", "--json")).json["outcome"] == "delivered"
        assert signed_by(listener.heard[-1], secret)
        listener.script = [says(status=500)]
        tried = await cli.here("webhooks", "test", "erp")
        assert (tried.code, bool(tried.out)) == (1, True)

        rotated = (await cli.here("webhooks", "rotate", "erp", "--json")).json
        assert rotated["secret"] != secret
        assert rotated["listener"]["both_until"]
        changed = await cli.here("webhooks", "change", "erp", "--off", "--all-types", "--party", "NL*XYZ", "--json")
        assert (changed.json["active"], changed.json["types"], changed.json["parties"]) == (False, [], ["NL*XYZ"])
        changed = await cli.here(
            "webhooks", "change", "erp", "--on", "--type", "cdr.refused", "--all-parties", "--json"
        )
        assert (changed.json["active"], changed.json["types"], changed.json["parties"]) == (True, ["cdr.refused"], [])
        assert "cdr.refused" in (await cli.here("webhooks", "list")).out

        assert (await cli.here("webhooks", "remove", "erp")).code == 0
        assert (await cli.here("webhooks", "remove", "erp")).code == 1
        assert (await cli.here("webhooks", "list", "--json")).json == []


async def test_a_call_out_is_added_changed_rotated_and_removed(cli):
    async with backend() as listener:
        added = await cli.here("call-outs", "add", "csms", listener.url, "--silence", "REJECTED", "--json")
        assert added.json["secret"].startswith("whsec_")
        assert (added.json["listener"]["silence"], added.json["listener"]["types"]) == ("REJECTED", [])
        given = ("--type", "START_SESSION", "--type", "STOP_SESSION", "--silence", "TIMEOUT")
        changed = (await cli.here("call-outs", "change", "csms", *given, "--json")).json
        assert (changed["types"], changed["silence"]) == (["START_SESSION", "STOP_SESSION"], "TIMEOUT")
        assert (await cli.here("call-outs", "rotate", "csms")).out.startswith("whsec_")
        moved = await cli.here("call-outs", "change", "csms", "--at", listener.url + "?again")
        assert "?again" in moved.out
        assert "TIMEOUT" in (await cli.here("call-outs", "list")).out
        assert (await cli.here("call-outs", "remove", "csms")).code == 0


async def test_what_makes_no_sense_of_a_webhook_is_refused(cli):
    assert (await cli.here("webhooks", "add", "erp", "nonsense")).code == 1
    assert (await cli.here("webhooks", "add", "erp", "http://127.0.0.1/", "--type", "nonsense")).code == 2
    assert (await cli.here("webhooks", "change", "erp")).code == 1
    assert (await cli.here("webhooks", "test", "erp")).code == 1


async def test_events_are_followed_from_the_oldest_and_gone_on_with_by_the_cursor_of_a_line(cli):
    await network(cli)
    await charges(cli, "S-1", "S-2", "S-3")
    first = await follow(cli, "--oldest", "--limit", "2")
    assert (first.code, first.err) == (0, "")
    assert begun(first.out) == ["S-1", "S-2"]
    last = json.loads(first.out.splitlines()[-1])
    assert (last["specversion"], last["type"]) == ("1.0", "roamgate.session.changed")
    rest = await follow(cli, "--after", last["cursor"], "--limit", "1", "--type", "session.changed")
    assert begun(rest.out) == ["S-3"]


async def test_following_that_cannot_begin_says_why(cli):
    assert (await follow(cli, "--oldest", "--after", "x")).code == 2
    assert (await follow(cli, "--after", "nonsense")).code == 1
    assert (await follow(cli, "--key", "rg_wrong")).code == 1
    assert (await follow(cli, "--url", "http://127.0.0.1:1")).code == 5


@pytest.fixture
def settings(database_url) -> Settings:
    port = free_port()
    return Settings(
        host="127.0.0.1",
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        database_url=database_url,
        secret_key=Cipher.new_key(),
        admin_key=ADMIN,
    )


async def test_a_gateway_that_restarts_is_come_back_to_and_nothing_is_overlooked(settings, tmp_path):
    url = settings.public_url
    cli = Cli({"ROAMGATE_URL": url, "ROAMGATE_KEY": ADMIN}, tmp_path, url)
    try:
        async with running(settings):
            await network(cli)
            await charges(cli, "S-1")
            follower = await cli.start("events", "follow", "--oldest")
            assert follower.stdout is not None
            assert follower.stderr is not None
            async with asyncio.timeout(PATIENCE):
                assert begun(await follower.stdout.readline()) == ["S-1"]
        async with asyncio.timeout(PATIENCE):
            assert (await follower.stderr.readline()).endswith(b"; trying again\n")
        async with running(settings):
            await charges(cli, "S-2")
            async with asyncio.timeout(PATIENCE):
                assert begun(await follower.stdout.readline()) == ["S-2"]
                follower.send_signal(signal.SIGINT)
                out, err = await follower.communicate()
            assert (follower.returncode, out, err) == (0, b"", b"")
    finally:
        await cli.end()
