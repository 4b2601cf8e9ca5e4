"""What all commands share that ask a running gateway: its address, the key, and how answers and refusals are shown."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

import typer
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table

from gateway.cli.client import ApiRefused, Client, Unreachable
from gateway.cli.exits import ERRORS, Exit, end

T = TypeVar("T")

Url = Annotated[str, typer.Option("--url", envvar="ROAMGATE_URL", help="Address of the gateway.")]
Key = Annotated[str, typer.Option("--key", envvar="ROAMGATE_KEY", help="API key.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for machines.")]
ConnectionOption = Annotated[str | None, typer.Option("--connection", help="Only this connection.")]
PartyOption = Annotated[str | None, typer.Option("--party", help="FR*ABC; only this party's.")]
Party = Annotated[str, typer.Argument(metavar="PARTY", help="FR*ABC")]
After = Annotated[str | None, typer.Option(help="Go on after this cursor, as the page before gave it.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="Most lines.")]
Moment = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="UTC.")]
URL = "http://127.0.0.1:8080"

_NUMBER = re.compile(r"(?:-?[\d,]+(?:\.\d+)?%?)?")
"""A cell with a number, or with nothing."""

OUTPUT = Console(highlight=False)
if not OUTPUT.is_terminal:
    OUTPUT.width = 250  # a pipe has no width, and a key folded over lines cannot be searched for


def ask(url: str, key: str, what: Callable[[Client], Awaitable[T]]) -> T:
    """Asks a gateway; ends the command where it refuses or does not answer."""

    async def run() -> T:
        async with Client(url, key) as client:
            return await what(client)

    if not url.startswith(("http://", "https://")):
        end(Exit.SETTINGS, f"ROAMGATE_URL or --url: {url!r} is not an address like {URL}")
    if not key:
        end(Exit.SETTINGS, "ROAMGATE_KEY is not set: give an API key there or by --key")
    try:
        return asyncio.run(run())
    except Unreachable as error:
        end(Exit.UNREACHABLE, str(error))
    except ApiRefused as error:
        end(code_of(error), str(error))


def pass_on(url: str, key: str, what: Callable[[Client], AsyncIterator[bytes]]) -> None:
    """Asks a gateway, and writes what it gives to standard output piece by piece."""

    async def work(client: Client) -> None:
        async for piece in what(client):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()

    try:
        ask(url, key, work)
    except BrokenPipeError:  # the reader has seen enough
        ERRORS.print("not all was read", style="yellow")


def code_of(error: ApiRefused) -> Exit:
    """Gives the exit code for a refusal: out of reach, where the gateway's database is, or a proxy finds no gateway."""
    unreachable = error.status == 503 or (error.status in {502, 504} and error.problem is None)
    return Exit.UNREACHABLE if unreachable else Exit.FAILED


def write_json(value: Any, kind: Any) -> None:
    """Writes a value as JSON."""
    typer.echo(TypeAdapter(kind).dump_json(value, indent=2))


def write_table(heads: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> None:
    """Writes a table; numbers stand to the right."""
    lines = [["" if cell is None else str(cell) for cell in row] for row in rows]
    table = Table(
        title=title, title_justify="left", box=None, pad_edge=False, header_style="bold", show_header=any(heads)
    )
    for index, head in enumerate(heads):
        cells = [line[index] for line in lines]
        numbers = any(cells) and all(map(_NUMBER.fullmatch, cells))
        table.add_column(head, justify="right" if numbers else "left", overflow="fold")
    for line in lines:
        table.add_row(*map(_plain, line))
    if OUTPUT.is_terminal:
        OUTPUT.print(table)
        return
    with OUTPUT.capture() as captured:
        OUTPUT.print(table)
    # Columns are filled up with blanks, the last one too, which is of no use to whoever reads a pipe.
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def write_fields(fields: Mapping[str, object]) -> None:
    """Writes what one thing consists of, a line each, without what is None."""
    write_table(("", ""), [(name, value) for name, value in fields.items() if value is not None])


def say_more(cursor: str | None) -> None:
    """Says how to get the next page, beside the table."""
    if cursor is not None:
        ERRORS.print(f"There is more: --after {cursor}", markup=False, soft_wrap=True)


def decimal(text: str) -> Decimal:
    """Reads a number of the command line."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is not a number") from None
    if not value.is_finite():
        raise typer.BadParameter(f"{text!r} is not a number")
    return value


def utc(moment: datetime | None) -> str | None:
    """Writes a moment that was given without its zone, for the gateway."""
    return None if moment is None else moment.replace(tzinfo=UTC).isoformat()


def when(moment: datetime | None) -> str | None:
    """Shows a moment, to the second."""
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _plain(text: str) -> str:
    # A hub's words may look like markup.
    return harmless(text).replace("[", r"\[")


def harmless(text: str) -> str:
    """Takes from a partner's text what would command the terminal."""
    return text.replace("\x1b", "\N{SYMBOL FOR ESCAPE}")
