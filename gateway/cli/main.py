"""The command `roamgate`."""

from typing import Annotated

import typer

from gateway.cli import (
    agreements,
    authorisations,
    call_outs,
    cdrs,
    commands,
    connections,
    deliveries,
    driver_tokens,
    events,
    keys,
    permits,
    pulls,
    received,
    sent_commands,
    sessions,
    webhooks,
)
from gateway.cli.bench.command import bench
from gateway.cli.demo.command import demo
from gateway.cli.exits import HELP
from gateway.cli.importing import import_file
from gateway.cli.pricing import explain
from gateway.cli.pricing.price import price
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
app.command()(demo)
app.command()(bench)
app.command()(price)
app.add_typer(explain.app, name="tariff")
app.add_typer(keys.app, name="keys")
app.add_typer(connections.app, name="connections")
app.add_typer(agreements.app, name="agreements")
app.add_typer(deliveries.app, name="deliveries")
app.add_typer(authorisations.app, name="authorisations")
app.add_typer(commands.app, name="commands")
app.add_typer(sessions.app, name="sessions")
app.add_typer(cdrs.app, name="cdrs")
app.add_typer(pulls.app, name="pulls")
app.add_typer(driver_tokens.app, name="driver-tokens")
app.add_typer(permits.app, name="permits")
app.add_typer(sent_commands.app, name="sent-commands")
app.add_typer(received.sessions, name="received-sessions")
app.add_typer(received.cdrs, name="received-cdrs")
app.add_typer(events.app, name="events")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(call_outs.app, name="call-outs")
