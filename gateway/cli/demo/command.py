"""`demo`: a whole network against both sandbox hubs."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.asking import Json
from gateway.cli.demo import story
from gateway.cli.demo.processes import failures_end


def demo(
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="A network; none makes one up.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long statuses are replayed.")] = 10.0,
    rate: Annotated[float, typer.Option(min=0.1, help="Status changes a second.")] = 200.0,
    charges: Annotated[int, typer.Option(min=1, help="Foreign drivers who charge.")] = 24,
    seed: Annotated[int, typer.Option(help="Of the made-up network.")] = 1,
    patience: Annotated[float, typer.Option(min=1, help="Most seconds to wait for quiet.")] = 900.0,
    as_json: Json = False,
) -> None:
    """Run a whole network against both sandbox hubs, while they fail for a while; exit 0 only if all end equal."""
    options = story.Options(
        file=file, seconds=seconds, rate=rate, charges=charges, seed=seed, patience=patience, json=as_json
    )
    with failures_end():
        code = story.tell(options)
    raise typer.Exit(code)
