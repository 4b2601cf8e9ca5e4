"""Commands that ask of our drivers' charges at partners' stations."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.core.connection import Mode, Scope
from gateway.app import App, running
from gateway.settings import Settings
from mappings.canonical.commands import CommandAnswer, CommandResult
from tests.cli.conftest import ADMIN, Cli
from tests.harness import KEY, NOWHERE, WHO
from tests.ports import free_port
from tests.services.homecoming import UID, cdr, digest, session, token


@pytest.fixture
async def both(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[App, Cli]]:
    """A gateway with a connection and a driver, and the command line beside it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(
        host="127.0.0.1", port=port, public_url=url, database_url=database_url, secret_key=KEY, admin_key=ADMIN
    )
    async with running(settings) as (app, _):
        await app.services.connections.create("hub", "hubject", Mode.LIVE, Scope(), NOWHERE["hubject"], WHO)
        await app.services.driver_tokens.put([(token(), ())], WHO)
        yield app, Cli({"ROAMGATE_URL": url, "ROAMGATE_KEY": ADMIN}, tmp_path, url)


async def test_what_waits_for_a_person_is_found_and_decided(both: tuple[App, Cli]) -> None:
    app, cli = both
    link = app.links.by_name("hub")
    assert link is not None
    await app.gateway.received.session(link.connection, session(status="COMPLETED"))
    await app.gateway.received.cdr(link.connection, cdr(), None, digest(cdr()))

    listed = await cli.here("received-sessions", "list", "--review", "--reason", "UNKNOWN_PERMIT", "--json")
    [one] = listed.json["items"]
    assert one["review"] == ["UNKNOWN_EVSE", "UNKNOWN_PERMIT"]
    shown = await cli.here("received-sessions", "show", one["id"])
    assert "FR-EMS-C12345678" in shown.out
    assert "no permit fits it" in shown.out
    assert UID not in shown.out + (await cli.here("received-sessions", "list")).out
    checked = (await cli.here("received-sessions", "check", one["id"], "--json")).json
    assert checked["review"] == ["UNKNOWN_EVSE", "UNKNOWN_PERMIT"]
    assert "by environment" in (await cli.here("received-sessions", "accept", one["id"], "--why", "a mail")).out
    assert (await cli.here("received-sessions", "list", "--review", "--json")).json["items"] == []
    assert (await cli.here("received-sessions", "list", "--without-cdr", "--json")).json["items"] == []
    assert (await cli.here("received-sessions", "waive-cdr", one["id"], "--why", "free")).code != 0

    assert (await cli.here("received-sessions", "list", "--permit", "p-1", "--json")).json["items"] == []
    assert (await cli.here("received-cdrs", "list", "--permit", "p-1", "--json")).json["items"] == []
    [bill] = (await cli.here("received-cdrs", "list", "--standing", "review", "--json")).json["items"]
    assert bill["session"] == one["id"]
    shown = await cli.here("received-cdrs", "show", bill["id"])
    assert "4 EUR" in shown.out
    assert "no permit fits it" in shown.out
    assert "no permit fits it" not in (await cli.here("received-cdrs", "check", bill["id"])).out
    rejected = await cli.here("received-cdrs", "reject", bill["id"], "--why", "not ours", "--json")
    assert (rejected.json["standing"], rejected.json["decided"]["why"]) == ("rejected", "not ours")
    assert (await cli.here("received-cdrs", "accept", bill["id"], "--why", "ours")).code != 0
    assert "rejected" in (await cli.here("received-cdrs", "list", "--cpo", "NL*CPO", "--party", "FR*EMS")).out


async def test_sent_commands_are_listed(both: tuple[App, Cli]) -> None:
    app, cli = both
    link = app.links.by_name("hub")
    assert link is not None
    await app.store.execute(
        "INSERT INTO sent_command (id, connection_id, kind, party, cpo, body, wish, deadline)"
        " VALUES ($1, $2, 'UNLOCK_CONNECTOR', 'FR*EMS', 'NL*CPO', '{}', '{}', now() + interval '1 hour')",
        "a" * 32,
        link.connection.id,
    )
    assert "UNLOCK_CONNECTOR" in (await cli.here("sent-commands", "list", "--open", "--cpo", "NL*CPO")).out
    accepted = CommandAnswer(result=CommandResult.ACCEPTED)
    assert await app.gateway.sent_commands.told(link.connection, "a" * 32, accepted)
    assert (await cli.here("sent-commands", "list", "--open", "--json")).json["items"] == []
    assert "ACCEPTED" in (await cli.here("sent-commands", "show", "a" * 32)).out
    assert (await cli.here("sent-commands", "show", "a" * 32, "--json")).json["result"] == "ACCEPTED"
