"""`repricings`: what CDRs cost by the tariff in force at their start, and what people decide about it."""

import sys
from typing import Annotated, Final

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
    say_more,
    utc,
    when,
    write_fields,
    write_json,
    write_table,
)
from gateway.cli.client import Client
from gateway.cli.exits import ERRORS, Exit, end
from gateway.cli.filtering import Wanted, filtered
from gateway.cli.pricing.price import decimal
from gateway.http.v1.repricings import CSV, NDJSON, RecomputingStarted
from gateway.services.ports import Page
from gateway.services.ports.repricing import (
    Direction,
    Outcome,
    RepricedAmount,
    RepricingShown,
    RepricingState,
    RepricingView,
)

app = typer.Typer(no_args_is_help=True, help="What CDRs cost by their tariffs, and what people decide about it.")

No = Annotated[int, typer.Argument(metavar="ID", min=1, help="The repricing's number.")]
WhyOption = Annotated[str, typer.Option("--why", help="Why, for the audit log.")]
_FIGURES: Final = ("net", "gross")


def _filters(
    direction: Annotated[Direction | None, typer.Option(help="Only own CDRs, or only those that came home.")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="Only those that came out so.")] = None,
    state: Annotated[RepricingState | None, typer.Option(help="Only those that are so far.")] = None,
    connection: ConnectionOption = None,
    party: PartyOption = None,
    cpo: Annotated[str | None, typer.Option(help="NL*ABC; only those at this CPO's stations.")] = None,
    emsp: Annotated[str | None, typer.Option(help="FR*XYZ; only those of this EMSP's drivers.")] = None,
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
            *("id", "way", "cpo", "cdr", "emsp", "start", "outcome", "told", "calculated", "difference", ""),
            *("tariff", "state", "over"),
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
                one.currency,
                one.tariff,
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
    _show(ask(url, key, lambda client: client.repricings.get(no)), as_json=as_json)


@app.command()
def accept(no: No, why: WhyOption, url: Url = URL, key: Key = "", as_json: Json = False) -> None:
    """Take a CDR's cost as it is, though it does not follow from its tariff."""
    _show(ask(url, key, lambda client: client.repricings.accept(no, why)), as_json=as_json)


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
        taxes = [{"name": "VAT", "amount": float(decimal(tax))}] if tax is not None else []
        money = {"net": float(decimal(agreed)), "taxes": taxes}
    _show(ask(url, key, lambda client: client.repricings.dispute(no, why, money)), as_json=as_json)


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
        _show(ask(url, key, lambda client: client.repricings.recompute(no)), as_json=as_json)
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

    async def work(client: Client) -> None:
        async for piece in client.repricings.export(NDJSON if ndjson else CSV, **wanted):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    try:
        ask(url, key, work)
    except BrokenPipeError:  # the reader has seen enough
        ERRORS.print("not all was read", style="yellow")


def _show(shown: RepricingShown, *, as_json: bool) -> None:
    if as_json:
        write_json(shown, RepricingShown)
        return
    one, result = shown.repricing, shown.result
    decided = one.decided
    write_fields(
        {
            "id": one.id,
            "cdr": f"{one.cpo}/{one.cdr}",
            "received cdr": one.received,
            "party": one.party,
            "emsp": one.emsp,
            "over": one.connection,
            "start": when(one.started),
            "outcome": f"{one.outcome}: {one.why}" if one.why else one.outcome,
            "why": f"{result.field}: {result.detail}" if result.field else result.detail,
            "tariff": f"{one.tariff}, {one.source}" if one.tariff else None,
            "version": one.version,
            "state": one.state,
            "decided": f"{decided.state} by {decided.who}: {decided.why}" if decided else None,
            "agreed": f"{decided.agreed.net} {one.currency}" if decided and decided.agreed else None,
            "computed": when(one.computed),
        }
    )
    if result.parts:
        OUTPUT.print()
        heads = (
            one.currency,
            *(f"{head} {figure}" for figure in _FIGURES for head in ("told", "calculated", "more")),
            "",
        )
        rows = [
            (
                part.part,
                *(
                    _amount(amount, figure)
                    for figure in _FIGURES
                    for amount in (part.told, part.calculated, part.difference)
                ),
                "differs" if part.differs else None,
            )
            for part in result.parts
        ]
        write_table(heads, rows)
    if result.lines:
        OUTPUT.print()
        write_table(
            ("tariff", "element", "what", "periods", "from", "to", "used", "billed", "price", "net", "VAT %", "tax"),
            [
                (
                    line.tariff_id,
                    line.element,
                    f"{line.of} (reservation)" if line.reservation else line.of,
                    "–".join(map(str, dict.fromkeys(line.periods))) if line.periods else None,
                    when(line.start),
                    when(line.end),
                    line.used,
                    line.billed,
                    line.price,
                    line.net,
                    line.vat,
                    line.tax,
                )
                for line in result.lines
            ],
        )
    if result.notes:
        OUTPUT.print()
        write_table(("note", "field", "detail"), [(note.kind, note.field, note.detail) for note in result.notes])
    if shown.history:
        OUTPUT.print()
        write_table(
            ("until", "outcome", "told", "calculated", "tariff", "state", "decided"),
            [
                (
                    when(past.until),
                    past.outcome,
                    past.told_net,
                    past.net,
                    past.tariff,
                    past.state,
                    f"by {past.decided.who}: {past.decided.why}" if past.decided else None,
                )
                for past in shown.history
            ],
            title="Before",
        )


def _amount(amount: RepricedAmount | None, figure: str) -> object:
    return None if amount is None else getattr(amount, figure)
