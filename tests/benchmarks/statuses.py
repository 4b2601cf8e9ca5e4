"""Statuses over HTTP, each on disk with both hubs' projections before it is answered."""

from pathlib import Path

from gateway.app import assembled
from gateway.cli.bench.figures import Figure
from gateway.cli.bench.ways import switch_off, way_in
from gateway.cli.demo import network
from gateway.cli.demo.stage import stage
from gateway.cli.demo.statuses import evses
from gateway.cli.demo.story import bring_in

_LOCATIONS = 9_000
_SECONDS = 15.0
_SINGLES = 3_000


async def measure(url: str, folder: Path) -> list[Figure]:
    """Loads a gateway whose connections are off, so that what is measured is the way in and not both at once."""
    async with stage(url, folder, limits=False) as on_stage:
        await on_stage.connect()
        await switch_off(on_stage)
        await bring_in(on_stage, network.network(_LOCATIONS))
        async with assembled(on_stage.settings) as app:
            named = await evses(app.store, 100_000)
            return await way_in(on_stage, named, rate=_SINGLES, seconds=_SECONDS)
