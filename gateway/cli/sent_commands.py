"""`sent-commands`: what we asked of partners' stations for our drivers."""

from typing import Annotated

import typer

from gateway.cli.asking import (
    URL,
    After,
    ConnectionOption,
    Json,
    Key,
    Limit,
    Moment,
    PartyOption,
    Url,
    ask,
    say_more,
    utc,
    when,
    write_fields,
    write_json,
    write_table,
)
from gateway.services.ports import Page
from gateway.services.ports.sent_commands import SentCommandView, SentKind

app = typer.Typer(no_args_is_help=True, help="Commands to partners' stations for our drivers, and what came of them.")


@app.command("list")
def list_(
    url: Url = URL,
    key: Key = "",
    open_: Annotated[bool, typer.Option("--open", help="Only those without a result.")] = False,
    kind: Annotated[SentKind | None, typer.Option(help="Only those of this kind.")] = None,
    connection: ConnectionOption = None,
    party: PartyOption = None,
    cpo: Annotated[str | None, typer.Option(help="NL*ABC; only those for this CPO's stations.")] = None,
    since: Moment = None,
    until: Moment = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List sent commands, the newest first."""
    wanted = {
        "open": open_ or None,
        "kind": kind,
        "connection": connection,
        "party": party,
        "cpo": cpo,
        "since": utc(since),
        "until": utc(until),
        "after": after,
        "limit": limit,
    }
    page = ask(url, key, lambda client: client.sent_commands.list(**wanted))
    if as_json:
        write_json(page, Page[SentCommandView])
        return
    write_table(
        ("id", "at", "kind", "party", "cpo", "evse", "over", "result", "answered", "late", "text"),
        [
            (
                one.id,
                when(one.at),
                one.kind,
                one.party,
                one.cpo,
                one.evse,
                one.connection,
                one.result,
                when(one.answered_at),
                one.late.result if one.late is not None else None,
                one.text,
            )
            for one in page.items
        ],
    )
    say_more(page.next)


@app.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Our id of the command.")],
    url: Url = URL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Show one command. --json has what was sent."""
    view = ask(url, key, lambda client: client.sent_commands.get(id_))
    if as_json:
        write_json(view, SentCommandView)
        return
    write_fields(
        {
            "id": view.id,
            "request": view.request_id,
            "kind": view.kind,
            "party": view.party,
            "cpo": view.cpo,
            "evse": view.evse,
            "over": view.connection,
            "permit": view.permit,
            "at": when(view.at),
            "deadline": when(view.deadline),
            "result": view.result,
            "text": view.text,
            "session": view.session_id,
            "answered": when(view.answered_at),
            "late": view.late.result if view.late is not None else None,
        }
    )
