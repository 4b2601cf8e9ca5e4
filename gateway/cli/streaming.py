"""Files that commands send as they read them, with a bar for whoever looks on."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as Speed

from gateway.cli.exits import ERRORS, Exit, end

_CHUNK: Final = 256 * 1024
_GZIP: Final = b"\x1f\x8b"


class Source(NamedTuple):
    """A file's content, and whether it is packed."""

    content: AsyncIterator[bytes]
    gzip: bool


@contextmanager
def opened(file: Path, *, quiet: bool) -> Iterator[Source]:
    """Opens a file, `-` for standard input; ends the command where it cannot be read."""
    try:
        source = sys.stdin.buffer if str(file) == "-" else file.open("rb")
        size = None if str(file) == "-" else file.stat().st_size
    except OSError as error:
        end(Exit.USAGE, f"{file}: {error.strerror or error}")
    with source, _progress(quiet=quiet) as bar:
        task = bar.add_task(file.name, total=size)
        first = source.read(_CHUNK)

        async def content() -> AsyncIterator[bytes]:
            chunk = first
            while chunk:
                yield chunk
                bar.advance(task, len(chunk))
                chunk = await asyncio.to_thread(source.read, _CHUNK)

        yield Source(content(), first.startswith(_GZIP))


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
