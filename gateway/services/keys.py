"""API keys of backends: made, listed, revoked, and recognised.

A key is 256 random bits, so its SHA-256 can be stored as it is: a slow, salted hash protects texts that people choose,
which can be guessed; nobody guesses one of 2²⁵⁶. It is shown once, when it is made.
"""

import asyncio
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Protocol

from mappings.canonical.ids import PartyId

PREFIX: Final = "rg_"
"""Begins every key, so that scanners for leaked secrets can tell one."""

KEEP: Final = 10.0
"""Seconds for which the table of keys is kept in the process: a revoked key works for that long at most."""

_RELOAD_AT_MOST_EVERY: Final = 1.0
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,79}")

_CREATE: Final = """
WITH made AS (INSERT INTO api_key (name, hash, parties, roles) VALUES ($1, $2, $3, $4) RETURNING *),
noted AS (
    INSERT INTO audit (who, action, subject, detail)
    SELECT $5, 'create', 'key ' || id, json_build_object('name', name, 'parties', parties, 'roles', roles) FROM made
)
SELECT * FROM made"""

_REVOKE: Final = """
WITH ended AS (UPDATE api_key SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING id, name),
noted AS (
    INSERT INTO audit (who, action, subject, detail)
    SELECT $2, 'revoke', 'key ' || id, json_build_object('name', name) FROM ended
)
SELECT id FROM ended"""


class KeyRole(StrEnum):
    """What a key may do; each role includes those below it."""

    ADMIN = "admin"
    """Connections, dead letters, parties, network groups, and what hubs hold."""
    PUBLISH = "publish"
    """Write what the party has: its network, charges, drivers, offers and subscriptions."""
    READ = "read"
    """Read."""


_INCLUDES: Final[Mapping[KeyRole, frozenset[KeyRole]]] = {
    KeyRole.ADMIN: frozenset(KeyRole),
    KeyRole.PUBLISH: frozenset({KeyRole.PUBLISH, KeyRole.READ}),
    KeyRole.READ: frozenset({KeyRole.READ}),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who calls.

    Attributes:
        name: For the audit log.
        parties: For whom it may speak; None for all.
        roles: With the ones included.
    """

    name: str
    parties: frozenset[PartyId] | None
    roles: frozenset[KeyRole]

    def speaks_for(self, party: PartyId) -> bool:
        """Tells whether the party is in scope."""
        return self.parties is None or party in self.parties


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key without itself; `parties` empty means all."""

    id: int
    name: str
    parties: Sequence[PartyId]
    roles: Sequence[KeyRole]
    created_at: datetime
    revoked_at: datetime | None


class Rows(Protocol):
    """The part of the store that keys need."""

    async def fetch(self, sql: str, /, *args: Any) -> Sequence[Any]:
        """Gives the rows of a query, each readable by column name."""


def hash_of(key: str) -> bytes:
    """Gives what is stored of a key."""
    # Bytes of a header that are no UTF-8 arrive as surrogates.
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


class Keys:
    """API keys in the store, and the administrator's from the environment.

    Args:
        admin_key: A key with the role `admin` for all parties that is not in the store (`ROAMGATE_ADMIN_KEY`), with
            which the first one can be made; None for none.
        monotonic: A clock in seconds, for how long the table is kept.
    """

    def __init__(self, store: Rows, admin_key: str | None, monotonic: Callable[[], float]) -> None:
        if admin_key is not None and len(admin_key) < 16:
            raise ValueError("ROAMGATE_ADMIN_KEY has fewer than 16 characters")
        self._store = store
        self._admin = hash_of(admin_key) if admin_key else None
        self._monotonic = monotonic
        self._known: dict[bytes, Identity] = {}
        self._loaded_at: float | None = None
        self._loading = asyncio.Lock()

    async def create(
        self, name: str, parties: Sequence[PartyId], roles: Sequence[KeyRole], who: str
    ) -> tuple[str, KeyView]:
        """Makes a key.

        Args:
            parties: For whom it may speak; empty for all.
            who: Who makes it, for the audit log.

        Returns:
            The key, which is never shown again, and what is stored.

        Raises:
            ValueError: No role, or a name that is empty, over 80 characters or more than letters, digits and ` ._-`.
        """
        if not roles:
            raise ValueError("a key needs a role")
        if not _NAME.fullmatch(name):
            raise ValueError("a key's name has 1 to 80 letters, digits, spaces, dots, hyphens or underlines")
        key = PREFIX + secrets.token_urlsafe(32)
        rows = await self._store.fetch(
            _CREATE,
            name,
            hash_of(key),
            sorted({party.normal for party in parties}),
            [role.value for role in KeyRole if role in roles],
            who,
        )
        self._loaded_at = None
        return key, _view(rows[0])

    async def list(self) -> tuple[KeyView, ...]:
        """Gives all keys, revoked ones too, the oldest first."""
        return tuple(_view(row) for row in await self._store.fetch("SELECT * FROM api_key ORDER BY id"))

    async def revoke(self, key_id: int, who: str) -> bool:
        """Revokes a key, here at once, in other processes within `KEEP` seconds; False if there is none to revoke."""
        rows = await self._store.fetch(_REVOKE, key_id, who)
        self._loaded_at = None
        return bool(rows)

    async def identify(self, key: str) -> Identity | None:
        """Tells whose key it is; None if nobody's or revoked."""
        digest = hash_of(key)
        if self._admin is not None and hmac.compare_digest(digest, self._admin):
            return Identity("environment", None, _INCLUDES[KeyRole.ADMIN])
        await self._refresh(KEEP)
        if (known := self._known.get(digest)) is not None:
            return known
        # Another process may have made it a moment ago. Whoever sends wrong keys does not get a query for each.
        await self._refresh(_RELOAD_AT_MOST_EVERY)
        return self._known.get(digest)

    async def _refresh(self, age: float) -> None:
        if not self._is_older_than(age):
            return
        async with self._loading:
            if not self._is_older_than(age):
                return
            rows = await self._store.fetch("SELECT * FROM api_key WHERE revoked_at IS NULL")
            self._known = {bytes(row["hash"]): _identity(_view(row)) for row in rows}
            self._loaded_at = self._monotonic()

    def _is_older_than(self, age: float) -> bool:
        return self._loaded_at is None or self._monotonic() - self._loaded_at >= age


def _view(row: Mapping[str, Any]) -> KeyView:
    return KeyView(
        id=row["id"],
        name=row["name"],
        parties=tuple(PartyId(party) for party in row["parties"]),
        roles=tuple(KeyRole(role) for role in row["roles"]),
        created_at=row["created_at"],
        revoked_at=row["revoked_at"],
    )


def _identity(view: KeyView) -> Identity:
    roles = frozenset[KeyRole]().union(*(_INCLUDES[role] for role in view.roles))
    return Identity(f"key {view.id} ({view.name})", frozenset(view.parties) or None, roles)
