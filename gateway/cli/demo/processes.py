"""Starts a gateway and the sandbox hubs as processes of their own, as they run in earnest."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import aiohttp

from gateway.cli.exits import Exit, end

_START_SECONDS = 120.0
"""On a machine that is busy with other work a process takes half a minute to import what it needs."""


Ready = Callable[[], Awaitable[bool]]


class Failed(RuntimeError):
    """The demo or a measurement cannot go on; the text says why."""


@contextmanager
def failures_end() -> Iterator[None]:
    """Ends the command where what it does cannot go on."""
    try:
        yield
    except Failed as error:
        end(Exit.FAILED, str(error))


class DidNotStart(Failed):
    """A process ended, or does not answer; its log is named."""


class Child:
    """A process that serves HTTP.

    Args:
        arguments: Of `python -m gateway`.
        ready: Tells whether it serves.
        log: File that its output goes to.
    """

    def __init__(self, arguments: list[str], environment: Mapping[str, str], ready: Ready, log: Path) -> None:
        self._arguments = arguments
        self._environment = {**os.environ, **environment}
        self._ready = ready
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Number of the running process."""
        if self._process is None:
            raise RuntimeError("not started")
        return self._process.pid

    async def start(self) -> None:
        """Starts it and waits until it serves.

        Raises:
            DidNotStart: It ended, or took longer than two minutes.
        """
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway", *self._arguments, env=self._environment, stdout=log, stderr=log
            )
        for _ in range(int(_START_SECONDS / 0.1)):
            if self._process.returncode is not None:
                break
            if await self._ready():
                return
            await asyncio.sleep(0.1)
        raise DidNotStart(f"`{' '.join(self._arguments)}` does not serve; its log:\n{self._log.read_text()[-2000:]}")

    async def kill(self) -> None:
        """Ends it at once, as a power failure does."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """Asks it to end, and waits until it has."""
        await self._end(signal.SIGTERM)

    async def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(how)
            await self._process.wait()


@asynccontextmanager
async def started(child: Child) -> AsyncIterator[Child]:
    """Runs a process until the block ends."""
    try:
        await child.start()
        yield child
    finally:
        await child.stop()


def answers(url: str) -> Ready:
    """Makes a check that a URL answers 200."""

    async def ready() -> bool:
        with suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                return answer.status == 200
        return False

    return ready


def exists(path: Path) -> Ready:
    """Makes a check that a file is there, which its writer puts in place whole."""

    async def ready() -> bool:
        return await asyncio.to_thread(path.exists)

    return ready


def free_port() -> int:
    """Gives a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
