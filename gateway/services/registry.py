"""Connections' credentials, as the hubs' servers and a registration from our side change them."""

import hmac
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from adapters.core.connection import Connection, Secrets, State
from gateway.services.links import SQL, Links
from gateway.store.pool import Store
from gateway.store.secrets import Cipher, token_hash

_KNOWN_FOR = 0.5
"""Seconds for which a token counts without a look into the store: a hub that pushes says it a thousand times a second.

A token that was replaced elsewhere opens this process for so much longer, twice that where the store is slow; never
more, whatever becomes of the store.
"""


class _Known(NamedTuple):
    """A token that was found: when it was looked for, at which revision it was found, and whose it is.

    Attributes:
        asked: Somebody looks for it anew already.
    """

    at: float
    revision: int
    connection: int
    asked: bool = False


class Registry:
    """Implements `adapters.core.inbound.Registry`.

    Args:
        passed: Gives seconds that only go forward.
    """

    def __init__(
        self, store: Store, links: Links, cipher: Cipher, passed: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._links = links
        self._cipher = cipher
        self._passed = passed
        self._known: dict[bytes, _Known] = {}
        self._changes = 0

    async def by_name(self, name: str) -> Connection | None:
        """Finds a connection by its name, among those that this process serves."""
        link = self._links.by_name(name)
        if link is None and await self._links.refresh():  # it may have been made a moment ago, elsewhere
            link = self._links.by_name(name)
        return None if link is None else link.connection

    async def by_token(self, token: str) -> Connection | None:
        """Finds the connection to which a token was given."""
        shown = token_hash(token)
        now = self._passed()
        known = self._known.get(shown)
        if known is not None and known.revision == self._links.revision:
            # One asks anew; whoever comes meanwhile need not wait for it, nor ask as well.
            if now < known.at + (2 * _KNOWN_FOR if known.asked else _KNOWN_FOR):
                return self._of(known.connection)
            self._known[shown] = known._replace(asked=True)
        changes = self._changes
        row = await self._store.fetchrow(SQL["by_token_hash"], shown)
        if row is None or not hmac.compare_digest(row["token_hash"], shown):
            self._known.pop(shown, None)
            return None
        if row["revision"] != self._links.revision:
            await self._links.refresh()
        if changes == self._changes:  # else it may have been read before a change of ours, and kept after it
            self._known[shown] = _Known(now, row["revision"], row["id"])
        return self._of(row["id"])

    def _of(self, connection_id: int) -> Connection | None:
        link = self._links.get(connection_id)
        return None if link is None else link.connection

    async def registered(
        self, connection: Connection, *, ours: str, endpoints: Mapping[str, Any], token: str, who: str
    ) -> Connection:
        """Writes new credentials and makes the connection ready; a person's pause stays."""
        return await self._write(connection, Secrets(ours, endpoints), token, State.READY, None, who, "registered")

    async def unregistered(self, connection: Connection, *, why: str, who: str) -> Connection:
        """Forgets the credentials; what is queued waits for the next registration. A person's pause stays."""
        return await self._write(connection, Secrets(), None, State.UNREGISTERED, why, who, "unregistered")

    async def expect(self, connection: Connection, token: str, who: str) -> None:
        """Lets the hub in with a token before it is registered, in place of an earlier one."""
        async with self._store.transaction() as tx:
            await tx.execute(SQL["set_token"], connection.id, token_hash(token))
            await tx.execute(SQL["audit"], who, "expects a token", f"connection/{connection.name}", None)
        self._forget()

    def _forget(self) -> None:
        self._known.clear()
        self._changes += 1

    async def _write(
        self,
        connection: Connection,
        secrets: Secrets,
        token: str | None,
        state: State,
        why: str | None,
        who: str,
        action: str,
    ) -> Connection:
        async with self._links.changing(alone=True) as tx:
            hashed = token_hash(token) if token is not None else None
            sealed = self._cipher.seal(secrets) if secrets != Secrets() else None
            await tx.execute(SQL["set_credentials"], connection.id, sealed, hashed, state.value, why)
            await tx.execute(SQL["audit"], who, action, f"connection/{connection.name}", None)
        self._forget()
        link = self._links.get(connection.id)
        if link is None:
            raise LookupError(f"connection {connection.name} was removed")
        return link.connection
