"""Kills a gateway at random moments while something goes on."""

import asyncio
import random
from typing import Any

from gateway.cli.demo.processes import Child

_LEAST, _MOST = 2, 6
"""How often: on a busy machine to start it takes longer than all else, or, killed for ever, it gets nothing done."""


async def kill_during(task: asyncio.Task[Any], gateway: Child, *, within: float) -> None:
    """Kills and starts a gateway a few times, as long as a task is under way; it runs again at the end.

    Args:
        within: Seconds at most between two times.
    """
    dice = random.Random()  # other moments every time is the point
    killed = 0
    while killed < _LEAST or (killed < _MOST and not task.done()):
        await asyncio.sleep(dice.uniform(within / 6, within))
        await gateway.kill()
        await asyncio.sleep(dice.uniform(0.0, 0.3))
        await gateway.start()
        killed += 1
