"""`bench`: what the machine at hand can do, on a made-up network."""

import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from gateway.app import assembled
from gateway.cli.asking import OUTPUT, Json, write_json
from gateway.cli.bench import figures, ways
from gateway.cli.bench.figures import Figure
from gateway.cli.database import embedded_or_end
from gateway.cli.demo import network, statuses
from gateway.cli.demo.processes import failures_end
from gateway.cli.demo.stage import stage
from gateway.cli.demo.story import bring_in, quiet, step
from gateway.cli.exits import ERRORS

_MOST_NAMED = 100_000
_PATIENCE = 900.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        locations: Of the network.
        seconds: For each measurement.
        changes: Status changes a second on the way out.
        singles: Single requests a second on the way in.
    """

    locations: int
    seconds: float
    changes: float
    singles: float


def bench(
    locations: Annotated[int, typer.Option(min=1, help="Of the made-up network; some 2.2 EVSEs each.")] = 900,
    seconds: Annotated[float, typer.Option(min=0.1, help="For each measurement.")] = 10.0,
    changes: Annotated[float, typer.Option(min=1, help="Status changes a second on their way to both hubs.")] = 400.0,
    singles: Annotated[float, typer.Option(min=1, help="Single status requests a second on their way in.")] = 3000.0,
    out: Annotated[
        Path | None, typer.Option(dir_okay=False, help="File for the figures as JSON; those of other names in it stay.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure a gateway on this machine: statuses on their way in, and from acceptance to both sandbox hubs' memory.

    Database, hubs, gateway and load share the machine, so that a gateway alone does more. Goals are those of two cores.
    """
    sizes = Sizes(locations, seconds, changes, singles)
    with failures_end(), embedded_or_end() as url, tempfile.TemporaryDirectory(prefix="roamgate-bench-") as folder:
        found = uvloop.run(_measure(url, Path(folder), sizes))
    if out is not None:
        figures.write(found, out)
    if as_json:
        write_json([asdict(one) for one in found], list)
        return
    figures.show(found, OUTPUT)
    OUTPUT.print(f"{os.cpu_count()} cores")


async def _measure(url: str, folder: Path, sizes: Sizes) -> list[Figure]:
    async with stage(url, folder, limits=True) as on_stage, assembled(on_stage.settings) as app:
        with step(ERRORS, f"Telling both hubs of {sizes.locations} locations"):
            await on_stage.connect()
            await bring_in(on_stage, network.network(sizes.locations))
            await quiet(app, _PATIENCE)
        named = await statuses.evses(app.store, _MOST_NAMED)
        with step(ERRORS, f"The way out: {sizes.changes:g} changes a second"):
            found = await ways.way_out(
                on_stage, app, named, rate=sizes.changes, seconds=sizes.seconds, patience=_PATIENCE
            )
        with step(ERRORS, f"The way in: as fast as it goes, and {sizes.singles:g} single ones a second"):
            await ways.switch_off(on_stage)
            found += await ways.way_in(on_stage, named, rate=sizes.singles, seconds=sizes.seconds)
    return found
