"""Group commit: while one transaction runs, what arrives waits together for the next.

The commit is what a small write costs. The batch grows with the load, and a single write on a quiet gateway waits for
nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

import asyncpg

T = TypeVar("T")
R = TypeVar("R")


class Batches(Generic[T, R]):
    """Writes items in batches, in the order in which they came.

    Args:
        write: Writes a batch in one transaction and gives a result for each item, in their order.
        most: The size of a batch; a larger item stands alone.
        size: Of an item.
        kind: Only items of one kind share a batch; those of others keep their order behind it.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        most: int = 200,
        *,
        size: Callable[[T], int] = lambda _: 1,
        kind: Callable[[T], Hashable] = lambda _: None,
    ) -> None:
        self._write = write
        self._most = most
        self._size = size
        self._kind = kind
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def put(self, item: T) -> R:
        """Writes an item; it is durable when this returns. Raises what the write raises."""
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._run())
        return await done

    async def close(self) -> None:
        """Waits for what was put."""
        if self._writer is not None:
            await self._writer

    async def _run(self) -> None:
        while self._waiting:
            batch = self._next()
            try:
                await self._apply(batch)
            except (asyncpg.DataError, ValueError) as error:
                # Something in one item cannot be written (a NUL in a text, say): the others go on without it.
                if len(batch) == 1:
                    _fail(batch, error)
                else:
                    await self._apply_each(batch)
            except Exception as error:  # noqa: BLE001 - whoever waits gets it, and the next batch is tried on its own
                _fail(batch, error)

    def _next(self) -> list[tuple[T, asyncio.Future[R]]]:
        first, *rest = self._waiting
        kind, size = self._kind(first[0]), self._size(first[0])
        batch, left = [first], []
        for one in rest:
            more = self._size(one[0])
            if size + more <= self._most and self._kind(one[0]) == kind:
                batch.append(one)
                size += more
            else:
                left.append(one)
        self._waiting = left
        return batch

    async def _apply(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        results = await self._write([item for item, _ in batch])
        for (_, done), result in zip(batch, results, strict=True):
            if not done.done():
                done.set_result(result)

    async def _apply_each(self, batch: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        for one in batch:
            try:
                await self._apply([one])
            except Exception as error:  # noqa: BLE001 - as above
                _fail([one], error)


def _fail(batch: Sequence[tuple[T, asyncio.Future[R]]], error: Exception) -> None:
    for _, done in batch:
        if not done.done():
            done.set_exception(error)
