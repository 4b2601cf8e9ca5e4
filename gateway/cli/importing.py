"""`import`: a file into a running gateway."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, BinaryIO, NoReturn

import typer
from pydantic_core import to_json
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as Speed

from gateway.cli.answers import read
from gateway.cli.asking import OUTPUT, URL, Json, Key, Url, ask, code_of, write_json, write_table
from gateway.cli.client import ApiRefused, Client
from gateway.cli.exits import ERRORS, Exit, end
from gateway.services.ports import ImportReport, RefusalReason
from mappings.canonical.ids import PartyId

_CHUNK = 256 * 1024
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
    source, size = _open(file)
    with source, _progress(quiet=as_json) as bar:
        task = bar.add_task(file.name, total=size)

        async def work(client: Client) -> ImportReport | ApiRefused:
            try:
                return await client.imports.send(_chunks(source, bar, task), file.name, meant)
            except ApiRefused as error:
                return error

        result = ask(url, key, work)
    if isinstance(result, ApiRefused):
        _end_refused(result, as_json=as_json)
    _show(result, as_json=as_json)
    if result.read and not _stored(result):
        end(Exit.NOTHING_STORED, "nothing was stored")


def _open(file: Path) -> tuple[BinaryIO, int | None]:
    if str(file) == "-":
        return sys.stdin.buffer, None
    try:
        return file.open("rb"), file.stat().st_size
    except OSError as error:
        end(Exit.USAGE, f"{file}: {error.strerror or error}")


def _progress(*, quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        Speed(),
        TimeRemainingColumn(),
        console=ERRORS,
        transient=True,
        disable=quiet or not ERRORS.is_terminal,
    )


async def _chunks(source: BinaryIO, bar: Progress, task: TaskID) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(source.read, _CHUNK):
        yield chunk
        bar.advance(task, len(chunk))


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
