"""What the gateway adds to an answer: the same load straight and across it, by turns, in one run."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from gateway.cli.bench.figures import Figure
from gateway.cli.percentiles import percentile

WARM_UP = 4.0
_TURNS = 4
_TICK = 0.001

Post = Callable[[int], Coroutine[Any, Any, float]]
"""Sends the request of a number; gives the seconds till its answer."""


async def compare(name: str, straight: Post, across: Post, rate: float, seconds: float) -> list[Figure]:
    """Sends both loads at a rate, each for some seconds in all; gives what is added at the median and at p99."""
    for post in (straight, across):
        await paced(post, rate, WARM_UP)
    # In turns, so that whatever else the machine does meanwhile weighs on both.
    alone: list[float] = []
    added: list[float] = []
    for _ in range(_TURNS):
        alone += await paced(straight, rate, seconds / _TURNS)
        added += await paced(across, rate, seconds / _TURNS)
    figures = []
    for share, goal in ((0.5, 5.0), (0.99, 20.0)):
        one, other = (1000 * (percentile(sorted(each), share) or 0.0) for each in (alone, added))
        at = f"{name} at {rate:g}/s, p{100 * share:g}"
        figures += [
            Figure.of(f"{at}, directly", one, "ms", better="less"),
            Figure.of(f"{at}, added by the gateway", other - one, "ms", goal, better="less"),
        ]
    return figures


async def paced(post: Post, rate: float, seconds: float) -> list[float]:
    """Sends requests at a rate, whether or not earlier ones are answered, as many chargers do."""
    tasks: list[asyncio.Task[float]] = []
    begun = time.perf_counter()
    while (due := (time.perf_counter() - begun)) < seconds:
        while len(tasks) < due * rate:
            tasks.append(asyncio.create_task(post(len(tasks))))
        await asyncio.sleep(_TICK)
    return list(await asyncio.gather(*tasks))
