"""`authorisations`: which drivers were let in, by whom, and which were not."""

from typing import Annotated

import typer

from gateway.cli.asking import (
    OUTPUT,
    URL,
    After,
    Json,
    Key,
    Limit,
    PartyOption,
    Url,
    ask,
    say_more,
    when,
    write_fields,
    write_json,
    write_table,
)
from gateway.cli.words import driver_of, place_of
from gateway.services.ports import Page
from gateway.services.ports.authorising import AuthorisationView

app = typer.Typer(no_args_is_help=True, help="Which drivers were let in, by whom, and which were not.")


@app.command("list")
def list_(
    url: Url = URL,
    key: Key = "",
    allowed: Annotated[
        bool | None, typer.Option("--allowed/--denied", help="Only those that were granted, or only the others.")
    ] = None,
    party: PartyOption = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List authorisations, the newest first."""
    page = ask(url, key, lambda client: client.authorisations.list(party, allowed, after, limit))
    if as_json:
        write_json(page, Page[AuthorisationView])
        return
    write_table(
        ("id", "at", "party", "where", "origin", "answer", "over", "ms", "session"),
        [
            (
                one.id,
                when(one.at),
                one.party,
                place_of(one.location_id, one.evse_uid, one.connector_id),
                one.origin,
                _answer(one),
                one.connection,
                one.detail.took,
                one.session_id,
            )
            for one in page.items
        ],
    )
    say_more(page.next)


@app.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="Ours.")],
    url: Url = URL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Show one authorisation: who was asked, in order, and what they said."""
    view = ask(url, key, lambda client: client.authorisations.get(id_))
    if as_json:
        write_json(view, AuthorisationView)
        return
    leg, detail = view.leg, view.detail
    write_fields(
        {
            "id": view.id,
            "at": when(view.at),
            "party": view.party,
            "where": place_of(view.location_id, view.evse_uid, view.connector_id),
            "origin": view.origin,
            "answer": _answer(view),
            "ms": detail.took,
            "by our own list": "yes" if detail.local else None,
            "without agreement": "yes" if detail.drift else None,
            "admitted by": view.auth_method,
            "roams over": view.connection,
            "reference": view.reference,
            "expires": when(view.expires),
            "session": view.session_id,
            "driver": driver_of(leg.identification) if leg else None,
            "emsp": leg.emsp if leg else None,
            "hub's session": leg.hub_session if leg else None,
            "emsp's session": leg.emsp_session if leg else None,
            "hub's reference": leg.reference if leg else None,
        }
    )
    if detail.asked:
        OUTPUT.print()
        heads = ("asked", "after ms", "took ms", "answer", "reason", "code", "text", "released")
        rows = [
            (
                one.connection,
                one.after,
                one.took,
                one.answer,
                one.reason,
                one.code,
                one.text,
                None if one.released is None else "yes" if one.released else "no",
            )
            for one in detail.asked
        ]
        write_table(heads, rows)


def _answer(view: AuthorisationView) -> str:
    return "allowed" if view.allowed else f"denied: {view.reason}"
