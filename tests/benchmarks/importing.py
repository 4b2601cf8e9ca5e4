"""A national feed: file to canonical to stored, with both hubs' projections, in one process."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import uvloop

from adapters.core.connection import Mode, Scope
from gateway.app import assembled
from gateway.cli.bench.figures import Figure
from gateway.cli.hubs import HubsOptions, running_hubs
from gateway.settings import Settings
from gateway.store.migrate import migrate
from gateway.store.pool import Store
from gateway.store.secrets import Cipher
from mappings.canonical.ids import PartyId


def measure(url: str, network: Path) -> list[Figure]:
    """Imports in a process of its own, whose memory is the figure."""
    command = [sys.executable, "-m", "tests.benchmarks.importing", url, str(network), str(network.stat().st_size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    said = json.loads(done.stdout.splitlines()[-1])
    return [
        Figure.of("import: locations", said["locations"], "", better="more"),
        Figure.of("import: EVSEs", said["evses"], "", better="more"),
        Figure.of("import: projections", said["projections"], "", better="more"),
        Figure.of("import: file → stored with both hubs' projections", said["seconds"], "s", 45, better="less"),
        Figure.of("import: resident at most", said["peak_mb"], "MB", 400, better="less"),
        Figure.of("import: resident growth in the second half", said["growth_mb"], "MB", better="less"),
    ]


async def _import(url: str, network: Path, size: int) -> dict[str, float]:
    store = Store(url)
    await store.open()
    await migrate(store, "before")
    await store.close()
    settings = Settings(database_url=url, secret_key=Cipher.new_key())
    async with running_hubs(HubsOptions(operator=PartyId("NL*NDW"))) as hubs, assembled(settings) as app:
        made = app.services.connections
        await made.create("gireve", "gireve", Mode.OFF, Scope(), hubs.gireve_settings, "bench")
        await made.create("hubject", "hubject", Mode.OFF, Scope(), hubs.hubject_settings, "bench")
        halfway = _Halfway(size)
        begun = time.perf_counter()
        report = await app.services.importing.run(halfway.read(network), filename=network.name, party=None, who="bench")
        seconds = time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        projections = await app.store.fetchval("SELECT count(*) FROM projection")
    return {
        "locations": report.locations,
        "evses": report.evses,
        "projections": projections,
        "seconds": seconds,
        "peak_mb": peak,
        "growth_mb": peak - halfway.peak,
    }


class _Halfway:
    """Reads a file, and notes the process's memory when half of it is read."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.peak = 0.0

    async def read(self, path: Path) -> AsyncIterator[bytes]:
        done = 0
        with path.open("rb") as source:
            while chunk := source.read(1 << 18):
                done += len(chunk)
                yield chunk
                if done * 2 >= self._size and not self.peak:
                    self.peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(uvloop.run(_import(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))) + "\n")
