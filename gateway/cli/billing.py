"""`billing-parties`: how parties are billed, ours and partners'."""

from typing import Annotated, Any

import typer

from gateway.cli.asking import (
    URL,
    After,
    Json,
    Key,
    Limit,
    Party,
    Url,
    ask,
    say_more,
    write_fields,
    write_json,
    write_table,
)
from gateway.services.ports import Page
from mappings.canonical.billing import BillingParty

app = typer.Typer(no_args_is_help=True, help="How parties are billed: legal name, country, VAT id.")


@app.command("list")
def list_(url: Url = URL, key: Key = "", after: After = None, limit: Limit = 100, as_json: Json = False) -> None:
    """List who is on record."""
    page = ask(url, key, lambda client: client.billing_parties.list(after, limit))
    if as_json:
        write_json(page, Page[BillingParty])
        return
    write_table(
        ("party", "name", "country", "VAT id", "email"),
        [(one.party, one.name, one.country, one.vat_id, one.email) for one in page.items],
    )
    say_more(page.next)


@app.command()
def show(party: Party, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show how a party is billed."""
    _show(ask(url, key, lambda client: client.billing_parties.get(party)), as_json=as_json)


@app.command()
def put(
    party: Party,
    name: Annotated[str, typer.Option(help="The legal name.")],
    country: Annotated[str, typer.Option(metavar="FRA", help="Where it is established, ISO 3166-1 alpha-3.")],
    url: Url = URL,
    key: Key = "",
    vat_id: Annotated[str | None, typer.Option(help="With its country's prefix.")] = None,
    address: Annotated[list[str] | None, typer.Option(help="A line; may be repeated.")] = None,
    email: Annotated[str | None, typer.Option(help="Where settlements go.")] = None,
    as_json: Json = False,
) -> None:
    """Write how a party is billed; what is left out is none."""
    given: dict[str, Any] = {
        "party": party,
        "name": name,
        "country": country,
        "vat_id": vat_id,
        "address": address or [],
        "email": email,
    }
    _show(ask(url, key, lambda client: client.billing_parties.put(party, given)), as_json=as_json)


def _show(one: BillingParty, *, as_json: bool) -> None:
    if as_json:
        write_json(one, BillingParty)
        return
    write_fields(
        {
            "party": one.party,
            "name": one.name,
            "address": ", ".join(one.address) or None,
            "country": one.country,
            "VAT id": one.vat_id,
            "email": one.email,
        }
    )
