"""The connections that this process serves, each with its adapter, kept in step with the store."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from adapters.core.connection import Connection, Mode, Scope, State
from adapters.core.roaming import HubAdapter
from gateway.outbox.projecting import Link
from gateway.store.pool import Record, Store, Transaction
from gateway.store.queries import Queries
from gateway.store.secrets import Cipher

SQL = Queries("gateway.services", "connections.sql")

# Any number, the same in every replica. Who writes objects shares it; who changes the set of connections takes it
# alone, so that no object is written by somebody who does not know a connection yet.
_LOCK = 0x6C696E6B

Build = Callable[[Connection], HubAdapter]
"""Makes the adapter of a connection."""


class Links:
    """The connections and their adapters.

    Args:
        builders: By name of the hub.
    """

    def __init__(self, store: Store, cipher: Cipher, builders: Mapping[str, Build]) -> None:
        self._store = store
        self._cipher = cipher
        self._builders = builders
        self._links: dict[int, Link] = {}
        self._revision = self._agreed = -1
        self._changed: Callable[[], None] | None = None
        self._retired: dict[asyncio.Task[None], HubAdapter] = {}

    @property
    def revision(self) -> int:
        """The number of the change up to which the connections, and what is kept with them, are known here."""
        return self._revision

    @property
    def agreed(self) -> int:
        """The number of the change of agreements up to which `revision` goes; one that only touches wires is none."""
        return self._agreed

    def all(self) -> Sequence[Link]:
        """Gives all connections, in the order in which they were made."""
        return tuple(self._links.values())

    def get(self, connection_id: int) -> Link | None:
        """Gives one connection by its number."""
        return self._links.get(connection_id)

    def by_name(self, name: str) -> Link | None:
        """Gives one connection by its name."""
        return next((link for link in self._links.values() if link.connection.name == name), None)

    def when_changed(self, told: Callable[[], None] | None) -> None:
        """Has somebody told, in the event loop, whenever the connections were read anew."""
        self._changed = told

    async def refresh(self) -> bool:
        """Reads the connections anew if any changed; tells whether one did."""
        if await self._store.fetchval(SQL["revision"]) == self._revision:
            return False
        return self._take(await self._store.fetch(SQL["all"]))

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[tuple[Transaction, Sequence[Link]]]:
        """Opens a transaction in which objects are written, with the connections as they stand in it."""
        async with self._store.transaction() as tx:
            # A statement of its own: the next one's snapshot is then younger than any change that this waited for.
            await tx.execute("SELECT pg_advisory_xact_lock_shared($1)", _LOCK)
            if await tx.fetchval(SQL["revision"]) != self._revision:
                self._take(await tx.fetch(SQL["all"]))
            yield tx, self.all()

    @asynccontextmanager
    async def changing(self, *, alone: bool = False) -> AsyncIterator[Transaction]:
        """Opens a transaction that changes connections, or what is kept with them; nobody writes objects meanwhile.

        Args:
            alone: It changes connections alone, and nothing that agreements are made of.
        """
        async with self._store.transaction() as tx:
            await self.change_in(tx, alone=alone)
            yield tx
        await self.refresh()

    async def change_in(self, tx: Transaction, *, alone: bool = False) -> None:
        """Has a transaction that is under way change connections from here on; who commits it refreshes.

        For what writes so much first that nobody should wait for it.
        """
        await tx.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await tx.execute(SQL["raise_revision"], alone)

    async def settle(self) -> None:
        """Waits for all who are writing objects: whoever begins later finds what is so by now."""
        async with self._store.transaction() as tx:
            await tx.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)

    async def close(self) -> None:
        """Closes every adapter, those too that wait for a call to end: whoever closes this has ended all calls."""
        for task in self._retired:
            task.cancel()
        adapters = [*self._retired.values(), *(link.adapter for link in self._links.values())]
        await asyncio.gather(*self._retired, return_exceptions=True)
        await asyncio.gather(*(adapter.close() for adapter in adapters))
        self._links = {}

    def read(self, row: Record) -> Connection:
        """Reads a row of `connection`."""
        return Connection(
            id=row["id"],
            name=row["name"],
            hub=row["hub"],
            mode=Mode(row["mode"]),
            state=State(row["state"]),
            scope=Scope.model_validate_json(row["scope"]),
            settings=json.loads(row["settings"]),
            secrets=self._cipher.open(row["secrets"]),
            why=row["why"],
            version=row["version"],
        )

    def _take(self, rows: Sequence[Record]) -> bool:
        """Takes the connections as they were at one moment over; tells whether that is later than what is known.

        Has no pause in which another task could run, and so needs no lock: whoever read last wins only if it read the
        later state.
        """
        revision = rows[0]["revision"]
        if revision <= self._revision:
            return False
        links: dict[int, Link] = {}
        retired: list[HubAdapter] = []
        for row in rows:
            if row["id"] is None:  # there is no connection at all
                continue
            connection = self.read(row)
            old = self._links.get(connection.id)
            if old is not None and _same_wire(old.connection, connection):
                links[connection.id] = Link(connection, old.adapter)
                continue
            links[connection.id] = Link(connection, self.build(connection))
            if old is not None:
                retired.append(old.adapter)
        retired += [link.adapter for number, link in self._links.items() if number not in links]
        self._links, self._revision, self._agreed = links, revision, rows[0]["agreed"]
        for adapter in retired:
            self._retire(adapter)
        if self._changed is not None:
            self._changed()
        return True

    def build(self, connection: Connection) -> HubAdapter:
        """Makes the adapter of a connection."""
        return self._builders[connection.hub](connection)

    def _retire(self, adapter: HubAdapter) -> None:
        """Closes an adapter once whoever is in the middle of a call with it must have ended."""

        async def later() -> None:
            await asyncio.sleep(adapter.profile.request_timeout.total_seconds())
            await adapter.close()

        task = asyncio.get_running_loop().create_task(later())
        self._retired[task] = adapter
        task.add_done_callback(lambda task: self._retired.pop(task, None))


def _same_wire(old: Connection, new: Connection) -> bool:
    """Whether an adapter built for one serves the other: mode, state and scope are the gateway's affair."""
    return (old.settings, old.secrets) == (new.settings, new.secrets)
