"""Where the backend listens: webhooks and call-outs as this process knows them, and the clients that reach them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from adapters.core.http import HubClient
from adapters.core.inbound import Observer
from gateway.store.pool import Record, Store
from gateway.store.queries import Queries
from gateway.store.secrets import Cipher
from mappings.canonical.ids import PartyId

SQL = Queries("gateway.events", "hooks.sql")

KEEP: Final = 1.0
"""Seconds after which a change made by another replica is known here at the latest."""

MAX_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are read."""


class HookKind(StrEnum):
    """What somebody listens for."""

    WEBHOOK = "webhook"
    """Events, told after they happened."""
    CALL_OUT = "call_out"
    """Questions, answered while somebody waits."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One listener of the backend.

    Attributes:
        secrets: That sign, the present one first.
        types: Types of event, or questions; none for all.
        parties: None for all.
        silence: What a question counts as answered by when nobody answers.
    """

    id: int
    name: str
    kind: HookKind
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    types: frozenset[str]
    parties: frozenset[PartyId]
    active: bool
    silence: str | None = None

    def wants(self, type_: str, party: PartyId) -> bool:
        """Tells whether it is to hear of something."""
        return self.active and (not self.types or type_ in self.types) and (not self.parties or party in self.parties)


class Hooks:
    """Webhooks and call-outs, read anew every second, each with a client of its own: a slow one keeps no other waiting.

    Args:
        observer: Where requests are measured, under the kind and the name of the listener.
        monotonic: A clock in seconds.
    """

    def __init__(
        self,
        store: Store,
        cipher: Cipher,
        observer: Observer,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._store = store
        self._cipher = cipher
        self._observer = observer
        self._now = now
        self._monotonic = monotonic
        self._known: Sequence[Hook] = ()
        self._read_at: float | None = None
        self._clients: dict[int, HubClient] = {}

    async def all(self) -> Sequence[Hook]:
        """Gives all listeners, the oldest first."""
        if self._read_at is None or self._monotonic() - self._read_at >= KEEP:
            rows = await self._store.fetch(SQL["all"])
            self._known = [self._read(row) for row in rows]
            self._read_at = self._monotonic()
            for gone in self._clients.keys() - {hook.id for hook in self._known}:
                await self._clients.pop(gone).close()
        return self._known

    def changed(self) -> None:
        """Has the listeners read anew the next time: one was changed here."""
        self._read_at = None

    def client(self, hook: Hook, timeout: timedelta) -> HubClient:
        """Gives the client that reaches a listener; `timeout` is the longest that any request to it may take."""
        if hook.id not in self._clients:
            self._clients[hook.id] = HubClient(
                hook.kind.value,
                hook.name,
                self._observer,
                timeout=timeout,
                connect_timeout=timeout,
                max_answer=MAX_ANSWER,
                limit=500,
            )
        return self._clients[hook.id]

    async def switch_off(self, hook: Hook, why: str) -> None:
        """Stops telling a listener that said it is gone; what waits for it waits on."""
        await self._store.execute(SQL["switch_off"], hook.id, why)
        self.changed()

    async def close(self) -> None:
        """Closes the clients."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.close()

    def _read(self, row: Record) -> Hook:
        sealed = [row["secret"]]
        if row["old_until"] is not None and row["old_until"] > self._now():
            sealed.append(row["old_secret"])
        return Hook(
            id=row["id"],
            name=row["name"],
            kind=HookKind(row["kind"]),
            url=row["url"],
            secrets=tuple(self._cipher.open_text(one) for one in sealed),
            types=frozenset(row["types"]),
            parties=frozenset(PartyId(party) for party in row["parties"]),
            active=row["active"],
            silence=row["silence"],
        )
