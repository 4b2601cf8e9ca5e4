"""`offers`: who may have what of a network, and at what price."""

from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.cli import offers_shown as shown
from gateway.cli.asking import (
    OUTPUT,
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
    write_json,
    write_table,
)
from gateway.cli.exits import Exit, end
from gateway.cli.given_files import ObjectFile, bytes_of, object_of
from gateway.http.v1.offers import History
from gateway.services.ports import Page
from gateway.services.ports.offers import Drift, DriftKind, OfferView
from mappings.canonical.agreements import OfferState

app = typer.Typer(no_args_is_help=True, help="Who may have what of a network, and at what price.")

OfferId = Annotated[str, typer.Argument(metavar="ID", help="The offer's id.")]


@app.command("list")
def list_(
    url: Url = URL,
    key: Key = "",
    connection: ConnectionOption = None,
    cpo: Annotated[str | None, typer.Option(help="FR*ABC; only offers of this CPO.")] = None,
    state: Annotated[OfferState | None, typer.Option(help="Only those that are so far.")] = None,
    party: PartyOption = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List the offers of your networks, those for your EMSPs, and the public ones."""
    wanted = {"connection": connection, "cpo": cpo, "state": state, "party": party}
    page = ask(url, key, lambda client: client.offers.list(**wanted, after=after, limit=limit))
    if as_json:
        write_json(page, Page[OfferView])
        return
    shown.write_offers(page.items)
    say_more(page.next)


@app.command()
def show(offer: OfferId, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show an offer with all its versions."""
    shown.write_offer(ask(url, key, lambda client: client.offers.get(offer)), as_json=as_json)


@app.command()
def put(file: ObjectFile, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Write a draft from a file of `offer` and `terms`; nobody else sees it till it is published."""
    draft = object_of(file)
    offer = _id_in(draft, file)
    shown.write_offer(ask(url, key, lambda client: client.offers.put(offer, draft)), as_json=as_json)


@app.command()
def remove(offer: OfferId, url: Url = URL, key: Key = "") -> None:
    """Forget a draft."""
    ask(url, key, lambda client: client.offers.remove(offer))


@app.command()
def publish(offer: OfferId, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Publish a draft. From then on it changes by new versions only."""
    shown.write_offer(ask(url, key, lambda client: client.offers.publish(offer)), as_json=as_json)


@app.command()
def version(
    offer: OfferId,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", exists=True, dir_okay=False, help="`starts` and `terms`, JSON or TOML."),
    ] = None,
    url: Url = URL,
    key: Key = "",
    drop: Annotated[
        int | None, typer.Option("--drop", metavar="NUMBER", min=1, help="Take this version back, instead.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add a version that starts after the lead time, or take one back that is not in force yet."""
    if (file is None) == (drop is None):
        end(Exit.USAGE, "name either a file, or --drop")
    if drop is not None:
        view = ask(url, key, lambda client: client.offers.drop_version(offer, drop))
    else:
        given = object_of(file or Path())
        view = ask(url, key, lambda client: client.offers.add_version(offer, given))
    shown.write_offer(view, as_json=as_json)


@app.command()
def cancel(offer: OfferId, url: Url = URL, key: Key = "", at: Moment = None, as_json: Json = False) -> None:
    """End an offer, and its subscriptions, as soon as its notice allows or at a moment after that."""
    shown.write_offer(ask(url, key, lambda client: client.offers.cancel(offer, utc(at))), as_json=as_json)


@app.command()
def preview(
    offer: Annotated[str | None, typer.Argument(metavar="[ID]", help="A stored offer.")] = None,
    url: Url = URL,
    key: Key = "",
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="One that is not stored: `offer` and `terms`.")
    ] = None,
    at: Moment = None,
    emsps: Annotated[
        list[str] | None, typer.Option("--emsp", help="DE*XYZ; may be repeated. All whom it is for without it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say who would see and pay what under an offer, and why it could not be published."""
    if (offer is None) == (file is None):
        end(Exit.USAGE, "name either a stored offer, or a --file")
    wish: dict[str, Any] = object_of(file) if file is not None else {}
    if at is not None:
        wish["at"] = utc(at)
    if emsps:
        wish["emsps"] = emsps
    shown.write_preview(ask(url, key, lambda client: client.offers.preview(offer, wish)), as_json=as_json)


@app.command()
def history(offer: OfferId, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Tell what was done to an offer and its subscriptions, when, and by whom."""
    found = ask(url, key, lambda client: client.offers.history(offer))
    if as_json:
        write_json(found, History)
        return
    rows = [(when(one.at), one.who, one.action, one.subject) for one in found.items]
    write_table(("at", "who", "did", "to"), rows)


@app.command("hub-ids")
def hub_ids(offer: OfferId, file: ObjectFile, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Say what a hub calls the parts of an offer, where its answer was lost, from a file."""
    ids = object_of(file)
    shown.write_offer(ask(url, key, lambda client: client.offers.set_hub_ids(offer, ids)), as_json=as_json)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="Agreements, CSV or JSON; - for standard input.")],
    connection: Annotated[str, typer.Option(help="The hub in whose portal they were signed.")],
    url: Url = URL,
    key: Key = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would come of it.")] = False,
    as_json: Json = False,
) -> None:
    """Take agreements over that were signed in a portal. A bad row is refused by its number, the rest is taken."""
    content = bytes_of(file)
    is_json = content.lstrip()[:1] in (b"[", b"{")
    report = ask(url, key, lambda client: client.offers.take(connection, content, is_json=is_json, dry_run=dry_run))
    shown.write_import(report, as_json=as_json)
    if report.refused:
        taken = report.added + report.changed + report.unchanged
        end(Exit.FAILED if taken else Exit.NOTHING_STORED, f"{len(report.refused)} refused")


@app.command()
def drift(
    url: Url = URL,
    key: Key = "",
    connection: ConnectionOption = None,
    after: After = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List where hubs disagree with the record here. Nothing is overwritten by it."""
    page = ask(url, key, lambda client: client.offers.drift(connection, after, limit))
    if as_json:
        write_json(page, Page[Drift])
        return
    shown.write_drifts(page.items)
    say_more(page.next)


@app.command()
def settle(
    connection: Annotated[str, typer.Argument(help="Whose hub disagrees.")],
    kind: Annotated[DriftKind, typer.Argument(help="As `drift` shows it.")],
    subject: Annotated[str, typer.Argument(help="As `drift` shows it.")],
    field: Annotated[str, typer.Argument(help="As `drift` shows it; empty where it shows none.")] = "",
    url: Url = URL,
    key: Key = "",
) -> None:
    """Put a disagreement aside that you have looked at; it comes back when it is seen again."""
    ask(url, key, lambda client: client.offers.settle(connection, kind.value, subject, field))
    OUTPUT.print("put aside")


def _id_in(draft: dict[str, Any], file: Path) -> str:
    offer = draft.get("offer")
    id_ = offer.get("id") if isinstance(offer, dict) else None
    if not isinstance(id_, str) or not id_:
        end(Exit.USAGE, f"{file}: offer.id is required")
    return id_
