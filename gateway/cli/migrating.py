"""`migrate` and `secret-key`, which need little of what `run` needs."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from gateway.cli.asking import Json
from gateway.cli.database import on_store
from gateway.store.migrate import migrate as run_migrations
from gateway.store.pool import Store
from gateway.store.secrets import Cipher


class Phase(StrEnum):
    """Which migrations to run."""

    BEFORE = "before"
    AFTER = "after"


def migrate(
    phase: Annotated[Phase, typer.Option(help="`before` new code starts, or `after` the last old code is gone.")],
    as_json: Json = False,
) -> None:
    """Bring the database up to date, one phase of a rolling deploy at a time."""

    async def work(store: Store) -> list[str]:
        return await run_migrations(store, phase.value)

    ran = on_store(work)
    if as_json:
        typer.echo(json.dumps({"phase": phase.value, "ran": ran}))
    else:
        typer.echo("\n".join(ran) or "nothing to do")


def secret_key() -> None:
    """Make a key for ROAMGATE_SECRET_KEY, under which partners' secrets are stored."""
    typer.echo(Cipher.new_key())
