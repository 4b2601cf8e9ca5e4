"""`subscriptions`: which EMSP has which offer, or wants it."""

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
    write_json,
)
from gateway.cli.offers_shown import write_subscriptions
from gateway.http.v1.standing import Side
from gateway.services.ports import Page
from gateway.services.ports.offers import SubscriptionView
from mappings.canonical.agreements import SubscriptionState

app = typer.Typer(no_args_is_help=True, help="Which EMSP has which offer, or wants it.")

SubscriptionId = Annotated[str, typer.Argument(metavar="ID", help="The subscription's id.")]


@app.command("list")
def list_(
    url: Url = URL,
    key: Key = "",
    offer: Annotated[str | None, typer.Option(help="Only those to this offer.")] = None,
    emsp: Annotated[str | None, typer.Option(help="DE*XYZ; only those of this EMSP.")] = None,
    cpo: Annotated[str | None, typer.Option(help="FR*ABC; only those to offers of this CPO.")] = None,
    connection: ConnectionOption = None,
    state: Annotated[SubscriptionState | None, typer.Option(help="Only those that are so far.")] = None,
    party: PartyOption = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List subscriptions, of your EMSPs and to the offers of your CPOs."""
    wanted = {"offer": offer, "emsp": emsp, "cpo": cpo, "connection": connection, "state": state, "party": party}
    page = ask(url, key, lambda client: client.subscriptions.list(**wanted, after=after, limit=limit))
    if as_json:
        write_json(page, Page[SubscriptionView])
        return
    write_subscriptions(*page.items)
    say_more(page.next)


@app.command()
def show(subscription: SubscriptionId, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show one subscription."""
    _show(ask(url, key, lambda client: client.subscriptions.get(subscription)), as_json=as_json)


@app.command()
def add(
    offer: Annotated[str, typer.Argument(help="The offer's id.")],
    emsp: Annotated[str, typer.Argument(metavar="EMSP", help="DE*XYZ")],
    url: Url = URL,
    key: Key = "",
    starts: Moment = None,
    id_: Annotated[str | None, typer.Option("--id", help="Made where it is left out.")] = None,
    as_json: Json = False,
) -> None:
    """Subscribe to an offer for an EMSP."""
    new = {"offer": offer, "emsp": emsp, "starts": utc(starts), "id": id_}
    _show(ask(url, key, lambda client: client.subscriptions.add(**new)), as_json=as_json)


@app.command()
def approve(
    subscription: SubscriptionId, url: Url = URL, key: Key = "", starts: Moment = None, as_json: Json = False
) -> None:
    """Say yes for the CPO; it starts at once, or at a moment."""
    _show(ask(url, key, lambda client: client.subscriptions.approve(subscription, utc(starts))), as_json=as_json)


@app.command()
def refuse(
    subscription: SubscriptionId,
    why: Annotated[str, typer.Option("--why", help="Why, in words for the EMSP.")],
    url: Url = URL,
    key: Key = "",
    as_json: Json = False,
) -> None:
    """Say no for the CPO."""
    _show(ask(url, key, lambda client: client.subscriptions.refuse(subscription, why)), as_json=as_json)


@app.command()
def cancel(
    subscription: SubscriptionId,
    url: Url = URL,
    key: Key = "",
    at: Moment = None,
    side: Annotated[Side | None, typer.Option("--as", help="For whom, where the key speaks for both.")] = None,
    why: Annotated[str | None, typer.Option("--why", help="Why, in words for the other side.")] = None,
    as_json: Json = False,
) -> None:
    """End a subscription, as soon as it may be or at a moment after that."""
    view = ask(url, key, lambda client: client.subscriptions.cancel(subscription, utc(at), side, why))
    _show(view, as_json=as_json)


def _show(view: SubscriptionView, *, as_json: bool) -> None:
    if as_json:
        write_json(view, SubscriptionView)
    else:
        write_subscriptions(view)
