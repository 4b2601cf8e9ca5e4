"""`pulls`: what is pulled from hubs, and how that goes."""

from typing import Annotated

import typer

from gateway.cli.asking import URL, Json, Key, Url, ask, when, write_json, write_table
from gateway.services.ports.pulls import PullView

app = typer.Typer(no_args_is_help=True, help="What is pulled from hubs: partners' stations, statuses, tariffs, CDRs.")


@app.command("list")
def list_(url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """List every feed with its latest pull."""
    views = ask(url, key, lambda client: client.pulls.list())
    if as_json:
        write_json(list(views), list[PullView])
        return
    _show(list(views))


@app.command("ask")
def ask_(
    connection: Annotated[str, typer.Argument(help="The connection's name.")],
    feed: Annotated[str, typer.Argument(help="What, as `pulls list` names it.")],
    url: Url = URL,
    key: Key = "",
    full: Annotated[bool, typer.Option("--full", help="Everything, instead of what changed.")] = False,
) -> None:
    """Have a feed pulled at once."""
    view = ask(url, key, lambda client: client.pulls.ask(connection, feed, full=full))
    typer.echo(f"{view.connection} {view.feed} is due; `pulls list` shows how it goes")


def _show(views: list[PullView]) -> None:
    write_table(
        ("connection", "feed", "mark", "full", "next", "failures", "last", "records", "new", "changed", "gone", "why"),
        [
            (
                one.connection,
                one.feed,
                when(one.mark),
                when(one.full_at),
                when(one.next_at),
                one.failures,
                *((one.last.outcome, one.last.records, one.last.new, one.last.changed) if one.last else ("",) * 4),
                one.last.gone + one.last.pruned if one.last else "",
                one.last.error if one.last else "",
            )
            for one in views
        ],
    )
