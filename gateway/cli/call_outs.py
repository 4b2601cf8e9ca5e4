"""`call-outs`: who is asked for the backend's word on commands."""

from typing import Annotated

import typer

from gateway.cli.asking import URL, Json, Key, Url, ask
from gateway.cli.client.wire import given
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
from gateway.services.ports.events import Question
from mappings.canonical.commands import CommandResult

app = typer.Typer(no_args_is_help=True, help="Call-outs: who is asked for the backend's word on commands.")

Silence = Annotated[
    CommandResult | None, typer.Option(help="What a question counts as answered by when no answer comes in time.")
]

add_common(app, lambda client: client.call_outs)


@app.command()
def add(
    name: Name,
    at: Address,
    url: Url = URL,
    key: Key = "",
    types: Annotated[
        list[Question] | None, typer.Option("--type", help="A question; may be repeated; all without it.")
    ] = None,
    parties: Parties = None,
    silence: Silence = None,
    as_json: Json = False,
) -> None:
    """Add a call-out, and print the secret that signs what it is asked, once."""
    new = given(name=name, url=at, types=types, parties=parties, silence=silence)
    disclose(ask(url, key, lambda client: client.call_outs.add(new)), as_json=as_json)


@app.command()
def change(
    name: Name,
    url: Url = URL,
    key: Key = "",
    at: NewAddress = None,
    types: Annotated[
        list[Question] | None, typer.Option("--type", help="A question; may be repeated; replaces all.")
    ] = None,
    all_types: AllTypes = False,
    parties: NewParties = None,
    all_parties: AllParties = False,
    active: Active = None,
    silence: Silence = None,
    as_json: Json = False,
) -> None:
    """Change a call-out: where it is, what it is asked, and whether it is asked anything."""
    changed = given(
        url=at,
        types=replaced(types, with_all=all_types),
        parties=replaced(parties, with_all=all_parties),
        active=active,
        silence=silence,
    )
    show(ask(url, key, lambda client: client.call_outs.change(name, changed)), as_json=as_json)
