"""`webhooks`: who is told of events."""

from typing import Annotated

import typer

from gateway.cli.asking import URL, Json, Key, Url, ask, write_json
from gateway.cli.client.wire import given
from gateway.cli.exits import Exit, end
from gateway.cli.listeners import (
    Active,
    Address,
    AllParties,
    AllTypes,
    Name,
    NewAddress,
    NewParties,
    Parties,
    add_common,
    disclose,
    replaced,
    show,
)
from gateway.events.writing import EventType
from gateway.services.ports.events import Tested

app = typer.Typer(no_args_is_help=True, help="Webhooks: who is told of events.")

add_common(app, lambda client: client.webhooks)


@app.command()
def add(
    name: Name,
    at: Address,
    url: Url = URL,
    key: Key = "",
    types: Annotated[
        list[EventType] | None, typer.Option("--type", help="An event; may be repeated; all without it.")
    ] = None,
    parties: Parties = None,
    as_json: Json = False,
) -> None:
    """Add a webhook, and print the secret that signs what it is told, once."""
    new = given(name=name, url=at, types=types, parties=parties)
    disclose(ask(url, key, lambda client: client.webhooks.add(new)), as_json=as_json)


@app.command()
def change(
    name: Name,
    url: Url = URL,
    key: Key = "",
    at: NewAddress = None,
    types: Annotated[
        list[EventType] | None, typer.Option("--type", help="An event; may be repeated; replaces all.")
    ] = None,
    all_types: AllTypes = False,
    parties: NewParties = None,
    all_parties: AllParties = False,
    active: Active = None,
    as_json: Json = False,
) -> None:
    """Change a webhook: where it is, what it is told, and whether it is told anything."""
    changed = given(
        url=at,
        types=replaced(types, with_all=all_types),
        parties=replaced(parties, with_all=all_parties),
        active=active,
    )
    show(ask(url, key, lambda client: client.webhooks.change(name, changed)), as_json=as_json)


@app.command("test")
def try_(name: Name, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Tell a webhook a made-up event, now and once, and say what came of it."""
    tested = ask(url, key, lambda client: client.webhooks.test(name))
    if as_json:
        write_json(tested, Tested)
    else:
        typer.echo(f"{tested.outcome}: {tested.detail}")
    if tested.outcome != "delivered":
        end(Exit.FAILED, "the webhook did not take it")
