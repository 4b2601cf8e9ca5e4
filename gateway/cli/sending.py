"""Handing over files of one object a line, and showing what came of the lines."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from pydantic_core import to_json

from gateway.cli.answers import read
from gateway.cli.asking import OUTPUT, ask, code_of, write_fields, write_json, write_table
from gateway.cli.client import ApiRefused, Client
from gateway.cli.exits import Exit, end
from gateway.cli.streaming import opened
from gateway.http.v1.shapes import BulkSummary

Send: TypeAlias = Callable[[Client, AsyncIterator[bytes], bool], Awaitable[BulkSummary]]
"""Streams content, packed or not."""


def send_file(file: Path, url: str, key: str, send: Send, *, as_json: bool) -> None:
    """Streams a file, plain or gz, and ends the command as its lines fared."""
    with opened(file, quiet=as_json) as source:

        async def work(client: Client) -> BulkSummary | ApiRefused:
            try:
                return await send(client, source.content, source.gzip)
            except ApiRefused as error:
                return error

        result = ask(url, key, work)
    if isinstance(result, ApiRefused):
        if result.problem is not None and result.problem.done is not None:
            _show(read(BulkSummary, to_json(result.problem.done)), as_json=as_json)
        end(Exit.DAMAGED if result.status == 400 else code_of(result), str(result))
    _show(result, as_json=as_json)
    if result.refused:
        end(Exit.FAILED if result.refused < result.read else Exit.NOTHING_STORED, f"{result.refused} refused")


def _show(summary: BulkSummary, *, as_json: bool) -> None:
    if as_json:
        write_json(summary, BulkSummary)
        return
    names = ("read", "created", "updated", "unchanged", "refused", "issues")
    # What is never updated has no line for it.
    counts = {name: getattr(summary, name) for name in names}
    write_fields({name: count for name, count in counts.items() if name != "updated" or count})
    if summary.errors:
        OUTPUT.print()
        rows = [(one.line, one.field, one.detail) for one in summary.errors]
        write_table(("line", "field", "reason"), rows, title="Refused")
