"""Fresh databases for tests: copied from one that is migrated once a session."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

from gateway.store.embedded import embedded_server
from gateway.store.migrate import migrate
from gateway.store.pool import Store
from tests.ports import worker

T = TypeVar("T")

VARIABLE = "ROAMGATE_TEST_DATABASE_URL"
"""Names a server on which the tests may create databases; without it they start an embedded one. Processes that share a
run need one each, named with blanks between: what one has not committed holds up what another reads as settled."""

_MEMORY = Path("/dev/shm")
_ENOUGH = 2 * 1024**3
"""Free bytes that a server may fill: its log of writes alone grows to 1 GB before it is recycled."""


@contextmanager
def server() -> Iterator[str]:
    """Gives the URL of a server: the one that the environment names, else an embedded one for this session."""
    if urls := os.environ.get(VARIABLE, "").split():
        yield urls[worker() % len(urls)]
        return
    folder = Path(tempfile.mkdtemp(prefix="roamgate-db-", dir=_roomy()))
    try:
        with embedded_server(folder) as url:
            _in_own_loop(_carefree(url))
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _roomy() -> Path | None:
    # Every test makes and drops a database of 800 files. ext4 passes over whatever was deleted lately when it makes
    # another, so that there a fresh database takes the longer the more there were: 0.6 s, and in memory 0.03 s.
    if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free >= _ENOUGH:
        return _MEMORY
    return None


async def _carefree(url: str) -> None:
    # Nobody needs these databases after the machine has failed. And nobody shall look after them beside a test: what is
    # analysed holds up what others read as settled, and a database that is looked after cannot be copied.
    for setting in ("fsync", "full_page_writes", "autovacuum"):
        await _run(url, f"ALTER SYSTEM SET {setting} = off")
    await _run(url, "SELECT pg_reload_conf()")


@contextmanager
def template(server_url: str) -> Iterator[str]:
    """Makes a migrated database that others are copied from, and gives its name."""
    name = f"roamgate_test_{uuid4().hex[:12]}"
    _in_own_loop(_create(server_url, name, None))
    try:
        _in_own_loop(_migrate(at(server_url, name)))
        yield name
    finally:
        _in_own_loop(_drop(server_url, name))


@asynccontextmanager
async def copy(server_url: str, of: str) -> AsyncIterator[str]:
    """Makes a fresh copy of a database, and gives its URL."""
    name = f"{of}_{uuid4().hex[:8]}"
    await _create(server_url, name, of)
    try:
        yield at(server_url, name)
    finally:
        await _drop(server_url, name)


def at(server_url: str, database: str) -> str:
    """Gives the URL of a database on the same server."""
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{database}"))


def _in_own_loop(work: Coroutine[Any, Any, T]) -> T:
    # A session's fixture runs beside the test's event loop; asyncio.run here would take that loop away.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _create(server_url: str, name: str, of: str | None) -> None:
    # Names are our own hexadecimal ones; CREATE DATABASE takes no parameters.
    # FILE_COPY waits for checkpoints, which WAL_LOG of a small database does not.
    await _run(
        server_url, f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY wal_log" if of else f"CREATE DATABASE {name}"
    )


async def _drop(server_url: str, name: str) -> None:
    await _run(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


async def _run(server_url: str, sql: str) -> None:
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def _migrate(url: str) -> None:
    store = Store(url, size=2)
    await store.open()
    try:
        await migrate(store, "before")
        await migrate(store, "after")
    finally:
        await store.close()
