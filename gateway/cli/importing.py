"""`import`: a file into a running gateway."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic_core import to_json

from gateway.cli.answers import read
from gateway.cli.asking import OUTPUT, URL, Json, Key, Url, ask, code_of, write_json, write_table
from gateway.cli.client import ApiRefused, Client
from gateway.cli.exits import Exit, end
from gateway.cli.streaming import opened
from gateway.services.ports import ImportReport, RefusalReason
from mappings.canonical.ids import PartyId

_SHOWN = 15


def import_file(
    file: Annotated[Path, typer.Argument(help="What to import; - for standard input.")],
    url: Url = URL,
    key: Key = "",
    party: Annotated[str | None, typer.Option(help="FR*ABC: take the records of this party only.")] = None,
    as_json: Json = False,
) -> None:
    """Import a file: OCPI, OICP or French IRVE, in JSON, NDJSON or CSV, plain or gz; recognised by its content.

    Whatever can be stored is; each refused record is reported with its line and why, and stops no other.
    """
    try:
        meant = PartyId(party) if party is not None else None
    except ValueError as error:
        end(Exit.USAGE, str(error))
    with opened(file, quiet=as_json) as source:

        async def work(client: Client) -> ImportReport | ApiRefused:
            try:
                return await client.imports.send(source.content, file.name, meant)
            except ApiRefused as error:
                return error

        result = ask(url, key, work)
    if isinstance(result, ApiRefused):
        _end_refused(result, as_json=as_json)
    _show(result, as_json=as_json)
    if result.read and not _stored(result):
        end(Exit.NOTHING_STORED, "nothing was stored")


def _stored(report: ImportReport) -> int:
    return report.created + report.updated + report.unchanged + report.skipped


def _end_refused(error: ApiRefused, *, as_json: bool) -> NoReturn:
    """Shows what came of the file before it broke off, if it did, and ends the command."""
    if error.problem is not None and error.problem.done is not None:
        _show(read(ImportReport, to_json(error.problem.done)), as_json=as_json)
        end(Exit.DAMAGED, str(error))
    # The content is of no known format.
    end(Exit.NOTHING_STORED if error.status == 422 else code_of(error), str(error))


def _show(report: ImportReport, *, as_json: bool) -> None:
    if as_json:
        write_json(report, ImportReport)
        return
    OUTPUT.print(f"{report.format}: {report.read} records in {report.seconds:.1f} s", markup=False)
    counted = ("locations", "evses", "tariffs", "statuses", "created", "updated", "unchanged", "skipped", "refused")
    write_table(("", ""), [(name, getattr(report, name)) for name in counted])
    if report.reasons:
        OUTPUT.print()
        rows = [(one.count, one.field, one.detail, _first(report, one)) for one in report.reasons[:_SHOWN]]
        write_table(("records", "field", "reason", "first in line"), rows, title="Refused")
    if report.issues:
        OUTPUT.print()
        noted = [(one.count, one.kind, one.field) for one in report.issues[:_SHOWN]]
        write_table(("times", "what", "field"), noted, title="Lost or mended")


def _first(report: ImportReport, reason: RefusalReason) -> int | None:
    return next((one.line for one in report.refusals if one.detail == reason.detail), None)
