"""`permits`: which of our drivers may charge at partners' stations."""

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
from gateway.cli.client import Client
from gateway.cli.words import driver_of
from gateway.services.ports import Page
from gateway.services.ports.permits import PermitView

app = typer.Typer(no_args_is_help=True, help="Which of our drivers may charge at partners' stations.")


@app.command("list")
def list_(
    url: Url = URL,
    key: Key = "",
    allowed: Annotated[
        bool | None, typer.Option("--allowed/--denied", help="Only those that were granted, or only the others.")
    ] = None,
    party: PartyOption = None,
    driver: Annotated[str | None, typer.Option(help="Only this driver's, by your own id.")] = None,
    connection: ConnectionOption = None,
    since: Moment = None,
    until: Moment = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List permits, the newest first."""

    async def work(client: Client) -> Page[PermitView]:
        return await client.permits.list(party, driver, connection, allowed, utc(since), utc(until), after, limit)

    page = ask(url, key, work)
    if as_json:
        write_json(page, Page[PermitView])
        return
    write_table(
        ("id", "at", "party", "driver", "cpo", "evse", "origin", "answer", "by", "over", "ms", "session"),
        [
            (
                one.id,
                when(one.at),
                one.party,
                one.driver or driver_of(one.leg.identification),
                one.cpo,
                one.evse,
                one.origin,
                _answer(one),
                one.detail.decided,
                one.connection,
                one.detail.took,
                one.session,
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
    """Show one permit: how the hub names it, and whose word the answer was."""
    view = ask(url, key, lambda client: client.permits.get(id_))
    if as_json:
        write_json(view, PermitView)
        return
    leg, detail = view.leg, view.detail
    write_fields(
        {
            "id": view.id,
            "at": when(view.at),
            "party": view.party,
            "driver": view.driver,
            "held up": driver_of(leg.identification),
            "cpo": view.cpo,
            "evse": view.evse,
            "origin": view.origin,
            "answer": _answer(view),
            "by": detail.decided,
            "ms": detail.took,
            "backend silent": detail.silence,
            "may be meant": len(detail.candidates) or None,
            "note": detail.note,
            "roams over": view.connection,
            "hub's session": leg.hub_session,
            "cpo's session": leg.own_session,
            "expires": when(view.expires),
            "session": view.session,
        }
    )


def _answer(view: PermitView) -> str:
    return "allowed" if view.allowed else f"denied: {view.reason}"
