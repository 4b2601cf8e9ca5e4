"""The command `roamgate`."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import connections, deliveries, keys
from gateway.cli.asking import Json
from gateway.cli.demo import story
from gateway.cli.exits import HELP
from gateway.cli.importing import import_file
from gateway.cli.sandbox import sandbox
from gateway.cli.serving import migrate, run, secret_key
from gateway.release import RELEASE

app = typer.Typer(
    name="roamgate",
    help="A roaming gateway: one canonical API, Gireve and Hubject behind it.",
    epilog=HELP,
    no_args_is_help=True,
    # A traceback with the values of variables would show secrets.
    pretty_exceptions_show_locals=False,
    add_completion=False,
)


@app.callback(invoke_without_command=True)
def _main(
    version: Annotated[bool, typer.Option("--version", help="Say which release this is.", is_eager=True)] = False,
) -> None:
    if version:
        typer.echo(RELEASE)
        raise typer.Exit


app.command()(run)
app.command()(migrate)
app.command("secret-key")(secret_key)
app.command()(sandbox)
app.command("import")(import_file)
app.add_typer(keys.app, name="keys")
app.add_typer(connections.app, name="connections")
app.add_typer(deliveries.app, name="deliveries")


@app.command()
def demo(
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="A network; none makes one up.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="How long statuses are replayed.")] = 10.0,
    rate: Annotated[float, typer.Option(min=0.1, help="Status changes a second.")] = 200.0,
    seed: Annotated[int, typer.Option(help="Of the made-up network.")] = 1,
    patience: Annotated[float, typer.Option(min=1, help="Most seconds to wait for quiet.")] = 900.0,
    as_json: Json = False,
) -> None:
    """Run a whole network against both sandbox hubs, while they fail for a while; exit 0 only if all end equal."""
    options = story.Options(file=file, seconds=seconds, rate=rate, seed=seed, patience=patience, json=as_json)
    raise typer.Exit(story.tell(options))
