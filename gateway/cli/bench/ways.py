"""Measures the two ways of a status: in, to the disk with both hubs' projections, and out, to both hubs' memory."""

from collections.abc import Sequence

from gateway.app import App
from gateway.cli.bench import load
from gateway.cli.bench.figures import Figure
from gateway.cli.demo import statuses
from gateway.cli.demo.stage import HUBS, Stage
from gateway.cli.demo.statuses import Named, Sent
from gateway.cli.demo.story import quiet
from gateway.cli.demo.verdict import judge
from gateway.cli.percentiles import percentile

_BATCH = 100
_IN_FLIGHT = 8
_WARM_UP = 0.2
"""Share of the time that is spent before it counts: connections are opened, plans cached."""


async def switch_off(on_stage: Stage) -> None:
    """Switches both connections off, so that nothing is sent to hubs."""
    for hub in HUBS:
        await on_stage.call("PUT", f"/v1/connections/{hub}/mode", {"mode": "off"})


async def way_in(on_stage: Stage, named: Sequence[Named], *, rate: float, seconds: float) -> list[Figure]:
    """Loads a gateway with statuses, in batches and one by one; its connections have to be off.

    Args:
        rate: Single requests a second that are asked for.
        seconds: For each of both.
    """
    sizes = {"size": min(_BATCH, len(named)), "in_flight": _IN_FLIGHT}
    await load.batches(on_stage, named, **sizes, seconds=seconds * _WARM_UP)
    batched = await load.batches(on_stage, named, **sizes, seconds=seconds)
    single = await load.singles(on_stage, named, rate=rate, seconds=seconds)
    return [
        Figure.of("statuses: EVSEs known", len(named), "", better="more"),
        Figure.of(f"statuses: in batches of {sizes['size']}", batched.rate, "1/s", 20_000, better="more"),
        Figure.of(f"statuses: batch of {sizes['size']}, p99", batched.milliseconds(0.99), "ms", better="less"),
        # What is sent at a rate is answered a little later than that.
        Figure.of(f"statuses: single, at {rate:,g} asked for", single.rate, "1/s", rate * 0.98, better="more"),
        Figure.of("statuses: single, p50", single.milliseconds(0.5), "ms", better="less"),
        Figure.of("statuses: single, p99", single.milliseconds(0.99), "ms", 50, better="less"),
    ]


async def way_out(
    on_stage: Stage, app: App, named: Sequence[Named], *, rate: float, seconds: float, patience: float
) -> list[Figure]:
    """Replays changes against a gateway whose connections are live and quiet, and asks both hubs when they had them."""
    sent = await statuses.replay(on_stage, named, rate=rate, seconds=seconds)
    await quiet(app, patience)
    return await delivered(on_stage, app, sent, "changes")


async def delivered(on_stage: Stage, app: App, sent: Sent, prefix: str) -> list[Figure]:
    """Gives, for each hub, the time from acceptance to its memory, and how many differences are left in all.

    Args:
        prefix: Begins the figures' names.
    """
    figures: list[Figure] = []
    for hub in HUBS:
        took = sorted(await statuses.latencies(on_stage, hub, sent))
        for share, goal in ((0.5, 0.5), (0.99, 2)):
            name = f"{prefix}: {hub}, accepted → in its memory, p{share * 100:g}"
            figures.append(Figure.of(name, percentile(took, share), "s", goal, better="less"))
    differences = sum(one.equality.differences for one in await judge(on_stage, app, {}))
    figures.append(Figure.of(f"{prefix}: differences at the end", differences, "", 0, better="less"))
    return figures
