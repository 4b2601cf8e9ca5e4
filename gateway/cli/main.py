"""The command `roamgate`."""

from typing import Annotated

import typer

from gateway.cli.exits import HELP
from gateway.cli.lazily import Lazily
from gateway.release import RELEASE

app = typer.Typer(
    name="roamgate",
    cls=Lazily,
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
