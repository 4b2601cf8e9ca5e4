"""Statuses over HTTP, each on disk with both hubs' projections before it is answered."""

from pathlib import Path

from gateway.app import assembled
from gateway.cli.bench import load
from gateway.cli.bench.figures import Figure
from gateway.cli.demo import network
from gateway.cli.demo.stage import stage
from gateway.cli.demo.statuses import evses
from gateway.cli.demo.story import bring_in

_LOCATIONS = 9_000
_SECONDS = 15.0


async def measure(url: str, folder: Path) -> list[Figure]:
    """Loads a gateway whose connections are off, so that what is measured is the way in and not both at once."""
    async with stage(url, folder, limits=False) as on_stage:
        await on_stage.connect()
        for hub in ("gireve", "hubject"):
            await on_stage.call("PUT", f"/v1/connections/{hub}/mode", {"mode": "off"})
        await bring_in(on_stage, network.network(_LOCATIONS))
        async with assembled(on_stage.settings) as app:
            named = await evses(app.store, 100_000)
            await load.batches(on_stage, named, size=100, in_flight=8, seconds=3.0)
            batched = await load.batches(on_stage, named, size=100, in_flight=8, seconds=_SECONDS)
            single = await load.singles(on_stage, named, rate=3_000, seconds=_SECONDS)
    return [
        Figure.of("statuses: EVSEs known", len(named), "", better="more"),
        Figure.of("statuses: in batches of 100", batched.rate, "1/s", 20_000, better="more"),
        Figure.of("statuses: batch of 100, p99", batched.percentile(0.99) * 1000, "ms", better="less"),
        Figure.of("statuses: single, at 3,000 asked for", single.rate, "1/s", 2_950, better="more"),
        Figure.of("statuses: single, p50", single.percentile(0.5) * 1000, "ms", better="less"),
        Figure.of("statuses: single, p99", single.percentile(0.99) * 1000, "ms", 50, better="less"),
    ]
