"""`make bench`: measures, prints a table, and writes `build/bench.json`.

`ARGS="--only statuses"` runs some; `ARGS=--whole-day` replays the whole French day instead of a slice of 60 s;
`ARGS=--all-cdrs` tells 100,000 CDRs instead of 10,000.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from gateway.cli.bench.figures import Figure, show, write
from gateway.store.embedded import embedded_server
from tests.benchmarks import (
    agreements,
    authorise,
    beginning,
    catalogue,
    cdrs,
    commands,
    day,
    importing,
    permits,
    pulls,
    quotes,
    repricing,
    settlement,
    statuses,
    tariffs,
    translation,
)
from tests.french import SESSIONS
from tests.pricing.corpora import DUTCH, FRENCH
from tests.shared import ROOT

_NETWORK = ROOT / "data/nl/locations-2026-06-07.ndjson.gz"
_TARIFFS = ROOT / DUTCH
_EVENTS = ROOT / "data/fr/irve-dynamic-events-2026-08-20.csv.gz"
_OUT = Path("build/bench.json")


def main(
    only: Annotated[
        list[str] | None,
        typer.Option(help="Some of them by name; all by default"),
    ] = None,
    whole_day: Annotated[bool, typer.Option(help="Replay the whole day, not 60 s of it")] = False,
    all_cdrs: Annotated[bool, typer.Option(help="Tell 100,000 CDRs, not 10,000")] = False,
    tokens: Annotated[int, typer.Option(help="How many driver tokens are stored")] = permits.TOKENS,
    evses: Annotated[int, typer.Option(help="How many EVSEs the catalogue has")] = pulls.EVSES,
) -> None:
    """Runs the benchmarks."""
    console = Console()
    seconds = None if whole_day else 60.0
    many = cdrs.ALL if all_cdrs else cdrs.MANY
    benches: dict[str, tuple[Path | None, Callable[[], list[Figure]]]] = {
        "translation": (_NETWORK, lambda: translation.measure(_NETWORK)),
        "tariffs": (_TARIFFS, lambda: tariffs.measure(_TARIFFS, [ROOT / name for name in FRENCH])),
        "import": (_NETWORK, lambda: _with_database(lambda url, _: importing.measure(url, _NETWORK))),
        "agreements": (None, lambda: _with_database(lambda url, _: uvloop.run(agreements.measure(url)))),
        "beginning": (None, lambda: _with_database(lambda url, to: uvloop.run(beginning.measure(url, to)))),
        "statuses": (None, lambda: _with_database(lambda url, to: uvloop.run(statuses.measure(url, to)))),
        "authorise": (None, lambda: _with_database(lambda url, to: uvloop.run(authorise.measure(url, to)))),
        "commands": (None, lambda: _with_database(lambda url, to: uvloop.run(commands.measure(url, to)))),
        "permits": (
            None,
            lambda: _with_database(lambda url, to: uvloop.run(permits.measure(url, to, tokens=tokens))),
        ),
        "cdrs": (None, lambda: _with_database(lambda url, to: uvloop.run(cdrs.measure(url, to, many=many)))),
        "quotes": (None, lambda: _with_database(lambda url, to: uvloop.run(quotes.measure(url, to)))),
        "repricing": (None, lambda: _with_database(lambda url, _: uvloop.run(repricing.measure(url)))),
        "settlement": (
            ROOT / SESSIONS,
            lambda: _with_database(lambda url, _: settlement.measure(url, ROOT)),
        ),
        "pulls": (
            None,
            lambda: _with_database(lambda url, to: uvloop.run(pulls.measure(url, to, _NETWORK, evses=evses))),
        ),
        "catalogue": (
            None,
            lambda: _with_database(lambda url, to: uvloop.run(catalogue.measure(url, to, _NETWORK, evses=evses))),
        ),
        "pace": (None, lambda: _with_database(lambda url, to: uvloop.run(pulls.measure_paced(url, to, _NETWORK)))),
        "day": (
            _EVENTS,
            lambda: _with_database(lambda url, to: uvloop.run(day.measure(url, to, _EVENTS, seconds=seconds))),
        ),
    }
    figures: list[Figure] = []
    for name, (data, bench) in benches.items():
        if only and name not in only:
            continue
        if data is not None and not data.exists():
            console.print(f"[yellow]{name}: skipped, {data.name} is not here")
            continue
        console.print(f"{name} …")
        figures += bench()
        write(figures, _OUT)
    show(figures, console)
    console.print(f"{os.cpu_count()} cores; written to {_OUT}")


def _with_database(bench: Callable[[str, Path], list[Figure]]) -> list[Figure]:
    with embedded_server() as url, tempfile.TemporaryDirectory(prefix="roamgate-bench-") as folder:
        return bench(url, Path(folder))


if __name__ == "__main__":
    typer.run(main)
