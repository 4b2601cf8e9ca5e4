"""A client that costs little: on two cores, whatever it takes is taken from the gateway that is measured."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


class Wire:
    """Kept-alive HTTP/1.1 connections to one server, for POSTs to one path whose answers have a length."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._free: asyncio.LifoQueue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.LifoQueue()

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """Sends a body once a connection is free; gives status and answer.

        Raises:
            OSError, asyncio.IncompleteReadError: The connection broke.
        """
        reader, writer = await self._free.get()
        try:
            writer.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            return int(head[9:12]), await reader.readexactly(int(length[1]) if length else 0)
        finally:
            self._free.put_nowait((reader, writer))


@asynccontextmanager
async def wire(url: str, headers: dict[str, str], connections: int) -> AsyncIterator[Wire]:
    """Opens connections, and closes them at the end."""
    parts = urlsplit(url)
    given = "".join(f"{name}: {value}\r\n" for name, value in {"Host": parts.netloc, **headers}.items())
    opened = Wire(f"POST {parts.path} HTTP/1.1\r\n{given}Content-Length: ".encode())
    writers: list[asyncio.StreamWriter] = []
    try:
        for _ in range(connections):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writers.append(writer)
            opened._free.put_nowait((reader, writer))  # noqa: SLF001 - the two are one
        yield opened
    finally:
        for writer in writers:
            writer.close()
