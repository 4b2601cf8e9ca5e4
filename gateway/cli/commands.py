"""`commands`: what hubs asked of stations."""

from typing import Annotated

import typer

from gateway.cli.asking import (
    URL,
    After,
    ConnectionOption,
    Json,
    Key,
    Limit,
    PartyOption,
    Url,
    ask,
    say_more,
    when,
    write_json,
    write_table,
)
from gateway.services.ports import Page
from gateway.services.ports.commands import CommandView

app = typer.Typer(no_args_is_help=True, help="Commands from hubs, and what came of them.")


@app.callback()
def _commands() -> None:
    # With one command alone, and no callback, the group itself would be that command.
    pass


@app.command("list")
def list_(
    url: Url = URL,
    key: Key = "",
    open_: Annotated[bool, typer.Option("--open", help="Only those that wait for an answer.")] = False,
    connection: ConnectionOption = None,
    party: PartyOption = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List commands, the newest first."""
    page = ask(url, key, lambda client: client.commands.list(party, connection, open_ or None, after, limit))
    if as_json:
        write_json(page, Page[CommandView])
        return
    write_table(
        ("id", "at", "kind", "party", "over", "session", "reference", "deadline", "answered", "result", "text"),
        [
            (
                one.id,
                when(one.at),
                one.kind,
                one.party,
                one.connection,
                one.session_id,
                one.reference,
                when(one.deadline),
                when(one.answered_at),
                one.result,
                one.text,
            )
            for one in page.items
        ],
    )
    say_more(page.next)
