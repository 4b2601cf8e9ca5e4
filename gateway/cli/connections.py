"""`connections`: what there is, how far they go, registration, and what a hub does not have yet."""

import json
import sys
from typing import Annotated

import typer
from pydantic import ValidationError

from adapters.core.connection import Mode, Scope
from gateway.cli.asking import (
    OUTPUT,
    URL,
    After,
    Json,
    Key,
    Limit,
    Url,
    ask,
    say_more,
    write_fields,
    write_json,
    write_table,
)
from gateway.cli.exits import Exit, end
from gateway.cli.given_files import ObjectFile, object_of
from gateway.complaints import field_errors
from gateway.services.ports import ConnectionView, Difference

app = typer.Typer(no_args_is_help=True, help="Connections to hubs.")

Name = Annotated[str, typer.Argument(help="The connection's name.")]


@app.command("list")
def list_(url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """List all connections with how much waits."""
    views = ask(url, key, lambda client: client.connections.list())
    if as_json:
        write_json(list(views), list[ConnectionView])
        return
    write_table(
        ("name", "hub", "mode", "state", "pending", "held", "refused", "why"),
        [(one.name, one.hub, one.mode, one.state, one.pending, one.held, one.refused, one.why) for one in views],
    )


@app.command()
def show(name: Name, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show one connection."""
    _show(ask(url, key, lambda client: client.connections.get(name)), as_json=as_json, whole=True)


@app.command()
def create(file: ObjectFile, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Add a connection from a file: name, hub, settings, and where they are not the default mode and scope."""
    given = object_of(file)
    _show(ask(url, key, lambda client: client.connections.create(given)), as_json=as_json)


@app.command()
def register(
    name: Name,
    token: Annotated[
        str | None,
        typer.Option(envvar="ROAMGATE_HUB_TOKEN", help="The hub's (OCPI: token A); asked for where it is not given."),
    ] = None,
    url: Url = URL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Start the registration with the token that the hub gave us."""
    if token is None:
        if not sys.stdin.isatty():
            end(Exit.USAGE, "give the hub's token in ROAMGATE_HUB_TOKEN or by --token")
        token = typer.prompt("Token of the hub", hide_input=True, type=str)
    _show(ask(url, key, lambda client: client.connections.register(name, token)), as_json=as_json)


@app.command()
def expect(name: Name, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Make a token for a hub that starts the registration itself (OCPI: token A), and print it once."""
    token = ask(url, key, lambda client: client.connections.expect(name))
    if as_json:
        write_json({"token": token}, dict)
    else:
        typer.echo(token)


@app.command()
def unregister(name: Name, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Give the credentials up; what is queued waits for the next registration."""
    _show(ask(url, key, lambda client: client.connections.unregister(name)), as_json=as_json)


@app.command()
def adopt(name: Name, file: ObjectFile, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Take over a connection that is live elsewhere, from a file: token_ours, token_theirs, endpoints."""
    given = object_of(file)
    _show(ask(url, key, lambda client: client.connections.adopt(name, given)), as_json=as_json)


@app.command()
def mode(name: Name, mode: Mode, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Set how far a connection goes; shadow renders everything and sends nothing."""
    _show(ask(url, key, lambda client: client.connections.set_mode(name, mode)), as_json=as_json)


@app.command()
def settings(name: Name, file: ObjectFile, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Set a connection's settings from a file; what would now be sent otherwise is sent."""
    given = object_of(file)
    _show(ask(url, key, lambda client: client.connections.set_settings(name, given)), as_json=as_json)


@app.command()
def remove(name: Name, url: Url = URL, key: Key = "") -> None:
    """Remove a connection that is off and not registered; what its hub has stays there."""
    ask(url, key, lambda client: client.connections.remove(name))


@app.command()
def scope(
    name: Name,
    url: Url = URL,
    key: Key = "",
    parties: Annotated[list[str] | None, typer.Option("--party", help="FR*ABC; may be repeated.")] = None,
    locations: Annotated[list[str] | None, typer.Option("--location", help="FR*ABC/id; may be repeated.")] = None,
    evses: Annotated[list[str] | None, typer.Option("--evse", help="An EVSE id; may be repeated.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Carry everything.")] = False,
    as_json: Json = False,
) -> None:
    """Set what a connection carries; what leaves the scope is withdrawn from the hub."""
    if everything == bool(parties or locations or evses):
        end(Exit.USAGE, "say what it carries, or --all")
    given = {"parties": parties or [], "locations": locations or [], "evses": evses or []}
    try:
        meant = Scope.model_validate_json(json.dumps(given))
    except ValidationError as error:
        end(Exit.USAGE, "; ".join(f"{one.field}: {one.detail}" for one in field_errors(error)))
    _show(ask(url, key, lambda client: client.connections.set_scope(name, meant)), as_json=as_json)


@app.command()
def pause(
    name: Name,
    why: Annotated[str, typer.Option(help="Why, for whoever looks next.")],
    url: Url = URL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Stop a connection; nothing is tried or lost."""
    _show(ask(url, key, lambda client: client.connections.pause(name, why)), as_json=as_json)


@app.command()
def resume(name: Name, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Let a paused connection go on."""
    _show(ask(url, key, lambda client: client.connections.resume(name)), as_json=as_json)


@app.command()
def resync(name: Name, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Send everything again, whatever the hub acknowledged."""
    count = ask(url, key, lambda client: client.connections.resync(name))
    if as_json:
        write_json({"count": count}, dict)
    else:
        typer.echo(f"{count} projections are sent again")


@app.command()
def difference(
    name: Name,
    url: Url = URL,
    key: Key = "",
    operation: Annotated[str | None, typer.Option(help="Only this one, as `locations`.")] = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Tell what the hub does not have as it should."""
    found = ask(url, key, lambda client: client.connections.difference(name, operation, after, limit))
    if as_json:
        write_json(found, Difference)
        return
    heads = ("operation", "wanted", "acked", "pending", "refused", "held", "shadowed")
    write_table(heads, [[getattr(one, head) for head in heads] for one in found.counts])
    if found.rows:
        OUTPUT.print()
        rows = [
            (one.operation, one.key, one.state, "yes" if one.gone else None, one.wanted, one.acked, one.error)
            for one in found.rows
        ]
        write_table(("operation", "key", "state", "to go", "wanted", "acked", "error"), rows)
    say_more(found.next)


def _show(view: ConnectionView, *, as_json: bool, whole: bool = False) -> None:
    if as_json:
        write_json(view, ConnectionView)
        return
    scope = view.scope
    carried = [*map(str, scope.parties), *scope.locations, *map(str, scope.evses)]
    fields = {
        "name": view.name,
        "hub": view.hub,
        "mode": view.mode,
        "state": view.state,
        "why": view.why,
        "scope": ", ".join(sorted(carried)) or "everything",
        "registered": "yes" if view.registered else None,
        "our token": f"…{view.ours_hint}" if view.ours_hint else None,
        "pending": view.pending,
        "held": view.held,
        "refused": view.refused,
        "endpoints": json.dumps(view.endpoints, indent=2) if view.endpoints and whole else None,
        "settings": json.dumps(view.settings, indent=2) if whole else None,
    }
    write_fields(fields)
