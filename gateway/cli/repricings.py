"""`repricings`: what CDRs cost by the tariff in force at their start, and what people decide about it."""

from decimal import Decimal
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
    PartyOption,
    Url,
    ask,
    decimal,
    pass_on,
    say_more,
    utc,
    when,
    write_json,
    write_table,
)
from gateway.cli.exits import Exit, end
from gateway.cli.filtering import Wanted, filtered
from gateway.cli.repriced import agreement_name, write_shown
from gateway.http.v1.repricings import RecomputingStarted
from gateway.http.v1.repricings_export import CSV, NDJSON
from gateway.services.ports import Page
from gateway.services.ports.repricing import (
    Direction,
    Outcome,
    RepricingState,
    RepricingView,
)

app = typer.Typer(no_args_is_help=True, help="What CDRs cost by their tariffs, and what people decide about it.")

No = Annotated[int, typer.Argument(metavar="ID", min=1, help="The repricing's number.")]
WhyOption = Annotated[str, typer.Option("--why", help="Why, for the audit log.")]


def _filters(
    direction: Annotated[Direction | None, typer.Option(help="Only own CDRs, or only those that came home.")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="Only those that came out so.")] = None,
    state: Annotated[RepricingState | None, typer.Option(help="Only those that are so far.")] = None,
    connection: ConnectionOption = None,
    party: PartyOption = None,
    cpo: Annotated[str | None, typer.Option(help="NL*ABC; only those at this CPO's stations.")] = None,
    emsp: Annotated[str | None, typer.Option(help="FR*XYZ; only those of this EMSP's drivers.")] = None,
    cdr: Annotated[str | None, typer.Option(metavar="ID", help="Only the CDR of this id.")] = None,
    since: Moment = None,
    until: Moment = None,
) -> Wanted:
    return {
        "direction": direction,
        "outcome": outcome,
        "state": state,
        "connection": connection,
        "party": party,
        "cpo": cpo,
        "emsp": emsp,
        "cdr": cdr,
        "since": utc(since),
        "until": utc(until),
    }


@app.command("list")
@filtered(_filters)
def list_(
    wanted: Wanted, url: Url = URL, key: Key = "", after: After = None, limit: Limit = 100, as_json: Json = False
) -> None:
    """List what came of CDRs, the newest first; --since and --until count from the charge's beginning."""
    page = ask(url, key, lambda client: client.repricings.list(**wanted, after=after, limit=limit))
    if as_json:
        write_json(page, Page[RepricingView])
        return
    write_table(
        (
            *("id", "way", "cpo", "cdr", "emsp", "start", "outcome", "told", "calculated", "difference", "with tax"),
            *("", "tariff", "agreement", "state", "over"),
        ),
        [
            (
                one.id,
                one.direction,
                one.cpo,
                one.cdr,
                one.emsp,
                when(one.started),
                f"{one.outcome}: {one.why}" if one.why else one.outcome,
                one.told_net,
                one.net,
                one.difference_net,
                one.difference_gross,
                one.currency,
                one.tariff,
                agreement_name(one.agreement) if one.agreement else None,
                one.state,
                one.connection,
            )
            for one in page.items
        ],
    )
    say_more(page.next)


@app.command()
def show(no: No, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Show what a CDR says that it costs beside what follows from its tariff, line by line."""
    write_shown(ask(url, key, lambda client: client.repricings.get(no)), as_json=as_json)


@app.command()
def accept(no: No, why: WhyOption, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Take a CDR's cost as it is, though it does not follow from its tariff."""
    write_shown(ask(url, key, lambda client: client.repricings.accept(no, why)), as_json=as_json)


@app.command()
def dispute(
    no: No,
    why: WhyOption,
    url: Url = URL,
    key: Key = "",
    agreed: Annotated[str | None, typer.Option(metavar="NET", help="Agreed on instead, without tax.")] = None,
    tax: Annotated[str | None, typer.Option(metavar="AMOUNT", help="VAT on what was agreed on.")] = None,
    as_json: Json = False,
) -> None:
    """Do not take a CDR's cost. No hub is told; an own CDR is corrected by POST /v1/cdrs/PARTY/ID/corrections."""
    if tax is not None and agreed is None:
        end(Exit.USAGE, "--tax is on what was agreed on: give --agreed")
    money = None
    if agreed is not None:
        taxes = [{"name": "VAT", "amount": float(_amount(tax, "--tax"))}] if tax is not None else []
        money = {"net": float(_amount(agreed, "--agreed")), "taxes": taxes}
    write_shown(ask(url, key, lambda client: client.repricings.dispute(no, why, money)), as_json=as_json)


def _amount(text: str, option: str) -> Decimal:
    try:
        return decimal(text)
    except typer.BadParameter as error:
        end(Exit.USAGE, f"{option}: {error.message}")


@app.command()
def recompute(
    no: Annotated[int | None, typer.Argument(metavar="[ID]", min=1, help="The repricing's number.")] = None,
    url: Url = URL,
    key: Key = "",
    since: Moment = None,
    party: PartyOption = None,
    as_json: Json = False,
) -> None:
    """Price a CDR anew by what is known now, or, in the background, those of all charges since a moment."""
    if (no is None) == (since is None):
        end(Exit.USAGE, "name either a repricing, or --since")
    if no is not None:
        write_shown(ask(url, key, lambda client: client.repricings.recompute(no)), as_json=as_json)
        return
    started = ask(url, key, lambda client: client.repricings.recompute_all(utc(since) or "", party))
    if as_json:
        write_json(started, RecomputingStarted)
    else:
        OUTPUT.print(f"{started.count} CDRs are priced anew")


@app.command()
@filtered(_filters)
def export(
    wanted: Wanted,
    url: Url = URL,
    key: Key = "",
    ndjson: Annotated[bool, typer.Option("--ndjson", help="A JSON line for each, instead of CSV.")] = False,
) -> None:
    """Write all repricings that the options mean, however many, to standard output."""
    pass_on(url, key, lambda client: client.repricings.export(NDJSON if ndjson else CSV, **wanted))
