"""`cdrs`: charge detail records, handed over and followed to their hub."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.asking import (
    OUTPUT,
    URL,
    After,
    ConnectionOption,
    Json,
    Key,
    Limit,
    Moment,
    Party,
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
from gateway.cli.client import Client
from gateway.cli.exits import Exit, end
from gateway.cli.sending import send_file
from gateway.cli.words import cost_of, driver_of, place_of
from gateway.http.v1.cdrs import CdrWritten
from gateway.services.ports import CdrState, CdrView, Page

app = typer.Typer(no_args_is_help=True, help="Charge detail records: handed over, and followed to their hub.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The CDR's id, given by the CPO.")]


@app.command("list")
def list_(
    url: Url = URL,
    key: Key = "",
    state: Annotated[CdrState | None, typer.Option(help="Only those in this state.")] = None,
    unconfirmed: Annotated[
        int | None,
        typer.Option(min=0, metavar="HOURS", help="Only those that their hub has not confirmed for longer."),
    ] = None,
    connection: ConnectionOption = None,
    party: PartyOption = None,
    since: Moment = None,
    disputed: Annotated[bool, typer.Option("--disputed", help="Only those with an agreement on record.")] = False,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List CDRs, the newest first; --since counts from their acceptance."""

    async def work(client: Client) -> Page[CdrView]:
        return await client.cdrs.list(party, state, connection, utc(since), unconfirmed, disputed or None, after, limit)

    page = ask(url, key, work)
    if as_json:
        write_json(page, Page[CdrView])
        return
    write_table(
        ("party", "id", "session", "state", "over", "kWh", "cost", "accepted", "settled", "tries", "why"),
        [
            (
                one.cdr.party,
                one.cdr.id,
                one.cdr.session_id,
                one.state,
                one.connection,
                one.cdr.energy,
                cost_of(one.cdr),
                when(one.accepted),
                when(one.settled),
                one.attempts,
                one.review or one.error,
            )
            for one in page.items
        ],
    )
    say_more(page.next)


@app.command()
def show(party: Party, id_: Id, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show one CDR: how far it is told, and what was agreed on since. --json has it whole."""
    view = ask(url, key, lambda client: client.cdrs.get(party, id_))
    if as_json:
        write_json(view, CdrView)
        return
    cdr = view.cdr
    write_fields(
        {
            "party": cdr.party,
            "id": cdr.id,
            "session": cdr.session_id,
            "state": view.state,
            "review": view.review,
            "goes over": view.connection,
            "tries": view.attempts,
            "code": view.code,
            "error": view.error,
            "at": place_of(cdr.location.id, cdr.location.evse_uid, cdr.location.connector_id),
            "driver": driver_of(cdr.identification),
            "start": when(cdr.start),
            "end": when(cdr.end),
            "kWh": cdr.energy,
            "cost": cost_of(cdr),
            "credits": cdr.credited_cdr,
            "replaced by": view.replaced_by,
            "accepted": when(view.accepted),
            "settled": when(view.settled),
        }
    )
    if view.disputes:
        OUTPUT.print()
        rows = [(one.id, when(one.at), one.who, one.reason) for one in view.disputes]
        write_table(("dispute", "at", "by", "reason"), rows)
    if view.issues:
        OUTPUT.print()
        write_table(("field", "what", "detail"), [(one.field, one.kind, one.detail) for one in view.issues])


@app.command()
def assign(
    party: Party,
    id_: Id,
    session: Annotated[str | None, typer.Argument(metavar="SESSION", help="The session's id.")] = None,
    url: Url = URL,
    key: Key = "",
    none: Annotated[bool, typer.Option("--none", help="It bills no session that roams.")] = False,
    as_json: Json = False,
) -> None:
    """Say which session a CDR bills that waits for a person; it is told then."""
    if none == (session is not None):
        end(Exit.USAGE, "name either a session, or --none")
    written = ask(url, key, lambda client: client.cdrs.assign(party, id_, session))
    if as_json:
        write_json(written, CdrWritten)
    else:
        write_fields({"outcome": written.outcome, "goes over": written.connection, "review": written.review})


@app.command()
def send(
    file: Annotated[Path, typer.Argument(help="Canonical CDRs, one a line, plain or gz; - for standard input.")],
    url: Url = URL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Hand CDRs over from a file. What was accepted before is unchanged, so the same file can be sent again."""
    send_file(file, url, key, lambda client, content, gzip: client.cdrs.send(content, gzip=gzip), as_json=as_json)
