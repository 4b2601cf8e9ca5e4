"""Agreements in the store, kept in memory: asking them costs no way to the database."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar, TypeVarTuple

from adapters.core.connection import Connection
from gateway.agreements import policy
from gateway.agreements.book import Book, Offered, build
from gateway.agreements.policy import Candidate, Decision, Request
from gateway.agreements.sight import ANYBODY, anybodys
from gateway.services.links import Links
from gateway.store.pool import Record, Store
from gateway.store.queries import Queries
from mappings.canonical.agreements import (
    Member,
    Offer,
    OfferState,
    OfferTerms,
    OfferVersion,
    Subscription,
    SubscriptionState,
)
from mappings.canonical.ids import PartyId

SQL = Queries("gateway.agreements", "agreements.sql")

Columns = TypeVarTuple("Columns")
T = TypeVar("T")

_TOLD_FOR: Final = timedelta(days=366)
"""For how long a refusal says that an agreement has ended, rather than that there is none."""

_PART: Final = 10_000
"""EVSEs of a group that are read at once."""

PATIENCE: Final = timedelta(seconds=2)
"""Many times what reading takes, unless there are tens of thousands."""


class Agreements:
    """Answers what the services ask.

    A change of what agreements are made of counts as a change of the connections, which every replica looks for once a
    second; what is in memory is read anew after one (`Links.agreed`). Of EVSE groups, only those whose members changed.

    Args:
        clock: Gives the present, aware.
        patience: For how long whoever asks is kept waiting while they are read anew; then what was known before counts.
    """

    def __init__(
        self, store: Store, links: Links, clock: Callable[[], datetime], patience: timedelta = PATIENCE
    ) -> None:
        self._store = store
        self._links = links
        self._clock = clock
        self._book = Book()
        self._groups: dict[str, tuple[int, frozenset[str]]] = {}
        self._offers = _Kept(_offer)
        self._versions = _Kept(_version)
        self._subscriptions = _Kept(_subscription)
        self._revision: int | None = None
        self._reading: asyncio.Task[None] | None = None
        self._patience = patience.total_seconds()

    async def decide(self, connection_id: int, request: Request) -> Decision:
        """Decides whether a connection may have something; see `policy.decide`.

        Where our no binds, somebody who is not known has what everybody has: no hub vouches for them.
        """
        book = await self._at_hand()
        if request.emsp is None and self.binds(connection_id):
            book, request = anybodys(book), replace(request, emsp=ANYBODY)
        return policy.decide(book, connection_id, request, self._clock())

    def binds(self, connection_id: int) -> bool:
        """Tells whether nobody but us keeps a record of who may charge over a connection; so of one that is gone."""
        link = self._links.get(connection_id)
        return link is None or not link.adapter.charging.has_contracts

    async def candidates(self, connections: Sequence[Connection], request: Request) -> list[Candidate]:
        """Gives those connections that may serve a request, in the order of asking; see `policy.candidates`."""
        bound = {each.id for each in connections if self.binds(each.id)}
        return policy.candidates(await self._at_hand(), connections, bound, request, self._clock())

    async def book(self) -> Book:
        """Gives all agreements, read anew if anything changed since."""
        wanted = self._links.agreed
        while self._revision is None or self._revision < wanted:
            # A task of its own: whoever gives up waiting does not keep the others from what is read.
            await asyncio.shield(self._anew())
        return self._book

    async def _at_hand(self) -> Book:
        """Gives what to decide by for somebody who waits at a station."""
        if self._revision == self._links.agreed:
            return self._book
        if self._revision is None:
            return await self.book()
        try:
            async with asyncio.timeout(self._patience):
                return await self.book()
        except TimeoutError:
            return self._book

    def _anew(self) -> asyncio.Task[None]:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._read_anew())
            self._reading.add_done_callback(_heard)
        return self._reading

    async def _read_anew(self) -> None:
        revision = self._links.agreed
        # Read after the revision was noted: what changed since is noticed by the next one.
        self._book = await self._read()
        self._revision = revision

    async def _read(self) -> Book:
        async with self._store.transaction() as tx:
            # As of one moment: an offer without its version would restrict a network to nobody.
            await tx.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            offers = await tx.fetch(SQL["offers"])
            versions = await tx.fetch(SQL["versions"])
            subscriptions = await tx.fetch(SQL["subscriptions"], self._clock() - _TOLD_FOR)
            networks = await tx.fetch(SQL["networks"])
        # Beside the event loop: of ten thousand this takes a second, for which no driver should stand waiting.
        offered = await asyncio.to_thread(self._offered, offers, versions, subscriptions)
        groups = await asyncio.to_thread(_network_groups, networks)
        return await asyncio.to_thread(build, offered, groups, await self._members(each.versions for each in offered))

    def _offered(
        self, offers: Sequence[Record], versions: Sequence[Record], subscriptions: Sequence[Record]
    ) -> list[Offered]:
        """Makes offers of their rows; of what has not changed since the last time, what was made then."""
        for kept in (self._offers, self._versions, self._subscriptions):
            kept.turn()
        versions_of: dict[str, list[OfferVersion]] = defaultdict(list)
        for row in versions:
            versions_of[row["offer_id"]].append(self._versions.of(row["number"], row["starts_at"], row["terms"]))
        subscriptions_of: dict[str, list[Subscription]] = defaultdict(list)
        for row in subscriptions:
            subscriptions_of[row["offer_id"]].append(self._subscriptions.of(*row))
        return [
            Offered(
                row["no"],
                row["connection_id"],
                self._offers.of(row["body"]),
                OfferState(row["state"]),
                row["ends_at"],
                versions_of[row["id"]],
                subscriptions_of[row["id"]],
            )
            for row in offers
        ]

    async def _members(self, versions: Iterable[Sequence[OfferVersion]]) -> Mapping[str, frozenset[str]]:
        """Gives the EVSEs of the groups that versions name."""
        named = {
            group
            for each in versions
            for version in each
            for group in (*version.terms.evse_groups, *(price.evse_group for price in version.terms.prices))
            if group is not None
        }
        known: dict[str, tuple[int, frozenset[str]]] = {}
        for row in await self._store.fetch(SQL["groups"], sorted(named)):
            before = self._groups.get(row["id"])
            if before is None or before[0] != row["revision"]:
                before = row["revision"], await self._members_of(row["id"])
            known[row["id"]] = before
        self._groups = known
        return {group: members for group, (_, members) in known.items()}

    async def _members_of(self, group: str) -> frozenset[str]:
        """Gives the EVSEs of a group, read in parts: a million at once would stop all else for a second."""
        found: list[str] = []
        while rows := await self._store.fetch(SQL["members"], group, found[-1] if found else "", _PART):
            found += [row["evse_key"] for row in rows]
            if len(rows) < _PART:
                break
        return await asyncio.to_thread(frozenset, found)


def _heard(reading: asyncio.Task[None]) -> None:
    if not reading.cancelled():
        reading.exception()  # whoever waits for it gets it; nobody may


class _Kept(Generic[*Columns, T]):
    """Makes models of what stands in rows, the same once only as long as the rows have it."""

    def __init__(self, make: Callable[[*Columns], T]) -> None:
        self._make = make
        self._now: dict[tuple[object, ...], T] = {}
        self._before: dict[tuple[object, ...], T] = {}

    def turn(self) -> None:
        """Begins to read all rows anew; what none of them has any more is forgotten with the next turn."""
        self._before, self._now = self._now, {}

    def of(self, *args: *Columns) -> T:
        """Gives the model of some columns."""
        found = self._now.get(args)
        if found is None:
            before = self._before.get(args)
            found = self._now[args] = before if before is not None else self._make(*args)
        return found


def _offer(body: str) -> Offer:
    return Offer.model_validate_json(body)


def _version(number: int, starts: datetime, terms: str) -> OfferVersion:
    return OfferVersion(number=number, starts=starts, terms=OfferTerms.model_validate_json(terms))


def _subscription(
    id_: str,
    offer: str,
    emsp: str,
    state: str,
    requested: datetime,
    starts: datetime | None,
    cancelled: datetime | None,
    ends: datetime | None,
) -> Subscription:
    """Makes a subscription of the columns of the statement, in their order."""
    return Subscription(
        id=id_,
        offer=offer,
        emsp=PartyId(emsp),
        state=SubscriptionState(state),
        requested_at=requested,
        starts=starts,
        cancelled_at=cancelled,
        ends=ends,
    )


def _network_groups(rows: Iterable[Record]) -> Mapping[str, Sequence[Member]]:
    found: dict[str, list[Member]] = defaultdict(list)
    for row in rows:
        member = Member(party=PartyId(row["party"]), since=row["since"], until=row["until"])
        found[row["group_id"]].append(member)
    return found
