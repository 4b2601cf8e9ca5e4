"""Writes what came of lanes, many lanes in one transaction.

Lanes of one operation end at all moments. While one transaction runs, what ends meanwhile waits together for the next.
"""

import asyncio
from collections.abc import Callable, Sequence

from gateway.outbox.repository import LaneResult, Outbox


class Settler:
    """Settles the lanes of one operation of one connection.

    Args:
        followers: Operations that wait for keys of this one.
        settled: Told of every result that was written.
    """

    def __init__(
        self,
        outbox: Outbox,
        connection_id: int,
        operation: str,
        followers: Sequence[str],
        settled: Callable[[LaneResult], None],
    ) -> None:
        self._outbox = outbox
        self._place = (connection_id, operation)
        self._followers = list(followers)
        self._settled = settled
        self._waiting: list[tuple[LaneResult, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def settle(self, result: LaneResult) -> None:
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
                results = [result for result, _ in batch]
                written = await self._outbox.settle(*self._place, results, self._followers)
            except Exception as error:  # noqa: BLE001 - each lane hears of it; its lease runs out and the work is redone
                for _, done in batch:
                    done.set_exception(error)
                continue
            for result in written:
                self._settled(result)
            for _, done in batch:
                done.set_result(None)
