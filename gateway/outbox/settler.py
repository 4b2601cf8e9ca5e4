"""Writes what came of the work, much of it in one transaction.

Work of one operation ends at all moments. While one transaction runs, what ends meanwhile waits together for the next.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

R = TypeVar("R")


class Settler(Generic[R]):
    """Settles the work of one operation at one destination.

    Args:
        write: Writes results in one transaction; gives those that were ours to write.
        settled: Told of every result that was written.
    """

    def __init__(self, write: Callable[[Sequence[R]], Awaitable[Sequence[R]]], settled: Callable[[R], None]) -> None:
        self._write_all = write
        self._settled = settled
        self._waiting: list[tuple[R, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def settle(self, result: R) -> None:
        """Writes a result; returns when it is durable, or was found to be somebody else's to write."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((result, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                written = await self._write_all([result for result, _ in batch])
            except Exception as error:  # noqa: BLE001 - each hears of it; its lease runs out and the work is redone
                for _, done in batch:
                    if not done.done():  # whoever waited may have been cancelled
                        done.set_exception(error)
                continue
            for result in written:
                self._settled(result)
            for _, done in batch:
                if not done.done():
                    done.set_result(None)
