"""Webhooks and call-outs as operators handle them."""

import ipaddress
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

from yarl import URL

from adapters.core.outcomes import label, words
from gateway.events import signing
from gateway.events.hooks import HookKind, Hooks
from gateway.events.webhooks import Webhooks
from gateway.services.links import SQL as CONNECTIONS
from gateway.services.ports import Conflict, Invalid, NotFound
from gateway.services.ports.events import HookChange, HookView, Tested
from gateway.store.pool import Record, Store, Transaction
from gateway.store.queries import Queries
from gateway.store.secrets import Cipher
from mappings.canonical.ids import PartyId

SQL = Queries("gateway.services", "listeners.sql")

BOTH: Final = timedelta(days=1)
"""How long an old secret signs along with a new one."""

_INTERNAL: Final = ("localhost", "local", "internal", "localdomain", "lan", "intranet", "home.arpa")
"""Top-level names that no public host has (RFC 6761, RFC 6762, RFC 8375, and what ICANN keeps free)."""


class Listeners:
    """Implements `ports.Listeners` for one kind.

    Args:
        wake: Called when what waits for a webhook may be told.
    """

    def __init__(
        self,
        kind: HookKind,
        store: Store,
        cipher: Cipher,
        hooks: Hooks,
        webhooks: Webhooks,
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._kind = kind
        self._store = store
        self._cipher = cipher
        self._hooks = hooks
        self._webhooks = webhooks
        self._now = now
        self._wake = wake

    async def list(self) -> Sequence[HookView]:
        """See `ports.Listeners.list`."""
        return [self._view(row) for row in await self._store.fetch(SQL["list"], self._kind.value, None)]

    async def get(self, name: str) -> HookView:
        """See `ports.Listeners.get`."""
        row = await self._store.fetchrow(SQL["list"], self._kind.value, name)
        if row is None:
            raise self._missing(name)
        return self._view(row)

    async def create(
        self, name: str, url: str, types: Sequence[str], parties: Sequence[PartyId], silence: str | None, who: str
    ) -> tuple[HookView, str]:
        """See `ports.Listeners.create`."""
        _check(url)
        secret = signing.new_secret()
        normal = _normal(parties)
        async with self._store.transaction() as tx:
            made = await tx.fetchval(
                SQL["create"], name, self._kind.value, url, self._cipher.seal_text(secret), [*types], normal, silence
            )
            if made is None:
                raise Conflict(f"There is a webhook or call-out {name} already")
            detail = {"url": url, "types": [*types], "parties": normal, "silence": silence}
            await self._audit(tx, who, "created", name, detail)
        self._hooks.changed()
        return await self.get(name), secret

    async def change(self, name: str, change: HookChange, who: str) -> HookView:
        """See `ports.Listeners.change`."""
        if change.url is not None:
            _check(change.url)
        parties = None if change.parties is None else _normal(change.parties)
        types = None if change.types is None else [*change.types]
        async with self._store.transaction() as tx:
            changed = await tx.fetchval(
                SQL["change"], self._kind.value, name, change.url, types, parties, change.active, change.silence
            )
            if changed is None:
                raise self._missing(name)
            given = {one.name: getattr(change, one.name) for one in fields(change)} | {"parties": parties}
            detail = {field: value for field, value in given.items() if value is not None}
            await self._audit(tx, who, "changed", name, detail)
        self._hooks.changed()
        self._wake()
        return await self.get(name)

    async def rotate(self, name: str, who: str) -> tuple[HookView, str]:
        """See `ports.Listeners.rotate`."""
        secret = signing.new_secret()
        async with self._store.transaction() as tx:
            sealed = self._cipher.seal_text(secret)
            if await tx.fetchval(SQL["rotate"], self._kind.value, name, sealed, self._now() + BOTH) is None:
                raise self._missing(name)
            await self._audit(tx, who, "rotated", name, None)
        self._hooks.changed()
        return await self.get(name), secret

    async def remove(self, name: str, who: str) -> None:
        """See `ports.Listeners.remove`."""
        async with self._store.transaction() as tx:
            if await tx.fetchval(SQL["remove"], self._kind.value, name) is None:
                raise self._missing(name)
            await self._audit(tx, who, "removed", name, None)
        self._hooks.changed()

    async def test(self, name: str) -> Tested:
        """See `ports.Listeners.test`."""
        self._hooks.changed()
        hook = next((one for one in await self._hooks.all() if one.kind is self._kind and one.name == name), None)
        if hook is None:
            raise self._missing(name)
        outcome = await self._webhooks.test(hook, str(uuid.uuid4()))
        return Tested(label(outcome), words(outcome))

    def _missing(self, name: str) -> NotFound:
        return NotFound(f"There is no {_WORDS[self._kind]} {name}")

    async def _audit(self, tx: Transaction, who: str, action: str, name: str, detail: Mapping[str, Any] | None) -> None:
        told = None if detail is None else json.dumps(detail)
        await tx.execute(CONNECTIONS["audit"], who, action, f"{self._kind.value}/{name}", told)

    def _view(self, row: Record) -> HookView:
        both_until = row["old_until"]
        return HookView(
            name=row["name"],
            url=row["url"],
            types=row["types"],
            parties=[PartyId(party) for party in row["parties"]],
            active=row["active"],
            created_at=row["created_at"],
            why=row["why"],
            silence=row["silence"],
            both_until=both_until if both_until is not None and both_until > self._now() else None,
            waiting=row["waiting"],
            refused=row["refused"],
        )


_WORDS: Final[Mapping[HookKind, str]] = {HookKind.WEBHOOK: "webhook", HookKind.CALL_OUT: "call-out"}


def _normal(parties: Sequence[PartyId]) -> list[str]:
    return sorted({party.normal for party in parties})


def _check(url: str) -> None:
    """Raises `Invalid` for a URL that is not called: it must be https, or http to a host of an internal network."""
    try:
        parsed = URL(url)
        host, _ = (parsed.host or "").lower(), parsed.port
    except ValueError:
        raise Invalid(("url", "is no URL")) from None
    if parsed.scheme not in ("http", "https") or not host:
        raise Invalid(("url", "is no URL with http or https and a host"))
    if parsed.user is not None or parsed.password is not None:
        raise Invalid(("url", "has a user name; requests are signed instead"))
    if parsed.fragment:
        raise Invalid(("url", "has a fragment, which is never sent"))
    if parsed.scheme == "http" and not _is_internal(host):
        raise Invalid(("url", "must be https: only hosts of an internal network are called by http"))


def _is_internal(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.rstrip(".").endswith(tuple(f".{name}" for name in _INTERNAL))
