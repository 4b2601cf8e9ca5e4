"""`agreements`: who is served by which connection for which service."""

from typing import Annotated, Any

import typer

from gateway.agreements.model import DEFAULT_RANK, Service
from gateway.cli.asking import (
    URL,
    After,
    ConnectionOption,
    Json,
    Key,
    Limit,
    Moment,
    Url,
    ask,
    say_more,
    utc,
    write_json,
    write_table,
)
from gateway.services.ports import Page
from gateway.services.ports.agreements import AgreementView

app = typer.Typer(no_args_is_help=True, help="Who is served by which connection for which service.")


@app.command("list")
def list_(
    url: Url = URL,
    key: Key = "",
    connection: ConnectionOption = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List agreements, ended ones too. A connection without any serves everybody in its scope."""
    page = ask(url, key, lambda client: client.agreements.list(connection, after, limit))
    if as_json:
        write_json(page, Page[AgreementView])
        return
    _table(*page.items)
    say_more(page.next)


@app.command()
def add(
    connection: Annotated[str, typer.Argument(help="Over which they come.")],
    url: Url = URL,
    key: Key = "",
    party: Annotated[str | None, typer.Option(help="The CPO; all that the connection carries without it.")] = None,
    emsp: Annotated[str | None, typer.Option(help="All behind the connection without it.")] = None,
    services: Annotated[
        list[Service] | None, typer.Option("--service", help="May be repeated; every service without it.")
    ] = None,
    rank: Annotated[int, typer.Option(min=0, help="The lowest is asked first.")] = DEFAULT_RANK,
    valid_from: Moment = None,
    valid_to: Moment = None,
    as_json: Json = False,
) -> None:
    """Add an agreement. The first one restricts its connection to what its agreements say, for good."""
    given: dict[str, Any] = {
        "connection": connection,
        "party": party,
        "emsp": emsp,
        "services": sorted(services) if services else None,
        "rank": rank,
        "valid_from": utc(valid_from),
        "valid_to": utc(valid_to),
    }
    told = {name: value for name, value in given.items() if value is not None}
    _show(ask(url, key, lambda client: client.agreements.add(told)), as_json=as_json)


@app.command("end")
def end_(
    agreement: Annotated[int, typer.Argument(metavar="ID", min=1, help="Its number in the list.")],
    url: Url = URL,
    key: Key = "",
    at: Moment = None,
    as_json: Json = False,
) -> None:
    """End an agreement, now unless told otherwise. It keeps restricting its connection."""
    _show(ask(url, key, lambda client: client.agreements.end(agreement, utc(at))), as_json=as_json)


def _show(view: AgreementView, *, as_json: bool) -> None:
    if as_json:
        write_json(view, AgreementView)
    else:
        _table(view)


def _table(*views: AgreementView) -> None:
    write_table(
        ("id", "connection", "party", "emsp", "services", "rank", "from", "to"),
        [
            (
                view.id,
                view.connection,
                view.party or "all",
                view.emsp or "all",
                ", ".join(sorted(view.services)) if len(view.services) < len(Service) else "all",
                view.rank,
                f"{view.valid_from:%Y-%m-%d %H:%M}",
                f"{view.valid_to:%Y-%m-%d %H:%M}" if view.valid_to else None,
            )
            for view in views
        ],
    )
