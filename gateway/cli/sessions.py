"""`sessions`: charges as the backend told them, and what waits for a person or for its CDR."""

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
    Party,
    PartyOption,
    Url,
    ask,
    say_more,
    when,
    write_fields,
    write_json,
    write_table,
)
from gateway.cli.exits import Exit, end
from gateway.cli.words import driver_of, place_of
from gateway.http.v1.sessions import SessionWritten
from gateway.services.ports import Page, SessionView
from mappings.canonical.sessions import SessionStatus

app = typer.Typer(no_args_is_help=True, help="Charging sessions, and what waits for a person or for its CDR.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The session's id, given by the CPO.")]


@app.command("list")
def list_(
    url: Url = URL,
    key: Key = "",
    review: Annotated[bool, typer.Option("--review", help="Only those that wait for a person.")] = False,
    without_cdr: Annotated[
        int | None,
        typer.Option(min=0, metavar="HOURS", help="Only those that ended longer ago than this, and have no CDR."),
    ] = None,
    status: Annotated[SessionStatus | None, typer.Option(help="Only those with this status.")] = None,
    connection: ConnectionOption = None,
    party: PartyOption = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List sessions, the newest first."""
    page = ask(
        url,
        key,
        lambda client: client.sessions.list(party, status, review or None, connection, without_cdr, after, limit),
    )
    if as_json:
        write_json(page, Page[SessionView])
        return
    write_table(
        ("party", "id", "status", "start", "end", "kWh", "at", "driver", "over", "cdr", "review"),
        [
            (
                one.session.party,
                one.session.id,
                one.session.status,
                when(one.session.start),
                when(one.ended),
                one.session.energy,
                f"{one.session.location_id}/{one.session.evse_uid}",
                driver_of(one.session.identification),
                one.connection,
                one.cdr or ("waived" if one.waived else None),
                one.review,
            )
            for one in page.items
        ],
    )
    say_more(page.next)


@app.command()
def show(party: Party, id_: Id, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show one session, every id of it, and what each hub was told."""
    view = ask(url, key, lambda client: client.sessions.get(party, id_))
    if as_json:
        write_json(view, SessionView)
        return
    session = view.session
    write_fields(
        {
            "party": session.party,
            "id": session.id,
            "status": session.status,
            "review": view.review,
            "at": place_of(session.location_id, session.evse_uid, session.connector_id),
            "driver": driver_of(session.identification),
            "admitted by": session.auth_method,
            "reference": session.reference,
            "authorisation": view.authorisation,
            "roams over": view.connection,
            "start": when(session.start),
            "end": when(session.end),
            "kWh": session.energy,
            "cdr": view.cdr,
            "no cdr": view.waived,
            "error": f"{session.error.kind} {session.error.text or ''}" if session.error else None,
            "told": when(session.last_updated),
            "changed here": when(view.updated),
        }
    )
    if view.refs:
        OUTPUT.print()
        write_table(("called at", "by", "id"), [(one.connection, one.kind, one.value) for one in view.refs])
    if view.told:
        OUTPUT.print()
        heads = ("connection", "pending", "delivered", "refused", "latest", "error")
        rows = [
            (
                one.connection,
                one.pending,
                one.delivered,
                one.refused,
                ", ".join(f"{kind} {when(at)}" for kind, at in one.told.items()),
                one.error,
            )
            for one in view.told
        ]
        write_table(heads, rows)


@app.command()
def assign(
    party: Party,
    id_: Id,
    authorisation: Annotated[str | None, typer.Argument(metavar="AUTHORISATION", help="Our id of it.")] = None,
    url: Url = URL,
    key: Key = "",
    none: Annotated[bool, typer.Option("--none", help="It does not roam: the driver is the CPO's own.")] = False,
    as_json: Json = False,
) -> None:
    """Say what a session belongs to that waits for a person; it is told then, and with it the CDR that waited."""
    if none == (authorisation is not None):
        end(Exit.USAGE, "name either an authorisation, or --none")
    written = ask(url, key, lambda client: client.sessions.assign(party, id_, authorisation))
    if as_json:
        write_json(written, SessionWritten)
        return
    write_fields(
        {
            "outcome": written.outcome,
            "authorisation": written.authorisation,
            "roams over": written.connection,
            "review": written.review,
        }
    )


@app.command("waive-cdr")
def waive_cdr(
    party: Party,
    id_: Id,
    why: Annotated[str, typer.Option(help="Why, for the audit log.")],
    url: Url = URL,
    key: Key = "",
) -> None:
    """Say that a session will have no CDR, so that nobody waits for it any more."""
    ask(url, key, lambda client: client.sessions.waive_cdr(party, id_, why))
