"""Commands that serve, and those that work on the database itself."""

import asyncio
import json
import os
import signal

import aiohttp
import pytest

from gateway.store.secrets import Cipher
from tests import database
from tests.harness import PATIENCE

HUBS = ("gireve", "hubject")
NOWHERE = "postgresql://127.0.0.1:1/x"


async def lines_until(child, name):
    """Reads the log until an event."""
    while line := await asyncio.wait_for(child.stdout.readline(), PATIENCE):
        said = json.loads(line)
        if said["event"] == name:
            return said
    raise AssertionError((await child.stderr.read()).decode())


async def test_run_for_development_needs_nothing_and_remembers(bare):
    keys = set()
    for _ in range(2):
        child = await bare.start("run", "--dev", ROAMGATE_PORT="0")
        port = (await lines_until(child, "started"))["port"]
        shown = ""
        while "ROAMGATE_KEY=" not in shown:
            shown = (await asyncio.wait_for(child.stderr.readline(), PATIENCE)).decode()
        key = shown.split("ROAMGATE_KEY=")[1].strip()
        keys.add(key)
        url = f"http://127.0.0.1:{port}"
        assert (await bare("connections", "list", "--json", ROAMGATE_URL=url, ROAMGATE_KEY=key)).json == []
        child.send_signal(signal.SIGTERM)
        await lines_until(child, "stopped")
        assert await child.wait() == 0
    assert len(keys) == 1
    assert (bare.folder / ".roamgate" / "secret-key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_a_gateway_with_grace(bare, database_url, number):
    key = (await bare("secret-key")).out.strip()
    given = {
        "DATABASE_URL": database_url,
        "ROAMGATE_SECRET_KEY": key,
        "ROAMGATE_PORT": "0",
        "ROAMGATE_HOST": "127.0.0.1",
    }
    child = await bare.start("run", **given)
    port = (await lines_until(child, "started"))["port"]
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as answer:
        assert answer.status == 200
    child.send_signal(number)
    assert (await lines_until(child, "stopping"))["signal"] == number.name
    await lines_until(child, "stopped")
    assert await child.wait() == 0


async def test_a_gateway_does_not_start_before_the_migrations(bare, server_url):
    name = f"empty_{os.getpid()}"
    await database._create(server_url, name, None)
    try:
        key = (await bare("secret-key")).out.strip()
        given = {"DATABASE_URL": database.at(server_url, name), "ROAMGATE_SECRET_KEY": key, "ROAMGATE_PORT": "0"}
        refused = await bare("run", **given)
        assert refused.code == 6
        assert "migrate --phase before" in refused.err
        assert (await bare("keys", "list", **given)).code == 6
        ran = (await bare("migrate", "--phase", "before", "--json", **given)).json["ran"]
        assert ran[0].endswith(".before.sql")
        assert (await bare("migrate", "--phase", "before", **given)).out == "nothing to do\n"
        child = await bare.start("run", **given)
        await lines_until(child, "started")
        child.send_signal(signal.SIGTERM)
        assert await child.wait() == 0
    finally:
        await bare.end()
        await database._drop(server_url, name)


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ({}, 6, "DATABASE_URL"),
        ({"DATABASE_URL": NOWHERE, "ROAMGATE_SECRET_KEY": Cipher.new_key()}, 5, "cannot be reached"),
        # What is set wrongly is told whether the database is up or not.
        ({"DATABASE_URL": NOWHERE}, 6, "ROAMGATE_SECRET_KEY: not set"),
        ({"DATABASE_URL": NOWHERE, "ROAMGATE_SECRET_KEY": "short"}, 6, "ROAMGATE_SECRET_KEY: "),
        ({"DATABASE_URL": NOWHERE, "ROAMGATE_SECRET_KEY": "\N{EURO SIGN}"}, 6, "ROAMGATE_SECRET_KEY: "),
        (
            {"DATABASE_URL": NOWHERE, "ROAMGATE_SECRET_KEY": Cipher.new_key(), "ROAMGATE_ADMIN_KEY": "short"},
            6,
            "admin_key",
        ),
        ({"ROAMGATE_PORT": "many"}, 6, "port"),
        ({"ROAMGATE_SETTINGS": "not-there.toml"}, 6, "not-there.toml"),
    ],
)
async def test_what_keeps_a_gateway_from_starting_is_said(bare, given, code, said):
    result = await bare("run", **given)
    assert (result.code, "Traceback" in result.err) == (code, False)
    assert said in result.err


async def test_a_port_that_is_taken_and_a_short_key_are_told_as_settings_that_are_wrong(cli):
    key = (await cli.here("secret-key")).out.strip()
    given = {"ROAMGATE_SECRET_KEY": key, "ROAMGATE_HOST": "127.0.0.1", "ROAMGATE_PORT": cli.url.rsplit(":", 1)[1]}
    taken = await cli("run", **given)
    assert (taken.code, "Traceback" in taken.err) == (6, False)
    assert "host, port: 127.0.0.1" in taken.err
    short = await cli("run", **given, ROAMGATE_ADMIN_KEY="short")
    assert (short.code, "Traceback" in short.err) == (6, False)
    assert "admin_key" in short.err


async def test_keys_are_made_listed_and_revoked_on_the_database(cli):
    made = await cli.here("keys", "create", "backend", "--role", "publish", "--party", "FR*ABC", "--json")
    key = made.json["key"]
    assert (await cli.here("connections", "list", ROAMGATE_KEY=key)).code == 1  # it does not speak for all parties
    assert (await cli.here("keys", "create", "reader", "--role", "read")).out.startswith("rg_")
    listed = (await cli.here("keys", "list", "--json")).json
    assert [(one["name"], one["roles"], one["parties"]) for one in listed] == [
        ("backend", ["publish"], ["FR*ABC"]),
        ("reader", ["read"], []),
    ]
    assert key not in (await cli.here("keys", "list")).out
    assert (await cli.here("keys", "revoke", str(listed[0]["id"]))).code == 0
    assert (await cli.here("keys", "revoke", str(listed[0]["id"]))).code == 1
    assert (await cli.here("keys", "create", "x", "--role", "read", "--party", "France")).code == 2


async def test_the_sandbox_hubs_can_be_registered_with_from_what_they_print(cli):
    arguments = (
        "--gireve-port",
        "0",
        "--hubject-port",
        "0",
        "--connections",
        "hubs",
        "--certificates",
        "certs",
        "--json",
    )
    child = await cli.start("sandbox", *arguments)
    hubs = json.loads(await asyncio.wait_for(child.stdout.readline(), PATIENCE))
    party = {"id": "FR*RGT", "roles": ["CPO"], "business": {"name": "Test"}}
    headers = {"Authorization": f"Bearer {cli.environment['ROAMGATE_KEY']}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.put(f"{cli.url}/v1/parties/FR*RGT", json=party) as answer,
    ):
        assert answer.status < 300
    files = [cli.folder / "hubs" / f"{name}.json" for name in (*HUBS, "hubject-emp")]
    made = [await cli.here("connections", "create", file, "--json") for file in files]
    assert [one.json["state"] for one in made] == ["unregistered", "ready", "ready"]
    registered = await cli.here("connections", "register", "gireve", "--json", ROAMGATE_HUB_TOKEN=hubs["gireve_token"])
    assert registered.json["state"] == "ready", registered.err
    child.send_signal(signal.SIGINT)
    assert await child.wait() == 0
    assert hubs["hubject"].startswith("https://127.0.0.1:")


async def test_the_release_and_the_meaning_of_exit_codes_are_told(bare):
    assert (await bare("--version")).out.strip()
    assert "Exit codes" in (await bare("--help")).out
