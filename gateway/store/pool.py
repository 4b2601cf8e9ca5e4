"""The one way to the database: a pool of connections, plain SQL, transactions."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

Record: TypeAlias = asyncpg.Record
if TYPE_CHECKING:
    _Base = asyncpg.Connection[Record]  # generic in its stubs only
else:
    _Base = asyncpg.Connection
Transaction: TypeAlias = "PoolConnectionProxy[Record]"
T = TypeVar("T")

# What PostgreSQL asks a client to repeat. Rows are locked in one order wherever that costs nothing; replicas that still
# cross each other are told so, and the statement is run again.
_REPEATABLE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


class Store:
    """A pool of connections to one database.

    Args:
        url: `postgresql://…`.
        size: Most connections held.
        pgbouncer: Whether a PgBouncer in transaction mode stands between, which forbids prepared statements.
    """

    def __init__(self, url: str, *, size: int = 8, pgbouncer: bool = False) -> None:
        self.url = url
        self.size = size
        self._pgbouncer = pgbouncer
        self._pool: asyncpg.Pool[Record] | None = None

    async def open(self) -> None:
        """Connects.

        Raises:
            OSError, asyncpg.PostgresError: The server cannot be reached or will not have us.
        """
        settings = {"application_name": "roamgate", "timezone": "UTC"}
        if not self._pgbouncer:  # which refuses what it does not know
            # JIT would compile statements that run for a millisecond.
            settings["jit"] = "off"
        self._pool = await asyncpg.create_pool(
            self.url,
            min_size=1,
            max_size=self.size,
            statement_cache_size=0 if self._pgbouncer else 200,
            connection_class=_Connection,
            init=_prepare,
            server_settings=settings,
        )

    async def close(self) -> None:
        """Lets running statements end, then disconnects."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    @property
    def pool(self) -> "asyncpg.Pool[Record]":
        """The open pool."""
        if self._pool is None:
            raise RuntimeError("the store is not open")
        return self._pool

    async def fetch(self, sql: str, *args: Any) -> list[Record]:
        """Runs one statement and gives its rows; repeated when the server asks for it."""
        return await _repeated(self.pool.fetch, sql, *args)

    async def search(self, sql: str, *args: Any) -> list[Record]:
        """Runs a statement with filters that may be left out, planned for those that are given: a list of millions.

        A plan for all of them alike, to which the server turns after a few times, would use no index of any.
        """
        async with self.transaction() as tx:
            await tx.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            return await tx.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Record | None:
        """Runs one statement and gives its first row."""
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def fetchval(self, sql: str, *args: Any) -> Any:
        """Runs one statement and gives the first column of its first row; None if there is none."""
        row = await self.fetchrow(sql, *args)
        return row[0] if row else None

    async def execute(self, sql: str, *args: Any) -> int:
        """Runs one statement and gives the number of rows that it touched."""
        tag = await _repeated(self.pool.execute, sql, *args)
        last = tag.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Opens a transaction; committed when the block ends, rolled back when it raises. Not repeated by itself."""
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection

    @staticmethod
    def attempts() -> AsyncRetrying:
        """Gives the attempts in which to run a whole transaction that the server may ask to repeat."""
        return _attempts()


class _Connection(_Base):
    """A connection that is handed on as it is: nothing here changes a session, and a reset is a round trip."""

    def get_reset_query(self) -> str:
        """Gives no statement; a transaction left open is rolled back all the same."""
        return ""


async def _repeated(run: Callable[..., Awaitable[T]], *args: Any) -> T:
    """Runs a statement, again where the server asks for it."""
    try:
        return await run(*args)
    except _REPEATABLE:
        # Only now: to set up what repeats takes longer than most statements do.
        return await _attempts()(run, *args)


def _attempts() -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception_type(_REPEATABLE),
        stop=stop_after_attempt(8),
        wait=wait_random_exponential(multiplier=0.02, max=1),
        reraise=True,
    )


async def _prepare(connection: "asyncpg.Connection[Record] | PoolConnectionProxy[Record]") -> None:
    # JSON is handed over as text: pydantic reads bodies faster from text than from objects, and exactly.
    await connection.set_type_codec("json", encoder=_encode, decoder=str, schema="pg_catalog")


def _encode(value: Any) -> str:
    # A text is JSON already, as pydantic wrote it.
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
