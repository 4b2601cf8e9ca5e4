"""Agreements in the store, kept in memory: asking them costs no way to the database."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from adapters.core.connection import Connection
from gateway.agreements import policy
from gateway.agreements.book import Book, Offered, build
from gateway.agreements.policy import Candidate, Decision, Request
from gateway.services.links import Links
from gateway.store.pool import Store
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

_TOLD_FOR: Final = timedelta(days=366)
"""For how long a refusal says that an agreement has ended, rather than that there is none."""


class Agreements:
    """Answers what the services ask.

    A change of what agreements are made of counts as a change of the connections, which every replica looks for once a
    second; what is in memory is read anew when the connections were. Of EVSE groups, only those whose members changed.

    Args:
        clock: Gives the present, aware.
    """

    def __init__(self, store: Store, links: Links, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._links = links
        self._clock = clock
        self._book = Book()
        self._groups: dict[str, tuple[int, frozenset[str]]] = {}
        self._revision: int | None = None
        self._reading = asyncio.Lock()

    async def decide(self, connection_id: int, request: Request) -> Decision:
        """Decides whether a connection may have something; see `policy.decide`."""
        return policy.decide(await self.book(), connection_id, request, self._clock())

    async def candidates(self, connections: Iterable[Connection], request: Request) -> list[Candidate]:
        """Gives those connections that may serve a request, in the order of asking; see `policy.candidates`."""
        return policy.candidates(await self.book(), connections, request, self._clock())

    async def book(self) -> Book:
        """Gives all agreements, read anew if anything changed since."""
        if self._revision == self._links.revision:
            return self._book
        async with self._reading:
            revision = self._links.revision
            if self._revision != revision:
                # Read after the revision was noted: what changed since is noticed by the next one.
                self._book = await self._read()
                self._revision = revision
        return self._book

    async def _read(self) -> Book:
        versions: dict[str, list[OfferVersion]] = defaultdict(list)
        for row in await self._store.fetch(SQL["versions"]):
            terms = OfferTerms.model_validate_json(row["terms"])
            version = OfferVersion(number=row["number"], starts=row["starts_at"], terms=terms)
            versions[row["offer_id"]].append(version)
        subscriptions: dict[str, list[Subscription]] = defaultdict(list)
        for row in await self._store.fetch(SQL["subscriptions"], self._clock() - _TOLD_FOR):
            subscriptions[row["offer_id"]].append(
                Subscription(
                    id=row["id"],
                    offer=row["offer_id"],
                    emsp=PartyId(row["emsp"]),
                    state=SubscriptionState(row["state"]),
                    requested_at=row["requested_at"],
                    starts=row["starts_at"],
                    cancelled_at=row["cancelled_at"],
                    ends=row["ends_at"],
                )
            )
        networks: dict[str, list[Member]] = defaultdict(list)
        for row in await self._store.fetch(SQL["networks"]):
            member = Member(party=PartyId(row["party"]), since=row["since"], until=row["until"])
            networks[row["group_id"]].append(member)
        offered = [
            Offered(
                row["no"],
                row["connection_id"],
                Offer.model_validate_json(row["body"]),
                OfferState(row["state"]),
                row["ends_at"],
                versions[row["id"]],
                subscriptions[row["id"]],
            )
            for row in await self._store.fetch(SQL["offers"])
        ]
        return build(offered, networks, await self._members(versions.values()))

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
                keys = await self._store.fetch(SQL["members"], row["id"])
                before = row["revision"], frozenset(each["evse_key"] for each in keys)
            known[row["id"]] = before
        self._groups = known
        return {group: members for group, (_, members) in known.items()}
