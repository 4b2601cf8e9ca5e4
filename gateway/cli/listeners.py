"""What webhooks and call-outs have in common on the command line."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from gateway.cli.asking import URL, Json, Key, Url, ask, when, write_json, write_table
from gateway.cli.client import Client
from gateway.cli.client.events import Listeners
from gateway.http.v1.listeners import Disclosed
from gateway.services.ports.events import HookView

Name = Annotated[str, typer.Argument(help="Its name.")]
Address = Annotated[str, typer.Argument(metavar="HTTPS-URL", help="Where it is; http only within an internal network.")]
NewAddress = Annotated[str | None, typer.Option("--at", metavar="HTTPS-URL", help="Where it is from now on.")]
Parties = Annotated[list[str] | None, typer.Option("--party", help="FR*ABC; may be repeated; all without it.")]
NewParties = Annotated[list[str] | None, typer.Option("--party", help="FR*ABC; may be repeated; replaces all.")]
AllParties = Annotated[bool, typer.Option("--all-parties", help="For all parties from now on.")]
AllTypes = Annotated[bool, typer.Option("--all-types", help="For all types from now on.")]
Active = Annotated[bool | None, typer.Option("--on/--off", help="Switch it on or off.")]


def add_common(app: typer.Typer, pick: Callable[[Client], Listeners]) -> None:
    """Adds the commands that are the same for both: list, rotate, remove."""

    @app.command("list")
    def list_(url: Url = URL, key: Key = "", as_json: Json = False) -> None:
        """List all, with how much waits for each."""
        views = ask(url, key, lambda client: pick(client).list())
        if as_json:
            write_json(list(views), list[HookView])
        else:
            _table(*views)

    @app.command()
    def rotate(name: Name, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
        """Make a new secret, and print it once. For a day the one before signs along."""
        disclose(ask(url, key, lambda client: pick(client).rotate(name)), as_json=as_json)

    @app.command()
    def remove(name: Name, url: Url = URL, key: Key = "") -> None:
        """Remove one, with all that it was not told yet."""
        ask(url, key, lambda client: pick(client).remove(name))


def replaced(values: Sequence[str] | None, *, with_all: bool) -> list[str] | None:
    """Gives what a list is to be: None where it stays, empty for everything."""
    return [] if with_all else list(values) if values else None


def disclose(made: Disclosed, *, as_json: bool) -> None:
    """Prints a secret alone, so that it can be piped to where it is kept."""
    if as_json:
        write_json(made, Disclosed)
        return
    typer.echo(made.secret)


def show(view: HookView, *, as_json: bool) -> None:
    """Shows one."""
    if as_json:
        write_json(view, HookView)
    else:
        _table(view)


def _table(*views: HookView) -> None:
    write_table(
        ("name", "url", "types", "parties", "silence", "on", "waiting", "refused", "both secrets until", "why"),
        [
            (
                view.name,
                view.url,
                ", ".join(view.types) or "all",
                ", ".join(map(str, view.parties)) or "all",
                view.silence,
                "yes" if view.active else "no",
                view.waiting,
                view.refused,
                when(view.both_until),
                view.why,
            )
            for view in views
        ],
    )
