"""`run`."""

import asyncio
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated

import structlog
import typer
import uvloop

from gateway import logs
from gateway.app import demanded, run_until
from gateway.cli.database import UNREACHABLE, embedded_or_end, end_unreachable, settings_or_end
from gateway.cli.exits import ERRORS, Exit, end
from gateway.release import RELEASE
from gateway.settings import Settings, SettingsError
from gateway.store.migrate import migrate as run_migrations
from gateway.store.migrate import pending
from gateway.store.pool import Store
from gateway.store.secrets import Cipher

log = structlog.get_logger("gateway.cli")

_COLLECT_AFTER = 10_000
"""New objects after which the collector looks at them: some dozens of requests'."""


def run(
    dev: Annotated[
        bool, typer.Option("--dev", help="For a first look: takes care of database, keys and migrations.")
    ] = False,
    folder: Annotated[Path, typer.Option(help="Where --dev keeps its database and keys between starts.")] = Path(
        ".roamgate"
    ),
) -> None:
    """Run the gateway until SIGTERM or SIGINT; what is under way to hubs is finished first.

    Settings come from the file that ROAMGATE_SETTINGS names and from the environment; docs/operations.md lists them.
    """
    settings = settings_or_end()
    with _for_development(settings, folder) if dev else _as_given(settings) as ready:
        logs.configure(ready.log_level)
        try:
            uvloop.run(_run(ready, dev=dev))
        except SettingsError as error:
            end(Exit.SETTINGS, str(error))
        except UNREACHABLE as error:
            end_unreachable(error)


async def _run(settings: Settings, *, dev: bool) -> None:
    url, _ = demanded(settings)  # before the database is asked: what is set wrongly is wrong whether it is up or not
    await _prepare(url, settings, dev=dev)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _ask_to_stop, loop, stop, number)

    def started(port: int) -> None:
        _spare_collections()
        log.info("started", release=RELEASE, host=settings.host, port=port)
        if dev:
            _welcome(settings, port)

    await run_until(settings, stop, started)
    log.info("stopped")


def _spare_collections() -> None:
    """Keeps the garbage collector from going through all that stays anyway, time and again while drivers wait."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)


def _ask_to_stop(loop: asyncio.AbstractEventLoop, stop: asyncio.Event, number: signal.Signals) -> None:
    log.info("stopping", signal=number.name)
    stop.set()
    # A second one ends the process at once: whoever sends it does not want to wait.
    loop.remove_signal_handler(number)


async def _prepare(url: str, settings: Settings, *, dev: bool) -> None:
    store = Store(url, size=2, pgbouncer=settings.pgbouncer)
    await store.open()
    try:
        if dev:
            await run_migrations(store, "before")
            await run_migrations(store, "after")
        elif missing := await pending(store, "before"):
            raise SettingsError(f"run `roamgate migrate --phase before` first: {', '.join(missing)} did not run yet")
    finally:
        await store.close()


@contextmanager
def _as_given(settings: Settings) -> Iterator[Settings]:
    yield settings


@contextmanager
def _for_development(settings: Settings, folder: Path) -> Iterator[Settings]:
    """Fills in what is not set: keys kept in the folder, and an embedded server with its data there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    changes: dict[str, str] = {}
    if not settings.secret_key:
        changes["secret_key"] = _kept(folder / "secret-key", Cipher.new_key())
    if settings.admin_key is None:
        changes["admin_key"] = _kept(folder / "admin-key", token_urlsafe(32))
    if "host" not in settings.model_fields_set:
        changes["host"] = "127.0.0.1"
    if "public_url" not in settings.model_fields_set and settings.port:
        scheme = "http" if settings.tls_certificate is None else "https"
        changes["public_url"] = f"{scheme}://127.0.0.1:{settings.port}"
    if settings.database_url is not None:
        yield settings.model_copy(update=changes)
        return
    with embedded_or_end((folder / "database").resolve()) as url:
        # It is reached through a socket in a folder that is nobody else's, without a password.
        ERRORS.print(
            f"export DATABASE_URL='{url}'  # for `roamgate keys create`, elsewhere", markup=False, soft_wrap=True
        )
        yield settings.model_copy(update={**changes, "database_url": url})


def _kept(file: Path, new: str) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
            made.write(new + "\n")
        return new


def _welcome(settings: Settings, port: int) -> None:
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    scheme = "http" if settings.tls_certificate is None else "https"
    address = f"{scheme}://{host}:{port}"
    ERRORS.print(f"Gateway  {address}  (API: /docs)", markup=False)
    ERRORS.print(f"export ROAMGATE_URL={address} ROAMGATE_KEY={settings.admin_key}", markup=False, soft_wrap=True)
