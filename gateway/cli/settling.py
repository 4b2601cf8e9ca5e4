"""`settle`: who owes whom for a period."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from gateway.cli.asking import (
    OUTPUT,
    URL,
    ConnectionOption,
    Json,
    Key,
    Party,
    Url,
    ask,
    pass_on,
    when,
    write_json,
    write_table,
)
from gateway.cli.client import Client
from gateway.cli.exits import Exit, end
from gateway.http.tables import CSV, NDJSON
from gateway.pricing.currencies import minor
from gateway.services.ports.repricing import Direction
from gateway.services.ports.settlement import SettlementReport
from gateway.settling.lines import Remark

_HTML: Final = "text/html"
_FORMATS: Final = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


def settle(
    party: Party,
    from_: Annotated[
        datetime,
        typer.Option("--from", formats=_FORMATS, help="The first day, or moment in UTC, in which charges ended."),
    ],
    to: Annotated[
        datetime, typer.Option("--to", formats=_FORMATS, help="The first day, or moment in UTC, after them.")
    ],
    url: Url = URL,
    key: Key = "",
    direction: Annotated[Direction, typer.Option(help="Own stations, or own drivers at partners'.")] = Direction.OUT,
    partner: Annotated[str | None, typer.Option(help="NL*ABC; only with this party.")] = None,
    connection: ConnectionOption = None,
    time_zone: Annotated[str | None, typer.Option(help="In which days begin, Europe/Paris; UTC without it.")] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="As a report tells it, which makes that report again.")
    ] = None,
    late_since: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="The as-of of the report before; what came later counts, too.")
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="Every CDR instead, as JSON lines, or with --csv.")] = False,
    only: Annotated[Remark | None, typer.Option(help="Of --lines, only those of which this is to be said.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV to standard output.")] = False,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page that can be printed.")] = None,
    as_json: Json = False,
) -> None:
    """Say who owes PARTY what, or what it owes, for the charges that ended in a period. Nothing is paid."""
    if sum((as_json, as_csv, html is not None)) > 1 or (lines and html is not None):
        end(Exit.USAGE, "choose one of --json, --csv and --html; --lines goes with --csv alone")
    if only is not None and not lines:
        end(Exit.USAGE, "--only goes with --lines")
    wanted: dict[str, Any] = {
        "party": party,
        "from": _edge(from_),
        "to": _edge(to),
        "direction": direction,
        "partner": partner,
        "connection": connection,
        "time_zone": time_zone,
        "as_of": as_of,
        "late_since": late_since,
    }
    if lines:
        media = CSV if as_csv else NDJSON
        pass_on(url, key, lambda client: client.settlements.lines(media, **wanted, only=only))
    elif as_csv:
        pass_on(url, key, lambda client: client.settlements.written(CSV, **wanted))
    elif html is not None:
        _save(url, key, wanted, html)
    else:
        report = ask(url, key, lambda client: client.settlements.report(**wanted))
        if as_json:
            write_json(report, SettlementReport)
        else:
            _show(report)


def _edge(given: datetime) -> str:
    """Gives a day as such, and everything else as a moment."""
    if given.time() == datetime.min.time():
        return given.date().isoformat()
    return given.replace(tzinfo=UTC).isoformat()


def _save(url: str, key: str, wanted: dict[str, Any], file: Path) -> None:
    async def work(client: Client) -> bytes:
        return b"".join([piece async for piece in client.settlements.written(_HTML, **wanted)])

    page = ask(url, key, work)
    try:
        file.write_bytes(page)
    except OSError as error:
        end(Exit.FAILED, f"{file}: {error.strerror or error}")
    OUTPUT.print(f"written to {file}", markup=False)


def _money(amount: Decimal | None, currency: str) -> str | None:
    """Shows an amount with all its places, of which JSON tells no zero at the end."""
    return f"{amount:,.{minor(currency)}f}" if amount is not None else None


def _show(report: SettlementReport) -> None:
    write_table(
        (
            "owed by",
            "cpo",
            "emsp",
            "sessions",
            "kWh",
            "net",
            "VAT",
            "gross",
            "",
            "VAT undecided",
            "no price",
            "disputed",
        ),
        [
            (
                *(one.owed_by or "unknown", one.cpo, one.emsp, one.sessions, one.energy),
                *(_money(amount, one.currency) for amount in (one.net, one.vat, one.gross)),
                *(one.currency, _money(one.undecided_net or None, one.currency)),
                *(one.unpriced or None, one.disputed or None),
            )
            for one in report.balances
        ],
        title=f"{report.party} from {when(report.start)} to {when(report.end)} UTC",
    )
    write_table(
        (
            "cpo",
            "emsp",
            "over",
            "country",
            "tax",
            "VAT %",
            "sessions",
            "kWh",
            "minutes",
            "net",
            "VAT",
            "gross",
            "",
            "rounding",
        ),
        [
            (
                *(row.cpo, row.emsp, row.connection, row.country),
                f"{row.treatment}: {row.why}" if row.why is not None else row.treatment,
                *(row.vat_rate, row.sessions, row.energy, row.minutes),
                *(_money(amount, row.currency) for amount in (row.net, row.vat, row.gross)),
                row.currency,
                f"{row.rounding.at} {row.rounding.mode}",
            )
            for row in report.rows
        ],
    )
    for remark in report.remarks:
        OUTPUT.print(f"{remark.remark}: {remark.count}", markup=False)
    missing = report.missing
    OUTPUT.print(f"sessions without CDR: {missing.sessions_without_cdr}, CDRs in review: {missing.cdrs_in_review}")
    if missing.cdrs_without_emsp:
        OUTPUT.print(f"CDRs of drivers of whom nobody knows whose they are: {missing.cdrs_without_emsp}")
    OUTPUT.print(f"as of {report.as_of.isoformat()}, SHA-256 {report.digest}", markup=False)
