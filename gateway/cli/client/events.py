"""Events as they happen, and who is told of them or asked."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import aiohttp

from gateway.cli.client.wire import ApiRefused, Unreachable, Wire, params, path_of
from gateway.events.writing import EventType
from gateway.http.v1.events import HEARTBEAT, STREAM
from gateway.http.v1.listeners import Disclosed, ListenerList
from gateway.services.ports.events import HookView, Tested

_SILENT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=3 * HEARTBEAT)
_AGAIN: Final = 1.0


class Streamed(NamedTuple):
    """Where to read on, and what stands before it: an event as JSON, or nothing as yet."""

    cursor: str
    json: bytes | None


class Events:
    """`/v1/events`."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def follow(
        self, party: str | None, type_: EventType | None, after: str | None, lost: Callable[[str], None]
    ) -> AsyncGenerator[Streamed, None]:
        """Streams events for ever, going on where a stream ended or broke off.

        Args:
            after: A cursor; None for the oldest that is kept, `latest` for what happens from now on.
            lost: Is told why, once each time that the gateway is out of reach after it was within.

        Raises:
            ApiRefused: The gateway says no.
            Unreachable: Nothing answers, and nothing has before.
        """
        began = silent = False
        while True:
            try:
                async for streamed in self._stream(params(party=party, type=type_, after=after)):
                    began, silent, after = True, False, streamed.cursor
                    yield streamed
            except (Unreachable, ApiRefused) as error:
                away = isinstance(error, Unreachable) or error.status >= 500
                if not (began and away):
                    raise
                if not silent:
                    lost(str(error))
                silent = True
            await asyncio.sleep(_AGAIN)

    async def _stream(self, query: Mapping[str, str]) -> AsyncIterator[Streamed]:
        """Reads Server-Sent Events, of which the gateway writes `id`, `data` in one line, and comments."""
        rest = b""
        async for piece in self._wire.stream(path_of("events"), STREAM, params=query, timeout=_SILENT):
            *blocks, rest = (rest + piece).split(b"\n\n")
            for block in blocks:
                fields = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
                if b"id" in fields:
                    yield Streamed(fields[b"id"].decode(), fields.get(b"data"))


class Listeners:
    """`/v1/webhooks` or `/v1/call-outs`."""

    def __init__(self, wire: Wire, resource: str) -> None:
        self._wire = wire
        self._resource = resource

    async def list(self) -> Sequence[HookView]:
        """Gives all, by name."""
        return (await self._wire.ask(ListenerList, "GET", path_of(self._resource))).items

    async def add(self, listener: Mapping[str, Any]) -> Disclosed:
        """Adds one; what is left out is not restricted."""
        return await self._wire.ask(Disclosed, "POST", path_of(self._resource), json=listener)

    async def change(self, name: str, change: Mapping[str, Any]) -> HookView:
        """Changes what is named."""
        return await self._wire.ask(HookView, "PATCH", path_of(self._resource, name), json=change)

    async def rotate(self, name: str) -> Disclosed:
        """Makes a new secret."""
        return await self._wire.ask(Disclosed, "POST", path_of(self._resource, name, "rotate"))

    async def remove(self, name: str) -> None:
        """Removes one."""
        await self._wire.answer("DELETE", path_of(self._resource, name))

    async def test(self, name: str) -> Tested:
        """Tells a webhook a made-up event."""
        return await self._wire.ask(Tested, "POST", path_of(self._resource, name, "test"))
