"""Ending tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

_AGAIN: Final = 1.0
"""Seconds after which a task is told once more to end."""


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancels tasks until they have ended.

    Once is not enough: what waits by `wait_for` in Python 3.11, as the driver of the store does, can swallow it.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        done, pending = await asyncio.wait(pending, timeout=_AGAIN)
        for task in done:
            if not task.cancelled():
                task.exception()  # whoever ends a task does not want to hear of it
