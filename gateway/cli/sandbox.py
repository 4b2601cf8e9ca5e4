"""`sandbox`: both sandbox hubs on loopback, to try a gateway against."""

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.asking import Json
from gateway.cli.exits import Exit, end
from gateway.cli.hubs import PRICING, Hubs, HubsOptions, running_hubs
from mappings.canonical.ids import PartyId


def sandbox(
    operator: Annotated[str, typer.Option(help="The CPO that Hubject's certificate is bound to.")] = "FR*RGT",
    provider: Annotated[str, typer.Option(help="The EMP that Hubject knows beside it.")] = "FR*RGT",
    gireve_port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free one.")] = 8081,
    hubject_port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free one.")] = 8082,
    certificates: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder for Hubject's certificates; without it there is no TLS."),
    ] = None,
    limits: Annotated[bool, typer.Option(help="Whether Hubject keeps its published limits.")] = True,
    quality_seconds: Annotated[
        float, typer.Option(min=0, help="How long Gireve's quality process holds static data back.")
    ] = 0.0,
    gateway: Annotated[
        str | None,
        typer.Option(help="The gateway's base URL: Hubject calls its connections `hubject` and `hubject-emp`."),
    ] = None,
    show: Annotated[
        Path | None, typer.Option(dir_okay=False, help="File for addresses, token and settings, as JSON.")
    ] = None,
    connections: Annotated[
        Path | None, typer.Option(file_okay=False, help="Folder for files that `connections create` takes.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a sandbox Gireve and a sandbox Hubject until SIGTERM or SIGINT.

    Both tell what they were told at `/_sandbox/memory`, and fail on command at `/_sandbox/faults`. Hubject knows the
    drivers of `/_sandbox/drivers`, and starts, stops, reserves and cancels at `/_sandbox/remote-start`, `remote-stop`,
    `reserve` and `cancel-reservation`. It plays CPOs for an EMP, too: their stations are loaded at `/_sandbox/network`,
    and their drivers' cards held up at `/_sandbox/taps`.
    """
    try:
        party, emp = PartyId(operator), PartyId(provider)
    except ValueError as error:
        end(Exit.USAGE, str(error))
    options = HubsOptions(
        operator=party,
        provider=emp,
        gireve_port=gireve_port,
        hubject_port=hubject_port,
        certificates=certificates,
        limits=limits,
        quality_seconds=quality_seconds,
        gateway=gateway,
    )

    def started(hubs: Hubs) -> None:
        if connections is not None:
            _write_connections(hubs, party, connections)
        if show is not None:
            # Put in place whole, since somebody may wait for it to appear.
            part = show.with_name(f"{show.name}.part")
            part.write_text(hubs.model_dump_json(indent=2))
            part.rename(show)
        _tell(hubs, as_json=as_json)

    try:
        asyncio.run(_run(options, started))
    except OSError as error:
        end(Exit.FAILED, str(error))


async def _run(options: HubsOptions, started: Callable[[Hubs], None]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running_hubs(options) as hubs:
        started(hubs)
        await stop.wait()


def _write_connections(hubs: Hubs, operator: PartyId, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # A gateway on its first day knows no party, and a registration has to present one.
    presented = {"id": operator.normal, "roles": ["CPO", "EMSP"], "business": {"name": "Roamgate Demo"}}
    gireve = {**hubs.gireve_settings, "roles": ["CPO", "EMSP"], "parties": [presented]}
    for name, hub, settings in (
        ("gireve", "gireve", gireve),
        ("hubject", "hubject", hubs.hubject_settings | {"pricing": PRICING}),
        ("hubject-emp", "hubject", hubs.hubject_emp_settings),
        ("home", "home", {}),
    ):
        connection = {"name": name, "hub": hub, "mode": "live", "settings": settings}
        (folder / f"{name}.json").write_text(json.dumps(connection, indent=2) + "\n")


def _tell(hubs: Hubs, *, as_json: bool) -> None:
    if as_json:
        typer.echo(hubs.model_dump_json())
        return
    typer.echo(f"Gireve   {hubs.gireve}  (register with the token {hubs.gireve_token})")
    typer.echo(f"Hubject  {hubs.hubject}")
