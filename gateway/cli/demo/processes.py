"""Starts a gateway and the sandbox hubs as processes of their own, as they run in earnest."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp

_START_SECONDS = 30.0


class DidNotStart(RuntimeError):
    """A process ended, or does not answer; its log is named."""


class Child:
    """A process that serves HTTP.

    Args:
        arguments: Of `python -m gateway`.
        ready: URL that answers 200 when it serves.
        log: File that its output goes to.
    """

    def __init__(self, arguments: list[str], environment: Mapping[str, str], ready: str, log: Path) -> None:
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
            DidNotStart: It ended, or took longer than half a minute.
        """
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "gateway", *self._arguments, env=self._environment, stdout=log, stderr=log
            )
        async with aiohttp.ClientSession() as session:
            for _ in range(int(_START_SECONDS / 0.1)):
                if self._process.returncode is not None:
                    break
                with suppress(aiohttp.ClientError):
                    async with session.get(self._ready) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.1)
        raise DidNotStart(f"`{' '.join(self._arguments)}` does not serve {self._ready}; see {self._log}")

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


def free_port() -> int:
    """Gives a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
