"""The outbox in the store: claiming lanes, and writing what came of them."""

import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import uuid4

from adapters.core.adapter import Call, Item, Rendered, Subject
from adapters.core.connection import Connection, Scope
from gateway.store.growth import Growth
from gateway.store.objects import SQL as OBJECTS
from gateway.store.objects import read_location
from gateway.store.pool import Record, Store, Transaction
from gateway.store.queries import Queries
from mappings.canonical.locations import EvseStatus
from mappings.canonical.tariffs import Tariff
from mappings.canonical.tokens import Token
from mappings.report import Issue

SQL = Queries("gateway.outbox", "lanes.sql")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed projection: the item for the adapter, and what its settlement needs.

    Attributes:
        wanted: The revision that is being told.
        acked: The revision that was told before; those between the two coalesced.
        since: When the oldest change that is being told was accepted.
        attempt: A call that failed and must be made before anything newer; None if there is none.
        attempt_wanted: The revision that the attempt tells.
    """

    item: Item
    wanted: int
    acked: int
    since: datetime
    attempt: Call | None = None
    attempt_wanted: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """A leased lane with what was claimed in it, the oldest first.

    Attributes:
        fence: The lease's number; what is written under an older one is not written.
        attempts: How often the lane failed in a row.
    """

    name: str
    fence: int
    attempts: int
    claimed: Sequence[Claimed]


class Refusal(NamedTuple):
    """A projection that leaves its lane."""

    claimed: Claimed
    code: str | None
    reason: str
    field: str
    body: str | None
    issues: Sequence[Issue]


@dataclass(slots=True)
class LaneResult:
    """What came of a lane, to be written at once.

    Attributes:
        accepted, shadowed: With what the hub has, or would have.
        waiting: Not tried; due again at `waiting_until`.
        failed: Tried in vain; due again at `retry_at`, until when the lane rests.
        attempts: Calls to be kept with the one item that each settles, by key, since they must go out first.
        doubtful: Keys of what was told without an answer, so that the hub may have it or not.
        forgotten: Refused since the hub does not know their object; refusals in earnest if it never did.
        replaced: The hub has what was accepted and nothing else.
        unchanged: How many of the accepted needed no call.
    """

    lane: Lane
    accepted: list[tuple[Claimed, Rendered]] = field(default_factory=list)
    shadowed: list[tuple[Claimed, Rendered]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    waiting: list[Claimed] = field(default_factory=list)
    waiting_until: datetime | None = None
    failed: list[Claimed] = field(default_factory=list)
    retry_at: datetime | None = None
    error: str | None = None
    attempts: dict[str, Call] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    forgotten: list[Refusal] = field(default_factory=list)
    replaced: bool = False
    unchanged: int = 0

    def touched(self) -> Iterator[Claimed]:
        """Gives everything about which the result says something."""
        yield from (claimed for claimed, _ in self.accepted)
        yield from (claimed for claimed, _ in self.shadowed)
        yield from (refusal.claimed for refusal in (*self.refused, *self.forgotten))
        yield from self.waiting
        yield from self.failed


class Outbox:
    """The tables `projection`, `lane`, `dead_letter` and `issue`.

    Args:
        holder: Names this process in its leases, for people; what makes it unique is added.
        lease: How long a lease holds if it is not extended.
    """

    def __init__(self, store: Store, holder: str, lease: timedelta = timedelta(seconds=10)) -> None:
        self._store = store
        self._growth = Growth(store)
        # A process started anew in a container has its predecessor's host and pid, and shall not have its leases.
        self._holder = f"{holder}/{uuid4().hex[:12]}"
        self._working: set[int] = set()
        self.lease = lease

    async def claim(
        self,
        connection_id: int,
        operation: str,
        scope: Scope,
        *,
        max_items: int,
        max_lanes: int,
        refers_to: str | None = None,
    ) -> list[Lane]:
        """Leases lanes with something due, and reads what is to be told in them.

        Args:
            refers_to: As in the operation's profile.
        """
        leased = await self._store.fetch(
            SQL["claim"], connection_id, operation, max_items, max_lanes, self._holder, self.lease
        )
        if not leased:
            return []
        self._working.update(row["fence"] for row in leased)
        try:
            if broken := [row["lane"] for row in leased if row["broken"]]:
                await self._store.execute(SQL["doubt"], connection_id, operation, broken)
            keys = [key for row in leased for key in row["keys"]]
            rows = await self._store.fetch(SQL["claimed"], connection_id, operation, keys)
            lanes: dict[str, list[Claimed]] = {row["lane"]: [] for row in leased}
            # After what is claimed: what the hub gets since then raises `wanted` above what is told here.
            known = await self._known(connection_id, refers_to)
            for claimed in await self._read(rows, operation, scope, known):
                if claimed.item.lane in lanes:  # not moved to another lane meanwhile
                    lanes[claimed.item.lane].append(claimed)
        except BaseException:
            self._working.difference_update(row["fence"] for row in leased)
            raise
        return [Lane(row["lane"], row["fence"], row["attempts"], lanes[row["lane"]]) for row in leased]

    def abandon(self, lane: Lane) -> None:
        """Extends a lane's lease no more: nobody works on it here. Does nothing to one that was settled."""
        self._working.discard(lane.fence)

    async def claim_everything(self, connection_id: int, operation: str, scope: Scope, *, most: int) -> Lane | None:
        """Leases the one lane of an operation with all that the hub should have; None if it is taken.

        Claims nothing, in a lane that is ours all the same, if there are more than `most`.
        """
        lease = await self._store.fetchrow(SQL["lease"], connection_id, operation, "", self._holder, self.lease)
        if lease is None:
            return None
        self._working.add(lease["fence"])
        try:
            if lease["broken"]:
                await self._store.execute(SQL["doubt"], connection_id, operation, [""])
            rows = await self._store.fetch(SQL["everything"], connection_id, operation, most + 1)
            claimed = await self._read(rows, operation, scope) if len(rows) <= most else []
        except BaseException:
            self._working.discard(lease["fence"])
            raise
        return Lane("", lease["fence"], lease["attempts"], claimed)

    async def everything(
        self, connection_id: int, operation: str, scope: Scope, *, chunk: int = 1000, refers_to: str | None = None
    ) -> AsyncIterator[list[tuple[Claimed, bool]]]:
        """Reads all that a hub has or should have of an operation, some at a time, without leasing anything.

        Args:
            refers_to: As in the operation's profile.

        Yields:
            Projections, each with whether it was refused, so that the hub cannot have it in its present state.
        """
        last = ""
        known = await self._known(connection_id, refers_to)
        while rows := await self._store.fetch(SQL["known"], connection_id, operation, last, chunk):
            last = rows[-1]["key"]
            claimed = await self._read(rows, operation, scope, known)
            yield list(zip(claimed, (row["refused"] for row in rows), strict=True))

    async def settle(
        self,
        connection_id: int,
        operation: str,
        results: Sequence[LaneResult],
        followers: Sequence[str],
        referring: Sequence[str] = (),
    ) -> list[LaneResult]:
        """Writes what came of some lanes and gives up their leases, in one transaction.

        Args:
            followers: Operations whose held projections may go once this one accepted their key.
            referring: Operations that refer to this one's things (`OperationProfile.refers_to`).

        Returns:
            The results that were written; the others' leases had passed to somebody else, who does the work again.
        """
        written: list[LaneResult] = []
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    written = await self._settle(tx, (connection_id, operation), results, followers)
                    if referring and any(_moved(one) for one in written):
                        await tx.execute(SQL["look_again"], connection_id, referring)
        self._working.difference_update(one.lane.fence for one in results)
        told = sum(len(one.accepted) + len(one.shadowed) + len(one.refused) for one in written)
        await self._growth.note(issue=told, dead_letter=sum(len(one.refused) for one in written))
        return written

    async def _settle(
        self, tx: Transaction, place: tuple[int, str], results: Sequence[LaneResult], followers: Sequence[str]
    ) -> list[LaneResult]:
        # Before anything else is locked, since whoever changes the mode locks the connection before the projections.
        # What was rendered for a connection that is live by now stays pending.
        shadow = any(one.shadowed for one in results) and await tx.fetchval(SQL["is_shadow"], place[0])
        held = await tx.fetch(
            SQL["ours"], *place, [one.lane.name for one in results], [one.lane.fence for one in results]
        )
        ours = {(row["lane"], row["fence"]) for row in held}
        kept = [one for one in results if (one.lane.name, one.lane.fence) in ours]
        accepted = [pair for one in kept for pair in one.accepted]
        shadowed = [pair for one in kept for pair in one.shadowed] if shadow else []
        await tx.execute(
            SQL["lock"], *place, [claimed.item.key for one in kept for claimed in one.touched()], followers
        )
        if accepted:
            keys = [claimed.item.key for claimed, _ in accepted]
            wanted = [claimed.wanted for claimed, _ in accepted]
            fingerprints = [rendered.fingerprint for _, rendered in accepted]
            names = [rendered.sent_as for _, rendered in accepted]
            await tx.execute(SQL["accept"], *place, keys, wanted, fingerprints, names, followers)
        if any(one.replaced for one in kept):
            await tx.execute(SQL["replaced"], *place, [claimed.item.key for claimed, _ in accepted], followers)
        if shadowed:
            keys = [claimed.item.key for claimed, _ in shadowed]
            await tx.execute(SQL["shadow"], *place, keys, [claimed.wanted for claimed, _ in shadowed], followers)
        # After what was accepted, since that was planned on what turned out not to be so.
        refused = [refusal for one in kept for refusal in one.refused] + await _forget(tx, place, kept)
        if refused:
            await tx.execute(
                SQL["refuse"],
                *place,
                [one.claimed.item.key for one in refused],
                [one.claimed.wanted for one in refused],
                [one.code for one in refused],
                [one.reason for one in refused],
                [one.field for one in refused],
                [one.body for one in refused],
            )
        await self._postpone(tx, place, kept)
        await _write_issues(tx, place, accepted + shadowed, refused)
        resting = [one for one in kept if one.retry_at is not None]
        if resting:
            names_ = [one.lane.name for one in resting]
            await tx.execute(
                SQL["rest"], *place, names_, [one.retry_at for one in resting], [one.error for one in resting]
            )
        free = [one.lane.name for one in kept if one.retry_at is None]
        if free:
            await tx.execute(SQL["release"], *place, free)
        return kept

    async def _postpone(self, tx: Transaction, place: tuple[int, str], kept: Sequence[LaneResult]) -> None:
        rows: list[tuple[object, ...]] = [
            (claimed.item.key, one.waiting_until, 0, None, None, False) for one in kept for claimed in one.waiting
        ]
        for one in kept:
            for claimed in one.failed:
                key = claimed.item.key
                attempt = _dump_attempt(claimed, one.attempts.get(key))
                rows.append((key, one.retry_at, 1, one.error, attempt, key in one.doubtful))
        if rows:
            await tx.execute(SQL["postpone"], *place, *(list(column) for column in zip(*rows, strict=True)))

    async def extend(self) -> None:
        """Extends the leases of the lanes that are worked on here and have not run out."""
        if self._working:
            await self._store.execute(SQL["extend"], self._holder, self.lease, list(self._working))

    async def blocked(self, connection_id: int, operation: str) -> frozenset[str]:
        """Gives the pending keys of an operation."""
        rows = await self._store.fetch(SQL["blocked"], connection_id, operation)
        return frozenset(row["key"] for row in rows)

    async def pace(self, connection_id: int, operation: str, interval: timedelta) -> float:
        """Reserves the next call of a paced operation among all replicas; gives the seconds to wait for it."""
        seconds: float = await self._store.fetchval(SQL["pace"], connection_id, operation, interval)
        return seconds

    async def turn(self, connection_id: int, operation: str, interval: timedelta) -> float:
        """Takes the turn of an operation that is paced slowly, if it is there; gives the seconds until then, else 0."""
        seconds: float = await self._store.fetchval(SQL["turn"], connection_id, operation, interval)
        return seconds

    async def turn_in(self, connection_id: int, operation: str) -> float:
        """Gives the seconds until the turn of a slowly paced operation."""
        seconds: float = await self._store.fetchval(SQL["turn_in"], connection_id, operation)
        return seconds

    async def full_sync_due(self, connection_id: int, operation: str, after: str | None) -> bool:
        """Tells whether everything is to be synchronised now; first that of the operation that this one follows."""
        due: bool = await self._store.fetchval(SQL["full_sync_due"], connection_id, operation, after)
        return due

    async def full_sync_done(self, connection_id: int, operation: str, next_in: timedelta) -> None:
        """Sets the time of the next full synchronisation."""
        await self._store.execute(SQL["full_sync_done"], connection_id, operation, next_in)

    async def ask_again(self, connection_id: int, operation: str) -> None:
        """Lets everything of an operation be told again, record by record."""
        await self._store.execute(SQL["ask_again"], connection_id, operation)

    async def in_and_out_of_force(self) -> bool:
        """Lets tariffs be told again that began or ended since they were; tells whether there were any."""
        return await self._store.execute(SQL["in_and_out_of_force"]) > 0

    async def pause(self, connection: Connection, why: str) -> bool:
        """Pauses a connection that is ready and cannot work until somebody acts, or gives it other credentials.

        Args:
            connection: As it was known when the call was planned that failed.

        Returns:
            Whether it was still ready and as it was known; of many calls that failed together only the first pauses.
        """
        name = None
        async for attempt in self._store.attempts():
            with attempt:
                async with self._store.transaction() as tx:
                    await tx.execute(SQL["alone"])
                    name = await tx.fetchval(SQL["pause"], connection.id, why, connection.version)
                    if name is not None:
                        await tx.execute(SQL["audit_pause"], f"connection/{name}", json.dumps({"why": why}))
        return name is not None

    async def quiet(self) -> bool:
        """Tells whether nothing is left to do, at any connection."""
        quiet: bool = await self._store.fetchval(SQL["quiet"])
        return quiet

    async def _known(self, connection_id: int, refers_to: str | None) -> frozenset[str]:
        if refers_to is None:
            return frozenset()
        return frozenset(row["key"] for row in await self._store.fetch(SQL["there"], connection_id, refers_to))

    async def _read(
        self, rows: Sequence[Record], operation: str, scope: Scope, known: frozenset[str] = frozenset()
    ) -> list[Claimed]:
        subjects = await self._subjects(rows, scope)
        return [_claimed(row, operation, subjects, known) for row in rows]

    async def _subjects(self, rows: Sequence[Record], scope: Scope) -> dict[tuple[str, int], Subject | None]:
        """Reads the objects of some rows, as they are now and as the connection may see them."""
        subjects: dict[tuple[str, int], Subject | None] = {}
        locations = list({row["location_no"] for row in rows if row["location_no"] is not None})
        if locations:
            for row in await self._store.fetch(OBJECTS["locations_by_no"], locations):
                subjects["location", row["no"]] = scope.narrow(read_location(row))
        tariffs = list({row["tariff_no"] for row in rows if row["tariff_no"] is not None})
        if tariffs:
            for row in await self._store.fetch(OBJECTS["tariffs_by_no"], tariffs):
                gone = row["withdrawn_at"] is not None
                subjects["tariff", row["no"]] = None if gone else Tariff.model_validate_json(row["body"])
        tokens = list({row["driver_token_no"] for row in rows if row["driver_token_no"] is not None})
        if tokens:
            # A withdrawn one is given too, which is not valid then: some hubs are told so instead of "deleted".
            for row in await self._store.fetch(OBJECTS["driver_tokens_by_no"], tokens):
                subjects["driver_token", row["no"]] = Token.model_validate_json(row["body"])
        return subjects


_KINDS: Final = ("location", "tariff", "driver_token")
"""What a projection can speak of; it has the number of one."""


def _moved(result: LaneResult) -> bool:
    """Tells whether the hub has things since then that it had not, or the other way round."""
    moved = any((claimed.item.sent_as is None) is not (one.sent_as is None) for claimed, one in result.accepted)
    return moved or bool(result.shadowed)


def _claimed(
    row: Record, operation: str, subjects: dict[tuple[str, int], Subject | None], known: frozenset[str]
) -> Claimed:
    place = next(((kind, row[f"{kind}_no"]) for kind in _KINDS if row[f"{kind}_no"] is not None), None)
    item = Item(
        operation=operation,
        key=row["key"],
        lane=row["lane"],
        evse_uid=row["evse_uid"],
        subject=subjects.get(place) if place is not None else None,
        status=EvseStatus(row["status"]) if row["follows_status"] and row["status"] is not None else None,
        gone=row["gone"],
        sent_as=row["sent_as"],
        accepted=row["fingerprint"],
        attempts=row["attempts"],
        known=known,
    )
    if row["attempt"] is None:
        return Claimed(item, row["wanted"], row["acked"], row["since"])
    stored = json.loads(row["attempt"])
    rendered = Rendered(item, bytes.fromhex(stored["fingerprint"]), stored["sent_as"])
    call = Call(operation, stored["action"], stored["path"], stored["body"], (rendered,))
    return Claimed(item, row["wanted"], row["acked"], row["since"], call, stored["wanted"])


def _dump_attempt(claimed: Claimed, call: Call | None) -> str | None:
    """Writes down the call that told one item, to make it again as it was."""
    if call is None:
        return None
    [rendered] = call.settles
    return json.dumps(
        {
            "wanted": claimed.attempt_wanted if call is claimed.attempt else claimed.wanted,
            "action": call.action,
            "path": call.path,
            "body": call.body,
            "fingerprint": rendered.fingerprint.hex(),
            "sent_as": rendered.sent_as,
        },
        separators=(",", ":"),
    )


async def _forget(tx: Transaction, place: tuple[int, str], kept: Sequence[LaneResult]) -> list[Refusal]:
    """Forgets what the hub does not know any more; gives the refusals of what it never knew."""
    lanes = [one.lane.name for one in kept if one.forgotten]
    if not lanes:
        return []
    mended = {row["lane"] for row in await tx.fetch(SQL["forget"], *place, lanes)}
    return [refusal for one in kept if one.lane.name not in mended for refusal in one.forgotten]


async def _write_issues(
    tx: Transaction,
    place: tuple[int, str],
    rendered: Iterable[tuple[Claimed, Rendered]],
    refused: Iterable[Refusal],
) -> None:
    issues = {claimed.item.key: one.issues for claimed, one in rendered}
    issues |= {one.claimed.item.key: tuple(one.issues) for one in refused}
    if issues:
        dumped = [json.dumps([tuple(one) for one in found]) if found else None for found in issues.values()]
        await tx.execute(SQL["write_issues"], *place, list(issues), dumped)
