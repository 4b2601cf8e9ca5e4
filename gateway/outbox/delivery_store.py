"""Deliveries in the store: claiming messages, and writing what came of them."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol
from uuid import uuid4

from pydantic import JsonValue

from gateway.outbox.messages import SQL
from gateway.store.growth import Growth
from gateway.store.pool import Store, Transaction
from mappings.report import Issue

# Any number, the same in every replica: only one of them cleans at a time.
_CLEANING = 0x636C656E


class End(StrEnum):
    """How a delivery ended."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """A dead letter: the hub, or the translation, will not have it."""
    EXPIRED = "expired"
    """Nobody waits for it any more."""
    SHOWN = "shown"
    """It happened while the connection was in shadow mode: rendered, and never sent."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed delivery.

    Attributes:
        destination: The connection's number, or the hook's negated.
        kind: Of a message, what it is in the hub's words; of an event, its type.
        party: Normal form.
        payload: JSON: a `Message` to a hub, an event to a hook.
        attempts: How often it was tried in vain.
        doubtful: An earlier try ended without anybody knowing whether it was acted upon.
        shadow: It is only to be shown.
        since: When it was appended.
        until: When it is of no use any more.
        fence: The lease's number; what is written under an older one is not written.
    """

    no: int
    destination: int
    operation: str
    kind: str
    lane: str
    key: str
    party: str
    payload: str
    session_no: int | None
    cdr_no: int | None
    attempts: int
    doubtful: bool
    shadow: bool
    since: datetime
    until: datetime | None
    fence: int


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a claimed delivery.

    Attributes:
        end: None where it stays pending.
        retry_at: When it is tried again; None where it is due as before.
        tried: It was sent, and what was answered settled it.
        vain: It was tried in vain.
        doubtful: That try ended without anybody knowing whether it was acted upon.
        code, reason: The hub's own, or the translation's reason.
        field: Of the canonical object, where the translation refused.
        body: What would be sent, or was refused.
        previewed: It stays pending, and `body` shows what will be sent.
        answer: Of what was delivered, what the hub said that whoever appended it has to know; not kept here.
    """

    claimed: Claimed
    end: End | None = None
    retry_at: datetime | None = None
    tried: bool = False
    vain: bool = False
    doubtful: bool = False
    code: str | None = None
    reason: str | None = None
    field: str = ""
    body: JsonValue = None
    issues: Sequence[Issue] = ()
    previewed: bool = False
    answer: JsonValue = None


class Written(NamedTuple):
    """What was written.

    Attributes:
        results: The others' leases had passed to somebody else, who does the work again.
        nexts: The operations of what comes next in their lanes.
    """

    results: Sequence[Result]
    nexts: frozenset[str]


class Settlements(Protocol):
    """Whoever has to know what came of deliveries."""

    async def settled(self, tx: Transaction, ended: Sequence[Result]) -> Callable[[], None] | None:
        """Is told of deliveries that ended, in the transaction that writes so; told again where that is repeated.

        Returns:
            What is to be done once it is committed.
        """


class DeliveryStore:
    """The table `delivery`, and its part of `dead_letter`.

    Args:
        holder: Names this process in its leases, for people; what makes it unique is added.
        settlements: All are told of every delivery that ended.
        lease: How long a lease holds if it is not extended.
    """

    def __init__(
        self,
        store: Store,
        holder: str,
        settlements: Sequence[Settlements] = (),
        lease: timedelta = timedelta(seconds=10),
    ) -> None:
        self._store = store
        self._growth = Growth(store)
        self._settlements = settlements
        # A process started anew in a container has its predecessor's host and pid, and shall not have its leases.
        self._holder = f"{holder}/{uuid4().hex[:12]}"
        self._working: dict[int, int] = {}
        self.lease = lease

    async def claim(self, destination: int, operation: str, *, most: int, live: bool) -> list[Claimed]:
        """Leases what is due, of each lane the oldest only.

        Args:
            live: What is to be sent, too. Else what was not shown yet, of each lane all of it.
        """
        rows = await self._store.fetch(SQL["claim"], destination, operation, most, self._holder, self.lease, live)
        claimed = [Claimed(destination=destination, **dict(row)) for row in rows]
        self._working.update({one.no: one.fence for one in claimed})
        return sorted(claimed, key=lambda one: one.no)

    def abandon(self, claimed: Claimed) -> None:
        """Extends a lease no more: nobody works under it here. Does nothing to one that was settled."""
        if self._working.get(claimed.no) == claimed.fence:
            del self._working[claimed.no]

    async def extend(self) -> None:
        """Extends the leases that are worked under here and have not run out."""
        if self._working:
            numbers, fences = list(self._working), list(self._working.values())
            await self._store.execute(SQL["extend"], self._holder, self.lease, numbers, fences)

    async def settle(self, results: Sequence[Result]) -> Written:
        """Writes what came of some deliveries and gives up their leases, in one transaction."""
        written, after = Written((), frozenset()), list[Callable[[], None]]()
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    written, after = await self._settle(tx, results)
        for do in after:
            do()
        for one in results:
            self.abandon(one.claimed)
        await self._growth.note(delivery=len(written.results))
        return written

    async def _settle(self, tx: Transaction, results: Sequence[Result]) -> tuple[Written, list[Callable[[], None]]]:
        rows = await tx.fetch(
            SQL["settle"],
            [one.claimed.no for one in results],
            [one.claimed.fence for one in results],
            [one.end.value if one.end is not None else "pending" for one in results],
            [one.tried or one.vain for one in results],
            [one.doubtful for one in results],
            [_due_at(one) for one in results],
            [one.code for one in results],
            [one.reason for one in results],
            [_dumped(one.body) if one.body is not None or one.previewed else None for one in results],
            [json.dumps([tuple(issue) for issue in one.issues]) if one.issues else None for one in results],
        )
        ours = {row["no"] for row in rows}
        kept = [one for one in results if one.claimed.no in ours]
        if refused := [one for one in kept if one.end is End.REFUSED]:
            await tx.execute(SQL["refuse"], [one.claimed.no for one in refused], [one.field for one in refused])
        after: list[Callable[[], None]] = []
        if ended := [one for one in kept if one.end is not None]:
            told = [await each.settled(tx, ended) for each in self._settlements]
            after = [do for do in told if do is not None]
        return Written(kept, frozenset(row["next"] for row in rows if row["next"] is not None)), after

    async def clean(self, older_than: timedelta, most: int) -> int:
        """Deletes some of what was settled long ago; gives how many, 0 where another replica is at it."""
        async with self._store.transaction() as tx:
            if not await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", _CLEANING):
                return 0
            tag = await tx.execute(SQL["clean"], older_than, most)
            return int(tag.rsplit(" ", 1)[-1])


def _dumped(body: JsonValue) -> str:
    return json.dumps(body, separators=(",", ":"))


def _due_at(result: Result) -> datetime | None:
    """When it is looked at again: no later than it expires."""
    moments: Collection[datetime] = [at for at in (result.retry_at, result.claimed.until) if at is not None]
    return min(moments) if result.retry_at is not None else None
