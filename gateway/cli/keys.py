"""`keys`: API keys of backends, in the database itself, since no gateway needs to run to make the first."""

import time
from collections.abc import Sequence
from typing import Annotated

import typer
from pydantic import TypeAdapter

from gateway.cli.asking import Json, write_json, write_table
from gateway.cli.database import on_store
from gateway.cli.exits import Exit, end
from gateway.services.keys import KeyRole, Keys, KeyView
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId

app = typer.Typer(no_args_is_help=True, help="API keys of backends (works on DATABASE_URL).")

_WHO = "command line"


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="For the list and the audit log.")],
    roles: Annotated[list[KeyRole], typer.Option("--role", help="What it may do; may be repeated.")],
    parties: Annotated[
        list[str] | None, typer.Option("--party", help="FR*ABC, for whom it may speak; may be repeated; none for all.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown once."""
    try:
        meant = [PartyId(party) for party in parties or ()]
    except ValueError as error:
        end(Exit.USAGE, str(error))

    async def work(store: Store) -> tuple[str, KeyView]:
        return await Keys(store, None, time.monotonic).create(name, meant, roles, _WHO)

    try:
        key, view = on_store(work)
    except ValueError as error:
        end(Exit.USAGE, str(error))
    if as_json:
        shown = TypeAdapter(KeyView).dump_python(view, mode="json")
        write_json(shown | {"key": key}, dict)
    else:
        typer.echo(key)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the keys, revoked ones too."""

    async def work(store: Store) -> Sequence[KeyView]:
        return await Keys(store, None, time.monotonic).list()

    views = on_store(work)
    if as_json:
        write_json(views, tuple[KeyView, ...])
        return
    write_table(
        ("id", "name", "roles", "parties", "made", "revoked"),
        [
            (
                view.id,
                view.name,
                ", ".join(view.roles),
                ", ".join(map(str, view.parties)) or "all",
                f"{view.created_at:%Y-%m-%d %H:%M}",
                f"{view.revoked_at:%Y-%m-%d %H:%M}" if view.revoked_at else None,
            )
            for view in views
        ],
    )


@app.command()
def revoke(key_id: Annotated[int, typer.Argument(metavar="ID", help="Its number in the list.")]) -> None:
    """Revoke a key; running gateways forget it within ten seconds."""

    async def work(store: Store) -> bool:
        return await Keys(store, None, time.monotonic).revoke(key_id, _WHO)

    if not on_store(work):
        end(Exit.FAILED, f"there is no key {key_id} to revoke")
