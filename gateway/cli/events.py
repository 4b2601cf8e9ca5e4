"""`events`: what happens, as it happens."""

import json
from contextlib import aclosing
from typing import Annotated

import typer

from gateway.cli.asking import URL, Key, PartyOption, Url, ask
from gateway.cli.client import Client
from gateway.cli.exits import ERRORS, Exit, end
from gateway.events.writing import EventType

app = typer.Typer(no_args_is_help=True, help="What happens, as it happens.")


@app.callback()
def _events() -> None:
    # With one command alone, and no callback, the group itself would be that command.
    pass


@app.command()
def follow(
    url: Url = URL,
    key: Key = "",
    type_: Annotated[EventType | None, typer.Option("--type", help="Only this type.")] = None,
    party: PartyOption = None,
    after: Annotated[str | None, typer.Option(help="Go on after this `cursor`, of the line read last.")] = None,
    oldest: Annotated[bool, typer.Option("--oldest", help="Begin with the oldest event that is kept.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="End after so many.")] = None,
) -> None:
    """Print events as JSON lines till it is interrupted: from now on, unless --after or --oldest says otherwise.

    Each is a CloudEvent, with the cursor behind it as the further attribute `cursor`. A gateway that restarts is come
    back to.
    """
    if oldest and after is not None:
        end(Exit.USAGE, "begin either after a cursor, or with the oldest")
    begin = None if oldest else after or "latest"

    async def work(client: Client) -> None:
        written = 0
        async with aclosing(client.events.follow(party, type_, begin, _lost)) as stream:
            async for cursor, event in stream:
                if event is None:
                    continue
                typer.echo(json.dumps(json.loads(event) | {"cursor": cursor}, separators=(",", ":")))
                written += 1
                if written == limit:
                    return

    try:
        ask(url, key, work)
    except KeyboardInterrupt:
        # It is how following ends.
        raise typer.Exit(Exit.DONE) from None


def _lost(why: str) -> None:
    ERRORS.print(f"{why}; trying again", style="yellow", markup=False, soft_wrap=True)
