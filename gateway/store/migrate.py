"""Migrations: numbered SQL files in two phases, so that old and new code can run side by side while a deploy rolls.

`NNNN_name.before.sql` runs before the new code starts and must suit the old code too; `NNNN_name.after.sql` runs when
no old code is left. Each file runs once; what a phase still lacks runs in one transaction.
"""

from importlib.resources import files
from typing import Literal

from gateway.store.pool import Store

Phase = Literal["before", "after"]

# Any number, the same in every replica: only one of them migrates at a time.
_LOCK = 0x726F616D


def _names(phase: Phase) -> list[str]:
    folder = files("gateway.store") / "migrations"
    return sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(f".{phase}.sql"))


async def pending(store: Store, phase: Phase = "before") -> list[str]:
    """Names the migrations of a phase that have not run."""
    if await store.fetchval("SELECT to_regclass('schema_migration')") is None:
        return _names(phase)
    done = {row["name"] for row in await store.fetch("SELECT name FROM schema_migration")}
    return [name for name in _names(phase) if name not in done]


async def migrate(store: Store, phase: Phase) -> list[str]:
    """Runs what has not run of a phase, in order, and names it.

    Raises:
        asyncpg.PostgresError: A file failed; nothing of the phase was run.
    """
    ran: list[str] = []
    async with store.transaction() as tx:
        await tx.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await tx.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
        )
        done = {row["name"] for row in await tx.fetch("SELECT name FROM schema_migration")}
        for name in _names(phase):
            if name not in done:
                await tx.execute((files("gateway.store") / "migrations" / name).read_text())
                await tx.execute("INSERT INTO schema_migration (name) VALUES ($1)", name)
                ran.append(name)
    return ran
