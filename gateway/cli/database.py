"""What all commands share that work on the database itself, with no gateway between."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn, TypeVar

import asyncpg

from gateway.cli.exits import Exit, end
from gateway.settings import Settings, SettingsError, load
from gateway.store.embedded import embedded_server
from gateway.store.pool import Store

T = TypeVar("T")

UNREACHABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
)
"""What it looks like when the database will not have us."""


def settings_or_end() -> Settings:
    """Reads the settings; ends the command where they are wrong."""
    try:
        return load()
    except SettingsError as error:
        end(Exit.SETTINGS, str(error))


def on_store(what: Callable[[Store], Awaitable[T]]) -> T:
    """Does something on the database that the settings name; ends the command where it cannot be reached."""
    settings = settings_or_end()
    if settings.database_url is None:
        end(Exit.SETTINGS, "DATABASE_URL: not set")
    store = Store(settings.database_url, size=2, pgbouncer=settings.pgbouncer)

    async def work() -> T:
        await store.open()
        try:
            return await what(store)
        finally:
            await store.close()

    try:
        return asyncio.run(work())
    except UNREACHABLE as error:
        end_unreachable(error)
    except asyncpg.UndefinedTableError:
        end(Exit.SETTINGS, "the database has no tables yet: run `roamgate migrate --phase before`")


def end_unreachable(error: BaseException) -> NoReturn:
    """Ends a command that the database is out of reach for."""
    end(Exit.UNREACHABLE, f"the database cannot be reached: {error or type(error).__name__}")


@contextmanager
def embedded_or_end(folder: Path | None = None) -> Iterator[str]:
    """Runs an embedded server and yields its URL; ends the command where there is none to run.

    Args:
        folder: As `embedded_server`.
    """
    with ExitStack() as stack:
        try:
            url = stack.enter_context(embedded_server(folder))
        except ModuleNotFoundError:
            end(Exit.SETTINGS, "there is no embedded database here: install `roamgate[embedded]`")
        yield url
